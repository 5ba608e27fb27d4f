//! Tables of this process about players, each bounded: what is beyond is forgotten, oldest first, or
//! refused. Pure.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::Hash;
use std::sync::Arc;

use tickwire::ids::Tick;

use crate::admission::talk::Talk;
use crate::auth::{Handle, Identity};
use crate::presence::Blocked;

/// Players whose handle was told to somebody.
const HANDLES_MAX: usize = 20_000;
/// Players who said something of late. Beyond: refused.
const TALKERS_MAX: usize = 10_000;
/// Players whose blocks, and pairs whose lines are kept where nothing is stored.
const KEPT_MAX: usize = 10_000;
/// Milliseconds a second.
const MS: u16 = 1000;

/// A map that forgets who came first.
#[derive(Debug)]
pub(super) struct Lately<K, V> {
    all: HashMap<K, V>,
    order: VecDeque<K>,
    most: usize,
    /// Whether anything was forgotten.
    pub(super) has_forgotten: bool,
}

impl<K: Clone + Eq + Hash, V> Lately<K, V> {
    pub(super) fn new(most: usize) -> Lately<K, V> {
        Lately {
            all: HashMap::new(),
            order: VecDeque::new(),
            most,
            has_forgotten: false,
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.all.get(key)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.all.values()
    }

    pub(super) fn remove(&mut self, key: &K) {
        if self.all.remove(key).is_some() {
            self.order.retain(|of| of != key);
        }
    }

    /// What there is of a key, or now is.
    pub(super) fn entry(&mut self, key: &K, make: impl FnOnce() -> V) -> &mut V {
        if !self.all.contains_key(key) {
            if self.order.len() >= self.most
                && let Some(first) = self.order.pop_front()
            {
                self.all.remove(&first);
                self.has_forgotten = true;
            }
            self.order.push_back(key.clone());
        }
        self.all.entry(key.clone()).or_insert_with(make)
    }
}

/// Who has which handle, with what they were called last.
pub(super) type Handles = Lately<Handle, (Identity, String)>;

pub(super) fn handles() -> Handles {
    Lately::new(HANDLES_MAX)
}

/// How much each may say.
#[derive(Debug, Default)]
pub(super) struct Talkers(HashMap<Identity, Talk>);

impl Talkers {
    /// Whether somebody may say another line, `now_ms` after the start.
    pub(super) fn may(&mut self, who: &Identity, now_ms: u64) -> bool {
        // It goes round, as ticks do.
        let now = Tick(now_ms as u32);
        if !self.0.contains_key(who) && self.0.len() >= TALKERS_MAX {
            self.0.retain(|_, talk| !talk.is_whole(now, MS));
            if self.0.len() >= TALKERS_MAX {
                return false;
            }
        }
        let talk = self.0.entry(who.clone()).or_insert_with(|| Talk::new(now));
        talk.may(now, MS)
    }
}

/// How far somebody has read what a peer said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) newest: u32,
    pub(super) seen: u32,
    /// Rises with what was said.
    order: u64,
}

/// What is kept of players where nothing is stored.
#[derive(Debug)]
pub(super) struct Unstored {
    blocked: Lately<Identity, Arc<Blocked>>,
    marks: BTreeMap<(Identity, Identity), Marks>,
    orders: u64,
}

impl Default for Unstored {
    fn default() -> Unstored {
        Unstored {
            blocked: Lately::new(KEPT_MAX),
            marks: BTreeMap::new(),
            orders: 0,
        }
    }
}

impl Unstored {
    pub(super) fn blocked(&self, who: &Identity) -> Arc<Blocked> {
        let blocked = self.blocked.get(who);
        blocked.cloned().unwrap_or_else(Blocked::nobody)
    }

    pub(super) fn block(&mut self, who: &Identity, blocked: Arc<Blocked>) {
        *self.blocked.entry(who, Arc::default) = blocked;
    }

    /// The same by the word of who had it before; what is known here counts.
    pub(super) fn recall_block(&mut self, who: &Identity, blocked: Arc<Blocked>) {
        self.blocked.entry(who, || blocked);
    }

