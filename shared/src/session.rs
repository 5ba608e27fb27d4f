//! The client's end of a connection as a state machine without sockets and clocks: bots and
//! native clients drive it, the SDK's `session.js` mirrors it.
//!
//! The driver opens the WebSocket, then keeps to one loop: hand in messages with
//! [`Session::handle_message`] and the passing of time with [`Session::handle_timeout`], then drain
//! [`Session::poll_event`] and [`Session::poll_transmit`], ask for due inputs
//! with [`Session::next_input`] if it plays, and sleep until [`Session::poll_timeout`] (or
//! [`Session::next_input_us`]). Times are microseconds from any start, never going back.
//!
//! Not here: sockets, closing handshakes, prediction and interpolation (`client-web/src/netcode`).

mod ack_timing;
mod control;
mod error;
mod event;
mod games;
mod layers;
mod reconnect;
mod redirect;
mod requests;
mod resume;
mod room;
mod snapshot;
mod welcome;

use std::collections::VecDeque;
use std::sync::Arc;

pub use error::{RequestError, SessionError};
pub use event::{Event, NoticeOf, Redirect, decode_events};
pub use games::Games;
pub use reconnect::{
    Backoff, RECONNECT_DELAY_MAX_MS, RECONNECT_DELAY_MS, RECONNECT_FOR_MS, is_final,
};
pub use requests::pack_options;
pub use resume::Ticket;
pub use room::{RoomSession, Seen};

use crate::codec;
use crate::ids::{LayerId, Tick};
use crate::limits::{EVENTS_PER_TICK_MAX, SERVER_MESSAGE_BYTES_MAX};
use crate::protocol::server_message::Limits;
use crate::protocol::{ClientMessage, Kind, VERSION, feature, frame};
use crate::schema::Schema;
use crate::snapshot::image::LayerImage;
use crate::snapshot::layout::Layout;
use games::Known;

/// Messages that wait for [`Session::poll_transmit`]. Beyond: requests are refused, inputs and
/// acknowledgements are dropped, which the protocol allows.
pub const TRANSMITS_MAX: usize = 256;
/// Events that wait for [`Session::poll_event`]. Beyond: the game's are dropped and counted.
pub const EVENTS_WAITING_MAX: usize = 16 * EVENTS_PER_TICK_MAX;

/// No room gets older, so ticks near it can be added to.
pub const TICK_MAX: Tick = Tick(1 << 31);

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// `Hello` is out, `Welcome` has not come.
    Hello,
    /// In the lobby.
    Lobby,
    /// In a room.
    Room,
    /// The server broke the protocol: close the socket.
    Failed,
}

/// What a connection has seen, from its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Snapshots applied.
    pub snapshots: u64,
    /// Their bytes.
    pub snapshot_bytes: u64,
    /// Layer bodies that were keyframes.
    pub keyframes: u64,
    /// Layers that were dropped: by a checksum that disagreed, or a body that made no sense.
    pub desyncs: u64,
    /// Keyframes asked for.
    pub resyncs: u64,
    /// Inputs sent.
    pub inputs: u64,
    /// Ticks whose input the server replaced, of those that a snapshot showed.
    pub substituted: u64,
    /// The game's events dropped because nobody drained them.
    pub events_dropped: u64,
}

/// What the welcome said.
#[derive(Debug)]
struct Welcome {
    features: u32,
    game_name: String,
    name: String,
    token: String,
    game: Arc<Known>,
    limits: Limits,
}

/// What the hello says.
#[derive(Debug)]
struct Hello {
    features: u32,
    game: String,
    name: String,
    token: String,
}

/// See the module's description.
#[derive(Debug)]
pub struct Session {
    failed: bool,
    games: Option<Arc<Games>>,
    /// Who comes, until it is sent.
    hello: Option<Hello>,
    /// The game of which the hello says that it is known.
    offered: Option<Arc<Known>>,
    welcome: Option<Welcome>,
    room: Option<RoomSession>,
    transmits: VecDeque<Vec<u8>>,
    events: VecDeque<Event>,
    stats: Stats,
    /// The shortest round trip that the driver told of.
    round_trip_us: Option<u64>,
    /// A seat was asked for again, of whose room so much was seen.
    resuming: Option<Seen>,
}

impl Session {
    /// A session for a socket that is open or about to be; its `Hello` waits to be sent. The
    /// token is empty for a guest.
    pub fn new(name: &str, token: &str) -> Session {
        Session {
            failed: false,
            games: None,
            hello: Some(Hello {
                features: feature::ALL,
                game: String::new(),
                name: name.to_owned(),
                token: token.to_owned(),
            }),
            offered: None,
            welcome: None,
            room: None,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            stats: Stats::default(),
            round_trip_us: None,
            resuming: None,
        }
    }

    /// The same, one of many in this process: what they hold of a game is held once, and a server
    /// is asked for it once.
    #[must_use]
    pub fn among(mut self, games: &Arc<Games>) -> Session {
        self.games = Some(Arc::clone(games));
        self
    }

    /// The same, of the game of this name; without it, of the only one that the server has, or its
    /// first.
    #[must_use]
    pub fn of_game(mut self, game: &str) -> Session {
        if let Some(hello) = &mut self.hello {
            game.clone_into(&mut hello.game);
        }
        self
    }

    /// The same, with other features than all: bits of [`feature`].
    #[must_use]
    pub fn with_features(mut self, features: u32) -> Session {
        if let Some(hello) = &mut self.hello {
            hello.features = features;
        }
        self
    }

