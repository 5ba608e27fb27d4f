//! Members whose connection is lost: who is told what, what is held and for how long, and what
//! the one who comes back gets.

use super::*;
use crate::game::{Closing, Identity, Options};
use tickwire::session::Seen;

/// Ticks for which these rooms hold a seat.
const GRACE: u32 = 20;

fn room_with_grace(grace: u32) -> Room<Boxes> {
    let game = GameDef::<Boxes>::new(30).expect("the game is well declared");
    let options = RoomOptions {
        grace,
        ..RoomOptions::default()
    };
    Room::new(Arc::new(game), options)
}

fn member(room: &Room<Boxes>, player: PlayerId) -> tickwire::protocol::server_message::Member {
    let all = room.members.public();
    let found = all.into_iter().find(|member| member.player == player);
    found.expect("a member")
}

/// Whether a player acknowledged anything on their present connection.
fn has_heard(room: &Room<Boxes>, player: PlayerId) -> bool {
    let member = room.members.get(player);
    member.is_some_and(|member| member.receiver.in_flight.any_acked())
}

fn hooks(room: &mut Room<Boxes>) -> Vec<String> {
    std::mem::take(&mut room.world_mut().resource_mut::<Hooks>().0)
}

/// A member who has answered, so that their seat is held.
fn answered(room: &mut Room<Boxes>) -> Client {
    let mut client = Client::join(room);
    play(room, &mut client);
    client
}

fn identity(name: &str) -> Identity {
    Identity {
        subject: name.into(),
        is_guest: true,
    }
}

/// A member of this identity who has answered, or not.
fn sat(room: &mut Room<Boxes>, name: &str, answers: bool) -> Client {
    let options = Options::default();
    let player = room.join_as(name, identity(name), &options);
    let player = player.expect("a seat is free");
    let mut client = Client {
        player,
        ..Client::default()
    };
    if answers {
        play(room, &mut client);
    }
    client
}

fn play(room: &mut Room<Boxes>, client: &mut Client) {
    room.tick();
    let mut bytes = Vec::new();
    assert!(room.compose(client.player, true, &mut bytes));
    client.receive(room, &bytes);
    client.ack(room);
}

#[test]
fn a_dropped_player_is_back_with_entity_state_and_one_keyframe_of_each_layer() {
    let mut room = room_with_grace(GRACE);
    let mut ann = Client::join(&mut room);
    let mut bo = Client::join(&mut room);
    for _ in 0..5 {
        play(&mut room, &mut ann);
        play(&mut room, &mut bo);
    }
    request(&mut room, ann.player, &ClientMessage::Ready { ready: true });
    let said = |text: &str| ClientMessage::Chat { text: text.into() };
    request(&mut room, ann.player, &said("one"));
    play(&mut room, &mut ann);
    let entity = room.members.get(ann.player).expect("seated").entity;
    effects(&mut room);
    hooks(&mut room);

    assert!(room.disconnect(ann.player));
    assert!(room.disconnect(ann.player), "once more changes nothing");
    play(&mut room, &mut bo);
    let told = messages_to(&effects(&mut room), bo.player);
    assert_eq!(
        told,
        [state(&room, ann.player), state(&room, bo.player)],
        "one is away, and somebody can kick"
    );
    let gone = member(&room, ann.player);
    assert!(!gone.connected && gone.ready && !gone.host);
    assert!(member(&room, bo.player).host);
    request(&mut room, bo.player, &said("two"));
    for _ in 0..GRACE - 2 {
        play(&mut room, &mut bo);
    }
    let late = room.receive(ann.player, &ann.input(&room, room.tick.0 + 1, 1.0));
    assert_eq!(
        late,
        Err(CloseCode::OutOfOrder),
        "an old socket is no longer heard"
    );
    effects(&mut room);

    assert!(room.resume(
        ann.player,
        Seen {
            chat: 1,
            tick: Tick(0)
        }
    ));
    let all = effects(&mut room);
    let told = messages_to(&all, ann.player);
    let ServerMessage::Joined {
        you,
        chat,
        tick,
        members,
        ..
    } = &told[0]
    else {
        panic!("{told:?}");
    };
    assert_eq!((*you, *tick), (Some(ann.player), room.tick));
    let lines: Vec<&str> = chat.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(lines, ["two"], "what was said meanwhile, and no more");
    assert!(members.iter().all(|member| member.connected));
    assert_eq!(messages_to(&all, bo.player), [], "not before the tick");
    play(&mut room, &mut bo);
    let told = messages_to(&effects(&mut room), bo.player);
    assert_eq!(told[0], state(&room, ann.player));
    assert_eq!(room.members.get(ann.player).expect("seated").entity, entity);
    assert!(member(&room, ann.player).ready);
    assert_eq!(hooks(&mut room), ["dropped 0", "resumed 0"]);

    // A client that knows nothing any more, as a page that was reloaded.
    let mut back = Client {
        player: ann.player,
        ..Client::default()
    };
    room.stats();
    play(&mut room, &mut back);
    assert_eq!(room.stats().keyframes, 3, "room, own and team, once each");
    for _ in 0..5 {
        play(&mut room, &mut back);
    }
    assert_eq!(
        room.receive(back.player, &back.input(&room, room.tick.0 + 1, 1.0)),
        Ok(())
    );
    assert_eq!(room.stats().inputs_taken, 1);
}

