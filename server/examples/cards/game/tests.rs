//! Rounds played over the protocol, without sockets and clocks: guests are client sessions, the
//! rest is the server as it is. What a guest knows is what its session decoded.

#[path = "../../../tests/continuation/mod.rs"]
mod continuation;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bevy_ecs::prelude::*;
use serde_json::json;
use tickwire::exact::Xorshift32;
use tickwire::ids::{Handle, LayerId, PlayerId};
use tickwire::protocol::ClientMessage;
use tickwire::session::{Event, Session};
use tickwire::snapshot::column_set::ColumnSet;
use tickwire::snapshot::fields::pack;
use tickwire_server::config::Config;
use tickwire_server::game::{GameDef, RoomOptions};
use tickwire_server::lobby::Stepped;
use tickwire_server::metrics::Metrics;
use tickwire_server::transport::memory::{self, Far};

use super::Cards;
use super::deck::{Card, Deck, EIGHT};
use super::rounds::{RESULT_S, TURN_S};
use super::table::{Face, Phase, Seat, Table};

const TICK_RATE: u16 = 20;
/// Bytes that a guest's end holds: more than a tick sends.
const WAY_BYTES: usize = 1 << 16;

struct Guest {
    way: Far,
    session: Session,
    /// Events of the game, by name.
    heard: Vec<(String, Vec<i32>)>,
    answer: Option<Result<Vec<u8>, String>>,
}

/// The server with a table and its guests, on a clock of its own.
struct Scene {
    server: Stepped<Cards>,
    guests: Vec<Guest>,
    start: Instant,
    now_us: u64,
}

impl Scene {
    fn new(guests: usize) -> Scene {
        let game = Arc::new(GameDef::<Cards>::new(TICK_RATE).expect("the schema is sound"));
        let config = Config {
            tick_rate: TICK_RATE,
            snapshot_rate: TICK_RATE,
            seed: Some(8),
            ..Config::default()
        };
        let metrics = Arc::new(Metrics::new().expect("they are sound"));
        let start = Instant::now();
        let server = Stepped::new(&game, &config, metrics, 1, start);
        let mut scene = Scene {
            server: server.expect("the settings are sound"),
            guests: Vec::new(),
            start,
            now_us: 0,
        };
        for at in 0..guests {
            scene.come(at, Session::new("guest", ""));
            scene.guests[at].session.quick_join().expect("in the lobby");
            scene.tick();
            scene.tick();
        }
        scene
    }

    /// Somebody connects and is the guest at this index.
    fn come(&mut self, at: usize, session: Session) {
        let (way, far) = memory::pair(WAY_BYTES);
        let now = self.start + Duration::from_micros(self.now_us);
        self.server.connect(way, now);
        let guest = Guest {
            way: far,
            session,
            heard: Vec::new(),
            answer: None,
        };
        self.guests.insert(at, guest);
        self.tick();
    }

    /// A guest leaves the table.
    fn leave(&mut self, guest: usize) {
        self.guests[guest].session.leave().expect("at the table");
        self.tick();
        self.guests.remove(guest);
    }

    /// The time of a tick goes by: what is said arrives, the table has its turn, and its guests
    /// hear of it.
    fn tick(&mut self) {
        self.now_us += 1_000_000 / u64::from(TICK_RATE);
        for guest in &mut self.guests {
            guest.session.handle_timeout(self.now_us);
            while let Some(message) = guest.session.poll_transmit() {
                guest.way.send(message);
            }
        }
        let now = self.start + Duration::from_micros(self.now_us);
        self.server.step(now);
        for guest in &mut self.guests {
            while let Some(message) = guest.way.receive() {
                guest.take(&message, self.now_us);
            }
            assert_eq!(guest.way.closed(), None);
        }
    }

    fn world(&mut self) -> &mut World {
        let table = self.server.rooms()[0].id;
        self.server.room(table).expect("it is there").world_mut()
    }

    /// Ticks until the game is in a phase, at most two minutes of them.
    fn until(&mut self, phase: Phase) {
        for _ in 0..120 * TICK_RATE {
            if self.table().phase() == phase {
                return;
            }
            self.tick();
        }
        panic!("{phase:?} never comes");
    }

