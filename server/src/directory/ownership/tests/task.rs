//! What a simulated node's task does: the caller of [`Node`](crate::cluster::node::Node), as the
//! cluster's task is.

use std::time::Duration;

use super::super::State;
use super::super::messages::{Answer, Epoch, Incarnation, Reply, Run};
use super::planted::Bug;
use super::process::{Conn, Input, Order};
use super::store::Bulk;
use super::world::{Event, ToEngine, World};
use crate::cluster::node::{self, Fetched, Node, PREPARE, Stopped, Written};
use crate::directory::engine::Checkpoint;

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
                let is_frozen = process.node.state(now) == State::Frozen;
                let is_unnoticed =
                    bug == Bug::UnnoticedConnection || bug == Bug::ThawedOnAnother && is_frozen;
                if process.runs == 0 || !is_unnoticed {
                    process.runs += 1;
                    process.node.connected(now, Run(process.runs));
                }
                let run = Run(process.runs);
                process.conn = Some(Conn::new(run, master, t));
            }
            Input::Broken(run) => {
                if process.conn.as_ref().is_some_and(|conn| conn.run == run) {
                    self.break_off(n);
                }
            }
            Input::Replied(run, sent, reply) => {
                if let Some(conn) = process.conn.as_mut().filter(|conn| conn.run == run) {
                    conn.waits = None;
                    let reply = told(reply, process.me, bug);
                    process.node.replied(now, sent, run, reply);
                }
            }
            Input::Done(run, done) => self.store_answered(n, run, done),
            Input::Answered(asked, name, answer) => {
                process.node.answered(now, asked, &name, answer);
            }
            Input::Unreachable(name) => process.node.unreachable(now, name),
            Input::Hurry => process.node.hurry(now),
            Input::Asked(from, from_life, asked) => {
                let mut answer = process.node.contact(now);
                if bug == Bug::Liars {
                    answer = Answer::NoContact(process.me);
                }
                self.answer(n, from, from_life, asked, answer);
            }
            Input::Changed(who, _) | Input::Stopped(who, ..) | Input::Restored(who, ..)
                if who != process.me => {}
            Input::Changed(_, room) if process.claims.contains(&room) => {
                process.node.opened(now, room);
            }
            Input::Changed(_, room) => process.node.closed(now, room),
            Input::Stopped(_, room, last) => {
                let what = match last {
                    Some(_) => Stopped::Saved,
                    None => Stopped::NotNow,
                };
                process.last.extend(last.map(|last| (room, last)));
                process.node.stopped(now, room, what);
            }
            Input::Restored(_, room, epoch) => {
                process.node.fetched(now, room, epoch, Fetched::Restored);
            }
            Input::Saved(checkpoint) => {
                if process.claims.contains(&checkpoint.room) {
                    self.order_bulk(n, Bulk::Put(checkpoint));
                }
            }
            Input::Drain => process.node.drain(now),
        }
    }

    /// Does all that the state machine says.
    pub(super) fn drain(&mut self, n: usize) {
        loop {
            let now = self.local(n);
            self.look_after_store(n);
            let Some(process) = self.nodes[n].process.as_mut() else {
                return;
            };
            let waits = process.conn.as_ref().and_then(|conn| conn.waits);
            if waits.is_some_and(|since| since + self.mode.patience <= self.t) {
                self.break_off(n);
                continue;
            }
            let Some(order) = process.node.poll(now) else {
                break;
            };
            self.act(n, now, order);
        }
        let node = &mut self.nodes[n];
        let Some(process) = node.process.as_mut() else {
            return;
        };
        process.wake += 1;
        let (wake, wakes_at, boot) = (process.wake, process.node.wakes_at(), process.boot);
        let (life, at) = (node.life, node.global(boot, wakes_at));
        self.at(at, Event::Wake(n, life, wake));
    }

    fn act(&mut self, n: usize, now: Duration, order: node::Order) {
        let Some(process) = self.nodes[n].process.as_mut() else {
            return;
        };
        let me = process.me;
        match order {
            node::Order::Send(run, command) => {
                if process.conn.as_ref().is_some_and(|conn| conn.run == run) {
                    self.send(n, now, ToEngine::Command(command));
                }
            }
            node::Order::Ask(name) => self.ask(n, now, &name),
            node::Order::Fetch { room, epoch } => {
                self.counts.adoptions += 1;
                self.order_bulk(n, Bulk::Get(room, epoch));
            }
            node::Order::Number { room, epoch } => {
                // Its worker has the claim in its hands.
                let hosted = process.hosted.get_mut(&room);
                if let Some(hosted) = hosted.filter(|hosted| hosted.who == me) {
                    hosted.epoch = epoch;
                }
                self.counts.created += 1;
                self.made.insert(room, self.t);
            }
            node::Order::Announce { room, .. } => {
                process.announced.insert(room, now);
            }
            node::Order::Stop { room } => {
                let announced = process.announced.remove(&room);
                let is_in_time = announced.is_some_and(|at| now - at >= PREPARE);
                assert!(
                    is_in_time,
                    "{room} stops, announced at {announced:?}, at {now:?}"
                );
                self.tell(n, Order::Stop(me, room));
            }
            node::Order::Write { room, epoch } => {
                let last = process.last.remove(&room);
                match last.filter(|last| last.epoch == epoch) {
                    Some(last) => self.order_bulk(n, Bulk::PutLast(last)),
                    None => process.node.written(now, room, epoch, Written::Failed),
                }
            }
            node::Order::GoOn { room } => self.tell(n, Order::GoOn(me, room)),
            node::Order::Drop { room, to } => {
                self.counts.handed_over += u64::from(to.is_some());
                process.claims.remove(&room);
                self.tell(n, Order::Drop(me, room));
            }
            node::Order::End { room } => {
                self.counts.ended += 1;
                process.claims.remove(&room);
                self.closes(room);
                self.tell(n, Order::Drop(me, room));
            }
            node::Order::Hurry(name) => {
                let other = self.nodes.iter().position(|node| node.name == name);
                if let Some(other) = other.filter(|other| self.is_linked(n, *other)) {
                    let (life, lag) = (self.nodes[other].life, self.peer_lag());
                    self.after(lag, Event::Input(other, life, Input::Hurry));
                }
            }
            node::Order::Freeze => self.counts.freezes += 1,
            node::Order::Thaw => self.counts.thaws += 1,
            node::Order::StartAnew(_) => self.start_anew(n, now),
        }
    }

    /// What was fetched goes to a worker.
    pub(super) fn give(&mut self, n: usize, epoch: Epoch, kept: &Checkpoint) {
        if let Some(process) = self.nodes[n].process.as_mut() {
            process.claims.insert(kept.room);
            let hosted = process.hosts(epoch, kept.tick);
            self.tell(n, Order::Give(kept.room, hosted));
        }
    }

    fn start_anew(&mut self, n: usize, now: Duration) {
        self.counts.anew += 1;
        let me = self.incarnation(n);
        let own = self.ownership(n, now, me);
        let Some(process) = self.nodes[n].process.as_mut() else {
            return;
        };
        let gone = process.me;
        process.me = me;
        process.lease = own.lease();
        process.node = Node::new(own);
        process.conn = None;
        process.claims.clear();
        process.last.clear();
        process.announced.clear();
        if self.mode.bug == Bug::SharedLease {
            for hosted in process.hosted.values_mut() {
                hosted.lease = process.lease.clone();
            }
        }
        if self.mode.bug == Bug::UnnoticedConnection || self.mode.bug == Bug::ThawedOnAnother {
            let run = Run(process.runs);
            process.node.connected(now, run);
        }
        self.tell(n, Order::DropAll(gone));
        self.reconnect(n, 1, 50);
    }

    /// What lies between the task and its workers, either way.
    pub(super) fn task_lag(&mut self) -> Duration {
        if self.rnd.chance(0.05) {
            self.rnd.millis(40, 400)
        } else {
            self.rnd.millis(1, 20)
        }
    }

    /// Tells the workers, who hear it later, in this order.
    fn tell(&mut self, n: usize, order: Order) {
        let delay = self.task_lag();
        let (t, life) = (self.t, self.nodes[n].life);
        if let Some(process) = self.nodes[n].process.as_mut() {
            process.last_order = process.last_order.max(t + delay);
            let at = process.last_order;
            self.at(at, Event::Order(n, life, order));
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
