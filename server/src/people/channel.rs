//! What was said in a channel outside of rooms, as far as it is remembered: the last lines, the number
//! of the newest, and what those who spoke would say twice. Pure: dates are arguments.
//!
//! **Numbers rise for good.** A channel that is remembered anew goes on above what is stored, and
//! above [`first_number`] of that moment: what was told before and is stored nowhere has a lower one,
//! unless more than one line a second was said since. Numbers that were left out are no lines.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use tickwire::limits::CHAT_HISTORY_MAX;

use crate::admission::limiter::Budget;
use crate::auth::Identity;
use crate::store::record::Message;

/// Players whose newest line is known by its nonce. Beyond: that of who said one first is forgotten.
const ONCE_MAX: usize = 1024;
/// Lines of a lobby a second: more than anybody reads, and each goes to all who are in it.
const PER_SECOND: f32 = 20.0;
/// And at once.
const BURST: f32 = 40.0;
/// The year 2026, in seconds since 1970.
const YEAR_2026_S: u64 = 1_767_225_600;

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) id: u32,
    pub(super) at_ms: u64,
    /// `None`: who said it was erased, or is nobody that this server knows how to name.
    pub(super) from: Option<Identity>,
    pub(super) name: String,
    pub(super) text: String,
    pub(super) nonce: Option<u32>,
}

/// See the module's description.
#[derive(Debug)]
pub(super) struct Channel {
    /// Oldest first.
    lines: VecDeque<Said>,
    /// The number of the newest line that there was.
    newest: u32,
    once: HashMap<Identity, (u32, u32)>,
    spoke: VecDeque<Identity>,
    budget: Budget,
    /// Whether what is stored of it was looked at.
    pub(super) is_loaded: bool,
}

impl Channel {
    pub(super) fn new(now: Instant) -> Channel {
        Channel {
            lines: VecDeque::new(),
            newest: 0,
            once: HashMap::new(),
            spoke: VecDeque::new(),
            budget: Budget::new(now),
            is_loaded: false,
        }
    }

    /// The number of the newest line that there was, or of what was left out.
    pub(super) fn newest(&self) -> u32 {
        self.newest
    }

    /// Numbers up to this one are not given to a line.
    pub(super) fn leave_out(&mut self, to: u32) {
        self.newest = self.newest.max(to);
    }

    /// Whether it takes another line now, whoever says it.
    pub(super) fn may_grow(&mut self, now: Instant) -> bool {
        self.budget.spend(PER_SECOND, BURST, now, 1.0)
    }

    /// The number of the line that somebody said newest, if it had this nonce.
    pub(super) fn said_once(&self, from: &Identity, nonce: u32) -> Option<u32> {
        let (of, id) = self.once.get(from)?;
        (*of == nonce).then_some(*id)
    }

    /// A line was said; what is older than the newest is passed over.
    pub(super) fn push(&mut self, said: Said) {
        if self.lines.back().is_some_and(|last| last.id >= said.id) {
            return;
        }
        self.newest = self.newest.max(said.id);
        if let (Some(from), Some(nonce)) = (&said.from, said.nonce) {
            if self.once.insert(from.clone(), (nonce, said.id)).is_none() {
                self.spoke.push_back(from.clone());
            }
            if self.spoke.len() > ONCE_MAX
                && let Some(first) = self.spoke.pop_front()
            {
                self.once.remove(&first);
            }
        }
        if self.lines.len() == CHAT_HISTORY_MAX {
            self.lines.pop_front();
        }
        self.lines.push_back(said);
    }

    /// What somebody said is not shown any more.
    pub(super) fn forget(&mut self, who: &Identity) {
        self.once.remove(who);
        self.spoke.retain(|of| of != who);
        let theirs = |said: &&mut Said| said.from.as_ref() == Some(who);
        for said in self.lines.iter_mut().filter(theirs) {
            (said.from, said.nonce) = (None, None);
            said.name.clear();
            said.text.clear();
        }
    }

    /// The lines before this one that are remembered, or all of them for 0, oldest first.
    pub(super) fn before(&self, before: u32) -> impl Iterator<Item = &Said> {
        let lines = self.lines.iter();
        lines.filter(move |said| before == 0 || said.id < before)
    }
}

