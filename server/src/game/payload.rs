//! Reading and writing the payload of a game's event or action: JSON text or bytes.

use std::sync::Arc;

use tickwire::limits::PAYLOAD_BYTES_MAX;

/// How to reach a payload in `C`.
pub(super) enum PayloadAccessor<C> {
    Json(fn(&mut C) -> &mut String),
    Bytes(fn(&mut C) -> &mut Vec<u8>),
}

impl<C> Clone for PayloadAccessor<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for PayloadAccessor<C> {}

impl<C> PayloadAccessor<C> {
    /// The bytes to send; `None` if they are too many.
    pub(super) fn read(&self, of: &mut C) -> Option<Arc<[u8]>> {
        let bytes = match self {
            PayloadAccessor::Json(get) => get(of).as_bytes(),
            PayloadAccessor::Bytes(get) => get(of).as_slice(),
        };
        (bytes.len() <= PAYLOAD_BYTES_MAX).then(|| bytes.into())
    }

    /// Writes what was received. False if it is not UTF-8 and should be.
    pub(super) fn write(&self, of: &mut C, payload: &[u8]) -> bool {
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
