//! Takes sockets off a listener, for as long as it is polled. What becomes of them is the
//! caller's: `http`'s for clients and operators, the cluster's for its nodes.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use metrics::Counter;
use tokio::net::{TcpListener, TcpStream};

/// First and longest pause after a failure that the next accept would meet again. Meanwhile
/// idle HTTP connections end and give their file descriptors back.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(500));

/// A listener whose failures are waited out.
pub(crate) struct Accept {
    listener: TcpListener,
    errors: Counter,
    /// Zero while accepting goes well.
    pause: Duration,
}

impl Accept {
    /// Accepts from `listener`, counting failures in `errors`.
    pub(crate) fn new(listener: TcpListener, errors: Counter) -> Accept {
        Accept {
            listener,
            errors,
            pause: Duration::ZERO,
        }
    }

    /// The next socket. Never fails: without file descriptors it waits for some.
    pub(crate) async fn next(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok(accepted) => {
                    self.pause = Duration::ZERO;
                    return accepted;
                }
                // The peer's doing, and over.
                Err(e) if is_of_one_socket(&e) => self.errors.increment(1),
                Err(e) => {
                    self.errors.increment(1);
                    if self.pause.is_zero() {
                        tracing::warn!(error = %e, "accept fails; pausing");
                    }
                    self.pause = (self.pause * 2).clamp(PAUSES.0, PAUSES.1);
                    tokio::time::sleep(self.pause).await;
                }
            }
        }
    }
}

fn is_of_one_socket(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, PermissionDenied};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | Interrupted | PermissionDenied
    )
}
