//! A room on its worker: the room and its members' connections, and how they part. The room may
//! panic anywhere (game, capture, encoding): the panic ends here, and the room with it. How they
//! come together is `seating`'s business, what a turn consists of `turn`'s, when it is due
//! `event_loop`'s.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tickwire::codec::encode_server;
use tickwire::ids::{PlayerId, RoomId};
use tickwire::protocol::server_message::LeaveReason;
use tickwire::protocol::{CloseCode, ServerMessage};

use super::members::Members;
use super::orders::SendOn;
use super::view::{ClientView, RoomView};
use super::{Client, Common, HostedGame, Return};
use crate::by_player::is_spectator;
use crate::date;
use crate::directory::kept_out::Who;
use crate::game::{Closing, Game, GameDef, RoomOptions};
use crate::presence::Post;
use crate::room::{Came, Effect, Room, Workspace};
use crate::store::record::{MatchPlayer, MatchResult, Message, Record};
use crate::transport::{Conn, End, Fetched, Scratch, SendBuffer, SendBuffers};
use crate::vitals;

/// Who leaves a room sooner did not like it there.
const LEFT_SOON_SECONDS: u32 = 20;

/// What a worker lends to the room whose turn it is.
pub(crate) struct TurnContext {
    /// What the worker shares with others.
    pub(super) common: Common,
    /// When the worker's loop last came round.
    pub(super) now: Instant,
    /// Under which the room has it that has its turn; 0: none is known.
    pub(super) epoch: u64,
    /// Where sockets are read.
    pub(super) scratch: Scratch,
    /// What was fetched, of whom.
    pub(super) fetched: Vec<(PlayerId, Fetched)>,
    /// Where snapshots are composed.
    pub(super) send_buffers: SendBuffers,
    /// Who is written to next; what waits for them goes out without a snapshot, too.
    pub(super) to_write: Vec<(PlayerId, Option<SendBuffer>)>,
    /// What the room's turn works in.
    pub(super) workspace: Box<Workspace>,
    /// Members whose connections came to an end.
    pub(super) ended: Vec<(PlayerId, End)>,
    /// Where the worker is told of members who have mail.
    pub(super) post: Arc<Post>,
    /// Mail that is being handed out.
    pub(super) letters: Vec<Bytes>,
}

impl TurnContext {
    pub(super) fn new(common: Common, post: Arc<Post>, now: Instant) -> TurnContext {
        TurnContext {
            post,
            letters: Vec::new(),
            common,
            now,
            epoch: 0,
            scratch: Scratch::default(),
            fetched: Vec::new(),
            send_buffers: SendBuffers::default(),
            to_write: Vec::new(),
            workspace: Box::default(),
            ended: Vec::new(),
        }
    }

    /// A client is back in the lobby.
    pub(super) fn send_back(&self, client: Client) {
        self.give_back(client, None);
    }

    /// A client goes to its end.
    pub(super) fn end(&self, client: Client, end: End) {
        self.give_back(client, Some(end));
    }

    fn give_back(&self, client: Client, end: Option<End>) {
        // Nobody takes it only when the runtime is gone, and then every socket goes.
        let _ = self.common.returns.send(Return { client, end });
    }
}

/// The room panicked, or made a message that the wire can't carry: it must be dropped.
#[derive(Debug)]
pub(crate) struct Failed;

/// A room and its members' connections.
pub(super) struct RoomHost<G: Game> {
    /// Its number.
    pub(super) id: RoomId,
    pub(super) game: Arc<HostedGame>,
    pub(super) room: Room<G>,
    pub(super) members: Members,
    /// Members who may have mail, some perhaps twice.
    pub(super) with_mail: Vec<PlayerId>,
}

impl<G: Game> RoomHost<G> {
    /// A new room of `def` without members, for which holds what `game` says.
    ///
    /// # Errors
    /// The game failed to set it up.
    pub(super) fn open(
        def: &Arc<GameDef<G>>,
        game: Arc<HostedGame>,
        options: RoomOptions,
    ) -> Result<RoomHost<G>, Failed> {
        let (id, seats) = (options.id, options.seats);
        let room = guarded(id, || Room::new(def.clone(), options))?;
        let members = Members::for_seats(seats);
        Ok(RoomHost {
            id,
            game,
            room,
            members,
            with_mail: Vec::new(),
        })
    }

    /// Whether no seat is taken.
    pub(super) fn is_empty(&self) -> bool {
        self.room.players() == 0
    }

    /// The room as an operator sees it.
    pub(super) fn view(&mut self, now: Instant) -> RoomView {
        let options = self.room.options();
        let clients = self.room.clients().map(|state| {
            let client = self.members.client(state.player).map(|client| &*client);
            ClientView::new(state, client, now)
        });
        RoomView {
            game: G::NAME,
            id: self.id,
            name: options.name.clone(),
            tick: self.room.tick_number().0,
            tick_rate: options.tick_rate,
            snapshot_every: self.room.snapshot_every(),
            clients: clients.collect(),
        }
    }

