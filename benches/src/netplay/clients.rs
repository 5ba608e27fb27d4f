//! The clients: a Node process that runs the SDK in a page for each player
//! (`benches/js/netplay/play.mjs`), a step of virtual time at a time. `wire.mjs` there says how the
//! two talk; this is the other end. What is told is judged elsewhere.

use std::io::{self, Read, Write};
use std::process::Child;

use super::seen::Seen;
use crate::node::{Node, NodeError, finish};

/// What a client told of.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) player: usize,
    /// Microseconds, rising.
    pub(super) at_us: u64,
    pub(super) what: What,
}

/// What it did or heard.
#[derive(Debug)]
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
        match self.exchange(until_us, arrivals) {
            Ok(()) => Ok(Reader(&self.buffer).all()),
            Err(error) => Err(self.why(error)),
        }
    }

    fn exchange(&mut self, until_us: u64, arrivals: &[(u64, usize, Vec<u8>)]) -> io::Result<()> {
        let message = &mut self.buffer;
        message.clear();
        message.extend_from_slice(&[0; 4]);
        message.extend_from_slice(&(until_us as f64).to_le_bytes());
        for (at_us, player, bytes) in arrivals {
            message.extend_from_slice(&(*at_us as f64).to_le_bytes());
            message.push(*player as u8);
            message.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            message.extend_from_slice(bytes);
        }
        let length = (message.len() - 4) as u32;
        message[..4].copy_from_slice(&length.to_le_bytes());
        let (Some(stdin), Some(stdout)) = (&mut self.child.stdin, &mut self.child.stdout) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        stdin.write_all(message)?;
        stdin.flush()?;
        let mut length = [0; 4];
        stdout.read_exact(&mut length)?;
        message.resize(u32::from_le_bytes(length) as usize, 0);
        stdout.read_exact(message)
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

/// What is left of an answer. It comes from a script of this repository: what is not as `wire.mjs`
/// says is a mistake here.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn all(mut self) -> Vec<Told> {
        let mut all = Vec::new();
        while !self.0.is_empty() {
            let kind = self.u8();
            all.push(Told {
                player: usize::from(self.u8()),
                at_us: self.f64() as u64,
                what: self.what(kind),
            });
        }
        all
    }

    fn what(&mut self, kind: u8) -> What {
        match kind {
            0 => What::Sent {
                from: self.place(),
                bytes: {
                    let length = self.u32() as usize;
                    self.take(length).to_vec()
                },
            },
            1 => What::Snapshot {
                tick: self.u32(),
                predicted: self.place(),
                corrected: self.f64(),
                me: self.handle(),
                everyone: self.everyone(),
            },
            2 => What::Frame {
                view: self.f64(),
                delay_ms: self.f64(),
                underruns: self.u32(),
                others: self.everyone(),
            },
            3 => What::Hit {
                tick: self.u32(),
                who: self.handle(),
                by: self.handle(),
            },
            4 => {
                let (tick, who, _by) = (self.u32(), self.handle(), self.handle());
                What::Fall { tick, who }
            }
            _ => unreachable!("the script tells of five kinds"),
        }
    }

    fn everyone(&mut self) -> Vec<Seen> {
        let count = self.u32();
        let one = |_| {
            let handle = self.u32();
            let flags = self.u8();
            Seen {
                handle,
                is_player: flags & 1 != 0,
                is_up: flags & 2 != 0,
                place: [self.f64(), self.f64()],
            }
        };
        (0..count).map(one).collect()
    }

    fn place(&mut self) -> Option<[f64; 2]> {
        let [x, y] = [self.f64(), self.f64()];
        (!x.is_nan()).then_some([x, y])
    }

    fn handle(&mut self) -> Option<u32> {
        Some(self.u32()).filter(|handle| *handle != u32::MAX)
    }

    fn u8(&mut self) -> u8 {
        self.take(1)[0]
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().expect("four bytes"))
    }

    fn f64(&mut self) -> f64 {
        f64::from_le_bytes(self.take(8).try_into().expect("eight bytes"))
    }

    fn take(&mut self, length: usize) -> &[u8] {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }
}
