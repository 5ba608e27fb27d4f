//! The others, a little in the past: where between two snapshots the view stands and how values
//! between them are made. Called by native clients; mirrored by
//! `client-web/src/netcode/interpolation.js`; both reproduce `shared/vectors/netcode/interpolation.json`. Not
//! the offset to the server: that is [`super::clock_sync`]; not where somebody is drawn whom the view put elsewhere than the picture: that is [`super::pursuit`].
//!
//! **Delay.** The view means to stand at `server tick - delay`, with [`super::clock_sync::ClockSync::server_tick`] and
//! `delay = min(max(wait, snapshot_every) + MARGIN, DELAY_MAX_MS)` ticks, where `wait` is
//! [`super::clock_sync::ClockSync::wait`], the 95th percentile of what snapshots took: so nineteen of twenty are there [`MARGIN`]
//! ticks before they are needed, whatever jitter there is and however many snapshots the server leaves out.
//!
//! **View.** At every frame, `passed` ticks of local time after the one before, it goes on by
//! `passed + clamp(error * min(passed * GAIN, 1), -SLOW_DOWN * passed, CATCH_UP * passed)`, where `error = server tick - delay - (view + passed)`: it
//! runs up to a quarter faster or an eighth slower than time, never past where it means to stand however late the frame is, and never jumps. Only at the first frame, and when it is more than [`JUMP_MS`] behind
//! (the tab was in the background, the machine slept), it goes where it means to stand at once. It never goes back. Going ahead of the newest snapshot is an *underrun*; frames in a row make one.
//!
//! **Stalls.** The view is never more than [`AHEAD_MAX_MS`] and the *allowance* ahead of the newest snapshot. The allowance is for stalls: while the newest
//! came more than `snapshot_every + 1` ticks ago (as of the frame that it was new in) it is the greater of those ticks and of what it was and `passed`, at most
//! [`STALL_MAX_MS`]; else it shrinks by [`DRAIN`] of `passed`. So the view goes through a stall as if nothing were, everybody as they last moved, and is where it means
//! to stand when the snapshots come, however many of them and whatever pause comes after (the server waits for acknowledgements then). If they come late for good,
//! the view slows down until it is behind them. In 500 ms most go straight on: the yardstick shows them later with every shorter bound.
//!
//! **Pair.** The snapshots around the view are the newest one at or before it and the oldest
//! one after it; `alpha = (view - older) / (newer - older)`. Before the first snapshot it is that one
//! alone. Ahead of the newest it is the last two, and alpha is above 1: everything goes on as it last moved. *Passed* since the frame before are all pairs of neighbours
//! whose newer is after where the view was, or after the newest of then if that was before it, and whose older is not after where it is.
//!
//! **Values.** Of an entity that both snapshots hold (same slot, generation, mask) a `Real` that [`moves`] is
//! `a + (b - a) * alpha`, above alpha 1 within its range; another `Real` and a `Turn`, which goes the short way round, up to alpha 1; of all other kinds it is the
//! older value up to alpha 1, then the newer. If a component *jumped* between them ([`jumps`]: a respawn, a teleport) it is
//! the older value up to alpha 1, then the newer, whatever its kind. An entity that only the older one holds is shown as
//! it was, and one that only the newer one holds not before alpha 1. So things enter and leave where they were at their first and last tick.
//!
//! **Own projectiles.** What the player owns besides the avatar and what flies by a velocity (its `Real` fields have the predictor
//! `Velocity`) is shown on the shooter's time, where the shot's input was made: not at the view but at
//! `min(server tick + lead, view + REWIND_MAX_MS)`, each such field at [`flown`] from the newest snapshot. That is the moment whose targets the
//! server judges it by.

use std::collections::VecDeque;
use std::f64::consts::TAU;

use crate::ids::Tick;
use crate::limits::REWIND_MAX_MS;
use crate::schema::{Field, Kind, Predictor};

