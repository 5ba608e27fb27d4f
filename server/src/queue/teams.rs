//! Teams that are about as strong as each other, of parties that are not split.

use super::messages::EntryId;

/// Swaps that a match is given at most: each is an improvement, a few are made in most.
const SWAPS_MAX: usize = 64;

/// A party, as far as teams are concerned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit {
    pub(super) id: EntryId,
    pub(super) size: u8,
    /// The mean, in thousandths.
    pub(super) rating: i64,
    /// What it costs to take it: how far it is.
    pub(super) cost: i64,
}

/// Swaps parties of one size between teams while that brings the sums of two teams' ratings
/// together, the one first that brings them most.
pub(super) fn balance(teams: &mut [Vec<Unit>]) {
    let players: i64 = teams
        .iter()
        .flatten()
        .map(|unit| i64::from(unit.size))
        .sum();
    let total: i64 = teams.iter().flatten().map(strength).sum();
    // From the mean, so that a team that lacks somebody does not seem weak for that.
    let mean = total / players.max(1);
    let above = |unit: &Unit| strength(unit) - mean * i64::from(unit.size);
    let sum = |team: &Vec<Unit>| team.iter().map(above).sum();
    let mut sums: Vec<i64> = teams.iter().map(sum).collect();
    for _ in 0..SWAPS_MAX {
        // How much nearer, and what for what.
        let mut best = (0, None);
        for one in 0..teams.len() {
            for other in one + 1..teams.len() {
                let apart = sums[one] - sums[other];
                for (at, a) in teams[one].iter().enumerate() {
                    for (to, b) in teams[other].iter().enumerate() {
                        let moved = strength(a) - strength(b);
                        let nearer = apart.abs() - (apart - 2 * moved).abs();
                        if a.size == b.size && nearer > best.0 {
                            best = (nearer, Some((one, at, other, to, moved)));
                        }
                    }
                }
            }
        }
        let Some((one, at, other, to, moved)) = best.1 else {
            return;
        };
        let unit = teams[one][at];
        teams[one][at] = std::mem::replace(&mut teams[other][to], unit);
        sums[one] -= moved;
        sums[other] += moved;
    }
}

fn strength(unit: &Unit) -> i64 {
    unit.rating * i64::from(unit.size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(sizes_and_ratings: &[(u8, i64)]) -> Vec<Unit> {
        let unit = |(id, (size, rating)): (usize, &(u8, i64))| Unit {
            id: EntryId(id as u64),
            size: *size,
            rating: *rating,
            cost: 0,
        };
        sizes_and_ratings.iter().enumerate().map(unit).collect()
    }

    fn sums(teams: &[Vec<Unit>]) -> Vec<i64> {
        let sum = |team: &Vec<Unit>| team.iter().map(strength).sum();
        teams.iter().map(sum).collect()
    }

    #[test]
    fn the_strong_are_shared_out() {
        let strong = units(&[(1, 40), (1, 30), (1, 20)]);
        let weak = units(&[(1, 10), (1, 8), (1, 6)]);
        let mut teams = [strong, weak];
        balance(&mut teams);
        assert_eq!(sums(&teams), [58, 56]);
    }

    #[test]
    fn parties_stay_whole_and_teams_as_large_as_they_are() {
        let mut teams = [units(&[(2, 50), (1, 40)]), units(&[(2, 10), (1, 5)])];
        balance(&mut teams);
        let size = |team: &Vec<Unit>| team.iter().map(|unit| unit.size).sum::<u8>();
        assert_eq!(teams.each_ref().map(size), [3, 3]);
        assert_eq!(
            sums(&teams),
            [60, 105],
            "the strong pair is with the weak one alone"
        );
        let alone = &mut [units(&[(1, 3)])];
        balance(alone);
        assert_eq!(sums(alone), [3]);
    }
}
