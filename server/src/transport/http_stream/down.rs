//! One way down: what a request for messages left. A streaming answer is a socket that the transport
//! writes to as it would to a WebSocket's; a long poll is a task of `http` that waits for its one
//! answer.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::transport::socket::{self, Socket};
use crate::transport::tls::Tls;

/// How long a poll waits for a message: less than proxies have patience for.
pub(crate) const POLL_MAX: Duration = Duration::from_secs(25);

/// See the module's description.
pub(super) enum Down<S> {
    /// The head of its answer is out.
    Stream {
        socket: S,
        tls: Option<Box<Tls>>,
        /// What its socket holds until it is closed: its places.
        _held: Box<dyn Send>,
    },
    Poll(oneshot::Sender<Bytes>),
}

impl<S: Socket> Down<S> {
    /// Whether nobody waits for it any more. Of a stream that shows when it is written to.
    pub(super) fn is_closed(&self) -> bool {
        match self {
            Down::Stream { .. } => false,
            Down::Poll(answer) => answer.is_closed(),
        }
    }

    /// From now on a task waits for it.
    pub(super) fn watch(&mut self) -> io::Result<()> {
        match self {
            Down::Stream { socket, .. } => socket.watch(),
            Down::Poll(_) => Ok(()),
        }
    }

    /// From now on nobody does.
    pub(super) fn unwatch(&mut self) -> io::Result<()> {
        match self {
            Down::Stream { socket, .. } => socket.unwatch(),
            Down::Poll(_) => Ok(()),
        }
    }

    /// Closes the way out.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        match self {
            Down::Stream { socket, tls, .. } => socket::finish(socket, tls),
            Down::Poll(_) => Ok(()),
        }
    }
}
