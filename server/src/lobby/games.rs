//! The games of a process as its lobby knows them: what a client of each is welcomed with, and how
//! rooms of it are made. The first is that of clients who name none. What the workers know of them
//! is `worker`'s.

use std::io;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::partying::Partying;
use super::queueing::{Queueing, Skill};
use super::room_defaults::RoomDefaults;
use super::welcome::Welcome;
use crate::admission::limiter::Rates;
use crate::config::{Config, invalid};
use crate::directory::GameIndex;
use crate::metrics::Metrics;
use crate::notices::{GameEvent, Refused};
use crate::store::Store;
use crate::worker::{AnyGame, HostedGame};

/// A game to be served, and the settings that hold for it.
pub(crate) struct GameToServe {
    /// Checked.
    pub(crate) def: Arc<dyn AnyGame>,
    /// The server's, but for what is its own.
    pub(crate) config: Config,
}

impl GameToServe {
    /// Whether its rooms' states are to be kept, and can be. One line says so if not.
    fn is_kept(&self) -> bool {
        if self.config.state_file.is_none() && self.config.cluster_url.is_none() {
            return false;
        }
        let tried = self.def.clone().try_save();
        if let Err(why) = &tried {
            let game = self.def.name();
            tracing::warn!(
                game,
                why,
                "its rooms are not kept, they end with the process"
            );
        }
        tried.is_ok()
    }

    /// As the workers have it, at its place in the table.
    pub(super) fn hosted(&self, index: GameIndex, metrics: &Metrics) -> HostedGame {
        HostedGame {
            index,
            def: self.def.clone(),
            metrics: metrics.game(self.def.name()),
            rates: Rates::of(&self.config),
            room_linger: self.config.room_linger,
            idle_after: self.config.idle_after,
            is_kept: self.is_kept(),
        }
    }
}

/// An event for a notice, of the game of this name among these, or of the first one: see
/// [`GameEvent::read`].
///
/// # Errors
/// One line: there is no such game, or its schema has no such event.
pub(super) fn event(
    games: &[Arc<HostedGame>],
    game: Option<&str>,
    name: &str,
    fields: &Map<String, Value>,
) -> Result<GameEvent, String> {
    let mut games = games.iter();
    let hosted = games.find(|hosted| game.is_none_or(|game| game == hosted.def.name()));
    let hosted = hosted.ok_or_else(|| Refused::NoSuchGame.to_string())?;
    GameEvent::read(hosted.def.name(), hosted.def.schema(), name, fields)
}

/// A game as the lobby has it.
pub(super) struct Offered {
    pub(super) index: GameIndex,
    pub(super) name: &'static str,
    pub(super) welcome: Welcome,
    pub(super) rooms: RoomDefaults,
    /// Who finds players for its modes, if it has some that a room has seats for.
    pub(super) queueing: Option<Queueing>,
    pub(super) partying: Partying,
    /// Limits of its clients.
    pub(super) rates: Rates,
}

impl Offered {
    /// # Errors
    /// Its schema is more than a message may be.
    pub(super) fn new(
        index: GameIndex,
        game: &GameToServe,
        metrics: &Metrics,
        store: &Store,
        seed: u64,
    ) -> io::Result<Offered> {
        let (def, config) = (&*game.def, &game.config);
        let (players, seats) = (def.modes().players_max(), config.max_players);
        let queueing = match players > seats {
            true => {
                let game = def.name();
                let why = "a match has more players than max-players lets a room have";
                tracing::warn!(game, players, seats, "its queue is shut: {why}");
                None
            }
            false => {
                let figures = metrics.game(def.name());
                let skill = Skill::new(store.clone(), def.name(), metrics.game(def.name()));
                let queueing = Queueing::new(def.modes(), figures, skill, seed);
                queueing.map_err(invalid)?
            }
        };
        Ok(Offered {
            index,
            name: def.name(),
            welcome: Welcome::new(def, config).map_err(invalid)?,
            rooms: RoomDefaults::new(config, index, def),
            queueing,
            partying: Partying::new(
                def.modes().team_max(),
                config.resume_grace,
                metrics.game(def.name()),
            ),
            rates: Rates::of(config),
        })
    }
}
