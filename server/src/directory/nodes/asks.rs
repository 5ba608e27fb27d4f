//! What was asked of other nodes and is not answered yet. Pure. Whoever asked holds a number; the
//! cluster takes what is to be sent and brings what came back.

use std::collections::BTreeMap;

use super::super::ownership::messages::Incarnation;
use super::ask::Answer;

/// Questions that are open at once: a second's worth of joins. Beyond: the room is made here, and a
/// seat elsewhere is not asked for.
const ASKS_MAX: usize = 1024;

/// Which of a node's questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AskId(pub(crate) u64);

/// See the module's description.
#[derive(Default)]
pub(super) struct Asks {
    next: u64,
    open: BTreeMap<AskId, Open>,
}

struct Open {
    to: Incarnation,
    /// Until they are sent.
    bytes: Option<Vec<u8>>,
    answer: Option<Answer>,
}

impl Asks {
    /// `None`: too many are open.
    pub(super) fn ask(&mut self, to: Incarnation, bytes: Vec<u8>) -> Option<AskId> {
        if self.open.len() >= ASKS_MAX {
            return None;
        }
        self.next += 1;
        let (id, bytes) = (AskId(self.next), Some(bytes));
        let answer = None;
        self.open.insert(id, Open { to, bytes, answer });
        Some(id)
    }

    /// What is to be sent, the oldest first; each is taken once.
    pub(super) fn unsent(&mut self) -> Vec<(AskId, Incarnation, Vec<u8>)> {
        let open = self.open.iter_mut();
        open.filter_map(|(id, open)| Some((*id, open.to, open.bytes.take()?)))
            .collect()
    }

    /// The answer to one, if anybody still waits for it.
    pub(super) fn answered(&mut self, id: AskId, answer: Answer) {
        if let Some(open) = self.open.get_mut(&id) {
            open.answer = Some(answer);
        }
    }

    /// All that was asked of nodes that are not there is answered by what is said for them.
    pub(super) fn drop_but(&mut self, is_there: impl Fn(Incarnation) -> bool, answer: Answer) {
        for open in self.open.values_mut().filter(|open| !is_there(open.to)) {
            open.answer.get_or_insert(answer);
        }
    }

    pub(super) fn answer(&self, id: AskId) -> Option<Answer> {
        self.open.get(&id)?.answer
    }

    /// Nobody waits for it any longer.
    pub(super) fn close(&mut self, id: AskId) {
        self.open.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use tickwire::ids::RoomId;
    use tickwire::protocol::server_message::Refusal;

    use super::super::ask::Given;
    use super::*;

    const GIVEN: Answer = Ok(Given {
        room: RoomId(7),
        is_new: false,
    });
    const A: Incarnation = Incarnation(1);

    #[test]
    fn each_is_sent_once_and_answered_to_who_waits() {
        let mut asks = Asks::default();
        let first = asks.ask(A, vec![1]).unwrap();
        let second = asks.ask(Incarnation(2), vec![2]).unwrap();
        let sent = [(first, A, vec![1]), (second, Incarnation(2), vec![2])];
        assert_eq!(asks.unsent(), sent);
        assert!(asks.unsent().is_empty());
        assert_eq!(asks.answer(first), None);
        asks.answered(first, GIVEN);
        assert_eq!(asks.answer(first), Some(GIVEN));
        asks.drop_but(|_| false, Err(Refusal::Busy));
        assert_eq!(asks.answer(first), Some(GIVEN));
        assert_eq!(asks.answer(second), Some(Err(Refusal::Busy)));
        asks.close(first);
        asks.close(second);
        asks.answered(first, GIVEN);
        assert!(asks.open.is_empty(), "nobody waits");
    }

    #[test]
    fn those_that_are_open_are_bounded() {
        let mut asks = Asks::default();
        let ids: Vec<AskId> = std::iter::from_fn(|| asks.ask(A, Vec::new())).collect();
        assert_eq!(ids.len(), ASKS_MAX);
        asks.close(ids[0]);
        assert!(asks.ask(A, Vec::new()).is_some());
    }
}
