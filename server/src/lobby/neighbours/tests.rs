//! Several nodes and their clients, on a clock of the test's own: where each request leads,
//! whichever node it is said to. Clients are sessions, which follow redirects as bots do.

use std::path::PathBuf;
use std::time::Duration;

use tickwire::codec::encode_client;
use tickwire::ids::{PlayerId, RoomId};
use tickwire::limits::REDIRECTS_MAX;
use tickwire::protocol::client_message::{JoinAs, NewRoom};
use tickwire::protocol::server_message::Refusal;
use tickwire::protocol::{ClientMessage, CloseCode, ServerMessage, feature};
use tickwire::session::{Event, Session, Ticket};

use super::*;
use crate::config::Config;
use crate::game::GameDef;
use crate::game::still::Still;
use crate::lobby::Stepped;
use crate::lobby::waiting::{FOUND_WITHIN, TOLD_WITHIN};
use crate::metrics::Metrics;
use crate::transport::memory::{self, Far};
use crate::worker::Order;

/// What goes by between two looks: a tick.
const STEP: Duration = Duration::from_micros(33_334);
/// Looks between two batches of a node.
const EXCHANGE: u32 = 30;
/// Bytes that a client's end holds.
const WAY_BYTES: usize = 1 << 16;

/// Servers that know one another, and what time it is there.
struct Land {
    servers: Vec<Stepped<Still>>,
    neighbours: Neighbours,
    start: Instant,
    now: Instant,
    steps: u32,
    have_met: bool,
    key: PathBuf,
}

/// A client, at the node where its last connection is.
struct Player {
    node: usize,
    way: Far,
    session: Session,
    /// As what it is in a room, or asked to be.
    who: JoinAs,
    /// The seat that it comes back to.
    held: Option<Ticket>,
    /// Redirects that it followed.
    hops: u32,
    refused: Option<Refusal>,
    /// Where it was told that it will probably go, and for how long a connection there may be held.
    prepared: Vec<(String, u32)>,
    listed: Option<Vec<u32>>,
}

impl Drop for Land {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.key);
    }
}

fn url(node: usize) -> String {
    format!("ws://n{node}/ws")
}

impl Land {
    /// So many nodes, which have heard of one another.
    fn new(name: &str, count: usize) -> Land {
        let mut land = Land::apart(name, count, |_| {});
        land.meet();
        land
    }

    /// The same before they have, and with other settings.
    fn apart(name: &str, count: usize, set: impl FnOnce(&mut Config)) -> Land {
        let key = std::env::temp_dir().join(format!("tickwire-{}-{name}", std::process::id()));
        std::fs::write(&key, [7; 32]).unwrap();
        let mut config = Config {
            idle_after: Duration::ZERO,
            guest_key_file: Some(key.clone()),
            ..Config::default()
        };
        set(&mut config);
        let game = Arc::new(GameDef::new(30).unwrap());
        let start = Instant::now();
        let neighbours = Neighbours::default();
        let server = |node| {
            let metrics = Arc::new(Metrics::new().unwrap());
            let server = Stepped::new(&game, &config, metrics, node as u64, start).unwrap();
            server.join(&neighbours, &url(node));
            server
        };
        Land {
            servers: (0..count).map(server).collect(),
            neighbours: neighbours.clone(),
            start,
            now: start,
            steps: 0,
            have_met: false,
            key,
        }
    }

    /// They hear one another from now on.
    fn meet(&mut self) {
        self.neighbours.meet();
        self.neighbours.tell(self.now);
        self.have_met = true;
    }

    fn connect(&mut self, node: usize, session: Session) -> Player {
        let (way, far) = memory::pair(WAY_BYTES);
        self.servers[node].connect(way, self.now);
        Player {
            node,
            way: far,
            session,
            who: JoinAs::default(),
            held: None,
            hops: 0,
            refused: None,
            prepared: Vec::new(),
            listed: None,
        }
    }

    /// Somebody in the lobby of a node.
    fn guest(&mut self, node: usize) -> Player {
        let mut guest = self.connect(node, Session::new("somebody", ""));
        self.settle(&mut [&mut guest]);
        assert!(guest.session.token().is_some());
        guest
    }

