//! Where a straight way first meets something. Pure geometry for `flight`; ways are given as a
//! start and a vector, answers as the fraction of the way, 0 to 1.

use crate::map::{NEAR_MAX, OBSTACLES, Obstacle, SIZE, near};

/// A straight way: from where, and how far in x and y, in units.
#[derive(Clone, Copy)]
pub(super) struct Way {
    pub(super) from: (f64, f64),
    pub(super) by: (f64, f64),
}

impl Way {
    /// The point at a fraction of the way.
    pub(super) fn at(&self, part: f64) -> (f64, f64) {
        (
            self.from.0 + self.by.0 * part,
            self.from.1 + self.by.1 * part,
        )
    }
}

/// The first meeting with a wall or an obstacle.
pub(super) fn meet_map(way: Way) -> Option<f64> {
    let long = way.by.0 * way.by.0 + way.by.1 * way.by.1;
    let obstacle = if long < NEAR_MAX * NEAR_MAX {
        first_of(way, near(way.from.0, way.from.1))
    } else {
        first_of(way, OBSTACLES.iter())
    };
    obstacle.into_iter().chain(leave(way)).reduce(f64::min)
}

fn first_of(way: Way, obstacles: impl Iterator<Item = &'static Obstacle>) -> Option<f64> {
    obstacles
        .filter_map(|obstacle| match *obstacle {
            Obstacle::Pillar { x, y, radius } => meet_disc(way, (x, y), radius),
            Obstacle::Block {
                left,
                top,
                right,
                bottom,
            } => meet_block(way, (left, right), (top, bottom)),
        })
        .reduce(f64::min)
}

/// The first point of the way that is in a disc; 0 when it starts there.
pub(super) fn meet_disc(way: Way, centre: (f64, f64), radius: f64) -> Option<f64> {
    let (x, y) = (way.from.0 - centre.0, way.from.1 - centre.1);
    let outside = x * x + y * y - radius * radius;
    if outside <= 0.0 {
        return Some(0.0);
    }
    let long = way.by.0 * way.by.0 + way.by.1 * way.by.1;
    let towards = -(x * way.by.0 + y * way.by.1);
    let root = towards * towards - long * outside;
    if towards <= 0.0 || root < 0.0 {
        return None;
    }
    let part = (towards - root.sqrt()) / long;
    (part <= 1.0).then_some(part)
}

/// The first point of the way that is in a block; 0 when it starts there.
fn meet_block(way: Way, x: (f64, f64), y: (f64, f64)) -> Option<f64> {
    let (in_x, out_x) = between(way.from.0, way.by.0, x)?;
    let (in_y, out_y) = between(way.from.1, way.by.1, y)?;
    let (enter, exit) = (in_x.max(in_y), out_x.min(out_y));
    (enter <= exit).then_some(enter)
}

/// The part of the way, within 0 to 1, that one coordinate is within bounds for.
fn between(from: f64, by: f64, (least, most): (f64, f64)) -> Option<(f64, f64)> {
    if by == 0.0 {
        return (from >= least && from <= most).then_some((0.0, 1.0));
    }
    let (a, b) = ((least - from) / by, (most - from) / by);
    let (enter, exit) = (a.min(b).max(0.0), a.max(b).min(1.0));
    (enter <= exit).then_some((enter, exit))
}

/// Where the way leaves the arena.
fn leave(way: Way) -> Option<f64> {
    let (x, y) = way.at(1.0);
    let within = 0.0..=SIZE;
    if within.contains(&x) && within.contains(&y) {
        return None;
    }
    let until = |from: f64, by: f64| between(from, by, (0.0, SIZE)).map_or(0.0, |(_, exit)| exit);
    let part = until(way.from.0, way.by.0).min(until(way.from.1, way.by.1));
    (part < 1.0).then_some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(from: (f64, f64), by: (f64, f64)) -> Way {
        Way { from, by }
    }

    #[test]
    fn a_disc_is_met_at_its_edge() {
        let centre = (50.0, 0.0);
        assert_eq!(
            meet_disc(way((0.0, 0.0), (80.0, 0.0)), centre, 10.0),
            Some(0.5)
        );
        assert_eq!(meet_disc(way((0.0, 0.0), (39.0, 0.0)), centre, 10.0), None);
        assert_eq!(meet_disc(way((0.0, 11.0), (80.0, 0.0)), centre, 10.0), None);
        assert_eq!(meet_disc(way((0.0, 0.0), (-80.0, 0.0)), centre, 10.0), None);
        assert_eq!(
            meet_disc(way((55.0, 0.0), (80.0, 0.0)), centre, 10.0),
            Some(0.0)
        );
        assert_eq!(meet_disc(way((0.0, 0.0), (0.0, 0.0)), centre, 10.0), None);
    }

    #[test]
    fn a_block_is_met_at_its_edge() {
        let block = |way| meet_block(way, (10.0, 20.0), (10.0, 20.0));
        assert_eq!(block(way((0.0, 15.0), (20.0, 0.0))), Some(0.5));
        assert_eq!(block(way((15.0, 30.0), (0.0, -20.0))), Some(0.5));
        assert_eq!(block(way((0.0, 5.0), (20.0, 0.0))), None);
        assert_eq!(block(way((0.0, 15.0), (9.0, 0.0))), None);
        assert_eq!(block(way((15.0, 15.0), (9.0, 0.0))), Some(0.0));
        assert_eq!(block(way((0.0, 21.0), (12.0, -12.0))), Some(10.0 / 12.0));
    }

    #[test]
    fn the_walls_end_every_way() {
        assert_eq!(meet_map(way((990.0, 300.0), (20.0, 0.0))), Some(0.5));
        assert_eq!(meet_map(way((300.0, 5.0), (0.0, -20.0))), Some(0.25));
        assert_eq!(meet_map(way((60.0, 60.0), (10.0, 0.0))), None);
    }

    #[test]
    fn the_nearest_obstacle_counts() {
        // From the left, the bar beside the centre comes before the centre's pillar.
        assert_eq!(meet_map(way((340.0, 500.0), (200.0, 0.0))), Some(0.1));
    }
}
