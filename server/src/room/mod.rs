//! A room: a world, its members and what they were sent. A pure state machine: it knows no
//! socket and no clock, and the same joins, messages and ticks give the same bytes. The worker
//! that owns it feeds it messages, ticks it, and writes what it composes.

mod audience;
mod away;
mod backend;
mod chat;
mod describe;
mod doze;
mod durable;
mod effect;
mod event;
mod events;
mod hidden;
mod inbox;
mod listing;
mod members;
mod notices;
mod pages;
mod receiver;
mod resources;
mod results;
mod save;
pub(crate) mod seat_tokens;
pub(crate) mod send_rate;
mod spread;
mod stats;
mod step;
#[cfg(test)]
mod tests;
mod told;
mod typing;
mod viewed_input;
mod watching;
mod workspace;

pub use effect::{Came, Effect, Remembered, Wanted};
pub(crate) use hidden::Hidden;
pub use receiver::{ClientState, Tally};
#[cfg(fuzzing)]
pub(crate) use save::hostile;
pub(crate) use save::seal;
use save::world::Shapes;
pub use save::{RestoreError, SaveError};
pub use stats::RoomStats;
pub use workspace::Workspace;

use std::collections::VecDeque;
use std::sync::Arc;

use bevy_ecs::prelude::*;
use bevy_ecs::schedule::SingleThreadedExecutor;
use tickwire::ids::{PlayerId, Tick};
use tickwire::protocol::server_message::{LeaveReason, Refusal, RoomInfo};

use crate::by_player::is_spectator;
use crate::game::{
    self, Game, GameDef, Groups, Identity, Input, Options, Out, Owner, Player, RoomOptions,
    RoomRng, Roster,
};
use crate::prefetch::{prefetch_all, prefetch_from_to};
use crate::replication::capture::Capture;
use crate::replication::image::Ring;
use crate::replication::slots::Slot;
use send_rate::catch_up::Allowance;

use chat::Chat;
use events::Events;
use listing::Listing;
use members::{Member, Members};
use notices::Notices;
use results::Results;
use send_rate::cadence::Cadence;
use typing::Typing;

/// Effects for which an empty queue keeps room. A crowd that comes at once makes some for each pair
/// of members, which would stay for ever.
const EFFECTS_KEPT: usize = 256;

/// A room of a game.
pub struct Room<G: Game> {
    game: Arc<GameDef<G>>,
    options: RoomOptions,
    world: World,
    schedule: Schedule,
    tick: Tick,
    /// The newest that was simulated.
    simulated: Tick,
    /// When somebody did something last.
    stirred: Tick,
    cadence: Cadence,
    members: Members<G::Input>,
    notices: Notices,
    listing: Listing,
    chat: Chat,
    /// Of whoever comes next.
    newcomer: Option<Hidden>,
    typing: Typing,
    events: Events,
    capture: Capture,
    ring: Ring,
    probes: Allowance,
    effects: VecDeque<Effect>,
    stats: RoomStats,
    results: Results,
    /// Whether entities ever found no slot.
    has_left_some_out: bool,
    /// Reused memory.
    values: Vec<i32>,
    workspace: Box<Workspace>,
    saved_shapes: Shapes,
}

impl<G: Game> Room<G> {
    /// A room without members, before its first tick, of at most [`Game::SEATS_MAX`] seats.
    pub fn new(game: Arc<GameDef<G>>, mut options: RoomOptions) -> Room<G> {
        options.seats = options.seats.clamp(1, G::SEATS_MAX.max(1));
        // What was read from a peer or a save is what is declared: it was asked before.
        options.options = game
            .options
            .room
            .complete(&options.options)
            .unwrap_or_default();
        let mut world = World::new();
        let mut schedule = Schedule::default();
        world.insert_resource(game::Tick {
            number: 0,
            dt: 1.0 / f64::from(options.tick_rate),
        });
        world.insert_resource(RoomRng::seeded(options.seed));
        world.insert_resource(Roster::default());
        world.insert_resource(Groups::default());
        world.insert_resource(game.out());
        let capture = Capture::new(&mut world, &game.layout, &game.schema, &game.components);
        resources::with(&mut world, |world| {
            G::setup(world, &mut schedule, &options);
        });
        schedule.set_executor(SingleThreadedExecutor::new());
        let listing = Listing::new(&mut world, &game);
        Room {
            cadence: Cadence::new(options.tick_rate, options.snapshot_every),
            members: Members::new(options.seats, options.spectators),
            game,
            options,
            world,
            schedule,
            tick: Tick(0),
            simulated: Tick(0),
            stirred: Tick(0),
            notices: Notices::default(),
            listing,
            chat: Chat::default(),
            newcomer: None,
            typing: Typing::default(),
            events: Events::default(),
            capture,
            ring: Ring::default(),
            probes: Allowance::default(),
            effects: VecDeque::new(),
            stats: RoomStats::default(),
            results: Results::default(),
            has_left_some_out: false,
            values: Vec::new(),
            workspace: Box::default(),
            saved_shapes: Shapes::default(),
        }
    }

