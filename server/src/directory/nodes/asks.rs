//! What was asked of other nodes and is not answered yet. Pure. Who asked for a player holds a number
//! and looks again, who asked for a program waits; the cluster takes what is to be sent and brings
//! what came back.

use std::collections::BTreeMap;

use tickwire::protocol::server_message::Refusal;
use tokio::sync::oneshot;

use super::super::ownership::messages::Incarnation;
use super::ask::{self, Answer, AskError};

/// Questions that are open at once: a second's worth of joins. Beyond: the room is made here, a seat
/// elsewhere is not asked for, and a program is told to come again.
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
    by: By,
}

/// For whom it was asked.
enum By {
    /// With the answer, once it is there.
    Player(Option<Answer>),
    /// Who hears the bytes, or that there are none when this is dropped.
    Program(oneshot::Sender<Vec<u8>>),
}

impl Asks {
    /// For a player. `None`: too many are open.
    pub(super) fn ask(&mut self, to: Incarnation, bytes: Vec<u8>) -> Option<AskId> {
        self.open(to, bytes, By::Player(None))
    }

    /// For a program, which hears the answer. `None`: too many are open.
    pub(super) fn ask_for_program(
        &mut self,
        to: Incarnation,
        bytes: Vec<u8>,
    ) -> Option<oneshot::Receiver<Vec<u8>>> {
        let (back, answer) = oneshot::channel();
        self.open(to, bytes, By::Program(back)).map(|_| answer)
    }

    fn open(&mut self, to: Incarnation, bytes: Vec<u8>, by: By) -> Option<AskId> {
        if self.open.len() >= ASKS_MAX {
            return None;
        }
        self.next += 1;
        let (id, bytes) = (AskId(self.next), Some(bytes));
        self.open.insert(id, Open { to, bytes, by });
        Some(id)
    }

    /// What is to be sent, the oldest first; each is taken once.
    pub(super) fn unsent(&mut self) -> Vec<(AskId, Incarnation, Vec<u8>)> {
        let open = self.open.iter_mut();
        open.filter_map(|(id, open)| Some((*id, open.to, open.bytes.take()?)))
            .collect()
    }

    /// The answer to one, `None` if there is none, to whoever still waits for it.
    ///
    /// # Errors
    /// It can't be read; a player is refused.
    pub(super) fn answered(&mut self, id: AskId, answer: Option<&[u8]>) -> Result<(), AskError> {
        match self.open.get_mut(&id).map(|open| &mut open.by) {
            None => Ok(()),
            Some(By::Player(known)) => {
                let read = answer.map(ask::decode::<Answer>).transpose();
                let answer = read.as_ref().ok().copied().flatten();
                *known = Some(answer.unwrap_or(Err(Refusal::Busy)));
                read.map(|_| ())
            }
            Some(By::Program(_)) => {
                let open = self.open.remove(&id);
                if let (Some(By::Program(back)), Some(answer)) = (open.map(|open| open.by), answer)
                {
                    // Who waited may have gone.
                    let _ = back.send(answer.to_vec());
                }
                Ok(())
            }
        }
    }

    /// What was asked of nodes that are not there is refused, or has no answer.
    pub(super) fn drop_but(&mut self, is_there: impl Fn(Incarnation) -> bool) {
        self.open.retain(|_, open| match &mut open.by {
            _ if is_there(open.to) => true,
            By::Player(answer) => {
                answer.get_or_insert(Err(Refusal::Busy));
                true
            }
            By::Program(_) => false,
        });
    }

    pub(super) fn answer(&self, id: AskId) -> Option<Answer> {
        match self.open.get(&id)?.by {
            By::Player(answer) => answer,
            By::Program(_) => None,
        }
    }

    /// Nobody waits for it any longer.
    pub(super) fn close(&mut self, id: AskId) {
        self.open.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use tickwire::ids::RoomId;

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
        asks.answered(first, Some(&ask::encode(&GIVEN))).unwrap();
        assert_eq!(asks.answer(first), Some(GIVEN));
        asks.drop_but(|_| false);
        assert_eq!(asks.answer(first), Some(GIVEN));
        assert_eq!(asks.answer(second), Some(Err(Refusal::Busy)));
        asks.close(first);
        asks.close(second);
        assert_eq!(asks.answered(first, None), Ok(()));
        assert!(asks.open.is_empty(), "nobody waits");
    }

    #[test]
    fn what_can_t_be_read_refuses_a_player() {
        let mut asks = Asks::default();
        for wrong in [None, Some(&[9u8, 9][..])] {
            let id = asks.ask(A, vec![1]).unwrap();
            assert_eq!(asks.answered(id, wrong).is_err(), wrong.is_some());
            assert_eq!(asks.answer(id), Some(Err(Refusal::Busy)));
        }
    }

    #[test]
    fn a_program_hears_the_bytes_or_that_there_are_none() {
        let mut asks = Asks::default();
        let mut answers: Vec<_> = (0..3)
            .map(|_| asks.ask_for_program(A, vec![1]).unwrap())
            .collect();
        let ids: Vec<AskId> = asks.unsent().into_iter().map(|(id, ..)| id).collect();
        assert_eq!(asks.answer(ids[0]), None, "that is who waits for it alone");
        asks.answered(ids[0], Some(&[5])).unwrap();
        assert_eq!(answers[0].try_recv(), Ok(vec![5]));
        asks.answered(ids[1], None).unwrap();
        asks.drop_but(|_| false);
        for answer in &mut answers[1..] {
            assert_eq!(answer.try_recv(), Err(oneshot::error::TryRecvError::Closed));
        }
        assert!(asks.open.is_empty());
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
