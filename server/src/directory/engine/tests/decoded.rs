//! What is read of an engine's bytes, given any bytes: `shared/fuzz` makes them up, a test replays
//! what it kept. Nothing panics, nothing grows beyond its bound, and what is read is written back
//! alike.

use super::codec::{
    FORMAT, decode_checkpoint, decode_node, decode_room, encode_incarnation, encode_node,
};
use super::messages::{
    Command, Epoch, Incarnation, NODE_BYTES_MAX, NODES_MAX, NodeRecord, ROOMS_TOLD_MAX, Reply,
    RoomRecord, URL_BYTES_MAX,
};
use super::replies::reply_to;
use tickwire::ids::RoomId;

/// A room's record as the engine's scripts write it.
pub(crate) fn encode_room(record: RoomRecord) -> String {
    let owner = encode_incarnation(record.owner);
    format!("{FORMAT}|{}|{owner}", record.epoch.0)
}

/// Runs one input: its first byte says as what the rest is read.
///
/// # Panics
/// When something is found.
pub(super) fn run(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    match kind % 4 {
        0 => {
            if let Ok(record) = decode_node(bytes) {
                bounded(&record);
                let again = decode_node(&encode_node(&record));
                assert_eq!(again.as_ref(), Ok(&record));
            }
        }
        1 => {
            if let Ok(record) = decode_room(bytes) {
                assert_eq!(encode_room(record).as_bytes(), bytes);
            }
        }
        2 => {
            if let Ok((_, _, blob)) = decode_checkpoint(bytes) {
                assert!(bytes.ends_with(blob));
            }
        }
        _ => {
            let Ok(answer) = ::redis::parse_redis_value(bytes) else {
                return;
            };
            for command in commands() {
                if let Ok((reply, _)) = reply_to(&command, &answer) {
                    checked(&reply);
                }
            }
        }
    }
}

fn checked(reply: &Reply) {
    if let Reply::Beat {
        held,
        nodes,
        orphans,
        ..
    } = reply
    {
        assert!(held.len() <= ROOMS_TOLD_MAX && orphans.len() <= ROOMS_TOLD_MAX);
        assert!(nodes.len() <= NODES_MAX && nodes.is_sorted_by(|one, next| one.0 < next.0));
        nodes.iter().for_each(|(_, record)| bounded(record));
    }
}

fn bounded(record: &NodeRecord) {
    assert!(record.node.len() <= NODE_BYTES_MAX && record.url.len() <= URL_BYTES_MAX);
    assert!(record.knows.len() <= NODES_MAX);
}

/// One of each kind.
pub(super) fn commands() -> [Command; 6] {
    let (room, epoch) = (RoomId(7), Epoch(1_732_000_000_123));
    let (me, to) = (Incarnation(0xA), Incarnation(0xB));
    let record = NodeRecord {
        node: "10.0.0.1:7000".to_owned(),
        beat: 3,
        url: "wss://game.example/n/1/ws".to_owned(),
        load: 250,
        knows: vec![me, to],
    };
    let old = RoomRecord { epoch, owner: to };
    [
        Command::Beat {
            me,
            record,
            rooms: vec![(room, epoch)],
        },
        Command::Fence { who: to, beat: 3 },
        Command::Adopt { room, old, me },
        Command::Create { room, me },
        Command::HandOver {
            room,
            epoch,
            me,
            to,
        },
        Command::Forget { room, epoch, me },
    ]
}
