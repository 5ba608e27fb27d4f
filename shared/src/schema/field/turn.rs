//! Directions: parts of a turn, a power of two of them, so that their differences wrap around by a
//! shift.

use std::f64::consts::TAU;

use crate::exact::floor_bits;

/// Beyond this an angle's fraction of a turn is lost anyway.
const ANGLE_MAX: f64 = 1e9;

pub(super) fn check(steps: u32) -> Result<(), &'static str> {
    let is_sound = steps.is_power_of_two() && (2..=65536).contains(&steps);
    is_sound
        .then_some(())
        .ok_or("a turn's steps must be a power of two from 2 to 65536")
}

#[inline]
pub(super) fn quantise(steps: u32, value: f64) -> i32 {
    let turns = value / TAU;
    if !turns.is_finite() {
        return 0;
    }
    let fraction = turns - turns.floor();
    ((fraction * f64::from(steps) + 0.5) as u32 & (steps - 1)) as i32
}

/// The same but for the last bit, by what is known of its column: it multiplies where that divides.
#[inline]
pub(crate) fn quantise_at(per_unit: f64, steps: u32, value: f64) -> i32 {
    if value.abs() < ANGLE_MAX {
        floor_bits(value * per_unit + 0.5) & (steps as i32 - 1)
    } else {
        quantise(steps, value)
    }
}

#[inline]
pub(super) fn dequantise(steps: u32, q: i32) -> f64 {
    f64::from(q) * (TAU / f64::from(steps))
}
