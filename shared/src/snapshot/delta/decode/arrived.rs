//! Who moves into a group out of others that are held: named by their slots alone, because the
//! receiver has them. They join the baseline; whether they stay is said by what follows.

use super::super::{Span, model};
use super::{Body, Source};
use crate::limits::ENTITIES_MAX;
use crate::snapshot::DecodeError;
use crate::snapshot::image::{EntityHead, LayerImage};

impl Body<'_> {
    /// Reads them, and makes `merged` the baseline with them; false if there are none.
    pub(super) fn arrived(
        &mut self,
        span: Span,
        source: &Source<'_>,
        merged: &mut LayerImage,
    ) -> Result<bool, DecodeError> {
        if !self.is_group || span.is_keyframe() {
            return Ok(false);
        }
        let mut contexts = model::ARRIVALS;
        let count = self.coder.number(&mut contexts, model::ARRIVED)? as usize;
        if count == 0 {
            return Ok(false);
        }
        if self.from.entities.len() + count > ENTITIES_MAX {
            return Err(DecodeError::OutOfRange);
        }
        let (from, width) = (self.from, self.set.width());
        merged.start_join(from);
        let (mut next, mut next_slot) = (0, 0u32);
        for _ in 0..count {
            let slot = next_slot
                .checked_add(self.coder.number(&mut contexts, model::ARRIVED_GAP)?)
                .filter(|&slot| slot < u32::from(u16::MAX))
                .ok_or(DecodeError::OutOfRange)?;
            next_slot = slot + 1;
            next = merged.join_below(from, next, slot, width);
            let is_here = |head: &EntityHead| u32::from(head.slot) == slot;
            if from.entities.get(next).is_some_and(is_here) {
                return Err(DecodeError::NotHeld);
            }
            let (head, row) = source(slot as u16).ok_or(DecodeError::NotHeld)?;
            merged.entities.push(head);
            merged.values.extend_from_slice(row);
        }
        merged.join_below(from, next, u32::MAX, width);
        Ok(true)
    }
}
