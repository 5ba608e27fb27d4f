//! An entity of a recording at a tick: the integers that a snapshot carries, and their steps.

/// Ticks a second.
pub const TICK_RATE: u16 = 30;

/// Positions are in `0..=SIZE`, in units.
pub const SIZE: f64 = 1000.0;
/// Step of a position, in units: 1 cm where a unit is a metre.
pub const STEP: f64 = 0.01;
/// Directions of a heading: 8 bits.
pub const HEADINGS: u32 = 256;
/// Step of a velocity, in units a second: what moves a position by one step a tick.
pub const VELOCITY_STEP: f64 = 0.3;
/// Velocities lie within plus and minus this, in units a second.
pub const VELOCITY_MAX: f64 = 300.0;
/// Greatest health.
pub const HEALTH_MAX: i32 = 100;

/// An entity at a tick, in steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Position in [`STEP`]s, from 0.
    pub x: i32,
    /// See `x`.
    pub y: i32,
    /// Direction of the way it moves, in `0..HEADINGS`.
    pub heading: i32,
    /// Velocity in [`VELOCITY_STEP`]s, signed.
    pub vx: i32,
    /// See `vx`.
    pub vy: i32,
    /// In `0..=HEALTH_MAX`.
    pub health: i32,
}

impl State {
    /// Whether it is elsewhere than it was.
    pub fn moved_from(&self, before: &State) -> bool {
        (self.x, self.y) != (before.x, before.y)
    }
}
