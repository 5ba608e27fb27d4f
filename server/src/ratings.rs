//! How good players are, from who came before whom: ratings by Weng and Lin (2011, the
//! Bradley-Terry form), which know teams of any sizes, any number of them, and
//! ties. Arithmetic on what it is given: who is rated and where that is kept is the caller's.
//!
//! Three things are different from the published update. Before each match a rating becomes a little less
//! certain ([`DRIFT`]), so that one that has been right for years still follows who gets better. Many
//! sides together count as two matches at most (`learnt`). And who left is rated as if their side
//! had come last of all, so that nobody gains by leaving; those they left are rated by where their
//! side came.

use std::fmt;

use skillratings::MultiTeamOutcome;
use skillratings::weng_lin::{WengLinConfig, WengLinRating, weng_lin_multi_team};

/// Players of one result: as many as a room has seats for at most.
pub const PLAYERS_MAX: usize = 256;
/// How far from 0 a mean may be. Of millions of players the best is 20 above the mean.
pub const MEAN_MAX: f64 = 1000.0;
/// What a match adds to a deviation, as a square to its square: a hundredth of a new player's.
pub const DRIFT: f64 = Rating::START.deviation / 100.0;

/// How far apart the strengths of two sides may be, beyond which the outcome is as certain as can
/// be: 600 times the least spread of an outcome, and the exponential of half of that is finite.
const STRENGTH_MAX: f64 = 3500.0;
/// Which part of a variance a match leaves at least; two matches leave two thirds of the largest.
const KEPT_MIN: f64 = 0.1;

/// What is believed of a player's skill: a normal distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rating {
    /// The skill that is most likely; 25 of who is new.
    pub mean: f64,
    /// How uncertain that is: two thirds of the time the skill lies within one of these. Above 0
    /// and at most that of who is new, 25/3.
    pub deviation: f64,
}

impl Rating {
    /// Of who is new.
    pub const START: Rating = Rating {
        mean: 25.0,
        deviation: 25.0 / 3.0,
    };

    /// What a board shows: the skill is this or more 999 times in 1,000, so that nobody leads by one
    /// lucky match. 0 of who is new.
    pub fn at_least(&self) -> f64 {
        self.mean - 3.0 * self.deviation
    }

    /// Whether this can be anybody's.
    pub fn is_sound(&self) -> bool {
        self.mean.abs() <= MEAN_MAX
            && self.deviation > 0.0
            && self.deviation <= Rating::START.deviation
    }
}

impl Default for Rating {
    fn default() -> Rating {
        Rating::START
    }
}

/// One side of a match: a team, or a player of their own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Side {
    /// Where it came, the lowest first; sides that tie have the same.
    pub rank: u32,
    /// Who was in it.
    pub players: Vec<Played>,
}

/// One of a side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Played {
    /// What was believed before.
    pub rating: Rating,
    /// Whether they left before the end.
    pub left: bool,
}

/// Why a match can't be rated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RatingError {
    /// A side without anybody.
    Empty,
    /// More than [`PLAYERS_MAX`].
    Players,
    /// A rating that can't be anybody's.
    Unsound,
}

impl fmt::Display for RatingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RatingError::Empty => f.write_str("a side of a match has no players"),
            RatingError::Players => write!(f, "a match has more than {PLAYERS_MAX} players"),
            RatingError::Unsound => f.write_str("a rating is no number or out of range"),
        }
    }
}

impl std::error::Error for RatingError {}

