//! A room of recorded entities with one who watches: its snapshots, and what capturing and encoding
//! them costs. The entities are put where they belong before the clock runs.

use std::sync::Arc;
use std::time::Duration;

use bevy_ecs::prelude::*;
use tickwire::ids::PlayerId;
use tickwire::protocol::frame::encode_ack;
use tickwire::schema::Tables;
use tickwire::snapshot::image::LayerImage;
use tickwire::snapshot::training;
use tickwire_server::game::{GameDef, RoomOptions};
use tickwire_server::room::Room;

use super::forms::{Body, Form, Moving, Number};
use super::stream::{Mismatch, Stream};
use super::timing::{Effort, in_turn, reference_encoding};
use super::varint::Plain;
use crate::calm::Ratio;
use crate::cpu_clock::timed;
use crate::motion::{State, TICK_RATE, Tape};
use crate::training::sendings;

struct Crowd<F: Form> {
    room: Room<Moving<F>>,
    bodies: QueryState<(&'static Number, &'static mut Body)>,
    viewer: PlayerId,
    /// The newest snapshot.
    message: Vec<u8>,
    ack: Vec<u8>,
}

impl<F: Form> Crowd<F> {
    fn new(game: Arc<GameDef<Moving<F>>>, entities: usize) -> Crowd<F> {
        let mut room = Room::new(
            game,
            RoomOptions {
                tick_rate: TICK_RATE,
                npcs: u16::try_from(entities).expect("a recording has few entities"),
                ..RoomOptions::default()
            },
        );
        let viewer = room.join("viewer").expect("the room has a seat");
        number(room.world_mut());
        let bodies = room.world_mut().query();
        Crowd {
            room,
            bodies,
            viewer,
            message: Vec::new(),
            ack: Vec::new(),
        }
    }

    fn place(&mut self, states: &[State]) {
        for (number, mut body) in self.bodies.iter_mut(self.room.world_mut()) {
            *body = Body::new(&states[number.0]);
        }
        while self.room.poll_effect().is_some() {}
    }

    /// Captures and encodes: a tick without rules, and the viewer's snapshot of it.
    fn tick(&mut self) {
        self.room.tick();
        self.message.clear();
        let sent = self.room.compose(self.viewer, true, &mut self.message);
        assert!(sent, "the viewer acknowledges, so its window has room");
    }

    fn acknowledge(&mut self) {
        self.ack.clear();
        encode_ack(self.room.tick_number(), &mut self.ack);
        let taken = self.room.receive(self.viewer, &self.ack);
        assert_eq!(taken, Ok(()), "what was sent can be acknowledged");
    }
}

/// Numbers the bodies in the order in which a room gives slots to newcomers.
fn number(world: &mut World) {
    let mut entities: Vec<Entity> = world
        .query_filtered::<Entity, With<Body>>()
        .iter(world)
        .collect();
    entities.sort_unstable();
    for (number, entity) in entities.into_iter().enumerate() {
        world.entity_mut(entity).insert(Number(number));
    }
}

fn game<F: Form>(tables: &[Vec<u16>]) -> Arc<GameDef<Moving<F>>> {
    let tables = Tables {
        epoch: u8::from(!tables.is_empty()),
        layers: tables.to_vec(),
    };
    let game = GameDef::with_tables(TICK_RATE, tables);
    Arc::new(game.expect("the game is well declared"))
}

/// Tables of the room's layer, trained on a recording.
pub(super) fn train<F: Form>(tape: &Tape) -> Result<Vec<Vec<u16>>, Mismatch> {
    // Where a field bears an error, what is sent depends on the tables: so they are trained once
    // more on what is sent under the first ones.
    let mut tables = Vec::new();
    for _ in 0..2 {
        let stream = record::<F>(tape, &tables);
        let images = stream.decode()?;
        tables = vec![training::train(&stream.layout.room, &sendings(&images))];
    }
    Ok(tables)
}

/// The snapshots of a recording, the first of which is a keyframe.
pub(super) fn record<F: Form>(tape: &Tape, tables: &[Vec<u16>]) -> Stream {
    let game = game::<F>(tables);
    let mut stream = Stream::new(game.schema.clone(), game.tables.clone());
    stream.bears(&game.layout);
    let mut crowd = Crowd::new(game, tape.entities());
    for tick in 0..tape.ticks() {
        crowd.place(tape.at(tick));
        crowd.tick();
        crowd.acknowledge();
        stream.messages.push(crowd.message.clone());
    }
    stream
}

/// Processor time to capture and encode an entity, keyframes apart, beside the reference work on
/// the images that come of it.
pub(super) fn capturing<F: Form>(
    tape: &Tape,
    tables: &[Vec<u16>],
    stream: &Stream,
    images: &[LayerImage],
    effort: Effort,
) -> Ratio {
    let game = game::<F>(tables);
    let measured = || {
        let mut rooms: Vec<Crowd<F>> = (0..effort.rooms)
            .map(|_| Crowd::new(game.clone(), tape.entities()))
            .collect();
        let mut spent = Duration::ZERO;
        for tick in 0..tape.ticks() {
            for room in &mut rooms {
                room.place(tape.at(tick));
            }
            let (time, ()) = timed(|| rooms.iter_mut().for_each(Crowd::tick));
            if tick > 0 {
                spent += time;
            }
            rooms.iter_mut().for_each(Crowd::acknowledge);
        }
        spent
    };
    let plain = Plain::new(&stream.layout.room);
    let entities = effort.rooms * tape.entities() * (tape.ticks() - 1);
    in_turn(effort, entities, measured, || {
        reference_encoding(&plain, images, effort.rooms)
    })
}
