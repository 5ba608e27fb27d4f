//! What lies between the nodes of a cluster: each dials each other, keeps the connection, and over
//! it asks for the other's contact with the engine, asks for seats and rooms, and tells of its own
//! rooms. The other way nothing but answers goes, so two nodes have two connections. [`Link`] is
//! what the cluster's task holds; it decides nothing and reads none of the bytes that it carries.
//!
//! Both ends prove that they have the cluster's key, and every message has a tag ([`keys`]): what
//! comes is from a node, unchanged, in order and once. It can be read on its way: the port belongs
//! on a private network. A node that has the key is still no more than a peer: its bytes are
//! bounded ([`wire`]) and its floods wait ([`session`]).
//!
//! Ends that mean something: a connect that is refused says that nobody listens there, and is told
//! at once; a link that breaks is told as [`Event::Unreachable`]. All else is no answer, of which
//! nothing can be concluded: no connection in time, another key, another node at that address.

mod accept;
mod connection;
mod dial;
pub(crate) mod keys;
mod pace;
mod questions;
mod reply;
mod session;
mod shared;
mod table;
#[cfg(test)]
mod tests;
pub(crate) mod wire;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use self::dial::{Dialer, Order};
use self::keys::ClusterKey;
pub(crate) use self::shared::Event;
use self::shared::Shared;
use self::table::Table;
use crate::auth::Entropy;
use crate::directory::nodes::batch;
use crate::directory::ownership::messages::{Incarnation, NODES_MAX};
use crate::lending::wire::FRAME_BYTES_MAX;
use crate::metrics::Metrics;

// What is carried is what others write.
const _: () = assert!(wire::BATCH_BYTES_MAX == batch::BATCH_BYTES_MAX);
const _: () = assert!(wire::COMMON_BYTES_MAX == FRAME_BYTES_MAX);

/// Events that wait for the cluster's task. Beyond: connections are not read until they are taken.
const EVENTS_MAX: usize = 1024;
/// Orders that wait for one node's connection, which takes them as they come. Beyond: refused, or
/// for what has no answer, not sent.
const ORDERS_MAX: usize = 1024;

/// Frames of what players have in common that wait for one node's connection. Beyond: whoever has
/// more waits.
const COMMON_MAX: usize = 8;

/// Where peers' connections come in.
pub(crate) struct Port(TcpListener);

impl Port {
    /// The one at this address; 0 picks a free one.
    ///
    /// # Errors
    /// The system's: it is taken.
    pub(crate) async fn bind(at: SocketAddr) -> io::Result<Port> {
        TcpListener::bind(at).await.map(Port)
    }

