//! Matchmaking: who wants to play, with whom it is fair, and what becomes of a match until its
//! players are in its room. [`Queue`] is a state machine without clock, socket or task: it is told
//! what happened and when ([`Queue::handle`], [`Queue::step`]) and says what to do
//! ([`Queue::poll`]). Ratings, times and the seed are arguments, so the same inputs give the same
//! outputs. Rooms, connections and parties are the caller's.
//!
//! # How it works
//! - A party waits as one *entry*, for one [`Mode`], in the regions that it names. Its rating is the
//!   mean of its members'.
//! - A match is made around one entry of those in it: all lie within its window, which is the
//!   narrowest of theirs (`pick`). A window widens while one waits. Entries are tried when they
//!   come and each [`Timing::retry`] again.
//! - A match is *offered*; when all have accepted it *goes*; when all have come it is played, and
//!   the queue knows them no more. Whoever spoils one is out, with their party, and may not queue
//!   again for a while, so that the same match is not made again; the others wait again with the
//!   time that they have waited.
//! - Nobody waits for longer than [`Mode::wait`]; then comes what [`AtTheEnd`] says. A match that
//!   comes to nothing after that leaves bots alone, or the end.
//!
//! # States
//! ```text
//!              ┌────────── somebody else spoilt it: Back ─────────┐
//! Enqueue      v                                                  │
//! ────────> waiting ── Offered ──> offered ── all: Go ──> going ──┴─ all came: Ended(Playing)
//!              │                      │                     │
//!              ├ Cancel, PartyLeft,   ├ Decline, Cancel,    ├ JoinFailed, Cancel,
//!              │ away too long        │ not accepted        │ did not come
//!              v                      v                     v
//!             Out                    Out                   Out
//! ```
//! A connection that is cut holds what waits (nobody is matched with somebody who is away), and
//! changes nothing of a match: who is back in time accepts, or joins. A second tab is the same
//! player: what one says is so for both, and what is said twice, late or of another match changes
//! nothing.
//!
//! # What it costs
//! With `n` waiting a call costs O(log n), and a step O(log n) for each look at one who waits, of
//! which it makes at most [`LOOKS_MAX`]; what is due and not reached comes first in the next.

mod arriving;
mod cooling;
mod entry;
mod leaving;
mod matched;
mod matching;
mod messages;
mod mode;
mod offer;
mod pick;
mod places;
mod teams;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use cooling::Cooling;
use entry::Entry;
pub use messages::{
    EndReason, EntryId, Input, OfferId, OutReason, Output, PlayerKey, Refusal, Seeker, Team, View,
};
pub use mode::{
    AtTheEnd, MATCH_PLAYERS_MAX, MODES_MAX, Missing, Mode, ModeError, ModeId, RATING_MAX, RegionId,
    TEAM_SIZE_MAX, Timing, WAIT_MAX, Window,
};
use offer::{Offers, Stage};
use places::Places;

/// Players in a queue: all of a server's, with place to spare. Beyond: [`Refusal::Full`].
pub const PLAYERS_MAX: usize = 16_384;
/// Regions that a party may name. Each is a list that it stands in.
pub const REGIONS_MAX: usize = 8;
/// Looks at one who waits that a step makes: a few ms' worth. Beyond: the next step goes on.
pub const LOOKS_MAX: u32 = 8192;

/// Everyone who wants to play. Times are since any one moment, the same for all calls, and do not
/// go back.
pub struct Queue {
    modes: Vec<Mode>,
    timing: Timing,
    entries: BTreeMap<EntryId, Entry>,
    /// In which entry each player is, as a member or beside it.
    of_player: BTreeMap<PlayerKey, EntryId>,
    places: Places,
    offers: Offers,
    cooling: Cooling,
    /// How long those waited who got a match lately: a moving mean, by mode.
    lately: BTreeMap<ModeId, Duration>,
    /// Which team is the first.
    chance: ChaCha8Rng,
    last_entry: u64,
    last_offer: u64,
    is_closed: bool,
    /// What one call led to, and was not polled yet: at most some for each player.
    outputs: VecDeque<Output>,
}

