//! A room of the arena and clients that decode all they are sent.

use std::sync::Arc;

use tickwire::codec::encode_client;
use tickwire::exact::Xorshift32;
use tickwire::ids::{PlayerId, Tick};
use tickwire::protocol::ClientMessage;
use tickwire::protocol::frame::{InputHead, SectionKind, SnapshotHead};
use tickwire::schema::Schema;
use tickwire::snapshot::delta::{Scratch, Verdict, advance, decode, decode_head};
use tickwire::snapshot::fields::pack;
use tickwire::snapshot::image::LayerImage;
use tickwire::snapshot::layout::Layout;
use tickwire_arena::Arena;
use tickwire_arena::Control;
use tickwire_server::game::{GameDef, RoomOptions};
use tickwire_server::room::{Effect, Room};

/// Ticks a second of these rooms.
pub(crate) const RATE: u16 = 30;

pub(crate) fn options(seed: u64, npcs: u16) -> RoomOptions {
    RoomOptions {
        seed,
        tick_rate: RATE,
        npcs,
        ..RoomOptions::default()
    }
}

/// One end of a connection without the connection.
pub(crate) struct Client {
    pub(crate) player: PlayerId,
    /// What everyone sees, and what only this player sees.
    pub(crate) layers: [LayerImage; 2],
    pub(crate) control: Control,
    scratch: Scratch,
    last: Tick,
}

/// A room and those in it.
pub(crate) struct Match {
    pub(crate) room: Room<Arena>,
    pub(crate) clients: Vec<Client>,
    pub(crate) schema: Schema,
    layout: Layout,
    /// Every byte that was sent, in order.
    pub(crate) sent: Vec<u8>,
    /// Bytes of the snapshots of the last tick.
    pub(crate) snapshot_bytes: usize,
}

impl Match {
    pub(crate) fn new(seed: u64, npcs: u16) -> Match {
        let game = GameDef::<Arena>::new(RATE).expect("the arena's schema is sound");
        let (schema, layout) = (game.schema.clone(), game.layout.clone());
        Match {
            room: Room::new(Arc::new(game), options(seed, npcs)),
            clients: Vec::new(),
            schema,
            layout,
            sent: Vec::new(),
            snapshot_bytes: 0,
        }
    }

    /// Somebody joins; their index.
    pub(crate) fn join(&mut self) -> usize {
        let player = self.room.join("somebody").expect("a seat is free");
        self.drain();
        self.clients.push(Client {
            player,
            layers: Default::default(),
            control: Control::default(),
            scratch: Scratch::default(),
            last: Tick(0),
        });
        self.clients.len() - 1
    }

    pub(crate) fn leave(&mut self, at: usize) {
        let client = self.clients.remove(at);
        self.room.leave(client.player);
        self.drain();
    }

    pub(crate) fn say(&mut self, at: usize, message: &ClientMessage) {
        let player = self.clients[at].player;
        assert_eq!(self.room.receive(player, &encode_client(message)), Ok(()));
        self.drain();
    }

    /// Everyone's control goes out, the room ticks, everyone decodes and acknowledges.
    pub(crate) fn tick(&mut self) {
        let next = self.room.tick_number().next();
        for at in 0..self.clients.len() {
            self.send(at, next);
        }
        self.step();
    }

    /// A client's control goes out for a tick.
    pub(crate) fn send(&mut self, at: usize, tick: Tick) {
        let client = &self.clients[at];
        let bytes = client.input(&self.schema, tick);
        assert_eq!(self.room.receive(client.player, &bytes), Ok(()));
    }

    /// The room ticks, everyone decodes and acknowledges.
    pub(crate) fn step(&mut self) {
        self.room.tick();
        self.drain();
        self.snapshot_bytes = 0;
        for client in &mut self.clients {
            let mut bytes = Vec::new();
            if self.room.compose(client.player, true, &mut bytes) {
                client.receive(&self.layout, &bytes);
                self.snapshot_bytes += bytes.len();
                self.sent.extend(bytes);
            }
        }
    }

