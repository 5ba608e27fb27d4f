//! What is said of other nodes to a lobby: where somebody is sent, and what counts for how long.

use std::sync::Arc;
use tickwire::protocol::server_message::Refusal;

use super::batch::tests::told;
use super::*;
use crate::auth::Entropy;

const ME: Incarnation = Incarnation(1);
const OTHER: Incarnation = Incarnation(2);
const KEY: &[u8; 32] = b"0123456789abcdef0123456789abcdef";
const GAME: GameIndex = GameIndex(0);

/// A node that knows another one.
fn nodes() -> Nodes {
    let tickets = Tickets::new(KEY, "wss://play.example/n/1/ws", Entropy::default());
    let game = KnownGame {
        name: "chess".into(),
        metadata: Vec::new(),
    };
    let nodes = Nodes::new(ME, tickets, KEY, vec![game]);
    nodes.live(ME, &[(OTHER, "wss://play.example/n/2/ws".into())]);
    nodes
}

fn tells(nodes: &Nodes, rooms: &[u32]) {
    let rooms = rooms.iter().map(|room| (GAME, told(*room, "den", 1, 4)));
    let batch = batch::encode(0, &["chess"], &rooms.collect::<Vec<_>>());
    nodes.told(OTHER, &batch).unwrap();
}

/// It has more rooms than a batch holds, which begins with others than 7.
fn tells_of_more(nodes: &Nodes) {
    let rooms = (1000..11_000).map(|room| (GAME, told(room, "den", 1, 4)));
    let batch = batch::encode(0, &["chess"], &rooms.collect::<Vec<_>>());
    nodes.told(OTHER, &batch).unwrap();
}

#[test]
fn somebody_is_sent_to_the_nodes_own_path_and_to_their_games_folder() {
    let nodes = nodes();
    let who = Identity::read("user:ada").unwrap();
    let sent = |folder| match nodes.redirect(&who, RoomId(7), OTHER, folder) {
        Some(ServerMessage::Redirect { url, room, .. }) => Some((url, room.0)),
        _ => None,
    };
    let at = |url: &str| Some((url.to_owned(), 7));
    assert_eq!(sent(None), at("wss://play.example/n/2/ws"));
    assert_eq!(sent(Some("go")), at("wss://play.example/n/2/g/go/ws"));
    for folder in [None, Some("go")] {
        let announced = nodes.url_of(OTHER, folder);
        assert_eq!(
            announced,
            sent(folder).map(|(url, _)| url),
            "they are the same"
        );
    }
    nodes.doubted(OTHER);
    assert_eq!((sent(None), nodes.url_of(OTHER, None)), (None, None));
    nodes.live(ME, &[]);
    assert_eq!(sent(None), None);
}

#[test]
fn a_node_that_is_not_heard_is_not_where_a_room_is() {
    let nodes = nodes();
    let room = RoomId(7);
    assert_eq!(nodes.trace(room), Trace::Unknown);
    tells(&nodes, &[7]);
    assert_eq!(nodes.trace(room), Trace::At(OTHER));
    nodes.doubted(OTHER);
    assert_eq!(nodes.trace(room), Trace::Unknown);
    assert!(nodes.seek(room));
    assert_eq!(nodes.sought(9), [room]);
    nodes.found([(room, Some(OTHER))]);
    assert_eq!(
        nodes.trace(room),
        Trace::Unknown,
        "the engine says so, and nobody hears it"
    );
    tells(&nodes, &[]);
    assert_eq!(
        nodes.trace(room),
        Trace::Unknown,
        "it is heard, and says that it has no room: it stands still"
    );
    tells_of_more(&nodes);
    assert_eq!(
        nodes.trace(room),
        Trace::At(OTHER),
        "it has more rooms than it tells of"
    );
    nodes.live(ME, &[]);
    nodes.found([(room, None)]);
    assert_eq!(nodes.trace(room), Trace::Gone);
    nodes.stop_seeking(room);
    assert!(nodes.sought(9).is_empty());
}

