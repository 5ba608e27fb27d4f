//! Messages from players, decoded and applied: inputs into their queues, acknowledgements, and
//! the requests of a room. What breaks the protocol is answered with a close code.

use bytes::Bytes;
use tickwire::codec::{decode_client, encode_server};
use tickwire::ids::{LayerId, PlayerId};
use tickwire::limits::{REPLY_CHARS_MAX, RESYNC_EVERY_MS};
use tickwire::netcode::input_queue::Pushed;
use tickwire::protocol::frame::{InputHead, decode_ack};
use tickwire::protocol::server_message::{LeaveReason, Refusal};
use tickwire::protocol::{
    CHANNEL_ROOM, ClientMessage, CloseCode, Kind, OutOfParty, OutOfQueue, PartyRequest, PartyState,
    QueueRequest, QueueState, ServerMessage,
};
use tickwire::snapshot::fields::{take_payload, unpack};

use super::send_rate::tiers::Move;
use super::viewed_input::ViewedInput;
use super::{Effect, Remembered, Room, Wanted, resources};
use crate::by_player::is_spectator;
use crate::game::{Game, Roster};

impl<G: Game> Room<G> {
    /// Takes a player's message, kind byte included. An error is the code to close them with; the
    /// caller then calls [`Room::leave`].
    pub fn receive(&mut self, player: PlayerId, message: &[u8]) -> Result<(), CloseCode> {
        if is_spectator(player) {
            return self.receive_from_spectator(player, message);
        }
        let member = self.members.get(player);
        if member.is_none_or(|member| member.away_since.is_some()) {
            return Err(CloseCode::OutOfOrder);
        }
        match message.first().copied().and_then(Kind::from_byte) {
            Some(Kind::State) => self.on_input(player, message),
            Some(Kind::Ack) => {
                let ack = decode_ack(message).map_err(|_| CloseCode::Malformed)?;
                self.on_ack(player, ack)
            }
            Some(Kind::Control) => {
                let message = decode_client(message).map_err(|_| CloseCode::Malformed)?;
                let Some(message) = message else {
                    return Ok(());
                };
                // What a page says that nobody looks at is no sign of anybody.
                let by_itself = matches!(
                    message,
                    ClientMessage::Ping { .. }
                        | ClientMessage::NoticesSeen { .. }
                        | ClientMessage::History { .. }
                        | ClientMessage::Party(PartyRequest::Look)
                        | ClientMessage::People(_)
                        | ClientMessage::Watch { .. }
                );
                if !by_itself {
                    self.stir(player);
                }
                self.on_request(player, message)
            }
            None => Err(CloseCode::Malformed),
        }
    }

    fn on_input(&mut self, player: PlayerId, message: &[u8]) -> Result<(), CloseCode> {
        let (head, fields) = InputHead::decode(message).map_err(|_| CloseCode::Malformed)?;
        let declared = &self.game.schema.input;
        let rest = unpack(declared, fields, &mut self.values).map_err(|_| CloseCode::Malformed)?;
        if !rest.is_empty() {
            return Err(CloseCode::Malformed);
        }
        let input = self.game.input_of(&self.values);
        // The member is looked up once: inputs are most of what comes.
        let (tick, cadence) = (self.tick, self.cadence);
        self.stirred = tick;
        let Some(member) = self.members.get_mut(player) else {
            return Ok(());
        };
        member.stirred = tick;
        let moved = member.acked(head.ack, tick, cadence);
        let moved = moved.map_err(|_| CloseCode::OutOfRange)?;
        self.stats.tiers_faster += u64::from(moved == Move::Faster);
        let sighted = ViewedInput::new(&head, input);
        match member.inputs.push(head.tick, tick, sighted) {
            Pushed::Queued => self.stats.inputs_taken += 1,
            Pushed::Late => self.stats.inputs_late += 1,
            Pushed::Duplicate => self.stats.inputs_duplicate += 1,
            Pushed::TooEarly => self.stats.inputs_early += 1,
        }
        Ok(())
    }

    pub(super) fn on_ack(
        &mut self,
        player: PlayerId,
        ack: tickwire::ids::Tick,
    ) -> Result<(), CloseCode> {
        let (tick, cadence) = (self.tick, self.cadence);
        let acked = match self.members.get_mut(player) {
            Some(member) => member.acked(ack, tick, cadence),
            None => match self.members.receiver_mut(player) {
                Some(receiver) => receiver.acked(ack, tick, cadence),
                None => Ok(Move::Stays),
            },
        };
        let moved = acked.map_err(|_| CloseCode::OutOfRange)?;
        self.stats.tiers_faster += u64::from(moved == Move::Faster);
        Ok(())
    }

