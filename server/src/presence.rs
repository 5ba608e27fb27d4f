//! Who is connected: every connection that said hello, wherever it is, with what others know it by,
//! and what they have for it: `moderation` its orders, `notices` its letters,
//! `history` what it asked for. One table under one lock, taken when a connection says hello, changes
//! its room and ends, and when somebody asks for some of them, never on the tick path. What stands in
//! an [`Online`] itself is reached without it.

mod away;
mod blocked;
mod in_party;
mod lent;
mod line;
mod mailbox;
mod online;
mod party_channel;
mod post;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tickwire::ids::RoomId;
use tokio::sync::Notify;

use crate::auth::Identity;
use crate::date::Date;
pub(crate) use away::{Away, Mail, Outgoing, Sent};
pub(crate) use blocked::Blocked;
pub(crate) use lent::Lent;
pub(crate) use line::{PlayerLine, Whereabouts};
pub(crate) use mailbox::{At, Letter, MAILBOX_BYTES_MAX, STANDINGS, Shown, Standing, Window};
pub(crate) use online::Online;
pub(crate) use party_channel::PartyChannel;
pub(crate) use post::Post;

/// Connections that are remembered when they are gone, so that who did something and went can still
/// be named. Beyond: the one that went first is forgotten.
const GONE_MAX: usize = 1000;

/// Hears of what becomes of the connections that this process has itself.
pub(crate) trait Follow: Send + Sync {
    /// One is in another room, or in none.
    fn moved(&self, number: u64, room: Option<RoomId>, is_listed: bool);
    /// One is no more.
    fn gone(&self, number: u64);
}

/// The table. Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Presence(Arc<Shared>);

#[derive(Default)]
struct Shared {
    table: Mutex<Table>,
    /// Those whose clients said what they have seen, each once: see [`Present::saw`].
    heard: Mutex<Vec<Arc<Online>>>,
    /// Wakes who waits for them.
    hears: Notify,
    follower: OnceLock<Weak<dyn Follow>>,
    /// Wakes who waits for [`Presence::take_stirred`].
    stirs: Notify,
}

#[derive(Default)]
struct Table {
    here: HashMap<u64, Arc<Online>>,
    of_player: BTreeMap<(Identity, u64), Arc<Online>>,
    of_room: BTreeMap<(RoomId, u64), Arc<Online>>,
    of_party: BTreeMap<(PartyChannel, u64), Arc<Online>>,
    newest: u64,
    /// Players who came, went, or are elsewhere, each once.
    stirred: BTreeSet<Identity>,
    /// With when they went, latest last.
    gone: VecDeque<(Arc<Online>, Instant)>,
}

impl Presence {
    /// Enters a connection; it is there until the guard is dropped.
    pub(crate) fn enter(
        &self,
        game: &'static str,
        name: &str,
        identity: &Identity,
        address: IpAddr,
    ) -> Present {
        self.enter_as(game, name, identity, address, None)
    }

    /// Enters one that another node lends, as it is there.
    pub(crate) fn lend(
        &self,
        game: &'static str,
        name: &str,
        identity: &Identity,
        away: Away,
        as_it_is: &Lent,
    ) -> Present {
        // It is that node's to know.
        let address = Ipv4Addr::UNSPECIFIED.into();
        let present = self.enter_as(game, name, identity, address, Some(Box::new(away)));
        if let Some(lobby) = as_it_is.hears {
            present.set_hears(lobby);
        }
        present.mute(Some(as_it_is.muted_until));
        present.set_room(as_it_is.room, as_it_is.is_listed);
        present
    }

    fn enter_as(
        &self,
        game: &'static str,
        name: &str,
        identity: &Identity,
        address: IpAddr,
        away: Option<Box<Away>>,
    ) -> Present {
        let mut table = self.0.table.lock();
        table.newest += 1;
        let number = table.newest;
        let online = Online::new(number, game, name, identity, address, away);
        let online = Arc::new(online);
        table.here.insert(number, online.clone());
        let whose = (identity.clone(), number);
        table.of_player.insert(whose, online.clone());
        table.stirred.insert(identity.clone());
        drop(table);
        self.0.stirs.notify_one();
        Present {
            presence: self.clone(),
            online,
            is_welcome: false,
        }
    }

