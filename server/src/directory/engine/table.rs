//! A cluster's tables as plain data: what each command does, in memory. Beside its own use
//! ([`super::embedded`]) the reference that other engines are held to. The time is an argument.

use std::collections::{BTreeMap, BTreeSet};

use tickwire::ids::RoomId;

use super::messages::{
    Command, Epoch, Incarnation, NODES_MAX, NodeRecord, ROOMS_TOLD_MAX, Reply, RoomRecord,
};
use super::{CHECKPOINT_BYTES_MAX, Checkpoint, Failure, Put};

/// Nodes that may register, heard or not. Beyond: a beat is refused.
pub(super) const RECORDS_MAX: usize = 1024;

/// All that an engine knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    nodes: BTreeMap<Incarnation, NodeRecord>,
    /// Never forgotten: one process does not come back so often.
    fenced: BTreeSet<Incarnation>,
    rooms: BTreeMap<RoomId, RoomRecord>,
    /// The epoch that was given out last.
    last: u64,
    checkpoints: BTreeMap<RoomId, Checkpoint>,
}

impl Table {
    /// Does what a command says. `now_ms` may stand still or go back; epochs do not.
    ///
    /// # Errors
    /// There are too many nodes.
    pub(crate) fn carry_out(&mut self, command: Command, now_ms: u64) -> Result<Reply, Failure> {
        Ok(match command {
            Command::Beat { me, record, rooms } => return self.beat(me, record, &rooms),
            Command::Fence { who, beat } => {
                let is_current = self.nodes.get(&who).is_some_and(|node| node.beat == beat);
                if is_current {
                    self.nodes.remove(&who);
                    self.fenced.insert(who);
                }
                Reply::FenceDone(who, self.fenced.contains(&who))
            }
            Command::Adopt { room, old, me } => {
                let is_left = old.owner == me || self.fenced.contains(&old.owner);
                let is_so = self.rooms.get(&room) == Some(&old);
                let may = is_so && is_left && !self.fenced.contains(&me);
                let epoch = may.then(|| self.give(room, old.epoch, me, now_ms));
                Reply::Adopted(room, epoch)
            }
            Command::Create { room, me } => {
                let may = !self.rooms.contains_key(&room) && !self.fenced.contains(&me);
                let epoch = may.then(|| self.give(room, Epoch(0), me, now_ms));
                Reply::Created(room, epoch)
            }
            Command::HandOver {
                room,
                epoch,
                me,
                to,
            } => {
                let mine = RoomRecord { epoch, owner: me };
                let may = self.rooms.get(&room) == Some(&mine)
                    && self.nodes.contains_key(&to)
                    && !self.fenced.contains(&to);
                let epoch = may.then(|| self.give(room, epoch, to, now_ms));
                Reply::HandedOver(room, epoch)
            }
            Command::Forget { room, epoch, me } => {
                let mine = RoomRecord { epoch, owner: me };
                if self.rooms.get(&room) == Some(&mine) {
                    self.rooms.remove(&room);
                    self.checkpoints.remove(&room);
                }
                Reply::Forgotten(room)
            }
        })
    }

    fn beat(
        &mut self,
        me: Incarnation,
        record: NodeRecord,
        rooms: &[(RoomId, Epoch)],
    ) -> Result<Reply, Failure> {
        if self.fenced.contains(&me) {
            return Ok(Reply::Fenced);
        }
        let beat = record.beat;
        let stored = self.nodes.get(&me);
        if stored.is_none() && self.nodes.len() == RECORDS_MAX {
            return Err(Failure::Refused("too many nodes".to_owned()));
        }
        if stored.is_none_or(|stored| stored.beat < record.beat) {
            self.nodes.insert(me, record);
        }
        // One that a later beat of the same node overtook: its rooms may have gone on since.
        let is_overtaken = self.nodes.get(&me).is_some_and(|stored| stored.beat > beat);
        let mut lost = Vec::new();
        for &(room, epoch) in rooms.iter().filter(|_| !is_overtaken) {
            let mine = RoomRecord { epoch, owner: me };
            match self.rooms.get(&room) {
                Some(stored) if *stored == mine => {}
                Some(stored) if stored.epoch >= epoch => lost.push((room, *stored)),
                _ => {
                    self.rooms.insert(room, mine);
                }
            }
        }
        let told = |room: &RoomId| rooms.binary_search_by_key(room, |(room, _)| *room).is_ok();
        let of = self.rooms.iter();
        let held = of
            .clone()
            .filter(|(room, record)| record.owner == me && !told(room));
        let orphans = of.filter(|(_, record)| self.fenced.contains(&record.owner));
        Ok(Reply::Beat {
            lost,
            held: held
                .take(ROOMS_TOLD_MAX)
                .map(|(room, record)| (*room, record.epoch))
                .collect(),
            nodes: self
                .nodes
                .iter()
                .take(NODES_MAX)
                .map(|(who, record)| (*who, record.clone()))
                .collect(),
            orphans: orphans
                .take(ROOMS_TOLD_MAX)
                .map(|(room, record)| (*room, *record))
                .collect(),
        })
    }

    /// Writes a room's new owner down, with an epoch above `old` and all that were given out.
    fn give(&mut self, room: RoomId, old: Epoch, owner: Incarnation, now_ms: u64) -> Epoch {
        self.last = now_ms.max(old.0 + 1).max(self.last + 1);
        let epoch = Epoch(self.last);
        self.rooms.insert(room, RoomRecord { epoch, owner });
        epoch
    }

    /// Keeps a checkpoint, if its room's record allows it and no later one is kept: one that comes
    /// late, over a connection that was given up, undoes nothing.
    pub(crate) fn put(&mut self, checkpoint: Checkpoint) -> Put {
        if checkpoint.blob.len() > CHECKPOINT_BYTES_MAX {
            return Put::Failed(Failure::TooBig);
        }
        let Some(record) = self.rooms.get(&checkpoint.room) else {
            return Put::Unknown;
        };
        let kept = self.checkpoints.get(&checkpoint.room);
        let kept = kept.map(|kept| (kept.epoch, kept.tick));
        if kept.map(|(epoch, _)| epoch).max(Some(record.epoch)) > Some(checkpoint.epoch) {
            return Put::Fenced;
        }
        if kept <= Some((checkpoint.epoch, checkpoint.tick)) {
            self.checkpoints.insert(checkpoint.room, checkpoint);
        }
        Put::Stored
    }

    /// Whose a room is.
    pub(crate) fn record(&self, room: RoomId) -> Option<RoomRecord> {
        self.rooms.get(&room).copied()
    }

    /// A room's checkpoint.
    pub(crate) fn get(&self, room: RoomId) -> Option<Checkpoint> {
        self.checkpoints.get(&room).cloned()
    }
}

#[cfg(test)]
impl Table {
    /// All that have a record.
    pub(crate) fn rooms(&self) -> Vec<RoomId> {
        self.rooms.keys().copied().collect()
    }

    /// The beat of a node that is there.
    pub(crate) fn beat_of(&self, who: Incarnation) -> Option<u64> {
        self.nodes.get(&who).map(|node| node.beat)
    }
}
