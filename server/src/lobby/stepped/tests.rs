//! What befalls a client on its way between lobby and room: messages that cross with a kick, seats
//! that are taken again. Clients are sessions, the rest is the server, on a clock of its own.

mod history;
mod leaving;
mod notices;
mod party;
mod people;
mod queue;
mod ratings;

use std::time::Duration;

use tickwire::codec::encode_client;
use tickwire::ids::PlayerId;
use tickwire::limits::ACK_STALL_SECONDS;
use tickwire::protocol::client_message::NewRoom;
use tickwire::protocol::server_message::{LeaveReason, Refusal};
use tickwire::protocol::{ClientMessage, CloseCode, ServerMessage};
use tickwire::session::{Event, Session};

use super::*;
use crate::game::still::Still;
use crate::transport::memory::{self, Far};

/// What goes by between two looks: a tick.
const STEP: Duration = Duration::from_micros(33_334);
/// Bytes that a client's end holds.
const WAY_BYTES: usize = 1 << 16;

/// A server, and what time it is there.
struct Hall {
    server: Stepped<Still>,
    metrics: Arc<Metrics>,
    start: Instant,
    now: Instant,
}

struct Player {
    way: Far,
    session: Session,
    events: Vec<Event>,
}

/// Rooms never doze.
fn awake() -> Config {
    Config {
        idle_after: Duration::ZERO,
        ..Config::default()
    }
}

impl Hall {
    fn new(config: &Config) -> Hall {
        Hall::of(config, None, Stored::default())
    }

    fn of(config: &Config, node: Option<NodeParts>, stored: Stored) -> Hall {
        let game = Arc::new(GameDef::new(30).unwrap());
        let metrics = Arc::new(Metrics::new().unwrap());
        let start = Instant::now();
        let server = Stepped::of(&game, config, metrics.clone(), 1, (node, stored), start);
        Hall {
            server: server.unwrap(),
            metrics,
            start,
            now: start,
        }
    }

    fn connect(&mut self, session: Session) -> Player {
        let (way, far) = memory::pair(WAY_BYTES);
        self.server.connect(way, self.now);
        Player {
            way: far,
            session,
            events: Vec::new(),
        }
    }

    /// Somebody in the lobby, by the token that they had before, if any.
    fn guest(&mut self, token: &str) -> Player {
        let mut guest = self.connect(Session::new("somebody", token));
        self.settle(&mut [&mut guest]);
        assert!(guest.session.token().is_some());
        guest
    }

    /// Somebody who made a room; one in which they may kick is in no quick join's way.
    fn host(&mut self, kicks: bool) -> Player {
        let mut host = self.guest("");
        let den = NewRoom {
            name: "den".to_owned(),
            kicks,
            ..NewRoom::default()
        };
        host.session.create(&den).unwrap();
        self.settle(&mut [&mut host]);
        host
    }

    /// Somebody who joined the host's room.
    fn joiner(&mut self, host: &mut Player) -> Player {
        let mut joiner = self.guest("");
        joiner.session.join(host.seat().0).unwrap();
        self.settle(&mut [host, &mut joiner]);
        joiner
    }

    /// A tick's time goes by: what these say arrives, and they hear what is said to them.
    fn step(&mut self, players: &mut [&mut Player]) {
        self.now += STEP;
        let now_us = (self.now - self.start).as_micros() as u64;
        for player in players.iter_mut() {
            player.session.handle_timeout(now_us);
            while let Some(message) = player.session.poll_transmit() {
                player.way.send(message);
            }
        }
        self.server.step(self.now);
        for player in players {
            while let Some(message) = player.way.receive() {
                player.session.handle_message(&message, now_us).unwrap();
            }
            while let Some(event) = player.session.poll_event() {
                player.events.push(event);
            }
        }
    }

    /// Until nothing is under way any more, and all that was said was acknowledged.
    fn settle(&mut self, players: &mut [&mut Player]) {
        (0..10).for_each(|_| self.step(players));
    }
}

impl Player {
    /// The room, and the number there.
    fn seat(&self) -> (RoomId, PlayerId) {
        let room = self.session.room().expect("in a room");
        (room.info.id, room.you.expect("a player"))
    }

    fn token(&self) -> String {
        self.session.token().unwrap().to_owned()
    }
}

#[test]
fn what_crosses_with_a_kick_is_answered_in_the_lobby() {
    let mut hall = Hall::new(&awake());
    let mut host = hall.host(true);
    let mut bo = hall.joiner(&mut host);
    host.session.kick(bo.seat().1).unwrap();
    // The host is read first; that the seat is gone shows to nobody yet.
    bo.way.send(encode_client(&ClientMessage::list_rooms()));
    hall.settle(&mut [&mut host, &mut bo]);
    let reason = LeaveReason::Kicked;
    assert!(bo.events.contains(&Event::Left { reason }));
    let listed = |event: &Event| matches!(event, Event::Rooms { rooms } if rooms.len() == 1);
    assert!(bo.events.iter().any(listed), "{:?}", bo.events);
}

#[test]
fn who_is_kept_out_takes_no_seat_by_asking() {
    let mut hall = Hall::new(&awake());
    let mut host = hall.host(true);
    let mut bo = hall.joiner(&mut host);
    host.session.kick(bo.seat().1).unwrap();
    hall.settle(&mut [&mut host, &mut bo]);
    bo.session.join(host.seat().0).unwrap();
    hall.settle(&mut [&mut host, &mut bo]);
    let reason = Refusal::KeptOut;
    assert!(bo.events.contains(&Event::Refused { reason }));
    assert_eq!(hall.server.rooms()[0].players, 1);
}

