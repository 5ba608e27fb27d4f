//! A connection to where a server will probably send a bot: opened beside play in a task of its own,
//! which holds it until the bot takes it or it is over. Owned by `bot`, one at most; dropped, it is
//! closed with 1000.

use std::time::Duration;

use tickwire::protocol::CloseCode;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use crate::dial::Incoming;
use crate::socket::Socket;
use crate::target::Target;

/// See the module's description.
pub(crate) struct Prepared {
    url: String,
    /// Who takes it says to whom it goes.
    taker: oneshot::Sender<oneshot::Sender<Socket>>,
}

impl Prepared {
    /// Begins to connect; what is open after `valid` is closed.
    pub(crate) fn open(url: String, target: Target, valid: Duration) -> Prepared {
        let (taker, taken) = oneshot::channel();
        let until = Instant::now() + valid;
        tokio::spawn(async move { hold(&target, until, taken).await });
        Prepared { url, taker }
    }

    /// Whether it leads there.
    pub(crate) fn is_for(&self, url: &str) -> bool {
        self.url == url
    }

    /// The connection, once it is open. `None`: it could not be had, or is over.
    pub(crate) async fn take(self) -> Option<Socket> {
        let (give, given) = oneshot::channel();
        self.taker.send(give).ok()?;
        given.await.ok()
    }
}

async fn hold(
    target: &Target,
    until: Instant,
    mut taken: oneshot::Receiver<oneshot::Sender<Socket>>,
) {
    let mut give = None;
    let opening = Socket::connect(target);
    tokio::pin!(opening);
    let opened = loop {
        tokio::select! {
            biased;
            taker = &mut taken, if give.is_none() => match taker {
                Ok(taker) => give = Some(taker),
                Err(_) => return,
            },
            () = sleep_until(until), if give.is_none() => return,
            opened = &mut opening => break opened,
        }
    };
    let Ok(mut socket) = opened else {
        return;
    };
    if give.is_none() {
        tokio::select! {
            biased;
            taker = taken => give = taker.ok(),
            () = sleep_until(until) => {}
            // A server says nothing before it is greeted, but that it closes or stops.
            incoming = socket.next() => if matches!(incoming, Incoming::Closed(_)) {
                return;
            },
        }
    }
    let kept = match give {
        Some(give) => give.send(socket).err(),
        None => Some(socket),
    };
    if let Some(socket) = kept {
        socket.close(CloseCode::Normal).await;
    }
}
