//! What parties need of the lobby, how they tell players how things stand, and what the queue hears
//! of them.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tickwire::codec::encode_server;
use tickwire::protocol::{CHANNEL_OF_PARTY, OutOfParty, PartyState, PeopleNews, ServerMessage};

use crate::auth::Identity;
use crate::directory::code::room_code;
use crate::directory::{Directory, GameIndex};
use crate::lobby::queueing::{self, Queueing};
use crate::metrics::GameMetrics;
use crate::party::{OutReason, Refusal};
use crate::presence::{PartyChannel, Presence, Standing};

/// See the module's description.
pub(in crate::lobby) struct PartyAround<'a> {
    pub(in crate::lobby) registry: &'a dyn Directory,
    pub(in crate::lobby) presence: &'a Presence,
    pub(in crate::lobby) index: GameIndex,
    /// The game's name.
    pub(in crate::lobby) game: &'a str,
    pub(in crate::lobby) metrics: &'a GameMetrics,
    /// The game's queue, if it has one.
    pub(in crate::lobby) queue: Option<(&'a Queueing, queueing::Around<'a>)>,
    /// What time it is.
    pub(in crate::lobby) now: Instant,
}

impl PartyAround<'_> {
    /// Tells a player at all their connections with the game how things stand, and where they talk
    /// from now on.
    pub(super) fn tell(&self, who: &Identity, state: PartyState, talk: Option<PartyChannel>) {
        let bytes = packed(0, state);
        let channel = talk.map_or_else(String::new, |talk| format!("{CHANNEL_OF_PARTY}{talk}"));
        let talks: Bytes =
            encode_server(&ServerMessage::People(PeopleNews::Party { channel })).into();
        for online in self.presence.of_player(who) {
            if online.game != self.game {
                continue;
            }
            online.show(Standing::Party, bytes.clone());
            if self.presence.set_party(&online, talk) {
                online.show(Standing::Talk, talks.clone());
            }
        }
    }

    /// The channel of a party that is made now. `None`: the system has no random numbers.
    pub(in crate::lobby) fn channel(&self) -> Option<PartyChannel> {
        self.registry.random().ok().map(PartyChannel::new)
    }

    /// A code that nobody guesses. `None`: the system has no random numbers.
    pub(in crate::lobby) fn code(&self) -> Option<String> {
        self.registry.random().ok().map(room_code)
    }

    /// Whether a player is in a room, this one or any.
    pub(in crate::lobby) fn is_in_room(
        &self,
        who: &Identity,
        room: Option<tickwire::ids::RoomId>,
    ) -> bool {
        let theirs = self.presence.of_player(who).into_iter();
        let mut theirs = theirs.filter(|online| online.game == self.game);
        theirs.any(|online| match room {
            Some(room) => online.room() == Some(room),
            None => online.room().is_some(),
        })
    }

    /// Somebody joined a party: whoever of them waits does so no longer.
    pub(super) fn joined(&self, who: &Identity, others: &[Identity]) {
        if let Some((queueing, around)) = &self.queue {
            queueing.with(self.now, |table| {
                table.cancel(around, who);
                table.party_changed(around, who, others);
            });
        }
    }

    /// Somebody left a party: the same.
    pub(super) fn left(&self, who: &Identity, others: &[Identity]) {
        if let Some((queueing, around)) = &self.queue {
            queueing.with(self.now, |table| {
                table.party_changed(around, who, std::slice::from_ref(who));
                table.party_changed(around, who, others);
            });
        }
    }
}

fn packed(nonce: u32, state: PartyState) -> Bytes {
    encode_server(&ServerMessage::Party { nonce, state }).into()
}

/// Who is in no party.
pub(in crate::lobby) fn out(why: OutOfParty) -> PartyState {
    PartyState::Out { why }
}

pub(super) fn why_refused(why: Refusal) -> OutOfParty {
    match why {
        Refusal::NoSuchParty => OutOfParty::NoSuchParty,
        Refusal::Full => OutOfParty::PartyFull,
        Refusal::TooMany => OutOfParty::TooManyParties,
        Refusal::Closed => OutOfParty::Stopped,
    }
}

/// `None`: they are in another, and told of that.
pub(super) fn why_out(why: OutReason) -> Option<OutOfParty> {
    Some(match why {
        OutReason::Elsewhere => return None,
        OutReason::Left => OutOfParty::Left,
        OutReason::Kicked => OutOfParty::Kicked,
        OutReason::Lost => OutOfParty::Away,
        OutReason::Idle => OutOfParty::Idle,
        OutReason::Closed => OutOfParty::Stopped,
    })
}

/// A span on the wire.
pub(super) fn ms(span: Duration) -> u32 {
    u32::try_from(span.as_millis()).unwrap_or(u32::MAX)
}
