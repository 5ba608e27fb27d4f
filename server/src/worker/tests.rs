//! Who gets a seat when they arrive at a room, whatever they were told in the lobby before: the
//! room's worker decides, which knows the seats. A room as a worker has it, and clients that say
//! nothing.

use std::sync::Arc;
use std::time::Instant;

use tickwire::codec::decode_server;
use tickwire::ids::{PlayerId, RoomId};
use tickwire::protocol::server_message::Refusal;
use tickwire::protocol::{CloseCode, ServerMessage};
use tickwire::session::Seen;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::games::tests::hosted;
use super::room_host::{RoomHost, TurnContext};
use super::*;
use crate::admission::addresses::{AddressLease, Addresses};
use crate::auth::{Entropy, HandleKey};
use crate::config::Config;
use crate::directory::filter::Filter;
use crate::directory::kept_out::Who;
use crate::directory::local::Registry;
use crate::directory::{Creation, Directory};
use crate::game::still::Still;
use crate::game::{GameDef, Out};
use crate::presence::Presence;
use crate::store::Store;
use crate::transport::WAITING_BYTES_MAX;
use crate::transport::memory::{self, Far};

/// The only one.
const GAME: GameIndex = GameIndex(0);
/// Where somebody comes from.
const HOME: &str = "192.0.2.1";
const NEIGHBOUR: &str = "192.0.2.2";
const ELSEWHERE: &str = "198.51.100.1";
/// Places of players on the server.
const PLACES: u32 = 8;

/// What became of somebody who arrived.
#[derive(Debug, PartialEq)]
enum Came {
    /// They have a seat of their own.
    Sat,
    /// They have the seat that they had, and the connection that it had is closed, if there was
    /// one.
    SatAgain {
        closed: bool,
    },
    Refused(Refusal),
}

impl Worker {
    /// Has it panic outside of any room.
    pub(crate) fn break_down(&self) {
        let _ = self.inbox.try_send(super::Command::Break);
    }
}

struct Place {
    host: RoomHost<Still>,
    ctx: TurnContext,
    returned: UnboundedReceiver<Return>,
    addresses: Addresses,
}

impl Place {
    /// A room of so many seats, one of which is reserved for ann.
    fn new(seats: u16) -> Place {
        let config = Config::default();
        let metrics = Arc::new(Metrics::new().unwrap());
        let registry = Arc::new(Registry::new(9, 1, Entropy::default()));
        let room = RoomOptions {
            seats,
            ..RoomOptions::default()
        };
        let maker = registry.mark(&who("ann"));
        let place = registry.create(Creation::of(room.clone(), maker)).unwrap();
        registry.open(place.room);
        let def = Arc::new(GameDef::new(30).unwrap());
        let game = hosted(def.clone(), &metrics, config.idle_after);
        let (returns, returned) = unbounded_channel();
        let common = Common {
            claims: None,
            registry,
            metrics: metrics.clone(),
            returns,
            slots: None,
            play_log: None,
            store: Store::default(),
            history: Arc::new(History::new(Store::default(), metrics.clone())),
            people: Arc::new(People::new(
                Store::default(),
                Presence::default(),
                metrics.clone(),
                HandleKey::derive(b"secret"),
                Instant::now(),
            )),
            seats: SeatKey::derive(&[1; 32]),
            games: Arc::new([game.clone()]),
            stall_timeout: config.stall_timeout,
            shuffle_rooms: config.shuffle_rooms,
            peers: Peers::default(),
        };
        let options = RoomOptions {
            id: place.room,
            ..room
        };
        Place {
            host: RoomHost::open(&def, game, options).unwrap(),
            ctx: TurnContext::new(common, Arc::new(Post::new(|| {})), Instant::now()),
            returned,
            addresses: Addresses::new(&config, PLACES, metrics),
        }
    }

    fn room(&self) -> RoomId {
        self.host.id
    }

