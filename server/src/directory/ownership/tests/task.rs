//! What a simulated node's task and workers do: the caller of [`super::super::Ownership`], as the
//! cluster's task is.

use std::time::Duration;

use tickwire::ids::RoomId;

use super::super::messages::{Answer, Incarnation, Reply, Run};
use super::super::{Action, State, Why};
use super::planted::Bug;
use super::process::{Conn, Hosted, Input, Order};
use super::world::{Event, ToEngine, World};

/// Ticks from one durable write of a room to the next.
const TICKS_A_WRITE: u64 = 20;

impl World {
    pub(super) fn take(&mut self, n: usize, input: Input) {
        let now = self.local(n);
        let (t, bug) = (self.t, self.mode.bug);
        let Some(process) = self.nodes[n].process.as_mut() else {
            return;
        };
        match input {
            Input::Connected(_) if process.conn.is_some() => {}
            Input::Connected(master) => {
                let is_frozen = process.own.state(now) == State::Frozen;
                let is_unnoticed =
                    bug == Bug::UnnoticedConnection || bug == Bug::ThawedOnAnother && is_frozen;
                if process.runs == 0 || !is_unnoticed {
                    process.runs += 1;
                    process.own.connected(now, Run(process.runs));
                }
                let run = Run(process.runs);
                process.conn = Some(Conn {
                    run,
                    master,
                    waits: None,
                    last_out: t,
                    last_in: t,
                });
            }
            Input::Broken(run) => {
                if process.conn.as_ref().is_some_and(|conn| conn.run == run) {
                    self.break_off(n);
                }
            }
            Input::Replied(run, sent, reply) => {
                if let Some(conn) = process.conn.as_mut().filter(|conn| conn.run == run) {
                    conn.waits = None;
                    process
                        .own
                        .replied(now, sent, run, told(reply, process.me, bug));
                }
            }
            Input::Answered(asked, node, answer) => {
                process.own.answered(now, asked, &node, answer);
            }
            Input::Unreachable(node) => process.own.unreachable(now, node),
            Input::Hurry => process.own.hurry(now),
            Input::Empty(room) => process.own.closed(now, room),
            Input::Asked(from, from_life, asked) => {
                let mut answer = process.own.contact(now);
                if bug == Bug::Liars {
                    answer = Answer::NoContact(process.me);
                }
                self.answer(n, from, from_life, asked, answer);
            }
        }
    }

    /// Does all that the state machine says.
    pub(super) fn drain(&mut self, n: usize) {
        loop {
            let now = self.local(n);
            let Some(process) = self.nodes[n].process.as_mut() else {
                return;
            };
            let waits = process.conn.as_ref().and_then(|conn| conn.waits);
            if waits.is_some_and(|since| since + self.mode.patience <= self.t) {
                self.break_off(n);
                continue;
            }
            let Some(action) = process.own.poll(now) else {
                break;
            };
            self.act(n, now, action);
        }
        let node = &mut self.nodes[n];
        let Some(process) = node.process.as_mut() else {
            return;
        };
        process.wake += 1;
        let (wake, wakes_at, boot) = (process.wake, process.own.wakes_at(), process.boot);
        let (life, at) = (node.life, node.global(boot, wakes_at));
        self.at(at, Event::Wake(n, life, wake));
    }

    pub(super) fn act(&mut self, n: usize, now: Duration, action: Action) {
        let Some(process) = self.nodes[n].process.as_mut() else {
            return;
        };
        let hosted = |epoch| Hosted {
            epoch,
            who: process.me,
            lease: process.own.lease(),
            ticks: 0,
        };
        match action {
            Action::Send(run, command) => {
                if process.conn.as_ref().is_some_and(|conn| conn.run == run) {
                    self.send(n, now, ToEngine::Command(command));
                }
            }
            Action::Ask(name) => self.ask(n, now, &name),
            Action::Start { room, epoch } => {
                let order = Order::Start(room, hosted(epoch));
                self.counts.adoptions += 1;
                self.tell(n, order);
            }
            Action::Created { room, epoch } => {
                let order = Order::StartEmpty(room, hosted(epoch));
                self.counts.created += 1;
                self.made.insert(room, self.t);
                self.tell(n, order);
            }
            Action::Keep { room } => {
                let epoch = process.own.owned().find(|(owned, _)| *owned == room);
                if let Some((_, epoch)) = epoch {
                    let order = Order::StartEmpty(room, hosted(epoch));
                    self.tell(n, order);
                }
            }
            Action::NotCreated { .. } => {}
            Action::Drop { room, why } => {
                self.tell(n, Order::Stop(room));
                if let Why::HandedOver { to, .. } = why {
                    self.counts.handed_over += 1;
                    let other = (to.0 & 0xff) as usize;
                    if self.is_linked(n, other) {
                        let (life, lag) = (self.nodes[other].life, self.peer_lag());
                        self.after(lag, Event::Input(other, life, Input::Hurry));
                    }
                }
            }
            Action::Freeze => self.counts.freezes += 1,
            Action::Thaw => self.counts.thaws += 1,
            Action::StartAnew(_) => self.start_anew(n, now),
        }
    }

