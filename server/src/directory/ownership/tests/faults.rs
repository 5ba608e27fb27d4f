//! What happens to a simulated cluster: faults, players who make and leave rooms, the end of all
//! faults and what must be true then.

use std::collections::BTreeMap;
use std::time::Duration;

use tickwire::ids::RoomId;

use super::super::State;
use super::process::{Hosted, Input};
use super::world::{ENGINE, Event, World};
use crate::cluster::node::Drained;
use crate::directory::engine::table::Table;

/// When the last fault begins.
const LAST_FAULT: Duration = Duration::from_secs(170);
/// When all have ended: the longest lasts a minute.
pub(super) const HEALED: Duration = Duration::from_secs(235);
/// How long after that all rooms have owners, where no machine stays away.
pub(super) const WELL_WITHIN: Duration = Duration::from_secs(30);
/// Between two looks at a node that drains.
const RETIRES: Duration = Duration::from_millis(250);
/// Nodes that there are at most.
const NODES: usize = 6;
/// Rooms that there are at most at a time.
const ROOMS: usize = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Kill,
    Pause,
    Stick,
    CutEngine,
    CutAll,
    CutPeers,
    Isolate,
    Stall,
    Down,
    Failover,
    Flush,
    Slow,
    Join,
    Reconnect,
}

/// Nothing but processes that end, and come back.
pub(super) const KILLS: &[Fault] = &[Fault::Kill];

/// All, the likelier ones more than once.
pub(super) const FAULTS: &[Fault] = &[
    Fault::Kill,
    Fault::Kill,
    Fault::Kill,
    Fault::Pause,
    Fault::Pause,
    Fault::Stick,
    Fault::CutEngine,
    Fault::CutEngine,
    Fault::CutAll,
    Fault::CutPeers,
    Fault::Isolate,
    Fault::Stall,
    Fault::Down,
    Fault::Failover,
    Fault::Failover,
    Fault::Flush,
    Fault::Slow,
    Fault::Join,
    Fault::Reconnect,
];

fn secs(of: &[f64], world: &mut World) -> Duration {
    Duration::from_secs_f64(world.rnd.one_of(of))
}

impl World {
    /// Something goes wrong, and the next time is set.
    pub(super) fn fault(&mut self) {
        let next = if self.mode.faults == KILLS {
            Duration::from_secs(15) + self.rnd.exponential(Duration::from_secs(2))
        } else {
            self.rnd.exponential(Duration::from_secs(8))
        };
        if self.t + next < LAST_FAULT {
            self.after(next, Event::Fault);
        }
        let n = self.rnd.below(self.nodes.len());
        let others: Vec<usize> = (0..self.nodes.len()).filter(|other| *other != n).collect();
        match self.rnd.one_of(self.mode.faults) {
            Fault::Kill => {
                let is_alone = self.mode.faults == KILLS;
                let is_away = !is_alone && self.rnd.chance(0.3);
                self.kill(n, is_away);
                let back = self.rnd.millis(200, if is_alone { 5_000 } else { 30_000 });
                self.after(back, Event::Restart(n));
            }
            Fault::Pause => {
                self.nodes[n].is_paused = true;
                let span = secs(&[0.3, 2., 5., 8., 20.], self);
                self.after(span, Event::Resume(n));
            }
            Fault::Stick => {
                let life = self.nodes[n].life;
                let span = secs(&[0.3, 2., 5., 8., 20.], self);
                if let Some(process) = self.process(n, life) {
                    process.is_stuck = true;
                    self.after(span, Event::Unstick(n, life));
                }
            }
            Fault::CutEngine => {
                let span = secs(&[0.6, 2., 5., 7., 15., 40.], self);
                self.cut(n, ENGINE, span);
            }
            Fault::CutAll => {
                let span = secs(&[3., 7., 20., 60.], self);
                for n in 0..self.nodes.len() {
                    if self.rnd.chance(0.8) {
                        self.cut(n, ENGINE, span);
                    }
                }
            }
            Fault::CutPeers => {
                let span = secs(&[3., 7., 20.], self);
                for other in others {
                    if self.rnd.chance(0.5) {
                        self.cut(n, other, span);
                    }
                }
            }
            Fault::Isolate => {
                let span = secs(&[3., 7., 20.], self);
                self.cut(n, ENGINE, span);
                for other in others {
                    self.cut(n, other, span);
                }
            }
            Fault::Stall => {
                self.engine.stalled_until = self.t + secs(&[1., 5., 9., 30.], self);
            }
            Fault::Down => {
                self.engine.up_at = self.t + secs(&[1., 3., 20., 60.], self);
                if self.rnd.chance(0.3) {
                    self.replace(Table::default(), Duration::ZERO);
                } else {
                    let table = self.engine.table().clone();
                    self.replace(table, Duration::ZERO);
                }
            }
            Fault::Failover => self.failover(),
            Fault::Flush => self.replace(Table::default(), Duration::ZERO),
            Fault::Slow => {
                let span = secs(&[5., 10., 20.], self);
                self.slowed = Some((n, self.t, self.t + span));
            }
            Fault::Join if self.nodes.len() < NODES => self.join(),
            Fault::Join | Fault::Reconnect => {
                if self.rnd.chance(0.5)
                    && let Some(process) = self.nodes[n].process.as_mut()
                {
                    process.store.conn = None;
                }
                self.break_off(n);
            }
        }
    }

