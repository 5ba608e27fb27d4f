//! Who watches whom, by their handles, and what each is told of it: where those are whom a connection
//! watches, and when that changes. Whoever has the connection says whom it watches ([`Watching::ask`]);
//! what it is told lies in its mailbox, of each player the newest alone. [`crate::presence`] says who
//! came, went or is elsewhere. Never on the tick path; nothing is read from the store.
//!
//! **Who went** is told to be so when they were away for [`GRACE`], so that a connection that is lost
//! and made anew, or goes to another node, is nothing to tell.
//!
//! **Who blocked the watcher** looks as if they were away, and as if they went when they did so. Of who
//! just came that is looked up first: before they look as if they were away, too. Of a room that lists
//! do not show nobody is told which it is.
//!
//! **Who is in the lobby** they are told who name it among those whom they watch: that is `crowd`'s.
//!
//! **Bounded**: a connection watches [`WATCHED_MAX`], all of them [`WATCHES_MAX`]; whom it would watch
//! beyond that it is told that it does not. Changes are told together, once every [`PACE`].

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tickwire::limits::WATCHED_MAX;
use tickwire::protocol::CHANNEL_LOBBY;
use tokio::sync::Notify;

use super::crowd::Crowd;
use crate::auth::{Handle, HandleKey, Identity};
use crate::metrics::Metrics;
use crate::presence::{At, Blocked, Online, Presence};

/// Players whom connections watch, each as often as they are watched: two thousand connections that
/// watch as many as they may, in some 20 MB.
const WATCHES_MAX: usize = 200_000;
/// For how long somebody is away before it is told: a client that lost its connection is back by then.
const GRACE: Duration = Duration::from_secs(3);
/// From one look to the next: nobody minds when they hear of a friend, and of who comes and goes all
/// the time five changes a second are told at most.
const PACE: Duration = Duration::from_millis(200);

/// See the module's description.
#[derive(Default)]
pub(super) struct Watching {
    /// Whom connections want to watch, the newest that each said: by the connection's address, which
    /// is its own for as long as it is in here.
    asked: Mutex<HashMap<usize, Watcher>>,
    /// Wakes who tends it.
    asks: Notify,
    table: Mutex<Table>,
}

/// A connection that watches somebody, or wants to.
struct Watcher {
    online: Arc<Online>,
    whom: BTreeSet<Handle>,
    /// And the lobby.
    lobby: bool,
}

/// Somebody who is watched by a connection.
struct Watch {
    online: Arc<Online>,
    /// `None`: nothing yet.
    told: Option<At>,
    /// Since when they look as if they were away, while it is told that they are not.
    away_since: Option<Instant>,
}

/// A player as others may see them.
struct Stands {
    at: At,
    blocked: Option<Arc<Blocked>>,
}

/// What became of a look at somebody.
#[derive(Clone, Copy, PartialEq)]
enum Looked {
    /// There is nothing to tell, or not yet.
    Nothing,
    Told,
    /// They went, and it is told when they were away for long enough.
    Went,
}

struct Table {
    /// Those who are connected.
    here: HashMap<Handle, Identity>,
    watched: HashMap<Handle, Vec<Watch>>,
    watchers: HashMap<Identity, Vec<Watcher>>,
    /// When to look at somebody again who is away: each as often as they went within the grace.
    away: VecDeque<(Instant, Handle)>,
    crowd: Crowd,
    count: usize,
    most: usize,
    /// Times that something was told since the last time that it was counted.
    told: u64,
}

impl Watching {
    /// A connection watches those alone from now on who have these handles. Never waits.
    pub(super) fn ask(&self, who: &Arc<Online>, handles: &[String]) {
        let is_lobby = |name: &&String| *name == CHANNEL_LOBBY;
        let whom = handles.iter().filter(|name| !is_lobby(name));
        let whom = whom.take(WATCHED_MAX);
        let watcher = Watcher {
            lobby: handles.iter().any(|name| is_lobby(&name)),
            whom: whom.filter_map(|handle| Handle::read(handle)).collect(),
            online: who.clone(),
        };
        let place = Arc::as_ptr(who) as usize;
        self.asked.lock().insert(place, watcher);
        self.asks.notify_one();
    }

