//! What the cluster's task, the lobby's queue and programs of the operator's want of a worker's
//! rooms. Not in the inbox, which may be full: none of these may be lost, and who gives them does not wait. They are
//! no more than a few a room and one a program's connection, and taken with each pass of the loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tickwire::ids::{RoomId, Tick};
use tickwire::protocol::ServerMessage;
use tokio::sync::oneshot;

use super::client::Session;
use crate::auth::Identity;
use crate::directory::ownership::messages::Incarnation;
use crate::directory::{GameIndex, Kept};
use crate::game::Job;

/// Where the members of a room go, now or soon, each by what is said to them; `None`: there is
/// nothing to say.
pub(crate) type SendOn = Arc<dyn Fn(&Session) -> Option<ServerMessage> + Send + Sync>;

/// One of them.
pub(crate) enum Order {
    /// The room's members will probably go there soon.
    Announce { room: RoomId, to: SendOn },
    /// The room stands still from now on, and its state goes to who asked, `None` if its game can't
    /// say it. Dropped unanswered if there is no such room.
    Stop {
        room: RoomId,
        reply: oneshot::Sender<Option<Stopped>>,
    },
    /// A room that stands still goes on.
    GoOn { room: RoomId },
    /// The room is another node's: its members go there.
    Drop { room: RoomId, to: SendOn },
    /// A player is back in the lobby, `None`: all of the room are.
    Dismiss { room: RoomId, who: Option<Identity> },
    /// The room ends, as one that failed.
    End { room: RoomId },
    /// A program asks something of the room's game. Dropped unanswered if the room stands still, or
    /// nobody is there, or there is no such room.
    Take {
        room: RoomId,
        job: Job,
        reply: oneshot::Sender<Result<(), String>>,
    },
    /// All rooms are dropped that this incarnation had.
    Disown { who: Incarnation },
}

/// The state of a room that stands still.
pub(crate) struct Stopped {
    pub(crate) tick: Tick,
    /// Sealed.
    pub(crate) bytes: Vec<u8>,
    /// Its game, and what the directory knows of it.
    pub(crate) about: (GameIndex, Kept),
}

impl Order {
    /// Which room it is about, if one.
    pub(super) fn room(&self) -> Option<RoomId> {
        match self {
            Order::Announce { room, .. }
            | Order::Stop { room, .. }
            | Order::GoOn { room }
            | Order::Drop { room, .. }
            | Order::Dismiss { room, .. }
            | Order::End { room }
            | Order::Take { room, .. } => Some(*room),
            Order::Disown { .. } => None,
        }
    }
}

/// Those that a worker has not taken.
#[derive(Default)]
pub(super) struct Orders {
    waiting: Mutex<Vec<Order>>,
    are_there: AtomicBool,
}

impl Orders {
    pub(super) fn push(&self, order: Order) {
        self.waiting.lock().push(order);
        self.are_there.store(true, Ordering::Release);
    }

    /// All of them, in their order.
    pub(super) fn take(&self) -> Vec<Order> {
        if !self.are_there.load(Ordering::Acquire) {
            return Vec::new();
        }
        let mut waiting = self.waiting.lock();
        self.are_there.store(false, Ordering::Release);
        std::mem::take(&mut waiting)
    }
}
