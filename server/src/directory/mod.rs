//! Which rooms are where: their names, codes, seats and what they cost, who is kept out of which.
//! The lobby looks rooms up and takes seats; workers give back what they no longer hold. What is
//! asked of a directory is [`Directory`]; [`local`] is the one of a single process.

pub(crate) mod claims;
pub(crate) mod code;
pub(crate) mod engine;
mod entry;
pub(crate) mod filter;
mod game_index;
mod kept;
pub(crate) mod kept_out;
pub(crate) mod local;
pub(crate) mod nodes;
pub(crate) mod ownership;
pub(crate) mod rank;

use std::any::Any;
use std::time::Instant;

use ipnet::IpNet;
use serde::Serialize;
use tickwire::ids::RoomId;
use tickwire::protocol::server_message::{Refusal, RoomInfo};

use crate::admission::shares::Fill;
use crate::auth::Identity;
use crate::game::RoomOptions;
use filter::Filter;
pub(crate) use game_index::GameIndex;
pub(crate) use kept::{Kept, Restored};
use kept_out::Who;
use nodes::batch::Told;
use rank::{Best, NetworkMark, Standing};

/// What there is of one game.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Totals {
    /// Rooms, private ones too.
    pub(crate) rooms: u32,
    /// Seats taken in them.
    pub(crate) players: u32,
    /// Those who look on in them.
    pub(crate) spectators: u32,
}

/// A room as an operator sees it in the list of all.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct RoomLine {
    #[serde(skip)]
    pub(crate) game: GameIndex,
    pub(super) id: RoomId,
    pub(super) name: String,
    /// Seats taken.
    pub(super) players: u16,
    pub(super) seats: u16,
    /// Those who look on.
    pub(super) spectators: u16,
    pub(super) private: bool,
    /// The worker that ticks it, from 0.
    pub(super) worker: usize,
    /// Its share of that worker's time in the last second, once measured.
    pub(super) share: Option<f64>,
}

/// Somebody's identity as this table knows it, in 8 bytes. Two people may have the same, as good as
/// never; it leads to a room at most, where their identities are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark(pub(super) u64);

/// A seat that was taken, and where its room is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The room.
    pub(crate) room: RoomId,
    /// The worker that owns it.
    pub(crate) worker: usize,
}

/// A room to be made.
pub(crate) struct Creation {
    pub(crate) game: GameIndex,
    /// How; its number is the directory's to give.
    pub(crate) options: RoomOptions,
    /// Where it is made from, `None` where no limit by address holds.
    pub(crate) network: Option<NetworkMark>,
    /// Whose the first seat is.
    pub(crate) maker: Mark,
    /// Whose the next ones are: of a room that is made for several.
    pub(crate) others: Vec<Mark>,
    /// What was asked of rooms, when there was none.
    pub(crate) made_for: Filter,
    /// Kept for as long as the room is there.
    pub(crate) held: Box<dyn Any + Send>,
}

/// A seat in a room by name, and how the room is to be opened by whoever comes first: its worker
/// may not know it yet.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) place: Place,
    pub(crate) opens: Option<Box<RoomOptions>>,
    /// It was made for who asked.
    pub(crate) is_new: bool,
}

/// What lobby and workers ask and tell. Calls don't block. Rooms of all games are in one table,
/// with numbers and codes that no two of them share; who asks for a room finds those of one game
/// only.
pub(crate) trait Directory: Send + Sync {
    /// Makes a room with a seat taken for its maker, and one for each of the others, on the least loaded worker, and gives it its
    /// number. Nobody else finds it until [`Directory::open`], unless they ask for it by name.
    ///
    /// # Errors
    /// `TooManyRooms`, of all or of the game; `Busy` if the code is in use, which chance makes
    /// unlikely.
    fn create(&self, new: Creation) -> Result<Place, Refusal>;

    /// Takes a seat in the listed room of that name, or makes it, in one step: of two who ask at
    /// once one makes it and both are there. Of several it is one that lets them in, then the
    /// oldest. Where there is none, `new` says how to make it, or why it may not be.
    ///
    /// # Errors
    /// `Locked` or `RoomFull`, as it is where they are not let in; else as for
    /// [`Directory::create`], or what `new` says.
    fn reserve_or_create(
        &self,
        game: GameIndex,
        name: &str,
        who: Mark,
        new: Result<Creation, Refusal>,
    ) -> Result<Named, Refusal>;

