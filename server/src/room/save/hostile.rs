//! What a save that was made up does: for the fuzz target `restore`, and for the test that runs
//! again what it found. The game has a value of every shape that serde knows, of a component and of
//! a resource, and everything else that a save has. No part of a server.

use std::collections::BTreeMap;
use std::sync::Arc;

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};
use tickwire::ids::PlayerId;
use tickwire::session::Seen;

use super::{FORMAT, HEADER_BYTES, MAGIC, fingerprint, seal};
use crate::game::{
    Axes, Game, GameDef, Group, Input, Out, Owner, Player, Rewind, RoomOptions, Schema, Team, all,
    entity, int, range, text,
};
use crate::room::Room;

/// Ticks that a room of a save is asked for: an image, a delta, and what waits for the next tick.
const TICKS: u32 = 4;

/// See the module's description.
struct Bazaar;

#[derive(Component, Clone, Copy, Serialize, Deserialize)]
struct At(f64, f32);

#[derive(Component, Serialize, Deserialize)]
struct Stall {
    name: String,
    goods: Vec<u16>,
    next_to: Option<Entity>,
    mood: Mood,
}

#[derive(Clone, Default, Serialize, Deserialize)]
enum Mood {
    #[default]
    Calm,
    Busy(u8),
    Sold {
        to: char,
    },
}

#[derive(Component, Serialize, Deserialize)]
struct Closed;

#[derive(Resource, Default, Serialize, Deserialize)]
struct Ledger {
    debts: BTreeMap<i64, Box<[u8]>>,
    day: u32,
}

#[derive(Resource, Default)]
struct Board {
    title: String,
    seats: u32,
}

#[derive(Default, Clone)]
struct Taste {
    colour: u32,
}

struct Sale {
    by: Option<Entity>,
    day: u32,
}

impl Game for Bazaar {
    const NAME: &'static str = "bazaar";
    const SEATS_MAX: u16 = 8;
    type Input = Axes;

    fn schema(s: &mut Schema<Bazaar>) {
        s.axes()
            .component::<At>("at", |k| {
                k.field("x", |at| &mut at.0, range(-100.0, 100.0).step(0.01))
            })
            .component::<Stall>("stall", |k| {
                k.owner_only()
                    .field("name", |stall| &mut stall.name, text(8))
                    .field("next_to", |stall| &mut stall.next_to, entity())
            })
            .room::<Ledger>("ledger", |k| k.field("day", |l| &mut l.day, all()))
            .player_options::<Taste>(|k| k.field("colour", |t| &mut t.colour, int(0, 7)))
            .event::<Sale>("sale", |k| {
                k.durable()
                    .field("by", |sale| &mut sale.by, entity())
                    .field("day", |sale| &mut sale.day, all())
            })
            .metadata::<Board>(|k| {
                k.field("title", |b| &mut b.title, text(8)).field(
                    "seats",
                    |b| &mut b.seats,
                    int(0, 9),
                )
            });
        s.saved::<At>()
            .saved::<Stall>()
            .saved::<Closed>()
            .saved::<Ledger>()
            .saved::<Rewind<f64>>()
            .unsaved::<Board>();
    }

    fn setup(world: &mut World, systems: &mut Schedule, room: &RoomOptions) {
        world.init_resource::<Ledger>();
        world.init_resource::<Board>();
        world.insert_resource(Rewind::<f64>::new(room.tick_rate));
        let stalls: Vec<Entity> = (0..3)
            .map(|at| world.spawn(At(at.into(), 0.5)).id())
            .collect();
        world.despawn(stalls[1]);
        systems.add_systems(trade);
    }

    fn join(world: &mut World, who: &Player) -> Entity {
        let stall = Stall {
            name: who.name.clone(),
            goods: vec![1, 2, 3],
            next_to: None,
            mood: Mood::Sold { to: 'é' },
        };
        let team = Team((who.id.0 % 2) as u8);
        world.spawn((At(0.0, 0.0), stall, team)).id()
    }
}

/// Somebody walks, something is sold, opened and closed each day.
fn trade(
    mut commands: Commands,
    mut ledger: ResMut<Ledger>,
    mut out: ResMut<Out>,
    mut stalls: Query<(Entity, &mut At, &mut Stall, Option<&Input<Axes>>)>,
) {
    ledger.day = ledger.day.wrapping_add(1);
    let day = ledger.day;
    let mut last = None;
    for (id, mut at, mut stall, input) in &mut stalls {
        at.0 += input.map_or(0.25, |input| input.now.dx);
        stall.next_to = last.replace(id);
        stall.mood = Mood::Busy(day as u8);
        if day.is_multiple_of(2) {
            commands.entity(id).insert((Closed, Group(day as u16 % 3)));
        } else {
            commands.entity(id).remove::<Closed>();
        }
        let sale = Sale { by: Some(id), day };
        out.send(crate::game::To::All, sale);
    }
    let debt = day.to_le_bytes();
    ledger.debts.insert(i64::from(day % 4) - 1, Box::from(debt));
    let whose = last.map_or(PlayerId(0), |_| PlayerId(1));
    let goods = commands
        .spawn((At(f64::from(day % 100), 1.0), Owner(whose)))
        .id();
    if !day.is_multiple_of(3) {
        commands.entity(goods).despawn();
    }
}