#[test]
fn who_does_not_come_back_leaves_when_the_grace_is_over() {
    let mut room = room_with_grace(GRACE);
    let ann = answered(&mut room);
    let mut bo = Client::join(&mut room);
    room.tick();
    room.disconnect(ann.player);
    effects(&mut room);
    for _ in 1..GRACE {
        play(&mut room, &mut bo);
    }
    let told = messages_to(&effects(&mut room), bo.player);
    assert!(
        matches!(
            told[0],
            ServerMessage::MemberState {
                connected: false,
                ..
            }
        ),
        "{told:?}"
    );
    assert_eq!(room.players(), 2);
    room.tick();
    let player = ann.player;
    let all = effects(&mut room);
    assert!(all.contains(&Effect::Vacate { player }), "{all:?}");
    let told = messages_to(&all, bo.player);
    assert_eq!(told, [ServerMessage::MemberLeft { player }]);
    assert_eq!(hooks(&mut room), ["dropped 0", "left 0"]);
    assert!(!room.resume(player, Seen::default()) && !room.has_member(player));
    assert_eq!(room.stats().seats_expired, 1);
}

#[test]
fn a_new_connection_takes_over_from_one_that_seems_alive() {
    let mut room = room_with_grace(GRACE);
    let mut ann = Client::join(&mut room);
    for _ in 0..3 {
        play(&mut room, &mut ann);
    }
    assert!(has_heard(&room, ann.player));
    assert!(room.resume(ann.player, Seen::default()));
    assert!(
        !has_heard(&room, ann.player),
        "nothing on this connection yet"
    );
    assert_eq!(
        hooks(&mut room),
        ["dropped 0", "resumed 0"],
        "the game hears both"
    );
    let mut back = Client {
        player: ann.player,
        ..Client::default()
    };
    play(&mut room, &mut back);
    assert!(has_heard(&room, ann.player));
}

#[test]
fn who_changes_the_connection_in_play_was_never_away() {
    let mut room = room_with_grace(GRACE);
    let mut ann = Client::join(&mut room);
    let mut bo = Client::join(&mut room);
    for _ in 0..3 {
        play(&mut room, &mut ann);
        play(&mut room, &mut bo);
    }
    let seen = room.tick;
    let ahead = Tick(room.tick.0 + 3);
    let input = ann.input(&room, ahead.0, 1.0);
    assert_eq!(room.receive(ann.player, &input), Ok(()));
    play(&mut room, &mut bo);
    effects(&mut room);
    room.stats();
    assert!(room.resume(
        ann.player,
        Seen {
            chat: 0,
            tick: seen
        }
    ));
    let told = messages_to(&effects(&mut room), ann.player);
    assert!(matches!(told[0], ServerMessage::Joined { .. }), "{told:?}");
    let member = room.members.get(ann.player).expect("seated");
    assert_eq!(member.inputs.newest_tick(), Some(ahead), "inputs go on");
    let listener = member.receiver.listener();
    assert_eq!((listener.momentary, listener.durable), (seen, seen));
    play(&mut room, &mut bo);
    assert_eq!(messages_to(&effects(&mut room), bo.player), []);
    let stats = room.stats();
    assert_eq!((stats.players_moved, stats.players_dropped), (1, 0));
    let mut back = Client {
        player: ann.player,
        ..Client::default()
    };
    play(&mut room, &mut back);
    assert!(hooks(&mut room).is_empty(), "the game hears of nothing");
}

