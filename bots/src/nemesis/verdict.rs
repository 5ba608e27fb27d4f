//! From what was judged to what a run comes to: figures, invariants and the verdict, as a table and
//! as JSON. Pure but for its text. Drawn up by `course`, printed by the program.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::owners::Owners;
use super::seats::Seats;
use crate::report::{Objective, Return};

/// The arena's, which all rooms of a run have.
const TICKS_PER_SECOND: f64 = 30.0;
/// Of each invariant that did not hold so many cases are named.
const CASES_SHOWN: usize = 5;

/// What a run comes to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// What draws the same list of faults again.
    pub seed: u64,
    /// Faults done, by kind.
    pub faults: BTreeMap<String, u64>,
    /// From the first fault to the last look.
    pub seconds: f64,
    /// Room ticks that were judged.
    pub ticks: u64,
    /// Rooms that they were of.
    pub rooms: u64,
    /// Ticks of an older owner that was stopped between its look at the lease and the tick.
    pub excused: u64,
    /// Changes of rooms' owners.
    pub takeovers: u64,
    /// From an owner's last tick to the next one's first, in milliseconds.
    pub still_ms: Return,
    /// What was played in vain before it, in milliseconds.
    pub lost_play_ms: Return,
    /// Connections that bots lost.
    pub losses: u64,
    /// Bots that were sent to another node with their rooms.
    pub moves: u64,
    /// From the last snapshot before a loss or a move to the first one after, in milliseconds.
    pub gap_ms: Return,
    /// Seats that went with owner and engine together.
    pub seats_explained: u64,
    /// What has to hold, and whether it did.
    pub invariants: Vec<Objective>,
    /// Cases where it did not, some of each.
    pub cases: Vec<String>,
}

/// What is known besides the judged history.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// See [`Verdict`].
    pub seed: u64,
    /// See [`Verdict`].
    pub faults: BTreeMap<String, u64>,
    /// See [`Verdict`].
    pub seconds: f64,
    /// How often it was looked whether all is in order.
    pub looks: u64,
    /// What was not, in words.
    pub out_of_order: Vec<String>,
    /// What a node did by itself, or a bot that ended, in words.
    pub ended: Vec<String>,
}

impl Verdict {
    /// Judges.
    pub fn new(seen: Seen, owners: &Owners, seats: &Seats) -> Verdict {
        let still = owners.takeovers.iter().map(|of| of.still_ns as f64 / 1e6);
        let lost = owners.takeovers.iter().map(|of| f64::from(of.lost_ticks));
        let gaps = seats.gaps_us.iter().map(|us| *us as f64 / 1000.0);
        let mut verdict = Verdict {
            seed: seen.seed,
            faults: seen.faults,
            seconds: seen.seconds,
            ticks: owners.ticks,
            rooms: owners.rooms,
            excused: owners.excused,
            takeovers: owners.takeovers.len() as u64,
            still_ms: quantiles(still),
            lost_play_ms: quantiles(lost.map(|ticks| ticks * 1000.0 / TICKS_PER_SECOND)),
            losses: seats.losses,
            moves: seats.moves,
            gap_ms: quantiles(gaps),
            seats_explained: seats.explained,
            invariants: Vec::new(),
            cases: Vec::new(),
        };
        let ticks = format!("{} ticks, {} rooms", owners.ticks, owners.rooms);
        verdict.holds(
            "one owner ticks a room at a time",
            &ticks,
            &owners.two_at_once,
        );
        let takeovers = format!("{} changes of owner", owners.takeovers.len());
        verdict.holds("a room's epochs rise", &takeovers, &owners.epochs);
        verdict.holds("ticks rise under one owner", &ticks, &owners.ticks_back);
        let losses = format!("{} losses, {} moves", seats.losses, seats.moves);
        verdict.holds("no seat is lost without a reason", &losses, &seats.lost);
        let back = format!("{} back", seats.gaps_us.len());
        verdict.holds("who is back has seat and figure", &back, &seats.strayed);
        verdict.holds("twice redirected at most", &back, &seats.redirected);
        verdict.holds(
            "no loss without a node's fault",
            &losses,
            &seats.without_cause,
        );
        let looks = format!("{} looks", seen.looks);
        verdict.holds("all in order when all is well", &looks, &seen.out_of_order);
        verdict.holds("nothing ends by itself", &looks, &seen.ended);
        // A history without ticks would hold whatever the servers do.
        let none = match owners.ticks {
            0 => vec!["the play logs are empty".to_owned()],
            _ => Vec::new(),
        };
        verdict.holds("there is something to judge", &ticks, &none);
        verdict
    }

