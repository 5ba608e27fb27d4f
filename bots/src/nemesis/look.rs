//! Whether everything is in order while all is well: every room that is listed is ticked, each node
//! lists the same ones, all in which bots are among them. Asked by `course` between rounds of
//! faults.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tickwire::ids::RoomId;
use tickwire::protocol::CloseCode;
use tickwire::session::{Event, Session};
use tokio::time::timeout;

use crate::dial::Incoming;
use crate::socket::Socket;
use crate::target::Target;

/// For a node to say what rooms there are.
const LISTED_WITHIN: Duration = Duration::from_secs(2);

/// A room with players is ticked once a second at least.
const TICKED_WITHIN_NS: u64 = 3_000_000_000;

/// A room as a node lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Listed {
    id: RoomId,
    players: u16,
}

/// What the lobby of each node lists, of all nodes' rooms; `None`: it does not answer.
pub(super) async fn lists(doors: &[String]) -> Vec<Option<Vec<Listed>>> {
    let mut lists = Vec::new();
    for door in doors {
        let listed = timeout(LISTED_WITHIN, list(door)).await;
        lists.push(listed.ok().flatten());
    }
    lists
}

async fn list(door: &str) -> Option<Vec<Listed>> {
    let target = Target::parse(door).ok()?;
    let mut socket = Socket::connect(&target).await.ok()?;
    let mut session = Session::new("nemesis", "");
    let mut listed = None;
    while listed.is_none() {
        let messages = std::iter::from_fn(|| session.poll_transmit());
        if !socket.send(messages).await {
            return None;
        }
        let Incoming::Message(bytes, _) = socket.next().await else {
            return None;
        };
        session.handle_message(&bytes, 0).ok()?;
        while let Some(event) = session.poll_event() {
            match event {
                Event::Welcome => session.list_rooms(&[]).ok()?,
                Event::Rooms { rooms } => listed = Some(rooms),
                _ => {}
            }
        }
    }
    socket.close(CloseCode::Normal).await;
    let rooms = listed.into_iter().flatten();
    let rooms = rooms.map(|room| Listed {
        id: room.id,
        players: room.players,
    });
    Some(rooms.collect())
}

/// What is out of order in them, in words. `ticked` has when each room was ticked last, `bots` the
/// rooms in which bots are.
pub(super) fn troubles(
    lists: &[Option<Vec<Listed>>],
    ticked: &BTreeMap<u32, u64>,
    bots: &[RoomId],
    now_ns: u64,
) -> Vec<String> {
    let mut troubles = Vec::new();
    let mut seen: Vec<(usize, BTreeSet<RoomId>)> = Vec::new();
    for (at, list) in lists.iter().enumerate() {
        let node = at + 1;
        let Some(list) = list else {
            troubles.push(format!("node {node} does not list its rooms"));
            continue;
        };
        for room in list.iter().filter(|room| room.players > 0) {
            let last_ns = ticked.get(&room.id.0).copied().unwrap_or(0);
            if last_ns + TICKED_WITHIN_NS < now_ns {
                let id = room.id.0;
                troubles.push(format!("node {node} lists room {id}, which nobody ticks"));
            }
        }
        let ids: BTreeSet<RoomId> = list.iter().map(|room| room.id).collect();
        for room in bots.iter().filter(|room| !ids.contains(room)) {
            let id = room.0;
            troubles.push(format!(
                "node {node} does not list room {id}, which has bots"
            ));
        }
        if ids.len() < list.len() {
            troubles.push(format!("node {node} lists a room twice"));
        }
        seen.push((node, ids));
    }
    for pair in seen.windows(2) {
        let [(first, here), (second, there)] = pair else {
            continue;
        };
        if here != there {
            let rooms: Vec<u32> = here.symmetric_difference(there).map(|id| id.0).collect();
            troubles.push(format!("nodes {first} and {second} differ in {rooms:?}"));
        }
    }
    troubles
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_NS: u64 = 1_000_000_000;

    fn list(rooms: &[(u32, u16)]) -> Option<Vec<Listed>> {
        let listed = |(id, players): &(u32, u16)| Listed {
            id: RoomId(*id),
            players: *players,
        };
        Some(rooms.iter().map(listed).collect())
    }

    fn found(lists: &[Option<Vec<Listed>>]) -> Vec<String> {
        let ticked = BTreeMap::from([(1, 98 * SECOND_NS), (2, 99 * SECOND_NS), (3, SECOND_NS)]);
        troubles(lists, &ticked, &[RoomId(1)], 100 * SECOND_NS)
    }

    #[test]
    fn lists_are_alike_and_what_they_have_is_ticked() {
        let fine = list(&[(1, 5), (2, 1), (3, 0)]);
        assert!(found(&[fine.clone(), fine.clone()]).is_empty());
        for (wrong, what) in [
            (list(&[(1, 5), (2, 1)]), "differ"),
            (list(&[(2, 1), (3, 0)]), "has bots"),
            (list(&[(1, 5), (2, 1), (3, 1)]), "nobody ticks"),
            (list(&[(1, 5), (2, 1), (4, 1)]), "nobody ticks"),
            (list(&[(1, 5), (1, 5), (2, 1), (3, 0)]), "twice"),
            (None, "does not list"),
        ] {
            let found = found(&[fine.clone(), wrong]);
            assert!(
                found.iter().any(|text| text.contains(what)),
                "{what}: {found:?}"
            );
        }
    }
}
