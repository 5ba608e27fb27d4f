//! Rooms of a cluster's node on their worker: ticked only while their claim holds, announced, stopped,
//! sent on and dropped as the cluster's task orders; of that a server that is alone has nothing. And
//! what programs of the operator's ask of a room.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tickwire::ids::RoomId;
use tickwire::protocol::CloseCode;

use super::EventLoop;
use super::running::{Running, Still};
use crate::checkpoint::slots::Change;
use crate::room;
use crate::worker::orders::{Order, SendOn, Stopped};
use crate::worker::room_host::Failed;

/// Until a room that stands still is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl EventLoop {
    /// A room that is due may not be ticked, or could not before. True: it has no turn.
    pub(super) fn stands_still(&mut self, room: RoomId, now: Instant) -> bool {
        let Some(running) = self.rooms.get_mut(&room) else {
            return true;
        };
        if running.may_tick(now) {
            if running.still.take().is_none() {
                return false;
            }
            running.schedule.restart(now);
            running.due = running.schedule.due();
            self.queue.push(Reverse((running.due, room)));
            return true;
        }
        running.due = now + LOOK_AGAIN;
        self.queue.push(Reverse((running.due, room)));
        if running.still == Some(Still::Stopped) {
            return true;
        }
        running.still = Some(Still::Frozen);
        if let Err(Failed) = running.room_host.send_away(&mut self.ctx) {
            self.fail(room);
        }
        true
    }

    /// Carries out what the cluster's task ordered. What it ordered of a room on its way here waits
    /// for it; a room of an incarnation that is over is dropped when it comes.
    pub(super) fn obey(&mut self, now: Instant) {
        for order in self.state.orders.take() {
            let Some(room) = order.room() else {
                self.carry_out(order, now);
                continue;
            };
            if self.rooms.contains_key(&room) {
                self.carry_out(order, now);
                continue;
            }
            match self.ctx.common.registry.worker_of(room) {
                // It is on its way here, and wakes this worker when it comes.
                Some(worker) if worker == self.me => self.state.orders.push(order),
                Some(worker) => self.ctx.common.peers.order(worker, order),
                None => {}
            }
        }
        self.join_held(now);
    }

    fn carry_out(&mut self, order: Order, now: Instant) {
        match order {
            Order::Announce { room, to } => {
                if let Some(running) = self.rooms.get_mut(&room) {
                    running.room_host.announce(&to, &self.ctx);
                }
            }
            Order::Stop { room, reply } => {
                let stopped = self.stop(room, now);
                // Who asked may be gone.
                let _ = stopped.map(|stopped| reply.send(stopped));
            }
            Order::GoOn { room } => {
                if let Some(running) = self.rooms.get_mut(&room) {
                    running.still = Some(Still::Over);
                }
            }
            Order::Take { room, job, reply } => {
                let mut running = self.rooms.get_mut(&room);
                let running = running.as_mut();
                let Some(running) = running.filter(|room| room.still.is_none() && !room.asleep)
                else {
                    return;
                };
                match running.room_host.take(job) {
                    // Who asked may be gone.
                    Ok(taken) => _ = reply.send(taken),
                    Err(Failed) => self.fail(room),
                }
            }
            Order::Drop { room, to } => self.send_on(room, &to, now),
            Order::Dismiss { room, who } => {
                let running = self.rooms.get_mut(&room);
                let dismissed =
                    running.map(|running| running.room_host.dismiss(who.as_ref(), &mut self.ctx));
                if let Some(Err(Failed)) = dismissed {
                    self.fail(room);
                }
            }
            Order::End { room } => self.fail(room),
            Order::Disown { who } => {
                let is_theirs = |running: &Running| {
                    let claim = running.claim.as_ref();
                    claim.is_some_and(|claim| claim.who() == who)
                };
                let theirs = self.rooms.iter().filter(|(_, running)| is_theirs(running));
                let theirs: Vec<RoomId> = theirs.map(|(room, _)| *room).collect();
                theirs.iter().for_each(|room| self.disown(*room, now));
            }
        }
    }

    /// The incarnation is over that had a room: its members look for it.
    pub(super) fn disown(&mut self, room: RoomId, now: Instant) {
        let nowhere: SendOn = Arc::new(|_| None);
        self.send_on(room, &nowhere, now);
    }

    /// Has a room stand still. `None`: there is no such room; inside, its state.
    fn stop(&mut self, room: RoomId, now: Instant) -> Option<Option<Stopped>> {
        let about = self.ctx.common.registry.about(room, now)?;
        let running = self.rooms.get_mut(&room)?;
        let mut bytes = Vec::new();
        let saved = match running.saves {
            None => return Some(None),
            Some(_) => running.room_host.save(&mut bytes),
        };
        match saved {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Some(None),
            Err(Failed) => {
                self.fail(room);
                return None;
            }
        }
        room::seal(&mut bytes);
        running.still = Some(Still::Stopped);
        let tick = running.room_host.tick_number();
        Some(Some(Stopped { tick, bytes, about }))
    }

    /// A room is not this node's any more. What is kept of it is the other's to change.
    fn send_on(&mut self, room: RoomId, to: &SendOn, now: Instant) {
        if let Some(running) = self.take_out(room) {
            self.left.note(room, to.clone(), now);
            if let (Some(slots), true) = (&self.ctx.common.slots, running.saves.is_some()) {
                slots.put(room, Change::Left);
            }
            running
                .room_host
                .send_on(to, CloseCode::Restart, &mut self.ctx);
        }
    }
}
