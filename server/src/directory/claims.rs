//! The rooms of a node as its workers and the cluster's task know them together: under which lease
//! and epoch each is ticked. A worker opens and closes rooms at once and says so here; the task
//! brings the engine's tables after it, and says how far they are. Who ticks may look at the lease
//! alone, one load a turn.
//!
//! A room that is new is ticked before the tables have it: its number is random, of 32 bits, so
//! nobody else has it, and nothing is kept of it that a fence would have to protect.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::Mutex;
use tickwire::ids::RoomId;
use tokio::sync::Notify;

use super::ownership::Lease;
use super::ownership::messages::{Epoch, Incarnation};

/// What a worker ticks a room by.
#[derive(Debug)]
pub(crate) struct Claim {
    began: Instant,
    lease: Arc<Lease>,
    who: Incarnation,
    /// 0: the tables don't have the room yet.
    epoch: AtomicU64,
}

/// See the module's description.
pub(crate) struct Claims {
    /// What the leases' times are since.
    began: Instant,
    table: Mutex<Table>,
    news: Notify,
    /// Rises when the engine may have lost what it had.
    doubts: AtomicU32,
}

struct Table {
    me: Incarnation,
    lease: Arc<Lease>,
    rooms: BTreeMap<RoomId, Arc<Claim>>,
    /// Rooms that workers opened or closed since the task looked: no more than there are, and were
    /// since.
    changed: BTreeSet<RoomId>,
}

impl Claim {
    /// Whether the room may be ticked now.
    pub(crate) fn holds(&self, now: Instant) -> bool {
        self.lease.holds(now.saturating_duration_since(self.began))
    }

    /// Whose it is.
    pub(crate) fn who(&self) -> Incarnation {
        self.who
    }

    /// By the tables.
    pub(crate) fn epoch(&self) -> Option<Epoch> {
        let epoch = self.epoch.load(Ordering::Relaxed);
        (epoch > 0).then_some(Epoch(epoch))
    }
}

impl Claims {
    /// Of a process whose own time began then, and its first incarnation.
    pub(crate) fn new(began: Instant, me: Incarnation, lease: Arc<Lease>) -> Claims {
        Claims {
            began,
            table: Mutex::new(Table {
                me,
                lease,
                rooms: BTreeMap::new(),
                changed: BTreeSet::new(),
            }),
            news: Notify::new(),
            doubts: AtomicU32::new(0),
        }
    }

    /// For the task: what the engine has of rooms may be gone.
    pub(crate) fn doubt(&self) {
        self.doubts.fetch_add(1, Ordering::Relaxed);
    }

    /// How often that was so: a room whose state was taken before is saved again.
    pub(crate) fn doubts(&self) -> u32 {
        self.doubts.load(Ordering::Relaxed)
    }

    /// For the task: the process goes on as another incarnation, without rooms. What is opened from
    /// now on is that one's.
    pub(crate) fn begin_anew(&self, me: Incarnation, lease: Arc<Lease>) {
        let mut table = self.table.lock();
        (table.me, table.lease) = (me, lease);
        table.rooms.clear();
        table.changed.clear();
    }

    /// For a worker: a room is new here.
    pub(crate) fn opened(&self, room: RoomId) -> Arc<Claim> {
        let mut table = self.table.lock();
        let claim = self.claim(&mut table, room, 0);
        table.changed.insert(room);
        drop(table);
        self.news.notify_one();
        claim
    }

    /// For a worker: a room is closed for good.
    pub(crate) fn closed(&self, room: RoomId, claim: &Arc<Claim>) {
        let mut table = self.table.lock();
        // Of one that was lost before, another may have the number.
        let is_this = table
            .rooms
            .get(&room)
            .is_some_and(|of| Arc::ptr_eq(of, claim));
        if is_this {
            table.rooms.remove(&room);
            table.changed.insert(room);
            drop(table);
            self.news.notify_one();
        }
    }

    /// For the task: done when there is a change that was not taken.
    pub(crate) async fn news(&self) {
        self.news.notified().await;
    }

    /// For the task: the next change; true: the room is there.
    pub(crate) fn take(&self) -> Option<(RoomId, bool)> {
        let mut table = self.table.lock();
        let room = table.changed.pop_first()?;
        Some((room, table.rooms.contains_key(&room)))
    }

    /// For the task: a room is this node's, and about to be with a worker.
    pub(crate) fn adopted(&self, room: RoomId, Epoch(epoch): Epoch) -> Arc<Claim> {
        self.claim(&mut self.table.lock(), room, epoch)
    }

    /// For the task: the tables have a room at this epoch.
    pub(crate) fn number(&self, room: RoomId, Epoch(epoch): Epoch) {
        if let Some(claim) = self.table.lock().rooms.get(&room) {
            claim.epoch.store(epoch, Ordering::Relaxed);
        }
    }

    /// For the task: a room is this node's no more.
    pub(crate) fn lost(&self, room: RoomId) {
        self.table.lock().rooms.remove(&room);
    }

    /// For a worker: whether a claim is of an incarnation of before.
    pub(crate) fn is_over(&self, claim: &Claim) -> bool {
        self.table.lock().me != claim.who
    }

    /// Whether a room is this node's still, by that claim.
    pub(crate) fn is_current(&self, room: RoomId, claim: &Arc<Claim>) -> bool {
        let current = &self.table.lock().rooms;
        current.get(&room).is_some_and(|of| Arc::ptr_eq(of, claim))
    }

    fn claim(&self, table: &mut Table, room: RoomId, epoch: u64) -> Arc<Claim> {
        let claim = Arc::new(Claim {
            began: self.began,
            lease: table.lease.clone(),
            who: table.me,
            epoch: AtomicU64::new(epoch),
        });
        table.rooms.insert(room, claim.clone());
        claim
    }
}
