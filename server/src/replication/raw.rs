//! Bytes and numbers of a save as they lie in memory: serde writes lists of them one by one, which
//! costs more than all else of a save. For `#[serde(with = ...)]`.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

/// Bytes, in one piece.
pub(crate) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_bytes(bytes)
}

/// The inverse.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    from.deserialize_byte_buf(Read)
}

struct Read;

impl Visitor<'_> for Read {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }
}

/// The same of numbers, little-endian.
pub(crate) mod numbers {
    use super::{Deserializer, Error, Serializer};

    pub(crate) fn serialize<S: Serializer>(numbers: &[i32], to: S) -> Result<S::Ok, S::Error> {
        let mut bytes = vec![0; 4 * numbers.len()];
        let (places, _) = bytes.as_chunks_mut::<4>();
        for (place, number) in places.iter_mut().zip(numbers) {
            *place = number.to_le_bytes();
        }
        super::serialize(&bytes, to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<i32>, D::Error> {
        let bytes = super::deserialize(from)?;
        let (numbers, rest) = bytes.as_chunks();
        match rest {
            [] => Ok(numbers.iter().copied().map(i32::from_le_bytes).collect()),
            _ => Err(D::Error::custom("a number is cut off")),
        }
    }
}
