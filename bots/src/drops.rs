//! Connections that bots lose on purpose: when, in what way, and what becomes of it. A bot that lost its
//! connection comes back by resume as the SDK does, at random distances, and must find its seat and its
//! figure. Pure but for the shared counts; `bot` cuts and comes back, `report` judges.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use tickwire::ids::{Handle, LayerId, PlayerId, RoomId};
use tickwire::session::{Backoff, RoomSession, Ticket};

use crate::flags::Flags;
use crate::measure::Window;

/// Longest time away that is told apart.
const LONGEST_US: u64 = 600_000_000;

/// When a bot loses its connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    /// Never.
    Spared,
    /// Now and then: so many seconds after the last time, on average.
    Often(f64),
    /// Once, with all others, so long after the measured part began.
    Storm(Duration),
}

impl Fate {
    /// That of the flags.
    pub(crate) fn of(flags: &Flags) -> Fate {
        match (flags.storm, flags.drops) {
            (Some(at), _) => Fate::Storm(at),
            (None, Some(a_minute)) => Fate::Often(60.0 / a_minute),
            (None, None) => Fate::Spared,
        }
    }
}

/// One bot's losses.
#[derive(Debug)]
pub(crate) struct Drops {
    fate: Fate,
    next_us: Option<u64>,
    suffered: u64,
}

impl Drops {
    /// None so far.
    pub(crate) fn new(fate: Fate) -> Drops {
        Drops {
            fate,
            next_us: None,
            suffered: 0,
        }
    }

    /// When it loses its connection next, as far as that is known at `now_us`: within the measured part.
    pub(crate) fn due_us(
        &mut self,
        window: &Window,
        now_us: u64,
        rng: &mut ChaCha8Rng,
    ) -> Option<u64> {
        let begin_us = window.begin_us();
        if begin_us == u64::MAX {
            return None;
        }
        let due_us = match (self.next_us, self.fate) {
            (Some(due_us), _) => due_us,
            (None, Fate::Spared) => return None,
            (None, Fate::Storm(_)) if self.suffered > 0 => return None,
            (None, Fate::Storm(at)) => begin_us + at.as_micros() as u64,
            (None, Fate::Often(every_s)) => {
                let chance: f64 = rng.random();
                let wait_us = -(1.0 - chance).ln() * every_s * 1e6;
                now_us.max(begin_us) + wait_us as u64
            }
        };
        self.next_us = Some(due_us);
        (due_us < window.end_us()).then_some(due_us)
    }

    /// It lost it.
    pub(crate) fn suffer(&mut self) {
        self.next_us = None;
        self.suffered += 1;
    }
}

/// A bot whose connection is lost, until it is back.
#[derive(Debug)]
pub(crate) struct Absence {
    pub(crate) ticket: Ticket,
    /// Who it is to the server.
    pub(crate) token: String,
    pub(crate) backoff: Backoff,
    since_us: u64,
    seat: (RoomId, PlayerId),
    figure: Option<Handle>,
}

impl Absence {
    /// From the session's last state in a room.
    pub(crate) fn new(ticket: Ticket, token: &str, room: &RoomSession, now_us: u64) -> Absence {
        Absence {
            ticket,
            token: token.to_owned(),
            backoff: Backoff::new(now_us),
            since_us: now_us,
            seat: (room.info.id, room.you),
            figure: figure(room),
        }
    }

    /// Whether the room that it is back in is the one that it left, with the same seat and the same figure.
    fn is_where_it_was(&self, room: &RoomSession) -> bool {
        let same_figure = self.figure.is_none() || self.figure == figure(room);
        self.seat == (room.info.id, room.you) && same_figure
    }
}

/// What a bot steers, if its room shows it.
fn figure(room: &RoomSession) -> Option<Handle> {
    let image = room.layer(LayerId::ROOM)?;
    Some(image.entities.get(room.avatar()?)?.handle())
}

/// What all bots' losses came to.
#[derive(Clone, Debug)]
pub(crate) struct Returns {
    /// Connections lost on purpose.
    pub(crate) drops: u64,
    /// Bots that were back, with a snapshot.
    pub(crate) returns: u64,
    /// Those that were not where they had been.
    pub(crate) strayed: u64,
    /// Tries that came to nothing.
    pub(crate) retries: u64,
    /// From the loss to the first snapshot, in microseconds.
    pub(crate) away_us: Histogram<u64>,
}

impl Default for Returns {
    fn default() -> Returns {
        Returns {
            drops: 0,
            returns: 0,
            strayed: 0,
            retries: 0,
            away_us: Histogram::new_with_bounds(1, LONGEST_US, 3)
                .expect("the bounds are a histogram's"),
        }
    }
}

/// Where all bots write to.
#[derive(Debug, Default)]
pub(crate) struct ReturnTally(Mutex<Returns>);

impl ReturnTally {
    /// What came of it so far.
    pub(crate) fn read(&self) -> Returns {
        self.lock().clone()
    }

    /// Bots that are away.
    pub(crate) fn away(&self) -> u64 {
        let returns = self.lock();
        returns.drops - returns.returns
    }

    /// A bot lost its connection.
    pub(crate) fn note_drop(&self) {
        self.lock().drops += 1;
    }

    /// A try was refused, or its connection did not last.
    pub(crate) fn note_retry(&self) {
        self.lock().retries += 1;
    }

    /// A bot has its first snapshot again.
    pub(crate) fn note_return(&self, absence: &Absence, room: &RoomSession, now_us: u64) {
        let mut returns = self.lock();
        returns.returns += 1;
        returns.strayed += u64::from(!absence.is_where_it_was(room));
        let away_us = now_us - absence.since_us;
        returns.away_us.saturating_record(away_us);
    }

    fn lock(&self) -> MutexGuard<'_, Returns> {
        // A bot that panicked leaves sums that are still sums.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn losses_come_at_their_rate_and_within_the_window() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let window = Window::new();
        let mut drops = Drops::new(Fate::Often(30.0));
        assert_eq!(drops.due_us(&window, 0, &mut rng), None);
        window.set(1_000_000, 3_601_000_000);
        let mut now_us = 0;
        let mut count = 0;
        while let Some(due_us) = drops.due_us(&window, now_us, &mut rng) {
            assert_eq!(drops.due_us(&window, now_us + 1, &mut rng), Some(due_us));
            assert!(due_us >= now_us.max(1_000_000));
            now_us = due_us;
            drops.suffer();
            count += 1;
        }
        assert!((90..150).contains(&count), "{count} in an hour");
    }

    #[test]
    fn a_storm_comes_once() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let window = Window::new();
        window.set(1_000_000, 9_000_000);
        let mut drops = Drops::new(Fate::Storm(Duration::from_secs(2)));
        assert_eq!(drops.due_us(&window, 0, &mut rng), Some(3_000_000));
        drops.suffer();
        assert_eq!(drops.due_us(&window, 0, &mut rng), None);
        let mut spared = Drops::new(Fate::Spared);
        assert_eq!(spared.due_us(&window, 0, &mut rng), None);
    }
}
