//! What decoding and encoding verified images costs, without a world, in turn with the reference
//! work on the same images.

use std::convert::Infallible;
use std::time::Duration;

use tickwire::ids::LayerId;
use tickwire::snapshot::delta::{Scratch, advance, decode, decode_head};
use tickwire::snapshot::image::LayerImage;

use super::stream::{Stream, encode_room};
use super::varint::{Plain, frames};
use crate::calm::{Pair, Patience, Ratio, Repeated, alternate, repeat};
use crate::cpu_clock::timed;

/// How long to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Samples of which the median counts, and how many may be taken again on a busy machine.
    pub patience: Patience,
    /// How long a sample takes, at least: as many passes through a recording as it needs, in turn
    /// with the reference's.
    pub sample: Duration,
    /// The same of processes that run JavaScript, which take their own time.
    pub processes: Patience,
    /// Rooms that are ticked one after the other, as a worker does.
    pub rooms: usize,
}

/// Pairs of passes over something, as often as the effort says; in nanoseconds by `unit`.
pub(super) fn in_turn(
    effort: Effort,
    unit: usize,
    mut measured: impl FnMut() -> Duration,
    mut reference: impl FnMut() -> Duration,
) -> Ratio {
    let pairs: Result<Repeated<Pair>, Infallible> = repeat(effort.patience, |number| {
        let (pair, others) = alternate(effort.sample, number, &mut measured, &mut reference);
        let by_unit = Pair {
            measured: pair.measured / unit as f64,
            reference: pair.reference / unit as f64,
        };
        Ok((by_unit, others))
    });
    match pairs {
        Ok(pairs) => Ratio::new(&pairs),
        Err(never) => match never {},
    }
}

/// Processor time to decode an entity, the keyframe apart.
pub(super) fn decoding(stream: &Stream, images: &[LayerImage], effort: Effort) -> Ratio {
    let bodies = stream.bodies().expect("a verified stream has bodies");
    let mut scratch = Scratch::default();
    let measured = || {
        let mut held = images[0].clone();
        let (spent, ()) = timed(|| {
            for &(tick, body) in &bodies[1..] {
                if body.is_empty() {
                    advance(&stream.layout.room, tick, &mut held, &mut scratch)
                        .expect("it was verified");
                    continue;
                }
                let (head, bits) = decode_head(LayerId::ROOM, body).expect("it was verified");
                decode(head, bits, tick, &stream.layout, &mut held, &mut scratch)
                    .expect("it was verified");
            }
        });
        assert_eq!(Some(&held), images.last());
        spent
    };
    let plain = Plain::new(&stream.layout.room);
    let frames = frames(&plain, images);
    let mut next = LayerImage::default();
    let reference = || {
        let mut held = plain.bare(&images[0]);
        let (spent, ()) = timed(|| {
            for frame in &frames[1..] {
                plain
                    .decode(frame, &held, &mut next)
                    .expect("it was encoded");
                std::mem::swap(&mut held, &mut next);
            }
        });
        assert_eq!(
            Some(&held.entities),
            images.last().map(|image| &image.entities)
        );
        spent
    };
    in_turn(effort, entities(images), measured, reference)
}

/// Processor time to encode an entity, the keyframe apart.
pub(super) fn encoding(stream: &Stream, images: &[LayerImage], effort: Effort) -> Ratio {
    let mut scratch = Scratch::default();
    let mut body = Vec::new();
    let measured = || {
        let (spent, ()) = timed(|| {
            for pair in images.windows(2) {
                let (from, to) = (pair[0].view(), pair[1].view());
                let set = &stream.layout.room;
                body.clear();
                encode_room(set, Some(from), to, &mut scratch, &mut body);
            }
        });
        spent
    };
    let plain = Plain::new(&stream.layout.room);
    in_turn(effort, entities(images), measured, || {
        reference_encoding(&plain, images, 1)
    })
}

/// The reference work of encoding, in so many rooms.
pub(super) fn reference_encoding(plain: &Plain, images: &[LayerImage], rooms: usize) -> Duration {
    let mut frame = Vec::new();
    let (spent, bytes) = timed(|| {
        let mut bytes = 0;
        for pair in images.windows(2) {
            for _ in 0..rooms {
                frame.clear();
                plain.encode(&pair[0], &pair[1], &mut frame);
                bytes += frame.len();
            }
        }
        bytes
    });
    assert!(bytes > 0 || images.len() < 2, "something was encoded");
    spent
}

/// Entities of all images but the first.
pub(super) fn entities(images: &[LayerImage]) -> usize {
    images[1..].iter().map(|image| image.entities.len()).sum()
}
