//! Values of an engine as bytes and back: a node's record, a room's record, a checkpoint. Each
//! begins with its format's number; a node of another version leaves it alone. What is read is
//! believed no more than a peer's bytes: every length is checked, and what is none is an error.
//!
//! ```text
//! node        1|beat|…       beat decimal, then by `tickwire::codec`: load, node, url, knows
//! room        1|epoch|owner  decimal, 16 hexadecimal digits
//! checkpoint  1|epoch|tick|… decimal, decimal, then the blob
//! ```
//! What scripts compare stands in front, as text that an operator reads too.

use serde::{Deserialize, Serialize};
use tickwire::codec::{append_saved, take_saved};
use tickwire::ids::{RoomId, Tick};

use super::messages::{
    Epoch, Incarnation, NODE_BYTES_MAX, NODES_MAX, NodeRecord, RoomRecord, URL_BYTES_MAX,
};

/// The format of all values of an engine.
pub(crate) const FORMAT: &str = "1";
/// The greatest epoch and beat: scripts count in doubles, which are exact up to here. An engine's
/// clock comes to it in 285,000 years.
pub(crate) const NUMBER_MAX: u64 = (1 << 53) - 1;
/// Bytes of a node's record: its texts, whom it knows at most, and what stands around them.
pub(crate) const NODE_VALUE_BYTES_MAX: usize = NODE_BYTES_MAX + URL_BYTES_MAX + NODES_MAX * 9 + 64;
/// Bytes before a checkpoint's blob.
pub(crate) const CHECKPOINT_HEAD_BYTES_MAX: usize = 40;

/// Bytes that are no such value, and what is wrong with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Garbled(pub(crate) &'static str);

/// A node's record but for its beat.
#[derive(Serialize, Deserialize)]
struct Rest {
    load: u16,
    node: String,
    url: String,
    knows: Vec<u64>,
}

/// A node's record.
pub(crate) fn encode_node(record: &NodeRecord) -> Vec<u8> {
    let mut bytes = format!("{FORMAT}|{}|", record.beat).into_bytes();
    let rest = Rest {
        load: record.load,
        node: record.node.clone(),
        url: record.url.clone(),
        knows: record.knows.iter().map(|who| who.0).collect(),
    };
    append_saved(&rest, &mut bytes).expect("numbers, texts and a list can be saved");
    bytes
}

/// A node's record from its bytes.
pub(crate) fn decode_node(bytes: &[u8]) -> Result<NodeRecord, Garbled> {
    if bytes.len() > NODE_VALUE_BYTES_MAX {
        return Err(Garbled("a node's record is too long"));
    }
    let bytes = after_format(bytes)?;
    let (beat, mut bytes) = number(bytes)?;
    let rest: Rest = take_saved(&mut bytes).map_err(|_| Garbled("a node's record"))?;
    let is_whole = bytes.is_empty();
    let is_bounded = rest.node.len() <= NODE_BYTES_MAX
        && rest.url.len() <= URL_BYTES_MAX
        && rest.knows.len() <= NODES_MAX;
    // Both become part of lines and of what clients are told.
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_whole || !is_bounded || !is_plain(&rest.node) || !is_plain(&rest.url) {
        return Err(Garbled("a node's record"));
    }
    if !rest.knows.is_sorted_by(|one, next| one < next) {
        return Err(Garbled("whom a node knows"));
    }
    Ok(NodeRecord {
        node: rest.node,
        beat,
        url: rest.url,
        load: rest.load,
        knows: rest.knows.into_iter().map(Incarnation).collect(),
    })
}

/// An incarnation as fields and sets name it.
pub(crate) fn encode_incarnation(who: Incarnation) -> String {
    format!("{:016x}", who.0)
}

/// An incarnation from its 16 digits.
pub(crate) fn decode_incarnation(bytes: &[u8]) -> Result<Incarnation, Garbled> {
    let wrong = Garbled("an incarnation");
    let is_plain = bytes
        .iter()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let text = std::str::from_utf8(bytes).map_err(|_| wrong)?;
    if bytes.len() != 16 || !is_plain {
        return Err(wrong);
    }
    let number = u64::from_str_radix(text, 16).map_err(|_| wrong)?;
    Ok(Incarnation(number))
}

/// A room's record from its bytes.
pub(crate) fn decode_room(bytes: &[u8]) -> Result<RoomRecord, Garbled> {
    let (epoch, owner) = number(after_format(bytes)?)?;
    Ok(RoomRecord {
        epoch: Epoch(epoch),
        owner: decode_incarnation(owner)?,
    })
}

/// A room's number from its decimal digits.
pub(crate) fn decode_room_id(bytes: &[u8]) -> Result<RoomId, Garbled> {
    let room = decimal(bytes).and_then(|number| u32::try_from(number).ok());
    room.map(RoomId).ok_or(Garbled("a room's number"))
}

/// An epoch from its decimal digits.
pub(crate) fn decode_epoch(bytes: &[u8]) -> Result<Epoch, Garbled> {
    decimal(bytes).map(Epoch).ok_or(Garbled("an epoch"))
}

/// What stands before a checkpoint's blob.
pub(crate) fn checkpoint_head(epoch: Epoch, tick: Tick) -> String {
    format!("{FORMAT}|{}|{}|", epoch.0, tick.0)
}

/// A checkpoint's epoch, tick and blob. How long the blob may be is the caller's to say.
pub(crate) fn decode_checkpoint(bytes: &[u8]) -> Result<(Epoch, Tick, &[u8]), Garbled> {
    let (epoch, rest) = number(after_format(bytes)?)?;
    let (tick, blob) = number(rest)?;
    let tick = u32::try_from(tick).map_err(|_| Garbled("a checkpoint's tick"))?;
    Ok((Epoch(epoch), Tick(tick), blob))
}

/// What follows this version's number.
fn after_format(bytes: &[u8]) -> Result<&[u8], Garbled> {
    let (format, rest) = field(bytes)?;
    if format != FORMAT.as_bytes() {
        return Err(Garbled("it is of another format"));
    }
    Ok(rest)
}

/// A number and what follows it.
fn number(bytes: &[u8]) -> Result<(u64, &[u8]), Garbled> {
    let (digits, rest) = field(bytes)?;
    let number = decimal(digits).ok_or(Garbled("a number"))?;
    Ok((number, rest))
}

/// What stands before the next `|`, and after it.
fn field(bytes: &[u8]) -> Result<(&[u8], &[u8]), Garbled> {
    // Twenty digits are more than any number has.
    let end = bytes.iter().take(20).position(|&byte| byte == b'|');
    let end = end.ok_or(Garbled("its head"))?;
    Ok((&bytes[..end], &bytes[end + 1..]))
}

/// A decimal number up to [`NUMBER_MAX`], written as this codec and the scripts do.
fn decimal(digits: &[u8]) -> Option<u64> {
    let is_plain = digits.iter().all(u8::is_ascii_digit) && !digits.starts_with(b"0");
    if !is_plain && digits != b"0" {
        return None;
    }
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (number <= NUMBER_MAX).then_some(number)
}
