//! Bots that for a while read a tenth of what they need, or nothing at all, and then read again:
//! who they are, when each may read, and how soon they hold the current state. The server must not
//! keep for them what they don't read, and the others must not notice. Pure but for the shared
//! counts; `swarm` says when, `player` asks before each read.

use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;
use tickwire::ids::Tick;
use tokio::sync::watch;

use crate::flags::Flags;

/// What a slow bot reads of what it read before: one part in so many.
const SHARE: u64 = 10;
/// Ticks of the room until a bot that reads again must hold its state.
pub(crate) const RECOVERY_TICKS_MAX: u32 = 3;

/// How a bot reads while the slow ones are slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As always.
    Full,
    /// A tenth of the bytes.
    Slow,
    /// Nothing.
    Stalled,
}

impl Pace {
    /// The pace of a bot, so that every room has its share of slow ones.
    pub(crate) fn of(flags: &Flags, index: usize, room: usize) -> Pace {
        let nth = index / flags.rooms.max(1) as usize;
        // 37 and 100 have no common factor: any 100 in a row are all different.
        let place = ((nth * 37 + room) % 100) as u32;
        if place < flags.slow {
            Pace::Slow
        } else if place < flags.slow + flags.stalled {
            Pace::Stalled
        } else {
            Pace::Full
        }
    }
}

/// What slow bots came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Recoveries {
    /// Bots that were slow or stalled.
    pub(crate) slowed: u64,
    /// Those that held the current state when they read again.
    pub(crate) recovered: u64,
    /// Ticks that the last of them took.
    pub(crate) ticks_max: u32,
}

/// What all bots of a run share about it.
pub(crate) struct Slowness {
    /// Whether the slow ones are slow now.
    pub(crate) is_on: watch::Sender<bool>,
    /// The newest tick that a bot at full pace of each room has seen.
    newest: Vec<AtomicU32>,
    recoveries: Mutex<Recoveries>,
}

impl Slowness {
    /// Nobody is slow yet.
    pub(crate) fn new(rooms: usize) -> Slowness {
        Slowness {
            is_on: watch::Sender::new(false),
            newest: (0..rooms.max(1)).map(|_| AtomicU32::new(0)).collect(),
            recoveries: Mutex::default(),
        }
    }

    /// What they came to so far.
    pub(crate) fn recoveries(&self) -> Recoveries {
        *self.recoveries.lock()
    }

    fn newest(&self, room: usize) -> Tick {
        let newest = &self.newest[room % self.newest.len()];
        Tick(newest.load(Ordering::Relaxed))
    }
}

/// When one bot reads.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) pace: Pace,
    room: usize,
    /// Bytes read at will, since when, and for how long in the end.
    free_bytes: u64,
    free_since_us: Option<u64>,
    free_us: u64,
    is_slow: bool,
    /// While slow: when it reads again.
    next_us: u64,
    /// It reads again; its room had come to this tick then.
    behind: Option<Tick>,
}

impl Reader {
    /// A bot of a room, reading at will.
    pub(crate) fn new(pace: Pace, room: usize) -> Reader {
        Reader {
            pace,
            room,
            free_bytes: 0,
            free_since_us: None,
            free_us: 0,
            is_slow: false,
            next_us: 0,
            behind: None,
        }
    }

    /// Whether it reads at `now_us`.
    pub(crate) fn reads(&self, now_us: u64) -> bool {
        !self.is_slow || (self.pace == Pace::Slow && now_us >= self.next_us)
    }

    /// When it will read, if not now.
    pub(crate) fn reads_at_us(&self, now_us: u64) -> Option<u64> {
        (self.pace == Pace::Slow && !self.reads(now_us)).then_some(self.next_us)
    }

