//! A room taken out of its process and put back in another: what it says from then on is, to the
//! byte, what it would have said. Connections do not go along, and neither do those who have nothing
//! else here: who looks on, and what waits for them or was said of them alone. To whoever takes their seat again it
//! says what it would have said to them if they had come back at the same tick where it was, a
//! keyframe first; of who has not come back yet it goes on with the inputs that had come. Bytes in,
//! bytes out: where they are kept is others' business. Within a process a room is moved as the
//! value that it is, with all that its members were sent.

mod error;
mod ids;
mod members;
#[cfg(test)]
mod tests;
mod world;

use std::sync::Arc;

use bevy_ecs::entity_disabling::Disabled;
use bevy_ecs::prelude::*;
use bevy_ecs::query::Allow;
use flate2::Crc;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tickwire::codec::{SAVE_BYTES_MAX, append_saved, take_saved};
use tickwire::ids::{PlayerId, Tick};

use super::send_rate::cadence::Cadence;
use super::send_rate::catch_up::Allowance;
use super::{Chat, Events, Listing, Notices, Room, resources};
use crate::by_player::is_spectator;
use crate::game::{
    self, Game, GameDef, Groups, Input, Out, Queued, RoomOptions, RoomRng, Roster, To,
};
use crate::replication::image::Image;
use crate::replication::slots::{Given, Slots};
use error::FORMAT;
pub use error::{RestoreError, SaveError};
use members::SavedMembers;
use world::SavedWorld;

/// What a save begins with.
const MAGIC: [u8; 4] = *b"TWRS";
/// Bytes before what is hashed: those two and the hash.
const HEADER_BYTES: usize = 10;

/// What is saved, behind the header.
#[derive(Serialize, Deserialize)]
struct Saved {
    /// Hash of the game's name, schema and declared types.
    game: u32,
    options: RoomOptions,
    tick: Tick,
    simulated: Tick,
    stirred: Tick,
    cadence: Cadence,
    members: SavedMembers,
    notices: Notices,
    listing: Listing,
    chat: Chat,
    events: Events,
    slots: Slots,
    released: Vec<Entity>,
    /// The newest, on which the next one builds.
    image: Option<Image>,
    probes: Allowance,
    has_left_some_out: bool,
    rng: Rng,
    queued: Vec<Queued>,
    kicked: Vec<PlayerId>,
    locked: bool,
    dropped: u64,
    groups: Groups,
    inputs: Vec<SavedInput>,
    world: SavedWorld,
    rest: Vec<u8>,
}

/// Where the room's random numbers stand.
#[derive(Serialize, Deserialize)]
struct Rng {
    seed: [u8; 32],
    stream: u64,
    word: u128,
}

/// An input on its entity.
#[derive(Serialize, Deserialize)]
struct SavedInput {
    entity: Entity,
    now: Vec<u8>,
    substituted: bool,
    view: f64,
}

impl<G: Game> Room<G> {
    /// The room as bytes, between two ticks and with all its effects done; it goes on as if nothing
    /// was.
    ///
    /// # Errors
    /// See [`SaveError`]: the game does not say how, or it is too much.
    pub fn save(&mut self) -> Result<Vec<u8>, SaveError> {
        debug_assert!(self.effects.is_empty(), "effects are done first");
        if !self.may_move() {
            return Err(SaveError::NonSend);
        }
        let rest = G::save(&self.world).map_err(SaveError::Game)?;
        let world = SavedWorld::of(&mut self.world, &self.game.kinds)?;
        let inputs = self.inputs();
        let rng = &resources::own::<RoomRng>(&mut self.world).0;
        let rng = Rng {
            seed: rng.get_seed(),
            stream: rng.get_stream(),
            word: rng.get_word_pos(),
        };
        let released = resources::own::<Given>(&mut self.world).released().to_vec();
        let mut groups = resources::own::<Groups>(&mut self.world).clone();
        groups.retain(|player| !is_spectator(player));
        let out = resources::own::<Out>(&mut self.world).into_inner();
        let (mut queued, mut kicked) = (out.queued.clone(), out.kicked.clone());
        queued.retain(|event| !matches!(event.to, To::Player(player) if is_spectator(player)));
        kicked.retain(|player| !is_spectator(*player));
        let saved = Saved {
            game: fingerprint(&self.game)?,
            options: self.options.clone(),
            tick: self.tick,
            simulated: self.simulated,
            stirred: self.stirred,
            cadence: self.cadence,
            members: SavedMembers::of(&self.members, &self.game),
            notices: self.notices.clone(),
            listing: self.listing.clone(),
            chat: self.chat.clone(),
            events: self.events.clone(),
            slots: self.capture.slots.clone(),
            released,
            image: self.ring.newest().cloned(),
            probes: self.probes,
            has_left_some_out: self.has_left_some_out,
            rng,
            queued,
            kicked,
            locked: out.locked,
            dropped: out.dropped,
            groups,
            inputs,
            world,
            rest,
        };
        let mut bytes = vec![0; HEADER_BYTES];
        append_saved(&saved, &mut bytes).map_err(|error| SaveError::Value("Room", error))?;
        let (header, body) = bytes.split_at_mut(HEADER_BYTES);
        header[..4].copy_from_slice(&MAGIC);
        header[4..6].copy_from_slice(&FORMAT.to_le_bytes());
        header[6..].copy_from_slice(&hash(body).to_le_bytes());
        match bytes.len() {
            length if length > SAVE_BYTES_MAX => Err(SaveError::TooBig(length)),
            _ => Ok(bytes),
        }
    }

