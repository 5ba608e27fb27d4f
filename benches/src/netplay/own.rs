//! The own entity: predicted by the arena's rule, reconciled, smoothed. And the judge of it: how
//! wrong the predictions were.

use tickwire::ids::Tick;
use tickwire::netcode::interpolation::jumps;
use tickwire::netcode::prediction::{Prediction, Verdict};
use tickwire::netcode::smoothing::Smoothing;
use tickwire::schema::Field;
use tickwire_arena::{Control, Mover, step};

use super::run::TICK_RATE;

/// A correction of the newest state that can be seen, in units: more than a pixel of the demo.
const VISIBLE: f64 = 0.1;
/// Ticks after a fall or a rise for which errors don't count: nobody can predict being hit.
const UNREST: u32 = TICK_RATE as u32;

/// What the rule knows of a player.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Me {
    pub(super) mover: Mover,
    pub(super) is_up: bool,
}

/// See the module's description.
pub(super) struct Own {
    prediction: Prediction<Control, Me>,
    smoothing: Smoothing<2>,
    fields: [Field; 2],
    unrest: Tick,
    /// Distances between what was predicted of a tick and what came, in units.
    pub(super) errors: Vec<f64>,
    /// Corrections that could be seen.
    pub(super) corrections: u64,
}

fn rule(me: &mut Me, control: &Control) {
    if me.is_up {
        step(&mut me.mover, control, 1.0 / f64::from(TICK_RATE));
    }
}

fn apart(a: &Me, b: &Me) -> f64 {
    (a.mover.x - b.mover.x).hypot(a.mover.y - b.mover.y)
}

impl Own {
    pub(super) fn new(fields: [Field; 2]) -> Own {
        Own {
            prediction: Prediction::new(),
            smoothing: Smoothing::default(),
            fields,
            unrest: Tick(0),
            errors: Vec::new(),
            corrections: 0,
        }
    }

    pub(super) fn state(&self) -> Option<&Me> {
        self.prediction.state()
    }

    /// Forgets what was counted.
    pub(super) fn reset(&mut self) {
        self.errors.clear();
        self.corrections = 0;
    }

    /// The input of a tick was sent.
    pub(super) fn on_input(&mut self, tick: Tick, control: Control) {
        self.prediction.step(tick, control, rule);
    }

    /// The server's state after `tick`.
    pub(super) fn on_snapshot(&mut self, tick: Tick, server: Me) {
        let before = self.prediction.state().copied();
        if !server.is_up || before.is_none_or(|before| !before.is_up) {
            self.unrest = tick;
        }
        let verdict = self.prediction.reconcile(tick, server, rule);
        if let (Some(before), Some(after)) = (before, self.prediction.state().copied())
            && self.prediction.pending() > 0
        {
            self.correct(tick, &before, &after);
        }
        if tick.since(self.unrest) <= UNREST {
            return;
        }
        match verdict {
            Verdict::Unknown => {}
            Verdict::Exact => self.errors.push(0.0),
            Verdict::Off { predicted } => self.errors.push(apart(&predicted, &server)),
        }
    }

    fn correct(&mut self, tick: Tick, before: &Me, after: &Me) {
        let from = [before.mover.x, before.mover.y];
        let to = [after.mover.x, after.mover.y];
        let leaps = (0..2).any(|axis| jumps(&self.fields[axis], from[axis], to[axis], 0.0));
        self.smoothing.correct(from, to, leaps);
        let counts = tick.since(self.unrest) > UNREST && apart(before, after) >= VISIBLE;
        self.corrections += u64::from(counts);
    }

    /// Where it is drawn at a frame, but for what lies between two ticks.
    pub(super) fn draw(&mut self, now_us: u64) -> Option<[f64; 2]> {
        let [x, y] = self.smoothing.fade(now_us);
        let mover = self.prediction.state()?.mover;
        Some([mover.x + x, mover.y + y])
    }
}