    fn holds(&mut self, stated: &str, of: &str, cases: &[String]) {
        self.invariants.push(Objective {
            stated: stated.to_owned(),
            measured: match cases.len() {
                0 => of.to_owned(),
                count => format!("not {count} times, of {of}"),
            },
            met: cases.is_empty(),
        });
        let shown = cases.iter().take(CASES_SHOWN);
        self.cases
            .extend(shown.map(|case| format!("{stated}: {case}")));
    }

    /// Whether every invariant held.
    pub fn passed(&self) -> bool {
        self.invariants.iter().all(|invariant| invariant.met)
    }
}

/// Nearest rank.
fn quantiles(values: impl Iterator<Item = f64>) -> Return {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let at = |quantile: f64| {
        let rank = (values.len() as f64 * quantile).ceil() as usize;
        values.get(rank.saturating_sub(1)).copied()
    };
    Return {
        p50: at(0.5),
        p99: at(0.99),
        max: at(1.0),
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |ms: Option<f64>| ms.map_or("-".to_owned(), |ms| format!("{ms:.0}"));
        let all = |of: &Return| format!("{} / {} / {}", ms(of.p50), ms(of.p99), ms(of.max));
        let faults = self.faults.iter();
        let faults: Vec<_> = faults.map(|(kind, n)| format!("{kind} {n}")).collect();
        let seats = format!("{}", self.seats_explained);
        for (name, value) in [
            ("seed", self.seed.to_string()),
            ("seconds", format!("{:.0}", self.seconds)),
            ("faults", faults.join(", ")),
            (
                "losses / moves of bots",
                format!("{} / {}", self.losses, self.moves),
            ),
            ("  without snapshots ms", all(&self.gap_ms)),
            ("changes of owner", self.takeovers.to_string()),
            ("  room still ms", all(&self.still_ms)),
            ("  play lost ms", all(&self.lost_play_ms)),
            ("ticks excused by a stop", self.excused.to_string()),
            ("seats gone with their rooms", seats),
        ] {
            writeln!(f, "{name:<30}{value}")?;
        }
        writeln!(f)?;
        for Objective {
            stated,
            measured,
            met,
        } in &self.invariants
        {
            let word = if *met { "held" } else { "BROKEN" };
            writeln!(f, "{word:<8}{stated:<40}{measured}")?;
        }
        for case in &self.cases {
            writeln!(f, "  {case}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> (Owners, Seats) {
        let owners = Owners {
            ticks: 900,
            rooms: 2,
            ..Owners::default()
        };
        let seats = Seats {
            losses: 3,
            gaps_us: vec![1000, 3000, 2000],
            ..Seats::default()
        };
        (owners, seats)
    }

    #[test]
    fn a_run_in_which_everything_held_passes() {
        let (owners, seats) = good();
        let verdict = Verdict::new(Seen::default(), &owners, &seats);
        assert!(verdict.passed() && verdict.cases.is_empty(), "{verdict}");
        let gap = verdict.gap_ms;
        assert_eq!(
            (gap.p50, gap.p99, gap.max),
            (Some(2.0), Some(3.0), Some(3.0))
        );
        assert_eq!(verdict.still_ms.p50, None);
    }

    #[test]
    fn every_invariant_can_be_broken() {
        let broken = |harm: &dyn Fn(&mut Owners, &mut Seats, &mut Seen)| {
            let ((mut owners, mut seats), mut seen) = (good(), Seen::default());
            harm(&mut owners, &mut seats, &mut seen);
            let verdict = Verdict::new(seen, &owners, &seats);
            assert!(!verdict.passed() && verdict.to_string().contains("BROKEN"));
            let broken = verdict.invariants.iter().filter(|of| !of.met);
            broken.map(|of| of.stated.clone()).collect::<Vec<_>>()
        };
        let case = || vec!["a case".to_owned()];
        let mut all = Vec::new();
        all.extend(broken(&|owners, _, _| owners.two_at_once = case()));
        all.extend(broken(&|owners, _, _| owners.epochs = case()));
        all.extend(broken(&|owners, _, _| owners.ticks_back = case()));
        all.extend(broken(&|owners, _, _| owners.ticks = 0));
        all.extend(broken(&|_, seats, _| seats.lost = case()));
        all.extend(broken(&|_, seats, _| seats.strayed = case()));
        all.extend(broken(&|_, seats, _| seats.redirected = case()));
        all.extend(broken(&|_, seats, _| seats.without_cause = case()));
        all.extend(broken(&|_, _, seen| seen.out_of_order = case()));
        all.extend(broken(&|_, _, seen| seen.ended = case()));
        let (owners, seats) = good();
        let stated = Verdict::new(Seen::default(), &owners, &seats).invariants;
        assert_eq!(all.len(), stated.len(), "one each");
        assert!(stated.iter().all(|of| all.contains(&of.stated)));
    }
}
