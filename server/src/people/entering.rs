//! What a connection is told that hears lines from now on, cut into messages. Pure.

use std::collections::VecDeque;

use bytes::Bytes;
use tickwire::codec::encode_server;
use tickwire::limits::PEERS_PER_PAGE;
use tickwire::protocol::people::{Peer, Unread};
use tickwire::protocol::{PeopleNews, ServerMessage};

/// What a connection is told that hears lines from now on.
pub(super) fn welcome(
    nonce: u32,
    handle: String,
    unread: Vec<Unread>,
    mut blocked: Vec<Peer>,
) -> VecDeque<Bytes> {
    let you = PeopleNews::You {
        nonce,
        handle,
        unread,
    };
    let mut parts = VecDeque::from([encoded(you)]);
    loop {
        let rest = blocked.split_off(blocked.len().min(PEERS_PER_PAGE));
        let (peers, more) = (blocked, !rest.is_empty());
        let told = PeopleNews::Blocked { peers, more };
        parts.push_back(encoded(told));
        if !more {
            return parts;
        }
        blocked = rest;
    }
}

fn encoded(news: PeopleNews) -> Bytes {
    encode_server(&ServerMessage::People(news)).into()
}

#[cfg(test)]
mod tests {
    use tickwire::codec::decode_server;

    use super::*;

    fn peers(count: usize) -> Vec<Peer> {
        let peer = |number: usize| Peer {
            handle: format!("{number:016}"),
            name: "x".repeat(24),
        };
        (0..count).map(peer).collect()
    }

    #[test]
    fn whom_one_has_blocked_comes_in_parts() {
        for (count, parts) in [(0, 1), (10, 1), (11, 2), (50, 5)] {
            let told = welcome(7, "h".to_owned(), Vec::new(), peers(count));
            assert_eq!(told.len(), 1 + parts, "{count}");
            let (mut all, mut ends) = (Vec::new(), Vec::new());
            for bytes in told.iter().skip(1) {
                assert!(bytes.len() < 1024, "it goes out before a snapshot");
                match decode_server(bytes).unwrap() {
                    Some(ServerMessage::People(PeopleNews::Blocked { peers, more })) => {
                        all.extend(peers);
                        ends.push(!more);
                    }
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(all, peers(count));
            assert_eq!(ends.iter().position(|end| *end), Some(parts - 1));
        }
    }
}