    /// Somebody in a room of this name, which is made at a node.
    fn host(&mut self, node: usize, new: &NewRoom) -> Player {
        let mut host = self.guest(node);
        host.session.create(new).unwrap();
        self.settle(&mut [&mut host]);
        assert_eq!(
            (host.node, host.hops),
            (node, 0),
            "made where it was asked for"
        );
        host
    }

    /// A tick's time goes by: what these say arrives, they hear what is said to them, and go where
    /// they are sent.
    fn step(&mut self, players: &mut [&mut Player]) {
        self.now += STEP;
        self.steps += 1;
        let now_us = (self.now - self.start).as_micros() as u64;
        for player in players.iter_mut() {
            player.session.handle_timeout(now_us);
            while let Some(message) = player.session.poll_transmit() {
                player.way.send(message);
            }
        }
        for server in &mut self.servers {
            server.step(self.now);
        }
        self.neighbours.deliver(self.now);
        if self.have_met && self.steps.is_multiple_of(EXCHANGE) {
            self.neighbours.meet();
            self.neighbours.tell(self.now);
        }
        for player in players {
            while let Some(message) = player.way.receive() {
                player.session.handle_message(&message, now_us).unwrap();
            }
            while let Some(event) = player.session.poll_event() {
                self.on_event(player, event);
            }
        }
    }

    fn on_event(&mut self, player: &mut Player, event: Event) {
        match event {
            Event::Refused { reason } => player.refused = Some(reason),
            Event::Rooms { rooms } => {
                player.listed = Some(rooms.into_iter().map(|room| room.id.0).collect());
            }
            Event::Prepare { url, valid_ms } => player.prepared.push((url, valid_ms)),
            Event::Redirect(redirect) => {
                let target = (0..self.servers.len()).find(|node| url(*node) == redirect.url);
                let target = target.expect("a node");
                let seat = player.session.ticket().or(player.held.take());
                let session = redirect.follow("somebody", seat.as_ref(), &player.who);
                let there = self.connect(target, session);
                std::mem::replace(&mut player.way, there.way).goodbye();
                player.node = there.node;
                player.session = there.session;
                player.hops += 1;
                assert!(player.hops <= REDIRECTS_MAX);
            }
            _ => {}
        }
    }

    /// Until nothing is under way any more, and every node has told of it.
    fn settle(&mut self, players: &mut [&mut Player]) {
        (0..2 * EXCHANGE).for_each(|_| self.step(players));
    }

    /// The seat's token of somebody whose connection is lost.
    fn lose(&mut self, player: &mut Player) -> Ticket {
        let ticket = player.session.ticket().expect("a seat");
        player.way = memory::pair(0).1;
        ticket
    }

    /// They come back to a node, by their seat's token.
    fn come_back(&mut self, node: usize, who: &Player, seat: &Ticket) -> Player {
        let token = who.session.token().unwrap();
        let session = Session::resume("somebody", token, seat);
        Player {
            held: Some(seat.clone()),
            ..self.connect(node, session)
        }
    }
}

impl Player {
    fn seat(&self) -> (RoomId, PlayerId) {
        let room = self.session.room().expect("in a room");
        (room.info.id, room.you.expect("a player"))
    }

    fn room(&self) -> RoomId {
        self.session.room().expect("in a room").info.id
    }

    fn code(&self) -> String {
        self.session.room().expect("in a room").code.clone()
    }
}

fn named(name: &str) -> NewRoom {
    NewRoom {
        name: name.to_owned(),
        ..NewRoom::default()
    }
}

#[test]
fn a_room_is_joined_by_number_and_code_whichever_node_is_asked() {
    let mut land = Land::new("joins", 3);
    let mut host = land.host(0, &named("den"));
    for (node, by_code) in [(0, false), (1, false), (2, true), (0, true)] {
        let mut bo = land.guest(node);
        match by_code {
            true => bo.session.join_code(&host.code()).unwrap(),
            false => bo.session.join(host.room()).unwrap(),
        }
        land.settle(&mut [&mut host, &mut bo]);
        assert_eq!((bo.room(), bo.node), (host.room(), 0));
        assert_eq!(bo.hops, u32::from(node != 0));
    }
    let mut nobody = land.guest(1);
    nobody.session.join(RoomId(1)).unwrap();
    land.settle(&mut [&mut nobody]);
    assert_eq!(
        (nobody.refused, nobody.hops),
        (Some(Refusal::NoSuchRoom), 0)
    );
}

