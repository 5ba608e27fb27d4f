//! Blows land: health goes down, who falls is out for a while, who shot gets the points.

use bevy_ecs::prelude::*;
use tickwire_server::game::{Out, Tick, To};

use crate::components::{Health, Score, Serial};
use crate::events::{Hit, Kill};
use crate::options::Mode;
use crate::respawn::Fallen;
use crate::tuning::{DRONE_RISES_AFTER, PLAYER_RISES_AFTER, ticks};

/// What projectiles did this tick, in the order of the projectiles' serials.
#[derive(Resource, Default)]
pub(super) struct Blows(pub(super) Vec<Blow>);

/// One projectile meeting one body.
pub(super) struct Blow {
    /// The projectile's.
    pub(super) order: Serial,
    /// Who was hit.
    pub(super) who: Entity,
    /// Who shot; may be gone.
    pub(super) by: Entity,
    /// Health that it takes.
    pub(super) amount: u8,
    /// Where, in units.
    pub(super) at: (f64, f64),
}

/// Deals this tick's blows. Whoever falls to one is spared the rest. Only players have scores: a
/// body without one is a drone. In a hunt only drones are hurt.
pub(super) fn deal_damage(
    tick: Res<Tick>,
    mode: Res<Mode>,
    mut blows: ResMut<Blows>,
    mut out: ResMut<Out>,
    mut fallen: ResMut<Fallen>,
    mut bodies: Query<(&mut Health, Option<&mut Score>)>,
) {
    for blow in blows.0.drain(..) {
        let Ok((mut health, score)) = bodies.get_mut(blow.who) else {
            continue;
        };
        if !health.is_up() || (*mode == Mode::Hunt && score.is_some()) {
            continue;
        }
        health.hp = health.hp.saturating_sub(blow.amount);
        out.send(
            To::All,
            Hit {
                who: Some(blow.who),
                by: Some(blow.by),
                amount: blow.amount,
                x: blow.at.0,
                y: blow.at.1,
            },
        );
        if health.is_up() {
            continue;
        }
        let is_player = score.is_some();
        if let Some(mut score) = score {
            score.count_fall();
        }
        let seconds = if is_player {
            PLAYER_RISES_AFTER
        } else {
            DRONE_RISES_AFTER
        };
        fallen.add(blow.who, tick.number + ticks(seconds, &tick));
        if let Ok((_, Some(mut score))) = bodies.get_mut(blow.by) {
            score.count_kill(is_player);
        }
        out.send(
            To::All,
            Kill {
                who: Some(blow.who),
                by: Some(blow.by),
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::Pos;
    use crate::control::Control;
    use crate::scene::Scene;

    /// A shoots at B until B falls; ticks that it took.
    fn duel(scene: &mut Scene, a: Entity, b: Entity) -> u32 {
        scene.put(a, (60.0, 60.0));
        scene.put(b, (120.0, 60.0));
        scene.hold(
            a,
            Control {
                fire: true,
                ..Control::default()
            },
        );
        for tick in 1..200 {
            scene.tick();
            if scene.events::<Kill>() == 1 {
                scene.hold(a, Control::default());
                return tick;
            }
        }
        panic!("nobody fell");
    }

    #[test]
    fn five_shots_fell_a_player_and_count() {
        let mut scene = Scene::new(1, 0);
        let (a, b) = (scene.join(0), scene.join(1));
        let ticks = duel(&mut scene, a, b);
        assert!((25..=32).contains(&ticks), "{ticks}");
        let winner = scene.of::<Score>(a);
        assert_eq!((winner.points, winner.kills, winner.deaths), (5, 1, 0));
        let loser = scene.of::<Score>(b);
        assert_eq!((loser.points, loser.kills, loser.deaths), (0, 0, 1));
        assert_eq!(scene.of::<Health>(b).hp, 0);
    }

    #[test]
    fn a_drone_is_worth_a_point() {
        let mut scene = Scene::new(3, 1);
        let player = scene.join(0);
        let drone = scene.drones()[0];
        for _ in 0..20 {
            scene.put(player, (60.0, 60.0));
            scene.put(drone, (120.0, 60.0));
            scene.hold(
                player,
                Control {
                    fire: true,
                    ..Control::default()
                },
            );
            scene.tick();
        }
        assert_eq!(scene.of::<Score>(player).points, 1);
        assert_eq!(scene.of::<Health>(drone).hp, 0);
    }

    #[test]
    fn a_shot_of_someone_who_left_still_hits() {
        let mut scene = Scene::new(1, 0);
        let (a, b) = (scene.join(0), scene.join(1));
        scene.put(a, (60.0, 60.0));
        scene.put(b, (260.0, 60.0));
        scene.hold(
            a,
            Control {
                fire: true,
                ..Control::default()
            },
        );
        scene.tick();
        scene.world.despawn(a);
        for _ in 0..20 {
            scene.tick();
        }
        assert_eq!(scene.of::<Health>(b).hp, 80);
    }

    #[test]
    fn one_who_falls_is_spared_the_rest() {
        let mut scene = Scene::new(1, 0);
        let (a, b) = (scene.join(0), scene.join(1));
        let at = *scene.of::<Pos>(b);
        scene.world.get_mut::<Health>(b).expect("a player").hp = 20;
        let mut blows = scene.world.resource_mut::<Blows>();
        for order in 0..3 {
            blows.0.push(Blow {
                order: Serial(order),
                who: b,
                by: a,
                amount: 20,
                at: (at.x, at.y),
            });
        }
        scene.tick();
        assert_eq!((scene.events::<Hit>(), scene.events::<Kill>()), (1, 1));
        assert_eq!(scene.of::<Score>(a).kills, 1);
    }

    #[test]
    fn in_a_hunt_drones_are_hurt_and_nobody_else() {
        let mut scene = Scene::new(3, 1);
        scene.world.insert_resource(Mode::Hunt);
        let (a, b) = (scene.join(0), scene.join(1));
        let drone = scene.drones()[0];
        let mut blows = scene.world.resource_mut::<Blows>();
        for (order, who) in [(0, b), (1, drone)] {
            blows.0.push(Blow {
                order: Serial(order),
                who,
                by: a,
                amount: 5,
                at: (60.0, 60.0),
            });
        }
        scene.tick();
        assert_eq!(scene.events::<Hit>(), 1);
        assert_eq!(scene.of::<Health>(b).hp, crate::tuning::HEALTH_MAX);
    }
}
