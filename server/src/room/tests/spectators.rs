//! Who looks on: gets what is everyone's, may do next to nothing, and leaves the players alone, to
//! the byte.

use std::collections::BTreeMap;

use super::*;
use crate::by_player::is_spectator;
use tickwire::limits::{ACK_STALL_SECONDS, PLAYER_NUMBERS};

impl Client {
    /// A client that looks on.
    fn watch(room: &mut Room<Boxes>) -> Client {
        Client {
            player: room.watch(Identity::nobody()).expect("a place is free"),
            ..Client::default()
        }
    }

    /// Takes its snapshot of the newest image, if it gets one. Whether it did.
    fn look(&mut self, room: &mut Room<Boxes>, writable: bool) -> bool {
        let mut bytes = Vec::new();
        let sent = room.compose(self.player, writable, &mut bytes);
        if sent {
            self.receive(room, &bytes);
        }
        sent
    }
}

/// A room of so many places for spectators, and two players.
fn watched(spectators: u16) -> (Room<Boxes>, [Client; 2]) {
    let game = GameDef::<Boxes>::new(30).expect("the game is well declared");
    let options = RoomOptions {
        seats: 2,
        spectators,
        seed: 5,
        ..RoomOptions::default()
    };
    let mut room = Room::new(Arc::new(game), options);
    let players = [(); 2].map(|()| Client::join(&mut room));
    (room, players)
}

fn departed(effects: &[Effect]) -> Vec<(PlayerId, LeaveReason)> {
    let departures = effects.iter().filter_map(|effect| match effect {
        Effect::Depart { player, reason } => Some((*player, *reason)),
        _ => None,
    });
    departures.collect()
}

#[test]
fn a_spectator_gets_everyones_layer_and_events_and_nothing_private() {
    let (mut room, [mut one, mut two]) = watched(9);
    let mut spectator = None;
    let mut before = 0;
    for tick in 0..300 {
        if tick == 50 {
            before = one.events.len();
            spectator = Some(Client::watch(&mut room));
        }
        let secret = Born {
            who: None,
            wave: 77,
            note: "[77]".to_owned(),
        };
        let mut out = room.world_mut().resource_mut::<Out>();
        out.send(To::Player(two.player), secret);
        room.tick();
        for client in [&mut one, &mut two].into_iter().chain(&mut spectator) {
            assert!(client.look(&mut room, true));
            client.ack(&mut room);
        }
    }
    let spectator = spectator.expect("it came");
    assert!(spectator.layers[0].entities.len() > 1, "it sees the boxes");
    assert_eq!(spectator.layers[0], one.layers[0]);
    let nothing = LayerImage::default();
    assert_eq!(spectator.layers[1..], [nothing.clone(), nothing]);
    assert!(one.events.len() > before + 20, "there was something");
    assert_eq!(spectator.events, one.events[before..]);
    assert!(two.events.len() > 300, "what was said to one is theirs");
}

