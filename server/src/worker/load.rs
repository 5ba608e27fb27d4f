//! What a worker's rooms cost it, and what gives way when that is too much: the snapshot rate of
//! the heaviest rooms first, at last a room that would hold up all the others. That rooms go to
//! other workers is `balance`'s. Judged once a second, and back to normal by itself. Pure: times
//! are arguments. Ticks that come too late all the same are `grid`'s to skip.

use std::time::{Duration, Instant};

use tickwire::ids::RoomId;
use tickwire::netcode::clock_sync::THROTTLED_MAX;

/// Between two judgements.
const SPAN: Duration = Duration::from_secs(1);
/// Share of its period that a room may take; beyond, its snapshot rate is halved.
const ROOM_SHARE_MAX: f64 = 0.5;
/// Share of its time that a worker may be at work; beyond, its heaviest rooms give way.
pub(super) const WORKER_SHARE_MAX: f64 = 0.85;
/// What it is brought down to then, and may be brought up to again.
const WORKER_SHARE_GOAL: f64 = 0.7;
/// How often a room's snapshot rate is halved at most: below an eighth nobody can play.
pub(super) const HALVINGS_MAX: u8 = 3;
// Clients take what is rarer for a room at rest.
const _: () = assert!(1 << HALVINGS_MAX <= THROTTLED_MAX);
/// Share of its period below which a room has twice the snapshots again: they cost at most twice
/// as much, which is then still less than what halves them.
const ROOM_SHARE_LOW: f64 = 0.2;
/// Seconds below it before that happens.
const CALM_SPANS: u32 = 5;
/// Share of its period from which on a room that has given way as far as it can is hopeless.
const HOPELESS_SHARE: f64 = 0.9;
/// Seconds of that until it is closed.
const HOPELESS_SPANS: u32 = 10;

/// What one room costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RoomLoad {
    /// In this span so far.
    pub(super) spent: Duration,
    /// How often its snapshot rate is halved.
    halvings: u8,
    /// Spans in a row in which it was light.
    calm: u32,
    /// Spans in a row in which it was hopeless.
    hopeless: u32,
}

/// What becomes of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Its snapshot rate is halved so many times now, which is once more than before.
    Halved(u8),
    /// The same, once less than before.
    Doubled(u8),
    /// It must be closed.
    Hopeless,
}

/// A span that is over: what a room cost in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cost {
    /// The room.
    pub(super) room: RoomId,
    /// Its share of the worker's time.
    pub(super) share: f64,
}

/// A worker's load.
#[derive(Debug)]
pub(super) struct Load {
    since: Instant,
    /// Of the span before, heaviest first.
    pub(super) costs: Vec<Cost>,
    verdicts: Vec<(RoomId, Verdict)>,
}

impl Load {
    /// The first span starts at `now`.
    pub(super) fn new(now: Instant) -> Load {
        Load {
            since: now,
            costs: Vec::new(),
            verdicts: Vec::new(),
        }
    }

    /// Whether a span is over.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= SPAN
    }

    /// Ends a span: what its rooms cost and what becomes of them.
    pub(super) fn rebalance<'a>(
        &mut self,
        now: Instant,
        rooms: impl Iterator<Item = (RoomId, &'a mut RoomLoad)>,
    ) -> (&[Cost], &[(RoomId, Verdict)]) {
        let span = now.saturating_duration_since(self.since).as_secs_f64();
        self.since = now;
        self.costs.clear();
        self.verdicts.clear();
        let mut rooms: Vec<(Cost, &mut RoomLoad)> = rooms
            .map(|(room, load)| {
                let share = std::mem::take(&mut load.spent).as_secs_f64() / span.max(1e-3);
                (Cost { room, share }, load)
            })
            .collect();
        // Heaviest first; equal ones in any order that is always the same.
        rooms.sort_by(|(a, _), (b, _)| b.share.total_cmp(&a.share).then(a.room.cmp(&b.room)));
        self.costs.extend(rooms.iter().map(|(cost, _)| *cost));
        let mut busy: f64 = self.costs.iter().map(|cost| cost.share).sum();
        let crowded = busy > WORKER_SHARE_MAX;
        for (Cost { room, share }, load) in &mut rooms {
            let relieve = crowded && busy > WORKER_SHARE_GOAL;
            if let Some(verdict) = load.give_way(*share, relieve) {
                busy -= *share / 2.0;
                self.verdicts.push((*room, verdict));
            }
        }
        // The lightest come back first, one a span.
        for (Cost { room, share }, load) in rooms.iter_mut().rev() {
            if load.may_recover() && busy + *share <= WORKER_SHARE_GOAL {
                load.halvings -= 1;
                load.calm = 0;
                self.verdicts.push((*room, Verdict::Doubled(load.halvings)));
                break;
            }
        }
        (&self.costs, &self.verdicts)
    }
}

