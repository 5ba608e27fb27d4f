//! A room's turn: its members are read, the room ticks, each member is written to once. In stages,
//! each for all members before the next: the kernel fetches what came, it is looked at, the room
//! ticks, snapshots are composed, the kernel takes them. Then the same for the spectators, of whom
//! the tick needs nothing: no player waits for them. Called by `event_loop`; the rest of a room on
//! its worker is `room_host`'s.

use std::mem;

use tickwire::ids::PlayerId;
use tickwire::limits::{ENTITIES_MAX, SERVER_MESSAGE_BYTES_MAX};
use tickwire::protocol::CloseCode;

use super::figures;
use super::room_host::{Failed, RoomHost, TurnContext, guarded};
use crate::by_player::{LAST_PLAYER, is_spectator};
use crate::game::Game;
use crate::room::Room;
use crate::transport::{End, Fetched, Reading, SendBuffer};

/// Bytes of snapshots that are composed before they are written: those of a room of ordinary size,
/// which then lie in the processor's second cache until the kernel copies them.
const SEND_BUFFERS_BYTES: usize = 64 * 1024;

/// Whom a stage is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Player,
    Spectator,
}

impl Role {
    /// The number before the first of theirs, if there is one.
    fn before(self) -> Option<PlayerId> {
        (self == Role::Spectator).then_some(LAST_PLAYER)
    }

    /// Whether a number behind that is one of theirs.
    fn has(self, player: PlayerId) -> bool {
        self == Role::Spectator || !is_spectator(player)
    }
}

impl<G: Game> RoomHost<G> {
    /// One turn: reads, ticks, writes. True: it ticked.
    ///
    /// # Errors
    /// The room failed.
    pub(super) fn turn(&mut self, ctx: &mut TurnContext) -> Result<bool, Failed> {
        let tick = |room: &mut Room<G>| {
            room.tick();
            true
        };
        self.turn_with(tick, ctx)
    }

    /// A turn of a room that dozes, at the end of so many ticks: reads, lets them go by, ticks if
    /// it is time or somebody did something in fewer than `idle` ticks, and writes what waits.
    /// Whether it ticked.
    ///
    /// # Errors
    /// The room failed.
    pub(super) fn doze(
        &mut self,
        ticks: u32,
        idle: u32,
        ctx: &mut TurnContext,
    ) -> Result<bool, Failed> {
        let mut left = None;
        let doze = |room: &mut Room<G>| {
            let wakes = room.quiet_ticks() < idle;
            left = room.doze(ticks, wakes);
            left.is_some()
        };
        let ticked = self.turn_with(doze, ctx)?;
        self.room.pass(left.unwrap_or(0));
        Ok(ticked)
    }

    /// A turn in which the room does `step`, which says whether it ticked.
    fn turn_with(
        &mut self,
        step: impl FnOnce(&mut Room<G>) -> bool,
        ctx: &mut TurnContext,
    ) -> Result<bool, Failed> {
        guarded(self.id, || {
            self.read(Role::Player, ctx);
            // A room that fails meanwhile is dropped with what it borrowed: the next one works in a
            // new one.
            self.room.borrow_workspace(&mut ctx.workspace);
            let ticked = step(&mut self.room);
            self.settle(ctx);
            self.hand_out_mail(ctx);
            let due = ticked && self.room.snapshot_due();
            let mut written = self.write(Role::Player, due, ctx);
            if written.is_ok() && self.room.spectators() > 0 {
                self.read(Role::Spectator, ctx);
                written = self.write(Role::Spectator, due, ctx);
            }
            self.count(ctx);
            self.room.return_workspace(&mut ctx.workspace);
            written.map(|()| ticked)
        })?
    }

    /// Counts what the room did, and warns once of a game that has too much to show.
    fn count(&mut self, ctx: &TurnContext) {
        let stats = self.room.stats();
        if stats.entities_unsent_first {
            tracing::warn!(
                room = %self.id,
                entities_max = ENTITIES_MAX,
                "the game has more entities than clients can be shown; some of them are not, the players' are"
            );
        }
        figures::add(&stats, &ctx.common.metrics, &self.game.metrics);
    }

    fn read(&mut self, role: Role, ctx: &mut TurnContext) {
        let mut last = role.before();
        while self.fetch(role, &mut last, ctx) {
            let mut fetched = mem::take(&mut ctx.fetched);
            for (player, fetched) in fetched.drain(..) {
                self.read_one(player, fetched, ctx);
            }
            ctx.fetched = fetched;
            // Not sooner: what was fetched has no place in a connection that left meanwhile.
            self.settle(ctx);
        }
        let (messages, bytes) = ctx.scratch.take_counts();
        let metrics = &ctx.common.metrics;
        metrics.messages_received.increment(messages);
        metrics.bytes_received.increment(bytes);
    }

