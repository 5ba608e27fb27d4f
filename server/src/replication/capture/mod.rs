//! Reads the replicated components of a world into an image: marks who has what, lays out the
//! layers, quantises every field into its column. Also snaps predicted fields, so that the
//! world holds exactly what the owner is sent.

mod readers;

use std::sync::Arc;

use bevy_ecs::prelude::*;
use tickwire::ids::{LayerId, PlayerId, Tick};
use tickwire::schema::{Layout, Schema};
use tickwire::snapshot::complete::Completer;
use tickwire::snapshot::image::{EntityHead, OwnerCode};

pub(crate) use readers::{CaptureComponent, EntityReader, RoomReader};

use super::image::{Image, LayerKey, Ring, Span};
use super::slots::{Released, Slot, Slots};
use crate::game::{ComponentDef, Owner, Team};
use readers::{Target, Targets};

/// Kinds of layers, in the order of their `LayerId`: the room's, an owner's, a team's.
const SCOPES: usize = LayerId::COUNT;
const ROOM: usize = 0;
const OWNER: usize = 1;
const TEAM: usize = 2;

/// Stands for "no row in this scope's layer".
const NO_ROW: u32 = u32::MAX;

/// What capture knows of a slot while it fills an image.
#[derive(Clone, Copy)]
pub(crate) struct SlotState {
    /// Components that it has, by scope.
    masks: [u32; SCOPES],
    /// Start of its row, by scope.
    rows: [u32; SCOPES],
    owner: u16,
    team: Option<u8>,
}

impl SlotState {
    const NEW: SlotState = SlotState {
        masks: [0; SCOPES],
        rows: [NO_ROW; SCOPES],
        owner: 0,
        team: None,
    };
}

struct Reader {
    component: Box<dyn CaptureComponent>,
    targets: Targets,
    predicted: bool,
}

/// A member, as far as an image depends on them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Viewer {
    pub(crate) player: PlayerId,
    /// What they steer.
    pub(crate) avatar: Entity,
}

/// A room's capture: readers, slots and reused memory.
pub(crate) struct Capture {
    readers: Vec<Reader>,
    owners: QueryState<(Entity, &'static Slot, &'static Owner)>,
    teams: QueryState<(&'static Slot, &'static Team)>,
    pub(crate) slots: Slots,
    states: Vec<SlotState>,
    unslotted: Vec<Entity>,
    /// Slots in private layers, to be sorted by layer.
    private: Vec<(LayerKey, u16)>,
    keys: Vec<LayerKey>,
    widths: [usize; SCOPES],
    completer: Completer,
}

impl Capture {
    pub(crate) fn new(
        world: &mut World,
        layout: &Layout,
        schema: &Schema,
        components: &[Arc<dyn ComponentDef>],
    ) -> Capture {
        world.init_resource::<Released>();
        let sets = [&layout.room, &layout.owner, &layout.team];
        let readers = components
            .iter()
            .enumerate()
            .map(|(index, component)| Reader {
                component: component.reader(world),
                targets: sets.map(|set| Target::find(set, index)),
                predicted: schema.components[index].predicted,
            })
            .collect();
        Capture {
            readers,
            owners: world.query(),
            teams: world.query(),
            slots: Slots::new(),
            states: Vec::new(),
            unslotted: Vec::new(),
            private: Vec::new(),
            keys: Vec::new(),
            widths: sets.map(|set| set.width()),
            completer: Completer::default(),
        }
    }

    /// Snaps every predicted field. Every tick, whether captured or not: prediction replays it.
    pub(crate) fn snap(&mut self, world: &mut World) {
        for reader in &mut self.readers {
            if let (true, Some(fine)) = (reader.predicted, &reader.targets[OWNER]) {
                reader.component.snap(world, fine);
            }
        }
    }

    /// Fills `image` with the world at `tick`. `viewers` are by rising number; every one of them
    /// gets their layers, though they may be empty.
    pub(crate) fn run(
        &mut self,
        world: &mut World,
        layout: &Layout,
        tick: Tick,
        viewers: &[Viewer],
        ring: &Ring,
        image: &mut Image,
    ) {
        image.tick = tick;
        image.number = ring.newest().map_or(1, |last| last.number + 1);
        self.slots.settle(world);
        self.give_slots(world);
        self.mark(world, viewers);
        self.list_layers(world, viewers);
        self.lay_out_room(image);
        self.lay_out_private(image);
        let values = image.layers.last().map_or(0, |span| span.values.end);
        image.values.resize(values, 0);
        for reader in &mut self.readers {
            let values = &mut image.values;
            reader
                .component
                .fill(world, &reader.targets, &self.states, &self.slots, values);
        }
        complete(&mut self.completer, layout, ring, image);
    }

