//! The declaration of a game's schema: names, types and ranges beside the accessors that read
//! them. [`super::GameDef`] checks it once at start.

use std::any::TypeId;

use bevy_ecs::component::Mutable;
use bevy_ecs::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tickwire::schema::{
    self as wire, Audience, Field, Kind, Payload, Predicted, Predictor, Tables,
};

use super::Game;
use super::action::ActionDef;
use super::backend::Backend;
use super::metadata::MetadataReader;
use super::modes::Modes;
use super::options::OptionsType;
use super::out::{Contents, EventTable, EventType};
use super::payload::PayloadAccessor;
use super::saved::Kind as SavedKind;
use super::spec::{Guess, Spec};
use crate::replication::capture::{EntityReader, ReaderOf, RoomReader};
use crate::replication::value::{Accessor, FieldValue};

/// What a game declares, filled by [`Game::schema`].
pub struct Schema<G: Game> {
    pub(super) tick_rate: u16,
    pub(super) wire: wire::Schema,
    pub(super) tables: Tables,
    pub(super) components: Vec<ReaderOf>,
    /// By component and field, in steps.
    pub(super) tolerances: Vec<Vec<u32>>,
    pub(super) input: Vec<Accessor<G::Input>>,
    pub(super) events: EventTable,
    pub(super) actions: Vec<Box<dyn ActionDef>>,
    pub(super) backend: Backend,
    pub(super) room_options: OptionsType,
    pub(super) player_options: OptionsType,
    pub(super) metadata: Option<MetadataReader>,
    pub(super) modes: Modes,
    /// What of a world is saved.
    pub(super) kinds: Vec<SavedKind>,
    pub(super) errors: Vec<String>,
}

/// The fields of one component, input, event, action or answer, of options or metadata.
pub struct Declaration<C> {
    fields: Vec<DeclaredField<C>>,
    predicted: Predicted,
    audience: Audience,
    pub(super) payload: Option<(Payload, PayloadAccessor<C>)>,
    durable: bool,
}

struct DeclaredField<C> {
    field: Field,
    guess: Guess,
    tolerance: Option<f64>,
    accessor: Accessor<C>,
}

impl<C> Declaration<C> {
    pub(super) fn new() -> Declaration<C> {
        Declaration {
            fields: Vec::new(),
            predicted: Predicted::No,
            audience: Audience::Everyone,
            payload: None,
            durable: false,
        }
    }

    /// For an event: who misses it still learns of it, once and in its place: a player who fell
    /// behind, whose connection was lost meanwhile, or who joins later. Those who join get what was
    /// said to everyone. The room remembers the last [`tickwire::limits::DURABLE_EVENTS_MAX`] of
    /// them. An entity that it names may be gone by then, so names belong into texts. Without this
    /// an event is for the moment.
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// For an event or action: JSON of any shape beside its fields, at most
    /// [`tickwire::limits::PAYLOAD_BYTES_MAX`] bytes. The SDK makes it of a value and reads it.
    /// An event whose text is not JSON is dropped and counted; an action whose text is not closes
    /// its sender with 4000.
    pub fn json(self, name: &str, get: fn(&mut C) -> &mut String) -> Self {
        self.carry(name, true, PayloadAccessor::Json(get))
    }

    /// For an event or action: bytes beside its fields, at most
    /// [`tickwire::limits::PAYLOAD_BYTES_MAX`]; a `Uint8Array` in the SDK. The last of `json` and
    /// `bytes` counts.
    pub fn bytes(self, name: &str, get: fn(&mut C) -> &mut Vec<u8>) -> Self {
        self.carry(name, false, PayloadAccessor::Bytes(get))
    }

    fn carry(mut self, name: &str, json: bool, accessor: PayloadAccessor<C>) -> Self {
        let name = name.to_owned();
        self.payload = Some((Payload { name, json }, accessor));
        self
    }

    /// Adds a field: its name on the wire, where it is, its kind and range.
    pub fn field<V: FieldValue>(
        mut self,
        name: &str,
        get: fn(&mut C) -> &mut V,
        spec: Spec,
    ) -> Self {
        let field = Field {
            name: name.to_owned(),
            kind: spec.kind,
            predictor: Predictor::Hold,
        };
        self.fields.push(DeclaredField {
            field,
            guess: spec.guess,
            tolerance: spec.tolerance,
            accessor: V::accessor(get),
        });
        self
    }

    /// The owner's client predicts this component: its real fields (which must be `f64`) are
    /// snapped to steps of 1/1024 after each tick and sent exactly to the owner, beside what
    /// everyone is sent in the declared steps. Turns (`f64` too) are snapped to their own.
    pub fn predicted(mut self) -> Self {
        self.predicted = Predicted::Fine;
        self
    }