    /// Whose the seats are, and whether they are away.
    fn seats(&mut self) -> Vec<(PlayerId, bool)> {
        let world = self.world();
        let mut seats = world.query::<&Seat>();
        let seats = seats.iter(world).map(|seat| (seat.player, seat.away));
        seats.collect()
    }

    fn table(&mut self) -> &Table {
        self.world().resource::<Table>()
    }

    /// Whose turn it is, as an index of the guests.
    fn turn(&mut self) -> usize {
        let seat = self.table().turn.expect("somebody's turn");
        let player = self.seat(seat).player;
        let guest = self.guests.iter().position(|guest| guest.id() == player);
        guest.expect("one of the guests")
    }

    fn seat(&mut self, seat: Entity) -> &Seat {
        self.world().get::<Seat>(seat).expect("a seat")
    }

    /// Makes a guest's request and returns the answer.
    fn act(&mut self, guest: usize, action: u16, values: &[i32]) -> Result<(), String> {
        self.ask(guest, action, values).map(drop)
    }

    /// The same, and what the answer has.
    fn ask(&mut self, guest: usize, action: u16, values: &[i32]) -> Result<Vec<i32>, String> {
        let session = &mut self.guests[guest].session;
        session.act(1, action, values, &[]).expect("a good request");
        self.tick();
        let answer = self.guests[guest].answer.take().expect("an answer")?;
        let read = self.guests[guest].session.read_answer(action, &answer);
        Ok(read.expect("it is as declared").0)
    }

    /// Plays a card; an eight names hearts.
    fn play(&mut self, guest: usize, card: Handle) -> Result<(), String> {
        self.act(guest, 0, &[card.to_field(), 2])
    }

    /// A card in a guest's hand that fits, or does not.
    fn choose(&mut self, guest: usize, fitting: bool) -> Option<Handle> {
        let top = self.table().top;
        let fits =
            |card: Card| card.rank == EIGHT || card.rank == top.rank || card.suit == top.suit;
        let hand = self.guests[guest].hand();
        let found = hand.iter().find(|(_, card)| fits(*card) == fitting);
        found.map(|(handle, _)| *handle)
    }

    /// All cards there are: in stock and pile, and in hands.
    fn cards(&mut self) -> usize {
        let world = self.world();
        world.query::<&Face>().iter(world).count() + world.resource::<Deck>().len()
    }
}

impl Guest {
    fn id(&self) -> PlayerId {
        self.session
            .room()
            .and_then(|room| room.you)
            .expect("at the table")
    }

    fn take(&mut self, bytes: &[u8], now_us: u64) {
        let taken = self.session.handle_message(bytes, now_us);
        taken.expect("the server's messages are good");
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Reply { result, .. } => self.answer = Some(result),
                Event::Game { event, values, .. } => {
                    let schema = self.session.schema().expect("after the welcome");
                    let name = schema.events[usize::from(event)].name.clone();
                    self.heard.push((name, values));
                }
                Event::Desync { layer } => panic!("layer {layer} differs"),
                _ => {}
            }
        }
    }

    /// The faces in a layer that this guest was sent.
    fn faces(&self, layer: LayerId, set: &ColumnSet) -> Vec<(Handle, Card)> {
        let schema = self.session.schema().expect("after the welcome");
        let face = schema.components.iter().position(|c| c.name == "face");
        let number = set
            .components
            .iter()
            .position(|c| Some(c.component) == face);
        let (Some(number), Some(room)) = (number, self.session.room()) else {
            return Vec::new();
        };
        let Some(image) = room.layer(layer) else {
            return Vec::new();
        };
        let start = set.components[number].start;
        let rows = image.values.chunks(set.width().max(1));
        let faces = image.entities.iter().zip(rows);
        faces
            .filter(|(head, _)| head.mask >> number & 1 == 1)
            .map(|(head, row)| {
                let (rank, suit) = (row[start] as u8, row[start + 1] as u8);
                (head.handle(), Card { rank, suit })
            })
            .collect()
    }

    /// The own hand, as the owner's layer has it.
    fn hand(&self) -> Vec<(Handle, Card)> {
        let layout = self.session.layout().expect("after the welcome");
        self.faces(LayerId::OWNER, &layout.owner)
    }

    fn heard(&self, name: &str) -> usize {
        self.heard.iter().filter(|(heard, _)| heard == name).count()
    }
}

