//! How a connection comes to a room: to a seat, to one that is its player's already, or to a
//! spectator's place. What was asked in the lobby may be otherwise by now, so it is asked again.
//! `event_loop` brings them; how they part is `room_host`'s.

use tickwire::codec::encode_server;
use tickwire::ids::PlayerId;
use tickwire::protocol::server_message::Refusal;
use tickwire::protocol::{CloseCode, ServerMessage, feature};

use super::room_host::{Failed, RoomHost, TurnContext, guarded};
use super::{Client, ResumeRequest};
use crate::admission::request_prices::resumed;
use crate::directory::kept_out::Who;
use crate::game::Game;
use crate::room::Room;
use crate::transport::End;

impl<G: Game> RoomHost<G> {
    /// Seats a connection, on the seat that its player has here already where [`Room::seat_of`]
    /// says so, or sends it back refused.
    ///
    /// # Errors
    /// The room failed; the newcomer is closed like its members.
    pub(super) fn join(&mut self, mut client: Client, ctx: &mut TurnContext) -> Result<(), Failed> {
        let name = client.session.name.clone().unwrap_or_default();
        let identity = client.session.identity.clone();
        let options = std::mem::take(&mut client.session.options);
        let registry = &ctx.common.registry;
        let mark = registry.mark(&identity);
        let is_beyond = registry.is_beyond(self.id, mark);
        let seat = self.room.seat_of(&identity, is_beyond);
        let who = Who {
            identity: identity.clone(),
            host: client.session.guest.host().filter(|_| seat.is_none()),
        };
        let refusal = if registry.keeps_out(self.id, &who, ctx.now) {
            Some(Refusal::KeptOut)
        } else if seat.is_none() && is_beyond {
            // Those that are left are others', who are on their way.
            Some(Refusal::RoomFull)
        } else if seat.is_none() && !self.room.is_open() {
            Some(Refusal::Locked)
        } else if seat.is_none() && !client.session.take_place(false) {
            Some(Refusal::Busy)
        } else {
            None
        };
        if let Some(reason) = refusal {
            registry.release(self.id, mark);
            refuse(client, reason, ctx);
            return Ok(());
        }
        if let Some(player) = seat {
            registry.release(self.id, mark);
            let take_over = move |room: &mut Room<G>| room.take_over(player, &options);
            return self.seat_again(client, player, take_over, ctx);
        }
        self.expect(&client.session);
        match guarded(self.id, || self.room.join_as(&name, identity, &options)) {
            Ok(Ok(player)) => {
                client.session.seated();
                self.heed_features(player, client.session.features);
                let since = self.room.tick_number();
                self.members.sit(player, client, mark, since);
                self.game.metrics.players.increment(1);
                self.settle_guarded(ctx)?;
                self.hand_out(player, ctx);
                self.take_mailbox(player, ctx);
                self.apply_orders(player, ctx)
            }
            Ok(Err(reason)) => {
                ctx.common.registry.release(self.id, mark);
                refuse(client, reason, ctx);
                Ok(())
            }
            Err(failed) => {
                ctx.end(client, End::Close(CloseCode::RoomFailed));
                Err(failed)
            }
        }
    }

    /// Lets a connection look on, or sends it back refused.
    ///
    /// # Errors
    /// The room failed; the newcomer is closed like its members.
    pub(super) fn watch(
        &mut self,
        mut client: Client,
        ctx: &mut TurnContext,
    ) -> Result<(), Failed> {
        let registry = &ctx.common.registry;
        let identity = client.session.identity.clone();
        let host = client.session.guest.host();
        let who = Who { identity, host };
        let refusal = if registry.keeps_out(self.id, &who, ctx.now) {
            Some(Refusal::KeptOut)
        } else if !client.session.take_place(false) {
            Some(Refusal::Busy)
        } else {
            None
        };
        let mark = registry.mark(&who.identity);
        self.expect(&client.session);
        let watching = match refusal {
            Some(reason) => Ok(Err(reason)),
            None => guarded(self.id, || self.room.watch(who.identity)),
        };
        match watching {
            Ok(Ok(spectator)) => {
                client.session.has_played = true;
                let since = self.room.tick_number();
                self.heed_features(spectator, client.session.features);
                self.members.sit(spectator, client, mark, since);
                self.game.metrics.spectators.increment(1);
                self.settle_guarded(ctx)?;
                self.take_mailbox(spectator, ctx);
                self.apply_orders(spectator, ctx)
            }
            Ok(Err(reason)) => {
                registry.stop_watching(self.id);
                refuse(client, reason, ctx);
                Ok(())
            }
            Err(failed) => {
                ctx.end(client, End::Close(CloseCode::RoomFailed));
                Err(failed)
            }
        }
    }

