//! Samples that are taken again when others were at work, a bounded number of times, and the ratios
//! of those that count.

use serde::Serialize;

use crate::cpu_clock::median;

/// The share of the cores' time that others may have during a sample. Accounts are kept in
/// hundredths of a second and by each core, so that half a second can't be told closer; what a
/// quiet machine does by itself is below.
pub const OTHERS_MAX: f64 = 0.08;

/// Whether a sample counts without further ado. Where nobody says what others did, it does.
pub fn is_calm(others: Option<f64>) -> bool {
    others.is_none_or(|share| share <= OTHERS_MAX)
}

/// How many samples are wanted, and how many may be taken again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Samples that count.
    pub wanted: usize,
    /// Samples beyond those, at most.
    pub repeats: usize,
}

/// Samples, of which some were taken again.
#[derive(Clone, Debug, PartialEq)]
pub struct Repeated<T> {
    /// As many as wanted: the calm ones, and if they are too few, the least disturbed of the
    /// others. In the order in which they were taken.
    pub kept: Vec<T>,
    /// What others had of the cores, of each of these.
    pub others: Vec<Option<f64>>,
    /// How many were taken beyond those.
    pub repeats: usize,
}

impl<T> Repeated<T> {
    /// How many of those that count were disturbed.
    pub fn disturbed(&self) -> usize {
        self.others.iter().filter(|share| !is_calm(**share)).count()
    }

    /// Whether the most of them were calm, so that their median is.
    pub fn is_calm(&self) -> bool {
        self.disturbed() * 2 < self.kept.len().max(1)
    }
}

/// Takes samples until as many as wanted are calm, or no more may be repeated. `take` is told how
/// many were taken before, and gives what others had of the cores meanwhile; infinity stands for a
/// sample that is only kept where there is nothing better.
///
/// # Errors
/// The first of `take`.
pub fn repeat<T, E>(
    patience: Patience,
    mut take: impl FnMut(usize) -> Result<(T, Option<f64>), E>,
) -> Result<Repeated<T>, E> {
    let mut taken: Vec<(usize, T, Option<f64>)> = Vec::new();
    let mut calm = 0;
    while calm < patience.wanted && taken.len() < patience.wanted + patience.repeats {
        let number = taken.len();
        let (sample, others) = take(number)?;
        calm += usize::from(is_calm(others));
        taken.push((number, sample, others));
    }
    let repeats = taken.len() - patience.wanted.min(taken.len());
    // Calm ones are alike: the first of them count, whatever came of the later.
    let disturbance = |others: &Option<f64>| match others {
        Some(share) if !is_calm(*others) => *share,
        _ => 0.0,
    };
    taken.sort_by(|a, b| disturbance(&a.2).total_cmp(&disturbance(&b.2)));
    taken.truncate(patience.wanted);
    taken.sort_by_key(|(number, ..)| *number);
    let (kept, others) = taken
        .into_iter()
        .map(|(_, sample, others)| (sample, others))
        .unzip();
    Ok(Repeated {
        kept,
        others,
        repeats,
    })
}

/// What was measured, and the reference work beside it, in one unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// The measured one.
    pub measured: f64,
    /// The reference.
    pub reference: f64,
}

/// Pairs in figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Ratio {
    /// The measured one: the median.
    pub measured: f64,
    /// The reference: the median.
    pub reference: f64,
    /// Measured over reference, pair by pair: the median.
    pub ratio: f64,
    /// The least of them.
    pub ratio_min: f64,
    /// The greatest.
    pub ratio_max: f64,
    /// Pairs that were disturbed and count all the same, because too few were not.
    pub disturbed: usize,
    /// Pairs that were taken again.
    pub repeats: usize,
    /// What others had of the cores while those that count were taken, in the median; nothing where
    /// the system does not say.
    pub others: Option<f64>,
    /// Whether most pairs were calm.
    pub calm: bool,
}

