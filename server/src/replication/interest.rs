//! Which layers a player is to hold. Not what they hold already, which is `held`'s, nor what is in
//! a layer.

use tickwire::ids::PlayerId;
use tickwire::snapshot::layout::Layout;

use super::layer::LayerKey;

/// The layers of a player of a team, by rising key: the room's, then the private ones.
pub(crate) fn layers(
    layout: &Layout,
    player: PlayerId,
    team: Option<u8>,
) -> impl Iterator<Item = LayerKey> {
    std::iter::once(LayerKey::Room).chain(private(layout, player, team))
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
