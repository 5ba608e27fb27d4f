//! First aid and ammunition: on their pads until somebody who needs them comes by, back after a
//! while.

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};
use tickwire_server::game::{Out, Tick, To};

use crate::components::{Gun, Health, KindOf, Pos, Serial, Serials};
use crate::events::Taken;
use crate::kind::Kind;
use crate::map::{AMMO_PADS, HEALTH_PADS};
use crate::tuning::{AID, BOX, HEALTH_MAX, RESTOCK_AFTER, SPARE_MAX, ticks};

/// The pads of the map, in a fixed order.
#[derive(Resource, Serialize, Deserialize)]
pub(super) struct Pads(Vec<Pad>);

#[derive(Serialize, Deserialize)]
struct Pad {
    kind: Kind,
    at: (f64, f64),
    /// What lies on it.
    item: Option<Entity>,
    /// Tick from which an empty one is filled.
    filled_at: u32,
    /// Who of this tick's comers gets it.
    taker: Option<(Serial, Entity)>,
}

impl Pads {
    /// The stocked pad that a player at this place touches. Pads stand too far apart to touch two.
    fn touched_by(&mut self, pos: Pos) -> Option<&mut Pad> {
        self.0.iter_mut().find(|pad| {
            let reach = Kind::Player.radius() + pad.kind.radius();
            let (x, y) = (pos.x - pad.at.0, pos.y - pad.at.1);
            pad.item.is_some() && x * x + y * y < reach * reach
        })
    }
}

impl Default for Pads {
    fn default() -> Pads {
        let pad = |kind| {
            move |at| Pad {
                kind,
                at,
                item: None,
                filled_at: 0,
                taker: None,
            }
        };
        let health = HEALTH_PADS.into_iter().map(pad(Kind::Health));
        Pads(
            health
                .chain(AMMO_PADS.into_iter().map(pad(Kind::Ammo)))
                .collect(),
        )
    }
}

/// Gives what lies on a pad to a player who touches it and needs it; of several, to the one who
/// joined first. Fills the pads that have been empty for long enough.
pub(super) fn tend_pads(
    tick: Res<Tick>,
    mut pads: ResMut<Pads>,
    mut serials: ResMut<Serials>,
    mut out: ResMut<Out>,
    mut commands: Commands,
    mut players: Query<(Entity, &Serial, &Pos, &mut Health, &mut Gun)>,
) {
    for (player, serial, pos, health, gun) in &players {
        if let Some(pad) = pads.touched_by(*pos)
            && needs(pad.kind, health, gun)
        {
            let first = pad.taker.get_or_insert((*serial, player));
            *first = (*first).min((*serial, player));
        }
    }
    for pad in &mut pads.0 {
        match (pad.item, pad.taker.take()) {
            (Some(item), Some((_, player))) => {
                if let Ok((_, _, _, mut health, mut gun)) = players.get_mut(player) {
                    give(pad.kind, &mut health, &mut gun);
                }
                commands.entity(item).despawn();
                pad.item = None;
                pad.filled_at = tick.number + ticks(RESTOCK_AFTER, &tick);
                let taken = Taken {
                    who: Some(player),
                    what: pad.kind.index(),
                };
                out.send(To::All, taken);
            }
            (None, _) if tick.number >= pad.filled_at => {
                let item = (KindOf::from(pad.kind), Pos::from(pad.at), serials.next());
                pad.item = Some(commands.spawn(item).id());
            }
            _ => {}
        }
    }
}

fn give(kind: Kind, health: &mut Health, gun: &mut Gun) {
    match kind {
        Kind::Health => health.hp = health.hp.saturating_add(AID).min(HEALTH_MAX),
        _ => gun.spare = gun.spare.saturating_add(BOX).min(SPARE_MAX),
    }
}

fn needs(kind: Kind, health: &Health, gun: &Gun) -> bool {
    health.is_up()
        && match kind {
            Kind::Health => health.hp < HEALTH_MAX,
            _ => gun.spare < SPARE_MAX,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Scene;
    use crate::tuning::SPARE_FRESH;

    fn items(scene: &mut Scene, kind: Kind) -> usize {
        let mut query = scene.world.query::<&KindOf>();
        query
            .iter(&scene.world)
            .filter(|of| of.is == kind.index())
            .count()
    }

    #[test]
    fn aid_heals_who_is_hurt_and_comes_back() {
        let mut scene = Scene::new(1, 0);
        let player = scene.join(0);
        scene.put(player, HEALTH_PADS[0]);
        scene.tick();
        assert_eq!(items(&mut scene, Kind::Health), 4, "nobody needs it");
        scene.world.get_mut::<Health>(player).expect("a player").hp = 70;
        scene.tick();
        assert_eq!(scene.events::<Taken>(), 1);
        assert_eq!(scene.of::<Health>(player).hp, HEALTH_MAX);
        assert_eq!(items(&mut scene, Kind::Health), 3);
        for _ in 0..239 {
            scene.tick();
        }
        assert_eq!(items(&mut scene, Kind::Health), 3);
        scene.tick();
        assert_eq!(items(&mut scene, Kind::Health), 4);
    }

    #[test]
    fn a_box_fills_the_spare_rounds() {
        let mut scene = Scene::new(1, 0);
        let player = scene.join(0);
        scene.put(player, AMMO_PADS[2]);
        scene.tick();
        scene.tick();
        assert_eq!(scene.of::<Gun>(player).spare, SPARE_FRESH + BOX);
        assert_eq!(items(&mut scene, Kind::Ammo), 3);
    }

    #[test]
    fn nobody_touches_two_pads() {
        let reach = Kind::Player.radius() + Kind::Health.radius().max(Kind::Ammo.radius());
        let pads = Pads::default().0;
        for (n, a) in pads.iter().enumerate() {
            for b in &pads[n + 1..] {
                let gap = (a.at.0 - b.at.0).hypot(a.at.1 - b.at.1);
                assert!(gap > 2.0 * reach, "{:?} and {:?}", a.at, b.at);
            }
        }
    }

    #[test]
    fn who_joined_first_gets_it() {
        let mut scene = Scene::new(1, 0);
        let (a, b) = (scene.join(0), scene.join(1));
        for player in [b, a] {
            scene.put(player, HEALTH_PADS[0]);
            scene.world.get_mut::<Health>(player).expect("a player").hp = 10;
        }
        scene.tick();
        scene.tick();
        assert_eq!(scene.of::<Health>(a).hp, 10 + AID);
        assert_eq!(scene.of::<Health>(b).hp, 10);
    }

    #[test]
    fn the_fallen_take_nothing() {
        let mut scene = Scene::new(1, 0);
        let player = scene.join(0);
        scene.put(player, HEALTH_PADS[0]);
        scene.fell(player);
        for _ in 0..5 {
            scene.tick();
        }
        assert_eq!(items(&mut scene, Kind::Health), 4);
    }
}
