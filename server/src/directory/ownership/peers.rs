//! What peers say themselves, when asked at their own ports: whether they have contact with the
//! engine, or that they are gone. A node plays on without the engine only while every incarnation
//! that could adopt its rooms says that it has no contact either. That is every one that it ever
//! published to know: who is not among those it knows waits until it can't play any more
//! ([`super::members`]).

use std::collections::BTreeMap;
use std::time::Duration;

use super::contact::Answered;
use super::messages::{Answer, Incarnation, NODES_MAX, NodeRecord};
use super::timing::Timing;

/// Incarnations that are heeded: those of all nodes, and as many again and more that are gone for
/// less than two minutes. Beyond it this incarnation does not play without the engine any more.
const HEEDED_MAX: usize = 4 * NODES_MAX;

/// An incarnation that a beat's answer named.
#[derive(Debug)]
struct Peer {
    /// Where it is asked.
    node: String,
    /// When it was first named: what was asked before says nothing of it.
    since: Duration,
    /// `None` while the last answer names it; else since when none did, without a gap in contact.
    unlisted: Option<Duration>,
    /// When it was asked for its newest answer.
    asked: Duration,
    /// That answer is that it has no contact.
    is_without: bool,
    /// Nobody, or another incarnation, answers where it was.
    is_gone: bool,
}

/// All peers that are heeded.
#[derive(Debug, Default)]
pub(super) struct Peers {
    of: BTreeMap<Incarnation, Peer>,
    /// One too many was named.
    is_crowded: bool,
}

impl Peers {
    /// A beat's answer names these, the node itself and its former incarnations left out.
    pub(super) fn listed<'a>(
        &mut self,
        now: Duration,
        nodes: impl Iterator<Item = (Incarnation, &'a NodeRecord)>,
        answered: Answered,
        timing: &Timing,
    ) {
        for peer in self.of.values_mut() {
            // What was published before a gap may be what the engine still has.
            let since = peer.unlisted.filter(|_| answered == Answered::Again);
            peer.unlisted = Some(since.unwrap_or(now));
        }
        for (who, record) in nodes {
            if self.of.len() >= HEEDED_MAX && !self.of.contains_key(&who) {
                self.is_crowded = true;
                continue;
            }
            let peer = self.of.entry(who).or_insert_with(|| Peer {
                node: record.node.clone(),
                since: now,
                unlisted: None,
                asked: now,
                is_without: false,
                is_gone: false,
            });
            peer.unlisted = None;
        }
        // By then the engine has had a record in which they are not known for so long that no
        // failover brings back one in which they are.
        let kept = timing.abandoned();
        self.of.retain(|_, peer| {
            let unlisted = peer.unlisted.map(|since| now.saturating_sub(since));
            unlisted.is_none_or(|unlisted| unlisted < kept && !peer.is_gone)
        });
    }

    /// A node's port answered what it was asked at `asked`. True if that proves anybody dead.
    pub(super) fn answered(&mut self, asked: Duration, node: &str, answer: Answer) -> bool {
        let there = match answer {
            Answer::Contact(there) | Answer::NoContact(there) => Some(there),
            Answer::Refused => None,
        };
        let mut proven = false;
        for (who, peer) in self.of.iter_mut().filter(|(_, peer)| peer.node == node) {
            if asked < peer.asked || peer.is_gone {
                continue;
            }
            peer.asked = asked;
            peer.is_without = answer == Answer::NoContact(*who);
            peer.is_gone = there != Some(*who);
            proven |= peer.is_gone;
        }
        proven
    }

    /// Until when nobody can have contact who could adopt; `None` if somebody may have it now.
    pub(super) fn without_engine_until(&self, timing: &Timing) -> Option<Duration> {
        let mut until = (!self.is_crowded).then_some(Duration::MAX)?;
        for peer in self.of.values().filter(|peer| !peer.is_gone) {
            if !peer.is_without {
                return None;
            }
            until = until.min(peer.asked + timing.answer);
        }
        Some(until)
    }

    /// Proven dead, by its own port.
    pub(super) fn is_gone(&self, who: Incarnation) -> bool {
        self.of.get(&who).is_some_and(|peer| peer.is_gone)
    }

    /// When an incarnation that the last answer names was first named.
    pub(super) fn known_since(&self, who: Incarnation) -> Option<Duration> {
        let peer = self.of.get(&who).filter(|peer| peer.unlisted.is_none());
        peer.map(|peer| peer.since)
    }

    /// Whom the node publishes to know: those of the last answer.
    pub(super) fn known(&self) -> Vec<Incarnation> {
        let listed = self.of.iter().filter(|(_, peer)| peer.unlisted.is_none());
        listed.map(|(who, _)| *who).take(NODES_MAX).collect()
    }

    /// Where to ask: each node at which somebody is heeded, once.
    pub(super) fn nodes(&self) -> Vec<String> {
        let heeded = self.of.values().filter(|peer| !peer.is_gone);
        let mut nodes: Vec<String> = heeded.map(|peer| peer.node.clone()).collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }
}