/// The room in which their seat is, though another one is fuller; and then the fuller one.
#[test]
fn a_quick_join_leads_who_stood_still_to_the_seat_that_is_held_once() {
    let mut hall = Hall::new(&awake());
    let mut ann = hall.host(false);
    let (mut bo, mut cy) = (hall.host(false), hall.guest(""));
    cy.session.join(bo.seat().0).unwrap();
    hall.settle(&mut [&mut ann, &mut bo, &mut cy]);
    let stalled = (0..ACK_STALL_SECONDS * 31).any(|_| {
        hall.step(&mut [&mut bo, &mut cy]);
        while ann.way.receive().is_some() {}
        ann.way.closed() == Some(CloseCode::Stalled)
    });
    assert!(stalled, "{:?}", ann.way.closed());
    let mut again = hall.guest(&ann.token());
    again.session.quick_join().unwrap();
    hall.settle(&mut [&mut again, &mut bo, &mut cy]);
    assert_eq!(again.seat(), ann.seat());
    let mut elsewhere = hall.guest(&ann.token());
    elsewhere.session.quick_join().unwrap();
    hall.settle(&mut [&mut again, &mut elsewhere, &mut bo, &mut cy]);
    assert_eq!(elsewhere.seat().0, bo.seat().0);
}

/// Whenever they come: of a room that dozes only every third slot has a turn.
#[test]
fn who_comes_back_to_a_room_that_dozes_is_answered_in_its_next_slot() {
    for offset in 0..3 {
        let mut hall = Hall::new(&Config {
            idle_after: Duration::from_secs(1),
            ..awake()
        });
        let mut ann = hall.host(false);
        (0..100 + offset).for_each(|_| hall.step(&mut [&mut ann]));
        let idle = hall.metrics.render();
        assert!(
            idle.contains("\ntickwire_rooms_idle{game=\"still\"} 1\n"),
            "{idle}"
        );
        let ticket = ann.session.ticket().unwrap();
        let again = Session::resume("somebody", &ann.token(), &ticket);
        drop(ann);
        hall.settle(&mut []);
        let mut again = hall.connect(again);
        let mut steps = 0;
        while again.session.room().is_none() {
            hall.step(&mut [&mut again]);
            steps += 1;
        }
        assert!(steps <= 2, "{steps} at offset {offset}");
    }
}

#[test]
fn an_answer_waits_for_no_snapshot() {
    let mut hall = Hall::new(&Config {
        snapshot_rate: 1,
        ..awake()
    });
    let mut ann = hall.host(false);
    for nonce in 0..10 {
        ann.session.ping(nonce).unwrap();
        hall.step(&mut [&mut ann]);
        let is_answer =
            |event: &Event| matches!(event, Event::Pong { nonce: at, .. } if *at == nonce);
        assert!(ann.events.iter().any(is_answer), "{nonce}");
    }
}

/// The process is killed: what a room was like at its last checkpoint is what the next one has.
#[test]
fn after_a_kill_a_newer_token_opens_the_seat_ticks_fall_back_and_chat_goes_on() {
    let name = format!("tickwire-{}-stepped", std::process::id());
    let folder = std::env::temp_dir().join(name);
    let config = Config {
        state_file: Some(folder.clone()),
        ..awake()
    };
    let mut hall = Hall::new(&config);
    let mut host = hall.host(false);
    host.session.chat("one").unwrap();
    // So that its checkpoint is of before what comes now, whatever its place in the second.
    let kept = |hall: &Hall| {
        let text = hall.metrics.render();
        let line = text
            .lines()
            .find(|line| line.starts_with("tickwire_checkpoints_total"));
        line.unwrap().to_owned()
    };
    hall.settle(&mut [&mut host]);
    let before = kept(&hall);
    while kept(&hall) == before {
        hall.step(&mut [&mut host]);
    }
    let at_checkpoint = host.session.room().unwrap().newest;
    host.session.chat("two").unwrap();
    (0..3).for_each(|_| hall.step(&mut [&mut host]));
    let seat = host.seat();
    let resume = Session::resume("somebody", &host.token(), &host.session.ticket().unwrap());
    let mut host = hall.connect(resume);
    hall.settle(&mut [&mut host]);
    assert_eq!(host.seat(), seat);
    let (ticket, seen) = (
        host.session.ticket().unwrap(),
        host.session.room().unwrap().newest,
    );
    assert!(seen > at_checkpoint && ticket.seen.chat == 2, "{ticket:?}");
    let Hall {
        server, start, now, ..
    } = hall;
    drop(server);
    let metrics = Arc::new(Metrics::new().unwrap());
    let game = Arc::new(GameDef::new(30).unwrap());
    let server = Stepped::new(&game, &config, metrics.clone(), 2, now).unwrap();
    let mut hall = Hall {
        server,
        metrics,
        start,
        now,
    };
    let resume = Session::resume("somebody", &host.token(), &ticket);
    let mut host = hall.connect(resume);
    hall.step(&mut [&mut host]);
    hall.step(&mut [&mut host]);
    assert_eq!(host.seat(), seat);
    let fell_back_to = host.session.room().unwrap().newest;
    assert!(fell_back_to < seen, "{fell_back_to:?} {seen:?}");
    host.session.chat("three").unwrap();
    hall.settle(&mut [&mut host]);
    let lines = host.events.iter().filter_map(|event| match event {
        Event::Chat { line } => Some((line.id, line.text.as_str())),
        _ => None,
    });
    let lines: Vec<_> = lines.collect();
    assert!(matches!(lines[..], [(id, "three")] if id > 2), "{lines:?}");
    assert_eq!(host.session.stats().desyncs, 0);
    drop(hall);
    std::fs::remove_dir_all(folder).unwrap();
}
