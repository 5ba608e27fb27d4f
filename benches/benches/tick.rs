//! Tick throughput: rooms of the arena, inputs in, snapshots composed for everyone, no sockets.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tickwire_benches::arena_play::ArenaPlay;
use tickwire_server::room::Workspace;

fn ticks(c: &mut Criterion) {
    let mut group = c.benchmark_group("tick");
    for (rooms, players, npcs) in [
        (1, 2, 8),
        (1, 16, 8),
        (1, 50, 20),
        (1, 50, 270),
        (20, 16, 8),
        (40, 50, 270),
        (100, 4, 8),
    ] {
        let mut plays: Vec<ArenaPlay> = (0..rooms)
            .map(|room| ArenaPlay::new(players, npcs, room))
            .collect();
        // Past the keyframes and into the play.
        for play in &mut plays {
            for _ in 0..60 {
                play.tick(|_, _| {});
            }
        }
        // As a worker's rooms do.
        let mut workspace = Box::<Workspace>::default();
        let snapshots = rooms * u64::from(players);
        group.throughput(Throughput::Elements(snapshots));
        let name = BenchmarkId::new(
            "rooms_x_players_and_drones",
            format!("{rooms}x{players}+{npcs}"),
        );
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut seen = 0;
                for play in &mut plays {
                    play.room.borrow_workspace(&mut workspace);
                    play.tick(|_, frame| seen += u64::from(!frame.is_empty()));
                    play.room.return_workspace(&mut workspace);
                }
                assert_eq!(seen, snapshots);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, ticks);
criterion_main!(benches);
