//! Priors for a game's bodies, learnt offline from recorded images: how much of its last second
//! difference every linear column repeats, and for every context the odds and the confidence, for
//! every table of symbols the thresholds under which the recording would have cost the least. A
//! command of `benches` calls it; nothing on a tick path does.

use super::activity::{ACTIVITIES, GAIN_MAX, GAIN_UNIT, GAINS, Gains, activity_of};
use super::column_set::{ColumnSet, ComponentColumns};
use super::delta::model::untrained_tables;
use super::delta::{Decision, Scratch, trace};
use super::image::LayerView;
use super::predictor::{TERM_MAX, difference};
use super::range_coder::{Context, UNSURE, learn};
use super::symbols::{SYMBOL_BITS, SYMBOLS, Symbols, THRESHOLDS};

/// An image and the baseline that it is sent against; none for a keyframe.
pub type Sending<'a> = (Option<LayerView<'a>>, LayerView<'a>);

/// The table of a layer with these columns, under which all this would have cost the least.
pub fn train(set: &ColumnSet, sendings: &[Sending<'_>]) -> Vec<u16> {
    let mut trained = set.clone();
    for (number, component) in set.components.iter().enumerate() {
        let rows = going_on(set, number, sendings);
        for &column in &set.linear[component.linear.clone()] {
            trained.columns[column].gains = gains(set, component, column, &rows);
        }
    }
    let mut runs: Vec<Vec<Vec<bool>>> = vec![Vec::new(); set.prior.len()];
    let mut counts = vec![[0u32; SYMBOLS]; set.symbols.len()];
    let mut scratch = Scratch::default();
    for &(baseline, current) in sendings {
        let mut fresh = vec![true; runs.len()];
        for decision in trace(&trained, baseline, current, &mut scratch) {
            match decision {
                Decision::Bit(at, bit) => {
                    if std::mem::take(&mut fresh[at]) {
                        runs[at].push(Vec::new());
                    }
                    if let Some(run) = runs[at].last_mut() {
                        run.push(bit);
                    }
                }
                Decision::Symbol(at, symbol) => counts[at][symbol] += 1,
            }
        }
    }
    let contexts = runs.iter().map(|runs| best(runs));
    let learnt = |&at: &usize| {
        trained.columns[at]
            .gains
            .into_iter()
            .skip(ACTIVITIES - GAINS)
    };
    let gains = set.linear.iter().flat_map(learnt);
    let untrained = set.linear.iter().flat_map(|_| untrained_tables());
    let symbols = counts.iter().zip(untrained);
    contexts
        .chain(gains.map(|gain| gain as i16 as u16))
        .chain(symbols.flat_map(|(counts, untrained)| thresholds(counts, &untrained)))
        .collect()
}

/// What the untrained table weighs beside what was seen, in symbols.
const UNTRAINED_WEIGHT: f64 = 8.0;
/// The least that a symbol takes of 2^15, however seldom it is.
const PART_MIN: f64 = 4.0;

/// The thresholds under which symbols that come so often would cost the least.
fn thresholds(counts: &[u32; SYMBOLS], untrained: &Symbols) -> [u16; THRESHOLDS] {
    let whole = f64::from(1u32 << SYMBOL_BITS);
    let seen = f64::from(counts.iter().sum::<u32>());
    let mut below = 0.0;
    std::array::from_fn(|symbol| {
        let (_, part) = untrained.part(symbol);
        let count = f64::from(counts[symbol]) + f64::from(part) / whole * UNTRAINED_WEIGHT;
        let share = count / (seen + UNTRAINED_WEIGHT);
        below += PART_MIN + share * (whole - PART_MIN * SYMBOLS as f64);
        below as u16
    })
}

/// The rows before and after, by steady bodies, of entities that have a component.
fn going_on<'a>(
    set: &ColumnSet,
    component: usize,
    sendings: &[Sending<'a>],
) -> Vec<(&'a [i32], &'a [i32])> {
    let width = set.width();
    let mut rows = Vec::new();
    for &(baseline, current) in sendings {
        let steady = |from: &LayerView<'_>| current.tick.since(from.tick) == current.gap;
        let Some(from) = baseline.filter(steady) else {
            continue;
        };
        for (at, head) in current.entities.iter().enumerate() {
            if let (Some(old), 1) = (from.find(head), head.mask >> component & 1) {
                rows.push((from.row(old, width), current.row(at, width)));
            }
        }
    }
    rows
}

/// The gains of a column that leave the least of its changes unpredicted.
fn gains(
    set: &ColumnSet,
    component: &ComponentColumns,
    column: usize,
    rows: &[(&[i32], &[i32])],
) -> Gains {
    // By class: the last second difference, and what the next change differs by from the last.
    let mut seen: [Vec<(i32, i32)>; GAINS] = Default::default();
    for (old, new) in rows {
        let activity = activity_of(&set.linear[component.linear.clone()], old);
        if activity >= ACTIVITIES - GAINS && old[column + 2] != 0 {
            let change = difference(&set.columns[column], new[column], old[column]);
            let next = change.wrapping_sub(old[column + 1]);
            seen[activity - (ACTIVITIES - GAINS)].push((old[column + 2], next));
        }
    }
    // Far residuals are knocks, which no gain foresees.
    let bits: Vec<f64> = (0..256).map(|r| f64::from(1 + 2 * r).log2()).collect();
    let learnt = seen.map(|seen| {
        (-GAIN_MAX..=GAIN_MAX)
            .min_by(|&a, &b| {
                unpredicted_bits(a, &seen, &bits).total_cmp(&unpredicted_bits(b, &seen, &bits))
            })
            .unwrap_or(0)
    });
    let mut gains = [0; ACTIVITIES];
    gains[ACTIVITIES - GAINS..].copy_from_slice(&learnt);
    gains
}

/// About how many bits the residuals take under a gain, by what each size takes.
fn unpredicted_bits(gain: i32, seen: &[(i32, i32)], bits: &[f64]) -> f64 {
    let of = |&(second_diff, next): &(i32, i32)| {
        let second_diff = second_diff.clamp(-TERM_MAX, TERM_MAX);
        let guess = (second_diff * gain + GAIN_UNIT / 2).div_euclid(GAIN_UNIT);
        bits[(next.wrapping_sub(guess).unsigned_abs() as usize).min(bits.len() - 1)]
    };
    seen.iter().map(of).sum()
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
