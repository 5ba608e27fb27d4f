//! Why a connection ends: the WebSocket close codes that Tickwire sends. Each is declared once,
//! here; all else that names them is made of it, or held to it by a test: the SDK's
//! `protocol/close_code.js` by `shared/vectors/close_codes.json`, the table in `PROTOCOL.md` §9 and
//! the pages that name a number by `shared/tests/codec`.

use std::fmt;

/// Whether a client that is closed so comes back by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Back {
    /// It does.
    Yes,
    /// Another try would end the same, or is not wanted.
    No,
    /// It does not: it broke a rule, and would again.
    Fault,
}

/// What becomes of the seat of a player whose connection the server closes so. It is also held when
/// the connection is lost, and when the client closes it with another code than 1000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeatAfter {
    /// Somebody else may have it.
    GivenUp,
    /// It waits for its player for a while.
    Held,
    /// Another connection of its player has it.
    GoesOn,
}

macro_rules! close_codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $reason:literal, back: $back:ident, seat: $seat:ident;)*) => {
        /// A close code, RFC 6455 §7.4 below 4000, Tickwire's own above.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum CloseCode {
            $($(#[$doc])* $name = $number,)*
        }

        impl CloseCode {
            /// Every code, by rising number.
            pub const ALL: [CloseCode; [$($number),*].len()] = [$(CloseCode::$name),*];

            const fn row(self) -> (&'static str, Back, SeatAfter) {
                match self {
                    $(CloseCode::$name => ($reason, Back::$back, SeatAfter::$seat),)*
                }
            }
        }
    };
}

close_codes! {
    /// The client said goodbye.
    Normal = 1000, "goodbye", back: No, seat: GivenUp;
    /// The WebSocket protocol was broken.
    Protocol = 1002, "websocket protocol error", back: Fault, seat: GivenUp;
    /// A text frame came; all messages are binary.
    Text = 1003, "text frames are not spoken here", back: Fault, seat: GivenUp;
    /// A text that is not UTF-8.
    NotUtf8 = 1007, "text is not UTF-8", back: Fault, seat: GivenUp;
    /// A message was larger than [`crate::limits::CLIENT_MESSAGE_BYTES_MAX`].
    TooBig = 1009, "message too big", back: Fault, seat: GivenUp;
    /// A part of the server failed: it starts anew; try again after the hint.
    ServerFailed = 1011, "server failed", back: Yes, seat: GivenUp;
    /// The server stops; try again after the hint.
    Restart = 1012, "server restarts", back: Yes, seat: GivenUp;
    /// A message could not be decoded.
    Malformed = 4000, "malformed message", back: Fault, seat: GivenUp;
    /// The client speaks another version.
    Version = 4001, "protocol version not supported", back: Fault, seat: GivenUp;
    /// A message that is not allowed now: input outside a room, no hello, a second hello.
    OutOfOrder = 4002, "message not allowed now", back: Fault, seat: GivenUp;
    /// A number that cannot be: an ack of what was not sent, a tick far ahead.
    OutOfRange = 4003, "number out of range", back: Fault, seat: GivenUp;
    /// No hello in time.
    HelloTimeout = 4004, "no hello in time", back: Yes, seat: GivenUp;
    /// The server has as many connections as it may, or this one had to go for others.
    ServerFull = 4005, "server is full", back: Yes, seat: GivenUp;
    /// Another socket took over the session.
    Superseded = 4006, "session continued elsewhere", back: No, seat: GoesOn;
    /// The hello's token is expired, forged or not taken here.
    Unauthorised = 4007, "token not accepted", back: Fault, seat: GivenUp;
    /// Too many messages or bytes.
    TooMany = 4008, "too many messages", back: Fault, seat: GivenUp;
    /// Nothing was read for too long.
    Stalled = 4010, "nothing was read for too long", back: Yes, seat: Held;
    /// An operator sent them away; they may come back.
    Kicked = 4011, "removed by an operator", back: No, seat: GivenUp;
    /// An operator keeps this player or their address out.
    Banned = 4012, "banned by an operator", back: No, seat: GivenUp;
    /// The server has no game of the name that the hello says.
    NoSuchGame = 4013, "no such game here", back: No, seat: GivenUp;
    /// The game failed; the room is gone.
    RoomFailed = 4500, "the room failed", back: No, seat: GivenUp;
}

impl CloseCode {
    /// The number on the wire.
    pub fn number(self) -> u16 {
        self as u16
    }

    /// The code with this number, `None` if it is none of Tickwire's.
    pub fn of(number: u16) -> Option<CloseCode> {
        CloseCode::ALL
            .into_iter()
            .find(|code| code.number() == number)
    }

    /// The reason sent with it, at most 123 bytes.
    pub fn reason(self) -> &'static str {
        self.row().0
    }

    /// Whether a client that is closed so does not come back by itself: another try would end the
    /// same, or is not wanted.
    pub fn is_final(self) -> bool {
        self.row().1 != Back::Yes
    }

    /// Whether the client broke a rule, or is none that the server serves.
    pub fn is_clients_fault(self) -> bool {
        self.row().1 == Back::Fault
    }

    /// What becomes of the player's seat.
    pub fn seat(self) -> SeatAfter {
        self.row().2
    }

    /// Whether the server holds the seat of a player whose connection it closes so.
    pub fn holds_seat(self) -> bool {
        self.seat() == SeatAfter::Held
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.number(), self.reason())
    }
}
