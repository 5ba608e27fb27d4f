//! A player's stay in a room: who is there, the images held, the clock and the acknowledgement.
//! Starts with `Joined`, ends with `Left`.

use super::ack_timing::AckTiming;
use super::layers::Layers;
use crate::ids::{LayerId, PlayerId, Tick};
use crate::netcode::clock_sync::{self, ClockSync};
use crate::netcode::input_timing::InputTiming;
use crate::protocol::ServerMessage;
use crate::protocol::frame::SnapshotHead;
use crate::protocol::server_message::{ChatLine, Member, RoomInfo};
use crate::snapshot::image::{LayerImage, OwnerCode};

/// See the module's description.
#[derive(Debug)]
pub struct RoomSession {
    /// The room as it was on joining.
    pub info: RoomInfo,
    /// The code by which others may join.
    pub code: String,
    /// The player's number here, none for a spectator.
    pub you: Option<PlayerId>,
    /// Steps a second.
    pub tick_rate: u16,
    /// Ticks between snapshots.
    pub snapshot_every: u16,
    /// Who is here, by rising number.
    pub members: Vec<Member>,
    /// Whether more of those who were here on joining are still to be told.
    pub more_members: bool,
    /// How the room was made: the schema's room options, packed.
    pub options: Vec<u8>,
    /// What was said before, oldest first.
    pub chat: Vec<ChatLine>,
    /// The server's tick, as far as it can be known.
    pub clock: ClockSync,
    /// When the player's inputs leave.
    pub timing: InputTiming,
    /// The room's tick on joining or coming back: events up to it are from before.
    pub joined_at: Tick,
    /// The newest snapshot applied, 0 for none.
    pub newest: Tick,
    pub(super) layers: Layers,
    pub(super) leaving: bool,
    /// What would not be told again on coming back.
    pub(super) seen: Seen,
    /// What the seat is taken again with, and for how many milliseconds it is held.
    pub(super) resume: Option<(String, u32)>,
    acks: AckTiming,
}

/// How far a player has come in what the room keeps for those who come back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The newest chat line, 0 for none.
    pub chat: u32,
    /// The newest snapshot applied, on this connection or one before it; 0 for none. The events up
    /// to its tick have been handed out.
    pub tick: Tick,
}

impl RoomSession {
    /// The stay that a `Joined` begins, of a player who has seen so much of the room before; `None`
    /// for any other message.
    pub(super) fn new(joined: ServerMessage, seen: Seen) -> Option<RoomSession> {
        let ServerMessage::Joined {
            room,
            code,
            you,
            tick_rate,
            snapshot_every,
            tick,
            mut members,
            more,
            chat,
            options,
        } = joined
        else {
            return None;
        };
        members.sort_by_key(|member| member.player);
        Some(RoomSession {
            info: room,
            code,
            you,
            tick_rate,
            snapshot_every,
            members,
            more_members: more,
            options,
            seen: Seen {
                chat: chat.last().map_or(seen.chat, |line| line.id),
                ..seen
            },
            joined_at: tick,
            resume: None,
            chat,
            clock: ClockSync::new(tick_rate),
            timing: InputTiming::new(tick_rate),
            newest: Tick(0),
            layers: Layers::default(),
            leaving: false,
            acks: AckTiming::new(tick_rate, snapshot_every),
        })
    }

    /// Whether the client only looks on: it has no seat, and nothing of it goes to the room but
    /// what keeps it here.
    pub fn spectates(&self) -> bool {
        self.you.is_none()
    }

    /// A layer's image as of its last change, `None` while it is not held.
    pub fn layer(&self, layer: LayerId) -> Option<&LayerImage> {
        self.layers.image(layer)
    }

    /// All layers that are held, by rising number. What everyone sees is in the room's layer and,
    /// of entities of groups, in those from [`LayerId::FIRST_GROUP`] on.
    pub fn layers(&self) -> impl Iterator<Item = (LayerId, &LayerImage)> {
        self.layers.images()
    }

    /// What the player steers, as everyone sees it: the layer, which may be a group's, and its
    /// index in that one's image.
    pub fn avatar(&self) -> Option<(LayerId, usize)> {
        let own = OwnerCode {
            player: self.you?,
            avatar: true,
        }
        .encode();
        let is_everyones = |layer: LayerId| layer == LayerId::ROOM || layer.is_group();
        let mut layers = self.layers().filter(|(layer, _)| is_everyones(*layer));
        layers.find_map(|(layer, image)| {
            let at = image.entities.iter().position(|head| head.owner == own);
            at.map(|at| (layer, at))
        })
    }

    pub(super) fn on_member_changed(&mut self, member: &Member) {
        match self
            .members
            .binary_search_by_key(&member.player, |known| known.player)
        {
            Ok(index) => self.members[index] = member.clone(),
            Err(index) => self.members.insert(index, member.clone()),
        }
    }

    pub(super) fn on_member_left(&mut self, player: PlayerId) {
        self.members.retain(|member| member.player != player);
    }

    pub(super) fn on_resume_token(&mut self, token: String, grace_ms: u32) {
        self.resume = Some((token, grace_ms));
    }

    pub(super) fn on_snapshot(&mut self, head: &SnapshotHead, now_us: u64) {
        self.newest = head.tick;
        self.seen.tick = head.tick;
        let gap = self.layers.gap(head.tick);
        let is_rest_end = clock_sync::ends_rest(gap, self.tick_rate, self.snapshot_every);
        self.clock.on_snapshot(head.tick, now_us, is_rest_end);
        if let Some(server_tick) = self.clock.server_tick(now_us) {
            self.timing.on_report(head.tick, head.slack, server_tick);
        }
        self.acks.on_snapshot(now_us);
    }

    pub(super) fn on_round_trip(&mut self, rtt_us: u64) {
        self.timing
            .on_round_trip(rtt_us as f64 / self.clock.period_us());
    }

    pub(super) fn next_input(&mut self, now_us: u64) -> Option<Tick> {
        if self.leaving || self.spectates() {
            return None;
        }
        let server_tick = self.clock.server_tick(now_us)?;
        self.timing.next_stamp(server_tick)
    }

    pub(super) fn next_input_us(&self) -> Option<u64> {
        if self.leaving || self.spectates() {
            return None;
        }
        match self.timing.next_due() {
            Some(due) => Some(self.clock.time_of(due)?.ceil() as u64),
            None => self.clock.server_tick(0).map(|_| 0),
        }
    }

    /// The acknowledgement that an input carries now.
    pub(super) fn acknowledge(&mut self) -> Tick {
        self.acks.sent();
        self.newest
    }

    /// The acknowledgement that goes out alone now, if one is due.
    pub(super) fn take_ack(&mut self, now_us: u64) -> Option<Tick> {
        let due = self.ack_due_us().is_some_and(|due| due <= now_us);
        due.then(|| self.acknowledge())
    }

    /// When that is.
    pub(super) fn ack_due_us(&self) -> Option<u64> {
        self.acks.due_us()
    }
}
