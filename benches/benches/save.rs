//! What a checkpoint costs a room's worker: its bytes, without the checksum, which another thread
//! makes. Rooms of the arena, one that is in the caches and one of forty, as a worker has them.
//! `cargo bench -p tickwire-benches --bench save`.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tickwire_benches::arena_play::ArenaPlay;

fn saves(c: &mut Criterion) {
    let mut group = c.benchmark_group("save");
    for (rooms, players, npcs) in [(1, 50, 270), (40, 50, 270), (1, 50, 20), (1, 4, 8)] {
        let mut plays: Vec<ArenaPlay> = (0..rooms)
            .map(|room| ArenaPlay::new(players, npcs, room))
            .collect();
        for play in &mut plays {
            for _ in 0..120 {
                play.tick(|_, _| {});
            }
        }
        // Keepers give buffers back.
        let mut bytes = Vec::new();
        let saved = plays[0].room.save_into(&mut bytes);
        saved.expect("the arena can be saved");
        println!("{players} players and {npcs} drones: {} bytes", bytes.len());
        group.throughput(Throughput::Elements(1));
        let name = BenchmarkId::new(
            "rooms_x_players_and_drones",
            format!("{rooms}x{players}+{npcs}"),
        );
        let mut next = 0;
        group.bench_function(name, |b| {
            b.iter(|| {
                next = (next + 1) % plays.len();
                assert!(plays[next].room.save_into(&mut bytes).is_ok());
                bytes.len()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, saves);
criterion_main!(benches);
