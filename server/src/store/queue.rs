//! Records that wait for the writer: so many and so many bytes, those included that it is about to
//! write. Pure. Where no room is left, what matters least goes for what matters more, the newest
//! first, so that what is kept of a channel is what was said up to then. A record that finds
//! nothing that matters less is lost itself.

use std::collections::VecDeque;

use tokio::sync::oneshot;

use super::record::{Kind, Record};

/// Kinds that there are.
const KINDS: usize = Kind::ALL.len();

/// A record that waits.
pub(super) struct Entry {
    pub(super) record: Record,
    /// Who is told once it is written; dropped where it never is.
    pub(super) acknowledge: Option<oneshot::Sender<()>>,
    bytes: usize,
    /// Its place in the order of all.
    number: u64,
}

/// What there is room for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) records: usize,
    pub(super) bytes: usize,
}

/// How many were lost, of each kind.
pub(super) type Lost = [u32; KINDS];

/// Records of one kind.
#[derive(Default)]
struct Waiting {
    entries: VecDeque<Entry>,
    bytes: usize,
}

/// See the module's description.
pub(super) struct Queue {
    waiting: [Waiting; KINDS],
    /// What the writer took and is not done with.
    taken: Limits,
    limits: Limits,
    next: u64,
}

impl Queue {
    pub(super) fn new(limits: Limits) -> Queue {
        Queue {
            waiting: Default::default(),
            taken: Limits {
                records: 0,
                bytes: 0,
            },
            limits,
            next: 0,
        }
    }

    /// Takes a record in; what was lost for it, or it itself.
    pub(super) fn push(
        &mut self,
        record: Record,
        acknowledge: Option<oneshot::Sender<()>>,
    ) -> Lost {
        let (mut lost, bytes, kind) = (Lost::default(), record.bytes(), record.kind());
        let lesser = &self.waiting[..kind as usize];
        let lesser_records: usize = lesser.iter().map(|of| of.entries.len()).sum();
        let lesser_bytes: usize = lesser.iter().map(|of| of.bytes).sum();
        if self.records() - lesser_records >= self.limits.records
            || self.bytes() - lesser_bytes + bytes > self.limits.bytes
        {
            lost[kind as usize] = 1;
            return lost;
        }
        while self.records() >= self.limits.records || self.bytes() + bytes > self.limits.bytes {
            // There is one, by what was asked above.
            let least = self.waiting.iter_mut().zip(&mut lost);
            let mut least = least.filter(|(of, _)| !of.entries.is_empty());
            let Some((of, lost)) = least.next() else {
                break;
            };
            of.bytes -= of.entries.pop_back().map_or(0, |entry| entry.bytes);
            *lost += 1;
        }
        let of = &mut self.waiting[kind as usize];
        of.bytes += bytes;
        of.entries.push_back(Entry {
            record,
            acknowledge,
            bytes,
            number: self.next,
        });
        self.next += 1;
        lost
    }

    /// The oldest of these kinds and of what matters more, so many at most, in their order. They
    /// count until [`Queue::done`].
    pub(super) fn take(&mut self, most: usize, least: Kind) -> Vec<Entry> {
        let mut taken = Vec::new();
        while taken.len() < most {
            let of = self.waiting[least as usize..].iter_mut();
            let of = of.filter_map(|of| Some((of.entries.front()?.number, of)));
            let Some((_, of)) = of.min_by_key(|(number, _)| *number) else {
                break;
            };
            if let Some(entry) = of.entries.pop_front() {
                of.bytes -= entry.bytes;
                self.taken.records += 1;
                self.taken.bytes += entry.bytes;
                taken.push(entry);
            }
        }
        taken
    }

    /// The writer is done with what it took.
    pub(super) fn done(&mut self) {
        (self.taken.records, self.taken.bytes) = (0, 0);
    }

    /// Leaves a person out of all that waits.
    pub(super) fn erase(&mut self, player: &str) {
        for of in &mut self.waiting {
            of.entries.retain_mut(|entry| {
                let stays = entry.record.erase(player);
                let bytes = if stays { entry.record.bytes() } else { 0 };
                of.bytes = of.bytes - entry.bytes + bytes;
                entry.bytes = bytes;
                stays
            });
        }
    }

    /// The number that the next record gets.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Whether none waits that came before the one of this number.
    pub(super) fn is_past(&self, number: u64) -> bool {
        let first = |of: &Waiting| of.entries.front().map(|entry| entry.number);
        !self.waiting.iter().filter_map(first).any(|of| of < number)
    }

    /// Records that wait, of these kinds and of what matters more.
    pub(super) fn waiting(&self, least: Kind) -> usize {
        let of = self.waiting[least as usize..].iter();
        of.map(|of| of.entries.len()).sum()
    }

    /// Whether somebody waits for one of those that do, if they may be taken: who says a notice does.
    pub(super) fn hurries(&self, least: Kind) -> bool {
        least <= Kind::Notice && !self.waiting[Kind::Notice as usize].entries.is_empty()
    }

    /// Records, with those that the writer took.
    pub(super) fn records(&self) -> usize {
        self.waiting(Kind::Chat) + self.taken.records
    }

    /// Their bytes.
    pub(super) fn bytes(&self) -> usize {
        self.waiting.iter().map(|of| of.bytes).sum::<usize>() + self.taken.bytes
    }
}
