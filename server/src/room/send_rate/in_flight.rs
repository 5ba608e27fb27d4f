//! What was sent to a player and not acknowledged yet. Kernel buffers hide a slow reader for
//! seconds, so the acknowledgement is the first sign: with the window full a player is skipped.
//! How long the window is follows from the shortest round trip of late, counted in the
//! room's ticks, because that is when sockets are read.

use smallvec::SmallVec;
use tickwire::ids::Tick;
use tickwire::limits::{ACK_DELAY_MS, UNACKED_BYTES_MAX, UNACKED_SNAPSHOTS_MAX};

use super::cadence::Cadence;

/// Snapshots that may be in flight until a round trip was measured.
const WINDOW_AT_FIRST: u32 = 8;
/// At least so many: an acknowledgement that rides on every input is that late on a good
/// link.
const WINDOW_MIN: u32 = 4;
/// Snapshots beyond the round trip, at least: what a late tick and a delayed input cost.
const SLACK_MIN: u32 = 3;
/// Bytes of what is passed on to all that go to one player before a snapshot whose acknowledgement
/// covers them: a line of chat, or some hundred changes of members. Beyond: they wait for the
/// snapshot.
const CONTROL_BYTES_MAX: u32 = 2048;
/// Half of the span over which the shortest round trip counts.
const HALF_SPAN_SECONDS: u32 = 5;

/// A player's snapshots in flight.
#[derive(Debug, Default)]
pub(in crate::room) struct InFlightWindow {
    acked: Tick,
    bytes: u32,
    round_trip: ShortestOfLate,
    /// The shortest round trip of all, in ticks; 0 before the first.
    quickest: u32,
    /// Bytes of what was passed on to all that went out since the last snapshot: the next one
    /// covers them.
    control: u32,
    /// Tick and bytes of each, oldest first; at most [`UNACKED_SNAPSHOTS_MAX`], which
    /// [`InFlightWindow::left`] sees to. In place while they are as few as on a good link: looking
    /// them up elsewhere was a cache miss for each player and tick.
    in_flight: SmallVec<[(Tick, u32); WINDOW_AT_FIRST as usize]>,
}

/// An acknowledgement of what was not sent, or one that goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::room) struct BadAck;

impl InFlightWindow {
    /// Whether another snapshot may go out at `now`: the oldest in flight is younger than the
    /// window, which in a rate tier of every 8th snapshot leaves one or two of them in flight. With
    /// nothing in flight one may always go, whatever its size.
    pub(in crate::room) fn left(&self, now: Tick, cadence: Cadence) -> bool {
        let Some((oldest, _)) = self.in_flight.first() else {
            return true;
        };
        // The count too: the window is longer in ticks once snapshots are throttled.
        now.since(*oldest) < self.window(cadence) * cadence.every()
            && self.in_flight.len() < UNACKED_SNAPSHOTS_MAX as usize
            && self.bytes + self.control < UNACKED_BYTES_MAX
    }

    /// Snapshots that may be in flight at the full rate.
    pub(in crate::room) fn window(&self, cadence: Cadence) -> u32 {
        let Some(ticks) = self.round_trip.ticks() else {
            return WINDOW_AT_FIRST;
        };
        // Who sends no inputs acknowledges with the first message after the delay.
        let delayed = cadence.ticks_in_ms(ACK_DELAY_MS).div_ceil(cadence.every()) + 1;
        (ticks.div_ceil(cadence.every()) + delayed.max(SLACK_MIN))
            .clamp(WINDOW_MIN, UNACKED_SNAPSHOTS_MAX)
    }

    /// Bytes of what is passed on to all that may go out at `now`.
    pub(in crate::room) fn left_for_control(&self, now: Tick, cadence: Cadence) -> u32 {
        if self.left(now, cadence) {
            CONTROL_BYTES_MAX.saturating_sub(self.control)
        } else {
            0
        }
    }

    /// So many bytes of it went out.
    pub(in crate::room) fn told(&mut self, bytes: u32) {
        self.control = self.control.saturating_add(bytes);
    }

