//! The engine of the simulated clusters: [`Table`], which is the one that runs, in masters that
//! fail over, lose what they acknowledged, start empty, or go on to answer for a while after
//! another took their place. Planted bugs lie between a command and the table.

use std::time::Duration;

use super::super::messages::{Command, Reply};
use super::planted::Bug;
use crate::directory::engine::table::Table;
use crate::directory::engine::{Checkpoint, Put};

/// When the simulation begins, by the engine's clock.
const BEGIN: Duration = Duration::from_secs(1_000_000);

/// A process of the engine.
#[derive(Debug, Default)]
pub(super) struct Master {
    pub(super) table: Table,
    /// It answers nobody from then on.
    ends: Option<Duration>,
    /// How much its clock is ahead.
    ahead: Duration,
}

impl Master {
    /// Carries a command out at `now`.
    pub(super) fn carry_out(&mut self, now: Duration, command: Command, bug: Bug) -> Reply {
        let millis = (BEGIN + now + self.ahead).as_millis() as u64;
        let carry_out = |table: &mut Table, command| {
            let reply = table.carry_out(command, millis);
            reply.expect("there are few nodes")
        };
        match (bug, command) {
            (Bug::FenceWithoutComparing, Command::Fence { who, beat }) => {
                let beat = self.table.beat_of(who).unwrap_or(beat);
                carry_out(&mut self.table, Command::Fence { who, beat })
            }
            (Bug::AdoptWithoutFence, Command::Adopt { room, old, me }) => {
                // As if its owner had given it away.
                let given = Command::HandOver {
                    room,
                    epoch: old.epoch,
                    me: old.owner,
                    to: me,
                };
                match carry_out(&mut self.table, given) {
                    Reply::HandedOver(room, epoch) => Reply::Adopted(room, epoch),
                    other => other,
                }
            }
            (Bug::AdoptWithoutFence, command @ Command::Beat { me, .. }) => {
                let mut reply = carry_out(&mut self.table, command);
                if let Reply::Beat { orphans, .. } = &mut reply {
                    let rooms = self.table.rooms().into_iter();
                    *orphans = rooms
                        .filter_map(|room| Some((room, self.table.record(room)?)))
                        .filter(|(_, record)| record.owner != me)
                        .collect();
                }
                reply
            }
            (_, command) => carry_out(&mut self.table, command),
        }
    }

    /// Keeps a checkpoint.
    pub(super) fn put(&mut self, checkpoint: Checkpoint, bug: Bug) -> Put {
        let record = self.table.record(checkpoint.room);
        let forged = record.filter(|_| bug == Bug::UnfencedWrites);
        let epoch = forged.map_or(checkpoint.epoch, |record| record.epoch);
        self.table.put(Checkpoint {
            epoch,
            ..checkpoint
        })
    }
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
    pub(super) history: Vec<Table>,
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

    /// The newest master's table.
    pub(super) fn table(&self) -> &Table {
        &self.masters[self.current()].table
    }

    /// It never lost anything.
    pub(super) fn is_first(&self) -> bool {
        self.masters.len() == 1
    }

    /// Remembers what there is.
    pub(super) fn snapshot(&mut self) {
        let table = self.table().clone();
        self.history.push(table);
        if self.history.len() > HISTORY {
            self.history.remove(0);
        }
    }

    /// Another process takes over with this table; the one before ends at `ends`.
    pub(super) fn replace(&mut self, table: Table, ends: Duration, ahead: Duration) {
        let before = self.current();
        self.masters[before].ends = Some(ends);
        self.masters.push(Master {
            table,
            ends: None,
            ahead,
        });
    }

    /// Whether that master answers now.
    pub(super) fn answers(&self, master: usize, now: Duration) -> bool {
        now >= self.up_at && self.masters[master].ends.is_none_or(|ends| now < ends)
    }
}
