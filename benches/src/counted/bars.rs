//! Counts by what they were taken over, and the bars that they are held to: those of the day when
//! they were last taken, kept in `benches/counts.json`. Called by `bin/counted.rs`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::dumps::Counts;
use super::run::Counted;
use super::stages::Stage;

/// What is counted.
const WHAT: [&str; 4] = [
    "instructions",
    "misses of the first cache of instructions",
    "misses of the first cache of data",
    "misses of the second cache",
];

/// Counts of a day.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bars {
    /// The compiler: another one writes other instructions.
    pub rustc: String,
    /// The processor's architecture.
    pub architecture: String,
    /// By stage and rooms.
    pub counts: BTreeMap<String, Counts>,
}

/// How far above its bar a count of instructions may be. From run to run they differ by a few in a
/// million; but a change anywhere in a crate can move what the compiler inlines, and other versions
/// of the C library copy otherwise, which comes to two or three in a hundred.
const INSTRUCTIONS_OVER: f64 = 0.04;
/// The same of misses, which hang on where memory happens to lie too.
const MISSES_OVER: f64 = 0.15;
/// So many misses more are nothing, where a bar is next to zero.
const MISSES_SLACK: f64 = 0.5;
/// The same of the first cache of instructions: whether two functions that are called in turn share a
/// set of it hangs on what the linker puts before them. The same instructions of composing missed 0.2
/// to 2.6 times a snapshot as other modules grew; one miss takes some 15 cycles, of 20,000 instructions
/// that a client's snapshot takes together.
const CODE_MISSES_SLACK: f64 = 2.0;
/// Who is so far below a bar of instructions has earned a new one.
const INSTRUCTIONS_UNDER: f64 = 0.1;

/// What a count is to its bar.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// More than its bar and what may be over it.
    Over {
        /// Stage and rooms.
        name: String,
        /// Of what.
        what: &'static str,
        /// The count.
        count: f64,
        /// Its bar.
        bar: f64,
    },
    /// Far below.
    Under {
        /// Stage and rooms.
        name: String,
        /// The count of instructions.
        count: f64,
        /// Its bar.
        bar: f64,
    },
    /// There is no bar of that name, or no count.
    Unmatched {
        /// Stage and rooms.
        name: String,
    },
}

impl Verdict {
    /// Whether it is a failure.
    pub fn fails(&self) -> bool {
        !matches!(self, Verdict::Under { .. })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Over {
                name,
                what,
                count,
                bar,
            } => write!(f, "{name}: {count:.2} {what}, above its bar of {bar:.2}"),
            Verdict::Under { name, count, bar } => write!(
                f,
                "{name}: {count:.2} instructions, far below its bar of {bar:.2}: take new bars"
            ),
            Verdict::Unmatched { name } => write!(f, "{name}: has no bar or no count"),
        }
    }
}

impl Counted {
    /// Its totals by its unit.
    pub fn counts(&self) -> Counts {
        let unit = match self.load.stage {
            Stage::Capture | Stage::Encode => self.load.entities,
            Stage::Input | Stage::Tick | Stage::Compose => self.load.client_snapshots,
        };
        self.by(unit)
    }

    /// Its totals by so many.
    pub(super) fn by(&self, unit: u64) -> Counts {
        // Two places, as they are kept.
        let by = |total: f64| (total * 100.0 / unit.max(1) as f64).round() / 100.0;
        Counts::new(self.totals.all().map(by))
    }
}

impl Bars {
    /// Bars of what was counted.
    pub fn of(rustc: String, all: &[Counted]) -> Bars {
        let counts = all
            .iter()
            .map(|counted| (counted.load.name(), counted.counts()));
        Bars {
            rustc,
            architecture: std::env::consts::ARCH.to_owned(),
            counts: counts.collect(),
        }
    }

    /// Whether `other` was counted on the same instructions.
    pub fn are_comparable(&self, other: &Bars) -> bool {
        (&self.rustc, &self.architecture) == (&other.rustc, &other.architecture)
    }

