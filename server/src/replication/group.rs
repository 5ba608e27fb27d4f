//! Groups: which entities a game puts together, so that only some of its players are sent them, and
//! who those are. The game gives both; capture and `interest` read them.

use bevy_ecs::prelude::{Component, Resource};
use serde::{Deserialize, Serialize};
use tickwire::ids::PlayerId;

/// Which group an entity is in: what everyone would see of it is sent to those alone who hold the
/// group, and to its owner and team what is theirs, as of any entity. It is the game's to give, to
/// change and to take, at any tick; without one an entity is everyone's. A clone is in the same
/// group. A player always holds the group of what they steer; the others [`Groups`] says.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group(pub u16);

/// Which [`Group`]s each player holds beside that of what they steer: none, until the game says so.
/// What it says counts from the next snapshot on, and ends with their stay. Nothing of the other
/// groups leaves the server. Of more than 121 a player is sent those of the lowest numbers; the
/// others are counted.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Groups {
    /// By rising player, each with groups by rising number, at least one.
    held: Vec<(PlayerId, Vec<u16>)>,
}

impl Groups {
    /// A player holds these from now on, instead of what was said before.
    pub fn set(&mut self, player: PlayerId, groups: impl IntoIterator<Item = u16>) {
        let place = self.place(player);
        let mut held = match place {
            Ok(at) => std::mem::take(&mut self.held[at].1),
            Err(_) => Vec::new(),
        };
        held.clear();
        held.extend(groups);
        held.sort_unstable();
        held.dedup();
        match place {
            Ok(at) if held.is_empty() => drop(self.held.remove(at)),
            Ok(at) => self.held[at].1 = held,
            Err(_) if held.is_empty() => {}
            Err(at) => self.held.insert(at, (player, held)),
        }
    }

    /// A player holds this one too.
    pub fn show(&mut self, player: PlayerId, group: u16) {
        match self.place(player) {
            Ok(at) => {
                let held = &mut self.held[at].1;
                if let Err(place) = held.binary_search(&group) {
                    held.insert(place, group);
                }
            }
            Err(at) => self.held.insert(at, (player, vec![group])),
        }
    }

    /// A player holds this one no longer, unless what they steer is in it.
    pub fn hide(&mut self, player: PlayerId, group: u16) {
        if let Ok(at) = self.place(player) {
            let held = &mut self.held[at].1;
            held.retain(|of| *of != group);
            if held.is_empty() {
                self.held.remove(at);
            }
        }
    }

    /// What was said of a player, by rising number.
    pub fn of(&self, player: PlayerId) -> &[u16] {
        self.place(player).map_or(&[], |at| &self.held[at].1)
    }

    /// What was said of those of whom this does not hold is void.
    pub(crate) fn retain(&mut self, holds: impl Fn(PlayerId) -> bool) {
        self.held.retain(|(player, _)| holds(*player));
    }

    fn place(&self, player: PlayerId) -> Result<usize, usize> {
        self.held.binary_search_by_key(&player, |(of, _)| *of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_last_counts() {
        let (ann, bob) = (PlayerId(4), PlayerId(2));
        let mut groups = Groups::default();
        groups.show(ann, 7);
        groups.set(bob, [9, 3, 9, 1]);
        groups.show(ann, 5);
        groups.show(ann, 7);
        assert_eq!(
            (groups.of(ann), groups.of(bob)),
            (&[5, 7][..], &[1, 3, 9][..])
        );
        groups.hide(bob, 3);
        groups.hide(ann, 6);
        groups.set(ann, [8]);
        assert_eq!((groups.of(ann), groups.of(bob)), (&[8][..], &[1, 9][..]));
        groups.hide(ann, 8);
        groups.set(bob, []);
        assert_eq!(groups, Groups::default());
    }
}
