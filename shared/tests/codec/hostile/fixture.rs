//! The games and baselines that hostile bodies are decoded against: seeded histories of the schema
//! with everything in it, once without and once with trained tables.

use std::sync::OnceLock;

use tickwire::codec::encode_server;
use tickwire::ids::{LayerId, PlayerId, RoomId, Tick};
use tickwire::protocol::frame::{SectionKind, SnapshotHead, push_section};
use tickwire::protocol::server_message::{Limits, RoomInfo};
use tickwire::protocol::{ServerMessage, VERSION};
use tickwire::schema::{Kind, Schema, Tables};
use tickwire::snapshot::column_set::ColumnSet;
use tickwire::snapshot::delta::{Of, Scratch, encode};
use tickwire::snapshot::image::LayerImage;
use tickwire::snapshot::layout::Layout;

use crate::groups::{GroupHistory, Images};
use crate::history::{History, schema, trained_game};

/// A game and what its layers showed.
pub(crate) struct Game {
    pub(crate) schema: Schema,
    pub(crate) tables: Tables,
    pub(crate) layout: Layout,
    /// By layer, at the ticks in the order of time: one a tick, then every few.
    images: [Vec<LayerImage>; LayerId::FIXED.len()],
    /// What groups showed at such ticks.
    groups: Vec<Images>,
}

/// Games: one without tables, one with.
pub(crate) const GAMES: u8 = 2;
/// Images of a layer that come every tick; so many come after them, less often.
const IMAGES: usize = 24;

impl Game {
    /// The game by a number, of which the last bit counts.
    pub(crate) fn of(number: u8) -> &'static Game {
        static ALL: [OnceLock<Game>; GAMES as usize] = [const { OnceLock::new() }; 2];
        ALL[usize::from(number % GAMES)].get_or_init(|| match number % GAMES {
            0 => Game::new(schema(), Tables::default()),
            _ => {
                let (schema, tables) = trained_game();
                Game::new(schema, tables)
            }
        })
    }

    fn new(schema: Schema, tables: Tables) -> Game {
        let layout = Layout::new(&schema, &tables).expect("the schema is sound");
        let images = [LayerId::ROOM, LayerId::OWNER, LayerId::TEAM].map(|layer| {
            let set = layout.of(layer).expect("the schema has every layer");
            let mut history = History::new(40 + u64::from(layer.0), set, 6);
            (0..2 * IMAGES)
                .map(|step| {
                    history.every_tick = step < IMAGES;
                    with_texts(history.step(), set)
                })
                .collect()
        });
        let mut history = GroupHistory::new(50, &layout.room, 8);
        let groups = (0..2 * IMAGES).map(|step| {
            history.history.every_tick = step < IMAGES;
            history.step().map(|image| with_texts(image, &layout.room))
        });
        Game {
            groups: groups.collect(),
            schema,
            tables,
            layout,
            images,
        }
    }

    /// An image of a layer; any number is one.
    pub(crate) fn image(&self, layer: LayerId, number: u8) -> Option<&LayerImage> {
        let images = self.images.get(usize::from(layer.0))?;
        images.get(usize::from(number) % images.len())
    }

    /// The images of all groups; any number is one.
    pub(crate) fn groups(&self, number: u8) -> &Images {
        &self.groups[usize::from(number) % self.groups.len()]
    }

    /// What a server says to one who comes and joins a room.
    pub(crate) fn opening(&self) -> Vec<Vec<u8>> {
        let welcome = ServerMessage::Welcome {
            version: VERSION,
            features: 0,
            game: self.schema.game.clone(),
            name: "Ann".to_owned(),
            token: String::new(),
            limits: Limits {
                message_bytes: 4096,
                messages_per_second: 120,
                chat_chars: 200,
                name_chars: 24,
                seats: 64,
                spectators: 0,
            },
            schema_hash: "5c".to_owned(),
            tables_hash: "7a".to_owned(),
            schema: Some(self.schema.clone()),
            tables: Some(self.tables.clone()),
        };
        let joined = ServerMessage::Joined {
            room: RoomInfo {
                id: RoomId(1),
                name: "room".to_owned(),
                players: 1,
                seats: 8,
                spectators: 0,
                private: false,
                kicks: false,
                locked: false,
                metadata: vec![],
            },
            code: "7XKQ2M9A".to_owned(),
            you: Some(PlayerId(1)),
            tick_rate: 30,
            snapshot_every: 1,
            tick: Tick(0),
            members: vec![],
            more: false,
            chat: vec![],
            options: vec![],
        };
        vec![encode_server(&welcome), encode_server(&joined)]
    }

    /// A snapshot that brings an image as a keyframe.
    pub(crate) fn keyframe(&self, layer: LayerId, image: &LayerImage) -> Vec<u8> {
        let mut body = Vec::new();
        if let Some(set) = self.layout.of(layer) {
            let mut scratch = Scratch::default();
            encode(
                Of::layer(layer),
                set,
                None,
                image.view(),
                true,
                &mut scratch,
                &mut body,
            );
        }
        snapshot(image.tick, SectionKind::Layer(layer), &body)
    }
}

/// An image whose texts are some: a session refuses what is none.
fn with_texts(mut image: LayerImage, set: &ColumnSet) -> LayerImage {
    let rows = image.values.chunks_exact_mut(set.width().max(1));
    for (head, row) in image.entities.iter().zip(rows) {
        for (number, component) in set.components.iter().enumerate() {
            for at in component.start..component.end {
                if matches!(set.columns[at].kind, Kind::Text { .. }) && head.mask >> number & 1 != 0
                {
                    // Four letters.
                    row[at] = row[at] & 0x0F0F_0F0F | 0x6060_6060;
                }
            }
        }
    }
    image
}

/// A snapshot with one section.
pub(crate) fn snapshot(tick: Tick, kind: SectionKind, section: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let head = SnapshotHead {
        tick,
        ..SnapshotHead::default()
    };
    head.encode(&mut bytes);
    push_section(kind, section, &mut bytes);
    bytes
}

/// Changes one integer of an image, by its number from any number: its gap, what its entities'
/// heads have, its values.
pub(crate) fn change_an_integer(image: &mut LayerImage, number: u32, bits: u32) {
    let heads = image.entities.len();
    let at = number as usize % (1 + 4 * heads + image.values.len());
    // Where a number has 16 bits, one of them.
    let short = bits as u16 | (bits >> 16) as u16;
    match at.checked_sub(1) {
        None => image.gap ^= bits,
        Some(at) if at < 4 * heads => {
            let head = &mut image.entities[at / 4];
            match at % 4 {
                0 => head.slot ^= short,
                1 => head.generation ^= short,
                2 => head.owner ^= short,
                _ => head.mask ^= bits,
            }
        }
        Some(at) => image.values[at - 4 * heads] ^= bits as i32,
    }
}
