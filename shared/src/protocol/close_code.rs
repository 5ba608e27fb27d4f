//! Why a connection ends: the WebSocket close codes that Tickwire sends.

use std::fmt;

/// A close code, RFC 6455 §7.4 below 4000, Tickwire's own above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum CloseCode {
    /// The client said goodbye.
    Normal = 1000,
    /// The WebSocket protocol was broken.
    Protocol = 1002,
    /// A text frame came; all messages are binary.
    Text = 1003,
    /// A text that is not UTF-8.
    NotUtf8 = 1007,
    /// A message was larger than [`crate::limits::CLIENT_MESSAGE_BYTES_MAX`].
    TooBig = 1009,
    /// A part of the server failed: it starts anew; try again after the hint.
    ServerFailed = 1011,
    /// The server stops; try again after the hint.
    Restart = 1012,
    /// A message could not be decoded.
    Malformed = 4000,
    /// The client speaks another version.
    Version = 4001,
    /// A message that is not allowed now: input outside a room, no hello, a second hello.
    OutOfOrder = 4002,
    /// A number that cannot be: an ack of what was not sent, a tick far ahead.
    OutOfRange = 4003,
    /// No hello in time.
    HelloTimeout = 4004,
    /// The server has as many connections as it may, or this one had to go for others.
    ServerFull = 4005,
    /// Another socket took over the session.
    Superseded = 4006,
    /// The hello's token is expired, forged or not taken here.
    Unauthorised = 4007,
    /// Too many messages or bytes.
    TooMany = 4008,
    /// Nothing was read for too long.
    Stalled = 4010,
    /// An operator sent them away; they may come back.
    Kicked = 4011,
    /// An operator keeps this player or their address out.
    Banned = 4012,
    /// The game failed; the room is gone.
    RoomFailed = 4500,
}

impl CloseCode {
    /// Every code, for counters.
    pub const ALL: [CloseCode; 20] = [
        CloseCode::Normal,
        CloseCode::Protocol,
        CloseCode::Text,
        CloseCode::NotUtf8,
        CloseCode::TooBig,
        CloseCode::ServerFailed,
        CloseCode::Restart,
        CloseCode::Malformed,
        CloseCode::Version,
        CloseCode::OutOfOrder,
        CloseCode::OutOfRange,
        CloseCode::HelloTimeout,
        CloseCode::ServerFull,
        CloseCode::Superseded,
        CloseCode::Unauthorised,
        CloseCode::TooMany,
        CloseCode::Stalled,
        CloseCode::Kicked,
        CloseCode::Banned,
        CloseCode::RoomFailed,
    ];

    /// The number on the wire.
    pub fn number(self) -> u16 {
        self as u16
    }

    /// The reason sent with it, at most 123 bytes.
    pub fn reason(self) -> &'static str {
        match self {
            CloseCode::Normal => "goodbye",
            CloseCode::Protocol => "websocket protocol error",
            CloseCode::Text => "text frames are not spoken here",
            CloseCode::NotUtf8 => "text is not UTF-8",
            CloseCode::TooBig => "message too big",
            CloseCode::ServerFailed => "server failed",
            CloseCode::Restart => "server restarts",
            CloseCode::Malformed => "malformed message",
            CloseCode::Version => "protocol version not supported",
            CloseCode::OutOfOrder => "message not allowed now",
            CloseCode::OutOfRange => "number out of range",
            CloseCode::HelloTimeout => "no hello in time",
            CloseCode::ServerFull => "server is full",
            CloseCode::Superseded => "session continued elsewhere",
            CloseCode::Unauthorised => "token not accepted",
            CloseCode::TooMany => "too many messages",
            CloseCode::Stalled => "nothing was read for too long",
            CloseCode::Kicked => "removed by an operator",
            CloseCode::Banned => "banned by an operator",
            CloseCode::RoomFailed => "the room failed",
        }
    }

    /// Whether a client that is closed so does not come back by itself: another try would end the same, or is not wanted.
    pub fn is_final(self) -> bool {
        match self {
            CloseCode::Normal
            | CloseCode::Protocol
            | CloseCode::Text
            | CloseCode::NotUtf8
            | CloseCode::TooBig
            | CloseCode::Malformed
            | CloseCode::Version
            | CloseCode::OutOfOrder
            | CloseCode::OutOfRange
            | CloseCode::Superseded
            | CloseCode::Unauthorised
            | CloseCode::TooMany
            | CloseCode::Kicked
            | CloseCode::Banned
            | CloseCode::RoomFailed => true,
            CloseCode::ServerFailed
            | CloseCode::Restart
            | CloseCode::HelloTimeout
            | CloseCode::ServerFull
            | CloseCode::Stalled => false,
        }
    }

    /// Whether the server holds the seat of a player whose connection it closes so. It also does when the connection is
    /// lost, and when the client closes it with another code than 1000.
    pub fn holds_seat(self) -> bool {
        self == CloseCode::Stalled
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.number(), self.reason())
    }
}
