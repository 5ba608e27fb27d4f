//! Every player holds exactly the server's image of what they may see, whatever was skipped.

use super::*;

/// Players come and go, read in time, late or hardly, at any snapshot rate. Turns work in `lent`,
/// if there is any.
fn play(seed: u64, snapshot_every: u16, mut lent: Option<&mut Box<Workspace>>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut room = room(6, snapshot_every);
    let mut clients: Vec<(Client, f64)> = Vec::new();
    let mut frame = Vec::new();
    for _ in 0..400 {
        if rng.random_bool(0.05) && clients.len() < 6 {
            let reads = [1.0, 0.5, 0.02][rng.random_range(0..3)];
            clients.push((Client::join(&mut room), reads));
        }
        if rng.random_bool(0.02) && !clients.is_empty() {
            let (client, _) = clients.swap_remove(rng.random_range(0..clients.len()));
            room.leave(client.player);
        }
        for (client, _) in &clients {
            let input = client.input(&room, room.tick.0 + 1, rng.random_range(-1.0..1.0));
            assert_eq!(room.receive(client.player, &input), Ok(()));
        }
        if let Some(workspace) = &mut lent {
            room.borrow_workspace(workspace);
        }
        room.tick();
        effects(&mut room);
        for (client, reads) in &mut clients {
            frame.clear();
            let writable = rng.random_bool(*reads);
            if room.compose(client.player, writable, &mut frame) {
                client.receive(&room, &frame);
            }
            if rng.random_bool(*reads) && client.last > Tick(0) {
                client.ack(&mut room);
            }
        }
        if let Some(workspace) = &mut lent {
            room.return_workspace(workspace);
        }
    }
    assert!(room.stats().snapshots_sent > 100, "seed {seed}");
}

/// A tick whose snapshot everyone takes at once: each has what the server has then, whosever bytes
/// they were. How many shared bodies there were: those of the room's layer and of the teams that
/// went as predicted are left out.
fn turn(room: &mut Room<Boxes>, clients: &mut [Client]) -> usize {
    room.tick();
    let mut shared = Vec::new();
    for client in clients {
        let mut frame = Vec::new();
        assert!(room.compose(client.player, true, &mut frame));
        client.receive(room, &frame);
        client.ack(room);
        let team = room
            .members
            .get(client.player)
            .and_then(|member| member.receiver.team);
        let (_, sections) = SnapshotHead::decode(&frame).expect("a snapshot");
        for (kind, _) in sections.map(|section| section.expect("a section")) {
            match kind {
                SectionKind::Layer(LayerId::TEAM) => shared.push(Some(team)),
                SectionKind::Layer(LayerId::ROOM) => shared.push(None),
                _ => {}
            }
        }
    }
    shared.sort_unstable();
    shared.dedup();
    shared.len()
}

#[test]
fn every_client_holds_the_servers_image() {
    for seed in 0..24 {
        play(seed, 1 + (seed % 3) as u16, None);
    }
}

#[test]
fn what_others_left_in_a_workspace_means_nothing() {
    let mut workspace = Box::default();
    for seed in 0..12 {
        play(seed, 1 + (seed % 3) as u16, Some(&mut workspace));
    }
}

#[test]
fn one_body_serves_everyone_on_the_same_baseline() {
    let mut room = room(8, 1);
    let mut clients: Vec<Client> = (0..8).map(|_| Client::join(&mut room)).collect();
    for tick in 0..10 {
        let shared = turn(&mut room, &mut clients) as u64;
        let stats = room.stats();
        assert!(shared <= 3, "tick {tick}");
        // The room's layer and two teams' at most once; of eight private ones nothing is told, for
        // nothing happens, but in every fifth tick, and while they are against a keyframe, which
        // lacks what they remember.
        let private = if tick < 2 || tick % 5 == 4 { 8 } else { 0 };
        assert_eq!(stats.bodies_encoded, shared + private, "tick {tick}");
        assert_eq!(stats.keyframes, if tick == 0 { 11 } else { 0 });
    }
}