    /// How far the connection has come.
    pub fn state(&self) -> State {
        match (&self.welcome, &self.room) {
            _ if self.failed => State::Failed,
            (None, _) => State::Hello,
            (Some(_), None) => State::Lobby,
            (Some(_), Some(_)) => State::Room,
        }
    }

    /// The name of the game, from the welcome on.
    pub fn game(&self) -> Option<&str> {
        let welcome = self.welcome.as_ref();
        welcome.map(|welcome| welcome.game_name.as_str())
    }

    /// The game, from the welcome on.
    pub fn schema(&self) -> Option<&Schema> {
        self.welcome.as_ref().map(|welcome| &welcome.game.schema)
    }

    /// The columns of the game's layers, from the welcome on.
    pub fn layout(&self) -> Option<&Layout> {
        self.welcome.as_ref().map(|welcome| &welcome.game.layout)
    }

    /// What the server allows, from the welcome on.
    pub fn limits(&self) -> Option<&Limits> {
        self.welcome.as_ref().map(|welcome| &welcome.limits)
    }

    /// What the server understands beyond the base, from the welcome on: bits of [`feature`].
    pub fn features(&self) -> u32 {
        self.welcome.as_ref().map_or(0, |welcome| welcome.features)
    }

    /// The player's name as the server tidied it, from the welcome on.
    pub fn name(&self) -> Option<&str> {
        self.welcome.as_ref().map(|welcome| welcome.name.as_str())
    }

    /// The proof to come back with, from the welcome on; may be empty.
    pub fn token(&self) -> Option<&str> {
        self.welcome.as_ref().map(|welcome| welcome.token.as_str())
    }

    /// The room that the player is in.
    pub fn room(&self) -> Option<&RoomSession> {
        self.room.as_ref()
    }

    /// A layer's image, to plant a fault in: what a client holds is the server's. For tests of what
    /// becomes of it.
    #[doc(hidden)]
    pub fn layer_mut(&mut self, layer: LayerId) -> Option<&mut LayerImage> {
        self.room.as_mut()?.layers.image_mut(layer)
    }

    /// What the connection has seen.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// Takes a whole message in. After an error the session is over: the driver closes the
    /// socket with [`SessionError::close_code`].
    pub fn handle_message(&mut self, bytes: &[u8], now_us: u64) -> Result<(), SessionError> {
        if self.failed {
            return Err(SessionError::Unexpected);
        }
        let result = match bytes.first().copied().and_then(Kind::from_byte) {
            Some(Kind::Control) => match codec::decode_server(bytes) {
                Ok(Some(message)) => self.on_control(message),
                Ok(None) => Ok(()),
                Err(_) => Err(match codec::spoken_version(bytes) {
                    Some(version) if version != VERSION => SessionError::Version(version),
                    _ => SessionError::Control,
                }),
            },
            Some(Kind::State) if bytes.len() > SERVER_MESSAGE_BYTES_MAX => {
                Err(SessionError::Frame(frame::FrameError::TooLong))
            }
            Some(Kind::State) => self.on_snapshot(bytes, now_us),
            _ => Err(SessionError::Frame(frame::FrameError::UnknownKind)),
        };
        self.failed |= result.is_err();
        result
    }

    /// Time has passed: sends what is due.
    pub fn handle_timeout(&mut self, now_us: u64) {
        if self.failed {
            return;
        }
        let Some(room) = self.room.as_mut().filter(|room| !room.leaving) else {
            return;
        };
        while let Some(layer) = room.layers.take_resync(now_us) {
            if self.transmits.len() < TRANSMITS_MAX {
                self.stats.resyncs += 1;
                let resync = ClientMessage::Resync { layer };
                self.transmits.push_back(codec::encode_client(&resync));
            }
        }
        if let Some(ack) = room.take_ack(now_us) {
            let mut bytes = Vec::with_capacity(5);
            frame::encode_ack(ack, &mut bytes);
            if self.transmits.len() < TRANSMITS_MAX {
                self.transmits.push_back(bytes);
            }
        }
    }

    /// When [`Session::handle_timeout`] has something to do, `None` for not before the next
    /// message.
    pub fn poll_timeout(&self) -> Option<u64> {
        let room = self.room.as_ref().filter(|room| !room.leaving)?;
        match (room.ack_due_us(), room.layers.resync_due_us()) {
            (Some(ack), Some(resync)) => Some(ack.min(resync)),
            (ack, resync) => ack.or(resync),
        }
    }

    /// The next message to send.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        match self.hello.take() {
            Some(hello) => Some(self.say(hello)),
            None => self.transmits.pop_front(),
        }
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// A [`Session::ping`] was answered after so many microseconds: the first inputs of a room, of
    /// whose way nothing else is known yet, leave early enough for it.
    pub fn on_round_trip(&mut self, rtt_us: u64) {
        let least = self.round_trip_us.map_or(rtt_us, |us| us.min(rtt_us));
        self.round_trip_us = Some(least);
        if let Some(room) = &mut self.room {
            room.on_round_trip(least);
        }
    }

    /// The tick that an input is due for. To be answered by [`Session::send_input`] and asked
    /// again until it is `None`. Who only watches never asks.
    pub fn next_input(&mut self, now_us: u64) -> Option<Tick> {
        if self.failed {
            return None;
        }
        self.room.as_mut()?.next_input(now_us)
    }

    /// When [`Session::next_input`] will give one, `None` for not before the next snapshot.
    pub fn next_input_us(&self) -> Option<u64> {
        self.room.as_ref()?.next_input_us()
    }
}
