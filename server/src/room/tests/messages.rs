//! What players send: inputs, requests, and what is not allowed.

use tickwire::session::Seen;

use super::*;
use crate::room::Wanted;

#[test]
fn inputs_move_the_box_and_come_back_in_the_head() {
    let mut room = room(1, 1);
    let client = Client::join(&mut room);
    room.tick();
    for tick in 2..5 {
        let input = client.input(&room, tick, 1.0);
        assert_eq!(room.receive(client.player, &input), Ok(()));
    }
    let mut frame = Vec::new();
    for _ in 0..3 {
        room.tick();
        frame.clear();
        assert!(room.compose(client.player, true, &mut frame));
    }
    let (head, _) = SnapshotHead::decode(&frame).expect("a snapshot");
    assert_eq!((head.tick, head.input_tick), (Tick(4), Tick(4)));
    assert_eq!((head.slack, head.substituted), (0, false));
    let entity = room.members.get(client.player).expect("seated").entity;
    let x = room.world.get::<Pos>(entity).expect("alive").x;
    // Snapped to 1/1024 after every tick.
    let step = |x: f64| ((x + 1.0 / 3.0 + 1000.0) * 1024.0 + 0.5).floor() / 1024.0 - 1000.0;
    assert_eq!(x, step(step(step(0.0))));
    room.tick();
    frame.clear();
    assert!(room.compose(client.player, true, &mut frame));
    let (head, _) = SnapshotHead::decode(&frame).expect("a snapshot");
    assert_eq!((head.slack, head.substituted), (-1, true));
}

#[test]
fn what_was_seen_stays_with_its_input() {
    let mut room = room(1, 1);
    let mut client = Client::join(&mut room);
    let mut frame = Vec::new();
    for _ in 0..20 {
        room.tick();
        frame.clear();
        assert!(room.compose(client.player, true, &mut frame));
        client.receive(&room, &frame);
        client.ack(&mut room);
    }
    // Both were made a tick behind the newest snapshot; the second one waits for its tick.
    for tick in [21, 24] {
        let input = client.input(&room, tick, 1.0);
        assert_eq!(room.receive(client.player, &input), Ok(()));
    }
    let entity = room.members.get(client.player).expect("seated").entity;
    let mut views = Vec::new();
    for _ in 0..14 {
        room.tick();
        let input = room.world.get::<Input<Push>>(entity).expect("a player");
        views.push(input.view);
    }
    // 22 and 23 repeat the first at its distance, 25 and on the second, and nothing is further back
    // than 7.5 ticks.
    let second = (20..30).map(f64::from);
    let expected: Vec<f64> = [19.0, 20.0, 21.0, 19.0].into_iter().chain(second).collect();
    assert_eq!(views, expected);
}

#[test]
fn joiners_are_told_and_the_host_passes_on() {
    let mut room = room(2, 1);
    let first = room.join("first").expect("a seat");
    effects(&mut room);
    let second = room.join("second").expect("a seat");
    room.tick();
    let told = effects(&mut room);
    assert!(matches!(
        &messages_to(&told, second)[..],
        [ServerMessage::Joined { you, members, .. }] if *you == Some(second) && members.len() == 2
    ));
    assert!(matches!(
        &messages_to(&told, first)[..],
        [ServerMessage::MemberChanged { member }] if member.player == second && !member.host
    ));
    assert_eq!(room.join("third"), Err(Refusal::RoomFull));
    room.leave(first);
    room.tick();
    assert!(matches!(
        &messages_to(&effects(&mut room), second)[..],
        [
            ServerMessage::MemberLeft { .. },
            ServerMessage::MemberState { host: true, .. }
        ]
    ));
}

#[test]
fn only_the_host_kicks_and_only_where_they_may() {
    let mut room = room(3, 1);
    room.options.kicks = true;
    let host = room.join("host").expect("a seat");
    let guest = room.join("guest").expect("a seat");
    effects(&mut room);
    let told = request(&mut room, guest, &ClientMessage::Kick { player: host });
    assert!(matches!(
        &messages_to(&told, guest)[..],
        [ServerMessage::Refused {
            reason: Refusal::NotHost
        }]
    ));
    room.options.kicks = false;
    let told = request(&mut room, host, &ClientMessage::Kick { player: guest });
    assert!(matches!(
        &messages_to(&told, host)[..],
        [ServerMessage::Refused {
            reason: Refusal::NotHost
        }]
    ));
    room.options.kicks = true;
    let told = request(&mut room, host, &ClientMessage::Kick { player: guest });
    assert_eq!(told, sent_away(guest));
    assert_eq!(room.players(), 1);
}

