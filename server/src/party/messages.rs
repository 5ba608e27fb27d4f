//! What parties are told and what they say, as plain values.

use ipnet::IpNet;

use super::PartyId;
use crate::auth::Identity;
use crate::presence::PartyChannel;

/// Who comes into a party.
#[derive(Clone, Debug)]
pub(crate) struct Newcomer {
    pub(crate) who: Identity,
    /// As others see it, tidied.
    pub(crate) name: String,
    /// From where they come, if a limit holds there.
    pub(crate) host: Option<IpNet>,
}

/// What happens to parties. What changes nothing is followed by [`Output::Told`] or by nothing.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    /// Somebody wants a party; who is in one stays there.
    Create {
        who: Newcomer,
        /// Its code, which nobody guesses.
        code: String,
        channel: PartyChannel,
    },
    /// Somebody has a code; in whichever party they are, they leave it if they get into this one.
    Join { who: Newcomer, code: String },
    /// Somebody leaves their party.
    Leave { who: Identity },
    /// A leader sends a member away.
    Kick {
        who: Identity,
        /// By their number.
        member: u32,
        /// The party's from now on.
        code: String,
    },
    /// A player has no connection any more: the last of several, if there were more.
    Lost { who: Identity },
    /// They have one again.
    Returned { who: Identity, name: String },
    /// They did something together: queued, or followed their leader.
    Stirred { who: Identity },
    /// Somebody was in the party of this code elsewhere, with this number.
    Recalled {
        who: Identity,
        name: String,
        code: String,
        number: u32,
        /// Of the party, if nobody of it came before.
        channel: PartyChannel,
    },
    /// The server stops: all parties end.
    Close,
}

/// What became of it, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Somebody is in a party: a new one, where there are no others.
    Entered {
        who: Identity,
        others: Vec<Identity>,
    },
    /// Somebody is in the party that they had elsewhere, with these.
    Recalled {
        who: Identity,
        others: Vec<Identity>,
    },
    /// Somebody is out of theirs, which ends with the last.
    Left {
        who: Identity,
        party: PartyId,
        why: OutReason,
        /// Those who stay, the leader first.
        others: Vec<Identity>,
    },
    /// Something else of these is otherwise: the whole party.
    Changed { members: Vec<Identity> },
    /// What this one asked for is not possible; nothing has changed.
    Refused { who: Identity, why: Refusal },
    /// Nothing has changed: their page may be behind.
    Told { who: Identity },
}

/// Why something that was asked for is not possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No party has this code.
    NoSuchParty,
    /// It has as many members as it may have.
    Full,
    /// There are as many parties as there may be, here or from there.
    TooMany,
    /// The server stops.
    Closed,
}

/// Why somebody is in their party no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutReason {
    /// They left.
    Left,
    /// They are in another.
    Elsewhere,
    /// Its leader sent them away.
    Kicked,
    /// They were away for too long.
    Lost,
    /// Nothing happened in it for too long.
    Idle,
    /// The server stops.
    Closed,
}

/// What a member's page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) code: String,
    /// The number of whose page it is.
    pub(crate) you: u32,
    /// Members that it may have.
    pub(crate) most: u8,
    /// The leader first, in the order in which they came.
    pub(crate) members: Vec<MemberView>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MemberView {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) is_connected: bool,
}