/// Snapshots that are kept for the view, at most: half a second at 120 Hz.
pub const HISTORY_MAX: usize = 64;
/// Ticks that a snapshot should be there early: frames and timers are no finer.
pub const MARGIN: f64 = 0.5;
/// The greatest delay, in milliseconds; beyond, waiting for smooth pictures costs more than it gives.
pub const DELAY_MAX_MS: f64 = 500.0;
/// Share of its speed by which the view mends an error of a tick.
pub const GAIN: f64 = 0.125;
/// Share by which the view runs faster than time at most.
pub const CATCH_UP: f64 = 0.25;
/// Share by which it runs slower at most.
pub const SLOW_DOWN: f64 = 0.125;
/// How far behind the view may be before it jumps, in milliseconds: nobody wants a second replayed.
pub const JUMP_MS: f64 = 1_000.0;
/// How far ahead of the newest snapshot the view goes while they come, in milliseconds.
pub const AHEAD_MAX_MS: f64 = 50.0;
/// How much further it goes while none come, in milliseconds: in longer nobody goes straight on.
pub const STALL_MAX_MS: f64 = 500.0;
/// Share of its speed by which a view slows down that is too far ahead of snapshots that come.
pub const DRAIN: f64 = 0.5;
/// A field that changes by more than this share of its range at once did not move: it jumped.
pub const JUMP_SHARE: f64 = 1.0 / 16.0;

/// The last snapshots of something, and where the view stands among them.
#[derive(Clone, Debug)]
pub struct Interpolation<T> {
    ticks_per_ms: f64,
    every: f64,
    delay: f64,
    history: VecDeque<(Tick, T)>,
    view: f64,
    /// Where it stood in the frame before, or the newest snapshot of then.
    seen: f64,
    drawn_us: Option<u64>,
    /// The newest snapshot's tick as of the last frame.
    newest: f64,
    /// Ticks since the frame that it was new in.
    age: f64,
    allowance: f64,
    is_dry: bool,
    underruns: u64,
}

/// Two snapshots and the place between them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair<'a, T> {
    /// The one at or before the view, or the last but one.
    pub older: &'a T,
    /// The one after it, or `older` again where there is no other.
    pub newer: &'a T,
    /// 0 at `older`, 1 at `newer`, above 1 beyond the newest.
    pub alpha: f64,
    /// Ticks between the two.
    pub ticks: u32,
}

impl<T> Interpolation<T> {
    /// For a room of `tick_rate` steps a second that sends a snapshot every `snapshot_every` ticks; 0 counts as 1.
    pub fn new(tick_rate: u16, snapshot_every: u16) -> Interpolation<T> {
        let every = f64::from(snapshot_every.max(1));
        Interpolation {
            ticks_per_ms: f64::from(tick_rate.max(1)) / 1000.0,
            every,
            delay: every + MARGIN,
            history: VecDeque::new(),
            view: 0.0,
            seen: 0.0,
            drawn_us: None,
            newest: 0.0,
            age: 0.0,
            allowance: 0.0,
            is_dry: false,
            underruns: 0,
        }
    }

    /// How far behind the server tick the view means to stand, in ticks.
    pub fn delay(&self) -> f64 {
        self.delay
    }

    /// The tick that is shown, with a fraction.
    pub fn view(&self) -> f64 {
        self.view
    }

    /// How often the view went ahead of the newest snapshot.
    pub fn underruns(&self) -> u64 {
        self.underruns
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

    /// The newest snapshot and its tick.
    pub fn newest(&self) -> Option<(Tick, &T)> {
        self.history.back().map(|(tick, newest)| (*tick, newest))
    }

    /// Moves the view on to the frame at `now_us`, at which the clock says this server tick and wait. Does nothing before the
    /// first snapshot.
    pub fn advance(&mut self, now_us: u64, server_tick: f64, wait: f64) {
        let Some(newest) = self.history.back().map(|(tick, _)| f64::from(tick.0)) else {
            return;
        };
        self.delay = (wait.max(self.every) + MARGIN).min(DELAY_MAX_MS * self.ticks_per_ms);
        let meant = server_tick - self.delay;
        let last = self.drawn_us.replace(now_us);
        let passed = now_us.saturating_sub(last.unwrap_or(now_us)) as f64 / 1000.0;
        let passed = passed * self.ticks_per_ms;
        let error = meant - (self.view + passed);
        let view = if last.is_none() || error > JUMP_MS * self.ticks_per_ms {
            meant
        } else {
            let mended = error * (passed * GAIN).min(1.0);
            self.view + passed + mended.clamp(-SLOW_DOWN * passed, CATCH_UP * passed)
        };
        self.seen = self.view.min(self.newest);
        self.allow(newest, passed);
        let most = newest + AHEAD_MAX_MS * self.ticks_per_ms + self.allowance;
        self.view = view.min(most).max(self.view);
        let is_dry = self.view > newest;
        self.underruns += u64::from(is_dry && !self.is_dry);
        self.is_dry = is_dry;
    }

    fn allow(&mut self, newest: f64, passed: f64) {
        let is_new = newest > self.newest;
        self.newest = newest;
        self.age = if is_new { 0.0 } else { self.age + passed };
        self.allowance = if self.age > self.every + 1.0 {
            let most = STALL_MAX_MS * self.ticks_per_ms;
            (self.allowance + passed).max(self.age).min(most)
        } else {
            (self.allowance - passed * DRAIN).max(0.0)
        };
    }

    /// What the view stands between; `None` without any snapshot.
    pub fn pair(&self) -> Option<Pair<'_, T>> {
        let after = self
            .history
            .partition_point(|(tick, _)| f64::from(tick.0) <= self.view);
        // Ahead of the newest: the last two.
        let after = after.min(self.history.len().saturating_sub(1));
        let newer = self.history.get(after)?;
        let older = self.history.get(after.saturating_sub(1))?;
        Some(self.between(older, newer))
    }

