//! The engine of the simulated clusters: tables that carry out commands in one step each, as
//! [`super::super::messages`] says, and masters that fail over, lose what they acknowledged, start
//! empty, or go on to answer for a while after another took their place.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tickwire::ids::RoomId;

use super::super::messages::{Command, Epoch, Incarnation, NodeRecord, Reply, RoomRecord};
use super::planted::Bug;

/// What an engine keeps.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    pub(super) nodes: BTreeMap<Incarnation, NodeRecord>,
    pub(super) rooms: BTreeMap<RoomId, RoomRecord>,
    pub(super) fenced: BTreeSet<Incarnation>,
    /// The epochs that checkpoints were written at.
    pub(super) checkpoints: BTreeMap<RoomId, Epoch>,
    newest: u64,
}

impl Tables {
    /// Carries a command out at the engine's time `clock`.
    pub(super) fn carry_out(&mut self, clock: Duration, command: Command, bug: Bug) -> Reply {
        match command {
            Command::Beat { me, record, rooms } => self.beat(me, record, &rooms, bug),
            Command::Fence { who, beat } => {
                let is_same = self.nodes.get(&who).is_some_and(|known| known.beat == beat);
                let is_done = is_same || bug == Bug::FenceWithoutComparing;
                if is_done {
                    self.nodes.remove(&who);
                    self.fenced.insert(who);
                }
                Reply::FenceDone(who, is_done)
            }
            Command::Adopt { room, old, me } => {
                let may_give = old.owner == me
                    || self.fenced.contains(&old.owner)
                    || bug == Bug::AdoptWithoutFence;
                let is_same = self.rooms.get(&room) == Some(&old);
                let able = is_same && may_give && !self.fenced.contains(&me);
                Reply::Adopted(room, able.then(|| self.give(clock, room, me)))
            }
            Command::Create { room, me } => {
                let able = !self.rooms.contains_key(&room) && !self.fenced.contains(&me);
                Reply::Created(room, able.then(|| self.give(clock, room, me)))
            }
            Command::HandOver {
                room,
                epoch,
                me,
                to,
            } => {
                let is_mine = self.rooms.get(&room) == Some(&RoomRecord { epoch, owner: me });
                let able = is_mine && self.nodes.contains_key(&to) && !self.fenced.contains(&to);
                Reply::HandedOver(room, able.then(|| self.give(clock, room, to)))
            }
            Command::Forget { room, epoch, me } => {
                if self.rooms.get(&room) == Some(&RoomRecord { epoch, owner: me }) {
                    self.rooms.remove(&room);
                    self.checkpoints.remove(&room);
                }
                Reply::Forgotten(room)
            }
        }
    }

    fn beat(
        &mut self,
        me: Incarnation,
        record: NodeRecord,
        listed: &[(RoomId, Epoch)],
        bug: Bug,
    ) -> Reply {
        if self.fenced.contains(&me) {
            return Reply::Fenced;
        }
        let stored = self.nodes.get(&me);
        let is_overtaken = stored.is_some_and(|stored| stored.beat > record.beat);
        if !is_overtaken {
            self.nodes.insert(me, record);
        }
        let mut lost = Vec::new();
        for (room, epoch) in listed.iter().filter(|_| !is_overtaken) {
            let asserted = RoomRecord {
                epoch: *epoch,
                owner: me,
            };
            let stored = *self.rooms.entry(*room).or_insert(asserted);
            if stored.epoch < *epoch {
                self.rooms.insert(*room, asserted);
            } else if stored != asserted {
                lost.push((*room, stored));
            }
        }
        let is_listed = |room: &RoomId| listed.binary_search_by_key(room, |(room, _)| *room);
        let unlisted = self.rooms.iter().filter(|(_, record)| record.owner == me);
        let held = unlisted
            .filter(|(room, _)| is_listed(room).is_err())
            .map(|(room, record)| (*room, record.epoch));
        let held = held.collect();
        let orphans = self.rooms.iter();
        let is_free = |record: &RoomRecord| match bug {
            Bug::AdoptWithoutFence => record.owner != me,
            _ => self.fenced.contains(&record.owner),
        };
        let orphans = orphans.filter(|(_, record)| is_free(record));
        Reply::Beat {
            lost,
            held,
            nodes: self.nodes.clone().into_iter().collect(),
            orphans: orphans.map(|(room, record)| (*room, *record)).collect(),
        }
    }

    /// A room's next owner.
    fn give(&mut self, clock: Duration, room: RoomId, owner: Incarnation) -> Epoch {
        let above = self.rooms.get(&room).map_or(0, |record| record.epoch.0);
        let millis = clock.as_millis() as u64;
        self.newest = (above + 1).max(millis).max(self.newest + 1);
        let epoch = Epoch(self.newest);
        self.rooms.insert(room, RoomRecord { epoch, owner });
        epoch
    }

    /// A durable write of a room's state, taken of its owner by the tables. True if it was taken.
    pub(super) fn write(&mut self, room: RoomId, epoch: Epoch, bug: Bug) -> bool {
        let owned = self.rooms.get(&room).map(|record| record.epoch);
        let is_taken = owned == Some(epoch) || bug == Bug::UnfencedWrites;
        if is_taken {
            self.checkpoints.insert(room, epoch);
        }
        is_taken
    }
}

/// A process of the engine.
#[derive(Debug, Default)]
pub(super) struct Master {
    pub(super) tables: Tables,
    /// It answers nobody from then on.
    pub(super) ends: Option<Duration>,
    /// How much its clock is ahead.
    pub(super) ahead: Duration,
}

/// All masters that there were, and what a failover may go back to.
#[derive(Debug, Default)]
pub(super) struct Engine {
    pub(super) masters: Vec<Master>,
    /// Nobody can connect before.
    pub(super) up_at: Duration,
    /// What arrives waits until then.
    pub(super) stalled_until: Duration,
    /// Tables of the last seconds, the oldest first.
    pub(super) history: Vec<Tables>,
}

/// Snapshots that a failover may go back to, one each half second.
const HISTORY: usize = 10;

impl Engine {
    pub(super) fn new() -> Engine {
        Engine {
            masters: vec![Master::default()],
            ..Engine::default()
        }
    }

    /// The newest master's number.
    pub(super) fn current(&self) -> usize {
        self.masters.len() - 1
    }

    pub(super) fn tables(&self) -> &Tables {
        &self.masters[self.current()].tables
    }

    /// Remembers what there is.
    pub(super) fn snapshot(&mut self) {
        let tables = self.tables().clone();
        self.history.push(tables);
        if self.history.len() > HISTORY {
            self.history.remove(0);
        }
    }

    /// Another process takes over with these tables; the one before ends at `ends`.
    pub(super) fn replace(&mut self, tables: Tables, ends: Duration, ahead: Duration) {
        let before = self.current();
        self.masters[before].ends = Some(ends);
        self.masters.push(Master {
            tables,
            ends: None,
            ahead,
        });
    }

    /// Whether that master answers now.
    pub(super) fn answers(&self, master: usize, now: Duration) -> bool {
        now >= self.up_at && self.masters[master].ends.is_none_or(|ends| now < ends)
    }
}
