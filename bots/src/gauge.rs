//! What one bot measures: gaps between snapshots, latency of inputs, bytes. Pure: times are
//! arguments, in microseconds since the run's start. Called by `player`; the sums are in `tally`.

use std::collections::VecDeque;

use tickwire::ids::{LayerId, Tick};
use tickwire::protocol::frame::SnapshotHead;
use tickwire::session::RoomSession;
use tickwire::snapshot::image::LayerImage;

use crate::tally::Tally;

/// Inputs whose showing is awaited. Beyond, the oldest is not measured.
const INPUTS_AWAITED_MAX: usize = 256;

/// One bot's measuring.
#[derive(Debug)]
pub(crate) struct Gauge {
    shard: usize,
    last_snapshot_us: Option<u64>,
    /// When the newest message came to the socket, and the snapshot before.
    arrived_us: Option<u64>,
    last_arrived_us: Option<u64>,
    awaited: VecDeque<(Tick, u64)>,
    /// What everyone sees in the room and of its groups, as the bot held it before, by rising
    /// layer, if it surveys how much moves.
    survey: Option<Vec<(LayerId, LayerImage)>>,
}

impl Gauge {
    /// For the bot of this number; one bot a room surveys.
    pub(crate) fn new(bot: usize, surveys: bool) -> Gauge {
        Gauge {
            shard: bot,
            last_snapshot_us: None,
            arrived_us: None,
            last_arrived_us: None,
            awaited: VecDeque::new(),
            survey: surveys.then(Vec::new),
        }
    }

    /// A message came to the socket at a time of the kernel's clock, if that is known. One read may
    /// bring several messages, which then share the newest one's.
    pub(crate) fn on_arrival(&mut self, arrived_us: Option<u64>) {
        self.arrived_us = arrived_us;
    }

    /// A message of so many bytes came.
    pub(crate) fn on_bytes(&mut self, tally: &Tally, bytes: usize, now_us: u64) {
        if tally.window.holds(now_us) {
            tally.shard(self.shard).bytes += bytes as u64;
        }
    }

    /// The input of a tick was sent.
    pub(crate) fn on_input(&mut self, tally: &Tally, tick: Tick, now_us: u64) {
        if self.awaited.len() == INPUTS_AWAITED_MAX {
            self.awaited.pop_front();
        }
        self.awaited.push_back((tick, now_us));
        if tally.window.holds(now_us) {
            tally.shard(self.shard).inputs += 1;
        }
    }

    /// A snapshot of so many bytes was applied.
    pub(crate) fn on_snapshot(
        &mut self,
        tally: &Tally,
        head: &SnapshotHead,
        bytes: usize,
        now_us: u64,
    ) {
        let before_us = self.last_snapshot_us.replace(now_us);
        let arrivals = self.last_arrived_us.zip(self.arrived_us);
        self.last_arrived_us = self.arrived_us;
        let mut totals = None;
        while let Some(&(tick, sent_us)) = self.awaited.front() {
            if tick > head.input_tick {
                break;
            }
            self.awaited.pop_front();
            if tally.window.holds(sent_us) && tally.window.holds(now_us) {
                let totals = totals.get_or_insert_with(|| tally.shard(self.shard));
                totals.latencies.record(now_us - sent_us);
            }
        }
        if !tally.window.holds(now_us) {
            return;
        }
        let mut totals = totals.unwrap_or_else(|| tally.shard(self.shard));
        if let Some(before_us) = before_us {
            // Of a gap that began in the ramp only the measured part counts.
            let from_us = before_us.max(tally.window.begin_us());
            totals.gaps.record(now_us - from_us);
        }
        if let Some((from_us, to_us)) = arrivals
            && before_us.is_some_and(|before_us| tally.window.holds(before_us))
        {
            totals.arrivals.record(to_us.saturating_sub(from_us));
        }
        totals.snapshots += 1;
        totals.snapshot_bytes += bytes as u64;
        totals.substituted += u64::from(head.substituted);
    }

    /// Counts what moved since the snapshot before, if this bot surveys.
    pub(crate) fn survey(&mut self, tally: &Tally, room: &RoomSession, bytes: usize, now_us: u64) {
        let Some(before) = &mut self.survey else {
            return;
        };
        let is_everyones = |layer: &LayerId| *layer == LayerId::ROOM || layer.is_group();
        let shown = room.layers().filter(|(layer, _)| is_everyones(layer));
        let mut moved = 0;
        let mut shown_before = before.drain(..).peekable();
        let mut held = Vec::new();
        for (layer, image) in shown {
            while shown_before.next_if(|(old, _)| *old < layer).is_some() {}
            let old = shown_before.next_if(|(old, _)| *old == layer);
            let mut old = old.map(|(_, old)| old).unwrap_or_default();
            moved += image.moved_since(&old) as u64;
            old.clone_from(image);
            held.push((layer, old));
        }
        drop(shown_before);
        *before = held;
        if tally.window.holds(now_us) {
            let mut totals = tally.shard(self.shard);
            totals.surveyed_bytes += bytes as u64;
            totals.moved += moved;
        }
    }