/// What is believed after a match, side by side and player by player as they came. Of one side
/// alone nothing is learnt: its ratings stay.
///
/// # Errors
/// A side is empty, a rating can't be, or there are too many.
pub fn rate(sides: &[Side]) -> Result<Vec<Vec<Rating>>, RatingError> {
    let players = sides.iter().flat_map(|side| &side.players);
    if sides.iter().any(|side| side.players.is_empty()) {
        return Err(RatingError::Empty);
    }
    if players.clone().count() > PLAYERS_MAX {
        return Err(RatingError::Players);
    }
    if !players.clone().all(|played| played.rating.is_sound()) {
        return Err(RatingError::Unsound);
    }
    if sides.len() < 2 {
        let same = |side: &Side| side.players.iter().map(|played| played.rating).collect();
        return Ok(sides.iter().map(same).collect());
    }
    let is_gone = |side: &Side| side.players.iter().all(|played| played.left);
    let rank = |side: &Side| match is_gone(side) {
        true => LAST,
        false => side.rank.min(LAST - 1),
    };
    let mut ranks: Vec<u32> = sides.iter().map(rank).collect();
    let mut rated = Vec::with_capacity(sides.len());
    for at in 0..sides.len() {
        let mut side = learnt(sides, &ranks, at);
        let has_left = sides[at].players.iter().any(|played| played.left);
        if has_left {
            let came = std::mem::replace(&mut ranks[at], LAST);
            let as_last = learnt(sides, &ranks, at);
            ranks[at] = came;
            let players = side.iter_mut().zip(&sides[at].players).zip(as_last);
            for ((rating, _), as_last) in players.filter(|((_, played), _)| played.left) {
                *rating = as_last;
            }
        }
        rated.push(side);
    }
    Ok(rated)
}

/// Behind every rank that a side can have.
const LAST: u32 = u32::MAX;

/// What is learnt of one side by where each came. The published update adds up what each pair of
/// sides says, as if the pairs knew nothing of each other: after one match of 64 a new player would
/// be at 190, and certain of it. Here all pairs together count as two matches at most.
fn learnt(sides: &[Side], ranks: &[u32], at: usize) -> Vec<Rating> {
    let share = 2.0 / sides.len() as f64;
    let before = &sides[at].players;
    // By how much each one's mean rises, and which part of their variance goes.
    let mut changes = vec![(0.0, 0.0); before.len()];
    for other in (0..sides.len()).filter(|other| *other != at) {
        let after = pair(&sides[at], &sides[other], ranks[at], ranks[other]);
        for ((played, after), (rise, gone)) in before.iter().zip(after).zip(&mut changes) {
            let kept = after.deviation / drifted(played.rating.deviation);
            *rise += share * (after.mean - played.rating.mean);
            *gone += share * (1.0 - kept * kept);
        }
    }
    let changed = before.iter().zip(changes);
    changed
        .map(|(played, (rise, gone))| Rating {
            mean: (played.rating.mean + rise).clamp(-MEAN_MAX, MEAN_MAX),
            deviation: drifted(played.rating.deviation) * (1.0 - gone).max(KEPT_MIN).sqrt(),
        })
        .collect()
}

/// What one side learns by another alone.
fn pair(side: &Side, other: &Side, rank: u32, of_other: u32) -> Vec<Rating> {
    let strength = |side: &Side| side.players.iter().map(|at| at.rating.mean).sum::<f64>();
    // Only the difference counts, and exponentials of large numbers are infinite: both sides are
    // moved so that their strengths are half of it, above and below 0.
    let apart = strength(side) - strength(other);
    let half = apart.clamp(-STRENGTH_MAX, STRENGTH_MAX) / 2.0;
    let moved = |side: &Side, to: f64| {
        let by = (strength(side) - to) / side.players.len() as f64;
        let rating = |played: &Played| WengLinRating {
            rating: played.rating.mean - by,
            uncertainty: drifted(played.rating.deviation),
        };
        let ratings: Vec<WengLinRating> = side.players.iter().map(rating).collect();
        (ratings, by)
    };
    let ((ours, by), (theirs, _)) = (moved(side, half), moved(other, -half));
    let came = |rank: u32| MultiTeamOutcome::new(rank as usize);
    let both = [
        (ours.as_slice(), came(rank)),
        (theirs.as_slice(), came(of_other)),
    ];
    let after = weng_lin_multi_team(&both, &WengLinConfig::new());
    let ours = after.into_iter().next().unwrap_or_default();
    let rating = |after: WengLinRating| Rating {
        mean: after.rating + by,
        deviation: after.uncertainty,
    };
    ours.into_iter().map(rating).collect()
}

/// A deviation as it is at the next match.
fn drifted(deviation: f64) -> f64 {
    let more = (deviation * deviation + DRIFT * DRIFT).sqrt();
    more.min(Rating::START.deviation)
}

#[cfg(test)]
mod tests;
