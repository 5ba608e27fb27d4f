//! Bugs planted on purpose, between the room and its clients: a snapshot that the room composed is
//! decoded, spoiled as a server with that bug would, and encoded again. What the checks say to it
//! is `main`'s business.

use std::collections::BTreeMap;

use tickwire::ids::{LayerId, Tick};
use tickwire::protocol::frame::{SNAPSHOT_HEAD_BYTES, SectionKind, SnapshotHead, push_section};
use tickwire::schema::Kind;
use tickwire::session::Seen;
use tickwire::snapshot::column_set::ColumnSet;
use tickwire::snapshot::delta::{Of, Scratch, advance, decode, decode_head, encode};
use tickwire::snapshot::image::{LayerImage, LayerView};
use tickwire::snapshot::layout::Layout;

use crate::line::LineId;

/// A bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// A delta against an image that is older than the one it names.
    StaleBaseline,
    /// A snapshot without the events that happened since the last.
    LostEvent,
    /// A slot is given out again under its old generation.
    ReusedSlot,
    /// Another player's private columns, in one's own private layer.
    LeakedColumn,
    /// Who comes back is taken to have seen everything.
    LostDurable,
    /// Who comes back is taken to have seen nothing.
    DoubledDurable,
    /// What the kernel left of a write is forgotten.
    LostTail,
    /// What the kernel took of a write is written again.
    RepeatedTail,
    /// What was fetched of a connection is not looked at.
    LostRead,
    /// It is looked at twice.
    RepeatedRead,
    /// A snapshot goes to somebody else.
    WrongClient,
    /// The seat of who lost their connection is given up.
    SeatNotHeld,
    /// Who comes back to the lobby is not served there.
    ForgottenInLobby,
    /// A room is made of what was kept of it first.
    OldCheckpoint,
    /// A room comes back without somebody's seat.
    SeatLostInRestart,
    /// An integer of an image that a client holds changes by itself, now and then. This one is not
    /// to be caught but healed: see [`crate::planted`].
    ChangedInteger,
}

/// Snapshots of which one is spoiled, where not all are.
const ONE_IN: u64 = 40;

/// What a line was sent.
#[derive(Default)]
struct Sent {
    /// As the room composed it, by layer.
    whole: [LayerImage; LayerId::FIXED.len()],
    /// What the client had before the last one.
    before: [LayerImage; LayerId::FIXED.len()],
    /// What the client has.
    spoiled: [LayerImage; LayerId::FIXED.len()],
}

/// See the module's description.
pub(crate) struct Tamper {
    bug: Bug,
    sent: BTreeMap<LineId, Sent>,
    scratch: Scratch,
    snapshots: u64,
    /// The newest one, and whose it was.
    newest: (LineId, Vec<u8>),
}

impl Tamper {
    pub(crate) fn new(bug: Bug) -> Tamper {
        Tamper {
            bug,
            sent: BTreeMap::new(),
            scratch: Scratch::default(),
            snapshots: 0,
            newest: (0, Vec::new()),
        }
    }

    pub(crate) fn bug(&self) -> Bug {
        self.bug
    }

    /// Whether the bug is one of the clients' memories.
    pub(crate) fn plants(&self) -> bool {
        self.bug == Bug::ChangedInteger
    }

    /// What somebody who comes back at `now` is taken to have seen.
    pub(crate) fn spoil_claim(&self, seen: Seen, now: Tick) -> Seen {
        let tick = match self.bug {
            Bug::LostDurable => now,
            Bug::DoubledDurable => Tick(0),
            _ => seen.tick,
        };
        Seen { tick, ..seen }
    }

    /// Spoils a snapshot to a line.
    pub(crate) fn spoil(&mut self, line: LineId, layout: &Layout, snapshot: &mut Vec<u8>) {
        self.snapshots += 1;
        let now_and_then = self.snapshots.is_multiple_of(ONE_IN);
        match self.bug {
            Bug::StaleBaseline | Bug::LostEvent | Bug::ReusedSlot | Bug::LeakedColumn => {}
            Bug::WrongClient => {
                let newest = std::mem::replace(&mut self.newest, (line, snapshot.clone()));
                if now_and_then && newest.0 != line && !newest.1.is_empty() {
                    *snapshot = newest.1;
                }
                return;
            }
            _ => return,
        }
        let composed = std::mem::take(snapshot);
        let (head, sections) = SnapshotHead::decode(&composed).expect("the room's snapshot");
        snapshot.extend_from_slice(&composed[..SNAPSHOT_HEAD_BYTES]);
        for section in sections {
            let (kind, bytes) = section.expect("the room's section");
            match kind {
                SectionKind::Events if self.bug == Bug::LostEvent && now_and_then => {}
                SectionKind::Layer(layer) if !layer.is_group() => {
                    let body = self.spoil_body(line, layout, head, (layer, bytes), now_and_then);
                    push_section(kind, &body, snapshot);
                }
                _ => push_section(kind, bytes, snapshot),
            }
        }
        self.advance(line, layout, head.tick);
    }

