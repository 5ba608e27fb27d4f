//! Durable events: who fell behind, came back or came later learns of them, once and in their
//! place, and nobody of what was said to others.

use super::*;
use crate::game::all;
use tickwire::limits::EVENT_RING_TICKS;
use tickwire::session::{Event, Seen, decode_events};

/// A game in which nothing is but what is said.
struct Talk;

/// Kept for who misses it.
struct Feat(u32);

/// For the moment.
struct Blink(u32);

impl Game for Talk {
    const NAME: &'static str = "talk";
    type Input = ();

    fn schema(s: &mut Schema<Self>) {
        s.event::<Feat>("feat", |k| k.durable().field("n", |e| &mut e.0, all()))
            .event::<Blink>("blink", |k| k.field("n", |e| &mut e.0, all()));
    }

    fn setup(_: &mut World, _: &mut Schedule, _: &RoomOptions) {}

    fn join(world: &mut World, who: &Player) -> Entity {
        world.spawn(Team((who.id.0 % 2) as u8)).id()
    }
}

fn room() -> Room<Talk> {
    let game = GameDef::new(30).expect("the game is well declared");
    Room::new(Arc::new(game), RoomOptions::default())
}

/// Says it in the next tick, which is returned.
fn say(room: &mut Room<Talk>, to: To, feat: u32) -> Tick {
    let mut out = room.world_mut().resource_mut::<Out>();
    out.send(to, Blink(feat + 1000));
    out.send(to, Feat(feat));
    room.tick();
    room.tick
}

/// What a player's next snapshot tells them; it is acknowledged.
fn heard(room: &mut Room<Talk>, player: PlayerId) -> Vec<u32> {
    let mut bytes = Vec::new();
    assert!(room.compose(player, true, &mut bytes));
    let (head, sections) = SnapshotHead::decode(&bytes).expect("a snapshot");
    let mut told = Vec::new();
    for section in sections {
        let (kind, section) = section.expect("a section");
        if kind == SectionKind::Events {
            let tell = |event| match event {
                Event::Game { values, .. } => told.push(values[0] as u32),
                other => panic!("{other:?}"),
            };
            decode_events(section, head.tick, &room.game.schema, tell).expect("events");
        }
    }
    let mut ack = Vec::new();
    encode_ack(head.tick, &mut ack);
    assert_eq!(room.receive(player, &ack), Ok(()));
    told
}

#[test]
fn who_comes_back_gets_what_they_missed_and_no_more() {
    let mut room = room();
    let (ann, bo) = (
        room.join("ann").expect("a seat is free"),
        room.join("bo").expect("a seat is free"),
    );
    let tick = say(&mut room, To::All, 1);
    assert_eq!(heard(&mut room, ann), [1001, 1]);
    say(&mut room, To::All, 2);
    // Sent, but the connection was cut before it arrived.
    assert_eq!(heard(&mut room, ann), [1002, 2]);
    assert!(room.disconnect(ann));
    say(&mut room, To::Player(ann), 3);
    say(&mut room, To::Player(bo), 4);
    say(&mut room, To::AllBut(ann), 5);
    say(&mut room, To::Team(0), 6);
    say(&mut room, To::Team(1), 7);
    for _ in 0..EVENT_RING_TICKS {
        room.tick();
    }
    assert!(room.resume(ann, Seen { chat: 0, tick }));
    let now = say(&mut room, To::All, 8);
    assert_eq!(heard(&mut room, ann), [2, 3, 6, 1008, 8]);
    room.tick();
    assert!(heard(&mut room, ann).is_empty());
    // Who claims to have seen what is still to come gets it all the same.
    let tick = Tick(now.0 + 99);
    assert!(room.resume(ann, Seen { chat: 0, tick }));
    say(&mut room, To::All, 9);
    assert_eq!(heard(&mut room, ann), [1009, 9]);
}

/// The process goes on after the room was saved, and is killed.
#[test]
fn what_was_said_beyond_a_save_is_void_and_what_comes_in_its_place_is_told_once() {
    let mut room = room();
    let ann = room.join("ann").expect("a seat is free");
    say(&mut room, To::All, 1);
    assert_eq!(heard(&mut room, ann), [1001, 1]);
    while room.poll_effect().is_some() {}
    let saved = room.save().unwrap_or_else(|error| panic!("{error}"));
    say(&mut room, To::All, 2);
    let seen = say(&mut room, To::Player(ann), 3);
    assert_eq!(heard(&mut room, ann), [1002, 2, 1003, 3]);
    for late in [0, 1, 5] {
        let again = Room::restore(room.game.clone(), &saved);
        let mut again = again.unwrap_or_else(|error| panic!("{error}"));
        again.begin_again();
        assert!(again.tick < seen);
        // At the ticks of those that are void.
        say(&mut again, To::All, 4);
        say(&mut again, To::Player(ann), 5);
        (0..late).for_each(|_| again.tick());
        assert!(again.resume(
            ann,
            Seen {
                chat: 0,
                tick: seen
            }
        ));
        say(&mut again, To::All, 6);
        assert_eq!(heard(&mut again, ann), [4, 5, 1006, 6], "{late} ticks late");
        // From then on they have seen what they say.
        let tick = again.tick;
        assert!(again.disconnect(ann) && again.resume(ann, Seen { chat: 0, tick }));
        say(&mut again, To::All, 7);
        assert_eq!(heard(&mut again, ann), [1007, 7], "{late} ticks late");
    }
}

#[test]
fn who_falls_behind_the_ring_loses_only_what_was_for_the_moment() {
    let mut room = room();
    let ann = room.join("ann").expect("a seat is free");
    say(&mut room, To::All, 1);
    for _ in 0..EVENT_RING_TICKS {
        room.tick();
    }
    say(&mut room, To::All, 2);
    assert_eq!(heard(&mut room, ann), [1, 1002, 2]);
}

#[test]
fn who_comes_later_hears_what_everyone_heard_and_a_page_that_forgot_all_of_its_own() {
    let mut room = room();
    let ann = room.join("ann").expect("a seat is free");
    say(&mut room, To::All, 1);
    say(&mut room, To::Player(ann), 2);
    say(&mut room, To::AllBut(ann), 3);
    say(&mut room, To::Team(0), 4);
    let cy = room.join("cy").expect("a seat is free");
    room.tick();
    assert_eq!(heard(&mut room, cy), [1, 3]);
    assert!(room.resume(ann, Seen::default()));
    room.tick();
    assert_eq!(heard(&mut room, ann), [1, 2, 4]);
    // What waits for the next tick when its player goes is not for the next in the seat.
    room.world_mut()
        .resource_mut::<Out>()
        .send(To::Player(ann), Feat(5));
    room.leave(ann);
    room.members.next = ann.0;
    assert_eq!(room.join("bo"), Ok(ann), "once numbers have gone round");
    room.tick();
    assert_eq!(heard(&mut room, ann), [1, 3]);
}
