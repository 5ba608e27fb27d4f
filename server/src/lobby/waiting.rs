//! A request of a client in the lobby that has no answer yet: another node was asked, or the
//! directory of all nodes is about to say where a room is. `elsewhere` makes it and looks at it
//! again; the client's task sleeps in between, and reads nothing.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tickwire::ids::RoomId;
use tickwire::protocol::ClientMessage;
use tokio::sync::watch;

use crate::directory::nodes::{AskId, Nodes};
use crate::directory::ownership::messages::Incarnation;

/// For how long another node's answer is waited for: a round trip and a table's lock.
pub(super) const ANSWERED_WITHIN: Duration = Duration::from_secs(1);
/// For how long a room is waited for that nobody has: until its owner is known to be dead and
/// another node has it. A node that was started anew, or has another connection to the engine, acts
/// on what it sees after 8 s (`Timing::settle`); then the room is taken over and made. Below the
/// 20 s that clients wait for an answer. Who waited for so long in vain is not refused but closed with
/// 1012: the room's node may be one that this one does not hear.
pub(super) const FOUND_WITHIN: Duration = Duration::from_secs(15);
/// For how long a node that has just started waits for what the others have to tell, of those who
/// want a room of a name: two of their batches.
pub(super) const TOLD_WITHIN: Duration = Duration::from_secs(2);
/// For how long a room that somebody names is waited for until all nodes have told: the same, since
/// one that does not tell within two of its batches has nothing new.
pub(super) const NEWS_WITHIN: Duration = TOLD_WITHIN;
/// Rooms that may turn somebody away before a quick join makes do with what there is here.
pub(super) const TRIED_MAX: usize = 3;

/// See the module's description.
pub(super) struct Waiting {
    pub(super) request: ClientMessage,
    /// It is answered then, one way or the other.
    pub(super) until: Instant,
    /// Rooms elsewhere that had no seat for them.
    pub(super) tried: Vec<RoomId>,
    pub(super) event: Event,
    pub(super) nodes: Arc<Nodes>,
    changes: watch::Receiver<u64>,
}

/// What is waited for.
pub(super) enum Event {
    /// What a node answers.
    Answer {
        id: AskId,
        to: Incarnation,
        /// Their places in the limits of who makes rooms, where one is to be made.
        held: Option<Box<dyn Any + Send>>,
    },
    /// A room is here, or somewhere.
    Found(RoomId),
    /// All nodes have told of their rooms.
    Told,
    /// They have since then.
    News { since: u64 },
}

impl Waiting {
    /// `None`: too many wait.
    pub(super) fn new(
        nodes: &Arc<Nodes>,
        request: &ClientMessage,
        event: Event,
        tried: Vec<RoomId>,
        now: Instant,
    ) -> Option<Waiting> {
        let within = match &event {
            Event::Answer { .. } => ANSWERED_WITHIN,
            Event::Found(_) => FOUND_WITHIN,
            Event::Told => TOLD_WITHIN,
            Event::News { .. } => NEWS_WITHIN,
        };
        let has_place = match event {
            Event::Found(room) => nodes.seek(room),
            Event::News { .. } => nodes.listen(),
            Event::Answer { .. } | Event::Told => true,
        };
        if !has_place {
            return None;
        }
        Some(Waiting {
            request: request.clone(),
            until: now + within,
            tried,
            event,
            nodes: nodes.clone(),
            changes: nodes.subscribe(),
        })
    }

    /// The places that are held for a room that is made, once.
    pub(super) fn take_held(&mut self) -> Option<Box<dyn Any + Send>> {
        match &mut self.event {
            Event::Answer { held, .. } => held.take(),
            Event::Found(_) | Event::Told | Event::News { .. } => None,
        }
    }

    /// It is looked at: what changed until now is seen.
    pub(super) fn look(&mut self) {
        self.changes.mark_unchanged();
    }

    /// Done when something changed since it was looked at.
    pub(super) fn changed(&self) -> impl Future<Output = ()> + use<> {
        let mut changes = self.changes.clone();
        async move {
            // An error: nothing changes any more.
            let _ = changes.changed().await;
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        match self.event {
            Event::Answer { id, .. } => self.nodes.give_up(id),
            Event::Found(room) => self.nodes.stop_seeking(room),
            Event::News { .. } => self.nodes.stop_listening(),
            Event::Told => {}
        }
    }
}
