//! Where players stand, each for themself: a row of the store with all that is above it counted, so
//! it is read of each at most once in [`FRESH`], and of [`AT_ONCE`] at a time. **Bounded**:
//! [`WAITING_MAX`] wait for that, the rest is refused; [`KNOWN_MAX`] are remembered, then who was
//! read first is read again.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::shown::Board;
use crate::store::boards::Place;
use crate::store::{ReadError, Store};

/// Of the store's readers, so that the others stay for who waits for them.
const AT_ONCE: usize = 1;
/// A few hundred milliseconds' of what can be read.
const WAITING_MAX: usize = 128;
/// Age of a place at which it is read again: as a board's.
const FRESH: Duration = Duration::from_secs(10);
/// 1 MiB of them at most.
const KNOWN_MAX: usize = 4096;

/// For the turn to read: who waits longer asks later.
const PATIENCE: Duration = Duration::from_secs(2);

type Key = (Board, Box<str>);

/// See the module's description.
pub(super) struct Own {
    /// One for each who reads or waits to.
    come: Semaphore,
    places: Semaphore,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    places: BTreeMap<Key, Option<Place>>,
    /// In the order in which they were read.
    order: VecDeque<(Instant, Key)>,
}

impl Default for Own {
    fn default() -> Own {
        Own {
            come: Semaphore::new(AT_ONCE + WAITING_MAX),
            places: Semaphore::new(AT_ONCE),
            known: Mutex::default(),
        }
    }
}

impl Own {
    /// The place of a player on a board, who may have none.
    ///
    /// # Errors
    /// See [`ReadError`]; without a store nobody has one.
    pub(super) async fn place(
        &self,
        store: &Store,
        board: &Board,
        player: &str,
    ) -> Result<Option<Place>, ReadError> {
        let key = (board.clone(), player.into());
        let known = || self.known.lock().find(&key, Instant::now());
        if let Some(known) = known() {
            return Ok(known);
        }
        let _come = self.come.try_acquire().map_err(|_| ReadError::Busy)?;
        let place = timeout(PATIENCE, self.places.acquire()).await;
        // Never closed.
        let _place = place.map_err(|_| ReadError::Busy)?;
        // They may have asked several times.
        if let Some(known) = known() {
            return Ok(known);
        }
        let read = store.board_around(board.game, &board.season, player, (0, 0));
        let place = match read.await {
            Err(ReadError::NoStore) => None,
            read => read?.into_iter().next(),
        };
        self.known.lock().put(key, place.clone(), Instant::now());
        Ok(place)
    }
}

impl Known {
    fn find(&mut self, key: &Key, now: Instant) -> Option<Option<Place>> {
        while let Some((read_at, _)) = self.order.front()
            && *read_at + FRESH <= now
        {
            self.forget_first();
        }
        self.places.get(key).cloned()
    }

    fn put(&mut self, key: Key, place: Option<Place>, now: Instant) {
        if self.order.len() >= KNOWN_MAX {
            self.forget_first();
        }
        self.order.push_back((now, key.clone()));
        self.places.insert(key, place);
    }

    fn forget_first(&mut self) {
        if let Some((_, key)) = self.order.pop_front() {
            self.places.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_read_first_is_forgotten_first() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let key = |number: u64| {
            let board = Board {
                game: "chess",
                season: "".into(),
            };
            (board, format!("user:{number}").into())
        };
        let mut known = Known::default();
        let most = KNOWN_MAX as u64;
        for number in 0..most + 10 {
            known.put(key(number), None, at(number));
        }
        assert_eq!(
            (known.places.len(), known.order.len()),
            (KNOWN_MAX, KNOWN_MAX)
        );
        assert_eq!(known.find(&key(9), at(most)), None);
        assert_eq!(known.find(&key(10), at(most)), Some(None));
        let later = at(most + 9) + FRESH;
        assert_eq!(known.find(&key(most + 9), later), None);
        assert!(known.places.is_empty() && known.order.is_empty());
    }
}
