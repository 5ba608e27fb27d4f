//! Bodies of groups of one image. Who holds the group that an entity comes from, in an image like
//! the one that the body is against, is told its slot; to others it enters. So a group has as many
//! bodies as there are ways to hold those groups that matter, and each is encoded once.

use smallvec::SmallVec;
use tickwire::limits::CHECKSUM_EVERY;
use tickwire::protocol::frame::push_sized;
use tickwire::snapshot::column_set::ColumnSet;
use tickwire::snapshot::delta::{Moves, Of, Scratch, encode, is_fully_predicted};
use tickwire::snapshot::image::{EntityHead, LayerView};

use crate::replication::held::Baseline;
use crate::replication::held::groups::Source;
use crate::replication::image::{Image, Ring};

/// Groups of which a few are usual.
type Few = SmallVec<[u16; 4]>;

/// A section that several clients get: what follows the layer's number. Empty where all went as
/// predicted, so that the section is left out.
struct Shared {
    baseline: Option<Baseline>,
    /// Of the groups that entities come from, those that are held.
    from: Few,
    bytes: Vec<u8>,
}

/// Who came to a group since an image, from other groups.
struct Comers {
    baseline: Baseline,
    /// By rising slot: where they were, and their index in that image.
    entities: Vec<(u16, usize)>,
    /// Where they were, by rising group, each once.
    groups: Few,
}

/// What was made of one group.
#[derive(Default)]
struct Made {
    group: u16,
    shared: Vec<Shared>,
    comers: Vec<Comers>,
}

/// What was made of the groups of the newest image.
#[derive(Default)]
pub(super) struct GroupBodies {
    /// By rising group.
    made: Vec<Made>,
    spare: Vec<Made>,
    spare_bytes: Vec<Vec<u8>>,
    arrived: Vec<EntityHead>,
    rows: Vec<i32>,
    living: Vec<u16>,
    body: Vec<u8>,
}

/// What came of it.
pub(super) struct Section<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) is_keyframe: bool,
    /// Whether it was encoded for this one.
    pub(super) is_new: bool,
}

impl GroupBodies {
    /// Forgets what was made of the image before.
    pub(super) fn clear(&mut self) {
        for mut made in self.made.drain(..) {
            let sections = made.shared.drain(..);
            self.spare_bytes
                .extend(sections.map(|section| section.bytes));
            made.comers.clear();
            self.spare.push(made);
        }
    }

    /// The section of a group for who holds such an image of it, or none, and `sources` beside it.
    pub(super) fn section(
        &mut self,
        set: &ColumnSet,
        ring: &Ring,
        newest: &Image,
        (group, held): (u16, Option<Baseline>),
        sources: &[Source],
        scratch: &mut Scratch,
    ) -> Section<'_> {
        let place = self.made.binary_search_by_key(&group, |made| made.group);
        let place = place.unwrap_or_else(|place| {
            let mut made = self.spare.pop().unwrap_or_default();
            made.group = group;
            self.made.insert(place, made);
            place
        });
        let made = &mut self.made[place];
        let base = ring.base(held, newest.tick);
        let comers = base.map(|(held, old)| made.comers(held, old, newest));
        let from = comers.map_or(Few::new(), |comers| made.comers[comers].held(sources));
        let held = base.map(|(held, _)| held);
        let is_same = |section: &Shared| section.baseline == held && section.from == from;
        let is_keyframe = base.is_none();
        if let Some(at) = made.shared.iter().position(is_same) {
            return Section {
                bytes: &self.made[place].shared[at].bytes,
                is_keyframe,
                is_new: false,
            };
        }
        let current = newest.group(group);
        let baseline = base.map(|(held, old)| held.of(old.group(group)));
        let periodic = newest.number.is_multiple_of(CHECKSUM_EVERY);
        let mut bytes = self.spare_bytes.pop().unwrap_or_default();
        bytes.clear();
        let left_out = !periodic && baseline.is_some_and(|of| is_fully_predicted(set, of, current));
        if !left_out {
            self.arrived.clear();
            self.rows.clear();
            self.living.clear();
            if let (Some(comers), Some((_, old))) = (comers, base) {
                let entities = &made.comers[comers].entities;
                for &(_, at) in entities
                    .iter()
                    .filter(|(of, _)| from.binary_search(of).is_ok())
                {
                    self.arrived.push(old.entities[at]);
                    let row = at * set.width()..(at + 1) * set.width();
                    self.rows.extend_from_slice(&old.values[row]);
                }
            }
            if let Some(baseline) = baseline {
                self.living.extend(living(newest, baseline));
            }
            let moves = Moves {
                arrived: &self.arrived,
                rows: &self.rows,
                living: &self.living,
            };
            self.body.clear();
            encode(
                Of::Group(moves),
                set,
                baseline,
                current,
                periodic,
                scratch,
                &mut self.body,
            );
            push_sized(&self.body, &mut bytes);
        }
        let shared = &mut self.made[place].shared;
        shared.push(Shared {
            baseline: held,
            from,
            bytes,
        });
        let at = shared.len() - 1;
        Section {
            bytes: &shared[at].bytes,
            is_keyframe,
            is_new: !left_out,
        }
    }
}

impl Made {
    /// Who came since `old`, by their place among what was found.
    fn comers(&mut self, baseline: Baseline, old: &Image, newest: &Image) -> usize {
        let is_same = |of: &Comers| of.baseline == baseline;
        if let Some(at) = self.comers.iter().position(is_same) {
            return at;
        }
        let before = old.group(self.group);
        let now = newest.group(self.group);
        let mut entities = Vec::new();
        if before.entities != now.entities && old.groups() > 0 {
            for head in now
                .entities
                .iter()
                .filter(|head| before.find(head).is_none())
            {
                let at = old.find(head.slot).filter(|at| old.entities[*at] == *head);
                if let Some((at, group)) = at.and_then(|at| Some((at, old.group_of(at)?))) {
                    entities.push((group, at));
                }
            }
        }
        let mut groups: Few = entities.iter().map(|(group, _)| *group).collect();
        groups.sort_unstable();
        groups.dedup();
        self.comers.push(Comers {
            baseline,
            entities,
            groups,
        });
        self.comers.len() - 1
    }
}

impl Comers {
    /// Of the groups that they come from those that are among `sources`, in the same image.
    fn held(&self, sources: &[Source]) -> Few {
        let is_held = |group: &&u16| {
            let at = sources.binary_search_by_key(*group, |(group, _)| *group);
            at.is_ok_and(|at| sources[at].1 == self.baseline)
        };
        self.groups.iter().filter(is_held).copied().collect()
    }
}

/// Slots of those of an older image who still are somewhere in the newest one, rising.
fn living(newest: &Image, of: LayerView<'_>) -> impl Iterator<Item = u16> {
    let lives = |head: &&EntityHead| {
        let now = newest.find(head.slot).map(|at| newest.entities[at]);
        now.is_some_and(|now| now.generation == head.generation)
    };
    of.entities.iter().filter(lives).map(|head| head.slot)
}