    /// Halves the snapshot rate that it was made with so many times, because its worker has too
    /// much to do. Its tick rate stays.
    pub fn throttle(&mut self, halvings: u8) {
        self.cadence.halvings = halvings;
    }

    /// Ticks from one snapshot to the next, now.
    pub fn snapshot_every(&self) -> u32 {
        self.cadence.every()
    }

    /// Works in the memory of `workspace` from now on, which gets the room's own.
    pub fn borrow_workspace(&mut self, workspace: &mut Box<Workspace>) {
        std::mem::swap(&mut self.workspace, workspace);
    }

    /// Gives back what it borrowed, and has its own again. The counts of [`Room::stats`] are of the
    /// borrowed one: they are taken before. Bodies of the newest image are made anew if they are
    /// asked for later.
    pub fn return_workspace(&mut self, workspace: &mut Box<Workspace>) {
        self.workspace.fan_out.clear();
        self.ring
            .drop_residuals(&mut self.workspace.capture.residuals);
        std::mem::swap(&mut self.workspace, workspace);
    }

    /// Has the processor fetch what a turn touches of two players; what `next` points to must have
    /// been fetched before.
    pub(crate) fn prefetch(&self, next: PlayerId, next_but_one: PlayerId) {
        if let Some(member) = self.members.get(next) {
            prefetch_all(member.inputs.waiting());
        }
        if let Some(member) = self.members.get(next_but_one) {
            prefetch_from_to(&member.ready, &member.receiver.in_flight);
        }
    }

    /// Whether it may go on in another thread: no data of its world is bound to this one.
    pub(crate) fn may_move(&self) -> bool {
        let bound = &self.world.storages().non_sends;
        !bound.iter().any(|(_, data)| data.is_present())
    }

    /// How it was made.
    pub fn options(&self) -> &RoomOptions {
        &self.options
    }

    /// Members.
    pub fn players(&self) -> usize {
        self.members.len()
    }

    /// The newest tick, 0 before the first.
    pub fn tick_number(&self) -> Tick {
        self.tick
    }

    /// The game's world, for tests and benches of a game.
    pub fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    /// Counts since the last call.
    pub fn stats(&mut self) -> RoomStats {
        let mut stats = std::mem::take(&mut self.stats);
        stats.bodies_encoded = std::mem::take(&mut self.workspace.fan_out.bodies);
        stats.keyframes = std::mem::take(&mut self.workspace.fan_out.keyframes);
        stats.entities_unsent = std::mem::take(&mut self.capture.slots.unsent);
        let has_unsent = stats.entities_unsent > 0;
        stats.entities_unsent_first =
            has_unsent && !std::mem::replace(&mut self.has_left_some_out, true);
        stats.events_dropped = std::mem::take(&mut resources::own::<Out>(&mut self.world).dropped);
        stats
    }

    /// How each one's snapshots fare: the players', also of those who are away, then the
    /// spectators', each by rising number.
    pub fn clients(&self) -> impl Iterator<Item = ClientState> {
        let players = self.members.iter().map(|member| &member.receiver);
        let audience = self.members.audience.iter();
        players
            .chain(audience.map(|spectator| &spectator.receiver))
            .map(|receiver| receiver.state(self.tick, self.cadence))
    }