#[test]
fn a_round_is_dealt_played_and_won() {
    let mut scene = Scene::new(3);
    scene.until(Phase::Play);
    scene.tick();
    for guest in &scene.guests {
        assert_eq!(guest.hand().len(), 5);
        assert_eq!(guest.heard("dealt"), 1);
    }
    let mut turns = 0;
    while scene.table().phase() == Phase::Play {
        let turn = scene.turn();
        let other = (turn + 1) % 3;
        let refused = scene.act(other, 1, &[]);
        assert_eq!(refused, Err("it is not your turn".to_owned()));
        let answer = match scene.choose(turn, true) {
            Some(card) => scene.play(turn, card),
            None => scene.act(turn, 1, &[]),
        };
        assert_eq!(answer, Ok(()));
        scene.tick();
        assert_eq!(scene.cards(), 52);
        turns += 1;
        assert!(turns < 1000, "nobody wins");
    }
    assert_eq!(scene.table().phase(), Phase::Over);
    let winner = scene.table().winner.expect("a winner");
    assert_eq!((scene.seat(winner).wins, scene.seat(winner).cards), (1, 0));
    for guest in &scene.guests {
        assert_eq!(guest.heard("won"), 1);
        assert_eq!(guest.heard("played") + guest.heard("drew"), turns);
    }
    // Who drew was told what, and nobody else.
    let got: usize = scene.guests.iter().map(|guest| guest.heard("got")).sum();
    assert_eq!(got, scene.guests[0].heard("drew"));
    for _ in 0..RESULT_S * u32::from(TICK_RATE) {
        scene.tick();
    }
    assert_eq!(scene.table().phase(), Phase::Waiting);
    scene.until(Phase::Play);
}

#[test]
fn who_draws_is_answered_with_the_card() {
    let mut scene = Scene::new(2);
    scene.until(Phase::Play);
    let mut hands = [5, 5];
    // Until all 52 cards but the pile's top are in hands: then there is nothing to draw.
    for _ in 0..41 {
        let turn = scene.turn();
        let drawn = scene.ask(turn, 1, &[]).expect("their turn");
        hands[turn] += 1;
        scene.tick();
        let hand = scene.guests[turn].hand();
        let card = Card {
            rank: drawn[1] as u8,
            suit: drawn[2] as u8,
        };
        assert!(drawn[0] == 1 && hand.iter().any(|(_, held)| *held == card));
        assert_eq!(hand.len(), hands[turn]);
    }
    let turn = scene.turn();
    let drawn = scene.ask(turn, 1, &[]).expect("their turn");
    assert_eq!(drawn[0], 0);
    assert_eq!(scene.turn(), 1 - turn, "the turn is over all the same");
    assert_eq!(scene.cards(), 52);
}

#[test]
fn lists_say_which_round_is_played_by_how_many() {
    let mut scene = Scene::new(2);
    let sign = |scene: &Scene| serde_json::to_value(&scene.server.rooms()[0].metadata).unwrap();
    let said = |phase, round, playing| json!({"phase": phase, "round": round, "playing": playing});
    assert_eq!(sign(&scene), said("waiting", 0, 0));
    scene.until(Phase::Play);
    // A change is told within a second.
    let wait = |scene: &mut Scene| (0..TICK_RATE + 1).for_each(|_| scene.tick());
    wait(&mut scene);
    assert_eq!(sign(&scene), said("play", 1, 2));
    scene.leave(0);
    wait(&mut scene);
    assert_eq!(sign(&scene), said("waiting", 1, 0));
}

#[test]
fn a_hand_is_its_players_alone() {
    let mut scene = Scene::new(4);
    scene.until(Phase::Play);
    scene.tick();
    let mut seen = Vec::new();
    for guest in &scene.guests {
        let layout = guest.session.layout().expect("after the welcome");
        assert_eq!(guest.faces(LayerId::ROOM, &layout.room), []);
        let room = guest.session.room().expect("in the room");
        let image = room.layer(LayerId::ROOM).expect("the room's layer");
        // The room itself and four seats: of cards in hands not even that they are there.
        assert_eq!(image.entities.len(), 5);
        seen.extend(guest.hand().into_iter().map(|(handle, _)| handle));
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 20, "each card is in one hand");
}

