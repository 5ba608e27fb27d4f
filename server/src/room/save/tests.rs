//! What a save refuses and what it keeps, by a game of a few lines. That a restored room says the
//! same bytes is shown by the games themselves, in another process.

use std::sync::Arc;

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};
use tickwire::ids::PlayerId;
use tickwire::protocol::frame::{SNAPSHOT_HEAD_BYTES, SnapshotHead, encode_ack};
use tickwire::session::Seen;

use super::{FORMAT, HEADER_BYTES, RestoreError, SaveError, hash};
use crate::game::{
    Axes, Game, GameDef, Group, Groups, Identity, Input, Out, Player, RoomOptions, Roster,
    RoundResult, Schema, Standing, range,
};
use crate::room::{Effect, Room};

#[derive(Component, Serialize, Deserialize)]
struct At(f64);

/// What a game leaves on an entity without a word.
#[derive(Component)]
struct Forgotten;

#[derive(Component, Serialize, Deserialize)]
#[component(storage = "SparseSet")]
struct Sparse;

#[derive(Resource, Default, Serialize, Deserialize)]
struct Steps(u32, Option<Entity>);

/// Players who walk. With `MORE` it declares something more, so it is another game.
struct Walk<const MORE: bool>;

impl<const MORE: bool> Game for Walk<MORE> {
    const NAME: &'static str = "walk";
    type Input = Axes;

    fn schema(s: &mut Schema<Self>) {
        s.axes().component::<At>("at", |k| {
            k.field("x", |at| &mut at.0, range(-100.0, 100.0).step(0.01))
        });
        s.saved::<At>().saved::<Steps>().saved::<Sparse>();
        if MORE {
            s.unsaved::<Forgotten>();
        }
    }

    fn setup(world: &mut World, systems: &mut Schedule, _: &RoomOptions) {
        world.init_resource::<Steps>();
        // Two that stay, one that goes at once: their ids are used again.
        let ids = [1.0, 2.0, 3.0].map(|at| world.spawn(At(at)).id());
        world.despawn(ids[1]);
        systems.add_systems(walk);
    }

    fn join(world: &mut World, _: &Player) -> Entity {
        let walker = world.spawn(At(0.0)).id();
        world.resource_mut::<Steps>().1 = Some(walker);
        walker
    }

    fn save(world: &World) -> Result<Vec<u8>, String> {
        match world.resource::<Steps>().0 {
            13 => Err("not on the 13th step".into()),
            steps => Ok(vec![steps as u8; 3]),
        }
    }

    fn load(world: &mut World, saved: &[u8]) -> Result<(), String> {
        let steps = world.resource::<Steps>().0 as u8;
        (saved == [steps; 3])
            .then_some(())
            .ok_or("other steps".into())
    }
}

fn walk(mut steps: ResMut<Steps>, mut walkers: Query<(&mut At, &Input<Axes>)>) {
    steps.0 += 1;
    for (mut at, input) in &mut walkers {
        at.0 += input.now.dx;
    }
}

type Walkers = Room<Walk<false>>;

fn game() -> Arc<GameDef<Walk<false>>> {
    Arc::new(GameDef::new(30).expect("the game is sound"))
}

fn room() -> (Walkers, PlayerId) {
    let mut room = Room::new(game(), RoomOptions::default());
    let player = room.join("ann").expect("a seat is free");
    while room.poll_effect().is_some() {}
    (room, player)
}

fn saved(room: &mut Walkers) -> Vec<u8> {
    room.save().unwrap_or_else(|error| panic!("{error}"))
}

/// The error of a save that is restored.
fn refused(bytes: &[u8]) -> RestoreError {
    let restored = Walkers::restore(game(), bytes);
    restored.err().expect("it is no save of this game")
}

/// Puts the right hash before a body that was changed.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let (header, body) = bytes.split_at_mut(HEADER_BYTES);
    header[6..].copy_from_slice(&hash(body).to_le_bytes());
    bytes
}

#[test]
fn what_is_no_save_is_told_from_one_that_is_damaged_newer_or_of_another_game() {
    let (mut room, _) = room();
    room.tick();
    let whole = saved(&mut room);
    assert!(Walkers::restore(game(), &whole).is_ok());
    assert_eq!(refused(b""), RestoreError::Foreign);
    assert_eq!(refused(b"a room it is not"), RestoreError::Foreign);
    for length in 4..whole.len() {
        assert_eq!(refused(&whole[..length]), RestoreError::Damaged, "{length}");
    }
    let mut newer = whole.clone();
    newer[4..6].copy_from_slice(&(FORMAT + 1).to_le_bytes());
    assert_eq!(refused(&newer), RestoreError::Format(FORMAT + 1));
    for at in [HEADER_BYTES, whole.len() / 2, whole.len() - 1] {
        let mut flipped = whole.clone();
        flipped[at] ^= 4;
        assert_eq!(refused(&flipped), RestoreError::Damaged, "{at}");
    }
    let other = GameDef::<Walk<true>>::new(30).expect("the game is sound");
    let other = Room::restore(Arc::new(other), &whole).err();
    assert_eq!(other, Some(RestoreError::OtherGame));
}

