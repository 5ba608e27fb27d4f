//! What nodes say to one another about the connections that one lends the other: frames, as bytes with
//! a format number. They travel between nodes that have one key, and are trusted no more than a
//! client's. Who carries them is the cluster's.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tickwire::codec::{append_saved, take_saved};
use tickwire::protocol::PeerAt;

use crate::auth::Handle;
use crate::presence::{PartyChannel, STANDINGS};

/// Rises with every change of what follows it.
const FORMAT: u16 = 3;
/// Bytes of a frame, at most.
pub(crate) const FRAME_BYTES_MAX: usize = 64 * 1024;
/// Once a frame has so many nothing more goes into it: with the longest there is it is whole.
pub(super) const FRAME_BYTES_FULL: usize = 12 * 1024;
/// Bytes of a number, and of two lengths, at most.
const NUMBER_BYTES_MAX: usize = 10;
/// Bytes of an item beside its texts, at most.
const ITEM_BYTES: usize = 12 * NUMBER_BYTES_MAX;

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Frame {
    /// To the home, of one lending; they are numbered, and the first begins it.
    Lend {
        lending: u64,
        number: u32,
        items: Vec<Item>,
    },
    /// From the home, the same.
    Back {
        lending: u64,
        number: u32,
        mail: Vec<BackMail>,
    },
    /// That lending is none, or is over.
    Over { lending: u64, why: Why },
    /// A question, at most once.
    Ask { id: u64, what: Question },
    /// Its answer.
    Told { id: u64, what: Answer },
}

/// Why a lending is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Why {
    /// That node is not the home.
    NotHome,
    /// It will be no more.
    Leaves,
    /// Frames were lost.
    Broken,
}

/// Something of a connection that is lent, by its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Item {
    Enter(Box<Entry>),
    /// All that there were when the lending began are in.
    Whole,
    Moved {
        number: u64,
        /// 0: none.
        room: u32,
        /// Whether lists show it.
        is_listed: bool,
    },
    Gone {
        number: u64,
    },
    /// What its client asks.
    Request {
        number: u64,
        muted_until: u64,
        body: Vec<u8>,
    },
    /// A player whose handle was told to somebody.
    Known {
        player: String,
        name: String,
    },
}

impl Item {
    /// Bytes that it takes in a frame, at most.
    pub(super) fn bytes_max(&self) -> usize {
        let texts = match self {
            Item::Enter(entry) => {
                let blocked = entry.blocked.iter().flatten();
                let blocked = blocked.map(|(who, name)| who.len() + name.len() + NUMBER_BYTES_MAX);
                entry.game.len()
                    + entry.name.len()
                    + entry.player.len()
                    + entry.party.len()
                    + blocked.sum::<usize>()
            }
            Item::Request { body, .. } => body.len(),
            Item::Known { player, name } => player.len() + name.len(),
            Item::Whole | Item::Moved { .. } | Item::Gone { .. } => 0,
        };
        texts + ITEM_BYTES
    }
}

/// A connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) number: u64,
    pub(super) game: String,
    pub(super) name: String,
    /// As `guest:…` or `user:…`.
    pub(super) player: String,
    /// Nobody has known them before.
    pub(super) is_new: bool,
    pub(super) room: u32,
    pub(super) is_listed: bool,
    /// See [`crate::presence::Lent`].
    pub(super) hears: Option<bool>,
    pub(super) takes_notices: bool,
    pub(super) attends: [bool; STANDINGS],
    pub(super) muted_until: u64,
    /// Whom they have blocked, if that is known: identities and names.
    pub(super) blocked: Option<Vec<(String, String)>>,
    /// How their party stood last, as they were told; empty: they were told nothing.
    pub(super) party: Vec<u8>,
    /// That party's channel.
    pub(super) party_channel: Option<PartyChannel>,
    /// They were told last that they are in the queue.
    pub(super) is_queued: bool,
}

/// What is for some of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BackMail {
    pub(super) to: Vec<u64>,
    pub(super) what: BackWhat,
}

/// See [`crate::presence::Sent`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum BackWhat {
    Letter(Vec<u8>),
    Reply(Vec<u8>),
    Part(Vec<u8>, bool),
    LineOfTwo(Vec<u8>),
    LineOfLobby(Vec<u8>),
    LineOfParty(Vec<u8>),
    Hint(Vec<u8>),
    /// How many there are, and who of them is shown.
    Crowd(u32, Vec<(Handle, String)>),
    Queue(Vec<u8>),
    Party(Vec<u8>),
    Talk(Vec<u8>),
    InParty(Option<PartyChannel>),
    At(Handle, PeerAt),
    Blocked(Vec<(String, String)>),
    Hears(bool),
    Unknown,
}

/// What is asked beside what clients ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Question {
    /// To tell a notice that is lost to who is away.
    Tell {
        to: Audience,
        /// The only one whose connections are meant.
        game: Option<String>,
        letter: Vec<u8>,
    },
    /// Where these players are.
    Where { players: Vec<String> },
}

/// Whom a notice is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Audience {
    All,
    Room(u32),
    Player(String),
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Answer {
    Told {
        now: u32,
        later: u32,
    },
    /// Of each player, of each connection: its game, and its room if not 0.
    There(Vec<Vec<(String, u32)>>),
    /// Who was asked is not the home, or can't say.
    None,
}

