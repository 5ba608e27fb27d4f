//! An image and its baseline, as all steps of encoding look at them.

use super::super::Span;
use crate::snapshot::column_set::ColumnSet;
use crate::snapshot::image::{LayerView, Residuals};

/// What is coded against what.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    pub(super) set: &'a ColumnSet,
    pub(super) from: LayerView<'a>,
    pub(super) current: LayerView<'a>,
    pub(super) span: Span,
}

impl<'a> Pair<'a> {
    /// A keyframe, without a baseline, is against nothing, and bare.
    #[inline]
    pub(super) fn new(
        set: &'a ColumnSet,
        baseline: Option<LayerView<'a>>,
        current: LayerView<'a>,
    ) -> Pair<'a> {
        let from = baseline.unwrap_or(LayerView {
            tick: current.tick,
            gap: 0,
            entities: &[],
            values: &[],
            residuals: Residuals::default(),
            bare: false,
        });
        Pair {
            set,
            from,
            current: if baseline.is_some() {
                current
            } else {
                current.bare()
            },
            span: Span {
                dt: current.tick.since(from.tick),
                baseline_gap: from.gap,
                gap: current.gap,
            },
        }
    }
}