/// Two rooms go the same way, but that one of them is watched by a crowd, most of which can't keep
/// up: each player is sent the same bytes, whether they keep up or not.
#[test]
fn players_are_sent_the_same_bytes_whoever_looks_on() {
    for seed in 0..12 {
        println!("seed {seed}");
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let [mut alone, mut watched] = [(); 2].map(|()| room(8, 1 + (seed % 2) as u16));
        let mut clients: Vec<Client> = (0..8).map(|_| Client::join(&mut alone)).collect();
        (0..8).for_each(|_| _ = Client::join(&mut watched));
        let mut crowd: Vec<Client> = Vec::new();
        for step in 0..900 {
            if random.random_bool(0.2) && crowd.len() < 16 {
                crowd.push(Client::watch(&mut watched));
            }
            if random.random_bool(0.02) && !crowd.is_empty() {
                let gone = crowd.swap_remove(random.random_range(0..crowd.len()));
                watched.leave(gone.player);
            }
            if random.random_bool(0.05) {
                let player = clients[random.random_range(0..clients.len())].player;
                let ready = random.random_bool(0.5);
                let ready = encode_client(&ClientMessage::Ready { ready });
                for room in [&mut alone, &mut watched] {
                    assert_eq!(room.receive(player, &ready), Ok(()));
                }
            }
            alone.tick();
            watched.tick();
            let told: Vec<Effect> = effects(&mut watched)
                .into_iter()
                .filter(|effect| !matches!(effect, Effect::Control { to, .. } if is_spectator(*to)))
                .collect();
            assert_eq!(told, effects(&mut alone), "step {step}");
            for client in &mut clients {
                // Half of them have bad times, longer than a window.
                let is_slow = client.player.0 % 2 == 1 && (step / 90) % 3 == 1;
                let writable = !is_slow || random.random_bool(0.1);
                let (mut bytes, mut others) = (Vec::new(), Vec::new());
                let sent = alone.compose(client.player, writable, &mut bytes);
                assert_eq!(
                    watched.compose(client.player, writable, &mut others),
                    sent,
                    "step {step}"
                );
                assert!(bytes == others, "step {step}, {}", client.player);
                if sent {
                    client.receive(&alone, &bytes);
                }
                if client.last > Tick(0) && (!is_slow || random.random_bool(0.1)) {
                    client.ack(&mut alone);
                    client.ack(&mut watched);
                }
            }
            for spectator in &mut crowd {
                let writable = random.random_bool(0.8);
                spectator.look(&mut watched, writable);
                let rare = 1.0 / (1.0 + f64::from(spectator.player.0 % 16));
                if spectator.last > Tick(0) && random.random_bool(rare) {
                    spectator.ack(&mut watched);
                }
            }
            assert_eq!(alone.info().players, watched.info().players);
            assert_eq!(usize::from(watched.info().spectators), crowd.len());
        }
        let stats = watched.stats();
        assert!(stats.catch_ups > 0 && stats.skipped_credit > 0, "{stats:?}");
        let states: BTreeMap<PlayerId, u32> = watched
            .clients()
            .map(|client| (client.player, client.tier))
            .collect();
        let theirs = alone.clients().map(|client| (client.player, client.tier));
        assert!(
            theirs.eq(states
                .range(..PlayerId(PLAYER_NUMBERS))
                .map(|(a, b)| (*a, *b))),
            "tiers of players"
        );
    }
}

#[test]
fn seats_and_places_are_counted_apart() {
    let (mut room, players) = watched(3);
    let crowd = [(); 3].map(|()| Client::watch(&mut room).player);
    assert_eq!(room.watch(Identity::nobody()), Err(Refusal::RoomFull));
    assert_eq!(room.join("late"), Err(Refusal::RoomFull));
    assert_eq!((room.players(), room.spectators()), (2, 3));
    let info = room.info();
    assert_eq!((info.players, info.seats, info.spectators), (2, 2, 3));
    assert!(crowd.iter().all(|number| is_spectator(*number)));
    let named = room.world_mut().resource::<game::Roster>().clone();
    let members: Vec<PlayerId> = named.members.iter().map(|member| member.player).collect();
    assert_eq!(members, players.each_ref().map(|client| client.player));
    assert_eq!(named.spectators, crowd);
    room.leave(players[1].player);
    assert!(room.join("again").is_ok(), "a seat is no place");
    room.leave(crowd[1]);
    let next = room.watch(Identity::nobody()).expect("a place is free");
    assert!(
        !crowd.contains(&next),
        "a number is not given out again soon"
    );
    let named = room.world_mut().resource::<game::Roster>();
    assert_eq!(named.spectators, [crowd[0], crowd[2], next]);
}

#[test]
fn a_room_may_have_no_places_and_numbers_go_round() {
    let (mut room, _) = watched(0);
    assert_eq!(room.watch(Identity::nobody()), Err(Refusal::RoomFull));
    let (mut room, _) = watched(2);
    let stays = room.watch(Identity::nobody()).expect("a place is free");
    let mut last = stays;
    for _ in 0..=u16::MAX - PLAYER_NUMBERS {
        let next = room.watch(Identity::nobody()).expect("a place is free");
        assert!(is_spectator(next) && next != stays && next != last);
        room.leave(next);
        last = next;
        effects(&mut room);
    }
    assert!(last < PlayerId(u16::MAX), "they went round");
}

