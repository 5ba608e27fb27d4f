//! How much is told of who is writing a line beyond rooms: of each player, and in each lobby. Pure.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::known::Lately;
use crate::admission::limiter::Budget;
use crate::auth::Identity;

/// Of one player it is told at most so often, in whichever channel: clients say it every three
/// seconds, and show it for six. Beyond: it is passed over.
const EVERY: Duration = Duration::from_secs(2);
/// Players of whom it is known when it was told. Beyond: that of the first is forgotten.
const TYPISTS_MAX: usize = 10_000;
/// Of how many it is told in a lobby a second, each to all who are in it: a page shows 16, each told
/// anew every three seconds. Beyond: it is passed over.
const LOBBY_PER_SECOND: f32 = 5.0;
/// And at once.
const LOBBY_BURST: f32 = 8.0;

/// How much of it is told.
pub(super) struct Typists {
    /// When it was told of each last; `None`: they said a line since.
    told: Lately<Identity, Option<Instant>>,
    lobbies: HashMap<&'static str, Budget>,
}

impl Default for Typists {
    fn default() -> Typists {
        Typists {
            told: Lately::new(TYPISTS_MAX),
            lobbies: HashMap::new(),
        }
    }
}

impl Typists {
    /// Whether it is to be told that somebody is writing.
    pub(super) fn may(&mut self, who: &Identity, now: Instant) -> bool {
        let told = self.told.entry(who, || None);
        let is_due = told.is_none_or(|told| now.saturating_duration_since(told) >= EVERY);
        if is_due {
            *told = Some(now);
        }
        is_due
    }

    /// They said it: what they write next is told at once.
    pub(super) fn said(&mut self, who: &Identity) {
        if self.told.get(who).is_some() {
            *self.told.entry(who, || None) = None;
        }
    }

    /// Whether a lobby is told of another one.
    pub(super) fn may_lobby(&mut self, game: &'static str, now: Instant) -> bool {
        let budget = self.lobbies.entry(game).or_insert_with(|| Budget::new(now));
        budget.spend(LOBBY_PER_SECOND, LOBBY_BURST, now, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_it_is_told_seldom_and_at_once_after_a_line() {
        let (mut typing, start) = (Typists::default(), Instant::now());
        let (ann, bo) = (Identity::read("user:ann"), Identity::read("guest:bo"));
        let (ann, bo) = (ann.unwrap(), bo.unwrap());
        let at = |ms| start + Duration::from_millis(ms);
        assert!(typing.may(&ann, at(0)));
        assert!(!typing.may(&ann, at(1999)));
        assert!(typing.may(&bo, at(1)));
        assert!(typing.may(&ann, at(2000)));
        typing.said(&ann);
        assert!(typing.may(&ann, at(2001)));
        typing.said(&Identity::read("user:cy").unwrap());
        let others = (0..2 * TYPISTS_MAX).map(|at| Identity::read(&format!("user:{at}")).unwrap());
        assert!(others.into_iter().all(|who| typing.may(&who, at(2002))));
        assert!(typing.told.values().count() <= TYPISTS_MAX);
    }

    #[test]
    fn a_lobby_is_told_of_no_more_than_anybody_looks_at() {
        let (mut typing, start) = (Typists::default(), Instant::now());
        let told = |typing: &mut Typists, game, seconds| {
            let now = start + Duration::from_secs(seconds);
            (0..100).filter(|_| typing.may_lobby(game, now)).count()
        };
        assert_eq!(told(&mut typing, "chess", 0), 8);
        assert_eq!(told(&mut typing, "go", 0), 8);
        assert_eq!(told(&mut typing, "chess", 1), 5);
    }
}