    /// A peer said a line to somebody, or they read up to one.
    pub(super) fn mark(&mut self, player: &Identity, peer: &Identity, newest: u32, seen: u32) {
        self.orders += 1;
        if self.marks.len() >= KEPT_MAX {
            let oldest = self.marks.iter().min_by_key(|(_, marks)| marks.order);
            let oldest = oldest.map(|(of, _)| of.clone());
            oldest.and_then(|oldest| self.marks.remove(&oldest));
        }
        let marks = self
            .marks
            .entry((player.clone(), peer.clone()))
            .or_default();
        marks.newest = marks.newest.max(newest);
        marks.seen = marks.seen.max(seen);
        if newest > 0 {
            marks.order = self.orders;
        }
    }

    /// Whose lines somebody has not read, the latest first.
    pub(super) fn unread(&self, player: &Identity) -> Vec<(Identity, Marks)> {
        let from = (player.clone(), Identity::nobody());
        // Users come before guests.
        let mut theirs: Vec<_> = self
            .marks
            .range((player.clone(), least())..)
            .take_while(|((of, _), _)| *of == from.0)
            .filter(|(_, marks)| marks.newest > marks.seen)
            .map(|((_, peer), marks)| (peer.clone(), *marks))
            .collect();
        theirs.sort_unstable_by_key(|(_, marks)| std::cmp::Reverse(marks.order));
        theirs
    }
}

/// Who comes before everybody.
fn least() -> Identity {
    Identity {
        subject: "".into(),
        is_guest: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(text: &str) -> Identity {
        Identity::read(text).unwrap()
    }

    #[test]
    fn who_came_first_is_forgotten_first() {
        let mut lately = Lately::new(2);
        for key in [1, 2, 1, 3] {
            *lately.entry(&key, || 0) += 1;
        }
        assert_eq!(
            [1, 2, 3].map(|key| lately.get(&key).copied()),
            [None, Some(1), Some(1)]
        );
        assert_eq!((lately.all.len(), lately.order.len()), (2, 2));
        lately.remove(&2);
        lately.remove(&1);
        assert_eq!((lately.values().count(), lately.order.len()), (1, 1));
    }

    #[test]
    fn nobody_else_pays_for_who_says_much() {
        let mut talkers = Talkers::default();
        let (ann, bo) = (who("user:ann"), who("guest:bo"));
        let said = (0..10).filter(|_| talkers.may(&ann, 0)).count();
        assert_eq!(said, 5);
        assert!(talkers.may(&bo, 0));
        assert!(talkers.may(&ann, 1000));
    }

    #[test]
    fn more_talkers_than_there_is_room_for_are_refused_until_others_were_silent() {
        let mut talkers = Talkers::default();
        let name = |number: usize| who(&format!("guest:{number}"));
        for number in 0..TALKERS_MAX {
            assert!(talkers.may(&name(number), 0));
        }
        assert!(!talkers.may(&who("user:ann"), 0));
        assert!(talkers.may(&name(7), 0), "who is known may");
        assert!(talkers.may(&who("user:ann"), 1000));
        assert!(talkers.0.len() < 10);
    }

    #[test]
    fn what_was_not_read_is_known_the_latest_first() {
        let mut unstored = Unstored::default();
        let (ann, bo, cy) = (who("user:ann"), who("guest:bo"), who("user:cy"));
        unstored.mark(&ann, &bo, 7, 0);
        unstored.mark(&ann, &cy, 3, 0);
        unstored.mark(&bo, &ann, 9, 0);
        let peers = |unstored: &Unstored| {
            let unread = unstored.unread(&ann).into_iter();
            unread
                .map(|(peer, marks)| (peer, marks.newest, marks.seen))
                .collect::<Vec<_>>()
        };
        assert_eq!(peers(&unstored), [(cy.clone(), 3, 0), (bo.clone(), 7, 0)]);
        unstored.mark(&ann, &cy, 0, 3);
        unstored.mark(&ann, &bo, 0, 6);
        unstored.mark(&ann, &bo, 0, 5);
        assert_eq!(peers(&unstored), [(bo, 7, 6)]);
    }
}
