//! A recording in memory.

use super::state::State;

/// States of some entities at consecutive ticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tape {
    entities: usize,
    /// Tick by tick.
    states: Vec<State>,
}

impl Tape {
    /// An empty one.
    pub fn new(entities: usize) -> Tape {
        Tape {
            entities,
            states: Vec::new(),
        }
    }

    /// Entities.
    pub fn entities(&self) -> usize {
        self.entities
    }

    /// Ticks.
    pub fn ticks(&self) -> usize {
        self.states.len() / self.entities.max(1)
    }

    /// All entities at a tick, from 0.
    pub fn at(&self, tick: usize) -> &[State] {
        &self.states[tick * self.entities..(tick + 1) * self.entities]
    }

    /// Entities that are elsewhere than a tick before, over all ticks.
    pub fn moves(&self) -> usize {
        (1..self.ticks())
            .map(|tick| {
                let pairs = self.at(tick).iter().zip(self.at(tick - 1));
                pairs.filter(|(now, before)| now.moved_from(before)).count()
            })
            .sum()
    }

    /// Appends a tick.
    ///
    /// # Panics
    /// On another number of entities.
    pub fn push(&mut self, states: &[State]) {
        assert_eq!(states.len(), self.entities);
        self.states.extend_from_slice(states);
    }
}