    /// The slow ones begin or end to be slow.
    pub(crate) fn turn(&mut self, on: bool, slowness: &Slowness, now_us: u64) {
        if self.pace == Pace::Full || on == self.is_slow {
            return;
        }
        self.is_slow = on;
        self.next_us = now_us;
        if on {
            self.free_us = now_us - self.free_since_us.unwrap_or(now_us);
            slowness.recoveries.lock().slowed += 1;
        } else {
            self.behind = Some(slowness.newest(self.room));
        }
    }

    /// It read so many bytes.
    pub(crate) fn read(&mut self, bytes: usize, now_us: u64) {
        let bytes = bytes as u64;
        if self.is_slow {
            let us = bytes * SHARE * self.free_us / self.free_bytes.max(1);
            self.next_us = self.next_us.max(now_us) + us;
        } else if self.free_since_us.is_some() {
            self.free_bytes += bytes;
        } else {
            // Its first message: what the handshake brought before is no measure.
            self.free_since_us = Some(now_us);
        }
    }

    /// It applied the snapshot of `tick`.
    pub(crate) fn applied(&mut self, tick: Tick, slowness: &Slowness) {
        let newest = &slowness.newest[self.room % slowness.newest.len()];
        if self.pace == Pace::Full {
            newest.fetch_max(tick.0, Ordering::Relaxed);
            return;
        }
        let Some(behind) = self.behind.filter(|behind| tick >= *behind) else {
            return;
        };
        self.behind = None;
        let mut recoveries = slowness.recoveries.lock();
        recoveries.recovered += 1;
        let took = slowness.newest(self.room).since(behind);
        recoveries.ticks_max = recoveries.ticks_max.max(took);
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[test]
    fn every_room_has_its_share() {
        let line = "bots --bots 1000 --rooms 20 --slow 10 --stalled 5";
        let flags = Flags::try_parse_from(line.split(' ')).expect("good flags");
        let of = |index: usize| Pace::of(&flags, index, index % 20);
        let count = |pace: Pace| (0..1000).filter(|index| of(*index) == pace).count();
        assert!(
            (80..=120).contains(&count(Pace::Slow)),
            "{}",
            count(Pace::Slow)
        );
        let stalled = count(Pace::Stalled);
        assert!((35..=65).contains(&stalled), "{stalled}");
        for room in 0..20 {
            let full = (0..50).filter(|nth| of(nth * 20 + room) == Pace::Full);
            assert!(full.count() >= 38);
        }
    }

    #[test]
    fn a_slow_bot_reads_a_tenth() {
        let slowness = Slowness::new(1);
        let mut reader = Reader::new(Pace::Slow, 0);
        let mut now_us = 0;
        for _ in 0..=100 {
            assert!(reader.reads(now_us));
            reader.read(300, now_us);
            now_us += 50_000;
        }
        reader.turn(true, &slowness, now_us);
        let mut read = 0;
        for _ in 0..1000 {
            if reader.reads(now_us) {
                reader.read(300, now_us);
                read += 1;
            }
            now_us += 50_000;
        }
        assert!((85..=101).contains(&read), "{read}");
    }

    #[test]
    fn recovery_is_counted_in_ticks_of_the_room() {
        let slowness = Slowness::new(1);
        let mut full = Reader::new(Pace::Full, 0);
        let mut stalled = Reader::new(Pace::Stalled, 0);
        full.applied(Tick(90), &slowness);
        stalled.turn(true, &slowness, 5);
        assert!(!stalled.reads(1_000_000) && stalled.reads_at_us(6).is_none());
        full.applied(Tick(100), &slowness);
        stalled.turn(false, &slowness, 2_000_000);
        assert!(stalled.reads(2_000_000));
        stalled.applied(Tick(80), &slowness);
        assert_eq!(slowness.recoveries().recovered, 0, "a stale one");
        full.applied(Tick(102), &slowness);
        stalled.applied(Tick(102), &slowness);
        stalled.applied(Tick(103), &slowness);
        let expected = Recoveries {
            slowed: 1,
            recovered: 1,
            ticks_max: 2,
        };
        assert_eq!(slowness.recoveries(), expected);
    }
}
