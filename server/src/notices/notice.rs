//! What may be said to whom, and what came of it. Pure.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use tickwire::codec::encode_server;
use tickwire::ids::RoomId;
use tickwire::limits::NOTICE_CHARS_MAX;
use tickwire::protocol::ServerMessage;

use super::event::GameEvent;
use crate::auth::Identity;
use crate::date::Date;
use crate::presence::Letter;
use crate::text;

/// The longest that a notice is kept for who is away: two weeks. What shall be kept longer ends
/// then.
pub(crate) const TTL_MAX: Duration = Duration::from_secs(14 * 24 * 3600);
/// Who lost their connection in a room so long ago is still one of those who are meant by it: their
/// seat may be held.
pub(super) const LOST_WITHIN: Duration = Duration::from_secs(60);

/// Whom something is said to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum To {
    /// Everybody, of all nodes.
    Everybody,
    /// Everybody of the game of this name.
    Game(Box<str>),
    /// Those who are in a room, on their way to it, or lost their connection there just now.
    Room(RoomId),
    /// A player, at all their connections.
    Player(Identity),
}

impl fmt::Display for To {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            To::Everybody => f.write_str("everybody"),
            To::Game(game) => write!(f, "game {game}"),
            To::Room(room) => write!(f, "room {room}"),
            To::Player(player) => write!(f, "{player}"),
        }
    }
}

/// What becomes of it for who is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// It is lost to them. So it may be to who is slow.
    NowOnly,
    /// They get it when they come, within so long ([`TTL_MAX`] at most). Who has not seen it by
    /// then does not get it. To everybody or a game: whoever comes.
    Durable {
        /// Whole seconds.
        ttl: Duration,
    },
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// Tidied like a line of chat, at most 200 characters then; may be empty beside an event.
    pub(crate) text: String,
    /// For those of its game alone.
    pub(crate) event: Option<GameEvent>,
    /// What becomes of it.
    pub(crate) class: Class,
}

/// How many it reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Reached {
    /// Connections to which it is on its way.
    pub(crate) now: u32,
    /// Of who is known: connections that get it when they have taken what is before it, or when a
    /// client comes that understands it, and players who get it when they come.
    pub(crate) later: u32,
}

/// Why something was not said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// A text that is too long when it is tidied, or of which nothing is left and no event.
    BadText,
    /// An event of another game than it is for.
    OtherGame,
    /// There is no game of this name.
    NoSuchGame,
    /// The player has as many notices as are kept for one.
    PlayerFull,
    /// As many are kept as can be, or as many for everybody.
    Full,
    /// The store takes nothing now.
    NotStored,
    /// The node that knows who is connected to which does not answer.
    NoHome,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refused::BadText => "text is not 1 to 200 characters of what can be seen",
            Refused::OtherGame => "the event is of another game",
            Refused::NoSuchGame => "there is no game of this name",
            Refused::PlayerFull => "as many notices wait for the player as are kept for one",
            Refused::Full => "as many notices are kept as can be",
            Refused::NotStored => "it can't be stored now",
            Refused::NoHome => "the cluster does not answer: whether it was told is not known",
        })
    }
}

impl Notice {
    /// The same as it is told.
    pub(super) fn tidied(&self, to: &To) -> Result<Tidied<'_>, Refused> {
        let text = match text::chat_line(&self.text) {
            Some(text) => text,
            None if self.text.is_empty() && self.event.is_some() => String::new(),
            None => return Err(Refused::BadText),
        };
        debug_assert!(text.chars().count() <= NOTICE_CHARS_MAX);
        let event = self.event.as_ref();
        let game = match (to, event) {
            (To::Game(game), Some(event)) if **game != *event.game => {
                return Err(Refused::OtherGame);
            }
            (To::Game(game), _) => Some(game.clone()),
            (_, event) => event.map(|event| event.game.clone()),
        };
        Ok(Tidied {
            text,
            event,
            game,
            class: self.class,
        })
    }
}

/// One that can be said.
pub(super) struct Tidied<'a> {
    pub(super) text: String,
    pub(super) event: Option<&'a GameEvent>,
    /// The only one whose connections are meant.
    pub(super) game: Option<Box<str>>,
    pub(super) class: Class,
}

impl Tidied<'_> {
    /// As it goes out.
    pub(super) fn letter(&self, number: u32, now: Date) -> Letter {
        letter(number, now, self.text.clone(), self.event)
    }
}

/// What was said then, as it goes out.
pub(super) fn letter(number: u32, at: Date, text: String, event: Option<&GameEvent>) -> Letter {
    let message = ServerMessage::Notice {
        number,
        at: u32::try_from(at.0).unwrap_or(u32::MAX),
        text,
        event: event.map(|event| event.packed.clone()),
    };
    Letter {
        number,
        bytes: encode_server(&message).into(),
    }
}
