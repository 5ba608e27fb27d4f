//! When a worker hands a room to another one: it is the heaviest of all, by much and for a while,
//! and has a room that is worth it. Pure: asked once a span, when `load` judges; how the room gets
//! there is `event_loop`'s.

use std::time::{Duration, Instant};

use tickwire::ids::RoomId;

use super::load::{Cost, WORKER_SHARE_MAX};

/// By what share of its time a worker must be heavier than the lightest. Below, a move would gain
/// less than the figures of a second are off.
const GAP_MIN: f64 = 0.25;
/// Spans in a row; one is enough for a worker that would have to throttle its rooms instead.
const SPANS: u32 = 3;
/// Share of its time that a room must take to be worth a move.
const ROOM_SHARE_MIN: f64 = 0.02;
/// Spans between two moves of a worker, in which its figures become those of what is left.
const REST_SPANS: u32 = 3;
/// How long a room stays where it was moved to.
const ROOM_RESTS: Duration = Duration::from_secs(30);

/// A worker's part in the balance.
#[derive(Debug, Default)]
pub(super) struct Balance {
    /// Spans in a row in which it was the heaviest.
    heaviest: u32,
    /// Spans until it may hand over another room.
    rest: u32,
}

/// When a room came to its worker from another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moved(pub(super) Option<Instant>);

impl Moved {
    fn is_rested(self, now: Instant) -> bool {
        self.0
            .is_none_or(|at| now.saturating_duration_since(at) >= ROOM_RESTS)
    }
}

impl Balance {
    /// A span is over, in which the workers took these shares of their time, and the `rooms` of
    /// number `me` theirs, the heaviest first: which of them goes, and to whom.
    pub(super) fn rebalance<'a>(
        &mut self,
        me: usize,
        loads: &[f64],
        mut rooms: impl Iterator<Item = (&'a Cost, Moved)>,
        now: Instant,
    ) -> Option<(RoomId, usize)> {
        let rested = self.rest == 0;
        self.rest = self.rest.saturating_sub(1);
        let mine = *loads.get(me)?;
        let others = || loads.iter().enumerate().filter(|(worker, _)| *worker != me);
        let (lightest, least) = others().min_by(|(_, a), (_, b)| a.total_cmp(b))?;
        let gap = mine - least;
        // Of two that are equal the first.
        let is_heaviest = others().all(|(other, load)| mine > *load || mine == *load && me < other);
        if !is_heaviest || gap < GAP_MIN {
            self.heaviest = 0;
            return None;
        }
        self.heaviest += 1;
        let is_due = self.heaviest >= SPANS || mine > WORKER_SHARE_MAX;
        if !rested || !is_due {
            return None;
        }
        // At most half of the gap: then who gets it is not heavier afterwards than who gave it.
        let fitting = ROOM_SHARE_MIN..=gap / 2.0;
        let (cost, _) =
            rooms.find(|(cost, moved)| fitting.contains(&cost.share) && moved.is_rested(now))?;
        self.heaviest = 0;
        self.rest = REST_SPANS;
        Some((cost.room, lightest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Workers whose rooms cost what the test says.
    struct Server {
        now: Instant,
        workers: Vec<(Balance, Vec<(Cost, Moved)>)>,
        moves: u32,
    }

    impl Server {
        fn new(shares: &[&[f64]]) -> Server {
            let mut number = 0;
            let workers = shares.iter().map(|shares| {
                let rooms = shares.iter().map(|&share| {
                    number += 1;
                    let room = RoomId(number);
                    (Cost { room, share }, Moved::default())
                });
                (Balance::default(), rooms.collect())
            });
            Server {
                now: Instant::now(),
                workers: workers.collect(),
                moves: 0,
            }
        }

        fn loads(&self) -> Vec<f64> {
            let of = |rooms: &[(Cost, Moved)]| rooms.iter().map(|(cost, _)| cost.share).sum();
            self.workers.iter().map(|(_, rooms)| of(rooms)).collect()
        }

        /// So many seconds pass; each worker judges at another moment.
        fn run(&mut self, seconds: u32) {
            for _ in 0..seconds {
                self.now += SECOND;
                for me in 0..self.workers.len() {
                    let loads = self.loads();
                    let (balance, rooms) = &mut self.workers[me];
                    rooms.sort_by(|(a, _), (b, _)| b.share.total_cmp(&a.share));
                    let all = rooms.iter().map(|(cost, moved)| (cost, *moved));
                    let Some((room, to)) = balance.rebalance(me, &loads, all, self.now) else {
                        continue;
                    };
                    let at = rooms.iter().position(|(cost, _)| cost.room == room);
                    let (cost, _) = rooms.remove(at.expect("it is its own"));
                    self.workers[to].1.push((cost, Moved(Some(self.now))));
                    self.moves += 1;
                }
            }
        }
    }

    #[test]
    fn the_heaviest_gives_until_all_have_about_the_same() {
        let mut server = Server::new(&[&[0.2, 0.2, 0.15, 0.1, 0.1, 0.05], &[0.05], &[]]);
        server.run(60);
        let loads = server.loads();
        assert!(
            loads.iter().all(|load| (0.15..0.45).contains(load)),
            "{loads:?}"
        );
        let moves = server.moves;
        server.run(600);
        assert_eq!(server.moves, moves, "and then all stay");
        assert!(moves <= 5, "{moves}");
    }

    #[test]
    fn a_move_that_gains_nothing_is_none() {
        for shares in [
            &[&[0.9][..], &[]],
            &[&[0.3, 0.2], &[0.3]],
            &[&[0.01; 30], &[]],
        ] {
            let mut server = Server::new(shares);
            server.run(100);
            assert_eq!(server.moves, 0, "{shares:?}");
        }
    }

    #[test]
    fn it_is_no_matter_of_one_second_but_for_who_is_overloaded() {
        let mut server = Server::new(&[&[0.3, 0.3], &[]]);
        server.run(SPANS - 1);
        assert_eq!(server.moves, 0);
        server.run(1);
        assert_eq!(server.moves, 1);
        let mut server = Server::new(&[&[0.3, 0.3, 0.3], &[]]);
        server.run(1);
        assert_eq!(server.moves, 1);
    }

    #[test]
    fn rooms_whose_load_swings_are_not_thrown_to_and_fro() {
        let mut server = Server::new(&[&[0.3, 0.3], &[0.1, 0.1]]);
        let seconds = 600;
        for second in 0..seconds {
            let heavy = (second / 7) % 2;
            for (_, rooms) in &mut server.workers {
                for (cost, _) in rooms {
                    let is_heavy = cost.room.0 % 2 == heavy;
                    cost.share = if is_heavy { 0.4 } else { 0.05 };
                }
            }
            server.run(1);
        }
        // Each room at most once in half a minute.
        assert!(server.moves <= 4 * seconds / 30, "{}", server.moves);
    }
}
