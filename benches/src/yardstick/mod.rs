//! What `codec-yardstick` measures: the bytes and the time that a moving entity costs a tick, on
//! recorded motion, in the codec that ships and in what people use otherwise. All through public
//! interfaces: a room captures and encodes, a client's decoder decodes, and every decoded image is
//! compared with the recording. Times are taken in turn with a fixed reference work, plain varint
//! deltas of the same images, and told as ratios to it too: those hold on any machine. Figures of
//! rooms full of sockets are not taken here.

mod arena;
mod bars;
mod crowd;
mod forms;
mod node;
mod others;
mod plot;
mod report;
mod stream;
mod timing;
mod varint;

pub use arena::measure_arena;
pub use bars::Missed;
pub use forms::{REFERENCE, WIRE};
pub use node::Judgement;
pub use plot::svg;
pub use report::{Report, Row};
pub use stream::{Mismatch, Stream};
pub use timing::Effort;

use tickwire::snapshot::image::LayerImage;

use crate::motion::{Motion, Tape};
use crate::node::Node;
use forms::{Exact, Form, PREDICTOR, Tolerant, Wire};
use stream::keyframe_bytes;

/// All rows of a motion: `wire` first, then its variants, then what it is compared with. `node`
/// decodes in JavaScript where there is one.
pub fn measure(
    motion: Motion,
    tape: &Tape,
    effort: Effort,
    node: Option<&Node>,
) -> Result<Vec<Row>, Mismatch> {
    let (wire, reference) = coded::<Wire>(motion, tape, effort, node)?;
    let mut rows = vec![
        wire,
        coded::<Tolerant>(motion, tape, effort, node)?.0,
        coded::<Exact>(motion, tape, effort, node)?.0,
        reference,
    ];
    rows.extend(others::rows(motion, tape));
    Ok(rows)
}

/// Of the motion that tables are trained on; the recordings have another.
const TRAINING_SEED: u64 = 0x7EA1;

/// A form's row, and that of the reference work on the same images.
fn coded<F: Form>(
    motion: Motion,
    tape: &Tape,
    effort: Effort,
    node: Option<&Node>,
) -> Result<(Row, Row), Mismatch> {
    // Trained on other entities than those that are measured.
    let tables = crowd::train::<F>(&motion.simulate(tape.entities(), tape.ticks(), TRAINING_SEED))?;
    let stream = crowd::record::<F>(tape, &tables);
    let images = stream.verify(tape)?;
    let moved = tape.moves();
    let js = match node {
        Some(node) => Some(node.frames(&stream, &images, effort.processes)?),
        None => None,
    };
    let capturing = crowd::capturing::<F>(tape, &tables, &stream, &images, effort);
    let decoding = timing::decoding(&stream, &images, effort);
    let frames = varint::frames(&varint::Plain::new(&stream.layout.room), &images);
    let plain_bytes: usize = frames[1..].iter().map(Vec::len).sum();
    let reference = Row {
        motion: motion.name(),
        mode: REFERENCE,
        bytes_per_entity_tick: plain_bytes as f64 / moved as f64,
        capture_encode_ns_per_entity: Some(capturing.reference),
        decode_ns_per_entity: Some(decoding.reference),
        js_frame_ms: js.map(|js| js.reference),
        keyframe_bytes_per_entity: Some(frames[0].len() as f64 / tape.entities() as f64),
        ..Row::default()
    };
    let row = Row {
        motion: motion.name(),
        mode: F::NAME,
        predictor: Some(PREDICTOR),
        bytes_per_entity_tick: stream.delta_bytes() as f64 / moved as f64,
        capture_encode_ns_per_entity: Some(capturing.measured),
        decode_ns_per_entity: Some(decoding.measured),
        js_frame_ms: js.map(|js| js.measured),
        keyframe_bytes_per_entity: Some(keyframe_bytes(&stream.layout, &images)?),
        capture_encode: Some(capturing),
        decode: Some(decoding),
        js,
    };
    Ok((row, reference))
}

/// What a client of a recorded motion gets and holds, in the mode that ships but without trained
/// tables.
pub fn untrained(tape: &Tape) -> Result<(Stream, Vec<LayerImage>), Mismatch> {
    let stream = crowd::record::<Wire>(tape, &[]);
    let images = stream.verify(tape)?;
    Ok((stream, images))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::calm::Patience;

    #[test]
    fn wire_is_below_exact_and_far_below_the_rest() {
        let once = Patience {
            wanted: 1,
            repeats: 0,
        };
        let effort = Effort {
            patience: once,
            sample: Duration::ZERO,
            processes: once,
            rooms: 1,
        };
        for motion in Motion::ALL {
            let tape = motion.simulate(30, 40, 5);
            let rows = measure(motion, &tape, effort, None).expect("all is decoded");
            let of = |mode: &str| rows.iter().find(|row| row.mode == mode).expect("a row");
            let wire = rows[0].bytes_per_entity_tick;
            assert_eq!(rows[0].mode, WIRE);
            assert!(wire < of("exact").bytes_per_entity_tick);
            for mode in [
                REFERENCE,
                "raw-f32",
                "raw-f32+deflate",
                "json",
                "json+deflate",
            ] {
                let theirs = of(mode).bytes_per_entity_tick;
                assert!(wire * 2.0 < theirs, "{mode}: {theirs}, wire {wire}");
            }
        }
    }
}
