//! Options, metadata, locks and answers over real sockets: what was chosen reaches the game, what
//! the game says reaches lists, and what is no choice is refused with a reason, without a room, a
//! seat or a connection lost to it.

use std::sync::Barrier;
use std::thread;

use bevy_ecs::prelude::*;
use tickwire::protocol::client_message::{Condition, JoinAs, NewRoom, Test};
use tickwire::protocol::server_message::{Refusal, RoomInfo};
use tickwire::protocol::{ClientMessage, ServerMessage};
use tickwire::schema::{Field, Schema as WireSchema};
use tickwire::snapshot::fields::{pack, unpack};
use tickwire_server::config::Config;
use tickwire_server::game::{Game, GameDef, Out, Player, RoomOptions, Schema, int, one_of, text};

use super::support::*;

/// A market: stalls have wares, buyers a purse. Its rooms say what is left, and lock when nothing
/// is.
struct Market;

#[derive(Clone, Debug, Default, PartialEq)]
struct Wares {
    kind: u8,
    apples: i32,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Purse {
    coins: i32,
    owner: String,
}

#[derive(Resource)]
struct Stall {
    kind: u8,
    apples: i32,
}

#[derive(Default)]
struct Order {
    apples: i32,
}

struct Bill {
    price: i32,
    left: i32,
    note: String,
}

fn on_order(world: &mut World, who: &Player, order: Order) -> Result<Bill, String> {
    let coins = who.options.get::<Purse>().coins;
    if 2 * order.apples > coins {
        return Err(format!("{coins} coins are too few"));
    }
    let mut stall = world.resource_mut::<Stall>();
    stall.apples -= order.apples;
    let left = stall.apples;
    world.resource_mut::<Out>().lock(left <= 0);
    Ok(Bill {
        price: 2 * order.apples,
        left,
        note: format!("[\"{}\"]", who.options.get::<Purse>().owner),
    })
}

impl Game for Market {
    const NAME: &'static str = "market";
    type Input = ();

    fn schema(s: &mut Schema<Self>) {
        let kinds = || one_of(&["red", "green", "mixed"]);
        s.room_options::<Wares>(|k| {
            k.field("kind", |w| &mut w.kind, kinds())
                .field("apples", |w| &mut w.apples, int(0, 99))
        });
        s.player_options::<Purse>(|k| {
            k.field("coins", |p| &mut p.coins, int(0, 20))
                .field("owner", |p| &mut p.owner, text(8))
        });
        s.metadata::<Stall>(|k| {
            k.field("kind", |s| &mut s.kind, kinds())
                .field("apples", |s| &mut s.apples, int(0, 99))
        });
        s.action_with_answer(
            "order",
            |k| k.field("apples", |o: &mut Order| &mut o.apples, int(0, 9)),
            |k| {
                k.field("price", |b: &mut Bill| &mut b.price, int(0, 50))
                    .field("left", |b| &mut b.left, int(0, 99))
                    .json("note", |b| &mut b.note)
            },
            on_order,
        );
    }

    fn setup(world: &mut World, _: &mut Schedule, room: &RoomOptions) {
        let Wares { kind, apples } = room.options.get();
        world.insert_resource(Stall { kind, apples });
    }