#[test]
fn a_node_that_tells_nothing_for_three_seconds_is_not_heard() {
    let (nodes, start) = (nodes(), Instant::now());
    let room = RoomId(7);
    let after = |millis| drop(nodes.tell(0, &[], start + Duration::from_millis(millis)));
    tells(&nodes, &[7]);
    after(100);
    tells(&nodes, &[7]);
    after(1100);
    after(4000);
    assert_eq!(nodes.trace(room), Trace::At(OTHER));
    after(4100);
    assert_eq!(nodes.trace(room), Trace::Unknown, "its link is cut one way");
    tells(&nodes, &[7]);
    assert_eq!(nodes.trace(room), Trace::At(OTHER));
    // Looked at late, as after a stop: what it told meanwhile counts.
    after(90_000);
    assert_eq!(nodes.trace(room), Trace::At(OTHER));
}

/// After a kill thousands wait, for hundreds of rooms, which are asked about ten times a second.
#[test]
fn who_waits_is_woken_once_for_all_rooms_that_are_found_and_never_for_no_news() {
    let nodes = nodes();
    let changes = nodes.subscribe();
    let rooms = (1..=256).map(RoomId);
    assert!(rooms.clone().all(|room| nodes.seek(room)));
    let before = *changes.borrow();
    for _ in 0..2 {
        nodes.found(rooms.clone().map(|room| (room, Some(OTHER))));
        assert_eq!(*changes.borrow(), before + 1);
    }
    nodes.found([(RoomId(7), None)]);
    assert_eq!(*changes.borrow(), before + 2);
}

#[test]
fn those_who_wait_for_what_nodes_tell_next_are_bounded() {
    let nodes = nodes();
    let waiting = std::iter::from_fn(|| nodes.listen().then_some(())).count();
    assert_eq!(waiting, LISTENERS_MAX);
    nodes.stop_listening();
    assert!(nodes.listen() && !nodes.listen());
}

#[test]
fn a_room_that_was_made_elsewhere_counts_until_its_node_tells_of_it_no_more() {
    let nodes = nodes();
    let (now, second) = (Instant::now(), Duration::from_secs(1));
    let tell = |after: u32| drop(nodes.tell(0, &[], now + after * second));
    let held: Vec<Arc<()>> = (0..2).map(|_| Arc::default()).collect();
    let counts = || [0, 1].map(|room| Arc::strong_count(&held[room]) == 2);
    nodes.made(RoomId(1), Box::new(held[0].clone()), now);
    nodes.made(RoomId(2), Box::new(held[1].clone()), now);
    tell(1);
    assert_eq!(counts(), [true, true], "nobody told of them yet");
    tells(&nodes, &[1]);
    tell(2);
    tell(6);
    assert_eq!(counts(), [true, false], "the second was never told of");
    tells(&nodes, &[]);
    tell(7);
    assert_eq!(counts(), [false, false]);
}

#[test]
fn what_is_asked_of_a_node_that_goes_is_refused() {
    let nodes = nodes();
    let ask = Ask {
        game: "chess".into(),
        who: "guest:0f".into(),
        name: "Ada".into(),
        what: What::Seat(RoomId(7)),
    };
    let id = nodes.ask(OTHER, ask.clone()).unwrap();
    let [(sent, to, bytes)] = &nodes.unsent()[..] else {
        panic!("one is to be sent");
    };
    assert_eq!((*sent, *to), (id, OTHER));
    assert_eq!(decode_ask(bytes), Ok(Asked::Player(ask.clone())));
    assert_eq!(nodes.answer(id), None);
    nodes.live(ME, &[]);
    assert_eq!(nodes.answer(id), Some(Err(Refusal::Busy)));
    let next = nodes.ask(OTHER, ask).unwrap();
    assert_eq!(
        nodes.answered(next, Some(b"\x02\x00\xff")),
        Err(AskError::Malformed)
    );
    assert_eq!(nodes.answer(next), Some(Err(Refusal::Busy)));
}

/// The same on all nodes that have the key, and on no others.
#[test]
fn a_network_has_one_mark_on_all_nodes() {
    let network = "192.0.2.0/24".parse().unwrap();
    let (one, other) = (nodes(), nodes());
    assert_eq!(one.mark_network(network), other.mark_network(network));
    let next = "192.0.3.0/24".parse().unwrap();
    assert_ne!(one.mark_network(network), one.mark_network(next));
}
