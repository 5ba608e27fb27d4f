//! What is said on the wire, as types: `PROTOCOL.md` gives their bytes, [`crate::codec`] makes
//! and reads them. The first byte of every message is its [`Kind`].

pub mod client_message;
pub mod close_code;
pub mod frame;
pub mod party;
pub mod people;
pub mod queue;
pub mod refusal;
pub mod server_message;
pub mod watch;

pub use client_message::ClientMessage;
pub use close_code::CloseCode;
pub use party::{OutOfParty, PartyMember, PartyRequest, PartyRoom, PartyState};
pub use people::{PeopleNews, PeopleRequest};
pub use queue::{OutOfQueue, QueueRequest, QueueState};
pub use server_message::ServerMessage;
pub use watch::{LobbyPeople, PeerAt, PeerPresence};

/// Protocol version, spoken in hello and welcome and in the WebSocket's subprotocol.
pub const VERSION: u16 = 2;
/// The WebSocket subprotocol that both ends must name.
pub const SUBPROTOCOL: &str = "tickwire.2";

/// Indices of control messages from here to [`RESERVED_TO`] carry their length, and are skipped by
/// who does not know them.
pub const RESERVED_FROM: u8 = 128;
/// The last of them: what bincode writes in one byte.
pub const RESERVED_TO: u8 = 250;
/// The first index of that range that is given to a message. The one before is nobody's: the
/// vectors of the base show it as unknown.
pub const LATER_FROM: u8 = RESERVED_FROM + 1;

/// How an enum's variants are numbered on the wire.
pub trait Numbered {
    /// Variants of the base, whose place in the enum is their index.
    const BASE: u8;
    /// The index of each variant behind them, which came later, in their order: rising, of the
    /// reserved range from [`LATER_FROM`] on. What belongs together may begin at a number of its
    /// own.
    const LATER: &'static [u8];
}

/// What an end may understand beyond the base: bits of `Hello.features` and `Welcome.features`.
pub mod feature {
    /// Layers from 3 on. Who lacks it is sent layers 0 to 2 only.
    pub const LAYERS: u32 = 1;
    /// `Redirect`. Who lacks it is not sent one.
    pub const REDIRECT: u32 = 1 << 1;
    /// `Prepare`, and `Redirect` with it. Who lacks it is not sent one.
    pub const PREPARE: u32 = 1 << 2;
    /// `Notice`. Who lacks it is not sent one.
    pub const NOTICES: u32 = 1 << 3;
    /// `Say`, answered by `Said`. To who lacks it none is said.
    pub const CHANNELS: u32 = 1 << 4;
    /// `History`, answered by `Lines`. To who lacks it none is said.
    pub const LINES: u32 = 1 << 5;
    /// The `Queue` of both sides. Who lacks it is told nothing of one.
    pub const QUEUE: u32 = 1 << 6;
    /// The `People` of both sides, and the channels of the lobby and of two players, answered by
    /// `Past`. Who lacks it is told nothing of them.
    pub const PEOPLE: u32 = 1 << 7;
    /// The `Party` of both sides. Who lacks it is told nothing of one.
    pub const PARTIES: u32 = 1 << 8;
    /// `Watch`, answered by `Presence`. To who lacks it none is said.
    pub const WATCH: u32 = 1 << 9;
    /// `Typing` in channels beyond rooms, answered by nobody and told by `PeerTyping`, and the channel
    /// of a party. Who lacks it, or [`PEOPLE`], is told nothing of them.
    pub const TALKS: u32 = 1 << 10;
    /// The lobby among those whom `Watch` names, told by `Lobby`. To who lacks it none is said.
    pub const LOBBY: u32 = 1 << 11;
    /// All that this crate does.
    pub const ALL: u32 = LAYERS
        | REDIRECT
        | PREPARE
        | NOTICES
        | CHANNELS
        | LINES
        | QUEUE
        | PEOPLE
        | PARTIES
        | WATCH
        | TALKS
        | LOBBY;
}

/// The channel of the room in which a player is, in `Say` and `History`.
pub const CHANNEL_ROOM: &str = "room";
/// That of the lobby of the client's game.
pub const CHANNEL_LOBBY: &str = "lobby";
/// What stands before a player's handle in the channel of the two.
pub const CHANNEL_OF_TWO: char = '@';
/// What stands before the name of a party's channel.
pub const CHANNEL_OF_PARTY: char = '&';

/// First byte of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A [`ClientMessage`] or [`ServerMessage`] in bincode.
    Control = 1,
    /// Client: an input. Server: a snapshot.
    State = 2,
    /// Client: an acknowledgement alone.
    Ack = 3,
}

impl Kind {
    /// The kind of a first byte.
    pub fn from_byte(byte: u8) -> Option<Kind> {
        match byte {
            1 => Some(Kind::Control),
            2 => Some(Kind::State),
            3 => Some(Kind::Ack),
            _ => None,
        }
    }
}
