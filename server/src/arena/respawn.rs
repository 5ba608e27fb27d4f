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
    let mut fallen: Vec<(Serial, Entity)> = players
        .iter()
        .filter(|(_, _, health, ..)| !health.is_up() && tick.number >= health.rises_at)
        .map(|(player, serial, ..)| (*serial, player))
        .collect();
    if fallen.is_empty() {
        return;
    }
    fallen.sort_unstable();
    let standing = players.iter().filter(|(_, _, health, ..)| health.is_up());
    let mut places = Places::among(standing.map(|(_, _, _, pos, _)| (pos.x, pos.y)));
    for (_, player) in fallen {
        let Ok((_, _, mut health, mut pos, mut gun)) = players.get_mut(player) else {
            continue;
        };
        *health = Health::fresh(HEALTH_MAX);
        *pos = Pos::from(places.take(&mut rng));
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

/// How free each spawn point is: the square of the distance to the nearest who stands.
pub(super) struct Places([f64; SPAWNS.len()]);

impl Places {
    /// The spawn points among those who stand.
    pub(super) fn among(standing: impl Iterator<Item = (f64, f64)>) -> Places {
        let mut places = Places([f64::INFINITY; SPAWNS.len()]);
        for at in standing {
            places.stand(at);
        }
        places
    }

    /// Takes the freest point; of equally free ones a random one.
    pub(super) fn take(&mut self, rng: &mut RoomRng) -> (f64, f64) {
        let first = rng.0.next_u32() as usize % SPAWNS.len();
        let mut best = first;
        for n in 1..SPAWNS.len() {
            let next = (first + n) % SPAWNS.len();
            if self.0[next] > self.0[best] {
                best = next;
            }
        }
        self.stand(SPAWNS[best]);
        SPAWNS[best]
    }

    fn stand(&mut self, (x, y): (f64, f64)) {
        for (room, place) in self.0.iter_mut().zip(SPAWNS) {
            let (dx, dy) = (place.0 - x, place.1 - y);
            *room = room.min(dx * dx + dy * dy);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arena::scene::Scene;

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
        let mut rng = RoomRng::seeded(7);
        let mut places = Places::among([].into_iter());
        let mut taken = Vec::new();
        for _ in 0..SPAWNS.len() {
            let place = places.take(&mut rng);
            assert!(!taken.contains(&place), "{place:?} was taken");
            taken.push(place);
        }
        // A full map still has a place.
        assert!(SPAWNS.contains(&places.take(&mut rng)));
    }

    #[test]
    fn a_player_appears_far_from_the_one_who_stands() {
        let mut rng = RoomRng::seeded(8);
        let mut places = Places::among([(50.0, 70.0)].into_iter());
        assert_eq!(places.take(&mut rng), (940.0, 940.0));
    }
}
