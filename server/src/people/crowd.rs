//! Who is in the lobbies of games, not in a room, and what of it those are told who asked: a list of
//! [`WATCHED_MAX`] at most, of those who are there for longest, and how many there are. [`super::watching`]
//! has it, and says who came, went or is elsewhere. Never on the tick path.
//!
//! **Who blocked the watcher** is not on their list; where all are listed they are not counted either.
//!
//! **Bounded**: [`WATCHERS_MAX`] connections are told, of each lobby once every [`PACE`] at most; whoever
//! asks beyond that is told nothing.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tickwire::limits::WATCHED_MAX;

use crate::auth::{Handle, Identity};
use crate::presence::{At, Blocked, Online, Shown};

/// Connections that are told: some 10 KB each.
const WATCHERS_MAX: usize = 5000;
/// From one list to the next.
const PACE: Duration = Duration::from_secs(1);

/// Somebody in a lobby.
struct Person {
    who: Identity,
    name: String,
    game: &'static str,
    /// Rises with who came later.
    order: u64,
    blocked: Arc<Blocked>,
}

/// See the module's description.
#[derive(Default)]
pub(super) struct Crowd {
    here: HashMap<Handle, Person>,
    /// Of each game, in the order in which they came.
    lobbies: HashMap<&'static str, BTreeMap<u64, Handle>>,
    newest: u64,
    watchers: HashMap<Identity, Vec<Arc<Online>>>,
    count: usize,
    /// When the next lists are told, if anything is new.
    due: Option<Instant>,
    told: Option<Instant>,
}

impl Crowd {
    /// Somebody's connections are these now, and they stand so, as others may see them.
    pub(super) fn stir(
        &mut self,
        handle: Handle,
        who: &Identity,
        theirs: &[Arc<Online>],
        stands: (At, Option<&Arc<Blocked>>),
        now: Instant,
    ) {
        if let Some(watchers) = self.watchers.get_mut(who) {
            let before = watchers.len();
            watchers.retain(|of| theirs.iter().any(|one| Arc::ptr_eq(one, of)));
            self.count -= before - watchers.len();
            if watchers.is_empty() {
                self.watchers.remove(who);
            }
        }
        let (At::Lobby(game), Some(blocked)) = stands else {
            return self.goes(&handle, now);
        };
        let newest = theirs.iter().rev().find(|online| online.game == game);
        let name = newest.map_or("", |online| &online.name);
        let known = self.here.get_mut(&handle).filter(|of| of.game == game);
        if let Some(known) = known {
            let is_same = known.name == name && *known.blocked == **blocked;
            if !is_same {
                name.clone_into(&mut known.name);
                known.blocked = blocked.clone();
                self.is_new(now);
            }
            return;
        }
        self.goes(&handle, now);
        self.newest += 1;
        let person = Person {
            who: who.clone(),
            name: name.to_owned(),
            game,
            order: self.newest,
            blocked: blocked.clone(),
        };
        self.here.insert(handle, person);
        self.lobbies
            .entry(game)
            .or_default()
            .insert(self.newest, handle);
        self.is_new(now);
    }

    fn goes(&mut self, handle: &Handle, now: Instant) {
        let Some(person) = self.here.remove(handle) else {
            return;
        };
        if let Some(lobby) = self.lobbies.get_mut(person.game) {
            lobby.remove(&person.order);
        }
        self.is_new(now);
    }

    /// A connection wants to be told, or does no longer; false: there are too many.
    pub(super) fn watch(&mut self, online: &Arc<Online>, wanted: bool, now: Instant) -> bool {
        let theirs = self.watchers.get_mut(&online.identity);
        let place = theirs.and_then(|of| of.iter().position(|one| Arc::ptr_eq(one, online)));
        match (place, wanted) {
            (None, true) if self.count >= WATCHERS_MAX => return false,
            (None, true) => {
                let theirs = self.watchers.entry(online.identity.clone());
                theirs.or_default().push(online.clone());
                self.count += 1;
                self.is_new(now);
            }
            (Some(place), false) => {
                if let Some(theirs) = self.watchers.get_mut(&online.identity) {
                    theirs.swap_remove(place);
                    self.count -= 1;
                }
                online.show_crowd(Arc::default(), now);
            }
            _ => {}
        }
        true
    }

    /// Another node looks after it.
    pub(super) fn forget(&mut self) {
        self.watchers.clear();
        self.count = 0;
    }

    fn is_new(&mut self, now: Instant) {
        if self.count > 0 {
            let next = self.told.map_or(now, |told| now.max(told + PACE));
            self.due.get_or_insert(next);
        }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Tells what is due at `now`; who is shown to others is said to `meet`.
    pub(super) fn pass_to(&mut self, now: Instant, meet: &dyn Fn(&Identity, &str)) {
        if self.due.is_none_or(|due| now < due) {
            return;
        }
        (self.due, self.told) = (None, Some(now));
        let mut lists = HashMap::new();
        for online in self.watchers.values().flatten() {
            let game = online.game;
            let (all, wary) = lists.entry(game).or_insert_with(|| self.list(game, meet));
            let hides = |of: &&(Handle, Arc<Blocked>)| of.1.has(&online.identity);
            let hidden: Vec<Handle> = wary.iter().filter(hides).map(|of| of.0).collect();
            let shown = match hidden.is_empty() {
                true => all.clone(),
                false => Arc::new(without(all, &hidden)),
            };
            online.show_crowd(shown, now);
        }
    }

    /// Who is shown of a lobby, and who of them has blocked anybody.
    fn list(
        &self,
        game: &str,
        meet: &dyn Fn(&Identity, &str),
    ) -> (Arc<Shown>, Vec<(Handle, Arc<Blocked>)>) {
        let (mut people, mut wary) = (Vec::new(), Vec::new());
        let lobby = self.lobbies.get(game);
        for handle in lobby
            .into_iter()
            .flat_map(BTreeMap::values)
            .take(WATCHED_MAX)
        {
            let Some(person) = self.here.get(handle) else {
                continue;
            };
            meet(&person.who, &person.name);
            people.push((*handle, person.name.clone()));
            if !person.blocked.is_empty() {
                wary.push((*handle, person.blocked.clone()));
            }
        }
        people.sort_unstable();
        let count = lobby.map_or(0, BTreeMap::len);
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        (Arc::new(Shown { count, people }), wary)
    }
}

/// The same without these; of a lobby that is shown whole they are not counted either.
fn without(all: &Shown, hidden: &[Handle]) -> Shown {
    let is_whole = all.count as usize == all.people.len();
    let people = all.people.iter().filter(|(of, _)| !hidden.contains(of));
    let people: Vec<(Handle, String)> = people.cloned().collect();
    let count = if is_whole {
        people.len() as u32
    } else {
        all.count
    };
    Shown { count, people }
}

#[cfg(test)]
impl Crowd {
    pub(super) fn is_empty(&self) -> bool {
        let lobbies = self.lobbies.values();
        self.here.is_empty()
            && self.watchers.is_empty()
            && lobbies.into_iter().all(BTreeMap::is_empty)
    }
}
