//! Projectiles fly straight until they meet a wall, someone, or their end. They meet others where
//! who shot saw them: every projectile flies among targets as far back as its shooter's view was at
//! the shot, all its way, so what hits on the shooter's screen hits here. Who fell since is not hit
//! again; walls don't move.

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};
use tickwire_server::game::{Moment, Owner, Rewind, Tick};

use crate::components::{Drone, Flight, Health, Pos, Serial};
use crate::damage::{Blow, Blows};
use crate::kind::Kind;
use crate::map::SIZE;
use crate::rule::SPEED;
use crate::sweep::{Way, meet_disc, meet_map};
use crate::tuning::SHOT_DAMAGE;

/// Somebody who can be hit. Places are on the grid, of which singles lose nothing, and a room's
/// past is most of what its turn has to fetch.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Target {
    serial: Serial,
    x: f32,
    y: f32,
    /// Its own and the projectile's radius.
    reach: f32,
}

impl Target {
    fn place(&self) -> (f64, f64) {
        (f64::from(self.x), f64::from(self.y))
    }
}

/// The widest [`Target::reach`].
const REACH_MAX: f64 = 20.0;

/// Records where everyone stands after they moved, by cells of the arena, so that a shot looks only
/// at its neighbours.
pub(super) fn record_targets(
    tick: Res<Tick>,
    mut past: ResMut<Rewind<Target>>,
    bodies: Query<(Entity, &Serial, &Pos, &Health, Has<Drone>)>,
) {
    let shot = Kind::Projectile.radius();
    let [of_drone, of_player] =
        [Kind::Drone, Kind::Player].map(|kind| (kind.radius() + shot) as f32);
    let targets = bodies
        .iter()
        .filter(|(_, _, _, health, _)| health.is_up())
        .map(|(entity, serial, pos, _, is_drone)| {
            let target = Target {
                serial: *serial,
                x: pos.x as f32,
                y: pos.y as f32,
                reach: if is_drone { of_drone } else { of_player },
            };
            (entity, target)
        });
    past.record_by(tick.number, targets, CELLS * CELLS, |target| {
        let (x, y) = target.place();
        line(y) * CELLS + line(x)
    });
}

/// Width and height of a cell, in units: about what one shot needs to look at. A power of two.
const CELL: f64 = 64.0;
/// Cells in a row, and rows.
const CELLS: usize = (SIZE / CELL) as usize + 1;

/// The row or column of cells that a coordinate is in; beyond the walls the outermost.
fn line(coordinate: f64) -> usize {
    ((coordinate / CELL) as u32 as usize).min(CELLS - 1)
}

/// Moves every projectile by one tick; those that meet something are gone, and whom they met
/// gets a blow.
pub(super) fn fly_projectiles(
    tick: Res<Tick>,
    past: Res<Rewind<Target>>,
    mut blows: ResMut<Blows>,
    mut commands: Commands,
    mut ended: Local<Vec<(bool, Entity)>>,
    mut projectiles: Query<(Entity, &Serial, &mut Flight, Has<Owner>)>,
) {
    // The furthest that anyone goes in a tick: players are the fastest.
    let step_max = SPEED * tick.dt + 1.0;
    for (projectile, serial, mut flight, is_owned) in &mut projectiles {
        let way = Way {
            from: (flight.x, flight.y),
            by: flight.way,
        };
        let wall = meet_map(way);
        let seen = past.at(f64::from(tick.number) - flight.lag);
        let hit = first(&seen, way, flight.by, step_max);
        if let Some((part, who)) = hit
            && wall.is_none_or(|wall| part <= wall)
        {
            blows.0.push(Blow {
                order: *serial,
                who,
                by: flight.by,
                amount: SHOT_DAMAGE,
                at: way.at(part),
            });
            ended.push((!is_owned, projectile));
        } else if wall.is_some() || tick.number >= flight.spent_at {
            ended.push((!is_owned, projectile));
        } else {
            (flight.x, flight.y) = way.at(1.0);
        }
    }
    blows.0.sort_unstable_by_key(|blow| blow.order);
    // Nobody's last, as their archetype is the younger one: a query that met both at once, as one
    // of a restored room has, may see them first.
    ended.sort_by_key(|(is_nobodys, _)| *is_nobodys);
    for (_, projectile) in ended.drain(..) {
        commands.entity(projectile).despawn();
    }
}

/// Who is met first on a way, but for the shooter; the oldest of those met at once.
fn first(seen: &Moment<Target>, way: Way, by: Entity, step_max: f64) -> Option<(f64, Entity)> {
    let end = way.at(1.0);
    let around =
        |a: f64, b: f64| (a.min(b) - REACH_MAX - step_max)..=(a.max(b) + REACH_MAX + step_max);
    let (in_x, in_y) = (around(way.from.0, end.0), around(way.from.1, end.1));
    let (left, right) = (line(*in_x.start()), line(*in_x.end()));
    (line(*in_y.start())..=line(*in_y.end()))
        .flat_map(|row| seen.older_in(row * CELLS + left..=row * CELLS + right))
        .filter(|(entity, target)| {
            let (x, y) = target.place();
            in_x.contains(&x) && in_y.contains(&y) && *entity != by
        })
        .filter_map(|(entity, target)| {
            let at = place(target, seen.newer(*entity), step_max);
            let part = meet_disc(way, at, f64::from(target.reach))?;
            Some((part, target.serial, *entity))
        })
        .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
        .map(|(part, _, entity)| (part, entity))
}

