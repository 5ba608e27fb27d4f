//! Durable notices that somebody has not seen: those for one player with that player, those for
//! everybody once, with who has seen them. In memory: where there is a store, it is what the store
//! has of them, by [`super::stored`]; else it ends with the process. Pure: dates are arguments.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::notice::Refused;
use crate::auth::Identity;
use crate::date::Date;
use crate::presence::Letter;

/// Notices for everybody, or for all of a game, that stand at a time: who comes for the first time
/// gets all of them. Beyond: refused.
const FOR_ALL_MAX: usize = 64;
/// Notices that wait for one player: as many as their mailbox holds. Beyond: refused, and where it
/// is one of several who are meant, lost to them.
const FOR_ONE_MAX: usize = 64;
/// Notices that wait for players, each counted for each. Beyond: refused.
const WAITING_MAX: usize = 65_536;
/// Bytes of these. Beyond: refused.
const WAITING_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Players of whom it is known what they have seen of those for all. Beyond: they get these again
/// when they come again.
const PLAYERS_MAX: usize = 100_000;
/// How often all is looked through for what is over, in seconds.
const EXPIRE_EVERY: u64 = 60;

/// One that stands.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) letter: Letter,
    /// The only one whose connections get it.
    pub(super) game: Option<Box<str>>,
    /// From then on nobody gets it.
    pub(super) until: Date,
}

impl Standing {
    fn is_for(&self, game: &str, now: Date) -> bool {
        self.until > now && self.is_of(game)
    }

    fn is_of(&self, game: &str) -> bool {
        self.game.as_deref().is_none_or(|only| only == game)
    }
}

/// What there is for one player.
#[derive(Default)]
struct Theirs {
    /// By rising numbers.
    waiting: VecDeque<Arc<Standing>>,
    /// For a game: up to which number they have seen what its connections are given.
    seen: Vec<(Box<str>, u32)>,
}

impl Theirs {
    fn has_seen(&self, standing: &Standing) -> bool {
        let mut seen = self.seen.iter();
        seen.any(|(game, number)| standing.letter.number <= *number && standing.is_of(game))
    }

    /// Takes note of it; what waited for them and was seen is returned.
    fn see(&mut self, game: &str, number: u32) -> Vec<Arc<Standing>> {
        match self.seen.iter_mut().find(|(of, _)| **of == *game) {
            Some((_, seen)) => *seen = number.max(*seen),
            None => self.seen.push((game.into(), number)),
        }
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        let (seen, waiting): (Vec<_>, Vec<_>) = waiting.partition(|of| self.has_seen(of));
        self.waiting = waiting.into();
        seen
    }
}

/// See the module's description.
#[derive(Default)]
pub(super) struct Kept {
    newest: u32,
    for_all: VecDeque<Standing>,
    players: HashMap<Identity, Theirs>,
    waiting: usize,
    bytes: usize,
    /// When all was looked through.
    expired: Date,
}

impl Kept {
    /// The number of the next notice, which is taken by keeping it.
    ///
    /// # Errors
    /// There was one for each number: two thousand a second for 24 days.
    pub(super) fn next_number(&self) -> Result<u32, Refused> {
        self.newest.checked_add(1).ok_or(Refused::Full)
    }

    /// Notices that wait for somebody, and those that stand for all.
    pub(super) fn len(&self) -> usize {
        self.waiting + self.for_all.len()
    }

    /// Whether there is room for another one for whoever comes.
    ///
    /// # Errors
    /// As many stand as may.
    pub(super) fn check_for_all(&mut self, now: Date) -> Result<(), Refused> {
        if self.for_all.len() >= FOR_ALL_MAX && now > self.expired {
            self.expire(now);
        }
        match self.for_all.len() {
            0..FOR_ALL_MAX => Ok(()),
            _ => Err(Refused::Full),
        }
    }

