//! What operators and the queue ordered about members of a room. Of operators: it stands in their
//! connections, marked by `moderation`. A connection that comes is looked at when it is seated, all of them when the
//! worker is told; nothing is asked for on the tick path.

use tickwire::ids::PlayerId;

use super::room_host::{Failed, RoomHost, TurnContext, guarded};
use crate::auth::Identity;
use crate::date::Date;
use crate::game::Game;
use crate::transport::End;

impl<G: Game> RoomHost<G> {
    /// Applies what was ordered about the members, and gives up the seats that are held for
    /// `seats_of`; how many of those there were.
    ///
    /// # Errors
    /// The room failed.
    pub(super) fn moderate(
        &mut self,
        seats_of: Option<&Identity>,
        ctx: &mut TurnContext,
    ) -> Result<u32, Failed> {
        let (mut given_up, mut last) = (0, None);
        while let Some(player) = self.members.after(last) {
            last = Some(player);
            let is_held = self.members.conn(player).is_none();
            let theirs = self.room.identity(player);
            if is_held && theirs.is_some() && theirs == seats_of {
                guarded(self.id, || {
                    self.room.leave(player);
                    self.settle(ctx);
                })?;
                self.vacate(player, ctx);
                given_up += 1;
            }
            self.apply_orders(player, ctx)?;
        }
        Ok(given_up)
    }

    /// Sends a player back to the lobby, or with `None` everybody, who may come again.
    ///
    /// # Errors
    /// The room failed.
    pub(super) fn dismiss(
        &mut self,
        who: Option<&Identity>,
        ctx: &mut TurnContext,
    ) -> Result<(), Failed> {
        let mut last = None;
        while let Some(player) = self.members.after(last) {
            last = Some(player);
            let theirs = self.room.identity(player);
            if who.is_none_or(|who| theirs == Some(who)) {
                guarded(self.id, || {
                    self.room.dismiss(player);
                    self.settle(ctx);
                })?;
            }
        }
        Ok(())
    }

    /// Applies what was ordered about one member.
    ///
    /// # Errors
    /// The room failed.
    pub(super) fn apply_orders(
        &mut self,
        player: PlayerId,
        ctx: &mut TurnContext,
    ) -> Result<(), Failed> {
        let client = self.members.client(player);
        let Some(online) = client.and_then(|client| client.session.online.as_ref()) else {
            return Ok(());
        };
        let (muted_s, expelled) = (online.muted_s(Date::now()), online.expelled());
        let ticks = muted_s * u64::from(self.room.options().tick_rate);
        self.room
            .mute(player, u32::try_from(ticks).unwrap_or(u32::MAX));
        let Some(code) = expelled else {
            return Ok(());
        };
        ctx.ended.push((player, End::Close(code)));
        self.settle_guarded(ctx)
    }
}
