//! That ratings say what they should of each kind of match, and come to what players' skills are.

use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use super::*;

fn played(mean: f64, deviation: f64) -> Played {
    Played {
        rating: Rating { mean, deviation },
        left: false,
    }
}

fn side(rank: u32, players: &[Played]) -> Side {
    Side {
        rank,
        players: players.to_vec(),
    }
}

fn new() -> Played {
    Played {
        rating: Rating::START,
        left: false,
    }
}

fn means(sides: &[Side]) -> Vec<Vec<f64>> {
    let rated = rate(sides).expect("a sound match");
    let mean = |side: Vec<Rating>| side.iter().map(|rating| rating.mean).collect();
    rated.into_iter().map(mean).collect()
}

#[test]
fn who_wins_rises_as_far_as_who_loses_falls() {
    let rated = rate(&[side(1, &[new()]), side(2, &[new()])]).expect("a sound match");
    let (won, lost) = (rated[0][0], rated[1][0]);
    // By the formula: 25 + s^2 / c / 2 with s = 25/3 and c^2 = 2 s^2 + 2 (25/6)^2.
    assert!((won.mean - 27.6352).abs() < 1e-3, "{won:?}");
    assert!((won.mean + lost.mean - 50.0).abs() < 1e-9, "{lost:?}");
    assert!(won.deviation < Rating::START.deviation && won.deviation == lost.deviation);
    assert_eq!(Rating::START.at_least(), 0.0);
}

#[test]
fn ties_bring_two_together() {
    let rated = means(&[side(7, &[played(30.0, 4.0)]), side(7, &[played(20.0, 4.0)])]);
    assert!(rated[0][0] < 30.0 && rated[1][0] > 20.0, "{rated:?}");
    let even = means(&[side(0, &[new()]), side(0, &[new()]), side(0, &[new()])]);
    assert!(
        even.iter().all(|side| (side[0] - 25.0).abs() < 1e-9),
        "{even:?}"
    );
}

#[test]
fn the_order_of_sides_changes_nothing() {
    let sides = [
        side(2, &[played(31.0, 2.0), played(18.0, 6.0)]),
        side(1, &[played(25.0, 3.0)]),
        side(3, &[new(), new(), new()]),
    ];
    let there = means(&sides);
    let back = means(&[sides[2].clone(), sides[1].clone(), sides[0].clone()]);
    for (one, other) in there.iter().flatten().zip(back.iter().rev().flatten()) {
        assert!((one - other).abs() < 1e-9, "{there:?} {back:?}");
    }
}

#[test]
fn nobody_gains_by_leaving() {
    let gone = Played {
        left: true,
        ..new()
    };
    let sides = [side(1, &[new(), gone]), side(2, &[new(), new()])];
    let rated = means(&sides);
    assert!(rated[0][0] > 25.0, "who stayed has won: {rated:?}");
    assert!(rated[0][1] < 25.0, "who left has lost: {rated:?}");
    assert!(rated[1][0] < 25.0, "{rated:?}");
    let alone = means(&[side(1, &[gone]), side(2, &[new()]), side(3, &[gone])]);
    assert!(alone[1][0] > 25.0 && alone[0][0] < 25.0, "{alone:?}");
    assert_eq!(alone[0], alone[2], "all who left come last together");
}

#[test]
fn of_one_side_alone_nothing_is_learnt() {
    let own = [new(), played(3.0, 1.0)];
    let rated = rate(&[side(1, &own)]).expect("a sound match");
    assert_eq!(rated, [own.map(|played| played.rating).to_vec()]);
    assert_eq!(rate(&[]), Ok(Vec::new()));
}

#[test]
fn what_can_not_be_is_refused() {
    let refused = |players: &[Played]| rate(&[side(1, players), side(2, &[new()])]);
    for (mean, deviation) in [
        (f64::NAN, 1.0),
        (25.0, f64::NAN),
        (f64::INFINITY, 1.0),
        (25.0, 0.0),
        (25.0, -1.0),
        (25.0, 9.0),
        (MEAN_MAX + 1.0, 1.0),
    ] {
        let rated = refused(&[played(mean, deviation)]);
        assert_eq!(rated, Err(RatingError::Unsound), "{mean} {deviation}");
    }
    assert_eq!(refused(&[]), Err(RatingError::Empty));
    let crowd = vec![new(); PLAYERS_MAX];
    assert_eq!(refused(&crowd), Err(RatingError::Players));
}

#[test]
fn no_match_leads_beyond_what_can_be() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for seed in 0..3000 {
        let count = rng.random_range(2..20);
        let edge = seed % 3 == 0;
        let sides: Vec<Side> = (0..count)
            .map(|_| {
                let players = (0..rng.random_range(1..12)).map(|_| {
                    let mean = match edge {
                        true => *[-MEAN_MAX, 0.0, MEAN_MAX]
                            .get(rng.random_range(0..3))
                            .unwrap(),
                        false => rng.random_range(-50.0..100.0),
                    };
                    let deviation = match rng.random_range(0..4) {
                        0 => f64::MIN_POSITIVE,
                        1 => Rating::START.deviation,
                        _ => rng.random_range(0.001..8.0),
                    };
                    Played {
                        left: rng.random_bool(0.1),
                        ..played(mean, deviation)
                    }
                });
                let players: Vec<Played> = players.collect();
                side(rng.random_range(0..4) * (u32::MAX / 3), &players)
            })
            .collect();
        let rated = rate(&sides).expect("sound ratings");
        let all = rated.iter().flatten();
        assert!(all.clone().all(Rating::is_sound), "{seed}: {rated:?}");
        let players: usize = sides.iter().map(|side| side.players.len()).sum();
        assert_eq!(all.count(), players);
    }
}