    /// A replica takes over, with the tables of some time in the last five seconds; the master
    /// before may go on to answer those who are connected to it for up to 2 s.
    pub(super) fn failover(&mut self) {
        self.counts.failovers += 1;
        let history = self.engine.history.len();
        if history > 0 {
            let at = self.rnd.below(history);
            let table = self.engine.history[at].clone();
            let on = if self.rnd.chance(0.5) {
                self.rnd.millis(0, 2000)
            } else {
                Duration::ZERO
            };
            self.replace(table, on);
        }
    }

    pub(super) fn replace(&mut self, table: Table, goes_on: Duration) {
        let ahead = self.rnd.millis(0, 1000);
        self.engine.history.clear();
        self.engine.replace(table, self.t + goes_on, ahead);
    }

    /// A player makes a room or leaves one, or an operator has a node drain.
    pub(super) fn play(&mut self) {
        let next = self.rnd.exponential(Duration::from_secs(2));
        if self.t + next < HEALED {
            self.after(next, Event::Play);
        }
        let n = self.rnd.below(self.nodes.len());
        let now = self.local(n);
        let all: usize = self.made.len() - self.closed.len().min(self.made.len());
        let chance = self.rnd.unit();
        let pick = self.rnd.next();
        let is_able = !self.nodes[n].is_paused;
        let process = self.nodes[n].process.as_ref();
        let Some(process) = process.filter(|p| is_able && p.lease.holds(now)) else {
            return;
        };
        let drains = process.node.drained() != Drained::No;
        let of_this = |(_, hosted): &(_, &Hosted)| hosted.who == process.me && !hosted.is_still;
        let played = process.hosted.iter().filter(of_this);
        let played: Vec<RoomId> = played.map(|(room, _)| *room).collect();
        if chance < 0.06 && !drains && self.t < LAST_FAULT {
            self.drain_and_retire(n);
        } else if all < ROOMS && (chance < 0.5 || played.is_empty()) {
            self.open(n);
        } else if chance < 0.8 && !played.is_empty() {
            self.close(n, played[pick as usize % played.len()]);
        }
    }

    /// A node is to be replaced.
    fn drain_and_retire(&mut self, n: usize) {
        let life = self.nodes[n].life;
        self.after(Duration::ZERO, Event::Input(n, life, Input::Drain));
        let end = self.t + Duration::from_secs(20);
        self.after(RETIRES, Event::Retire(n, life, end));
    }

    pub(super) fn retire(&mut self, n: usize, life: u64, end: Duration) {
        let t = self.t;
        let Some(process) = self.process(n, life) else {
            return;
        };
        match process.node.drained() {
            // It started anew.
            Drained::No => return,
            Drained::Leaving if t < end => {
                return self.after(RETIRES, Event::Retire(n, life, end));
            }
            Drained::Leaving | Drained::Alone => {}
            Drained::Done => self.counts.drained += 1,
        }
        self.kill(n, false);
        let back = self.rnd.millis(200, 2000);
        self.after(back, Event::Restart(n));
    }

    /// A machine goes and stays away.
    pub(super) fn lose_one(&mut self) {
        let n = self.rnd.below(self.nodes.len());
        self.kill(n, true);
        self.nodes[n].life += 1;
    }

    /// What is true long enough after: every room of the tables is ticked by its owner, every room
    /// that is ticked is in the tables, none that was closed is there.
    pub(super) fn check_well(&mut self) {
        let t = self.t;
        let is_fresh = |at: Duration| t - at <= Duration::from_secs(1);
        let mut wrong = Vec::new();
        let table = self.engine.table();
        let records = table.rooms().into_iter();
        let rooms: BTreeMap<_, _> = records
            .filter_map(|room| Some((room, table.record(room)?)))
            .collect();
        for (room, record) in &rooms {
            let ticked = self.checker.ticked.get(room);
            let is_ticked = ticked.is_some_and(|ticked| {
                is_fresh(ticked.at) && (ticked.epoch, ticked.who) == (record.epoch, record.owner)
            });
            if !is_ticked {
                wrong.push(format!("ghost {room:?} {record:?}, last {ticked:?}"));
            }
            if self.closed.contains(room) {
                wrong.push(format!("{room:?} was closed and is there"));
            }
        }
        for (room, ticked) in &self.checker.ticked {
            if is_fresh(ticked.at) && !rooms.contains_key(room) {
                wrong.push(format!("hidden {room:?} {ticked:?}"));
            }
        }
        for n in 0..self.nodes.len() {
            let now = self.local(n);
            if let Some(process) = &self.nodes[n].process {
                let state = process.node.state(now);
                if state != State::Attached {
                    wrong.push(format!("node {n} is {state:?}"));
                }
            }
        }
        if self.engine.is_first() {
            let missing = self.missing();
            wrong.extend(missing.iter().map(|room| format!("{room:?} is nowhere")));
        }
        if !wrong.is_empty() {
            let violations = wrong.join("; ");
            self.checker.violated(t, violations);
        }
    }

    /// Rooms that nobody closed and that are nowhere: where the engine lost nothing, there is none.
    pub(super) fn missing(&self) -> Vec<RoomId> {
        let made = self.made.keys().copied();
        let table = self.engine.table();
        made.filter(|room| table.record(*room).is_none() && !self.closed.contains(room))
            .collect()
    }
}
