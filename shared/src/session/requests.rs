//! What a driver asks of a session: inputs, lobby and room requests. Each is encoded at once and
//! waits for [`Session::poll_transmit`].

use super::{RequestError, Session, State, TRANSMITS_MAX};
use crate::codec;
use crate::ids::{PlayerId, RoomId, Tick};
use crate::limits::PAYLOAD_BYTES_MAX;
use crate::protocol::client_message::{Condition, JoinAs, NewRoom};
use crate::protocol::{
    CHANNEL_ROOM, ClientMessage, PartyRequest, PeopleRequest, QueueRequest, frame,
};
use crate::schema::Field;
use crate::snapshot::fields;

/// Packs the integers of a schema's options; `None` if they are not that.
pub fn pack_options(declared: &[Field], values: &[i32]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    fields::fit(declared, values).then(|| fields::pack(declared, values, &mut bytes))?;
    Some(bytes)
}

impl Session {
    /// Sends the input of a tick that [`Session::next_input`] gave: the integers of the schema's
    /// input fields, and how far behind the newest snapshot the player sees the others, in 1/64
    /// ticks (below 0 ahead of it). It carries the acknowledgement.
    pub fn send_input(
        &mut self,
        tick: Tick,
        values: &[i32],
        view_lag: i16,
    ) -> Result<(), RequestError> {
        let (Some(welcome), Some(room), false) = (&self.welcome, &mut self.room, self.failed)
        else {
            return Err(RequestError::NotNow);
        };
        if room.spectates() {
            return Err(RequestError::NotForSpectators);
        }
        let declared = &welcome.game.schema.input;
        if !fields::fit(declared, values) {
            return Err(RequestError::BadFields);
        }
        if self.transmits.len() >= TRANSMITS_MAX {
            return Err(RequestError::TooMuchWaiting);
        }
        let head = frame::InputHead {
            tick,
            ack: room.acknowledge(),
            view_lag,
        };
        let mut bytes = Vec::with_capacity(frame::INPUT_HEAD_BYTES + 8);
        head.encode(&mut bytes);
        fields::pack(declared, values, &mut bytes);
        self.transmits.push_back(bytes);
        self.stats.inputs += 1;
        Ok(())
    }

    /// Asks for the listed rooms that meet all of `filter`; answered by [`super::Event::Rooms`].
    pub fn list_rooms(&mut self, filter: &[Condition]) -> Result<(), RequestError> {
        let filter = filter.to_vec();
        self.request(State::Lobby, &ClientMessage::ListRooms { filter })
    }

    /// Makes a room and joins it. Answered by [`super::Event::Joined`] or
    /// [`super::Event::Refused`].
    pub fn create(&mut self, room: &NewRoom) -> Result<(), RequestError> {
        self.request(State::Lobby, &ClientMessage::CreateRoom(room.clone()))
    }

    /// Joins a listed room; answered by [`super::Event::Joined`] or [`super::Event::Refused`].
    pub fn join(&mut self, room: RoomId) -> Result<(), RequestError> {
        self.request(State::Lobby, &ClientMessage::join_room(room))
    }

    /// The same, as `who`.
    pub fn join_as(&mut self, room: RoomId, who: &JoinAs) -> Result<(), RequestError> {
        let who = who.clone();
        self.request(State::Lobby, &ClientMessage::JoinRoom { room, who })
    }

    /// Joins by a code; answered by [`super::Event::Joined`] or [`super::Event::Refused`].
    pub fn join_code(&mut self, code: &str) -> Result<(), RequestError> {
        self.request(State::Lobby, &ClientMessage::join_code(code))
    }

    /// The same, as `who`.
    pub fn join_code_as(&mut self, code: &str, who: &JoinAs) -> Result<(), RequestError> {
        let (code, who) = (code.to_owned(), who.clone());
        self.request(State::Lobby, &ClientMessage::JoinCode { code, who })
    }

    /// Joins a room with a seat whose host may not kick, or a new one; answered by
    /// [`super::Event::Joined`] or [`super::Event::Refused`].
    pub fn quick_join(&mut self) -> Result<(), RequestError> {
        self.request(State::Lobby, &ClientMessage::quick_join())
    }