    /// Tells what there is to tell at `now`.
    pub(super) fn tend(
        &self,
        presence: &Presence,
        key: &HandleKey,
        metrics: &Metrics,
        meet: &(dyn Fn(&Identity, &str) + Sync),
        now: Instant,
    ) {
        let mut table = self.table.lock();
        // Before it is looked who wants to watch: of those who are here by then it is known.
        for who in presence.take_stirred() {
            table.stir(presence, key.handle(&who), who, now);
        }
        let asked = std::mem::take(&mut *self.asked.lock());
        for watcher in asked.into_values() {
            table.watch(presence, metrics, watcher, now);
        }
        table.pass_to(presence, now);
        table.crowd.pass_to(now, meet);
        metrics.watches.set(table.count as f64);
        let told = std::mem::take(&mut table.told);
        metrics.presences.increment(told);
    }

    /// Another node looks after it: nobody is told anything more.
    pub(super) fn forget(&self) {
        self.asked.lock().clear();
        let mut table = self.table.lock();
        table.watched.clear();
        table.watchers.clear();
        table.away.clear();
        table.count = 0;
        table.crowd.forget();
    }

    /// Does so for as long as it is polled.
    pub(super) async fn keep(
        &self,
        presence: &Presence,
        key: &HandleKey,
        metrics: &Metrics,
        meet: &(dyn Fn(&Identity, &str) + Sync),
    ) {
        loop {
            let due = self.table.lock().due();
            let passes = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = presence.stirs() => {}
                () = self.asks.notified() => {}
                () = passes => {}
            }
            self.tend(presence, key, metrics, meet, Instant::now());
            tokio::time::sleep(PACE).await;
        }
    }
}

impl Default for Table {
    fn default() -> Table {
        Table {
            here: HashMap::new(),
            watched: HashMap::new(),
            watchers: HashMap::new(),
            away: VecDeque::new(),
            crowd: Crowd::default(),
            count: 0,
            most: WATCHES_MAX,
            told: 0,
        }
    }
}

impl Table {
    /// Somebody came, went or is elsewhere.
    fn stir(&mut self, presence: &Presence, handle: Handle, who: Identity, now: Instant) {
        let theirs = presence.of_player(&who);
        self.end_watchers(&who, &theirs);
        let stands = Stands::new(&theirs);
        let seen = (stands.at, stands.blocked.as_ref());
        self.crowd.stir(handle, &who, &theirs, seen, now);
        match theirs.is_empty() {
            true => drop(self.here.remove(&handle)),
            false => drop(self.here.insert(handle, who)),
        }
        self.look(handle, &stands, now);
    }

    /// Connections that are not among these watch nobody any more.
    fn end_watchers(&mut self, who: &Identity, theirs: &[Arc<Online>]) {
        let Some(watchers) = self.watchers.get_mut(who) else {
            return;
        };
        let is_there = |of: &mut Watcher| !theirs.iter().any(|one| Arc::ptr_eq(one, &of.online));
        let ended: Vec<Watcher> = watchers.extract_if(.., is_there).collect();
        if watchers.is_empty() {
            self.watchers.remove(who);
        }
        for Watcher { online, whom, .. } in ended {
            for handle in whom {
                self.unwatch(handle, &online);
            }
        }
    }

    /// A connection watches these alone from now on.
    fn watch(
        &mut self,
        presence: &Presence,
        metrics: &Metrics,
        Watcher {
            online,
            whom,
            lobby,
        }: Watcher,
        now: Instant,
    ) {
        let who = online.identity.clone();
        let is_it = |one: &Arc<Online>| Arc::ptr_eq(one, &online);
        if !presence.of_player(&who).iter().any(is_it) {
            // It ended meanwhile.
            return;
        }
        if !self.crowd.watch(&online, lobby, now) {
            metrics.watches_refused.increment(1);
        }
        online.watch_only(&whom);
        let theirs = self.watchers.entry(who.clone()).or_default();
        let place = theirs.iter().position(|of| is_it(&of.online));
        let before = place.map(|place| theirs.swap_remove(place).whom);
        let mut held = before.unwrap_or_default();
        for handle in held.extract_if(.., |handle| !whom.contains(handle)) {
            self.unwatch(handle, &online);
        }
        for handle in whom {
            if held.contains(&handle) {
                continue;
            }
            if self.count >= self.most {
                metrics.watches_refused.increment(1);
                online.tell_of(handle, At::Unwatched, now);
                continue;
            }
            let of = self.here.get(&handle);
            let of = of.map_or_else(Vec::new, |of| presence.of_player(of));
            let mut watch = Watch {
                online: online.clone(),
                told: None,
                away_since: None,
            };
            watch.look(handle, &Stands::new(&of), now);
            self.told += 1;
            self.watched.entry(handle).or_default().push(watch);
            self.count += 1;
            held.insert(handle);
        }
        let theirs = self.watchers.entry(who.clone()).or_default();
        if !held.is_empty() {
            theirs.push(Watcher {
                online,
                whom: held,
                lobby,
            });
        } else if theirs.is_empty() {
            self.watchers.remove(&who);
        }
    }

