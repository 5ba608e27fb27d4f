//! What a node asks of another: for a player who is on the way there a room, or a seat; for a
//! program, that a room is told something. The answer to the first is the room; the seat in it is
//! kept for them until their ticket is void. What a program says, and its answer, are `http::api`'s.
//! As bytes with a format number; they travel between nodes that have one key, and are trusted no
//! more than a client's. The lobby asks and answers; who carries it is the cluster's.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tickwire::codec::{append_saved, take_saved};
use tickwire::ids::RoomId;
use tickwire::protocol::client_message::{Condition, NewRoom};
use tickwire::protocol::server_message::Refusal;

/// Rises with every change of what follows it. One of another format is not read; the asker makes
/// do alone.
pub(crate) const FORMAT: u16 = 2;
/// Bytes of what is asked: a client's message and who they are, or what a program says, of which
/// there are at most 16 KiB, and which one it is.
pub(crate) const ASK_BYTES_MAX: usize = 20 * 1024;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Asked {
    Player(Ask),
    /// In the bytes of whoever serves programs.
    Program(Vec<u8>),
}

impl Asked {
    /// What is asked for a player.
    pub(crate) fn of_player(self) -> Option<Ask> {
        match self {
            Asked::Player(ask) => Some(ask),
            Asked::Program(_) => None,
        }
    }
}

/// For whom what is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ask {
    /// Of which game, by its name.
    pub(crate) game: String,
    /// Who they are, as `guest:…` or `user:…`.
    pub(crate) who: String,
    /// What they are called, by which a room is that has no name.
    pub(crate) name: String,
    pub(crate) what: What,
}

/// What a player needs there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum What {
    /// A room to be made, which the door has counted among its maker's.
    Room {
        /// How. With `or_join` the asked node is the home of its name.
        new: NewRoom,
        /// For want of one that meets these.
        made_for: Vec<Condition>,
        /// Whose it is in lists.
        network: Option<u64>,
    },
    /// A seat in this room.
    Seat(RoomId),
}

/// A seat that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Given {
    /// In this room.
    pub(crate) room: RoomId,
    /// Which was made for it.
    pub(crate) is_new: bool,
}

/// A seat, or why none is given.
pub(crate) type Answer = Result<Given, Refusal>;

/// The bytes are no [`Asked`], or no [`Answer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AskError {
    /// Of another version's.
    Format(u16),
    /// Not what this version writes.
    Malformed,
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AskError::Format(format) => write!(f, "format {format}, not {FORMAT}"),
            AskError::Malformed => f.write_str("malformed"),
        }
    }
}

/// The bytes of an [`Asked`] or an [`Answer`].
pub(crate) fn encode(what: &impl Serialize) -> Vec<u8> {
    let mut bytes = FORMAT.to_le_bytes().to_vec();
    // Numbers, texts and bytes: bincode writes them.
    let _ = append_saved(what, &mut bytes);
    bytes
}

/// The inverse.
///
/// # Errors
/// They are none.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, AskError> {
    let (format, mut rest) = bytes.split_first_chunk().ok_or(AskError::Malformed)?;
    let format = u16::from_le_bytes(*format);
    if format != FORMAT {
        return Err(AskError::Format(format));
    }
    let read = match bytes.len() <= ASK_BYTES_MAX {
        true => take_saved(&mut rest).ok(),
        false => None,
    };
    read.filter(|_| rest.is_empty()).ok_or(AskError::Malformed)
}

#[cfg(test)]
mod tests {
    use tickwire::exact::Xorshift32;
    use tickwire::limits::CLIENT_MESSAGE_BYTES_MAX;
    use tickwire::protocol::client_message::Test;

    use super::*;

    fn asks() -> Vec<Asked> {
        let of = |what| {
            Asked::Player(Ask {
                game: "chess".into(),
                who: "guest:0f".into(),
                name: "Ada".into(),
                what,
            })
        };
        let new = NewRoom {
            name: "den".into(),
            or_join: true,
            options: vec![1, 2, 3],
            ..NewRoom::default()
        };
        let made_for = vec![Condition {
            field: 1,
            test: Test::AtLeast,
            value: -3,
        }];
        let network = Some(u64::MAX);
        vec![
            of(What::Seat(RoomId(7))),
            of(What::Room {
                new,
                made_for,
                network,
            }),
            Asked::Program(vec![7; 100]),
        ]
    }

    #[test]
    fn what_is_asked_and_answered_arrives() {
        for ask in asks() {
            assert_eq!(decode(&encode(&ask)), Ok(ask));
        }
        let (room, is_new) = (RoomId(9), true);
        for answer in [Ok(Given { room, is_new }), Err(Refusal::RoomFull)] {
            assert_eq!(decode::<Answer>(&encode(&answer)), Ok(answer));
        }
        let mut longest = asks().remove(1);
        if let Asked::Player(ask) = &mut longest {
            ask.who = format!("user:{}", "\u{10FFFF}".repeat(128));
            ask.name = "\u{10FFFF}".repeat(32);
            if let What::Room { new, .. } = &mut ask.what {
                new.player = vec![0; CLIENT_MESSAGE_BYTES_MAX];
            }
        }
        assert_eq!(decode(&encode(&longest)), Ok(longest));
    }

    #[test]
    fn what_is_none_is_refused() {
        let bytes = encode(&asks()[0]);
        let malformed = Err(AskError::Malformed);
        let longer = [&bytes[..], &[0]].concat();
        for wrong in [&bytes[..bytes.len() - 1], &longer, &[], &bytes[..1]] {
            assert_eq!(decode::<Asked>(wrong), malformed);
        }
        let huge = [&bytes[..2], &vec![0; ASK_BYTES_MAX]].concat();
        assert_eq!(decode::<Asked>(&huge), malformed);
        let other = [&[9, 0], &bytes[2..]].concat();
        assert_eq!(decode::<Asked>(&other), Err(AskError::Format(9)));
        for seed in 1..=20_000 {
            let mut dice = Xorshift32::new(seed);
            let mut bytes = encode(&asks()[seed as usize % 3]);
            let at = dice.draw() as usize % bytes.len();
            bytes[at] = dice.draw() as u8;
            // Read or refused.
            let _ = decode::<Asked>(&bytes);
            let _ = decode::<Answer>(&bytes);
        }
    }
}
