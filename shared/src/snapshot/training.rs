//! Priors for a game's bodies, learnt offline from recorded images: for every context the odds
//! and the confidence under which the recording would have cost the least. A command of
//! `benches` calls it; nothing on a tick path does.

use super::delta::model::context_count;
use super::delta::{Scratch, trace};
use super::image::LayerView;
use super::range_coder::{Context, UNSURE, learn};
use crate::schema::ColumnSet;

/// Collects the decisions of bodies and makes a table of them.
#[derive(Debug)]
pub struct Trainer {
    /// By context: the bits of each body that used it, one body after the other.
    runs: Vec<Vec<Vec<bool>>>,
    scratch: Scratch,
}

impl Trainer {
    /// For layers with these columns.
    pub fn new(set: &ColumnSet) -> Trainer {
        Trainer {
            runs: vec![Vec::new(); context_count(set)],
            scratch: Scratch::default(),
        }
    }

    /// Learns from the body of `current` against `baseline`, or a keyframe.
    pub fn observe(
        &mut self,
        set: &ColumnSet,
        baseline: Option<LayerView<'_>>,
        current: LayerView<'_>,
    ) {
        let mut fresh = vec![true; self.runs.len()];
        for (at, bit) in trace(set, baseline, current, &mut self.scratch) {
            if std::mem::take(&mut fresh[at]) {
                self.runs[at].push(Vec::new());
            }
            if let Some(run) = self.runs[at].last_mut() {
                run.push(bit);
            }
        }
    }

    /// The table: what bodies of this layer start from.
    pub fn table(&self) -> Vec<Context> {
        self.runs.iter().map(|runs| best(runs)).collect()
    }
}

/// The context that codes these runs in the fewest bits, each run starting anew.
fn best(runs: &[Vec<bool>]) -> Context {
    let total = runs.iter().map(Vec::len).sum::<usize>() as f64;
    if total == 0.0 {
        return UNSURE;
    }
    let zeros = runs.iter().flatten().filter(|&&bit| !bit).count() as f64;
    let p = ((zeros + 0.4) / (total + 0.8) * 4096.0).clamp(4.0, 4092.0) as Context;
    (0..16)
        .map(|sure| (p << 4) | sure)
        .min_by(|&a, &b| cost(a, runs).total_cmp(&cost(b, runs)))
        .unwrap_or(UNSURE)
}

fn cost(start: Context, runs: &[Vec<bool>]) -> f64 {
    let mut bits = 0.0;
    for run in runs {
        let mut context = start;
        for &bit in run {
            let zero = f64::from(context >> 4) / 4096.0;
            bits -= if bit { 1.0 - zero } else { zero }.log2();
            learn(&mut context, bit);
        }
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearly_always_so_is_trusted_at_once() {
        let runs = vec![vec![false; 20]; 50];
        let context = best(&runs);
        assert!(context >> 4 > 4000, "{context}");
        assert_eq!(best(&[]), UNSURE);
    }

    #[test]
    fn what_differs_from_body_to_body_stays_open() {
        let runs = vec![vec![false; 40], vec![true; 40]];
        let context = best(&runs);
        assert!((1800..2300).contains(&(context >> 4)));
        assert!(context & 15 < 3, "{}", context & 15);
    }
}
