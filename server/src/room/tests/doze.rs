//! Rooms in which nobody does anything: which ticks are simulated, and that players hold the exact
//! image through it all.

use super::*;

/// Snapshots for whom one is due, decoded and compared, then acknowledged.
fn tell(room: &mut Room<Boxes>, clients: &mut [Client]) {
    if !room.snapshot_due() {
        return;
    }
    for client in clients {
        let mut snapshot = Vec::new();
        assert!(room.compose(client.player, true, &mut snapshot));
        client.receive(room, &snapshot);
        client.ack(room);
    }
}

fn simulated(room: &Room<Boxes>) -> u32 {
    room.world.resource::<Wave>().number
}

/// A look of so many ticks, as the worker has one. Whether it ticked.
fn look(room: &mut Room<Boxes>, clients: &mut [Client], ticks: u32, wakes: bool) -> bool {
    let before = room.tick_number().0;
    let ticked = room.doze(ticks, wakes);
    if let Some(rest) = ticked {
        tell(room, clients);
        room.pass(rest);
    }
    assert_eq!(room.tick_number().0, before + ticks, "time goes on");
    ticked.is_some()
}

#[test]
fn it_is_simulated_once_a_second_and_held_exactly() {
    for (every, halvings) in [(1, 0), (2, 0), (3, 1)] {
        let mut room = room(2, every);
        room.throttle(halvings);
        let mut clients = [Client::join(&mut room), Client::join(&mut room)];
        for _ in 0..60 {
            room.tick();
            tell(&mut room, &mut clients);
        }
        let before = simulated(&room);
        let looks = (0..600).filter(|_| look(&mut room, &mut clients, 3, false));
        let looks = looks.count() as u32;
        assert_eq!(simulated(&room) - before, looks);
        // 1,800 ticks of a room of 30 a second; a snapshot may be due a look later.
        assert!((54..=60).contains(&looks), "{looks} of 60 s");
        // Somebody is back: that very look ticks, with their input, and all goes on as ever.
        let tick = room.tick_number().0 + 2;
        let input = clients[0].input(&room, tick, 1.0);
        assert_eq!(room.receive(clients[0].player, &input), Ok(()));
        assert_eq!(room.quiet_ticks(), 0);
        let avatar = room.members.get(clients[0].player).expect("seated").entity;
        let x = |room: &Room<Boxes>| room.world.get::<Pos>(avatar).expect("alive").x;
        let stood = x(&room);
        assert!(look(&mut room, &mut clients, 3, true));
        assert!(x(&room) > stood, "the input counts");
        for _ in 0..60 {
            room.tick();
            tell(&mut room, &mut clients);
        }
    }
}

#[test]
fn inputs_and_requests_are_something_and_signs_of_life_are_not() {
    let mut room = room(3, 1);
    let mut clients = [Client::join(&mut room), Client::join(&mut room)];
    let [ann, bo] = [clients[0].player, clients[1].player];
    let quiet = |room: &mut Room<Boxes>, clients: &mut [Client]| {
        for _ in 0..10 {
            room.tick();
            tell(room, clients);
        }
        room.quiet_ticks()
    };
    assert_eq!(quiet(&mut room, &mut clients), 10);
    request(&mut room, ann, &ClientMessage::Ping { nonce: 1 });
    clients[0].ack(&mut room);
    assert_eq!(quiet(&mut room, &mut clients), 20);
    assert_eq!(room.active_players(20), 0);
    request(&mut room, ann, &ClientMessage::Chat { text: "hi".into() });
    assert_eq!(quiet(&mut room, &mut clients), 10);
    let input = clients[1].input(&room, room.tick.0 + 1, 0.0);
    assert_eq!(room.receive(bo, &input), Ok(()));
    assert_eq!(quiet(&mut room, &mut clients), 10);
    assert_eq!((room.active_players(20), room.active_players(21)), (1, 2));
    room.join("cy").expect("a seat is free");
    assert_eq!(quiet(&mut room, &mut clients), 10, "a newcomer");
    assert_eq!(room.active_players(11), 1);
}

/// What is counted in ticks takes as long as it would.
#[test]
fn a_seat_is_held_no_longer() {
    let mut room = room(2, 1);
    let mut clients = [Client::join(&mut room), Client::join(&mut room)];
    room.tick();
    tell(&mut room, &mut clients);
    effects(&mut room);
    let away = clients[1].player;
    assert!(room.disconnect(away));
    let grace = room.options().grace;
    let mut passed = 0;
    while room.has_member(away) {
        look(&mut room, &mut clients[..1], 3, false);
        passed += 3;
        assert!(passed <= grace + 33, "{passed} ticks, {grace} would do");
    }
    assert!(passed >= grace);
    let vacated = effects(&mut room);
    assert!(
        vacated.contains(&Effect::Vacate { player: away }),
        "{vacated:?}"
    );
}
