//! What a program says to a room of another node, on its way there and back: as it was judged where it
//! came in, to be said where the room is, which alone can have its game do something and knows for
//! whom it keeps what is durable. As bytes between nodes that have one key; the lobby carries them.
//! `events` is at both ends.

use std::borrow::Cow;

use hyper::StatusCode;
use serde::{Deserialize, Serialize};
use tickwire::codec::{append_saved, take_saved};
use tickwire::ids::RoomId;

use super::answer::Answer;
use super::problem::Problem;

/// What is said.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct PassedOn {
    pub(super) room: u32,
    /// The name of the game that it is of, and whose key said it, from where.
    pub(super) game: Option<String>,
    pub(super) by: String,
    pub(super) who: String,
    /// Of a request that may be sent again: it and its body.
    pub(super) marks: Option<(String, String)>,
    /// As the program wrote it.
    pub(super) body: Vec<u8>,
}

impl PassedOn {
    pub(super) fn room(&self) -> RoomId {
        RoomId(self.room)
    }

    pub(super) fn packed(&self) -> Vec<u8> {
        packed(self)
    }

    /// `None`: the bytes are none of it.
    pub(super) fn read(bytes: &[u8]) -> Option<PassedOn> {
        read(bytes)
    }
}

/// What came of it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Outcome {
    Said(Answer),
    Refused {
        status: u16,
        detail: String,
        field: Option<String>,
        after_s: Option<u32>,
    },
}

impl Outcome {
    pub(super) fn of(answered: Result<Answer, Problem>) -> Outcome {
        match answered {
            Ok(answer) => Outcome::Said(answer),
            Err(problem) => Outcome::Refused {
                status: problem.status().as_u16(),
                detail: problem.detail().to_owned(),
                field: problem.field().map(str::to_owned),
                after_s: problem.after_s(),
            },
        }
    }

    /// # Errors
    /// That of the other node. One that no program is answered with is none.
    pub(super) fn answered(self) -> Option<Result<Answer, Problem>> {
        let (status, detail, field, after_s) = match self {
            Outcome::Said(answer) => return Some(Ok(answer)),
            Outcome::Refused {
                status,
                detail,
                field,
                after_s,
            } => (status, detail, field, after_s),
        };
        let status = StatusCode::from_u16(status).ok();
        let status =
            status.filter(|status| status.is_client_error() || status.is_server_error())?;
        let mut problem = Problem::new(status, Cow::Owned(detail));
        if let Some(field) = field {
            problem = problem.at(&field);
        }
        if let Some(seconds) = after_s {
            problem = problem.after(seconds);
        }
        Some(Err(problem))
    }

    pub(super) fn packed(&self) -> Vec<u8> {
        packed(self)
    }

    /// `None`: the bytes are none of it.
    pub(super) fn read(bytes: &[u8]) -> Option<Outcome> {
        read(bytes)
    }
}

fn packed(what: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Numbers, texts and bytes: bincode writes them.
    let _ = append_saved(what, &mut bytes);
    bytes
}

fn read<T: serde::de::DeserializeOwned>(mut bytes: &[u8]) -> Option<T> {
    let read = take_saved(&mut bytes).ok()?;
    bytes.is_empty().then_some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_and_what_came_of_it_arrive() {
        let said = PassedOn {
            room: 7,
            game: Some("chess".into()),
            by: "liga".into(),
            who: "127.0.0.1:1".into(),
            marks: Some(("0a".into(), "0b".into())),
            body: b"{}".to_vec(),
        };
        assert_eq!(PassedOn::read(&said.packed()), Some(said));
        let answer = Answer::TAKEN;
        let refused = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "no").at("event");
        let late = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "late").after(3);
        for answered in [Ok(answer), Err(refused), Err(late)] {
            let outcome = Outcome::of(answered.clone()).packed();
            let read = Outcome::read(&outcome).and_then(Outcome::answered);
            assert_eq!(read, Some(answered));
        }
    }

    #[test]
    fn what_is_none_is_not_read() {
        let outcome = Outcome::of(Ok(Answer::TAKEN)).packed();
        assert_eq!(Outcome::read(&outcome[..outcome.len() - 1]), None);
        assert_eq!(Outcome::read(&[&outcome[..], &[0]].concat()), None);
        assert_eq!(PassedOn::read(&[255; 40]), None);
        for status in [0, 99, 200, 302, 1000] {
            let refused = Outcome::Refused {
                status,
                detail: String::new(),
                field: None,
                after_s: None,
            };
            assert_eq!(refused.answered(), None);
        }
    }
}