/// Whoever makes a save up gets an error, or a room; nobody's process ends.
#[test]
fn a_save_that_was_made_up_ends_in_no_panic() {
    let (mut room, _) = room();
    (0..5).for_each(|_| room.tick());
    let whole = saved(&mut room);
    let mut restored = 0;
    for at in HEADER_BYTES..whole.len() {
        for change in [1, 0x80, 0xFF] {
            let mut bytes = whole.clone();
            bytes[at] ^= change;
            restored += u32::from(Walkers::restore(game(), &sealed(bytes)).is_ok());
        }
    }
    for length in HEADER_BYTES..whole.len() {
        let cut = sealed(whole[..length].to_vec());
        assert!(Walkers::restore(game(), &cut).is_err(), "{length}");
    }
    println!("{restored} changes made another room");
}

#[test]
fn a_game_that_does_not_say_what_it_holds_cannot_be_saved() {
    let (mut room, player) = room();
    room.world_mut().spawn(Forgotten);
    assert!(matches!(room.save(), Err(SaveError::Undeclared(_))));
    let (mut room, _) = self::room();
    room.world_mut().spawn_empty();
    assert_eq!(room.save(), Err(SaveError::Bare));
    let (mut room, _) = self::room();
    room.world_mut().spawn((At(0.0), Sparse));
    assert!(matches!(room.save(), Err(SaveError::Sparse(_))));
    let (mut room, _) = self::room();
    room.world_mut().insert_non_send(std::rc::Rc::new(1));
    assert_eq!(room.save(), Err(SaveError::NonSend));
    let (mut room, _) = self::room();
    (0..13).for_each(|_| room.tick());
    assert!(matches!(room.save(), Err(SaveError::Game(_))));
    room.tick();
    room.leave(player);
    while room.poll_effect().is_some() {}
    assert!(room.save().is_ok());
}

#[test]
fn tokens_hold_and_inputs_that_had_come_are_taken() {
    use tickwire::codec::encode_client;
    use tickwire::ids::Tick;
    use tickwire::protocol::ClientMessage;
    use tickwire::protocol::frame::InputHead;
    use tickwire::snapshot::fields::pack;
    let (mut room, ann) = room();
    let token = room.newest_token(ann).expect("ann has a seat");
    let schema = game().schema.clone();
    for tick in 1..=4 {
        let head = InputHead {
            tick: Tick(tick),
            ack: Tick(0),
            view_lag: 0,
        };
        let mut bytes = Vec::new();
        head.encode(&mut bytes);
        pack(&schema.input, &[128, 64], &mut bytes);
        assert_eq!(room.receive(ann, &bytes), Ok(()));
    }
    let text_of_chat = ClientMessage::Chat { text: "hi".into() };
    assert_eq!(room.receive(ann, &encode_client(&text_of_chat)), Ok(()));
    room.tick();
    while room.poll_effect().is_some() {}
    let bytes = saved(&mut room);
    let mut again = Walkers::restore(game(), &bytes).unwrap_or_else(|error| panic!("{error}"));
    assert!(again.admits(ann, token) && again.newest_token(ann) == Some(token));
    for _ in 0..6 {
        room.tick();
        again.tick();
    }
    let place = |room: &mut Walkers| {
        let steps = room.world_mut().resource::<Steps>();
        let walker = steps.1.expect("ann came");
        let at = room.world_mut().get::<At>(walker);
        at.expect("ann is there").0
    };
    assert!(place(&mut room) > 3.0, "{}", place(&mut room));
    assert_eq!(place(&mut room).to_bits(), place(&mut again).to_bits());
}

/// A tick, of which a player takes the snapshot, and says so.
fn look(room: &mut Walkers, player: PlayerId) -> Vec<u8> {
    room.tick();
    while room.poll_effect().is_some() {}
    let mut frame = Vec::new();
    assert!(room.compose(player, true, &mut frame));
    let (head, _) = SnapshotHead::decode(&frame).expect("a snapshot");
    let mut ack = Vec::new();
    encode_ack(head.tick, &mut ack);
    assert_eq!(room.receive(player, &ack), Ok(()));
    frame
}

