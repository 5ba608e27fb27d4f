//! The rooms of a node, and how far each is. Plain data; [`super::Node`] says what follows.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use tickwire::ids::RoomId;

use crate::directory::ownership::messages::{Epoch, Incarnation};

/// How far a room is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// A worker opened it, and the tables don't have it.
    New {
        /// That was asked for and is not answered.
        is_asked: bool,
        /// It may have been done without an answer.
        is_doubted: bool,
    },
    /// By the tables it is this node's; it is fetched, or will be `again`.
    Fetching {
        epoch: Epoch,
        again: Option<Duration>,
    },
    /// A worker ticks it.
    Played { epoch: Epoch },
    /// The same, and it can't be handed over: its game can't say its state, or it is too big.
    Stays { epoch: Epoch },
    /// The same, and its members were told that they will go to `to`, at `due`.
    Announced {
        epoch: Epoch,
        to: Incarnation,
        due: Duration,
    },
    /// Its worker was told to stop, and to give its state.
    Stopping { epoch: Epoch, to: Incarnation },
    /// Its last state is on its way to the engine, and waited for until then.
    Written {
        epoch: Epoch,
        to: Incarnation,
        until: Duration,
    },
    /// It is played again, and it is still not known what became of that.
    Overdue { epoch: Epoch },
    /// The engine was told to give it to another node.
    Leaving { epoch: Epoch },
    /// The same of one that was not played here.
    HandedOn { epoch: Epoch },
}

impl Stage {
    /// Of a room that is new.
    pub(super) fn new() -> Stage {
        Stage::New {
            is_asked: false,
            is_doubted: false,
        }
    }
}

/// How many rooms are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// Played here, in the tables.
    pub(crate) played: usize,
    /// Played here, and not in the tables yet.
    pub(crate) new: usize,
    /// Adopted, and not with a worker yet.
    pub(crate) fetching: usize,
    /// On their way to another node.
    pub(crate) leaving: usize,
}

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Rooms(BTreeMap<RoomId, Stage>);

impl Rooms {
    pub(super) fn get(&self, room: RoomId) -> Option<&Stage> {
        self.0.get(&room)
    }

    pub(super) fn get_mut(&mut self, room: RoomId) -> Option<&mut Stage> {
        self.0.get_mut(&room)
    }

    pub(super) fn insert(&mut self, room: RoomId, stage: Stage) {
        self.0.insert(room, stage);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn remove(&mut self, room: RoomId) -> Option<Stage> {
        self.0.remove(&room)
    }

    /// Whether the tables lack any.
    pub(super) fn has_new(&self) -> bool {
        self.0
            .values()
            .any(|stage| matches!(stage, Stage::New { .. }))
    }

    /// Those that the tables lack and that are not asked for.
    pub(super) fn not_asked(&self) -> Vec<RoomId> {
        let is_so = |stage: &Stage| {
            matches!(
                stage,
                Stage::New {
                    is_asked: false,
                    ..
                }
            )
        };
        let new = self.0.iter().filter(|(_, stage)| is_so(stage));
        new.map(|(room, _)| *room).collect()
    }

    /// Those that are to be fetched again by now.
    pub(super) fn to_fetch(&self, now: Duration) -> Vec<(RoomId, Epoch)> {
        let due = self.0.iter().filter_map(|(room, stage)| match stage {
            Stage::Fetching {
                epoch,
                again: Some(at),
            } if *at <= now => Some((*room, *epoch)),
            _ => None,
        });
        due.collect()
    }

    /// When the next is.
    pub(super) fn fetch_at(&self) -> Option<Duration> {
        let due = self.0.values().filter_map(|stage| match stage {
            Stage::Fetching { again, .. } => *again,
            _ => None,
        });
        due.min()
    }

    /// Those that are played and may go, the first by number first.
    pub(super) fn to_hand_over(&self) -> impl Iterator<Item = (RoomId, Epoch)> {
        self.0.iter().filter_map(|(room, stage)| match stage {
            Stage::Played { epoch } => Some((*room, *epoch)),
            _ => None,
        })
    }

    /// Those whose members were told that they will go: when, and where.
    pub(super) fn announced(&self) -> impl Iterator<Item = (Duration, RoomId, Epoch, Incarnation)> {
        self.0.iter().filter_map(|(room, stage)| match *stage {
            Stage::Announced { epoch, to, due } => Some((due, *room, epoch, to)),
            _ => None,
        })
    }

    /// Those whose state is waited for no longer than until `now`.
    pub(super) fn overdue(&self, now: Duration) -> Vec<(RoomId, Epoch)> {
        let overdue = self.0.iter().filter_map(|(room, stage)| match stage {
            Stage::Written { epoch, until, .. } if *until <= now => Some((*room, *epoch)),
            _ => None,
        });
        overdue.collect()
    }

    /// When the next is.
    pub(super) fn overdue_at(&self) -> Option<Duration> {
        let due = self.0.values().filter_map(|stage| match stage {
            Stage::Written { until, .. } => Some(*until),
            _ => None,
        });
        due.min()
    }

    /// How many leave, and how many would have and are still being written.
    pub(super) fn under_way(&self) -> usize {
        let overdue = |stage: &&Stage| matches!(stage, Stage::Overdue { .. });
        self.counts().leaving + self.0.values().filter(overdue).count()
    }

    /// How many are where.
    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for stage in self.0.values() {
            let count = match stage {
                Stage::New { .. } => &mut counts.new,
                Stage::Fetching { .. } | Stage::HandedOn { .. } => &mut counts.fetching,
                Stage::Played { .. }
                | Stage::Stays { .. }
                | Stage::Announced { .. }
                | Stage::Overdue { .. } => &mut counts.played,
                Stage::Stopping { .. } | Stage::Written { .. } | Stage::Leaving { .. } => {
                    &mut counts.leaving
                }
            };
            *count += 1;
        }
        counts
    }

    /// All of them, by number.
    pub(super) fn epochs(&self) -> impl Iterator<Item = (RoomId, Option<Epoch>)> {
        self.0.iter().map(|(room, stage)| {
            let epoch = match stage {
                Stage::New { .. } => None,
                Stage::Fetching { epoch, .. }
                | Stage::Played { epoch }
                | Stage::Stays { epoch }
                | Stage::Announced { epoch, .. }
                | Stage::Stopping { epoch, .. }
                | Stage::Written { epoch, .. }
                | Stage::Overdue { epoch }
                | Stage::Leaving { epoch }
                | Stage::HandedOn { epoch } => Some(*epoch),
            };
            (*room, epoch)
        })
    }

    /// Whether all that may go have gone. What waits to be fetched is what the engine keeps of it:
    /// others have it once this node is gone.
    pub(super) fn are_gone(&self) -> bool {
        let stays = |stage: &Stage| {
            let is_waiting = matches!(stage, Stage::Fetching { again: Some(_), .. });
            is_waiting || matches!(stage, Stage::Stays { .. })
        };
        self.0.values().all(stays)
    }
}