    /// Where it is.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// See the module's description. Dropped, it ends all connections and its port refuses others: to
/// the cluster this node is dead, so no room may be ticked any more.
pub(crate) struct Link {
    shared: Arc<Shared>,
    /// Keeps the port open if the task that accepts ends by a fault of its own: whoever connects
    /// then has no answer, and is not told that nobody listens.
    _port: OwnedFd,
    /// To the connection of each node that is dialed.
    orders: BTreeMap<String, To>,
    batch: watch::Sender<Bytes>,
    tasks: JoinSet<()>,
}

/// The way to one connection.
struct To {
    orders: mpsc::Sender<Order>,
    common: mpsc::Sender<(Incarnation, Bytes)>,
}

impl Link {
    /// Takes its peers' connections from its port, and dials nobody yet. `node` is this node's
    /// name, as its peers dial it. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// No file descriptor is left.
    pub(crate) fn new(
        Port(listener): Port,
        key: ClusterKey,
        node: String,
        me: Incarnation,
        entropy: Entropy,
        metrics: Arc<Metrics>,
    ) -> io::Result<(Link, mpsc::Receiver<Event>)> {
        let port = listener.as_fd().try_clone_to_owned()?;
        let (events, told) = mpsc::channel(EVENTS_MAX);
        let shared = Arc::new(Shared {
            key,
            node,
            me: watch::Sender::new(me),
            entropy,
            events,
            table: Table::default(),
            metrics,
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept::run(listener, Arc::clone(&shared)));
        let link = Link {
            shared,
            _port: port,
            orders: BTreeMap::new(),
            batch: watch::Sender::default(),
            tasks,
        };
        Ok((link, told))
    }

    /// Dials these nodes, and no others any more; itself never. The first [`NODES_MAX`]: there are
    /// no more.
    pub(crate) fn dial<'a>(&mut self, nodes: impl IntoIterator<Item = &'a str>) {
        while self.tasks.try_join_next().is_some() {}
        let mut wanted = BTreeMap::new();
        let others = nodes.into_iter().filter(|node| *node != self.shared.node);
        for node in others.take(NODES_MAX) {
            // One whose task ended, which only a fault of its own does, is dialed anew.
            let kept = self.orders.remove(node).filter(|to| !to.orders.is_closed());
            let orders = kept.unwrap_or_else(|| {
                let (orders, taken) = mpsc::channel(ORDERS_MAX);
                let (common, frames) = mpsc::channel(COMMON_MAX);
                let shared = Arc::clone(&self.shared);
                let batch = self.batch.subscribe();
                let dialer = Dialer::new(node.to_owned(), shared, taken, frames, batch);
                self.tasks.spawn(dialer.run());
                To { orders, common }
            });
            wanted.insert(node.to_owned(), orders);
        }
        self.orders = wanted;
    }

    /// This node goes on as another incarnation: all connections are made anew, and what was told
    /// and asked as the former one is forgotten.
    pub(crate) fn rename(&mut self, me: Incarnation) {
        self.batch.send_replace(Bytes::new());
        self.shared.me.send_replace(me);
    }

    /// Asks a node that is dialed for its contact with the engine. [`Event::Contact`] may follow,
    /// with `asked` in it.
    pub(crate) fn contact(&self, node: &str, asked: Duration) {
        self.order(node, Order::Contact { asked });
    }

    /// Asks a node, if it is that incarnation, at most [`wire::ASK_BYTES_MAX`]. True:
    /// [`Event::Answered`] follows, with `id` in it; false: it can't be asked now.
    pub(crate) fn ask(&self, node: &str, to: Incarnation, id: u64, body: Bytes) -> bool {
        self.order(node, Order::Ask { to, id, body })
    }

    /// Tells a node to read the engine's tables. It may be lost: they say it all the same.
    pub(crate) fn hurry(&self, node: &str) {
        self.order(node, Order::Hurry);
    }

    /// Whether another frame of what players have in common is taken for a node now: else what went
    /// before waits. One that is not dialed takes none.
    pub(crate) fn takes_common(&self, node: &str) -> bool {
        let to = self.orders.get(node);
        to.is_some_and(|to| to.common.capacity() > 0)
    }

    /// Sends one to a node, if it is that incarnation, at most [`wire::COMMON_BYTES_MAX`]. They come in
    /// their order, but for those that are lost.
    pub(crate) fn send_common(&self, node: &str, to: Incarnation, frame: Bytes) {
        if let Some(way) = self.orders.get(node) {
            // Who sends it counts them.
            let _ = way.common.try_send((to, frame));
        }
    }

    /// Tells all nodes of this one's rooms, at most [`wire::BATCH_BYTES_MAX`]: those that are
    /// linked, and the others once they are. The newest takes the place of one that has not gone
    /// out.
    pub(crate) fn publish(&self, batch: Bytes) {
        self.batch.send_replace(batch);
    }

    /// The newest batch of a node, once.
    pub(crate) fn told(&self, from: Incarnation) -> Option<Bytes> {
        self.shared.table.take_batch(from)
    }

    fn order(&self, node: &str, order: Order) -> bool {
        let orders = self.orders.get(node);
        orders.is_some_and(|to| to.orders.try_send(order).is_ok())
    }
}