    /// Who hears from now on what becomes of the connections of this process; the first one counts.
    pub(crate) fn follow(&self, follower: Weak<dyn Follow>) {
        let _ = self.0.follower.set(follower);
    }

    fn tell_follower(&self, online: &Online, tell: impl FnOnce(&dyn Follow)) {
        let follower = self.0.follower.get().filter(|_| !online.is_lent());
        if let Some(follower) = follower.and_then(Weak::upgrade) {
            tell(&*follower);
        }
    }

    /// Those with these numbers who are still there.
    pub(crate) fn of_numbers(&self, numbers: &[u64]) -> Vec<Arc<Online>> {
        let table = self.0.table.lock();
        let here = numbers.iter().filter_map(|number| table.here.get(number));
        here.cloned().collect()
    }

    /// Those who are meant.
    pub(crate) fn all(&self, mut is_meant: impl FnMut(&Online) -> bool) -> Vec<Arc<Online>> {
        let table = self.0.table.lock();
        let here = table.here.values();
        here.filter(|online| is_meant(online)).cloned().collect()
    }

    /// A player's, the oldest first.
    pub(crate) fn of_player(&self, player: &Identity) -> Vec<Arc<Online>> {
        let all = (player.clone(), 0)..=(player.clone(), u64::MAX);
        let table = self.0.table.lock();
        let theirs = table.of_player.range(all);
        theirs.map(|(_, online)| online.clone()).collect()
    }

    /// Those in a room, or on their way to it.
    pub(crate) fn of_room(&self, room: RoomId) -> Vec<Arc<Online>> {
        let table = self.0.table.lock();
        let there = table.of_room.range((room, 0)..=(room, u64::MAX));
        there.map(|(_, online)| online.clone()).collect()
    }

    /// Those whose connection ended in a room within `span`, and who are nowhere now.
    pub(crate) fn lost_in(&self, room: RoomId, span: Duration) -> Vec<Identity> {
        let now = Instant::now();
        let table = self.0.table.lock();
        let of_late = table.gone.iter().rev();
        let of_late = of_late.take_while(|(_, went)| now.saturating_duration_since(*went) <= span);
        let from_there = of_late.filter(|(online, _)| online.room() == Some(room));
        let mut lost: Vec<Identity> = from_there
            .map(|(online, _)| online.identity.clone())
            .filter(|player| {
                let mut here = table.of_player.range((player.clone(), 0)..);
                here.next().is_none_or(|((whose, _), _)| whose != player)
            })
            .collect();
        lost.sort_unstable();
        lost.dedup();
        lost
    }

    /// Those whose clients said since the last time what they have seen.
    pub(crate) fn take_heard(&self) -> Vec<Arc<Online>> {
        let heard = std::mem::take(&mut *self.0.heard.lock());
        for online in &heard {
            // Before it is read: what comes now has it in the list again.
            online.is_heard.store(false, Ordering::SeqCst);
        }
        heard
    }

    /// Done when there may be some.
    pub(crate) async fn hears(&self) {
        self.0.hears.notified().await;
    }

    /// Somebody is to be erased: of their connections that are gone nothing is shown any more.
    pub(crate) fn forget(&self, who: &Identity) {
        let mut table = self.0.table.lock();
        table.gone.retain(|(online, _)| online.identity != *who);
    }

    /// Others may see something of a player otherwise from now on.
    pub(crate) fn stir(&self, who: &Identity) {
        self.0.table.lock().stirred.insert(who.clone());
        self.0.stirs.notify_one();
    }

    /// Those of whom that is so, or who came, went or are elsewhere, since the last time.
    pub(crate) fn take_stirred(&self) -> BTreeSet<Identity> {
        std::mem::take(&mut self.0.table.lock().stirred)
    }

    /// Done when there may be some.
    pub(crate) async fn stirs(&self) {
        self.0.stirs.notified().await;
    }