/// One match of 64 says less than two duels, not as much as 63.
#[test]
fn a_crowd_is_no_certainty() {
    let sides: Vec<Side> = (0..64).map(|rank| side(rank, &[new()])).collect();
    let rated = rate(&sides).expect("a sound match");
    let first = rated[0][0];
    assert!(
        first.mean < 25.0 + 2.0 * 2.7 && first.deviation > 7.0,
        "{first:?}"
    );
    assert!(rated.windows(2).all(|two| two[0][0].mean > two[1][0].mean));
}

/// What a season is like: so many players, sides a match of so many each.
struct Season {
    sides: usize,
    size: usize,
    /// Matches of each player.
    matches: usize,
}

struct Outcome {
    /// Spearman's, of ratings and skills.
    correlation: f64,
    /// How much wider the ratings are spread than the skills.
    spread: f64,
    /// Of ratings from skills, both from their means and by their spreads, in units of skills.
    error: f64,
    /// The mean deviation.
    deviation: f64,
}

const PLAYERS: usize = 400;
/// How far a side's day lies from its skills, drawn from a Gumbel distribution of this scale: the
/// differences of two are logistic, which is what the ratings take outcomes for.
const DAY: f64 = 25.0 / 6.0 * std::f64::consts::SQRT_2;

fn day(rng: &mut ChaCha8Rng) -> f64 {
    let unit: f64 = rng.random_range(f64::EPSILON..1.0);
    -DAY * (-unit.ln()).ln()
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (a, b): (f64, f64) = (rng.random_range(f64::EPSILON..1.0), rng.random());
    (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

/// Players of skills that are drawn meet by chance.
fn play(season: &Season, seed: u64) -> Outcome {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let skills: Vec<f64> = (0..PLAYERS)
        .map(|_| 25.0 + 25.0 / 3.0 * normal(&mut rng))
        .collect();
    let mut ratings = vec![Rating::START; PLAYERS];
    let mut order: Vec<usize> = (0..PLAYERS).collect();
    for _ in 0..season.matches {
        order.shuffle(&mut rng);
        for match_ in order.chunks_exact(season.sides * season.size) {
            let mut came: Vec<(f64, &[usize])> = match_
                .chunks_exact(season.size)
                .map(|side| {
                    let sum: f64 = side.iter().map(|at| skills[*at]).sum();
                    (sum + day(&mut rng), side)
                })
                .collect();
            came.sort_by(|a, b| b.0.total_cmp(&a.0));
            let sides: Vec<Side> = came
                .iter()
                .enumerate()
                .map(|(rank, (_, who))| Side {
                    rank: rank as u32,
                    players: who
                        .iter()
                        .map(|at| Played {
                            rating: ratings[*at],
                            left: false,
                        })
                        .collect(),
                })
                .collect();
            let rated = rate(&sides).expect("sound ratings");
            for ((_, who), rated) in came.iter().zip(rated) {
                for (at, rating) in who.iter().zip(rated) {
                    ratings[*at] = rating;
                }
            }
        }
    }
    outcome(&skills, &ratings)
}

fn outcome(skills: &[f64], ratings: &[Rating]) -> Outcome {
    let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
    let spread = |of: &[f64]| {
        let mean = mean(of);
        let squares = of.iter().map(|one| (one - mean) * (one - mean));
        (squares.sum::<f64>() / of.len() as f64).sqrt()
    };
    let means: Vec<f64> = ratings.iter().map(|rating| rating.mean).collect();
    let deviations: Vec<f64> = ratings.iter().map(|rating| rating.deviation).collect();
    let wider = spread(&means) / spread(skills);
    let errors = means.iter().zip(skills);
    let errors =
        errors.map(|(one, skill)| ((one - mean(&means)) / wider - (skill - mean(skills))).abs());
    let ranks = |of: &[f64]| {
        let mut order: Vec<usize> = (0..of.len()).collect();
        order.sort_by(|a, b| of[*a].total_cmp(&of[*b]));
        let mut ranks = vec![0.0; of.len()];
        for (rank, at) in order.into_iter().enumerate() {
            ranks[at] = rank as f64;
        }
        ranks
    };
    let n = skills.len() as f64;
    let apart = ranks(&means).into_iter().zip(ranks(skills));
    let squares: f64 = apart.map(|(a, b)| (a - b) * (a - b)).sum();
    Outcome {
        correlation: 1.0 - 6.0 * squares / (n * (n * n - 1.0)),
        spread: wider,
        error: mean(&errors.collect::<Vec<_>>()),
        deviation: mean(&deviations),
    }
}

/// The table of docs/matchmaking.md.
#[test]
fn ratings_come_to_what_the_skills_are() {
    println!("| match | matches a player | rank correlation | mean error | spread | deviation |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let season = |sides, size, matches| Season {
        sides,
        size,
        matches,
    };
    let expected = [
        ("1 against 1", season(2, 1, 10), 0.80, 4.5),
        ("1 against 1", season(2, 1, 50), 0.93, 3.0),
        ("4 against 4", season(2, 4, 50), 0.80, 5.0),
        ("4 against 4", season(2, 4, 200), 0.92, 3.0),
        ("each of 8 alone", season(8, 1, 10), 0.90, 3.0),
        ("each of 8 alone", season(8, 1, 50), 0.96, 2.0),
    ];
    let mut missed = Vec::new();
    for (name, season, correlation, error) in expected {
        let seen = play(&season, 11);
        println!(
            "| {name} | {} | {:.3} | {:.2} | {:.2} | {:.2} |",
            season.matches, seen.correlation, seen.error, seen.spread, seen.deviation
        );
        let holds = seen.correlation >= correlation && seen.error <= error;
        missed.extend((!holds).then_some((name, season.matches)));
    }
    assert!(missed.is_empty(), "{missed:?}");
}