    fn join(world: &mut World, _: &Player) -> Entity {
        world.spawn_empty().id()
    }
}

fn schema() -> WireSchema {
    GameDef::<Market>::new(30).unwrap().schema
}

fn packed(fields: &[Field], values: &[i32]) -> Vec<u8> {
    let mut bytes = Vec::new();
    pack(fields, values, &mut bytes);
    bytes
}

fn wares(kind: i32, apples: i32) -> Vec<u8> {
    packed(&schema().room_options, &[kind, apples])
}

fn purse(coins: i32) -> Vec<u8> {
    packed(&schema().player_options, &[coins, 0x006E_6E61, 0])
}

fn stall(name: &str, options: Vec<u8>, player: Vec<u8>) -> ClientMessage {
    ClientMessage::CreateRoom(NewRoom {
        name: name.into(),
        options,
        player,
        ..NewRoom::default()
    })
}

fn or_join(name: &str) -> ClientMessage {
    ClientMessage::CreateRoom(NewRoom {
        name: name.into(),
        or_join: true,
        ..NewRoom::default()
    })
}

fn quick(kind: i32, least: i32, options: Vec<u8>) -> ClientMessage {
    let of = |field, test, value| Condition { field, test, value };
    ClientMessage::QuickJoin {
        filter: vec![of(0, Test::Equal, kind), of(1, Test::AtLeast, least)],
        who: JoinAs::default(),
        options,
    }
}

fn listed(client: &mut Client, filter: Vec<Condition>) -> Vec<RoomInfo> {
    client.say(&ClientMessage::ListRooms { filter });
    client.wait(|message| match message {
        ServerMessage::Rooms { rooms } => Some(rooms),
        _ => None,
    })
}

/// Kind and apples of a listed room.
fn told(room: &RoomInfo) -> (i32, i32) {
    let mut values = Vec::new();
    let rest = unpack(&schema().metadata, &room.metadata, &mut values).unwrap();
    assert!(rest.is_empty());
    (values[0], values[1])
}

/// Orders so many apples; the price, what is left and the note, or why not.
fn order(client: &mut Client, apples: i32) -> Result<(i32, i32, String), String> {
    let declared = &schema().actions[0];
    let fields = packed(&declared.request.fields, &[apples]);
    let (id, action) = (7, 0);
    client.say(&ClientMessage::Act { id, action, fields });
    let answer = client.wait(|message| match message {
        ServerMessage::Reply { id: 7, result } => Some(result),
        _ => None,
    })?;
    let mut values = Vec::new();
    let rest = unpack(&declared.answer, &answer, &mut values).unwrap();
    let note = String::from_utf8(rest[1..].to_vec()).unwrap();
    assert_eq!(usize::from(rest[0]), note.len());
    Ok((values[0], values[1], note))
}

fn start() -> Server {
    Server::of::<Market>(Config {
        workers: 2,
        ..config()
    })
}

#[test]
fn what_was_chosen_reaches_the_game_and_what_it_says_the_lists() {
    let server = start();
    let mut ann = server.guest("ann");
    ann.say(&stall("fair", wares(1, 9), purse(20)));
    let room = ann.joined().room;
    assert_eq!((told(&room), room.locked), ((1, 9), false));
    let mut bo = server.guest("bo");
    assert_eq!(told(&listed(&mut bo, Vec::new())[0]), (1, 9));
    assert_eq!(order(&mut ann, 9), Ok((18, 0, "[\"ann\"]".into())));
    eventually("sold out", || server.lobby.rooms()[0].locked);
    eventually("no apples", || {
        let shown = serde_json::to_string(&server.lobby.rooms()[0].metadata).unwrap();
        shown == r#"{"kind":"green","apples":0}"#
    });
    bo.say(&ClientMessage::join_room(room.id));
    assert_eq!(bo.refused(), Refusal::Locked);
    bo.say(&or_join("fair"));
    assert_eq!(bo.refused(), Refusal::Locked);
    assert_eq!(order(&mut ann, 0).map(|bill| bill.0), Ok(0));
    bo.say(&stall("poor", Vec::new(), Vec::new()));
    let poor = bo.joined().room;
    assert_eq!(told(&poor), (0, 0), "the defaults");
    assert_eq!(order(&mut bo, 1), Err("0 coins are too few".into()));
}

/// Bytes that are no options of a kind: too few, too many, out of range, no text, more than there
/// may be, and pure noise.
fn hostile(good: &[u8]) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = (1..good.len())
        .map(|length| good[..length].into())
        .collect();
    all.push([good, &[0]].concat());
    all.push(vec![0xFF; good.len()]);
    all.push(vec![0xFF; 257]);
    all.push(vec![0; 2000]);
    let mut dice = tickwire::exact::Xorshift32::new(1);
    for _ in 0..20 {
        let length = 1 + dice.below(30);
        let mut noise: Vec<u8> = (0..length).map(|_| dice.draw() as u8).collect();
        // Longer than it may be, whatever it says.
        noise.resize(noise.len() + good.len(), 0xFF);
        all.push(noise);
    }
    all
}

