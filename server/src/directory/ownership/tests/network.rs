//! The network of a simulated cluster: connections to the engine, questions between nodes, and what
//! holds them up, loses them or cuts them off.

use std::time::Duration;

use super::super::State;
use super::super::messages::{Answer, Reply, Run};
use super::planted::Bug;
use super::process::Input;
use super::store::{Bulk, Done};
use super::world::{ENGINE, Event, ToEngine, World};
use crate::directory::engine::Put;

impl World {
    pub(super) fn lag(&mut self) -> Duration {
        if self.mode.is_late && self.rnd.chance(0.02) {
            self.rnd.millis(0, 5000)
        } else {
            self.rnd.millis(1, 30)
        }
    }

    pub(super) fn peer_lag(&mut self) -> Duration {
        if self.mode.is_late && self.rnd.chance(0.01) {
            self.rnd.millis(0, 5000)
        } else {
            self.rnd.millis(1, 20)
        }
    }

    pub(super) fn is_linked(&self, a: usize, b: usize) -> bool {
        self.cut_until(a, b) <= self.t
    }

    pub(super) fn cut_until(&self, a: usize, b: usize) -> Duration {
        let until = self.cuts.get(&(a.min(b), a.max(b)));
        until.copied().unwrap_or_default()
    }

    pub(super) fn cut(&mut self, a: usize, b: usize, span: Duration) {
        let until = self.cut_until(a, b).max(self.t + span);
        self.cuts.insert((a.min(b), a.max(b)), until);
    }

    /// When what is sent now between a node and the engine arrives; `None`: it does not.
    pub(super) fn arrival(&mut self, n: usize) -> Option<Duration> {
        let until = self.cut_until(n, ENGINE);
        if self.mode.is_lossy && until > self.t {
            return None;
        }
        Some(until.max(self.t) + self.lag())
    }

    pub(super) fn send(&mut self, n: usize, sent: Duration, what: ToEngine) {
        let arrival = self.arrival(n);
        let life = self.nodes[n].life;
        let (t, is_lossy) = (self.t, self.mode.is_lossy);
        let process = self.nodes[n].process.as_mut();
        let Some(conn) = process.and_then(|p| p.line(what.is_bulk())) else {
            return;
        };
        conn.waits.get_or_insert(t);
        let Some(mut at) = arrival else {
            return;
        };
        if !is_lossy {
            at = at.max(conn.last_out);
            conn.last_out = at;
        }
        let (run, master) = (conn.run, conn.master);
        self.at(
            at,
            Event::AtEngine {
                node: n,
                life,
                run,
                master,
                sent,
                what,
            },
        );
    }

    /// Something arrives at a master, also from a connection that was given up since.
    pub(super) fn arrives(
        &mut self,
        n: usize,
        life: u64,
        run: Run,
        master: usize,
        sent: Duration,
        what: ToEngine,
    ) {
        if self.mode.is_lossy && !self.is_linked(n, ENGINE) {
            return;
        }
        if !self.engine.answers(master, self.t) {
            let broken = match what.is_bulk() {
                false => Input::Broken(run),
                true => Input::Done(run, Done::Failed),
            };
            if let Some(at) = self.arrival(n) {
                self.at(at, Event::Input(n, life, broken));
            }
            return;
        }
        if self.engine.stalled_until > self.t {
            let at = self.engine.stalled_until;
            let again = Event::AtEngine {
                node: n,
                life,
                run,
                master,
                sent,
                what,
            };
            return self.at(at, again);
        }
        let bug = self.mode.bug;
        let is_bulk = what.is_bulk();
        let answer = match what {
            ToEngine::Command(command) => {
                let reply = self.engine.masters[master].carry_out(self.t, command, bug);
                self.judge_fence(&reply);
                let table = &self.engine.masters[master].table;
                if let Reply::Forgotten(room) = reply
                    && table.record(room).is_none()
                {
                    self.checker.forgotten(master, room);
                }
                Input::Replied(run, sent, reply)
            }
            ToEngine::Bulk(Bulk::Put(checkpoint) | Bulk::PutLast(checkpoint)) => {
                let record = self.engine.masters[master].table.record(checkpoint.room);
                let put = self.engine.masters[master].put(checkpoint.clone(), bug);
                self.counts.refused_writes += u64::from(put == Put::Fenced);
                let checker = &mut self.checker;
                checker.put(self.t, master, record, &checkpoint, &put);
                Input::Done(run, Done::Put(put))
            }
            ToEngine::Bulk(Bulk::Get(room, _)) => {
                let kept = self.engine.masters[master].table.get(room);
                Input::Done(run, Done::Got(kept))
            }
        };
        let Some(mut at) = self.arrival(n) else {
            return;
        };
        if let Some((slow, since, until)) = self.slowed
            && slow == n
            && self.t < until
        {
            at += (self.t - since) * 4 / 5;
        }
        let is_lossy = self.mode.is_lossy;
        let process = self.process(n, life);
        let conn = process.and_then(|p| p.line(is_bulk));
        if let Some(conn) = conn.filter(|conn| conn.run == run && !is_lossy) {
            at = at.max(conn.last_in);
            conn.last_in = at;
        }
        self.at(at, Event::Input(n, life, answer));
    }