fn sent_away(player: PlayerId) -> [Effect; 2] {
    let reason = LeaveReason::Kicked;
    let identity = Identity::nobody();
    [
        Effect::KeepOut { player, identity },
        Effect::Depart { player, reason },
    ]
}

#[test]
fn the_game_kicks_whom_it_will_before_the_image_of_the_tick() {
    let mut room = room(3, 1);
    let one = room.join("one").expect("a seat");
    let mut two = Client::join(&mut room);
    room.tick();
    effects(&mut room);
    let mut out = room.world_mut().resource_mut::<Out>();
    out.kick(one);
    out.kick(one);
    out.kick(PlayerId(7));
    room.tick();
    let told = effects(&mut room);
    assert_eq!(told[..2], sent_away(one));
    assert_eq!(
        messages_to(&told, two.player),
        [
            ServerMessage::MemberLeft { player: one },
            state(&room, two.player)
        ]
    );
    let mut frame = Vec::new();
    assert!(room.compose(two.player, true, &mut frame));
    two.receive(&room, &frame);
    let heads = &two.layers[0].entities;
    assert!(
        heads
            .iter()
            .all(|head| head.owner().is_none_or(|owner| owner.player != one))
    );
    // Who leaves first is not there to be kicked, nor is the next one with their number.
    room.world_mut().resource_mut::<Out>().kick(two.player);
    room.leave(two.player);
    let again = room.join("again").expect("a seat");
    room.tick();
    assert!(room.has_member(again));
}

#[test]
fn chat_reaches_all_is_remembered_and_bounded() {
    let mut room = room(3, 1);
    let one = room.join("one").expect("a seat");
    let two = room.join("two").expect("a seat");
    room.tick();
    effects(&mut room);
    let line = |text: &str| ClientMessage::Chat {
        text: text.to_owned(),
    };
    for text in ["", " \t ", &"x".repeat(201), "\u{202E}\u{200B}"] {
        let told = request(&mut room, one, &line(text));
        let refused = messages_to(&told, one);
        assert!(matches!(
            &refused[..],
            [ServerMessage::Refused {
                reason: Refusal::BadText | Refusal::TooOften
            }]
        ));
    }
    let said = request(&mut room, two, &line("<b>he\u{202E}llo</b>\n"));
    assert!(matches!(
        &said[..],
        [Effect::Said { line: 1, name, text, .. }] if name == "two" && text == "<b>hello</b>"
    ));
    room.tick();
    let told = effects(&mut room);
    assert!(matches!(
        &messages_to(&told, one)[..],
        [ServerMessage::Chat { line }] if line.text == "<b>hello</b>" && line.from == two
    ));
    let mut refused = 0;
    for _ in 0..10 {
        let told = request(&mut room, two, &line("again"));
        refused += usize::from(matches!(
            &messages_to(&told, two)[..],
            [ServerMessage::Refused {
                reason: Refusal::TooOften
            }]
        ));
    }
    assert_eq!(refused, 6);
    let three = room.join("three").expect("a seat");
    assert!(matches!(
        &messages_to(&effects(&mut room), three)[..],
        [ServerMessage::Joined { chat, .. }] if chat.len() == 5
    ));
}

