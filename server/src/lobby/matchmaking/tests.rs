//! What a lobby of one player leads to, with a real registry and no sockets.

mod chosen;

use std::time::Duration;

use super::*;
use crate::admission::addresses::Addresses;
use crate::admission::limiter::Budget;
use crate::auth::{Entropy, Identity, SeatKey};
use crate::config::Config;
use crate::directory::GameIndex;
use crate::directory::local::Registry;
use crate::game::{Game, GameDef, RoomOptions};
use crate::lobby::elsewhere::Led;
use crate::lobby::partying::Partying;
use crate::lobby::room_defaults::RoomDefaults;
use crate::lobby::room_quotas::RoomQuotas;
use crate::lobby::visitors::Visitors;
use crate::metrics::Metrics;
use crate::transport::memory;
use crate::worker::Client;
use chosen::Plots;
use tickwire::ids::{PlayerId, RoomId};
use tickwire::protocol::client_message::{Condition, JoinAs, NewRoom};
use tickwire::protocol::server_message::RoomInfo;

struct Lobby {
    registry: Registry,
    defaults: RoomDefaults,
    room_quotas: RoomQuotas,
    seats: SeatKey,
    visitors: Visitors,
    partying: Partying,
    session: Box<Session>,
    now: Instant,
}

impl Lobby {
    fn new() -> Lobby {
        Lobby::of::<Plots<false>>()
    }

    fn of<G: Game>() -> Lobby {
        let now = Instant::now();
        let (memory, _) = memory::pair(0);
        let mut session = Client::new(Box::new(memory), now).session;
        session.name = Some("Ada".into());
        let figures = Metrics::new().unwrap();
        Lobby {
            registry: Registry::new(9, 1, Entropy::default()),
            defaults: RoomDefaults::new(
                &Config::default(),
                GameIndex::default(),
                &GameDef::<G>::new(30).unwrap(),
            ),
            room_quotas: RoomQuotas::new(3, metrics::Counter::noop()),
            seats: SeatKey::derive(&[0; 32]),
            visitors: Visitors::default(),
            partying: Partying::new(1, Duration::ZERO, figures.game("plots")),
            session,
            now,
        }
    }

    fn at_desk<T>(&mut self, ask: impl FnOnce(&Desk, &mut Session, Instant) -> T) -> T {
        let desk = Desk {
            registry: &self.registry,
            defaults: &self.defaults,
            room_quotas: &self.room_quotas,
            seats: &self.seats,
            visitors: &self.visitors,
            queueing: None,
            partying: &self.partying,
            nodes: None,
            home: None,
            game: "plots",
            folder: None,
        };
        ask(&desk, &mut self.session, self.now)
    }

    fn ask(&mut self, request: ClientMessage) -> Result<Seating, Refusal> {
        let led = self.at_desk(|desk, session, now| desk.lead(session, now, &request));
        let seating = led.map(|led| match led {
            Led::Here(seating) => *seating,
            Led::Away(_) | Led::Later(_) | Led::Nowhere => panic!("the server is alone"),
        });
        if let Ok(seating) = &seating {
            self.registry.open(seating.place.room);
        }
        seating
    }

    /// All rooms that anyone may see.
    fn listed(&mut self) -> Vec<RoomInfo> {
        self.list(&[]).expect("it may list")
    }

    fn list(&mut self, asked: &[Condition]) -> Result<Vec<RoomInfo>, Refusal> {
        self.session.requests = Budget::new(self.now);
        self.at_desk(|desk, session, now| desk.list(session, now, asked))
    }
}

fn options_of(seating: &Seating) -> &RoomOptions {
    match &seating.join_request {
        JoinRequest::Open(options) => options,
        _ => panic!("the room is not new"),
    }
}

#[test]
fn a_quick_join_makes_a_room_and_the_next_one_finds_it() {
    let mut lobby = Lobby::new();
    let first = lobby.ask(ClientMessage::quick_join()).unwrap();
    let options = options_of(&first);
    assert_eq!(options.name, "Ada's room");
    assert_eq!(options.seats, Config::default().max_players);
    let second = lobby.ask(ClientMessage::quick_join()).unwrap();
    assert!(matches!(second.join_request, JoinRequest::Join) && second.place == first.place);
}

#[test]
fn a_private_room_is_joined_by_its_code() {
    let mut lobby = Lobby::new();
    let create = ClientMessage::CreateRoom(NewRoom {
        name: " den ".into(),
        private: true,
        seats: 2,
        ..NewRoom::default()
    });
    let made = lobby.ask(create).unwrap();
    let options = options_of(&made);
    assert_eq!((options.name.as_str(), options.seats), ("den", 2));
    let room = made.place.room;
    let by_number = lobby.ask(ClientMessage::join_room(room));
    assert_eq!(by_number.unwrap_err(), Refusal::NoSuchRoom);
    let code = options.code.to_lowercase();
    let joined = lobby.ask(ClientMessage::join_code(code.clone()));
    assert_eq!(joined.unwrap().place, made.place);
    let join = ClientMessage::join_code(code);
    assert!(lobby.ask(join.clone()).is_ok(), "theirs is there");
    lobby.session.identity = Identity {
        subject: "bo".into(),
        is_guest: true,
    };
    assert_eq!(lobby.ask(join).unwrap_err(), Refusal::RoomFull);
}

