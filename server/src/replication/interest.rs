//! Which layers a player is to hold. Not what they hold already, which is `held`'s, nor what is in a layer.

use tickwire::ids::PlayerId;
use tickwire::snapshot::layout::Layout;

use super::layer::LayerKey;

/// The layers of a player of a team, by rising key: the room's, and of the others those that have columns.
pub(crate) fn layers(
    layout: &Layout,
    player: PlayerId,
    team: Option<u8>,
) -> impl Iterator<Item = LayerKey> {
    let private = [LayerKey::Owner(player), LayerKey::Team(team)];
    let private = private
        .into_iter()
        .filter(|key| key.set(layout).width() > 0);
    std::iter::once(LayerKey::Room).chain(private)
}
