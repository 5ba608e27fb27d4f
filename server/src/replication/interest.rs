//! Which layers somebody is to hold. Not what they hold already, which is `held`'s, nor what is in
//! a layer.

use tickwire::ids::{LayerId, PlayerId};
use tickwire::snapshot::layout::Layout;

use super::layer::LayerKey;
use crate::by_player::is_spectator;

/// The layers of a player of a team, by rising key: the room's, then the private ones, of which a
/// spectator has none.
pub(crate) fn layers(
    layout: &Layout,
    player: PlayerId,
    team: Option<u8>,
) -> impl Iterator<Item = LayerKey> {
    let private = private(layout, player, team).filter(move |_| !is_spectator(player));
    std::iter::once(LayerKey::Room).chain(private)
}

/// Those that are not everyone's, as far as they have columns.
pub(crate) fn private(
    layout: &Layout,
    player: PlayerId,
    team: Option<u8>,
) -> impl Iterator<Item = LayerKey> {
    let keys = [LayerKey::Owner(player), LayerKey::Team(team)];
    keys.into_iter().filter(|key| key.set(layout).width() > 0)
}

/// Fills `into` with the groups that somebody is to hold, by rising number: that of what they
/// steer, and those that the game says. How many were too many, and are left out.
pub(crate) fn groups(avatars: Option<u16>, said: &[u16], into: &mut Vec<u16>) -> usize {
    into.clear();
    if avatars.is_none() && said.is_empty() {
        return 0;
    }
    into.extend_from_slice(said);
    let max = LayerId::GROUPS;
    if let Some(own) = avatars {
        // Whatever the others are, it is there.
        match into.binary_search(&own) {
            Ok(at) if at < max => {}
            Ok(at) => into[max - 1..=at].rotate_right(1),
            Err(at) => into.insert(at.min(max - 1), own),
        }
    }
    let too_many = into.len().saturating_sub(max);
    into.truncate(max);
    too_many
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_of_what_one_steers_is_always_among_them() {
        let mut groups = Vec::new();
        let mut choose = |own, said: &[u16]| {
            let too_many = super::groups(own, said, &mut groups);
            assert!(groups.is_sorted_by(|a, b| a < b), "{groups:?}");
            (groups.clone(), too_many)
        };
        assert_eq!(choose(None, &[]), (vec![], 0));
        assert_eq!(choose(Some(3), &[]), (vec![3], 0));
        assert_eq!(choose(Some(3), &[1, 3, 9]), (vec![1, 3, 9], 0));
        assert_eq!(choose(Some(5), &[1, 9]), (vec![1, 5, 9], 0));
        let all: Vec<u16> = (100..300).collect();
        for own in [None, Some(5), Some(150), Some(290), Some(400)] {
            let (held, too_many) = choose(own, &all);
            assert_eq!(held.len(), LayerId::GROUPS);
            assert!(own.is_none_or(|own| held.contains(&own)), "{own:?}");
            let new = usize::from(own.is_some_and(|own| !all.contains(&own)));
            assert_eq!(too_many, all.len() + new - LayerId::GROUPS);
        }
    }
}
