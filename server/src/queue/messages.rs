//! What the queue is told and what it says, as plain values: they may be recorded, replayed, or come
//! from another node.

use std::time::Duration;

use super::mode::{ModeId, RegionId};

/// A player, whatever connection or tab they come from: the caller's number for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlayerKey(pub u64);

/// Players who queue together: a party, or one alone. Never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub u64);

/// A match that is offered, or to which its players are on their way. Never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfferId(pub u64);

/// Who would play.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seeker {
    /// Who.
    pub player: PlayerKey,
    /// Their rating in the mode, as far as [`super::RATING_MAX`] from 0.
    pub rating: f64,
}

/// What happens to the queue. Whatever is said of who is not in it, or of an offer that is no more,
/// changes nothing, and [`Output::Told`] follows: the player's page may be behind.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A party, or one player, wants to play: [`Output::Queued`] or [`Output::Refused`] follows, to
    /// the first of the seekers.
    Enqueue {
        /// How.
        mode: ModeId,
        /// Who, together; the first is the one who asks.
        seekers: Vec<Seeker>,
        /// Where, the best first.
        regions: Vec<RegionId>,
    },
    /// A player no longer wants to, and with them their party. Of a match that was offered this is
    /// a [`Input::Decline`], of one on its way an [`Input::JoinFailed`].
    Cancel {
        /// Any member of the party.
        player: PlayerKey,
    },
    /// A player takes the match that they were offered. Again: nothing new.
    Accept {
        /// Who.
        player: PlayerKey,
        /// Which, so that a click that comes late takes no other.
        offer: OfferId,
    },
    /// A player does not.
    Decline {
        /// Who.
        player: PlayerKey,
        /// Which.
        offer: OfferId,
    },
    /// A player has no connection any more: the last of several, if there were more tabs.
    Lost {
        /// Who.
        player: PlayerKey,
    },
    /// They have one again.
    Returned {
        /// Who.
        player: PlayerKey,
    },
    /// Somebody joined a party that waits: they wait with it, and its place is kept.
    PartyJoined {
        /// Any member of the party.
        party: PlayerKey,
        /// Who joined.
        seeker: Seeker,
    },
    /// Somebody left their party, be it its leader: the others wait on, and their place is kept.
    PartyLeft {
        /// Who left.
        player: PlayerKey,
    },
    /// Somebody joined a party or left it, which does not wait any more for what it is now: where it
    /// waits all of it are out; of a match that was offered to who left it, it is a
    /// [`Input::Decline`].
    PartyChanged {
        /// Any member of the party.
        party: PlayerKey,
        /// Who joined or left.
        by: PlayerKey,
    },
    /// A player is in the match's room.
    Joined {
        /// Who.
        player: PlayerKey,
        /// Which match.
        offer: OfferId,
    },
    /// A player can't get into the match's room, or is known not to come.
    JoinFailed {
        /// Who.
        player: PlayerKey,
        /// Which match.
        offer: OfferId,
    },
    /// There is no room for the match: nobody's fault, all go back.
    RoomFailed {
        /// Which match.
        offer: OfferId,
    },
    /// The queue ends, as the server does: so does every entry.
    Close,
}