#[test]
fn a_line_of_a_nonce_is_said_once_and_answered_each_time() {
    let mut room = room(1, 1);
    let one = room.join("one").expect("a seat");
    let said = |room: &mut Room<Boxes>, channel: &str, nonce: u32, text: &str| {
        let say = ClientMessage::Say {
            channel: channel.to_owned(),
            nonce,
            text: text.to_owned(),
        };
        let mut told = request(room, one, &say);
        room.tick();
        told.extend(effects(room));
        let messages = messages_to(&told, one).into_iter();
        let lines = messages.filter_map(|message| match message {
            ServerMessage::Said { nonce: of, result } => {
                assert_eq!(of, nonce);
                Some(Err(result))
            }
            ServerMessage::Chat { line } => Some(Ok((line.id, line.text))),
            _ => None,
        });
        lines.collect::<Vec<_>>()
    };
    room.tick();
    effects(&mut room);
    let line = |id: u32, text: &str| Ok((id, text.to_owned()));
    assert_eq!(said(&mut room, "room", 7, "a"), [Err(Ok(1)), line(1, "a")]);
    assert_eq!(said(&mut room, "room", 7, "a"), [Err(Ok(1))], "again");
    assert_eq!(said(&mut room, "room", 8, "b"), [Err(Ok(2)), line(2, "b")]);
    let refused = |reason: Refusal| [Err(Err(reason))];
    assert_eq!(said(&mut room, "room", 9, " "), refused(Refusal::BadText));
    assert_eq!(said(&mut room, "lobby", 9, "c"), [], "it is not the room's");
    let again = said(&mut room, "room", 8, "b");
    assert_eq!(again, [Err(Ok(2))], "what was refused is forgotten");
    room.mute(one, 100);
    assert_eq!(said(&mut room, "room", 10, "d"), refused(Refusal::Muted));
    assert_eq!(said(&mut room, "room", 8, "b"), [Err(Ok(2))]);
}

#[test]
fn the_others_are_told_who_is_typing_as_long_as_nothing_else_waits() {
    let mut room = room(3, 1);
    let one = room.join("one").expect("a seat");
    let two = room.join("two").expect("a seat");
    let watcher = room.watch(Identity::nobody()).expect("a place");
    let typing = |room: &mut Room<Boxes>, from: PlayerId, channel: &str| {
        let channel = channel.to_owned();
        request(room, from, &ClientMessage::Typing { channel });
    };
    // Who heard of whom in a tick, whose snapshots these acknowledge.
    let newest = std::cell::Cell::new(Tick(0));
    let heard_by = |room: &mut Room<Boxes>, takers: &[PlayerId]| {
        room.tick();
        let told = effects(room);
        let mut ack = Vec::new();
        encode_ack(room.tick, &mut ack);
        let mut heard = Vec::new();
        for player in [one, two, watcher] {
            let mut frame = Vec::new();
            let is_sent = room.compose(player, true, &mut frame);
            if is_sent && player == two {
                newest.set(room.tick);
            }
            if is_sent && takers.contains(&player) {
                assert_eq!(room.receive(player, &ack), Ok(()));
            }
            let messages = messages_to(&told, player).into_iter();
            heard.extend(messages.filter_map(|message| match message {
                ServerMessage::Typing { player: of } => Some((player, of)),
                _ => None,
            }));
        }
        heard
    };
    let all = [one, two, watcher];
    let heard = |room: &mut Room<Boxes>| heard_by(room, &all);
    let pass = |room: &mut Room<Boxes>| (0..60).for_each(|_| drop(heard(room)));
    pass(&mut room);
    typing(&mut room, one, "room");
    typing(&mut room, one, "room");
    assert_eq!(heard(&mut room), [(two, one), (watcher, one)]);
    assert_eq!(heard(&mut room), [], "once");
    typing(&mut room, one, "room");
    assert_eq!(heard(&mut room), [], "too soon");
    // What they said ends it, and they may begin another line.
    let text = "a".to_owned();
    request(&mut room, one, &ClientMessage::Chat { text });
    typing(&mut room, one, "room");
    assert_eq!(heard(&mut room), [(two, one), (watcher, one)]);
    pass(&mut room);
    typing(&mut room, one, "room");
    assert_eq!(heard(&mut room).len(), 2, "two seconds later");
    pass(&mut room);
    typing(&mut room, one, "lobby");
    typing(&mut room, watcher, "room");
    room.mute(two, 100);
    typing(&mut room, two, "room");
    assert_eq!(heard(&mut room), []);
    // Whoever takes nothing is told nothing, nor later.
    (0..40).for_each(|_| drop(heard_by(&mut room, &[one, watcher])));
    typing(&mut room, one, "room");
    let some = heard_by(&mut room, &[one, watcher]);
    assert_eq!(some, [(watcher, one)]);
    let mut ack = Vec::new();
    encode_ack(newest.get(), &mut ack);
    assert_eq!(room.receive(two, &ack), Ok(()));
    assert_eq!(heard(&mut room), []);
}

