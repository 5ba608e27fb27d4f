//! Tables of symbols (`PROTOCOL.md` §7): which part of a range each of sixteen takes. They are
//! static, so a symbol costs one step of the coder and no learning. Which table a residual takes is
//! `delta::model`'s; how a range is divided, `range_coder`'s.

use super::activity::{ACTIVITIES, Activity};

/// Symbols of a table.
pub const SYMBOLS: usize = 16;
/// Thresholds between them: what is trained and sent of a table.
pub const THRESHOLDS: usize = SYMBOLS - 1;
/// Bits of a threshold: symbols take parts of 2^15.
pub(super) const SYMBOL_BITS: u32 = 15;
const WHOLE: u16 = 1 << SYMBOL_BITS;

/// The symbol for what none of the others stands for.
pub(super) const ESCAPE: usize = SYMBOLS - 1;
/// Residuals up to this have a symbol.
pub(super) const CODED_MAX: i32 = 7;

/// The symbol of a residual.
#[inline]
pub(super) fn symbol_of(residual: i32) -> usize {
    let from_least = residual.wrapping_add(CODED_MAX) as u32;
    from_least.min(ESCAPE as u32) as usize
}

/// Without training: how much each residual from 0 to [`CODED_MAX`] takes, either sign alike, in a
/// component of that activity; the rest is for what is beyond. About the mean of several kinds of
/// motion.
const UNTRAINED: [[u16; CODED_MAX as usize + 1]; ACTIVITIES] = [
    [9600, 960, 960, 960, 960, 960, 960, 960],
    [13312, 6272, 1376, 864, 352, 96, 80, 80],
    [12656, 5936, 1664, 1136, 480, 144, 80, 72],
    [7664, 5296, 3280, 1936, 832, 384, 192, 128],
    [5120, 3344, 3216, 1776, 1392, 1008, 704, 592],
    [2464, 832, 544, 512, 512, 512, 512, 448],
];

/// A table: where each symbol's part starts, and the end of the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbols {
    starts: [u16; SYMBOLS + 1],
}

impl Symbols {
    /// A table by the thresholds between its symbols; `None` unless they rise from above 0 to below
    /// 2^15, so that every symbol can be coded.
    pub fn new(thresholds: &[u16; THRESHOLDS]) -> Option<Symbols> {
        let mut starts = [0; SYMBOLS + 1];
        starts[1..SYMBOLS].copy_from_slice(thresholds);
        starts[SYMBOLS] = WHOLE;
        starts
            .is_sorted_by(|a, b| a < b)
            .then_some(Symbols { starts })
    }

    /// What there is without training.
    pub fn untrained(activity: Activity) -> Symbols {
        let widths = &UNTRAINED[activity];
        let mut starts = [0; SYMBOLS + 1];
        for symbol in 0..ESCAPE {
            let size = symbol.abs_diff(CODED_MAX as usize);
            starts[symbol + 1] = starts[symbol] + widths[size];
        }
        starts[SYMBOLS] = WHOLE;
        Symbols { starts }
    }

    /// Start and width of a symbol's part.
    #[inline]
    pub fn part(&self, symbol: usize) -> (u32, u32) {
        let (start, end) = (self.starts[symbol], self.starts[symbol + 1]);
        (u32::from(start), u32::from(end - start))
    }

    /// The symbol whose part has a place in it; places beyond all are the last one's.
    #[inline]
    pub(super) fn at(&self, place: u32) -> usize {
        let place = place.min(u32::from(WHOLE - 1)) as u16;
        // First which four, then which of them: comparisons side by side, and no branches, for
        // which symbol comes is anyone's guess.
        let reached = |symbol: usize| usize::from(self.starts[symbol] <= place);
        let first = 4 * (reached(4) + reached(8) + reached(12));
        first + reached(first + 1) + reached(first + 2) + reached(first + 3)
    }

    /// The thresholds, as [`Symbols::new`] takes them.
    pub fn thresholds(&self) -> &[u16] {
        &self.starts[1..SYMBOLS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_belongs_to_the_symbol_whose_part_has_it() {
        for activity in 0..ACTIVITIES {
            let table = Symbols::untrained(activity);
            for symbol in 0..SYMBOLS {
                let (start, width) = table.part(symbol);
                assert_eq!(table.at(start), symbol);
                assert_eq!(table.at(start + width - 1), symbol);
            }
            assert_eq!(table.at(u32::MAX), ESCAPE);
            let thresholds = table.thresholds().try_into().expect("15 of them");
            assert_eq!(Symbols::new(thresholds), Some(table));
        }
    }

    #[test]
    fn thresholds_rise_within_the_whole() {
        let rising: [u16; THRESHOLDS] = std::array::from_fn(|at| at as u16 + 1);
        assert!(Symbols::new(&rising).is_some());
        for (at, wrong) in [(0, 0), (7, 7), (7, 9), (THRESHOLDS - 1, WHOLE)] {
            let mut thresholds = rising;
            thresholds[at] = wrong;
            assert_eq!(Symbols::new(&thresholds), None, "{wrong} at {at}");
        }
    }

    #[test]
    fn a_residual_has_its_own_symbol_or_the_last_one() {
        for (residual, symbol) in [(-7, 0), (0, 7), (7, 14), (8, 15), (-8, 15)] {
            assert_eq!(symbol_of(residual), symbol, "{residual}");
        }
        assert_eq!(symbol_of(i32::MIN), ESCAPE);
        assert_eq!(symbol_of(i32::MAX), ESCAPE);
    }
}
