//! What a body says of entering entities, each with its head and its row. [`super::Body`] calls it
//! between who was removed and what was kept.

use super::super::{components, entering, model};
use super::Body;
use crate::snapshot::column_set::{Column, Guess};
use crate::snapshot::image::LayerView;
use crate::snapshot::predictor::{difference, follow};
use crate::snapshot::range_coder::Coder;
use crate::snapshot::zigzag;

impl<C: Coder> Body<'_, C> {
    pub(super) fn entered(&mut self, current: LayerView<'_>, entered: &[u32]) {
        self.coder
            .number(self.model, model::ENTERED, entered.len() as u32);
        if entered.is_empty() {
            return;
        }
        self.model
            .extend_from_slice(&self.set.prior[self.set.entering..]);
        let mut next_slot = 0;
        for &index in entered {
            let head = current.entities[index as usize];
            let row = current.row(index as usize, self.set.width());
            self.coder.number(
                self.model,
                model::SLOT_GAP,
                u32::from(head.slot) - next_slot,
            );
            next_slot = u32::from(head.slot) + 1;
            self.coder
                .number(self.model, model::GENERATION, u32::from(head.generation));
            self.coder
                .number(self.model, model::OWNER, u32::from(head.owner));
            for number in 0..self.set.components.len() {
                let context = model::present(number);
                self.coder
                    .bit(self.model, context, head.mask >> number & 1 != 0);
            }
            self.entered_row(head.mask, row);
        }
    }

    fn entered_row(&mut self, mask: u32, row: &[i32]) {
        // Who comes into a group may have been elsewhere in the image before.
        let steady = self.span.steady() && self.moves.is_none();
        for (_, component) in components(self.set, mask) {
            let mut change_before = 0;
            for index in component.start..component.end {
                let column = &self.set.columns[index];
                match column.guess {
                    Guess::Change | Guess::Bend if steady => debug_assert_eq!(row[index], 0),
                    Guess::Change => {
                        self.entered_change(column, change_before, row[index]);
                        change_before = row[index];
                    }
                    Guess::Bend if self.span.is_keyframe() => {}
                    Guess::Bend => {
                        let contexts = model::entering_second_diff(column);
                        self.coder.number(self.model, contexts, zigzag(row[index]));
                    }
                    guess => match follow(guess, row, self.span.gap).filter(|_| !steady) {
                        Some(guess) => {
                            let residual = difference(column, row[index], guess);
                            let contexts = model::size(column);
                            self.coder.number(self.model, contexts, zigzag(residual));
                        }
                        None => {
                            let top = entering::top_bits(column);
                            let (at, value) = (column.entering, row[index] as u32);
                            self.coder.digits(self.model, at, value, column.bits, top);
                        }
                    },
                }
            }
        }
    }

    fn entered_change(&mut self, column: &Column, before: i32, change: i32) {
        let size = change.unsigned_abs() + 1;
        let length = size.ilog2();
        let contexts = entering::length(column, before);
        self.coder.unary(self.model, contexts, length);
        if length > 0 {
            let (at, modelled) = entering::size(column, length);
            self.coder.digits(self.model, at, size, length, modelled);
            self.coder.raw(u32::from(change < 0), 1);
        }
    }
}