    /// What a snapshot left out went as predicted, in the room and for the client.
    fn advance(&mut self, line: LineId, layout: &Layout, tick: Tick) {
        let sent = self.sent.entry(line).or_default();
        for (layer, set) in layout.sets().into_iter().enumerate() {
            let whole = &mut sent.whole[layer];
            if whole.tick == Tick(0) || whole.tick == tick {
                continue;
            }
            advance(set, tick, whole, &mut self.scratch).expect("it is in reach");
            let spoiled = &mut sent.spoiled[layer];
            sent.before[layer].clone_from(spoiled);
            // A stale one may be of another tick; its client is at its end then.
            let _ = advance(set, tick, spoiled, &mut self.scratch);
        }
    }

    fn spoil_body(
        &mut self,
        line: LineId,
        layout: &Layout,
        snapshot: SnapshotHead,
        (layer, body): (LayerId, &[u8]),
        now_and_then: bool,
    ) -> Vec<u8> {
        let (head, bits) = decode_head(layer, body).expect("the room's body");
        let layer = usize::from(head.layer.0);
        let strangers = self.strangers(line, snapshot);
        let sent = self.sent.entry(line).or_default();
        let whole = &mut sent.whole[layer];
        decode(head, bits, snapshot.tick, layout, whole, &mut self.scratch)
            .expect("the room's body");
        let mut current = whole.clone();
        let set = layout.of(head.layer).expect("the room's layer");
        match (self.bug, layer) {
            (Bug::ReusedSlot, _) => forget_generations(&mut current, set),
            (Bug::LeakedColumn, 1) => merge(&mut current, strangers.as_ref()),
            _ => {}
        }
        let stale = self.bug == Bug::StaleBaseline
            && now_and_then
            && !sent.before[layer].entities.is_empty()
            && sent.before[layer].entities == sent.spoiled[layer].entities;
        // What the body names as its baseline, and what it is made against.
        let named = sent.spoiled[layer].view();
        let against = if stale {
            LayerView {
                tick: named.tick,
                gap: named.gap,
                ..sent.before[layer].view()
            }
        } else {
            named
        };
        let mut spoiled = Vec::new();
        encode(
            Of::layer(head.layer),
            set,
            (head.back > 0).then_some(against),
            current.view(),
            false,
            &mut self.scratch,
            &mut spoiled,
        );
        sent.before[layer] = sent.spoiled[layer].clone();
        let (head, bits) = decode_head(head.layer, &spoiled).expect("a body");
        let has = &mut sent.spoiled[layer];
        // A stale one may not even be decoded; its client is at its end then.
        let _ = decode(head, bits, snapshot.tick, layout, has, &mut self.scratch);
        spoiled
    }

    /// The private image of somebody else at the same tick, if one was composed before this one.
    fn strangers(&self, line: LineId, snapshot: SnapshotHead) -> Option<LayerImage> {
        let others = self.sent.iter().filter(|(id, _)| **id != line);
        let mut images = others.map(|(_, sent)| &sent.whole[1]);
        images
            .find(|image| image.tick == snapshot.tick && !image.entities.is_empty())
            .cloned()
    }
}

/// Handles lose their generation, wherever they stand.
fn forget_generations(image: &mut LayerImage, set: &ColumnSet) {
    image
        .entities
        .iter_mut()
        .for_each(|head| head.generation = 0);
    for row in image.values.chunks_mut(set.width().max(1)) {
        for (value, column) in row.iter_mut().zip(&set.columns) {
            if column.kind == Kind::Entity && *value != -1 {
                *value &= 0xFFFF;
            }
        }
    }
}

/// Adds another image's entities, which this one has not.
fn merge(image: &mut LayerImage, other: Option<&LayerImage>) {
    let Some(other) = other else { return };
    let width = other.values.len() / other.entities.len();
    for (index, head) in other.entities.iter().enumerate() {
        let at = image.entities.partition_point(|of| of.slot < head.slot);
        if image
            .entities
            .get(at)
            .is_some_and(|of| of.slot == head.slot)
        {
            continue;
        }
        image.entities.insert(at, *head);
        let row = other.values[index * width..(index + 1) * width]
            .iter()
            .copied();
        image.values.splice(at * width..at * width, row);
    }
}
