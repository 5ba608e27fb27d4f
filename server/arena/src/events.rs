//! What the arena tells its players beside the state: moments worth a sound or a line.

use bevy_ecs::prelude::Entity;

/// A gun fired.
pub(super) struct Shot {
    /// Who.
    pub(super) by: Option<Entity>,
}

/// A projectile hit a player or a drone.
pub(super) struct Hit {
    /// Who was hit.
    pub(super) who: Option<Entity>,
    /// Who shot.
    pub(super) by: Option<Entity>,
    /// Health that it took.
    pub(super) amount: u8,
    /// Where, in units.
    pub(super) x: f64,
    /// Where, in units.
    pub(super) y: f64,
}

/// A player or a drone fell.
pub(super) struct Kill {
    /// Who fell.
    pub(super) who: Option<Entity>,
    /// Who shot.
    pub(super) by: Option<Entity>,
}

/// A player took something from a pad.
pub(super) struct Taken {
    /// Who.
    pub(super) who: Option<Entity>,
    /// What, as an index of `Kind::NAMES`.
    pub(super) what: u8,
}

/// A player is back.
pub(super) struct Respawn {
    /// Who.
    pub(super) who: Option<Entity>,
}

/// The round entered another phase.
pub(super) struct PhaseChange {
    /// Which, as an index of `Phase::NAMES`.
    pub(super) phase: u8,
    /// Who won, when results are shown.
    pub(super) winner: Option<Entity>,
}

/// Somebody won a round. By name, because who won may have left when who comes later hears of it.
pub(super) struct Won {
    /// The round's number.
    pub(super) round: u16,
    /// The winner's name, cut to 64 bytes.
    pub(super) name: String,
    /// Their points.
    pub(super) points: u16,
}
