//! Projectiles fly straight until they meet a wall, someone, or their end.

use bevy_ecs::prelude::*;
use tickwire::arena::Kind;

use super::components::{Flight, Health, KindOf, Pos, Serial};
use super::damage::{Blow, Blows};
use super::sweep::{Way, meet_disc, meet_map};
use super::tuning::SHOT_DAMAGE;
use crate::game::Tick;

/// Who can be hit this tick, from left to right, so that a shot looks only at its neighbours.
#[derive(Resource, Default)]
pub(super) struct Targets(Vec<Target>);

struct Target {
    entity: Entity,
    serial: Serial,
    x: f64,
    y: f64,
    /// Its own and the projectile's radius.
    reach: f64,
}

/// The widest [`Target::reach`].
const REACH_MAX: f64 = 20.0;

/// Notes where everyone stands after they moved.
pub(super) fn spot_targets(
    mut targets: ResMut<Targets>,
    flights: Query<(), With<Flight>>,
    standing: Query<(Entity, &Serial, &Pos, &Health, &KindOf)>,
) {
    targets.0.clear();
    if flights.is_empty() {
        return;
    }
    let shot = Kind::Projectile.radius();
    for (entity, serial, pos, health, kind) in &standing {
        if health.is_up() {
            let body = if kind.is == Kind::Player.index() {
                Kind::Player
            } else {
                Kind::Drone
            };
            targets.0.push(Target {
                entity,
                serial: *serial,
                x: pos.x,
                y: pos.y,
                reach: body.radius() + shot,
            });
        }
    }
    targets
        .0
        .sort_unstable_by(|a, b| a.x.total_cmp(&b.x).then(a.serial.cmp(&b.serial)));
}

/// Moves every projectile by one tick; those that meet something are gone, and whom they met
/// gets a blow.
pub(super) fn fly_projectiles(
    tick: Res<Tick>,
    targets: Res<Targets>,
    mut blows: ResMut<Blows>,
    mut commands: Commands,
    mut projectiles: Query<(Entity, &Serial, &mut Flight)>,
) {
    for (projectile, serial, mut flight) in &mut projectiles {
        let way = Way {
            from: (flight.x, flight.y),
            by: flight.way,
        };
        let wall = meet_map(way);
        let hit = targets.first(way, flight.by);
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
            commands.entity(projectile).despawn();
        } else if wall.is_some() || tick.number >= flight.spent_at {
            commands.entity(projectile).despawn();
        } else {
            (flight.x, flight.y) = way.at(1.0);
        }
    }
    blows.0.sort_unstable_by_key(|blow| blow.order);
}

impl Targets {
    /// Who is met first on a way, but for the shooter; the oldest of those met at once.
    fn first(&self, way: Way, by: Entity) -> Option<(f64, Entity)> {
        let end = way.at(1.0);
        let least = way.from.0.min(end.0) - REACH_MAX;
        let most = way.from.0.max(end.0) + REACH_MAX;
        let start = self.0.partition_point(|target| target.x < least);
        self.0[start..]
            .iter()
            .take_while(|target| target.x <= most)
            .filter(|target| target.entity != by)
            .filter_map(|target| {
                let part = meet_disc(way, (target.x, target.y), target.reach)?;
                Some((part, target.serial, target.entity))
            })
            .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
            .map(|(part, _, entity)| (part, entity))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arena::scene::Scene;
    use tickwire::arena::Control;

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
}
