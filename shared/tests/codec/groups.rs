//! Groups between which entities move: what is in each at every tick, and who arrives where from
//! the point of view of somebody who holds some of them. Made from a seed.

use std::collections::BTreeMap;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tickwire::ids::{LayerId, Tick};
use tickwire::snapshot::column_set::ColumnSet;
use tickwire::snapshot::delta::{BodyHead, Moves, Of, Scratch, Verdict, decode_moves, encode};
use tickwire::snapshot::image::{EntityHead, LayerImage};
use tickwire::snapshot::layout::Layout;
use tickwire::snapshot::{DecodeError, image};

use crate::history::History;

/// Groups of a history.
pub(crate) const GROUPS: usize = 5;

/// All groups at a tick, by their place; what one is called is `FIRST_GROUP` and that.
pub(crate) type Images = [LayerImage; GROUPS];

/// Makes one set of images after the other.
pub(crate) struct GroupHistory {
    pub(crate) history: History,
    rng: ChaCha8Rng,
    set: ColumnSet,
    /// By slot and generation.
    homes: BTreeMap<(u16, u16), usize>,
}

impl GroupHistory {
    pub(crate) fn new(seed: u64, set: &ColumnSet, entities: usize) -> GroupHistory {
        GroupHistory {
            history: History::new(seed, set, entities),
            rng: ChaCha8Rng::seed_from_u64(seed + 1),
            set: set.clone(),
            homes: BTreeMap::new(),
        }
    }

    /// The next images. The last group is seldom entered.
    pub(crate) fn step(&mut self) -> Images {
        let all = self.history.step();
        let mut images: Images = std::array::from_fn(|_| LayerImage {
            tick: all.tick,
            gap: all.gap,
            ..LayerImage::default()
        });
        for (at, head) in all.entities.iter().enumerate() {
            let home = self.homes.entry((head.slot, head.generation));
            let home = home.or_insert_with(|| self.rng.random_range(0..GROUPS));
            if self.rng.random_bool(0.15) {
                *home = self.rng.random_range(0..GROUPS);
            }
            let image = &mut images[*home];
            image.entities.push(*head);
            let row = all.view().row(at, self.set.width());
            image.values.extend_from_slice(row);
        }
        images
    }
}

/// What a group is called here.
pub(crate) fn layer(group: usize) -> LayerId {
    LayerId(LayerId::FIRST_GROUP.0 + group as u16)
}

/// The entity in a slot among those of some groups.
pub(crate) fn entity_in<'a>(
    images: &'a Images,
    groups: &[usize],
    slot: u16,
    width: usize,
) -> Option<(EntityHead, &'a [i32])> {
    groups.iter().find_map(|&group| {
        let image = &images[group];
        let slots = |head: &EntityHead| head.slot;
        let at = image.entities.binary_search_by_key(&slot, slots).ok()?;
        Some((image.entities[at], image.view().row(at, width)))
    })
}

/// A body of a group: its image against that of `before`, from which the receiver also holds
/// `sources`; without `before` as a keyframe.
pub(crate) fn body_of(
    set: &ColumnSet,
    (group, now): (usize, &Images),
    before: Option<(&Images, bool, &[usize])>,
    check: bool,
    scratch: &mut Scratch,
) -> Vec<u8> {
    let mut body = Vec::new();
    let current = now[group].view();
    let Some((before, bare, sources)) = before else {
        encode(
            Of::layer(layer(group)),
            set,
            None,
            current,
            check,
            scratch,
            &mut body,
        );
        return body;
    };
    let (mut arrived, mut rows) = (Vec::new(), Vec::new());
    for head in &now[group].entities {
        let is_here = before[group].view().find(head).is_some();
        let found = entity_in(before, sources, head.slot, set.width());
        if let (false, Some((old, row))) = (is_here, found.filter(|(old, _)| old == head)) {
            arrived.push(old);
            rows.extend_from_slice(row);
        }
    }
    let handles = |images: &Images| -> Vec<image::EntityHead> {
        images
            .iter()
            .flat_map(|image| image.entities.clone())
            .collect()
    };
    let alive = handles(now);
    let lives = |head: &&EntityHead| alive.iter().any(|now| now.handle() == head.handle());
    let living: Vec<u16> = before[group]
        .entities
        .iter()
        .filter(lives)
        .map(|head| head.slot)
        .collect();
    let moves = Moves {
        arrived: &arrived,
        rows: &rows,
        living: &living,
    };
    let held = before[group].view();
    let held = if bare { held.bare() } else { held };
    encode(
        Of::Group(moves),
        set,
        Some(held),
        current,
        check,
        scratch,
        &mut body,
    );
    body
}

/// Decodes a body of a group against what is held of it and of `sources`.
pub(crate) fn decode_of(
    (head, bits): (BodyHead, &[u8]),
    tick: Tick,
    layout: &Layout,
    (before, sources): (&Images, &[usize]),
    image: &mut LayerImage,
    scratch: &mut Scratch,
) -> Result<Verdict, DecodeError> {
    let width = layout.room.width();
    let source = |slot| entity_in(before, sources, slot, width);
    decode_moves(head, bits, tick, layout, &source, image, scratch)
}

/// Images as keyframes bring them.
pub(crate) fn bare(images: &Images, set: &ColumnSet) -> Images {
    std::array::from_fn(|group| images[group].bare(set))
}