    /// What counts are that are not within these bars.
    pub fn judge(&self, counts: &Bars) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        let names: std::collections::BTreeSet<&String> =
            self.counts.keys().chain(counts.counts.keys()).collect();
        for name in names {
            match (self.counts.get(name), counts.counts.get(name)) {
                (Some(bar), Some(count)) => compare(name, bar, count, &mut verdicts),
                _ => verdicts.push(Verdict::Unmatched { name: name.clone() }),
            }
        }
        verdicts
    }
}

fn compare(name: &str, bar: &Counts, count: &Counts, verdicts: &mut Vec<Verdict>) {
    let numbers = count.all().into_iter().zip(bar.all());
    for (at, (count, bar)) in numbers.enumerate() {
        let most = match at {
            0 => bar * (1.0 + INSTRUCTIONS_OVER),
            1 => bar * (1.0 + MISSES_OVER) + CODE_MISSES_SLACK,
            _ => bar * (1.0 + MISSES_OVER) + MISSES_SLACK,
        };
        if count > most {
            verdicts.push(Verdict::Over {
                name: name.to_owned(),
                what: WHAT[at],
                count,
                bar,
            });
        }
    }
    if count.instructions < bar.instructions * (1.0 - INSTRUCTIONS_UNDER) {
        verdicts.push(Verdict::Under {
            name: name.to_owned(),
            count: count.instructions,
            bar: bar.instructions,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counted::stages::Load;

    fn counted(stage: Stage, instructions: u64, data_misses: u64) -> Counted {
        Counted {
            load: Load {
                stage,
                rooms: 40,
                client_snapshots: 100,
                entities: 1000,
            },
            totals: Counts::new([instructions as f64, 0.0, data_misses as f64, 0.0]),
        }
    }

    fn judged(bar: [u64; 2], count: [u64; 2]) -> Vec<Verdict> {
        let of = |[instructions, misses]: [u64; 2]| {
            Bars::of(
                "rustc".to_owned(),
                &[counted(Stage::Tick, instructions, misses)],
            )
        };
        of(bar).judge(&of(count))
    }

    #[test]
    fn a_stage_is_counted_by_its_own_unit() {
        assert_eq!(
            counted(Stage::Compose, 500, 0).counts().instructions,
            5.0,
            "by client-snapshot"
        );
        assert_eq!(
            counted(Stage::Encode, 500, 0).counts().instructions,
            0.5,
            "by entity"
        );
    }

    #[test]
    fn a_count_may_be_a_little_over_its_bar_and_no_more() {
        assert_eq!(judged([100_000, 1000], [104_000, 1200]), []);
        let over = judged([100_000, 1000], [104_100, 1000]);
        assert!(
            matches!(&over[..], [Verdict::Over { name, what: "instructions", .. }] if name == "tick/40"),
            "{over:?}"
        );
        let misses = judged([100_000, 1000], [100_000, 1300]);
        assert!(misses.len() == 1 && misses[0].fails(), "{misses:?}");
    }

    #[test]
    fn next_to_zero_half_a_miss_is_nothing() {
        assert_eq!(judged([100_000, 0], [100_000, 50]), []);
        assert_eq!(judged([100_000, 0], [100_000, 60]).len(), 1);
    }

    #[test]
    fn a_count_far_below_asks_for_a_new_bar_and_passes() {
        let under = judged([100_000, 0], [80_000, 0]);
        assert!(under.len() == 1 && !under[0].fails(), "{under:?}");
    }

    #[test]
    fn a_stage_without_a_bar_fails() {
        let bars = Bars::default();
        let counts = Bars::of(String::new(), &[counted(Stage::Input, 1, 0)]);
        assert!(bars.judge(&counts)[0].fails());
        assert!(counts.judge(&bars)[0].fails());
    }

    #[test]
    fn bars_of_another_compiler_do_not_count() {
        let of = |rustc: &str| Bars::of(rustc.to_owned(), &[]);
        assert!(of("1.95").are_comparable(&of("1.95")));
        assert!(!of("1.95").are_comparable(&of("1.96")));
    }
}
