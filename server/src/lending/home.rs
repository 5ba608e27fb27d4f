//! Which node is the home of what players have in common. Pure.
//!
//! Every node knows which incarnations live, so each computes it: the one with the least number, which
//! is random, of those that do not leave. While nodes do not agree on who lives, for a second after one
//! came or went, the one that is asked says whether it takes itself for it.

use std::collections::BTreeSet;

use super::node_id::NodeId;

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Homes {
    me: NodeId,
    others: BTreeSet<NodeId>,
    /// Those of them, and perhaps this node, that said they leave.
    leaving: BTreeSet<NodeId>,
}

impl Homes {
    /// This is who lives.
    pub(super) fn live(&mut self, me: NodeId, others: impl Iterator<Item = NodeId>) {
        if self.leaving.remove(&self.me) {
            self.leaving.insert(me);
        }
        self.me = me;
        self.others = others.filter(|other| *other != me).collect();
        let others = &self.others;
        self.leaving
            .retain(|left| *left == me || others.contains(left));
    }

    /// A node says that it leaves.
    pub(super) fn leaves(&mut self, node: NodeId) {
        self.leaving.insert(node);
    }

    /// This node does.
    pub(super) fn leave(&mut self) {
        self.leaving.insert(self.me);
    }

    pub(super) fn do_i_leave(&self) -> bool {
        self.leaving.contains(&self.me)
    }

    pub(super) fn me(&self) -> NodeId {
        self.me
    }

    pub(super) fn others(&self) -> &BTreeSet<NodeId> {
        &self.others
    }

    /// The home. Where all leave it is one of those.
    pub(super) fn home(&self) -> NodeId {
        let all = self.others.iter().chain([&self.me]).copied();
        let leaves = |node: &NodeId| self.leaving.contains(node);
        all.min_by_key(|node| (leaves(node), *node))
            .unwrap_or(self.me)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(homes: &mut Homes, me: u64, others: &[u64]) -> u64 {
        homes.live(NodeId(me), others.iter().copied().map(NodeId));
        homes.home().0
    }

    #[test]
    fn all_who_know_of_the_same_choose_the_same() {
        for me in [3, 5, 9] {
            let mut homes = Homes::default();
            let others: Vec<u64> = [3, 5, 9].into_iter().filter(|of| *of != me).collect();
            assert_eq!(live(&mut homes, me, &others), 3);
            homes.leaves(NodeId(3));
            assert_eq!(homes.home().0, 5);
        }
    }

    #[test]
    fn who_leaves_is_no_home_and_is_forgotten_once_it_is_gone() {
        let mut homes = Homes::default();
        assert_eq!(live(&mut homes, 3, &[5]), 3);
        homes.leave();
        assert_eq!(homes.home().0, 5);
        assert_eq!(live(&mut homes, 4, &[5]), 5, "it leaves as another, too");
        homes.leaves(NodeId(5));
        assert_eq!(homes.home().0, 4, "all do");
        assert_eq!(live(&mut homes, 4, &[7]), 7);
        assert_eq!(homes.leaving.len(), 1);
        assert_eq!(live(&mut homes, 4, &[]), 4);
    }
}