    /// The same, of a room that meets all of `filter`; one that is made has these options, packed.
    pub fn quick_join_as(
        &mut self,
        filter: &[Condition],
        who: &JoinAs,
        options: &[u8],
    ) -> Result<(), RequestError> {
        self.request(
            State::Lobby,
            &ClientMessage::QuickJoin {
                filter: filter.to_vec(),
                who: who.clone(),
                options: options.to_vec(),
            },
        )
    }

    /// Goes back to the lobby; answered by [`super::Event::Left`]. Until then snapshots go on, but
    /// nothing of the room is sent any more.
    pub fn leave(&mut self) -> Result<(), RequestError> {
        self.request(State::Room, &ClientMessage::LeaveRoom)?;
        if let Some(room) = &mut self.room {
            room.leaving = true;
        }
        Ok(())
    }

    /// Says whether the player is ready for the next round.
    pub fn ready(&mut self, ready: bool) -> Result<(), RequestError> {
        self.request_of_player(&ClientMessage::Ready { ready })
    }

    /// Sends a player back to the lobby; only the host may.
    pub fn kick(&mut self, player: PlayerId) -> Result<(), RequestError> {
        self.request_of_player(&ClientMessage::Kick { player })
    }

    /// Says something to everyone in the room.
    pub fn chat(&mut self, text: &str) -> Result<(), RequestError> {
        let text = text.to_owned();
        self.request_of_player(&ClientMessage::Chat { text })
    }

    /// The same, once however often it is sent with this nonce in this seat, if no other line was
    /// said in between; answered by [`super::Event::Said`]. For servers with
    /// [`feature::CHANNELS`](crate::protocol::feature::CHANNELS).
    pub fn say_once(&mut self, nonce: u32, text: &str) -> Result<(), RequestError> {
        self.request_of_player(&ClientMessage::Say {
            channel: CHANNEL_ROOM.to_owned(),
            nonce,
            text: text.to_owned(),
        })
    }

    /// Asks for a page of what was said in the room, of the lines before this number or, with 0,
    /// of the newest ones; answered by [`super::Event::Lines`], before which no other one is asked
    /// for. For servers with [`feature::LINES`](crate::protocol::feature::LINES).
    pub fn history(&mut self, nonce: u32, before: u32) -> Result<(), RequestError> {
        let channel = CHANNEL_ROOM.to_owned();
        self.request(
            State::Room,
            &ClientMessage::History {
                channel,
                nonce,
                before,
            },
        )
    }

    /// Says that the player is writing a line: every few seconds while they do.
    pub fn typing(&mut self) -> Result<(), RequestError> {
        let channel = CHANNEL_ROOM.to_owned();
        self.request_of_player(&ClientMessage::Typing { channel })
    }

    /// Says something to the matchmaking queue, for servers with
    /// [`feature::QUEUE`](crate::protocol::feature::QUEUE); what becomes of it is told by
    /// [`super::Event::Queue`].
    pub fn queue(&mut self, request: &QueueRequest) -> Result<(), RequestError> {
        self.request(State::Lobby, &ClientMessage::Queue(request.clone()))
    }

    /// Says something of parties, in the lobby or a room, for servers with
    /// [`feature::PARTIES`](crate::protocol::feature::PARTIES); what becomes of it is told by
    /// [`super::Event::Party`].
    pub fn party(&mut self, request: &PartyRequest) -> Result<(), RequestError> {
        self.request_anywhere(&ClientMessage::Party(request.clone()))
    }

    /// Says whom the client watches from now on, in the lobby or a room, for servers with
    /// [`feature::WATCH`](crate::protocol::feature::WATCH); how they stand is told by
    /// [`super::Event::Presence`].
    pub fn watch(&mut self, handles: &[String]) -> Result<(), RequestError> {
        let handles = handles.to_vec();
        self.request_anywhere(&ClientMessage::Watch { handles })
    }

    /// Makes a request of the game: the index of the action in the schema, the integers of its
    /// fields, and its payload if it declares one (empty otherwise). Answered by
    /// [`super::Event::Reply`] with the same id.
    pub fn act(
        &mut self,
        id: u32,
        action: u16,
        values: &[i32],
        payload: &[u8],
    ) -> Result<(), RequestError> {
        let declared = self
            .schema()
            .and_then(|schema| schema.actions.get(usize::from(action)))
            .ok_or(RequestError::BadFields)?;
        let declared = &declared.request;
        let fits = match &declared.payload {
            None => payload.is_empty(),
            Some(of) => {
                payload.len() <= PAYLOAD_BYTES_MAX
                    && (!of.json || std::str::from_utf8(payload).is_ok())
            }
        };
        if !fits || !fields::fit(&declared.fields, values) {
            return Err(RequestError::BadFields);
        }
        let mut fields = Vec::new();
        fields::pack(&declared.fields, values, &mut fields);
        if declared.payload.is_some() {
            fields::push_payload(payload, &mut fields);
        }
        self.request_of_player(&ClientMessage::Act { id, action, fields })
    }

