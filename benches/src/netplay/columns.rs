//! Where in the arena's images what a player needs stands.

use tickwire::ids::Handle;
use tickwire::schema::{Field, Kind, Schema};
use tickwire::snapshot::column_set::ColumnSet;
use tickwire::snapshot::image::{EntityHead, LayerImage};
use tickwire::snapshot::layout::Layout;

/// A field of a layer.
#[derive(Clone, Debug)]
pub(super) struct At {
    /// As declared.
    pub(super) field: Field,
    mask: u32,
    column: usize,
    width: usize,
    kind: Kind,
}

impl At {
    fn find(schema: &Schema, set: &ColumnSet, component: &str, field: &str) -> At {
        let bit = set
            .components
            .iter()
            .position(|columns| schema.components[columns.component].name == component)
            .expect("the arena declares the component");
        let columns = &set.components[bit];
        let fields = &schema.components[columns.component].fields;
        let number = fields.iter().position(|of| of.name == field);
        let number = number.expect("the arena declares the field");
        let column = (columns.start..columns.end)
            .find(|at| set.columns[*at].field == number)
            .expect("a field has a column");
        At {
            field: fields[number].clone(),
            mask: 1 << bit,
            column,
            width: set.width(),
            kind: set.columns[column].kind.clone(),
        }
    }

    /// The value of an entity's row; `None` if it lacks the component.
    pub(super) fn of(&self, image: &LayerImage, row: usize) -> Option<f64> {
        (image.entities[row].mask & self.mask != 0).then(|| {
            self.kind
                .dequantise(image.values[row * self.width + self.column])
        })
    }
}

/// The fields that players look at.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub(super) x: At,
    pub(super) y: At,
    pub(super) hp: At,
    pub(super) kind: At,
    pub(super) rounds: At,
    pub(super) ready_at: At,
    /// Indices of events.
    pub(super) hit: u16,
    pub(super) kill: u16,
}

impl Columns {
    pub(super) fn new(schema: &Schema, layout: &Layout) -> Columns {
        let room = |component, field| At::find(schema, &layout.room, component, field);
        let owner = |component, field| At::find(schema, &layout.owner, component, field);
        let event = |name: &str| {
            let at = schema.events.iter().position(|event| event.name == name);
            at.expect("the arena declares the event") as u16
        };
        Columns {
            x: room("pos", "x"),
            y: room("pos", "y"),
            hp: room("health", "hp"),
            kind: room("kind", "is"),
            rounds: owner("gun", "rounds"),
            ready_at: owner("gun", "ready_at"),
            hit: event("hit"),
            kill: event("kill"),
        }
    }
}

/// An entity's handle as events name it.
pub(super) fn handle(entity: &EntityHead) -> i32 {
    Handle {
        slot: entity.slot,
        generation: entity.generation,
    }
    .to_field()
}

/// The row of the same entity with the same components.
pub(super) fn same(image: &LayerImage, entity: &EntityHead) -> Option<usize> {
    let row = image
        .entities
        .binary_search_by_key(&entity.slot, |other| other.slot)
        .ok()?;
    let other = &image.entities[row];
    (other.generation == entity.generation && other.mask == entity.mask).then_some(row)
}
