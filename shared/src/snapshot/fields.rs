//! Packed fields: inputs, events and actions, each `q` in its width (`PROTOCOL.md` §4). A text
//! has several.

use super::DecodeError;
use super::bit_coder::{BitReader, BitWriter};
use crate::limits::PAYLOAD_BYTES_MAX;
use crate::protocol::frame::{push_varint, take_varint};
use crate::schema::{Field, Payload};

/// Appends the integers of `fields`, filled up to a whole byte.
///
/// # Panics
/// In debug builds, when an integer is above its field's greatest.
pub fn pack(fields: &[Field], values: &[i32], out: &mut Vec<u8>) {
    debug_assert!(fit(fields, values));
    let mut writer = BitWriter::new(out);
    for (field, words) in by_field(fields, values) {
        for &word in words {
            writer.bits(word as u32, field.kind.bits());
        }
    }
    writer.finish();
}

/// Whether these are integers of these fields: as many as they have, each in its range.
pub fn fit(fields: &[Field], values: &[i32]) -> bool {
    let words: usize = fields.iter().map(|field| field.kind.words()).sum();
    words == values.len()
        && by_field(fields, values).all(|(field, words)| {
            let most = field.kind.q_max();
            words.iter().all(|&word| word as u32 <= most)
        })
}

/// Each field with its integers: one, or a text's.
pub fn by_field<'a>(
    fields: &'a [Field],
    values: &'a [i32],
) -> impl Iterator<Item = (&'a Field, &'a [i32])> {
    let mut rest = values;
    fields.iter().map_while(move |field| {
        let (words, after) = rest.split_at_checked(field.kind.words())?;
        rest = after;
        Some((field, words))
    })
}

/// Reads the integers of `fields` into `values`, which is cleared first; returns the bytes that
/// follow.
pub fn unpack<'a>(
    fields: &[Field],
    bytes: &'a [u8],
    values: &mut Vec<i32>,
) -> Result<&'a [u8], DecodeError> {
    values.clear();
    let mut reader = BitReader::new(bytes);
    for field in fields {
        let (bits, most) = (field.kind.bits(), field.kind.q_max());
        for _ in 0..field.kind.words() {
            let value = reader.bits(bits)?;
            if value > most {
                return Err(DecodeError::OutOfRange);
            }
            values.push(value as i32);
        }
    }
    reader.align()
}

/// Appends a payload: its length and its bytes.
///
/// # Panics
/// In debug builds, when it is longer than [`PAYLOAD_BYTES_MAX`].
pub fn push_payload(payload: &[u8], out: &mut Vec<u8>) {
    debug_assert!(payload.len() <= PAYLOAD_BYTES_MAX);
    push_varint(payload.len() as u32, out);
    out.extend_from_slice(payload);
}

/// Reads what follows the packed fields of a message, if it declares a payload; also returns the
/// bytes that follow.
pub fn take_payload<'a>(
    declared: Option<&Payload>,
    bytes: &'a [u8],
) -> Result<(Option<&'a [u8]>, &'a [u8]), DecodeError> {
    let Some(declared) = declared else {
        return Ok((None, bytes));
    };
    let (length, rest) = take_varint(bytes).map_err(|_| DecodeError::Truncated)?;
    let length = length as usize;
    if length > PAYLOAD_BYTES_MAX {
        return Err(DecodeError::OutOfRange);
    }
    let (payload, rest) = rest
        .split_at_checked(length)
        .ok_or(DecodeError::Truncated)?;
    if declared.json && std::str::from_utf8(payload).is_err() {
        return Err(DecodeError::OutOfRange);
    }
    Ok((Some(payload), rest))
}