impl RoomLoad {
    /// Judges one room by its share; `relieve`: its worker needs relief.
    fn give_way(&mut self, share: f64, relieve: bool) -> Option<Verdict> {
        let light = share < ROOM_SHARE_LOW;
        self.calm = if light { self.calm + 1 } else { 0 };
        let spent = self.halvings >= HALVINGS_MAX;
        let hopeless = spent && share > HOPELESS_SHARE;
        self.hopeless = if hopeless { self.hopeless + 1 } else { 0 };
        if self.hopeless >= HOPELESS_SPANS {
            return Some(Verdict::Hopeless);
        }
        if spent || !(share > ROOM_SHARE_MAX || relieve && share > 0.0) {
            return None;
        }
        self.halvings += 1;
        self.calm = 0;
        Some(Verdict::Halved(self.halvings))
    }

    fn may_recover(&self) -> bool {
        self.halvings > 0 && self.calm >= CALM_SPANS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A worker whose rooms cost what the test says.
    struct Worker {
        load: Load,
        rooms: Vec<RoomLoad>,
        now: Instant,
    }

    impl Worker {
        fn new(rooms: usize) -> Worker {
            let now = Instant::now();
            Worker {
                load: Load::new(now),
                rooms: vec![RoomLoad::default(); rooms],
                now,
            }
        }

        /// A second in which each room takes the given share of its worker at its full snapshot
        /// rate, and less for each halving, as far as snapshots go.
        fn second(&mut self, shares: &[f64]) -> Vec<(u32, Verdict)> {
            self.now += SPAN;
            for (load, share) in self.rooms.iter_mut().zip(shares) {
                let halved = 0.2 + 0.8 / f64::from(1 << load.halvings);
                load.spent += SPAN.mul_f64(share * halved);
            }
            assert!(self.load.is_due(self.now));
            let rooms = self.rooms.iter_mut().enumerate();
            let rooms = rooms.map(|(at, load)| (RoomId(at as u32), load));
            let (_, verdicts) = self.load.rebalance(self.now, rooms);
            verdicts
                .iter()
                .map(|(room, what)| (room.0, *what))
                .collect()
        }

        fn halvings(&self) -> Vec<u8> {
            self.rooms.iter().map(|load| load.halvings).collect()
        }
    }

    #[test]
    fn a_room_over_half_its_period_is_halved_and_comes_back() {
        let mut worker = Worker::new(2);
        assert_eq!(worker.second(&[0.45, 0.1]), []);
        assert_eq!(worker.second(&[0.6, 0.1]), [(0, Verdict::Halved(1))]);
        for _ in 0..20 {
            assert_eq!(worker.second(&[0.6, 0.1]), [], "0.36 is within bounds");
        }
        for second in 1..=5 {
            let expected: &[_] = match second {
                5 => &[(0, Verdict::Doubled(0))],
                _ => &[],
            };
            assert_eq!(worker.second(&[0.3, 0.1]), expected, "second {second}");
        }
        assert_eq!(worker.second(&[0.3, 0.1]), []);
    }

    #[test]
    fn the_heaviest_rooms_of_a_crowded_worker_give_way_first() {
        let mut worker = Worker::new(5);
        let shares = [0.1, 0.3, 0.2, 0.2, 0.15];
        let halved = worker.second(&shares);
        assert_eq!(halved, [(1, Verdict::Halved(1)), (2, Verdict::Halved(1))]);
        // 0.78 is less than what starts it and more than where it ends.
        for _ in 0..30 {
            assert_eq!(worker.second(&shares), []);
        }
        assert_eq!(worker.halvings(), [0, 1, 1, 0, 0]);
    }

    #[test]
    fn the_lightest_come_back_first_one_a_second() {
        let mut worker = Worker::new(3);
        let heavy = [0.45, 0.4, 0.35];
        (0..5).for_each(|_| drop(worker.second(&heavy)));
        let before = worker.halvings();
        assert!(before.iter().all(|halvings| *halvings > 0), "{before:?}");
        let mut back = Vec::new();
        for _ in 0..30 {
            let verdicts = worker.second(&[0.09, 0.06, 0.03]);
            assert!(verdicts.len() <= 1, "{verdicts:?}");
            back.extend(verdicts.iter().map(|(room, _)| *room));
        }
        assert_eq!(worker.halvings(), [0, 0, 0]);
        assert_eq!(back[0], 2);
    }

    #[test]
    fn it_does_not_swing() {
        let mut worker = Worker::new(4);
        let shares = [0.4, 0.3, 0.2, 0.1];
        let changes: usize = (0..300).map(|_| worker.second(&shares).len()).sum();
        assert!(changes <= 4, "{changes} changes under a constant load");
    }

    #[test]
    fn a_hopeless_room_is_closed_after_all_else() {
        let mut worker = Worker::new(1);
        let mut verdicts = Vec::new();
        // What its game alone takes is too much.
        for _ in 0..13 {
            verdicts.extend(worker.second(&[5.0]));
        }
        let last = verdicts.pop();
        assert_eq!(last, Some((0, Verdict::Hopeless)));
        let halved = [1, 2, 3].map(|halvings| (0, Verdict::Halved(halvings)));
        assert_eq!(verdicts, halved);
    }
}
