//! A game's schema, checked, with what a room needs to read its world. Made once per server.

use std::sync::Arc;

use tickwire::ids::Handle;
use tickwire::limits::PLAYERS_PER_ROOM_MAX;
use tickwire::schema::{Predicted, Schema as WireSchema, Tables};
use tickwire::snapshot::fields::{by_field, pack, unpack};
use tickwire::snapshot::layout::Layout;

use super::Game;
use super::action::ActionDef;
use super::out::{EventTable, Out};
use super::saved::Kind;
use super::schema::Schema;
use crate::replication::capture::ReaderOf;
use crate::replication::value::{Accessor, Raw};

/// A checked game, shared by all its rooms.
pub struct GameDef<G: Game> {
    /// What clients are told.
    pub schema: WireSchema,
    /// What its bodies are coded by.
    pub tables: Tables,
    /// Columns of its images.
    pub layout: Layout,
    pub(crate) components: Vec<ReaderOf>,
    pub(crate) input: Vec<Accessor<G::Input>>,
    pub(crate) events: Arc<EventTable>,
    /// By their number in the schema.
    pub(crate) actions: Vec<Box<dyn ActionDef>>,
    /// What of a world is saved, the engine's own first.
    pub(crate) kinds: Vec<Kind>,
}

impl<G: Game> GameDef<G> {
    /// Declares and checks the game. The error names what is wrong.
    pub fn new(tick_rate: u16) -> Result<GameDef<G>, String> {
        let mut declared = Schema::<G>::new(tick_rate);
        G::schema(&mut declared);
        GameDef::check(declared)
    }

    /// The same with other tables than the game's own; none for training them anew after
    /// the schema changed.
    pub fn with_tables(tick_rate: u16, tables: Tables) -> Result<GameDef<G>, String> {
        let mut declared = Schema::<G>::new(tick_rate);
        G::schema(&mut declared);
        declared.tables = tables;
        GameDef::check(declared)
    }

    /// An empty [`Out`], as a room's world has it: for tests of systems, which ask it what they
    /// [sent](Out::sent).
    pub fn out(&self) -> Out {
        Out::new(self.events.clone())
    }

    /// A player's input of the integers of its fields, which are in range. It names no entities.
    pub(crate) fn input_of(&self, values: &[i32]) -> G::Input {
        let mut input = G::Input::default();
        let words = by_field(&self.schema.input, values);
        for (accessor, (field, words)) in self.input.iter().zip(words) {
            accessor.write(&mut input, &field.kind, words, |_| None);
        }
        input
    }

    /// An input as its player sent it.
    pub(crate) fn pack_input(&self, input: &G::Input) -> Vec<u8> {
        let (mut input, fields) = (input.clone(), &self.schema.input);
        let (mut values, mut bytes) = (Vec::new(), Vec::new());
        for (accessor, field) in self.input.iter().zip(fields) {
            accessor.read(&mut input, &field.kind, |raw| {
                values.push(match raw {
                    Raw::Number(value) => field.kind.quantise(value),
                    Raw::Word(word) => word,
                    Raw::Entity(_) => Handle::NONE,
                });
            });
        }
        pack(fields, &values, &mut bytes);
        bytes
    }

    /// The inverse; `None` if that is none.
    pub(crate) fn unpack_input(&self, bytes: &[u8]) -> Option<G::Input> {
        let mut values = Vec::new();
        let rest = unpack(&self.schema.input, bytes, &mut values).ok()?;
        rest.is_empty().then(|| self.input_of(&values))
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
        let mut layout = Layout::new(&declared.wire, &declared.tables)?;
        tolerate(&mut layout, &declared.wire, &declared.tolerances);
        Ok(GameDef {
            layout,
            schema: declared.wire,
            tables: declared.tables,
            components: declared.components,
            input: declared.input,
            events: Arc::new(declared.events),
            actions: declared.actions,
            kinds: declared.kinds,
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