    /// Players who did something in the last so many seconds.
    pub(super) fn active_players(&self, seconds: u32) -> u16 {
        let within = seconds * u32::from(self.room.options().tick_rate);
        self.room.active_players(within)
    }

    /// Does what the room wants done and parts from members whose connections ended, until
    /// nothing is left of either.
    pub(super) fn settle(&mut self, ctx: &mut TurnContext) {
        loop {
            while let Some(effect) = self.room.poll_effect() {
                self.apply(effect, ctx);
            }
            let Some((player, end)) = ctx.ended.pop() else {
                return;
            };
            let Some(client) = self.members.unplug(player) else {
                continue;
            };
            let may_return = match end {
                End::Lost | End::Away => true,
                End::Goodbye => false,
                End::Close(code) => code.holds_seat(),
            };
            if may_return && self.room.disconnect(player) {
                self.hold(player, ctx);
            } else {
                // Whom an operator sent away, or who broke a rule, would have stayed.
                if !matches!(end, End::Close(_)) {
                    self.note_leaving(player, ctx);
                }
                self.room.leave(player);
                self.vacate(player, ctx);
            }
            ctx.end(client, end);
        }
    }

    /// The same outside of a turn: the game's hooks may panic here, too.
    ///
    /// # Errors
    /// The room failed.
    pub(super) fn settle_guarded(&mut self, ctx: &mut TurnContext) -> Result<(), Failed> {
        guarded(self.id, || self.settle(ctx))
    }

    fn apply(&mut self, effect: Effect, ctx: &mut TurnContext) {
        match effect {
            Effect::Control { to, bytes } => {
                if let Some(conn) = self.members.conn(to) {
                    let metrics = &ctx.common.metrics;
                    metrics.control_bytes.increment(bytes.len() as u64);
                    conn.send(&bytes);
                }
            }
            Effect::KeepOut { player, identity } => {
                let host = self.members.get(player).and_then(|seat| seat.host);
                let who = Who { identity, host };
                ctx.common.registry.keep_out(self.id, who, ctx.now);
            }
            Effect::Depart { player, reason } => {
                if reason == LeaveReason::Asked {
                    self.note_leaving(player, ctx);
                }
                let client = self.members.unplug(player);
                self.vacate(player, ctx);
                if let Some(mut client) = client {
                    let left = encode_server(&ServerMessage::Left { reason });
                    client.conn.send(&left);
                    ctx.send_back(client);
                }
            }
            Effect::Close { player, code } => {
                let client = self.members.unplug(player);
                if self.room.has_member(player) {
                    self.hold(player, ctx);
                } else {
                    self.vacate(player, ctx);
                }
                if let Some(client) = client {
                    ctx.end(client, End::Close(code));
                }
            }
            Effect::Vacate { player } => self.vacate(player, ctx),
            Effect::Said {
                line,
                identity,
                name,
                text,
            } => ctx.common.store.put(Record::Message(Message {
                channel: self.room.options().key(),
                sequence: line.into(),
                said_at_ms: date::now_ms(),
                player: identity.to_string(),
                name,
                text,
                nonce: None,
            })),
            Effect::Read(wanted) => self.read_chat(wanted, ctx),
            Effect::Beyond { player, message } => self.ask_beyond(player, *message, ctx),
            Effect::Result {
                round,
                season,
                players,
            } => self.store_result(round, season, players, ctx),
            Effect::NoticesSeen { player, number } => {
                let client = self.members.client(player);
                if let Some(online) = client.and_then(|client| client.session.online.as_ref()) {
                    online.saw(number);
                }
            }
            Effect::Party { player, request } => {
                let client = self.members.client(player);
                if let Some(link) = client.and_then(|client| client.session.party.as_ref()) {
                    link.says(request);
                }
            }
            Effect::Describe { metadata, locked } => {
                let registry = &ctx.common.registry;
                registry.describe(self.id, &metadata, locked);
            }
        }
    }

    /// How a round ended goes into the store.
    fn store_result(&self, round: u32, season: String, players: Vec<Came>, ctx: &TurnContext) {
        let players = players.into_iter().map(|came| MatchPlayer {
            player: came.identity.to_string(),
            name: came.name,
            team: came.standing.team,
            place: came.standing.place,
            score: came.standing.score,
            left: came.standing.left,
        });
        ctx.common.store.put(Record::Result(MatchResult {
            room: self.room.options().key(),
            epoch: ctx.epoch,
            round: round.into(),
            game: G::NAME.to_owned(),
            season,
            ended_at_ms: date::now_ms(),
            players: players.collect(),
        }));
    }

