//! How much goes on in a component: its activity, a class that chooses contexts and tables
//! (`delta::model`) and how much of its last second difference a linear column repeats
//! (`predictor`).

/// A component's activity, by what its linear columns remember: a class, below [`ACTIVITIES`].
pub type Activity = usize;

/// Classes of activity: still, going straight, then by the greatest second difference.
pub const ACTIVITIES: usize = 6;
/// The least second differences of the third, fourth … class.
const SECOND_DIFFS: [i32; 4] = [1, 2, 5, 24];

/// Gains of a linear column: one for each class of activity that has a second difference.
pub const GAINS: usize = SECOND_DIFFS.len();
/// Parts of the last second difference that a column repeats, in units of 1/32, by class; those of
/// the two classes without one are 0.
pub type Gains = [i32; ACTIVITIES];
/// A gain of one.
pub const GAIN_UNIT: i32 = 32;
/// The greatest gain, and minus the least.
pub const GAIN_MAX: i32 = 64;
/// Without training: a second difference of one step is the rounding of a straight way, so taken
/// back; a greater one eases off; a great one is a knock.
pub const UNTRAINED_GAINS: Gains = [0, 0, -16, 8, 16, 8];

/// A component's activity, by whether any of its linear columns remembers anything (not 0), and
/// their greatest second difference.
#[inline(always)]
pub(super) fn activity(any: i32, second_diff: i32) -> i32 {
    let mut activity = i32::from(any != 0);
    for from in SECOND_DIFFS {
        activity += i32::from(second_diff >= from);
    }
    activity
}

/// The same of a row, by its linear columns.
pub(super) fn activity_of(linear: &[usize], row: &[i32]) -> Activity {
    let memory = linear.iter().map(|at| (row[at + 1], row[at + 2]));
    let any = memory
        .clone()
        .fold(0, |any, (change, second_diff)| any | change | second_diff);
    let second_diff = memory
        .map(|(_, second_diff)| second_diff.saturating_abs())
        .max();
    activity(any, second_diff.unwrap_or(0)) as Activity
}
