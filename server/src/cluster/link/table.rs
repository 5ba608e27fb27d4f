//! The connections that this node's peers made, what each last told of its rooms, and which
//! strangers were already complained about. [`super::accept`] fills it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::task::AbortHandle;

use crate::directory::ownership::messages::{Incarnation, NODES_MAX};

/// Connections that have not proven anything yet. Beyond: the oldest goes, so that who floods the
/// port must come so often within a round trip to keep a node out.
pub(super) const STRANGERS_MAX: usize = 64;
/// Peers that are linked: all nodes, and as many former lives that have not been noticed to be
/// gone. Beyond: refused.
pub(super) const PEERS_MAX: usize = 2 * NODES_MAX;
/// Addresses that were complained about. Beyond: no line is written of further ones.
const COMPLAINTS_MAX: usize = 64;

/// A connection, by its number.
struct Held {
    number: u64,
    task: AbortHandle,
}

/// See the module's description.
#[derive(Default)]
pub(super) struct Table(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    next: u64,
    strangers: VecDeque<Held>,
    peers: BTreeMap<Incarnation, Held>,
    batches: BTreeMap<Incarnation, Bytes>,
    complaints: BTreeSet<IpAddr>,
}

impl Table {
    /// Another connection, which `spawn` starts with this number. True: the oldest stranger had to
    /// go for it.
    pub(super) fn enter(&self, spawn: impl FnOnce(u64) -> AbortHandle) -> bool {
        let mut inner = self.0.lock();
        let number = inner.next;
        inner.next += 1;
        // It is entered before it can be looked for: that takes the lock too.
        let task = spawn(number);
        inner.strangers.push_back(Held { number, task });
        let oldest = match inner.strangers.len() > STRANGERS_MAX {
            true => inner.strangers.pop_front(),
            false => None,
        };
        oldest.inspect(|oldest| oldest.task.abort()).is_some()
    }

    /// A connection is linked to that peer, and any former one of the same is over. False: there
    /// are too many.
    pub(super) fn link(&self, number: u64, peer: Incarnation, from: IpAddr) -> bool {
        let mut inner = self.0.lock();
        inner.complaints.remove(&from);
        let is_known = inner.peers.contains_key(&peer);
        let place = inner
            .strangers
            .iter()
            .position(|held| held.number == number);
        if !is_known && inner.peers.len() >= PEERS_MAX {
            return false;
        }
        // One that is no stranger any more was sent away a moment ago.
        let Some(held) = place.and_then(|place| inner.strangers.remove(place)) else {
            return false;
        };
        if let Some(former) = inner.peers.insert(peer, held) {
            former.task.abort();
        }
        true
    }

    /// A connection is over.
    pub(super) fn leave(&self, number: u64) {
        let mut inner = self.0.lock();
        inner.strangers.retain(|held| held.number != number);
        let of_it = inner.peers.iter().find(|(_, held)| held.number == number);
        if let Some(peer) = of_it.map(|(peer, _)| *peer) {
            inner.peers.remove(&peer);
            inner.batches.remove(&peer);
        }
    }

    /// A peer's batch takes the place of the one before. True: there was none, which is to be told.
    pub(super) fn put_batch(&self, peer: Incarnation, batch: Bytes) -> bool {
        self.0.lock().batches.insert(peer, batch).is_none()
    }

    pub(super) fn take_batch(&self, peer: Incarnation) -> Option<Bytes> {
        self.0.lock().batches.remove(&peer)
    }

    /// Whether to write a line about an address: once until a peer comes from there.
    pub(super) fn complain(&self, from: IpAddr) -> bool {
        let mut inner = self.0.lock();
        let has_place = inner.complaints.len() < COMPLAINTS_MAX;
        has_place && inner.complaints.insert(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use tokio::task::JoinSet;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    /// Connections that do nothing.
    fn enter(table: &Table, tasks: &mut JoinSet<()>, count: u64) -> Vec<bool> {
        let mut one = || table.enter(|_| tasks.spawn(std::future::pending()));
        (0..count).map(|_| one()).collect()
    }

    #[tokio::test]
    async fn of_too_many_strangers_the_oldest_goes_and_no_peer_does() {
        let (table, mut tasks) = (Table::default(), JoinSet::new());
        enter(&table, &mut tasks, 1);
        assert!(table.link(0, Incarnation(7), HERE));
        let made_room = enter(&table, &mut tasks, STRANGERS_MAX as u64 + 3);
        assert_eq!(made_room.iter().filter(|made| **made).count(), 3);
        for _ in 0..3 {
            let over = tasks.join_next().await.unwrap();
            assert!(over.unwrap_err().is_cancelled());
        }
        assert!(!table.link(1, Incarnation(8), HERE), "it was sent away");
        assert!(table.link(4, Incarnation(8), HERE));
    }

    #[tokio::test]
    async fn a_peer_that_comes_again_takes_its_own_place() {
        let (table, mut tasks) = (Table::default(), JoinSet::new());
        enter(&table, &mut tasks, 2);
        assert!(table.link(0, Incarnation(7), HERE));
        assert!(table.put_batch(Incarnation(7), Bytes::from_static(b"one")));
        assert!(!table.put_batch(Incarnation(7), Bytes::from_static(b"two")));
        assert!(table.link(1, Incarnation(7), HERE));
        assert!(tasks.join_next().await.unwrap().unwrap_err().is_cancelled());
        table.leave(0);
        let newest = table.take_batch(Incarnation(7));
        assert_eq!(
            newest.as_deref(),
            Some(&b"two"[..]),
            "the former took nothing along"
        );
        assert_eq!(table.take_batch(Incarnation(7)), None);
    }

    #[tokio::test]
    async fn peers_are_bounded_and_each_address_is_complained_about_once() {
        let (table, mut tasks) = (Table::default(), JoinSet::new());
        for number in 0..=PEERS_MAX as u64 {
            enter(&table, &mut tasks, 1);
            let is_linked = table.link(number, Incarnation(number), HERE);
            assert_eq!(is_linked, number < PEERS_MAX as u64, "{number}");
        }
        let address = |last| IpAddr::V4(Ipv4Addr::new(10, 0, 0, last));
        assert!(table.complain(address(1)));
        assert!(!table.complain(address(1)));
        let told = (2..=255).filter(|last| table.complain(address(*last)));
        assert_eq!(told.count(), COMPLAINTS_MAX - 1);
    }
}
