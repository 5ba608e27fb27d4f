//! How good players are, as far as the queue asks: their rating in the store, in the units of a
//! mode's window. Guests have none, and without a store nobody has: they are new.
//!
//! **Nobody waits for a disk**: what is not known at once is asked for ([`Skill::ask`]), and the
//! queue goes on; who asked is in it once the answer is there (`asking`), [`WAIT`] later at the
//! latest. Then, and where too many ask, they are new, which is counted.

use std::time::{Duration, Instant};

use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout_at;

use crate::auth::Identity;
use crate::metrics::GameMetrics;
use crate::ratings::Rating;
use crate::store::Store;
use crate::store::means::ASKED_MAX;

/// For how long a rating is waited for: what nobody takes for a delay who asked for a match.
const WAIT: Duration = Duration::from_millis(250);
/// Ratings that are asked for and were not read yet: what a store reads within [`WAIT`]. Beyond:
/// whose it is counts as new.
const ASKS_MAX: usize = 1024;

/// See the module's description.
pub(in crate::lobby) struct Skill {
    store: Store,
    game: &'static str,
    metrics: GameMetrics,
    asks: mpsc::Sender<Ask>,
    asked: Mutex<mpsc::Receiver<Ask>>,
}

struct Ask {
    who: Identity,
    /// When it is too late.
    by: Instant,
}

impl Skill {
    pub(in crate::lobby) fn new(store: Store, game: &'static str, metrics: GameMetrics) -> Skill {
        let (asks, asked) = mpsc::channel(ASKS_MAX);
        Skill {
            store,
            game,
            metrics,
            asks,
            asked: Mutex::new(asked),
        }
    }

    /// Somebody's, if it is known; else it is asked for, and comes by [`Skill::read_some`].
    pub(in crate::lobby) fn of(&self, who: &Identity, now: Instant) -> Option<f64> {
        if who.is_guest || !self.store.is_there() {
            return Some(Rating::START.mean);
        }
        let known = self.store.mean_known(self.game, &who.to_string(), now);
        known.or_else(|| {
            let (who, by) = (who.clone(), now + WAIT);
            let asked = self.asks.try_send(Ask { who, by });
            asked.is_err().then(|| self.unread(1))
        })
    }

    /// Waits for some who were asked for, and how good they are.
    pub(in crate::lobby) async fn read_some(&self) -> Vec<(Identity, f64)> {
        let mut asked = self.asked.lock().await;
        let Some(Ask { who, by }) = asked.recv().await else {
            // The other end is here, too.
            return Vec::new();
        };
        let mut players = vec![who];
        while players.len() < ASKED_MAX
            && let Ok(ask) = asked.try_recv()
        {
            players.push(ask.who);
        }
        drop(asked);
        let names: Vec<String> = players.iter().map(Identity::to_string).collect();
        let reading = self.store.means(self.game, &names);
        // Of whom it is too late already nothing is read.
        let read = match Instant::now() < by {
            true => timeout_at(by.into(), reading).await.ok(),
            false => None,
        };
        let means = match read {
            Some(Ok(means)) => means,
            _ => vec![self.unread(players.len()); players.len()],
        };
        players.into_iter().zip(means).collect()
    }

    /// So many count as new.
    fn unread(&self, players: usize) -> f64 {
        self.metrics.queue_ratings_unread.increment(players as u64);
        Rating::START.mean
    }
}
