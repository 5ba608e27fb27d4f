//! The others, a little in the past: where between two snapshots the view stands and how values
//! between them are made. Called by native clients; mirrored by
//! `client-web/src/netcode/interpolation.js`. Not the offset to the server: that is
//! [`super::clock_sync`].
//!
//! **Delay.** The view stands at `server tick - delay`, with the server tick of
//! [`super::clock_sync::ClockSync::server_tick`] and the fixed delay
//! `snapshot_every * 1.5 + 0.5` ticks: the younger snapshot of the pair is there even when it
//! comes half an interval late. The view never goes back, and never ahead of the newest snapshot.
//!
//! **Pair.** The snapshots around the view are the newest one at or before it and the oldest
//! one after it; `alpha = (view - older) / (newer - older)`. Before the first snapshot and after
//! the last one it is that snapshot alone.
//!
//! **Values.** Of an entity that both snapshots hold (same slot, generation, mask) a `Real` is
//! `a + (b - a) * alpha` and a `Turn` goes the short way round; of all other kinds the
//! older value stays. An entity that only the older one holds is shown as it was, one that only the
//! newer one holds not yet.

use std::collections::VecDeque;
use std::f64::consts::TAU;

use crate::ids::Tick;
use crate::schema::Kind;

/// Snapshots that are kept for the view, at most: a second at 30 Hz.
pub const HISTORY_MAX: usize = 32;

/// The last snapshots of something, and where the view stands among them.
#[derive(Clone, Debug)]
pub struct Interpolation<T> {
    delay: f64,
    history: VecDeque<(Tick, T)>,
    view: f64,
}

/// Two snapshots and the place between them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair<'a, T> {
    /// The one at or before the view.
    pub older: &'a T,
    /// The one after it, or `older` again at the ends.
    pub newer: &'a T,
    /// 0 at `older`, towards 1 at `newer`.
    pub alpha: f64,
}

impl<T> Interpolation<T> {
    /// For a room that sends a snapshot every `snapshot_every` ticks.
    pub fn new(snapshot_every: u16) -> Interpolation<T> {
        Interpolation {
            delay: f64::from(snapshot_every.max(1)) * 1.5 + 0.5,
            history: VecDeque::new(),
            view: 0.0,
        }
    }

    /// How far behind the server tick the view stands, in ticks.
    pub fn delay(&self) -> f64 {
        self.delay
    }

    /// Takes a snapshot in; one that is not newer than the last is dropped. Beyond
    /// [`HISTORY_MAX`] the oldest goes.
    pub fn push(&mut self, tick: Tick, snapshot: T) {
        if self.history.back().is_some_and(|(last, _)| *last >= tick) {
            return;
        }
        if self.history.len() == HISTORY_MAX {
            self.history.pop_front();
        }
        self.history.push_back((tick, snapshot));
    }

    /// Moves the view to what it shows at this server tick, and says where that is.
    pub fn advance(&mut self, server_tick: f64) -> f64 {
        let newest = self
            .history
            .back()
            .map_or(0.0, |(tick, _)| f64::from(tick.0));
        self.view = (server_tick - self.delay).min(newest).max(self.view);
        self.view
    }

    /// What the view stands between; `None` without any snapshot.
    pub fn pair(&self) -> Option<Pair<'_, T>> {
        let after = self
            .history
            .partition_point(|(tick, _)| f64::from(tick.0) <= self.view);
        let (older_tick, older) = self.history.get(after.saturating_sub(1))?;
        let (newer_tick, newer) = match self.history.get(after) {
            Some((tick, snapshot)) => (tick, snapshot),
            None => (older_tick, older),
        };
        let span = f64::from(newer_tick.0) - f64::from(older_tick.0);
        let alpha = if span > 0.0 {
            (self.view - f64::from(older_tick.0)) / span
        } else {
            0.0
        };
        Some(Pair {
            older,
            newer,
            alpha,
        })
    }

    /// How far the view stands behind the newest snapshot, in 1/64 ticks: an input's
    /// `view_lag`.
    pub fn view_lag(&self) -> u16 {
        let newest = self
            .history
            .back()
            .map_or(self.view, |(tick, _)| f64::from(tick.0));
        ((newest - self.view) * 64.0 + 0.5) as u16
    }
}

/// The value between two of a field: see the module's description.
pub fn blend(kind: &Kind, older: f64, newer: f64, alpha: f64) -> f64 {
    match kind {
        Kind::Real { .. } => older + (newer - older) * alpha,
        Kind::Turn { .. } => {
            let turns = (newer - older) / TAU;
            let short = turns - (turns + 0.5).floor();
            older + short * TAU * alpha
        }
        _ => older,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REAL: Kind = Kind::Real {
        min: 0.0,
        max: 100.0,
        step: 0.01,
    };

    fn pair_at(history: &Interpolation<u32>) -> (u32, u32, f64) {
        let pair = history.pair().expect("there are snapshots");
        (*pair.older, *pair.newer, pair.alpha)
    }

    #[test]
    fn the_view_stands_between_the_snapshots_around_it() {
        let mut history = Interpolation::new(1);
        assert_eq!(history.pair(), None);
        for tick in [10, 11, 12, 14] {
            history.push(Tick(tick), tick);
        }
        assert_eq!(history.delay(), 2.0);
        history.advance(11.0);
        assert_eq!(pair_at(&history), (10, 10, 0.0));
        history.advance(13.25);
        assert_eq!(pair_at(&history), (11, 12, 0.25));
        assert_eq!(history.view_lag(), 176);
        history.advance(15.0);
        assert_eq!(pair_at(&history), (12, 14, 0.5));
    }

    #[test]
    fn the_view_neither_goes_back_nor_ahead_of_what_is_known() {
        let mut history = Interpolation::new(2);
        history.push(Tick(10), 10);
        history.push(Tick(12), 12);
        assert_eq!(history.advance(15.0), 11.5);
        assert_eq!(history.advance(14.0), 11.5);
        assert_eq!(history.advance(40.0), 12.0);
        assert_eq!(pair_at(&history), (12, 12, 0.0));
        assert_eq!(history.view_lag(), 0);
    }

    #[test]
    fn the_history_is_bounded_and_rises() {
        let mut history = Interpolation::new(1);
        for tick in 0..100 {
            history.push(Tick(tick), tick);
            history.push(Tick(tick), 1_000);
        }
        assert_eq!(history.history.len(), HISTORY_MAX);
        history.advance(0.0);
        assert_eq!(pair_at(&history), (68, 68, 0.0));
    }

    #[test]
    fn values_blend_by_their_kind() {
        assert_eq!(blend(&REAL, 10.0, 20.0, 0.25), 12.5);
        assert_eq!(blend(&Kind::Bool, 0.0, 1.0, 0.75), 0.0);
        let turn = Kind::Turn { steps: 256 };
        let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(near(blend(&turn, 0.0, 1.0, 0.5), 0.5));
        assert!(near(blend(&turn, 0.1, TAU - 0.1, 0.5), 0.0));
        assert!(near(blend(&turn, TAU - 0.1, 0.1, 0.5), TAU));
    }
}