    pub(super) fn on_request(
        &mut self,
        player: PlayerId,
        message: ClientMessage,
    ) -> Result<(), CloseCode> {
        if message.is_beyond_rooms() {
            let message = Box::new(message);
            let beyond = Effect::Beyond { player, message };
            self.effects.push_back(beyond);
            return Ok(());
        }
        match message {
            ClientMessage::Hello { .. } => return Err(CloseCode::OutOfOrder),
            ClientMessage::ListRooms { .. }
            | ClientMessage::CreateRoom(..)
            | ClientMessage::JoinRoom { .. }
            | ClientMessage::JoinCode { .. }
            | ClientMessage::QuickJoin { .. }
            | ClientMessage::Resume { .. } => self.refuse(player, Refusal::AlreadyInRoom),
            ClientMessage::Queue(QueueRequest::Enqueue { nonce, .. }) => {
                self.tell(player, &not_in_rooms(nonce));
            }
            // Said before the client knew that it was in a room: how things stand it is told anyway.
            ClientMessage::Queue(_) => {}
            ClientMessage::Party(request) => self.on_party(player, request),
            ClientMessage::LeaveRoom => self.depart(player, LeaveReason::Asked),
            ClientMessage::Ready { ready } => self.on_ready(player, ready),
            ClientMessage::Kick { player: whom } => self.on_kick(player, whom),
            ClientMessage::Chat { text } => {
                if let Err(reason) = self.say(player, &text) {
                    self.refuse(player, reason);
                }
            }
            ClientMessage::Say { nonce, text, .. } => self.on_say(player, nonce, &text),
            ClientMessage::Ping { nonce } => {
                let tick = self.tick;
                self.tell(player, &ServerMessage::Pong { nonce, tick });
            }
            ClientMessage::Resync { layer } => self.on_resync(player, layer)?,
            ClientMessage::Act { id, action, fields } => {
                self.on_action(player, id, action, &fields)?;
            }
            ClientMessage::History { nonce, before, .. } => self.on_history(player, nonce, before),
            // As above.
            ClientMessage::People(_) | ClientMessage::Watch { .. } => {}
            ClientMessage::Typing { channel } => self.on_typing(player, &channel),
            ClientMessage::NoticesSeen { number } => {
                let seen = Effect::NoticesSeen { player, number };
                self.effects.push_back(seen);
            }
        }
        Ok(())
    }

    /// Parties are the lobby's: it hears what a client in a room may say of them.
    fn on_party(&mut self, player: PlayerId, request: PartyRequest) {
        match request {
            PartyRequest::Create { nonce } | PartyRequest::Join { nonce, .. } => {
                let why = OutOfParty::InRoom;
                let state = PartyState::Out { why };
                self.tell(player, &ServerMessage::Party { nonce, state });
            }
            request => {
                let said = Effect::Party { player, request };
                self.effects.push_back(said);
            }
        }
    }

    /// What changes nothing goes no further.
    fn on_ready(&mut self, player: PlayerId, ready: bool) {
        let Some(member) = self.members.get_mut(player) else {
            return;
        };
        if member.ready == ready {
            return;
        }
        member.ready = ready;
        let mut roster = resources::own::<Roster>(&mut self.world);
        let members = &mut roster.members;
        if let Some(member) = members.iter_mut().find(|member| member.player == player) {
            member.ready = ready;
        }
        self.notices.mark();
    }

    fn on_kick(&mut self, player: PlayerId, whom: PlayerId) {
        if !self.options.kicks || self.members.host() != Some(player) {
            self.refuse(player, Refusal::NotHost);
        } else if whom == player || self.members.get(whom).is_none() {
            self.refuse(player, Refusal::NoSuchPlayer);
        } else {
            self.kick(whom);
        }
    }

    /// Says a line, if that nonce's was not said before; answered either way.
    fn on_say(&mut self, player: PlayerId, nonce: u32, text: &str) {
        let result = match self.chat.said_once(player, nonce) {
            Some(line) => Ok(line),
            None => self.say(player, text),
        };
        if let Ok(line) = result {
            self.chat.note(player, nonce, line);
        }
        self.tell(player, &ServerMessage::Said { nonce, result });
    }

