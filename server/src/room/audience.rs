//! The spectators of a room, by their numbers. Each is a receiver and no more: no entity, no place
//! among the members. They are not saved with the room. Kept beside the members; what they may do
//! is `watching`'s.

use tickwire::ids::{PlayerId, Tick};
use tickwire::limits::PLAYER_NUMBERS;
use tickwire::protocol::frame::SnapshotHead;

use super::receiver::Receiver;
use crate::by_player::ByPlayer;
use crate::game::Identity;

/// One of them.
pub(super) struct Spectator {
    pub(super) identity: Identity,
    pub(super) receiver: Receiver,
}

/// The spectators of a room, by their numbers.
pub(super) struct Audience {
    watching: ByPlayer<Spectator>,
    places: u16,
    /// The number to be given out next, if it is free.
    pub(super) next: PlayerId,
}

impl Audience {
    /// Nobody yet. Most rooms have no spectators, so there is no memory for them.
    pub(super) fn new(places: u16) -> Audience {
        Audience {
            watching: ByPlayer::for_seats(0),
            places,
            next: PlayerId(PLAYER_NUMBERS),
        }
    }

    /// Takes one in, under a number that was nobody's lately. `None`: there is no place.
    pub(super) fn admit(&mut self, identity: Identity, tick: Tick) -> Option<PlayerId> {
        if self.len() >= usize::from(self.places) {
            return None;
        }
        let numbers = (self.next.0..=u16::MAX).chain(PLAYER_NUMBERS..self.next.0);
        let number = numbers
            .map(PlayerId)
            .find(|number| self.watching.get(*number).is_none())?;
        self.next = PlayerId(number.0.checked_add(1).unwrap_or(PLAYER_NUMBERS));
        let receiver = Receiver::new(number, tick);
        let spectator = Spectator { identity, receiver };
        self.watching.insert(number, spectator);
        Some(number)
    }

    pub(super) fn get(&self, number: PlayerId) -> Option<&Spectator> {
        self.watching.get(number)
    }

    pub(super) fn get_mut(&mut self, number: PlayerId) -> Option<&mut Spectator> {
        self.watching.get_mut(number)
    }

    /// By rising number.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Spectator> {
        self.watching.iter()
    }

    /// By rising number.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Spectator> {
        self.watching.iter_mut()
    }

    /// Who comes first, by number.
    pub(super) fn first(&self) -> Option<PlayerId> {
        self.watching.after(None)
    }

    /// Takes one out. Whether they were there.
    pub(super) fn remove(&mut self, number: PlayerId) -> bool {
        self.watching.remove(number).is_some()
    }

    pub(super) fn len(&self) -> usize {
        self.watching.len()
    }
}

impl Spectator {
    /// The head of a snapshot of `tick`, which has no inputs to tell of.
    pub(super) fn head(tick: Tick) -> SnapshotHead {
        SnapshotHead {
            tick,
            input_tick: Tick(0),
            substituted: false,
            slack: i8::MIN,
        }
    }
}
