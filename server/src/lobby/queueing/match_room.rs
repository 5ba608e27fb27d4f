//! A match from when it is offered until it is played or comes to nothing, and its room: made
//! private, with a seat taken for each of its players, who come to it one by one. `table` has them.

use std::collections::BTreeMap;

use tickwire::ids::RoomId;

use super::around::Around;
use crate::auth::Identity;
use crate::directory::Mark;
use crate::game::{Match, MatchTeam, RoomOptions};
use crate::queue::PlayerKey;
use crate::worker::Order;

/// See the module's description.
pub(super) struct Made {
    pub(super) players: Vec<PlayerKey>,
    /// Once all have accepted.
    pub(super) room: Option<MatchRoom>,
    /// Whether it is played: its room goes on without the queue.
    pub(super) is_played: bool,
}

impl Made {
    pub(super) fn of(players: Vec<PlayerKey>) -> Made {
        Made {
            players,
            room: None,
            is_played: false,
        }
    }

    /// Gives up what is kept for a player who does not come.
    pub(super) fn give_up(&mut self, around: &Around<'_>, player: PlayerKey) {
        if let Some(room) = &mut self.room
            && let Some(who) = room.kept.remove(&player)
        {
            around.registry.abandon(room.id, who);
        }
    }

    /// It is over for the queue: what is kept goes, and who is in a room that is not to be leaves
    /// it.
    pub(super) fn end(self, around: &Around<'_>) {
        let Some(room) = self.room else {
            return;
        };
        for who in room.kept.values() {
            around.registry.abandon(room.id, *who);
        }
        if !self.is_played {
            dismiss(around, room.id, None);
        }
    }
}

/// A match's room.
pub(super) struct MatchRoom {
    pub(super) id: RoomId,
    /// How it is made by who comes first.
    pub(super) opens: Box<RoomOptions>,
    /// The seats that are taken for those who have not come, by whose they are.
    pub(super) kept: BTreeMap<PlayerKey, Mark>,
}

impl MatchRoom {
    /// Makes it, with a seat for each of these. `None`: there is no place for it.
    pub(super) fn make(
        around: &Around<'_>,
        matched: Match,
        players: &[(PlayerKey, Identity)],
    ) -> Option<MatchRoom> {
        let mark = |(key, who): &(PlayerKey, Identity)| (*key, around.registry.mark(who));
        let kept: BTreeMap<PlayerKey, Mark> = players.iter().map(mark).collect();
        let name = matched.mode.clone();
        let options = RoomOptions {
            private: true,
            seats: u16::try_from(kept.len()).unwrap_or(u16::MAX),
            matched: Some(Box::new(matched)),
            ..around.rooms.usual(&[]).ok()?
        };
        let mut marks = kept.values().copied();
        let maker = marks.next()?;
        let creation = around
            .rooms
            .creation(around.registry, &name, None, maker, options);
        let mut creation = creation.ok()?;
        creation.others = marks.collect();
        let mut opens = Box::new(creation.options.clone());
        let place = around.registry.create(creation).ok()?;
        opens.id = place.room;
        Some(MatchRoom {
            id: place.room,
            opens,
            kept,
        })
    }
}

/// One side of it.
pub(super) fn team(players: impl Iterator<Item = String>, bots: u8) -> MatchTeam {
    MatchTeam {
        players: players.collect(),
        bots,
    }
}

/// Sends a player out of a room, or everybody.
pub(super) fn dismiss(around: &Around<'_>, room: RoomId, who: Option<&Identity>) {
    let worker = around.registry.worker_of(room);
    if let Some(worker) = worker.and_then(|worker| around.workers.get(worker)) {
        let who = who.cloned();
        worker.order(Order::Dismiss { room, who });
    }
}
