//! Drones wander: straight for a while, then another way, and around what is ahead.

use std::f64::consts::{PI, TAU};

use bevy_ecs::prelude::*;
use rand::Rng;
use tickwire::exact::{Xorshift32, clamp, unit};
use tickwire_server::game::{RoomRng, Tick};

use crate::components::{Drone, Health, KindOf, Pos, Serial, Serials};
use crate::kind::Kind;
use crate::map::{SIZE, clearance, near};
use crate::rule::Mover;
use crate::rule::{Stride, walk};
use crate::tuning::{DRONE_HEALTH, DRONE_SIGHT, DRONE_SPEED, DRONE_TURN, ticks};

/// Ticks between a drone's looks ahead. Each drone looks at another tick, to share the work.
const LOOK_EVERY: u32 = 4;

/// Puts `count` drones into a new room, each with its own dice.
pub(super) fn spawn_drones(world: &mut World, count: u16) {
    let dt = world.resource::<Tick>().dt;
    for _ in 0..count {
        let mut dice = Xorshift32::new(world.resource_mut::<RoomRng>().0.next_u32());
        let serial = world.resource_mut::<Serials>().next();
        let place = free_place(&mut dice);
        let heading = f64::from(dice.below(64)) * (TAU / 64.0);
        let ahead = unit(heading);
        world.spawn((
            KindOf::from(Kind::Drone),
            Pos::from(place),
            Health { hp: DRONE_HEALTH },
            Drone {
                dice,
                heading,
                ahead,
                stride: stride(ahead, dt),
                turn: 0.0,
                bored_at: 0,
            },
            serial,
        ));
    }
}

/// A random whole point with room around it.
pub(super) fn free_place(dice: &mut Xorshift32) -> (f64, f64) {
    loop {
        let x = f64::from(dice.below(SIZE as u32));
        let y = f64::from(dice.below(SIZE as u32));
        if clearance(x, y) > Kind::Drone.radius() + 2.0 {
            return (x, y);
        }
    }
}

/// Turns every drone that is up where it wants to go, and moves it on.
pub(super) fn drive_drones(
    tick: Res<Tick>,
    mut drones: Query<(&Serial, &Health, &mut Pos, &mut Drone)>,
) -> Result {
    for (serials, healths, mut places, mut drones) in drones.contiguous_iter_mut()? {
        // Nobody asks which drones changed: most do in every tick.
        let places = places.bypass_change_detection();
        let drones = drones.bypass_change_detection();
        for (n, drone) in drones.iter_mut().enumerate() {
            if healths[n].is_up() {
                let looks = tick.number.wrapping_add(serials[n].0) % LOOK_EVERY == 0;
                decide(drone, places[n], looks, &tick);
                if drone.turn != 0.0 {
                    steer(drone, tick.dt);
                }
            }
        }
        // Not in one go, because what a drone meets on its way is anyone's guess, and a wrong guess
        // is dearer the longer it takes to find out: a turn is a long sum.
        for (n, pos) in places.iter_mut().enumerate() {
            if healths[n].is_up() {
                let mut mover = Mover::from(*pos);
                walk(&mut mover, drones[n].stride, Kind::Drone.radius());
                *pos = Pos::from(mover);
            }
        }
    }
    Ok(())
}

/// What a drone means to turn: something now and then, on a whim, and away from what it sees ahead.
fn decide(drone: &mut Drone, pos: Pos, looks: bool, tick: &Tick) {
    if tick.number >= drone.bored_at {
        drone.turn = (f64::from(drone.dice.below(33)) - 16.0) * (TAU / 64.0);
        let seconds = 1.0 + f64::from(drone.dice.below(31)) / 10.0;
        drone.bored_at = tick.number + ticks(seconds, tick);
    }
    if looks && drone.turn == 0.0 && is_blocked(pos, drone.ahead) {
        drone.turn = around(pos, drone.heading, &mut drone.dice);
    }
}

