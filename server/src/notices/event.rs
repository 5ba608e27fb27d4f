//! An event of a game's schema as a backend writes it, in JSON, to what goes over the wire. Pure.
//! Unlike what a game's systems send, nothing is clamped or cut: who writes something that the
//! schema does not have is told.

use serde_json::{Map, Value};
use tickwire::limits::PAYLOAD_BYTES_MAX;
use tickwire::protocol::server_message::NoticeEvent;
use tickwire::schema::{Field, Kind, Message, Payload, Schema, text_words};
use tickwire::snapshot::fields::{pack, push_payload};

/// An event, checked against the schema of a game.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GameEvent {
    pub(super) game: Box<str>,
    pub(super) packed: NoticeEvent,
    /// As it was written: by this it is stored, for another process may have another schema.
    pub(super) name: Box<str>,
    pub(super) fields: Box<str>,
}

impl GameEvent {
    /// The event of this name with its fields, each by its name: numbers in their range, `true` or
    /// `false`, the name of one of several, texts. What names an entity is left out: it is none. A
    /// payload is beside the fields, by its name, if it is JSON.
    ///
    /// # Errors
    /// One line: what is not as the schema has it.
    pub(crate) fn read(
        game: &str,
        schema: &Schema,
        name: &str,
        fields: &Map<String, Value>,
    ) -> Result<GameEvent, String> {
        let mut events = (0..).zip(&schema.events);
        let declared = events.find(|(_, declared)| declared.name == name);
        let (event, declared) = declared.ok_or_else(|| format!("{game} has no event {name:?}"))?;
        if let Some(unknown) = fields.keys().find(|key| !has(declared, key)) {
            return Err(format!("event {name:?} has no field {unknown:?}"));
        }
        let mut values = Vec::new();
        for field in &declared.fields {
            read_field(field, fields.get(&field.name), &mut values)
                .map_err(|why| format!("field {:?} {why}", field.name))?;
        }
        let mut bytes = Vec::new();
        pack(&declared.fields, &values, &mut bytes);
        if let Some(payload) = &declared.payload {
            let value = fields.get(&payload.name).unwrap_or(&Value::Null);
            let read = read_payload(payload, value);
            push_payload(
                &read.map_err(|why| format!("payload {:?} {why}", payload.name))?,
                &mut bytes,
            );
        }
        Ok(GameEvent {
            game: game.into(),
            packed: NoticeEvent {
                event,
                fields: bytes,
            },
            name: name.into(),
            fields: json(fields).into(),
        })
    }
}

impl GameEvent {
    /// Its name and its fields, as JSON.
    pub(super) fn written(&self) -> (&str, &str) {
        (&self.name, &self.fields)
    }

    /// Its number among the schema's events, and its packed fields.
    pub(crate) fn packed(&self) -> (u16, &[u8]) {
        (self.packed.event, &self.packed.fields)
    }
}

fn json(fields: &Map<String, Value>) -> String {
    // Of strings and values there is always one.
    serde_json::to_string(fields).unwrap_or_default()
}

fn has(declared: &Message, key: &str) -> bool {
    let mut fields = declared.fields.iter();
    let payload = declared.payload.as_ref();
    fields.any(|field| field.name == key) || payload.is_some_and(|payload| payload.name == key)
}

fn read_field(
    field: &Field,
    value: Option<&Value>,
    values: &mut Vec<i32>,
) -> Result<(), &'static str> {
    let kind = &field.kind;
    let value = match (kind, value) {
        // None of any room.
        (Kind::Entity, None | Some(Value::Null)) => {
            values.push(-1);
            return Ok(());
        }
        (Kind::Entity, Some(_)) => return Err("names an entity, of which a notice knows none"),
        (_, None) => return Err("is missing"),
        (_, Some(value)) => value,
    };
    let number = match (kind, value) {
        (Kind::Text { bytes }, Value::String(text)) => {
            if text.len() > usize::from(*bytes) || text.contains('\0') {
                return Err("is a text that does not fit");
            }
            values.extend(text_words(text, kind.words()));
            return Ok(());
        }
        (Kind::Text { .. }, _) => return Err("is not a text"),
        (Kind::Enum { names }, Value::String(name)) => {
            let place = names.iter().position(|known| known == name);
            place.ok_or("is none of its names")? as f64
        }
        (Kind::Enum { .. }, _) => return Err("is not one of its names"),
        (Kind::Bool, Value::Bool(flag)) => f64::from(u8::from(*flag)),
        (Kind::Bool, _) => return Err("is not true or false"),
        (_, value) => value.as_f64().ok_or("is not a number")?,
    };
    let is_whole = number.fract() == 0.0;
    let is_in_range = match kind {
        Kind::Real { min, max, .. } => (*min..=*max).contains(&number),
        Kind::Int { min, max } => (f64::from(*min)..=f64::from(*max)).contains(&number) && is_whole,
        Kind::Bits => (0.0..=f64::from(u32::MAX)).contains(&number) && is_whole,
        _ => number.is_finite(),
    };
    if !is_in_range {
        return Err("is out of its range");
    }
    values.push(kind.quantise(number));
    Ok(())
}

