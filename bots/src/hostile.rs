//! Bots that break the protocol in one way each, most of them in a room with others, and have to be
//! closed with the code that the protocol states for it. They come back until the run stops.
//! Started by `swarm`; how each attempt goes is `attack`'s.

mod attack;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use tokio::time::{Instant, sleep, timeout_at};

use crate::roles::{Answers, Breach};
use crate::run::Run;
use attack::Attacker;

/// Between two attempts of one hostile bot.
const PAUSE: Duration = Duration::from_millis(500);

/// Breaks the protocol again and again until the run stops.
pub(crate) async fn attack(
    breach: Breach,
    index: usize,
    room: usize,
    run: Arc<Run>,
) -> (Breach, Answers) {
    let mut attacker = Attacker {
        rng: ChaCha8Rng::seed_from_u64(run.flags.seed.wrapping_add(index as u64)),
        run: &run,
        index,
        room,
        attempts: 0,
    };
    let mut answers = Answers::new();
    let mut stop = run.stop.subscribe();
    loop {
        let attempt = async {
            let code = attacker.attempt(breach).await;
            sleep(PAUSE).await;
            code
        };
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            code = attempt => if let Some(code) = code {
                *answers.entry(code).or_default() += 1;
            }
        }
    }
    (breach, answers)
}

/// What the hostile bots were answered until `deadline`, by their breach.
pub(crate) async fn collect(
    hostile: &mut tokio::task::JoinSet<(Breach, Answers)>,
    deadline: Instant,
) -> BTreeMap<Breach, Answers> {
    let mut all = BTreeMap::<_, Answers>::new();
    while let Ok(Some(done)) = timeout_at(deadline, hostile.join_next()).await {
        if let Ok((breach, answers)) = done {
            let of_breach = all.entry(breach).or_default();
            for (code, count) in answers {
                *of_breach.entry(code).or_default() += count;
            }
        }
    }
    hostile.abort_all();
    all
}
