//! From a request of the lobby to a seat in a room: what may be asked, how often, and the room
//! that is made for it. Pure but for the registry and the random numbers of codes and seeds.
//! `sessions` calls it.

use std::sync::Arc;
use std::time::Instant;

use tickwire::protocol::ClientMessage;
use tickwire::protocol::client_message::Condition;
use tickwire::protocol::server_message::{Refusal, RoomInfo};
use tickwire::schema::Field;
use tickwire::session::Seen;

use super::listed::ListedRoom;
use super::room_quotas::RoomQuotas;
use super::watching::{self, Sight};
use crate::admission::request_prices;
use crate::auth::SeatToken;
use crate::config::Config;
use crate::directory::code::{read_code, room_code};
use crate::directory::filter::Filter;
use crate::directory::kept_out::Who;
use crate::directory::{Creation, Directory, GameIndex, Named, Place};
use crate::game::{Options, OptionsTypes, RoomOptions};
use crate::text::room_name;
use crate::worker::{AnyGame, JoinRequest, ResumeRequest, Session};

/// What rooms are made with, from the operator's settings, and what their game declares of them.
#[derive(Clone)]
pub(crate) struct RoomDefaults {
    /// As a quick join makes them, but for their names; no more seats than these.
    pub(crate) options: RoomOptions,
    /// Of all rooms; `None`: of each one its own.
    seed: Option<u64>,
    game: GameIndex,
    declared: Arc<OptionsTypes>,
    metadata: Vec<Field>,
}

impl RoomDefaults {
    /// For rooms of a game, and its place in the table of games.
    pub(crate) fn new(config: &Config, game: GameIndex, def: &dyn AnyGame) -> RoomDefaults {
        RoomDefaults {
            options: RoomOptions {
                name: String::new(),
                seats: config.max_players.min(def.seats_max()),
                spectators: config.max_spectators,
                tick_rate: config.tick_rate,
                snapshot_every: config.snapshot_every(),
                grace: config.grace_ticks(),
                npcs: config.npcs,
                ..RoomOptions::default()
            },
            seed: config.seed,
            game,
            declared: def.options().clone(),
            metadata: def.schema().metadata.clone(),
        }
    }

    /// The game's listed rooms, for who is no client of it.
    pub(super) fn listed(&self, registry: &dyn Directory) -> Vec<ListedRoom> {
        let rooms = registry.list(&Filter::every(self.game, &self.metadata));
        rooms.into_iter().map(|room| self.shown(room)).collect()
    }

    /// A room as it is shown to who is no client of the game.
    pub(super) fn shown(&self, room: RoomInfo) -> ListedRoom {
        ListedRoom::new(room, &self.metadata)
    }

    /// Conditions on the metadata of the game's rooms.
    ///
    /// # Errors
    /// `BadFilter`
    fn filter(&self, asked: &[Condition]) -> Result<Filter, Refusal> {
        Filter::new(self.game, &self.metadata, asked)
    }

    fn room_options(&self, bytes: &[u8]) -> Result<Options, Refusal> {
        self.declared.room.read(bytes).ok_or(Refusal::BadOptions)
    }

