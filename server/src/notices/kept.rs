//! Durable notices that somebody has not seen: those for one player with that player, those for
//! everybody once, with who has seen them. In memory; they end with the process. Pure: dates are
//! arguments.

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
        self.until > now && self.game.as_deref().is_none_or(|only| only == game)
    }
}

/// What there is for one player.
#[derive(Default)]
struct Theirs {
    /// By rising numbers.
    waiting: VecDeque<Arc<Standing>>,
    /// Numbers of those for all that they have seen.
    seen: Vec<u32>,
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

    /// Keeps one for whoever comes.
    ///
    /// # Errors
    /// As many stand as may.
    pub(super) fn keep_for_all(&mut self, standing: Standing, now: Date) -> Result<(), Refused> {
        if self.for_all.len() >= FOR_ALL_MAX && now > self.expired {
            self.expire(now);
        }
        if self.for_all.len() >= FOR_ALL_MAX {
            return Err(Refused::Full);
        }
        self.newest = standing.letter.number;
        self.for_all.push_back(standing);
        Ok(())
    }

    /// Keeps one for each of these.
    ///
    /// # Errors
    /// There is no room for it, for one of those that have some if there are several.
    pub(super) fn keep_for(
        &mut self,
        players: &[&Identity],
        standing: Standing,
        now: Date,
    ) -> Result<(), Refused> {
        let bytes = standing.letter.bytes.len() * players.len();
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
        self.newest = standing.letter.number;
        let standing = Arc::new(standing);
        let mut kept = 0;
        for player in players {
            let theirs = self.players.entry((*player).clone()).or_default();
            if theirs.waiting.len() < FOR_ONE_MAX {
                theirs.waiting.push_back(standing.clone());
                kept += 1;
            }
        }
        self.waiting += kept;
        self.bytes += standing.letter.bytes.len() * kept;
        match kept {
            0 if !players.is_empty() => Err(Refused::PlayerFull),
            _ => Ok(()),
        }
    }

    /// What a player has not seen, for a connection of a game, by rising numbers.
    pub(super) fn of(&self, player: &Identity, game: &str, now: Date) -> Vec<Letter> {
        let theirs = self.players.get(player);
        let waiting = theirs.into_iter().flat_map(|theirs| &theirs.waiting);
        let unseen = self.for_all.iter().filter(|standing| {
            let number = standing.letter.number;
            theirs.is_none_or(|theirs| !theirs.seen.contains(&number))
        });
        let standing = waiting.map(|standing| &**standing).chain(unseen);
        let mut letters: Vec<Letter> = standing
            .filter(|standing| standing.is_for(game, now))
            .map(|standing| standing.letter.clone())
            .collect();
        letters.sort_unstable_by_key(|letter| letter.number);
        letters
    }

    /// A player has seen all up to a number that are for connections of a game.
    pub(super) fn seen(&mut self, player: &Identity, game: &str, number: u32, now: Date) {
        let is_seen =
            |standing: &Standing| standing.letter.number <= number && standing.is_for(game, now);
        let of_all = self.for_all.iter().filter(|standing| is_seen(standing));
        let of_all: Vec<u32> = of_all.map(|standing| standing.letter.number).collect();
        let is_known = self.players.contains_key(player);
        if !is_known && (of_all.is_empty() || self.players.len() >= PLAYERS_MAX) {
            return;
        }
        let theirs = self.players.entry(player.clone()).or_default();
        theirs.seen.extend(of_all);
        theirs.seen.sort_unstable();
        theirs.seen.dedup();
        theirs.waiting.retain(|standing| {
            let stays = !is_seen(standing);
            if !stays {
                self.waiting -= 1;
                self.bytes -= standing.letter.bytes.len();
            }
            stays
        });
        if theirs.waiting.is_empty() && theirs.seen.is_empty() {
            self.players.remove(player);
        }
    }

    /// Drops what is over.
    fn expire(&mut self, now: Date) {
        self.expired = now;
        self.for_all.retain(|standing| standing.until > now);
        let for_all = &self.for_all;
        let (mut waiting, mut bytes) = (0, 0);
        self.players.retain(|_, theirs| {
            theirs.waiting.retain(|standing| standing.until > now);
            theirs.seen.retain(|number| {
                let mut standing = for_all.iter();
                standing.any(|standing| standing.letter.number == *number)
            });
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
