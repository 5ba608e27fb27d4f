//! What all connections of a link share: who this node is, and the way to the cluster's task with
//! what they have to tell it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};

use super::keys::ClusterKey;
use super::reply::{ContactReply, Reply};
use super::session::{End, This};
use super::table::Table;
use crate::auth::Entropy;
use crate::directory::ownership::messages::{Answer, Incarnation};
use crate::metrics::Metrics;

/// What the cluster's task is told.
#[derive(Debug)]
pub(crate) enum Event {
    /// What came of [`super::Link::contact`]. No answer is no event.
    Contact {
        node: String,
        asked: Duration,
        answer: Answer,
    },
    /// The link to a node broke.
    Unreachable { node: String },
    /// What came of [`super::Link::ask`] with this number: bytes, or nothing.
    Answered { id: u64, body: Option<Bytes> },
    /// A node asks for the contact of this one.
    AskedContact { reply: ContactReply },
    /// A node asks this one.
    Asked {
        from: Incarnation,
        body: Bytes,
        reply: Reply,
    },
    /// A node told of its rooms: [`super::Link::told`] has the newest.
    Told { from: Incarnation },
    /// A node says something of what players have in common.
    Common { from: Incarnation, frame: Bytes },
    /// A node says that the engine's tables have news for this one.
    Hurry { from: Incarnation },
}

/// What all connections share.
pub(super) struct Shared {
    pub(super) key: ClusterKey,
    /// This node's name, as its peers dial it.
    pub(super) node: String,
    pub(super) me: watch::Sender<Incarnation>,
    pub(super) entropy: Entropy,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) table: Table,
    pub(super) metrics: Arc<Metrics>,
}

/// The link is gone: nobody takes its events, or wants this node any more.
pub(super) struct Gone;

impl Shared {
    pub(super) async fn tell(&self, event: Event) -> Result<(), Gone> {
        self.events.send(event).await.map_err(|_| Gone)
    }

    pub(super) fn this(&self) -> Result<This, End> {
        Ok(This {
            key: self.key.clone(),
            me: *self.me.borrow(),
            nonce: self.entropy.bytes().map_err(|_| End::NoNonce)?,
        })
    }
}
