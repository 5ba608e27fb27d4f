//! Bugs that the checker must catch, planted in what surrounds the state machine: in what the
//! engine does, what the node is told, what its workers check. Each takes a rule of the protocol
//! away, and none is in the product's code.

/// A rule that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bug {
    /// All rules hold.
    None,
    /// A fence is not a compare-and-set on the beat.
    FenceWithoutComparing,
    /// A room is adopted from one that is not fenced.
    AdoptWithoutFence,
    /// A durable write is not fenced by the epoch.
    UnfencedWrites,
    /// A new connection is not noticed.
    UnnoticedConnection,
    /// Nor is one by a node that is frozen: it thaws though a fence may have been lost.
    ThawedOnAnother,
    /// Who just connected acts on what it sees of others.
    Unsettled,
    /// Contact for as long as a lease is enough, though an engine that was replaced goes on.
    SettledTooSoon,
    /// An incarnation is taken for known because a former one of its node was.
    KnownByNode,
    /// Everybody is taken for known.
    KnownToAll,
    /// Others wait for less than a lease.
    ShortLease,
    /// Workers tick without a lease.
    NoLease,
    /// A room is ticked under the lease of the next incarnation.
    SharedLease,
    /// Only those are heeded that the last answer named.
    MembersOnly,
    /// Peers are not asked.
    Unasked,
    /// Peers say that they have no contact.
    Liars,
}

impl Bug {
    /// Those that histories catch, each with a seed of a history in which it does harm.
    pub(super) const ALL: [(Bug, u64); 14] = [
        (Bug::FenceWithoutComparing, 49),
        (Bug::AdoptWithoutFence, 0),
        (Bug::UnfencedWrites, 4),
        (Bug::UnnoticedConnection, 68),
        (Bug::ThawedOnAnother, 2),
        (Bug::Unsettled, 58),
        (Bug::KnownByNode, 109),
        (Bug::KnownToAll, 109),
        (Bug::ShortLease, 0),
        (Bug::NoLease, 2),
        (Bug::SharedLease, 16),
        (Bug::MembersOnly, 0),
        (Bug::Unasked, 0),
        (Bug::Liars, 17),
    ];
}