    /// Whether the room of that name lets somebody in to which [`Directory::reserve_or_create`]
    /// would lead, and when it was made.
    fn named(&self, game: GameIndex, name: &str, who: Mark) -> Option<(bool, u64)>;

    /// A room that outlived its process, or another node, is here again, on the least loaded
    /// worker, with all its seats held, if `send` sends it there: whoever looks it up after that
    /// comes behind it. False: it did not.
    ///
    /// # Errors
    /// `TooManyRooms`, of all or of the game; `Busy` if its number or code is in use.
    fn restore(
        &self,
        old: Restored,
        now: Instant,
        send: &mut dyn FnMut(Place) -> bool,
    ) -> Result<bool, Refusal>;

    /// The game of a room, and what is to be kept of it beside what it knows itself.
    fn about(&self, room: RoomId, now: Instant) -> Option<(GameIndex, Kept)>;

    /// Lets others find a room that was created.
    fn open(&self, room: RoomId);

    /// Who was to open a room does not come: their seat is given back, and the room is gone if it
    /// was theirs alone.
    fn abandon(&self, room: RoomId, who: Mark);

    /// A room's game says what lists show of it, and whether it lets others in.
    fn describe(&self, room: RoomId, metadata: &[u8], locked: bool);

    /// A number from which no other is guessed, for codes and seeds.
    ///
    /// # Errors
    /// `Busy`: the system has no random numbers.
    fn random(&self) -> Result<u64, Refusal>;

    /// What stands for somebody here.
    fn mark(&self, who: &Identity) -> Mark;

    /// What stands for a network here, of a server that is alone.
    fn mark_network(&self, network: IpNet) -> NetworkMark;

    /// Takes a seat in a listed room, or in one where a seat of theirs is held.
    ///
    /// # Errors
    /// `NoSuchRoom`, also for private rooms: who guesses numbers learns nothing. `Locked`,
    /// `RoomFull`: but for who has a seat there.
    fn reserve(&self, game: GameIndex, room: RoomId, who: Mark) -> Result<Place, Refusal>;

    /// Takes a seat in the room with this code.
    ///
    /// # Errors
    /// `NoSuchRoom`; `Locked` or `RoomFull` as above.
    fn reserve_by_code(&self, game: GameIndex, code: &str, who: Mark) -> Result<Place, Refusal>;

    /// Takes a seat in a room that meets `filter`: in one where one of theirs is held; else for
    /// `who`, whom the mark stands for, in a listed one that has one and lets others in, whose host
    /// may not kick and that does not keep them out: of the best repute, and of those the fullest.
    /// `None` if there is no such room, or but bad ones.
    fn reserve_any(&self, who: &Who, mark: Mark, filter: &Filter, now: Instant) -> Option<Place>;

    /// How good the room is to which [`Directory::reserve_any`] would lead.
    fn best_to_join(&self, who: &Who, mark: Mark, filter: &Filter, now: Instant) -> Option<Best>;

    /// Takes a spectator's place in a listed room in which a seat is taken.
    ///
    /// # Errors
    /// As [`Directory::reserve`]; `NoSuchRoom` where nobody plays.
    fn watch(&self, game: GameIndex, room: RoomId) -> Result<Place, Refusal>;

    /// The same in the room with this code.
    ///
    /// # Errors
    /// The same.
    fn watch_by_code(&self, game: GameIndex, code: &str) -> Result<Place, Refusal>;

    /// The same for `who` in the listed room in which most play, of those that meet `filter` and do
    /// not keep them out. `None` if there is no such room.
    fn watch_any(&self, who: &Who, filter: &Filter, now: Instant) -> Option<Place>;

    /// The room to which [`Directory::watch_any`] would lead.
    fn best_to_watch(&self, who: &Who, filter: &Filter, now: Instant) -> Option<Standing>;

    /// Gives a spectator's place back.
    fn stop_watching(&self, room: RoomId);

    /// Whether somebody for whom a seat was taken has another one in that room, or on the way to
    /// it.
    fn has_another(&self, room: RoomId, who: Mark) -> bool;

    /// Whether a seat that was taken for somebody is one beyond those that there are: it leads to
    /// theirs, and to no other.
    fn is_beyond(&self, room: RoomId, who: Mark) -> bool;

    /// Whether `who` was sent away from a room of late.
    fn keeps_out(&self, room: RoomId, who: &Who, now: Instant) -> bool;

