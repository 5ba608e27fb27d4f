//! Reads the replicated components of a world into an image: marks who has what, lays out the
//! layers, quantises every field into its column. Also snaps predicted fields, so that the
//! world holds exactly what the owner is sent, in a copy of their own or with everyone.

mod readers;
mod rows;

use std::ops::Range;

use bevy_ecs::entity_disabling::Disabled;
use bevy_ecs::prelude::*;
use bevy_ecs::query::Allow;
use tickwire::ids::PlayerId;
use tickwire::schema::{Predicted, Schema};
use tickwire::snapshot::column_set::ColumnSet;
use tickwire::snapshot::complete::Completer;
use tickwire::snapshot::image::{EntityHead, LayerView, OwnerCode, Residuals};
use tickwire::snapshot::layout::Layout;

pub(crate) use readers::{EntityReader, ReaderOf, RoomReader};

use super::group::Group;
use super::image::{Image, Part, Ring, Span, TablePart};
use super::interest;
use super::layer::{LayerKey, OWNER, ROOM, SCOPES, TEAM};
use super::owner::{Owner, Team};
use super::slots::{Given, Slot, Slots};
use readers::CaptureComponent;
use rows::{SlotState, Target, Targets};

struct Reader {
    component: Box<dyn CaptureComponent>,
    targets: Targets,
    /// Whose columns its fields are snapped to, a scope.
    snapped: Option<usize>,
}

/// A member, as far as an image depends on them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Viewer {
    pub(crate) player: PlayerId,
    /// What they steer.
    pub(crate) avatar: Entity,
    /// That entity's team.
    pub(crate) team: Option<u8>,
}

/// A room's capture: readers and slots.
pub(crate) struct Capture {
    readers: Vec<Reader>,
    owners: QueryState<(Entity, &'static Slot, &'static Owner)>,
    /// Also of what the game disabled for a while, and of what has no slot.
    owned: QueryState<(Entity, &'static Owner), Allow<Disabled>>,
    teams: QueryState<(&'static Slot, &'static Team)>,
    groups: QueryState<(&'static Slot, &'static Group)>,
    pub(crate) slots: Slots,
    widths: [usize; SCOPES],
}

/// What filling an image needs, and the next one does not.
#[derive(Default)]
pub(crate) struct CaptureSpace {
    states: Vec<SlotState>,
    unslotted: Vec<Entity>,
    /// Slots in groups, to be sorted by group.
    grouped: Vec<(u16, u16)>,
    /// Slots in private layers, to be sorted by layer.
    private: Vec<(LayerKey, u16)>,
    keys: Vec<LayerKey>,
    completer: Completer,
    /// Becomes the newest image's; nothing in it is looked at that was not put there for that
    /// image.
    pub(crate) residuals: Vec<i32>,
}

impl Capture {
    pub(crate) fn new(
        world: &mut World,
        layout: &Layout,
        schema: &Schema,
        components: &[ReaderOf],
    ) -> Capture {
        world.init_resource::<Given>();
        let sets = layout.sets();
        let readers = components
            .iter()
            .enumerate()
            .map(|(index, reader)| Reader {
                component: reader(world),
                targets: sets.map(|set| Target::find(set, index)),
                snapped: match schema.components[index].predicted {
                    Predicted::No => None,
                    Predicted::Fine => Some(OWNER),
                    Predicted::Grid => Some(ROOM),
                },
            })
            .collect();
        Capture {
            readers,
            owners: world.query(),
            owned: world.query_filtered(),
            teams: world.query(),
            groups: world.query(),
            slots: Slots::new(),
            widths: sets.map(|set| set.width()),
        }
    }

    /// Snaps every predicted field. Every tick, whether captured or not: prediction replays it.
    pub(crate) fn snap(&mut self, world: &mut World) {
        for reader in &mut self.readers {
            if let Some(steps) = reader
                .snapped
                .and_then(|scope| reader.targets[scope].as_ref())
            {
                reader.component.snap(world, steps);
            }
        }
    }

