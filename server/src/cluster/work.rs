//! What takes a while of what the cluster's task has done: each in a small task of its own, whose
//! outcome comes back. Fetching a room and giving it to a worker, waiting for a room to stand still,
//! writing its state, asking whose rooms are.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tickwire::ids::RoomId;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::node::{Fetched, Stopped, Written};
use crate::checkpoint::envelope;
use crate::date::Date;
use crate::directory::claims::{Claim, Claims};
use crate::directory::engine::{Checkpoint, Checkpoints, Failure, Put};
use crate::directory::ownership::messages::{Epoch, Incarnation};
use crate::lobby::{NodeLobby, NotRestored};
use crate::metrics::Metrics;
use crate::worker;

/// Outcomes that the task has not taken. Beyond: what is to bring one waits.
pub(super) const OUTCOMES_MAX: usize = 256;
/// Rooms that are read and made at once. Each takes a core for a millisecond or a few; the worker
/// threads tick meanwhile.
const RESTORED_AT_ONCE: usize = 2;

/// What came of something, of an incarnation.
#[derive(Debug)]
pub(super) enum Outcome {
    Fetched {
        room: RoomId,
        epoch: Epoch,
        what: Fetched,
    },
    Stopped {
        room: RoomId,
        what: Stopped,
        /// Its state as it is kept, where it was saved.
        state: Option<State>,
    },
    Written {
        room: RoomId,
        epoch: Epoch,
        what: Written,
    },
    Owners(Vec<RoomId>, Result<Vec<Option<Incarnation>>, Failure>),
}

/// The state of a room that stands still.
#[derive(Debug)]
pub(super) struct State {
    tick: tickwire::ids::Tick,
    blob: Bytes,
}

/// Has such things done.
#[derive(Clone)]
pub(super) struct Work {
    engine: Checkpoints,
    claims: Arc<Claims>,
    lobby: NodeLobby,
    metrics: Arc<Metrics>,
    restoring: Arc<Semaphore>,
    outcomes: mpsc::Sender<(Incarnation, Outcome)>,
}

impl Work {
    pub(super) fn new(
        engine: Checkpoints,
        claims: Arc<Claims>,
        lobby: NodeLobby,
        metrics: Arc<Metrics>,
    ) -> (Work, mpsc::Receiver<(Incarnation, Outcome)>) {
        let (outcomes, taken) = mpsc::channel(OUTCOMES_MAX);
        let work = Work {
            engine,
            claims,
            lobby,
            metrics,
            restoring: Arc::new(Semaphore::new(RESTORED_AT_ONCE)),
            outcomes,
        };
        (work, taken)
    }

    fn spawn(&self, me: Incarnation, work: impl Future<Output = Outcome> + Send + 'static) {
        let outcomes = self.outcomes.clone();
        tokio::spawn(async move {
            let outcome = work.await;
            // The task is gone when the server stops.
            let _ = outcomes.send((me, outcome)).await;
        });
    }

    /// Fetches a room and gives it to a worker, which ticks it by what the incarnation has now.
    pub(super) fn fetch(&self, me: Incarnation, room: RoomId, epoch: Epoch) {
        let work = self.clone();
        let claim = self.claims.adopted(room, epoch);
        self.spawn(me, async move {
            let what = work.fetched(room, epoch, claim).await;
            Outcome::Fetched { room, epoch, what }
        });
    }

    async fn fetched(self, room: RoomId, epoch: Epoch, claim: Arc<Claim>) -> Fetched {
        if self.lobby.has(room) {
            // A worker has not let go of it yet.
            return Fetched::NotYet;
        }
        let got = self.engine.get(room).await;
        let (blob, of) = match got {
            Ok(Some(kept)) => (kept.blob, kept.epoch),
            Ok(None) => {
                tracing::warn!(%room, "nothing is kept of a room that is to be adopted: it is closed");
                return Fetched::Nothing;
            }
            Err(why) if is_of_what_is_kept(&why) => return self.refused(room, &why.to_string()),
            Err(why) => {
                tracing::debug!(%room, %why, "a room that is to be adopted can't be fetched yet");
                return Fetched::NotYet;
            }
        };
        if of > epoch {
            // Another one had it since; the next beat says so.
            return Fetched::NotYet;
        }
        // Never closed, so never an error.
        let _permit = self.restoring.clone().acquire_owned().await;
        let lobby = self.lobby.clone();
        let restored =
            tokio::task::spawn_blocking(move || lobby.restore(room, &blob, claim, Instant::now()));
        match restored.await {
            Ok(Ok(())) => {
                self.metrics.rooms_adopted.increment(1);
                Fetched::Restored
            }
            Ok(Err(NotRestored::Busy)) => Fetched::NotYet,
            Ok(Err(NotRestored::NotHere(why))) => {
                tracing::warn!(%room, why, "a room can't be played here; it is kept");
                Fetched::NotHere
            }
            Ok(Err(NotRestored::Unusable(why))) => self.refused(room, &why),
            Err(_) => self.refused(room, "it could not be made"),
        }
    }