#[test]
fn what_the_rules_forbid_is_answered_with_the_reason() {
    let mut scene = Scene::new(2);
    let refused = scene.act(0, 1, &[]);
    assert_eq!(refused, Err("no cards are dealt".to_owned()));
    scene.until(Phase::Play);
    scene.tick();
    let turn = scene.turn();
    let theirs = scene.guests[1 - turn].hand()[0].0;
    let none = Handle::from_field(0x7FFF_0FFF).expect("a handle");
    for not_mine in [theirs, none] {
        let refused = scene.play(turn, not_mine);
        assert_eq!(refused, Err("that card is not in your hand".to_owned()));
    }
    if let Some(card) = scene.choose(turn, false) {
        let refused = scene.play(turn, card);
        let why = "it fits neither the suit nor the rank";
        assert_eq!(refused, Err(why.to_owned()));
    }
    assert_eq!(scene.turn(), turn, "nothing happened");
}

#[test]
fn the_clock_draws_for_who_sleeps() {
    let mut scene = Scene::new(2);
    scene.until(Phase::Play);
    let turn = scene.turn();
    for _ in 0..TURN_S * u32::from(TICK_RATE) {
        assert_eq!(scene.turn(), turn);
        scene.tick();
    }
    assert_eq!(scene.turn(), 1 - turn);
    assert_eq!(scene.guests[turn].hand().len(), 6);
    let late = scene.guests[0]
        .heard
        .iter()
        .find(|(name, _)| name == "drew");
    assert_eq!(late.expect("all heard of it").1[1], 1, "late");
}

#[test]
fn who_is_away_keeps_the_cards_and_the_table_sees_it() {
    let mut scene = Scene::new(2);
    scene.until(Phase::Play);
    let away = scene.guests.remove(0);
    let (id, hand) = (away.id(), away.hand());
    let token = away.session.token().expect("after the welcome");
    let ticket = away.session.ticket().expect("seats are held");
    let again = Session::resume("guest", token, &ticket);
    drop(away);
    scene.tick();
    let seats = scene.seats();
    assert!(seats.iter().all(|(player, away)| *away == (*player == id)));
    scene.come(0, again);
    scene.tick();
    scene.tick();
    assert_eq!(scene.guests[0].id(), id);
    assert_eq!(scene.guests[0].hand(), hand);
    assert!(scene.seats().iter().all(|(_, away)| !away));
}

#[test]
fn who_leaves_gives_the_cards_and_the_turn_back() {
    let mut scene = Scene::new(3);
    scene.until(Phase::Play);
    let turn = scene.turn();
    scene.leave(turn);
    assert_eq!(scene.cards(), 52);
    let next = scene.turn();
    assert_eq!(scene.guests[next].hand().len(), 5);
    scene.leave(next);
    assert_eq!(scene.table().phase(), Phase::Waiting, "one can't play");
    scene.tick();
    assert_eq!(scene.guests[0].hand(), []);
}

/// Somebody draws, or plays a card that they may hold.
fn dare(game: &GameDef<Cards>, dice: &mut Xorshift32) -> Option<ClientMessage> {
    let action = u16::from(dice.below(30) == 0);
    let card = Handle {
        slot: 1 + dice.below(40) as u16,
        generation: dice.below(3) as u16,
    };
    let values: &[i32] = match action {
        0 => &[card.to_field(), dice.below(4) as i32],
        _ => &[],
    };
    let mut fields = Vec::new();
    let declared = &game.schema.actions[usize::from(action)].request.fields;
    pack(declared, values, &mut fields);
    let id = dice.below(1000);
    Some(ClientMessage::Act { id, action, fields })
}

#[test]
fn a_saved_table_goes_on_in_another_process_as_if_nothing_was() {
    let play = continuation::Play {
        test: "game::tests::a_saved_table_goes_on_in_another_process_as_if_nothing_was",
        seeds: 200,
        before: 300,
        after: 60,
        options: |seed| RoomOptions {
            seed: seed.into(),
            grace: 50,
            ..RoomOptions::default()
        },
        say: dare,
    };
    continuation::check(&play);
}