    /// Everything that a player owns, by rising id.
    pub(crate) fn owned_by(&mut self, world: &World, player: PlayerId) -> Vec<Entity> {
        let owned = self.owned.iter(world);
        let theirs = owned.filter(|(_, owner)| owner.0 == player);
        let mut theirs: Vec<Entity> = theirs.map(|(entity, _)| entity).collect();
        theirs.sort_unstable();
        theirs
    }

    /// Slots that are kept for the avatars of who may still come, of `seats` in all, while these
    /// `avatars` are there.
    pub(crate) fn kept(&self, seats: u16, avatars: impl Iterator<Item = Entity>) -> usize {
        let shown = avatars.filter(|avatar| self.slots.handle(*avatar).is_some());
        usize::from(seats).saturating_sub(shown.count())
    }

    /// Fills `image`, whose tick is set, with the world. `viewers` are by rising number; every one
    /// of them gets their layers, though they may be empty. Of `seats` each has a slot for an
    /// avatar, whatever else there is.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn run(
        &mut self,
        world: &mut World,
        layout: &Layout,
        viewers: &[Viewer],
        seats: u16,
        ring: &Ring,
        image: &mut Image,
        space: &mut CaptureSpace,
    ) {
        image.number = ring.newest().map_or(1, |last| last.number + 1);
        self.slots.settle(world, image.tick);
        self.give_slots(world, viewers, seats, space);
        self.mark(world, viewers, &mut space.states);
        list_layers(layout, viewers, &mut space.keys);
        self.lay_out_room(image, space);
        self.lay_out_groups(image, space);
        image.index();
        self.lay_out_private(image, space);
        let values = image.layers.last().map_or(0, |span| span.values.end());
        image.values.resize(values, 0);
        for reader in &mut self.readers {
            let values = &mut image.values;
            reader
                .component
                .fill(world, &reader.targets, &space.states, &self.slots, values);
        }
        image.residuals = std::mem::take(&mut space.residuals);
        complete(&mut space.completer, layout, ring, image);
    }

    fn give_slots(
        &mut self,
        world: &mut World,
        viewers: &[Viewer],
        seats: u16,
        space: &mut CaptureSpace,
    ) {
        let unslotted = &mut space.unslotted;
        unslotted.clear();
        for reader in &mut self.readers {
            reader.component.find_unslotted(world, unslotted);
        }
        unslotted.sort_unstable();
        unslotted.dedup();
        let scarce = self.slots.spare() < unslotted.len() + usize::from(seats);
        let mut kept = 0;
        if scarce && !unslotted.is_empty() {
            let avatars = || viewers.iter().map(|viewer| viewer.avatar);
            for avatar in avatars() {
                if let Ok(at) = unslotted.binary_search(&avatar) {
                    unslotted.remove(at);
                    self.slots.assign(world, avatar, 0);
                }
            }
            kept = self.kept(seats, avatars());
        }
        for &entity in &*unslotted {
            self.slots.assign(world, entity, kept);
        }
        space.states.clear();
        space.states.resize(self.slots.len(), SlotState::NEW);
    }

    fn mark(&mut self, world: &World, viewers: &[Viewer], states: &mut [SlotState]) {
        for reader in &mut self.readers {
            reader.component.mark(world, &reader.targets, states);
        }
        for (entity, slot, owner) in self.owners.iter(world) {
            // An entity whose owner left is nobody's.
            if let Ok(at) = viewers.binary_search_by_key(&owner.0, |viewer| viewer.player) {
                let code = OwnerCode {
                    player: owner.0,
                    avatar: viewers[at].avatar == entity,
                };
                states[usize::from(slot.0)].owner = code.encode();
            }
        }
        for (slot, team) in self.teams.iter(world) {
            states[usize::from(slot.0)].team = Some(team.0);
        }
        for (slot, group) in self.groups.iter(world) {
            states[usize::from(slot.0)].group = Some(group.0);
        }
    }

