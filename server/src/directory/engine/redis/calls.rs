//! Commands as calls of scripts. What comes back is [`super::replies`]'s.

use bytes::Bytes;
use tickwire::ids::RoomId;

use super::scripts::Script;
use crate::directory::engine::codec::{
    FORMAT, NUMBER_MAX, checkpoint_head, encode_incarnation, encode_node,
};
use crate::directory::engine::{CHECKPOINT_BYTES_MAX, Checkpoint, Failure};
use crate::directory::ownership::messages::{
    Command, Epoch, NODE_BYTES_MAX, NODES_MAX, ROOMS_MAX, URL_BYTES_MAX,
};

/// A script with its arguments, to be run as often as needed.
pub(super) struct Call {
    pub(super) script: Script,
    pub(super) arguments: Vec<Bytes>,
}

impl Call {
    pub(super) fn new<const N: usize>(script: Script, arguments: [String; N]) -> Call {
        let arguments = arguments.into_iter().map(Bytes::from).collect();
        Call { script, arguments }
    }

    /// Bytes of its arguments.
    pub(super) fn bytes(&self) -> usize {
        self.arguments.iter().map(Bytes::len).sum()
    }
}

/// What a command calls.
///
/// # Errors
/// It is not one that an engine's values can hold.
pub(super) fn call_of(command: &Command) -> Result<Call, Failure> {
    let text = |room: &RoomId| room.0.to_string();
    Ok(match command {
        Command::Beat { me, record, rooms } => {
            let fits = record.beat <= NUMBER_MAX
                && record.node.len() <= NODE_BYTES_MAX
                && record.url.len() <= URL_BYTES_MAX
                && record.knows.len() <= NODES_MAX
                && rooms.len() <= ROOMS_MAX;
            if !fits {
                return Err(Failure::TooBig);
            }
            let mut arguments = Vec::with_capacity(3 + 2 * rooms.len());
            arguments.push(Bytes::from(encode_incarnation(*me)));
            arguments.push(Bytes::from(record.beat.to_string()));
            arguments.push(Bytes::from(encode_node(record)));
            for (room, epoch) in rooms {
                arguments.push(Bytes::from(text(room)));
                arguments.push(Bytes::from(number(*epoch)?));
            }
            let script = Script::Beat;
            Call { script, arguments }
        }
        Command::Fence { who, beat } => {
            Call::new(Script::Fence, [encode_incarnation(*who), beat.to_string()])
        }
        Command::Adopt { room, old, me } => Call::new(
            Script::Adopt,
            [
                text(room),
                number(old.epoch)?,
                encode_incarnation(old.owner),
                encode_incarnation(*me),
            ],
        ),
        Command::Create { room, me } => {
            Call::new(Script::Create, [text(room), encode_incarnation(*me)])
        }
        Command::HandOver {
            room,
            epoch,
            me,
            to,
        } => Call::new(
            Script::HandOver,
            [
                text(room),
                number(*epoch)?,
                encode_incarnation(*me),
                encode_incarnation(*to),
            ],
        ),
        Command::Forget { room, epoch, me } => Call::new(
            Script::Forget,
            [text(room), number(*epoch)?, encode_incarnation(*me)],
        ),
    })
}

/// Whether a replica is to have what it changes before its answer counts.
pub(super) fn is_durable(command: &Command) -> bool {
    matches!(
        command,
        Command::Adopt { .. } | Command::Create { .. } | Command::HandOver { .. }
    )
}

/// What stores a checkpoint.
///
/// # Errors
/// It is more than an engine takes.
pub(super) fn keep(checkpoint: &Checkpoint) -> Result<Call, Failure> {
    if checkpoint.blob.len() > CHECKPOINT_BYTES_MAX {
        return Err(Failure::TooBig);
    }
    number(checkpoint.epoch)?;
    let mut value = checkpoint_head(checkpoint.epoch, checkpoint.tick).into_bytes();
    value.extend_from_slice(&checkpoint.blob);
    let arguments = vec![
        Bytes::from(checkpoint.room.0.to_string()),
        Bytes::from(value),
    ];
    let script = Script::Keep;
    Ok(Call { script, arguments })
}

fn number(epoch: Epoch) -> Result<String, Failure> {
    match epoch.0 <= NUMBER_MAX {
        true => Ok(epoch.0.to_string()),
        false => Err(Failure::TooBig),
    }
}

/// The mark of the cluster's key as it is stored.
pub(super) fn mark(mark: [u8; 16]) -> String {
    let mut text = format!("{}|", FORMAT);
    for byte in mark {
        text += &format!("{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::engine::codec::decode_room;
    use crate::directory::engine::tests::decoded::encode_room;
    use crate::directory::ownership::messages::{Incarnation, RoomRecord};

    #[test]
    fn a_record_that_was_seen_is_named_as_it_is_stored() {
        let owner = Incarnation(0xAB);
        let epoch = Epoch(1_732_000_000_123);
        let old = RoomRecord { epoch, owner };
        let (room, me) = (RoomId(7), Incarnation(1));
        let call = call_of(&Command::Adopt { room, old, me }).unwrap();
        let words: Vec<&str> = call
            .arguments
            .iter()
            .map(|argument| std::str::from_utf8(argument).unwrap())
            .collect();
        let stored = encode_room(old);
        assert_eq!(stored, format!("1|{}|{}", words[1], words[2]));
        assert_eq!(decode_room(stored.as_bytes()), Ok(old));
    }

    #[test]
    fn what_no_value_holds_is_not_sent() {
        let (room, me) = (RoomId(7), Incarnation(1));
        let epoch = Epoch(NUMBER_MAX + 1);
        let forget = call_of(&Command::Forget { room, epoch, me });
        assert_eq!(forget.err(), Some(Failure::TooBig));
    }
}
