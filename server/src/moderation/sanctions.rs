//! Who is banned, who is muted, until when and why. Pure: the date is an argument. A list ends:
//! what is over is forgotten, and when nothing is over a further entry is refused rather than
//! another one forgotten.

use std::collections::HashMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::target::Target;
use crate::auth::Identity;
use crate::date::Date;

/// Entries of one list: some megabytes, and more than anybody keeps up by hand. Beyond: refused.
pub(crate) const SANCTIONS_MAX: usize = 10_000;

/// One entry, as operators see it and as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sanction {
    /// Whom it is for.
    pub(crate) target: Target,
    /// The first second in which it no longer holds.
    pub(crate) until: Date,
    /// When it was last ordered.
    pub(crate) since: Date,
    /// Why, in the operator's words; may be empty.
    pub(crate) reason: String,
}

/// Sanctions of one kind, by target.
#[derive(Debug, Default)]
pub(crate) struct List {
    entries: HashMap<Target, Sanction>,
}

impl List {
    /// Adds an entry, in place of an earlier one for the same target. False: the list has
    /// [`SANCTIONS_MAX`] entries that still hold.
    #[must_use]
    pub(crate) fn put(&mut self, sanction: Sanction, now: Date) -> bool {
        let is_new = !self.entries.contains_key(&sanction.target);
        if is_new && self.entries.len() >= SANCTIONS_MAX {
            self.expire(now);
            if self.entries.len() >= SANCTIONS_MAX {
                return false;
            }
        }
        self.entries.insert(sanction.target.clone(), sanction);
        true
    }

    /// Takes the entry for exactly this target away; whether there was one that held.
    pub(crate) fn lift(&mut self, target: &Target, now: Date) -> bool {
        let lifted = self.entries.remove(target);
        lifted.is_some_and(|sanction| sanction.until > now)
    }

    /// Until when somebody is meant by any entry: of several the one that lasts longest. Without an
    /// identity by their address alone.
    pub(crate) fn until(
        &self,
        identity: Option<&Identity>,
        address: IpAddr,
        now: Date,
    ) -> Option<Date> {
        if self.entries.is_empty() {
            return None;
        }
        let player = identity.cloned().map(Target::Player);
        let targets = player.into_iter().chain(Target::around(address));
        let until = targets.filter_map(|target| Some(self.entries.get(&target)?.until));
        until.filter(|until| *until > now).max()
    }

    /// Has these entries and no others; beyond [`SANCTIONS_MAX`] it takes none.
    pub(super) fn replace(&mut self, entries: Vec<Sanction>, now: Date) {
        let held = entries.into_iter().filter(|entry| entry.until > now);
        let entries = held.take(SANCTIONS_MAX);
        self.entries = entries.map(|entry| (entry.target.clone(), entry)).collect();
    }

    /// The entry for exactly this target.
    pub(super) fn of(&self, target: &Target) -> Option<&Sanction> {
        self.entries.get(target)
    }

    /// Forgets what is over.
    pub(crate) fn expire(&mut self, now: Date) {
        self.entries.retain(|_, sanction| sanction.until > now);
    }

    /// Entries, those included that are over and were not forgotten yet.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// What holds, by target.
    pub(crate) fn all(&self, now: Date) -> Vec<Sanction> {
        let held = self.entries.values().filter(|entry| entry.until > now);
        let mut all: Vec<Sanction> = held.cloned().collect();
        all.sort_by(|a, b| a.target.cmp(&b.target));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sanction(target: &Target, until: u64) -> Sanction {
        Sanction {
            target: target.clone(),
            until: Date(until),
            since: Date(0),
            reason: "why".into(),
        }
    }

    fn player(subject: &str) -> Target {
        Target::player(&format!("user:{subject}")).unwrap()
    }

    #[test]
    fn an_entry_ends_by_itself() {
        let (ann, mut list) = (Identity::read("user:ann").unwrap(), List::default());
        let (here, there) = ("10.0.0.7".parse().unwrap(), "10.0.0.8".parse().unwrap());
        assert!(list.put(sanction(&player("ann"), 100), Date(0)));
        assert!(list.put(sanction(&Target::address("10.0.0.7").unwrap(), 50), Date(0)));
        assert_eq!(list.until(Some(&ann), there, Date(99)), Some(Date(100)));
        assert_eq!(list.until(Some(&ann), there, Date(100)), None);
        assert_eq!(
            list.until(Some(&ann), here, Date(0)),
            Some(Date(100)),
            "the longer one"
        );
        assert_eq!(list.until(None, here, Date(49)), Some(Date(50)));
        assert_eq!(list.until(None, here, Date(50)), None);
        assert_eq!(list.until(None, there, Date(0)), None);
        assert_eq!(list.all(Date(50)).len(), 1);
        assert_eq!(list.len(), 2);
        list.expire(Date(50));
        assert_eq!(list.len(), 1);
    }

    #[test]
    fn the_newest_order_counts_and_can_be_taken_back() {
        let (ann, mut list) = (Identity::read("user:ann").unwrap(), List::default());
        let at = "10.0.0.7".parse().unwrap();
        assert!(list.put(sanction(&player("ann"), 100), Date(0)));
        assert!(list.put(sanction(&player("ann"), 10), Date(0)));
        assert_eq!(
            list.until(Some(&ann), at, Date(0)),
            Some(Date(10)),
            "also a shorter one"
        );
        assert!(list.lift(&player("ann"), Date(9)));
        assert!(!list.lift(&player("ann"), Date(9)));
        assert!(list.put(sanction(&player("ann"), 10), Date(0)));
        assert!(!list.lift(&player("ann"), Date(10)), "it was over");
        assert_eq!(list.len(), 0);
    }

    #[test]
    fn the_list_ends_and_forgets_only_what_is_over() {
        let mut list = List::default();
        for number in 0..SANCTIONS_MAX {
            let until = if number == 0 { 50 } else { 100 };
            let entry = sanction(&player(&number.to_string()), until);
            assert!(list.put(entry, Date(0)));
        }
        let more = player("more");
        assert!(!list.put(sanction(&more, 100), Date(49)));
        let longer = list.put(sanction(&player("1"), 200), Date(49));
        assert!(longer, "a longer ban fits");
        assert!(list.put(sanction(&more, 100), Date(50)), "one is over");
        assert!(!list.put(sanction(&player("again"), 100), Date(50)));
        assert_eq!(list.len(), SANCTIONS_MAX);
    }
}
