//! What a node tells the others once a second: its load, and its rooms as lists, codes and quick
//! joins need them. As bytes with a format number, the first rooms by rank as far as they fit; what
//! comes from another node is trusted no more than a client's bytes. [`super::Nodes`] writes and
//! reads it; who carries it is the cluster's.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use tickwire::codec::{append_saved, take_saved};
use tickwire::limits::{OPTIONS_BYTES_MAX, ROOM_NAME_CHARS_MAX};
use tickwire::protocol::server_message::RoomInfo;

use super::super::code::read_code;
use super::super::game_index::GameIndex;
use super::super::kept_out::Repute;
use super::super::rank::{NetworkMark, Standing};

/// Rises with every change of what follows it; a batch of another format is not read, and its
/// node's rooms are found by nobody but who comes to it.
pub(crate) const FORMAT: u16 = 1;
/// Bytes of a batch: 4,000 rooms of ordinary names, half a millisecond of a gigabit link to each
/// other node and second. Rooms beyond, the last by rank, are in no list and found by no code
/// elsewhere; who has a seat in one is led there all the same, by the engine's record of its owner.
pub(crate) const BATCH_BYTES_MAX: usize = 256 * 1024;
/// Games of a process, and bytes of a name of one.
const GAMES_MAX: usize = 64;
const GAME_BYTES_MAX: usize = 32;

/// A room as its node tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// As clients see it; a private one too, which stays out of their lists.
    pub(crate) info: RoomInfo,
    /// By which it is joined.
    pub(crate) code: String,
    /// Players who did something lately.
    pub(crate) active: u16,
    /// Places for spectators.
    pub(crate) spectators_max: u16,
    /// See [`super::super::entry::Entry::made`].
    pub(crate) made: u64,
    /// Whose it is, hashed by a key that all nodes have.
    pub(crate) network: Option<u64>,
    /// Whether its players stay: 0 good, 1 poor, 2 bad.
    pub(crate) repute: u8,
}

/// See the module's description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Its busiest worker's share of time, in thousandths.
    pub(crate) load: u16,
    /// Rooms that there are beside these.
    pub(crate) left_out: u32,
    /// By its game's name, the first by rank first.
    pub(crate) rooms: Vec<(String, Told)>,
}

/// The bytes are no batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BatchError {
    /// Of another version's.
    Format(u16),
    /// More than [`BATCH_BYTES_MAX`].
    TooBig(usize),
    /// Not what this version writes, or rooms that can't be.
    Malformed,
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BatchError::Format(format) => write!(f, "format {format}, not {FORMAT}"),
            BatchError::TooBig(bytes) => write!(f, "{bytes} bytes, more than {BATCH_BYTES_MAX}"),
            BatchError::Malformed => f.write_str("malformed"),
        }
    }
}

/// In front of the rooms.
#[derive(Serialize, Deserialize)]
struct Head {
    load: u16,
    left_out: u32,
    games: Vec<String>,
}

impl Told {
    pub(crate) fn standing(&self) -> Standing {
        Standing {
            room: self.info.id,
            has_seat: self.info.players < self.info.seats,
            active: self.active,
            taken: self.info.players,
            made: self.made,
            network: self.network.map(NetworkMark),
        }
    }

    pub(crate) fn repute(&self) -> Repute {
        match self.repute {
            0 => Repute::Good,
            1 => Repute::Poor,
            _ => Repute::Bad,
        }
    }

    /// Whether a node may say so of a room. What its game says of it is for who knows the game.
    fn is_sound(&self) -> bool {
        let RoomInfo { name, metadata, .. } = &self.info;
        let chars = name.chars().count();
        (1..=ROOM_NAME_CHARS_MAX).contains(&chars)
            && !name.chars().any(char::is_control)
            && self.info.seats > 0
            && self.info.players <= self.info.seats
            && self.info.id.0 != 0
            && metadata.len() <= OPTIONS_BYTES_MAX
            && read_code(&self.code).as_ref() == Some(&self.code)
    }
}

/// A batch's bytes: as many of `rooms`, the first by rank first, as fit.
pub(crate) fn encode(load: u16, games: &[&str], rooms: &[(GameIndex, Told)]) -> Vec<u8> {
    let mut listed = Vec::new();
    let mut told = 0;
    for (game, room) in rooms {
        let before = listed.len();
        // What can't be written, which is nothing, is left out like what does not fit.
        let is_written = append_saved(&(game.0, room), &mut listed).is_ok();
        if !is_written || listed.len() > BATCH_BYTES_MAX - HEAD_BYTES_MAX {
            listed.truncate(before);
            break;
        }
        told += 1;
    }
    let head = Head {
        load,
        left_out: u32::try_from(rooms.len() - told).unwrap_or(u32::MAX),
        games: games.iter().map(|name| (*name).to_owned()).collect(),
    };
    let mut bytes = FORMAT.to_le_bytes().to_vec();
    // Numbers and texts: bincode writes them.
    let _ = append_saved(&head, &mut bytes);
    bytes.extend_from_slice(&listed);
    bytes
}

/// What a head has at most, format number included.
const HEAD_BYTES_MAX: usize = 16 + GAMES_MAX * (GAME_BYTES_MAX + 1);

