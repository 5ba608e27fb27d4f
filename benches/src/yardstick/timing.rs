//! What decoding and encoding verified images costs, without a world.

use tickwire::ids::LayerId;
use tickwire::snapshot::delta::{Scratch, decode, decode_head, encode};
use tickwire::snapshot::image::LayerImage;

use super::{Effort, Stream};
use crate::cpu_clock::{median, timed};

/// Nanoseconds of processor time to decode an entity, the keyframe apart: the median run.
pub(super) fn decode_ns(stream: &Stream, images: &[LayerImage], effort: Effort) -> f64 {
    let bodies = stream.bodies().expect("a verified stream has bodies");
    let mut scratch = Scratch::default();
    let run = |_| {
        let mut held = images[0].clone();
        let (spent, ()) = timed(|| {
            for &(tick, body) in &bodies[1..] {
                let (head, bits) = decode_head(body).expect("it was verified");
                decode(head, bits, tick, &stream.layout, &mut held, &mut scratch)
                    .expect("it was verified");
            }
        });
        assert_eq!(Some(&held), images.last());
        spent.as_nanos() as f64 / entities(images) as f64
    };
    median((0..effort.runs).map(run).collect())
}

/// Nanoseconds of processor time to encode an entity, the keyframe apart: the median run.
pub(super) fn encode_ns(stream: &Stream, images: &[LayerImage], effort: Effort) -> f64 {
    let mut scratch = Scratch::default();
    let mut body = Vec::new();
    let run = |_| {
        let (spent, ()) = timed(|| {
            for pair in images.windows(2) {
                let (from, to) = (pair[0].view(), pair[1].view());
                let set = &stream.layout.room;
                body.clear();
                encode(
                    LayerId::ROOM,
                    set,
                    Some(from),
                    to,
                    false,
                    &mut scratch,
                    &mut body,
                );
            }
        });
        spent.as_nanos() as f64 / entities(images) as f64
    };
    median((0..effort.runs).map(run).collect())
}

/// Entities of all images but the first.
fn entities(images: &[LayerImage]) -> usize {
    images[1..].iter().map(|image| image.entities.len()).sum()
}
