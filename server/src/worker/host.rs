//! A room on a worker without its game's type: what the loop calls on it, one call a turn and none
//! for a member. [`RoomHost`] is the only one there is; what it does is said there.

use std::any::Any;
use std::time::Instant;

use tickwire::ids::{PlayerId, RoomId, Tick};
use tickwire::protocol::CloseCode;

use super::orders::SendOn;
use super::room_host::{Failed, RoomHost, TurnContext, guarded};
use super::view::RoomView;
use super::{Client, ResumeRequest};
use crate::auth::Identity;
use crate::game::{Closing, Game, Job};
use crate::room::SaveError;
use crate::transport::Conn;

/// What a turn came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turned {
    /// Whether it ticked.
    pub(super) ticked: bool,
    /// Whether no seat is taken.
    pub(super) is_empty: bool,
    /// Ticks since somebody did something.
    pub(super) quiet_ticks: u32,
}

/// A room and its members' connections. Each method is [`RoomHost`]'s of that name; where that can
/// fail, the room must be dropped.
pub(crate) trait Host: Send {
    fn id(&self) -> RoomId;

    fn tick_number(&self) -> Tick;

    /// One turn.
    fn turn(&mut self, ctx: &mut TurnContext) -> Result<Turned, Failed>;

    /// A turn of a room that dozes, at the end of so many ticks.
    fn doze(&mut self, ticks: u32, idle: u32, ctx: &mut TurnContext) -> Result<Turned, Failed>;

    /// Lets ticks go by in which nothing happens, as [`crate::room::Room::pass`] does.
    fn pass(&mut self, ticks: u32);

    fn is_empty(&self) -> bool;

    fn join(&mut self, client: Client, ctx: &mut TurnContext) -> Result<(), Failed>;

    fn watch(&mut self, client: Client, ctx: &mut TurnContext) -> Result<(), Failed>;

    fn resume(
        &mut self,
        client: Client,
        request: ResumeRequest,
        ctx: &mut TurnContext,
    ) -> Result<(), Failed>;

    fn moderate(
        &mut self,
        seats_of: Option<&Identity>,
        ctx: &mut TurnContext,
    ) -> Result<u32, Failed>;

    /// See [`crate::room::Room::forget`].
    fn forget(&mut self, identity: &Identity);

    fn dismiss(&mut self, who: Option<&Identity>, ctx: &mut TurnContext) -> Result<(), Failed>;

    fn mail(
        &mut self,
        player: PlayerId,
        at_once: bool,
        ctx: &mut TurnContext,
    ) -> Result<(), Failed>;

    fn take_mailboxes(&mut self, ctx: &TurnContext);

    fn view(&mut self, now: Instant) -> RoomView;

    /// What a program asks of the room's game.
    fn take(&mut self, job: Job) -> Result<Result<(), String>, Failed>;

    fn active_players(&self, seconds: u32) -> u16;

    /// What lists are to say of it: see [`crate::room::Effect::Describe`].
    fn described(&self) -> (&[u8], bool);

    /// Whether no data of the game is bound to this thread.
    fn may_move(&self) -> bool;

    /// Appends its state, unsealed. See [`crate::room::Room::save_into`].
    fn save(&mut self, bytes: &mut Vec<u8>) -> Result<Result<(), SaveError>, Failed>;

    /// Halves its snapshot rate so many times, or no longer.
    fn throttle(&mut self, halvings: u8);

    fn send_away(&mut self, ctx: &mut TurnContext) -> Result<(), Failed>;

    fn announce(&mut self, to: &SendOn, ctx: &TurnContext);

    fn send_on(self: Box<Self>, to: &SendOn, code: CloseCode, ctx: &mut TurnContext);

    fn close(
        self: Box<Self>,
        code: CloseCode,
        why: Option<Closing>,
        last: &mut dyn FnMut(&mut Conn),
        ctx: &mut TurnContext,
    );

    /// The room itself, for who knows its game.
    fn room(&mut self) -> &mut dyn Any;
}