    /// The owner's client predicts this component in the declared steps: its real fields and turns
    /// (which must be `f64`) are snapped to these after each tick, so what everyone is sent is what
    /// the server has, and the owner is sent nothing besides. That saves bytes of every snapshot,
    /// and time.
    ///
    /// It is the game's choice because a step is a limit to slowness: what moves by less than half
    /// of one in a tick stands still, and what moves by more is rounded in every tick. It suits a
    /// rule that keeps to the grid by itself.
    ///
    /// A step is a power of two from 2^-20 to 1 and the least value a multiple of it: only then do
    /// server and browser snap to the same bits. Its fields have no [`Spec::tolerance`], and those
    /// that have one unless told have none here.
    pub fn predicted_on_grid(mut self) -> Self {
        self.predicted = Predicted::Grid;
        self
    }

    /// Only the entity's owner sees this component.
    pub fn owner_only(mut self) -> Self {
        self.audience = Audience::Owner;
        self
    }

    /// Only players of the entity's [`super::Team`] see this component.
    pub fn team_only(mut self) -> Self {
        self.audience = Audience::Team;
        self
    }
}

impl<G: Game> Schema<G> {
    pub(super) fn new(tick_rate: u16) -> Schema<G> {
        Schema {
            tick_rate,
            wire: wire::Schema {
                game: G::NAME.to_owned(),
                ..wire::Schema::default()
            },
            tables: Tables::default(),
            components: Vec::new(),
            tolerances: Vec::new(),
            input: Vec::new(),
            events: EventTable::default(),
            actions: Vec::new(),
            backend: Backend::default(),
            room_options: OptionsType::default(),
            player_options: OptionsType::default(),
            metadata: None,
            modes: Modes::default(),
            kinds: SavedKind::own::<G>(),
            errors: Vec::new(),
        }
    }

    /// Replicates a component.
    pub fn component<C: Component<Mutability = Mutable>>(
        &mut self,
        name: &str,
        declare: impl FnOnce(Declaration<C>) -> Declaration<C>,
    ) -> &mut Self {
        let declared = declare(Declaration::new());
        let accessors = self.push_component(name, declared.audience, declared);
        self.components.push(EntityReader::of(accessors));
        self
    }

    /// Replicates a resource that describes the room.
    pub fn room<R: Resource + Component<Mutability = Mutable>>(
        &mut self,
        name: &str,
        declare: impl FnOnce(Declaration<R>) -> Declaration<R>,
    ) -> &mut Self {
        let declared = declare(Declaration::new());
        if declared.audience != Audience::Everyone || declared.predicted != Predicted::No {
            self.errors.push(format!(
                "room state {name:?}: it is everyone's and not predicted"
            ));
        }
        let accessors = self.push_component(name, Audience::Room, declared);
        self.components.push(RoomReader::of(accessors));
        self
    }

    /// Declares the fields of a player's input. They are sent absolutely.
    pub fn input(
        &mut self,
        declare: impl FnOnce(Declaration<G::Input>) -> Declaration<G::Input>,
    ) -> &mut Self {
        let declared = declare(Declaration::new());
        let fields = self.resolve("input", declared);
        for (field, accessor) in fields {
            self.wire.input.push(field);
            self.input.push(accessor);
        }
        self
    }

    /// A tick takes the newest input that has arrived instead of the one stamped for it: for games
    /// of intents, where a late input is better than a repeated one.
    pub fn newest_wins(&mut self) -> &mut Self {
        self.wire.newest_wins = true;
        self
    }

