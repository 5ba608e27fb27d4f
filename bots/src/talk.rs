//! What a bot says in its room, and how long a line of the swarm's took to whoever hears it. Lines
//! carry when they were said, by the run's clock, which all of its bots share. Pure: times are
//! arguments, in microseconds since the run's start. Called by `player`; the sums are in `tally`.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::tally::Tally;

/// The lines of one bot.
#[derive(Debug)]
pub(crate) struct Talk {
    shard: usize,
    /// From one line to the next, on average; `None`: it says nothing.
    every: Option<Duration>,
    /// When the next one is due.
    due_us: Option<u64>,
    /// By which lines are this run's.
    run: u32,
}

impl Talk {
    /// Of the bot of this number.
    pub(crate) fn new(bot: usize, every: Option<Duration>) -> Talk {
        Talk {
            shard: bot,
            every,
            due_us: None,
            run: std::process::id(),
        }
    }

    /// It is in a room.
    pub(crate) fn begin(&mut self, now_us: u64, rng: &mut ChaCha8Rng) {
        self.due_us = self.every.map(|every| now_us + after(every, rng));
    }

    /// It is in none for now.
    pub(crate) fn pause(&mut self) {
        self.due_us = None;
    }

    /// When it says something next.
    pub(crate) fn due_us(&self) -> Option<u64> {
        self.due_us
    }

    /// The line that is due.
    pub(crate) fn next(&mut self, now_us: u64, rng: &mut ChaCha8Rng) -> Option<String> {
        self.due_us.filter(|due_us| *due_us <= now_us)?;
        self.begin(now_us, rng);
        Some(format!("{} {now_us}", self.run))
    }

    /// It was said.
    pub(crate) fn on_said(&self, tally: &Tally, now_us: u64) {
        if tally.window.holds(now_us) {
            tally.shard(self.shard).lines_said += 1;
        }
    }

    /// Somebody said something, it may be another run's.
    pub(crate) fn on_heard(&self, tally: &Tally, text: &str, now_us: u64) {
        let said_us = text
            .split_once(' ')
            .filter(|(run, _)| run.parse() == Ok(self.run))
            .and_then(|(_, said_us)| said_us.parse().ok());
        if let Some(said_us) = said_us.filter(|said_us| tally.window.holds(*said_us)) {
            tally
                .shard(self.shard)
                .lines
                .record(now_us.saturating_sub(said_us));
        }
    }
}

/// Between half and one and a half of it.
fn after(every: Duration, rng: &mut ChaCha8Rng) -> u64 {
    (every.as_micros() as f64 * rng.random_range(0.5..1.5)) as u64
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_line_is_said_when_it_is_due_and_timed_by_whoever_hears_it() {
        let (tally, mut rng) = (Tally::new(), ChaCha8Rng::seed_from_u64(1));
        tally.window.set(0, 60_000_000);
        let mut talk = Talk::new(3, Some(Duration::from_secs(2)));
        assert_eq!(
            (talk.due_us(), talk.next(9_000_000, &mut rng)),
            (None, None)
        );
        talk.begin(0, &mut rng);
        let due_us = talk.due_us().expect("it will say something");
        assert!((1_000_000..3_000_000).contains(&due_us), "{due_us}");
        assert_eq!(talk.next(due_us - 1, &mut rng), None);
        let line = talk.next(due_us, &mut rng).expect("it is due");
        talk.on_said(&tally, due_us);
        talk.on_heard(&tally, &line, due_us + 20_000);
        talk.on_heard(&tally, "hello 5", due_us);
        talk.on_heard(&tally, "0 5", due_us);
        let totals = tally.totals();
        assert_eq!((totals.lines_said, totals.lines.0.len()), (1, 1));
        assert!((19_900..20_100).contains(&totals.lines.0.max()));
        talk.pause();
        assert_eq!(talk.due_us(), None);
    }
}
