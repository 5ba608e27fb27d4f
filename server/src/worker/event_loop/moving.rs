//! A room goes to another worker, with its members' connections and all that they were sent: when
//! it may is `balance`'s. The registry learns of it in the same moment, and what is under way to it
//! follows.

use std::cmp::Reverse;
use std::time::Instant;

use tickwire::ids::RoomId;
use tickwire::protocol::server_message::Refusal;

use super::EventLoop;
use super::running::Running;
use crate::admission::request_prices::resumed;
use crate::worker::balance::Moved;
use crate::worker::seating::refuse;
use crate::worker::{Command, JoinRequest};

impl EventLoop {
    /// After `rebalance`: the heaviest worker hands a room over.
    pub(super) fn even_out(&mut self, now: Instant) {
        let loads = self.ctx.common.registry.loads();
        let rooms = self.load.costs.iter().filter_map(|cost| {
            let running = self.rooms.get(&cost.room)?;
            running.may_move().then_some((cost, running.moved))
        });
        let me = self.me;
        let going = self.balance.rebalance(me, &loads, rooms, now);
        if let Some((room, to)) = going
            && self.hand_over(room, to, now)
        {
            tracing::info!(%room, from = me, to, "room moved to a worker with less to do");
        }
    }

    /// For tests: every so often the next room goes to the next worker.
    pub(super) fn shuffle(&mut self, now: Instant) {
        let Some(at) = self.shuffles_at.filter(|at| *at <= now) else {
            return;
        };
        let span = self.ctx.common.shuffle_rooms;
        self.shuffles_at = Some((at + span).max(now));
        let movable = self.rooms.iter().filter(|(_, running)| running.may_move());
        let longest_here = movable.min_by_key(|(room, running)| (running.moved, **room));
        if let Some(room) = longest_here.map(|(room, _)| *room) {
            self.hand_over(room, self.ctx.common.peers.after(self.me), now);
        }
    }

    /// Hands a room to another worker, with its members' connections. It keeps its slots in time:
    /// its next turn is when it would have been here. False: it stays.
    fn hand_over(&mut self, room: RoomId, to: usize, now: Instant) -> bool {
        if to == self.me || !self.ctx.common.peers.takes_rooms(to, now) {
            return false;
        }
        let Some(mut running) = self.rooms.remove(&room) else {
            return false;
        };
        running.moved = Moved(Some(now));
        let mut command = Some(Command::Adopt(Box::new(running)));
        let common = &self.ctx.common;
        // Before anybody is sent there.
        common.registry.relocate(room, to, &mut || {
            let sent = command.take().map(|command| common.peers.send(to, command));
            command = sent.and_then(Result::err);
            command.is_none()
        });
        match command {
            Some(Command::Adopt(room)) => {
                self.adopt(*room, now);
                false
            }
            _ => {
                self.ctx.common.metrics.rooms_moved.increment(1);
                true
            }
        }
    }

    /// Takes a room that another worker had, or that was made of what is kept of it. One whose
    /// incarnation ended meanwhile is not this node's: what was ordered of its rooms then found it
    /// nowhere.
    pub(super) fn adopt(&mut self, mut running: Running, now: Instant) {
        running.room_host.take_mailboxes(&self.ctx);
        let room = running.room_host.id();
        let of = self.ctx.common.claims.as_ref().zip(running.claim.as_ref());
        let is_over = of.is_some_and(|(claims, claim)| claims.is_over(claim));
        self.queue.push(Reverse((running.due, room)));
        self.rooms.insert(room, running);
        if is_over {
            self.disown(room, now);
        }
    }

    /// What is for a room that another worker has by now goes there; what is for this one comes
    /// back.
    pub(super) fn forward(&mut self, command: Command) -> Option<Command> {
        let (Command::Attach { room, .. } | Command::Inspect { room, .. }) = &command else {
            return Some(command);
        };
        if self.rooms.contains_key(room) {
            return Some(command);
        }
        let worker = self.ctx.common.registry.worker_of(*room);
        let Some(to) = worker.filter(|worker| *worker != self.me) else {
            return Some(command);
        };
        if let Err(Command::Attach {
            room,
            join_request,
            mut client,
        }) = self.ctx.common.peers.send(to, command)
        {
            match join_request {
                JoinRequest::Resume(_) => resumed(&mut client.session.requests),
                JoinRequest::Watch => self.ctx.common.registry.stop_watching(room),
                _ => {
                    let registry = &self.ctx.common.registry;
                    registry.release(room, registry.mark(&client.session.identity));
                }
            }
            self.ctx.common.metrics.inboxes_full.increment(1);
            refuse(client, Refusal::Busy, &self.ctx);
        }
        None
    }
}