    fn player_options(&self, bytes: &[u8]) -> Result<Options, Refusal> {
        self.declared.player.read(bytes).ok_or(Refusal::BadOptions)
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

/// The listed rooms that meet all that somebody who has said hello asks.
///
/// # Errors
/// What the client is told.
pub(crate) fn list(
    registry: &dyn Directory,
    defaults: &RoomDefaults,
    session: &mut Session,
    now: Instant,
    asked: &[Condition],
) -> Result<Vec<RoomInfo>, Refusal> {
    if !request_prices::may_list(&mut session.requests, now) {
        return Err(Refusal::TooOften);
    }
    let rooms = registry.list(&defaults.filter(asked)?);
    request_prices::listed(&mut session.requests, &rooms);
    Ok(rooms)
}

/// Takes the seat that a create or join of somebody who has said hello asks for. What they make is
/// held by their address and in `room_quotas`; what they bring is in their session.
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
        let filter = match request {
            ClientMessage::QuickJoin { filter, .. } => defaults.filter(filter)?,
            _ => Filter::default(),
        };
        return Ok(Seating {
            place: watching::place(registry, session, now, sight, &filter)?,
            join_request: JoinRequest::Watch,
        });
    }
    // All that is said is looked at before anything is taken.
    session.options = match request {
        ClientMessage::CreateRoom(new) => defaults.player_options(&new.player)?,
        ClientMessage::JoinRoom { who, .. }
        | ClientMessage::JoinCode { who, .. }
        | ClientMessage::QuickJoin { who, .. } => defaults.player_options(&who.options)?,
        _ => Options::default(),
    };
    let (game, mark) = (session.game, registry.mark(&session.identity));
    let mut join_request = JoinRequest::Join;
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
                options: defaults.room_options(&new.options)?,
                ..defaults.options.clone()
            };
            let creation = creation(registry, defaults, room_quotas, session, asked);
            if !new.or_join || new.private {
                return make(registry, creation?);
            }
            let name = room_name(&new.name, session.name.as_deref().unwrap_or_default());
            let Named { place, opens } = registry.reserve_or_create(game, &name, mark, creation)?;
            join_request = opens.map_or(JoinRequest::Join, JoinRequest::Open);
            Ok(place)
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
        ClientMessage::QuickJoin {
            filter, options, ..
        } => {
            let filter = defaults.filter(filter)?;
            let options = defaults.room_options(options)?;
            match registry.reserve_any(&who, mark, &filter, now) {
                Some(place) => Ok(place),
                None => {
                    let usual = RoomOptions {
                        options,
                        ..defaults.options.clone()
                    };
                    let mut creation = creation(registry, defaults, room_quotas, session, usual)?;
                    creation.made_for = filter;
                    return make(registry, creation);
                }
            }
        }
        // Nothing else leads to a seat.
        _ => return Err(Refusal::NoSuchRoom),
    };
    // Only who named a room that is there learns that they are kept out of it.
    if let Ok(place) = place {
        // Whether the seat will be one of theirs is for the worker to say, which asks again.
        let has_another = registry.has_another(place.room, mark);
        who.host = who.host.filter(|_| !has_another);
        if registry.keeps_out(place.room, &who, now) {
            registry.abandon(place.room, mark);
            return Err(Refusal::KeptOut);
        }
    }
    if place == Err(Refusal::NoSuchRoom) {
        request_prices::guessed(&mut session.requests);
        session.guest.guessed_wrong(now);
    }
    Ok(Seating {
        place: place?,
        join_request,
    })
}

/// A room as it is asked for, but for what nobody may choose.
fn creation(
    registry: &dyn Directory,
    defaults: &RoomDefaults,
    room_quotas: &RoomQuotas,
    session: &Session,
    mut room: RoomOptions,
) -> Result<Creation, Refusal> {
    let (code, random) = (registry.random()?, registry.random()?);
    let at_player = room_quotas.room(&session.identity);
    let at_player = at_player.ok_or(Refusal::TooManyRooms)?;
    let at_address = session.guest.room(registry.fill(session.game));
    let at_address = at_address.ok_or(Refusal::TooManyRooms)?;
    let maker = session.name.as_deref().unwrap_or_default();
    room.name = room_name(&room.name, maker);
    room.code = room_code(code);
    room.seed = defaults.seed.unwrap_or(random);
    Ok(Creation {
        game: session.game,
        options: room,
        network: session.guest.network(),
        maker: registry.mark(&session.identity),
        made_for: Filter::default(),
        held: Box::new((at_player, at_address)),
    })
}

fn make(registry: &dyn Directory, new: Creation) -> Result<Seating, Refusal> {
    let mut room = Box::new(new.options.clone());
    let place = registry.create(new)?;
    room.id = place.room;
    Ok(Seating {
        place,
        join_request: JoinRequest::Open(room),
    })
}

#[cfg(test)]
mod tests {
    mod chosen;

    use super::*;
    use crate::admission::addresses::Addresses;
    use crate::admission::limiter::Budget;
    use crate::auth::{Entropy, Identity, SeatKey};
    use crate::directory::local::Registry;
    use crate::game::{Game, GameDef};
    use crate::metrics::Metrics;
    use crate::transport::memory;
    use crate::worker::Client;
    use chosen::Plots;
    use tickwire::ids::{PlayerId, RoomId};
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
            Lobby::of::<Plots<false>>()
        }

        fn of<G: Game>() -> Lobby {
            let now = Instant::now();
            let (memory, _) = memory::pair(0);
            let mut session = Client::new(Box::new(memory), now).session;
            session.name = Some("Ada".into());
            Lobby {
                registry: Registry::new(9, 1, Entropy::default()),
                defaults: RoomDefaults::new(
                    &Config::default(),
                    GameIndex::default(),
                    &GameDef::<G>::new(30).unwrap(),
                ),
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

    impl Lobby {
        /// All rooms that anyone may see.
        fn listed(&mut self) -> Vec<RoomInfo> {
            self.list(&[]).expect("it may list")
        }

        fn list(&mut self, asked: &[Condition]) -> Result<Vec<RoomInfo>, Refusal> {
            self.session.requests = Budget::new(self.now);
            list(
                &self.registry,
                &self.defaults,
                &mut self.session,
                self.now,
                asked,
            )
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
                name: String::new(),
                private,
                seats: 0,
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
}
