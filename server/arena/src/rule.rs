//! How a mover moves: full speed at once, no inertia, sliding along walls and obstacles. The
//! server runs it for every player, a client for its own; both get the same bits.
//!
//! Positions live on a grid of 1/128 units, which is also the step in which everyone is told
//! them. A tick's displacement is cut to the grid, so a straight run changes the position by
//! the same whole number of steps every tick, and a snapshot that goes on by the last change
//! spends no bit on it. Pushes out of obstacles round away from them, so the grid never lets
//! a mover into one.
//!
//! Without velocity there is no state but the position, and nothing that could coast below a
//! threshold. Other movers are no part of the rule: they would make prediction a guess.

use serde::{Deserialize, Serialize};
use tickwire::exact::{ceil, clamp, floor, length, trunc};

use crate::control::Control;
use crate::map::{NEAR_MAX, Obstacle, SIZE, near};

/// Full speed, in units a second; cutting to the grid never exceeds it.
pub const SPEED: f64 = 100.0;
/// A player's radius, in units.
pub const RADIUS: f64 = 12.0;
/// Positions are multiples of `1 / GRID` units.
pub const GRID: f64 = 128.0;
/// Longest way that is moved before obstacles are looked at, in units: below every radius, so
/// that no centre ever gets inside an obstacle. A tick that reaches further is cut into parts.
pub const REACH_MAX: f64 = 8.0;

/// What the rule moves: its centre, in units, on the grid.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mover {
    /// From the left wall.
    pub x: f64,
    /// From the upper wall.
    pub y: f64,
}

/// Moves a living player by one tick of `dt` seconds. The dead don't move: their callers leave
/// the rule alone while health is 0.
pub fn step(mover: &mut Mover, control: &Control, dt: f64) {
    advance(mover, control.dx, control.dy, SPEED, RADIUS, dt);
}

/// Moves any mover: `dx`, `dy` as in [`Control`], at `speed` units a second, `radius` in units, at
/// most half of [`NEAR_MAX`].
///
/// `dx` and `dy` together count as 1 at most, so diagonals are no faster.
pub fn advance(mover: &mut Mover, dx: f64, dy: f64, speed: f64, radius: f64, dt: f64) {
    walk(mover, Stride::new(dx, dy, speed, dt), radius);
}

/// The way of a tick that meets nothing. Who goes straight on keeps it from tick to tick.
///
/// Of singles, which lose nothing of a few grid steps, so that movers that keep one stay small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stride {
    /// Of each part, in units, on the grid.
    x: f32,
    y: f32,
    parts: u32,
}

impl Stride {
    /// Of a push as [`advance`] takes it.
    #[inline]
    pub fn new(dx: f64, dy: f64, speed: f64, dt: f64) -> Stride {
        let dx = clamp(dx, -1.0, 1.0);
        let dy = clamp(dy, -1.0, 1.0);
        let long = length(dx, dy);
        // A division by 1 changes nothing, a branch on the last bit of a unit vector's length is
        // dearer.
        let over = if long > 1.0 { long } else { 1.0 };
        let reach = speed * dt;
        let parts = floor(reach / REACH_MAX) + 1.0;
        let [x, y] = [dx, dy].map(|push| trunc(push / over * reach / parts * GRID) / GRID);
        Stride {
            x: x as f32,
            y: y as f32,
            parts: parts as u32,
        }
    }
}

/// Moves a mover of `radius` by a tick's stride, as [`advance`] does.
#[inline]
pub fn walk(mover: &mut Mover, stride: Stride, radius: f64) {
    debug_assert!(radius * 2.0 <= NEAR_MAX, "wider than `near` looks");
    let (x, y) = (f64::from(stride.x), f64::from(stride.y));
    // Who stands still is not pushed either.
    if x == 0.0 && y == 0.0 {
        return;
    }
    for _ in 0..stride.parts {
        mover.x = clamp(mover.x + x, radius, SIZE - radius);
        mover.y = clamp(mover.y + y, radius, SIZE - radius);
        // Who is pushed goes no further than the radius, and nothing else is that near there.
        for obstacle in near(mover.x, mover.y) {
            push_out(mover, obstacle, radius);
        }
    }
}

/// Pushes a mover that overlaps an obstacle out of it by the shortest way.
fn push_out(mover: &mut Mover, obstacle: &Obstacle, radius: f64) {
    match *obstacle {
        Obstacle::Pillar {
            x,
            y,
            radius: around,
        } => push_off(mover, x, y, around + radius),
        Obstacle::Block {
            left,
            top,
            right,
            bottom,
        } => {
            // First, because it is so mostly; who touches a corner overlaps the block's
            // surroundings too.
            let apart_x = mover.x <= left - radius || mover.x >= right + radius;
            let apart_y = mover.y <= top - radius || mover.y >= bottom + radius;
            if apart_x || apart_y {
                return;
            }
            // The block's point that is nearest to the centre.
            let x = clamp(mover.x, left, right);
            let y = clamp(mover.y, top, bottom);
            if x != mover.x && y != mover.y {
                push_off(mover, x, y, radius);
            } else {
                // Beside an edge (or, by no way known, inside): out through the nearest edge.
                let west = mover.x - (left - radius);
                let east = right + radius - mover.x;
                let north = mover.y - (top - radius);
                let south = bottom + radius - mover.y;
                if west <= east && west <= north && west <= south {
                    mover.x = left - radius;
                } else if east <= north && east <= south {
                    mover.x = right + radius;
                } else if north <= south {
                    mover.y = top - radius;
                } else {
                    mover.y = bottom + radius;
                }
            }
        }
    }
}

/// Pushes a mover to `distance` from a point that it is nearer to.
fn push_off(mover: &mut Mover, x: f64, y: f64, distance: f64) {
    let off_x = mover.x - x;
    let off_y = mover.y - y;
    if off_x * off_x + off_y * off_y >= distance * distance {
        return;
    }
    let long = length(off_x, off_y);
    if long == 0.0 {
        mover.x = x + distance;
        return;
    }
    mover.x = x + away(off_x * distance / long);
    mover.y = y + away(off_y * distance / long);
}

/// To the grid, away from zero.
fn away(offset: f64) -> f64 {
    if offset < 0.0 {
        -(ceil(-offset * GRID) / GRID)
    } else {
        ceil(offset * GRID) / GRID
    }
}
