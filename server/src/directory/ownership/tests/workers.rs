//! The workers of a simulated node: they open, tick and close rooms by the lease in their hands
//! alone, and do what the task orders when they hear of it.

use tickwire::ids::{RoomId, Tick};

use super::super::State;
use super::super::messages::Epoch;
use super::planted::Bug;
use super::process::{Hosted, Input, Order};
use super::world::{Event, World};
use crate::directory::engine::Checkpoint;

/// Ticks from one durable write of a room to the next.
const TICKS_A_WRITE: u32 = 20;

impl Hosted {
    fn checkpoint(&self, room: RoomId) -> Checkpoint {
        Checkpoint {
            room,
            epoch: self.epoch,
            tick: self.tick,
            blob: Default::default(),
        }
    }
}

impl World {
    /// A room is new here: the tables have it later.
    pub(super) fn open(&mut self, n: usize) {
        self.rooms += 1;
        let room = RoomId(self.rooms);
        if let Some(process) = self.nodes[n].process.as_mut() {
            let hosted = process.hosts(Epoch(0), Tick(0));
            process.claims.insert(room);
            process.hosted.insert(room, hosted);
            self.changed(n, room);
        }
    }

    /// The last player leaves a room.
    pub(super) fn close(&mut self, n: usize, room: RoomId) {
        if let Some(process) = self.nodes[n].process.as_mut() {
            process.hosted.remove(&room);
            process.claims.remove(&room);
            self.closes(room);
            self.changed(n, room);
        }
    }

    fn changed(&mut self, n: usize, room: RoomId) {
        let (life, lag) = (self.nodes[n].life, self.task_lag());
        if let Some(process) = self.nodes[n].process.as_ref() {
            let changed = Input::Changed(process.me, room);
            self.after(lag, Event::Input(n, life, changed));
        }
    }

    /// They hear of an order.
    pub(super) fn order(&mut self, n: usize, life: u64, order: Order) {
        let lag = self.task_lag();
        let is_busy = self.rnd.chance(0.05);
        let Some(process) = self.process(n, life) else {
            return;
        };
        match order {
            Order::Give(room, hosted) => {
                let restored = Input::Restored(hosted.who, room, hosted.epoch);
                process.hosted.insert(room, hosted);
                self.after(lag, Event::Input(n, life, restored));
            }
            Order::Stop(who, room) => {
                let hosted = process.hosted.get_mut(&room);
                let hosted = hosted.filter(|hosted| hosted.who == who && !is_busy);
                let last = hosted.map(|hosted| {
                    hosted.is_still = true;
                    hosted.checkpoint(room)
                });
                self.after(lag, Event::Input(n, life, Input::Stopped(who, room, last)));
            }
            Order::GoOn(who, room) => {
                let hosted = process.hosted.get_mut(&room);
                if let Some(hosted) = hosted.filter(|hosted| hosted.who == who) {
                    hosted.is_still = false;
                }
            }
            Order::Drop(who, room) => {
                let hosted = process.hosted.get(&room);
                if hosted.is_some_and(|hosted| hosted.who == who) {
                    process.hosted.remove(&room);
                }
            }
            Order::DropAll(gone) => process.hosted.retain(|_, hosted| hosted.who != gone),
        }
    }

    /// They have their turn.
    pub(super) fn tick(&mut self, n: usize) {
        if self.nodes[n].is_paused {
            return;
        }
        let now = self.local(n);
        let Some(process) = self.nodes[n].process.as_mut() else {
            return;
        };
        let is_detached = process.node.state(now) == State::Detached;
        let mut saved = Vec::new();
        for (room, hosted) in &mut process.hosted {
            let holds = hosted.lease.holds(now) || self.mode.bug == Bug::NoLease;
            if hosted.is_still || !holds {
                continue;
            }
            self.checker
                .tick(self.t, *room, hosted, self.engine.is_first());
            self.counts.detached_ticks += u64::from(is_detached);
            hosted.tick = hosted.tick.next();
            if hosted.tick.0 % TICKS_A_WRITE == 1 && hosted.epoch > Epoch(0) {
                saved.push(hosted.checkpoint(*room));
            }
        }
        for checkpoint in saved {
            self.save(n, checkpoint);
        }
    }
}
