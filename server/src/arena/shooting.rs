//! Guns: triggers, cooldowns, magazines. What a shot then does is `flight` and `damage`.

use bevy_ecs::prelude::*;
use bevy_ecs::query::QueryData;
use tickwire::arena::rule::GRID;
use tickwire::arena::{Control, Kind};
use tickwire::exact::{trunc, unit};

use super::components::{Flight, Gun, Health, KindOf, Pos, Serial, Serials};
use super::events::Shot;
use super::rounds::Round;
use super::tuning::{COOLDOWN, MAGAZINE, RELOAD, SHOT_LIFE, SHOT_SPEED, ticks};
use crate::game::{Input, Out, Owner, Tick, To};

/// Finishes reloads, and starts them when a player asks or the magazine is empty.
pub(super) fn reload_guns(
    tick: Res<Tick>,
    mut players: Query<(&Input<Control>, &Health, &mut Gun)>,
) {
    for (input, health, mut gun) in &mut players {
        if !health.is_up() {
            continue;
        }
        if gun.ready_at != 0 {
            if tick.number >= gun.ready_at {
                let rounds = (MAGAZINE - gun.rounds).min(gun.spare);
                gun.rounds += rounds;
                gun.spare -= rounds;
                gun.ready_at = 0;
            }
        } else if gun.spare > 0 && (gun.rounds == 0 || (input.now.reload && gun.rounds < MAGAZINE))
        {
            gun.ready_at = tick.number + ticks(RELOAD, &tick);
        }
    }
}

/// A player as far as its gun is concerned.
#[derive(QueryData)]
#[query_data(mutable)]
pub(super) struct Shooter {
    player: Entity,
    serial: &'static Serial,
    owner: &'static Owner,
    input: &'static Input<Control>,
    health: &'static Health,
    pos: &'static Pos,
    gun: &'static mut Gun,
}

/// Fires the guns whose triggers are held and that can: a projectile each, from the player's
/// centre, which its first tick of flight leaves.
pub(super) fn fire_guns(
    tick: Res<Tick>,
    round: Res<Round>,
    mut serials: ResMut<Serials>,
    mut out: ResMut<Out>,
    mut commands: Commands,
    mut shooters: Query<Shooter>,
) {
    if !round.phase().is_armed() {
        return;
    }
    let mut shots = Vec::new();
    for mut shooter in &mut shooters {
        let gun = &mut shooter.gun;
        let able = shooter.health.is_up()
            && gun.rounds > 0
            && gun.ready_at == 0
            && tick.number >= gun.next_shot;
        if shooter.input.now.fire && able {
            gun.rounds -= 1;
            gun.next_shot = tick.number + ticks(COOLDOWN, &tick);
            let (player, serial) = (shooter.player, *shooter.serial);
            shots.push((
                serial,
                player,
                *shooter.owner,
                *shooter.pos,
                shooter.input.now.aim,
                f64::from(tick.number) - shooter.input.view,
            ));
        }
    }
    shots.sort_unstable_by_key(|(serial, ..)| *serial);
    for (_, by, owner, from, aim, lag) in shots {
        out.send(To::All, Shot { by: Some(by) });
        commands.spawn((
            KindOf::from(Kind::Projectile),
            Flight {
                lag,
                ..launch(from, aim, by, &tick)
            },
            owner,
            serials.next(),
        ));
    }
}

/// A projectile's way: whole grid steps a tick, so that snapshots foresee all of it.
fn launch(from: Pos, aim: f64, by: Entity, tick: &Tick) -> Flight {
    let (cos, sin) = unit(aim);
    let reach = SHOT_SPEED * tick.dt * GRID;
    let way = (trunc(cos * reach) / GRID, trunc(sin * reach) / GRID);
    Flight {
        x: from.x,
        y: from.y,
        vx: way.0 / tick.dt,
        vy: way.1 / tick.dt,
        way,
        by,
        spent_at: tick.number + ticks(SHOT_LIFE, tick),
        lag: 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tuning::SPARE_FRESH;
    use super::*;
    use crate::arena::scene::Scene;

    fn trigger() -> Control {
        Control {
            fire: true,
            ..Control::default()
        }
    }

    #[test]
    fn a_held_trigger_fires_once_a_cooldown() {
        let mut scene = Scene::new(1, 0);
        let player = scene.join(0);
        scene.hold(player, trigger());
        let mut shots = Vec::new();
        for tick in 1..=20 {
            scene.tick();
            if scene.events("shot") == 1 {
                shots.push(tick);
            }
        }
        assert_eq!(shots, [1, 7, 13, 19]);
    }

    #[test]
    fn an_empty_magazine_is_reloaded_from_the_spare_rounds() {
        let mut scene = Scene::new(1, 0);
        let player = scene.join(0);
        scene.hold(player, trigger());
        let mut shots = 0;
        for _ in 0..11 * 6 + 1 {
            scene.tick();
            shots += scene.events("shot");
        }
        assert_eq!(shots, usize::from(MAGAZINE));
        assert_eq!(scene.of::<Gun>(player).rounds, 0);
        scene.tick();
        assert_ne!(scene.of::<Gun>(player).ready_at, 0);
        scene.hold(player, Control::default());
        for _ in 0..36 {
            scene.tick();
        }
        let gun = scene.of::<Gun>(player);
        assert_eq!((gun.rounds, gun.ready_at), (MAGAZINE, 0));
        assert_eq!(gun.spare, SPARE_FRESH - MAGAZINE);
    }

    #[test]
    fn a_player_without_rounds_cannot_shoot() {
        let mut scene = Scene::new(1, 0);
        let player = scene.join(0);
        let mut gun = scene.world.get_mut::<Gun>(player).expect("a player");
        (gun.rounds, gun.spare) = (0, 0);
        scene.hold(player, trigger());
        for _ in 0..60 {
            scene.tick();
            assert_eq!(scene.events("shot"), 0);
        }
    }

    #[test]
    fn a_player_may_reload_early_and_cannot_shoot_meanwhile() {
        let mut scene = Scene::new(1, 0);
        let player = scene.join(0);
        scene.hold(player, trigger());
        scene.tick();
        scene.hold(
            player,
            Control {
                fire: true,
                reload: true,
                ..Control::default()
            },
        );
        for _ in 0..36 {
            scene.tick();
            assert_eq!(scene.events("shot"), 0);
        }
        scene.tick();
        assert_eq!(scene.events("shot"), 1);
    }

    #[test]
    fn a_launch_is_whole_grid_steps_and_never_too_fast() {
        let tick = Tick {
            number: 1,
            dt: 1.0 / 30.0,
        };
        for n in 0..256 {
            let aim = f64::from(n) * std::f64::consts::TAU / 256.0;
            let flight = launch(Pos { x: 5.0, y: 5.0 }, aim, Entity::PLACEHOLDER, &tick);
            let (x, y) = flight.way;
            assert_eq!(((x * GRID).fract(), (y * GRID).fract()), (0.0, 0.0));
            let speed = flight.vx.hypot(flight.vy);
            assert!(speed <= SHOT_SPEED + 1e-9 && speed > 0.99 * SHOT_SPEED);
        }
    }
}
