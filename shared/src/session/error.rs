//! What can go wrong in a session: with the server's bytes, and with the driver's requests.

use std::fmt;

use crate::protocol::CloseCode;
use crate::protocol::frame::FrameError;
use crate::snapshot::DecodeError;

/// The server said something that this client can't go on from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionError {
    /// A control message that can't be decoded, or with more in it than the protocol allows.
    Control,
    /// A message or snapshot that is cut or mixed up.
    Frame(FrameError),
    /// A layer's section whose head can't be read, or an event that can't be decoded.
    Snapshot(DecodeError),
    /// A message that has no place here.
    Unexpected,
    /// The server speaks this version.
    Version(u16),
    /// The game's schema makes no sense; which part.
    Schema(String),
    /// The welcome leaves out a schema or tables that were not offered.
    NoSchema,
    /// A snapshot that is not newer than the last one, or beyond [`super::TICK_MAX`].
    BadTick,
    /// An event's number that the schema does not have, or one from before the first tick.
    UnknownEvent,
}

impl SessionError {
    /// What to close the socket with.
    pub fn close_code(&self) -> CloseCode {
        match self {
            SessionError::Version(_) => CloseCode::Version,
            SessionError::Unexpected => CloseCode::OutOfOrder,
            SessionError::BadTick => CloseCode::OutOfRange,
            _ => CloseCode::Malformed,
        }
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SessionError::Control => f.write_str("not a control message"),
            SessionError::Frame(error) => error.fmt(f),
            SessionError::Snapshot(error) => error.fmt(f),
            SessionError::Unexpected => f.write_str("a message that is not allowed now"),
            SessionError::Version(version) => write!(f, "the server speaks version {version}"),
            SessionError::Schema(what) => write!(f, "bad schema: {what}"),
            SessionError::NoSchema => f.write_str("a welcome without a schema that is known"),
            SessionError::BadTick => f.write_str("a snapshot's tick that cannot be"),
            SessionError::UnknownEvent => f.write_str("an event that the schema does not have"),
        }
    }
}

impl std::error::Error for SessionError {}

/// Why a request was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// It belongs to the lobby and the player is in a room, or the other way round; or the
    /// connection is not that far, or over.
    NotNow,
    /// It is for those who have a seat, and the client only looks on.
    NotForSpectators,
    /// [`super::TRANSMITS_MAX`] messages wait already.
    TooMuchWaiting,
    /// Not the fields that the schema declares, or one above its greatest.
    BadFields,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RequestError::NotNow => "not possible now",
            RequestError::NotForSpectators => "not for who looks on without a seat",
            RequestError::TooMuchWaiting => "too many messages wait to be sent",
            RequestError::BadFields => "not the fields of the schema",
        })
    }
}

impl std::error::Error for RequestError {}
