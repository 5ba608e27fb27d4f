//! What rooms of a game are made with: the operator's settings, what the game declares of options
//! and metadata, and of what is asked for as much as may be chosen. `matchmaking` makes them,
//! `games` has one of these for each game.

use std::any::Any;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use tickwire::protocol::ClientMessage;
use tickwire::protocol::client_message::{Condition, NewRoom};
use tickwire::protocol::server_message::{Refusal, RoomInfo};
use tickwire::schema::Field;

use super::listed::ListedRoom;
use super::room_quotas::RoomQuotas;
use crate::config::Config;
use crate::directory::code::room_code;
use crate::directory::filter::Filter;
use crate::directory::rank::NetworkMark;
use crate::directory::{Creation, Directory, GameIndex, Mark};
use crate::game::{Options, OptionsTypes, RoomOptions};
use crate::text::room_name;
use crate::worker::{AnyGame, Session};

/// See the module's description.
#[derive(Clone)]
pub(crate) struct RoomDefaults {
    /// As a quick join makes them, but for their names; no more seats than these.
    pub(super) options: RoomOptions,
    /// Of all rooms; `None`: of each one its own.
    seed: Option<u64>,
    game: GameIndex,
    declared: Arc<OptionsTypes>,
    metadata: Vec<Field>,
}

impl RoomDefaults {
    /// For rooms of a game, and its place in the table of games.
    pub(super) fn new(config: &Config, game: GameIndex, def: &dyn AnyGame) -> RoomDefaults {
        RoomDefaults {
            options: RoomOptions {
                name: String::new(),
                seats: config.max_players.min(def.seats_max()),
                spectators: config.max_spectators,
                tick_rate: config.tick_rate,
                snapshot_every: config.snapshot_every(),
                grace: config.grace_ticks(),
                npcs: config.npcs,
                ..RoomOptions::default()
            },
            seed: config.seed,
            game,
            declared: def.options().clone(),
            metadata: def.schema().metadata.clone(),
        }
    }

    /// The game's listed rooms, for who is no client of it.
    pub(super) fn listed(&self, registry: &dyn Directory) -> Vec<ListedRoom> {
        let rooms = registry.list(&Filter::every(self.game, &self.metadata));
        rooms.into_iter().map(|room| self.shown(room)).collect()
    }

    /// A room as it is shown to who is no client of the game.
    pub(super) fn shown(&self, room: RoomInfo) -> ListedRoom {
        ListedRoom::new(room, &self.metadata)
    }

    /// Conditions on the metadata of the game's rooms.
    ///
    /// # Errors
    /// `BadFilter`
    pub(super) fn filter(&self, asked: &[Condition]) -> Result<Filter, Refusal> {
        Filter::new(self.game, &self.metadata, asked)
    }

    /// What a player brings.
    ///
    /// # Errors
    /// `BadOptions`
    pub(super) fn player_options(&self, bytes: &[u8]) -> Result<Options, Refusal> {
        self.declared.player.read(bytes).ok_or(Refusal::BadOptions)
    }

    /// A room as somebody wants it.
    ///
    /// # Errors
    /// `BadOptions`
    pub(super) fn chosen(&self, new: &NewRoom) -> Result<RoomOptions, Refusal> {
        let most = self.options.seats;
        Ok(RoomOptions {
            name: new.name.clone(),
            private: new.private,
            seats: if new.seats == 0 {
                most
            } else {
                new.seats.min(most)
            },
            // Those who are there were given the code by somebody.
            kicks: new.kicks || new.private,
            ..self.usual(&new.options)?
        })
    }

    /// A room as a quick join makes it, with these options of the game.
    ///
    /// # Errors
    /// `BadOptions`
    pub(super) fn usual(&self, bytes: &[u8]) -> Result<RoomOptions, Refusal> {
        let options = self.declared.room.read(bytes).ok_or(Refusal::BadOptions)?;
        Ok(RoomOptions {
            options,
            ..self.options.clone()
        })
    }

    /// Whether all that somebody asks for can be: before another node is asked for it.
    ///
    /// # Errors
    /// `BadOptions`, `BadFilter`
    pub(super) fn check(&self, request: &ClientMessage) -> Result<(), Refusal> {
        match request {
            ClientMessage::CreateRoom(new) => {
                self.player_options(&new.player)?;
                self.chosen(new)?;
            }
            ClientMessage::QuickJoin {
                filter,
                who,
                options,
            } => {
                self.filter(filter)?;
                self.player_options(&who.options)?;
                self.usual(options)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The places of a room that somebody makes, at their address and in `room_quotas`.
    ///
    /// # Errors
    /// `TooManyRooms`: of theirs, or of their address.
    pub(super) fn places(
        &self,
        registry: &dyn Directory,
        room_quotas: &RoomQuotas,
        session: &Session,
    ) -> Result<Box<dyn Any + Send>, Refusal> {
        let at_player = room_quotas.room(&session.identity);
        let at_player = at_player.ok_or(Refusal::TooManyRooms)?;
        let at_address = session.guest.room(registry.fill(self.game));
        let at_address = at_address.ok_or(Refusal::TooManyRooms)?;
        Ok(Box::new((at_player, at_address)))
    }

    /// How to make such a room for somebody of this name, with what nobody may choose. Nothing
    /// holds it yet.
    ///
    /// # Errors
    /// `Busy`: the system has no random numbers.
    pub(super) fn creation(
        &self,
        registry: &dyn Directory,
        name: &str,
        network: Option<NetworkMark>,
        maker: Mark,
        mut room: RoomOptions,
    ) -> Result<Creation, Refusal> {
        let (code, random) = (registry.random()?, registry.random()?);
        room.name = room_name(&room.name, name);
        room.code = room_code(code);
        room.seed = self.seed.unwrap_or(random);
        room.mark = mark_of(random);
        Ok(Creation {
            game: self.game,
            options: room,
            network,
            maker,
            others: Vec::new(),
            made_for: Filter::default(),
            held: Box::new(()),
        })
    }

    /// What the game says of its rooms.
    pub(super) fn metadata(&self) -> &[Field] {
        &self.metadata
    }
}

/// What tells a room from others, of the number by which it is made. Not that number itself, by which
/// who has it could tell what chance holds for the game: marks stand beside what is stored.
fn mark_of(random: u64) -> u64 {
    let hash = digest(&SHA256, &random.to_le_bytes());
    let first = hash.as_ref().first_chunk();
    first.map_or(random, |first| u64::from_le_bytes(*first))
}
