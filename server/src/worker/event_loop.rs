//! A worker's loop: which room's turn it is, what to do with its outcome, and sleep in between.
//! What a turn consists of is `turn`'s. [`EventLoop::step`] is one pass at a given time, which
//! the server's threads and whoever drives a worker by hand share; [`EventLoop::run`] waits in
//! between.

mod arriving;
mod left;
mod mail;
mod moving;
mod owning;
mod running;
mod saving;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tickwire::ids::RoomId;
use tickwire::protocol::CloseCode;

use super::balance::Balance;
use super::load::{Load, Verdict};
use super::room_host::{Failed, TurnContext, guarded};
use super::{Client, Command, Common, JoinRequest, Phase, State};
use crate::auth::Identity;
use crate::game::{Closing, Game};
use crate::presence::Post;
use crate::room::Room;
use crate::transport::End;
use crate::transport::stopping;
use crate::vitals::{self, Part};
use left::Left;
use running::Queue;
pub(crate) use running::Running;

/// Longest sleep: the lobby takes a worker that gives no sign of life for 2 s for stuck.
const SLEEP_MAX: Duration = Duration::from_millis(500);
/// Commands in a row; then rooms that are due come first again.
const COMMANDS_MAX: usize = 64;
/// Until an empty room to which somebody is on the way is looked at again.
const RECHECK: Duration = Duration::from_secs(1);
/// In ticks of so many seconds a player must have done something to count as one who plays.
const ACTIVE_SECONDS: u32 = 30;

/// What comes after a pass of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Another one, at once.
    Again,
    /// Nothing for so long, unless a command comes.
    Wait(Duration),
    /// The end.
    End,
}

/// Everything that a worker's thread owns.
pub(crate) struct EventLoop {
    /// What time it is, where whoever steps it says so.
    clock: Option<Instant>,
    commands: Receiver<Command>,
    state: Arc<State>,
    ctx: TurnContext,
    rooms: HashMap<RoomId, Running>,
    queue: Queue,
    /// Who is to have a seat in a room that stands still until it has left or goes on: as many as
    /// came in that moment.
    held: Vec<(RoomId, Client)>,
    left: Left,
    /// Rooms opened so far.
    opened: u32,
    load: Load,
    balance: Balance,
    /// This worker's number.
    me: usize,
    /// When a room is moved whatever the load, if ever.
    shuffles_at: Option<Instant>,
}

impl EventLoop {
    pub(super) fn new(
        common: Common,
        commands: Receiver<Command>,
        state: Arc<State>,
        post: Arc<Post>,
        clock: Option<Instant>,
        me: usize,
    ) -> EventLoop {
        let shuffles = common.shuffle_rooms > Duration::ZERO;
        EventLoop {
            me,
            balance: Balance::default(),
            shuffles_at: shuffles.then_some(state.started),
            clock,
            commands,
            load: Load::new(state.started),
            ctx: TurnContext::new(common, post, state.started),
            state,
            rooms: HashMap::new(),
            queue: Queue::new(),
            held: Vec::new(),
            left: Left::default(),
            opened: 0,
        }
    }

    /// Runs until the worker is told to end, or the lobby is gone. A panic outside of the rooms,
    /// whose own go no further than they, is the worker's end: what it has is told, and what still
    /// comes to it, while the server stops.
    pub(super) fn run(mut self, alive: Part) {
        let ran = catch_unwind(AssertUnwindSafe(|| self.work()));
        let code = match ran {
            Ok(()) => CloseCode::Restart,
            Err(panic) => {
                tracing::error!(rooms = self.rooms.len(), "a worker failed");
                vitals::forget(panic);
                CloseCode::ServerFailed
            }
        };
        drop(alive);
        self.close_rooms(code);
        if code == CloseCode::ServerFailed {
            self.turn_away();
        }
        while let Ok(command) = self.commands.try_recv() {
            self.decline(command, code);
        }
    }

