//! Who moves into a group out of others that the receiver holds: named by their slots alone. They
//! join the baseline; whether they stay is said by what follows.

use super::super::model;
use super::pair::Pair;
use super::{Body, Moves};
use crate::snapshot::image::LayerImage;
use crate::snapshot::range_coder::Coder;

impl Moves<'_> {
    /// Makes `merged` the baseline with those who arrive.
    pub(super) fn join(self, pair: &Pair<'_>, merged: &mut LayerImage) {
        let (from, width) = (pair.from, pair.set.width());
        merged.start_join(from);
        let mut next = 0;
        for (head, row) in self.arrived.iter().zip(self.rows.chunks_exact(width)) {
            next = merged.join_below(from, next, head.slot.into(), width);
            merged.entities.push(*head);
            merged.values.extend_from_slice(row);
        }
        merged.join_below(from, next, u32::MAX, width);
    }
}

impl<C: Coder> Body<'_, C> {
    /// Names them, if this is a group's.
    pub(super) fn arrived(&mut self) {
        let Some(moves) = self.moves.filter(|_| !self.span.is_keyframe()) else {
            return;
        };
        let (mut contexts, mut next_slot) = (model::ARRIVALS, 0);
        let count = moves.arrived.len() as u32;
        self.coder.number(&mut contexts, model::ARRIVED, count);
        for head in moves.arrived {
            let slot = u32::from(head.slot);
            self.coder
                .number(&mut contexts, model::ARRIVED_GAP, slot - next_slot);
            next_slot = slot + 1;
        }
    }
}
