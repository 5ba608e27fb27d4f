//! Rooms' states into the cluster's engine, each under its room's epoch, which the engine compares:
//! what a node writes that has lost the room changes nothing. The second [`Keeper`], called by the
//! thread that keeps checkpoints; it waits for the engine there.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use tickwire::ids::RoomId;
use tokio::runtime::Handle;

use crate::checkpoint::{Keeper, Sealed};
use crate::directory::claims::Claims;
use crate::directory::engine::{CHECKPOINT_BYTES_MAX, Checkpoint, Checkpoints, Failure, Put};
use crate::metrics::Metrics;

/// Rooms in one round trip: what a thousand of them save in a second are then a few dozen.
const AT_ONCE: usize = 32;

/// See the module's description.
pub(crate) struct EngineKeeper {
    engine: Checkpoints,
    claims: Arc<Claims>,
    metrics: Arc<Metrics>,
    /// Where the engine's tasks run.
    runtime: Handle,
}

impl EngineKeeper {
    /// One that waits for an engine whose tasks run on the runtime that this is called on.
    pub(crate) fn new(engine: Checkpoints, claims: Arc<Claims>, metrics: Arc<Metrics>) -> Self {
        EngineKeeper {
            engine,
            claims,
            metrics,
            runtime: Handle::current(),
        }
    }
}

impl Keeper for EngineKeeper {
    fn name(&self) -> String {
        "the cluster's engine".to_owned()
    }

    fn at_once(&self) -> usize {
        AT_ONCE
    }

    fn keep(&mut self, rooms: &[Sealed<'_>]) -> Vec<io::Result<u64>> {
        let epochs = rooms.iter().map(|sealed| match sealed.claim {
            Some(claim) if self.claims.is_current(sealed.room, claim) => {
                claim.epoch().ok_or_else(|| Err(not_yet()))
            }
            // Lost since it was so: it is another's to keep.
            _ => Err(Ok(0)),
        });
        let epochs: Vec<Result<_, io::Result<u64>>> = epochs.collect();
        let sent = rooms.iter().zip(&epochs).filter_map(|(sealed, epoch)| {
            Some(Checkpoint {
                room: sealed.room,
                epoch: *epoch.as_ref().ok()?,
                tick: sealed.tick,
                blob: Bytes::from(sealed.parts.concat()),
            })
        });
        let sent: Vec<Checkpoint> = sent.collect();
        let sizes: Vec<usize> = sent.iter().map(|sent| sent.blob.len()).collect();
        let put = match sent.is_empty() {
            true => Vec::new(),
            false => self.runtime.block_on(self.engine.put(sent)),
        };
        let mut put = put.into_iter().zip(sizes);
        let outcome = epochs.into_iter().map(|epoch| match epoch {
            Ok(_) => match put.next() {
                Some((put, size)) => self.outcome(put, size),
                None => Err(not_yet()),
            },
            Err(outcome) => outcome,
        });
        outcome.collect()
    }

    /// What closes a room in the tables does it.
    fn forget(&mut self, _: RoomId) -> io::Result<()> {
        Ok(())
    }

    fn settle(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl EngineKeeper {
    fn outcome(&self, put: Put, size: usize) -> io::Result<u64> {
        match put {
            Put::Stored => Ok(size as u64),
            Put::Fenced => {
                self.metrics.checkpoints_fenced.increment(1);
                Ok(0)
            }
            // The engine lost its tables, and the next beat brings the room's back.
            Put::Unknown => Err(not_yet()),
            Put::Failed(Failure::TooBig) => Err(io::Error::other(format!(
                "a room's state is {size} bytes, {CHECKPOINT_BYTES_MAX} is the most that is kept"
            ))),
            Put::Failed(why) => Err(io::Error::other(why.to_string())),
        }
    }
}

fn not_yet() -> io::Error {
    io::Error::other("the engine's tables don't have the room yet")
}
