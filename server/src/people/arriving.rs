//! What a connection is told when it wants to hear of people: who it is to them, whose lines its player
//! has not read, whom they have blocked; and what keeps count of the second.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tickwire::codec::encode_server;
use tickwire::limits::UNREAD_MAX;
use tickwire::protocol::people::Unread;
use tickwire::protocol::server_message::Refusal;
use tickwire::protocol::{PeopleNews, ServerMessage};
use tokio::time::timeout;

use super::known::Marks;
use super::{People, SETTLE, busy, entering};
use crate::auth::{Handle, Identity};
use crate::date;
use crate::presence::{Blocked, Online};
use crate::store::record::{Direct, Record};

/// What was said or read so lately may not be in the store yet.
const FRESH: Duration = Duration::from_secs(5);

impl People {
    /// A connection hears lines from now on, and is told what there is to know.
    pub(super) async fn enter(&self, who: &Arc<Online>, nonce: u32, lobby: bool) {
        let answered = async {
            let blocked = self.blocked_of(who).await?;
            who.hear(lobby);
            let unread = self.unread_of(who, &blocked).await?;
            let peers = blocked.iter();
            let peers = peers.map(|(of, name)| self.peer(of, name)).collect();
            Ok((unread, peers))
        };
        let news = match answered.await {
            Ok((unread, peers)) => {
                let handle = self.remember(&who.identity, &who.name).handle;
                entering::welcome(nonce, handle, unread, peers)
            }
            Err(reason) => {
                let out = ServerMessage::People(PeopleNews::Out { nonce, reason });
                [encode_server(&out).into()].into()
            }
        };
        who.answer(news);
    }

    async fn unread_of(&self, who: &Online, blocked: &Blocked) -> Result<Vec<Unread>, Refusal> {
        let unread = if self.store.is_there() {
            let marked = self.marked.lock().get(&who.identity).copied();
            if marked.is_some_and(|at| at.elapsed() < FRESH) {
                // It is on its way there.
                let _ = timeout(SETTLE, self.store.settled()).await;
            }
            let unread = self.store.unread_of(&who.identity.to_string()).await;
            let unread = unread.map_err(|error| busy(&error))?.into_iter();
            let unread = unread.filter_map(|of| {
                let number = |of: u64| u32::try_from(of).ok();
                let (peer, name) = of.peer;
                let (newest, seen) = (number(of.newest)?, number(of.seen)?);
                Some((Identity::read(&peer)?, name, newest, seen))
            });
            unread.collect::<Vec<_>>()
        } else {
            let unread = self.unstored.lock().unread(&who.identity).into_iter();
            let named = |(peer, marks): (Identity, Marks)| {
                let name = self.name(&self.key.handle(&peer));
                (peer, name, marks.newest, marks.seen)
            };
            unread.map(named).collect()
        };
        let heard = unread.into_iter().filter(|(peer, ..)| !blocked.has(peer));
        let unread = heard
            .take(UNREAD_MAX)
            .map(|(peer, name, newest, read)| Unread {
                peer: self.peer(&peer, &name),
                newest,
                read,
            });
        Ok(unread.collect())
    }

    /// A player has read what a peer said up to a line.
    pub(super) async fn saw(&self, who: &Online, peer: Handle, number: u32) {
        let Ok((peer, _)) = self.find(peer).await else {
            return;
        };
        self.mark(&who.identity, &peer, 0, number);
    }

    /// A peer said a line to a player, or that one has read up to one.
    pub(super) fn mark(&self, player: &Identity, peer: &Identity, newest: u32, seen: u32) {
        if !self.store.is_there() {
            return self.unstored.lock().mark(player, peer, newest, seen);
        }
        *self.marked.lock().entry(player, Instant::now) = Instant::now();
        self.store.put(Record::Direct(Direct {
            player: player.to_string(),
            peer: peer.to_string(),
            newest: newest.into(),
            seen: seen.into(),
            at_ms: date::now_ms(),
        }));
    }
}