    fn refused(&self, room: RoomId, why: &str) -> Fetched {
        self.metrics.checkpoints_refused.increment(1);
        tracing::error!(%room, why, "what is kept of a room can't be used: it is closed");
        Fetched::Nothing
    }

    /// Has a room stand still.
    pub(super) fn stop(&self, me: Incarnation, room: RoomId, games: &[&'static str]) {
        let (reply, answer) = oneshot::channel();
        self.lobby.order(room, worker::Order::Stop { room, reply });
        let games = games.to_vec();
        self.spawn(me, async move {
            let (what, state) = match answer.await {
                Err(_) => (Stopped::NotNow, None),
                Ok(None) => (Stopped::Stays, None),
                Ok(Some(stopped)) => (Stopped::Saved, Some(state_of(room, stopped, &games))),
            };
            Outcome::Stopped { room, what, state }
        });
    }

    /// Writes the state of one that does.
    pub(super) fn write(&self, me: Incarnation, room: RoomId, epoch: Epoch, state: State) {
        let engine = self.engine.clone();
        self.spawn(me, async move {
            let State { tick, blob } = state;
            let checkpoint = Checkpoint {
                room,
                epoch,
                tick,
                blob,
            };
            let put = engine.put(vec![checkpoint]).await;
            let what = match put[..] {
                [Put::Stored] => Written::Stored,
                [Put::Failed(Failure::TooBig)] => Written::TooBig,
                _ => Written::Failed,
            };
            if what != Written::Stored {
                tracing::warn!(%room, ?put, "a room that is to be handed over could not be written");
            }
            Outcome::Written { room, epoch, what }
        });
    }

    /// Asks the engine whose these rooms are.
    pub(super) fn ask_owners(&self, me: Incarnation, rooms: Vec<RoomId>) {
        let engine = self.engine.clone();
        self.spawn(me, async move {
            let owners = engine.owners(rooms.clone()).await;
            Outcome::Owners(rooms, owners)
        });
    }
}

/// Whether a failure is of what is kept itself. All others are of who keeps it or of the way there,
/// and pass.
fn is_of_what_is_kept(why: &Failure) -> bool {
    match why {
        Failure::Unreadable(_) | Failure::TooBig => true,
        Failure::Away(_)
        | Failure::Late
        | Failure::Refused(_)
        | Failure::Garbled(_)
        | Failure::Unsuitable(_) => false,
    }
}

/// As checkpoints are kept.
fn state_of(room: RoomId, stopped: worker::Stopped, games: &[&'static str]) -> State {
    let (game, kept) = &stopped.about;
    let game = games.get(usize::from(game.0)).copied().unwrap_or_default();
    let mut blob = Vec::new();
    envelope::seal(game, room, kept, Date::now(), &stopped.bytes, &mut blob);
    blob.extend_from_slice(&stopped.bytes);
    State {
        tick: stopped.tick,
        blob: blob.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a room is forgotten whose checkpoint is of no use.
    #[test]
    fn what_keeps_a_checkpoint_from_being_fetched_is_no_fault_of_it() {
        let told = String::new;
        for (why, is_so) in [
            (Failure::Unreadable("a checkpoint"), true),
            (Failure::TooBig, true),
            (Failure::Unsuitable(told()), false),
            (Failure::Garbled("answers"), false),
            (Failure::Away(told()), false),
            (Failure::Refused(told()), false),
            (Failure::Late, false),
        ] {
            assert_eq!(is_of_what_is_kept(&why), is_so, "{why:?}");
        }
    }
}