    /// `who` was sent away from a room, and does not come back for a while.
    fn keep_out(&self, room: RoomId, who: Who, now: Instant);

    /// Somebody left a room soon after they came.
    fn left_soon(&self, room: RoomId, now: Instant);

    /// All rooms as an operator sees them, those that take most of their worker's time first; at
    /// most [`local::ROOMS_SHOWN_MAX`].
    fn survey(&self) -> Vec<RoomLine>;

    /// The game of a room, listed or not.
    fn game_of(&self, room: RoomId) -> Option<GameIndex>;

    /// The worker of a room, listed or not.
    fn worker_of(&self, room: RoomId) -> Option<usize>;

    /// The code of a room that others find.
    fn code_of(&self, room: RoomId) -> Option<String>;

    /// What each worker has to do, as a share of its time, as far as it was measured.
    fn loads(&self) -> Vec<f64>;

    /// A room goes to another worker, if `send` sends it there: whoever looks it up until then goes
    /// the old way, and is sent on, whoever does after that comes behind it. Not while rooms are
    /// held still.
    fn relocate(&self, room: RoomId, to: usize, send: &mut dyn FnMut() -> bool);

    /// Holds all rooms still, or no longer: while an order goes to every worker, which each carries
    /// out in its rooms, none is missed because it moves. They stay until as many have let go as
    /// held them.
    fn hold_still(&self, holds: bool);

    /// Learns the shares of their worker's time that rooms took lately, and how many players of
    /// each did something.
    fn weigh(&self, shares: &mut dyn Iterator<Item = (RoomId, f64, u16)>);

    /// Where a room is whose seat somebody says to have. A room that is not there is somewhere too:
    /// a worker finds no such seat in it, as in one that is there, so that who made the token up
    /// learns nothing from the answer, its price or its time.
    fn find(&self, room: RoomId) -> Place;

    /// A member's connection is lost, and their seat held.
    fn lose(&self, room: RoomId, who: Mark);

    /// A seat that was held is so no longer: its player is back, or it was given up.
    fn regain(&self, room: RoomId, who: Mark);

    /// Gives a seat back: whose it was left, or never came.
    fn release(&self, room: RoomId, who: Mark);

    /// Removes a room, whoever is in it or on the way.
    fn close(&self, room: RoomId);

    /// Removes a room in which no seat is taken. True: nobody is or will be there.
    fn close_if_empty(&self, room: RoomId) -> bool;

    /// The listed rooms that meet `filter`, at most [`ROOMS_LISTED_MAX`]. Those with a seat come
    /// first, and of all the first [`rank::NETWORK_ROOMS_FIRST`] of each network before any
    /// network's others, however many it made. In between those in which most play come first, then
    /// those with most seats taken, then the oldest.
    fn list(&self, filter: &Filter) -> Vec<RoomInfo>;

    /// What such a list goes by, of all rooms that meet `filter`, in no order.
    fn standings(&self, filter: &Filter) -> Vec<Standing>;

    /// These rooms as lists show them, without those that are gone.
    fn infos(&self, rooms: &[RoomId]) -> Vec<RoomInfo>;

    /// All rooms that others find, private ones too, the first by rank first: for the other nodes.
    fn told(&self, now: Instant) -> Vec<(GameIndex, Told)>;

    /// The same as a list of all games together.
    fn list_all(&self) -> Vec<(GameIndex, RoomInfo)>;

    /// The listed rooms of the games that are `wanted` whose numbers come after `after`, by their
    /// numbers, so many at most: pages of all, however many there are.
    fn listed_after(
        &self,
        after: RoomId,
        most: usize,
        wanted: &dyn Fn(GameIndex) -> bool,
    ) -> Vec<(GameIndex, RoomInfo)>;

    /// What there is of each of so many games, in the order of their indices.
    fn totals(&self, games: usize) -> Vec<Totals>;

    /// How full it is for new rooms of a game: by the limit of all rooms, or the game's own where
    /// that leaves less.
    fn fill(&self, game: GameIndex) -> Fill;
}

#[cfg(test)]
impl Creation {
    /// A room of somebody whom no limit holds.
    pub(crate) fn of(options: RoomOptions, maker: Mark) -> Creation {
        Creation {
            game: GameIndex::default(),
            options,
            network: None,
            maker,
            others: Vec::new(),
            made_for: Filter::default(),
            held: Box::new(()),
        }
    }
}
