//! A party and its members, as they are kept.

use std::time::Duration;

use ipnet::IpNet;

use crate::auth::Identity;
use crate::presence::PartyChannel;

/// One of a party.
pub(super) struct Member {
    pub(super) who: Identity,
    /// In their party, above those of all who came before.
    pub(super) number: u32,
    /// As others see it, tidied.
    pub(super) name: String,
    /// Since when they have no connection.
    pub(super) lost: Option<Duration>,
}

/// A party.
pub(super) struct Party {
    pub(super) code: String,
    /// Its own for good.
    pub(super) channel: PartyChannel,
    /// In the order in which they came; never empty between two calls.
    pub(super) members: Vec<Member>,
    /// The number of who came last.
    pub(super) last: u32,
    /// When somebody last did something with it.
    pub(super) touched: Duration,
    /// When something of it is over: as it stands in the table.
    pub(super) ends: Duration,
    /// From where it was made.
    pub(super) host: Option<IpNet>,
}

impl Party {
    /// One without members yet.
    pub(super) fn new(
        code: String,
        channel: PartyChannel,
        host: Option<IpNet>,
        now: Duration,
    ) -> Party {
        Party {
            code,
            channel,
            members: Vec::new(),
            last: 0,
            touched: now,
            ends: now,
            host,
        }
    }

    pub(super) fn leader(&self) -> Option<&Identity> {
        self.members.first().map(|member| &member.who)
    }

    pub(super) fn players(&self) -> Vec<Identity> {
        let players = self.members.iter().map(|member| member.who.clone());
        players.collect()
    }

    pub(super) fn member_mut(&mut self, who: &Identity) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.who == *who)
    }
}