/// What a player is sent of the groups that they hold goes on, to the byte. Who looked on does not,
/// and nothing of theirs is the next one's.
#[test]
fn groups_go_along_and_who_looks_on_does_not() {
    let (mut room, ann) = room();
    let crowd = [(); 2].map(|()| room.watch(Identity::nobody()).expect("a place is free"));
    room.leave(crowd[0]);
    let walker = room.world_mut().resource::<Steps>().1.expect("ann came");
    room.world_mut().entity_mut(walker).insert(Group(3));
    room.world_mut().spawn((At(5.0), Group(4)));
    room.world_mut().spawn((At(6.0), Group(7)));
    let mut groups = room.world_mut().resource_mut::<Groups>();
    groups.set(ann, [4, 9]);
    groups.set(crowd[1], [7]);
    look(&mut room, ann);
    room.world_mut().resource_mut::<Out>().kick(crowd[1]);
    while room.poll_effect().is_some() {}
    let bytes = saved(&mut room);
    let mut again = Walkers::restore(game(), &bytes).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((room.spectators(), again.spectators()), (1, 0));
    let roster = again.world_mut().resource::<Roster>();
    assert_eq!((roster.members.len(), &roster.spectators[..]), (1, &[][..]));
    let groups = again.world_mut().resource::<Groups>();
    assert_eq!(
        (groups.of(ann), groups.of(crowd[1])),
        (&[4, 9][..], &[][..])
    );
    let next = [&mut room, &mut again].map(|room| {
        assert!(room.disconnect(ann) && room.resume(ann, Seen::default()));
        room.watch(Identity::nobody()).expect("a place is free")
    });
    assert_eq!(next[0], next[1]);
    assert!(!crowd.contains(&next[0]), "a number is not given out again");
    let mut sent = 0;
    for tick in 0..60 {
        let frames = [&mut room, &mut again].map(|room| {
            if let Some(mut of) = room.world_mut().get_mut::<Group>(walker)
                && tick % 7 == 0
            {
                of.0 = 3 + tick % 2;
            }
            look(room, ann)
        });
        assert_eq!(frames[0], frames[1], "tick {tick}");
        sent += frames[0].len();
    }
    assert!(sent > 60 * SNAPSHOT_HEAD_BYTES, "something is sent");
    assert!(!room.is_present(crowd[1]) && again.is_present(next[1]));
}

/// A report that the next tick would take, who left, and which rounds were reported.
#[test]
fn results_go_along_and_are_reported_once() {
    let (mut room, ann) = room();
    let bo = room.join("bo").expect("a seat is free");
    room.leave(bo);
    let report = |room: &mut Walkers, round| {
        let standing = |player| Standing {
            player,
            team: 0,
            place: 1,
            score: 0,
            left: false,
        };
        room.world_mut().resource_mut::<Out>().result(RoundResult {
            round,
            season: String::new(),
            standings: vec![standing(ann), standing(bo)],
        });
    };
    let told = |room: &mut Walkers| {
        room.tick();
        let effects = std::iter::from_fn(|| room.poll_effect());
        let results = effects.filter_map(|effect| match effect {
            Effect::Result { round, players, .. } => Some((round, players.len())),
            _ => None,
        });
        results.collect::<Vec<_>>()
    };
    report(&mut room, 1);
    while room.poll_effect().is_some() {}
    let bytes = saved(&mut room);
    let mut again = Walkers::restore(game(), &bytes).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(told(&mut again), [(1, 2)]);
    let bytes = saved(&mut again);
    let mut again = Walkers::restore(game(), &bytes).unwrap_or_else(|error| panic!("{error}"));
    report(&mut again, 1);
    assert_eq!(told(&mut again), []);
    report(&mut again, 2);
    assert_eq!(told(&mut again), [(2, 1)]);
}

/// The process goes on after the room was saved, and is killed.
#[test]
fn what_was_handed_out_and_said_since_is_neither_void_nor_given_again() {
    use tickwire::codec::encode_client;
    use tickwire::ids::Tick;
    use tickwire::protocol::ClientMessage;
    use tickwire::session::Seen;
    let say = |room: &mut Walkers, ann| {
        let line = ClientMessage::Chat { text: "hi".into() };
        assert_eq!(room.receive(ann, &encode_client(&line)), Ok(()));
        let head = tickwire::protocol::frame::InputHead {
            tick: Tick(room.tick_number().0 + 2),
            ack: Tick(0),
            view_lag: 0,
        };
        let mut bytes = Vec::new();
        head.encode(&mut bytes);
        tickwire::snapshot::fields::pack(&game().schema.input, &[128, 64], &mut bytes);
        assert_eq!(room.receive(ann, &bytes), Ok(()));
        room.tick();
        while room.poll_effect().is_some() {}
    };
    let (mut room, ann) = room();
    (0..3).for_each(|_| say(&mut room, ann));
    let bytes = saved(&mut room);
    let first = room.newest_token(ann).expect("ann has a seat");
    room.renew_token(ann, first);
    let later = room.newest_token(ann).expect("ann has a seat");
    say(&mut room, ann);
    let mut again = Walkers::restore(game(), &bytes).unwrap_or_else(|error| panic!("{error}"));
    again.begin_again();
    assert!(!again.is_present(ann) && again.has_member(ann));
    assert!(again.admits(ann, first) && again.admits(ann, later));
    assert!(again.newest_token(ann) > Some(later));
    let seen = Seen {
        chat: 4,
        tick: room.tick_number(),
    };
    assert!(again.resume(ann, seen));
    say(&mut again, ann);
    let line = again.chat.after(4, None);
    assert!(line.len() == 1 && line[0].id > 50_000, "{line:?}");
}
