//! A game's schema, checked, with what a room needs to read its world. Made once per server.

use std::sync::{Arc, OnceLock};

use tickwire::ids::Handle;
use tickwire::limits::PLAYERS_PER_ROOM_MAX;
use tickwire::schema::{Predicted, Schema as WireSchema, Tables};
use tickwire::snapshot::layout::Layout;

use super::action::ActionDef;
use super::backend::Backend;
use super::metadata::MetadataReader;
use super::modes::Modes;
use super::options::{Options, OptionsType};
use super::out::{EventTable, Out};
use super::saved::Kind;
use super::schema::Schema;
use super::{Game, record};
use crate::replication::capture::ReaderOf;
use crate::replication::value::Accessor;

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
    pub(crate) backend: Backend,
    /// For the lobby, too, which knows no game.
    pub(crate) options: Arc<OptionsTypes>,
    pub(crate) metadata: Option<MetadataReader>,
    /// For the lobby's queue.
    pub(crate) modes: Modes,
    /// What of a world is saved, the engine's own first.
    pub(crate) kinds: Vec<Kind>,
    /// Differs between games whose rooms are not each other's; made when it is first asked for.
    pub(crate) fingerprint: OnceLock<u32>,
}

/// What a game declares of its options.
#[derive(Default)]
pub(crate) struct OptionsTypes {
    /// What whoever makes a room chooses.
    pub(crate) room: OptionsType,
    /// What a player brings.
    pub(crate) player: OptionsType,
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

    /// Options of a room as if whoever makes it had chosen `value`: for tests of a game.
    ///
    /// # Panics
    /// When they are not declared as this type.
    pub fn room_options<T: 'static>(&self, mut value: T) -> Options {
        let options = self.options.room.of(&mut value);
        options.expect("room options are declared as this type")
    }

    /// Options of a player as if they had brought `value`: for tests of a game.
    ///
    /// # Panics
    /// When they are not declared as this type.
    pub fn player_options<T: 'static>(&self, mut value: T) -> Options {
        let options = self.options.player.of(&mut value);
        options.expect("player options are declared as this type")
    }

    /// A player's input of the integers of its fields, which are in range. It names no entities.
    pub(crate) fn input_of(&self, values: &[i32]) -> G::Input {
        let mut input = G::Input::default();
        record::write(&mut input, &self.input, &self.schema.input, values, |_| {
            None
        });
        input
    }

    /// An input as its player sent it.
    pub(crate) fn pack_input(&self, input: &G::Input) -> Vec<u8> {
        let fields = &self.schema.input;
        record::pack_value(&mut input.clone(), &self.input, fields, |_| Handle::NONE)
    }

    /// The inverse; `None` if that is none.
    pub(crate) fn unpack_input(&self, bytes: &[u8]) -> Option<G::Input> {
        record::unpack_value(bytes, &self.input, &self.schema.input)
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
        let of_programs = |error| format!("of what programs may ask: {error}");
        declared.backend.schema.check().map_err(of_programs)?;
        declared.modes.check(G::SEATS_MAX)?;
        let mut layout = Layout::new(&declared.wire, &declared.tables)?;
        tolerate(&mut layout, &declared.wire, &declared.tolerances);
        let mut options = OptionsTypes {
            room: declared.room_options,
            player: declared.player_options,
        };
        options.room.set_defaults("room options")?;
        options.player.set_defaults("player options")?;
        Ok(GameDef {
            layout,
            schema: declared.wire,
            tables: declared.tables,
            components: declared.components,
            input: declared.input,
            events: Arc::new(declared.events),
            actions: declared.actions,
            backend: declared.backend,
            options: Arc::new(options),
            metadata: declared.metadata,
            modes: declared.modes,
            kinds: declared.kinds,
            fingerprint: OnceLock::new(),
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
