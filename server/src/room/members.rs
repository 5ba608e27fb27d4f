//! Who is in a room: seats, names, hosts, and what each player holds of its state.

use bevy_ecs::prelude::Entity;
use serde::Serialize;
use tickwire::ids::{LayerId, PlayerId, Tick};
use tickwire::limits::{CHAT_BURST, PLAYER_NUMBERS};
use tickwire::netcode::input_queue::InputQueue;
use tickwire::protocol::server_message;

use super::event::Listener;
use super::seat_tokens::SeatTokens;
use super::send_rate::cadence::Cadence;
use super::send_rate::in_flight::{BadAck, InFlightWindow};
use super::send_rate::tiers::{Move, RateTier};
use super::told::{Flags, Told};
use super::viewed_input::ViewedInput;
use crate::by_player::ByPlayer;
use crate::game::{Identity, Player};
use crate::replication::held::HeldLayers;

/// What a player gets of the newest image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing: it is not their rate tier's, or they have it already.
    #[default]
    Pass,
    /// Their snapshot, if it can be written.
    Send,
    /// The same, though it is not their rate tier's: to see whether their link is well again.
    Probe,
    /// Nothing, for want of room in the in-flight window.
    Skip,
    /// Nothing: others are caught up first.
    Wait,
}

/// Snapshots of one player, since they joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Sent.
    pub sent: u64,
    /// Not made: too much was in flight.
    pub skipped_credit: u64,
    /// Not made: older bytes waited.
    pub skipped_blocked: u64,
    /// Not made: others were caught up first.
    pub skipped_rationed: u64,
}

/// How a player's snapshots fare: what an operator sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClientState {
    /// Whose.
    pub player: PlayerId,
    /// Every so many images are meant for it: 1, 2, 4 … 32.
    pub tier: u32,
    /// Since when it has fallen behind, in milliseconds, if it has and was not served since.
    pub waiting_ms: Option<u64>,
    /// Snapshots that may be in flight at the room's full rate.
    pub in_flight: u32,
    /// Snapshots in flight.
    pub unacked: u32,
    /// Their bytes.
    pub unacked_bytes: u32,
    /// The shortest round trip of the last 5 to 10 s, in milliseconds, rounded up to a whole tick;
    /// `None` before the first.
    pub round_trip_ms: Option<u64>,
    /// What became of its snapshots.
    #[serde(flatten)]
    pub tally: Tally,
}

/// A player of the room. In this order in memory: what every tick needs of every player, from
/// `seated_at` to `in_flight`, lies together.
#[repr(C)]
pub(super) struct Member<I> {
    pub(super) name: String,
    pub(super) identity: Identity,
    /// What they may come back with.
    pub(super) tokens: SeatTokens,
    /// Rises with every join of the room: the host is who has the least.
    pub(super) order: u32,
    /// When they did something last.
    pub(super) stirred: Tick,
    /// Layers whose keyframe was asked for within [`tickwire::limits::RESYNC_EVERY_MS`], and when.
    pub(super) resynced: Vec<(LayerId, Tick)>,
    pub(super) chat_left: u32,
    pub(super) chat_at: Tick,
    /// The tick from which they may chat.
    pub(super) muted_until: Tick,
    /// What they were told of the others.
    pub(super) told: Told,
    /// The room's tick when they took their seat, which a loss does not change.
    pub(super) seated_at: Tick,
    pub(super) ready: bool,
    /// Whether somebody has answered on an earlier connection; see [`Member::has_answered`].
    pub(super) answered: bool,
    pub(super) player: PlayerId,
    /// Since when their connection is lost.
    pub(super) away_since: Option<Tick>,
    pub(super) entity: Entity,
    pub(super) inputs: InputQueue<ViewedInput<I>>,
    pub(super) substituted: bool,
    pub(super) turn: Turn,
    /// The team in the newest image.
    pub(super) team: Option<u8>,
    pub(super) tier: RateTier,
    /// Number of the last image sent, 0 for none.
    pub(super) sent_number: u32,
    /// Up to what tick they have got the momentary events.
    events_from: Tick,
    /// Up to what tick they have got the durable events.
    pub(super) durable_from: Tick,
    /// What they were sent of each layer.
    pub(super) layers: HeldLayers,
    /// What became of this player's snapshots.
    pub(super) tally: Tally,
    pub(super) in_flight: InFlightWindow,
}

impl<I: Default + Clone> Member<I> {
    /// What others see of them, told or not.
    pub(super) fn flags(&self, host: Option<PlayerId>) -> Flags {
        Flags {
            ready: self.ready,
            host: host == Some(self.player),
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
            player: who.id,
            name: who.name,
            identity: who.identity,
            ready: false,
            answered: false,
            away_since: None,
            entity,
            order,
            stirred: tick,
            inputs: InputQueue::new(newest_wins),
            substituted: false,
            in_flight: InFlightWindow::default(),
            tier: RateTier::default(),
            turn: Turn::Pass,
            sent_number: 0,
            tally: Tally::default(),
            events_from: tick,
            durable_from: Tick(0),
            seated_at: tick,
            tokens: SeatTokens::default(),
            layers: HeldLayers::default(),
            team: None,
            resynced: Vec::new(),
            chat_left: CHAT_BURST,
            chat_at: tick,
            told: Told::default(),
            muted_until: Tick(0),
        }
    }