    fn between<'a>(&self, older: &'a (Tick, T), newer: &'a (Tick, T)) -> Pair<'a, T> {
        let ticks = newer.0.since(older.0);
        let alpha = if ticks > 0 {
            (self.view - f64::from(older.0.0)) / f64::from(ticks)
        } else {
            0.0
        };
        Pair {
            older: &older.1,
            newer: &newer.1,
            alpha,
            ticks,
        }
    }

    /// The pairs of neighbours that the view came through since the frame before, oldest first: see the module's description.
    pub fn passed(&self) -> impl Iterator<Item = Pair<'_, T>> {
        self.history
            .iter()
            .zip(self.history.iter().skip(1))
            .filter(|((older, _), (newer, _))| {
                f64::from(newer.0) > self.seen && f64::from(older.0) <= self.view
            })
            .map(|(older, newer)| self.between(older, newer))
    }

    /// How far the view stands behind the newest snapshot, in 1/64 ticks: an input's
    /// `view_lag`. Below 0 ahead of it.
    pub fn view_lag(&self) -> i16 {
        let newest = self
            .history
            .back()
            .map_or(self.view, |(tick, _)| f64::from(tick.0));
        ((newest - self.view) * 64.0 + 0.5).floor() as i16
    }

    /// The tick that the player's own projectiles are shown at, `input_tick` being the server tick and the lead.
    pub fn own_tick(&self, input_tick: f64) -> f64 {
        input_tick.min(self.view + f64::from(REWIND_MAX_MS) * self.ticks_per_ms)
    }
}

/// The value between two of a field that did not jump: see the module's description.
pub fn blend(kind: &Kind, older: f64, newer: f64, alpha: f64) -> f64 {
    match kind {
        Kind::Real { min, max, .. } => {
            let value = older + (newer - older) * alpha;
            if alpha > 1.0 {
                value.max(*min).min(*max)
            } else {
                value
            }
        }
        Kind::Turn { .. } => {
            let turns = (newer - older) / TAU;
            let short = turns - (turns + 0.5).floor();
            older + short * TAU * alpha.min(1.0)
        }
        _ if alpha < 1.0 => older,
        _ => newer,
    }
}

/// Whether a field is a place, which goes on: a `Real` with the predictor `Linear` or `Velocity`.
pub fn moves(field: &Field) -> bool {
    let goes_on = matches!(
        field.predictor,
        Predictor::Linear | Predictor::Velocity { .. }
    );
    goes_on && matches!(field.kind, Kind::Real { .. })
}

/// Whether a field jumped between two values: it [`moves`] and changed by more than
/// [`JUMP_SHARE`] of its range and `free`, which is what its component's top speed ([`super::pursuit::TopSpeed`]) explains over the ticks from the one
/// to the other but for the last: 0 for neighbours. A component jumped if any of its fields did.
pub fn jumps(field: &Field, older: f64, newer: f64, free: f64) -> bool {
    match field.kind {
        Kind::Real { min, max, .. } if moves(field) => {
            (newer - older).abs() > (max - min) * JUMP_SHARE + free
        }
        _ => false,
    }
}

/// Where a `Real` field with the predictor `Velocity` is `ticks` after it had `value`, while `velocity` was the value of the field
/// `by` that it goes on by: `value + velocity / by's step * num / den * own step * ticks`. `None` for any other
/// predictor or kind.
pub fn flown(field: &Field, by: &Field, value: f64, velocity: f64, ticks: f64) -> Option<f64> {
    let Predictor::Velocity { num, den, .. } = field.predictor else {
        return None;
    };
    let (Kind::Real { step, .. }, Kind::Real { step: of, .. }) = (&field.kind, &by.kind) else {
        return None;
    };
    Some(value + velocity / of * f64::from(num) / f64::from(den) * step * ticks)
}

#[cfg(test)]
mod tests;
