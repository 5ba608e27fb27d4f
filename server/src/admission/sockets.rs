//! How many sockets the public port holds: a count with a limit, and a seat that gives its
//! place back when it is dropped. `accept` takes one for each socket; it stays with the socket
//! through HTTP, lobby and rooms.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use metrics::Gauge;

/// Seats beyond the limit: for sockets in whose place another one goes, until it is gone, and for those that can only
/// be told that the server is full. They free themselves within the time that HTTP has.
const SPARE: u32 = 64;

/// The seats of one server.
#[derive(Clone)]
pub(crate) struct Seats(Arc<Count>);

struct Count {
    taken: AtomicU32,
    limit: u32,
    open: Gauge,
}

impl Seats {
    /// `limit` seats, none taken; `open` shows how many are.
    pub(crate) fn new(limit: u32, open: Gauge) -> Seats {
        Seats(Arc::new(Count {
            taken: AtomicU32::new(0),
            limit,
            open,
        }))
    }

    /// A seat, or `None` when even the spare ones are taken.
    pub(crate) fn take(&self) -> Option<Seat> {
        let count = &self.0;
        let bound = count.limit.saturating_add(SPARE);
        let before = count
            .taken
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
                (taken < bound).then_some(taken + 1)
            })
            .ok()?;
        count.open.increment(1);
        Some(Seat {
            count: self.0.clone(),
            spare: before >= count.limit,
        })
    }
}

/// A socket's place; dropping it frees the place.
pub(crate) struct Seat {
    count: Arc<Count>,
    spare: bool,
}

impl Seat {
    /// Whether it is beyond the limit: its socket may not play.
    pub(crate) fn is_spare(&self) -> bool {
        self.spare
    }

    /// Another socket goes for this one: it may play.
    pub(crate) fn make_usual(&mut self) {
        self.spare = false;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.count.taken.fetch_sub(1, Ordering::Relaxed);
        self.count.open.decrement(1);
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
        let spare: Vec<bool> = taken.iter().map(Seat::is_spare).collect();
        assert_eq!(spare.iter().filter(|spare| !**spare).count(), 2);
        assert!(!spare[0] && !spare[1]);
        taken.truncate(1);
        assert!(!seats.take().unwrap().is_spare());
        drop(taken);
        assert_eq!(
            std::iter::from_fn(|| seats.take())
                .take(2)
                .filter(Seat::is_spare)
                .count(),
            0
        );
    }
}
