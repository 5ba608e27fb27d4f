//! A layer: a part of a room's state that some of its clients hold, the unit of baselines, bodies
//! and privacy. A key says which, its column set what a row is like. Who holds it is `interest`'s;
//! what is in it, `capture`'s.

use serde::{Deserialize, Serialize};
use tickwire::ids::{LayerId, PlayerId, Tick};
use tickwire::snapshot::column_set::ColumnSet;
use tickwire::snapshot::image::LayerView;
use tickwire::snapshot::layout::Layout;

/// Scopes, which say who sees a column: as many as there are column sets, in the order of
/// [`Layout::sets`].
pub(crate) const SCOPES: usize = 3;
/// The scope of what everyone sees.
pub(crate) const ROOM: usize = 0;
/// The scope of what an entity's owner sees.
pub(crate) const OWNER: usize = 1;
/// The scope of what a team sees.
pub(crate) const TEAM: usize = 2;

/// A layer as the server knows it; a client has a number for it, its [`LayerId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum LayerKey {
    /// What everyone sees.
    Room,
    /// What the holders of a group see of its entities. Behind the room's, whose columns it has.
    Group(u16),
    /// What one player sees.
    Owner(PlayerId),
    /// What a team sees; those without a team see an empty one.
    Team(Option<u8>),
}

impl LayerKey {
    /// What its holders call it, if all call it alike.
    pub(crate) fn id(self) -> Option<LayerId> {
        match self {
            LayerKey::Room => Some(LayerId::ROOM),
            LayerKey::Group(_) => None,
            LayerKey::Owner(_) => Some(LayerId::OWNER),
            LayerKey::Team(_) => Some(LayerId::TEAM),
        }
    }

    /// Whether it is a group's.
    pub(crate) fn is_group(self) -> bool {
        matches!(self, LayerKey::Group(_))
    }

    /// Whose columns it has; layers of one scope have the same.
    pub(crate) fn scope(self) -> usize {
        match self {
            LayerKey::Room | LayerKey::Group(_) => ROOM,
            LayerKey::Owner(_) => OWNER,
            LayerKey::Team(_) => TEAM,
        }
    }

    /// Its columns.
    pub(crate) fn set(self, layout: &Layout) -> &ColumnSet {
        match self {
            LayerKey::Room | LayerKey::Group(_) => &layout.room,
            LayerKey::Owner(_) => &layout.owner,
            LayerKey::Team(_) => &layout.team,
        }
    }

    /// Whether several clients may hold it, so that a body of it may serve several.
    pub(crate) fn is_shared(self) -> bool {
        !matches!(self, LayerKey::Owner(_))
    }
}

/// The last image of a layer that was sent to a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Baseline {
    pub(crate) tick: Tick,
    /// It came as a keyframe, so without its second differences
    /// ([`tickwire::snapshot::image::LayerView::bare`]).
    pub(crate) bare: bool,
}

impl Baseline {
    /// A layer of the image, as it was sent.
    pub(crate) fn of(self, layer: LayerView<'_>) -> LayerView<'_> {
        if self.bare { layer.bare() } else { layer }
    }
}
