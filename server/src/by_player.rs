//! Values of a room's players, by rising number. The numbers go round a range that is far longer
//! than a room has seats ([`PLAYER_NUMBERS`](tickwire::limits::PLAYER_NUMBERS)), so this is no
//! table with a place for each of them. Used by `room` and `worker`, each for what it knows of a
//! player. Spectators are told apart by numbers too, which come after all the players': whoever
//! goes through everybody by rising number comes to the players first.

use tickwire::ids::PlayerId;
use tickwire::limits::PLAYER_NUMBERS;

/// Whether a number is a spectator's: no player's is of that range, and no client ever sees one.
#[inline]
pub(crate) fn is_spectator(player: PlayerId) -> bool {
    player.0 >= PLAYER_NUMBERS
}

/// The number that comes before all spectators'.
pub(crate) const LAST_PLAYER: PlayerId = PlayerId(PLAYER_NUMBERS - 1);

/// See the module's description. No longer than there are players; each look is one guess that is
/// right in a room that nobody has left, else a binary search.
pub(crate) struct ByPlayer<T> {
    /// By rising number, and beside it each one's value.
    numbers: Vec<PlayerId>,
    values: Vec<T>,
}

impl<T> ByPlayer<T> {
    /// With room for so many, in one piece: what grows with every newcomer leaves holes in the heap
    /// of half its size.
    pub(crate) fn for_seats(seats: u16) -> ByPlayer<T> {
        ByPlayer {
            numbers: Vec::with_capacity(usize::from(seats)),
            values: Vec::with_capacity(usize::from(seats)),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    #[inline]
    pub(crate) fn get(&self, player: PlayerId) -> Option<&T> {
        self.values.get(self.place(player).ok()?)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, player: PlayerId) -> Option<&mut T> {
        let place = self.place(player).ok()?;
        self.values.get_mut(place)
    }

    /// Gives a player a value; what they had before comes back.
    pub(crate) fn insert(&mut self, player: PlayerId, value: T) -> Option<T> {
        match self.place(player) {
            Ok(place) => Some(std::mem::replace(&mut self.values[place], value)),
            Err(place) => {
                self.numbers.insert(place, player);
                self.values.insert(place, value);
                None
            }
        }
    }

    pub(crate) fn remove(&mut self, player: PlayerId) -> Option<T> {
        let place = self.place(player).ok()?;
        self.numbers.remove(place);
        Some(self.values.remove(place))
    }

    /// By rising number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.values.iter()
    }

    /// By rising number.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.values.iter_mut()
    }

    /// The player with the next number, the first one after `None`: to go through all while some
    /// may leave.
    #[inline]
    pub(crate) fn after(&self, player: Option<PlayerId>) -> Option<PlayerId> {
        let next = player.map_or(0, |player| match self.place(player) {
            Ok(place) => place + 1,
            Err(place) => place,
        });
        self.numbers.get(next).copied()
    }

    /// Where a player is, or would be.
    #[inline]
    fn place(&self, player: PlayerId) -> Result<usize, usize> {
        let first = self.numbers.first().ok_or(0_usize)?;
        // Without gaps the numbers say it themselves.
        let likely = usize::from(player.0.wrapping_sub(first.0));
        if self.numbers.get(likely) == Some(&player) {
            return Ok(likely);
        }
        self.numbers.binary_search(&player)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_number_whatever_numbers_there_are() {
        let mut all = ByPlayer::for_seats(4);
        let numbers = [7, 8, 9, 3, 32_766, 0, 300, 10].map(PlayerId);
        for (at, player) in numbers.into_iter().enumerate() {
            assert_eq!(all.insert(player, at), None);
            for (at, player) in numbers.into_iter().enumerate().take(at + 1) {
                assert_eq!(all.get(player), Some(&at), "{player}");
            }
        }
        assert_eq!(all.insert(PlayerId(9), 99), Some(2));
        assert_eq!(all.get_mut(PlayerId(9)), Some(&mut 99));
        assert!(all.get(PlayerId(4)).is_none() && all.get(PlayerId(u16::MAX)).is_none());
        assert_eq!(all.remove(PlayerId(0)), Some(5));
        assert_eq!(all.remove(PlayerId(0)), None);
        let in_order: Vec<usize> = all.iter().copied().collect();
        assert_eq!((in_order, all.len()), (vec![3, 0, 1, 99, 7, 6, 4], 7));
    }

    #[test]
    fn all_are_gone_through_while_some_leave() {
        let mut all = ByPlayer::for_seats(4);
        assert_eq!(all.after(None), None);
        (10..20).for_each(|number| _ = all.insert(PlayerId(number), ()));
        let (mut last, mut seen) = (None, Vec::new());
        while let Some(player) = all.after(last) {
            last = Some(player);
            seen.push(player.0);
            all.remove(player);
            all.remove(PlayerId(player.0 + 1));
        }
        assert_eq!(seen, [10, 12, 14, 16, 18]);
        assert_eq!(all.after(Some(PlayerId(3))), None);
    }
}
