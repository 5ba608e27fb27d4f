//! A room in a worker's loop: when it has its turn, whether it sleeps or dozes, what it costs.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use tickwire::ids::RoomId;

use crate::game::Game;
use crate::metrics::Metrics;
use crate::worker::balance::Moved;
use crate::worker::load::RoomLoad;
use crate::worker::room_host::{Failed, RoomHost, TurnContext};
use crate::worker::schedule::TickSchedule;

/// How often a second a room that dozes is looked at: who comes back to it waits as long for an
/// answer.
const LOOKS_PER_SECOND: u16 = 10;

/// When rooms are due. A room's older entries are void: only the one that equals its `due` counts.
pub(super) type Queue = BinaryHeap<Reverse<(Instant, RoomId)>>;

/// A room and its place in the loop.
pub(super) struct Running<G: Game> {
    pub(super) room_host: RoomHost<G>,
    pub(super) schedule: TickSchedule,
    /// When it has its turn, or, asleep, is looked at again.
    pub(super) due: Instant,
    /// Whether nobody is there: it does not tick.
    pub(super) asleep: bool,
    /// Whether nobody does anything: it dozes, and of its slots only some have a turn.
    pub(super) dozes: bool,
    /// Slots before its next turn that have none.
    pub(super) put_off: u32,
    /// Ticks without an input or a request after which it dozes; `None`: never.
    pub(super) idle: Option<u32>,
    pub(super) load: RoomLoad,
    pub(super) moved: Moved,
}

impl<G: Game> Running<G> {
    /// Its turn, or what a room that dozes has instead. Whether it ticked.
    pub(super) fn turn(&mut self, ctx: &mut TurnContext) -> Result<bool, Failed> {
        match self.idle {
            Some(idle) if self.dozes => {
                let ticks = std::mem::take(&mut self.put_off) + 1;
                self.room_host.doze(ticks, idle, ctx)
            }
            _ => self.room_host.turn(ctx),
        }
    }

    /// After a turn: dozes from now on, or still, if nobody has done anything for a while.
    pub(super) fn fall_into_a_doze(&mut self, metrics: &Metrics) {
        let quiet = self.room_host.room.quiet_ticks();
        let dozes = !self.asleep && self.idle.is_some_and(|idle| quiet >= idle);
        if dozes != self.dozes {
            metrics
                .rooms_idle
                .increment(f64::from(dozes as u8) - f64::from(self.dozes as u8));
            self.dozes = dozes;
        }
        if dozes {
            let rate = self.room_host.room.options().tick_rate;
            self.put_off = u32::from((rate / LOOKS_PER_SECOND).max(1)) - 1;
            self.schedule.put_off(self.put_off);
        }
    }

    /// Whether another worker may have it: somebody is there, and no data of the game is bound to
    /// this thread.
    pub(super) fn may_move(&self) -> bool {
        !self.asleep && self.room_host.room.may_move()
    }

    /// Somebody comes: if it dozes, it has its turn in the next slot.
    pub(super) fn wake(&mut self, queue: &mut Queue, now: Instant) {
        if self.dozes {
            let put_off = std::mem::take(&mut self.put_off);
            let passed = put_off.saturating_sub(self.schedule.bring_forward(now));
            self.room_host.room.pass(passed);
            self.due = self.schedule.due();
            queue.push(Reverse((self.due, self.room_host.id)));
        }
    }
}

/// After how many ticks in which nobody does anything a room of this game dozes.
pub(super) fn idle_ticks<G: Game>(idle_after: Duration, rate: u16) -> Option<u32> {
    let ticks = (idle_after.as_secs_f64() * f64::from(rate)).ceil() as u32;
    (G::SLOWS_WHEN_IDLE && ticks > 0).then_some(ticks)
}
