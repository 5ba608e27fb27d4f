//! A server as one of several nodes that share a world of rooms: the rooms that are this node's
//! ([`node`]), where their states go ([`keeper`]), what lies between nodes ([`link`]), and the task
//! that drives all of it (`task`). Which node has which room is
//! [`directory::ownership`](crate::directory::ownership)'s, what workers know of that
//! [`directory::claims`](crate::directory::claims)'s; what lobbies tell one another is
//! [`directory::nodes`](crate::directory::nodes)'s. [`Joining`] is how `run` begins, before there is
//! a lobby; [`Cluster`] is what it holds then.

mod joining;
pub(crate) mod keeper;
pub(crate) mod link;
mod name;
pub(crate) mod node;
mod status;
mod task;
mod work;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(crate) use joining::Joining;
pub(crate) use status::Status;
use task::Wanted;

/// A node's place in its cluster. Clones are the same.
#[derive(Clone)]
pub(crate) struct Cluster {
    wanted: Arc<watch::Sender<Wanted>>,
    status: watch::Receiver<Status>,
    task: Arc<parking_lot::Mutex<Option<JoinHandle<()>>>>,
}

impl Cluster {
    /// What operators see.
    pub(crate) fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// All rooms are to leave, and none comes any more; the node is not ready for players.
    pub(crate) fn drain(&self) {
        self.want(Wanted::Drain);
    }

    /// The same, and waits until they have, those that can, so long at most, and not where nobody
    /// takes them. False: some have not.
    pub(crate) async fn drained(&self, deadline: Duration) -> bool {
        self.drain();
        let mut status = self.status.clone();
        let is_over = |status: &Status| [status::DONE, status::ALONE].contains(&status.drain);
        let over = status.wait_for(is_over);
        match tokio::time::timeout(deadline, over).await {
            Ok(Ok(status)) => status.drain == status::DONE,
            _ => false,
        }
    }

    /// The server's last room was closed: from now on this node is dead to the others.
    pub(crate) async fn leave(&self) {
        self.want(Wanted::Leave);
        let task = self.task.lock().take();
        if let Some(task) = task {
            // It ends with its next pass.
            let _ = task.await;
        }
    }

    fn want(&self, what: Wanted) {
        self.wanted.send_if_modified(|wanted| {
            let is_more = *wanted < what;
            *wanted = what.max(*wanted);
            is_more
        });
    }
}
