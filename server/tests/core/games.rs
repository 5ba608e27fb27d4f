//! Several games in a process: each is by itself, and one whose rooms fail disturbs no other. Here
//! with the handshake, whose path says which game a client wants.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bevy_ecs::prelude::*;
use tickwire::ids::RoomId;
use tickwire::protocol::client_message::NewRoom;
use tickwire::protocol::server_message::{Refusal, RoomInfo};
use tickwire::protocol::{ClientMessage, CloseCode, ServerMessage};
use tickwire_harness::frames::{GOOD, hello_as};
use tickwire_server::Site;
use tickwire_server::config::{Config, GameSettings};
use tickwire_server::game::{Game, Player, RoomOptions, Schema};
use tokio::runtime::Runtime;

use crate::probe::{Order, Probe, declare};
use crate::support::{Client, Deed, Joined, config};

/// [`Probe`] under another name.
struct Named<const NAME: usize>;

const FIRST: usize = 0;
const SECOND: usize = 1;
const FATAL: usize = 2;
const NAMES: [&str; 3] = ["first", "second", "fatal"];

impl<const NAME: usize> Game for Named<NAME> {
    const NAME: &'static str = NAMES[NAME];
    type Input = Order;

    fn schema(s: &mut Schema<Self>) {
        declare(s);
    }

    fn setup(world: &mut World, systems: &mut Schedule, room: &RoomOptions) {
        Probe::setup(world, systems, room);
    }

    fn join(world: &mut World, who: &Player) -> Entity {
        Probe::join(world, who)
    }
}

/// A server of all three games.
struct Server {
    inside: tickwire_harness::Server,
    runtime: Runtime,
}

impl Server {
    /// The second game has settings of its own.
    fn start(config: Config, second: GameSettings) -> Server {
        let runtime = Runtime::new().unwrap();
        let _context = runtime.enter();
        let inside = tickwire_harness::Server::run(config, |listeners, config, stopped| {
            tickwire_server::Server::new(config)
                .game::<Named<FIRST>>(Site::new())
                .game_with::<Named<SECOND>>(Site::new(), second)
                .game::<Named<FATAL>>(Site::new())
                .run(listeners, stopped)
        });
        Server { inside, runtime }
    }

    /// In the lobby of a game.
    fn guest(&self, game: usize, name: &str) -> Client {
        let mut client = connect(self.inside.public, NAMES[game]);
        client.hello(name);
        client
    }

    /// Who came by this path and names that game.
    fn asks(&self, path: &str, game: &str) -> Client {
        let mut client = connect_by(self.inside.public, path);
        let mut hello = hello_as("ann", "");
        if let ClientMessage::Hello { game: asked, .. } = &mut hello {
            game.clone_into(asked);
        }
        client.say(&hello);
        client
    }

    /// Who was here before, in the lobby of a game.
    fn again(&self, game: usize, who: &str) -> Client {
        let mut client = connect(self.inside.public, NAMES[game]);
        client.hello_as("again", who);
        client
    }

    /// Who made a room of a game.
    fn host(&self, game: usize, name: &str) -> (Client, Joined) {
        let mut client = self.guest(game, name);
        create(&mut client, "den");
        let joined = client.joined();
        (client, joined)
    }

    fn figure(&self, name: &str, game: usize) -> f64 {
        let name = format!("{name}{{game=\"{}\"}}", NAMES[game]);
        self.runtime.block_on(self.inside.figure(&name))
    }
}

fn connect(to: SocketAddr, game: &str) -> Client {
    connect_by(to, &format!("/g/{game}/ws"))
}

fn connect_by(to: SocketAddr, path: &str) -> Client {
    let mut stream = TcpStream::connect(to).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: {to}\r\n{GOOD}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        answer.extend(byte);
    }
    assert!(answer.starts_with(b"HTTP/1.1 101"), "{answer:?}");
    Client::of(stream)
}

fn create(client: &mut Client, room: &str) {
    client.say(&ClientMessage::CreateRoom(NewRoom {
        name: room.into(),
        private: false,
        seats: 0,
        kicks: false,
        ..NewRoom::default()
    }));
}

fn list(client: &mut Client) -> Vec<RoomInfo> {
    client.say(&ClientMessage::list_rooms());
    client.wait(|message| match message {
        ServerMessage::Rooms { rooms } => Some(rooms),
        _ => None,
    })
}

/// Plays until it is told to stop, and misses no tick.
fn attend(mut client: Client, done: &AtomicBool) -> Client {
    let mut last = client.snapshot().tick;
    client.ack();
    while !done.load(Ordering::Relaxed) {
        let tick = client.snapshot().tick;
        assert_eq!(tick, last.next(), "a tick was left out");
        last = tick;
        client.ack();
    }
    client
}

