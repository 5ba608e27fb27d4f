//! Real numbers in even steps from a least value on.

use crate::exact::{clamp, floor_bits};

/// The step in which a finely predicted component's `Real` fields are snapped and sent to their
/// owner.
pub const FINE_STEP: f64 = 1.0 / 1024.0;
/// Steps a unit in the finest grid. With [`GRID_LEAST_MAX`] and 2^31 steps at most, all values on a
/// grid and their differences have less than 53 bits.
const GRID_PER_UNIT_MAX: f64 = (1 << 20) as f64;
/// Bound of the least value on a grid.
const GRID_LEAST_MAX: f64 = (1u32 << 31) as f64;

pub(super) fn check(min: f64, max: f64, step: f64) -> Result<(), &'static str> {
    if !(min.is_finite() && max.is_finite() && min < max) {
        Err("its range is empty")
    } else if !(step.is_finite() && step > 0.0) {
        Err("its step must be positive")
    } else if (max - min) / step > f64::from(1u32 << 31) - 1.0 {
        Err("its range has more than 2^31 steps")
    } else {
        Ok(())
    }
}

/// Refuses what can't be sent in [`FINE_STEP`]s.
pub(super) fn check_fine(min: f64, max: f64) -> Result<(), &'static str> {
    if (min / FINE_STEP).fract() != 0.0 {
        return Err("a predicted field's least value must be a multiple of 1/1024");
    }
    check(min, max, FINE_STEP)
}

/// Refuses what can't be predicted in its own steps. With a power of two every value is exact, and
/// so is every division by the step, also as the product with its inverse: whoever snaps a value
/// gets the same bits, and what is snapped stays where it is.
pub(super) fn check_grid(min: f64, step: f64) -> Result<(), &'static str> {
    let per_unit = 1.0 / step;
    let whole = (1.0..=GRID_PER_UNIT_MAX).contains(&per_unit) && per_unit.fract() == 0.0;
    if !whole || !(per_unit as u32).is_power_of_two() || per_unit * step != 1.0 {
        Err(
            "a field predicted on its grid needs a step that is a power of two from 2^-20 to 1, to which both ends snap alike",
        )
    } else if min.abs() > GRID_LEAST_MAX || (min / step).fract() != 0.0 {
        Err(
            "the least value of a field predicted on its grid must be a multiple of its step, within 2^31",
        )
    } else {
        Ok(())
    }
}

pub(super) fn q_max(min: f64, max: f64, step: f64) -> u32 {
    ((max - min) / step + 0.5) as u32
}

#[inline]
pub(super) fn quantise(min: f64, max: f64, step: f64, value: f64) -> i32 {
    // NaN becomes `min`.
    let above = clamp(value, min, max) - min;
    ((above / step + 0.5) as u32).min(q_max(min, max, step)) as i32
}

/// The same but for the last bit, by what is known of its column: it multiplies where that divides.
#[inline]
pub(crate) fn quantise_at(per_unit: f64, q_max: u32, min: f64, max: f64, value: f64) -> i32 {
    let above = clamp(value, min, max) - min;
    (floor_bits(above * per_unit + 0.5) as u32).min(q_max) as i32
}