    /// A seat is held for a player without a connection, who may join again for it.
    fn hold(&mut self, player: PlayerId, ctx: &TurnContext) {
        if let Some(mark) = self.members.set_away(player, true) {
            ctx.common.registry.lose(self.id, mark);
        }
    }

    /// Somebody leaves of their own will: whether soon after they came. Not of spectators, who say
    /// nothing of how it is to play there.
    fn note_leaving(&mut self, player: PlayerId, ctx: &TurnContext) {
        if is_spectator(player) {
            return;
        }
        let soon = u32::from(self.room.options().tick_rate) * LEFT_SOON_SECONDS;
        let now = self.room.tick_number();
        let seat = self.members.get(player);
        if seat.is_some_and(|seat| now.since(seat.since) < soon) {
            ctx.common.registry.left_soon(self.id, ctx.now);
        }
    }

    /// A seat is free again, or a spectator's place.
    pub(super) fn vacate(&mut self, player: PlayerId, ctx: &TurnContext) {
        if let Some(seat) = self.members.remove(player) {
            if is_spectator(player) {
                ctx.common.registry.stop_watching(self.id);
                self.game.metrics.spectators.decrement(1);
                return;
            }
            if seat.is_away {
                ctx.common.registry.regain(self.id, seat.mark);
            }
            ctx.common.registry.release(self.id, seat.mark);
            self.game.metrics.players.decrement(1);
        }
    }

    /// Closes every member's connection with 1012; their seats are held. The room stays as it is.
    ///
    /// # Errors
    /// The room failed.
    pub(super) fn send_away(&mut self, ctx: &mut TurnContext) -> Result<(), Failed> {
        let mut last = None;
        while let Some(player) = self.members.after(last) {
            last = Some(player);
            let Some(client) = self.members.unplug(player) else {
                continue;
            };
            ctx.end(client, End::Close(CloseCode::Restart));
            match guarded(self.id, || self.room.disconnect(player))? {
                true => self.hold(player, ctx),
                false => self.vacate(player, ctx),
            }
        }
        self.settle_guarded(ctx)
    }

    /// Tells every member with a connection where they will probably go soon.
    pub(super) fn announce(&mut self, to: &SendOn, ctx: &TurnContext) {
        let mut last = None;
        while let Some(player) = self.members.after(last) {
            last = Some(player);
            if let Some(client) = self.members.client(player)
                && let Some(there) = to(&client.session)
            {
                let bytes = encode_server(&there);
                ctx.common
                    .metrics
                    .control_bytes
                    .increment(bytes.len() as u64);
                client.conn.send(&bytes);
            }
        }
    }

    /// Sends every member on, or closes them with `code` where there is nothing to say to them, and
    /// drops the room, which goes on elsewhere: its game is not told.
    pub(super) fn send_on(mut self, to: &SendOn, code: CloseCode, ctx: &mut TurnContext) {
        while let Some(player) = self.members.after(None) {
            if let Some(mut client) = self.members.unplug(player) {
                match to(&client.session) {
                    Some(there) => {
                        client.conn.send(&encode_server(&there));
                        ctx.send_back(client);
                    }
                    None => ctx.end(client, End::Close(code)),
                }
            }
            self.vacate(player, ctx);
        }
        self.drop_room(None, ctx);
    }

    /// Closes every member with `code`, after `last` if there is something to say, and drops the
    /// room. `why` is for the game; `None` if it failed.
    pub(super) fn close(
        mut self,
        code: CloseCode,
        why: Option<Closing>,
        mut last: impl FnMut(&mut Conn),
        ctx: &mut TurnContext,
    ) {
        while let Some(player) = self.members.after(None) {
            if let Some(mut client) = self.members.unplug(player) {
                last(&mut client.conn);
                ctx.end(client, End::Close(code));
            }
            self.vacate(player, ctx);
        }
        self.drop_room(why, ctx);
    }

    fn drop_room(self, why: Option<Closing>, ctx: &mut TurnContext) {
        ctx.ended.clear();
        let mut room = self.room;
        // The hook may fail like any other; a world whose systems panicked may panic again when it
        // is dropped.
        let _ = guarded(self.id, || why.into_iter().for_each(|why| room.close(why)));
        let _ = guarded(self.id, move || drop(room));
    }
}

/// Runs `work` of a room; a panic in it is the room's failure.
pub(super) fn guarded<T>(room: RoomId, work: impl FnOnce() -> T) -> Result<T, Failed> {
    // Nothing that `work` touches is used again after a panic but the members' connections,
    // which are whole between any two of its steps.
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        tracing::error!(%room, panic = message(&*panic), "room failed");
        // What was thrown is the game's too, and could panic again when it is dropped.
        vitals::forget(panic);
        Failed
    })
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("not a text")
}