    /// A snapshot of the image `number` of `tick` was sent, with the events up to it.
    pub(super) fn sent(&mut self, tick: Tick, number: u32) {
        self.sent_number = number;
        self.events_from = tick;
        self.durable_from = tick;
    }

    /// Whether the player is granted a keyframe of a layer at `tick`, one in `every` ticks.
    pub(super) fn resync(&mut self, layer: LayerId, tick: Tick, every: u32) -> bool {
        self.resynced.retain(|(_, at)| tick.since(*at) < every);
        if self.resynced.iter().any(|(asked, _)| *asked == layer) {
            return false;
        }
        self.resynced.push((layer, tick));
        self.layers.lose(layer);
        true
    }

    /// They acknowledged the snapshot of `ack`, after the room's `tick`.
    pub(super) fn acked(
        &mut self,
        ack: Tick,
        tick: Tick,
        cadence: Cadence,
    ) -> Result<Move, BadAck> {
        let is_first = !self.in_flight.any_acked();
        let drained = self.in_flight.ack(ack, tick, cadence)?;
        if is_first && self.in_flight.any_acked() {
            // What they acknowledge came after the newest token.
            self.tokens.confirm();
        }
        Ok(drained.map_or(Move::Stays, |images| self.tier.drained(images, tick)))
    }

    /// Whether somebody has shown that they know of the seat: by an input or an acknowledgement, on
    /// whichever connection. Said once, it is true for as long as the seat is taken.
    pub(super) fn has_answered(&self) -> bool {
        self.answered || self.in_flight.any_acked() || self.inputs.newest_tick().is_some()
    }

    /// What events they still have to get.
    pub(super) fn listener(&self) -> Listener {
        Listener {
            player: self.player,
            team: self.team,
            seated_at: self.seated_at,
            momentary: self.events_from,
            durable: self.durable_from,
        }
    }

    /// Whether the player may say another line at `tick`.
    pub(super) fn may_chat(&mut self, tick: Tick, tick_rate: u16) -> bool {
        let earned = tick.since(self.chat_at) / u32::from(tick_rate.max(1));
        if earned > 0 {
            self.chat_left = (self.chat_left + earned).min(CHAT_BURST);
            self.chat_at = tick;
        }
        let may = self.chat_left > 0;
        self.chat_left -= u32::from(may);
        may
    }

    /// What an operator sees of it at `tick`.
    pub(super) fn state(&self, tick: Tick, cadence: Cadence) -> ClientState {
        let (unacked, unacked_bytes) = self.in_flight.unacked();
        let ms = |ticks| cadence.ms(ticks);
        ClientState {
            player: self.player,
            tier: self.tier.stride(),
            waiting_ms: self.tier.waiting.map(|since| ms(tick.since(since))),
            in_flight: self.in_flight.window(cadence),
            unacked,
            unacked_bytes,
            round_trip_ms: self.in_flight.round_trip_ticks().map(ms),
            tally: self.tally,
        }
    }

    /// As the game sees them.
    pub(super) fn who(&self) -> Player {
        Player {
            id: self.player,
            name: self.name.clone(),
            identity: self.identity.clone(),
        }
    }

    /// A new connection earns no new lines, and the seat is as old and as well known as it was.
    pub(super) fn stay(&mut self, old: &Member<I>) {
        self.answered = old.has_answered();
        (self.chat_left, self.chat_at) = (old.chat_left, old.chat_at);
        self.seated_at = old.seated_at;
        self.tokens = old.tokens;
        self.muted_until = old.muted_until;
    }

    /// As others see them.
    pub(super) fn public(&self, host: Option<PlayerId>) -> server_message::Member {
        self.flags(host).of(self.player, &self.name)
    }
}

/// The members of a room, by their numbers.
pub(super) struct Members<I> {
    seated: ByPlayer<Member<I>>,
    seats: u16,
    pub(super) joined: u32,
    /// The number to be given out next, if it is free.
    pub(super) next: u16,
}

impl<I: Default + Clone> Members<I> {
    pub(super) fn new(seats: u16) -> Members<I> {
        Members {
            seated: ByPlayer::for_seats(seats),
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
        self.next = (member.player.0 + 1) % PLAYER_NUMBERS;
        self.seated.insert(member.player, member);
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

    /// The numbers of those of whom this holds.
    pub(super) fn those(&self, is: impl Fn(&Member<I>) -> bool) -> Vec<PlayerId> {
        let those = self.iter().filter(|member| is(member));
        those.map(|member| member.player).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.seated.len()
    }

    /// Who has been here longest, of those whose connection is there.
    pub(super) fn host(&self) -> Option<PlayerId> {
        self.iter()
            .min_by_key(|member| (member.away_since.is_some(), member.order))
            .map(|member| member.player)
    }

    pub(super) fn public(&self) -> Vec<server_message::Member> {
        let host = self.host();
        self.iter().map(|member| member.public(host)).collect()
    }
}
