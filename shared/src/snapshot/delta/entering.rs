//! What the columns of entering entities are coded by (`PROTOCOL.md` §7): contexts of their own,
//! behind all others in a body's list, because most bodies bring nobody and need no copy of them. A
//! value's highest bits each by those before them, so that what is common costs little; a change by
//! the size of the one before it, because who is fast along one axis is less so along the other.
//! Called by `encode`, `decode` and, for the places, `layout`.

use super::model::{Number, WIDE};
use crate::snapshot::column_set::{Column, Guess};

/// Values of up to so many bits have contexts for all of them.
const NARROW_BITS: u32 = 7;
/// How many bits of a wider value have them.
const TOP_BITS: u32 = 5;
/// A value of so many bits is a text, a handle or a stamp, whose highest ones tell nothing.
const ALL_BITS: u32 = 32;

/// Bits of a change's size, below its highest one, that have contexts.
const SIZE_BITS: u32 = 3;
/// Contexts of these, for a size of one length: one for each way to begin.
const SIZE_CONTEXTS: usize = (1 << SIZE_BITS) - 1;
/// Lengths of sizes that are told apart; longer ones are alike.
const LENGTHS: usize = WIDE;

/// Classes of the change before, by its bits.
const PACES: usize = 6;
/// Bits of the first class; each of the others has one more, the last one all from there on.
const PACE_BITS: u32 = 5;

/// How many of its highest bits, of those of a value of this column, have contexts.
pub(super) fn top_bits(column: &Column) -> u32 {
    match column.guess {
        Guess::Bearing { .. } | Guess::Rate { .. } | Guess::Change | Guess::Bend => 0,
        _ if column.bits <= NARROW_BITS => column.bits,
        _ if column.bits < ALL_BITS => TOP_BITS,
        _ => 0,
    }
}

/// Contexts of a column.
pub(crate) fn contexts(column: &Column) -> usize {
    match column.guess {
        Guess::Change => PACES * WIDE + LENGTHS * SIZE_CONTEXTS,
        _ => (1 << top_bits(column)) - 1,
    }
}

/// How long a change's size is, by the change before it of the same component, 0 for the first
/// one's.
pub(super) fn length(column: &Column, before: i32) -> Number {
    let bits = u32::BITS - before.unsigned_abs().leading_zeros();
    let pace = bits.saturating_sub(PACE_BITS).min(PACES as u32 - 1);
    (column.entering + pace as usize * WIDE, WIDE)
}

/// The bits of a size of this length, above 0, below its highest one: place of the contexts, and
/// how many bits have them.
pub(super) fn size(column: &Column, length: u32) -> (usize, u32) {
    let alike = (length as usize).min(LENGTHS) - 1;
    let at = column.entering + PACES * WIDE + alike * SIZE_CONTEXTS;
    (at, length.min(SIZE_BITS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Audience, Component, Field, Kind, Predicted, Predictor, Schema, Tables};
    use crate::snapshot::layout::Layout;

    #[test]
    fn every_way_to_code_has_its_own_contexts() {
        let field = |name: &str, most, predictor| Field {
            name: name.to_owned(),
            kind: Kind::Int { min: 0, max: most },
            predictor,
        };
        let schema = Schema {
            components: vec![Component {
                name: "body".to_owned(),
                audience: Audience::Everyone,
                predicted: Predicted::No,
                fields: vec![
                    field("x", 1_000_000, Predictor::Linear),
                    field("hp", 100, Predictor::Hold),
                ],
            }],
            ..Schema::default()
        };
        let layout = Layout::new(&schema, &Tables::default());
        let set = layout.expect("the schema is sound").room;
        let [value, change, second_diff, health] = &set.columns[..] else {
            panic!("a linear field and another");
        };
        assert_eq!(
            [value, change, second_diff, health].map(top_bits),
            [TOP_BITS, 0, 0, 7]
        );
        assert_eq!(
            [value, change, second_diff, health].map(contexts),
            [31, 72 + 84, 0, 127]
        );
        let mut next = change.entering;
        for before in [0, 63, -64, 128, -256, i32::MIN] {
            let (at, count) = length(change, before);
            assert_eq!(at, next, "{before}");
            next = at + count;
        }
        for of in 1..=31u32 {
            let (at, modelled) = size(change, of);
            assert!(at >= next && at + (1 << modelled) - 1 <= second_diff.entering);
        }
        assert_eq!(health.entering + 127, set.prior.len());
    }
}