    pub(super) fn start_anew(&mut self, n: usize, now: Duration) {
        self.counts.anew += 1;
        let me = self.incarnation(n);
        let own = self.ownership(n, now, me);
        let Some(process) = self.nodes[n].process.as_mut() else {
            return;
        };
        let gone = process.me;
        process.me = me;
        process.own = own;
        process.conn = None;
        if self.mode.bug == Bug::SharedLease {
            for hosted in process.hosted.values_mut() {
                hosted.lease = process.own.lease();
            }
        }
        if self.mode.bug == Bug::UnnoticedConnection || self.mode.bug == Bug::ThawedOnAnother {
            let run = Run(process.runs);
            process.own.connected(now, run);
        }
        self.tell(n, Order::StopAll(gone));
        self.reconnect(n, 1, 50);
    }

    /// Tells the workers, who hear it later, in this order.
    pub(super) fn tell(&mut self, n: usize, order: Order) {
        let delay = if self.rnd.chance(0.05) {
            self.rnd.millis(40, 400)
        } else {
            self.rnd.millis(1, 20)
        };
        let (t, life) = (self.t, self.nodes[n].life);
        if let Some(process) = self.nodes[n].process.as_mut() {
            process.last_order = process.last_order.max(t + delay);
            let at = process.last_order;
            self.at(at, Event::Order(n, life, order));
        }
    }

    pub(super) fn order(&mut self, n: usize, life: u64, order: Order) {
        let is_kept = |world: &World, room: &RoomId| {
            let kept = &world.engine.tables().checkpoints;
            kept.contains_key(room) && !world.closed.contains(room)
        };
        if let Order::Start(room, _) = &order
            && !is_kept(self, room)
        {
            self.closed.insert(*room);
            self.checker.closed(*room);
            let empty = Input::Empty(*room);
            return self.after(Duration::from_millis(1), Event::Input(n, life, empty));
        }
        let Some(process) = self.process(n, life) else {
            return;
        };
        match order {
            Order::Start(room, hosted) | Order::StartEmpty(room, hosted) => {
                process.hosted.insert(room, hosted);
            }
            Order::Stop(room) => drop(process.hosted.remove(&room)),
            Order::StopAll(gone) => process.hosted.retain(|_, hosted| hosted.who != gone),
        }
    }

    /// The workers of a node have their turn.
    pub(super) fn tick(&mut self, n: usize) {
        if self.nodes[n].is_paused {
            return;
        }
        let now = self.local(n);
        let Some(process) = self.nodes[n].process.as_mut() else {
            return;
        };
        let is_detached = process.own.state(now) == State::Detached;
        let mut writes = Vec::new();
        for (room, hosted) in &mut process.hosted {
            if !hosted.lease.holds(now) && self.mode.bug != Bug::NoLease {
                continue;
            }
            self.checker.tick(self.t, *room, hosted.epoch, hosted.who);
            self.counts.detached_ticks += u64::from(is_detached);
            if hosted.ticks.is_multiple_of(TICKS_A_WRITE) {
                writes.push((*room, hosted.epoch));
            }
            hosted.ticks += 1;
        }
        if process.conn.is_some() {
            for (room, epoch) in writes {
                self.send(n, now, ToEngine::Write(room, epoch));
            }
        }
    }
}

/// What a node is told: with these bugs, that others know it who don't.
fn told(mut reply: Reply, me: Incarnation, bug: Bug) -> Reply {
    if let Reply::Beat { nodes, .. } = &mut reply {
        for (_, record) in nodes {
            let is_known = match bug {
                Bug::KnownToAll => true,
                Bug::KnownByNode => record.knows.iter().any(|who| who.0 & 0xff == me.0 & 0xff),
                _ => false,
            };
            if is_known {
                record.knows.push(me);
            }
        }
    }
    reply
}
