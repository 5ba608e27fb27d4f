//! What a game is to the engine: the [`Game`] trait, its schema declaration and the resources
//! that its systems use. Sockets, snapshots and prediction's plumbing are none of its business.
//! `room` calls it; games implement it.

mod action;
mod axes;
mod backend;
mod declare;
mod def;
mod matched;
mod metadata;
mod modes;
mod options;
mod out;
mod payload;
mod record;
mod result;
mod rewind;
pub(crate) mod saved;
mod schema;
mod spec;
#[cfg(test)]
pub(crate) mod still;

pub use crate::auth::Identity;
pub use crate::replication::group::{Group, Groups};
pub use crate::replication::owner::{Owner, Team};
pub use crate::replication::value::FieldValue;
pub use action::Handler;
pub use axes::Axes;
pub use backend::BackendHandler;
pub use def::GameDef;
pub use matched::{Match, MatchTeam};
pub use options::Options;
pub use out::{Out, To};
pub use result::{RoundResult, SEASON_CHARS_MAX, STANDINGS_MAX, Standing, places};
pub use rewind::{Moment, Rewind, record_component};
pub use schema::{Declaration, Schema};
pub use spec::{Spec, all, entity, flag, int, one_of, range, text, turn};

pub(crate) use backend::{Backend, Job};
pub(crate) use def::OptionsTypes;
pub(crate) use modes::Modes;
pub(crate) use out::Queued;
pub(crate) use rewind::without_past;

use bevy_ecs::prelude::*;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tickwire::ids::{PlayerId, RoomId};
use tickwire::limits::PLAYERS_PER_ROOM_MAX;
use tickwire::protocol::server_message::{Member, RoomInfo};

/// A game. One `World` and one `Schedule` per room; everything in it is deterministic: the same
/// seed, joins and inputs give the same bytes.
pub trait Game: Sized + Send + Sync + 'static {
    /// Its name, sent to clients.
    const NAME: &'static str;
    /// Seats of a room that the rules allow, 1 to [`PLAYERS_PER_ROOM_MAX`]. An operator may set
    /// fewer, not more.
    const SEATS_MAX: u16 = PLAYERS_PER_ROOM_MAX;
    /// What a player sends for every tick.
    type Input: Default + Clone + Send + Sync + 'static;
    /// Whether a room in which nobody has sent an input or a request for a while (`--idle-after`)
    /// is simulated once a second only, until somebody does. [`Tick::number`] goes on with time
    /// meanwhile, by many at once; `dt` stays, so what moves by it moves slowly. A game whose world
    /// must go on by itself says `false`; one whose players send no inputs does not slow anyway.
    const SLOWS_WHEN_IDLE: bool = size_of::<Self::Input>() > 0;

    /// Rises when what is saved of a room means something else than before, though its types have
    /// the same names and the schema is the same: rooms that were saved under another number are
    /// not restored. A game that can read its older data says so in [`Game::save`] itself, by a
    /// number of its own in front, and leaves this as it is.
    const SAVE_FORMAT: u16 = 1;

    /// Declares components, room state, input, events, actions, options and metadata. Called once,
    /// at start.
    fn schema(schema: &mut Schema<Self>);

    /// Fills a new room's world and schedule. The schedule runs single-threaded. The world holds
    /// the engine's resources too, which are entities in `bevy_ecs`: a game that clears the world,
    /// here or in a system, despawns what `Query<Entity, With<ItsMarker>>` or `Query<Entity,
    /// Without<IsResource>>` finds.
    fn setup(world: &mut World, systems: &mut Schedule, room: &RoomOptions);

    /// A player came: makes the entity that they steer. The engine adds [`Owner`] and
    /// [`Input`] to it.
    fn join(world: &mut World, who: &Player) -> Entity;

    /// A player's connection is lost. Their seat and entity are held for a while
    /// ([`RoomOptions::grace`]), with the neutral input. Not called when the game took their entity
    /// away itself; nor are [`Game::resumed`] and [`Game::leave`].
    fn dropped(_world: &mut World, _who: &Player, _entity: Entity) {}

    /// A player whose connection was lost is back in their seat.
    fn resumed(_world: &mut World, _who: &Player, _entity: Entity) {}

    /// A player left, was sent away, or did not come back in time. What still has them for its
    /// [`Owner`] afterwards is nobody's: the engine takes the component off.
    fn leave(world: &mut World, _who: &Player, entity: Entity) {
        world.despawn(entity);
    }

    /// What of its room's world [`Schema::saved`] can't say, for [`Game::load`]: like the insides
    /// of a simulation that has a format of its own, in a resource that is [`Schema::unsaved`].
    /// With `--state-file` it is called once a second, on the way from one tick to the next: it
    /// should take microseconds.
    ///
    /// # Errors
    /// Why the room can't be saved.
    fn save(_world: &World) -> Result<Vec<u8>, String> {
        Ok(Vec::new())
    }

    /// Takes it again, in a world in which everything else is as it was. The bytes come from a file
    /// that may be of another version of the game: what can't be read is an error, not a panic.
    ///
    /// # Errors
    /// Why it can't be taken: the room is not restored.
    fn load(_world: &mut World, _saved: &[u8]) -> Result<(), String> {
        Ok(())
    }

    /// The room closes and its world is dropped, for a reason that is not the game's failure: the
    /// place to log or keep results. Events that are sent here reach nobody.
    fn closing(_world: &mut World, _why: Closing) {}
}