/// Turns a drone by what a tick allows of what it means to.
fn steer(drone: &mut Drone, dt: f64) {
    let most = DRONE_TURN * dt;
    let now = clamp(drone.turn, -most, most);
    drone.turn -= now;
    drone.heading += now;
    if drone.heading >= TAU {
        drone.heading -= TAU;
    } else if drone.heading < 0.0 {
        drone.heading += TAU;
    }
    drone.ahead = unit(drone.heading);
    drone.stride = stride(drone.ahead, dt);
}

fn stride((cos, sin): (f64, f64), dt: f64) -> Stride {
    Stride::new(cos, sin, DRONE_SPEED, dt)
}

/// Whether a drone that goes straight on would soon touch something.
fn is_blocked(pos: Pos, (cos, sin): (f64, f64)) -> bool {
    let (x, y) = (pos.x + cos * DRONE_SIGHT, pos.y + sin * DRONE_SIGHT);
    let radius = Kind::Drone.radius();
    let within = |v: f64| v >= radius && v <= SIZE - radius;
    !within(x) || !within(y) || near(x, y).any(|obstacle| obstacle.distance(x, y) < radius)
}

fn room_ahead(pos: Pos, heading: f64) -> f64 {
    let (cos, sin) = unit(heading);
    clearance(pos.x + cos * DRONE_SIGHT, pos.y + sin * DRONE_SIGHT)
}

/// A turn to the freer side: a quarter to a half.
fn around(pos: Pos, heading: f64, dice: &mut Xorshift32) -> f64 {
    let angle = PI / 2.0 + f64::from(dice.below(17)) * (PI / 32.0);
    let right = room_ahead(pos, heading + PI / 2.0);
    let left = room_ahead(pos, heading - PI / 2.0);
    if right > left { angle } else { -angle }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Scene;
    use tickwire::exact::length;

    fn places(scene: &Scene) -> Vec<Pos> {
        let drones = scene.drones();
        drones
            .iter()
            .map(|drone| *scene.of::<Pos>(*drone))
            .collect()
    }

    #[test]
    fn drones_wander_without_touching_anything_for_long() {
        let mut scene = Scene::new(9, 40);
        let mut before = places(&scene);
        let (mut moved, mut still, mut resting) = (0, 0, 0);
        for _ in 0..1800 {
            scene.tick();
            let now = places(&scene);
            for (a, b) in before.iter().zip(&now) {
                let room = clearance(b.x, b.y);
                assert!(room >= Kind::Drone.radius() - 1e-9, "{b:?} has {room}");
                let way = length(b.x - a.x, b.y - a.y);
                assert!(way < 3.0, "{way}");
                if way > 0.9 * DRONE_SPEED / 30.0 {
                    moved += 1;
                } else {
                    still += 1;
                }
                if room < Kind::Drone.radius() + 0.1 {
                    resting += 1;
                }
            }
            before = now;
        }
        assert!(still * 20 < moved, "slowed {still}, went on {moved}");
        assert!(resting * 10 < moved, "touched {resting}, went on {moved}");
    }

    #[test]
    fn drones_get_about() {
        let mut scene = Scene::new(4, 10);
        let start = places(&scene);
        let mut furthest = vec![0.0f64; start.len()];
        for _ in 0..1800 {
            scene.tick();
            for (n, now) in places(&scene).iter().enumerate() {
                let way = length(now.x - start[n].x, now.y - start[n].y);
                furthest[n] = furthest[n].max(way);
            }
        }
        assert!(furthest.iter().all(|way| *way > 100.0), "{furthest:?}");
    }

    #[test]
    fn every_drone_has_its_own_mind() {
        let mut scene = Scene::new(4, 3);
        let minds: Vec<Xorshift32> = scene
            .drones()
            .iter()
            .map(|drone| scene.of::<Drone>(*drone).dice.clone())
            .collect();
        assert!(minds[0] != minds[1] && minds[1] != minds[2]);
        scene.tick();
    }
}