    /// The next thing to do, until there is none. Drained after every call of the others.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        let effect = self.effects.pop_front();
        if effect.is_none() && self.effects.capacity() > EFFECTS_KEPT {
            self.effects = VecDeque::new();
        }
        effect
    }

    /// Seats a player of whom nothing but the name is known, as tests of a game do.
    pub fn join(&mut self, name: &str) -> Result<PlayerId, Refusal> {
        self.join_as(name, Identity::nobody(), &Options::default())
    }

    /// Seats a player, whose name is tidied already, with the options that they bring.
    ///
    /// # Errors
    /// `RoomFull`; `BadOptions`: they are not what the game declares.
    pub fn join_as(
        &mut self,
        name: &str,
        identity: Identity,
        options: &Options,
    ) -> Result<PlayerId, Refusal> {
        let player = self.members.free_seat().ok_or(Refusal::RoomFull)?;
        let options = self.game.options.player.complete(options);
        let who = Player {
            id: player,
            name: name.to_owned(),
            identity,
            options: options.ok_or(Refusal::BadOptions)?,
        };
        // Whoever had the number before is long gone; so is all that was theirs.
        self.disown(player);
        let entity = resources::with(&mut self.world, |world| G::join(world, &who));
        self.world
            .entity_mut(entity)
            .insert((Owner(player), Input::<G::Input>::default()));
        let order = self.members.next_order();
        self.members.sit(Member::new(
            who,
            entity,
            order,
            self.game.schema.newest_wins,
            self.tick,
        ));
        self.stir(player);
        self.update_roster();
        self.tell_joined(player, 0);
        Ok(player)
    }

    /// Takes a player out for good, or a spectator. With the last player all spectators go.
    pub fn leave(&mut self, player: PlayerId) {
        if is_spectator(player) {
            self.stop_watching(player);
            return;
        }
        let Some(member) = self.members.stand_up(player) else {
            return;
        };
        self.chat.forget(player);
        self.typing.forget(player);
        let who = member.who();
        self.results
            .left(player, &who.name, &who.identity, self.options.seats);
        if let Some(mut input) = self.world.get_mut::<Input<G::Input>>(member.entity) {
            *input = Input {
                substituted: true,
                view: f64::from(self.tick.0),
                ..Input::default()
            };
        }
        if self.world.get_entity(member.entity).is_ok() {
            resources::with(&mut self.world, |world| {
                G::leave(world, &who, member.entity);
            });
        }
        self.disown(player);
        self.give_way(member.entity);
        resources::own::<Out>(&mut self.world).forget(player);
        resources::own::<Groups>(&mut self.world).set(player, []);
        self.update_roster();
        if self.members.len() == 0 {
            self.dismiss_spectators();
        }
    }

    /// Somebody who left is not to be named in a result any more.
    pub(crate) fn forget(&mut self, identity: &Identity) {
        self.results.forget(identity);
    }

    /// What belongs to a player is nobody's from now on.
    fn disown(&mut self, player: PlayerId) {
        for entity in self.capture.owned_by(&self.world, player) {
            // A game that looks on may despawn others of theirs with the first.
            if let Ok(mut entity) = self.world.get_entity_mut(entity) {
                entity.remove::<Owner>();
            }
        }
    }

    /// What was an avatar and outlives its player is shown no longer if the next one's would find
    /// no slot for it.
    fn give_way(&mut self, avatar: Entity) {
        let is_short = self.capture.slots.spare() < self.slots_kept();
        if is_short && let Ok(mut avatar) = self.world.get_entity_mut(avatar) {
            avatar.remove::<Slot>();
        }
    }

    /// Slots that are for avatars alone.
    fn slots_kept(&self) -> usize {
        let avatars = self.members.iter().map(|member| member.entity);
        self.capture.kept(self.options.seats, avatars)
    }

    /// Whether a player's client knows of groups, by what it said of itself; else none is sent to
    /// it. It does, until this says otherwise of a connection.
    pub fn set_knows_groups(&mut self, player: PlayerId, knows: bool) {
        if let Some(receiver) = self.members.receiver_mut(player) {
            receiver.knows_groups = knows;
        }
    }

    /// Does not let a player chat for so many ticks; 0: they may. It lasts over a lost connection,
    /// and ends with the seat.
    pub fn mute(&mut self, player: PlayerId, ticks: u32) {
        let until = Tick(self.tick.0.saturating_add(ticks));
        if let Some(member) = self.members.get_mut(player) {
            member.muted_until = until;
        }
    }

    /// Whom the one who comes next does not want to hear.
    pub(crate) fn expect(&mut self, hidden: Option<Hidden>) {
        self.newcomer = hidden;
    }

    /// Whom somebody who is here does not want to hear from now on.
    pub(crate) fn hide(&mut self, player: PlayerId, hidden: Hidden) {
        if let Some(receiver) = self.members.receiver_mut(player) {
            receiver.hidden = (!hidden.blocked.is_empty()).then_some(hidden);
        }
    }

    /// Who a player of the room is, and as whom they are there.
    pub(crate) fn known(&self, player: PlayerId) -> Option<(&Identity, &str)> {
        let member = self.members.get(player)?;
        Some((&member.identity, &member.name))
    }

    /// What the lobby shows.
    pub fn info(&self) -> RoomInfo {
        let (players, spectators) = (self.members.len(), self.members.audience.len());
        let (locked, metadata) = (self.listing.locked, &self.listing.metadata);
        self.options
            .info(players as u16, spectators as u16, locked, metadata)
    }

    /// Sends a player away, who is kept out for a while.
    fn kick(&mut self, player: PlayerId) {
        if let Some(identity) = self.identity(player).cloned() {
            self.effects.push_back(Effect::KeepOut { player, identity });
            self.depart(player, LeaveReason::Kicked);
        }
    }

    /// Sends somebody back to the lobby who is not to blame for it.
    pub fn dismiss(&mut self, player: PlayerId) {
        self.depart(player, LeaveReason::RoomClosed);
    }

    fn depart(&mut self, player: PlayerId, reason: LeaveReason) {
        self.leave(player);
        self.effects.push_back(Effect::Depart { player, reason });
    }

    /// Members came, went or changed: the game sees it at once, the others with their next tick.
    fn update_roster(&mut self) {
        resources::own::<Roster>(&mut self.world).members = self.members.public();
        self.notices.mark();
    }
}