#[test]
fn options_that_are_none_are_refused_and_the_connection_goes_on() {
    let server = start();
    let mut host = server.guest("host");
    host.say(&stall("fair", wares(1, 9), purse(1)));
    let joined = host.joined();
    let (room, code) = (joined.room.id, joined.code);
    let mut ways: Vec<ClientMessage> = Vec::new();
    for player in hostile(&purse(3)) {
        let options = player.clone();
        let who = JoinAs {
            options,
            ..JoinAs::default()
        };
        let (code, who) = (code.clone(), who);
        match ways.len() % 4 {
            0 => ways.push(ClientMessage::JoinRoom { room, who }),
            1 => ways.push(ClientMessage::JoinCode { code, who }),
            2 => ways.push(stall("mine", Vec::new(), player)),
            _ => ways.push(ClientMessage::QuickJoin {
                filter: Vec::new(),
                who,
                options: Vec::new(),
            }),
        }
    }
    for options in hostile(&wares(2, 3)) {
        match ways.len() % 2 {
            0 => ways.push(stall("mine", options, Vec::new())),
            // A room is there for it, and it is looked at all the same.
            _ => ways.push(quick(1, 0, options)),
        }
    }
    // Each client may ask so often at once.
    for some in ways.chunks(9) {
        let mut client = server.guest("mallory");
        for way in some {
            client.say(way);
            assert_eq!(client.refused(), Refusal::BadOptions, "{way:?}");
        }
        client.ping(1);
    }
    let rooms = server.lobby.rooms();
    assert_eq!((rooms.len(), rooms[0].players), (1, 1), "no room, no seat");
    let mut guest = server.guest("guest");
    guest.join(room);
}

#[test]
fn a_game_that_declares_nothing_takes_nothing() {
    let server = Server::start(config());
    let mut client = server.guest("mallory");
    client.say(&stall("mine", vec![0], Vec::new()));
    assert_eq!(client.refused(), Refusal::BadOptions);
    client.say(&stall("mine", Vec::new(), vec![0]));
    assert_eq!(client.refused(), Refusal::BadOptions);
    client.say(&quick(0, 0, Vec::new()));
    assert_eq!(client.refused(), Refusal::BadFilter);
    assert_eq!(server.lobby.rooms(), []);
}

#[test]
fn filters_lead_to_what_fits_and_hostile_ones_nowhere() {
    let server = start();
    let kinds = [(0, 3), (1, 3), (1, 50)].map(|(kind, apples)| {
        let mut host = server.guest("host");
        host.say(&stall("stall", wares(kind, apples), Vec::new()));
        (host.joined().room.id, host)
    });
    let mut guest = server.guest("guest");
    guest.say(&quick(1, 10, Vec::new()));
    assert_eq!(guest.joined().room.id, kinds[2].0);
    let mut other = server.guest("other");
    other.say(&quick(2, 5, wares(2, 7)));
    let made = other.joined().room;
    assert_eq!((told(&made), server.lobby.rooms().len()), ((2, 7), 4));
    let mut mallory = server.guest("mallory");
    let of = |field, value| Condition {
        field,
        test: Test::AtLeast,
        value,
    };
    for filter in [
        vec![of(2, 0)],
        vec![of(0, 3)],
        vec![of(1, -1)],
        vec![of(0, 0); 9],
    ] {
        mallory.say(&ClientMessage::ListRooms {
            filter: filter.clone(),
        });
        assert_eq!(mallory.refused(), Refusal::BadFilter, "{filter:?}");
    }
    let rich = listed(&mut mallory, vec![of(1, 50)]);
    assert_eq!(
        rich.iter().map(|room| room.id).collect::<Vec<_>>(),
        [kinds[2].0]
    );
}

#[test]
fn many_who_ask_for_a_room_by_name_at_once_are_in_one() {
    const ASK: usize = 8;
    let server = start();
    for round in 0..5 {
        let name = round.to_string();
        let start = Barrier::new(ASK);
        let joined: Vec<Joined> = thread::scope(|scope| {
            let ask = |n: usize| {
                let (server, start, name) = (&server, &start, &name);
                scope.spawn(move || {
                    let mut client = server.guest(&format!("guest {n}"));
                    start.wait();
                    client.say(&or_join(name));
                    let joined = client.joined();
                    client.say(&ClientMessage::LeaveRoom);
                    client.left();
                    joined
                })
            };
            let asking: Vec<_> = (0..ASK).map(ask).collect();
            asking.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let room = joined[0].room.id;
        assert!(
            joined.iter().all(|one| one.room.id == room),
            "round {round}"
        );
    }
    assert_eq!(
        server.figure("tickwire_rooms_failed_total{game=\"market\"}"),
        0.0
    );
}
