//! What a step costs with many waiting, measured: `cargo test --release -p tickwire-server --lib
//! queue::tests::cost -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::desk::{FIVES, HERE, THERE, modes, seeker};
use super::people::normal;
use crate::queue::{Input, Output, Queue, Timing};

/// So many wait for a match that there is none of: parties of three for teams of five, each in two
/// regions. It is the worst: each is tried again and again, and all near it are looked at.
fn waiting(parties: u64) -> Queue {
    let mut queue = Queue::new(modes(), Timing::default(), 0).expect("modes that can be played");
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for n in 0..parties {
        let rating = 25.0 + 8.0 * normal(&mut rng);
        let seekers = (0..3).map(|at| seeker(n * 3 + at, rating)).collect();
        let input = Input::Enqueue {
            mode: FIVES,
            seekers,
            regions: vec![HERE, THERE],
        };
        queue.handle(Duration::ZERO, input);
    }
    while queue.poll().is_some() {}
    queue
}

#[test]
#[ignore = "a measurement"]
fn a_step_with_many_waiting() {
    println!("| players waiting | a step, us: p50 / p99 | one enqueues, us |");
    println!("| --- | --- | --- |");
    for players in [100, 1000, 10_000, 15_000] {
        let mut queue = waiting(players / 3);
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let (mut steps, mut arrive) = (Vec::new(), Vec::new());
        let mut matches = 0;
        for n in 1..200 {
            let now = Duration::from_millis(250 * n);
            let seekers = vec![seeker(1_000_000 + n, 25.0 + 8.0 * rng.random::<f64>())];
            let regions = vec![HERE, THERE];
            let begin = Instant::now();
            queue.handle(
                now,
                Input::Enqueue {
                    mode: FIVES,
                    seekers,
                    regions,
                },
            );
            arrive.push(begin.elapsed());
            let begin = Instant::now();
            queue.step(now);
            steps.push(begin.elapsed());
            while let Some(output) = queue.poll() {
                matches += u32::from(matches!(output, Output::Offered { .. }));
            }
        }
        let of = |times: &mut Vec<Duration>, share: usize| {
            times.sort_unstable();
            times[(times.len() * share / 1000).min(times.len() - 1)].as_secs_f64() * 1e6
        };
        println!(
            "| {players} | {:.0} / {:.0} | {:.1} |",
            of(&mut steps, 500),
            of(&mut steps, 990),
            of(&mut arrive, 500),
        );
        assert!(matches > 0, "those who come find some of these");
    }
}