fn game() -> Arc<GameDef<Bazaar>> {
    thread_local! {
        static GAME: Arc<GameDef<Bazaar>> =
            Arc::new(GameDef::new(30).expect("the game is well declared"));
    }
    GAME.with(Arc::clone)
}

/// Has a room made of these bytes, behind a header that is right: what comes of it ticks, speaks
/// and is saved as any other.
///
/// # Panics
/// When something is found.
pub(crate) fn restore(input: &[u8]) {
    let game = game();
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    bytes.extend_from_slice(&[0; HEADER_BYTES - 6]);
    let of_game = fingerprint(&game).expect("a game can be hashed");
    bytes.extend_from_slice(&of_game.to_le_bytes());
    bytes.extend_from_slice(input);
    seal(&mut bytes);
    let Ok(mut room) = Room::restore(game.clone(), &bytes) else {
        return;
    };
    room.begin_again();
    let (mut frame, seats): (_, Vec<PlayerId>) =
        (Vec::new(), room.seats().map(|(player, _)| player).collect());
    for tick in 0..TICKS {
        for player in &seats {
            if tick == 1 {
                room.resume(*player, Seen::default());
            }
        }
        room.tick();
        while room.poll_effect().is_some() {}
        for player in &seats {
            frame.clear();
            room.compose(*player, true, &mut frame);
        }
    }
    if let Ok(saved) = room.save() {
        let again = Room::restore(game, &saved);
        let again = again.unwrap_or_else(|error| panic!("saved, but: {error}"));
        assert_eq!(again.tick_number(), room.tick_number());
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tickwire::codec::encode_client;
    use tickwire::exact::Xorshift32;
    use tickwire::protocol::ClientMessage;

    use super::*;
    use crate::game::{Groups, Identity};

    /// What is behind a header and the game's own hash.
    const BODY_AT: usize = HEADER_BYTES + 4;

    /// Saves of rooms as they come, as the corpus has them.
    fn sound() -> Vec<(&'static str, Vec<u8>)> {
        let options = RoomOptions {
            seats: 4,
            seed: 7,
            ..RoomOptions::default()
        };
        let mut room = Room::new(game(), options);
        let mut all = Vec::new();
        let mut keep = |name, room: &mut Room<Bazaar>, is_whole: bool| {
            while room.poll_effect().is_some() {}
            let mut bytes = Vec::new();
            match is_whole {
                true => bytes = room.save().expect("it can be saved"),
                false => room.save_into(&mut bytes).expect("it can be saved"),
            }
            all.push((name, bytes[BODY_AT..].to_vec()));
        };
        keep("new", &mut room, false);
        let ann = room.join("ann").expect("a seat is free");
        let bo = room.join("bo").expect("a seat is free");
        room.tick();
        keep("joined", &mut room, false);
        let line = ClientMessage::Chat { text: "hi".into() };
        assert_eq!(room.receive(ann, &encode_client(&line)), Ok(()));
        assert!(room.watch(Identity::nobody()).is_ok());
        room.world_mut().resource_mut::<Groups>().set(bo, [1, 2]);
        (0..3).for_each(|_| room.tick());
        keep("played", &mut room, true);
        room.disconnect(bo);
        (0..2).for_each(|_| room.tick());
        keep("away", &mut room, false);
        all
    }

    #[test]
    fn the_kept_corpus_finds_nothing() {
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/fuzz/corpus/restore");
        for (name, bytes) in sound() {
            let path = Path::new(corpus).join(name);
            if std::env::var_os("TICKWIRE_BLESS").is_some() {
                std::fs::create_dir_all(corpus).expect("the corpus is writable");
                std::fs::write(&path, &bytes).expect("the corpus is writable");
            }
            let kept = std::fs::read(&path).unwrap_or_default();
            assert!(kept == bytes, "{name}: TICKWIRE_BLESS=1 writes it anew");
        }
        for file in std::fs::read_dir(corpus).expect("a corpus") {
            restore(&std::fs::read(file.expect("a file").path()).expect("it can be read"));
        }
    }

    #[test]
    fn saves_that_were_tampered_with_are_rooms_or_refused() {
        let all = sound();
        for seed in 1..=1000 {
            let mut dice = Xorshift32::new(seed);
            let mut bytes = all[dice.draw() as usize % all.len()].1.clone();
            for _ in 0..=dice.draw() % 3 {
                let at = dice.draw() as usize % bytes.len();
                bytes[at] = dice.draw() as u8;
            }
            restore(&bytes);
        }
    }
}