#[test]
fn a_private_room_is_in_no_list_and_its_number_leads_nobody_there() {
    let mut land = Land::new("private", 2);
    let den = NewRoom {
        private: true,
        ..named("den")
    };
    let mut host = land.host(0, &den);
    for node in 0..2 {
        let mut bo = land.guest(node);
        bo.session.list_rooms(&[]).unwrap();
        land.settle(&mut [&mut host, &mut bo]);
        assert_eq!(bo.listed, Some(Vec::new()));
        bo.session.join(host.room()).unwrap();
        land.settle(&mut [&mut host, &mut bo]);
        assert_eq!((bo.refused, bo.hops), (Some(Refusal::NoSuchRoom), 0));
    }
    let mut bo = land.guest(1);
    bo.session.join_code(&host.code().to_lowercase()).unwrap();
    land.settle(&mut [&mut host, &mut bo]);
    assert_eq!((bo.room(), bo.node, bo.hops), (host.room(), 0, 1));
    let mut cy = land.guest(1);
    cy.who.spectator = true;
    cy.session.join_code_as(&host.code(), &cy.who).unwrap();
    land.settle(&mut [&mut host, &mut cy]);
    assert_eq!((cy.room(), cy.hops), (host.room(), 1), "looks on there");
}

#[test]
fn every_node_lists_all_rooms_in_one_order() {
    let mut land = Land::new("lists", 3);
    let mut hosts: Vec<Player> = Vec::new();
    for n in 0..6 {
        let mut host = land.guest(n % 3);
        host.session.create(&named("den")).unwrap();
        let all = hosts.iter_mut().chain([&mut host]);
        land.settle(&mut all.collect::<Vec<_>>());
        hosts.push(host);
    }
    let mut joiner = land.guest(1);
    joiner.session.join(hosts[3].room()).unwrap();
    let mut all: Vec<&mut Player> = hosts.iter_mut().chain([&mut joiner]).collect();
    // Until nobody has done anything lately.
    (0..35 * EXCHANGE).for_each(|_| land.step(&mut all));
    let lists = [0, 1, 2].map(|node| {
        let mut reader = land.guest(node);
        reader.session.list_rooms(&[]).unwrap();
        land.settle(&mut [&mut reader]);
        reader.listed.expect("a list")
    });
    assert_eq!(lists[0].len(), 6);
    assert_eq!(lists[0][0], hosts[3].room().0, "in which most play");
    assert_eq!((&lists[1], &lists[2]), (&lists[0], &lists[0]));
}

#[test]
fn quick_joins_fill_one_room_whichever_node_they_come_to() {
    let mut land = Land::new("quick", 3);
    let mut first = land.guest(0);
    first.session.quick_join().unwrap();
    land.settle(&mut [&mut first]);
    let room = first.room();
    let mut there = vec![first];
    for n in 1..9 {
        let mut next = land.guest(n % 3);
        next.session.quick_join().unwrap();
        let all = there.iter_mut().chain([&mut next]);
        land.settle(&mut all.collect::<Vec<_>>());
        assert_eq!((next.room(), next.refused), (room, None), "{n}");
        assert_eq!(next.hops, u32::from(n % 3 != 0), "{n}");
        there.push(next);
    }
    // Its nine seats are taken.
    let mut tenth = land.guest(1);
    tenth.session.quick_join().unwrap();
    let all = there.iter_mut().chain([&mut tenth]);
    land.settle(&mut all.collect::<Vec<_>>());
    assert_ne!(tenth.room(), room);
}

/// Twelve at once, at three nodes, for the last two seats of one room: two get them, and nobody is
/// refused.
#[test]
fn of_many_who_ask_at_once_none_is_sent_to_a_seat_that_is_taken() {
    let mut land = Land::new("crowd", 3);
    let few = NewRoom {
        seats: 3,
        ..named("den")
    };
    let mut host = land.host(0, &few);
    let mut crowd: Vec<Player> = (0..12).map(|n| land.guest(n % 3)).collect();
    for player in &mut crowd {
        player.session.quick_join().unwrap();
    }
    let mut all: Vec<&mut Player> = crowd.iter_mut().chain([&mut host]).collect();
    land.settle(&mut all);
    let there = crowd.iter().filter(|player| player.room() == host.room());
    assert_eq!(there.count(), 2);
    assert!(crowd.iter().all(|player| player.refused.is_none()));
}