    /// The entity of a slot, as layers of a scope have it.
    fn head(&self, slot: u16, state: &SlotState, scope: usize) -> EntityHead {
        EntityHead {
            slot,
            generation: self.slots.generation(slot),
            owner: state.owner,
            mask: state.masks[scope],
        }
    }

    /// Lists the room's entities, gives them their rows, and notes who is in a group or a private
    /// layer.
    fn lay_out_room(&self, image: &mut Image, space: &mut CaptureSpace) {
        let (private, grouped) = (&mut space.private, &mut space.grouped);
        private.clear();
        grouped.clear();
        let mut end = 0;
        for (slot, state) in space.states.iter_mut().enumerate() {
            let slot = slot as u16;
            if let (Some(code), true) = (OwnerCode::decode(state.owner), state.masks[OWNER] != 0) {
                private.push((LayerKey::Owner(code.player), slot));
            }
            if let (Some(team), true) = (state.team, state.masks[TEAM] != 0) {
                private.push((LayerKey::Team(Some(team)), slot));
            }
            if state.masks[ROOM] == 0 {
                continue;
            }
            if let Some(group) = state.group {
                grouped.push((group, slot));
                continue;
            }
            state.rows[ROOM] = (end * self.widths[ROOM]) as u32;
            end += 1;
            image.entities.push(self.head(slot, state, ROOM));
        }
        image.layers.push(Span::new(
            LayerKey::Room,
            0..end,
            0..end * self.widths[ROOM],
        ));
    }

    /// The same for the groups in which somebody is.
    fn lay_out_groups(&self, image: &mut Image, space: &mut CaptureSpace) {
        let (states, grouped) = (&mut space.states, &mut space.grouped);
        grouped.sort_unstable();
        let mut values = image.layers[0].values.end();
        for members in grouped.chunk_by(|a, b| a.0 == b.0) {
            let (first_entity, first_value) = (image.entities.len(), values);
            for &(_, slot) in members {
                let state = &mut states[usize::from(slot)];
                state.rows[ROOM] = values as u32;
                values += self.widths[ROOM];
                image.entities.push(self.head(slot, state, ROOM));
            }
            image.layers.push(Span::new(
                LayerKey::Group(members[0].0),
                first_entity..image.entities.len(),
                first_value..values,
            ));
        }
    }

    /// The same for the private layers. Nobody holds the layer of a team without players.
    fn lay_out_private(&self, image: &mut Image, space: &mut CaptureSpace) {
        let (states, private) = (&mut space.states, &mut space.private);
        private.sort_unstable();
        let mut values = image.layers.last().map_or(0, |span| span.values.end());
        for &key in &space.keys {
            let scope = key.scope();
            let first_entity = image.entities.len();
            let first_value = values;
            let from = private.partition_point(|(of, _)| *of < key);
            for &(_, slot) in private[from..].iter().take_while(|(of, _)| *of == key) {
                let state = &mut states[usize::from(slot)];
                state.rows[scope] = values as u32;
                values += self.widths[scope];
                image.entities.push(self.head(slot, state, scope));
            }
            image.layers.push(Span::new(
                key,
                first_entity..image.entities.len(),
                first_value..values,
            ));
        }
    }
}

/// Lists the private layers that somebody is to hold, by rising key.
fn list_layers(layout: &Layout, viewers: &[Viewer], keys: &mut Vec<LayerKey>) {
    keys.clear();
    for viewer in viewers {
        interest::private(layout, viewer.player, viewer.team).for_each(|key| keys.push(key));
    }
    keys.sort_unstable();
    keys.dedup();
}

/// The group of a player, by what they steer.
pub(crate) fn group_of(world: &World, avatar: Entity) -> Option<u16> {
    world.get::<Group>(avatar).map(|group| group.0)
}

/// The team of a player, by what they steer.
pub(crate) fn team_of(world: &World, avatar: Entity) -> Option<u8> {
    world.get::<Team>(avatar).map(|team| team.0)
}