    fn drain(&mut self) {
        while let Some(effect) = self.room.poll_effect() {
            match effect {
                Effect::Control { to, bytes } => {
                    self.sent.extend(to.0.to_le_bytes());
                    self.sent.extend(bytes);
                }
                // For lists and the store.
                Effect::Describe { .. } | Effect::Result { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// A field of an entity as a client decodes it; `None` where the entity lacks it.
    pub(crate) fn value(
        &self,
        client: usize,
        layer: usize,
        row: usize,
        component: &str,
        field: &str,
    ) -> Option<f64> {
        let set = [&self.layout.room, &self.layout.owner][layer];
        let components = &self.schema.components;
        let bit = set
            .components
            .iter()
            .position(|columns| components[columns.component].name == component)?;
        let columns = &set.components[bit];
        let number = components[columns.component]
            .fields
            .iter()
            .position(|candidate| candidate.name == field)?;
        let column = (columns.start..columns.end).find(|at| set.columns[*at].field == number)?;
        let image = &self.clients[client].layers[layer];
        if image.entities[row].mask & (1 << bit) == 0 {
            return None;
        }
        let q = image.values[row * set.width() + column];
        Some(set.columns[column].kind.dequantise(q))
    }

    /// A field of the entity that the player steers.
    pub(crate) fn own(&self, client: usize, layer: usize, component: &str, field: &str) -> f64 {
        let avatar = 1 + 2 * self.clients[client].player.0;
        let entities = &self.clients[client].layers[layer].entities;
        let row = entities.iter().position(|entity| entity.owner == avatar);
        let row = row.expect("the player's entity is in the layer");
        self.value(client, layer, row, component, field)
            .expect("the entity has the field")
    }

    /// A field of the room's own state.
    pub(crate) fn state(&self, client: usize, component: &str, field: &str) -> f64 {
        let rows = self.clients[client].layers[0].entities.len();
        (0..rows)
            .find_map(|row| self.value(client, 0, row, component, field))
            .expect("the room has the field")
    }
}

impl Client {
    fn input(&self, schema: &Schema, tick: Tick) -> Vec<u8> {
        let mut bytes = Vec::new();
        let head = InputHead {
            tick,
            ack: self.last,
            view_lag: 0,
        };
        head.encode(&mut bytes);
        let values: Vec<i32> = schema
            .input
            .iter()
            .zip(self.control.values())
            .map(|(field, value)| field.kind.quantise(value))
            .collect();
        pack(&schema.input, &values, &mut bytes);
        bytes
    }

    fn receive(&mut self, layout: &Layout, snapshot: &[u8]) {
        let (head, sections) = SnapshotHead::decode(snapshot).expect("a snapshot");
        self.last = head.tick;
        for section in sections {
            let (kind, bytes) = section.expect("a section");
            if let SectionKind::Layer(layer) = kind {
                let (body, bits) = decode_head(layer, bytes).expect("a body");
                let image = &mut self.layers[usize::from(body.layer.0)];
                let verdict = decode(body, bits, head.tick, layout, image, &mut self.scratch);
                assert!(
                    matches!(verdict, Ok(Verdict::Agrees | Verdict::Unchecked)),
                    "{verdict:?}"
                );
            }
        }
        // What is left out went as predicted.
        for (image, set) in self.layers.iter_mut().zip(layout.sets()) {
            if image.tick > Tick(0) && image.tick < head.tick {
                advance(set, head.tick, image, &mut self.scratch).expect("it is in reach");
            }
        }
    }

    /// Does something else now and then, as players do: runs, turns, shoots in bursts.
    pub(crate) fn play(&mut self, dice: &mut Xorshift32) {
        let share = |dice: &mut Xorshift32| (f64::from(dice.below(129)) - 64.0) / 64.0;
        if dice.below(12) == 0 {
            self.control.dx = share(dice);
            self.control.dy = share(dice);
        }
        if dice.below(6) == 0 {
            self.control.aim = f64::from(dice.below(4096)) * (std::f64::consts::TAU / 4096.0);
        }
        if dice.below(10) == 0 {
            self.control.fire = dice.below(3) > 0;
        }
        self.control.reload = dice.below(40) == 0;
    }
}
