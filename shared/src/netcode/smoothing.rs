//! Errors of the own entity's prediction, kept out of the picture: the state is corrected at once, what is drawn follows. Called by native
//! clients beside [`super::prediction`]; mirrored by `client-web/src/netcode/smoothing.js`; both reproduce
//! `shared/vectors/netcode/smoothing.json`. Not for others: those are interpolated.
//!
//! **Correct.** When a snapshot replaces the predicted state of some tick (`before`) by another of the same tick
//! (`after`), `before - after` is added to the offset at which the entity is drawn. If the component jumped
//! ([`super::interpolation::jumps`], one tick: a teleport, a respawn) the offset becomes 0 instead: that shows at once.
//!
//! **Fade.** The offset shrinks by the factor e in every [`SMOOTH_MS`]: at each frame it is multiplied by
//! `exp(-passed / SMOOTH_MS)`. After 300 ms a twentieth is left; a part below [`GRAIN`] is 0.

/// Milliseconds in which an error shrinks by the factor e: most of it is gone in the time of a
/// glance, and what is left of a tick's movement never looks like a stop.
pub const SMOOTH_MS: f64 = 100.0;
/// Offsets below it are none, in units.
pub const GRAIN: f64 = 1e-4;

/// See the module's description. `N` fields.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Smoothing<const N: usize> {
    offset: [f64; N],
    faded_us: u64,
}

impl<const N: usize> Default for Smoothing<N> {
    fn default() -> Self {
        Smoothing {
            offset: [0.0; N],
            faded_us: 0,
        }
    }
}

impl<const N: usize> Smoothing<N> {
    /// A state was replaced by another of the same tick.
    pub fn correct(&mut self, before: [f64; N], after: [f64; N], jumped: bool) {
        self.offset = if jumped {
            [0.0; N]
        } else {
            std::array::from_fn(|axis| self.offset[axis] + (before[axis] - after[axis]))
        };
    }

    /// What is to be added to the state at the frame at `now_us`.
    pub fn fade(&mut self, now_us: u64) -> [f64; N] {
        let passed_ms = now_us.saturating_sub(self.faded_us) as f64 / 1000.0;
        let keep = (-passed_ms / SMOOTH_MS).exp();
        self.faded_us = now_us;
        self.offset = self.offset.map(|axis| {
            let axis = axis * keep;
            if axis.abs() < GRAIN { 0.0 } else { axis }
        });
        self.offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_fades_and_a_teleport_shows_at_once() {
        let mut own = Smoothing::default();
        assert_eq!(own.fade(1_000_000), [0.0]);
        own.correct([3.0], [1.0], false);
        assert_eq!(own.fade(1_000_000), [2.0]);
        assert!((own.fade(1_100_000)[0] - 2.0 / std::f64::consts::E).abs() < 1e-12);
        own.correct([1.0], [1.5], false);
        assert!(own.fade(1_400_000)[0].abs() < 0.02);
        assert_eq!(own.fade(3_000_000), [0.0]);
        own.correct([3.0], [1.0], false);
        own.correct([300.0], [1.0], true);
        assert_eq!(own.fade(3_000_000), [0.0]);
    }
}
