//! A seeded history of a layer: entities that come, go, change hands and move. Tests and vectors
//! are made from it.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tickwire::ids::Tick;
use tickwire::schema::{
    Action, Audience, Component, Field, Kind, Predicted, Predictor, Schema, Tables,
};
use tickwire::snapshot::column_set::{ColumnSet, Guess};
use tickwire::snapshot::complete::Completer;
use tickwire::snapshot::image::{EntityHead, LayerImage};
use tickwire::snapshot::layout::Layout;
use tickwire::snapshot::training::{Sending, train};

/// A schema that has every kind and predictor.
pub(crate) fn schema() -> Schema {
    let field = |name: &str, kind: Kind, predictor: Predictor| Field {
        name: name.to_owned(),
        kind,
        predictor,
    };
    let real = |min: f64, max: f64, step: f64| Kind::Real { min, max, step };
    Schema {
        game: "history".to_owned(),
        components: vec![
            Component {
                name: "pos".to_owned(),
                audience: Audience::Everyone,
                predicted: Predicted::Fine,
                fields: vec![
                    field("x", real(0.0, 1000.0, 0.01), Predictor::Linear),
                    field("y", real(-500.0, 500.0, 0.01), Predictor::Linear),
                ],
            },
            Component {
                name: "body".to_owned(),
                audience: Audience::Everyone,
                predicted: Predicted::No,
                fields: vec![
                    field(
                        "x",
                        real(0.0, 1000.0, 0.125),
                        Predictor::Velocity {
                            by: 1,
                            num: 21845,
                            den: 32768,
                        },
                    ),
                    field("vx", real(-100.0, 100.0, 0.5), Predictor::Hold),
                    field("heading", Kind::Turn { steps: 256 }, Predictor::Linear),
                    field("hp", Kind::Int { min: -5, max: 100 }, Predictor::Hold),
                ],
            },
            Component {
                name: "tag".to_owned(),
                audience: Audience::Everyone,
                predicted: Predicted::No,
                fields: vec![
                    field(
                        "kind",
                        Kind::Enum {
                            names: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
                        },
                        Predictor::Hold,
                    ),
                    field("on", Kind::Bool, Predictor::Hold),
                    field("target", Kind::Entity, Predictor::Hold),
                    field("name", Kind::Text { bytes: 12 }, Predictor::Hold),
                ],
            },
            Component {
                name: "walk".to_owned(),
                audience: Audience::Everyone,
                predicted: Predicted::Fine,
                fields: vec![
                    field("x", real(-512.0, 512.0, 1.0 / 64.0), Predictor::Linear),
                    field("y", real(-512.0, 512.0, 1.0 / 64.0), Predictor::Linear),
                    field(
                        "heading",
                        Kind::Turn { steps: 1024 },
                        Predictor::Bearing { x: 0, y: 1 },
                    ),
                    field(
                        "vx",
                        real(-900.0, 900.0, 0.5),
                        Predictor::Rate {
                            of: 0,
                            scale: 0.9375,
                        },
                    ),
                    field("step", Kind::Int { min: 0, max: 7 }, Predictor::Hold),
                ],
            },
            Component {
                name: "cart".to_owned(),
                audience: Audience::Everyone,
                predicted: Predicted::Grid,
                fields: vec![
                    field("x", real(-64.0, 64.0, 1.0 / 128.0), Predictor::Linear),
                    field(
                        "at",
                        real(0.0, 99.9, 0.125),
                        Predictor::Velocity {
                            by: 0,
                            num: 3,
                            den: 4,
                        },
                    ),
                ],
            },
            Component {
                name: "plan".to_owned(),
                audience: Audience::Team,
                predicted: Predicted::No,
                fields: vec![
                    field("note", Kind::Text { bytes: 4 }, Predictor::Hold),
                    field("goal", Kind::Entity, Predictor::Hold),
                    field("odds", Kind::Int { min: 0, max: 9 }, Predictor::Linear),
                ],
            },
            Component {
                name: "ammo".to_owned(),
                audience: Audience::Owner,
                predicted: Predicted::No,
                fields: vec![field("n", Kind::Int { min: 0, max: 30 }, Predictor::Hold)],
            },
            Component {
                name: "clock".to_owned(),
                audience: Audience::Room,
                predicted: Predicted::No,
                fields: vec![
                    field("stamp", Kind::Bits, Predictor::Counter { per_tick: 33 }),
                    field("wave", Kind::Bits, Predictor::Linear),
                ],
            },
        ],
        input: vec![
            field("dx", real(-1.0, 1.0, 1.0 / 64.0), Predictor::Hold),
            field("aim", Kind::Turn { steps: 65536 }, Predictor::Hold),
            field("fire", Kind::Bool, Predictor::Hold),
        ],
        newest_wins: false,
        events: vec![tickwire::schema::Message {
            name: "hit".to_owned(),
            fields: vec![
                field("who", Kind::Entity, Predictor::Hold),
                field("damage", Kind::Int { min: 1, max: 100 }, Predictor::Hold),
                field("word", Kind::Text { bytes: 8 }, Predictor::Hold),
            ],
            payload: Some(tickwire::schema::Payload {
                name: "note".to_owned(),
                json: true,
            }),
        }],
        actions: vec![Action {
            request: tickwire::schema::Message {
                name: "ask".to_owned(),
                fields: vec![field("what", Kind::Bits, Predictor::Hold)],
                payload: None,
            },
            answer: vec![field(
                "price",
                Kind::Int { min: 0, max: 900 },
                Predictor::Hold,
            )],
            answer_payload: Some(tickwire::schema::Payload {
                name: "more".to_owned(),
                json: false,
            }),
        }],
        room_options: vec![
            field(
                "mode",
                Kind::Enum {
                    names: vec!["solo".to_owned(), "teams".to_owned()],
                },
                Predictor::Hold,
            ),
            field("map", Kind::Text { bytes: 16 }, Predictor::Hold),
        ],
        player_options: vec![field(
            "colour",
            Kind::Int { min: 0, max: 7 },
            Predictor::Hold,
        )],
        metadata: vec![field(
            "level",
            Kind::Int { min: -3, max: 40 },
            Predictor::Hold,
        )],
    }
}