#[test]
fn a_private_layer_in_which_something_happens_has_a_body_of_its_own() {
    let mut room = room(8, 1);
    let mut clients: Vec<Client> = (0..8).map(|_| Client::join(&mut room)).collect();
    // Then somebody goes to another team.
    for tick in 0..11 {
        let stirred = tick % 8;
        for client in &clients[..stirred] {
            let avatar = room.members.get(client.player).expect("a member").entity;
            let mut secret = room.world.get_mut::<Secret>(avatar).expect("a box");
            secret.number += 1;
        }
        let shared = turn(&mut room, &mut clients);
        let bodies = room.stats().bodies_encoded as usize;
        let private = if tick < 2 || tick % 5 == 4 {
            8
        } else {
            stirred
        };
        assert_eq!(bodies, shared + private, "tick {tick}");
    }
}

#[test]
fn a_private_field_is_sent_to_its_owner_alone() {
    let mut room = room(3, 1);
    let mut clients: Vec<Client> = (0..3).map(|_| Client::join(&mut room)).collect();
    for _ in 0..5 {
        room.tick();
        for client in &mut clients {
            let mut frame = Vec::new();
            assert!(room.compose(client.player, true, &mut frame));
            client.receive(&room, &frame);
        }
    }
    let set = &room.game.layout.owner;
    let secret = set
        .columns
        .iter()
        .position(|column| column.kind.q_max() == 1_000_000)
        .expect("the secret is in the owner's layer");
    assert!(
        room.game
            .layout
            .room
            .columns
            .iter()
            .all(|column| column.kind.q_max() != 1_000_000)
    );
    for client in &clients {
        let own = &client.layers[1];
        assert_eq!(own.entities.len(), 1);
        let number = own.view().row(0, set.width())[secret];
        assert_eq!(number / 1000, i32::from(client.player.0));
    }
}

#[test]
fn a_team_sees_its_own_plans_and_no_others() {
    let mut room = room(6, 1);
    let mut clients: Vec<Client> = (0..6).map(|_| Client::join(&mut room)).collect();
    for _ in 0..300 {
        turn(&mut room, &mut clients);
        let teams: Vec<Option<u8>> = clients
            .iter()
            .map(|client| {
                room.members
                    .get(client.player)
                    .and_then(|member| member.receiver.team)
            })
            .collect();
        for (client, team) in clients.iter().zip(&teams) {
            let mates = teams
                .iter()
                .filter(|of| team.is_some() && *of == team)
                .count();
            assert_eq!(client.layers[2].entities.len(), mates);
        }
    }
}

#[test]
fn a_text_is_what_the_game_wrote() {
    let mut room = room(1, 1);
    let mut client = Client::join(&mut room);
    room.tick();
    let mut frame = Vec::new();
    assert!(room.compose(client.player, true, &mut frame));
    client.receive(&room, &frame);
    let set = &room.game.layout.room;
    let text = set
        .columns
        .iter()
        .position(|column| matches!(column.kind, Kind::Text { .. }))
        .expect("the label is in the room's layer");
    let image = &client.layers[0];
    let own = image.entities.iter().position(|head| head.owner != 0);
    let row = image.view().row(own.expect("the own box"), set.width());
    assert_eq!(words_text(&row[text..text + 3]).as_deref(), Some("Zoë 0"));
}

#[test]
fn events_come_once_and_in_order_through_skips() {
    let mut room = room(2, 1);
    let mut reader = Client::join(&mut room);
    let mut laggard = Client::join(&mut room);
    let mut frame = Vec::new();
    for tick in 0..200 {
        room.tick();
        frame.clear();
        assert!(room.compose(reader.player, true, &mut frame));
        reader.receive(&room, &frame);
        reader.ack(&mut room);
        frame.clear();
        if room.compose(laggard.player, tick % 9 == 8, &mut frame) {
            laggard.receive(&room, &frame);
            laggard.ack(&mut room);
        }
    }
    assert!(reader.events.len() > 20);
    assert!(
        reader
            .events
            .windows(2)
            .all(|pair| pair[0][1] <= pair[1][1])
    );
    let seen = laggard.events.len();
    assert_eq!(laggard.events[..], reader.events[..seen]);
}