#[test]
fn seats_are_at_most_the_servers() {
    let mut lobby = Lobby::new();
    lobby.defaults.options.seats = 4;
    lobby.room_quotas = RoomQuotas::new(9, metrics::Counter::noop());
    for (asked, given) in [(0, 4), (1, 1), (4, 4), (5, 4), (u16::MAX, 4)] {
        let create = ClientMessage::CreateRoom(NewRoom {
            seats: asked,
            ..NewRoom::default()
        });
        let made = lobby.ask(create).unwrap();
        assert_eq!(options_of(&made).seats, given, "asked for {asked}");
    }
}

#[test]
fn a_player_makes_only_so_many_rooms() {
    let mut lobby = Lobby::new();
    let create = ClientMessage::CreateRoom(NewRoom {
        private: true,
        ..NewRoom::default()
    });
    let made: Vec<RoomId> = (0..3)
        .map(|_| lobby.ask(create.clone()).unwrap().place.room)
        .collect();
    let refused = lobby.ask(create.clone()).unwrap_err();
    assert_eq!(refused, Refusal::TooManyRooms);
    assert!(
        lobby.ask(ClientMessage::quick_join()).is_err(),
        "nor by chance"
    );
    lobby.registry.close(made[1]);
    assert!(lobby.ask(create).is_ok(), "one of them is gone");
}

/// A token that this server did not give.
fn made_up(room: RoomId) -> String {
    SeatKey::derive(&[0; 32]).token(room, PlayerId(0), 0, &Identity::nobody())
}

/// A made-up token costs the same before anybody looks whether its room is there, and gets the
/// same join request.
#[test]
fn a_made_up_token_of_a_room_that_is_there_costs_what_one_of_none_does() {
    let mut tries = Vec::new();
    for there in [true, false] {
        let mut lobby = Lobby::new();
        let made = lobby.ask(ClientMessage::quick_join()).unwrap();
        lobby.session.requests = Budget::new(lobby.now);
        let room = match there {
            true => made.place.room,
            false => RoomId(made.place.room.0 ^ 1),
        };
        let token = made_up(room);
        let (chat, seen) = (0, tickwire::ids::Tick(0));
        let resume = ClientMessage::Resume { token, chat, seen };
        let granted = (0..9).take_while(|_| match lobby.ask(resume.clone()) {
            Ok(seating) => matches!(seating.join_request, JoinRequest::Resume(_)),
            Err(refused) => {
                assert_eq!(refused, Refusal::TooOften);
                false
            }
        });
        tries.push(granted.count());
    }
    assert_eq!(tries, [3, 3]);
}

/// Who has the seat has paid for a join.
#[test]
fn a_seat_that_was_taken_again_costs_a_join() {
    let mut lobby = Lobby::new();
    let room = RoomId(1);
    let token = made_up(room);
    let (chat, seen) = (0, tickwire::ids::Tick(0));
    let resume = ClientMessage::Resume { token, chat, seen };
    for _ in 0..10 {
        assert!(lobby.ask(resume.clone()).is_ok());
        request_prices::resumed(&mut lobby.session.requests);
    }
    assert_eq!(lobby.ask(resume).unwrap_err(), Refusal::TooOften);
}

#[test]
fn guessing_ends_soon_and_all_of_it_looks_the_same() {
    let mut lobby = Lobby::new();
    let guesses = [
        ClientMessage::join_code("00000000"),
        ClientMessage::join_code("x"),
        ClientMessage::join_room(RoomId(7)),
    ];
    for guess in &guesses {
        let refused = lobby.ask(guess.clone()).unwrap_err();
        assert_eq!(refused, Refusal::NoSuchRoom);
    }
    let refused = lobby.ask(guesses[0].clone()).unwrap_err();
    assert_eq!(refused, Refusal::TooOften);
    assert_eq!(
        lobby.ask(ClientMessage::quick_join()).unwrap_err(),
        Refusal::TooOften
    );
}

#[test]
fn who_looks_on_is_led_to_a_room_and_none_is_made_for_them() {
    let mut lobby = Lobby::new();
    let spectator = || JoinAs {
        spectator: true,
        ..JoinAs::default()
    };
    let quick = ClientMessage::QuickJoin {
        filter: Vec::new(),
        who: spectator(),
        options: Vec::new(),
    };
    assert_eq!(lobby.ask(quick.clone()).unwrap_err(), Refusal::NoSuchRoom);
    let made = lobby.ask(ClientMessage::quick_join()).unwrap();
    let (room, code) = (made.place.room, options_of(&made).code.clone());
    let asks = [
        quick,
        ClientMessage::JoinRoom {
            room,
            who: spectator(),
        },
        ClientMessage::JoinCode {
            code,
            who: spectator(),
        },
    ];
    for ask in &asks {
        let led = lobby.ask(ask.clone()).unwrap();
        assert!(matches!(led.join_request, JoinRequest::Watch));
        assert_eq!(led.place, made.place);
    }
    let listed = &lobby.listed()[0];
    assert_eq!((listed.players, listed.spectators), (1, 3));
    lobby.session.requests = Budget::new(lobby.now);
    let who = Who {
        identity: Identity::nobody(),
        host: None,
    };
    lobby.registry.keep_out(room, who, lobby.now);
    for (ask, why) in
        asks.into_iter()
            .zip([Refusal::NoSuchRoom, Refusal::KeptOut, Refusal::KeptOut])
    {
        assert_eq!(lobby.ask(ask).unwrap_err(), why);
    }
    let listed = &lobby.listed()[0];
    assert_eq!(listed.spectators, 3, "no place is taken by it");
}