/// The same with tables, trained on the same kind of history.
pub(crate) fn trained_game() -> (Schema, Tables) {
    let schema = schema();
    let tables = trained(&schema, 6);
    (schema, tables)
}

/// Tables for everyone's layer of a schema, trained on a history from a seed.
pub(crate) fn trained(schema: &Schema, seed: u64) -> Tables {
    let layout = Layout::new(schema, &Tables::default()).expect("the schema is sound");
    let mut history = History::new(seed, &layout.room, 5);
    let images: Vec<LayerImage> = (0..200).map(|_| history.step()).collect();
    let sendings: Vec<Sending<'_>> = images
        .windows(2)
        .enumerate()
        .map(|(step, pair)| ((step % 20 != 0).then(|| pair[0].view()), pair[1].view()))
        .collect();
    Tables {
        epoch: 3,
        layers: vec![train(&layout.room, &sendings)],
    }
}

struct Body {
    head: EntityHead,
    row: Vec<i32>,
    speed: Vec<i32>,
}

/// Makes one image after the other.
pub(crate) struct History {
    rng: ChaCha8Rng,
    set: ColumnSet,
    bodies: Vec<Body>,
    generations: Vec<u16>,
    /// The newest image.
    pub(crate) image: LayerImage,
    /// What differs in it from what could be guessed.
    pub(crate) residuals: Vec<i32>,
    /// Whether images come every tick.
    pub(crate) every_tick: bool,
}

impl History {
    pub(crate) fn new(seed: u64, set: &ColumnSet, entities: usize) -> History {
        let mut history = History {
            rng: ChaCha8Rng::seed_from_u64(seed),
            set: set.clone(),
            bodies: Vec::new(),
            generations: vec![0; 4 * entities + 4],
            image: LayerImage::default(),
            residuals: Vec::new(),
            every_tick: true,
        };
        for _ in 0..entities {
            history.spawn();
        }
        history
    }