impl Ratio {
    /// Of some pairs.
    ///
    /// # Panics
    /// Of none.
    pub fn new(pairs: &Repeated<Pair>) -> Ratio {
        let of_each = |of: fn(&Pair) -> f64| pairs.kept.iter().map(of).collect::<Vec<f64>>();
        let ratios = of_each(|pair| pair.measured / pair.reference);
        let others: Vec<f64> = pairs.others.iter().copied().flatten().collect();
        Ratio {
            measured: median(of_each(|pair| pair.measured)),
            reference: median(of_each(|pair| pair.reference)),
            ratio_min: ratios.iter().copied().fold(f64::INFINITY, f64::min),
            ratio_max: ratios.iter().copied().fold(0.0, f64::max),
            ratio: median(ratios),
            disturbed: pairs.disturbed(),
            repeats: pairs.repeats,
            others: (!others.is_empty()).then(|| median(others)),
            calm: pairs.is_calm(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(shares: &[f64], patience: Patience) -> Repeated<usize> {
        let taken = repeat(patience, |number| {
            Ok::<_, ()>((number, Some(shares[number])))
        });
        taken.expect("none fails")
    }

    const TWO_OF_FOUR: Patience = Patience {
        wanted: 2,
        repeats: 2,
    };

    #[test]
    fn calm_samples_are_not_repeated() {
        let taken = take(&[0.01, 0.08], TWO_OF_FOUR);
        assert_eq!((&taken.kept[..], taken.repeats), (&[0, 1][..], 0));
        assert!(taken.is_calm());
    }

    #[test]
    fn a_disturbed_sample_is_taken_again() {
        let taken = take(&[0.5, 0.0, 0.03], TWO_OF_FOUR);
        assert_eq!((&taken.kept[..], taken.repeats), (&[1, 2][..], 1));
        assert_eq!(taken.disturbed(), 0);
    }

    #[test]
    fn on_a_busy_machine_it_ends_and_the_least_disturbed_count() {
        let taken = take(&[0.9, 0.3, 0.7, 0.4], TWO_OF_FOUR);
        assert_eq!((&taken.kept[..], taken.repeats), (&[1, 3][..], 2));
        assert_eq!((taken.disturbed(), taken.is_calm()), (2, false));
        // One that served nothing is the last to be kept.
        let taken = take(&[f64::INFINITY, 0.3, 0.0, 0.4], TWO_OF_FOUR);
        assert_eq!(taken.kept, [1, 2]);
    }

    #[test]
    fn where_nobody_knows_all_samples_count() {
        let taken = repeat(TWO_OF_FOUR, |number| Ok::<_, ()>((number, None)));
        let taken = taken.expect("none fails");
        assert_eq!((taken.kept.len(), taken.repeats), (2, 0));
        assert!(taken.is_calm());
    }

    #[test]
    fn a_failure_is_the_end() {
        let taken = repeat(TWO_OF_FOUR, |number| match number {
            0 => Ok(((), None)),
            _ => Err("broken"),
        });
        assert_eq!(taken, Err("broken"));
    }

    /// A machine that goes half as fast in the second pair and has others in the third.
    #[test]
    fn ratios_hold_where_times_do_not() {
        let taken = [
            (10.0, 5.0, 0.0),
            (20.0, 10.0, 0.0),
            (70.0, 10.0, 0.6),
            (11.0, 5.0, 0.02),
        ];
        let pairs = repeat(
            Patience {
                wanted: 3,
                repeats: 3,
            },
            |number| {
                let (measured, reference, others) = taken[number];
                let pair = Pair {
                    measured,
                    reference,
                };
                Ok::<_, ()>((pair, Some(others)))
            },
        );
        let ratio = Ratio::new(&pairs.expect("none fails"));
        assert_eq!(
            (ratio.ratio, ratio.ratio_min, ratio.ratio_max),
            (2.0, 2.0, 2.2)
        );
        assert_eq!((ratio.measured, ratio.reference), (11.0, 5.0));
        assert_eq!((ratio.repeats, ratio.disturbed, ratio.calm), (1, 0, true));
        assert_eq!(ratio.others, Some(0.0));
    }
}