/// Where a target was seen: on the way to its next place, unless it did not walk there.
fn place(older: &Target, newer: Option<(&Target, f64)>, step_max: f64) -> (f64, f64) {
    let Some((newer, alpha)) = newer else {
        return older.place();
    };
    let (from, to) = (older.place(), newer.place());
    let (x, y) = (to.0 - from.0, to.1 - from.1);
    if x * x + y * y > step_max * step_max {
        return from;
    }
    (from.0 + x * alpha, from.1 + y * alpha)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Control;
    use crate::scene::Scene;

    fn shoot(aim: f64) -> Control {
        Control {
            aim,
            fire: true,
            ..Control::default()
        }
    }

    fn flights(scene: &mut Scene) -> usize {
        let mut query = scene.world.query::<&Flight>();
        query.iter(&scene.world).count()
    }

    #[test]
    fn the_widest_target_is_within_reach() {
        for kind in [Kind::Player, Kind::Drone] {
            assert!(kind.radius() + Kind::Projectile.radius() <= REACH_MAX);
        }
    }

    #[test]
    fn a_projectile_flies_straight_and_ends_at_the_wall() {
        let mut scene = Scene::new(1, 0);
        let player = scene.join(0);
        scene.put(player, (60.0, 700.0));
        scene.hold(player, shoot(std::f64::consts::PI));
        scene.tick();
        assert_eq!(flights(&mut scene), 1);
        scene.hold(player, Control::default());
        for _ in 0..4 {
            scene.tick();
        }
        assert_eq!(flights(&mut scene), 0, "60 units take 4.5 ticks");
    }

    #[test]
    fn a_projectile_is_spent_after_its_life() {
        let mut scene = Scene::new(1, 0);
        let player = scene.join(0);
        scene.put(player, (60.0, 60.0));
        scene.hold(player, shoot(0.0));
        scene.tick();
        scene.hold(player, Control::default());
        for _ in 0..44 {
            scene.tick();
            assert_eq!(flights(&mut scene), 1);
        }
        scene.tick();
        assert_eq!(flights(&mut scene), 0);
    }

    #[test]
    fn a_wall_shields_who_stands_behind_it() {
        let mut scene = Scene::new(1, 0);
        let (a, b) = (scene.join(0), scene.join(1));
        scene.put(a, (340.0, 500.0));
        scene.put(b, (416.0, 500.0));
        scene.hold(a, shoot(0.0));
        for _ in 0..60 {
            scene.tick();
        }
        assert_eq!(scene.of::<Health>(b).hp, 100);
    }

    #[test]
    fn the_nearer_of_two_is_hit() {
        let mut scene = Scene::new(1, 0);
        let (a, b, c) = (scene.join(0), scene.join(1), scene.join(2));
        scene.put(a, (60.0, 60.0));
        scene.put(b, (260.0, 60.0));
        scene.put(c, (200.0, 66.0));
        scene.hold(a, shoot(0.0));
        scene.tick();
        scene.hold(a, Control::default());
        for _ in 0..20 {
            scene.tick();
        }
        assert_eq!(scene.of::<Health>(b).hp, 100);
        assert_eq!(scene.of::<Health>(c).hp, 80);
    }

    /// B runs up the screen at full speed past A's line of fire; A shoots at where B was `lag`
    /// ticks ago, of which the server rewinds those that are allowed. Whether that hits.
    fn shot_at_the_past(lag: f64, allowed: f64) -> bool {
        shot_at(lag, lag.min(allowed))
    }

    /// The same, while the server takes A to see B `view` ticks ago.
    fn shot_at(lag: f64, view: f64) -> bool {
        let mut scene = Scene::new(1, 0);
        let (a, b) = (scene.join(0), scene.join(1));
        scene.put(a, (60.0, 600.0));
        scene.put(b, (100.0, 700.0));
        let run = Control {
            dy: -1.0,
            ..Control::default()
        };
        scene.hold(b, run);
        for _ in 0..20 {
            scene.tick();
        }
        // What A sees is in line with A now.
        let back = lag * 100.0 / 30.0;
        let y = scene.of::<Pos>(b).y - 100.0 / 30.0 + back;
        scene.put(a, (60.0, y));
        scene.hold(a, shoot(0.0));
        scene.see(a, view);
        scene.tick();
        scene.hold(a, Control::default());
        for _ in 0..10 {
            scene.tick();
        }
        scene.of::<Health>(b).hp < 100
    }

    #[test]
    fn a_fair_shot_at_150_ms_hits() {
        // The round trip is 4.5 ticks, inputs come a tick early, the view is 1.5 ticks behind.
        assert!(shot_at_the_past(4.5 + 1.0 + 1.5, 7.5));
        for lag in [0.0, 2.5, 7.5] {
            assert!(shot_at_the_past(lag, 7.5), "{lag} ticks ago");
        }
        assert!(!shot_at_the_past(7.0, 0.0), "without a rewind it goes past");
    }

    #[test]
    fn an_impossible_shot_does_not() {
        // At where B was a second ago; nobody is rewound further than 250 ms.
        assert!(!shot_at_the_past(30.0, 7.5));
        // At where B is going to be, while it was elsewhere on the shooter's screen.
        assert!(shot_at(-3.0, 0.0));
        assert!(!shot_at(-3.0, 7.0));
    }

    #[test]
    fn a_leap_is_not_walked_through() {
        let at = |x: f32| Target {
            serial: Serial(1),
            x,
            y: 0.0,
            reach: 15.0,
        };
        assert_eq!(place(&at(10.0), Some((&at(12.0), 0.5)), 4.0), (11.0, 0.0));
        assert_eq!(place(&at(10.0), Some((&at(90.0), 0.5)), 4.0), (10.0, 0.0));
        assert_eq!(place(&at(10.0), None, 4.0), (10.0, 0.0));
    }
}
