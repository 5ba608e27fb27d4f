//! The cards that nobody holds: the stock to draw from and the pile that is played on. Nothing
//! of it is replicated but the pile's top and the stock's height, which `table` has.

use bevy_ecs::prelude::*;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

/// Suits by their number.
pub(crate) const SUITS: [&str; 4] = ["clubs", "diamonds", "hearts", "spades"];
/// Ranks by their number.
pub(crate) const RANKS: [&str; 13] = [
    "A", "2", "3", "4", "5", "6", "7", "8", "9", "10", "J", "Q", "K",
];
/// The rank that fits always.
pub(crate) const EIGHT: u8 = 7;

/// One card.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Card {
    /// Index in [`RANKS`].
    pub(crate) rank: u8,
    /// Index in [`SUITS`].
    pub(crate) suit: u8,
}

/// See the module's description.
#[derive(Resource, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Deck {
    /// The last is drawn first.
    stock: Vec<Card>,
    /// The last is the top.
    pile: Vec<Card>,
}

impl Deck {
    /// All 52 cards, shuffled, in the stock.
    pub(crate) fn shuffled(rng: &mut ChaCha8Rng) -> Deck {
        let suits = 0..SUITS.len() as u8;
        let mut stock: Vec<Card> = suits
            .flat_map(|suit| (0..RANKS.len() as u8).map(move |rank| Card { rank, suit }))
            .collect();
        stock.shuffle(rng);
        Deck {
            stock,
            pile: Vec::new(),
        }
    }

    /// Draws a card. An empty stock is made anew from the pile, all but its top; `None` if that
    /// gives none either.
    pub(crate) fn draw(&mut self, rng: &mut ChaCha8Rng) -> Option<Card> {
        if self.stock.is_empty() && self.pile.len() > 1 {
            let below_top = self.pile.len() - 1;
            self.stock.extend(self.pile.drain(..below_top));
            self.stock.shuffle(rng);
        }
        self.stock.pop()
    }

    /// Puts a card on top of the pile.
    pub(crate) fn play(&mut self, card: Card) {
        self.pile.push(card);
    }

    /// Puts a card under the stock.
    pub(crate) fn bury(&mut self, card: Card) {
        self.stock.insert(0, card);
    }

    /// Cards left to draw before the pile is turned over.
    pub(crate) fn height(&self) -> u8 {
        self.stock.len() as u8
    }

    /// Cards in stock and pile.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.stock.len() + self.pile.len()
    }
}
