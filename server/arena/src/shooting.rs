//! Guns: triggers, cooldowns, magazines. What a shot then does is `flight` and `damage`. Called by
//! `players`.

use bevy_ecs::prelude::*;
use tickwire::exact::{trunc, unit};
use tickwire_server::game::{Out, Owner, Tick, To};

use crate::components::{Flight, Gun, KindOf, Pos, Serial, Serials};
use crate::events::Shot;
use crate::kind::Kind;
use crate::rule::GRID;
use crate::tuning::{COOLDOWN, MAGAZINE, RELOAD, SHOT_LIFE, SHOT_SPEED, ticks};

/// Finishes reloading, or starts it when the player asks or the magazine is empty.
pub(super) fn reload(gun: &mut Gun, asked: bool, tick: &Tick) {
    if gun.ready_at != 0 {
        if tick.number >= gun.ready_at {
            let rounds = (MAGAZINE - gun.rounds).min(gun.spare);
            gun.rounds += rounds;
            gun.spare -= rounds;
            gun.ready_at = 0;
        }
    } else if gun.spare > 0 && (gun.rounds == 0 || (asked && gun.rounds < MAGAZINE)) {
        gun.ready_at = tick.number + ticks(RELOAD, tick);
    }
}

/// Pulls the trigger; whether a shot goes off.
pub(super) fn fire(gun: &mut Gun, tick: &Tick) -> bool {
    let able = gun.rounds > 0 && gun.ready_at == 0 && tick.number >= gun.next_shot;
    if able {
        gun.rounds -= 1;
        gun.next_shot = tick.number + ticks(COOLDOWN, tick);
    }
    able
}

/// A shot that went off.
pub(super) struct Fired {
    /// The shooter's.
    pub(super) serial: Serial,
    pub(super) by: Entity,
    pub(super) owner: Owner,
    pub(super) from: Pos,
    /// In radians.
    pub(super) aim: f64,
    /// Ticks that the shooter sees the others behind their own time.
    pub(super) lag: f64,
}

/// Has a projectile fly from every gun that went off, from the player's centre, which its first
/// tick of flight leaves; in the order in which the players joined.
pub(super) fn launch_all(
    mut fired: Vec<Fired>,
    tick: &Tick,
    serials: &mut Serials,
    out: &mut Out,
    commands: &mut Commands,
) {
    fired.sort_unstable_by_key(|shot| shot.serial);
    for shot in fired {
        out.send(To::All, Shot { by: Some(shot.by) });
        let flight = Flight {
            lag: shot.lag,
            ..launch(shot.from, shot.aim, shot.by, tick)
        };
        let kind = KindOf::from(Kind::Projectile);
        commands.spawn((kind, flight, shot.owner, serials.next()));
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
    use super::*;
    use crate::control::Control;
    use crate::scene::Scene;
    use crate::tuning::SPARE_FRESH;

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
            if scene.events::<Shot>() == 1 {
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
            shots += scene.events::<Shot>();
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
            assert_eq!(scene.events::<Shot>(), 0);
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
            assert_eq!(scene.events::<Shot>(), 0);
        }
        scene.tick();
        assert_eq!(scene.events::<Shot>(), 1);
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
