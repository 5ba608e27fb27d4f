//! Who is in the lobby of a connection's game, as far as it was not told: the whole list that stands
//! now, and what its client was told of it. So none of it grows however often somebody comes and goes,
//! and what goes out is what changed. [`crate::people`] makes the lists.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tickwire::codec::encode_server;
use tickwire::limits::{PEERS_PER_PAGE, PRESENCES_PER_PAGE, WATCHED_MAX};
use tickwire::protocol::people::Peer;
use tickwire::protocol::{LobbyPeople, ServerMessage};

use super::windows::may_go;
use crate::admission::limiter::Budget;
use crate::auth::Handle;

/// Those of a lobby who are shown, with what they are called, and how many there are. Many connections
/// share one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) count: u32,
    /// By rising handle; [`WATCHED_MAX`] at most.
    pub(crate) people: Vec<(Handle, String)>,
}

/// See the module's description.
#[derive(Debug)]
pub(super) struct Crowd {
    now: Arc<Shown>,
    told: BTreeMap<Handle, String>,
    told_count: Option<u32>,
    is_due: bool,
    budget: Budget,
}

impl Crowd {
    pub(super) fn new(now: Instant) -> Crowd {
        Crowd {
            now: Arc::default(),
            told: BTreeMap::new(),
            told_count: None,
            is_due: false,
            budget: Budget::new(now),
        }
    }

    /// This is who is there.
    pub(super) fn show(&mut self, shown: Arc<Shown>) {
        self.now = shown;
        self.is_due = true;
    }

    pub(super) fn has_some(&self) -> bool {
        self.is_due
    }

    /// Hands out messages until `left` is used up; in a room, which says what time it is, no more
    /// than may go out by then.
    pub(super) fn take(&mut self, left: &mut usize, now: Option<Instant>, out: &mut Vec<Bytes>) {
        while *left > 0 && self.is_due {
            let Some(page) = self.page() else {
                self.is_due = false;
                return;
            };
            let bytes: Bytes = encode_server(&ServerMessage::Lobby(page.clone())).into();
            if !may_go(&mut self.budget, now, bytes.len()) {
                return;
            }
            *left = left.saturating_sub(bytes.len());
            out.push(bytes);
            self.told_count = Some(page.count);
            let gone = page.gone.iter().filter_map(|of| Handle::read(of));
            for of in gone {
                self.told.remove(&of);
            }
            let here = page.here.into_iter();
            let here = here.filter_map(|of| Some((Handle::read(&of.handle)?, of.name)));
            self.told.extend(here);
        }
    }

    /// What changed, or some of it; `None`: nothing has.
    fn page(&self) -> Option<LobbyPeople> {
        let people = &self.now.people;
        let people = &people[..people.len().min(WATCHED_MAX)];
        let is_here = |of: &Handle| people.binary_search_by_key(of, |(of, _)| *of).is_ok();
        let gone = self.told.keys().filter(|of| !is_here(of));
        let gone: Vec<String> = gone
            .take(PRESENCES_PER_PAGE)
            .map(Handle::to_string)
            .collect();
        let is_new = |(of, name): &&(Handle, String)| self.told.get(of) != Some(name);
        let here = people.iter().filter(is_new).take(PEERS_PER_PAGE);
        let here: Vec<Peer> = here
            .map(|(of, name)| Peer {
                handle: of.to_string(),
                name: name.clone(),
            })
            .collect();
        let count = self.now.count;
        let is_new = self.told_count != Some(count) || !gone.is_empty() || !here.is_empty();
        is_new.then_some(LobbyPeople { count, here, gone })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tickwire::codec::decode_server;

    use super::*;

    fn shown(all: impl Iterator<Item = usize>) -> Arc<Shown> {
        let handle = |number| Handle::read(&format!("{number:016}")).unwrap();
        let mut people: Vec<_> = all.map(|of| (handle(of), format!("name {of}"))).collect();
        people.sort_unstable();
        let count = people.len() as u32;
        Arc::new(Shown { count, people })
    }

    fn taken(crowd: &mut Crowd, left: usize, now: Option<Instant>) -> Vec<LobbyPeople> {
        let (mut left, mut out) = (left, Vec::new());
        crowd.take(&mut left, now, &mut out);
        let pages = out.iter().map(|bytes| match decode_server(bytes).unwrap() {
            Some(ServerMessage::Lobby(page)) => page,
            other => panic!("{other:?}"),
        });
        pages.collect()
    }

    fn names(page: &LobbyPeople) -> (Vec<&str>, usize, u32) {
        let here = page.here.iter().map(|of| &*of.name).collect();
        (here, page.gone.len(), page.count)
    }

    #[test]
    fn what_changed_is_told_and_what_was_taken_back_is_not() {
        let mut crowd = Crowd::new(Instant::now());
        crowd.show(shown([1, 2].into_iter()));
        let told = taken(&mut crowd, usize::MAX, None);
        assert_eq!(names(&told[0]), (vec!["name 1", "name 2"], 0, 2));
        assert!(told.len() == 1 && !crowd.has_some());
        crowd.show(shown([2].into_iter()));
        crowd.show(shown([1, 2].into_iter()));
        assert_eq!(taken(&mut crowd, usize::MAX, None), []);
        crowd.show(shown([2, 3].into_iter()));
        let told = taken(&mut crowd, usize::MAX, None);
        assert_eq!(names(&told[0]), (vec!["name 3"], 1, 2));
        crowd.show(Arc::default());
        let told = taken(&mut crowd, usize::MAX, None);
        assert_eq!(names(&told[0]), (vec![], 2, 0), "it is not wanted any more");
    }

    #[test]
    fn many_come_in_pages_at_a_pace_in_a_room() {
        let start = Instant::now();
        let mut crowd = Crowd::new(start);
        let mut told = 0;
        for turn in 0..20 {
            crowd.show(shown(turn * 1000..turn * 1000 + 2 * WATCHED_MAX));
            for step in 0..30 {
                let at = Duration::from_millis(turn as u64 * 1000 + step * 33);
                for page in taken(&mut crowd, usize::MAX, Some(start + at)) {
                    assert!(
                        page.here.len() <= PEERS_PER_PAGE && page.gone.len() <= PRESENCES_PER_PAGE
                    );
                    told += encode_server(&ServerMessage::Lobby(page)).len();
                }
                assert!(crowd.told.len() <= 2 * WATCHED_MAX);
            }
        }
        assert!((40_000..90_000).contains(&told), "{told}");
        taken(&mut crowd, usize::MAX, None);
        assert_eq!(crowd.told.len(), WATCHED_MAX);
    }
}
