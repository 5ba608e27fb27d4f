//! The arena's fixed ground: walls, obstacles, where players and pickups appear. The same for
//! every room, so it is code on both ends and never on the wire.
//!
//! The layout repeats itself under quarter turns, so no side is better than another. Everything
//! has whole coordinates, so that resting against it stays on the movement grid; and any two
//! things stand further apart than a player is wide, so that a mover touches one at a time and
//! a single push frees it. The tests below hold the map to both.

/// Width and height, in units; the walls are at 0 and here.
pub const SIZE: f64 = 1000.0;

/// Something that stops movers and shots.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Obstacle {
    /// An upright rectangle, in units.
    Block {
        /// Left side.
        left: f64,
        /// Upper side.
        top: f64,
        /// Right side.
        right: f64,
        /// Lower side.
        bottom: f64,
    },
    /// A disc, in units.
    Pillar {
        /// Centre.
        x: f64,
        /// Centre.
        y: f64,
        /// Radius.
        radius: f64,
    },
}

/// The obstacles, in the order in which movers are pushed out of them.
pub const OBSTACLES: [Obstacle; 21] = [
    pillar(500.0, 500.0, 60.0),
    // Bars around the centre.
    block(360.0, 440.0, 400.0, 560.0),
    block(440.0, 360.0, 560.0, 400.0),
    block(600.0, 440.0, 640.0, 560.0),
    block(440.0, 600.0, 560.0, 640.0),
    // Stubs in the middle of each side.
    block(110.0, 470.0, 250.0, 530.0),
    block(470.0, 110.0, 530.0, 250.0),
    block(750.0, 470.0, 890.0, 530.0),
    block(470.0, 750.0, 530.0, 890.0),
    // Long walls, a pinwheel.
    block(220.0, 160.0, 400.0, 200.0),
    block(800.0, 220.0, 840.0, 400.0),
    block(600.0, 800.0, 780.0, 840.0),
    block(160.0, 600.0, 200.0, 780.0),
    // Pillars between centre and corners.
    pillar(300.0, 300.0, 30.0),
    pillar(700.0, 300.0, 30.0),
    pillar(700.0, 700.0, 30.0),
    pillar(300.0, 700.0, 30.0),
    // Posts in the corners.
    pillar(120.0, 120.0, 18.0),
    pillar(880.0, 120.0, 18.0),
    pillar(880.0, 880.0, 18.0),
    pillar(120.0, 880.0, 18.0),
];

/// Where players appear: centres, in units.
pub const SPAWNS: [(f64, f64); 12] = [
    (60.0, 60.0),
    (940.0, 60.0),
    (940.0, 940.0),
    (60.0, 940.0),
    (500.0, 60.0),
    (940.0, 500.0),
    (500.0, 940.0),
    (60.0, 500.0),
    (90.0, 300.0),
    (700.0, 90.0),
    (910.0, 700.0),
    (300.0, 910.0),
];

/// Where first aid appears: centres, in units.
pub const HEALTH_PADS: [(f64, f64); 4] = [
    (305.0, 500.0),
    (500.0, 305.0),
    (695.0, 500.0),
    (500.0, 695.0),
];

/// Where ammunition appears: centres, in units.
pub const AMMO_PADS: [(f64, f64); 4] = [
    (230.0, 245.0),
    (755.0, 230.0),
    (770.0, 755.0),
    (245.0, 770.0),
];

const fn block(left: f64, top: f64, right: f64, bottom: f64) -> Obstacle {
    Obstacle::Block {
        left,
        top,
        right,
        bottom,
    }
}

const fn pillar(x: f64, y: f64, radius: f64) -> Obstacle {
    Obstacle::Pillar { x, y, radius }
}

impl Obstacle {
    /// Left, upper, right and lower end, in units.
    const fn bounds(&self) -> (f64, f64, f64, f64) {
        match *self {
            Obstacle::Block {
                left,
                top,
                right,
                bottom,
            } => (left, top, right, bottom),
            Obstacle::Pillar { x, y, radius } => (x - radius, y - radius, x + radius, y + radius),
        }
    }