    fn spawn(&mut self) {
        let slot = self.rng.random_range(0..self.generations.len()) as u16;
        let Err(at) = self
            .bodies
            .binary_search_by_key(&slot, |body| body.head.slot)
        else {
            return;
        };
        let generation = &mut self.generations[usize::from(slot)];
        *generation = generation.wrapping_add(1);
        let all = (1u64 << self.set.components.len()) as u32;
        let head = EntityHead {
            slot,
            generation: *generation,
            owner: self.rng.random_range(0..4),
            mask: self.rng.random_range(1..all.max(2)),
        };
        let mut row = vec![0; self.set.width()];
        let mut speed = vec![0; self.set.width()];
        for (number, component) in self.set.components.iter().enumerate() {
            if head.mask >> number & 1 == 0 {
                continue;
            }
            for index in component.start..component.end {
                let column = &self.set.columns[index];
                if !is_memory(column.guess) {
                    row[index] = self.rng.random_range(0..=column.kind.q_max()) as i32;
                    speed[index] = self.rng.random_range(-300..300);
                }
            }
        }
        self.bodies.insert(at, Body { head, row, speed });
    }

    /// The next image.
    pub(crate) fn step(&mut self) -> LayerImage {
        let gap = if self.every_tick {
            1
        } else {
            self.rng.random_range(1..4)
        };
        if self.rng.random_bool(0.3) {
            self.spawn();
        }
        if self.rng.random_bool(0.2) && !self.bodies.is_empty() {
            let at = self.rng.random_range(0..self.bodies.len());
            match self.rng.random_range(0..3) {
                0 => self.bodies[at].head.owner ^= 1,
                _ => drop(self.bodies.remove(at)),
            }
        }
        for body in &mut self.bodies {
            move_on(&self.set, body, gap, &mut self.rng);
        }
        let first = self.image.tick == Tick(0);
        let mut next = LayerImage {
            tick: Tick(self.image.tick.0 + gap),
            gap: if first { 0 } else { gap },
            entities: self.bodies.iter().map(|body| body.head).collect(),
            values: self
                .bodies
                .iter()
                .flat_map(|body| body.row.iter().copied())
                .collect(),
        };
        let previous = (!first).then(|| self.image.view());
        self.residuals.clear();
        let residuals = next.entities.len() * self.set.residual_width();
        self.residuals.resize(residuals, 0);
        Completer::default().run(
            &self.set,
            previous,
            next.gap,
            &next.entities,
            &mut next.values,
            &mut self.residuals,
        );
        self.image = next.clone();
        next
    }
}

fn is_memory(guess: Guess) -> bool {
    matches!(guess, Guess::Change | Guess::Bend)
}

fn move_on(set: &ColumnSet, body: &mut Body, gap: u32, rng: &mut ChaCha8Rng) {
    for (index, column) in set.columns.iter().enumerate() {
        let component = set
            .components
            .iter()
            .position(|component| (component.start..component.end).contains(&index));
        let present = component.is_some_and(|number| body.head.mask >> number & 1 != 0);
        if !present || is_memory(column.guess) {
            continue;
        }
        let jump = match rng.random_range(0..20) {
            0 => rng.random_range(i32::MIN..=i32::MAX),
            1..5 => rng.random_range(-3..=3),
            5..10 => 0,
            _ => body.speed[index].wrapping_mul(gap as i32),
        };
        let range = u64::from(column.kind.q_max()) + 1;
        let moved = body.row[index].wrapping_add(jump) as u32;
        body.row[index] = (u64::from(moved) % range) as u32 as i32;
    }
}

/// Both layers' columns of [`schema`].
pub(crate) fn layout() -> Layout {
    Layout::new(&schema(), &Tables::default()).expect("the schema is sound")
}
