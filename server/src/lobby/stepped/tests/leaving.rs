//! Rooms that leave for another node, by the cluster's order or since the node lost them: who is
//! there, who is on the way, and what comes to a worker too late.

use tokio::sync::oneshot;

use super::*;
use crate::checkpoint::{Keeper, Outcome, Sealed, envelope};
use crate::directory::claims::Claims;
use crate::directory::ownership::Lease;
use crate::directory::ownership::messages::{Epoch, Incarnation};
use crate::worker::{Order, SendOn, Stopped};

/// More than a worker takes at once.
const MANY: usize = 100;

/// Where rooms' states go that nobody asks for.
struct Nowhere;

impl Keeper for Nowhere {
    fn name(&self) -> String {
        "nowhere".into()
    }

    fn at_once(&self) -> usize {
        1
    }

    fn keep(&mut self, rooms: &[Sealed<'_>]) -> Vec<io::Result<Outcome>> {
        rooms.iter().map(|_| Ok(Outcome::Kept(1))).collect()
    }

    fn forget(&mut self, _: RoomId) -> io::Result<()> {
        Ok(())
    }

    fn settle(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Rooms' states are kept, as a node's are.
fn kept() -> Config {
    Config {
        cluster_url: Some("redis://127.0.0.1".parse().unwrap()),
        ..awake()
    }
}

fn order(hall: &Hall, order: Order) {
    hall.server.shared.workers[0].order(order);
}

/// To a node that is no more than a URL.
fn elsewhere(room: RoomId) -> SendOn {
    let there = ServerMessage::Redirect {
        url: "ws://there/ws".to_owned(),
        ticket: String::new(),
        room,
        valid_ms: 10_000,
    };
    Arc::new(move |_: &_| Some(there.clone()))
}

/// Has a room stand still, and takes its state.
fn stop(hall: &mut Hall, room: RoomId, players: &mut [&mut Player]) -> Stopped {
    let (reply, mut answer) = oneshot::channel();
    order(hall, Order::Stop { room, reply });
    hall.step(players);
    let stopped = answer.try_recv().expect("there is such a room");
    stopped.expect("its game says its state")
}

fn is_sent_on(player: &Player) -> bool {
    let mut events = player.events.iter();
    events.any(|event| matches!(event, Event::Redirect(_)))
}

fn is_refused(player: &Player) -> bool {
    let mut events = player.events.iter();
    events.any(|event| matches!(event, Event::Refused { .. }))
}

/// As a node whose last room has left, and that has nothing to wait for any more.
#[test]
fn who_is_to_be_sent_on_hears_where_to_though_the_server_stops_at_once() {
    let mut hall = Hall::new(&awake());
    let mut host = hall.host(true);
    let (room, _) = host.seat();
    let to = elsewhere(room);
    order(&hall, Order::Drop { room, to });
    hall.server.shared.workers[0].stop();
    hall.server.shared.stopping.send_replace(true);
    hall.settle(&mut [&mut host]);
    let mut events = host.events.iter();
    let last = events.find(|event| matches!(event, Event::Redirect(_) | Event::Stopping { .. }));
    assert!(matches!(last, Some(Event::Redirect(_))), "{last:?}");
}

/// Its state has been taken: a seat that is given now would not be in it.
#[test]
fn who_joins_a_room_that_stands_still_is_seated_once_it_goes_on_or_sent_where_it_goes() {
    let mut hall = Hall::new(&kept());
    let mut host = hall.host(false);
    let (room, _) = host.seat();
    let (mut bo, mut cy) = (hall.guest(""), hall.guest(""));
    stop(&mut hall, room, &mut [&mut host, &mut bo, &mut cy]);
    bo.session.join(room).unwrap();
    hall.settle(&mut [&mut host, &mut bo, &mut cy]);
    assert!(bo.session.room().is_none() && !is_refused(&bo));
    order(&hall, Order::GoOn { room });
    hall.settle(&mut [&mut host, &mut bo, &mut cy]);
    assert_eq!(bo.seat().0, room);
    stop(&mut hall, room, &mut [&mut host, &mut bo, &mut cy]);
    cy.session.join(room).unwrap();
    hall.settle(&mut [&mut host, &mut bo, &mut cy]);
    let to = elsewhere(room);
    order(&hall, Order::Drop { room, to });
    hall.settle(&mut [&mut host, &mut bo, &mut cy]);
    assert!(is_sent_on(&bo) && is_sent_on(&cy) && !is_refused(&cy));
}

#[test]
fn who_waits_for_a_room_that_stands_still_is_told_that_the_server_stops() {
    let mut hall = Hall::new(&kept());
    let mut host = hall.host(false);
    let (room, _) = host.seat();
    let mut bo = hall.guest("");
    stop(&mut hall, room, &mut [&mut host, &mut bo]);
    bo.session.join(room).unwrap();
    hall.settle(&mut [&mut host, &mut bo]);
    hall.server.shared.workers[0].stop();
    hall.settle(&mut [&mut host, &mut bo]);
    for player in [host, bo] {
        let mut events = player.events.iter();
        assert!(events.any(|event| matches!(event, Event::Stopping { .. })));
        assert_eq!(player.way.closed(), Some(CloseCode::Restart));
    }
}

/// They were in the worker's inbox, behind more than it takes at once, when the room went.
#[test]
fn who_comes_to_a_room_just_after_it_left_is_sent_after_it() {
    let mut hall = Hall::new(&awake());
    let host = hall.host(false);
    let (room, _) = host.seat();
    let (ticket, token) = (host.session.ticket().unwrap(), host.token());
    let mut late = hall.guest("");
    drop(host);
    hall.settle(&mut [&mut late]);
    let mut back = hall.connect(Session::resume("somebody", &token, &ticket));
    late.session.join(room).unwrap();
    let worker = &hall.server.shared.workers[0];
    let _asked: Vec<_> = (0..MANY).map(|_| worker.inspect(room)).collect();
    let to = elsewhere(room);
    order(&hall, Order::Drop { room, to });
    hall.settle(&mut [&mut back, &mut late]);
    for player in [back, late] {
        let events = &player.events;
        assert!(is_sent_on(&player) && !is_refused(&player), "{events:?}");
    }
}

/// It was being made, or in a worker's inbox, when the node began anew and all its rooms went.
#[test]
fn a_room_of_an_incarnation_that_is_over_does_not_come_to_a_worker() {
    let mut before = Hall::new(&kept());
    let mut host = before.host(false);
    let (room, _) = host.seat();
    let stopped = stop(&mut before, room, &mut [&mut host]);
    let (mut blob, (_, about)) = (Vec::new(), &stopped.about);
    envelope::seal("still", room, about, Date::now(), &stopped.bytes, &mut blob);
    blob.extend_from_slice(&stopped.bytes);

    let [gone, next] = [1, 2].map(Incarnation);
    let lease = Arc::<Lease>::default();
    let claims = Arc::new(Claims::new(before.start, gone, lease.clone()));
    let node = NodeParts {
        claims: claims.clone(),
        keeper: Box::new(Nowhere),
    };
    let mut hall = Hall::of(&kept(), Some(node), Stored::default());
    hall.server.join(&Neighbours::default(), "ws://here/ws");
    let lobby = hall.server.of_node();
    let claim = claims.adopted(room, Epoch(1));
    claims.begin_anew(next, lease);
    lobby.disown(gone);
    hall.step(&mut []);
    lobby.restore(room, &blob, claim, hall.now).unwrap();
    assert!(lobby.has(room));
    hall.step(&mut []);
    assert!(!lobby.has(room), "it would be in its own way");
    let claim = claims.adopted(room, Epoch(2));
    lobby.restore(room, &blob, claim, hall.now).unwrap();
    hall.step(&mut []);
    assert!(lobby.has(room), "it is this one's again");
}
