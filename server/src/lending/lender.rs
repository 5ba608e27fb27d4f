//! The connections of this node at the home, where that is another one: all of them, and what becomes
//! of each, as numbered items. A state machine without clock and way: [`super::Lending`] has one.
//!
//! A lending has a number of its own and begins with all who are here. What comes back names it, and
//! is numbered as well: what is of another, or not the next, is of a home that is gone or came over a
//! connection that broke, and then all are lent anew.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::node_id::NodeId;
use super::wire::{Entry, FRAME_BYTES_FULL, Frame, Item};
use crate::presence::{Online, Standing};

/// A home that says nothing for so long has what is sent no more; it says something once a second.
const SILENCE_MAX: Duration = Duration::from_secs(4);
/// Bytes that wait for the way there beside those who are to enter. Beyond: it does not take what it
/// is sent, and all are lent anew.
const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;
/// While so many wait nothing goes that holds for a moment only.
const HINTED_BYTES_MAX: usize = 32 * 1024;

/// What is to go.
enum Due {
    /// As it is when it goes.
    Enter(Arc<Online>, bool),
    Item(Item),
}

/// One lending.
pub(super) struct Lender {
    pub(super) to: NodeId,
    pub(super) lending: u64,
    /// The number of the next frame there, and of the next one back.
    sends: u32,
    expects: u32,
    heard: Instant,
    /// Those who were here when it began are not in yet.
    is_entering: bool,
    due: VecDeque<Due>,
    bytes: usize,
    is_beat_due: bool,
    /// Frames were lost.
    is_broken: bool,
}

impl Lender {
    /// Nobody is lent yet.
    pub(super) fn new(to: NodeId, lending: u64, now: Instant) -> Lender {
        Lender {
            to,
            lending,
            sends: 0,
            expects: 0,
            heard: now,
            is_entering: true,
            due: VecDeque::new(),
            bytes: 0,
            is_beat_due: true,
            is_broken: false,
        }
    }

    /// These are here, of those that are to enter first; what they asked follows.
    pub(super) fn enter_all(&mut self, here: Vec<Arc<Online>>) {
        debug_assert!(self.is_entering);
        let entries = here.into_iter().map(|online| Due::Enter(online, false));
        // Who came meanwhile is in twice, and is entered once.
        let came = std::mem::take(&mut self.due);
        self.due = entries.chain(came).collect();
        self.due.push_back(Due::Item(Item::Whole));
        self.is_entering = false;
    }

    /// Whether those who were here are on their way: then what is asked goes at once.
    pub(super) fn has_entered(&self) -> bool {
        !self.is_entering
    }

    /// Somebody came.
    pub(super) fn enter(&mut self, online: &Arc<Online>, is_new: bool) {
        self.due.push_back(Due::Enter(online.clone(), is_new));
    }

    /// Whether what holds for a moment is worth sending.
    pub(super) fn has_time(&self) -> bool {
        !self.is_entering && self.bytes <= HINTED_BYTES_MAX
    }

    pub(super) fn push(&mut self, item: Item) {
        self.bytes += item.bytes_max();
        self.due.push_back(Due::Item(item));
        self.is_broken |= self.bytes > WAITING_BYTES_MAX;
    }

    /// A frame of it came back; false: it is not the next.
    pub(super) fn came_back(&mut self, number: u32, now: Instant) -> bool {
        self.heard = now;
        let is_next = number == self.expects;
        self.expects = number.wrapping_add(1);
        self.is_broken |= !is_next;
        is_next
    }

    /// A second passed.
    pub(super) fn beat(&mut self) {
        self.is_beat_due = true;
    }

    /// Whether it has to begin anew.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.is_broken || now.saturating_duration_since(self.heard) >= SILENCE_MAX
    }

    /// The next frame there.
    pub(super) fn next_frame(&mut self) -> Option<Frame> {
        if self.is_broken || self.is_entering || self.due.is_empty() && !self.is_beat_due {
            return None;
        }
        self.is_beat_due = false;
        let (mut items, mut bytes) = (Vec::new(), 0);
        while bytes < FRAME_BYTES_FULL
            && let Some(due) = self.due.pop_front()
        {
            let item = match due {
                Due::Enter(online, is_new) => entry(&online, is_new),
                Due::Item(item) => {
                    self.bytes = self.bytes.saturating_sub(item.bytes_max());
                    item
                }
            };
            bytes += item.bytes_max();
            items.push(item);
        }
        let number = self.sends;
        self.sends = number.wrapping_add(1);
        let lending = self.lending;
        Some(Frame::Lend {
            lending,
            number,
            items,
        })
    }
}

/// A connection as it is now.
fn entry(online: &Online, is_new: bool) -> Item {
    let lent = online.lent();
    let named = |blocked: &crate::presence::Blocked| {
        let them = blocked.iter();
        them.map(|(who, name)| (who.to_string(), name.to_owned()))
            .collect()
    };
    Item::Enter(Box::new(Entry {
        number: online.number,
        game: online.game.to_owned(),
        name: online.name.to_string(),
        player: online.identity.to_string(),
        is_new,
        room: lent.room.map_or(0, |room| room.0),
        is_listed: lent.is_listed,
        hears: lent.hears,
        takes_notices: lent.takes_notices,
        attends: lent.attends,
        muted_until: lent.muted_until.0,
        blocked: online.blocked().as_deref().map(named),
        party: online.shown(Standing::Party).to_vec(),
        party_channel: lent.party,
        is_queued: online.is_queued(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_for_a_moment_goes_where_little_waits() {
        let mut lender = Lender::new(NodeId(1), 1, Instant::now());
        assert!(!lender.has_time(), "they enter first");
        lender.enter_all(Vec::new());
        assert!(lender.has_time());
        let (number, muted_until) = (1, 0);
        let body = vec![7; HINTED_BYTES_MAX];
        lender.push(Item::Request {
            number,
            muted_until,
            body,
        });
        assert!(!lender.has_time());
        while lender.next_frame().is_some() {}
        assert!(lender.has_time());
    }
}
