//! The stock input of games whose players push something about: two axes, as arrow keys or a
//! stick give them. A game chooses it with `type Input = Axes` and declares it with
//! [`Schema::axes`]; the page's `input` returns `{ dx, dy }`.

use super::Game;
use super::schema::Schema;
use super::spec::range;

/// Distance between neighbouring values of an axis: a power of two, so that -1, 0 and 1 are
/// exact on both ends.
const STEP: f64 = 1.0 / 64.0;

/// Where a player pushes. The length may exceed 1: both axes of a square's corner are 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Axes {
    /// Left and right, -1..=1 in steps of 1/64.
    pub dx: f64,
    /// Up and down, -1..=1 in steps of 1/64.
    pub dy: f64,
}

impl<G: Game<Input = Axes>> Schema<G> {
    /// Declares the stock input, as fields `dx` and `dy`.
    pub fn axes(&mut self) -> &mut Self {
        self.input(|k| {
            k.field("dx", |i| &mut i.dx, range(-1.0, 1.0).step(STEP))
                .field("dy", |i| &mut i.dy, range(-1.0, 1.0).step(STEP))
        })
    }
}
