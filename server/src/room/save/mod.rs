//! A room taken out of its process and put back in another: what it says from then on is, to the
//! byte, what it would have said. Connections do not go along, nor does who was typing, and neither do those who have
//! nothing else here: who looks on, and what waits for them or was said of them alone. To whoever
//! takes their seat again it says what it would have said to them if they had come back at the same
//! tick where it was, a keyframe first; of who has not come back yet it goes on with the inputs
//! that had come. Bytes in, bytes out: where they are kept is others' business. Within a process a
//! room is moved as the value that it is, with all that its members were sent.

mod error;
#[cfg(any(test, fuzzing))]
pub(crate) mod hostile;
mod ids;
mod members;
#[cfg(test)]
mod tests;
pub(super) mod world;

use std::borrow::Cow;
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
use tickwire::limits::{EVENTS_PER_TICK_MAX, OPTIONS_BYTES_MAX};
use tickwire::session::TICK_MAX;

use super::durable::COUNT_MAX;
use super::send_rate::catch_up::Allowance;
use super::{Chat, Events, Listing, Notices, Results, Room, resources};
use crate::by_player::is_spectator;
use crate::game::{
    self, Game, GameDef, Groups, Input, Out, Queued, RoomOptions, RoomRng, Roster, RoundResult, To,
};
use crate::replication::image::Image;
use crate::replication::raw;
use crate::replication::slots::{Given, Slots};
use error::FORMAT;
pub use error::{RestoreError, SaveError};
use members::SavedMembers;
use world::SavedWorld;

/// What a save begins with.
const MAGIC: [u8; 4] = *b"TWRS";
/// Bytes before what is hashed: those two and the hash.
const HEADER_BYTES: usize = 10;

