//! The games of a process as its workers know them: how a room of each is opened, without the
//! game's type, and what holds for all rooms of it. The lobby makes the table at the start; it does
//! not change.

use std::sync::Arc;
use std::time::Duration;

use tickwire::ids::RoomId;
use tickwire::schema::{Schema, Tables};

use super::host::Host;
use super::restoring::{self, RestoredRoom};
use super::room_host::{Failed, RoomHost};
use crate::admission::limiter::Rates;
use crate::directory::{Directory, GameIndex};
use crate::game::{Backend, Game, GameDef, Modes, OptionsTypes, RoomOptions};
use crate::metrics::GameMetrics;
use crate::room::RestoreError;

/// A checked game whose type is left behind. Never called on the tick path.
pub(crate) trait AnyGame: Send + Sync {
    /// [`Game::NAME`].
    fn name(&self) -> &'static str;

    /// [`Game::SEATS_MAX`].
    fn seats_max(&self) -> u16;

    /// [`Game::SLOWS_WHEN_IDLE`].
    fn slows_when_idle(&self) -> bool;

    /// What clients are told.
    fn schema(&self) -> &Schema;

    /// What goes with it.
    fn tables(&self) -> &Tables;

    /// What programs may ask of its rooms.
    fn backend(&self) -> &Backend;

    /// What it declares of options.
    fn options(&self) -> &Arc<OptionsTypes>;

    /// What it declares for the queue.
    fn modes(&self) -> &Modes;

    /// A new room without members.
    ///
    /// # Errors
    /// The game failed to set it up.
    fn open(
        self: Arc<Self>,
        of: Arc<HostedGame>,
        options: RoomOptions,
    ) -> Result<Box<dyn Host>, Failed>;

    /// A room of this number as it was saved.
    ///
    /// # Errors
    /// Why there is none.
    fn restore(
        self: Arc<Self>,
        of: &Arc<HostedGame>,
        room: RoomId,
        save: &[u8],
        registry: &dyn Directory,
    ) -> Result<RestoredRoom, RestoreError>;

    /// Whether its rooms can be saved.
    ///
    /// # Errors
    /// Why not, in a line.
    fn try_save(self: Arc<Self>) -> Result<(), String>;
}

impl<G: Game> AnyGame for GameDef<G> {
    fn name(&self) -> &'static str {
        G::NAME
    }

    fn seats_max(&self) -> u16 {
        G::SEATS_MAX
    }

    fn slows_when_idle(&self) -> bool {
        G::SLOWS_WHEN_IDLE
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn tables(&self) -> &Tables {
        &self.tables
    }

    fn backend(&self) -> &Backend {
        &self.backend
    }

    fn options(&self) -> &Arc<OptionsTypes> {
        &self.options
    }

    fn modes(&self) -> &Modes {
        &self.modes
    }

    fn open(
        self: Arc<Self>,
        of: Arc<HostedGame>,
        options: RoomOptions,
    ) -> Result<Box<dyn Host>, Failed> {
        Ok(Box::new(RoomHost::open(&self, of, options)?))
    }

    fn restore(
        self: Arc<Self>,
        of: &Arc<HostedGame>,
        room: RoomId,
        save: &[u8],
        registry: &dyn Directory,
    ) -> Result<RestoredRoom, RestoreError> {
        RoomHost::restore(&self, of, room, save, registry)
    }

    fn try_save(self: Arc<Self>) -> Result<(), String> {
        restoring::try_save(&self)
    }
}

/// A game and what holds for its rooms on every worker.
pub(crate) struct HostedGame {
    /// Its place in the table.
    pub(crate) index: GameIndex,
    pub(crate) def: Arc<dyn AnyGame>,
    pub(crate) metrics: GameMetrics,
    /// Limits of its clients.
    pub(crate) rates: Rates,
    /// See [`crate::config::Config`].
    pub(crate) room_linger: Duration,
    /// See [`crate::config::Config`].
    pub(crate) idle_after: Duration,
    /// Whether its rooms' states are kept.
    pub(crate) is_kept: bool,
}

impl HostedGame {
    /// A new room without members.
    ///
    /// # Errors
    /// The game failed to set it up.
    pub(super) fn open(self: Arc<Self>, options: RoomOptions) -> Result<Box<dyn Host>, Failed> {
        self.def.clone().open(self, options)
    }

    /// A room of this number as it was saved.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn restore(
        self: &Arc<Self>,
        room: RoomId,
        save: &[u8],
        registry: &dyn Directory,
    ) -> Result<RestoredRoom, RestoreError> {
        self.def.clone().restore(self, room, save, registry)
    }

    /// After how many ticks in which nobody does anything a room that ticks at `rate` dozes;
    /// `None`: never.
    pub(super) fn idle_ticks(&self, rate: u16) -> Option<u32> {
        let ticks = (self.idle_after.as_secs_f64() * f64::from(rate)).ceil() as u32;
        (self.def.slows_when_idle() && ticks > 0).then_some(ticks)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::config::Config;
    use crate::game::Axes;
    use crate::game::still::Still;
    use crate::metrics::Metrics;

    /// The first game of a table, with default settings.
    pub(in crate::worker) fn hosted<G: Game>(
        def: Arc<GameDef<G>>,
        metrics: &Metrics,
        idle_after: Duration,
    ) -> Arc<HostedGame> {
        let config = Config::default();
        Arc::new(HostedGame {
            index: GameIndex::default(),
            def,
            metrics: metrics.game(G::NAME),
            rates: Rates::of(&config),
            room_linger: config.room_linger,
            idle_after,
            is_kept: false,
        })
    }

    fn idle_ticks<G: Game>(idle_after: Duration, rate: u16) -> Option<u32> {
        let def = Arc::new(GameDef::<G>::new(30).unwrap());
        hosted(def, &Metrics::new().unwrap(), idle_after).idle_ticks(rate)
    }

    #[test]
    fn a_game_without_inputs_and_one_that_is_told_so_never_doze() {
        let half = Duration::from_millis(500);
        assert_eq!(idle_ticks::<Still<Axes>>(half, 30), Some(15));
        assert_eq!(idle_ticks::<Still<Axes>>(half, 3), Some(2));
        assert_eq!(idle_ticks::<Still<Axes>>(Duration::ZERO, 30), None);
        assert_eq!(idle_ticks::<Still<()>>(half, 30), None);
    }
}