    /// Reads the answer to an action: the integers of its fields, and its payload, if it declares
    /// one. `None` if it is not what the schema declares.
    pub fn read_answer(&self, action: u16, bytes: &[u8]) -> Option<(Vec<i32>, Option<Vec<u8>>)> {
        let declared = self.schema()?.actions.get(usize::from(action))?;
        let mut values = Vec::new();
        let rest = fields::unpack(&declared.answer, bytes, &mut values).ok()?;
        let payload = fields::take_payload(declared.answer_payload.as_ref(), rest);
        let (payload, rest) = payload.ok()?;
        let payload = payload.map(<[u8]>::to_vec);
        rest.is_empty().then_some((values, payload))
    }

    /// Asks for a [`super::Event::Pong`] with the same nonce, from the lobby or a room.
    pub fn ping(&mut self, nonce: u32) -> Result<(), RequestError> {
        self.request(self.state(), &ClientMessage::Ping { nonce })
    }

    /// Says that all notices up to this number were shown, from the lobby or a room: they do not
    /// come again.
    pub fn notices_seen(&mut self, number: u32) -> Result<(), RequestError> {
        self.request_anywhere(&ClientMessage::NoticesSeen { number })
    }

    /// Says something in a channel other than the room's, from the lobby or a room; answered by
    /// [`super::Event::Said`]. For servers with
    /// [`feature::PEOPLE`](crate::protocol::feature::PEOPLE), as the next two.
    pub fn say_in(&mut self, channel: &str, nonce: u32, text: &str) -> Result<(), RequestError> {
        self.request_anywhere(&ClientMessage::Say {
            channel: channel.to_owned(),
            nonce,
            text: text.to_owned(),
        })
    }

    /// Asks for a page of what was said in such a channel, as [`Session::history`] of the room's;
    /// answered by [`super::Event::Past`].
    pub fn history_of(
        &mut self,
        channel: &str,
        nonce: u32,
        before: u32,
    ) -> Result<(), RequestError> {
        self.request_anywhere(&ClientMessage::History {
            channel: channel.to_owned(),
            nonce,
            before,
        })
    }

    /// Says that the player is writing a line in such a channel: every few seconds while they do. For
    /// servers with [`feature::TALKS`](crate::protocol::feature::TALKS).
    pub fn typing_in(&mut self, channel: &str) -> Result<(), RequestError> {
        let channel = channel.to_owned();
        self.request_anywhere(&ClientMessage::Typing { channel })
    }

    /// Asks something of other people, from the lobby or a room; answered by
    /// [`super::Event::People`].
    pub fn people(&mut self, request: PeopleRequest) -> Result<(), RequestError> {
        self.request_anywhere(&ClientMessage::People(request))
    }

    /// A request that the room takes of its members alone.
    fn request_of_player(&mut self, message: &ClientMessage) -> Result<(), RequestError> {
        match &self.room {
            Some(room) if room.spectates() => Err(RequestError::NotForSpectators),
            _ => self.request(State::Room, message),
        }
    }

    /// In the lobby or a room, also on the way out of it.
    fn request_anywhere(&mut self, message: &ClientMessage) -> Result<(), RequestError> {
        match self.state() {
            State::Lobby | State::Room => self.push(message),
            _ => Err(RequestError::NotNow),
        }
    }

    pub(super) fn request(
        &mut self,
        only_in: State,
        message: &ClientMessage,
    ) -> Result<(), RequestError> {
        let state = self.state();
        let leaving = self.room.as_ref().is_some_and(|room| room.leaving);
        if state != only_in || leaving || !matches!(state, State::Lobby | State::Room) {
            return Err(RequestError::NotNow);
        }
        self.push(message)
    }

    fn push(&mut self, message: &ClientMessage) -> Result<(), RequestError> {
        if self.transmits.len() >= TRANSMITS_MAX {
            return Err(RequestError::TooMuchWaiting);
        }
        self.transmits.push_back(codec::encode_client(message));
        Ok(())
    }
}
