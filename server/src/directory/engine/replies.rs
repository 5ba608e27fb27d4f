//! What a server answers to the calls of scripts, as replies. Nothing of it is believed: other
//! types and other lengths are errors; a value among many that is none is left out and counted, so
//! that one broken record does not hide the others.

use redis::Value;
use tickwire::ids::RoomId;

use super::codec::{
    Garbled, decode_epoch, decode_incarnation, decode_node, decode_room, decode_room_id,
};
use super::messages::{
    Command, Epoch, Incarnation, NODES_MAX, NodeRecord, ROOMS_MAX, ROOMS_TOLD_MAX, Reply,
    RoomRecord,
};

/// The reply to a command, and how many values of it were none.
///
/// # Errors
/// It is no answer to that command.
pub(crate) fn reply_to(command: &Command, answer: &Value) -> Result<(Reply, usize), Garbled> {
    let reply = match command {
        Command::Beat { .. } if *answer == Value::Nil => Reply::Fenced,
        Command::Beat { .. } => return beat(answer),
        Command::Fence { who, .. } => Reply::FenceDone(*who, flag(answer)?),
        Command::Adopt { room, .. } => Reply::Adopted(*room, epoch(answer)?),
        Command::Create { room, .. } => Reply::Created(*room, epoch(answer)?),
        Command::HandOver { room, .. } => Reply::HandedOver(*room, epoch(answer)?),
        Command::Forget { room, .. } => match flag(answer)? {
            true => Reply::Forgotten(*room),
            false => return Err(Garbled("of a room that is forgotten")),
        },
    };
    Ok((reply, 0))
}

fn beat(answer: &Value) -> Result<(Reply, usize), Garbled> {
    let wrong = Garbled("of a beat");
    let Value::Array(parts) = answer else {
        return Err(wrong);
    };
    let [lost, held, nodes, orphans] = parts.as_slice() else {
        return Err(wrong);
    };
    let mut skipped = 0;
    let lost: Vec<(RoomId, RoomRecord)> = pairs(lost, ROOMS_MAX, &mut skipped, room)?;
    let held: Vec<(RoomId, Epoch)> = pairs(held, ROOMS_TOLD_MAX, &mut skipped, |room, epoch| {
        Ok((decode_room_id(room)?, decode_epoch(epoch)?))
    })?;
    let mut nodes: Vec<(Incarnation, NodeRecord)> =
        pairs(nodes, NODES_MAX, &mut skipped, |who, record| {
            Ok((decode_incarnation(who)?, decode_node(record)?))
        })?;
    let orphans = pairs(orphans, ROOMS_TOLD_MAX, &mut skipped, room)?;
    nodes.sort_by_key(|(who, _)| *who);
    nodes.dedup_by_key(|(who, _)| *who);
    let reply = Reply::Beat {
        lost,
        held,
        nodes,
        orphans,
    };
    Ok((reply, skipped))
}

fn room(room: &[u8], record: &[u8]) -> Result<(RoomId, RoomRecord), Garbled> {
    Ok((decode_room_id(room)?, decode_room(record)?))
}

/// Pairs of texts that stand one after the other in a list, at most so many.
fn pairs<T>(
    answer: &Value,
    max: usize,
    skipped: &mut usize,
    read: impl Fn(&[u8], &[u8]) -> Result<T, Garbled>,
) -> Result<Vec<T>, Garbled> {
    let (pairs, []) = list(answer, 2 * max)?.as_chunks::<2>() else {
        return Err(Garbled("a list of pairs"));
    };
    let read = |[name, value]: &[Value; 2]| read(text(name)?, text(value)?);
    Ok(pairs
        .iter()
        .filter_map(|pair| counted(read(pair), skipped))
        .collect())
}

fn counted<T>(read: Result<T, Garbled>, skipped: &mut usize) -> Option<T> {
    *skipped += usize::from(read.is_err());
    read.ok()
}

fn list(answer: &Value, max: usize) -> Result<&[Value], Garbled> {
    match answer {
        Value::Array(values) if values.len() <= max => Ok(values),
        _ => Err(Garbled("a list")),
    }
}

pub(crate) fn text(answer: &Value) -> Result<&[u8], Garbled> {
    match answer {
        Value::BulkString(bytes) => Ok(bytes),
        _ => Err(Garbled("a text")),
    }
}

fn flag(answer: &Value) -> Result<bool, Garbled> {
    match answer {
        Value::Int(0) => Ok(false),
        Value::Int(1) => Ok(true),
        _ => Err(Garbled("a flag")),
    }
}

/// An epoch, or an empty text where there is none.
fn epoch(answer: &Value) -> Result<Option<Epoch>, Garbled> {
    match text(answer)? {
        b"" => Ok(None),
        digits => decode_epoch(digits).map(Some),
    }
}