/// Below which no number is given at this date.
pub(super) fn first_number(now_ms: u64) -> u32 {
    let since = (now_ms / 1000).saturating_sub(YEAR_2026_S);
    u32::try_from(since).unwrap_or(u32::MAX / 2)
}

impl Said {
    /// As it is stored. A nonce is somebody's for a moment, not for good: with it goes when.
    pub(super) fn stored(&self, channel: &str, from: &Identity) -> Message {
        let seconds = self.at_ms / 1000;
        Message {
            channel: channel.to_owned(),
            sequence: self.id.into(),
            said_at_ms: self.at_ms,
            player: from.to_string(),
            name: self.name.clone(),
            text: self.text.clone(),
            nonce: self.nonce.map(|nonce| seconds << 32 | u64::from(nonce)),
        }
    }

    /// From how it was stored; `None`: its number is none that the wire has.
    pub(super) fn read(message: Message) -> Option<Said> {
        Some(Said {
            id: u32::try_from(message.sequence).ok()?,
            at_ms: message.said_at_ms,
            from: Identity::read(&message.player),
            name: message.name,
            text: message.text,
            nonce: message.nonce.map(|nonce| nonce as u32),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn said(id: u32, from: &str, nonce: u32) -> Said {
        Said {
            id,
            at_ms: 1_796_000_000_000,
            from: Identity::read(from),
            name: "Ann".to_owned(),
            text: "hi".to_owned(),
            nonce: Some(nonce),
        }
    }

    fn who(text: &str) -> Identity {
        Identity::read(text).unwrap()
    }

    #[test]
    fn it_remembers_the_last_lines_and_what_each_would_say_twice() {
        let mut channel = Channel::new(Instant::now());
        channel.leave_out(100);
        for id in 101..=140 {
            channel.push(said(id, "user:ann", id));
        }
        channel.push(said(141, "user:bo", 7));
        // Old news.
        channel.push(said(120, "user:bo", 8));
        let ids = |before| channel.before(before).map(|said| said.id);
        assert!(ids(0).eq(110..=141));
        assert!(ids(112).eq(110..=111));
        assert_eq!(channel.newest(), 141);
        assert_eq!(channel.said_once(&who("user:ann"), 140), Some(140));
        assert_eq!(channel.said_once(&who("user:ann"), 139), None);
        assert_eq!(channel.said_once(&who("user:bo"), 7), Some(141));
        let mut without = Channel::new(Instant::now());
        for line in channel.before(0) {
            without.push(line.clone());
        }
        without.forget(&who("user:ann"));
        let left = without.before(0).filter(|said| !said.text.is_empty());
        assert!(left.map(|said| said.id).eq([141]));
        assert_eq!(without.said_once(&who("user:ann"), 140), None);
        for id in 200..200 + ONCE_MAX as u32 {
            channel.push(said(id, &format!("user:{id}"), 1));
        }
        assert_eq!(channel.said_once(&who("user:bo"), 7), None, "forgotten");
        assert_eq!(
            (channel.once.len(), channel.spoke.len()),
            (ONCE_MAX, ONCE_MAX)
        );
    }

    #[test]
    fn it_takes_no_more_lines_than_somebody_reads() {
        let now = Instant::now();
        let mut channel = Channel::new(now);
        let taken = |channel: &mut Channel, now| (0..100).filter(|_| channel.may_grow(now)).count();
        assert_eq!(taken(&mut channel, now), 40);
        assert_eq!(taken(&mut channel, now + Duration::from_secs(1)), 20);
    }

    #[test]
    fn a_line_is_stored_and_read_as_it_was() {
        let line = said(70_000, "guest:bo", u32::MAX);
        let stored = line.stored("lobby:chess", &who("guest:bo"));
        assert_eq!(Said::read(stored.clone()), Some(line.clone()));
        let mut later = line.clone();
        later.at_ms += 1000;
        assert_ne!(
            later.stored("lobby:chess", &who("guest:bo")).nonce,
            stored.nonce
        );
        let beyond = Message {
            sequence: 1 << 32,
            ..stored
        };
        assert_eq!(Said::read(beyond), None);
    }

    #[test]
    fn numbers_of_later_are_greater() {
        assert_eq!(first_number(0), 0);
        assert_eq!(first_number(1_796_000_000_000), 28_774_400);
        assert_eq!(first_number(u64::MAX), u32::MAX / 2);
    }
}
