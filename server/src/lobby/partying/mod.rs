//! The parties of a game at its lobby: [`crate::party`] says who is in which, this tells it what
//! players say and what becomes of their connections, takes a party out of the queue that changes
//! while it waits, keeps seats for those who follow their leader into a room, and tells each of a
//! player's connections how things stand.
//!
//! **What a page is told is the whole party**, and of it the newest alone waits in a connection's
//! mailbox. An answer to who made or joined one is said at once, beside that.
//!
//! **Nothing waits for it on the tick path.** One lock for each game is taken by the lobby's tasks,
//! and in it that of the game's queue, never the other way; a worker says what happened into a list
//! ([`PartyEar`]), which [`Partying::tend`] looks through. What clients say comes by
//! `party_requests`.
//!
//! Of several nodes they are at the home: see `joint`.

mod around;
mod following;
mod moves;
mod table;

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tickwire::ids::RoomId;

use super::home_asks::Asks;
use crate::auth::Identity;
use crate::metrics::GameMetrics;
use crate::worker::{PartyEar, PartyNews};
pub(super) use around::{PartyAround, out};
use following::FOUND;
pub(super) use table::{Parties, Together};

/// From one look to the next, if nothing is heard.
pub(super) const LOOK: Duration = Duration::from_millis(250);
/// For how long a cut connection keeps its place at least; as long as a seat where that is longer.
const GRACE_MIN: Duration = Duration::from_secs(30);
/// Members that a party may have at least: more than a mode's team has, for a room together.
const MEMBERS_MIN: u8 = 8;

/// See the module's description.
pub(super) struct Partying {
    pub(super) ear: Arc<PartyEar>,
    pub(super) metrics: GameMetrics,
    parties: Mutex<Parties>,
    /// Leaders in rooms of this node, which the home has not heard of.
    led: Mutex<Vec<(Identity, RoomId, Instant)>>,
}

impl Partying {
    /// None yet, of a game whose largest team is so large and whose seats are held for so long.
    pub(super) fn new(team: u8, seat_grace: Duration, metrics: GameMetrics) -> Partying {
        let most = team.max(MEMBERS_MIN);
        Partying {
            ear: Arc::default(),
            metrics,
            parties: Mutex::new(Parties::new(most, seat_grace.max(GRACE_MIN))),
            led: Mutex::default(),
        }
    }

    /// Time passed, or there is news.
    pub(super) fn tend(&self, around: &PartyAround<'_>, is_over: bool) {
        let news = self.ear.take();
        self.with(around.now, |parties| {
            for news in news {
                parties.hear(around, news);
            }
            parties.step(around, is_over);
            let (all, players) = parties.totals();
            self.metrics.parties.set(all as f64);
            self.metrics.party_players.set(players as f64);
        });
    }

    /// What the home is to hear of them, at another node, with whom it is of.
    pub(super) fn away(&self, around: &PartyAround<'_>) -> Vec<(Identity, Asks)> {
        let (mut asks, mut led) = (Vec::new(), self.led.lock());
        for news in self.ear.take() {
            match news {
                PartyNews::Asked(who, request) => asks.push((who, Asks::of_party(&request, None))),
                PartyNews::Led(who, room) => led.push((who, room, around.now + FOUND)),
                gone @ PartyNews::Gone(_) => {
                    self.with(around.now, |parties| parties.hear(around, gone));
                }
            }
        }
        // One that was made is found once its worker has opened it.
        led.retain(|(who, room, until)| {
            let code = around.registry.code_of(*room);
            let is_known = code.is_some();
            let room = room.0;
            asks.extend(code.map(|code| (who.clone(), Asks::Led { room, code })));
            !is_known && around.now < *until
        });
        asks
    }

    /// Does something at `now` in their table, which nobody else has meanwhile.
    pub(super) fn with<T>(&self, now: Instant, act: impl FnOnce(&mut Parties) -> T) -> T {
        let mut parties = self.parties.lock();
        parties.pass_to(now);
        act(&mut parties)
    }
}
