//! The snapshots that one client gets, and the proof that they decode to what was recorded.

use std::fmt;

use tickwire::ids::{LayerId, Tick};
use tickwire::protocol::frame::{SectionKind, SnapshotHead};
use tickwire::schema::{Kind, Schema, Tables};
use tickwire::snapshot::column_set::{Column, ColumnSet, Guess};
use tickwire::snapshot::complete::Completer;
use tickwire::snapshot::delta::{Of, Scratch, advance, decode, decode_head, encode};
use tickwire::snapshot::image::{LayerImage, LayerView};
use tickwire::snapshot::layout::Layout;

use crate::motion::{State, Tape};

/// What was decoded is not what was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The tick.
    pub tick: u32,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tick {}: {}", self.tick, self.what)
    }
}

impl std::error::Error for Mismatch {}

impl Mismatch {
    pub(super) fn new(tick: u32, what: impl fmt::Display) -> Mismatch {
        let what = what.to_string();
        Mismatch { tick, what }
    }
}

/// Snapshots of a room's layer at consecutive ticks, the first a keyframe.
pub struct Stream {
    /// The game.
    pub schema: Schema,
    /// What its bodies are coded by.
    pub tables: Tables,
    /// Its columns.
    pub layout: Layout,
    /// The messages, kind byte included.
    pub messages: Vec<Vec<u8>>,
    /// By column, how many steps off the recording it may be.
    tolerances: Vec<u32>,
}

impl Stream {
    /// One without messages.
    pub fn new(schema: Schema, tables: Tables) -> Stream {
        Stream {
            layout: Layout::new(&schema, &tables).expect("the schema is sound"),
            schema,
            tables,
            messages: Vec::new(),
            tolerances: Vec::new(),
        }
    }

    /// Takes the tolerances of what the server declared, which a client does not know.
    pub fn bears(&mut self, declared: &Layout) {
        let columns = declared.room.columns.iter();
        self.tolerances = columns.map(|column| column.tolerance).collect();
    }

    /// The tick and body of every message; an empty one where it was left out, because all went as
    /// predicted.
    pub fn bodies(&self) -> Result<Vec<(Tick, &[u8])>, Mismatch> {
        let mut bodies = Vec::with_capacity(self.messages.len());
        for (index, message) in self.messages.iter().enumerate() {
            let wrong = |what: &dyn fmt::Display| Mismatch::new(index as u32 + 1, what);
            let (head, mut sections) = SnapshotHead::decode(message).map_err(|e| wrong(&e))?;
            let Some(section) = sections.next() else {
                bodies.push((head.tick, &[][..]));
                continue;
            };
            let (kind, body) = section.map_err(|e| wrong(&e))?;
            if kind != SectionKind::Layer(LayerId::ROOM) || sections.next().is_some() {
                return Err(wrong(&"more than a body"));
            }
            bodies.push((head.tick, body));
        }
        Ok(bodies)
    }

    /// Bytes of all bodies but the first.
    pub fn delta_bytes(&self) -> usize {
        let bodies = self.bodies().unwrap_or_default();
        bodies.iter().skip(1).map(|(_, body)| body.len()).sum()
    }

    /// Decodes everything as a client does.
    pub fn decode(&self) -> Result<Vec<LayerImage>, Mismatch> {
        let mut held = LayerImage::default();
        let mut scratch = Scratch::default();
        let mut images = Vec::with_capacity(self.messages.len());
        for (tick, body) in self.bodies()? {
            let wrong = |what: &dyn fmt::Display| Mismatch::new(tick.0, what);
            if body.is_empty() {
                let advanced = advance(&self.layout.room, tick, &mut held, &mut scratch);
                advanced.map_err(|error| wrong(&error))?;
                images.push(held.clone());
                continue;
            }
            let (head, bits) = decode_head(LayerId::ROOM, body).map_err(|error| wrong(&error))?;
            decode(head, bits, tick, &self.layout, &mut held, &mut scratch)
                .map_err(|error| wrong(&error))?;
            images.push(held.clone());
        }
        Ok(images)
    }