    /// The bot lost its connection on purpose: what it does not get meanwhile is no gap.
    pub(crate) fn pause(&mut self) {
        (self.last_snapshot_us, self.last_arrived_us) = (None, None);
        self.awaited.clear();
        if let Some(before) = &mut self.survey {
            before.clear();
        }
    }

    /// The bot is done, or was cut off: a gap that is open at the end of the window counts as far
    /// as it got, so that a bot which hears nothing more does not go unnoticed.
    pub(crate) fn finish(&mut self, tally: &Tally, now_us: u64) {
        let (from_us, end_us) = (tally.window.begin_us(), tally.window.end_us().min(now_us));
        let since_us = self.last_snapshot_us.unwrap_or(0).max(from_us);
        if since_us < end_us {
            tally.shard(self.shard).gaps.record(end_us - since_us);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(tick: u32, input_tick: u32) -> SnapshotHead {
        SnapshotHead {
            tick: Tick(tick),
            input_tick: Tick(input_tick),
            substituted: false,
            slack: 2,
        }
    }

    fn window(from_us: u64, to_us: u64) -> Tally {
        let tally = Tally::new();
        tally.window.set(from_us, to_us);
        tally
    }

    #[test]
    fn only_the_window_counts() {
        let tally = Tally::new();
        let mut gauge = Gauge::new(0, false);
        gauge.on_snapshot(&tally, &head(1, 0), 10, 500);
        tally.window.set(1_000, 2_000);
        gauge.on_snapshot(&tally, &head(2, 0), 10, 1_100);
        gauge.on_snapshot(&tally, &head(3, 0), 10, 1_400);
        gauge.on_snapshot(&tally, &head(4, 0), 10, 2_500);
        gauge.on_bytes(&tally, 7, 999);
        gauge.on_bytes(&tally, 7, 1_999);
        let totals = tally.take();
        assert_eq!(tally.totals().snapshots, 0);
        assert_eq!(
            (totals.snapshots, totals.snapshot_bytes, totals.bytes),
            (2, 20, 7)
        );
        assert_eq!(totals.gaps.0.len(), 2);
        assert_eq!((totals.gaps.0.min(), totals.gaps.0.max()), (100, 300));
    }

    #[test]
    fn a_bot_that_reads_late_has_no_gap_at_its_socket() {
        let tally = window(0, 1_000_000);
        let mut gauge = Gauge::new(0, false);
        for (tick, arrived_us, now_us) in [(1, 7_000, 100), (2, 7_040, 190), (3, 7_080, 200)] {
            gauge.on_arrival(Some(arrived_us));
            gauge.on_snapshot(&tally, &head(tick, 0), 1, now_us);
        }
        gauge.pause();
        gauge.on_arrival(Some(9_000));
        gauge.on_snapshot(&tally, &head(9, 0), 1, 300);
        gauge.on_arrival(None);
        gauge.on_snapshot(&tally, &head(10, 0), 1, 340);
        let totals = tally.totals();
        assert_eq!((totals.gaps.0.len(), totals.gaps.0.max()), (3, 90));
        let arrivals = totals.arrivals.0;
        assert_eq!(
            (arrivals.len(), arrivals.min(), arrivals.max()),
            (2, 40, 40)
        );
    }

    #[test]
    fn latency_ends_with_the_first_snapshot_that_knows_the_input() {
        let tally = window(0, 1_000_000);
        let mut gauge = Gauge::new(0, false);
        gauge.on_input(&tally, Tick(10), 1_000);
        gauge.on_input(&tally, Tick(11), 1_100);
        gauge.on_input(&tally, Tick(12), 1_200);
        gauge.on_snapshot(&tally, &head(9, 9), 1, 1_300);
        assert_eq!(tally.totals().latencies.0.len(), 0);
        gauge.on_snapshot(&tally, &head(11, 11), 1, 1_500);
        let latencies = tally.totals().latencies.0;
        assert_eq!(
            (latencies.len(), latencies.min(), latencies.max()),
            (2, 400, 500)
        );
        assert_eq!(gauge.awaited.len(), 1);
    }

    #[test]
    fn silence_at_the_end_is_a_gap() {
        let tally = window(0, 10_000);
        let mut gauge = Gauge::new(0, false);
        for us in [0, 100, 200] {
            gauge.on_snapshot(&tally, &head(us as u32 + 1, 0), 1, us);
        }
        let mut silent = Gauge::new(1, false);
        gauge.finish(&tally, 12_000);
        silent.finish(&tally, 12_000);
        let longest = tally.totals().gaps.0.max();
        assert!(longest >= 9_990, "{longest}");
        assert_eq!(tally.totals().gaps.0.len(), 4);
    }
}
