//! How good the matches of a simulation were, and how long was waited for them.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::desk::modes;
use crate::queue::{EndReason, ModeId, OutReason};

/// One of a match when it was offered.
pub(super) struct Seen {
    pub(super) waited: Duration,
    /// Of their party.
    pub(super) rating: f64,
}

/// Upper ends of the rows of the table, in seconds.
const ROWS: [f64; 8] = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 45.0, f64::INFINITY];
const NAMES: [&str; 5] = [
    "1 against 1",
    "2 against 2",
    "each of 8 alone",
    "5 against 5",
    "3 against 3",
];

#[derive(Default)]
pub(super) struct Quality {
    pub(super) offers: u64,
    pub(super) refused: u64,
    /// Players that went back.
    pub(super) back: u64,
    /// Players by the reason.
    pub(super) out: BTreeMap<OutReason, u64>,
    pub(super) ended: BTreeMap<EndReason, u64>,
    of: BTreeMap<ModeId, Played>,
}

#[derive(Default)]
struct Played {
    matches: u64,
    /// Not whole, or with bots.
    partly: u64,
    /// What each waited, and how far the rating of their party is from the mean of the others in
    /// the match, where that is whole and without bots.
    apart: Vec<(f64, f64)>,
    waited: Vec<f64>,
    /// From the strongest team's mean to the weakest's.
    teams: Vec<f64>,
    ratings: Vec<f64>,
}

impl Quality {
    pub(super) fn matched(&mut self, mode: ModeId, sides: &[Vec<Seen>], bots: usize) {
        let played = self.of.entry(mode).or_default();
        played.matches += 1;
        let all: Vec<&Seen> = sides.iter().flatten().collect();
        let whole = usize::from(modes()[usize::from(mode.0)].players());
        let sum: f64 = all.iter().map(|seen| seen.rating).sum();
        played
            .waited
            .extend(all.iter().map(|seen| seen.waited.as_secs_f64()));
        if bots > 0 || all.len() < whole {
            played.partly += 1;
            return;
        }
        for seen in &all {
            let others = (sum - seen.rating) / (all.len() - 1) as f64;
            let waited = seen.waited.as_secs_f64();
            played.apart.push((waited, (seen.rating - others).abs()));
            played.ratings.push(seen.rating);
        }
        let mean = |side: &Vec<Seen>| {
            side.iter().map(|seen| seen.rating).sum::<f64>() / side.len().max(1) as f64
        };
        let means = sides.iter().map(mean);
        let highest = means.clone().fold(f64::MIN, f64::max);
        played.teams.push(highest - means.fold(f64::MAX, f64::min));
    }

    pub(super) fn add(&mut self, other: Quality) {
        self.offers += other.offers;
        self.refused += other.refused;
        self.back += other.back;
        for (reason, count) in other.out {
            *self.out.entry(reason).or_default() += count;
        }
        for (reason, count) in other.ended {
            *self.ended.entry(reason).or_default() += count;
        }
        for (mode, other) in other.of {
            let own = self.of.entry(mode).or_default();
            own.matches += other.matches;
            own.partly += other.partly;
            own.apart.extend(other.apart);
            own.waited.extend(other.waited);
            own.teams.extend(other.teams);
            own.ratings.extend(other.ratings);
        }
    }

    pub(super) fn matches(&self) -> u64 {
        self.of.values().map(|played| played.matches).sum()
    }

    /// How far the half of those who played whole matches were from the others, at most.
    pub(super) fn median_apart(&self) -> f64 {
        let apart = self.of.values().flat_map(|played| &played.apart);
        share(apart.map(|(_, apart)| *apart).collect(), 0.5)
    }

    /// The same if matches were made by drawing players of the same mode.
    pub(super) fn median_drawn(&self) -> f64 {
        let drawn = self
            .of
            .iter()
            .flat_map(|(mode, played)| played.drawn(*mode));
        share(drawn.collect(), 0.5)
    }
}

impl Played {
    /// How far each rating is from the mean of others that lie far from it in the list.
    fn drawn(&self, mode: ModeId) -> Vec<f64> {
        let others = usize::from(modes()[usize::from(mode.0)].players()) - 1;
        let count = self.ratings.len();
        let apart = |(at, rating): (usize, &f64)| {
            let place = |n: usize| (at * 7919 + (n + 1) * 104_729) % count;
            let sum: f64 = (0..others).map(|n| self.ratings[place(n)]).sum();
            (rating - sum / others as f64).abs()
        };
        self.ratings.iter().enumerate().map(apart).collect()
    }
}

/// What so much of them is below.
fn share(mut of: Vec<f64>, share: f64) -> f64 {
    of.sort_by(f64::total_cmp);
    let at = (of.len() as f64 * share) as usize;
    of.get(at.min(of.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0.0)
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| mode | matches | not whole | waited p50 / p95 / max, s | apart p50 / p90 | drawn p50 | teams apart p50 / p90 |"
        )?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- | --- |")?;
        for (mode, played) in &self.of {
            let apart: Vec<f64> = played.apart.iter().map(|(_, apart)| *apart).collect();
            let waited = |part| share(played.waited.clone(), part);
            writeln!(
                f,
                "| {} | {} | {:.1} % | {:.1} / {:.1} / {:.1} | {:.2} / {:.2} | {:.2} | {:.2} / {:.2} |",
                NAMES[usize::from(mode.0)],
                played.matches,
                played.partly as f64 * 100.0 / played.matches as f64,
                waited(0.5),
                waited(0.95),
                waited(1.0),
                share(apart.clone(), 0.5),
                share(apart, 0.9),
                share(played.drawn(*mode), 0.5),
                share(played.teams.clone(), 0.5),
                share(played.teams.clone(), 0.9),
            )?;
        }
        writeln!(f)?;
        writeln!(f, "```text")?;
        writeln!(f, "waited, s      players   apart p50, p90")?;
        let mut from = 0.0;
        for to in ROWS {
            let in_row = |(waited, _): &&(f64, f64)| (from..to).contains(waited);
            let all = self.of.values().flat_map(|played| &played.apart);
            let apart: Vec<f64> = all.filter(in_row).map(|(_, apart)| *apart).collect();
            let (p50, p90) = (share(apart.clone(), 0.5), share(apart.clone(), 0.9));
            let bar = |length: f64| (length * 4.0).round() as usize;
            let name = match to.is_finite() {
                true => format!("{from:>2} to {to:<2}"),
                false => format!("{from:>2} on   "),
            };
            writeln!(
                f,
                "{name:<12} {:>9}   {p50:>5.2} {p90:>5.2}  {}{}",
                apart.len(),
                "#".repeat(bar(p50)),
                "-".repeat(bar(p90) - bar(p50)),
            )?;
            from = to;
        }
        writeln!(f, "```")
    }
}
