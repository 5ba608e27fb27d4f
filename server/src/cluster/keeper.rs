//! Rooms' states into the cluster's engine, each under its room's epoch, which the engine compares:
//! what a node writes that has lost the room changes nothing. The second [`Keeper`], called by the
//! thread that keeps checkpoints; it waits for the engine there.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use tickwire::ids::RoomId;
use tokio::runtime::Handle;

use crate::checkpoint::{Keeper, Outcome, Sealed};
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

    fn keep(&mut self, rooms: &[Sealed<'_>]) -> Vec<io::Result<Outcome>> {
        let epochs = rooms.iter().map(|sealed| match sealed.claim {
            Some(claim) if self.claims.is_current(sealed.room, claim) => match size(sealed) {
                // No copy is made of it.
                size if size > CHECKPOINT_BYTES_MAX => Err(Outcome::TooBig(size as u64)),
                _ => claim.epoch().ok_or(Outcome::NotYet),
            },
            // Lost since it was so.
            _ => Err(Outcome::Anothers),
        });
        let epochs: Vec<Result<_, Outcome>> = epochs.collect();
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
                None => Ok(Outcome::NotYet),
            },
            Err(outcome) => Ok(outcome),
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
    fn outcome(&self, put: Put, size: usize) -> io::Result<Outcome> {
        match put {
            Put::Stored => Ok(Outcome::Kept(size as u64)),
            Put::Fenced => {
                self.metrics.checkpoints_fenced.increment(1);
                Ok(Outcome::Anothers)
            }
            // The engine lost its tables, and the next beat brings the room's back.
            Put::Unknown => Ok(Outcome::NotYet),
            Put::Failed(Failure::TooBig) => Ok(Outcome::TooBig(size as u64)),
            Put::Failed(why) => Err(io::Error::other(why.to_string())),
        }
    }
}

fn size(sealed: &Sealed<'_>) -> usize {
    sealed.parts.iter().map(|part| part.len()).sum()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tickwire::ids::Tick;

    use super::*;
    use crate::directory::engine::{Event, embedded};
    use crate::directory::ownership::messages::{Command, Incarnation, Reply, Run};

    const ME: Incarnation = Incarnation(7);
    const RUN: Run = Run(1);

    /// A worker opens a room and has it saved at once; the tables have it a round trip later.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_room_that_the_tables_do_not_have_is_kept_once_they_do() {
        let mut engine = embedded::start();
        let claims = Arc::new(Claims::new(Instant::now(), ME, Default::default()));
        let metrics = Arc::new(Metrics::new().expect("the first of its own"));
        let mut keeper = EngineKeeper::new(engine.checkpoints(), claims.clone(), metrics);
        let room = RoomId(1);
        let claim = claims.opened(room);
        let mut keep = || {
            let sealed = Sealed {
                room,
                tick: Tick(3),
                claim: Some(&claim),
                parts: [b"head", b"state"],
            };
            tokio::task::block_in_place(|| keeper.keep(&[sealed]).remove(0).unwrap())
        };
        assert_eq!(keep(), Outcome::NotYet, "nobody asked for it");
        let created = Command::Create { room, me: ME };
        engine.send(RUN, created).unwrap();
        let epoch = loop {
            if let Some(Event::Replied {
                reply: Reply::Created(_, epoch),
                ..
            }) = engine.next().await
            {
                break epoch.expect("there was none");
            }
        };
        assert_eq!(keep(), Outcome::NotYet, "its epoch is not known here");
        claims.number(room, epoch);
        assert_eq!(keep(), Outcome::Kept(9));
        let kept = engine.checkpoints().get(room).await.unwrap();
        assert_eq!(kept.map(|kept| kept.blob), Some("headstate".into()));
        let huge = vec![7; CHECKPOINT_BYTES_MAX];
        let sealed = Sealed {
            room,
            tick: Tick(4),
            claim: Some(&claim),
            parts: [b"h", &huge],
        };
        let kept = tokio::task::block_in_place(|| keeper.keep(&[sealed]).remove(0).unwrap());
        assert_eq!(kept, Outcome::TooBig(huge.len() as u64 + 1));
        claims.lost(room);
        let sealed = Sealed {
            room,
            tick: Tick(5),
            claim: Some(&claim),
            parts: [b"head", b"state"],
        };
        let kept = tokio::task::block_in_place(|| keeper.keep(&[sealed]).remove(0).unwrap());
        assert_eq!(kept, Outcome::Anothers);
    }
}
