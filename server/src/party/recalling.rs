//! Who comes of another node with the party that they had there, by its code: the first one makes it
//! anew, the others come to their old places.

use std::time::Duration;

use super::member::{Member, Party};
use super::{Output, PARTIES_MAX, Parties};
use crate::auth::Identity;
use crate::presence::PartyChannel;

/// A number above that of any member there was.
const NUMBER_MAX: u32 = 1 << 30;

impl Parties {
    /// Somebody says that they are in the party of this code, with this number; what is known here
    /// counts, and a party has no more members than any.
    pub(super) fn recall(
        &mut self,
        now: Duration,
        who: Identity,
        name: String,
        (code, number): (String, u32),
        channel: PartyChannel,
    ) {
        if self.of_player.contains_key(&who) {
            return self.returned(now, &who, name);
        }
        let id = match self.codes.get(&code) {
            Some(id) => *id,
            None if self.is_closed || self.of.len() >= PARTIES_MAX => return self.told(&who),
            None => {
                self.last += 1;
                self.codes.insert(code.clone(), self.last);
                // From where it was made is not known here.
                self.of
                    .insert(self.last, Party::new(code, channel, None, now));
                self.last
            }
        };
        // Whoever says another one has not had it.
        let number = number.min(NUMBER_MAX);
        let most = usize::from(self.most);
        let Some(party) = self.of.get_mut(&id) else {
            return;
        };
        let is_taken = party.members.iter().any(|member| member.number == number);
        if party.members.len() >= most || is_taken {
            return self.told(&who);
        }
        let others = party.players();
        party.last = party.last.max(number);
        let place = party.members.partition_point(|of| of.number < number);
        let member = Member {
            who: who.clone(),
            number,
            name,
            lost: None,
        };
        party.members.insert(place, member);
        self.of_player.insert(who.clone(), id);
        self.renew(id);
        self.outputs.push_back(Output::Recalled { who, others });
    }
}
