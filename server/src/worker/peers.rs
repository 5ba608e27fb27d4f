//! The workers as they see one another: where a room goes that one hands over, and a command for a
//! room that is another's by now. Nobody waits for another one: a full inbox gives back what does
//! not fit.

use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::{Command, Order, Phase, State};

/// A worker that gave no sign of life for so long gets no rooms: longer than one sleeps that has
/// nothing to do.
const QUIET_MAX: Duration = Duration::from_secs(1);

/// One of the workers. Its inbox is not kept open: it ends with the lobby.
struct Peer {
    inbox: Weak<SyncSender<Command>>,
    state: Arc<State>,
}

/// All of them, by number.
#[derive(Clone, Default)]
pub(crate) struct Peers(Arc<Mutex<Vec<Peer>>>);

impl Peers {
    /// One more; its number.
    pub(super) fn add(&self, inbox: &Arc<SyncSender<Command>>, state: &Arc<State>) -> usize {
        let mut all = self.0.lock();
        all.push(Peer {
            inbox: Arc::downgrade(inbox),
            state: state.clone(),
        });
        all.len() - 1
    }

    /// The one after number `me`.
    pub(super) fn after(&self, me: usize) -> usize {
        (me + 1) % self.0.lock().len().max(1)
    }

    /// Whether a worker runs rooms.
    pub(super) fn takes_rooms(&self, worker: usize, now: Instant) -> bool {
        let all = self.0.lock();
        let peer = all.get(worker).map(|peer| &peer.state);
        peer.is_some_and(|state| state.phase() == Phase::Running && state.is_alive(now, QUIET_MAX))
    }

    /// Has a worker do something about a room.
    pub(super) fn order(&self, worker: usize, order: Order) {
        let all = self.0.lock();
        let inbox = all.get(worker).and_then(|peer| peer.inbox.upgrade());
        if let (Some(peer), Some(inbox)) = (all.get(worker), inbox) {
            peer.state.order(order, &inbox);
        }
    }

    /// Sends a command to a worker.
    ///
    /// # Errors
    /// Its inbox is full, or it has ended: the command comes back.
    pub(super) fn send(&self, worker: usize, command: Command) -> Result<(), Command> {
        let inbox = self
            .0
            .lock()
            .get(worker)
            .and_then(|peer| peer.inbox.upgrade());
        let Some(inbox) = inbox else {
            return Err(command);
        };
        inbox.try_send(command).map_err(|error| match error {
            TrySendError::Full(command) | TrySendError::Disconnected(command) => command,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, AtomicU64};
    use std::sync::mpsc::{TryRecvError, sync_channel};

    use tickwire::ids::RoomId;

    use super::*;
    use crate::worker::orders::Orders;

    fn order() -> Order {
        Order::GoOn { room: RoomId(7) }
    }

    /// It may sleep until its next room is due, for half a second.
    #[test]
    fn who_is_given_an_order_is_woken_for_it() {
        let peers = Peers::default();
        let (inbox, commands) = sync_channel(1);
        let inbox = Arc::new(inbox);
        let state = Arc::new(State {
            started: Instant::now(),
            alive_ms: AtomicU64::new(0),
            phase: AtomicU8::new(Phase::Running as u8),
            orders: Orders::default(),
        });
        let worker = peers.add(&inbox, &state);
        peers.order(worker, order());
        assert!(matches!(commands.try_recv(), Ok(Command::Wake)));
        assert_eq!(state.orders.take().len(), 1);
        // What has to be read anyway wakes it as well.
        (0..2).for_each(|_| peers.order(worker, order()));
        assert!(matches!(commands.try_recv(), Ok(Command::Wake)));
        assert!(matches!(commands.try_recv(), Err(TryRecvError::Empty)));
        assert_eq!(state.orders.take().len(), 2);
        // Nobody.
        peers.order(worker + 1, order());
    }
}
