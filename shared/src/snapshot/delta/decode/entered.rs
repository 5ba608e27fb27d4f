//! What a body says of an entering entity: its head and its row. Who enters where is the parent's.

use super::super::{Span, components, entering, model};
use super::Body;
use crate::snapshot::column_set::{Column, Guess};
use crate::snapshot::image::{EntityHead, LayerImage};
use crate::snapshot::predictor::{add, follow};
use crate::snapshot::{DecodeError, unzigzag};

impl Body<'_> {
    /// Reads one that enters in a slot, and appends it.
    pub(super) fn entered(
        &mut self,
        span: Span,
        slot: u16,
        next: &mut LayerImage,
    ) -> Result<(), DecodeError> {
        let short = |value: u32| u16::try_from(value).map_err(|_| DecodeError::OutOfRange);
        let generation = short(self.coder.number(self.model, model::GENERATION)?)?;
        let owner = short(self.coder.number(self.model, model::OWNER)?)?;
        let mut mask = 0;
        for number in 0..self.set.components.len() {
            let context = model::present(number);
            mask |= u32::from(self.coder.bit(self.model, context)) << number;
        }
        next.entities.push(EntityHead {
            slot,
            generation,
            owner,
            mask,
        });
        let start = next.values.len();
        next.values.resize(start + self.set.width(), 0);
        let row = &mut next.values[start..];
        for (_, component) in components(self.set, mask) {
            let mut change_before = 0;
            for index in component.start..component.end {
                row[index] = self.entered_value(span, index, row, change_before)?;
                if self.set.columns[index].guess == Guess::Change {
                    change_before = row[index];
                }
            }
        }
        self.coder.check()
    }

    fn entered_value(
        &mut self,
        span: Span,
        index: usize,
        row: &[i32],
        change_before: i32,
    ) -> Result<i32, DecodeError> {
        let column = &self.set.columns[index];
        // Who comes into a group may have been elsewhere in the image before.
        let is_new = span.steady() && !self.is_group;
        match column.guess {
            Guess::Change | Guess::Bend if is_new => Ok(0),
            Guess::Change => self.entered_change(column, change_before),
            Guess::Bend if span.is_keyframe() => Ok(0),
            Guess::Bend => {
                let contexts = model::entering_second_diff(column);
                self.coder.number(self.model, contexts).map(unzigzag)
            }
            guess => match follow(guess, row, span.gap).filter(|_| !is_new) {
                Some(guess) => {
                    let contexts = model::size(column);
                    let residual = unzigzag(self.coder.number(self.model, contexts)?);
                    Ok(add(column, guess, residual))
                }
                None => {
                    let (at, top) = (column.entering, entering::top_bits(column));
                    let value = self.coder.digits(self.model, at, column.bits, top);
                    if value > column.q_max {
                        return Err(DecodeError::OutOfRange);
                    }
                    Ok(value as i32)
                }
            },
        }
    }

    fn entered_change(&mut self, column: &Column, before: i32) -> Result<i32, DecodeError> {
        let contexts = entering::length(column, before);
        let length = self.coder.unary(self.model, contexts)?;
        if length == 0 {
            return Ok(0);
        }
        // One of 32 bits has no size of as many.
        if length == u32::BITS {
            return Err(DecodeError::OutOfRange);
        }
        let (at, modelled) = entering::size(column, length);
        let below = self.coder.digits(self.model, at, length, modelled);
        let size = ((1 << length | below) - 1) as i32;
        let negative = self.coder.raw(1) == 1;
        Ok(if negative { size.wrapping_neg() } else { size })
    }
}
