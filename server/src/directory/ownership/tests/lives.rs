//! Simulated nodes start, end, stop and go on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::super::Ownership;
use super::super::messages::Incarnation;
use super::process::{Input, Process};
use super::store::Store;
use super::world::{Event, World};
use crate::cluster::node::Node;

impl World {
    pub(super) fn process(&mut self, n: usize, life: u64) -> Option<&mut Process> {
        let node = &mut self.nodes[n];
        node.process.as_mut().filter(|_| node.life == life)
    }

    pub(super) fn is_running(&self, n: usize) -> bool {
        let is_stuck = self.nodes[n].process.as_ref().is_none_or(|p| p.is_stuck);
        !self.nodes[n].is_paused && !is_stuck
    }

    /// The time of a node's process.
    pub(super) fn local(&self, n: usize) -> Duration {
        let boot = self.nodes[n].process.as_ref().map_or(self.t, |p| p.boot);
        self.nodes[n].local(boot, self.t)
    }

    pub(super) fn incarnation(&mut self, n: usize) -> Incarnation {
        self.ids += 1;
        let random = super::super::placement::mix(self.ids ^ self.rnd.next());
        Incarnation(random & !0xff | n as u64)
    }

    pub(super) fn ownership(&mut self, n: usize, now: Duration, me: Incarnation) -> Ownership {
        let name = self.nodes[n].name.clone();
        let url = format!("wss://{name}/ws");
        let seed = self.rnd.next();
        Ownership::new(now, me, name, url, self.mode.timing, seed)
    }

    pub(super) fn start(&mut self, n: usize) {
        let me = self.incarnation(n);
        let own = self.ownership(n, Duration::ZERO, me);
        let node = &mut self.nodes[n];
        node.life += 1;
        node.is_paused = false;
        node.is_away = false;
        let life = node.life;
        node.process = Some(Process {
            boot: self.t,
            me,
            lease: own.lease(),
            node: Node::new(own),
            is_stuck: false,
            inbox: VecDeque::new(),
            hosted: BTreeMap::new(),
            claims: BTreeSet::new(),
            last: BTreeMap::new(),
            announced: BTreeMap::new(),
            conn: None,
            runs: 0,
            store: Store::default(),
            last_order: self.t,
            wake: 0,
        });
        let phase = self.rnd.millis(0, 50);
        self.after(phase, Event::Tick(n, life));
        self.reconnect(n, 0, 50);
        self.drain(n);
    }

    /// A process ends; if its machine lives, those who were linked to it notice.
    pub(super) fn kill(&mut self, n: usize, is_away: bool) {
        let Some(process) = self.nodes[n].process.take() else {
            return;
        };
        self.counts.kills += 1;
        for (room, hosted) in &process.hosted {
            let last = self.checker.ticked.get(room);
            let is_owner = last.is_some_and(|last| last.who == hosted.who);
            if is_owner && !self.closed.contains(room) {
                self.checker.killed(self.t, *room);
            }
        }
        self.nodes[n].is_away = is_away;
        self.nodes[n].is_paused = false;
        for other in 0..self.nodes.len() {
            if other != n && !is_away && self.is_linked(n, other) {
                let name = self.nodes[n].name.clone();
                let (life, lag) = (self.nodes[other].life, self.peer_lag());
                self.after(lag, Event::Input(other, life, Input::Unreachable(name)));
            }
        }
    }

    /// A process that was stopped goes on: its workers may tick before its task reads what waits.
    pub(super) fn resume(&mut self, n: usize) {
        if !self.nodes[n].is_paused {
            return;
        }
        self.nodes[n].is_paused = false;
        if self.rnd.chance(0.5) {
            self.tick(n);
        }
        self.catch_up(n);
    }

    pub(super) fn catch_up(&mut self, n: usize) {
        if !self.is_running(n) {
            return;
        }
        if self.rnd.chance(0.5) {
            self.drain(n);
        }
        loop {
            let input = self.nodes[n]
                .process
                .as_mut()
                .and_then(|p| p.inbox.pop_front());
            let Some(input) = input else {
                break;
            };
            self.take(n, input);
            if self.rnd.chance(0.5) {
                self.drain(n);
            }
        }
        self.drain(n);
    }
}
