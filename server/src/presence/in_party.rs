//! Which connections are in which party, as far as its channel goes: those of its members who play its
//! game. The lobby's parties say so, under their lock, and [`crate::people`] looks here, who may say
//! and read something there, and who hears it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::away::Sent;
use super::party_channel::PartyChannel;
use super::{Online, Presence};

impl Presence {
    /// This connection is in that party from now on, or in none; whether that is new.
    pub(crate) fn set_party(&self, online: &Arc<Online>, party: Option<PartyChannel>) -> bool {
        let mut table = self.0.table.lock();
        let before = online.party();
        // One that ended keeps nothing here.
        if before == party || !table.here.contains_key(&online.number) {
            return false;
        }
        if let Some(before) = before {
            table.of_party.remove(&(before, online.number));
        }
        if let Some(party) = party {
            let place = (party, online.number);
            table.of_party.insert(place, online.clone());
        }
        let bits = PartyChannel::bits(party);
        online.party.store(bits, Ordering::Relaxed);
        drop(table);
        if let Some(away) = &online.away {
            away.send(Sent::InParty(party));
        }
        true
    }

    /// Those in a party.
    pub(crate) fn of_party(&self, party: PartyChannel) -> Vec<Arc<Online>> {
        let table = self.0.table.lock();
        let all = table.of_party.range((party, 0)..=(party, u64::MAX));
        all.map(|(_, online)| online.clone()).collect()
    }
}

impl Online {
    /// The party that it is in.
    pub(crate) fn party(&self) -> Option<PartyChannel> {
        PartyChannel::of_bits(self.party.load(Ordering::Relaxed))
    }
}