    /// Declares an event that [`super::Out::send`] takes.
    pub fn event<E: Send + Sync + 'static>(
        &mut self,
        name: &str,
        declare: impl FnOnce(Declaration<E>) -> Declaration<E>,
    ) -> &mut Self {
        let mut declared = declare(Declaration::new());
        let (payload, reader) = declared.payload.take().unzip();
        let is_durable = std::mem::take(&mut declared.durable);
        let fields = self.resolve(name, declared);
        let readers: Vec<(Kind, Accessor<E>)> = fields
            .iter()
            .map(|(field, accessor)| (field.kind.clone(), *accessor))
            .collect();
        let number = self.wire.events.len() as u16;
        self.wire.events.push(wire::Message {
            name: name.to_owned(),
            fields: fields.into_iter().map(|(field, _)| field).collect(),
            payload,
        });
        let read = move |event: &mut dyn std::any::Any| {
            let event: &mut E = event
                .downcast_mut()
                .expect("events are looked up by their type");
            let mut values = Vec::with_capacity(readers.len());
            for (kind, accessor) in &readers {
                accessor.read(event, kind, |raw| values.push(raw));
            }
            let payload = match &reader {
                Some(reader) => Some(reader.read(event)?),
                None => None,
            };
            Some(Contents { values, payload })
        };
        let declared = EventType {
            number,
            is_durable,
            read: Box::new(read),
        };
        let before = self.events.by_type.insert(TypeId::of::<E>(), declared);
        if before.is_some() {
            self.errors
                .push(format!("event {name:?}: its type is declared twice"));
        }
        self
    }

    /// Saves a component or resource with its room. Its serde form is what is kept, so fields that
    /// serde skips come back as it says; entities in it are the same ones afterwards.
    ///
    /// With `--state-file` rooms are saved once a second and outlive their process; a game whose
    /// types are not all declared plays all the same, its rooms end with the process.
    ///
    /// A room can be saved only if every type that its world holds is declared: here, or with
    /// [`Schema::unsaved`]. Then a restored room goes on with the bytes that the saved one would
    /// have sent. What is not in the world is not saved, nor what bevy keeps beside the values: a
    /// system's `Local`s, whether something changed (`Changed`, `Added`, `RemovedComponents`),
    /// unread messages. What a game's bytes depend on belongs in a component or a resource.
    ///
    /// Rows come back in their order, but a query that runs first in a restored room meets
    /// archetypes that came to be since `setup` all at once, and goes through them in another order
    /// than one that met them one by one. A game whose bytes depend on who is first among entities
    /// of different archetypes sorts them, by a number of its own.
    pub fn saved<T: Component + Serialize + DeserializeOwned>(&mut self) -> &mut Self {
        match SavedKind::saved::<T>() {
            Ok(kind) => self.kinds.push(kind),
            Err(error) => self.errors.push(error),
        }
        self
    }

    /// Leaves a resource as [`Game::setup`] makes it when a room is restored: what never changes,
    /// or is empty between two ticks. The same of a component holds for entities that `setup` makes
    /// and nobody takes away.
    pub fn unsaved<T: Component>(&mut self) -> &mut Self {
        self.kinds.push(SavedKind::unsaved::<T>());
        self
    }

    /// Gives the entropy coder what it starts from: tables by layer (the room's, an owner's, a
    /// team's), trained on recordings of this game, and the training's number, 1..=255.
    /// Without them bodies start from even odds and are about a tenth larger.
    pub fn trained(&mut self, epoch: u8, tables: &[&[u16]]) -> &mut Self {
        self.tables = Tables {
            epoch,
            layers: tables.iter().map(|table| table.to_vec()).collect(),
        };
        self
    }

    fn push_component<C>(
        &mut self,
        name: &str,
        audience: Audience,
        declared: Declaration<C>,
    ) -> Vec<Accessor<C>> {
        let predicted = declared.predicted;
        self.tolerate(name, &declared);
        let fields = self.resolve(name, declared);
        let accessors = fields.iter().map(|(_, accessor)| *accessor).collect();
        for (field, accessor) in &fields {
            let real = matches!(field.kind, Kind::Real { .. } | Kind::Turn { .. });
            if predicted != Predicted::No && real && !accessor.is_f64() {
                self.errors.push(format!(
                    "component {name:?}, field {:?}: a predicted real or turn must be f64",
                    field.name
                ));
            }
        }
        self.wire.components.push(wire::Component {
            name: name.to_owned(),
            audience,
            predicted,
            fields: fields.into_iter().map(|(field, _)| field).collect(),
        });
        accessors
    }

    /// Notes the tolerances of a component's fields, in steps.
    fn tolerate<C>(&mut self, of: &str, whole: &Declaration<C>) {
        let on_grid = whole.predicted == Predicted::Grid;
        let mut steps = Vec::with_capacity(whole.fields.len());
        for declared in &whole.fields {
            let kind = &declared.field.kind;
            let follows = matches!(declared.guess, Guess::Bearing(..) | Guess::Rate(_));
            let tolerance = match (declared.tolerance, width_of(kind)) {
                (None, _) => Some(u32::from(follows && !on_grid)),
                (Some(error), Some(step)) if error >= 0.0 && error.is_finite() => {
                    Some((error / step + 1e-6) as u32)
                }
                _ => None,
            };
            if tolerance.is_none() {
                self.errors.push(format!(
                    "component {of:?}, field {:?}: a tolerance is for numbers and turns, and not negative",
                    declared.field.name
                ));
            }
            if on_grid && tolerance.is_some_and(|steps| steps > 0) {
                self.errors.push(format!(
                    "component {of:?}, field {:?}: predicted on its grid, so everyone is told it exactly: no tolerance",
                    declared.field.name
                ));
            }
            steps.push(tolerance.unwrap_or(0));
        }
        self.tolerances.push(steps);
    }

    /// Turns predictors by name into predictors by index and ratio.
    pub(super) fn resolve<C>(
        &mut self,
        of: &str,
        declared: Declaration<C>,
    ) -> Vec<(Field, Accessor<C>)> {
        if declared.payload.is_some() {
            self.errors.push(format!(
                "{of:?}: only events and actions have payloads, others have fields"
            ));
        }
        if declared.durable {
            self.errors
                .push(format!("{of:?}: only events can be durable"));
        }
        let siblings: Vec<Field> = declared
            .fields
            .iter()
            .map(|declared| declared.field.clone())
            .collect();
        let mut resolved = Vec::with_capacity(siblings.len());
        for declared in declared.fields {
            let (mut field, accessor) = (declared.field, declared.accessor);
            if !accessor.suits(&field.kind) {
                self.errors.push(format!(
                    "{of:?}, field {:?}: `entity()` goes with Option<Entity>, `text()` with String",
                    field.name
                ));
            }
            field.predictor = match declared.guess {
                Guess::Hold => Predictor::Hold,
                Guess::Linear => Predictor::Linear,
                Guess::Counter(per_tick) => Predictor::Counter { per_tick },
                Guess::Bearing(x, y) => match (index_of(&siblings, &x), index_of(&siblings, &y)) {
                    (Some(x), Some(y)) => Predictor::Bearing { x, y },
                    _ => {
                        self.errors.push(format!(
                            "{of:?}, field {:?}: no {x:?} or {y:?} beside it",
                            field.name
                        ));
                        Predictor::Hold
                    }
                },
                Guess::Rate(name) => rate(&field, &name, &siblings, self.tick_rate)
                    .unwrap_or_else(|| {
                        self.errors.push(format!(
                            "{of:?}, field {:?}: no number {name:?} beside it whose rate it could be",
                            field.name
                        ));
                        Predictor::Hold
                    }),
                Guess::Velocity(name) => velocity(&field, &name, &siblings, self.tick_rate)
                    .unwrap_or_else(|| {
                        self.errors.push(format!(
                            "{of:?}, field {:?}: no velocity {name:?} beside it, or their steps do not fit",
                            field.name
                        ));
                        Predictor::Hold
                    }),
            };
            resolved.push((field, accessor));
        }
        resolved
    }
}