#[test]
fn a_host_may_kick_where_the_room_was_made_so_and_where_it_is_private() {
    let mut lobby = Lobby::new();
    lobby.room_quotas = RoomQuotas::new(9, metrics::Counter::noop());
    for (private, kicks, may) in [
        (false, false, false),
        (false, true, true),
        (true, false, true),
        (true, true, true),
    ] {
        let create = ClientMessage::CreateRoom(NewRoom {
            private,
            kicks,
            ..NewRoom::default()
        });
        let made = lobby.ask(create).unwrap();
        assert_eq!(options_of(&made).kicks, may, "{private} {kicks}");
    }
    let listed = lobby.listed();
    assert_eq!(listed.iter().filter(|room| room.kicks).count(), 1);
    lobby.session.requests = Budget::new(lobby.now);
    let chance = lobby.ask(ClientMessage::quick_join()).unwrap();
    let id = listed.iter().find(|room| !room.kicks).unwrap().id;
    assert_eq!(chance.place.room, id);
}

#[test]
fn who_was_sent_away_is_told_so_wherever_they_name_the_room_and_led_elsewhere_by_chance() {
    let mut lobby = Lobby::new();
    let made = lobby.ask(ClientMessage::quick_join()).unwrap();
    let (room, code) = (made.place.room, options_of(&made).code.clone());
    let who = Who {
        identity: Identity::nobody(),
        host: None,
    };
    lobby.registry.keep_out(room, who, lobby.now);
    for ask in [
        ClientMessage::join_room(room),
        ClientMessage::join_code(code),
    ] {
        assert_eq!(lobby.ask(ask).unwrap_err(), Refusal::KeptOut);
    }
    assert_eq!(lobby.listed()[0].players, 1, "no seat is taken by it");
    let elsewhere = lobby.ask(ClientMessage::quick_join()).unwrap();
    assert_ne!(elsewhere.place.room, room);
    lobby.now += std::time::Duration::from_secs(601);
    assert!(lobby.ask(ClientMessage::join_room(room)).is_ok());
}

#[test]
fn a_seat_that_is_held_is_theirs_though_a_neighbour_was_sent_away() {
    let metrics = std::sync::Arc::new(Metrics::new().unwrap());
    let addresses = Addresses::new(&Config::default(), 9, metrics);
    let mut lobby = Lobby::new();
    lobby.session.guest = addresses
        .admit("192.0.2.1".parse().unwrap(), lobby.now)
        .unwrap();
    let room = lobby.ask(ClientMessage::quick_join()).unwrap().place.room;
    let mark = lobby.registry.mark(&lobby.session.identity);
    lobby.registry.lose(room, mark);
    let kept = Who {
        identity: Identity::read("guest:another").unwrap(),
        host: lobby.session.guest.host(),
    };
    lobby.registry.keep_out(room, kept, lobby.now);
    for ask in [ClientMessage::join_room(room), ClientMessage::quick_join()] {
        assert_eq!(lobby.ask(ask).unwrap().place.room, room);
        lobby.registry.release(room, mark);
    }
}

/// Whoever has an IPv6 address has as many as they like: all of a /64 are one host.
#[test]
fn who_was_sent_away_does_not_come_back_from_the_next_address_of_their_own() {
    let metrics = std::sync::Arc::new(Metrics::new().unwrap());
    let addresses = Addresses::new(&Config::default(), 9, metrics);
    let mut lobby = Lobby::new();
    let room = lobby.ask(ClientMessage::quick_join()).unwrap().place.room;
    for (address, guest, is_kept) in [
        ("2001:db8::1", "guest:1", false),
        ("2001:db8::2:1", "guest:2", true),
        ("2001:db8:0:1::1", "guest:3", false),
    ] {
        let address = address.parse().unwrap();
        lobby.session.guest = addresses.admit(address, lobby.now).unwrap();
        lobby.session.identity = Identity::read(guest).unwrap();
        let asked = lobby.ask(ClientMessage::join_room(room));
        let refused = asked.err();
        assert_eq!(refused, is_kept.then_some(Refusal::KeptOut), "{address}");
        if guest == "guest:1" {
            let who = Who {
                identity: lobby.session.identity.clone(),
                host: lobby.session.guest.host(),
            };
            lobby.registry.keep_out(room, who, lobby.now);
        }
    }
}
