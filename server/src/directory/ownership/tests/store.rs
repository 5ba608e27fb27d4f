//! A simulated node's way to what the engine keeps of rooms, as [`Checkpoints`] is: over a
//! connection of its own, which no change of the other one breaks and which may lead to another
//! master; one thing after the other, and what is not answered in time has failed, and may have
//! been done all the same.
//!
//! [`Checkpoints`]: crate::directory::engine::Checkpoints

use std::collections::VecDeque;
use std::time::Duration;

use tickwire::ids::RoomId;

use super::super::messages::{Epoch, Incarnation, Run};
use super::process::{Conn, Input};
use super::world::{ENGINE, Event, ToEngine, World};
use crate::cluster::node::{Fetched, Written};
use crate::directory::engine::{Checkpoint, Put};

/// For an answer. Messages are later than that now and then.
const WAIT: Duration = Duration::from_secs(3);

/// What is to be done.
#[derive(Clone, Debug)]
pub(super) enum Bulk {
    /// Keep what a worker left of a room.
    Put(Checkpoint),
    /// Keep a room's last state here.
    PutLast(Checkpoint),
    Get(RoomId, Epoch),
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Done {
    Put(Put),
    Got(Option<Checkpoint>),
    Failed,
}

/// One process's.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) conn: Option<Conn>,
    /// How many connections there were.
    conns: u64,
    /// The first is under way if `asked`.
    queue: VecDeque<(Incarnation, Bulk)>,
    asked: Option<Duration>,
}

impl Bulk {
    fn room(&self) -> RoomId {
        match self {
            Bulk::Put(checkpoint) | Bulk::PutLast(checkpoint) => checkpoint.room,
            Bulk::Get(room, _) => *room,
        }
    }
}

impl Store {
    /// Of a room's states only the newest waits.
    fn push(&mut self, me: Incarnation, bulk: Bulk) {
        let under_way = usize::from(self.asked.is_some());
        let room = bulk.room();
        let mut place = 0;
        self.queue.retain(|(_, waits)| {
            place += 1;
            place <= under_way || matches!(waits, Bulk::Get(..)) || waits.room() != room
        });
        self.queue.push_back((me, bulk));
    }

    pub(super) fn is_on(&self, run: Run) -> bool {
        self.conn.as_ref().is_some_and(|conn| conn.run == run)
    }
}

impl World {
    /// Asks for something about a room, after what waits.
    pub(super) fn order_bulk(&mut self, n: usize, bulk: Bulk) {
        if let Some(process) = self.nodes[n].process.as_mut() {
            process.store.push(process.me, bulk);
        }
        self.ask_store(n);
    }

    /// The first of what waits is under way, if it can be.
    fn ask_store(&mut self, n: usize) {
        let (t, master) = (self.t, self.engine.current());
        let is_there = self.is_linked(n, ENGINE) && self.engine.answers(master, t);
        let now = self.local(n);
        loop {
            let Some(process) = self.nodes[n].process.as_mut() else {
                return;
            };
            let store = &mut process.store;
            let Some((_, bulk)) = store.queue.front().filter(|_| store.asked.is_none()) else {
                return;
            };
            if store.conn.is_none() && is_there {
                store.conns += 1;
                store.conn = Some(Conn::new(Run(store.conns), master, t));
            }
            let bulk = bulk.clone();
            store.asked = Some(t);
            if store.conn.is_some() {
                return self.send(n, now, ToEngine::Bulk(bulk));
            }
            self.done(n, Done::Failed);
        }
    }

    /// An answer came on a connection, or it broke.
    pub(super) fn store_answered(&mut self, n: usize, run: Run, done: Done) {
        let process = self.nodes[n].process.as_mut();
        let Some(store) = process.map(|process| &mut process.store) else {
            return;
        };
        if !store.is_on(run) {
            return;
        }
        if let Done::Failed = done {
            store.conn = None;
        }
        if store.asked.is_some() {
            self.done(n, done);
        }
        self.ask_store(n);
    }

    /// Gives up what was not answered in time.
    pub(super) fn look_after_store(&mut self, n: usize) {
        let late = self.t.saturating_sub(WAIT);
        let process = self.nodes[n].process.as_mut();
        let store = process.map(|process| &mut process.store);
        if let Some(store) = store.filter(|store| store.asked.is_some_and(|at| at <= late)) {
            store.conn = None;
            self.done(n, Done::Failed);
        }
        self.ask_store(n);
    }

    fn done(&mut self, n: usize, done: Done) {
        let now = self.local(n);
        let Some(process) = self.nodes[n].process.as_mut() else {
            return;
        };
        process.store.asked = None;
        let Some((who, bulk)) = process.store.queue.pop_front() else {
            return;
        };
        if who != process.me {
            return;
        }
        match bulk {
            Bulk::Put(_) => {}
            Bulk::PutLast(last) => {
                let is_stored = matches!(done, Done::Put(Put::Stored));
                if is_stored {
                    self.checker.left(&last);
                }
                let what = match is_stored {
                    true => Written::Stored,
                    false => Written::Failed,
                };
                process.node.written(now, last.room, last.epoch, what);
            }
            Bulk::Get(room, epoch) => match done {
                // In a room that was closed nobody is.
                Done::Got(Some(kept)) if !self.closed.contains(&room) => {
                    self.give(n, epoch, &kept);
                }
                Done::Got(_) => {
                    process.node.fetched(now, room, epoch, Fetched::Nothing);
                    self.closes(room);
                }
                Done::Put(_) | Done::Failed => {
                    process.node.fetched(now, room, epoch, Fetched::NotYet);
                }
            },
        }
    }

    /// A room is closed, or nothing is left of it.
    pub(super) fn closes(&mut self, room: RoomId) {
        self.closed.insert(room);
        self.checker.closed(room);
    }

    /// A worker leaves a room's state to the task.
    pub(super) fn save(&mut self, n: usize, checkpoint: Checkpoint) {
        let (life, lag) = (self.nodes[n].life, self.task_lag());
        self.after(lag, Event::Input(n, life, Input::Saved(checkpoint)));
    }
}