/// What is remembered goes along, and no tick waits for the rest.
#[test]
fn who_is_in_the_room_may_read_what_was_said() {
    let mut room = room(2, 1);
    let one = room.join("one").expect("a seat");
    let watcher = room.watch(Identity::nobody()).expect("a place");
    for text in ["a", "b", "c"] {
        let text = text.to_owned();
        request(&mut room, one, &ClientMessage::Chat { text });
        (0..30).for_each(|_| room.tick());
    }
    effects(&mut room);
    let history = |channel: &str, before: u32| ClientMessage::History {
        channel: channel.to_owned(),
        nonce: 7,
        before,
    };
    for (reader, before, expected) in [
        (one, 0, &[(1, 90), (2, 60), (3, 30)][..]),
        (watcher, 3, &[(1, 90), (2, 60)]),
        (one, 1, &[]),
    ] {
        let told = request(&mut room, reader, &history("room", before));
        let [
            Effect::Read(Wanted {
                reader: of,
                nonce: 7,
                before: until,
                newest: 3,
                remembered,
            }),
        ] = &told[..]
        else {
            panic!("{told:?}");
        };
        assert_eq!((*of, *until), (reader, before));
        let remembered = remembered.iter().map(|of| (of.line.id, of.ticks_ago));
        assert_eq!(remembered.collect::<Vec<_>>(), expected);
    }
    let elsewhere = history("lobby", 0);
    let beyond = Effect::Beyond {
        player: one,
        message: Box::new(elsewhere.clone()),
    };
    assert_eq!(request(&mut room, one, &elsewhere), [beyond]);
}

#[test]
fn who_is_muted_is_not_heard_until_it_is_over() {
    let mut room = room(2, 1);
    let [one, two] = ["one", "two"].map(|name| room.join(name).expect("a seat"));
    effects(&mut room);
    let is_heard = |room: &mut Room<Boxes>| {
        let text = "hello".to_owned();
        let mut told = request(room, one, &ClientMessage::Chat { text });
        room.tick();
        told.extend(effects(room));
        match (&messages_to(&told, one)[..], &messages_to(&told, two)[..]) {
            ([ServerMessage::Chat { .. }], [ServerMessage::Chat { .. }]) => true,
            ([ServerMessage::Refused { reason }], []) => {
                assert_eq!(*reason, Refusal::Muted);
                false
            }
            other => panic!("{other:?}"),
        }
    };
    room.tick();
    effects(&mut room);
    room.mute(one, 3);
    for _ in 0..3 {
        assert!(!is_heard(&mut room));
        assert!(
            room.resume(one, Seen::default()),
            "a new connection changes nothing"
        );
        effects(&mut room);
    }
    assert!(is_heard(&mut room), "its time is up");
    room.mute(one, u32::MAX);
    assert!(!is_heard(&mut room));
    assert_eq!(room.stats().chat_muted, 4);
    room.mute(one, 0);
    assert!(is_heard(&mut room), "taken back");
    room.mute(PlayerId(7), 3);
}

#[test]
fn bad_messages_close_with_their_code() {
    let mut room = room(1, 1);
    let client = Client::join(&mut room);
    room.tick();
    let player = client.player;
    let mut ahead = Vec::new();
    encode_ack(Tick(9), &mut ahead);
    let hello = encode_client(&ClientMessage::Hello {
        version: 1,
        features: 0,
        game: String::new(),
        schema: String::new(),
        tables: String::new(),
        name: String::new(),
        token: String::new(),
    });
    let mut long = client.input(&room, 3, 0.0);
    long.push(0);
    for (message, code) in [
        (&[][..], CloseCode::Malformed),
        (&[9, 1, 2], CloseCode::Malformed),
        (&[1, 200], CloseCode::Malformed),
        (&[2, 1, 0, 0], CloseCode::Malformed),
        (&[3, 0, 0, 0, 0, 0], CloseCode::Malformed),
        (&long, CloseCode::Malformed),
        (&ahead, CloseCode::OutOfRange),
        (&hello, CloseCode::OutOfOrder),
    ] {
        assert_eq!(room.receive(player, message), Err(code), "{message:?}");
    }
    assert_eq!(room.receive(PlayerId(7), &[3]), Err(CloseCode::OutOfOrder));
}

