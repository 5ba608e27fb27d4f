//! What the arena costs on the wire: sizes, not times, so they are the same everywhere.

use tickwire::exact::Xorshift32;

use crate::support::Match;

/// Bytes of a snapshot for each entity that moves, over ten seconds of `players` and `drones`.
fn bytes_per_mover(players: usize, drones: u16) -> f64 {
    let mut game = Match::new(31, drones);
    for _ in 0..players {
        game.join();
    }
    let mut dice = Xorshift32::new(17);
    for _ in 0..30 {
        game.tick();
    }
    let (mut bytes, mut moved) = (0, 0);
    let mut before = places(&game);
    for _ in 0..300 {
        for client in &mut game.clients {
            client.play(&mut dice);
        }
        game.tick();
        let now = places(&game);
        bytes += game.snapshot_bytes;
        // Projectiles move in every tick of theirs; others when their place changed.
        moved += game.clients.len() * now.iter().filter(|place| !before.contains(place)).count();
        before = now;
    }
    bytes as f64 / moved as f64
}

fn places(game: &Match) -> Vec<(u16, u64, u64)> {
    let entities = &game.clients[0].layers[0].entities;
    let place = |row: usize, component| {
        let x = game.value(0, 0, row, component, "x")?;
        let y = game.value(0, 0, row, component, "y")?;
        Some((entities[row].slot, x.to_bits(), y.to_bits()))
    };
    (0..entities.len())
        .filter_map(|row| place(row, "pos").or_else(|| place(row, "flight")))
        .collect()
}

#[test]
fn a_crowd_costs_less_than_two_bytes_per_mover_and_tick() {
    let bytes = bytes_per_mover(8, 60);
    println!("8 players who shoot, 60 drones: {bytes:.2} B per mover and tick");
    assert!(bytes < 2.0, "{bytes:.2}");
}

/// A snapshot's bytes in a quiet room: what the wire itself costs, beside what moves.
#[test]
fn a_snapshot_of_twenty_drones_costs_little_beside_them() {
    let mut game = Match::new(31, 20);
    for _ in 0..4 {
        game.join();
    }
    (0..30).for_each(|_| game.tick());
    let (mut bytes, ticks) = (0, 300);
    for _ in 0..ticks {
        game.tick();
        bytes += game.snapshot_bytes;
    }
    let each = bytes as f64 / f64::from(ticks) / game.clients.len() as f64;
    println!("4 players who stand, 20 drones: {each:.1} B a snapshot");
    assert!(each < 23.0, "{each:.1}");
}
