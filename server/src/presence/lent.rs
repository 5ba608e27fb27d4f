//! What nodes have to know of one another's connections: that of a stand-in, and of a connection what is
//! said of it where it is lent. `lending` calls it, and who serves stand-ins.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use tickwire::codec::decode_server;
use tickwire::ids::RoomId;
use tickwire::protocol::{PartyState, QueueState, ServerMessage};

use super::away::Held;
use super::blocked::Blocked;
use super::mailbox::{STANDINGS, Standing, Window};
use super::online::Online;
use super::party_channel::PartyChannel;
use crate::date::Date;

/// What there is of a connection beside who it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lent {
    pub(crate) room: Option<RoomId>,
    /// Whether lists show that room.
    pub(crate) is_listed: bool,
    /// Whether it is told what players say, and if so whether also the lobby.
    pub(crate) hears: Option<bool>,
    /// Whether its client understands notices.
    pub(crate) takes_notices: bool,
    /// What else it understands, by [`Standing`].
    pub(crate) attends: [bool; STANDINGS],
    pub(crate) muted_until: Date,
    pub(crate) party: Option<PartyChannel>,
}

impl Online {
    /// Whom its player has blocked, as who has the connection knows already.
    pub(crate) fn recall_blocked(&self, blocked: Arc<Blocked>) {
        *self.blocked.lock() = Some(blocked);
    }

    /// Whether another node has the connection.
    pub(crate) fn is_lent(&self) -> bool {
        self.away.is_some()
    }

    /// What its client was told last of how something stands; empty: nothing.
    pub(crate) fn shown(&self, standing: Standing) -> Bytes {
        self.mailbox.shown(standing)
    }

    /// Whether it understands what it is told of this.
    pub(crate) fn attends(&self, standing: Standing) -> bool {
        let attends = match &self.away {
            Some(away) => away.attends,
            None => self.mailbox.attends(),
        };
        attends[standing as usize]
    }

    /// Whether its client was told last that it is in the queue; of a stand-in, when it came.
    pub(crate) fn is_queued(&self) -> bool {
        if let Some(away) = &self.away {
            return away.is_queued;
        }
        let shown = decode_server(&self.shown(Standing::Queue));
        let is_out = |state: &QueueState| matches!(state, QueueState::Out { .. });
        matches!(shown, Ok(Some(ServerMessage::Queue { state, .. })) if !is_out(&state))
    }

    /// By what its client was told last that it may go into this room: as that of its match, or its
    /// party's.
    pub(crate) fn led_by(&self, room: RoomId) -> Option<Standing> {
        let led = |standing| match decode_server(&self.shown(standing)) {
            Ok(Some(ServerMessage::Queue {
                state: QueueState::Going { room, .. },
                ..
            })) => Some(room),
            Ok(Some(ServerMessage::Party {
                state: PartyState::In { room, .. },
                ..
            })) => room.map(|to| to.room),
            _ => None,
        };
        let mut standings = [Standing::Queue, Standing::Party].into_iter();
        standings.find(|standing| led(*standing) == Some(room))
    }

    /// A stand-in keeps this until it is gone; of another connection it is dropped.
    pub(crate) fn hold(&self, what: Held) {
        if let Some(away) = &self.away {
            away.held.lock().push(what);
        }
    }

    /// What another node is to know of it where it is lent.
    pub(crate) fn lent(&self) -> Lent {
        Lent {
            room: self.room(),
            is_listed: self.listed.load(Ordering::Relaxed) != 0,
            hears: self.hears(Window::Two).then(|| self.hears(Window::Lobby)),
            takes_notices: self.mailbox.is_open(),
            attends: self.mailbox.attends(),
            muted_until: Date(self.muted_until.load(Ordering::Relaxed)),
            party: self.party(),
        }
    }
}
