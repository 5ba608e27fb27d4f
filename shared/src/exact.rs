//! All the arithmetic that predicted rules may use: results have the same bits in Rust and in
//! JavaScript, on every machine.
//!
//! IEEE 754 fixes `+ - * /`, `sqrt` and `floor` to the last bit; `sin`, `hypot`, `pow` and fused
//! multiply-adds it does not. So a rule that a client predicts is built from the former alone,
//! evaluated in the written order. Called by the games' own rules;
//! `client-web/src/exact.js` has the same functions, expression for expression.
//!
//! Mirror notes: `floor` is `Math.floor`, `sqrt` is `Math.sqrt`; `Math.round`, `Math.hypot`,
//! `Math.sin` and `Math.cos` must not be used. [`Xorshift32`] needs `>>> 0` after each `<<`.

use serde::{Deserialize, Serialize};

/// A quarter of a turn, in radians.
const QUARTER: f64 = std::f64::consts::FRAC_PI_2;

/// Turns in a radian.
const TURNS_A_RADIAN: f64 = 1.0 / std::f64::consts::TAU;

/// Beyond this many quarter turns [`unit`] gives up: the remainder would have no bits left.
const QUARTERS_MAX: f64 = 1e9;

/// From here on, 2^52, a number has no fraction.
const WHOLE_FROM: f64 = 4_503_599_627_370_496.0;

/// The greatest whole number that is not above `value`.
#[inline]
pub fn floor(value: f64) -> f64 {
    // Not `f64::floor`: without SSE4.1, which plain x86-64 lacks, that is a call.
    let size = value.abs();
    // The sum has no fraction: it was rounded away. Neither way of rounding is the likelier, so no
    // branch.
    let near = (size + WHOLE_FROM - WHOLE_FROM).copysign(value);
    let floor = near - if near > value { 1.0 } else { 0.0 };
    if size < WHOLE_FROM { floor } else { value }
}

/// The lower 32 bits of the greatest whole number that is not above `value`, which lies within 2^51
/// of 0. There is no vector instruction for a conversion that saturates, so it is none: with so
/// great a number added a fraction has no bits left, and the whole stands in the lowest ones.
#[inline(always)]
pub(crate) fn floor_bits(value: f64) -> i32 {
    const GREAT: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52
    let nearest = value + GREAT;
    let above = nearest - GREAT > value;
    (nearest.to_bits() as i32).wrapping_sub(i32::from(above))
}

/// The least whole number that is not below `value`.
#[inline]
pub fn ceil(value: f64) -> f64 {
    -floor(-value)
}

/// `value` without its fraction: towards zero, so mirror-symmetric.
#[inline]
pub fn trunc(value: f64) -> f64 {
    floor(value.abs()).copysign(value)
}

/// The nearest whole number, a half goes up: `floor(value + 0.5)`.
#[inline]
pub fn round(value: f64) -> f64 {
    floor(value + 0.5)
}

/// `value` within `least..=most`; NaN becomes `least`, so a rule that clamps what it is given
/// never holds a NaN.
#[inline]
pub fn clamp(value: f64, least: f64, most: f64) -> f64 {
    if value > least {
        if value < most { value } else { most }
    } else {
        least
    }
}

/// Length of the vector `(x, y)`. Not safe from overflow beyond 1e150, which no game field
/// reaches.
#[inline]
pub fn length(x: f64, y: f64) -> f64 {
    (x * x + y * y).sqrt()
}

/// The unit vector `(cos, sin)` of an angle in radians, right to about 1e-15; `(1, 0)` for
/// angles that are not finite or beyond a billion quarter turns.
///
/// Reduced to an eighth of a turn either side of an axis, then Taylor's series in nested form.
pub fn unit(angle: f64) -> (f64, f64) {
    let quarters = angle / QUARTER;
    if !(quarters > -QUARTERS_MAX && quarters < QUARTERS_MAX) {
        return (1.0, 0.0);
    }
    let whole = round(quarters);
    let a = (quarters - whole) * QUARTER;
    let b = a * a;
    let [sin, cos] = series(b);
    let sin = a * sin;
    // Nobody foresees the side, so it is looked up instead of branched on.
    let side = whole as i32 as usize % 4;
    let [x, y] = [[cos, sin], [sin, cos]][side % 2];
    let (sign_x, sign_y) = [(1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0), (1.0, -1.0)][side];
    (x * sign_x, y * sign_y)
}

/// The series of [`unit`] for the square of an angle: of the sine, but for the angle itself, and of
/// the cosine.
///
/// Level by level, both at once, and called rather than inlined: then compilers divide in pairs,
/// and divisions are most of the work.
#[inline(never)]
fn series(b: f64) -> [f64; 2] {
    const DIVISORS: [[f64; 2]; 7] = [
        [210.0, 182.0],
        [156.0, 132.0],
        [110.0, 90.0],
        [72.0, 56.0],
        [42.0, 30.0],
        [20.0, 12.0],
        [6.0, 2.0],
    ];
    let innermost = [1.0, 1.0 - b / 240.0];
    DIVISORS.iter().fold(innermost, |inner, divisors| {
        std::array::from_fn(|n| 1.0 - b / divisors[n] * inner[n])
    })
}