#[test]
fn who_asks_two_nodes_at_once_for_the_room_of_a_name_gets_one_room() {
    let mut land = Land::new("names", 3);
    let mut hops = 0;
    for n in 0..12 {
        let den = NewRoom {
            or_join: true,
            ..named(&format!("den {n}"))
        };
        let mut players: Vec<Player> = (0..3).map(|node| land.guest(node)).collect();
        for player in &mut players {
            player.session.create(&den).unwrap();
        }
        let mut all: Vec<&mut Player> = players.iter_mut().collect();
        land.settle(&mut all);
        let rooms: Vec<RoomId> = players.iter().map(Player::room).collect();
        assert!(rooms.iter().all(|room| *room == rooms[0]), "{n}: {rooms:?}");
        hops += players.iter().map(|player| player.hops).sum::<u32>();
        let mut late = land.guest(n % 3);
        late.session.create(&den).unwrap();
        let all = players.iter_mut().chain([&mut late]);
        land.settle(&mut all.collect::<Vec<_>>());
        assert_eq!(late.room(), rooms[0]);
    }
    assert_eq!(hops, 24, "each name has one home");
}

/// It knows that there is another node, and not yet of its rooms: nobody makes a second one of a
/// name, nor a new one for want of others.
#[test]
fn a_node_that_has_just_started_hears_the_others_first() {
    let mut land = Land::apart("starting", 2, |_| {});
    let den = NewRoom {
        or_join: true,
        ..named("den")
    };
    let mut host = land.host(0, &den);
    let (mut bo, mut cy) = (land.guest(1), land.guest(1));
    land.neighbours.meet();
    bo.session.create(&den).unwrap();
    cy.session.quick_join().unwrap();
    (0..EXCHANGE).for_each(|_| land.step(&mut [&mut host, &mut bo, &mut cy]));
    assert!(bo.session.room().is_none() && cy.session.room().is_none());
    land.meet();
    land.settle(&mut [&mut host, &mut bo, &mut cy]);
    assert_eq!((bo.room(), bo.hops), (host.room(), 1));
    assert_eq!((cy.room(), cy.hops), (host.room(), 1));
}

/// As one of another version, whose batches this one does not read.
#[test]
fn a_node_that_never_tells_keeps_the_first_one_waiting_and_no_other() {
    let mut land = Land::apart("silent", 2, |_| {});
    land.neighbours.meet();
    let steps_until_seated = |land: &mut Land| {
        let mut bo = land.guest(1);
        let den = NewRoom {
            or_join: true,
            ..named(&format!("den {}", land.steps))
        };
        bo.session.create(&den).unwrap();
        let mut steps = 0;
        while bo.session.room().is_none() {
            land.step(&mut [&mut bo]);
            steps += 1;
        }
        steps
    };
    let told_within = (TOLD_WITHIN.as_secs_f32() / STEP.as_secs_f32()) as u32;
    let first = steps_until_seated(&mut land);
    assert!((told_within..told_within + 10).contains(&first), "{first}");
    for _ in 0..4 {
        let next = steps_until_seated(&mut land);
        assert!(next < 10, "{next}");
    }
}

#[test]
fn who_comes_back_to_another_node_is_in_their_seat() {
    let mut land = Land::new("resume", 3);
    let mut host = land.host(0, &named("den"));
    let mut bo = land.guest(1);
    bo.session.join(host.room()).unwrap();
    land.settle(&mut [&mut host, &mut bo]);
    let seat = land.lose(&mut bo);
    let mut again = land.come_back(2, &bo, &seat);
    land.settle(&mut [&mut host, &mut again]);
    assert_eq!((again.seat(), again.node, again.hops), (bo.seat(), 0, 1));
}

/// Their room's node is gone, and nobody has the room yet: they wait, and are led to it when it is
/// somewhere again.
#[test]
fn who_comes_back_too_soon_waits_until_the_room_is_somewhere() {
    let mut land = Land::new("parked", 3);
    let mut host = land.host(0, &named("den"));
    land.settle(&mut [&mut host]);
    let seat = land.lose(&mut host);
    land.neighbours.hear(0, false);
    let mut again = land.come_back(1, &host, &seat);
    land.settle(&mut [&mut again]);
    assert_eq!((again.hops, again.refused), (0, None), "it waits");
    // It was only not heard for a while.
    land.neighbours.hear(0, true);
    land.settle(&mut [&mut again]);
    assert_eq!((again.seat(), again.node, again.hops), (host.seat(), 0, 1));
}

