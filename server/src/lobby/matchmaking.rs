//! From a request of the lobby to a seat in a room: what may be asked, how often, and the room
//! that is made for it. Pure but for the registry and the random numbers of codes and seeds.
//! `sessions` calls it.

use std::time::Instant;

use tickwire::protocol::ClientMessage;
use tickwire::protocol::client_message::{Condition, JoinAs};
use tickwire::protocol::server_message::Refusal;
use tickwire::session::Seen;

use super::room_quotas::RoomQuotas;
use super::watching::{self, Sight};
use crate::admission::request_prices;
use crate::auth::SeatToken;
use crate::config::Config;
use crate::directory::code::{read_code, room_code};
use crate::directory::kept_out::Who;
use crate::directory::{Directory, Place};
use crate::game::RoomOptions;
use crate::text::room_name;
use crate::worker::{JoinRequest, ResumeRequest, Session};

/// What rooms are made with, from the operator's settings.
#[derive(Clone, Debug)]
pub(crate) struct RoomDefaults {
    /// As a quick join makes them, but for their names; no more seats than these.
    pub(crate) options: RoomOptions,
    /// Of all rooms; `None`: of each one its own.
    seed: Option<u64>,
}

impl RoomDefaults {
    /// For a game whose rules allow `seats_max`.
    pub(crate) fn new(config: &Config, seats_max: u16) -> RoomDefaults {
        RoomDefaults {
            options: RoomOptions {
                name: String::new(),
                seats: config.max_players.min(seats_max),
                spectators: config.max_spectators,
                tick_rate: config.tick_rate,
                snapshot_every: config.snapshot_every(),
                grace: config.grace_ticks(),
                npcs: config.npcs,
                ..RoomOptions::default()
            },
            seed: config.seed,
        }
    }
}

/// A seat to go to.
#[derive(Debug)]
pub(crate) struct Seating {
    /// Which room and worker.
    pub(crate) place: Place,
    /// What to do there.
    pub(crate) join_request: JoinRequest,
}

/// Takes the seat that a create or join of somebody who has said hello asks for. What they make is
/// held by their address and in `room_quotas`.
///
/// # Errors
/// What the client is told; nothing has changed then, but its budget.
pub(crate) fn seat(
    registry: &dyn Directory,
    defaults: &RoomDefaults,
    room_quotas: &RoomQuotas,
    session: &mut Session,
    now: Instant,
    request: &ClientMessage,
) -> Result<Seating, Refusal> {
    if !request_prices::may_join(&mut session.requests, now) {
        return Err(Refusal::TooOften);
    }
    let names_a_room = matches!(
        request,
        ClientMessage::JoinRoom { .. } | ClientMessage::JoinCode { .. }
    );
    if names_a_room && !session.guest.may_guess(now) {
        return Err(Refusal::TooOften);
    }
    if let Some(sight) = Sight::of(request) {
        return Ok(Seating {
            place: watching::place(registry, session, now, sight)?,
            join_request: JoinRequest::Watch,
        });
    }
    check(request)?;
    let (game, mark) = (session.game, registry.mark(&session.identity));
    let mut who = Who {
        identity: session.identity.clone(),
        host: session.guest.host(),
    };
    let place = match request {
        ClientMessage::JoinRoom { room, .. } => registry.reserve(game, *room, mark),
        ClientMessage::JoinCode { code, .. } => match read_code(code) {
            Some(code) => registry.reserve_by_code(game, &code, mark),
            None => Err(Refusal::NoSuchRoom),
        },
        ClientMessage::CreateRoom(new) => {
            let most = defaults.options.seats;
            let asked = RoomOptions {
                name: new.name.clone(),
                private: new.private,
                seats: if new.seats == 0 {
                    most
                } else {
                    new.seats.min(most)
                },
                // Those who are there were given the code by somebody.
                kicks: new.kicks || new.private,
                ..defaults.options.clone()
            };
            return make(registry, defaults.seed, room_quotas, session, asked);
        }
        ClientMessage::Resume { token, chat, seen } => {
            // Ahead, and whatever is wrong with it: who pays only after the room was found would
            // learn that it is there.
            request_prices::guessed(&mut session.requests);
            let token = SeatToken::read(token).ok_or(Refusal::NoSuchSeat)?;
            let (chat, tick) = (*chat, *seen);
            let seen = Seen { chat, tick };
            return Ok(Seating {
                place: registry.find(token.room),
                join_request: JoinRequest::Resume(ResumeRequest { token, seen }),
            });
        }
        _ => match registry.reserve_any(game, &who, mark, now) {
            Some(place) => Ok(place),
            None => {
                let usual = defaults.options.clone();
                return make(registry, defaults.seed, room_quotas, session, usual);
            }
        },
    };
    // Only who named a room that is there learns that they are kept out of it.
    if let Ok(place) = place {
        // Whether the seat will be one of theirs is for the worker to say, which asks again.
        let has_another = registry.has_another(place.room, mark);
        who.host = who.host.filter(|_| !has_another);
        if registry.keeps_out(place.room, &who, now) {
            registry.release(place.room, mark);
            return Err(Refusal::KeptOut);
        }
    }
    if place == Err(Refusal::NoSuchRoom) {
        request_prices::guessed(&mut session.requests);
        session.guest.guessed_wrong(now);
    }
    Ok(Seating {
        place: place?,
        join_request: JoinRequest::Join,
    })
}

