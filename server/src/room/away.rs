//! Members whose connection is lost, and the room's end: a seat is held for a while, with its
//! entity, score and place in the room, and is taken again or given up. Whose connection may
//! take it is the worker's to judge.

use tickwire::ids::{PlayerId, Tick};
use tickwire::limits::EVENT_RING_TICKS;
use tickwire::session::Seen;

use super::members::Member;
use super::receiver::Receiver;
use super::{Effect, Room, resources};
use crate::by_player::is_spectator;
use crate::game::{Closing, Game, Identity, Options};

impl<G: Game> Room<G> {
    /// A player's connection is lost: their seat is held for the room's grace, their input is the
    /// neutral one. Without a grace they leave; so does who never answered anything, for whom the
    /// seat may be as good as unknown: they would find it taken, by themselves. A spectator leaves.
    /// False: there is no seat of theirs any more.
    pub fn disconnect(&mut self, player: PlayerId) -> bool {
        let Some(member) = self.members.get(player) else {
            self.leave(player);
            return false;
        };
        if self.options.grace == 0 || !member.has_answered() {
            self.leave(player);
            return false;
        }
        self.hold(player)
    }

    /// Holds a player's seat, whose connection is gone or is about to be replaced.
    fn hold(&mut self, player: PlayerId) -> bool {
        let tick = self.tick;
        let newest_wins = self.game.schema.newest_wins;
        let Some(member) = self.members.get_mut(player) else {
            return false;
        };
        if member.away_since.is_some() {
            return true;
        }
        member.away_since = Some(tick);
        member.start_anew(newest_wins, tick);
        self.stats.players_dropped += 1;
        self.call(player, G::dropped);
        self.update_roster();
        true
    }

    /// The room is made of a save, after the process in which it was may have gone on: nobody has a
    /// connection, seats are held from now on, and what may have been said to clients since is
    /// neither remembered nor said again in another meaning.
    pub(crate) fn begin_again(&mut self) {
        let tick = self.tick;
        self.chat.leave_out_some();
        let said = self.chat.said;
        for player in self.members.those(|_| true) {
            let Some(member) = self.members.get_mut(player) else {
                continue;
            };
            member.tokens = member.tokens.unremembered();
            member.seen_max = member.seen_max.min(tick);
            member.receiver.told.chat = said;
            match &mut member.away_since {
                Some(since) => *since = tick,
                None => _ = self.disconnect(player),
            }
        }
    }

    /// A player is back on a new connection with what the seat was given to open it, and has seen
    /// so much. Who still has the old one and saw what is hardly past goes on without a gap, as when
    /// a client changes its transport: nobody hears that they were away. False: they have no seat
    /// here.
    pub fn resume(&mut self, player: PlayerId, seen: Seen) -> bool {
        let now = self.tick;
        let Some(member) = self.members.get_mut(player) else {
            return self.take_again(player, seen);
        };
        // They have what came after the seat.
        member.answered = true;
        let is_there = member.away_since.is_none() && self.options.grace > 0;
        let is_fresh =
            seen.tick > Tick(0) && seen.tick <= now && now.since(seen.tick) < EVENT_RING_TICKS;
        if is_there && is_fresh && seen.tick <= member.seen_max {
            self.go_on(player, seen);
            return true;
        }
        self.take_again(player, seen)
    }

    /// A player's connection is another one from now on: what they get begins anew, from what they
    /// have seen; their inputs go on.
    fn go_on(&mut self, player: PlayerId, seen: Seen) {
        let tick = self.tick;
        let Some(member) = self.members.get_mut(player) else {
            return;
        };
        let old = std::mem::replace(&mut member.receiver, Receiver::new(player, tick));
        member.receiver.came_at = old.came_at;
        member.receiver.team = old.team;
        member.receiver.has_seen(seen.tick);
        self.stats.players_moved += 1;
        self.stir(player);
        self.tell_joined(player, seen.chat);
    }

    /// A player joined anew and gets the seat that [`Room::seat_of`] found; what they bring this
    /// time takes the place of what they brought, unless it is nothing. False: they have no seat
    /// here.
    pub fn take_over(&mut self, player: PlayerId, options: &Options) -> bool {
        if let Some(member) = self.members.get_mut(player) {
            // A page that wakes up somewhere with a token of before does not take the seat back.
            member.tokens = member.tokens.replaced();
            if !options.bytes().is_empty()
                && let Some(options) = self.game.options.player.complete(options)
            {
                member.options = options;
            }
        }
        self.take_again(player, Seen::default())
    }