/// Refused, at once, only where it is known that there is no such room: the client gives up the seat
/// then. Where nobody knows, as of a room whose node is not heard here, it asks again, maybe elsewhere.
#[test]
fn who_waits_for_a_room_that_is_nowhere_is_refused_or_told_to_come_again() {
    for is_known in [false, true] {
        let mut land = Land::new("nowhere", 2);
        let mut host = land.host(0, &named("den"));
        land.settle(&mut [&mut host]);
        let seat = land.lose(&mut host);
        land.neighbours.hear(0, false);
        let mut again = land.come_back(1, &host, &seat);
        let start = land.now;
        land.settle(&mut [&mut again]);
        assert_eq!((again.refused, again.way.closed()), (None, None));
        if is_known {
            land.neighbours.forget(host.room());
        }
        while again.refused.is_none() && again.way.closed().is_none() {
            land.step(&mut [&mut again]);
            assert!(land.now - start < FOUND_WITHIN + 5 * STEP);
        }
        match is_known {
            true => {
                assert_eq!(again.refused, Some(Refusal::NoSuchSeat));
                assert!(land.now - start < FOUND_WITHIN, "at once");
            }
            false => {
                assert_eq!(again.refused, None);
                assert_eq!(again.way.closed(), Some(CloseCode::Restart));
                let mut there = land.come_back(0, &host, &seat);
                land.settle(&mut [&mut there]);
                assert_eq!((there.seat(), there.hops), (host.seat(), 0));
            }
        }
    }
}

/// A token that no node gave: nobody is sent anywhere, and nobody waits.
#[test]
fn a_made_up_token_says_nothing_of_where_its_room_is() {
    let mut land = Land::new("made-up", 2);
    let mut host = land.host(0, &named("den"));
    land.settle(&mut [&mut host]);
    let theirs = host.session.ticket().unwrap();
    for room in [host.room(), RoomId(1)] {
        let bo = land.guest(1);
        // Somebody else's, which is not theirs to bring.
        let token = format!("{:08x}{}", room.0, &theirs.token[8..]);
        let (chat, seen) = (0, tickwire::ids::Tick(0));
        bo.way
            .send(encode_client(&ClientMessage::Resume { token, chat, seen }));
        let refused = (0..4).any(|_| {
            land.step(&mut [&mut host]);
            let mut messages = std::iter::from_fn(|| bo.way.receive());
            messages.any(|message| {
                let reason = Refusal::NoSuchSeat;
                tickwire::codec::decode_server(&message)
                    == Ok(Some(ServerMessage::Refused { reason }))
            })
        });
        assert!(refused);
    }
}

/// It sees the rooms of the node that it came to, and no others.
#[test]
fn a_client_that_knows_of_no_redirects_is_sent_nowhere() {
    let mut land = Land::new("old", 2);
    let mut host = land.host(0, &named("den"));
    land.settle(&mut [&mut host]);
    let session = Session::new("old", "").with_features(feature::ALL & !feature::REDIRECT);
    let mut old = land.connect(1, session);
    land.settle(&mut [&mut host, &mut old]);
    old.session.list_rooms(&[]).unwrap();
    land.settle(&mut [&mut host, &mut old]);
    assert_eq!(old.listed, Some(Vec::new()));
    old.session.join_code(&host.code()).unwrap();
    land.settle(&mut [&mut host, &mut old]);
    assert_eq!(old.refused, Some(Refusal::NoSuchRoom));
    old.session.quick_join().unwrap();
    land.settle(&mut [&mut host, &mut old]);
    assert!(old.room() != host.room() && old.hops == 0);
}