impl<G: Game> Host for RoomHost<G> {
    fn id(&self) -> RoomId {
        self.id
    }

    fn tick_number(&self) -> Tick {
        self.room.tick_number()
    }

    fn turn(&mut self, ctx: &mut TurnContext) -> Result<Turned, Failed> {
        let ticked = RoomHost::turn(self, ctx)?;
        Ok(self.turned(ticked))
    }

    fn doze(&mut self, ticks: u32, idle: u32, ctx: &mut TurnContext) -> Result<Turned, Failed> {
        let ticked = RoomHost::doze(self, ticks, idle, ctx)?;
        Ok(self.turned(ticked))
    }

    fn pass(&mut self, ticks: u32) {
        self.room.pass(ticks);
    }

    fn is_empty(&self) -> bool {
        RoomHost::is_empty(self)
    }

    fn join(&mut self, client: Client, ctx: &mut TurnContext) -> Result<(), Failed> {
        RoomHost::join(self, client, ctx)
    }

    fn watch(&mut self, client: Client, ctx: &mut TurnContext) -> Result<(), Failed> {
        RoomHost::watch(self, client, ctx)
    }

    fn resume(
        &mut self,
        client: Client,
        request: ResumeRequest,
        ctx: &mut TurnContext,
    ) -> Result<(), Failed> {
        RoomHost::resume(self, client, request, ctx)
    }

    fn moderate(
        &mut self,
        seats_of: Option<&Identity>,
        ctx: &mut TurnContext,
    ) -> Result<u32, Failed> {
        RoomHost::moderate(self, seats_of, ctx)
    }

    fn forget(&mut self, identity: &Identity) {
        self.room.forget(identity);
    }

    fn dismiss(&mut self, who: Option<&Identity>, ctx: &mut TurnContext) -> Result<(), Failed> {
        RoomHost::dismiss(self, who, ctx)
    }

    fn mail(
        &mut self,
        player: PlayerId,
        at_once: bool,
        ctx: &mut TurnContext,
    ) -> Result<(), Failed> {
        RoomHost::mail(self, player, at_once, ctx)
    }

    fn take_mailboxes(&mut self, ctx: &TurnContext) {
        RoomHost::take_mailboxes(self, ctx);
    }

    fn view(&mut self, now: Instant) -> RoomView {
        RoomHost::view(self, now)
    }

    fn take(&mut self, job: Job) -> Result<Result<(), String>, Failed> {
        guarded(self.id, || self.room.take(job))
    }

    fn active_players(&self, seconds: u32) -> u16 {
        RoomHost::active_players(self, seconds)
    }

    fn described(&self) -> (&[u8], bool) {
        self.room.described()
    }

    fn may_move(&self) -> bool {
        self.room.may_move()
    }

    fn save(&mut self, bytes: &mut Vec<u8>) -> Result<Result<(), SaveError>, Failed> {
        guarded(self.id, || self.room.save_into(bytes))
    }

    fn throttle(&mut self, halvings: u8) {
        self.room.throttle(halvings);
    }

    fn send_away(&mut self, ctx: &mut TurnContext) -> Result<(), Failed> {
        RoomHost::send_away(self, ctx)
    }

    fn announce(&mut self, to: &SendOn, ctx: &TurnContext) {
        RoomHost::announce(self, to, ctx);
    }

    fn send_on(self: Box<Self>, to: &SendOn, code: CloseCode, ctx: &mut TurnContext) {
        RoomHost::send_on(*self, to, code, ctx);
    }

    fn close(
        self: Box<Self>,
        code: CloseCode,
        why: Option<Closing>,
        last: &mut dyn FnMut(&mut Conn),
        ctx: &mut TurnContext,
    ) {
        RoomHost::close(*self, code, why, last, ctx);
    }

    fn room(&mut self) -> &mut dyn Any {
        &mut self.room
    }
}

impl<G: Game> RoomHost<G> {
    fn turned(&self, ticked: bool) -> Turned {
        Turned {
            ticked,
            is_empty: self.is_empty(),
            quiet_ticks: self.room.quiet_ticks(),
        }
    }
}