    /// Distance of a point from the obstacle's edge, in units; negative inside.
    pub fn distance(&self, x: f64, y: f64) -> f64 {
        match *self {
            Obstacle::Pillar {
                x: cx,
                y: cy,
                radius,
            } => tickwire::exact::length(x - cx, y - cy) - radius,
            Obstacle::Block {
                left,
                top,
                right,
                bottom,
            } => {
                let dx = (left - x).max(x - right);
                let dy = (top - y).max(y - bottom);
                if dx > 0.0 && dy > 0.0 {
                    tickwire::exact::length(dx, dy)
                } else {
                    dx.max(dy)
                }
            }
        }
    }
}

/// Width and height of a cell of [`NEAR`], in units.
const CELL: f64 = 25.0;
/// Cells in a unit. Products with it put a point beside a cell's border into the wrong cell at
/// worst, which is as good: what is near to both is in both.
const CELLS_A_UNIT: f64 = 1.0 / CELL;
/// Cells in a row, and rows.
const CELLS: usize = (SIZE / CELL) as usize;
/// How far something may reach that [`near`] is asked for, in units: twice a player's radius.
pub const NEAR_MAX: f64 = 24.0;
/// The obstacles within [`NEAR_MAX`] of any point of a cell, as bits; by row, then column.
const NEAR: [u32; CELLS * CELLS] = near_cells();

const fn near_cells() -> [u32; CELLS * CELLS] {
    let mut cells = [0; CELLS * CELLS];
    let mut cell = 0;
    while cell < cells.len() {
        let left = (cell % CELLS) as f64 * CELL;
        let top = (cell / CELLS) as f64 * CELL;
        let mut n = 0;
        while n < OBSTACLES.len() {
            // Round obstacles count as the squares around them: what is near is then one more at
            // most.
            let (l, t, r, b) = OBSTACLES[n].bounds();
            if l <= left + CELL + NEAR_MAX
                && r >= left - NEAR_MAX
                && t <= top + CELL + NEAR_MAX
                && b >= top - NEAR_MAX
            {
                cells[cell] |= 1 << n;
            }
            n += 1;
        }
        cell += 1;
    }
    cells
}

/// The obstacles that may be within [`NEAR_MAX`] of a point, in their order: mostly none or one.
/// For speed only: whoever asks all of them gets the same answers.
#[inline]
pub fn near(x: f64, y: f64) -> impl Iterator<Item = &'static Obstacle> {
    // Casts saturate: beyond the walls the outermost cells answer.
    let column = ((x * CELLS_A_UNIT) as u32 as usize).min(CELLS - 1);
    let row = ((y * CELLS_A_UNIT) as u32 as usize).min(CELLS - 1);
    let mut bits = NEAR[row * CELLS + column];
    std::iter::from_fn(move || {
        if bits == 0 {
            return None;
        }
        let all: &'static [Obstacle] = &OBSTACLES;
        let next = bits.trailing_zeros() as usize;
        bits &= bits - 1;
        all.get(next)
    })
}