    /// Gives a seat to a connection that brings its token, or sends the connection back refused.
    /// One that the seat still has is closed.
    ///
    /// # Errors
    /// The room failed; the newcomer is closed like its members.
    pub(super) fn resume(
        &mut self,
        mut client: Client,
        resume_request: ResumeRequest,
        ctx: &mut TurnContext,
    ) -> Result<(), Failed> {
        let ResumeRequest { token, seen } = resume_request;
        let (player, identity) = (token.player, &client.session.identity);
        let is_theirs = self.room.identity(player) == Some(identity);
        let admits = is_theirs && self.room.admits(player, token.serial);
        if !admits || !ctx.common.seats.proves(&token, identity) {
            refuse(client, Refusal::NoSuchSeat, ctx);
            return Ok(());
        }
        // After the token: who has none learns nothing of the room.
        let who = Who {
            identity: client.session.identity.clone(),
            host: None,
        };
        resumed(&mut client.session.requests);
        if ctx.common.registry.keeps_out(self.id, &who, ctx.now) {
            refuse(client, Refusal::KeptOut, ctx);
            return Ok(());
        }
        let resume = move |room: &mut Room<G>| {
            let resumed = room.resume(player, seen);
            room.renew_token(player, token.serial);
            resumed
        };
        self.seat_again(client, player, resume, ctx)
    }

    /// Gives a seat to a new connection of its player, as the room does it by `take`. One that the
    /// seat still has is closed.
    ///
    /// # Errors
    /// The room failed; the newcomer is closed like its members.
    fn seat_again(
        &mut self,
        mut client: Client,
        player: PlayerId,
        take: impl FnOnce(&mut Room<G>) -> bool,
        ctx: &mut TurnContext,
    ) -> Result<(), Failed> {
        if let Some(old) = self.members.unplug(player) {
            ctx.end(old, End::Close(CloseCode::Superseded));
        }
        self.expect(&client.session);
        match guarded(self.id, || take(&mut self.room)) {
            Ok(true) => {}
            Ok(false) => {
                self.vacate(player, ctx);
                refuse(client, Refusal::NoSuchSeat, ctx);
                return Ok(());
            }
            Err(failed) => {
                ctx.end(client, End::Close(CloseCode::RoomFailed));
                return Err(failed);
            }
        }
        client.session.seated();
        client.session.take_place(true);
        self.heed_features(player, client.session.features);
        self.members.plug(player, client);
        if let Some(mark) = self.members.set_away(player, false) {
            ctx.common.registry.regain(self.id, mark);
        }
        self.settle_guarded(ctx)?;
        self.hand_out(player, ctx);
        self.take_mailbox(player, ctx);
        self.apply_orders(player, ctx)
    }

    /// What a player's client said that it understands.
    fn heed_features(&mut self, player: PlayerId, features: u32) {
        let knows = features & feature::LAYERS != 0;
        self.room.set_knows_groups(player, knows);
    }

    /// Tells a client what to come back with, where seats are held.
    fn hand_out(&mut self, player: PlayerId, ctx: &TurnContext) {
        let options = self.room.options();
        let grace_ms = u64::from(options.grace) * 1000 / u64::from(options.tick_rate.max(1));
        if options.grace == 0 {
            return;
        }
        let (serial, whose) = (self.room.newest_token(player), self.room.identity(player));
        let token = serial.zip(whose);
        let token =
            token.map(|(serial, whose)| ctx.common.seats.token(self.id, player, serial, whose));
        if let (Some(conn), Some(token)) = (self.members.conn(player), token) {
            conn.send(&encode_server(&ServerMessage::ResumeToken {
                token,
                grace_ms: u32::try_from(grace_ms).unwrap_or(u32::MAX),
            }));
        }
    }
}

/// Tells a client that it can't join and sends it back.
pub(super) fn refuse(mut client: Client, reason: Refusal, ctx: &TurnContext) {
    ctx.common.metrics.messages_refused.increment(1);
    let refused = encode_server(&ServerMessage::Refused { reason });
    client.conn.send(&refused);
    ctx.send_back(client);
}
