//! Lists of a save as they lie in memory, little-endian: serde writes them one by one, which costs
//! more than all else of a save. The modules are for `#[serde(with = ...)]`.

use std::fmt;

use bevy_ecs::prelude::Entity;
use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

/// Appends what `to_bytes` makes of each of a list.
pub(crate) fn put<T, const N: usize>(
    list: &[T],
    to_bytes: impl Fn(&T) -> [u8; N],
    out: &mut Vec<u8>,
) {
    let start = out.len();
    out.resize(start + N * list.len(), 0);
    let (places, _) = out[start..].as_chunks_mut::<N>();
    for (place, one) in places.iter_mut().zip(list) {
        *place = to_bytes(one);
    }
}

/// The inverse, of all of `bytes`; `None` if one is cut off or can't be.
pub(crate) fn list<T, const N: usize>(
    bytes: &[u8],
    from_bytes: impl Fn([u8; N]) -> Option<T>,
) -> Option<Vec<T>> {
    match bytes.as_chunks::<N>() {
        (places, []) => places.iter().map(|place| from_bytes(*place)).collect(),
        _ => None,
    }
}

/// The same behind its length.
pub(crate) fn put_counted<T, const N: usize>(
    list: &[T],
    to_bytes: impl Fn(&T) -> [u8; N],
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(&(list.len() as u32).to_le_bytes());
    put(list, to_bytes, out);
}

/// The inverse, from the front of `rest`; `None` if one is cut off or can't be.
pub(crate) fn take_counted<T, const N: usize>(
    rest: &mut &[u8],
    from_bytes: impl Fn([u8; N]) -> Option<T>,
) -> Option<Vec<T>> {
    let (count, behind) = rest.split_first_chunk()?;
    let bytes = (u32::from_le_bytes(*count) as usize).checked_mul(N)?;
    let (bytes, behind) = behind.split_at_checked(bytes)?;
    *rest = behind;
    list(bytes, from_bytes)
}

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

/// Lists of what these make bytes of, and bytes of what.
macro_rules! lists {
    ($name:ident, $of:ty, $to_bytes:expr, $from_bytes:expr) => {
        pub(crate) mod $name {
            use super::*;

            pub(crate) fn serialize<S: Serializer>(all: &[$of], to: S) -> Result<S::Ok, S::Error> {
                let mut bytes = Vec::new();
                super::put(all, $to_bytes, &mut bytes);
                super::serialize(&bytes, to)
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
                from: D,
            ) -> Result<Vec<$of>, D::Error> {
                let bytes = super::deserialize(from)?;
                super::list(&bytes, $from_bytes).ok_or(D::Error::custom("one is cut off"))
            }
        }
    };
}

lists!(numbers, i32, |number| number.to_le_bytes(), |bytes| Some(
    i32::from_le_bytes(bytes)
));
lists!(shorts, u16, |number| number.to_le_bytes(), |bytes| Some(
    u16::from_le_bytes(bytes)
));
lists!(entities, Option<Entity>, option_to_bytes, option_from_bytes);

/// No entity is all zeros.
fn option_to_bytes(entity: &Option<Entity>) -> [u8; 8] {
    entity.map_or(0, Entity::to_bits).to_le_bytes()
}

fn option_from_bytes(bytes: [u8; 8]) -> Option<Option<Entity>> {
    match u64::from_le_bytes(bytes) {
        0 => Some(None),
        bits => Entity::try_from_bits(bits).map(Some),
    }
}
