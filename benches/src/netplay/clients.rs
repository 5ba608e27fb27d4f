//! The clients: a Node process that runs the SDK in a page for each player
//! (`benches/js/netplay/play.mjs`), a step of virtual time at a time. `wire.mjs` there says how the
//! two talk; this is the other end. What is told is judged elsewhere.

use std::io::{self, Read, Write};
use std::process::Child;

use serde::Deserialize;
use tickwire::codec::{append_saved, take_saved};

use super::seen::Seen;
use crate::node::{Node, NodeError, finish};

/// What a client told of.
#[derive(Debug, Deserialize)]
pub(super) struct Told {
    pub(super) player: usize,
    /// Microseconds, rising.
    pub(super) at_us: u64,
    pub(super) what: What,
}

/// What it did or heard. `wire.mjs` numbers the kinds as they stand here.
#[derive(Debug, Deserialize)]
pub(super) enum What {
    /// A message left. `from` is where the own avatar is predicted to be after its input's tick.
    Sent {
        from: Option<[f64; 2]>,
        bytes: Vec<u8>,
    },
    /// A snapshot was applied.
    Snapshot {
        tick: u32,
        /// Where the own avatar was predicted to be after that tick.
        predicted: Option<[f64; 2]>,
        /// By how much the newest predicted place was corrected.
        corrected: f64,
        me: Option<u32>,
        /// Everybody as it has them.
        everyone: Vec<Seen>,
    },
    /// A frame was drawn.
    Frame {
        /// The tick that the others are shown at.
        view: f64,
        /// The delay that the client's clock sees a need for.
        delay_ms: f64,
        /// How often the view ran ahead of the newest snapshot, since the start.
        underruns: u32,
        /// Everybody else as they are shown.
        others: Vec<Seen>,
    },
    /// Somebody was hit, and by whom.
    Hit {
        tick: u32,
        who: Option<u32>,
        by: Option<u32>,
    },
    /// Somebody fell.
    Fall { tick: u32, who: Option<u32> },
}

/// See the module's description.
#[derive(Debug)]
pub(super) struct Clients {
    child: Child,
    buffer: Vec<u8>,
}

impl Clients {
    /// Clients that are about to connect, at time 0.
    pub(super) fn start(node: &Node, players: u16, seed: u32) -> Result<Clients, NodeError> {
        let arguments = [players.to_string(), seed.to_string()];
        Ok(Clients {
            child: node.start("netplay/play.mjs", &arguments)?,
            buffer: Vec::new(),
        })
    }

    /// Goes on to a time, all in microseconds; the arrivals are before it and by rising time: when,
    /// for whom, and what.
    pub(super) fn step(
        &mut self,
        until_us: u64,
        arrivals: &[(u64, usize, Vec<u8>)],
    ) -> Result<Vec<Told>, NodeError> {
        let told = self.exchange(until_us, arrivals);
        told.map_err(|error| self.why(error))
    }

    fn exchange(
        &mut self,
        until_us: u64,
        arrivals: &[(u64, usize, Vec<u8>)],
    ) -> io::Result<Vec<Told>> {
        let mut step = vec![0; 4];
        append_saved(&(until_us, arrivals), &mut step).map_err(io::Error::other)?;
        let length = (step.len() - 4) as u32;
        step[..4].copy_from_slice(&length.to_le_bytes());
        let (Some(stdin), Some(stdout)) = (&mut self.child.stdin, &mut self.child.stdout) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        stdin.write_all(&step)?;
        let mut length = [0; 4];
        stdout.read_exact(&mut length)?;
        self.buffer.resize(u32::from_le_bytes(length) as usize, 0);
        stdout.read_exact(&mut self.buffer)?;
        let mut all = Vec::new();
        let mut rest = &self.buffer[..];
        while !rest.is_empty() {
            all.push(take_saved(&mut rest).map_err(io::Error::other)?);
        }
        Ok(all)
    }

    /// Why the process does not answer.
    fn why(&mut self, error: io::Error) -> NodeError {
        drop(self.child.stdin.take());
        let mut said = String::new();
        if let Some(stderr) = &mut self.child.stderr {
            let _ = stderr.read_to_string(&mut said);
        }
        NodeError::Failed(format!("{error}: {}", said.trim()))
    }

    /// Ends the process.
    pub(super) fn end(self) -> Result<(), NodeError> {
        finish(self.child).map(|_| ())
    }
}