    /// Nobody is fenced who holds a lease.
    fn judge_fence(&mut self, reply: &Reply) {
        let Reply::FenceDone(who, true) = reply else {
            return;
        };
        for n in 0..self.nodes.len() {
            let now = self.local(n);
            let process = self.nodes[n].process.as_ref();
            if process.is_some_and(|process| process.me == *who && process.lease.holds(now)) {
                let what = format!("node {n} holds a lease, and {who:?} is fenced");
                self.checker.violated(self.t, what);
            }
        }
    }

    /// A node gives its connection up, or learns that it is gone.
    pub(super) fn break_off(&mut self, n: usize) {
        let now = self.local(n);
        let bug = self.mode.bug;
        if let Some(process) = self.nodes[n].process.as_mut() {
            process.conn = None;
            let is_frozen = process.node.state(now) == State::Frozen;
            let is_unnoticed =
                bug == Bug::UnnoticedConnection || bug == Bug::ThawedOnAnother && is_frozen;
            if !is_unnoticed {
                process.node.disconnected(now);
            }
        }
        self.reconnect(n, 1, 500);
    }

    pub(super) fn reconnect(&mut self, n: usize, from: u64, to: u64) {
        let (life, delay) = (self.nodes[n].life, self.rnd.millis(from, to));
        self.after(delay, Event::Connect(n, life));
    }

    pub(super) fn connect(&mut self, n: usize, life: u64) {
        let is_open = match self.process(n, life) {
            Some(process) => process.conn.is_some(),
            None => return,
        };
        if is_open {
            return;
        }
        let master = self.engine.current();
        if !self.is_linked(n, ENGINE) || !self.engine.answers(master, self.t) {
            return self.reconnect(n, 100, 1000);
        }
        let lag = self.rnd.millis(1, 30);
        self.after(lag, Event::Input(n, life, Input::Connected(master)));
    }

    pub(super) fn ask(&mut self, n: usize, asked: Duration, name: &str) {
        let life = self.nodes[n].life;
        let Some(process) = self.nodes[n].process.as_ref() else {
            return;
        };
        let there = process
            .node
            .others()
            .find(|(_, record)| record.node == name);
        let there = there.map(|(who, _)| who);
        let made_up = match (self.mode.bug, there) {
            (Bug::MembersOnly | Bug::Unasked, None) => Some(Answer::Refused),
            (Bug::Unasked, Some(who)) => Some(Answer::NoContact(who)),
            _ => None,
        };
        if let Some(answer) = made_up {
            let input = Input::Answered(asked, name.to_owned(), answer);
            return self.after(Duration::from_millis(1), Event::Input(n, life, input));
        }
        let to = self.nodes.iter().position(|node| node.name == name);
        if let Some(to) = to.filter(|to| self.is_linked(n, *to)) {
            let lag = self.peer_lag();
            let from = n;
            self.after(
                lag,
                Event::AskArrives {
                    from,
                    life,
                    to,
                    asked,
                },
            );
        }
    }

    pub(super) fn asked(&mut self, from: usize, life: u64, to: usize, asked: Duration) {
        if !self.is_linked(from, to) || self.nodes[to].is_away {
            return;
        }
        if self.nodes[to].process.is_none() {
            return self.answer(to, from, life, asked, Answer::Refused);
        }
        let input = Input::Asked(from, life, asked);
        let life = self.nodes[to].life;
        self.after(Duration::ZERO, Event::Input(to, life, input));
    }

    pub(super) fn answer(
        &mut self,
        n: usize,
        to: usize,
        life: u64,
        asked: Duration,
        answer: Answer,
    ) {
        if self.is_linked(n, to) {
            let (name, lag) = (self.nodes[n].name.clone(), self.peer_lag());
            let input = Input::Answered(asked, name, answer);
            self.after(lag, Event::Input(to, life, input));
        }
    }
}