    fn registry(&self) -> &dyn Directory {
        &*self.ctx.common.registry
    }

    fn guest(&self, from: &str) -> AddressLease {
        let now = self.ctx.now;
        self.addresses.admit(from.parse().unwrap(), now).unwrap()
    }

    /// Takes a seat for each, as the lobby does.
    fn reserve(&self, names: &[&str]) {
        let registry = self.registry();
        for name in names {
            let reserved = registry.reserve(GAME, self.room(), registry.mark(&who(name)));
            reserved.unwrap();
        }
    }

    /// Somebody for whom a seat was taken is there.
    fn arrive(&mut self, name: &str, from: &str) -> Came {
        let (memory, far) = memory::pair(WAITING_BYTES_MAX);
        let mut client = Client::new(Box::new(memory), self.ctx.now);
        client.session.name = Some(name.into());
        client.session.identity = who(name);
        client.session.guest = self.guest(from);
        let before = self.host.members.len();
        self.host.join(client, &mut self.ctx).unwrap();
        let mut closed = false;
        while let Ok(back) = self.returned.try_recv() {
            if back.end.is_none() {
                let mut conn = back.client.conn;
                conn.flush(self.ctx.now).unwrap();
                return Came::Refused(refusal(&far));
            }
            closed = true;
        }
        match self.host.members.len() > before {
            true => Came::Sat,
            false => Came::SatAgain { closed },
        }
    }

    /// The connection of a member who has played is lost, and the seat held.
    fn lose(&mut self, player: u16) {
        let player = PlayerId(player);
        assert!(self.host.room.resume(player, Seen::default()));
        self.ctx.ended.push((player, End::Lost));
        self.host.settle(&mut self.ctx);
        assert!(self.host.room.has_member(player) && !self.host.room.is_present(player));
        while self.returned.try_recv().is_ok() {}
    }

    fn keep_out(&self, name: &str, from: &str) {
        let who = Who {
            identity: who(name),
            host: self.guest(from).host(),
        };
        self.registry().keep_out(self.room(), who, self.ctx.now);
    }

    /// Seats that are taken, to who lists the rooms.
    fn taken(&self) -> u16 {
        self.registry().list(&Filter::default())[0].players
    }
}

fn who(name: &str) -> Identity {
    Identity::read(&format!("user:{name}")).unwrap()
}