    /// Decodes everything and compares every image with the recording: every value within its
    /// column's tolerance, what predictors remember to the bit.
    pub fn verify(&self, tape: &Tape) -> Result<Vec<LayerImage>, Mismatch> {
        let images = self.decode()?;
        if images.len() != tape.ticks() {
            let what = format!("{} ticks were recorded", tape.ticks());
            return Err(Mismatch::new(images.len() as u32, what));
        }
        let mut expected: Option<LayerImage> = None;
        for (index, image) in images.iter().enumerate() {
            let next = self.expected(index, tape, image, expected.as_ref());
            expect(&self.layout, &next, image)?;
            expected = Some(next);
        }
        Ok(images)
    }

    /// The image that a recorded tick must come to. Handles are the server's to choose, once.
    fn expected(
        &self,
        index: usize,
        tape: &Tape,
        decoded: &LayerImage,
        before: Option<&LayerImage>,
    ) -> LayerImage {
        let set = &self.layout.room;
        let entities = before
            .map_or(&decoded.entities, |image| &image.entities)
            .clone();
        let mut values = decoded.values.clone();
        values.resize(entities.len() * set.width(), 0);
        for (row, state) in values.chunks_exact_mut(set.width()).zip(tape.at(index)) {
            for (column, value) in row.iter_mut().enumerate() {
                let recorded = self.value(set, column, state);
                let tolerance = self.tolerances.get(column).copied().unwrap_or(0);
                if off(&set.columns[column], *value, recorded) > tolerance {
                    *value = recorded;
                }
            }
        }
        let gap = u32::from(before.is_some());
        let before = before.map(LayerImage::view);
        let mut residuals = vec![0; entities.len() * set.residual_width()];
        Completer::default().run(set, before, gap, &entities, &mut values, &mut residuals);
        LayerImage {
            tick: Tick(index as u32 + 1),
            gap,
            entities,
            values,
        }
    }

    fn value(&self, set: &ColumnSet, column: usize, state: &State) -> i32 {
        let of = &set.columns[column];
        if matches!(of.guess, Guess::Change | Guess::Bend) {
            return 0;
        }
        let component = &self.schema.components[set.components[0].component];
        let value = match component.fields[of.field].name.as_str() {
            "x" => state.x,
            "y" => state.y,
            "heading" => state.heading,
            "vx" => state.vx,
            "vy" => state.vy,
            _ => state.health,
        };
        match of.kind {
            // Signed ones are counted from the least.
            Kind::Real { min, .. } if min < 0.0 => value + of.kind.q_zero(),
            _ => value,
        }
    }
}

/// Appends a body of the room's layer, with no checksum but where it must have one.
pub(super) fn encode_room(
    set: &ColumnSet,
    baseline: Option<LayerView<'_>>,
    image: LayerView<'_>,
    scratch: &mut Scratch,
    body: &mut Vec<u8>,
) {
    encode(
        Of::layer(LayerId::ROOM),
        set,
        baseline,
        image,
        false,
        scratch,
        body,
    );
}

/// Bytes of a keyframe for each entity, of one who joins in the middle of it: the mean of several,
/// each of which is decoded and compared, and so is the body after it, which brings everyone's
/// image.
pub(super) fn keyframe_bytes(layout: &Layout, images: &[LayerImage]) -> Result<f64, Mismatch> {
    let (mut bytes, mut entities) = (0, 0);
    let places = (KEYFRAME_EVERY..images.len() - 1).step_by(KEYFRAME_EVERY);
    for pair in places.map(|at| &images[at..at + 2]) {
        let bare = pair[0].bare(&layout.room);
        let mut held = LayerImage::default();
        bytes += send(layout, None, &pair[0], &mut held)?;
        expect(layout, &bare, &held)?;
        send(layout, Some(&bare), &pair[1], &mut held)?;
        expect(layout, &pair[1], &held)?;
        entities += bare.entities.len();
    }
    Ok(bytes as f64 / entities as f64)
}

