//! A room in a worker's loop: when it has its turn, whether it sleeps or dozes, what it costs.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Instant;

use tickwire::ids::RoomId;

use crate::directory::claims::Claim;
use crate::worker::HostedGame;
use crate::worker::balance::Moved;
use crate::worker::host::{Host, Turned};
use crate::worker::load::RoomLoad;
use crate::worker::room_host::{Failed, TurnContext};
use crate::worker::saves::Saves;
use crate::worker::schedule::TickSchedule;

/// How often a second a room that dozes is looked at: who comes back to it waits as long for an
/// answer.
const LOOKS_PER_SECOND: u16 = 10;

/// When rooms are due. A room's older entries are void: only the one that equals its `due` counts.
pub(super) type Queue = BinaryHeap<Reverse<(Instant, RoomId)>>;

/// Why a room is not ticked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Still {
    /// Its node's lease is over: its members are sent away, and may come back to their seats.
    Frozen,
    /// It is about to go to another node, with its members.
    Stopped,
    /// Nothing holds it any more: it goes on with its next look.
    Over,
}

/// A room and its place in the loop.
pub(crate) struct Running {
    pub(super) room_host: Box<dyn Host>,
    pub(super) game: Arc<HostedGame>,
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
    /// `None`: its state is not kept.
    pub(super) saves: Option<Saves>,
    /// By which it may be ticked; `None`: the server is alone.
    pub(super) claim: Option<Arc<Claim>>,
    /// Why it is not ticked, if it is not.
    pub(super) still: Option<Still>,
}

impl Running {
    /// A room that is new: nobody is there.
    pub(super) fn new(
        room_host: Box<dyn Host>,
        game: Arc<HostedGame>,
        schedule: TickSchedule,
        claim: Option<Arc<Claim>>,
        now: Instant,
    ) -> Running {
        let idle = game.idle_ticks(schedule.rate());
        let saves = game.is_kept.then(|| Saves::new(room_host.id().0, now));
        Running {
            claim,
            still: None,
            saves,
            room_host,
            game,
            due: now,
            schedule,
            asleep: true,
            dozes: false,
            put_off: 0,
            idle,
            load: RoomLoad::default(),
            moved: Moved::default(),
        }
    }

    /// A room that outlived its process, of so many ticks a second; with seats that are held, or to
    /// sleep.
    pub(crate) fn restored(
        room_host: Box<dyn Host>,
        game: Arc<HostedGame>,
        rate: u16,
        claim: Option<Arc<Claim>>,
        now: Instant,
    ) -> Running {
        game.metrics.rooms.increment(1);
        // The number is random.
        let schedule = TickSchedule::new(now, room_host.id().0, rate, now);
        let mut running = Running::new(room_host, game, schedule, claim, now);
        running.asleep = running.room_host.is_empty();
        running.due = match running.asleep {
            true => now + running.game.room_linger,
            false => running.schedule.due(),
        };
        running
    }

    /// Whether it may be ticked.
    pub(super) fn may_tick(&self, now: Instant) -> bool {
        self.still != Some(Still::Stopped)
            && self.claim.as_ref().is_none_or(|claim| claim.holds(now))
    }

    /// Its turn, or what a room that dozes has instead.
    pub(super) fn turn(&mut self, ctx: &mut TurnContext) -> Result<Turned, Failed> {
        let epoch = self.claim.as_ref().and_then(|claim| claim.epoch());
        ctx.epoch = epoch.map_or(0, |epoch| epoch.0);
        match self.idle {
            Some(idle) if self.dozes => {
                let ticks = std::mem::take(&mut self.put_off) + 1;
                self.room_host.doze(ticks, idle, ctx)
            }
            _ => self.room_host.turn(ctx),
        }
    }

    /// After a turn: dozes from now on, or still, if nobody has done anything for so long.
    pub(super) fn fall_into_a_doze(&mut self, quiet_ticks: u32) {
        let dozes = !self.asleep && self.idle.is_some_and(|idle| quiet_ticks >= idle);
        if dozes != self.dozes {
            let idle = &self.game.metrics.rooms_idle;
            idle.increment(f64::from(dozes as u8) - f64::from(self.dozes as u8));
            self.dozes = dozes;
        }
        if dozes {
            let rate = self.schedule.rate();
            self.put_off = u32::from((rate / LOOKS_PER_SECOND).max(1)) - 1;
            self.schedule.put_off(self.put_off);
        }
    }

    /// Whether another worker may have it: somebody is there, and no data of the game is bound to
    /// this thread.
    pub(super) fn may_move(&self) -> bool {
        !self.asleep && self.still.is_none() && self.room_host.may_move()
    }

    /// Somebody comes: if it dozes, it has its turn in the next slot.
    pub(super) fn wake(&mut self, queue: &mut Queue, now: Instant) {
        if self.dozes {
            let put_off = std::mem::take(&mut self.put_off);
            let passed = put_off.saturating_sub(self.schedule.bring_forward(now));
            self.room_host.pass(passed);
            self.due = self.schedule.due();
            queue.push(Reverse((self.due, self.room_host.id())));
        }
    }
}