/// All on one worker, which has rooms of all three between any two of its turns.
#[test]
fn a_game_whose_rooms_fail_costs_no_room_of_another_a_tick() {
    const ROUNDS: usize = 20;
    // What panicked and where is enough; backtraces take their time.
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    let server = Server::start(
        Config {
            // Slow ticks, so that who plays on a busy machine still acknowledges in time.
            tick_rate: 10,
            snapshot_rate: 10,
            // They send nothing.
            idle_after: Duration::ZERO,
            ..config()
        },
        GameSettings::default(),
    );
    let done = AtomicBool::new(false);
    let players: Vec<Client> = [FIRST, FIRST, SECOND, SECOND]
        .map(|game| server.host(game, "player").0)
        .into();
    std::thread::scope(|scope| {
        let players: Vec<_> = players
            .into_iter()
            .map(|player| scope.spawn(|| attend(player, &done)))
            .collect();
        for _ in 0..ROUNDS {
            // While a room is made, when somebody joins, in a system, and once more after that.
            let mut maker = server.guest(FATAL, "maker");
            create(&mut maker, "a room that can't be made");
            maker.closed(CloseCode::RoomFailed);
            let (mut host, joined) = server.host(FATAL, "host");
            let mut joins = server.guest(FATAL, "nobody may join");
            let room = joined.room.id;
            joins.say(&ClientMessage::join_room(room));
            joins.closed(CloseCode::RoomFailed);
            host.closed(CloseCode::RoomFailed);
            for deed in [Deed::Panic, Deed::PanicTwice] {
                let (mut culprit, _) = server.host(FATAL, "culprit");
                culprit.snapshot();
                culprit.insist(deed);
                culprit.closed(CloseCode::RoomFailed);
            }
        }
        done.store(true, Ordering::Relaxed);
        for player in players {
            player.join().unwrap().ping(1);
        }
    });
    let failed = "tickwire_rooms_failed_total";
    assert_eq!(server.figure(failed, FATAL), (4 * ROUNDS) as f64);
    for game in [FIRST, SECOND] {
        assert_eq!(server.figure(failed, game), 0.0, "{}", NAMES[game]);
        assert_eq!(server.figure("tickwire_rooms_opened_total", game), 2.0);
    }
}

#[test]
fn rooms_and_seats_of_a_game_are_not_there_for_another() {
    let server = Server::start(
        Config {
            resume_grace: Duration::from_secs(600),
            ..config()
        },
        GameSettings::default(),
    );
    let (mut ann, den) = server.host(FIRST, "ann");
    let (token, who) = (ann.token(), ann.who.clone());
    let mut bo = server.guest(SECOND, "bo");
    assert_eq!(list(&mut bo), []);
    let (room, code) = (den.room.id, den.code.clone());
    for join in [
        ClientMessage::join_room(room),
        ClientMessage::join_code(code),
    ] {
        bo.say(&join);
        assert_eq!(bo.refused(), Refusal::NoSuchRoom, "{join:?}");
    }
    // Chance leads to a room of one's own game, which is made if there is none.
    let mut cy = server.guest(SECOND, "cy");
    let quick = ClientMessage::quick_join();
    cy.say(&quick);
    let other = cy.joined();
    assert_eq!(other.members, ["cy"]);
    assert_ne!(other.room.id, den.room.id);
    let ids = |rooms: Vec<RoomInfo>| rooms.iter().map(|room| room.id).collect::<Vec<RoomId>>();
    let mut di = server.guest(FIRST, "di");
    assert_eq!(ids(list(&mut di)), [den.room.id]);
    assert_eq!(ids(list(&mut server.guest(SECOND, "ed"))), [other.room.id]);
    di.say(&quick);
    assert_eq!(di.joined().room.id, den.room.id);

    // The seat of who was lost is held, and found by nobody of another game, with its token
    // neither.
    ann.answer();
    ann.vanish();
    di.wait(|message| match message {
        ServerMessage::MemberState {
            connected: false, ..
        } => Some(()),
        _ => None,
    });
    let mut elsewhere = server.again(SECOND, &who);
    elsewhere.resume(&token);
    assert_eq!(elsewhere.refused(), Refusal::NoSuchSeat);
    elsewhere.say(&quick);
    assert_eq!(elsewhere.joined().room.id, other.room.id);
    let mut back = server.again(FIRST, &who);
    back.resume(&token);
    assert_eq!((back.joined().you, den.room.id), (den.you, room));
}

#[test]
fn a_game_has_its_own_rates_seats_and_rooms() {
    let second = GameSettings {
        tick_rate: Some(20),
        max_players: Some(3),
        max_rooms: Some(2),
        messages_per_second: Some(77),
        ..GameSettings::default()
    };
    let server = Server::start(
        Config {
            max_rooms: 3,
            ..config()
        },
        second,
    );
    let seats = |game, name| server.host(game, name).1.room.seats;
    assert_eq!(seats(SECOND, "ann"), 3);
    let (mut bo, joined) = server.host(SECOND, "bo");
    assert_eq!(joined.room.seats, 3);
    let mut third = server.guest(SECOND, "cy");
    create(&mut third, "den");
    assert_eq!(third.refused(), Refusal::TooManyRooms, "of the game");
    assert_eq!(seats(FIRST, "di"), config().max_players);
    let mut fourth = server.guest(FIRST, "ed");
    create(&mut fourth, "den");
    assert_eq!(fourth.refused(), Refusal::TooManyRooms, "of all");
    bo.ping(1);

    let mut newcomer = connect(server.inside.public, NAMES[SECOND]);
    newcomer.say(&hello_as("fi", ""));
    match newcomer.control() {
        ServerMessage::Welcome { limits, .. } => {
            assert_eq!((limits.seats, limits.messages_per_second), (3, 77));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_hello_says_which_game_else_the_path_else_it_is_the_first() {
    let server = Server::start(config(), GameSettings::default());
    for (path, asked, got) in [
        ("/ws", "", "first"),
        ("/ws", "second", "second"),
        ("/g/second/ws", "", "second"),
        ("/g/second/ws", "first", "first"),
    ] {
        match server.asks(path, asked).control() {
            ServerMessage::Welcome { game, schema, .. } => {
                assert_eq!(game, got, "{path} {asked}");
                assert_eq!(schema.unwrap().game, got);
            }
            other => panic!("{other:?}"),
        }
    }
    for nowhere in ["third", "First", "first ", "../first", &"x".repeat(4000)] {
        let mut client = server.asks("/g/second/ws", nowhere);
        client.closed(CloseCode::NoSuchGame);
    }
}
