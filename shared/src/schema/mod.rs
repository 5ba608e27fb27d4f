//! A game as both ends of the wire know it: components, their fields, the input, events and
//! actions. Plain data that the server sends in its welcome, so that a client decodes any game.
//! Not how the server reads its ECS: that is `tickwire_server::game`.

pub(crate) mod field;

pub use field::{FINE_STEP, Field, Kind, Predictor, is_text, text_words, words_text};

use serde::{Deserialize, Serialize};

use crate::limits::{COMPONENTS_MAX, EVENTS_MAX, FIELDS_MAX, OPTIONS_BYTES_MAX};

/// Everything that a client needs to know of a game to decode it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// The game's name, as in its `Game::NAME`.
    pub game: String,
    /// Replicated components, at most [`COMPONENTS_MAX`]; the index is the wire's name.
    pub components: Vec<Component>,
    /// Fields of a player's input.
    pub input: Vec<Field>,
    /// Whether a tick takes the newest input that has arrived instead of the one for it.
    pub newest_wins: bool,
    /// Messages from the room; the index is the wire's name.
    pub events: Vec<Message>,
    /// Requests that a client may make; the index is the wire's name.
    pub actions: Vec<Action>,
    /// What whoever makes a room may choose.
    pub room_options: Vec<Field>,
    /// What a player may bring to a room.
    pub player_options: Vec<Field>,
    /// What a room tells of itself in listings.
    pub metadata: Vec<Field>,
}

/// What a game's bodies are coded by, trained on its recordings. Not part of the [`Schema`], which
/// stays as it is when they are trained anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tables {
    /// Which training they are of; 0 without any. A body names it, modulo 4.
    pub epoch: u8,
    /// By column set, in the order of [`Layout::sets`](crate::snapshot::layout::Layout::sets): what
    /// the contexts of a body start from, then the gains of the linear columns (`i16`), then the
    /// thresholds of their tables; empty for even odds.
    pub layers: Vec<Vec<u16>>,
}

/// A replicated component.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Component {
    /// Its name, unique in the schema: the property of the entity in JavaScript.
    pub name: String,
    /// Who sees it.
    pub audience: Audience,
    /// Whether its entity's owner predicts it, and in which steps.
    pub predicted: Predicted,
    /// Its fields, at most [`FIELDS_MAX`].
    pub fields: Vec<Field>,
}

/// Who sees a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Audience {
    /// Everyone in the room.
    Everyone,
    /// Only the player who owns the entity.
    Owner,
    /// Everyone; it belongs to the room itself, not to an entity of the game.
    Room,
    /// The players of the entity's team.
    Team,
}

/// Whether an entity's owner predicts a component, and in which steps its `Real` fields are snapped
/// after each tick, on both ends. The first two have the bytes that a `bool` has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Predicted {
    /// It does not; nothing is snapped.
    #[default]
    No,
    /// In steps of [`FINE_STEP`]: the owner is sent it in these as well, because everyone's may be
    /// coarser.
    Fine,
    /// In the fields' own steps, as everyone is sent it: the owner needs no copy.
    Grid,
}

/// An event or what an action asks: a name, fields that are sent absolutely, and perhaps a payload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Its name, unique among its kind.
    pub name: String,
    /// Its fields, at most [`FIELDS_MAX`].
    pub fields: Vec<Field>,
    /// What follows them, of any length up to [`crate::limits::PAYLOAD_BYTES_MAX`].
    pub payload: Option<Payload>,
}

/// A request that a client may make.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// Its name, fields and payload.
    pub request: Message,
    /// The fields of its answer.
    pub answer: Vec<Field>,
    /// What follows them.
    pub answer_payload: Option<Payload>,
}

/// Bytes that the engine carries and does not look into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// Its name, unlike those of the fields beside it.
    pub name: String,
    /// Whether it is JSON in UTF-8, which the SDK makes and reads.
    pub json: bool,
}

/// What the SDK's entities have beside their components.
const RESERVED: [&str; 5] = ["handle", "slot", "generation", "owner", "avatar"];

impl Schema {
    /// Bytes of an input's fields, bit-packed.
    pub fn input_bytes(&self) -> usize {
        packed_bytes(&self.input)
    }

