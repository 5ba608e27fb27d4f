//! What comes of frames for the lobby.

use std::sync::Arc;

use bytes::Bytes;

use super::node_id::NodeId;
use super::wire::Question;
use crate::auth::Identity;
use crate::presence::{Blocked, Online, PartyChannel};

/// What the lobby is to do.
pub(crate) enum Do {
    /// A stand-in came. Whom its player has blocked, if that is known.
    Greet {
        who: Arc<Online>,
        is_new: bool,
        blocked: Option<Arc<Blocked>>,
        /// How their party stood, as they were told last.
        party: Bytes,
        /// That party's channel.
        channel: Option<PartyChannel>,
    },
    /// A stand-in's connection is on its way into a room.
    Entered { who: Arc<Online> },
    /// This node is not the home any more: what it kept of what players have in common is another's.
    Forget,
    /// It is from now on, and knows of all who are connected; what they wait for follows.
    Settled,
    /// That was all.
    Asked,
    /// A connection asks for something, which is served here.
    Serve { who: Arc<Online>, body: Bytes },
    /// A player's handle was told to somebody.
    Know { player: Identity, name: String },
    /// A node asks something: [`Lending::answer`] answers it.
    Ask {
        from: NodeId,
        id: u64,
        what: Question,
    },
}
