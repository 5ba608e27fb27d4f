//! A room as the table knows it. Which of many comes first is `rank`'s to say.

use std::any::Any;
use std::time::Instant;

use tickwire::ids::RoomId;
use tickwire::protocol::server_message::RoomInfo;

use super::filter::Filter;
use super::kept_out::{KeptOut, Losses, Repute};
use super::nodes::batch::Told;
use super::rank::{NetworkMark, Standing};
use super::{Creation, GameIndex, Mark, Restored};
use crate::game::RoomOptions;

/// What a room costs its worker beside its players, in players: its game's own entities and one
/// encoding of its state. Until it was measured; then it is what it is.
const ROOM_COST: u16 = 8;

/// A room, its seats and its places for spectators.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) game: GameIndex,
    pub(super) options: RoomOptions,
    /// Places of spectators that are taken, by those who look on and by those on their way.
    pub(super) spectators: u16,
    /// Whose the seats are that are taken, by members and by those on their way, in no order. Beyond
    /// `seats` by those who have one here and ask again.
    pub(super) takers: Vec<Mark>,
    pub(super) worker: usize,
    /// Rises with every room, and is about the date, in milliseconds since 1970: the oldest has the
    /// least, also among those of several nodes.
    pub(super) made: u64,
    /// See [`super::Directory::create`].
    pub(super) network: Option<NetworkMark>,
    /// Players who did something lately; all, until that was counted.
    pub(super) active: u16,
    /// What each of its units takes of its worker's time, once that was measured.
    pub(super) unit_share: Option<f64>,
    /// Its worker knows of it: others may be sent there.
    pub(super) open: bool,
    /// Its game lets nobody new in.
    pub(super) locked: bool,
    /// What its game says of it, packed; empty until it was said.
    pub(super) metadata: Box<[u8]>,
    /// What was asked of rooms when it was made for want of one. Until its game says what it is,
    /// it is what it was made for: of many who ask at once not each has one made.
    pub(super) made_for: Filter,
    pub(super) kept_out: KeptOut,
    pub(super) losses: Losses,
    /// Its places in the limits of who made it.
    pub(super) _held: Box<dyn Any + Send>,
}

impl Entry {
    /// A room that is to be made, of this number, on a worker; `made` rises with every room.
    pub(super) fn new(new: Creation, id: RoomId, worker: usize, made: u64) -> Entry {
        let takers: Vec<Mark> = [new.maker].into_iter().chain(new.others).collect();
        Entry {
            game: new.game,
            options: RoomOptions { id, ..new.options },
            spectators: 0,
            active: takers.len() as u16,
            takers,
            worker,
            made,
            network: new.network,
            unit_share: None,
            open: false,
            locked: false,
            metadata: Box::default(),
            made_for: new.made_for,
            kept_out: KeptOut::default(),
            losses: Losses::default(),
            _held: new.held,
        }
    }

    /// A room that outlived its process, on a worker, with all its seats held.
    pub(super) fn restored(old: Restored, worker: usize, now: Instant) -> Entry {
        let active = old.takers.len() as u16;
        Entry {
            game: old.game,
            options: old.options,
            spectators: 0,
            takers: old.takers,
            worker,
            made: old.kept.made,
            network: old.kept.network(),
            active,
            unit_share: None,
            open: true,
            locked: old.locked,
            metadata: old.metadata,
            made_for: Filter::default(),
            kept_out: old.kept.kept_out(now),
            losses: Losses::default(),
            _held: Box::new(()),
        }
    }

    /// Seats that are taken: as many as are somebody's. More of them than there are connections
    /// can't be under way.
    pub(super) fn taken(&self) -> u16 {
        u16::try_from(self.takers.len()).unwrap_or(u16::MAX)
    }

    pub(super) fn info(&self) -> RoomInfo {
        let players = self.taken().min(self.options.seats);
        self.options
            .info(players, self.spectators, self.locked, &self.metadata)
    }

    /// Whether it is of the filter's game, and its metadata is known and meets it.
    pub(super) fn fits(&self, filter: &Filter) -> bool {
        self.game == filter.game() && filter.fits(&self.metadata)
    }

    /// Whether a quick join may lead there that asks this.
    pub(super) fn suits(&self, filter: &Filter) -> bool {
        let is_unsaid = self.metadata.is_empty();
        let is_made_for_it = filter.is_empty() || (is_unsaid && self.made_for == *filter);
        self.fits(filter) || (self.game == filter.game() && is_made_for_it)
    }

    /// What its cost is taken to grow with.
    pub(super) fn units(&self) -> f64 {
        f64::from(ROOM_COST) + f64::from(self.taken()) + f64::from(self.spectators)
    }

    /// Where it stands among others.
    pub(super) fn standing(&self) -> Standing {
        Standing {
            room: self.options.id,
            has_seat: self.has_seat(),
            active: self.active,
            taken: self.taken(),
            made: self.made,
            network: self.network,
        }
    }

    /// What the other nodes are told of it.
    pub(super) fn told(&self, now: Instant) -> Told {
        Told {
            info: self.info(),
            code: self.options.code.clone(),
            active: self.active,
            spectators_max: self.options.spectators,
            made: self.made,
            network: self.network.map(|NetworkMark(network)| network),
            repute: match self.losses.repute(self.taken(), now) {
                Repute::Good => 0,
                Repute::Poor => 1,
                Repute::Bad => 2,
            },
        }
    }

    pub(super) fn has_seat(&self) -> bool {
        self.taken() < self.options.seats
    }

    /// Whether there is something to see, and a place to see it from.
    pub(super) fn takes_spectators(&self) -> bool {
        !self.takers.is_empty() && self.spectators < self.options.spectators
    }

    /// Whether lists show it.
    pub(super) fn is_listed(&self) -> bool {
        self.open && !self.options.private
    }

    /// Whether a quick join may lead anyone there.
    pub(super) fn takes_anyone(&self) -> bool {
        self.is_listed() && !self.options.kicks && !self.locked && self.has_seat()
    }

    /// A seat of theirs is free again. They may have none: the room that they had it in went, and
    /// has come again without it.
    pub(super) fn give_back(&mut self, who: Mark) {
        if let Some(at) = self.takers.iter().position(|mark| *mark == who) {
            self.takers.swap_remove(at);
        }
    }

    /// What its worker makes it of.
    pub(super) fn opening(&self) -> Box<RoomOptions> {
        Box::new(self.options.clone())
    }

    pub(super) fn takes_another(&self, who: Mark) -> bool {
        self.takers.iter().filter(|mark| **mark == who).count() > 1
    }
}