/// What is saved behind the header and the world.
#[derive(Serialize, Deserialize)]
struct Saved<'a> {
    options: Cow<'a, RoomOptions>,
    tick: Tick,
    simulated: Tick,
    stirred: Tick,
    halvings: u8,
    members: SavedMembers<'a>,
    notices: Cow<'a, Notices>,
    listing: Cow<'a, Listing>,
    chat: Cow<'a, Chat>,
    events: Cow<'a, Events>,
    results: Cow<'a, Results>,
    slots: Cow<'a, Slots>,
    released: Cow<'a, [Entity]>,
    /// The newest, on which the next one builds.
    image: Option<Cow<'a, Image>>,
    probes: Allowance,
    has_left_some_out: bool,
    rng: Rng,
    queued: Vec<Cow<'a, Queued>>,
    kicked: Vec<PlayerId>,
    result: Option<Cow<'a, RoundResult>>,
    locked: bool,
    dropped: u64,
    groups: Groups,
    inputs: Vec<SavedInput>,
    #[serde(with = "raw")]
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
    #[serde(with = "raw")]
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
        let mut bytes = Vec::new();
        self.write(&mut bytes, true)?;
        seal(&mut bytes);
        Ok(bytes)
    }

    /// A checkpoint, in place of what is in `bytes`: what [`Room::save`] says but for what only
    /// those need who go on where they were, and nobody does. What a [`crate::game::Rewind`]
    /// remembers, inputs, and the image on which the next one builds are left out. So is the
    /// checksum, so that another thread can make that.
    ///
    /// # Errors
    /// As for [`Room::save`].
    pub fn save_into(&mut self, bytes: &mut Vec<u8>) -> Result<(), SaveError> {
        game::without_past(|| self.write(bytes, false))
    }

    fn write(&mut self, bytes: &mut Vec<u8>, is_whole: bool) -> Result<(), SaveError> {
        debug_assert!(self.effects.is_empty(), "effects are done first");
        if !self.may_move() {
            return Err(SaveError::NonSend);
        }
        bytes.clear();
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        // The checksum.
        bytes.extend_from_slice(&[0; HEADER_BYTES - 6]);
        bytes.extend_from_slice(&fingerprint(&self.game)?.to_le_bytes());
        let rest = G::save(&self.world).map_err(SaveError::Game)?;
        world::write(
            &mut self.world,
            &self.game.kinds,
            &mut self.saved_shapes,
            bytes,
        )?;
        let inputs = if is_whole { self.inputs() } else { Vec::new() };
        resources::check(&self.world);
        let world_of = &self.world;
        let rng = &world_of.resource::<RoomRng>().0;
        let out = world_of.resource::<Out>();
        let of_spectator =
            |event: &&Queued| matches!(event.to, To::Player(player) if is_spectator(player));
        let mut groups = world_of.resource::<Groups>().clone();
        groups.retain(|player| !is_spectator(player));
        let kicked = out.kicked.iter().copied();
        let newest = self.ring.newest().filter(|_| is_whole);
        let saved = Saved {
            options: Cow::Borrowed(&self.options),
            tick: self.tick,
            simulated: self.simulated,
            stirred: self.stirred,
            halvings: self.cadence.halvings,
            members: SavedMembers::of(&self.members, &self.game, is_whole),
            notices: Cow::Borrowed(&self.notices),
            listing: Cow::Borrowed(&self.listing),
            chat: Cow::Borrowed(&self.chat),
            events: Cow::Borrowed(&self.events),
            results: Cow::Borrowed(&self.results),
            slots: Cow::Borrowed(&self.capture.slots),
            released: Cow::Borrowed(world_of.resource::<Given>().released()),
            image: newest.map(Cow::Borrowed),
            probes: self.probes,
            has_left_some_out: self.has_left_some_out,
            rng: Rng {
                seed: rng.get_seed(),
                stream: rng.get_stream(),
                word: rng.get_word_pos(),
            },
            queued: out
                .queued
                .iter()
                .filter(|event| !of_spectator(event))
                .map(Cow::Borrowed)
                .collect(),
            kicked: kicked.filter(|player| !is_spectator(*player)).collect(),
            result: out.result.as_ref().map(Cow::Borrowed),
            locked: out.locked,
            dropped: out.dropped,
            groups,
            inputs,
            rest,
        };
        append_saved(&saved, bytes).map_err(|error| SaveError::Value("Room", error))?;
        match bytes.len() {
            length if length > SAVE_BYTES_MAX => Err(SaveError::TooBig(length)),
            _ => Ok(()),
        }
    }

    /// A room of what [`Room::save`] gave. Who had a connection is still taken for present: to be
    /// followed by [`Room::resume`] or [`Room::disconnect`] for each.
    ///
    /// # Errors
    /// See [`RestoreError`].
    pub fn restore(game: Arc<GameDef<G>>, bytes: &[u8]) -> Result<Room<G>, RestoreError> {
        let mut body = opened(bytes)?;
        let (told, behind) = body.split_first_chunk().ok_or(RestoreError::Damaged)?;
        if fingerprint(&game) != Ok(u32::from_le_bytes(*told)) {
            return Err(RestoreError::OtherGame);
        }
        body = behind;
        let unsound = RestoreError::Unsound;
        let saved_world = SavedWorld::read(&game.kinds, &mut body).map_err(unsound)?;
        let saved: Saved<'static> = match take_saved(&mut body) {
            Ok(saved) if body.is_empty() => saved,
            _ => return Err(RestoreError::Damaged),
        };
        let RoomOptions {
            tick_rate,
            snapshot_every,
            seats,
            ..
        } = *saved.options;
        if tick_rate == 0 || snapshot_every == 0 || !(1..=G::SEATS_MAX).contains(&seats) {
            return Err(unsound("its options"));
        }
        if saved.tick >= TICK_MAX || saved.simulated.max(saved.stirred) > saved.tick {
            return Err(unsound("its ticks"));
        }
        if !saved.events.are_sound(saved.tick)
            || !saved.notices.are_sound()
            || saved.queued.len() > EVENTS_PER_TICK_MAX
            || !saved
                .queued
                .iter()
                .all(|event| Events::takes(event, &game.schema))
            || saved.dropped > COUNT_MAX
        {
            return Err(unsound("what it told"));
        }
        let is_result = |result: &Cow<'_, RoundResult>| result.is_sound();
        if !saved.results.is_sound() || !saved.result.iter().all(is_result) {
            return Err(unsound("its results"));
        }
        if !saved.chat.is_sound() || saved.listing.metadata.len() > OPTIONS_BYTES_MAX {
            return Err(unsound("what it says"));
        }
        let options = game.options.room.complete(&saved.options.options);
        options.ok_or(unsound("its options are none of the game's"))?;
        let mut room = Room::new(game, saved.options.into_owned());
        let game = room.game.clone();
        let world = &mut room.world;
        saved_world.restore(world, &game.kinds).map_err(unsound)?;
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
        // With their player it would go, and the room with it.
        let members = &room.members;
        let avatars = || members.iter().map(|member| member.entity);
        if avatars().any(|avatar| resources::is_resource(world, avatar)) {
            return Err(unsound("an avatar is none"));
        }
        let image = saved
            .image
            .filter(|image| image.is_sound(&game.layout, saved.tick));
        if let Some(mut image) = image.map(Cow::into_owned) {
            image.index();
            room.ring.push(image);
        }
        room.capture.slots = saved
            .slots
            .into_owned()
            .restored(world, &saved.released)
            .ok_or(unsound("its slots"))?;
        (room.tick, room.simulated, room.stirred) = (saved.tick, saved.simulated, saved.stirred);
        room.cadence.halvings = saved.halvings;
        room.probes = saved.probes;
        room.notices = saved.notices.into_owned();
        room.listing = saved.listing.into_owned();
        (room.chat, room.events) = (saved.chat.into_owned(), saved.events.into_owned());
        let members = &room.members;
        let who = |player| members.get(player).map(|member| &member.identity);
        room.chat.name_speakers(who);
        room.results = saved.results.into_owned();
        room.has_left_some_out = saved.has_left_some_out;
        // Last: the game's hooks may have done something to them meanwhile.
        let mut rng = ChaCha8Rng::from_seed(saved.rng.seed);
        rng.set_stream(saved.rng.stream);
        rng.set_word_pos(saved.rng.word);
        *resources::own::<RoomRng>(world) = RoomRng(Box::new(rng));
        *resources::own::<Given>(world) = Given::restored(saved.released.into_owned());
        resources::own::<game::Tick>(world).number = saved.simulated.0;
        resources::own::<Roster>(world).members = room.members.public();
        let mut out = resources::own::<Out>(world);
        out.queued = saved.queued.into_iter().map(Cow::into_owned).collect();
        out.kicked = saved.kicked;
        out.result = saved.result.map(Cow::into_owned);
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

