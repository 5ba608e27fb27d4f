//! Who else beats, as the engine's table says, and who was silent for how long: the leases of
//! others, and when they may be taken away. A failure detector that may only be late: it counts
//! from answers, by this node's own clock, and the fence that follows is a compare-and-set on the
//! beat that it last saw (the fencing of Chubby's sequencers and of Kleppmann's "How to do
//! distributed locking").

use std::collections::BTreeMap;
use std::time::Duration;

use super::contact::Answered;
use super::messages::{Incarnation, NodeRecord};
use super::peers::Peers;
use super::timing::Timing;

/// Another incarnation that has a record and is not fenced.
#[derive(Debug)]
struct Member {
    record: NodeRecord,
    /// Its beat is this one since.
    since: Duration,
    /// It beat since contact began: what it owns is in the tables.
    is_heard: bool,
}

/// All others of the last answer.
#[derive(Debug)]
pub(super) struct Members {
    me: Incarnation,
    /// Where this node is: other incarnations there are its own former ones.
    node: String,
    of: BTreeMap<Incarnation, Member>,
}

impl Members {
    pub(super) fn new(me: Incarnation, node: String) -> Members {
        let of = BTreeMap::new();
        Members { me, node, of }
    }

    /// A beat's answer has this table.
    pub(super) fn listed(
        &mut self,
        now: Duration,
        nodes: Vec<(Incarnation, NodeRecord)>,
        answered: Answered,
    ) {
        let mut before = std::mem::take(&mut self.of);
        if answered != Answered::Again {
            before.clear();
        }
        for (who, record) in nodes.into_iter().filter(|(who, _)| *who != self.me) {
            let member = match before.remove(&who) {
                Some(known) if known.record.beat == record.beat => Member { record, ..known },
                known => Member {
                    record,
                    since: now,
                    is_heard: known.is_some(),
                },
            };
            self.of.insert(who, member);
        }
    }

    /// Those that peers are asked about: not this node's own former incarnations.
    pub(super) fn others(&self) -> impl Iterator<Item = (Incarnation, &NodeRecord)> {
        let others = self.of.iter().filter(|(_, m)| m.record.node != self.node);
        others.map(|(who, member)| (*who, &member.record))
    }

    /// Those that beat lately, within three beats, with their loads.
    pub(super) fn lively(
        &self,
        now: Duration,
        peers: &Peers,
        timing: &Timing,
    ) -> impl Iterator<Item = (Incarnation, u16)> {
        let lively = self.of.iter().filter(move |(who, member)| {
            let quiet = now.saturating_sub(member.since);
            quiet <= timing.beat * 3 && !self.is_dead(**who, member, peers)
        });
        lively.map(|(who, member)| (*who, member.record.load))
    }

    /// It can't play: its own port says so, or another incarnation of this process is who asks.
    fn is_dead(&self, who: Incarnation, member: &Member, peers: &Peers) -> bool {
        member.record.node == self.node || peers.is_gone(who)
    }

    /// Those whose lease is over, with the beat that they were last seen with. Who knows this node
    /// does not play without the engine while this node has contact; who does not know it may.
    pub(super) fn expired(
        &self,
        now: Duration,
        peers: &Peers,
        timing: &Timing,
    ) -> impl Iterator<Item = (Incarnation, u64)> {
        let expired = self.of.iter().filter(move |(who, member)| {
            let quiet = now.saturating_sub(member.since);
            let knows_me = member.record.knows.contains(&self.me);
            self.is_dead(**who, member, peers)
                || quiet >= timing.silence && knows_me
                || quiet >= timing.abandoned()
        });
        expired.map(|(who, member)| (*who, member.record.beat))
    }

    /// One that may play rooms of which the tables know nothing: it has not beaten since contact
    /// began, and does not heed this node. A failover may have lost what it adopted last; nobody
    /// adopts anything before it is heard or can't play any more.
    pub(super) fn is_anybody_unheard(&self, now: Duration, peers: &Peers, timing: &Timing) -> bool {
        self.of.iter().any(|(who, member)| {
            let knows_me = member.record.knows.contains(&self.me);
            let quiet = now.saturating_sub(member.since);
            !member.is_heard
                && !knows_me
                && !self.is_dead(*who, member, peers)
                && quiet < timing.abandoned()
        })
    }
}
