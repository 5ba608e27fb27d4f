//! What a snapshot is compared with: every entity sent whole, as 32-bit floats or as JSON, plain
//! and through the `permessage-deflate` that browsers speak (RFC 7692, with context takeover:
//! the compressor remembers the messages before). Velocity is not sent here either.

use flate2::{Compress, Compression, FlushCompress, Status};
use serde::Serialize;

use super::report::Row;
use crate::motion::{HEADINGS, Motion, STEP, State, Tape};

/// Their rows.
pub(super) fn rows(motion: Motion, tape: &Tape) -> Vec<Row> {
    let codings: [(&str, &str, Coding); 2] = [
        ("raw-f32", "raw-f32+deflate", floats),
        ("json", "json+deflate", json),
    ];
    let mut rows = Vec::new();
    for (plain, deflated, coding) in codings {
        let (mut bytes, mut deflated_bytes) = (0, 0);
        let mut deflate = Deflate::new();
        let mut message = Vec::new();
        for tick in 0..tape.ticks() {
            message.clear();
            coding(tape.at(tick), &mut message);
            let packed = deflate.message(&message).len();
            if tick > 0 {
                bytes += message.len();
                deflated_bytes += packed;
            }
        }
        for (mode, bytes) in [(plain, bytes), (deflated, deflated_bytes)] {
            rows.push(Row {
                motion: motion.name(),
                mode,
                bytes_per_entity_tick: bytes as f64 / tape.moves() as f64,
                ..Row::default()
            });
        }
    }
    rows
}

type Coding = fn(&[State], &mut Vec<u8>);

fn angle(state: &State) -> f64 {
    f64::from(state.heading) * (std::f64::consts::TAU / f64::from(HEADINGS))
}

/// Number, position and heading in floats, health in a byte: 15 bytes.
fn floats(states: &[State], out: &mut Vec<u8>) {
    for (number, state) in states.iter().enumerate() {
        out.extend_from_slice(&(number as u16).to_le_bytes());
        for value in [
            f64::from(state.x) * STEP,
            f64::from(state.y) * STEP,
            angle(state),
        ] {
            out.extend_from_slice(&(value as f32).to_le_bytes());
        }
        out.push(state.health as u8);
    }
}

#[derive(Serialize)]
struct Plain {
    id: usize,
    x: f64,
    y: f64,
    heading: f64,
    health: i32,
}

/// An object an entity, numbers rounded to two places.
fn json(states: &[State], out: &mut Vec<u8>) {
    let entities: Vec<Plain> = states
        .iter()
        .enumerate()
        .map(|(id, state)| Plain {
            id,
            x: f64::from(state.x) / 100.0,
            y: f64::from(state.y) / 100.0,
            heading: (angle(state) * 100.0).round() / 100.0,
            health: state.health,
        })
        .collect();
    serde_json::to_writer(out, &entities).expect("plain numbers are JSON");
}

/// What follows every flushed message and is not sent.
const FLUSH_TAIL: [u8; 4] = [0, 0, 0xFF, 0xFF];

/// One direction of a connection.
struct Deflate {
    state: Compress,
    out: Vec<u8>,
}

impl Deflate {
    fn new() -> Deflate {
        Deflate {
            state: Compress::new(Compression::default(), false),
            out: Vec::new(),
        }
    }

    /// The payload of a message.
    fn message(&mut self, bytes: &[u8]) -> &[u8] {
        self.out.clear();
        // More than deflate ever adds, so that one flush ends the message.
        self.out.reserve(bytes.len() * 2 + 1024);
        let before = self.state.total_in();
        let status = self
            .state
            .compress_vec(bytes, &mut self.out, FlushCompress::Sync);
        assert!(matches!(status, Ok(Status::Ok)), "{status:?}");
        assert_eq!(self.state.total_in() - before, bytes.len() as u64);
        self.out.strip_suffix(&FLUSH_TAIL).expect("a flush ends so")
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Decompress, FlushDecompress};

    use super::*;

    #[test]
    fn a_deflated_message_inflates_on_what_came_before() {
        let mut deflate = Deflate::new();
        let mut inflate = Decompress::new(false);
        let tape = Motion::Wasd.simulate(20, 5, 1);
        let mut sizes = Vec::new();
        for tick in 0..tape.ticks() {
            let mut message = Vec::new();
            json(tape.at(tick), &mut message);
            let mut packed = deflate.message(&message).to_vec();
            sizes.push(packed.len());
            packed.extend_from_slice(&FLUSH_TAIL);
            let mut out = Vec::with_capacity(message.len() + 16);
            inflate
                .decompress_vec(&packed, &mut out, FlushDecompress::Sync)
                .expect("it is deflated");
            assert_eq!(out, message);
        }
        assert!(sizes[1] < sizes[0], "{sizes:?}");
    }

    #[test]
    fn floats_take_fifteen_bytes() {
        let mut message = Vec::new();
        floats(Motion::Forces.simulate(4, 1, 1).at(0), &mut message);
        assert_eq!(message.len(), 4 * 15);
    }
}
