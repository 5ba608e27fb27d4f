//! Who is in a room: seats, names, hosts, and what each of them has got of its state.

use bevy_ecs::prelude::Entity;
use tickwire::ids::{PlayerId, Tick};
use tickwire::limits::PLAYER_NUMBERS;
use tickwire::netcode::input_queue::InputQueue;
use tickwire::protocol::frame::SnapshotHead;
use tickwire::protocol::server_message;

use super::audience::{Audience, Spectator};
use super::receiver::Receiver;
use super::seat_tokens::SeatTokens;
use super::send_rate::cadence::Cadence;
use super::send_rate::in_flight::BadAck;
use super::send_rate::tiers::Move;
use super::told::Flags;
use super::viewed_input::ViewedInput;
use crate::admission::talk::Talk;
use crate::by_player::{ByPlayer, is_spectator};
use crate::game::{Identity, Options, Player};

/// A player of the room. In this order in memory: what every tick needs of every player, from
/// `ready` to the receiver's `in_flight`, lies together.
#[repr(C)]
pub(super) struct Member<I> {
    pub(super) name: String,
    pub(super) identity: Identity,
    /// What they brought.
    pub(super) options: Options,
    /// What they may come back with.
    pub(super) tokens: SeatTokens,
    /// Rises with every join of the room: the host is who has the least.
    pub(super) order: u32,
    /// When they did something last.
    pub(super) stirred: Tick,
    pub(super) talk: Talk,
    /// The tick from which they may chat.
    pub(super) muted_until: Tick,
    pub(super) ready: bool,
    /// The newest tick that they can have seen: what they saw after the room was saved of which it
    /// was made is not what it was. No limit once they have acknowledged something since.
    pub(super) seen_max: Tick,
    /// Whether somebody has answered on an earlier connection; see [`Member::has_answered`].
    pub(super) answered: bool,
    pub(super) substituted: bool,
    /// Since when their connection is lost.
    pub(super) away_since: Option<Tick>,
    pub(super) entity: Entity,
    pub(super) inputs: InputQueue<ViewedInput<I>>,
    /// What they get of the room's state.
    pub(super) receiver: Receiver,
}

impl<I: Default + Clone> Member<I> {
    /// What others see of them, told or not.
    pub(super) fn flags(&self, host: Option<PlayerId>) -> Flags {
        Flags {
            ready: self.ready,
            host: host == Some(self.player()),
            connected: self.away_since.is_none(),
        }
    }

    pub(super) fn new(
        who: Player,
        entity: Entity,
        order: u32,
        newest_wins: bool,
        tick: Tick,
    ) -> Member<I> {
        Member {
            name: who.name,
            identity: who.identity,
            options: who.options,
            tokens: SeatTokens::new(order),
            order,
            stirred: tick,
            talk: Talk::new(tick),
            muted_until: Tick(0),
            ready: false,
            seen_max: Tick(u32::MAX),
            answered: false,
            substituted: false,
            away_since: None,
            entity,
            inputs: InputQueue::new(newest_wins),
            receiver: Receiver::new(who.id, tick),
        }
    }

    /// Their number.
    pub(super) fn player(&self) -> PlayerId {
        self.receiver.player
    }

    /// They acknowledged the snapshot of `ack`, after the room's `tick`.
    pub(super) fn acked(
        &mut self,
        ack: Tick,
        tick: Tick,
        cadence: Cadence,
    ) -> Result<Move, BadAck> {
        let is_first = !self.receiver.in_flight.any_acked();
        let moved = self.receiver.acked(ack, tick, cadence)?;
        if is_first && self.receiver.in_flight.any_acked() {
            // What they acknowledge came after the newest token.
            self.tokens.confirm();
            self.seen_max = Tick(u32::MAX);
        }
        Ok(moved)
    }

    /// What the head of a snapshot of `tick` says of their inputs.
    fn head(&self, tick: Tick) -> SnapshotHead {
        let slack = self.inputs.newest_tick().map_or(i8::MIN, |newest| {
            let early = i64::from(newest.0) - i64::from(tick.0);
            early.clamp(-127, 127) as i8
        });
        SnapshotHead {
            tick,
            input_tick: self.inputs.input_tick(),
            substituted: self.substituted,
            slack,
        }
    }

    /// Whether somebody has shown that they know of the seat: by an input or an acknowledgement, on
    /// whichever connection. Said once, it is true for as long as the seat is taken.
    pub(super) fn has_answered(&self) -> bool {
        self.answered || self.receiver.in_flight.any_acked() || self.inputs.newest_tick().is_some()
    }

    /// As the game sees them.
    pub(super) fn who(&self) -> Player {
        Player {
            id: self.player(),
            name: self.name.clone(),
            identity: self.identity.clone(),
            options: self.options.clone(),
        }
    }

    /// A new connection earns no new lines, and the seat is as old and as well known as it was.
    pub(super) fn stay(&mut self, old: &Member<I>) {
        self.answered = old.has_answered();
        self.talk = old.talk;
        self.receiver.came_at = old.receiver.came_at;
        self.tokens = old.tokens;
        self.seen_max = old.seen_max;
        self.muted_until = old.muted_until;
    }

