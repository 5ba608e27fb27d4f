//! What one of those who are sent a room's state has got of it and may get next: layers, events,
//! notices, what is in flight, how often. A member has one beside their seat; a spectator is
//! nothing else. Not who they are, nor what they may do. `send_rate`, `spread` and `inbox` work on
//! these, whoever's they are.

use serde::Serialize;
use tickwire::ids::{LayerId, PlayerId, Tick};

use super::event::Listener;
use super::hidden::Hidden;
use super::send_rate::cadence::Cadence;
use super::send_rate::in_flight::{BadAck, InFlightWindow};
use super::send_rate::tiers::{Move, RateTier};
use super::told::Told;
use crate::by_player::is_spectator;
use crate::game::Groups;
use crate::replication::held::HeldLayers;
use crate::replication::interest;

/// What a receiver gets of the newest image.
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

/// Snapshots of one receiver, since they came.
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

/// How a receiver's snapshots fare: what an operator sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClientState {
    /// Whose.
    pub player: PlayerId,
    /// Whether they only look on: then the number is none of a player's.
    pub spectator: bool,
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

/// See the module's description. In this order in memory: what every tick needs of each, up to
/// `in_flight`, lies together, and behind what it needs of a member.
#[repr(C)]
pub(super) struct Receiver {
    /// The room's tick when they came, which the loss of a member's connection does not change.
    pub(super) came_at: Tick,
    pub(super) player: PlayerId,
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
    /// The groups that they are to hold by the newest image, rising.
    pub(super) groups: Vec<u16>,
    /// Whether their client knows of groups. Else they are sent none.
    pub(super) knows_groups: bool,
    /// What they were sent of each layer.
    pub(super) layers: HeldLayers,
    /// What became of their snapshots.
    pub(super) tally: Tally,
    pub(super) in_flight: InFlightWindow,
    /// What they were told of the members.
    pub(super) told: Told,
    /// Whom they do not want to hear, if there is anybody.
    pub(super) hidden: Option<Hidden>,
    /// Layers whose keyframe was asked for within [`tickwire::limits::RESYNC_EVERY_MS`], and when.
    resynced: Vec<(LayerId, Tick)>,
}

impl Receiver {
    /// Of who comes at `tick`, and was sent nothing yet.
    pub(super) fn new(player: PlayerId, tick: Tick) -> Receiver {
        Receiver {
            came_at: tick,
            player,
            turn: Turn::Pass,
            team: None,
            tier: RateTier::default(),
            sent_number: 0,
            events_from: tick,
            durable_from: Tick(0),
            groups: Vec::new(),
            knows_groups: true,
            layers: HeldLayers::default(),
            tally: Tally::default(),
            in_flight: InFlightWindow::default(),
            told: Told::default(),
            hidden: None,
            resynced: Vec::new(),
        }
    }

    /// A snapshot of the image `number` of `tick` was sent, with the events up to it.
    pub(super) fn sent(&mut self, tick: Tick, number: u32) {
        self.sent_number = number;
        self.events_from = tick;
        self.durable_from = tick;
    }

    /// They had all events up to `tick` on an earlier connection.
    pub(super) fn has_seen(&mut self, tick: Tick) {
        self.events_from = tick;
        self.durable_from = tick;
    }

    /// What they are to hold from the image on that is being made: the group of what they steer, if
    /// they do, and those that the game says. How many are too many.
    pub(super) fn choose_groups(&mut self, own: Option<u16>, said: &Groups) -> usize {
        if !self.knows_groups {
            return 0;
        }
        interest::groups(own, said.of(self.player), &mut self.groups)
    }

    /// Whether they are granted a keyframe of a layer at `tick`, one in `every` ticks.
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
        let drained = self.in_flight.ack(ack, tick, cadence)?;
        Ok(drained.map_or(Move::Stays, |images| self.tier.drained(images, tick)))
    }

    /// What events they still have to get.
    pub(super) fn listener(&self) -> Listener {
        Listener {
            player: self.player,
            team: self.team,
            came_at: self.came_at,
            momentary: self.events_from,
            durable: self.durable_from,
        }
    }

    /// What an operator sees of it at `tick`.
    pub(super) fn state(&self, tick: Tick, cadence: Cadence) -> ClientState {
        let (unacked, unacked_bytes) = self.in_flight.unacked();
        let ms = |ticks| cadence.ms(ticks);
        ClientState {
            player: self.player,
            spectator: is_spectator(self.player),
            tier: self.tier.stride(),
            waiting_ms: self.tier.waiting.map(|since| ms(tick.since(since))),
            in_flight: self.in_flight.window(cadence),
            unacked,
            unacked_bytes,
            round_trip_ms: self.in_flight.round_trip_ticks().map(ms),
            tally: self.tally,
        }
    }
}
