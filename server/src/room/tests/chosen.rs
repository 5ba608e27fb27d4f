//! Options that rooms and players were given, what a room says of itself, its lock, and what an
//! action answers.

use serde::{Deserialize, Serialize};
use tickwire::session::Seen;

use super::*;
use crate::game::{Options, one_of};

/// A shop: rooms have a size, players a hat, lists show what is in stock.
struct Shop;

#[derive(Clone, Debug, Default, PartialEq)]
struct Size {
    shelves: i32,
}

#[derive(Clone, Debug, PartialEq)]
struct Hat {
    kind: u8,
    label: String,
}

impl Default for Hat {
    fn default() -> Hat {
        Hat {
            kind: 1,
            label: "plain".into(),
        }
    }
}

#[derive(Component, Serialize, Deserialize)]
struct Spot {
    x: f64,
}

#[derive(Resource, Clone, Serialize, Deserialize)]
struct Stock {
    apples: i32,
}

/// Who came and came back, with what.
#[derive(Resource, Default, Serialize, Deserialize)]
struct Came(Vec<(u16, u8, String)>);

#[derive(Default)]
struct Ask {
    apples: i32,
}

#[derive(Debug, PartialEq)]
struct Price {
    price: f64,
    of: Option<Entity>,
    note: String,
}

fn on_ask(world: &mut World, who: &Player, ask: Ask) -> Result<Price, String> {
    if ask.apples > world.resource::<Stock>().apples {
        return Err("too many".into());
    }
    let mut buyers = world.query::<(Entity, &crate::game::Owner)>();
    let buyer = buyers.iter(world).find(|(_, owner)| owner.0 == who.id);
    let note = match ask.apples {
        13 => "no JSON".into(),
        apples => format!("{{\"apples\":{apples}}}"),
    };
    Ok(Price {
        price: 0.25 * f64::from(ask.apples),
        of: buyer.map(|(entity, _)| entity),
        note,
    })
}

fn on_count(world: &mut World, _: &Player, _: Ask) -> Result<Stock, String> {
    Ok(world.resource::<Stock>().clone())
}

impl Game for Shop {
    const NAME: &'static str = "shop";
    type Input = ();

    fn schema(s: &mut Schema<Self>) {
        s.room_options::<Size>(|k| k.field("shelves", |s| &mut s.shelves, int(0, 9)));
        s.player_options::<Hat>(|k| {
            k.field("kind", |h| &mut h.kind, one_of(&["cap", "bowler", "top"]))
                .field("label", |h| &mut h.label, text(8))
        });
        s.metadata::<Stock>(|k| k.field("apples", |s| &mut s.apples, int(0, 200)));
        let asked = |k: game::Declaration<Ask>| k.field("apples", |a| &mut a.apples, int(0, 200));
        s.action_with_answer(
            "ask",
            asked,
            |k| {
                k.field(
                    "price",
                    |p: &mut Price| &mut p.price,
                    range(0.0, 50.0).step(0.25),
                )
                .field("of", |p| &mut p.of, entity())
                .json("note", |p| &mut p.note)
            },
            on_ask,
        );
        s.action_with_answer(
            "count",
            |k| k,
            |k| k.field("apples", |s: &mut Stock| &mut s.apples, int(0, 200)),
            on_count,
        );
        s.component::<Spot>("spot", |k| k.field("x", |s| &mut s.x, range(0.0, 9.0)));
        s.saved::<Stock>().saved::<Came>().saved::<Spot>();
    }

    fn setup(world: &mut World, _: &mut Schedule, room: &RoomOptions) {
        let apples = 10 * room.options.get::<Size>().shelves;
        world.insert_resource(Stock { apples });
        world.init_resource::<Came>();
    }

    fn join(world: &mut World, who: &Player) -> Entity {
        note(world, who);
        world.spawn(Spot { x: 1.0 }).id()
    }

    fn resumed(world: &mut World, who: &Player, _: Entity) {
        note(world, who);
    }
}

fn note(world: &mut World, who: &Player) {
    let Hat { kind, label } = who.options.get();
    world.resource_mut::<Came>().0.push((who.id.0, kind, label));
}

fn shop(shelves: i32) -> Room<Shop> {
    let game = Arc::new(GameDef::<Shop>::new(30).expect("the game is well declared"));
    let options = game.room_options(Size { shelves });
    let options = RoomOptions {
        options,
        ..RoomOptions::default()
    };
    Room::new(game, options)
}

fn hat(room: &Room<Shop>, kind: u8, label: &str) -> Options {
    let label = label.into();
    room.game.player_options(Hat { kind, label })
}

fn came(room: &mut Room<Shop>) -> Vec<(u16, u8, String)> {
    std::mem::take(&mut room.world.resource_mut::<Came>().0)
}

/// What lists are told.
fn described(room: &mut Room<Shop>) -> Vec<(u8, bool)> {
    let mut told = Vec::new();
    while let Some(effect) = room.poll_effect() {
        if let Effect::Describe { metadata, locked } = effect {
            told.push((metadata[0], locked));
        }
    }
    told
}