fn read_payload(payload: &Payload, value: &Value) -> Result<Vec<u8>, String> {
    if !payload.json {
        return match value {
            Value::Null => Ok(Vec::new()),
            _ => Err("is bytes, which JSON does not have".into()),
        };
    }
    let text = value.to_string();
    match text.len() {
        0..=PAYLOAD_BYTES_MAX => Ok(text.into_bytes()),
        bytes => Err(format!(
            "has {bytes} bytes, at most {PAYLOAD_BYTES_MAX} can be sent"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tickwire::schema::Predictor;
    use tickwire::snapshot::fields::{take_payload, unpack};

    fn schema() -> Schema {
        let fields = [
            (
                "x",
                Kind::Real {
                    min: 0.0,
                    max: 10.0,
                    step: 0.5,
                },
            ),
            ("n", Kind::Int { min: -2, max: 9 }),
            ("flag", Kind::Bool),
            (
                "mood",
                Kind::Enum {
                    names: vec!["calm".into(), "angry".into()],
                },
            ),
            ("who", Kind::Entity),
            ("word", Kind::Text { bytes: 8 }),
        ];
        let fields = fields.map(|(name, kind)| Field {
            name: name.into(),
            kind,
            predictor: Predictor::Hold,
        });
        Schema {
            game: "any".into(),
            components: vec![],
            input: vec![],
            newest_wins: false,
            events: vec![
                Message {
                    name: "bare".into(),
                    fields: vec![],
                    payload: None,
                },
                Message {
                    name: "alert".into(),
                    fields: fields.into(),
                    payload: Some(Payload {
                        name: "more".into(),
                        json: true,
                    }),
                },
            ],
            actions: vec![],
            room_options: vec![],
            player_options: vec![],
            metadata: vec![],
        }
    }

    fn read(name: &str, fields: Value) -> Result<GameEvent, String> {
        let fields = fields.as_object().unwrap();
        GameEvent::read("any", &schema(), name, fields)
    }

    #[test]
    fn fields_are_read_by_their_names() {
        let event = read(
            "alert",
            json!({"word": "hé", "x": 2.5, "n": -1, "flag": true, "mood": "angry", "more": {"a": [1]}}),
        );
        let event = event.unwrap();
        assert_eq!(event.packed.event, 1);
        let schema = schema();
        let mut values = Vec::new();
        let rest = unpack(&schema.events[1].fields, &event.packed.fields, &mut values).unwrap();
        let words: Vec<i32> = text_words("hé", 2).collect();
        assert_eq!(values, [&[5, 1, 1, 1, -1], &words[..]].concat());
        let payload = take_payload(schema.events[1].payload.as_ref(), rest).unwrap();
        assert_eq!(payload, (Some(&br#"{"a":[1]}"#[..]), &[][..]));
        assert_eq!(read("bare", json!({})).unwrap().packed.fields, [0u8; 0]);
    }

    #[test]
    fn what_the_schema_does_not_have_is_refused() {
        let sound = json!({"word": "w", "x": 2.5, "n": 1, "flag": false, "mood": "calm"});
        assert!(read("alert", sound.clone()).is_ok());
        let check = |key: &str, value: Value, why: &str| {
            let mut fields = sound.clone();
            fields[key] = value;
            assert_eq!(read("alert", fields), Err(why.to_owned()), "{key}");
        };
        check("x", json!(10.1), r#"field "x" is out of its range"#);
        check("x", json!("1"), r#"field "x" is not a number"#);
        check("n", json!(1.5), r#"field "n" is out of its range"#);
        check("flag", json!(1), r#"field "flag" is not true or false"#);
        check("mood", json!("sad"), r#"field "mood" is none of its names"#);
        check(
            "who",
            json!(3),
            r#"field "who" names an entity, of which a notice knows none"#,
        );
        check(
            "word",
            json!("ninechars"),
            r#"field "word" is a text that does not fit"#,
        );
        check("no", json!(1), r#"event "alert" has no field "no""#);
        let long = "x".repeat(PAYLOAD_BYTES_MAX);
        check(
            "more",
            json!(long),
            r#"payload "more" has 1026 bytes, at most 1024 can be sent"#,
        );
        let missing = read("alert", json!({"x": 1}));
        assert_eq!(missing, Err(r#"field "n" is missing"#.to_owned()));
        let unknown = read("alarm", json!({}));
        assert_eq!(unknown, Err(r#"any has no event "alarm""#.to_owned()));
    }
}