    /// A room of what [`Room::save`] gave. Who had a connection is still taken for present: to be
    /// followed by [`Room::resume`] or [`Room::disconnect`] for each.
    ///
    /// # Errors
    /// See [`RestoreError`].
    pub fn restore(game: Arc<GameDef<G>>, bytes: &[u8]) -> Result<Room<G>, RestoreError> {
        let saved = read(bytes)?;
        if fingerprint(&game) != Ok(saved.game) {
            return Err(RestoreError::OtherGame);
        }
        let unsound = RestoreError::Unsound;
        let options = game.options.room.complete(&saved.options.options);
        options.ok_or(unsound("its options are none of the game's"))?;
        let mut room = Room::new(game, saved.options);
        let game = room.game.clone();
        let world = &mut room.world;
        saved.world.restore(world, &game.kinds).map_err(unsound)?;
        for input in saved.inputs {
            let now = game.unpack_input(&input.now);
            let now = now.ok_or(unsound("an input is none of the game's"))?;
            let place = world.get_mut::<Input<G::Input>>(input.entity);
            *place.ok_or(unsound("an input is nobody's"))? = Input {
                now,
                substituted: input.substituted,
                view: input.view,
            };
        }
        let places = (room.options.seats, room.options.spectators);
        let members = saved.members.restore(places, saved.tick, &game);
        room.members = members.ok_or(unsound("its members"))?;
        let image = saved.image.filter(|image| image.is_sound(&game.layout));
        if let Some(mut image) = image {
            image.index();
            room.ring.push(image);
        }
        room.capture.slots = saved.slots.restored().ok_or(unsound("its slots"))?;
        (room.tick, room.simulated, room.stirred) = (saved.tick, saved.simulated, saved.stirred);
        (room.cadence, room.probes) = (saved.cadence, saved.probes);
        (room.notices, room.chat, room.events) = (saved.notices, saved.chat, saved.events);
        room.listing = saved.listing;
        room.has_left_some_out = saved.has_left_some_out;
        // Last: the game's hooks may have done something to them meanwhile.
        let mut rng = ChaCha8Rng::from_seed(saved.rng.seed);
        rng.set_stream(saved.rng.stream);
        rng.set_word_pos(saved.rng.word);
        *resources::own::<RoomRng>(world) = RoomRng(Box::new(rng));
        *resources::own::<Given>(world) = Given::restored(saved.released);
        resources::own::<game::Tick>(world).number = saved.simulated.0;
        resources::own::<Roster>(world).members = room.members.public();
        let mut out = resources::own::<Out>(world);
        (out.queued, out.kicked) = (saved.queued, saved.kicked);
        (out.locked, out.dropped) = (saved.locked, saved.dropped);
        *resources::own::<Groups>(world) = saved.groups;
        G::load(world, &saved.rest).map_err(RestoreError::Game)?;
        world.clear_trackers();
        Ok(room)
    }

    /// Of all entities, also those that are disabled.
    fn inputs(&mut self) -> Vec<SavedInput> {
        let mut inputs = self
            .world
            .query_filtered::<(Entity, &Input<G::Input>), Allow<Disabled>>();
        let all = inputs.iter(&self.world).map(|(entity, input)| SavedInput {
            entity,
            now: self.game.pack_input(&input.now),
            substituted: input.substituted,
            view: input.view,
        });
        all.collect()
    }
}

/// What is behind the header of a save that is whole.
fn read(bytes: &[u8]) -> Result<Saved, RestoreError> {
    let magic = bytes.split_first_chunk::<4>();
    let (_, rest) = magic
        .filter(|(magic, _)| **magic == MAGIC)
        .ok_or(RestoreError::Foreign)?;
    let (format, rest) = rest.split_first_chunk().ok_or(RestoreError::Damaged)?;
    let format = u16::from_le_bytes(*format);
    if format != FORMAT {
        return Err(RestoreError::Format(format));
    }
    let (sum, mut body) = rest.split_first_chunk().ok_or(RestoreError::Damaged)?;
    if u32::from_le_bytes(*sum) != hash(body) || bytes.len() > SAVE_BYTES_MAX {
        return Err(RestoreError::Damaged);
    }
    match take_saved(&mut body) {
        Ok(saved) if body.is_empty() => Ok(saved),
        // The game's declarations are another's if anything but the format is.
        _ => Err(RestoreError::Damaged),
    }
}

/// Differs between games whose rooms are not each other's.
fn fingerprint<G: Game>(game: &GameDef<G>) -> Result<u32, SaveError> {
    let names: Vec<&str> = game.kinds.iter().map(|kind| kind.name()).collect();
    let mut bytes = Vec::new();
    append_saved(&(&game.schema, names), &mut bytes)
        .map_err(|error| SaveError::Value("Schema", error))?;
    Ok(hash(&bytes))
}

/// Tells damage by chance, not by will.
fn hash(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}