/// Distance of a point from the nearest wall or obstacle, in units; negative inside one.
pub fn clearance(x: f64, y: f64) -> f64 {
    let walls = x.min(y).min(SIZE - x).min(SIZE - y);
    OBSTACLES
        .iter()
        .fold(walls, |least, obstacle| least.min(obstacle.distance(x, y)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::RADIUS;

    /// Room between two obstacles: a player's width and a tick's way.
    const PASSAGE: f64 = 2.0 * RADIUS + 8.0;

    /// An obstacle as a core that a distance is measured from: a block, or a point.
    fn gap(a: Obstacle, b: Obstacle) -> f64 {
        let span = |o: Obstacle| match o {
            Obstacle::Block {
                left,
                top,
                right,
                bottom,
            } => (left, top, right, bottom, 0.0),
            Obstacle::Pillar { x, y, radius } => (x, y, x, y, radius),
        };
        let (al, at, ar, ab, a_radius) = span(a);
        let (bl, bt, br, bb, b_radius) = span(b);
        let dx = (bl - ar).max(al - br).max(0.0);
        let dy = (bt - ab).max(at - bb).max(0.0);
        tickwire::exact::length(dx, dy) - a_radius - b_radius
    }

    #[test]
    fn a_player_fits_between_any_two_obstacles() {
        for (n, a) in OBSTACLES.iter().enumerate() {
            for b in &OBSTACLES[n + 1..] {
                assert!(gap(*a, *b) >= PASSAGE, "{a:?} and {b:?}: {}", gap(*a, *b));
            }
        }
    }

    #[test]
    fn a_player_fits_between_obstacles_and_walls() {
        for obstacle in OBSTACLES {
            let (left, top, right, bottom) = obstacle.bounds();
            let room = left.min(top).min(SIZE - right).min(SIZE - bottom);
            assert!(room >= PASSAGE, "{obstacle:?}: {room}");
            assert!(left < right && top < bottom, "{obstacle:?}");
        }
    }

    #[test]
    fn everything_has_whole_coordinates() {
        for obstacle in OBSTACLES {
            let numbers = match obstacle {
                Obstacle::Block {
                    left,
                    top,
                    right,
                    bottom,
                } => [left, top, right, bottom],
                Obstacle::Pillar { x, y, radius } => [x, y, radius, 0.0],
            };
            assert!(numbers.iter().all(|n| n.fract() == 0.0), "{obstacle:?}");
        }
        for (x, y) in SPAWNS.into_iter().chain(HEALTH_PADS).chain(AMMO_PADS) {
            assert_eq!((x.fract(), y.fract()), (0.0, 0.0));
        }
    }

    #[test]
    fn spawns_and_pads_are_free() {
        for (x, y) in SPAWNS.into_iter().chain(HEALTH_PADS).chain(AMMO_PADS) {
            assert!(
                clearance(x, y) > RADIUS + 8.0,
                "{x}, {y}: {}",
                clearance(x, y)
            );
        }
    }

    #[test]
    fn the_map_repeats_under_quarter_turns() {
        for (x, y) in SPAWNS.into_iter().chain(HEALTH_PADS).chain(AMMO_PADS) {
            let turned = (SIZE - y, x);
            assert!(
                SPAWNS.contains(&turned)
                    || HEALTH_PADS.contains(&turned)
                    || AMMO_PADS.contains(&turned),
                "{x}, {y}"
            );
        }
        for obstacle in OBSTACLES {
            let turned = match obstacle {
                Obstacle::Block {
                    left,
                    top,
                    right,
                    bottom,
                } => block(SIZE - bottom, left, SIZE - top, right),
                Obstacle::Pillar { x, y, radius } => pillar(SIZE - y, x, radius),
            };
            assert!(OBSTACLES.contains(&turned), "{obstacle:?}");
        }
    }

    #[test]
    fn what_is_near_is_in_the_cells() {
        for (x, y) in
            (-4..=1004).flat_map(|x| (-4..=1004).map(move |y| (f64::from(x), f64::from(y))))
        {
            let within = |obstacle: &&Obstacle| obstacle.distance(x, y) <= NEAR_MAX;
            let near = near(x, y).filter(within);
            assert!(near.eq(OBSTACLES.iter().filter(within)), "{x}, {y}");
        }
    }

    #[test]
    fn distance_is_negative_inside_only() {
        assert_eq!(OBSTACLES[0].distance(500.0, 500.0), -60.0);
        assert_eq!(OBSTACLES[1].distance(380.0, 500.0), -20.0);
        assert_eq!(OBSTACLES[1].distance(357.0, 436.0), 5.0);
        assert_eq!(clearance(60.0, 500.0), 50.0);
        assert_eq!(clearance(10.0, 700.0), 10.0);
    }
}
