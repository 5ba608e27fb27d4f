//! Packed fields: inputs, events and actions, each `q` in its width (`PROTOCOL.md` §4).

use super::DecodeError;
use super::bit_coder::{BitReader, BitWriter};
use crate::schema::Field;

/// Appends the integers of `fields`, filled up to a whole byte.
///
/// # Panics
/// In debug builds, when an integer is above its field's greatest.
pub fn pack(fields: &[Field], values: &[i32], out: &mut Vec<u8>) {
    debug_assert_eq!(fields.len(), values.len());
    let mut writer = BitWriter::new(out);
    for (field, &value) in fields.iter().zip(values) {
        writer.bits(value as u32, field.kind.bits());
    }
    writer.finish();
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
        let value = reader.bits(field.kind.bits())?;
        if value > field.kind.q_max() {
            return Err(DecodeError::OutOfRange);
        }
        values.push(value as i32);
    }
    reader.align()
}