    /// As others see them.
    pub(super) fn public(&self, host: Option<PlayerId>) -> server_message::Member {
        self.flags(host).of(self.player(), &self.name)
    }
}

/// The members of a room, by their numbers, and who looks on.
pub(super) struct Members<I> {
    seated: ByPlayer<Member<I>>,
    pub(super) audience: Audience,
    seats: u16,
    pub(super) joined: u32,
    /// The number to be given out next, if it is free.
    pub(super) next: u16,
}

impl<I: Default + Clone> Members<I> {
    pub(super) fn new(seats: u16, spectators: u16) -> Members<I> {
        Members {
            seated: ByPlayer::for_seats(seats),
            audience: Audience::new(spectators),
            seats,
            joined: 0,
            next: 0,
        }
    }

    /// A number for a newcomer, if there is a seat: not one that was somebody's lately, so that
    /// what was theirs is nobody's.
    pub(super) fn free_seat(&self) -> Option<PlayerId> {
        if self.len() >= usize::from(self.seats) {
            return None;
        }
        let numbers = (self.next..PLAYER_NUMBERS).chain(0..self.next);
        numbers
            .map(PlayerId)
            .find(|number| self.seated.get(*number).is_none())
    }

    /// A number that no earlier member had.
    pub(super) fn next_order(&mut self) -> u32 {
        self.joined += 1;
        self.joined
    }

    pub(super) fn sit(&mut self, member: Member<I>) {
        self.next = (member.player().0 + 1) % PLAYER_NUMBERS;
        self.seated.insert(member.player(), member);
    }

    pub(super) fn stand_up(&mut self, player: PlayerId) -> Option<Member<I>> {
        self.seated.remove(player)
    }

    pub(super) fn get_mut(&mut self, player: PlayerId) -> Option<&mut Member<I>> {
        self.seated.get_mut(player)
    }

    pub(super) fn get(&self, player: PlayerId) -> Option<&Member<I>> {
        self.seated.get(player)
    }

    /// By rising number.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Member<I>> {
        self.seated.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Member<I>> {
        self.seated.iter_mut()
    }

    /// What those have got who have a connection, the players first, by rising number.
    pub(super) fn receivers(&self) -> impl Iterator<Item = &Receiver> {
        let present = self.iter().filter(|member| member.away_since.is_none());
        let audience = self.audience.iter();
        present
            .map(|member| &member.receiver)
            .chain(audience.map(|spectator| &spectator.receiver))
    }

    /// The same, to be changed.
    pub(super) fn receivers_mut(&mut self) -> impl Iterator<Item = &mut Receiver> {
        let all = self.seated.iter_mut();
        let present = all.filter(|member| member.away_since.is_none());
        let audience = self.audience.iter_mut();
        present
            .map(|member| &mut member.receiver)
            .chain(audience.map(|spectator| &mut spectator.receiver))
    }

    /// The same, with how each member is; of spectators there is nothing to tell.
    pub(super) fn told_mut(
        &mut self,
        host: Option<PlayerId>,
    ) -> impl Iterator<Item = (Flags, &mut Receiver)> {
        let all = self.seated.iter_mut();
        let present = all.filter(|member| member.away_since.is_none());
        let audience = self.audience.iter_mut();
        present
            .map(move |member| (member.flags(host), &mut member.receiver))
            .chain(audience.map(|spectator| (Flags::default(), &mut spectator.receiver)))
    }

    /// What somebody has got.
    pub(super) fn receiver_mut(&mut self, player: PlayerId) -> Option<&mut Receiver> {
        if is_spectator(player) {
            return Some(&mut self.audience.get_mut(player)?.receiver);
        }
        Some(&mut self.get_mut(player)?.receiver)
    }

    /// The same, with the head of a snapshot of `tick` for them.
    pub(super) fn headed(
        &mut self,
        player: PlayerId,
        tick: Tick,
    ) -> Option<(SnapshotHead, &mut Receiver)> {
        if is_spectator(player) {
            let receiver = &mut self.audience.get_mut(player)?.receiver;
            return Some((Spectator::head(tick), receiver));
        }
        let member = self.get_mut(player)?;
        Some((member.head(tick), &mut member.receiver))
    }

    /// The numbers of those of whom this holds.
    pub(super) fn those(&self, is: impl Fn(&Member<I>) -> bool) -> Vec<PlayerId> {
        let those = self.iter().filter(|member| is(member));
        those.map(Member::player).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.seated.len()
    }

    /// Who has been here longest, of those whose connection is there.
    pub(super) fn host(&self) -> Option<PlayerId> {
        self.iter()
            .min_by_key(|member| (member.away_since.is_some(), member.order))
            .map(Member::player)
    }

    pub(super) fn public(&self) -> Vec<server_message::Member> {
        let host = self.host();
        self.iter().map(|member| member.public(host)).collect()
    }
}
