//! What capture knows of a slot while it fills an image, and where a component's fields go in the
//! rows of each scope.

use tickwire::snapshot::column_set::{Column, ColumnSet, Guess};

use crate::replication::layer::SCOPES;

/// Stands for "no row in this scope's layer".
pub(super) const NO_ROW: u32 = u32::MAX;

/// What capture knows of a slot while it fills an image.
#[derive(Clone, Copy)]
pub(crate) struct SlotState {
    /// Components that it has, by scope.
    pub(super) masks: [u32; SCOPES],
    /// Start of its row, by scope.
    pub(super) rows: [u32; SCOPES],
    pub(super) owner: u16,
    pub(super) team: Option<u8>,
    pub(super) group: Option<u16>,
}

impl SlotState {
    pub(super) const NEW: SlotState = SlotState {
        masks: [0; SCOPES],
        rows: [NO_ROW; SCOPES],
        owner: 0,
        team: None,
        group: None,
    };
}

/// Where a component's fields go in a layer's rows.
pub(crate) struct Target {
    pub(super) bit: u32,
    /// Number of the first column of each field, and that column.
    pub(super) fields: Vec<(usize, Column)>,
}

impl Target {
    pub(super) fn find(set: &ColumnSet, component: usize) -> Option<Target> {
        let mut components = set.components.iter();
        let number = components.position(|columns| columns.component == component)?;
        let columns = &set.components[number];
        let is_value = |column: &Column| !matches!(column.guess, Guess::Change | Guess::Bend);
        let mut fields: Vec<(usize, Column)> = Vec::new();
        let mut last = None;
        for index in columns.start..columns.end {
            let column = &set.columns[index];
            // A text's further columns belong to the field of the first.
            if is_value(column) && last != Some(column.field) {
                fields.push((index, column.clone()));
                last = Some(column.field);
            }
        }
        Some(Target {
            bit: 1 << number,
            fields,
        })
    }
}

/// Where a component goes, by scope.
pub(crate) type Targets = [Option<Target>; SCOPES];
