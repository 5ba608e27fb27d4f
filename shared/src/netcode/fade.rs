//! What others were drawn at wrongly, because the view went ahead of the newest snapshot and they did not go straight on: the picture stays where
//! it is and closes in. One for each component that was extrapolated. Called by native clients; mirrored by
//! `client-web/src/netcode/fade.js`; both reproduce `shared/vectors/netcode/fade.json`. Not the own entity's errors: those are
//! [`super::smoothing`]'s.
//!
//! **Start.** When a snapshot comes while the view is ahead of the newest one, then before it is taken in, a component's place as drawn at the view
//! (extrapolated, with what it has of an offset) is noted; afterwards it is `drawn - now`, `now` being its place at the same view by the
//! new pair, that becomes the offset. If the component jumped ([`super::interpolation::jumps`]) there is none. `speed` is the greater of the
//! lengths of its changes a tick in the old and the new pair.
//!
//! **Advance.** The offset's length L shrinks by [`FADE`] of `speed` for every tick that the view moves:
//! the offset is multiplied by `max(0, 1 - FADE * speed * ticks / L)`. So what is drawn never moves faster than the view's
//! [`super::interpolation::CATCH_UP`] and this together allow: `(1 + CATCH_UP) * (1 + FADE)`, one and a half times as fast as the entity did. Places are added up over the
//! component's `Real` fields that have a predictor other than `Hold`.

/// Share of its own speed by which an entity is moved to where it should be.
pub const FADE: f64 = 0.2;

/// See the module's description. `N` fields.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fade<const N: usize> {
    offset: [f64; N],
    speed: f64,
}

impl<const N: usize> Default for Fade<N> {
    fn default() -> Self {
        Fade {
            offset: [0.0; N],
            speed: 0.0,
        }
    }
}

impl<const N: usize> Fade<N> {
    /// What is to be added to the place by the newest pair.
    pub fn offset(&self) -> [f64; N] {
        self.offset
    }

    /// The new pair puts it at `now`, it was `drawn` elsewhere; `speed` in units a tick.
    pub fn start(&mut self, drawn: [f64; N], now: [f64; N], speed: f64) {
        self.offset = std::array::from_fn(|axis| drawn[axis] - now[axis]);
        self.speed = speed;
    }

    /// The view moved on by `ticks`.
    pub fn advance(&mut self, ticks: f64) {
        let long = length(&self.offset);
        let keep = if long > 0.0 {
            (1.0 - FADE * self.speed * ticks / long).max(0.0)
        } else {
            0.0
        };
        self.offset = self.offset.map(|axis| axis * keep);
    }
}

/// Length of a change, summed up in the order of the fields.
pub fn length<const N: usize>(change: &[f64; N]) -> f64 {
    let mut sum = 0.0;
    for axis in change {
        sum += axis * axis;
    }
    sum.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_stays_and_closes_in_at_a_fifth_of_the_speed() {
        let mut fade = Fade::default();
        fade.start([13.0, 4.0], [10.0, 0.0], 2.0);
        assert_eq!(fade.offset(), [3.0, 4.0]);
        fade.advance(2.5);
        assert!((length(&fade.offset()) - 4.0).abs() < 1e-12);
        fade.advance(10.0);
        assert_eq!(fade.offset(), [0.0, 0.0]);
        fade.advance(1.0);
        assert_eq!(fade.offset(), [0.0, 0.0]);
    }
}
