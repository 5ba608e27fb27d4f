//! What clients asked that the home has not answered: kept until it has, so that another home is asked
//! where the first one ends. Pure; times are arguments.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tickwire::codec::{decode_server, encode_server};
use tickwire::protocol::server_message::Refusal;
use tickwire::protocol::{
    OutOfParty, OutOfQueue, PartyState, PeopleNews, QueueState, ServerMessage,
};

use crate::presence::{Online, Standing};

/// For an answer: until a node that is gone is known to be, and another one is the home. Longer: it is
/// refused.
const PATIENCE: Duration = Duration::from_secs(10);
/// Requests that wait at once. Each connection has a few; beyond: refused.
const WAITING_MAX: usize = 16 * 1024;
/// Bytes of one answer in parts: three times what there are. Beyond: it is no answer.
const PARTS_BYTES_MAX: usize = 64 * 1024;

/// By what an answer is known to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// To a line that was said.
    Said(u32),
    /// Of who somebody is.
    Answer(u32),
    /// A page.
    Past(u32),
    /// To who wants to hear of people.
    Entered(u32),
    /// To who makes or joins a party.
    Party(u32),
    /// By how things stand in the queue.
    Queue(u32),
}

impl Key {
    fn of(reply: &[u8]) -> Option<Key> {
        match decode_server(reply) {
            Ok(Some(ServerMessage::Said { nonce, .. })) => Some(Key::Said(nonce)),
            Ok(Some(ServerMessage::People(PeopleNews::Answer { nonce, .. }))) => {
                Some(Key::Answer(nonce))
            }
            Ok(Some(ServerMessage::Party { nonce, .. })) => Some(Key::Party(nonce)),
            _ => None,
        }
    }

    /// Whether the answer comes in parts, of which a connection expects those of one.
    fn has_parts(self) -> bool {
        matches!(self, Key::Past(_) | Key::Entered(_))
    }

    /// Tells that it is refused.
    pub(crate) fn refuse(self, who: &Online, reason: Refusal, now: Instant) {
        let message = match self {
            Key::Said(nonce) => {
                let result = Err(reason);
                ServerMessage::Said { nonce, result }
            }
            Key::Answer(nonce) => {
                let result = Err(reason);
                ServerMessage::People(PeopleNews::Answer { nonce, result })
            }
            Key::Past(nonce) => {
                let result = Err(reason);
                ServerMessage::Past { nonce, result }
            }
            Key::Entered(nonce) => ServerMessage::People(PeopleNews::Out { nonce, reason }),
            Key::Party(nonce) => {
                let why = OutOfParty::TooManyParties;
                let state = PartyState::Out { why };
                ServerMessage::Party { nonce, state }
            }
            Key::Queue(nonce) => {
                let (why, own, again_ms) = (OutOfQueue::Full, false, 0);
                let state = QueueState::Out { why, own, again_ms };
                let bytes = encode_server(&ServerMessage::Queue { nonce, state });
                return who.show(Standing::Queue, bytes.into());
            }
        };
        let bytes: Bytes = encode_server(&message).into();
        match self.has_parts() {
            true => who.answer([bytes].into()),
            false => who.reply(bytes, now),
        }
    }
}

/// A request.
#[derive(Clone)]
pub(super) struct Waits {
    /// They rise with what is asked.
    order: u64,
    key: Key,
    pub(super) body: Bytes,
    until: Instant,
}

/// A connection that waits for something.
struct Asker {
    online: Arc<Online>,
    waits: VecDeque<Waits>,
    /// What came of an answer in parts.
    parts: VecDeque<Bytes>,
}

/// See the module's description.
#[derive(Default)]
pub(super) struct Waiting {
    askers: BTreeMap<u64, Asker>,
    count: usize,
    orders: u64,
}

impl Waiting {
    /// Another request; false: too many wait.
    pub(super) fn push(&mut self, who: &Arc<Online>, key: Key, body: Bytes, now: Instant) -> bool {
        if self.count >= WAITING_MAX {
            return false;
        }
        self.orders += 1;
        self.count += 1;
        let asker = self.askers.entry(who.number).or_insert_with(|| Asker {
            online: who.clone(),
            waits: VecDeque::new(),
            parts: VecDeque::new(),
        });
        asker.waits.push_back(Waits {
            order: self.orders,
            key,
            body,
            until: now + PATIENCE,
        });
        true
    }

    /// Takes the first request of a connection that is so; who it is.
    fn take(&mut self, number: u64, is_it: impl Fn(Key) -> bool) -> Option<(Arc<Online>, Key)> {
        let asker = self.askers.get_mut(&number)?;
        let at = asker.waits.iter().position(|waits| is_it(waits.key))?;
        let taken = asker.waits.remove(at)?;
        self.count -= 1;
        let online = asker.online.clone();
        if asker.waits.is_empty() {
            self.askers.remove(&number);
        }
        Some((online, taken.key))
    }

    /// A reply came: for whom it is, who still waits for it.
    pub(super) fn replied(&mut self, number: u64, reply: &[u8]) -> Option<Arc<Online>> {
        let key = Key::of(reply)?;
        Some(self.take(number, |waits| waits == key)?.0)
    }