    pub(in crate::room) fn sent(&mut self, tick: Tick, bytes: u32) {
        let bytes = bytes.saturating_add(std::mem::take(&mut self.control));
        self.in_flight.push((tick, bytes));
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Takes an acknowledgement of `tick` and all before it, which came after the tick `now` and
    /// before the next. The same one may come again. If nothing is in flight any more: for how many
    /// images' time this one was under way, less what the quickest was beyond one.
    pub(in crate::room) fn ack(
        &mut self,
        tick: Tick,
        now: Tick,
        cadence: Cadence,
    ) -> Result<Option<u32>, BadAck> {
        if tick == self.acked {
            return Ok(None);
        }
        let mut sent = self.in_flight.iter();
        let covered = sent.position(|(sent, _)| *sent == tick).ok_or(BadAck)? + 1;
        for (_, bytes) in self.in_flight.drain(..covered) {
            self.bytes = self.bytes.saturating_sub(bytes);
        }
        self.acked = tick;
        let ticks = now.since(tick) + 1;
        self.round_trip.measured(ticks, now, cadence);
        if self.quickest == 0 || ticks < self.quickest {
            self.quickest = ticks;
        }
        let images = (ticks - self.quickest + 1).div_ceil(cadence.every());
        Ok(self.is_drained().then_some(images))
    }

    /// Whether nothing is in flight.
    pub(in crate::room) fn is_drained(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Whether any snapshot was acknowledged.
    pub(in crate::room) fn any_acked(&self) -> bool {
        self.acked > Tick(0)
    }

    /// Ticks for which the oldest snapshot in flight has been waiting.
    pub(in crate::room) fn waiting(&self, now: Tick) -> u32 {
        let oldest = self.in_flight.first();
        oldest.map_or(0, |(tick, _)| now.since(*tick))
    }

    /// Snapshots and bytes in flight.
    pub(in crate::room) fn unacked(&self) -> (u32, u32) {
        (self.in_flight.len() as u32, self.bytes)
    }

    /// The shortest round trip of late, in ticks, rounded up.
    pub(in crate::room) fn round_trip_ticks(&self) -> Option<u32> {
        self.round_trip.ticks()
    }
}

/// The least of what was measured in the last 5 to 10 s: in this half of the span and in the one
/// before.
#[derive(Debug, Default)]
struct ShortestOfLate {
    this: Option<u32>,
    before: Option<u32>,
    since: Tick,
}

impl ShortestOfLate {
    fn measured(&mut self, ticks: u32, now: Tick, cadence: Cadence) {
        if now.since(self.since) >= cadence.ticks_in(HALF_SPAN_SECONDS) {
            self.before = self.this.take();
            self.since = now;
        }
        self.this = Some(self.this.map_or(ticks, |this| this.min(ticks)));
    }

    fn ticks(&self) -> Option<u32> {
        self.this.into_iter().chain(self.before).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cadence(tick_rate: u16, every: u16) -> Cadence {
        Cadence::new(tick_rate, every)
    }

    /// Sends a snapshot each tick from `from` on, if the window has room; each is
    /// acknowledged so many ticks later.
    fn run(in_flight: &mut InFlightWindow, from: u32, ticks: u32, late: u32) {
        let at = cadence(30, 1);
        for tick in from..from + ticks {
            if in_flight.left(Tick(tick), at) {
                in_flight.sent(Tick(tick), 1);
            }
            let due = Tick((tick + 1).saturating_sub(late));
            if in_flight.in_flight.iter().any(|(sent, _)| *sent == due) {
                assert!(in_flight.ack(due, Tick(tick), at).is_ok());
            }
        }
    }

    #[test]
    fn acks_free_what_they_cover() {
        let mut in_flight = InFlightWindow::default();
        for tick in [2, 4, 6] {
            in_flight.sent(Tick(tick), 100);
        }
        let at = cadence(30, 2);
        assert_eq!(in_flight.ack(Tick(4), Tick(6), at), Ok(None));
        assert_eq!(in_flight.ack(Tick(4), Tick(6), at), Ok(None));
        assert_eq!(in_flight.unacked(), (1, 100));
        assert_eq!(in_flight.waiting(Tick(9)), 3);
        assert_eq!(in_flight.round_trip_ticks(), Some(3));
    }

    #[test]
    fn an_ack_of_what_was_not_sent_or_that_goes_back_is_refused() {
        let mut in_flight = InFlightWindow::default();
        in_flight.sent(Tick(2), 1);
        in_flight.sent(Tick(4), 1);
        let mut ack = |tick| in_flight.ack(Tick(tick), Tick(5), cadence(30, 2));
        assert_eq!(ack(3), Err(BadAck));
        assert_eq!(ack(5), Err(BadAck));
        assert_eq!(ack(4), Ok(Some(1)));
        assert_eq!(ack(2), Err(BadAck));
        assert_eq!(ack(0), Err(BadAck));
    }

    #[test]
    fn window_ends_by_age_and_by_bytes() {
        let at = cadence(30, 1);
        let mut in_flight = InFlightWindow::default();
        for tick in 1..=WINDOW_AT_FIRST {
            assert!(in_flight.left(Tick(tick), at));
            in_flight.sent(Tick(tick), 1);
        }
        assert!(!in_flight.left(Tick(WINDOW_AT_FIRST + 1), at));
        let mut in_flight = InFlightWindow::default();
        in_flight.sent(Tick(1), UNACKED_BYTES_MAX);
        assert!(!in_flight.left(Tick(2), at));
        assert_eq!(in_flight.ack(Tick(1), Tick(2), at), Ok(Some(1)));
        assert!(in_flight.left(Tick(3), at));
    }

    #[test]
    fn who_has_read_everything_tells_how_long_the_last_took() {
        let at = cadence(30, 2);
        let mut in_flight = InFlightWindow::default();
        let mut take = |sent: &[u32], acked: u32, now: u32| {
            sent.iter().for_each(|tick| in_flight.sent(Tick(*tick), 1));
            in_flight.ack(Tick(acked), Tick(now), at)
        };
        assert_eq!(
            take(&[2], 2, 4),
            Ok(Some(1)),
            "three ticks are the quickest"
        );
        assert_eq!(take(&[6, 8], 6, 20), Ok(None), "one is in flight");
        assert_eq!(take(&[], 8, 20), Ok(Some(6)));
        assert_eq!(take(&[30], 30, 33), Ok(Some(1)));
        assert_eq!(take(&[40], 40, 40), Ok(Some(1)), "one tick is");
        assert_eq!(take(&[50], 50, 52), Ok(Some(2)));
    }

    #[test]
    fn the_window_is_the_round_trip_and_a_little_more() {
        let check = |late: u32, window: u32| {
            let mut in_flight = InFlightWindow::default();
            run(&mut in_flight, 1, 60, late);
            assert_eq!(in_flight.window(cadence(30, 1)), window, "{late} ticks");
        };
        check(1, 5);
        check(9, 13);
        check(28, 32);
        check(50, 32);
        let mut in_flight = InFlightWindow::default();
        assert_eq!(in_flight.window(cadence(30, 1)), WINDOW_AT_FIRST);
        run(&mut in_flight, 1, 60, 9);
        assert_eq!(in_flight.window(cadence(30, 3)), 6, "nine ticks are three");
        assert_eq!(in_flight.window(cadence(60, 1)), 16, "100 ms are six ticks");
    }

    #[test]
    fn a_longer_round_trip_counts_after_ten_seconds() {
        let at = cadence(30, 1);
        let mut in_flight = InFlightWindow::default();
        run(&mut in_flight, 1, 30, 2);
        run(&mut in_flight, 31, 200, 12);
        assert_eq!(
            in_flight.round_trip_ticks(),
            Some(2),
            "it was short of late"
        );
        run(&mut in_flight, 231, 200, 12);
        assert_eq!(in_flight.round_trip_ticks(), Some(12));
        assert_eq!(in_flight.window(at), 16);
    }
}