/// Fills what follows from the image before. Layers that have what they had then are done as one:
/// most are private, with one entity each, and what a column costs whatever its length would be
/// paid for each of them.
fn complete(completer: &mut Completer, layout: &Layout, ring: &Ring, image: &mut Image) {
    let previous = ring.newest();
    let (mut at, mut end) = (0, 0);
    if image.groups() > 0 {
        end = complete_everyones(completer, &layout.room, previous, image);
        at = 1 + image.groups();
    }
    while at < image.layers.len() {
        let set = image.layers[at].key.set(layout);
        let (alike, from) = previous.map_or((0, 0), |previous| image.alike(at, previous));
        let layers = at..at + alike.max(1);
        let (entities, values) = extent(&image.layers[layers.clone()]);
        let before = match previous {
            Some(previous) if alike > 0 => {
                let (entities, values) = extent(&previous.layers[from..from + alike]);
                Some(LayerView {
                    tick: previous.tick,
                    gap: previous.layers[from].gap,
                    entities: &previous.entities[entities],
                    values: &previous.values[values],
                    residuals: Residuals::default(),
                    bare: false,
                })
            }
            _ => previous.and_then(|previous| previous.layer(image.layers[at].key)),
        };
        let gap = before.map_or(0, |before| image.tick.since(before.tick));
        let numbers = end..end + entities.len() * set.residual_width();
        end = numbers.end;
        if image.residuals.len() < end {
            image.residuals.resize(end, 0);
        }
        completer.run(
            set,
            before,
            gap,
            &image.entities[entities.clone()],
            &mut image.values[values],
            &mut image.residuals[numbers.clone()],
        );
        for span in &mut image.layers[layers.clone()] {
            span.gap = gap;
            span.residuals = TablePart {
                numbers: Part::new(numbers.clone()),
                count: entities.len() as u32,
                first: (span.entities.start() - entities.start) as u32,
            };
        }
        at = layers.end;
    }
}

/// Does so for the room's layer and the groups' as one: an entity goes on whatever group it was in.
/// Who comes out of a group into the room's layer is new there. The numbers of residuals.
fn complete_everyones(
    completer: &mut Completer,
    set: &ColumnSet,
    previous: Option<&Image>,
    image: &mut Image,
) -> usize {
    let all = image.everyones();
    let numbers = all.entities.len() * set.residual_width();
    if image.residuals.len() < numbers {
        image.residuals.resize(numbers, 0);
    }
    let gap = previous.map_or(0, |previous| image.tick.since(previous.tick));
    if let Some(previous) = previous {
        let in_room = image.layers[0].entities.end();
        let was_in_room = previous.layers[0].entities.end();
        let heads = &image.entities[all.entities.range()];
        let kept = heads.iter().enumerate().filter_map(|(at, head)| {
            let old = previous.find(head.slot)?;
            let stays = previous.entities[old] == *head && (at >= in_room || old < was_in_room);
            stays.then_some((old as u32, at as u32))
        });
        let before = previous.everyones();
        let before = LayerView {
            tick: previous.tick,
            gap: before.gap,
            entities: &previous.entities[before.entities.range()],
            values: &previous.values[before.values.range()],
            residuals: Residuals::default(),
            bare: false,
        };
        completer.run_kept(
            set,
            before,
            kept,
            gap,
            heads,
            &mut image.values[all.values.range()],
            &mut image.residuals[..numbers],
        );
    }
    let last = image.groups();
    for span in &mut image.layers[..=last] {
        span.gap = gap;
        span.residuals = TablePart {
            numbers: Part::new(0..numbers),
            count: all.entities.len() as u32,
            first: span.entities.start() as u32,
        };
    }
    numbers
}

/// The entities and the values of layers that follow one another.
fn extent(layers: &[Span]) -> (Range<usize>, Range<usize>) {
    let ends = layers.first().zip(layers.last());
    ends.map_or((0..0, 0..0), |(first, last)| {
        (
            first.entities.start()..last.entities.end(),
            first.values.start()..last.values.end(),
        )
    })
}
