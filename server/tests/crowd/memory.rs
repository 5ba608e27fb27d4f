//! What a connection costs in user-space memory: idle in the lobby, and while it plays the arena in
//! a room of 50 (its socket's state, its seat, its part of the world, of the images and of the
//! bodies). A room's own cost (world, systems, 20 drones) is shown beside it.

use std::time::Duration;

use tickwire::ids::RoomId;
use tickwire_harness::Running;
use tickwire_harness::usage::own_bytes;

use crate::clients::{Client, play, source};
use crate::start;

const SEATS: usize = 50;
/// The arena's debug build ticks fewer rooms in time.
const ROOMS: usize = if cfg!(debug_assertions) { 4 } else { 40 };
/// The goal for a connection, 3.2 KiB. The allocator's pages are counted whole, so a few rooms show
/// more.
const BYTES_MAX: usize = if ROOMS < 40 { 8192 } else { 3276 };

/// Connections of the idle.
const IDLE: usize = 2000;
/// The goal for one of them; the design's own is half of it.
const IDLE_BYTES_MAX: usize = 8192;

#[test]
fn an_idle_connection_is_small() {
    let server = start(&[]);
    let idle = |nth| {
        let mut client = Client::connect_from(source(nth), server.public).unwrap();
        assert!(client.is_accepted());
        client.greeted();
        client
    };
    // The first few pay for what is allocated once.
    let mut clients: Vec<Client> = (0..50).map(idle).collect();
    let before = own_bytes(server.process.id());
    clients.extend((0..IDLE).map(idle));
    let each = (own_bytes(server.process.id()) - before) / IDLE;
    println!("{each} bytes for an idle connection");
    assert!(each < IDLE_BYTES_MAX, "{each} bytes");
}

#[test]
fn a_connection_in_a_room_is_small() {
    let flags = ["--tick-rate", "10", "--max-players", "50", "--npcs", "20"];
    let server = start(&flags);
    let mut clients = Vec::new();
    // The first room pays for what is allocated once.
    enter(&server, &mut clients, &[None]);
    play(&mut clients, Duration::from_secs(1));
    let start = own_bytes(server.process.id());
    let rooms = enter(&server, &mut clients, &[None; ROOMS]);
    play(&mut clients, Duration::from_secs(3));
    let one_each = own_bytes(server.process.id());
    for &room in &rooms {
        enter(&server, &mut clients, &[Some(room); SEATS - 1]);
        // Those who are there already must not stall meanwhile.
        clients.iter_mut().for_each(Client::keep_up);
    }
    // Longer than events are remembered, so that the rooms are as large as they get.
    play(&mut clients, Duration::from_secs(9));
    assert!(clients.iter().all(Client::plays));
    let all = own_bytes(server.process.id());
    let room = (one_each - start) / ROOMS;
    let each = (all - one_each) / (ROOMS * (SEATS - 1));
    let whole = (all - start) / (ROOMS * SEATS);
    println!("{each} bytes for a connection in a room of {SEATS}, {room} for a room with one;");
    println!("{whole} for a connection with its part of the room");
    assert!(each < BYTES_MAX, "{each} bytes");
}

/// New clients, each for the given room or one of its own. Returns their rooms.
fn enter(server: &Running, clients: &mut Vec<Client>, rooms: &[Option<RoomId>]) -> Vec<RoomId> {
    let first = clients.len();
    for &room in rooms {
        let mut client = Client::connect(server.public).unwrap();
        assert!(client.is_accepted());
        client.ask(room);
        clients.push(client);
    }
    clients[first..].iter_mut().map(Client::joined).collect()
}