    /// Where each of these players is, by each of their connections, in the order in which they
    /// came.
    pub(crate) fn whereabouts(&self, players: &[Identity]) -> Vec<Vec<Whereabouts>> {
        let of = |player: &Identity| {
            let theirs = self.of_player(player).into_iter();
            theirs.map(|online| online.whereabouts()).collect()
        };
        players.iter().map(of).collect()
    }

    /// Everybody, then those who went, the latest first.
    pub(crate) fn lines(&self, today: Date) -> Vec<PlayerLine> {
        let table = self.0.table.lock();
        let here = table.here.iter().filter(|(_, online)| !online.is_lent());
        let mut here: Vec<_> = here
            .map(|(number, online)| (*number, online.clone()))
            .collect();
        let gone: Vec<(Arc<Online>, Instant)> = table.gone.iter().rev().cloned().collect();
        drop(table);
        here.sort_unstable_by_key(|(number, _)| std::cmp::Reverse(*number));
        let now = Instant::now();
        let here = here.iter().map(|(_, online)| online.line(now, None, today));
        let gone = gone.iter();
        here.chain(gone.map(|(online, went)| online.line(now, Some(*went), today)))
            .collect()
    }
}

/// A connection's entry, which goes with it.
pub(crate) struct Present {
    presence: Presence,
    online: Arc<Online>,
    is_welcome: bool,
}

impl Present {
    /// It was let in: it is remembered when it is gone.
    pub(crate) fn welcome(mut self) -> Present {
        self.is_welcome = true;
        self
    }

    /// Tells others where it is, and whether lists show that room; `None`: in the lobby. Not for the
    /// tick path.
    pub(crate) fn set_room(&self, room: Option<RoomId>, is_listed: bool) {
        let mut table = self.presence.0.table.lock();
        if let Some(before) = self.room() {
            table.of_room.remove(&(before, self.number));
        }
        if let Some(room) = room {
            let place = (room, self.number);
            table.of_room.insert(place, self.online.clone());
        }
        let number = room.map_or(0, |room| room.0);
        let listed = if is_listed { number } else { 0 };
        self.online.listed.store(listed, Ordering::Relaxed);
        self.online.room.store(number, Ordering::Relaxed);
        table.stirred.insert(self.online.identity.clone());
        drop(table);
        self.presence.0.stirs.notify_one();
        let presence = &self.presence;
        presence.tell_follower(&self.online, |follower| {
            follower.moved(self.number, room, is_listed);
        });
    }

    /// It, for who has something for it later.
    pub(crate) fn handle(&self) -> Arc<Online> {
        self.online.clone()
    }

    /// Its client says that all durable letters up to this number were shown. Those that it was not
    /// given are not.
    pub(crate) fn saw(&self, number: u32) {
        let given = number.min(self.mailbox.newest());
        self.online.seen.fetch_max(given, Ordering::SeqCst);
        if !self.online.is_heard.swap(true, Ordering::SeqCst) {
            self.presence.0.heard.lock().push(self.online.clone());
            self.presence.0.hears.notify_one();
        }
    }
}

impl std::ops::Deref for Present {
    type Target = Online;

    fn deref(&self) -> &Online {
        &self.online
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        let number = self.number;
        let mut table = self.presence.0.table.lock();
        let Some(online) = table.here.remove(&number) else {
            return;
        };
        let whose = (online.identity.clone(), number);
        table.of_player.remove(&whose);
        table.stirred.insert(whose.0);
        self.presence.0.stirs.notify_one();
        if let Some(room) = online.room() {
            table.of_room.remove(&(room, number));
        }
        if let Some(party) = online.party() {
            table.of_party.remove(&(party, number));
        }
        drop(table);
        let presence = &self.presence;
        presence.tell_follower(&online, |follower| follower.gone(number));
        if !self.is_welcome {
            return;
        }
        let mut table = presence.0.table.lock();
        if table.gone.len() == GONE_MAX {
            table.gone.pop_front();
        }
        table.gone.push_back((online, Instant::now()));
    }
}

#[cfg(test)]
mod tests;