/// Whether a request asks for what there is: no game declares options yet.
fn check(request: &ClientMessage) -> Result<(), Refusal> {
    let (filter, who, room): (&[Condition], &JoinAs, &[u8]) = match request {
        ClientMessage::CreateRoom(new) => {
            return match new.options.is_empty() && new.player.is_empty() {
                true => Ok(()),
                false => Err(Refusal::BadOptions),
            };
        }
        ClientMessage::JoinRoom { who, .. } | ClientMessage::JoinCode { who, .. } => {
            (&[], who, &[])
        }
        ClientMessage::QuickJoin {
            filter,
            who,
            options,
        } => (filter, who, options),
        _ => return Ok(()),
    };
    if !filter.is_empty() {
        return Err(Refusal::BadFilter);
    }
    match who.options.is_empty() && room.is_empty() {
        true => Ok(()),
        false => Err(Refusal::BadOptions),
    }
}

/// A room as it is asked for, but for what nobody may choose.
fn make(
    registry: &dyn Directory,
    seed: Option<u64>,
    room_quotas: &RoomQuotas,
    session: &Session,
    mut room: RoomOptions,
) -> Result<Seating, Refusal> {
    let (code, random) = (registry.random()?, registry.random()?);
    let at_player = room_quotas.room(&session.identity);
    let at_player = at_player.ok_or(Refusal::TooManyRooms)?;
    let at_address = session.guest.room(registry.fill(session.game));
    let at_address = at_address.ok_or(Refusal::TooManyRooms)?;
    let maker = session.name.as_deref().unwrap_or_default();
    room.name = room_name(&room.name, maker);
    room.code = room_code(code);
    room.seed = seed.unwrap_or(random);
    let place = registry.create(
        session.game,
        room.clone(),
        session.guest.network(),
        registry.mark(&session.identity),
        Box::new((at_player, at_address)),
    )?;
    room.id = place.room;
    Ok(Seating {
        place,
        join_request: JoinRequest::Open(Box::new(room)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::addresses::Addresses;
    use crate::admission::limiter::Budget;
    use crate::auth::{Entropy, Identity};
    use crate::directory::GameIndex;
    use crate::directory::local::Registry;
    use crate::metrics::Metrics;
    use crate::transport::memory;
    use crate::worker::Client;
    use tickwire::ids::RoomId;
    use tickwire::protocol::client_message::{JoinAs, NewRoom};

    struct Lobby {
        registry: Registry,
        defaults: RoomDefaults,
        room_quotas: RoomQuotas,
        session: Box<Session>,
        now: Instant,
    }

    impl Lobby {
        fn new() -> Lobby {
            let now = Instant::now();
            let (memory, _) = memory::pair(0);
            let mut session = Client::new(Box::new(memory), now).session;
            session.name = Some("Ada".into());
            Lobby {
                registry: Registry::new(9, 1, Entropy::default()),
                defaults: RoomDefaults::new(&Config::default(), u16::MAX),
                room_quotas: RoomQuotas::new(3, metrics::Counter::noop()),
                session,
                now,
            }
        }

        fn ask(&mut self, request: ClientMessage) -> Result<Seating, Refusal> {
            let seating = seat(
                &self.registry,
                &self.defaults,
                &self.room_quotas,
                &mut self.session,
                self.now,
                &request,
            );
            if let Ok(seating) = &seating {
                self.registry.open(seating.place.room);
            }
            seating
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
            kicks: false,
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
                name: String::new(),
                private: false,
                seats: asked,
                kicks: false,
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
            name: String::new(),
            private: true,
            seats: 0,
            kicks: false,
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
            let (token, _) =
                SeatToken::generate(&Entropy::default(), room, tickwire::ids::PlayerId(0)).unwrap();
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
        let (token, _) =
            SeatToken::generate(&Entropy::default(), room, tickwire::ids::PlayerId(0)).unwrap();
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
        let listed = &lobby.registry.list(GameIndex::default())[0];
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
        let listed = &lobby.registry.list(GameIndex::default())[0];
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
                name: String::new(),
                private,
                seats: 0,
                kicks,
                ..NewRoom::default()
            });
            let made = lobby.ask(create).unwrap();
            assert_eq!(options_of(&made).kicks, may, "{private} {kicks}");
        }
        let listed = lobby.registry.list(GameIndex::default());
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
        assert_eq!(
            lobby.registry.list(GameIndex::default())[0].players,
            1,
            "no seat is taken by it"
        );
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
}
