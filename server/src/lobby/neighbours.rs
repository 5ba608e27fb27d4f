//! Servers in one process that are nodes of one cluster, without an engine and links: what they
//! tell and ask one another is handed over, byte for byte, by whoever has this. For tests of the
//! directory of all nodes and of redirects, as [`super::Stepped`] is for those of rooms.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tickwire::ids::RoomId;

use super::desk::load;
use super::shared::Shared;
use crate::auth::{ClusterKeys, Entropy};
use crate::directory::nodes::{self, Nodes};
use crate::directory::ownership::messages::Incarnation;

/// Between two exchanges of servers that run.
const PERIOD: Duration = Duration::from_millis(20);

/// See the module's description. Clones are the same ones.
#[derive(Clone, Default)]
pub struct Neighbours {
    all: Arc<Mutex<Vec<Neighbour>>>,
    /// What they have in common, made for the first.
    keys: Arc<OnceLock<ClusterKeys>>,
}

struct Neighbour {
    incarnation: Incarnation,
    url: String,
    shared: Arc<Shared>,
    nodes: Arc<Nodes>,
    /// The others hear it.
    is_heard: bool,
}

impl Neighbours {
    /// A server becomes a node, which clients reach at `url`: which one, from 0.
    pub(super) fn join(&self, shared: &Arc<Shared>, url: &str) -> usize {
        let mut all = self.all.lock();
        let incarnation = Incarnation(all.len() as u64 + 1);
        let entropy = Entropy::default();
        let keys = self.keys.get_or_init(|| {
            let secret: [u8; 32] = entropy.bytes().expect("the system has random numbers");
            ClusterKeys::derive(&secret)
        });
        let nodes = shared.connect(incarnation, url, keys, entropy);
        all.push(Neighbour {
            incarnation,
            url: url.to_owned(),
            shared: shared.clone(),
            nodes,
            is_heard: true,
        });
        all.len() - 1
    }

    /// What the cluster does with each beat: all hear who lives.
    pub fn meet(&self, now: Instant) {
        let all = self.all.lock();
        for me in all.iter() {
            let others = all
                .iter()
                .filter(|other| other.url != me.url && other.is_heard);
            let live: Vec<_> = others
                .map(|other| (other.incarnation, other.url.clone()))
                .collect();
            me.shared.meet(me.incarnation, &live, now);
        }
    }

    /// What the cluster does once a second: each hears what the others have to tell.
    pub fn tell(&self, now: Instant) {
        let all = self.all.lock();
        for from in all.iter().filter(|from| from.is_heard) {
            from.shared.tend_lending(now);
            let load = load(&*from.shared.registry);
            let batch = from.shared.tell_others(&from.nodes, load, now);
            for to in all.iter().filter(|to| to.url != from.url) {
                let told = to.nodes.told(from.incarnation, &batch);
                told.expect("a node tells what another reads");
            }
        }
    }

    /// What the cluster does at once: questions and answers go back and forth.
    pub fn deliver(&self, now: Instant) {
        let all = self.all.lock();
        self.carry(&all, now);
        for me in all.iter() {
            for room in me.nodes.sought(usize::MAX) {
                let has = |other: &&Neighbour| {
                    other.is_heard && other.shared.registry.worker_of(room).is_some()
                };
                if let Some(owner) = all.iter().find(has) {
                    me.nodes.found([(room, Some(owner.incarnation))]);
                }
            }
            for (id, to, bytes) in me.nodes.unsent() {
                let asked = all.iter().find(|other| other.incarnation == to);
                let ask = nodes::decode_ask(&bytes).expect("a node asks what another reads");
                let asked = asked.filter(|asked| asked.is_heard);
                // Programs' ports are of servers of their own processes.
                let answer = asked
                    .zip(ask.of_player())
                    .map(|(asked, ask)| nodes::encode(&asked.shared.asked(ask, now)));
                let answered = me.nodes.answered(id, answer.as_deref());
                answered.expect("a node answers what another reads");
            }
        }
    }

    /// Frames of what they have in common, until there are none.
    fn carry(&self, all: &[Neighbour], now: Instant) {
        let next = || {
            let from = all.iter().filter(|from| from.is_heard);
            let mut frames = from.filter_map(|from| Some((from, from.shared.next_lent(|_| true)?)));
            frames.next()
        };
        while let Some((from, (to, frame))) = next() {
            let to = all.iter().find(|of| of.incarnation == to && of.is_heard);
            if let Some(to) = to {
                let came = to.shared.lent(from.incarnation, &frame, now);
                came.expect("a node sends what another reads");
            }
        }
    }

    /// A node is heard by the others from now on, or not any more; `is_doubted`: they find out at
    /// once, and forget it with the next exchange.
    pub fn hear(&self, node: usize, is_heard: bool) {
        let mut all = self.all.lock();
        all[node].is_heard = is_heard;
        let lost = all[node].incarnation;
        for other in all
            .iter()
            .filter(|other| other.incarnation != lost && !is_heard)
        {
            other.nodes.doubted(lost);
        }
    }

    /// There is no such room by the engine, where somebody seeks it.
    pub fn forget(&self, room: RoomId) {
        for node in self.all.lock().iter() {
            node.nodes.found([(room, None)]);
        }
    }

    /// Does all that for servers that run, until it is dropped.
    pub async fn run(self) {
        loop {
            self.meet(Instant::now());
            self.tell(Instant::now());
            let until = tokio::time::Instant::now() + PERIOD;
            while tokio::time::timeout_at(until, self.has_work())
                .await
                .is_ok()
            {
                self.deliver(Instant::now());
            }
        }
    }

    /// Done when a node has something to ask.
    async fn has_work(&self) {
        let all: Vec<_> = self.all.lock().iter().map(|of| of.shared.clone()).collect();
        let works = |shared: Arc<Shared>| async move {
            let nodes = shared.nodes.get();
            let asks = async {
                match nodes {
                    Some(nodes) => nodes.has_work().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = asks => {}
                () = shared.lending.has_frames() => {}
            }
        };
        let mut work: Vec<_> = all.into_iter().map(|of| Box::pin(works(of))).collect();
        std::future::poll_fn(|cx| {
            let is_any = work
                .iter_mut()
                .any(|work| work.as_mut().poll(cx).is_ready());
            match is_any {
                true => std::task::Poll::Ready(()),
                false => std::task::Poll::Pending,
            }
        })
        .await;
    }
}

#[cfg(test)]
mod tests;