impl Batch {
    /// # Errors
    /// It is none; nothing of it is kept then.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Batch, BatchError> {
        if bytes.len() > BATCH_BYTES_MAX {
            return Err(BatchError::TooBig(bytes.len()));
        }
        let (format, mut rest) = bytes.split_first_chunk().ok_or(BatchError::Malformed)?;
        let format = u16::from_le_bytes(*format);
        if format != FORMAT {
            return Err(BatchError::Format(format));
        }
        let head: Head = take_saved(&mut rest).map_err(|_| BatchError::Malformed)?;
        let (mut rooms, mut numbers) = (Vec::new(), BTreeSet::new());
        while !rest.is_empty() {
            let room: (u8, Told) = take_saved(&mut rest).map_err(|_| BatchError::Malformed)?;
            let game = head.games.get(usize::from(room.0));
            let is_new = numbers.insert(room.1.info.id);
            let game = game.filter(|_| is_new && room.1.is_sound());
            rooms.push((game.ok_or(BatchError::Malformed)?.clone(), room.1));
        }
        Ok(Batch {
            load: head.load,
            left_out: head.left_out,
            rooms,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use tickwire::exact::Xorshift32;
    use tickwire::ids::RoomId;

    use super::super::super::code::room_code;
    use super::*;

    /// A room of this number, by which its code goes too.
    pub(crate) fn told(number: u32, name: &str, players: u16, seats: u16) -> Told {
        Told {
            info: RoomInfo {
                id: RoomId(number),
                name: name.to_owned(),
                players,
                seats,
                spectators: 0,
                private: false,
                kicks: false,
                locked: false,
                metadata: Vec::new(),
            },
            code: room_code(u64::from(number)),
            active: players,
            spectators_max: 4,
            made: u64::from(number),
            network: None,
            repute: 0,
        }
    }

    fn rooms(count: u32, name: &str) -> Vec<(GameIndex, Told)> {
        let room = |number| (GameIndex((number % 2) as u8), told(number, name, 1, 8));
        (1..=count).map(room).collect()
    }

    #[test]
    fn what_is_told_is_what_is_heard() {
        let mut rooms = rooms(300, "den");
        rooms[0].1.info.metadata = vec![7; OPTIONS_BYTES_MAX];
        rooms[1].1.network = Some(u64::MAX);
        rooms[2].1.info.private = true;
        let heard = Batch::decode(&encode(420, &["chess", "go"], &rooms)).unwrap();
        assert_eq!((heard.load, heard.left_out), (420, 0));
        let games = ["chess", "go"];
        let expected: Vec<_> = rooms
            .into_iter()
            .map(|(game, told)| (games[usize::from(game.0)].to_owned(), told))
            .collect();
        assert_eq!(heard.rooms, expected);
    }

    #[test]
    fn rooms_beyond_the_limit_are_counted_and_the_first_are_told() {
        let rooms = rooms(20_000, &"x".repeat(ROOM_NAME_CHARS_MAX));
        let bytes = encode(0, &["chess", "go"], &rooms);
        assert!(bytes.len() <= BATCH_BYTES_MAX);
        let heard = Batch::decode(&bytes).unwrap();
        assert_eq!(heard.rooms.len() + heard.left_out as usize, 20_000);
        assert!(heard.rooms.len() > 3000, "{}", heard.rooms.len());
        assert_eq!(heard.rooms[0].1, rooms[0].1);
    }

    #[test]
    fn four_thousand_ordinary_rooms_are_told() {
        let few = encode(0, &["chess", "go"], &rooms(4000, "Ada Lovelace's room"));
        assert_eq!(Batch::decode(&few).map(|batch| batch.left_out), Ok(0));
    }

    #[test]
    fn what_no_node_says_is_refused() {
        let good = |change: fn(&mut Told)| {
            let mut rooms = rooms(2, "den");
            change(&mut rooms[1].1);
            Batch::decode(&encode(0, &["chess", "go"], &rooms)).map(|batch| batch.rooms.len())
        };
        assert_eq!(good(|_| {}), Ok(2));
        let wrong: [fn(&mut Told); 8] = [
            |told| told.info.name.clear(),
            |told| told.info.name = "x".repeat(ROOM_NAME_CHARS_MAX + 1),
            |told| told.info.name.push('\n'),
            |told| told.info.seats = 0,
            |told| told.info.players = 9,
            |told| told.info.id = RoomId(0),
            |told| told.info.metadata = vec![0; OPTIONS_BYTES_MAX + 1],
            |told| told.code = "oooooooo".into(),
        ];
        for change in wrong {
            assert_eq!(good(change), Err(BatchError::Malformed));
        }
        let twice = [rooms(1, "den"), rooms(1, "den")].concat();
        let twice = Batch::decode(&encode(0, &["chess", "go"], &twice));
        assert_eq!(twice, Err(BatchError::Malformed));
        let of_no_game = encode(0, &["chess"], &rooms(2, "den"));
        assert_eq!(Batch::decode(&of_no_game), Err(BatchError::Malformed));
        let mut other = encode(0, &[], &[]);
        other[0] = 2;
        assert_eq!(Batch::decode(&other), Err(BatchError::Format(2)));
        let huge = vec![0; BATCH_BYTES_MAX + 1];
        assert_eq!(Batch::decode(&huge), Err(BatchError::TooBig(huge.len())));
    }

    /// A batch that was damaged anywhere is read or refused, and what is read is sound.
    #[test]
    fn bytes_that_were_tampered_with_break_nothing() {
        let good = encode(1, &["chess", "go"], &rooms(8, "den"));
        let mut read = 0;
        for seed in 1..=20_000 {
            let mut dice = Xorshift32::new(seed);
            let mut bytes = good.clone();
            for _ in 0..1 + dice.draw() % 3 {
                let at = dice.draw() as usize % bytes.len();
                bytes[at] = dice.draw() as u8;
            }
            if dice.draw().is_multiple_of(4) {
                bytes.truncate(dice.draw() as usize % bytes.len());
            }
            if let Ok(batch) = Batch::decode(&bytes) {
                read += 1;
                let sound = batch.rooms.iter().all(|(_, told)| told.is_sound());
                assert!(sound, "seed {seed}");
            }
        }
        assert!((100..19_900).contains(&read), "{read} were read");
    }
}
