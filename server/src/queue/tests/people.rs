//! Who plays in the simulation: skills that nobody sees, ratings that follow them, and manners.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt};

use crate::queue::{ModeId, RegionId};
use crate::ratings::{Played, Rating, Side, rate};

/// One of the players.
pub(super) struct Person {
    /// How well they play: nobody sees it.
    pub(super) skill: f64,
    pub(super) rating: Rating,
    pub(super) regions: Vec<RegionId>,
    /// Which way they like to play.
    pub(super) mode: ModeId,
    /// Whether they queue, are on their way or play.
    pub(super) is_busy: bool,
    /// They decline whatever they are offered: a poison for every match.
    pub(super) is_poison: bool,
}

/// How far a team's day lies from its skills, drawn from a Gumbel distribution of this scale: the
/// differences of two are logistic, which is what the ratings take outcomes for.
const DAY: f64 = 25.0 / 6.0 * std::f64::consts::SQRT_2;

pub(super) fn day(rng: &mut impl Rng) -> f64 {
    -DAY * (-rng.random_range(f64::EPSILON..1.0).ln()).ln()
}

pub(super) fn normal(rng: &mut impl Rng) -> f64 {
    let (a, b): (f64, f64) = (rng.random_range(f64::EPSILON..1.0), rng.random());
    (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

/// So many, of whom some are new, and most have played.
pub(super) fn people(count: usize, rng: &mut ChaCha8Rng) -> Vec<Person> {
    let person = |_| {
        let skill = 25.0 + 25.0 / 3.0 * normal(rng);
        let is_new = rng.random_bool(0.1);
        let rating = match is_new {
            true => Rating::START,
            false => Rating {
                mean: skill + 1.5 * normal(rng),
                deviation: 1.5,
            },
        };
        // Most live in one region; a third would play in a second one.
        let home = |rng: &mut ChaCha8Rng| match rng.random_range(0..10) {
            0..6 => RegionId(0),
            6..9 => RegionId(1),
            _ => RegionId(2),
        };
        let mut regions = vec![home(rng)];
        let second = home(rng);
        if rng.random_bool(0.33) && !regions.contains(&second) {
            regions.push(second);
        }
        Person {
            skill,
            rating,
            regions,
            mode: ModeId(rng.random_range(0..super::desk::modes().len() as u8)),
            is_busy: false,
            is_poison: rng.random_bool(0.01),
        }
    };
    (0..count).map(person).collect()
}

/// A match is over: who plays best today comes first.
pub(super) fn played(people: &mut [Person], teams: &[Vec<usize>], rng: &mut ChaCha8Rng) {
    let mut came: Vec<(f64, &Vec<usize>)> = teams
        .iter()
        .filter(|team| !team.is_empty())
        .map(|team| {
            let skills: f64 = team.iter().map(|at| people[*at].skill).sum();
            (skills + day(rng), team)
        })
        .collect();
    came.sort_by(|a, b| b.0.total_cmp(&a.0));
    let sides = came.iter().enumerate().map(|(rank, (_, team))| Side {
        rank: rank as u32,
        players: team
            .iter()
            .map(|at| Played {
                rating: people[*at].rating,
                left: false,
            })
            .collect(),
    });
    let rated = rate(&sides.collect::<Vec<_>>()).expect("sound ratings");
    for ((_, team), rated) in came.iter().zip(rated) {
        for (at, rating) in team.iter().zip(rated) {
            people[*at].rating = rating;
        }
    }
}
