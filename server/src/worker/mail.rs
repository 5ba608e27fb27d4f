//! What is to be said to members of a room outside of snapshots: it lies in their mailboxes
//! ([`crate::presence`]), and goes out as far as a member's in-flight window goes, in front of the
//! turn's snapshot. Who has some `event_loop` is told; who has none costs nothing.

use tickwire::ids::PlayerId;
use tickwire::protocol::feature;

use super::client::Session;
use super::room_host::{Failed, RoomHost, TurnContext};
use crate::game::Game;
use crate::room::Hidden;

/// Of a message in a frame: its header.
const HEADER_BYTES: usize = 4;

impl<G: Game> RoomHost<G> {
    /// A member may have mail: they get it at once, or with the next turn.
    ///
    /// # Errors
    /// The room failed.
    pub(super) fn mail(
        &mut self,
        player: PlayerId,
        at_once: bool,
        ctx: &mut TurnContext,
    ) -> Result<(), Failed> {
        if !at_once || self.hand_out_to(player, ctx) {
            self.with_mail.push(player);
        }
        if at_once
            && let Some(conn) = self.members.conn(player)
            && let Err(end) = conn.flush(ctx.now)
        {
            ctx.ended.push((player, end));
            return self.settle_guarded(ctx);
        }
        Ok(())
    }

    /// Somebody comes, or comes back: whom they do not want to hear is known before they are told
    /// anything.
    pub(super) fn expect(&mut self, session: &Session) {
        let blocked = session.online.as_ref().and_then(|online| online.blocked());
        let blocked = blocked.filter(|blocked| !blocked.is_empty());
        let is_told = session.features & feature::PEOPLE != 0;
        self.room
            .expect(blocked.map(|blocked| Hidden { blocked, is_told }));
    }

    /// A member's connection is this worker's from now on, with the mail that it has.
    pub(super) fn take_mailbox(&mut self, player: PlayerId, ctx: &TurnContext) {
        let client = self.members.client(player);
        let online = client.and_then(|client| client.session.online.as_ref());
        if online.is_some_and(|online| online.in_room(&ctx.post, self.id, player)) {
            self.with_mail.push(player);
        }
    }

    /// The same of all members: the room is another worker's.
    pub(super) fn take_mailboxes(&mut self, ctx: &TurnContext) {
        self.with_mail.clear();
        let mut last = None;
        while let Some(player) = self.members.after(last) {
            last = Some(player);
            self.take_mailbox(player, ctx);
        }
    }

    /// Hands out what members have, as far as they can take it.
    pub(super) fn hand_out_mail(&mut self, ctx: &mut TurnContext) {
        if self.with_mail.is_empty() {
            return;
        }
        let mut with_mail = std::mem::take(&mut self.with_mail);
        with_mail.retain(|player| self.hand_out_to(*player, ctx));
        self.with_mail = with_mail;
    }

    /// Whether some is left.
    fn hand_out_to(&mut self, player: PlayerId, ctx: &mut TurnContext) -> bool {
        let most = self.room.left_to_say(player) as usize;
        let Some(client) = self.members.client(player) else {
            return false;
        };
        let Some(online) = &client.session.online else {
            return false;
        };
        if let Some(blocked) = online.blocked_news() {
            let is_told = client.session.features & feature::PEOPLE != 0;
            self.room.hide(player, Hidden { blocked, is_told });
        }
        let is_left = online.take(most, Some(ctx.now), &mut ctx.letters);
        let mut bytes = 0;
        for letter in ctx.letters.drain(..) {
            bytes += letter.len();
            client.conn.send(&letter);
            self.room.said(player, (letter.len() + HEADER_BYTES) as u32);
        }
        ctx.common.metrics.control_bytes.increment(bytes as u64);
        is_left
    }
}