impl Queue {
    /// An empty one; a [`ModeId`] is a place in `modes`.
    ///
    /// # Errors
    /// A mode can't be played.
    pub fn new(modes: Vec<Mode>, timing: Timing, seed: u64) -> Result<Queue, ModeError> {
        if modes.is_empty() || modes.len() > MODES_MAX {
            return Err(ModeError::Modes);
        }
        modes.iter().try_for_each(Mode::check)?;
        Ok(Queue {
            modes,
            timing,
            entries: BTreeMap::new(),
            of_player: BTreeMap::new(),
            places: Places::default(),
            offers: Offers::default(),
            cooling: Cooling::default(),
            lately: BTreeMap::new(),
            chance: ChaCha8Rng::seed_from_u64(seed),
            last_entry: 0,
            last_offer: 0,
            is_closed: false,
            outputs: VecDeque::new(),
        })
    }

    /// Something happened.
    pub fn handle(&mut self, now: Duration, input: Input) {
        match input {
            Input::Enqueue {
                mode,
                seekers,
                regions,
            } => self.enqueue(now, mode, &seekers, regions),
            Input::PartyJoined { party, seeker } => self.party_joined(now, party, seeker),
            Input::PartyLeft { player } => self.party_left(now, player),
            Input::PartyChanged { party, by } => self.party_changed(now, party, by),
            Input::Cancel { player } => self.cancel(now, player),
            Input::Lost { player } => self.lost(now, player),
            Input::Returned { player } => self.returned(now, player),
            Input::Accept { player, offer } => self.accept(now, player, offer),
            Input::Decline { player, offer } => self.decline(now, player, offer),
            Input::Joined { player, offer } => self.joined(player, offer),
            Input::JoinFailed { player, offer } => self.join_failed(now, player, offer),
            Input::RoomFailed { offer } => self.fail(now, offer, &[]),
            Input::Close => self.close(),
        }
    }

    /// What to do next; to be called until there is nothing, after each other call.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to step next, if nothing is handled before.
    pub fn wakes_at(&self) -> Option<Duration> {
        let offer = self.offers.next_end().map(|(at, _)| at);
        let end = self.places.next_end().map(|(at, _)| at);
        let next = self.places.next_try().map(|(at, _)| at);
        [offer, end, next].into_iter().flatten().min()
    }

    /// What a player's page shows; `None` if they are not in the queue.
    pub fn view(&self, now: Duration, player: PlayerKey) -> Option<View> {
        let entry = self.entries.get(self.of_player.get(&player)?)?;
        let Some(id) = entry.offer else {
            let mode = self.modes.get(usize::from(entry.mode.0))?;
            let waited = now.saturating_sub(entry.since);
            return Some(View::Waiting {
                mode: entry.mode,
                waited,
                left: mode.wait.saturating_sub(waited),
                window: mode.window(waited) as f64 / 1000.0,
                waiting: self.places.players(entry.mode),
                expected: self.lately.get(&entry.mode).copied(),
                is_held: entry.lost().is_some(),
            });
        };
        let offer = self.offers.get(id)?;
        let Some(stage) = offer.players.get(&player) else {
            return Some(View::Beside);
        };
        let until = offer.until;
        Some(if offer.is_going {
            View::Going {
                offer: id,
                until,
                is_there: *stage == Stage::There,
            }
        } else {
            View::Offered {
                offer: id,
                until,
                is_accepted: *stage == Stage::Accepted,
                accepted: offer.count(Stage::Accepted) as u16,
                of: offer.players.len() as u16,
            }
        })
    }

    /// Whether a match is offered or under way.
    pub fn knows(&self, offer: OfferId) -> bool {
        self.offers.get(offer).is_some()
    }

    /// When a player may queue again who spoilt a match; `None`: at once.
    pub fn cools_until(&self, now: Duration, player: PlayerKey) -> Option<Duration> {
        self.cooling.until(now, player)
    }

    /// Players in the queue, on their way into matches too.
    pub fn players(&self) -> usize {
        self.of_player.len()
    }

    fn told(&mut self, player: PlayerKey) {
        self.outputs.push_back(Output::Told { player });
    }
}