    /// The seat that somebody who joins has here already, and takes over instead of another one: of
    /// theirs, the one whose connection was lost last. In a full room it may also be one whose
    /// connection seems alive, because nobody knows yet that it is dead, or it is on another
    /// device: rather one that never answered, then the oldest. Where there is a seat left, a
    /// second connection of the same person gets one of its own; `is_promised`: those that are left
    /// are for others, who are on their way. None where seats are not held.
    pub fn seat_of(&self, who: &Identity, is_promised: bool) -> Option<PlayerId> {
        if self.options.grace == 0 {
            return None;
        }
        let theirs = || self.members.iter().filter(|member| member.identity == *who);
        let away = theirs()
            .filter(|member| member.away_since.is_some())
            .max_by_key(|member| (member.away_since, member.order));
        let alive = || theirs().min_by_key(|member| (member.has_answered(), member.order));
        let is_full = is_promised || self.members.len() >= usize::from(self.options.seats);
        let found = away.or_else(|| alive().filter(|_| is_full));
        found.map(Member::player)
    }

    fn take_again(&mut self, player: PlayerId, seen: Seen) -> bool {
        // The old connection may not know yet that it is dead.
        if self.options.grace == 0 {
            self.leave(player);
        }
        if !self.hold(player) {
            return false;
        }
        let tick = self.tick;
        let newest_wins = self.game.schema.newest_wins;
        let Some(member) = self.members.get_mut(player) else {
            return false;
        };
        member.away_since = None;
        member.start_anew(newest_wins, tick);
        member.receiver.durable_from = seen.tick.min(tick).min(member.seen_max);
        self.stats.players_resumed += 1;
        self.stir(player);
        self.update_roster();
        self.tell_joined(player, seen.chat);
        self.call(player, G::resumed);
        true
    }

    /// Whether a seat's token of this serial opens it.
    pub(crate) fn admits(&self, player: PlayerId, serial: u64) -> bool {
        let member = self.members.get(player);
        member.is_some_and(|member| member.tokens.admit(serial))
    }

    /// The serial of the token that a player is to come back with.
    pub(crate) fn newest_token(&self, player: PlayerId) -> Option<u64> {
        Some(self.members.get(player)?.tokens.newest())
    }

    /// They came back with the token of that serial: they are to have another one.
    pub(crate) fn renew_token(&mut self, player: PlayerId, used: u64) {
        if let Some(member) = self.members.get_mut(player) {
            member.tokens = member.tokens.renewed(used);
        }
    }

    /// Whose a seat is, or who a spectator is.
    pub fn identity(&self, player: PlayerId) -> Option<&Identity> {
        if is_spectator(player) {
            return Some(&self.members.audience.get(player)?.identity);
        }
        Some(&self.members.get(player)?.identity)
    }

    /// Whose the seats are that are taken, by rising number.
    pub(crate) fn seats(&self) -> impl Iterator<Item = (PlayerId, &Identity)> {
        let members = self.members.iter();
        members.map(|member| (member.player(), &member.identity))
    }

    /// Whether a player has a seat, present or not.
    pub fn has_member(&self, player: PlayerId) -> bool {
        self.members.get(player).is_some()
    }

    /// Whether a player has a seat and a connection, or a spectator is here.
    pub(crate) fn is_present(&self, player: PlayerId) -> bool {
        if is_spectator(player) {
            return self.members.audience.get(player).is_some();
        }
        let member = self.members.get(player);
        member.is_some_and(|member| member.away_since.is_none())
    }

    /// Gives up the seats that were held for too long.
    pub(super) fn expire_seats(&mut self) {
        let (tick, grace) = (self.tick, self.options.grace);
        let is_over = |since: Tick| tick.since(since) >= grace;
        let away = |member: &Member<G::Input>| member.away_since.is_some_and(is_over);
        for player in self.members.those(away) {
            self.leave(player);
            self.stats.seats_expired += 1;
            self.effects.push_back(Effect::Vacate { player });
        }
    }

    /// The room is about to be dropped, unless it failed: the game hears of it.
    pub fn close(&mut self, why: Closing) {
        G::closing(&mut self.world, why);
    }

    /// Calls a hook of the game, unless it took the player's entity away itself.
    fn call(
        &mut self,
        player: PlayerId,
        hook: fn(&mut bevy_ecs::world::World, &crate::game::Player, bevy_ecs::entity::Entity),
    ) {
        let Some(member) = self.members.get(player) else {
            return;
        };
        let (who, entity) = (member.who(), member.entity);
        if self.world.get_entity(entity).is_ok() {
            resources::with(&mut self.world, |world| hook(world, &who, entity));
        }
    }
}

impl<I: Default + Clone> Member<I> {
    /// A connection begins or ends: what was sent over the last one and came from it is void.
    fn start_anew(&mut self, newest_wins: bool, tick: Tick) {
        let fresh = Member::new(self.who(), self.entity, self.order, newest_wins, tick);
        let old = std::mem::replace(self, fresh);
        self.ready = old.ready;
        self.receiver.team = old.receiver.team;
        self.away_since = old.away_since;
        self.stay(&old);
    }
}