#[test]
fn a_room_has_what_was_chosen_and_its_players_what_they_brought_or_the_defaults() {
    let mut room = shop(4);
    assert_eq!(room.world.resource::<Stock>().apples, 40);
    let brought = hat(&room, 2, "mine");
    let ann = Identity::read("guest:ann").expect("an identity");
    let one = room.join_as("ann", ann, &brought).expect("a seat is free");
    let two = room.join("bo").expect("a seat is free");
    let told = (one.0, 2, "mine".into());
    assert_eq!(came(&mut room), [told.clone(), (two.0, 1, "plain".into())]);
    room.resume(one, Seen::default());
    assert_eq!(came(&mut room), std::slice::from_ref(&told));
    // Who comes back by joining may have put on another one.
    room.take_over(one, &Options::default());
    assert_eq!(came(&mut room), [told]);
    let other = hat(&room, 0, "new");
    room.take_over(one, &other);
    assert_eq!(came(&mut room), [(one.0, 0, "new".into())]);
    room.resume(one, Seen::default());
    assert_eq!(came(&mut room), [(one.0, 0, "new".into())]);
    assert_eq!(room.options().options.get::<Size>(), Size { shelves: 4 });
    let joined = messages_of(&mut room, two);
    let options = joined.iter().find_map(|message| match message {
        ServerMessage::Joined { options, .. } => Some(options.clone()),
        _ => None,
    });
    assert_eq!(options.as_deref(), Some(&[4][..]));
}

fn messages_of(room: &mut Room<Shop>, player: PlayerId) -> Vec<ServerMessage> {
    let mut messages = Vec::new();
    while let Some(effect) = room.poll_effect() {
        match effect {
            Effect::Control { to, bytes } if to == player => {
                messages.extend(decode_server(&bytes).expect("a message"));
            }
            _ => {}
        }
    }
    messages
}

#[test]
#[should_panic(expected = "options are not declared as")]
fn options_are_of_the_declared_type() {
    let room = shop(1);
    room.options().options.get::<Hat>();
}

#[test]
fn a_restored_room_has_its_options_and_its_players_theirs() {
    let mut room = shop(4);
    let brought = hat(&room, 2, "mine");
    let ann = Identity::read("guest:ann").expect("an identity");
    let one = room.join_as("ann", ann, &brought).expect("a seat is free");
    room.world.resource_mut::<Out>().lock(true);
    room.tick();
    described(&mut room);
    let saved = room.save().unwrap_or_else(|error| panic!("{error}"));
    let mut again = Room::restore(room.game.clone(), &saved).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(again.options(), room.options());
    assert_eq!(again.options().options.get::<Size>(), Size { shelves: 4 });
    assert_eq!(again.described(), room.described());
    came(&mut again);
    again.resume(one, Seen::default());
    assert_eq!(came(&mut again), [(one.0, 2, "mine".into())]);
    assert!(!again.is_open());
    again.tick();
    assert_eq!(described(&mut again), [], "nothing is new");
    again.world.resource_mut::<Out>().lock(false);
    again.tick();
    assert_eq!(described(&mut again), [(40, false)]);
}

#[test]
fn metadata_is_told_at_most_once_a_second_and_a_lock_at_once() {
    let mut room = shop(2);
    assert_eq!(room.described(), (&[20][..], false));
    let set = |room: &mut Room<Shop>, apples| room.world.resource_mut::<Stock>().apples = apples;
    let mut told = Vec::new();
    for tick in 1..=150 {
        match tick {
            // Three times within a second, back and forth, and to the same.
            5 => set(&mut room, 21),
            40..=42 => set(&mut room, 20 + tick),
            100 => set(&mut room, 7),
            105 => set(&mut room, 62),
            120 => set(&mut room, 62),
            _ => {}
        }
        if tick == 50 || tick == 55 {
            room.world.resource_mut::<Out>().lock(tick == 50);
        }
        room.tick();
        told.extend(described(&mut room).into_iter().map(|said| (tick, said)));
    }
    let expected = [
        (30, (21, false)),
        (50, (21, true)),
        (55, (21, false)),
        (60, (62, false)),
        (100, (7, false)),
        (130, (62, false)),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_locked_room_lets_in_who_had_it_made_and_nobody_else() {
    let mut room = shop(1);
    room.world.resource_mut::<Out>().lock(true);
    room.tick();
    assert!(room.is_open(), "nobody was there yet");
    let one = room.join("ann").expect("a seat is free");
    assert!(!room.is_open());
    room.leave(one);
    assert!(!room.is_open(), "they had their turn");
}

#[test]
fn an_action_answers_with_fields_and_a_payload() {
    let mut room = shop(9);
    let one = room.join("ann").expect("a seat is free");
    room.tick();
    let ask = |room: &mut Room<Shop>, action: u16, apples: &[i32]| {
        let declared = &room.game.schema.actions[usize::from(action)].request.fields;
        let mut fields = Vec::new();
        pack(declared, apples, &mut fields);
        let message = ClientMessage::Act {
            id: 3,
            action,
            fields,
        };
        messages_of(room, one);
        assert_eq!(room.receive(one, &encode_client(&message)), Ok(()));
        match messages_of(room, one).as_slice() {
            [ServerMessage::Reply { id: 3, result }] => result.clone(),
            other => panic!("{other:?}"),
        }
    };
    let answer = ask(&mut room, 0, &[6]).expect("there are so many");
    let declared = &room.game.schema.actions[0];
    let mut values = Vec::new();
    let rest = unpack(&declared.answer, &answer, &mut values).expect("its fields");
    let (payload, rest) =
        take_payload(declared.answer_payload.as_ref(), rest).expect("its payload");
    assert_eq!((payload, rest), (Some(&b"{\"apples\":6}"[..]), &[][..]));
    let entity = room.members.get(one).expect("seated").entity;
    let handle = room.capture.slots.handle(entity).expect("it was shown");
    assert_eq!(values, [6, handle.to_field()]);
    assert_eq!(ask(&mut room, 0, &[200]), Err("too many".into()));
    assert_eq!(
        ask(&mut room, 0, &[13]),
        Err("the game's answer can't be sent".into())
    );
    assert_eq!(ask(&mut room, 1, &[]), Ok(vec![90]));
}
