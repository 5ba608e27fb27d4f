//! What operators see of the cluster's task: figures, the status of `/cluster`, and a line for each
//! change of state. It changes nothing else; the task calls it with each pass.

use std::time::Duration;

use super::super::node::Drained;
use super::super::status::{self, Other, Owned, ROOMS_SHOWN_MAX, Status};
use super::Task;
use crate::directory::ownership::State;

impl Task {
    /// Counts the time in states, and writes a line for each change.
    pub(super) fn count_time(&mut self) {
        let now = self.now();
        let (state, drained) = (self.node.state(now), self.node.drained());
        let (before, drained_before, since) = self.seen;
        let span = status::millis(now.saturating_sub(since));
        match before {
            State::Frozen => self.metrics.node_frozen_ms.increment(span),
            State::Detached => self.metrics.node_detached_ms.increment(span),
            State::New | State::Attached | State::Ended => {}
        }
        let left = Duration::from_millis(span);
        self.seen = (state, drained, since + left);
        if (state, drained) == (before, drained_before) {
            return;
        }
        let me = status::shown(self.me);
        let rooms = self.node.counts().played;
        match state {
            _ if state == before => {}
            State::Attached => tracing::info!(me, rooms, "attached: this node plays"),
            State::Detached => {
                tracing::warn!(me, rooms, "detached: nobody has the engine, rooms play on");
            }
            State::Frozen => tracing::error!(me, rooms, "frozen: rooms stand still"),
            State::New | State::Ended => {}
        }
        match drained {
            _ if drained == drained_before => {}
            Drained::Leaving => tracing::info!(me, rooms, "rooms are leaving this node"),
            Drained::Done => tracing::info!(me, rooms, "all rooms that can have left"),
            Drained::Alone => tracing::warn!(me, rooms, "no other node takes this one's rooms"),
            Drained::No => {}
        }
        self.show();
    }

    /// What operators see.
    pub(super) fn show(&mut self) {
        let now = self.now();
        let counts = self.node.counts();
        let metrics = &self.metrics;
        metrics.rooms_in_tables.set(counts.played as f64);
        metrics.rooms_new.set(counts.new as f64);
        metrics.rooms_fetching.set(counts.fetching as f64);
        metrics.rooms_leaving.set(counts.leaving as f64);
        let others = self.node.others().map(|(who, record)| Other {
            incarnation: status::shown(who),
            node: record.node.clone(),
            url: record.url.clone(),
            load: (record.load != u16::MAX).then_some(record.load),
            beat: record.beat,
        });
        let owned = self.node.epochs().take(ROOMS_SHOWN_MAX);
        let owned = owned.map(|(room, epoch)| Owned {
            room,
            epoch: epoch.map(|epoch| epoch.0),
        });
        let status = Status {
            incarnation: status::shown(self.me),
            node: self.name.node.clone(),
            url: self.name.url.clone(),
            state: status::word(self.node.state(now)),
            drain: status::drain_word(self.node.drained()),
            engine: self.is_connected,
            rooms: counts,
            others: others.collect(),
            owned: owned.collect(),
        };
        self.status.send_replace(status);
    }
}
