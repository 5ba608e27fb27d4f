//! The same figures of a played arena: the recordings of seeded hands that move, aim and shoot in
//! the real game, with all the fields that it declares. Its world can't be driven by a recording,
//! so encoding is measured without capture.

use tickwire::ids::LayerId;
use tickwire::protocol::frame::{SectionKind, SnapshotHead, push_section};
use tickwire::snapshot::delta::Scratch;

use super::report::{Arena, Report};
use super::stream::{Mismatch, Stream, encode_room, keyframe_bytes};
use super::timing::{self, Effort};
use crate::arena_play::Hands;
use crate::node::Node;
use crate::recording::Recording;

/// Puts the figures of a recording into the report.
pub fn measure_arena(
    report: &mut Report,
    hands: Hands,
    effort: Effort,
    node: Option<&Node>,
) -> Result<(), Mismatch> {
    let recording = Recording::of(hands);
    let stream = room_layer(&recording);
    let images = stream.decode()?;
    let mut pairs = images.iter().zip(&recording.images);
    if let Some((_, played)) = pairs.find(|(decoded, played)| decoded != played) {
        let what = "another image was decoded than the room held";
        return Err(Mismatch::new(played.tick.0, what));
    }
    let js = match node {
        Some(node) => Some(node.frames(&stream, &images, effort.processes)?),
        None => None,
    };
    let encoding = timing::encoding(&stream, &images, effort);
    let decoding = timing::decoding(&stream, &images, effort);
    report.arena.push(Arena {
        play: hands.name(),
        entities: timing::entities(&images) as f64 / (images.len() - 1) as f64,
        bytes_per_entity_tick: stream.delta_bytes() as f64 / recording.moved() as f64,
        encode_ns_per_entity: encoding.measured,
        decode_ns_per_entity: decoding.measured,
        js_frame_ms: js.map(|js| js.measured),
        keyframe_bytes_per_entity: keyframe_bytes(&stream.layout, &images)?,
        encode: encoding,
        decode: decoding,
        js,
    });
    Ok(())
}

/// The room's layer alone, without the viewer's own and without events.
fn room_layer(recording: &Recording) -> Stream {
    let mut stream = Stream::new(recording.schema.clone(), recording.tables.clone());
    let mut scratch = Scratch::default();
    let mut before = None;
    for image in &recording.images {
        let mut body = Vec::new();
        let view = image.view();
        encode_room(
            &recording.layout.room,
            before,
            view,
            &mut scratch,
            &mut body,
        );
        before = Some(view);
        let mut message = Vec::new();
        let head = SnapshotHead {
            tick: image.tick,
            ..SnapshotHead::default()
        };
        head.encode(&mut message);
        push_section(SectionKind::Layer(LayerId::ROOM), &body, &mut message);
        stream.messages.push(message);
    }
    stream
}