    fn unwatch(&mut self, handle: Handle, online: &Arc<Online>) {
        let Some(watches) = self.watched.get_mut(&handle) else {
            return;
        };
        let before = watches.len();
        watches.retain(|watch| !Arc::ptr_eq(&watch.online, online));
        self.count -= before - watches.len();
        if watches.is_empty() {
            self.watched.remove(&handle);
        }
    }

    /// Tells those who watch somebody how they stand.
    fn look(&mut self, handle: Handle, stands: &Stands, now: Instant) {
        let Some(watches) = self.watched.get_mut(&handle) else {
            return;
        };
        let mut has_gone = false;
        for watch in watches {
            match watch.look(handle, stands, now) {
                Looked::Nothing => {}
                Looked::Told => self.told += 1,
                Looked::Went => has_gone = true,
            }
        }
        if has_gone {
            self.away.push_back((now + GRACE, handle));
        }
    }

    /// Looks at those again who went.
    fn pass_to(&mut self, presence: &Presence, now: Instant) {
        while let Some((due, handle)) = self.away.front().copied()
            && due <= now
        {
            self.away.pop_front();
            let theirs = self.here.get(&handle);
            let theirs = theirs.map_or_else(Vec::new, |of| presence.of_player(of));
            self.look(handle, &Stands::new(&theirs), now);
        }
    }

    /// When there is somebody to look at again.
    fn due(&self) -> Option<Instant> {
        let away = self.away.front().map(|(due, _)| *due);
        away.into_iter().chain(self.crowd.due()).min()
    }
}

impl Stands {
    /// By their connections, the oldest first, of those of which it is known whom they have blocked.
    fn new(theirs: &[Arc<Online>]) -> Stands {
        let known = theirs.iter().filter_map(|of| Some((of, of.blocked()?)));
        let first = known.max_by_key(|(of, _)| of.room().is_some());
        match first {
            Some((of, blocked)) => Stands {
                at: of.at(),
                blocked: Some(blocked),
            },
            None => Stands {
                at: At::Offline,
                blocked: None,
            },
        }
    }

    fn to(&self, who: &Identity) -> At {
        let blocked = self.blocked.as_ref();
        match blocked.is_some_and(|blocked| blocked.has(who)) {
            true => At::Offline,
            false => self.at,
        }
    }
}

impl Watch {
    /// Tells how somebody stands, if there is anything new.
    fn look(&mut self, handle: Handle, stands: &Stands, now: Instant) -> Looked {
        let at = stands.to(&self.online.identity);
        let is_new = self.told != Some(at);
        if is_new && at == At::Offline && self.told.is_some() {
            let is_first = self.away_since.is_none();
            let since = *self.away_since.get_or_insert(now);
            if now < since + GRACE {
                return if is_first {
                    Looked::Went
                } else {
                    Looked::Nothing
                };
            }
        }
        self.away_since = None;
        if !is_new {
            return Looked::Nothing;
        }
        self.told = Some(at);
        self.online.tell_of(handle, at, now);
        Looked::Told
    }
}

#[cfg(test)]
impl Watching {
    /// So many watches are the most.
    pub(super) fn limit_to(&self, most: usize) {
        self.table.lock().most = most;
    }

    /// Whether nobody is here, and nobody watches.
    pub(super) fn is_empty(&self) -> bool {
        let table = self.table.lock();
        table.crowd.is_empty()
            && table.here.is_empty()
            && table.watched.is_empty()
            && table.watchers.is_empty()
    }
}
