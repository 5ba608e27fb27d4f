//! How a bot ended: what `bot` hands to the swarm, and what `outcomes` counts.

use tickwire::session::Redirect;

/// Close code for a socket that ended without a close frame (RFC 6455 §7.1.5).
pub(crate) const ABNORMAL: u16 = 1006;
/// Close code for a close frame without a code.
pub(crate) const NO_CODE: u16 = 1005;

/// How a bot ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    /// Whether it was in a room at some time.
    pub(crate) joined: bool,
    /// What ended it.
    pub(crate) cause: Cause,
    /// Layers whose checksum disagreed.
    pub(crate) desyncs: u64,
}

/// Why it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The run's end: it said goodbye.
    Stopped,
    /// The server or the network, with this close code.
    Closed(u16),
    /// The server sent it out of the room.
    SentOut,
    /// The server sent it elsewhere, which is the end of a connection, not of the bot.
    Redirected(Redirect),
    /// It never connected, or could not go on; why.
    Failed(String),
}
