//! What the lobby's queue hears of a connection without its asking: that it has come into the room
//! of its match, and that it is gone. Whoever has the connection says so, a worker too, and waits
//! for nobody: it goes into a list that the lobby looks through.

use std::sync::Arc;

use parking_lot::Mutex;
use tickwire::ids::RoomId;
use tokio::sync::Notify;

use crate::auth::Identity;
use crate::queue::OfferId;

/// What happened.
#[derive(Debug)]
pub(crate) enum QueueNews {
    /// A connection of this player is gone.
    Gone(Identity),
    /// This player has come into the room of a match.
    Seated(Identity, OfferId, RoomId),
}

/// All that a queue has not heard yet: no more than a few for each connection.
#[derive(Default)]
pub(crate) struct QueueEar {
    heard: Mutex<Vec<QueueNews>>,
    wakes: Notify,
}

impl QueueEar {
    fn say(&self, news: QueueNews) {
        self.heard.lock().push(news);
        self.wakes.notify_one();
    }

    /// Has the queue looked at soon.
    pub(crate) fn wake(&self) {
        self.wakes.notify_one();
    }

    /// Done when there may be news.
    pub(crate) async fn hears(&self) {
        self.wakes.notified().await;
    }

    /// What it has heard since the last time.
    pub(crate) fn take(&self) -> Vec<QueueNews> {
        std::mem::take(&mut *self.heard.lock())
    }
}

/// A connection's: from its hello until it is dropped with it.
pub(crate) struct QueueLink {
    ear: Arc<QueueEar>,
    player: Identity,
    /// The match to whose room it is on its way.
    pub(crate) coming: Option<(OfferId, RoomId)>,
}

impl QueueLink {
    pub(crate) fn new(ear: &Arc<QueueEar>, player: &Identity) -> QueueLink {
        QueueLink {
            ear: ear.clone(),
            player: player.clone(),
            coming: None,
        }
    }

    /// It has a seat in a room: that of its match, if it was on its way there.
    pub(crate) fn seated(&mut self) {
        if let Some((offer, room)) = self.coming.take() {
            self.ear
                .say(QueueNews::Seated(self.player.clone(), offer, room));
        }
    }
}

impl Drop for QueueLink {
    fn drop(&mut self) {
        self.ear.say(QueueNews::Gone(self.player.clone()));
    }
}
