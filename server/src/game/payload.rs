//! Reading and writing the payload of a game's event or action: JSON text or bytes.

use serde::de::IgnoredAny;
use tickwire::limits::PAYLOAD_BYTES_MAX;

/// How to reach a payload in `C`.
pub(super) enum PayloadAccessor<C> {
    Json(fn(&mut C) -> &mut String),
    Bytes(fn(&mut C) -> &mut Vec<u8>),
}

impl<C> PayloadAccessor<C> {
    /// The bytes to send; `None` if they are too many, or should be JSON and are not.
    pub(super) fn read(&self, of: &mut C) -> Option<Box<[u8]>> {
        let bytes = match self {
            PayloadAccessor::Json(get) => get(of).as_bytes(),
            PayloadAccessor::Bytes(get) => get(of).as_slice(),
        };
        (bytes.len() <= PAYLOAD_BYTES_MAX && self.suits(bytes)).then(|| bytes.into())
    }

    /// What is not JSON would make every client close that reads it as such.
    fn suits(&self, payload: &[u8]) -> bool {
        match self {
            PayloadAccessor::Json(_) => serde_json::from_slice::<IgnoredAny>(payload).is_ok(),
            PayloadAccessor::Bytes(_) => true,
        }
    }

    /// Writes what was received. False if it should be JSON and is not: a game may pass it on to
    /// everyone as it is.
    pub(super) fn write(&self, of: &mut C, payload: &[u8]) -> bool {
        if !self.suits(payload) {
            return false;
        }
        match self {
            PayloadAccessor::Json(get) => match std::str::from_utf8(payload) {
                Ok(text) => *get(of) = text.to_owned(),
                Err(_) => return false,
            },
            PayloadAccessor::Bytes(get) => *get(of) = payload.to_vec(),
        }
        true
    }
}
