//! The fallen come back: players where the living are far, drones anywhere.

use bevy_ecs::prelude::*;
use rand::Rng;
use tickwire::arena::map::SPAWNS;

use super::components::{Drone, Gun, Health, Pos, Serial};
use super::drones::free_place;
use super::events::Respawn;
use super::tuning::{DRONE_HEALTH, HEALTH_MAX};
use crate::game::{Out, RoomRng, Tick, To};

/// Brings back every player whose time has come, in the order in which they joined.
pub(super) fn raise_players(
    tick: Res<Tick>,
    mut rng: ResMut<RoomRng>,
    mut out: ResMut<Out>,
    mut players: Query<(Entity, &Serial, &mut Health, &mut Pos, &mut Gun)>,
) {
    let mut fallen = Vec::new();
    let mut standing = Vec::new();
    for (player, serial, health, pos, _) in &players {
        if health.is_up() {
            standing.push((pos.x, pos.y));
        } else if tick.number >= health.rises_at {
            fallen.push((*serial, player));
        }
    }
    fallen.sort_unstable();
    for (_, player) in fallen {
        let Ok((_, _, mut health, mut pos, mut gun)) = players.get_mut(player) else {
            continue;
        };
        let place = fresh_place(&standing, &mut rng);
        standing.push(place);
        *health = Health::fresh(HEALTH_MAX);
        *pos = Pos::from(place);
        *gun = Gun::fresh();
        out.send(To::All, Respawn { who: Some(player) });
    }
}

/// Brings back every drone whose time has come.
pub(super) fn raise_drones(
    tick: Res<Tick>,
    mut drones: Query<(&mut Health, &mut Pos, &mut Drone)>,
) {
    for (mut health, mut pos, mut drone) in &mut drones {
        if !health.is_up() && tick.number >= health.rises_at {
            *health = Health::fresh(DRONE_HEALTH);
            *pos = Pos::from(free_place(&mut drone.dice));
        }
    }
}

/// The spawn point whose nearest neighbour is furthest; a random one when nobody stands.
pub(super) fn fresh_place(standing: &[(f64, f64)], rng: &mut RoomRng) -> (f64, f64) {
    let first = rng.0.next_u32() as usize % SPAWNS.len();
    let mut best = (first, -1.0);
    // From a random one on, so that equally good ones take turns.
    for n in 0..SPAWNS.len() {
        let at = (first + n) % SPAWNS.len();
        let (x, y) = SPAWNS[at];
        let room = standing
            .iter()
            .map(|(ox, oy)| (x - ox) * (x - ox) + (y - oy) * (y - oy))
            .fold(f64::INFINITY, f64::min);
        if room > best.1 {
            best = (at, room);
        }
    }
    SPAWNS[best.0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arena::scene::Scene;
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;

    #[test]
    fn a_fallen_player_is_back_fresh_after_two_seconds() {
        let mut scene = Scene::new(1, 0);
        let player = scene.join(0);
        scene.world.get_mut::<Gun>(player).expect("a player").rounds = 0;
        scene.fell(player);
        for _ in 0..59 {
            scene.tick();
            assert_eq!(scene.of::<Health>(player).hp, 0);
        }
        scene.tick();
        assert_eq!(scene.events("respawn"), 1);
        assert_eq!(scene.of::<Health>(player).hp, HEALTH_MAX);
        assert_eq!(scene.of::<Gun>(player).rounds, Gun::fresh().rounds);
        let pos = scene.of::<Pos>(player);
        assert!(SPAWNS.contains(&(pos.x, pos.y)));
    }

    #[test]
    fn a_fallen_drone_is_back_after_four_seconds() {
        let mut scene = Scene::new(1, 1);
        let drone = scene.drones()[0];
        scene.fell(drone);
        for _ in 0..119 {
            scene.tick();
        }
        assert_eq!(scene.of::<Health>(drone).hp, 0);
        scene.tick();
        assert_eq!(scene.of::<Health>(drone).hp, DRONE_HEALTH);
    }

    #[test]
    fn players_appear_away_from_each_other() {
        let mut rng = RoomRng(ChaCha8Rng::seed_from_u64(7));
        let mut standing = Vec::new();
        for _ in 0..SPAWNS.len() {
            let place = fresh_place(&standing, &mut rng);
            assert!(!standing.contains(&place), "{place:?} was taken");
            standing.push(place);
        }
    }

    #[test]
    fn a_full_map_still_has_a_place() {
        let mut rng = RoomRng(ChaCha8Rng::seed_from_u64(7));
        assert!(SPAWNS.contains(&fresh_place(&SPAWNS, &mut rng)));
    }
}
