//! The fallen come back: players where the living are far, drones anywhere.

use bevy_ecs::prelude::*;
use rand::Rng;
use serde::{Deserialize, Serialize};
use tickwire_server::game::{Out, RoomRng, Tick, To};

use crate::components::{Drone, Gun, Health, Pos, Serial};
use crate::drones::free_place;
use crate::events::Respawn;
use crate::map::SPAWNS;
use crate::tuning::{DRONE_HEALTH, HEALTH_MAX};

/// Who is out, and from which tick on they are back: a few of many, so that nobody has to look for
/// them.
#[derive(Resource, Default, Serialize, Deserialize)]
pub(super) struct Fallen(Vec<(u32, Entity)>);

impl Fallen {
    /// `who` fell and returns at the end of tick `rises_at`; of one who is out already this is the
    /// new time.
    pub(super) fn add(&mut self, who: Entity, rises_at: u32) {
        self.0.retain(|(_, fallen)| *fallen != who);
        self.0.push((rises_at, who));
    }
}

/// Brings back everyone whose time has come, in the order in which they came to be.
pub(super) fn raise_fallen(
    tick: Res<Tick>,
    mut rng: ResMut<RoomRng>,
    mut out: ResMut<Out>,
    mut fallen: ResMut<Fallen>,
    mut players: Query<(&Serial, &mut Health, &mut Pos, &mut Gun), Without<Drone>>,
    mut drones: Query<(&mut Health, &mut Pos, &mut Drone)>,
) {
    let due = fallen
        .0
        .extract_if(.., |(rises_at, _)| tick.number >= *rises_at);
    let mut risers: Vec<(Serial, Entity)> = Vec::new();
    for (_, who) in due {
        if let Ok((mut health, mut pos, mut drone)) = drones.get_mut(who) {
            health.hp = DRONE_HEALTH;
            *pos = Pos::from(free_place(&mut drone.dice));
        } else if let Ok((serial, ..)) = players.get(who) {
            risers.push((*serial, who));
        }
    }
    if risers.is_empty() {
        return;
    }
    risers.sort_unstable();
    let standing = players.iter().filter(|(_, health, ..)| health.is_up());
    let mut places = Places::among(standing.map(|(_, _, pos, _)| (pos.x, pos.y)));
    for (_, player) in risers {
        let Ok((_, mut health, mut pos, mut gun)) = players.get_mut(player) else {
            continue;
        };
        health.hp = HEALTH_MAX;
        *pos = Pos::from(places.take(&mut rng));
        *gun = Gun::fresh();
        out.send(To::All, Respawn { who: Some(player) });
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
    use crate::scene::Scene;

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
        assert_eq!(scene.events::<Respawn>(), 1);
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