/// The bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameError {
    /// Of another version's.
    Format(u16),
    /// Not what this version writes.
    Malformed,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::Format(format) => write!(f, "format {format}, not {FORMAT}"),
            FrameError::Malformed => f.write_str("malformed"),
        }
    }
}

/// The bytes of a frame.
pub(super) fn encode(frame: &Frame) -> Vec<u8> {
    let mut bytes = FORMAT.to_le_bytes().to_vec();
    append(frame, &mut bytes);
    bytes
}

/// The bytes of a part of one, or of a request.
pub(crate) fn append(what: &impl Serialize, out: &mut Vec<u8>) {
    // Numbers, texts and bytes: the codec writes them.
    let _ = append_saved(what, out);
}

/// The inverse of [`encode`].
///
/// # Errors
/// They are no frame.
pub(super) fn decode(bytes: &[u8]) -> Result<Frame, FrameError> {
    let (format, rest) = bytes.split_first_chunk().ok_or(FrameError::Malformed)?;
    let format = u16::from_le_bytes(*format);
    if format != FORMAT {
        return Err(FrameError::Format(format));
    }
    let fits = bytes.len() <= FRAME_BYTES_MAX;
    fits.then(|| read(rest))
        .flatten()
        .ok_or(FrameError::Malformed)
}

/// The inverse of [`append`], of all of the bytes.
pub(crate) fn read<T: DeserializeOwned>(mut bytes: &[u8]) -> Option<T> {
    let read = take_saved(&mut bytes).ok();
    read.filter(|_| bytes.is_empty())
}

#[cfg(test)]
mod tests {
    use tickwire::exact::Xorshift32;
    use tickwire::limits::{BLOCKED_MAX, CLIENT_MESSAGE_BYTES_MAX};

    use super::*;

    fn longest() -> Entry {
        let subject = "\u{10FFFF}".repeat(128);
        let name = "\u{10FFFF}".repeat(32);
        let player = format!("user:{subject}");
        Entry {
            number: u64::MAX,
            game: "chess".into(),
            name: name.clone(),
            player: player.clone(),
            is_new: false,
            room: u32::MAX,
            is_listed: true,
            hears: Some(true),
            takes_notices: true,
            attends: [true; STANDINGS],
            muted_until: u64::MAX,
            blocked: Some(vec![(player, name); BLOCKED_MAX]),
            party: vec![0; 2048],
            party_channel: Some(PartyChannel::new(u64::MAX)),
            is_queued: true,
        }
    }

    fn frames() -> Vec<Frame> {
        let body = vec![7; CLIENT_MESSAGE_BYTES_MAX];
        let (number, muted_until) = (9, 0);
        let items = vec![
            Item::Whole,
            Item::Moved {
                number,
                room: 3,
                is_listed: true,
            },
            Item::Request {
                number,
                muted_until,
                body,
            },
            Item::Gone { number },
        ];
        let of = |to, what| BackMail { to, what };
        let mail = vec![
            of(vec![1, 2, u64::MAX], BackWhat::LineOfLobby(vec![1, 2])),
            of(vec![3], BackWhat::Part(vec![3], true)),
        ];
        let (lending, number, id) = (u64::MAX, 1, 5);
        vec![
            Frame::Lend {
                lending,
                number,
                items,
            },
            Frame::Back {
                lending,
                number,
                mail,
            },
            Frame::Over {
                lending,
                why: Why::Leaves,
            },
            Frame::Ask {
                id,
                what: Question::Tell {
                    to: Audience::Player("user:ann".into()),
                    game: None,
                    letter: vec![4; 100],
                },
            },
            Frame::Told {
                id,
                what: Answer::Told { now: 3, later: 0 },
            },
        ]
    }

    #[test]
    fn what_is_sent_arrives_and_the_longest_fits() {
        for frame in frames() {
            let bytes = encode(&frame);
            assert_eq!(decode(&bytes), Ok(frame));
        }
        let entry = Item::Enter(Box::new(longest())).bytes_max();
        assert!(FRAME_BYTES_FULL + entry < FRAME_BYTES_MAX, "{entry}");
        let known = Item::Known {
            player: longest().player,
            name: longest().name,
        };
        let mut items = vec![Item::Enter(Box::new(longest())), known];
        if let Frame::Lend { items: others, .. } = &frames()[0] {
            items.extend(others.iter().cloned());
        }
        for item in items {
            let mut bytes = Vec::new();
            append(&item, &mut bytes);
            assert!(bytes.len() <= item.bytes_max(), "{item:?}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        let bytes = encode(&frames()[0]);
        let malformed = Err(FrameError::Malformed);
        let longer = [&bytes[..], &[0]].concat();
        for wrong in [&bytes[..bytes.len() - 1], &longer, &[], &bytes[..1]] {
            assert_eq!(decode(wrong), malformed);
        }
        let huge = [&bytes[..2], &vec![0; FRAME_BYTES_MAX]].concat();
        assert_eq!(decode(&huge), malformed);
        let other = [&[9, 0], &bytes[2..]].concat();
        assert_eq!(decode(&other), Err(FrameError::Format(9)));
        for seed in 1..=20_000 {
            let mut dice = Xorshift32::new(seed);
            let frames = frames();
            let mut bytes = encode(&frames[seed as usize % frames.len()]);
            let at = dice.draw() as usize % bytes.len();
            bytes[at] = dice.draw() as u8;
            // Read or refused.
            let _ = decode(&bytes);
        }
    }
}
