//! What the lobby's parties hear of a connection without their asking: what it says of its party
//! from a room, that a leader has come into a room to which the others may follow, and that it is
//! gone. Whoever has the connection says so, a worker too, and waits for nobody: it goes into a list
//! that the lobby looks through.

use std::sync::Arc;

use parking_lot::Mutex;
use tickwire::ids::RoomId;
use tickwire::protocol::PartyRequest;
use tokio::sync::Notify;

use crate::auth::Identity;

/// What happened.
#[derive(Debug)]
pub(crate) enum PartyNews {
    /// A connection of this player is gone.
    Gone(Identity),
    /// A client in a room says this.
    Asked(Identity, PartyRequest),
    /// This leader has come into a room.
    Led(Identity, RoomId),
}

/// All that parties have not heard yet: what connections may say between two looks, of which there
/// is one as soon as they say something.
#[derive(Default)]
pub(crate) struct PartyEar {
    heard: Mutex<Vec<PartyNews>>,
    wakes: Notify,
}

impl PartyEar {
    fn say(&self, news: PartyNews) {
        self.heard.lock().push(news);
        self.wakes.notify_one();
    }

    /// Done when there may be news.
    pub(crate) async fn hears(&self) {
        self.wakes.notified().await;
    }

    /// What they have heard since the last time.
    pub(crate) fn take(&self) -> Vec<PartyNews> {
        std::mem::take(&mut *self.heard.lock())
    }
}

/// A connection's: from its hello until it is dropped with it.
pub(crate) struct PartyLink {
    ear: Arc<PartyEar>,
    player: Identity,
    /// The room to which it is on its way, if it leads others who may follow.
    pub(crate) leads_to: Option<RoomId>,
}

impl PartyLink {
    pub(crate) fn new(ear: &Arc<PartyEar>, player: &Identity) -> PartyLink {
        PartyLink {
            ear: ear.clone(),
            player: player.clone(),
            leads_to: None,
        }
    }

    /// Its client says this, in a room.
    pub(crate) fn says(&self, request: PartyRequest) {
        self.ear.say(PartyNews::Asked(self.player.clone(), request));
    }

    /// It has a seat in a room.
    pub(crate) fn seated(&mut self) {
        if let Some(room) = self.leads_to.take() {
            self.ear.say(PartyNews::Led(self.player.clone(), room));
        }
    }
}

impl Drop for PartyLink {
    fn drop(&mut self) {
        self.ear.say(PartyNews::Gone(self.player.clone()));
    }
}