    /// How things stand in the queue for a connection is told: that answers what it asked.
    pub(super) fn queue_told(&mut self, number: u64) {
        while self
            .take(number, |key| matches!(key, Key::Queue(_)))
            .is_some()
        {}
    }

    /// A part of an answer came; all of them, with the last one.
    pub(super) fn part(
        &mut self,
        number: u64,
        part: Bytes,
        is_last: bool,
    ) -> Option<(Arc<Online>, VecDeque<Bytes>)> {
        let asker = self.askers.get_mut(&number)?;
        let bytes: usize = asker.parts.iter().map(Bytes::len).sum();
        if bytes + part.len() > PARTS_BYTES_MAX {
            asker.parts.clear();
            return None;
        }
        asker.parts.push_back(part);
        if !is_last {
            return None;
        }
        let parts = std::mem::take(&mut asker.parts);
        Some((self.take(number, Key::has_parts)?.0, parts))
    }

    /// The home does not know the connection: what it asked is refused.
    pub(super) fn unknown(&mut self, number: u64) -> Vec<(Arc<Online>, Key)> {
        std::iter::from_fn(|| self.take(number, |_| true)).collect()
    }

    /// A connection is gone.
    pub(super) fn gone(&mut self, number: u64) {
        if let Some(asker) = self.askers.remove(&number) {
            self.count -= asker.waits.len();
        }
    }

    /// What was waited for too long.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<(Arc<Online>, Key)> {
        let (mut over, mut count) = (Vec::new(), 0);
        self.askers.retain(|_, asker| {
            asker.waits.retain(|waits| {
                let is_over = waits.until <= now;
                if is_over {
                    over.push((asker.online.clone(), waits.key));
                }
                !is_over
            });
            count += asker.waits.len();
            !asker.waits.is_empty()
        });
        self.count = count;
        over
    }

    /// All of it in the order in which it was asked, for another home; parts of answers are void.
    pub(super) fn all(&mut self) -> Vec<(Arc<Online>, Bytes)> {
        let mut all = Vec::with_capacity(self.count);
        for asker in self.askers.values_mut() {
            asker.parts.clear();
            let theirs = asker.waits.iter();
            all.extend(theirs.map(|waits| (waits.order, asker.online.clone(), waits.body.clone())));
        }
        all.sort_unstable_by_key(|(order, ..)| *order);
        all.into_iter()
            .map(|(_, online, body)| (online, body))
            .collect()
    }

    /// The same, which is not waited for any more: it is asked here.
    pub(super) fn take_all(&mut self) -> Vec<(Arc<Online>, Bytes)> {
        let all = self.all();
        self.askers.clear();
        self.count = 0;
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Identity;
    use crate::presence::Presence;

    fn said(nonce: u32) -> Vec<u8> {
        let result = Ok(1);
        encode_server(&ServerMessage::Said { nonce, result })
    }

    #[test]
    fn each_answer_is_of_one_request_and_what_is_old_is_refused() {
        let (presence, now) = (Presence::default(), Instant::now());
        let ann = Identity::read("user:ann").unwrap();
        let address = std::net::Ipv4Addr::LOCALHOST.into();
        let ann = presence.enter("chess", "Ann", &ann, address).handle();
        let mut waiting = Waiting::default();
        for nonce in 1..=3 {
            let body = Bytes::from(vec![nonce as u8]);
            assert!(waiting.push(&ann, Key::Said(nonce), body, now));
        }
        assert!(waiting.push(&ann, Key::Past(9), Bytes::from_static(b"page"), now));
        assert!(waiting.replied(ann.number, &said(2)).is_some());
        assert!(waiting.replied(ann.number, &said(2)).is_none(), "only once");
        assert!(waiting.replied(77, &said(1)).is_none());
        let part = || Bytes::from_static(b"part");
        assert!(waiting.part(ann.number, part(), false).is_none());
        // Of a home that is gone.
        let bodies: Vec<Bytes> = waiting.all().into_iter().map(|(_, body)| body).collect();
        assert_eq!(bodies, [&[1][..], &[3], b"page"]);
        assert!(waiting.part(ann.number, part(), false).is_none());
        let (_, parts) = waiting.part(ann.number, part(), true).unwrap();
        assert_eq!(parts.len(), 2);
        assert!(waiting.expire(now).is_empty());
        let over = waiting.expire(now + PATIENCE);
        let keys: Vec<Key> = over.into_iter().map(|(_, key)| key).collect();
        assert_eq!(keys, [Key::Said(1), Key::Said(3)]);
        assert_eq!((waiting.count, waiting.askers.len()), (0, 0));
        let asks = |waiting: &mut Waiting| waiting.push(&ann, Key::Said(1), part(), now);
        assert_eq!(
            (0..WAITING_MAX + 5).filter(|_| asks(&mut waiting)).count(),
            WAITING_MAX
        );
        waiting.gone(ann.number);
        assert!(waiting.push(&ann, Key::Said(1), part(), now));
    }
}