#[test]
fn without_a_grace_who_is_lost_has_left() {
    let mut room = room_with_grace(0);
    let ann = Client::join(&mut room);
    assert!(!room.disconnect(ann.player));
    assert_eq!(
        (room.players(), hooks(&mut room)),
        (0, vec!["left 0".to_owned()])
    );
}

#[test]
fn who_is_away_can_be_kicked_and_holds_no_title() {
    let mut room = room_with_grace(GRACE);
    room.options.kicks = true;
    let ann = answered(&mut room);
    let bo = Client::join(&mut room);
    room.disconnect(ann.player);
    effects(&mut room);
    let player = ann.player;
    let kicked = request(&mut room, bo.player, &ClientMessage::Kick { player });
    let reason = LeaveReason::Kicked;
    assert!(
        kicked.contains(&Effect::Depart { player, reason }),
        "{kicked:?}"
    );
    assert!(!room.resume(player, Seen::default()));
}

#[test]
fn while_nobody_is_there_the_seats_still_run_out() {
    let mut room = room_with_grace(GRACE);
    let ann = answered(&mut room);
    let bo = answered(&mut room);
    room.disconnect(ann.player);
    room.disconnect(bo.player);
    assert!(room.members.host().is_some(), "there is always a host");
    for _ in 0..GRACE {
        assert_eq!(room.players(), 2);
        room.tick();
    }
    assert_eq!(room.players(), 0);
    room.close(Closing::Empty);
    let heard = hooks(&mut room);
    assert_eq!(heard[2..], ["left 0", "left 1", "closing Empty"]);
}

#[test]
fn a_seat_whose_connection_never_answered_is_not_held() {
    let mut room = room_with_grace(GRACE);
    let ann = sat(&mut room, "ann", false);
    room.tick();
    assert!(
        room.compose(ann.player, true, &mut Vec::new()),
        "she is sent a snapshot"
    );
    request(&mut room, ann.player, &ClientMessage::Ready { ready: true });
    assert!(!room.disconnect(ann.player));
    assert_eq!(room.players(), 0);
    let by_input = sat(&mut room, "ann", false);
    let input = by_input.input(&room, room.tick.0 + 1, 1.0);
    assert_eq!(room.receive(by_input.player, &input), Ok(()));
    assert!(room.disconnect(by_input.player), "an input is an answer");
}

/// On the connection before they had answered; what was true of the seat stays so.
#[test]
fn a_seat_that_was_held_once_is_held_when_the_answer_to_a_return_is_lost() {
    let mut room = room_with_grace(GRACE);
    let ann = answered(&mut room);
    for _ in 0..3 {
        assert!(room.disconnect(ann.player));
        assert!(room.resume(ann.player, Seen::default()));
        room.tick();
    }
    assert!(room.disconnect(ann.player));
    // Whose token it is has got it, whatever else was lost.
    let bo = sat(&mut room, "bo", false);
    assert!(room.resume(bo.player, Seen::default()));
    assert!(room.disconnect(bo.player));
}