    /// Turns away whoever comes, until the worker is told to end.
    fn turn_away(&mut self) {
        while self.state.phase() < Phase::Ending {
            match self.commands.recv_timeout(SLEEP_MAX) {
                Ok(command) => self.decline(command, CloseCode::ServerFailed),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn turn_back(&self, mut client: Client, code: CloseCode) {
        stopping::tell(&mut client.conn);
        self.ctx.end(client, End::Close(code));
    }

    /// Nothing is done here any more: who comes is told so, a room too. Other questions stay
    /// without an answer.
    fn decline(&mut self, command: Command, code: CloseCode) {
        match command {
            Command::Attach { client, .. } => self.turn_back(client, code),
            Command::Adopt(room) => {
                self.adopt(*room, self.ctx.now);
                self.close_rooms(code);
            }
            _ => {}
        }
    }

    fn work(&mut self) {
        loop {
            let wait = match self.step() {
                Next::Again => continue,
                Next::Wait(wait) => wait,
                Next::End => return,
            };
            match self.commands.recv_timeout(wait) {
                Ok(command) => self.handle(command, self.clock.unwrap_or_else(Instant::now)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// All that is to be done at `now`, for whoever steps it.
    pub(crate) fn run_until(&mut self, now: Instant) {
        self.clock = Some(now);
        while self.step() == Next::Again {}
    }

    /// A room of the game `G`, between two of its turns.
    pub(crate) fn room<G: Game>(&mut self, room: RoomId) -> Option<&mut Room<G>> {
        self.rooms.get_mut(&room)?.room_host.room().downcast_mut()
    }

    /// One pass: what the lobby says, then the turn of a room that is due.
    fn step(&mut self) -> Next {
        let now = self.clock.unwrap_or_else(Instant::now);
        self.state.beat(now);
        self.ctx.now = now;
        match self.state.phase() {
            Phase::Running => {}
            Phase::Stopping => {
                // Who plays in a room that has left is not told that it ends.
                self.obey(now);
                self.close_rooms(CloseCode::Restart);
            }
            Phase::Ending => return Next::End,
        }
        for _ in 0..COMMANDS_MAX {
            match self.commands.try_recv() {
                Ok(command) => self.handle(command, now),
                Err(_) => break,
            }
        }
        self.obey(now);
        self.sort_mail(now);
        if self.load.is_due(now) {
            self.rebalance(now);
            self.even_out(now);
        }
        self.shuffle(now);
        match self.next_due() {
            Some((due, room)) if due <= now => {
                self.queue.pop();
                self.visit(room, now);
                Next::Again
            }
            Some((due, _)) => Next::Wait((due - now).min(SLEEP_MAX)),
            None => Next::Wait(SLEEP_MAX),
        }
    }

    /// The earliest entry that counts.
    fn next_due(&mut self) -> Option<(Instant, RoomId)> {
        loop {
            let &Reverse((due, room)) = self.queue.peek()?;
            let current = self.rooms.get(&room);
            if current.is_some_and(|running| running.due == due) {
                return Some((due, room));
            }
            self.queue.pop();
        }
    }

    fn handle(&mut self, command: Command, now: Instant) {
        if self.state.phase() > Phase::Running {
            self.decline(command, CloseCode::Restart);
            return;
        }
        match self.forward(command) {
            Some(Command::Attach {
                room,
                join_request,
                client,
            }) => match join_request {
                JoinRequest::Join => self.join(room, client, now),
                JoinRequest::Open(options) => match self.open(&client, *options, now) {
                    Ok(()) => self.join(room, client, now),
                    Err(Failed) => {
                        self.ctx.common.registry.close(room);
                        self.ctx.end(client, End::Close(CloseCode::RoomFailed));
                    }
                },
                JoinRequest::Resume(request) => self.resume(room, request, client, now),
                JoinRequest::Watch => self.watch(room, client),
            },
            Some(Command::Inspect { room, reply }) => {
                if let Some(running) = self.rooms.get_mut(&room) {
                    // Who asked may have gone.
                    let _ = reply.send(running.room_host.view(now));
                }
            }
            Some(Command::Moderate { seats_of, reply }) => {
                // Who asked may have gone.
                let _ = reply.send(self.moderate(seats_of.as_ref()));
            }
            Some(Command::Forget { identity, reply }) => {
                let rooms = self.rooms.values_mut();
                rooms.for_each(|running| running.room_host.forget(&identity));
                // Who asked may have gone.
                let _ = reply.send(0);
            }
            Some(Command::Adopt(room)) => self.adopt(*room, now),
            Some(Command::Wake) | None => {}
            #[cfg(test)]
            Some(Command::Break) => panic!("the worker is to end"),
        }
    }

    /// Applies what operators ordered about members; how many seats without a connection were given
    /// up.
    fn moderate(&mut self, seats_of: Option<&Identity>) -> u32 {
        let (mut given_up, mut failed) = (0, Vec::new());
        for (room, running) in &mut self.rooms {
            match running.room_host.moderate(seats_of, &mut self.ctx) {
                Ok(seats) => given_up += seats,
                Err(Failed) => failed.push(*room),
            }
        }
        failed.into_iter().for_each(|room| self.fail(room));
        given_up
    }

    /// A room is due: its turn, or the end of its sleep.
    fn visit(&mut self, room: RoomId, now: Instant) {
        let Some(running) = self.rooms.get_mut(&room) else {
            return;
        };
        if running.asleep {
            if self.ctx.common.registry.close_if_empty(room) {
                self.drop_room(room, CloseCode::Normal, Some(Closing::Empty));
            } else {
                running.due = now + RECHECK;
                self.queue.push(Reverse((running.due, room)));
            }
            return;
        }
        if self.stands_still(room, now) {
            return;
        }
        let Some(running) = self.rooms.get_mut(&room) else {
            return;
        };
        let (late, dozed) = (now.saturating_duration_since(running.due), running.dozes);
        let metrics = &self.ctx.common.metrics;
        if !dozed {
            metrics.tick_lateness_seconds.record(late.as_secs_f64());
        }
        let turned = running.turn(&mut self.ctx);
        let was_asleep = running.asleep;
        let ended = self.clock.unwrap_or_else(Instant::now);
        running.load.spent += ended - now;
        let Ok(turned) = turned else {
            self.fail(room);
            return;
        };
        let skipped = running.schedule.advance(ended);
        running.asleep = turned.is_empty;
        running.fall_into_a_doze(turned.quiet_ticks);
        if let Err(Failed) = running.save_if_due(was_asleep, &self.ctx, ended) {
            self.fail(room);
            return;
        }
        let game = &running.game;
        if turned.ticked {
            if let Some(log) = &self.ctx.common.play_log {
                let tick = running.room_host.tick_number();
                log.note(room, running.claim.as_deref(), tick);
            }
            game.metrics.ticks.increment(1);
            game.metrics
                .tick_seconds
                .record((ended - now).as_secs_f64());
        }
        if !dozed && late > running.schedule.period() / 2 {
            game.metrics.ticks_late.increment(1);
        }
        if skipped > 0 {
            game.metrics.ticks_skipped.increment(skipped);
        }
        running.due = if running.asleep {
            ended + game.room_linger
        } else {
            running.schedule.due()
        };
        self.queue.push(Reverse((running.due, room)));
        if self.next_due().is_some_and(|(due, _)| due < ended) {
            self.ctx.common.metrics.loop_overruns.increment(1);
        }
    }

    /// Once a second: rooms give way or come back, and the registry learns what they cost.
    fn rebalance(&mut self, now: Instant) {
        let rooms = self.rooms.iter_mut();
        let rooms = rooms.map(|(room, running)| (*room, &mut running.load));
        let (costs, verdicts) = self.load.rebalance(now, rooms);
        let common = &self.ctx.common;
        let mut costs = costs.iter().map(|cost| {
            let active = self.rooms.get(&cost.room);
            let active = active.map_or(0, |running| {
                running.room_host.active_players(ACTIVE_SECONDS)
            });
            (cost.room, cost.share, active)
        });
        common.registry.weigh(&mut costs);
        let verdicts = verdicts.to_vec();
        for (room, verdict) in verdicts {
            let metrics = &self.ctx.common.metrics;
            let (halvings, changes) = match verdict {
                Verdict::Halved(halvings) => (halvings, &metrics.rooms_halved),
                Verdict::Doubled(halvings) => (halvings, &metrics.rooms_doubled),
                Verdict::Hopeless => {
                    tracing::error!(%room, "room closed: it takes all of its worker's time");
                    self.fail(room);
                    continue;
                }
            };
            changes.increment(1);
            tracing::warn!(%room, halvings, "snapshot rate changed by the worker's load");
            if let Some(running) = self.rooms.get_mut(&room) {
                running.room_host.throttle(halvings);
            }
        }
    }

    fn fail(&mut self, room: RoomId) {
        if let Some(running) = self.rooms.get(&room) {
            running.game.metrics.rooms_failed.increment(1);
        }
        self.drop_room(room, CloseCode::RoomFailed, None);
    }

    fn drop_room(&mut self, room: RoomId, code: CloseCode, why: Option<Closing>) {
        if let Some(running) = self.take_out(room) {
            self.forget(&running);
            let room_host = running.room_host;
            room_host.close(code, why, &mut |_| {}, &mut self.ctx);
        }
    }

    /// Each room by itself: one that panics even now takes no other with it.
    fn close_rooms(&mut self, code: CloseCode) {
        for (_, client) in std::mem::take(&mut self.held) {
            self.turn_back(client, code);
        }
        let rooms: Vec<RoomId> = self.rooms.keys().copied().collect();
        for room in rooms {
            // As it is now, before its members go and nobody knows it any more.
            if let Some(running) = self.rooms.get_mut(&room) {
                let _ = running.save(&self.ctx, self.clock.unwrap_or_else(Instant::now));
            }
            let Some(running) = self.take_out(room) else {
                continue;
            };
            let room_host = running.room_host;
            let why = Some(Closing::Stop);
            let _ = guarded(room, || {
                room_host.close(code, why, &mut stopping::tell, &mut self.ctx);
            });
        }
    }

    /// Takes a room off the worker for good. The registry goes first: nobody is sent to a room that
    /// is not there.
    fn take_out(&mut self, room: RoomId) -> Option<Running> {
        self.ctx.common.registry.close(room);
        let running = self.rooms.remove(&room)?;
        let metrics = &running.game.metrics;
        metrics.rooms.decrement(1);
        metrics.rooms_idle.decrement(f64::from(running.dozes as u8));
        Some(running)
    }
}