/// Who plays and who looks on, but nobody who does not know of it, hears the very URL to which they
/// are sent later; for as long as a server waits for a hello, less what a handshake takes.
#[test]
fn members_of_a_room_are_told_where_they_will_be_sent() {
    let mut land = Land::apart("announced", 2, |config| {
        config.hello_timeout = Duration::from_secs(2);
    });
    land.meet();
    let mut host = land.host(0, &named("den"));
    let features = feature::ALL & !feature::PREPARE;
    let mut fan = land.guest(0);
    fan.who.spectator = true;
    let mut old = land.connect(0, Session::new("old", "").with_features(features));
    land.settle(&mut [&mut host, &mut old, &mut fan]);
    old.session.join(host.room()).unwrap();
    fan.session.join_as(host.room(), &fan.who).unwrap();
    land.settle(&mut [&mut host, &mut old, &mut fan]);
    let (room, lobby) = (host.room(), land.servers[0].of_node());
    assert_eq!((old.room(), fan.room()), (room, room));
    let there = Incarnation(2);
    let to = lobby.announcement(there);
    lobby.order(room, Order::Announce { room, to });
    land.settle(&mut [&mut host, &mut old, &mut fan]);
    let told = [(url(1), 1600)];
    assert_eq!(
        (&host.prepared[..], &fan.prepared[..]),
        (&told[..], &told[..])
    );
    assert!(old.prepared.is_empty());
    assert_eq!((host.room(), host.hops), (room, 0), "and the room goes on");
    let to = lobby.way_to(room, there);
    lobby.order(room, Order::Drop { room, to });
    // No further: that node has no such room, and would send them back.
    let mut steps = 0..5;
    while old.hops == 0 && steps.next().is_some() {
        land.step(&mut [&mut host, &mut old, &mut fan]);
    }
    for player in [host, old, fan] {
        assert_eq!((player.node, player.hops), (1, 1));
    }
    // To where nobody can be sent nobody is to prepare.
    let mut host = land.host(0, &named("hut"));
    land.neighbours.hear(1, false);
    let room = host.room();
    let to = lobby.announcement(there);
    lobby.order(room, Order::Announce { room, to });
    land.settle(&mut [&mut host]);
    assert_eq!((host.prepared.len(), host.room()), (0, room));
}

/// A room that is asked for where there is no place for one more is made at another node.
#[test]
fn a_room_is_made_elsewhere_where_there_is_no_place_here() {
    let mut land = Land::apart("placed", 2, |config| config.max_rooms = 4);
    land.meet();
    let hosts: Vec<Player> = (0..4).map(|_| land.host(0, &named("den"))).collect();
    assert_eq!(hosts.len(), 4);
    for n in 0..5 {
        let mut late = land.guest(0);
        match n % 2 {
            0 => late.session.create(&named("hut")).unwrap(),
            _ => late
                .session
                .create(&NewRoom {
                    private: true,
                    ..named("hut")
                })
                .unwrap(),
        }
        land.settle(&mut [&mut late]);
        if n == 4 {
            assert_eq!(
                late.refused,
                Some(Refusal::TooManyRooms),
                "none has a place"
            );
            return;
        }
        assert_eq!((late.node, late.hops, late.refused), (1, 1, None));
        assert_eq!(late.session.room().unwrap().info.name, "hut");
    }
}

/// What they make elsewhere counts among their rooms, until it is gone.
#[test]
fn rooms_that_are_made_elsewhere_are_counted_at_the_door() {
    let mut land = Land::apart("quota", 2, |config| {
        (config.max_rooms, config.max_rooms_per_player) = (4, 1);
    });
    land.meet();
    let _hosts: Vec<Player> = (0..4).map(|_| land.host(0, &named("den"))).collect();
    let mut maker = land.guest(0);
    maker.session.create(&named("hut")).unwrap();
    land.settle(&mut [&mut maker]);
    assert_eq!((maker.node, maker.hops), (1, 1));
    let token = maker.session.token().unwrap().to_owned();
    let mut again = land.connect(0, Session::new("somebody", &token));
    land.settle(&mut [&mut maker, &mut again]);
    again.session.create(&named("hut")).unwrap();
    land.settle(&mut [&mut maker, &mut again]);
    assert_eq!(again.refused.take(), Some(Refusal::TooManyRooms));
    maker.session.leave().unwrap();
    // It closes when it has been empty for a while.
    (0..15 * EXCHANGE).for_each(|_| land.step(&mut [&mut maker, &mut again]));
    again.session.create(&named("hut")).unwrap();
    land.settle(&mut [&mut maker, &mut again]);
    assert_eq!((again.node, again.hops, again.refused), (1, 1, None));
}
