//! A game's schema, checked, with what a room needs to read its world. Made once per server.

use std::sync::Arc;

use tickwire::limits::PLAYERS_PER_ROOM_MAX;
use tickwire::schema::{Predicted, Schema as WireSchema};
use tickwire::snapshot::layout::Layout;

use super::Game;
use super::action::ActionDef;
use super::out::{EventTable, Out};
use super::schema::Schema;
use crate::replication::capture::ReaderOf;
use crate::replication::value::Accessor;

/// A checked game, shared by all its rooms.
pub struct GameDef<G: Game> {
    /// What clients are told.
    pub schema: WireSchema,
    /// Columns of its images.
    pub layout: Layout,
    pub(crate) components: Vec<ReaderOf>,
    pub(crate) input: Vec<Accessor<G::Input>>,
    pub(crate) events: Arc<EventTable>,
    /// By their number in the schema.
    pub(crate) actions: Vec<Box<dyn ActionDef>>,
}

impl<G: Game> GameDef<G> {
    /// Declares and checks the game. The error names what is wrong.
    pub fn new(tick_rate: u16) -> Result<GameDef<G>, String> {
        let mut declared = Schema::<G>::new(tick_rate);
        G::schema(&mut declared);
        GameDef::check(declared)
    }

    /// The same with other tables than the game's own, by layer; none for training them anew after
    /// the schema changed.
    pub fn with_tables(
        tick_rate: u16,
        epoch: u8,
        tables: Vec<Vec<u16>>,
    ) -> Result<GameDef<G>, String> {
        let mut declared = Schema::<G>::new(tick_rate);
        G::schema(&mut declared);
        declared.wire.table_epoch = epoch;
        declared.wire.tables = tables;
        GameDef::check(declared)
    }

    /// An empty [`Out`], as a room's world has it: for tests of systems, which ask it what they [sent](Out::sent).
    pub fn out(&self) -> Out {
        Out::new(self.events.clone())
    }

    fn check(declared: Schema<G>) -> Result<GameDef<G>, String> {
        if let Some(error) = declared.errors.first() {
            return Err(error.clone());
        }
        if !(1..=PLAYERS_PER_ROOM_MAX).contains(&G::SEATS_MAX) {
            return Err(format!(
                "SEATS_MAX {} is not within 1 to {PLAYERS_PER_ROOM_MAX}",
                G::SEATS_MAX
            ));
        }
        let mut layout = Layout::new(&declared.wire)?;
        tolerate(&mut layout, &declared.wire, &declared.tolerances);
        Ok(GameDef {
            layout,
            schema: declared.wire,
            components: declared.components,
            input: declared.input,
            events: Arc::new(declared.events),
            actions: declared.actions,
        })
    }
}

/// Tells the columns what errors they bear. An owner's copy of a predicted component is exact.
fn tolerate(layout: &mut Layout, schema: &WireSchema, tolerances: &[Vec<u32>]) {
    let sets = [
        (&mut layout.room, false),
        (&mut layout.owner, true),
        (&mut layout.team, false),
    ];
    for (set, owned) in sets {
        for component in &set.components {
            if owned && schema.components[component.component].predicted == Predicted::Fine {
                continue;
            }
            for column in &mut set.columns[component.start..component.end] {
                column.tolerance = tolerances[component.component][column.field];
            }
        }
    }
}
