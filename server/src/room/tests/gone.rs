//! What was somebody's who is gone: it is nobody's, whoever comes next; and what a game copies is
//! nobody's either.

use tickwire::limits::PLAYER_NUMBERS;

use super::*;
use crate::game::Owner;

fn play(room: &mut Room<Boxes>, client: &mut Client) {
    room.tick();
    let mut bytes = Vec::new();
    assert!(room.compose(client.player, true, &mut bytes));
    client.receive(room, &bytes);
    client.ack(room);
}

/// A thing that is one player's alone.
fn keepsake(room: &mut Room<Boxes>, player: PlayerId) -> Entity {
    let world = room.world_mut();
    world.spawn((Secret { number: 4242 }, Owner(player))).id()
}

fn shown(client: &Client) -> usize {
    client.layers[usize::from(LayerId::OWNER.0)].entities.len()
}

fn owned(room: &mut Room<Boxes>, entity: Entity) -> Option<Owner> {
    room.world_mut().get::<Owner>(entity).copied()
}

#[test]
fn what_outlives_its_player_is_shown_to_nobody_who_comes_later() {
    let mut room = room(1, 1);
    let mut ann = Client::join(&mut room);
    let thing = keepsake(&mut room, ann.player);
    let hidden = keepsake(&mut room, ann.player);
    let world = room.world_mut();
    world
        .entity_mut(hidden)
        .insert(bevy_ecs::entity_disabling::Disabled);
    play(&mut room, &mut ann);
    assert_eq!(shown(&ann), 2, "her box and the thing");
    room.leave(ann.player);
    assert_eq!(owned(&mut room, thing), None);
    assert_eq!(
        owned(&mut room, hidden),
        None,
        "what is disabled meanwhile too"
    );
    // A game may think of her still.
    room.world_mut().entity_mut(thing).insert(Owner(ann.player));
    room.tick();
    for number in [1, 2, PLAYER_NUMBERS - 1, 0, 1] {
        if number > 2 {
            room.members.next = number;
        }
        let mut next = Client::join(&mut room);
        assert_eq!(next.player, PlayerId(number));
        play(&mut room, &mut next);
        assert_eq!(shown(&next), 1, "the own box, for {number}");
        room.leave(next.player);
    }
}

/// A game that clears up as soon as something is nobody's.
#[test]
fn what_was_theirs_may_go_while_it_becomes_nobodys() {
    let mut room = room(2, 1);
    let ann = Client::join(&mut room);
    let things = [(); 3].map(|()| keepsake(&mut room, ann.player));
    let despawn_all = move |_: On<Remove<Owner>>, mut commands: Commands| {
        for thing in things {
            commands.entity(thing).try_despawn();
        }
    };
    room.world_mut().add_observer(despawn_all);
    // The body is kept: else all go with it, before anything becomes nobody's.
    room.world_mut().resource_mut::<Hooks>().1 = true;
    room.leave(ann.player);
    room.tick();
    for thing in things {
        assert!(room.world_mut().get_entity(thing).is_err());
    }
}

#[test]
fn numbers_go_round_past_those_that_are_taken() {
    let mut room = room(3, 1);
    let [ann, bo] = [(); 2].map(|()| room.join("somebody").expect("a seat"));
    let last = PLAYER_NUMBERS - 1;
    for number in [2, 3, 4, last - 1, last, 2, 3] {
        if number == last - 1 {
            room.members.next = number;
        }
        let next = room.join("somebody").expect("a seat");
        assert_eq!(next, PlayerId(number));
        assert_eq!(room.join("somebody"), Err(Refusal::RoomFull));
        room.leave(next);
    }
    let known: Vec<PlayerId> = room.members.iter().map(|member| member.player()).collect();
    assert_eq!(known, [ann, bo]);
}

/// All of the numbers fit what an image says of an owner.
#[test]
fn the_last_number_is_on_the_wire_what_it_is_here() {
    let player = PlayerId(PLAYER_NUMBERS - 1);
    for avatar in [true, false] {
        let code = OwnerCode { player, avatar };
        assert_eq!(OwnerCode::decode(code.encode()), Some(code));
    }
    let mut room = room(2, 1);
    room.members.next = PLAYER_NUMBERS - 1;
    let mut last = Client::join(&mut room);
    let mut first = Client::join(&mut room);
    assert_eq!((last.player, first.player), (player, PlayerId(0)));
    for _ in 0..5 {
        room.tick();
        for client in [&mut last, &mut first] {
            let mut bytes = Vec::new();
            assert!(room.compose(client.player, true, &mut bytes));
            client.receive(&room, &bytes);
            client.ack(&mut room);
        }
        let room_layer = &last.layers[0].entities;
        let owners = room_layer.iter().filter_map(|head| head.owner());
        let owners: Vec<PlayerId> = owners.map(|owner| owner.player).collect();
        // By their slots, of which the last made was given the first.
        assert!(owners.contains(&player) && owners.contains(&PlayerId(0)) && owners.len() == 2);
    }
}

#[test]
fn a_clone_of_an_avatar_is_nobodys_and_leaves_its_player_theirs() {
    let mut room = room(2, 1);
    let mut ann = Client::join(&mut room);
    play(&mut room, &mut ann);
    let avatar = room.members.get(ann.player).expect("seated").entity;
    let world = room.world_mut();
    world.entity_mut(avatar).insert(Stray { ticks_left: 999 });
    let clone = world.entity_mut(avatar).clone_and_spawn();
    assert!(
        world.get::<Pos>(clone).is_some(),
        "what is the game's is copied"
    );
    assert!(
        world.get::<Input<Push>>(clone).is_none(),
        "nobody steers it"
    );
    for _ in 0..3 {
        let input = ann.input(&room, room.tick.0 + 1, 1.0);
        assert_eq!(room.receive(ann.player, &input), Ok(()));
        play(&mut room, &mut ann);
    }
    let slots = &room.capture.slots;
    let (mine, other) = (slots.handle(avatar), slots.handle(clone));
    assert!(mine.is_some() && other.is_some() && mine != other);
    assert_eq!(owned(&mut room, clone), None);
    let heads = &ann.layers[0].entities;
    let owner_of = |handle: Option<Handle>| {
        let mut found = heads.iter().filter(|head| Some(head.handle()) == handle);
        let owner = found.next().expect("it is shown").owner();
        assert!(found.next().is_none(), "once");
        owner
    };
    assert_eq!(owner_of(other), None);
    let avatar_of = owner_of(mine).expect("it is somebody's");
    assert!(avatar_of.avatar && avatar_of.player == ann.player);
    assert_eq!(shown(&ann), 1, "of her private things the clone has none");
    room.leave(ann.player);
    assert!(
        room.world_mut().get_entity(clone).is_ok(),
        "it is not hers to take along"
    );
}

/// A game that keeps the body of who left.
#[test]
fn what_is_kept_of_who_left_is_not_steered_any_more() {
    let mut room = room(2, 1);
    let mut ann = Client::join(&mut room);
    play(&mut room, &mut ann);
    let input = ann.input(&room, room.tick.0 + 1, 1.0);
    assert_eq!(room.receive(ann.player, &input), Ok(()));
    room.tick();
    let avatar = room.members.get(ann.player).expect("seated").entity;
    room.world_mut().resource_mut::<Hooks>().1 = true;
    room.leave(ann.player);
    let input = room
        .world_mut()
        .get::<Input<Push>>(avatar)
        .expect("it is kept");
    assert!(input.substituted && input.now.dx == 0.0);
}
