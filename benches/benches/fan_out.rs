//! Composing the snapshots of one tick for everyone in a room: the shared body is encoded once,
//! each player adds a head, a private layer and their events. Inputs and the tick are not timed.

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tickwire_benches::arena_play::ArenaPlay;

fn fan_out(c: &mut Criterion) {
    let mut group = c.benchmark_group("fan_out");
    for players in [10u16, 50, 200] {
        let mut play = ArenaPlay::new(players, 20, 3);
        for _ in 0..60 {
            play.tick(|_, _| {});
        }
        group.throughput(Throughput::Elements(u64::from(players)));
        group.bench_function(format!("{players}_players"), |b| {
            b.iter_custom(|iterations| {
                let mut spent = Duration::ZERO;
                for _ in 0..iterations {
                    play.step();
                    let mut snapshots = 0;
                    let start = Instant::now();
                    play.compose(|_, frame| snapshots += u16::from(!frame.is_empty()));
                    spent += start.elapsed();
                    assert_eq!(snapshots, players);
                }
                spent
            });
        });
    }
    group.finish();
}

criterion_group!(benches, fan_out);
criterion_main!(benches);
