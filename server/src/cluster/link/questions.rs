//! What was asked of one node and not answered yet. Pure: the time is an argument. [`super::dial`]
//! asks.
//!
//! A question about its contact waits for a connection, since that none can be had is an answer
//! too; any other is asked at once or not at all.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// For an answer: as long as one about contact is worth anything, and as a player waits for a room.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(2);
/// Questions about contact that wait: two a second for [`ANSWER_MAX`], and some more. Beyond: the
/// oldest is forgotten, which is no answer.
const CONTACTS_MAX: usize = 8;
/// Others that wait: a crowd that comes through this door within a round trip. Beyond: refused.
pub(super) const ASKS_MAX: usize = 256;

/// A question about a node's contact.
#[derive(Debug)]
struct Contact {
    id: u64,
    /// The asker's own time, which comes back with the answer.
    asked: Duration,
    until: Instant,
    is_sent: bool,
}

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Questions {
    next: u64,
    contacts: VecDeque<Contact>,
    /// By number, the asker's own and until when it waits.
    asks: BTreeMap<u64, (u64, Instant)>,
}

impl Questions {
    /// A question about contact.
    pub(super) fn contact(&mut self, now: Instant, asked: Duration) {
        if self.contacts.len() >= CONTACTS_MAX {
            self.contacts.pop_front();
        }
        let id = self.number();
        self.contacts.push_back(Contact {
            id,
            asked,
            until: now + ANSWER_MAX,
            is_sent: false,
        });
    }

    /// Another one, with the asker's number for it. `None`: too many wait.
    pub(super) fn ask(&mut self, now: Instant, tag: u64) -> Option<u64> {
        if self.asks.len() >= ASKS_MAX {
            return None;
        }
        let id = self.number();
        self.asks.insert(id, (tag, now + ANSWER_MAX));
        Some(id)
    }

    /// Whether somebody waits for what a connection, or none, says of contact.
    pub(super) fn wants_connection(&self) -> bool {
        self.contacts.iter().any(|contact| !contact.is_sent)
    }

    /// The next question about contact that was not sent, which it is now.
    pub(super) fn unsent(&mut self) -> Option<u64> {
        let contact = self.contacts.iter_mut().find(|contact| !contact.is_sent)?;
        contact.is_sent = true;
        Some(contact.id)
    }

    /// All that was asked so far, for [`Questions::refused`].
    pub(super) fn mark(&self) -> u64 {
        self.next
    }

    /// A connect that began at that mark was refused: what was asked before has its answer; what
    /// was asked since waits, since a refusal may be older. Answers the times at which it was
    /// asked.
    pub(super) fn refused(&mut self, mark: u64) -> Vec<Duration> {
        let is_before = |contact: &Contact| contact.id < mark;
        let (before, since): (VecDeque<_>, _) = self.contacts.drain(..).partition(is_before);
        self.contacts = since;
        before.into_iter().map(|contact| contact.asked).collect()
    }

    /// An answer about contact: when that was asked; `None`: it was not, or is over.
    pub(super) fn contact_is(&mut self, id: u64) -> Option<Duration> {
        let is_it = |contact: &Contact| contact.id == id && contact.is_sent;
        let place = self.contacts.iter().position(is_it)?;
        self.contacts.remove(place).map(|contact| contact.asked)
    }

    /// Another answer: the asker's number of what was asked.
    pub(super) fn answered(&mut self, id: u64) -> Option<u64> {
        self.asks.remove(&id).map(|(tag, _)| tag)
    }

    /// Time passed: the asker's numbers of what is not answered any more.
    pub(super) fn expired(&mut self, now: Instant) -> Vec<u64> {
        self.contacts.retain(|contact| contact.until > now);
        let over = self.asks.extract_if(.., |_, (_, until)| *until <= now);
        over.map(|(_, (tag, _))| tag).collect()
    }

    /// The connection is gone, with the answers that were to come over it.
    pub(super) fn broke(&mut self) -> Vec<u64> {
        self.contacts.retain(|contact| !contact.is_sent);
        let asks = std::mem::take(&mut self.asks);
        asks.into_values().map(|(tag, _)| tag).collect()
    }

    /// When the next expires.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        // All wait equally long, so the first is the first to go.
        let contact = self.contacts.front().map(|contact| contact.until);
        let ask = self.asks.first_key_value().map(|(_, (_, until))| *until);
        contact.into_iter().chain(ask).min()
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Duration = Duration::from_secs(7);

    #[test]
    fn a_refusal_answers_what_was_asked_before_its_connect_and_nothing_else() {
        let (mut questions, now) = (Questions::default(), Instant::now());
        questions.contact(now, AT);
        let mark = questions.mark();
        questions.contact(now, AT * 2);
        assert_eq!(questions.refused(mark), [AT]);
        assert!(questions.wants_connection(), "the later one waits");
        assert_eq!(questions.refused(questions.mark()), [AT * 2]);
        assert!(!questions.wants_connection());
    }

    #[test]
    fn an_answer_is_of_what_was_sent_and_only_once() {
        let (mut questions, now) = (Questions::default(), Instant::now());
        questions.contact(now, AT);
        assert_eq!(questions.contact_is(0), None, "it was not sent");
        assert_eq!(questions.unsent(), Some(0));
        assert_eq!(questions.unsent(), None);
        assert_eq!(questions.contact_is(0), Some(AT));
        assert_eq!(questions.contact_is(0), None);
        let id = questions.ask(now, 77).unwrap();
        assert_eq!(questions.contact_is(id), None, "that is another kind");
        assert_eq!(questions.answered(id), Some(77));
        assert_eq!(questions.answered(id), None);
    }

    #[test]
    fn what_waits_is_bounded_in_number_and_time() {
        let (mut questions, now) = (Questions::default(), Instant::now());
        for second in 0..20 {
            questions.contact(now, Duration::from_secs(second));
        }
        let kept = questions.refused(u64::MAX);
        assert_eq!(kept.len(), CONTACTS_MAX);
        assert_eq!(kept[0], Duration::from_secs(12), "the oldest went");
        let taken = (0..1000).filter_map(|tag| questions.ask(now, tag)).count();
        assert_eq!(taken, ASKS_MAX);
        assert_eq!(questions.wakes_at(), Some(now + ANSWER_MAX));
        assert!(questions.expired(now + ANSWER_MAX / 2).is_empty());
        assert_eq!(questions.expired(now + ANSWER_MAX).len(), ASKS_MAX);
        assert_eq!(questions.wakes_at(), None);
    }

    #[test]
    fn what_breaks_takes_what_was_sent_with_it() {
        let (mut questions, now) = (Questions::default(), Instant::now());
        questions.contact(now, AT);
        questions.unsent();
        questions.contact(now, AT * 2);
        questions.ask(now, 5);
        assert_eq!(questions.broke(), [5]);
        assert_eq!(questions.refused(u64::MAX), [AT * 2]);
    }
}