    /// The number of the line in the chat, or why there is none.
    fn say(&mut self, player: PlayerId, text: &str) -> Result<u32, Refusal> {
        let (tick, tick_rate) = (self.tick, self.options.tick_rate);
        let Some(member) = self.members.get_mut(player) else {
            return Err(Refusal::NotForSpectators);
        };
        if tick < member.muted_until {
            self.stats.chat_muted += 1;
            return Err(Refusal::Muted);
        }
        if !member.talk.may(tick, tick_rate) {
            return Err(Refusal::TooOften);
        }
        let identity = member.identity.clone();
        let line = self.chat.say(tick, (player, &identity), &member.name, text);
        let line = line.ok_or(Refusal::BadText)?;
        let number = line.id;
        self.typing.forget(player);
        self.effects.push_back(Effect::Said {
            line: number,
            identity,
            name: line.name.clone(),
            text: line.text.clone(),
        });
        Ok(number)
    }

    /// A hint: nobody hears of one that says nothing.
    fn on_typing(&mut self, player: PlayerId, channel: &str) {
        let (tick, tick_rate) = (self.tick, self.options.tick_rate);
        let member = self.members.get(player);
        let may_chat = member.is_some_and(|member| tick >= member.muted_until);
        if may_chat && channel == CHANNEL_ROOM {
            self.typing.note(player, tick, tick_rate);
        }
    }

    /// What was said is read elsewhere, and answered there: a room waits for no disk.
    fn on_history(&mut self, reader: PlayerId, nonce: u32, before: u32) {
        let now = self.tick;
        let receiver = self.members.receiver_mut(reader);
        let hidden = receiver.and_then(|receiver| receiver.hidden.clone());
        let remembered = self.chat.before(before, hidden.as_ref());
        let remembered = remembered.map(|(line, tick)| Remembered {
            line: line.clone(),
            ticks_ago: now.since(tick),
        });
        self.effects.push_back(Effect::Read(Wanted {
            reader,
            nonce,
            before,
            newest: self.chat.said,
            remembered: remembered.collect(),
        }));
    }

    fn on_resync(&mut self, player: PlayerId, layer: LayerId) -> Result<(), CloseCode> {
        let every = u32::from(self.options.tick_rate) * RESYNC_EVERY_MS / 1000;
        let tick = self.tick;
        let Some(receiver) = self.members.receiver_mut(player) else {
            return Ok(());
        };
        // A group's may have been closed meanwhile: then nothing comes of it.
        if self.game.layout.of(layer).is_none() {
            return Err(CloseCode::OutOfRange);
        }
        let counted = if receiver.resync(layer, tick, every) {
            &mut self.stats.resyncs
        } else {
            &mut self.stats.resyncs_refused
        };
        *counted += 1;
        Ok(())
    }

    fn on_action(
        &mut self,
        player: PlayerId,
        id: u32,
        action: u16,
        bytes: &[u8],
    ) -> Result<(), CloseCode> {
        let number = usize::from(action);
        let (Some(declared), Some(run)) = (
            self.game.schema.actions.get(number),
            self.game.actions.get(number),
        ) else {
            self.refuse(player, Refusal::NoSuchAction);
            return Ok(());
        };
        let declared = &declared.request;
        let rest =
            unpack(&declared.fields, bytes, &mut self.values).map_err(|_| CloseCode::Malformed)?;
        let (payload, rest) =
            take_payload(declared.payload.as_ref(), rest).map_err(|_| CloseCode::Malformed)?;
        let Some(member) = self.members.get(player).filter(|_| rest.is_empty()) else {
            return Err(CloseCode::Malformed);
        };
        let who = member.who();
        let slots = &self.capture.slots;
        let values = &self.values;
        let result = resources::with(&mut self.world, |world| {
            run.run(world, slots, &who, declared, values, payload)
        });
        let result = result.ok_or(CloseCode::Malformed)?;
        let result = result.map_err(|why| why.chars().take(REPLY_CHARS_MAX).collect());
        self.tell(player, &ServerMessage::Reply { id, result });
        Ok(())
    }

    pub(super) fn refuse(&mut self, player: PlayerId, reason: Refusal) {
        self.tell(player, &ServerMessage::Refused { reason });
    }

    pub(super) fn tell(&mut self, to: PlayerId, message: &ServerMessage) {
        let bytes = Bytes::from(encode_server(message));
        self.effects.push_back(Effect::Control { to, bytes });
    }
}

/// The queue is the lobby's.
fn not_in_rooms(nonce: u32) -> ServerMessage {
    let state = QueueState::Out {
        why: OutOfQueue::InRoom,
        own: true,
        again_ms: 0,
    };
    ServerMessage::Queue { nonce, state }
}