/// Has somebody take an image, against what they hold; how many bytes that took.
fn send(
    layout: &Layout,
    baseline: Option<&LayerImage>,
    image: &LayerImage,
    held: &mut LayerImage,
) -> Result<usize, Mismatch> {
    let (mut scratch, mut body) = (Scratch::default(), Vec::new());
    let (set, baseline) = (&layout.room, baseline.map(LayerImage::view));
    encode_room(set, baseline, image.view(), &mut scratch, &mut body);
    let decoded = decode_head(LayerId::ROOM, &body)
        .and_then(|(head, bits)| decode(head, bits, image.tick, layout, held, &mut scratch));
    decoded.map_err(|error| Mismatch::new(image.tick.0, error))?;
    Ok(body.len())
}

fn expect(layout: &Layout, expected: &LayerImage, decoded: &LayerImage) -> Result<(), Mismatch> {
    if expected == decoded {
        return Ok(());
    }
    let what = difference(expected, decoded, layout.room.width());
    Err(Mismatch::new(expected.tick.0, what))
}

/// Images between two keyframes that are measured.
const KEYFRAME_EVERY: usize = 20;

/// Steps between two values, the short way around for turns.
fn off(column: &Column, a: i32, b: i32) -> u32 {
    let apart = a.abs_diff(b);
    if column.modulus == 0 {
        apart
    } else {
        apart.min(column.modulus.abs_diff(apart))
    }
}

fn difference(expected: &LayerImage, image: &LayerImage, width: usize) -> String {
    let at = (0..expected.values.len().min(image.values.len()))
        .find(|&at| expected.values[at] != image.values[at]);
    match at {
        Some(at) => format!(
            "entity {}, column {}: {} was decoded, {} recorded",
            at / width,
            at % width,
            image.values[at],
            expected.values[at]
        ),
        None => "tick, gap or entities differ".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use tickwire::protocol::frame::push_section;

    use super::super::crowd::record;
    use super::super::forms::{Exact, Tolerant, Wire};
    use super::*;
    use crate::motion::Motion;

    #[test]
    fn what_a_room_sends_is_what_was_recorded() {
        for motion in Motion::ALL {
            let tape = motion.simulate(40, 70, 3);
            let streams = [
                record::<Wire>(&tape, &[]),
                record::<Tolerant>(&tape, &[]),
                record::<Exact>(&tape, &[]),
            ];
            for stream in streams {
                let verified = stream.verify(&tape).map(|images| images.len());
                assert_eq!(verified, Ok(70), "{}", motion.name());
            }
        }
    }

    #[test]
    fn a_planted_body_with_one_value_off_is_caught() {
        let tape = Motion::Steered.simulate(20, 10, 3);
        let mut stream = record::<Exact>(&tape, &[]);
        let images = stream.verify(&tape).expect("it was right");
        // A body that a client would take: valid, against what it holds, a step off in x.
        // It is the last one: what follows it could not be decoded.
        let mut wrong = images[9].clone();
        let width = stream.layout.room.width();
        for column in 0..3 {
            wrong.values[7 * width + column] += 1;
        }
        let mut body = Vec::new();
        encode(
            Of::layer(LayerId::ROOM),
            &stream.layout.room,
            Some(images[8].view()),
            wrong.view(),
            false,
            &mut Scratch::default(),
            &mut body,
        );
        let planted = &mut stream.messages[9];
        planted.truncate(tickwire::protocol::frame::SNAPSHOT_HEAD_BYTES);
        push_section(SectionKind::Layer(LayerId::ROOM), &body, planted);
        let caught = stream.verify(&tape).expect_err("it is wrong now");
        assert_eq!(caught.tick, 10);
        assert!(caught.what.starts_with("entity 7, column 0"), "{caught}");
    }

    #[test]
    fn every_flipped_bit_of_a_body_is_caught() {
        let tape = Motion::Wasd.simulate(10, 4, 3);
        let mut stream = record::<Exact>(&tape, &[]);
        let from = tickwire::protocol::frame::SNAPSHOT_HEAD_BYTES;
        // In the last byte any number of the coder's last range says the same.
        for bit in from * 8..(stream.messages[2].len() - 1) * 8 {
            stream.messages[2][bit / 8] ^= 1 << (bit % 8);
            assert!(stream.verify(&tape).is_err(), "bit {bit}");
            stream.messages[2][bit / 8] ^= 1 << (bit % 8);
        }
        assert!(stream.verify(&tape).is_ok());
    }
}