#[test]
fn who_joins_anew_takes_over_the_seat_that_is_held_for_them() {
    let mut room = room_with_grace(GRACE);
    let mut ann = sat(&mut room, "ann", true);
    let bo = sat(&mut room, "bo", true);
    let said = |text: &str| ClientMessage::Chat { text: text.into() };
    request(&mut room, ann.player, &said("one"));
    let entity = room.members.get(ann.player).expect("seated").entity;
    assert_eq!(
        room.seat_of(&identity("ann"), false),
        None,
        "she sits there, and there is room"
    );
    assert!(room.disconnect(ann.player));
    assert_eq!(room.seat_of(&identity("bo"), false), None);
    assert_eq!(room.seat_of(&identity("cy"), false), None);
    assert_eq!(room.seat_of(&identity("ann"), false), Some(ann.player));
    let user = Identity {
        is_guest: false,
        ..identity("ann")
    };
    assert_eq!(
        room.seat_of(&user, false),
        None,
        "a guest of this name is nobody of this name"
    );
    effects(&mut room);
    assert!(room.take_over(ann.player, &Options::default()));
    let all = effects(&mut room);
    let told = messages_to(&all, ann.player);
    let ServerMessage::Joined { you, chat, .. } = &told[0] else {
        panic!("{told:?}");
    };
    assert_eq!(
        (*you, chat.len()),
        (Some(ann.player), 1),
        "all that was said"
    );
    assert_eq!(
        messages_to(&all, bo.player),
        [],
        "she was not away for a tick"
    );
    assert_eq!(room.members.get(ann.player).expect("seated").entity, entity);
    assert_eq!(room.players(), 2);
    room.stats();
    ann.layers = Default::default();
    play(&mut room, &mut ann);
    assert_eq!(room.stats().keyframes, 3, "room, own and team, once each");
}

#[test]
fn in_a_full_room_a_seat_that_seems_alive_is_its_players_too() {
    let mut room = room_with_grace(GRACE);
    let quiet = sat(&mut room, "ann", true);
    let lost = sat(&mut room, "ann", false);
    let others: Vec<Client> = (2..16).map(|_| sat(&mut room, "bo", true)).collect();
    assert_eq!(
        room.seat_of(&identity("ann"), false),
        Some(lost.player),
        "the answer to it was lost"
    );
    assert!(room.disconnect(quiet.player));
    assert_eq!(
        room.seat_of(&identity("ann"), false),
        Some(quiet.player),
        "what is held comes first"
    );
    assert!(room.take_over(quiet.player, &Options::default()));
    assert!(room.take_over(lost.player, &Options::default()));
    assert!(!room.disconnect(lost.player), "still nobody answered there");
    assert_eq!(
        room.seat_of(&identity("ann"), false),
        None,
        "there is a seat left"
    );
    room.join_as("cy", identity("cy"), &Options::default())
        .expect("a seat is free");
    assert_eq!(room.seat_of(&identity("ann"), false), Some(quiet.player));
    assert_eq!(
        room.seat_of(&identity("bo"), false),
        Some(others[0].player),
        "the oldest of hers"
    );
    assert_eq!(room.seat_of(&identity("dee"), false), None);
}

#[test]
fn where_seats_are_not_held_none_is_taken_over() {
    let mut room = room_with_grace(0);
    for _ in 0..16 {
        sat(&mut room, "ann", true);
    }
    assert_eq!(room.seat_of(&identity("ann"), false), None);
}

#[test]
fn who_comes_back_does_not_say_a_line_twice() {
    let mut room = room_with_grace(GRACE);
    let ann = answered(&mut room);
    effects(&mut room);
    let say = |room: &mut Room<Boxes>, nonce: u32| {
        let say = ClientMessage::Say {
            channel: "room".into(),
            nonce,
            text: "hello".into(),
        };
        let told = request(room, ann.player, &say);
        messages_to(&told, ann.player)
    };
    let said = |nonce, line| ServerMessage::Said {
        nonce,
        result: Ok(line),
    };
    assert_eq!(say(&mut room, 5), [said(5, 1)]);
    assert!(room.disconnect(ann.player));
    assert!(room.resume(ann.player, Seen::default()));
    effects(&mut room);
    assert_eq!(say(&mut room, 5), [said(5, 1)]);
    assert_eq!(say(&mut room, 6), [said(6, 2)]);
}