/// Puts the checksum into what [`Room::save_into`] gave.
pub(crate) fn seal(save: &mut [u8]) {
    if let Some((header, body)) = save.split_at_mut_checked(HEADER_BYTES) {
        header[6..].copy_from_slice(&hash(body).to_le_bytes());
    }
}

/// What is behind the header of a save that is whole.
fn opened(bytes: &[u8]) -> Result<&[u8], RestoreError> {
    let magic = bytes.split_first_chunk::<4>();
    let (_, rest) = magic
        .filter(|(magic, _)| **magic == MAGIC)
        .ok_or(RestoreError::Foreign)?;
    let (format, rest) = rest.split_first_chunk().ok_or(RestoreError::Damaged)?;
    let format = u16::from_le_bytes(*format);
    if format != FORMAT {
        return Err(RestoreError::Format(format));
    }
    let (sum, body) = rest.split_first_chunk().ok_or(RestoreError::Damaged)?;
    if bytes.len() > SAVE_BYTES_MAX || u32::from_le_bytes(*sum) != hash(body) {
        return Err(RestoreError::Damaged);
    }
    Ok(body)
}

/// Differs between games whose rooms are not each other's.
fn fingerprint<G: Game>(game: &GameDef<G>) -> Result<u32, SaveError> {
    if let Some(known) = game.fingerprint.get() {
        return Ok(*known);
    }
    let names: Vec<&str> = game.kinds.iter().map(|kind| kind.name()).collect();
    let mut bytes = Vec::new();
    append_saved(&(&game.schema, names, G::SAVE_FORMAT), &mut bytes)
        .map_err(|error| SaveError::Value("Schema", error))?;
    Ok(*game.fingerprint.get_or_init(|| hash(&bytes)))
}

/// Tells damage by chance, not by will.
fn hash(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}
