//! The browser's decoder: a Node process that runs `benches/js/decode_frames.mjs` over the same
//! snapshots, times it, and says which images it came to.

use serde::Deserialize;
use tickwire::codec::encode_server;
use tickwire::protocol::server_message::Limits;
use tickwire::protocol::{ServerMessage, VERSION};
use tickwire::snapshot::checksum::checksum;
use tickwire::snapshot::image::LayerImage;

use super::stream::{Mismatch, Stream};
use super::varint::{Plain, fields, frames, mix};
use crate::calm::{Cores, Pair, Patience, Ratio, Watch, repeat};
use crate::node::{Node, NodeError};

/// What the script says.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// Processor time of a frame, in ms: the median run.
    pub frame_ms: f64,
    /// Processor time of a frame of plain deltas, measured in turn with it.
    pub plain_ms: f64,
    /// Checksum of every image.
    pub checksums: Vec<u32>,
    /// What the plain frames come to.
    pub plain_mix: u32,
}

impl Node {
    /// Milliseconds of processor time that a frame takes, beside one of the reference, in as many
    /// processes as `patience` says; every image of each of them agrees.
    pub fn frames(
        &self,
        stream: &Stream,
        images: &[LayerImage],
        patience: Patience,
    ) -> Result<Ratio, Mismatch> {
        let pairs = repeat(patience, |_| {
            let watch = Watch::start(Cores::All, Vec::new());
            let judgement = self.judge(stream, images);
            let judgement = judgement.map_err(|error| Mismatch::new(0, error))?;
            let others = watch.others();
            agree(&judgement, stream, images)?;
            let pair = Pair {
                measured: judgement.frame_ms,
                reference: judgement.plain_ms,
            };
            Ok((pair, others))
        });
        Ok(Ratio::new(&pairs?))
    }

    /// Lets the script decode a stream.
    pub fn judge(&self, stream: &Stream, images: &[LayerImage]) -> Result<Judgement, NodeError> {
        let welcome = encode_server(&ServerMessage::Welcome {
            version: VERSION,
            features: 0,
            game: String::new(),
            name: String::new(),
            token: String::new(),
            limits: Limits {
                message_bytes: 0,
                messages_per_second: 0,
                chat_chars: 0,
                name_chars: 0,
                seats: 0,
                spectators: 0,
            },
            schema_hash: String::new(),
            tables_hash: String::new(),
            schema: Some(stream.schema.clone()),
            tables: Some(stream.tables.clone()),
        });
        let mut input = Vec::new();
        let set = &stream.layout.room;
        let plain = frames(&Plain::new(set), images);
        let messages = std::iter::once(&welcome).chain(&stream.messages);
        for message in messages.chain(&plain) {
            input.extend_from_slice(&(message.len() as u32).to_le_bytes());
            input.extend_from_slice(message);
        }
        let columns = serde_json::json!({ "fields": fields(set), "width": set.width() });
        let said = self.run("decode_frames.mjs", &[columns.to_string()], &input)?;
        serde_json::from_slice(&said).map_err(|error| NodeError::Failed(error.to_string()))
    }
}

/// Whether JavaScript came to the images that Rust did.
fn agree(judgement: &Judgement, stream: &Stream, images: &[LayerImage]) -> Result<(), Mismatch> {
    let set = &stream.layout.room;
    if judgement.checksums.len() != images.len() {
        let what = "JavaScript decoded another number of frames";
        return Err(Mismatch::new(judgement.checksums.len() as u32, what));
    }
    let ours = images.iter().map(|image| checksum(image.view(), set));
    for ((ours, theirs), image) in ours.zip(&judgement.checksums).zip(images) {
        if ours != *theirs {
            let what = "JavaScript decoded another image";
            return Err(Mismatch::new(image.tick.0, what));
        }
    }
    let plain = Plain::new(set);
    let mixed = images
        .iter()
        .fold(0, |mixed, image| mix(mixed, &plain.bare(image)));
    if judgement.plain_mix != mixed {
        return Err(Mismatch::new(0, "JavaScript decoded other plain frames"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::motion::Motion;
    use crate::yardstick::crowd::record;
    use crate::yardstick::forms::Wire;

    #[test]
    fn javascript_comes_to_the_same_images_and_a_wrong_one_is_caught() {
        let node = match Node::find("node") {
            Ok(node) => node,
            Err(NodeError::Missing) => return,
            Err(error) => panic!("{error}"),
        };
        let tape = Motion::Steered.simulate(20, 40, 6);
        let stream = record::<Wire>(&tape, &[]);
        let mut images = stream.verify(&tape).expect("it decodes");
        let once = Patience {
            wanted: 1,
            repeats: 0,
        };
        let figures = node.frames(&stream, &images, once).expect("all agree");
        assert!(figures.measured > 0.0 && figures.reference > 0.0);
        let mut judgement = node.judge(&stream, &images).expect("it runs");
        judgement.plain_mix ^= 1;
        assert!(agree(&judgement, &stream, &images).is_err());
        images[30].values[3] += 1;
        let caught = node.frames(&stream, &images, once);
        assert_eq!(caught.expect_err("one is wrong").tick, 31);
    }
}
