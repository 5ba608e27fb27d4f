//! Whom players do not want to hear: in the store, and at each of their connections, where whoever says
//! something looks.

use std::sync::Arc;

use tickwire::limits::BLOCKED_MAX;
use tickwire::protocol::people::Peer;
use tickwire::protocol::server_message::Refusal;
use tokio::time::timeout;

use super::{People, SETTLE, busy};
use crate::auth::{Handle, Identity};
use crate::date;
use crate::presence::{Blocked, Online};
use crate::store::record::{Block, Record};

impl People {
    /// A player hears nothing of another from now on, or hears them again.
    pub(super) async fn block(
        &self,
        who: &Arc<Online>,
        peer: Handle,
        is_in: bool,
    ) -> Result<Peer, Refusal> {
        if !self.may_talk(&who.identity) {
            return Err(Refusal::TooOften);
        }
        let (peer, name) = self.find(peer).await?;
        if peer == who.identity {
            return Err(Refusal::NoSuchPlayer);
        }
        let changing = self.blocking.lock().await;
        let before = self.blocked_of(who).await?;
        if is_in && !before.has(&peer) && before.len() >= BLOCKED_MAX {
            return Err(Refusal::RoomFull);
        }
        let blocked = Arc::new(before.changed(&peer, &name, is_in));
        for online in self.presence.of_player(&who.identity) {
            online.block(blocked.clone());
        }
        self.presence.stir(&who.identity);
        if !self.store.is_there() {
            self.unstored.lock().block(&who.identity, blocked);
            return Ok(self.peer(&peer, &name));
        }
        let stored = self.store.put_acknowledged(Record::Block(Block {
            player: who.identity.to_string(),
            blocked: peer.to_string(),
            at_ms: is_in.then(date::now_ms),
        }));
        drop(changing);
        // It holds here, and is stored later where the database is away.
        let _ = timeout(SETTLE, stored).await;
        Ok(self.peer(&peer, &name))
    }

    /// Somebody is to be erased: nobody is shown them as one whom they have blocked.
    pub(super) async fn unblock_everywhere(&self, whom: &Identity) {
        let _changing = self.blocking.lock().await;
        for online in self.presence.all(|online| online.has_blocked(whom)) {
            if let Some(blocked) = online.blocked() {
                online.block(Arc::new(blocked.changed(whom, "", false)));
                self.presence.stir(&online.identity);
            }
        }
    }

    /// Whom a connection's player has blocked.
    pub(super) async fn blocked_of(&self, who: &Online) -> Result<Arc<Blocked>, Refusal> {
        if let Some(blocked) = who.blocked() {
            return Ok(blocked);
        }
        let stored = self.store.blocked_of(&who.identity.to_string()).await;
        let stored = stored.map_err(|error| busy(&error))?.into_iter();
        let them = stored.filter_map(|(of, name)| Some((Identity::read(&of)?, name)));
        let them: Blocked = them.collect();
        let blocked = match them.is_empty() {
            true => Blocked::nobody(),
            false => Arc::new(them),
        };
        // An order that came meanwhile counts.
        Ok(who.blocked().unwrap_or_else(|| {
            self.knows_blocked(who, blocked.clone());
            blocked
        }))
    }

    /// It is known whom a connection's player has blocked: from now on others may see them.
    pub(super) fn knows_blocked(&self, who: &Online, blocked: Arc<Blocked>) {
        who.block(blocked);
        self.presence.stir(&who.identity);
    }
}
