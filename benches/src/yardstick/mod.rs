//! What `codec-yardstick` measures: the bytes and the time that a moving entity costs a tick, on
//! recorded motion, in the codec that ships and in what people use otherwise. All through public
//! interfaces: a room captures and encodes, a client's decoder decodes, and every decoded
//! image is compared with the recording. Figures of rooms full of sockets are not taken here.

mod arena;
mod crowd;
mod forms;
mod node;
mod others;
mod plot;
mod report;
mod stream;
mod timing;

pub use arena::measure_arena;
pub use node::{Judgement, Node, NodeError};
pub use plot::svg;
pub use report::{Report, Row};
use stream::keyframe_bytes;
pub use stream::{Mismatch, Stream};

use tickwire::snapshot::image::LayerImage;

use crate::motion::{Motion, Tape};
use forms::{Exact, Form, Tolerant, Wire};

/// The mode that ships, with the predictor that a game of this motion would declare.
pub const WIRE: &str = "wire";

/// All rows of a motion: `wire` first, then its variants, then what it is compared with. `node`
/// decodes in JavaScript where there is one.
pub fn measure(
    motion: Motion,
    tape: &Tape,
    effort: Effort,
    node: Option<&Node>,
) -> Result<Vec<Row>, Mismatch> {
    let mut rows = vec![
        coded::<Wire>(motion, tape, effort, node)?,
        coded::<Tolerant>(motion, tape, effort, node)?,
        coded::<Exact>(motion, tape, effort, node)?,
    ];
    rows.extend(others::rows(motion, tape));
    Ok(rows)
}

/// Of the motion that tables are trained on; the recordings have another.
const TRAINING_SEED: u64 = 0x7EA1;

/// How long to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Runs through a recording, of which the median counts.
    pub runs: usize,
    /// Rooms that are ticked one after the other, as a worker does.
    pub rooms: usize,
}

fn coded<F: Form>(
    motion: Motion,
    tape: &Tape,
    effort: Effort,
    node: Option<&Node>,
) -> Result<Row, Mismatch> {
    // Trained on other entities than those that are measured.
    let tables = crowd::train::<F>(&motion.simulate(tape.entities(), tape.ticks(), TRAINING_SEED))?;
    let stream = crowd::record::<F>(tape, &tables);
    let images = stream.verify(tape)?;
    let moved = moves(tape);
    let js_frame_ms = match node {
        Some(node) => Some(node.frame_ms(&stream, &images)?),
        None => None,
    };
    Ok(Row {
        motion: motion.name(),
        mode: F::NAME,
        predictor: Some(F::PREDICTOR),
        bytes_per_entity_tick: stream.delta_bytes() as f64 / moved as f64,
        capture_encode_ns_per_entity: Some(crowd::capture_encode_ns::<F>(tape, &tables, effort)),
        decode_ns_per_entity: Some(timing::decode_ns(&stream, &images, effort)),
        js_frame_ms,
        keyframe_bytes_per_entity: Some(keyframe_bytes(&stream.layout, &images)?),
    })
}

/// What a client of a recorded motion gets and holds, in the mode that ships but without trained tables.
pub fn untrained(tape: &Tape) -> Result<(Stream, Vec<LayerImage>), Mismatch> {
    let stream = crowd::record::<Wire>(tape, &[]);
    let images = stream.verify(tape)?;
    Ok((stream, images))
}

/// Entities that are elsewhere than a tick before, over all ticks.
fn moves(tape: &Tape) -> usize {
    (1..tape.ticks())
        .map(|tick| {
            let pairs = tape.at(tick).iter().zip(tape.at(tick - 1));
            pairs.filter(|(now, before)| now.moved_from(before)).count()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_is_below_exact_and_far_below_the_rest() {
        let effort = Effort { runs: 1, rooms: 1 };
        for motion in Motion::ALL {
            let tape = motion.simulate(30, 40, 5);
            let rows = measure(motion, &tape, effort, None).expect("all is decoded");
            let of = |mode: &str| rows.iter().find(|row| row.mode == mode).expect("a row");
            let wire = rows[0].bytes_per_entity_tick;
            assert_eq!(rows[0].mode, WIRE);
            assert!(wire < of("exact").bytes_per_entity_tick);
            for mode in ["raw-f32", "raw-f32+deflate", "json", "json+deflate"] {
                let theirs = of(mode).bytes_per_entity_tick;
                assert!(wire * 2.0 < theirs, "{mode}: {theirs}, wire {wire}");
            }
        }
    }
}
