//! How many sockets the public port holds: a count with a limit, and a seat that gives its place
//! back when it is dropped, or when its socket is told to go for another one. `accept` takes one
//! for each socket; it stays with the socket through HTTP, lobby and rooms. Who has to go is
//! `crowd`'s to say.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use metrics::Gauge;
use tokio::sync::Notify;

/// Sockets beyond the limit: those in whose place another one is there, until they are gone, and
/// those that can only be answered a request, or told that the server is full. They end within the
/// time that HTTP has.
const SPARE: u32 = 64;

/// The seats of one server.
#[derive(Clone)]
pub(crate) struct Seats(Arc<Count>);

struct Count {
    /// Sockets that are open.
    open: AtomicU32,
    /// Those of them that were not told to go.
    taken: AtomicU32,
    limit: u32,
    shown: Gauge,
}

impl Seats {
    /// `limit` seats, none taken; `shown` is how many sockets are open.
    pub(crate) fn new(limit: u32, shown: Gauge) -> Seats {
        Seats(Arc::new(Count {
            open: AtomicU32::new(0),
            taken: AtomicU32::new(0),
            limit,
            shown,
        }))
    }

    /// A seat, or `None` when even the spare ones are taken.
    pub(crate) fn take(&self) -> Option<Seat> {
        let count = &self.0;
        let bound = count.limit.saturating_add(SPARE);
        count
            .open
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |open| {
                (open < bound).then_some(open + 1)
            })
            .ok()?;
        count.taken.fetch_add(1, Ordering::Relaxed);
        count.shown.increment(1);
        Some(Seat(Notice(Arc::new(Told {
            count: Some(count.clone()),
            ..Told::default()
        }))))
    }

    /// How many seats are taken that there are not: as many sockets have to go before one more may
    /// play.
    pub(crate) fn beyond(&self) -> u32 {
        let taken = self.0.taken.load(Ordering::Relaxed);
        taken.saturating_sub(self.0.limit)
    }
}

/// A socket's place; dropping it frees the place.
pub(crate) struct Seat(Notice);

impl Seat {
    /// How its socket hears that it must go; from then on the place is free.
    pub(crate) fn notice(&self) -> &Notice {
        &self.0
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.free(GONE);
        if let Some(count) = &self.0.0.count {
            count.open.fetch_sub(1, Ordering::Relaxed);
            count.shown.decrement(1);
        }
    }
}

/// How a socket hears that it must go, wherever it is; one for all crowds that it is in.
#[derive(Clone, Default)]
pub(crate) struct Notice(Arc<Told>);

#[derive(Default)]
struct Told {
    state: AtomicU8,
    given: Notify,
    /// Where its place is counted; `None` only in tests of what knows no places.
    count: Option<Arc<Count>>,
}

/// What a socket is, in its life.
const HERE: u8 = 0;
const TOLD: u8 = 1;
const GONE: u8 = 2;

impl Notice {
    /// The socket must go.
    pub(crate) fn give(&self) {
        self.free(TOLD);
        self.0.given.notify_one();
    }

    /// Frees the place, once: its socket is told to go, or gone without having been told.
    fn free(&self, state: u8) {
        let (success, failure) = (Ordering::Release, Ordering::Relaxed);
        let freed = self.0.state.compare_exchange(HERE, state, success, failure);
        if let (Ok(_), Some(count)) = (freed, &self.0.count) {
            count.taken.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Whether the socket must go.
    pub(crate) fn is_given(&self) -> bool {
        self.0.state.load(Ordering::Acquire) == TOLD
    }

    /// Done when it must.
    pub(crate) async fn given(&self) {
        while !self.is_given() {
            self.0.given.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_end_and_come_back() {
        let seats = Seats::new(2, Gauge::noop());
        let mut taken: Vec<Seat> = std::iter::from_fn(|| seats.take()).collect();
        assert_eq!(taken.len() as u32, 2 + SPARE);
        assert_eq!(seats.beyond(), SPARE);
        taken.truncate(3);
        assert_eq!(seats.beyond(), 1);
        taken[0].notice().give();
        taken[0].notice().give();
        assert_eq!(seats.beyond(), 0, "who must go is not counted");
        assert!(taken[0].notice().is_given() && !taken[1].notice().is_given());
        taken.push(seats.take().unwrap());
        assert_eq!(seats.beyond(), 1);
        taken.remove(0);
        assert_eq!(seats.beyond(), 1, "nor a second time when they are gone");
        drop(taken);
        assert_eq!(seats.0.open.load(Ordering::Relaxed), 0);
        assert_eq!(seats.0.taken.load(Ordering::Relaxed), 0);
    }
}