    /// Refuses what no game can mean, naming component and field. What its images need besides is
    /// for [`Layout::new`](crate::snapshot::layout::Layout::new), which calls this.
    pub fn check(&self) -> Result<(), String> {
        let too_many = |what: &str, n: usize, max: usize| {
            if n > max {
                Err(format!("{n} {what}, at most {max}"))
            } else {
                Ok(())
            }
        };
        too_many("components", self.components.len(), COMPONENTS_MAX)?;
        too_many("events", self.events.len(), EVENTS_MAX)?;
        too_many("actions", self.actions.len(), EVENTS_MAX)?;
        unique(
            "component",
            self.components.iter().map(|component| &component.name),
        )?;
        unique("event", self.events.iter().map(|event| &event.name))?;
        unique(
            "action",
            self.actions.iter().map(|action| &action.request.name),
        )?;
        for component in &self.components {
            if RESERVED.contains(&component.name.as_str()) {
                return Err(format!(
                    "component {:?}: clients use this name for the entity itself",
                    component.name
                ));
            }
            if component.predicted != Predicted::No && component.audience != Audience::Everyone {
                return Err(format!(
                    "component {:?}: only what everyone sees can be predicted",
                    component.name
                ));
            }
            check_fields("component", &component.name, &component.fields)?;
            for field in &component.fields {
                let snapped = match component.predicted {
                    Predicted::No => Ok(()),
                    Predicted::Fine => field.kind.fine().map(drop),
                    Predicted::Grid => field.kind.check_grid(),
                };
                snapped.map_err(|error| of_field("component", &component.name, field, error))?;
            }
        }
        check_fields("the", "input", &self.input)?;
        for field in &self.input {
            if matches!(field.kind, Kind::Entity | Kind::Text { .. }) {
                return Err(format!(
                    "the input, field {:?}: an input has neither entities nor texts; an action may",
                    field.name
                ));
            }
        }
        for event in &self.events {
            check_message("event", event)?;
        }
        for action in &self.actions {
            check_message("action", &action.request)?;
            let answer = Message {
                name: action.request.name.clone(),
                fields: action.answer.clone(),
                payload: action.answer_payload.clone(),
            };
            check_message("answer", &answer)?;
        }
        check_options("room options", &self.room_options)?;
        check_options("player options", &self.player_options)?;
        check_options("metadata", &self.metadata)
    }
}

/// What is known outside of a room: no entities, and small enough for a listing of many.
fn check_options(what: &str, fields: &[Field]) -> Result<(), String> {
    check_fields("the", what, fields)?;
    if let Some(field) = fields
        .iter()
        .find(|field| matches!(field.kind, Kind::Entity))
    {
        return Err(format!(
            "the {what}, field {:?}: there are no entities here",
            field.name
        ));
    }
    let bytes = packed_bytes(fields);
    if bytes > OPTIONS_BYTES_MAX {
        return Err(format!(
            "the {what}: {bytes} bytes, at most {OPTIONS_BYTES_MAX}"
        ));
    }
    Ok(())
}

/// Bytes of fields, bit-packed.
fn packed_bytes(fields: &[Field]) -> usize {
    let bits = |field: &Field| field.kind.words() * field.kind.bits() as usize;
    fields.iter().map(bits).sum::<usize>().div_ceil(8)
}

fn of_field(what: &str, name: &str, field: &Field, error: &str) -> String {
    format!("{what} {name:?}, field {:?}: {error}", field.name)
}

fn check_message(what: &str, message: &Message) -> Result<(), String> {
    check_fields(what, &message.name, &message.fields)?;
    let Some(payload) = &message.payload else {
        return Ok(());
    };
    let names = message.fields.iter().map(|field| &field.name);
    unique(
        &format!("{what} {:?}: field", message.name),
        names.chain([&payload.name]),
    )
}

fn check_fields(what: &str, name: &str, fields: &[Field]) -> Result<(), String> {
    if fields.len() > FIELDS_MAX {
        return Err(format!(
            "{what} {name:?}: {} fields, at most {FIELDS_MAX}",
            fields.len()
        ));
    }
    unique(
        &format!("{what} {name:?}: field"),
        fields.iter().map(|field| &field.name),
    )?;
    for field in fields {
        field
            .check(fields)
            .map_err(|error| of_field(what, name, field, error))?;
    }
    Ok(())
}

fn unique<'a>(what: &str, names: impl Iterator<Item = &'a String>) -> Result<(), String> {
    let mut seen: Vec<&String> = Vec::new();
    for name in names {
        if name.is_empty() {
            return Err(format!("{what} with an empty name"));
        }
        // An object of JavaScript can't have a property of this name.
        if name == "__proto__" {
            return Err(format!("{what} {name:?}: clients can't use this name"));
        }
        if seen.contains(&name) {
            return Err(format!("{what} {name:?} is declared twice"));
        }
        seen.push(name);
    }
    Ok(())
}