fn index_of(siblings: &[Field], name: &str) -> Option<u8> {
    let index = siblings.iter().position(|other| other.name == name)?;
    u8::try_from(index).ok()
}

/// A rate a second, of what changes `change` steps a tick.
fn rate(field: &Field, of: &str, siblings: &[Field], tick_rate: u16) -> Option<Predictor> {
    let index = index_of(siblings, of)?;
    let step = step_of(&siblings[usize::from(index)].kind)?;
    Some(Predictor::Rate {
        of: index,
        scale: step * f64::from(tick_rate) / step_of(&field.kind)?,
    })
}

fn step_of(kind: &Kind) -> Option<f64> {
    match kind {
        Kind::Real { step, .. } => Some(*step),
        Kind::Int { .. } => Some(1.0),
        _ => None,
    }
}

/// How far apart a kind's values are, in the field's unit.
fn width_of(kind: &Kind) -> Option<f64> {
    match kind {
        Kind::Turn { steps } => Some(std::f64::consts::TAU / f64::from(*steps)),
        _ => step_of(kind),
    }
}

/// The ratio as a fraction with a power of two below: as fine as 20 bits allow.
fn velocity(field: &Field, by: &str, siblings: &[Field], tick_rate: u16) -> Option<Predictor> {
    let index = index_of(siblings, by)?;
    let ratio = step_of(&siblings[usize::from(index)].kind)?
        / (step_of(&field.kind)? * f64::from(tick_rate.max(1)));
    if !(ratio.is_finite() && ratio > 0.0 && ratio < f64::from(1 << 20)) {
        return None;
    }
    let mut den = 1i32;
    while den < 1 << 20 && ratio * f64::from(den) * 2.0 < f64::from(1 << 20) {
        den *= 2;
    }
    Some(Predictor::Velocity {
        by: index,
        num: (ratio * f64::from(den) + 0.5) as i32,
        den,
    })
}