    /// For which of these players there is room for another one of so many bytes.
    ///
    /// # Errors
    /// For none of them, if there are any.
    pub(super) fn check_for<'a>(
        &mut self,
        players: &[&'a Identity],
        bytes: usize,
        now: Date,
    ) -> Result<Vec<&'a Identity>, Refused> {
        let bytes = bytes * players.len();
        let is_full = |kept: &Kept| {
            kept.waiting + players.len() > WAITING_MAX || kept.bytes + bytes > WAITING_BYTES_MAX
        };
        let since = now.seconds_after(self.expired);
        if since >= EXPIRE_EVERY || (since > 0 && is_full(self)) {
            self.expire(now);
        }
        if is_full(self) {
            return Err(Refused::Full);
        }
        let has_room = |player: &Identity| {
            let theirs = self.players.get(player);
            theirs.is_none_or(|theirs| theirs.waiting.len() < FOR_ONE_MAX)
        };
        let mut with_room = players.to_vec();
        with_room.retain(|player| has_room(player));
        match with_room.is_empty() && !players.is_empty() {
            true => Err(Refused::PlayerFull),
            false => Ok(with_room),
        }
    }

    /// Keeps one for whoever comes, whose number is above all others.
    pub(super) fn keep_for_all(&mut self, standing: Standing) {
        self.newest = standing.letter.number;
        self.for_all.push_back(standing);
    }

    /// Keeps one for a player, whose number is above all others of theirs; false: they have seen it.
    pub(super) fn keep_for(&mut self, player: &Identity, standing: Arc<Standing>) -> bool {
        self.newest = standing.letter.number;
        let theirs = self.players.entry(player.clone()).or_default();
        if theirs.has_seen(&standing) {
            return false;
        }
        self.waiting += 1;
        self.bytes += standing.letter.bytes.len();
        theirs.waiting.push_back(standing);
        true
    }

    /// Whether a player has seen it already: at another server.
    pub(super) fn has_seen(&self, player: &Identity, standing: &Standing) -> bool {
        let theirs = self.players.get(player);
        theirs.is_some_and(|theirs| theirs.has_seen(standing))
    }

    /// What a player has not seen, for a connection of a game, by rising numbers.
    pub(super) fn of(&self, player: &Identity, game: &str, now: Date) -> Vec<Letter> {
        let theirs = self.players.get(player);
        let waiting = theirs.into_iter().flat_map(|theirs| &theirs.waiting);
        let unseen = self.for_all.iter();
        let unseen =
            unseen.filter(|standing| theirs.is_none_or(|theirs| !theirs.has_seen(standing)));
        let standing = waiting.map(|standing| &**standing).chain(unseen);
        let mut letters: Vec<Letter> = standing
            .filter(|standing| standing.is_for(game, now))
            .map(|standing| standing.letter.clone())
            .collect();
        letters.sort_unstable_by_key(|letter| letter.number);
        letters
    }

    /// A player has seen all up to a number that are for connections of a game. Whether that is
    /// news: something goes with it, or will not come again.
    pub(super) fn seen(&mut self, player: &Identity, game: &str, number: u32) -> bool {
        let is_seen =
            |standing: &Standing| standing.letter.number <= number && standing.is_of(game);
        let theirs = self.players.get(player);
        let is_news = self.for_all.iter().any(|standing| {
            is_seen(standing) && theirs.is_none_or(|theirs| !theirs.has_seen(standing))
        });
        let of_waiting =
            theirs.is_some_and(|theirs| theirs.waiting.iter().any(|standing| is_seen(standing)));
        let is_known = theirs.is_some() || self.players.len() < PLAYERS_MAX;
        if !is_known || !(is_news || of_waiting) {
            return false;
        }
        self.see(player, game, number);
        true
    }

    /// The same by the word of the store, which may come before what it is of.
    pub(super) fn recall_seen(&mut self, player: &Identity, game: &str, number: u32) {
        let is_known = self.players.contains_key(player) || self.players.len() < PLAYERS_MAX;
        if is_known {
            self.see(player, game, number);
        }
    }

    fn see(&mut self, player: &Identity, game: &str, number: u32) {
        let theirs = self.players.entry(player.clone()).or_default();
        for standing in theirs.see(game, number) {
            self.waiting -= 1;
            self.bytes -= standing.letter.bytes.len();
        }
        let (for_all, newest) = (&self.for_all, self.newest);
        theirs.seen.retain(|seen| matters(seen, for_all, newest));
        if theirs.waiting.is_empty() && theirs.seen.is_empty() {
            self.players.remove(player);
        }
    }

    /// Drops all that is known of a player.
    pub(super) fn forget(&mut self, player: &Identity) {
        let theirs = self.players.remove(player);
        for standing in theirs.into_iter().flat_map(|theirs| theirs.waiting) {
            self.waiting -= 1;
            self.bytes -= standing.letter.bytes.len();
        }
    }

    /// Drops what is over.
    fn expire(&mut self, now: Date) {
        self.expired = now;
        self.for_all.retain(|standing| standing.until > now);
        let (for_all, newest) = (&self.for_all, self.newest);
        let (mut waiting, mut bytes) = (0, 0);
        self.players.retain(|_, theirs| {
            theirs.waiting.retain(|standing| standing.until > now);
            theirs.seen.retain(|seen| matters(seen, for_all, newest));
            waiting += theirs.waiting.len();
            let letters = theirs.waiting.iter();
            bytes += letters
                .map(|standing| standing.letter.bytes.len())
                .sum::<usize>();
            !theirs.waiting.is_empty() || !theirs.seen.is_empty()
        });
        (self.waiting, self.bytes) = (waiting, bytes);
    }
}

/// Whether what somebody has seen is of something that would come again, or that is still to come.
fn matters((game, number): &(Box<str>, u32), for_all: &VecDeque<Standing>, newest: u32) -> bool {
    let is_seen = |all: &Standing| all.letter.number <= *number && all.is_of(game);
    *number > newest || for_all.iter().any(is_seen)
}