/// What a client got.
fn refusal(far: &Far) -> Refusal {
    match decode_server(&far.receive().unwrap()).unwrap().unwrap() {
        ServerMessage::Refused { reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_seat_that_is_held_needs_no_share_of_the_last_places() {
    let mut place = Place::new(9);
    assert_eq!(place.arrive("ann", HOME), Came::Sat);
    place.lose(0);
    let mut taken: [AddressLease; 6] = std::array::from_fn(|_| place.guest(NEIGHBOUR));
    assert!(taken.iter_mut().all(|neighbour| neighbour.sit(false)));
    for (name, from, came) in [
        ("bo", HOME, Came::Refused(Refusal::Busy)),
        ("ann", HOME, Came::SatAgain { closed: false }),
        ("cy", ELSEWHERE, Came::Sat),
    ] {
        place.reserve(&[name]);
        assert_eq!(place.arrive(name, from), came, "{name}");
    }
    assert_eq!(place.taken(), 2, "what was refused is given back");
}

#[test]
fn who_was_sent_away_on_the_way_is_kept_out_and_no_seat_that_is_held() {
    let mut place = Place::new(9);
    assert_eq!(place.arrive("ann", HOME), Came::Sat);
    place.lose(0);
    place.reserve(&["bo", "cy", "ann"]);
    place.keep_out("bo", HOME);
    let kept_out = || Came::Refused(Refusal::KeptOut);
    assert_eq!(place.arrive("bo", ELSEWHERE), kept_out());
    assert_eq!(place.arrive("cy", HOME), kept_out());
    let again = place.arrive("ann", HOME);
    assert_eq!(again, Came::SatAgain { closed: false });
    place.reserve(&["ann"]);
    place.keep_out("ann", ELSEWHERE);
    assert_eq!(place.arrive("ann", HOME), kept_out(), "it was they");
    assert_eq!(place.taken(), 1);
}

#[test]
fn a_seat_that_is_reserved_is_not_given_to_who_has_one() {
    let mut place = Place::new(2);
    assert_eq!(place.arrive("ann", HOME), Came::Sat);
    place.reserve(&["bo", "ann"]);
    let again = place.arrive("ann", ELSEWHERE);
    assert_eq!(again, Came::SatAgain { closed: true });
    assert_eq!(place.arrive("bo", HOME), Came::Sat);
}

/// Two of one person are under way, and the later is there first.
#[test]
fn who_is_on_the_way_twice_gets_one_of_the_seats_that_are_left() {
    let mut place = Place::new(2);
    place.reserve(&["bo", "ann"]);
    let full = Came::Refused(Refusal::RoomFull);
    assert_eq!(place.arrive("ann", HOME), full);
    assert_eq!(place.arrive("bo", HOME), Came::Sat);
    assert_eq!(place.arrive("ann", HOME), Came::Sat);
}

#[test]
fn who_is_sent_away_by_an_operator_does_not_count_as_one_who_leaves() {
    for (end, leads_there) in [
        (End::Close(CloseCode::Kicked), true),
        (End::Close(CloseCode::TooMany), true),
        (End::Goodbye, false),
    ] {
        let mut place = Place::new(9);
        assert_eq!(place.arrive("ann", HOME), Came::Sat);
        for name in ["bo", "cy", "dee"] {
            place.reserve(&[name]);
            assert_eq!(place.arrive(name, HOME), Came::Sat);
        }
        for player in 1..=3 {
            place.ctx.ended.push((PlayerId(player), end));
            place.host.settle(&mut place.ctx);
        }
        // A room as full, but newer.
        let registry = place.registry();
        let another = RoomOptions {
            name: "another".into(),
            code: "B".into(),
            seats: 9,
            ..RoomOptions::default()
        };
        let maker = registry.mark(&who("eve"));
        let another = registry.create(Creation::of(another, maker)).unwrap();
        registry.open(another.room);
        let asks = Who {
            identity: who("finn"),
            host: None,
        };
        let mark = registry.mark(&asks.identity);
        let led = registry
            .reserve_any(&asks, mark, &Filter::default(), place.ctx.now)
            .unwrap();
        assert_eq!(led.room == place.room(), leads_there, "{end:?}");
    }
}

/// Their seats were reserved before the game locked its room.
#[test]
fn who_is_on_the_way_when_a_room_is_locked_is_refused_but_for_who_had_it_made_or_has_a_seat() {
    let mut place = Place::new(9);
    place.reserve(&["bo", "ann"]);
    let lock = |place: &mut Place, locked| {
        let mut out = place.host.room.world_mut().resource_mut::<Out>();
        out.lock(locked);
        place.host.room.tick();
        place.host.settle(&mut place.ctx);
    };
    lock(&mut place, true);
    assert_eq!(place.arrive("ann", HOME), Came::Sat, "the first one");
    place.lose(0);
    assert_eq!(place.arrive("bo", HOME), Came::Refused(Refusal::Locked));
    assert_eq!(place.arrive("ann", HOME), Came::SatAgain { closed: false });
    let registry = place.registry();
    let bo = registry.mark(&who("bo"));
    assert_eq!(
        registry.reserve(GAME, place.room(), bo),
        Err(Refusal::Locked)
    );
    assert_eq!(place.taken(), 1, "what was refused is given back");
    lock(&mut place, false);
    place.reserve(&["bo"]);
    assert_eq!(place.arrive("bo", HOME), Came::Sat);
}