#[test]
fn a_resync_brings_a_keyframe_at_most_once_a_second() {
    let mut room = room(1, 1);
    let mut client = Client::join(&mut room);
    let mut frame = Vec::new();
    let mut keyframes = 0;
    for _ in 0..45 {
        room.tick();
        frame.clear();
        assert!(room.compose(client.player, true, &mut frame));
        client.receive(&room, &frame);
        client.ack(&mut room);
        keyframes += room.stats().keyframes;
        let layer = LayerId::ROOM;
        request(&mut room, client.player, &ClientMessage::Resync { layer });
    }
    // All three layers at first, one at each second, one of another team.
    assert_eq!(keyframes, 6);
}

#[test]
fn an_action_names_entities_and_is_answered() {
    let mut room = room(2, 1);
    let mut one = Client::join(&mut room);
    let two = Client::join(&mut room);
    room.tick();
    effects(&mut room);
    let mut frame = Vec::new();
    assert!(room.compose(one.player, true, &mut frame));
    one.receive(&room, &frame);
    let code = OwnerCode {
        player: two.player,
        avatar: true,
    };
    let heads = &one.layers[0].entities;
    let other = heads.iter().find(|head| head.owner() == Some(code));
    let other = other.expect("the other's box is in the image").handle();
    let gone = Handle {
        generation: other.generation + 1,
        ..other
    };
    let mut act = |action: u16, values: [i32; 2], seal: &[u8]| {
        let mut fields = Vec::new();
        pack(
            &room.game.schema.actions[0].request.fields,
            &values,
            &mut fields,
        );
        push_payload(seal, &mut fields);
        let message = ClientMessage::Act {
            id: 77,
            action,
            fields,
        };
        let told = request(&mut room, one.player, &message);
        messages_to(&told, one.player)
    };
    let reply = |result: Result<(), &str>| ServerMessage::Reply {
        id: 77,
        result: result.map(|()| Vec::new()).map_err(str::to_owned),
    };
    assert_eq!(act(0, [other.to_field(), 2], &[1, 2, 3]), [reply(Ok(()))]);
    assert_eq!(
        act(0, [gone.to_field(), 2], &[]),
        [reply(Err("nobody there"))]
    );
    assert_eq!(act(0, [Handle::NONE, 2], &[]), [reply(Err("nobody there"))]);
    assert_eq!(act(0, [0, 2], &[]), [reply(Err("nobody there"))]);
    let long = act(0, [other.to_field(), 2], &[9; 1024]);
    assert_eq!(long, [reply(Err("a seal of 1024 bytes"))]);
    let refused = ServerMessage::Refused {
        reason: Refusal::NoSuchAction,
    };
    assert_eq!(act(1, [0, 0], &[]), [refused]);
    let entity = room.members.get(two.player).expect("seated").entity;
    let secret = room.world.get::<Secret>(entity).expect("alive");
    // Five steps of the integer are zero of the field.
    assert_eq!(secret.number, i32::from(one.player.0) + 2 - 5);
    let mut whole = Vec::new();
    pack(
        &room.game.schema.actions[0].request.fields,
        &[-1, 2],
        &mut whole,
    );
    // Too few fields, no payload, a payload cut short, one too long, bytes behind it.
    let tails: [&[u8]; 4] = [&[], &[2, 7], &[0x81, 0x08], &[1, 7, 7]];
    let bodies = tails.iter().map(|tail| [&whole, *tail].concat());
    for fields in bodies.chain([vec![1]]) {
        let message = ClientMessage::Act {
            id: 1,
            action: 0,
            fields,
        };
        let bytes = encode_client(&message);
        let taken = room.receive(one.player, &bytes);
        assert_eq!(taken, Err(CloseCode::Malformed), "{message:?}");
    }
}

#[test]
fn a_payload_that_is_too_long_or_no_json_is_dropped_and_counted() {
    let mut room = room(1, 1);
    let mut out = room.world_mut().resource_mut::<Out>();
    let long = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    let notes = [
        long(1024),
        "{}".to_owned(),
        long(1025),
        String::new(),
        "{".to_owned(),
        "NaN".to_owned(),
    ];
    for note in notes {
        let (who, wave) = (None, 1);
        out.send(To::All, Born { who, wave, note });
    }
    room.tick();
    assert_eq!(room.stats().events_dropped, 4);
}

#[test]
fn a_room_has_no_more_seats_than_the_game_allows() {
    let room = super::room(u16::MAX, 1);
    assert_eq!(room.info().seats, Boxes::SEATS_MAX);
}