#[test]
fn what_a_spectator_may_do() {
    let (mut room, players) = watched(9);
    let spectator = Client::watch(&mut room);
    let told = messages_to(&effects(&mut room), spectator.player);
    assert!(
        matches!(&told[..], [ServerMessage::Joined { you: None, members, more: false, .. }]
            if members.len() == 2 && members[0].host),
        "{told:?}"
    );
    let number = spectator.player;
    let not_for_them = [
        ClientMessage::Chat { text: "hi".into() },
        ClientMessage::Ready { ready: true },
        ClientMessage::Kick {
            player: players[1].player,
        },
        ClientMessage::Act {
            id: 1,
            action: 0,
            fields: Vec::new(),
        },
    ];
    for message in not_for_them {
        let told = request(&mut room, number, &message);
        let refused = ServerMessage::Refused {
            reason: Refusal::NotForSpectators,
        };
        assert_eq!(messages_to(&told, number), [refused], "{message:?}");
    }
    let told = request(&mut room, number, &ClientMessage::Ping { nonce: 7 });
    let tick = room.tick;
    assert_eq!(
        messages_to(&told, number),
        [ServerMessage::Pong { nonce: 7, tick }]
    );
    let layer = LayerId::ROOM;
    request(&mut room, number, &ClientMessage::Resync { layer });
    assert_eq!(room.stats().resyncs, 1);
    let input = spectator.input(&room, 5, 0.5);
    assert_eq!(room.receive(number, &input), Err(CloseCode::OutOfOrder));
    let kick = ClientMessage::Kick { player: number };
    let told = request(&mut room, players[0].player, &kick);
    assert_eq!(departed(&told), [], "no player names a spectator");
    let told = request(&mut room, number, &ClientMessage::LeaveRoom);
    assert_eq!(departed(&told), [(number, LeaveReason::Asked)]);
    let again = encode_client(&ClientMessage::LeaveRoom);
    assert_eq!(room.receive(number, &again), Err(CloseCode::OutOfOrder));
}

#[test]
fn spectators_hear_what_players_say_and_the_game_may_send_them_away() {
    let (mut room, players) = watched(9);
    let spectator = Client::watch(&mut room).player;
    effects(&mut room);
    let text = "hello".to_owned();
    request(&mut room, players[0].player, &ClientMessage::Chat { text });
    room.tick();
    let told = messages_to(&effects(&mut room), spectator);
    assert!(
        matches!(&told[..], [ServerMessage::Chat { line }] if line.text == "hello"),
        "{told:?}"
    );
    room.world_mut().resource_mut::<Out>().kick(spectator);
    room.tick();
    let told = effects(&mut room);
    assert_eq!(departed(&told), [(spectator, LeaveReason::Kicked)]);
    let kept_out =
        |effect: &Effect| matches!(effect, Effect::KeepOut { player, .. } if *player == spectator);
    assert!(told.iter().any(kept_out), "{told:?}");
    assert_eq!(room.spectators(), 0);
}

#[test]
fn a_room_without_players_has_no_spectators() {
    let (mut room, [one, two]) = watched(9);
    let crowd = [(); 2].map(|()| Client::watch(&mut room).player);
    room.leave(one.player);
    effects(&mut room);
    assert!(crowd.iter().all(|number| room.is_present(*number)));
    room.leave(two.player);
    let told = departed(&effects(&mut room));
    assert_eq!(told, crowd.map(|number| (number, LeaveReason::RoomClosed)));
    assert_eq!(room.watch(Identity::nobody()), Err(Refusal::NoSuchRoom));
}

/// Who looks on is no reason for a room to go on as if somebody played.
#[test]
fn a_spectator_does_not_stir_a_room() {
    let (mut room, _) = watched(9);
    for _ in 0..40 {
        room.tick();
    }
    let mut spectator = Client::watch(&mut room);
    for nonce in 0..40 {
        room.tick();
        spectator.look(&mut room, true);
        spectator.ack(&mut room);
        request(&mut room, spectator.player, &ClientMessage::Ping { nonce });
        let layer = LayerId::ROOM;
        request(
            &mut room,
            spectator.player,
            &ClientMessage::Resync { layer },
        );
    }
    assert_eq!(room.quiet_ticks(), 80);
    assert_eq!(room.active_players(80), 0);
}

#[test]
fn a_spectator_that_acknowledges_nothing_is_closed_and_one_that_is_lost_is_gone() {
    let (mut room, mut players) = watched(9);
    let [mut stalls, lost] = [(); 2].map(|()| Client::watch(&mut room));
    assert!(!room.disconnect(lost.player), "nothing is held");
    let mut closed = Vec::new();
    for _ in 0..ACK_STALL_SECONDS * 30 + 60 {
        room.tick();
        for client in &mut players {
            client.look(&mut room, true);
            client.ack(&mut room);
        }
        stalls.look(&mut room, true);
        closed.extend(
            effects(&mut room)
                .into_iter()
                .filter_map(|effect| match effect {
                    Effect::Close { player, code } => Some((player, code)),
                    _ => None,
                }),
        );
    }
    assert_eq!(closed, [(stalls.player, CloseCode::Stalled)]);
    assert_eq!((room.players(), room.spectators()), (2, 0));
}