/// The direction of the vector `(x, y)` as a part of a turn, in `0.0..=1.0`, right to 2e-6; 0 for
/// the vector without length. Coordinates are finite.
///
/// Reduced to an eighth of a turn, then the polynomial for the arcus tangens of Abramowitz and
/// Stegun, Handbook of Mathematical Functions, 4.4.49, in pairs so that they are computed side by
/// side.
pub fn bearing(x: f64, y: f64) -> f64 {
    let (wide, high) = (x.abs(), y.abs());
    let long = if high > wide { high } else { wide };
    let short = if high > wide { wide } else { high };
    let r = if long > 0.0 { short / long } else { 0.0 };
    let b = r * r;
    let c = b * b;
    let low = 0.999866 - b * 0.3302995;
    let rest = (0.180141 - b * 0.085133) + c * 0.0208351;
    let eighth = r * (low + c * rest) * TURNS_A_RADIAN;
    // Where it lies is anyone's guess, so numbers are cheaper than branches; `start - part` either
    // way.
    let is = |side: bool| f64::from(u8::from(side));
    let (steep, left, below) = (is(high > wide), is(x < 0.0), is(y < 0.0));
    let quarter = 0.25 * steep + (1.0 - 2.0 * steep) * eighth;
    let half = 0.5 * left + (1.0 - 2.0 * left) * quarter;
    below + (1.0 - 2.0 * below) * half
}

/// Marsaglia's 32-bit xorshift (13, 17, 5): chance that both languages draw alike. For looks,
/// wandering and test vectors; it is predictable, so never for secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Xorshift32 {
    state: u32,
}

impl Xorshift32 {
    /// A generator from a seed; 0, which would stay 0, becomes 0x9E3779B9.
    pub fn new(seed: u32) -> Xorshift32 {
        Xorshift32 {
            state: if seed == 0 { 0x9E37_79B9 } else { seed },
        }
    }

    /// The next number, never 0.
    pub fn draw(&mut self) -> u32 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 17;
        self.state ^= self.state << 5;
        self.state
    }

    /// The next number modulo `n`: 0 to `n - 1`. Slightly uneven, which only matters for an `n`
    /// near 2^32. `n` is at least 1.
    pub fn below(&mut self, n: u32) -> u32 {
        self.draw() % n
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn floor_bits_are_those_of_the_floor(
            whole in -(1i64 << 50)..1 << 50,
            small in -(1i64 << 20)..1 << 20,
            part in 0.0..1.0f64,
        ) {
            for value in [whole as f64, whole as f64 + part, small as f64 + part, small as f64 + 0.5] {
                prop_assert_eq!(floor_bits(value), value.floor() as i64 as i32, "{}", value);
            }
        }
    }

    #[test]
    fn floor_has_the_bits_of_the_standard_one() {
        let mut dice = Xorshift32::new(7);
        let special = [
            0.0,
            -0.0,
            0.5,
            -0.5,
            f64::NAN,
            f64::INFINITY,
            -f64::INFINITY,
            f64::MAX,
        ];
        let near_whole = [WHOLE_FROM, WHOLE_FROM - 0.5, -WHOLE_FROM + 0.5, 1e300];
        let any = (0..100_000)
            .map(|_| f64::from_bits(u64::from(dice.draw()) << 32 | u64::from(dice.draw())));
        for value in special.into_iter().chain(near_whole).chain(any) {
            assert_eq!(floor(value).to_bits(), value.floor().to_bits(), "{value}");
        }
    }

    #[test]
    fn rounding_is_what_it_says() {
        for (value, down, near, cut, up) in [
            (2.5, 2.0, 3.0, 2.0, 3.0),
            (-2.5, -3.0, -2.0, -2.0, -2.0),
            (0.25, 0.0, 0.0, 0.0, 1.0),
            (-0.75, -1.0, -1.0, 0.0, 0.0),
            (7.0, 7.0, 7.0, 7.0, 7.0),
        ] {
            assert_eq!(floor(value), down, "floor({value})");
            assert_eq!(round(value), near, "round({value})");
            assert_eq!(trunc(value), cut, "trunc({value})");
            assert_eq!(ceil(value), up, "ceil({value})");
        }
    }

    #[test]
    fn clamp_never_lets_nan_through() {
        assert_eq!(clamp(f64::NAN, -1.0, 1.0), -1.0);
        assert_eq!(clamp(f64::INFINITY, -1.0, 1.0), 1.0);
        assert_eq!(clamp(f64::NEG_INFINITY, -1.0, 1.0), -1.0);
        assert_eq!(clamp(0.5, -1.0, 1.0), 0.5);
    }

    #[test]
    fn unit_agrees_with_the_libraries_sine_and_cosine() {
        let mut worst: f64 = 0.0;
        for n in -20_000..20_000 {
            let angle = f64::from(n) * 0.001;
            let (cos, sin) = unit(angle);
            worst = worst
                .max((cos - angle.cos()).abs())
                .max((sin - angle.sin()).abs());
        }
        assert!(worst < 4e-15, "off by {worst:e}");
    }

    #[test]
    fn unit_is_exact_on_the_axes() {
        assert_eq!(unit(0.0), (1.0, 0.0));
        assert_eq!(unit(QUARTER), (0.0, 1.0));
        assert_eq!(unit(2.0 * QUARTER), (-1.0, 0.0));
        assert_eq!(unit(-QUARTER), (0.0, -1.0));
    }

    #[test]
    fn unit_survives_what_is_no_angle() {
        for angle in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
            assert_eq!(unit(angle), (1.0, 0.0));
        }
    }

    #[test]
    fn xorshift_draws_its_known_sequence() {
        let mut dice = Xorshift32::new(1);
        assert_eq!(
            [dice.draw(), dice.draw(), dice.draw()],
            [270_369, 67_634_689, 2_647_435_461]
        );
        assert_ne!(Xorshift32::new(0).draw(), 0);
    }
}