/// Why a room closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// Nobody has been there for as long as the operator lets empty rooms stay. Everyone's
    /// [`Game::leave`] has been called.
    Empty,
    /// The server stops. Who is still there gets no [`Game::leave`].
    Stop,
}

/// A member of a room as the game sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Player {
    /// Their number in the room, for as long as they have their seat; what is to outlast that goes
    /// by `identity`. The next one who comes has another number: it is given again when the numbers
    /// have gone round ([`PLAYER_NUMBERS`](tickwire::limits::PLAYER_NUMBERS)).
    pub id: PlayerId,
    /// Their name, tidied. Others may have the same.
    pub name: String,
    /// Who they are, also in another room and on another day.
    pub identity: Identity,
    /// What they brought, as [`Schema::player_options`] declares it.
    pub options: Options,
}

/// How a room was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomOptions {
    /// Its number.
    pub id: RoomId,
    /// Its name, tidied.
    pub name: String,
    /// The code by which it can be joined.
    pub code: String,
    /// Whether listings leave it out.
    pub private: bool,
    /// Seats, from 1.
    pub seats: u16,
    /// Places for spectators; 0: none may look on.
    pub spectators: u16,
    /// Whether the host may kick.
    pub kicks: bool,
    /// Seed of everything random in it.
    pub seed: u64,
    /// Tells it from all other rooms that ever had its number.
    pub mark: u64,
    /// Ticks a second.
    pub tick_rate: u16,
    /// Ticks between snapshots, from 1.
    pub snapshot_every: u16,
    /// Ticks for which the seat of a player whose connection is lost is held; 0: not at all.
    pub grace: u32,
    /// Non-player characters that the operator asks for.
    pub npcs: u16,
    /// What whoever made it chose, as [`Schema::room_options`] declares it.
    pub options: Options,
    /// The match for which the queue made it; `None`: somebody made it.
    pub matched: Option<Box<Match>>,
}

/// A public room of 16 seats and as many places for spectators at 30 Hz, a snapshot each tick, a
/// grace of 30 s, seed 0, without NPCs: for tests of a game, which say only what matters to them.
impl RoomOptions {
    /// By which it is known where its number may be another's by then: in the store. It goes with
    /// the room wherever that goes on, and says nothing of anybody.
    pub(crate) fn key(&self) -> String {
        format!("{}-{:016x}", self.id, self.mark)
    }

    /// The room in listings, with so many players and spectators, and what its game says of it.
    pub(crate) fn info(
        &self,
        players: u16,
        spectators: u16,
        locked: bool,
        metadata: &[u8],
    ) -> RoomInfo {
        RoomInfo {
            id: self.id,
            name: self.name.clone(),
            players,
            seats: self.seats,
            spectators,
            private: self.private,
            kicks: self.kicks,
            locked,
            metadata: metadata.to_vec(),
        }
    }
}

impl Default for RoomOptions {
    fn default() -> RoomOptions {
        RoomOptions {
            id: RoomId(1),
            name: "room".to_owned(),
            code: "00000000".to_owned(),
            private: false,
            seats: 16,
            spectators: 16,
            kicks: false,
            seed: 0,
            mark: 0,
            tick_rate: 30,
            snapshot_every: 1,
            grace: 900,
            npcs: 0,
            options: Options::default(),
            matched: None,
        }
    }
}

/// The input that this tick applies to a player's entity. A clone of the entity has none: nobody
/// steers it. When the player leaves it becomes the neutral one, before [`Game::leave`].
#[derive(Component, Clone, Debug, Default)]
#[component(clone_behavior = Ignore)]
pub struct Input<I: Send + Sync + 'static> {
    /// The input, decoded and in range.
    pub now: I,
    /// Whether it was missing and is a repetition or the neutral one.
    pub substituted: bool,
    /// The tick at which the player saw the others, with a fraction: at most this tick, and at most
    /// [`REWIND_MAX_MS`](tickwire::limits::REWIND_MAX_MS) before it. What it was like is told by a
    /// [`Rewind`].
    pub view: f64,
}

/// Where the room's time stands. Systems know no other clock.
#[derive(Resource, Clone, Copy, Debug, Default)]
pub struct Tick {
    /// The tick being simulated, from 1. One more than the one before, but in a room that is idle:
    /// see [`Game::SLOWS_WHEN_IDLE`].
    pub number: u32,
    /// Its length in seconds.
    pub dt: f64,
}

/// The room's random numbers, seeded from its options. Boxed: the world sets 64 places aside for
/// every kind of resource, whatever its size.
#[derive(Resource, Debug)]
pub struct RoomRng(pub Box<ChaCha8Rng>);

impl RoomRng {
    /// Those of a seed.
    pub fn seeded(seed: u64) -> RoomRng {
        RoomRng(Box::new(ChaCha8Rng::seed_from_u64(seed)))
    }
}

/// Who is in the room, by their numbers. The engine keeps it.
#[derive(Resource, Clone, Debug, Default)]
pub struct Roster {
    /// The members.
    pub members: Vec<Member>,
    /// Who looks on without a seat: numbers by which they can be named like players in
    /// [`To::Player`], [`Groups::set`] and [`Out::kick`]; they own nothing.
    pub spectators: Vec<PlayerId>,
}
