//! A listed room as it is shown to who speaks HTTP: its game's metadata by the fields' names. Those
//! in the lobby are sent it packed.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use tickwire::ids::RoomId;
use tickwire::protocol::server_message::RoomInfo;
use tickwire::schema::{Field, Kind, words_text};
use tickwire::snapshot::fields::{by_field, unpack};

/// See the module's description.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ListedRoom {
    /// Its number.
    pub id: RoomId,
    /// Its name.
    pub name: String,
    /// Members.
    pub players: u16,
    /// Seats.
    pub seats: u16,
    /// Who only watches.
    pub spectators: u16,
    /// Whether it is joined by its code alone: lists have none that is.
    pub private: bool,
    /// Whether its host may kick.
    pub kicks: bool,
    /// Whether nobody new may join for now.
    pub locked: bool,
    /// What its game says of it.
    pub metadata: Metadata,
}

/// A room's metadata by its fields' names. In JSON an enum is its choice's name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata(Vec<(String, Value)>);

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Value {
    Number(f64),
    Whole(i64),
    Flag(bool),
    Text(String),
}

impl ListedRoom {
    /// A room whose game declares `metadata`.
    pub(super) fn new(room: RoomInfo, metadata: &[Field]) -> ListedRoom {
        ListedRoom {
            id: room.id,
            name: room.name,
            players: room.players,
            seats: room.seats,
            spectators: room.spectators,
            private: room.private,
            kicks: room.kicks,
            locked: room.locked,
            metadata: Metadata::read(metadata, &room.metadata),
        }
    }
}

impl Metadata {
    fn read(fields: &[Field], packed: &[u8]) -> Metadata {
        let mut values = Vec::new();
        if unpack(fields, packed, &mut values).is_err() {
            return Metadata::default();
        }
        let read = |(field, words): (&Field, &[i32])| (field.name.clone(), value(field, words));
        Metadata(by_field(fields, &values).map(read).collect())
    }
}

fn value(field: &Field, words: &[i32]) -> Value {
    let q = words.first().copied().unwrap_or_default();
    let number = field.kind.dequantise(q);
    match &field.kind {
        Kind::Text { .. } => Value::Text(words_text(words).unwrap_or_default()),
        Kind::Bool => Value::Flag(q != 0),
        Kind::Enum { names } => {
            let name = names.get(q as usize);
            Value::Text(name.cloned().unwrap_or_default())
        }
        Kind::Real { .. } | Kind::Turn { .. } => Value::Number(number),
        Kind::Int { .. } | Kind::Bits | Kind::Entity => Value::Whole(number as i64),
    }
}

impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use tickwire::schema::{Predictor, text_words};
    use tickwire::snapshot::fields::pack;

    use super::*;

    #[test]
    fn metadata_is_shown_by_name_and_kind() {
        let field = |name: &str, kind| Field {
            name: name.into(),
            kind,
            predictor: Predictor::Hold,
        };
        let names = ["alone", "teams"].map(String::from).into();
        let (min, max, step) = (-1.0, 1.0, 0.25);
        let fields = [
            field("mode", Kind::Enum { names }),
            field("level", Kind::Int { min: -5, max: 5 }),
            field("late", Kind::Bool),
            field("speed", Kind::Real { min, max, step }),
            field("seed", Kind::Bits),
            field("map", Kind::Text { bytes: 8 }),
        ];
        let mut values = vec![1, 2, 1, 3, -1];
        values.extend(text_words("cave \"1\"", 2));
        let mut packed = Vec::new();
        pack(&fields, &values, &mut packed);
        let shown = serde_json::to_string(&Metadata::read(&fields, &packed)).unwrap();
        let expected = r#"{"mode":"teams","level":-3,"late":true,"speed":-0.25,"seed":4294967295,"map":"cave \"1\""}"#;
        assert_eq!(shown, expected);
        let unsaid = serde_json::to_string(&Metadata::read(&fields, &[])).unwrap();
        assert_eq!(unsaid, "{}");
    }
}