    /// Fetches what those of a role after `last` sent, as many as the scratch has room for. False:
    /// there are none.
    fn fetch(&mut self, role: Role, last: &mut Option<PlayerId>, ctx: &mut TurnContext) -> bool {
        ctx.scratch.clear();
        ctx.fetched.clear();
        while ctx.scratch.has_room()
            && let Some(player) = self.members.after(*last)
            && role.has(player)
        {
            *last = Some(player);
            self.prefetch_after(player);
            if let Some(conn) = self.members.conn(player) {
                let fetched = conn.fetch(&mut ctx.scratch);
                ctx.fetched.push((player, fetched));
            }
        }
        !ctx.fetched.is_empty()
    }

    fn read_one(&mut self, player: PlayerId, fetched: Fetched, ctx: &mut TurnContext) {
        let Some(conn) = self.members.conn(player) else {
            return;
        };
        let rates = self.game.rates;
        let mut reading = Reading::new(&mut ctx.scratch, fetched, rates, ctx.now);
        let end = loop {
            // Who left, or was sent away by who was read before: the rest is for the lobby.
            if !self.room.is_present(player) {
                break None;
            }
            match conn.next(&mut reading) {
                Ok(Some(message)) => {
                    if let Err(code) = self.room.receive(player, message) {
                        break Some(End::Close(code));
                    }
                }
                Ok(None) => break None,
                Err(end) => break Some(end),
            }
        };
        conn.keep(&mut reading);
        if let Some(end) = end {
            ctx.ended.push((player, end));
        }
    }

    /// While the kernel has one member's socket, what the next ones' turns touch comes into the
    /// caches.
    fn prefetch_after(&self, player: PlayerId) {
        let Some(next) = self.members.after(Some(player)) else {
            return;
        };
        let next_but_one = self.members.after(Some(next)).unwrap_or(next);
        self.members.prefetch(next_but_one);
        self.room.prefetch(next, next_but_one);
    }

    fn write(&mut self, role: Role, due: bool, ctx: &mut TurnContext) -> Result<(), Failed> {
        let (now, stall_timeout) = (ctx.now, ctx.common.stall_timeout);
        let mut last = role.before();
        while self.compose(role, &mut last, due, ctx)? {
            for (player, send_buffer) in ctx.to_write.drain(..) {
                let Some(conn) = self.members.conn(player) else {
                    continue;
                };
                let written = match send_buffer {
                    Some(send_buffer) => conn.flush_with(&mut ctx.send_buffers, send_buffer, now),
                    None if conn.backlog().is_blocked() => Ok(()),
                    None => conn.flush(now),
                };
                if let Err(end) = written {
                    ctx.ended.push((player, end));
                } else if conn.backlog().is_stalled(now, stall_timeout) {
                    ctx.ended.push((player, End::Close(CloseCode::Stalled)));
                }
            }
        }
        self.settle(ctx);
        Ok(())
    }

    /// Composes the snapshots of those of a role after `last`, if they are due, until there are
    /// [`SEND_BUFFERS_BYTES`] of them. False: there is nobody.
    fn compose(
        &mut self,
        role: Role,
        last: &mut Option<PlayerId>,
        due: bool,
        ctx: &mut TurnContext,
    ) -> Result<bool, Failed> {
        let (send_buffers, to_write) = (&mut ctx.send_buffers, &mut ctx.to_write);
        send_buffers.clear();
        to_write.clear();
        while send_buffers.bytes() < SEND_BUFFERS_BYTES
            && let Some(player) = self.members.after(*last)
            && role.has(player)
        {
            *last = Some(player);
            let Some(conn) = self.members.conn(player) else {
                continue;
            };
            if conn.backlog().is_blocked()
                && let Err(end) = conn.flush(ctx.now)
            {
                ctx.ended.push((player, end));
                continue;
            }
            let writable = !conn.backlog().is_blocked();
            let mut send_buffer = None;
            if due {
                let message = send_buffers.begin(conn.front_bytes());
                if self.room.compose(player, writable, message) {
                    send_buffer = Some(send_buffers.end());
                } else {
                    send_buffers.discard();
                }
            }
            let bytes = send_buffer.as_ref().map_or(0, SendBuffer::message_bytes);
            if bytes > SERVER_MESSAGE_BYTES_MAX {
                tracing::error!(bytes, "snapshot too big");
                return Err(Failed);
            }
            to_write.push((player, send_buffer));
        }
        Ok(!to_write.is_empty())
    }
}