    fn give_slots(&mut self, world: &mut World) {
        self.unslotted.clear();
        for reader in &mut self.readers {
            reader.component.find_unslotted(world, &mut self.unslotted);
        }
        self.unslotted.sort_unstable();
        self.unslotted.dedup();
        for &entity in &self.unslotted {
            self.slots.assign(world, entity);
        }
        self.states.clear();
        self.states.resize(self.slots.len(), SlotState::NEW);
    }

    fn mark(&mut self, world: &World, viewers: &[Viewer]) {
        for reader in &mut self.readers {
            reader
                .component
                .mark(world, &reader.targets, &mut self.states);
        }
        for (entity, slot, owner) in self.owners.iter(world) {
            // An entity whose owner left is nobody's.
            if let Ok(at) = viewers.binary_search_by_key(&owner.0, |viewer| viewer.player) {
                let code = OwnerCode {
                    player: owner.0,
                    avatar: viewers[at].avatar == entity,
                };
                self.states[usize::from(slot.0)].owner = code.encode();
            }
        }
        for (slot, team) in self.teams.iter(world) {
            self.states[usize::from(slot.0)].team = Some(team.0);
        }
    }

    /// Lists the private layers that somebody holds, by rising key.
    fn list_layers(&mut self, world: &World, viewers: &[Viewer]) {
        self.keys.clear();
        if self.widths[OWNER] > 0 {
            let players = viewers.iter().map(|viewer| viewer.player);
            self.keys.extend(players.map(LayerKey::Owner));
        }
        if self.widths[TEAM] > 0 {
            let teams = viewers.iter().map(|viewer| team_of(world, viewer.avatar));
            self.keys.extend(teams.map(LayerKey::Team));
        }
        self.keys.sort_unstable();
        self.keys.dedup();
    }

    /// Lists the room's entities, gives them their rows, and notes who is in a private layer.
    fn lay_out_room(&mut self, image: &mut Image) {
        self.private.clear();
        let mut end = 0;
        for (slot, state) in self.states.iter_mut().enumerate() {
            let slot = slot as u16;
            if let (Some(code), true) = (OwnerCode::decode(state.owner), state.masks[OWNER] != 0) {
                self.private.push((LayerKey::Owner(code.player), slot));
            }
            if let (Some(team), true) = (state.team, state.masks[TEAM] != 0) {
                self.private.push((LayerKey::Team(Some(team)), slot));
            }
            if state.masks[ROOM] == 0 {
                continue;
            }
            state.rows[ROOM] = (end * self.widths[ROOM]) as u32;
            end += 1;
            image.entities.push(EntityHead {
                slot,
                generation: self.slots.generation(slot),
                owner: state.owner,
                mask: state.masks[ROOM],
            });
        }
        image.layers.push(Span {
            key: LayerKey::Room,
            gap: 0,
            entities: 0..end,
            values: 0..end * self.widths[ROOM],
            residuals: 0..0,
        });
    }

    /// The same for the private layers. Nobody holds the layer of a team without players.
    fn lay_out_private(&mut self, image: &mut Image) {
        self.private.sort_unstable();
        let mut values = image.layers[0].values.end;
        for &key in &self.keys {
            let scope = if matches!(key, LayerKey::Owner(_)) {
                OWNER
            } else {
                TEAM
            };
            let first_entity = image.entities.len();
            let first_value = values;
            let from = self.private.partition_point(|(of, _)| *of < key);
            for &(_, slot) in self.private[from..].iter().take_while(|(of, _)| *of == key) {
                let state = &mut self.states[usize::from(slot)];
                state.rows[scope] = values as u32;
                values += self.widths[scope];
                image.entities.push(EntityHead {
                    slot,
                    generation: self.slots.generation(slot),
                    owner: state.owner,
                    mask: state.masks[scope],
                });
            }
            image.layers.push(Span {
                key,
                gap: 0,
                entities: first_entity..image.entities.len(),
                values: first_value..values,
                residuals: 0..0,
            });
        }
    }
}

/// The team of a player, by what they steer.
pub(crate) fn team_of(world: &World, avatar: Entity) -> Option<u8> {
    world.get::<Team>(avatar).map(|team| team.0)
}

/// Fills what follows from the image before.
fn complete(completer: &mut Completer, layout: &Layout, ring: &Ring, image: &mut Image) {
    let previous = ring.newest();
    for at in 0..image.layers.len() {
        let span = image.layers[at].clone();
        let set = span.key.set(layout);
        let before = previous.and_then(|previous| previous.layer(span.key));
        let gap = before.map_or(0, |before| image.tick.since(before.tick));
        let first = image.residuals.len();
        let residuals = first..first + span.entities.len() * set.residual_width();
        image.residuals.resize(residuals.end, 0);
        completer.run(
            set,
            before,
            gap,
            &image.entities[span.entities],
            &mut image.values[span.values],
            &mut image.residuals[residuals.clone()],
        );
        image.layers[at].gap = gap;
        image.layers[at].residuals = residuals;
    }
}