/// What is to be done or said, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// These wait together: newly, or changed.
    Queued {
        /// Their entry.
        entry: EntryId,
        /// All of it.
        players: Vec<PlayerKey>,
    },
    /// What this one asked for is not possible; nothing has changed.
    Refused {
        /// Who asked.
        player: PlayerKey,
        /// Why not.
        why: Refusal,
    },
    /// A match: each of these is to accept it before `until`.
    Offered {
        /// Which.
        offer: OfferId,
        /// What is played.
        mode: ModeId,
        /// Where.
        region: RegionId,
        /// Who is asked.
        players: Vec<PlayerKey>,
        /// When it is too late.
        until: Duration,
    },
    /// All have accepted. Make the room, let them in, and say who came ([`Input::Joined`]) before
    /// `until`.
    Go {
        /// Which match.
        offer: OfferId,
        /// What is played.
        mode: ModeId,
        /// Where.
        region: RegionId,
        /// Who plays with whom.
        teams: Vec<Team>,
        /// When it is too late.
        until: Duration,
    },
    /// The match came to nothing, and not by these: they wait again, with the time that they have
    /// waited. Whoever is in its room already leaves it.
    Back {
        /// All of one entry.
        players: Vec<PlayerKey>,
        /// Since they queued.
        waited: Duration,
    },
    /// These are out of the queue, by what one of them did or did not do.
    Out {
        /// A whole entry, or one who left it.
        players: Vec<PlayerKey>,
        /// By whom.
        by: PlayerKey,
        /// By what.
        reason: OutReason,
    },
    /// These are out of the queue, and nobody's at fault.
    Ended {
        /// Who.
        players: Vec<PlayerKey>,
        /// Why.
        reason: EndReason,
    },
    /// What was said of this player changed nothing: their page is to be shown
    /// [`Queue::view`](super::Queue::view). Who came into a room of a match that is no more is
    /// taken out of it.
    Told {
        /// Who.
        player: PlayerKey,
    },
}

/// Who plays on one side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Team {
    /// Party by party.
    pub players: Vec<PlayerKey>,
    /// Places to fill with bots; 0 but at the end of somebody's waiting.
    pub bots: u8,
}

/// Why something that was asked for is not possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such mode.
    Mode,
    /// None were named, or more than a party may accept.
    Regions,
    /// Nobody, or more than a team has place for.
    PartySize,
    /// A rating that is no number, or beyond what there is.
    Rating,
    /// One of them is in the queue already: in another tab, or another party.
    Queued(PlayerKey),
    /// One of them spoilt a match and may not queue before this time.
    Cooling(PlayerKey, Duration),
    /// The queue has as many players as it can have.
    Full,
    /// The queue has ended.
    Closed,
}

/// What somebody did or did not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OutReason {
    /// Did not want to play any more.
    Cancelled,
    /// Left the party.
    LeftParty,
    /// Joined the party or left it, which does not wait any more.
    PartyChanged,
    /// Was away for too long.
    Lost,
    /// Declined a match.
    Declined,
    /// Did not accept one in time.
    NotAccepted,
    /// Did not come into its room in time.
    NotCome,
    /// Could not get into its room.
    JoinFailed,
}

/// Why an entry ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EndReason {
    /// They play.
    Playing,
    /// Their party plays; they joined it when its match had been made.
    PartyPlays,
    /// They waited for as long as anybody may, and there were too few.
    TooFew,
    /// They waited for as long as anybody may, and there was no room even for them and bots.
    NoRoom,
    /// The queue has ended.
    Closed,
}

/// What a player's page shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum View {
    /// They wait.
    Waiting {
        /// For what.
        mode: ModeId,
        /// Since they queued.
        waited: Duration,
        /// Until they are told something, match or none.
        left: Duration,
        /// How far from their rating others may be by now.
        window: f64,
        /// Players who wait in this mode, they among them.
        waiting: u32,
        /// How long those waited who lately got a match in this mode; `None` if nobody did.
        expected: Option<Duration>,
        /// Whether one of the party has no connection: they are not matched until it is back.
        is_held: bool,
    },
    /// A match is offered.
    Offered {
        /// Which.
        offer: OfferId,
        /// When it is too late.
        until: Duration,
        /// Whether they have accepted it.
        is_accepted: bool,
        /// How many have.
        accepted: u16,
        /// How many are asked.
        of: u16,
    },
    /// They are on their way into a match.
    Going {
        /// Which.
        offer: OfferId,
        /// When it is too late.
        until: Duration,
        /// Whether they are there.
        is_there: bool,
    },
    /// Their party has a match that was made before they joined it. They wait with it if it comes
    /// to nothing.
    Beside,
}
