//! Parties: players who go together, by a code that one of them gives the others. [`Parties`] is a
//! state machine without clock, socket or task: it is told what happened and when
//! ([`Parties::handle`], [`Parties::step`]) and says what became of it ([`Parties::poll`]). Codes are
//! arguments. Connections, rooms and the queue are the lobby's, which calls it.
//!
//! - A player is in one party at most. Who joins another leaves theirs.
//! - **Seniority**: members are in the order in which they came, and the first of them leads, always.
//!   A leader who goes is followed by the next.
//! - **A connection that is cut** keeps its place for [`Parties::grace`], the leader's too; a second
//!   one is the same player. Whoever stays away is out.
//! - **A kick changes the code**: who was sent away does not come back by the one that they know.
//! - Nothing of a party for [`IDLE`] ends it.

mod member;
mod messages;
mod recalling;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use ipnet::IpNet;

use crate::auth::Identity;
use crate::presence::PartyChannel;
use member::{Member, Party};
pub(crate) use messages::{Input, MemberView, Newcomer, OutReason, Output, Refusal, View};

/// Parties of one game on a server, some kilobytes each at most. Beyond: [`Refusal::TooMany`].
pub(crate) const PARTIES_MAX: usize = 4096;
/// Of these, those that were made from one host: a house, or a school's address, has some at a time,
/// and nobody has all of them. Beyond: the same.
pub(crate) const PARTIES_OF_HOST_MAX: u32 = 64;
/// A party of which nobody came, went, queued or led anywhere for so long ends: longer than an
/// evening.
pub(crate) const IDLE: Duration = Duration::from_secs(12 * 60 * 60);

/// A party's number here. Never given twice.
pub(crate) type PartyId = u64;

/// Everyone who is in a party. Times are since any one moment, the same for all calls, and do not go
/// back.
pub(crate) struct Parties {
    /// Members of a party at most.
    most: u8,
    grace: Duration,
    of: BTreeMap<PartyId, Party>,
    of_player: HashMap<Identity, PartyId>,
    codes: HashMap<String, PartyId>,
    of_host: HashMap<IpNet, u32>,
    /// When something of each is over.
    ends: BTreeSet<(Duration, PartyId)>,
    last: PartyId,
    is_closed: bool,
    outputs: VecDeque<Output>,
}

impl Parties {
    /// None yet, of at most so many members each, whose places are kept for so long.
    pub(crate) fn new(most: u8, grace: Duration) -> Parties {
        Parties {
            most,
            grace,
            of: BTreeMap::new(),
            of_player: HashMap::new(),
            codes: HashMap::new(),
            of_host: HashMap::new(),
            ends: BTreeSet::new(),
            last: 0,
            is_closed: false,
            outputs: VecDeque::new(),
        }
    }

    /// Something happened.
    pub(crate) fn handle(&mut self, now: Duration, input: Input) {
        match input {
            Input::Create { who, code, channel } => self.create(now, who, code, channel),
            Input::Join { who, code } => self.join(now, who, &code),
            Input::Leave { who } => self.leave(now, &who),
            Input::Kick { who, member, code } => self.kick(now, &who, member, code),
            Input::Lost { who } => self.lost(now, &who),
            Input::Returned { who, name } => self.returned(now, &who, name),
            Input::Stirred { who } => self.touch(now, &who),
            Input::Recalled {
                who,
                name,
                code,
                number,
                channel,
            } => self.recall(now, who, name, (code, number), channel),
            Input::Close => self.close(),
        }
    }

    /// Time passed: who stayed away is out, and what was idle ends.
    pub(crate) fn step(&mut self, now: Duration) {
        while let Some((at, id)) = self.ends.first().copied()
            && at <= now
        {
            let Some(party) = self.of.get(&id) else {
                self.ends.remove(&(at, id));
                continue;
            };
            if party.touched + IDLE <= now {
                self.end(id, OutReason::Idle);
                continue;
            }
            let gone = |member: &&Member| {
                let until = member.lost.map(|since| since + self.grace);
                until.is_some_and(|until| until <= now)
            };
            let gone: Vec<Identity> = party
                .members
                .iter()
                .filter(gone)
                .map(|member| member.who.clone())
                .collect();
            for who in &gone {
                self.drop_member(who, OutReason::Lost);
            }
            self.renew(id);
        }
    }

    /// What became of it; to be called until there is nothing, after each other call.
    pub(crate) fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// How things stand for a player; `None`: they are in no party.
    pub(crate) fn view(&self, who: &Identity) -> Option<View> {
        let party = self.of.get(self.of_player.get(who)?)?;
        let you = party.members.iter().find(|member| member.who == *who)?;
        let members = party.members.iter().map(|member| MemberView {
            number: member.number,
            name: member.name.clone(),
            is_connected: member.lost.is_none(),
        });
        Some(View {
            code: party.code.clone(),
            you: you.number,
            most: self.most,
            members: members.collect(),
        })
    }

    /// The party that somebody is in.
    pub(crate) fn party_of(&self, who: &Identity) -> Option<PartyId> {
        self.of_player.get(who).copied()
    }

    /// The channel of theirs.
    pub(crate) fn channel_of(&self, who: &Identity) -> Option<PartyChannel> {
        let party = self.of.get(self.of_player.get(who)?)?;
        Some(party.channel)
    }

    /// Who is in a party, its leader first.
    pub(crate) fn members(&self, party: PartyId) -> Vec<Identity> {
        let party = self.of.get(&party);
        party.map_or_else(Vec::new, Party::players)
    }

    /// How many there are, and of how many members.
    pub(crate) fn totals(&self) -> (usize, usize) {
        (self.of.len(), self.of_player.len())
    }

    fn create(&mut self, now: Duration, who: Newcomer, code: String, channel: PartyChannel) {
        if self.of_player.contains_key(&who.who) {
            self.told(&who.who);
            return;
        }
        let of_host = who.host.and_then(|host| self.of_host.get(&host).copied());
        if self.is_closed {
            return self.refuse(who.who, Refusal::Closed);
        }
        let is_full = self.of.len() >= PARTIES_MAX || of_host >= Some(PARTIES_OF_HOST_MAX);
        if is_full || self.codes.contains_key(&code) {
            return self.refuse(who.who, Refusal::TooMany);
        }
        self.last += 1;
        let id = self.last;
        if let Some(host) = who.host {
            *self.of_host.entry(host).or_default() += 1;
        }
        self.codes.insert(code.clone(), id);
        self.of.insert(id, Party::new(code, channel, who.host, now));
        self.enter(now, id, who);
    }

    fn join(&mut self, now: Duration, who: Newcomer, code: &str) {
        let Some(id) = self.codes.get(code).copied() else {
            return self.refuse(who.who, Refusal::NoSuchParty);
        };
        let before = self.of_player.get(&who.who).copied();
        if before == Some(id) {
            self.told(&who.who);
            return;
        }
        let members = self.of.get(&id).map_or(0, |party| party.members.len());
        if members >= usize::from(self.most) {
            return self.refuse(who.who, Refusal::Full);
        }
        self.drop_member(&who.who, OutReason::Elsewhere);
        self.enter(now, id, who);
    }

    fn enter(&mut self, now: Duration, id: PartyId, who: Newcomer) {
        let Some(party) = self.of.get_mut(&id) else {
            return;
        };
        let others = party.players();
        party.last += 1;
        party.touched = now;
        let player = who.who;
        party.members.push(Member {
            who: player.clone(),
            number: party.last,
            name: who.name,
            lost: None,
        });
        self.of_player.insert(player.clone(), id);
        self.renew(id);
        self.outputs.push_back(Output::Entered {
            who: player,
            others,
        });
    }

    fn leave(&mut self, now: Duration, who: &Identity) {
        self.touch(now, who);
        if !self.drop_member(who, OutReason::Left) {
            self.told(who);
        }
    }

    fn kick(&mut self, now: Duration, by: &Identity, number: u32, code: String) {
        let Some((id, party)) = self.party_mut(by) else {
            self.told(by);
            return;
        };
        let leads = party.leader() == Some(by);
        let whom = party.members.iter().find(|member| member.number == number);
        let whom = whom.map(|member| member.who.clone());
        let Some(whom) = whom.filter(|whom| leads && whom != by) else {
            self.told(by);
            return;
        };
        // One that is in use, as good as never: then nothing changes.
        if self.codes.contains_key(&code) {
            self.told(by);
            return;
        }
        if let Some(party) = self.of.get_mut(&id) {
            let old = std::mem::replace(&mut party.code, code.clone());
            self.codes.remove(&old);
            self.codes.insert(code, id);
        }
        self.touch(now, by);
        self.drop_member(&whom, OutReason::Kicked);
    }

    fn lost(&mut self, now: Duration, who: &Identity) {
        if let Some((id, party)) = self.party_mut(who)
            && let Some(member) = party.member_mut(who)
            && member.lost.is_none()
        {
            member.lost = Some(now);
            self.changed(id);
        }
    }

    fn returned(&mut self, now: Duration, who: &Identity, name: String) {
        if let Some((id, party)) = self.party_mut(who) {
            party.touched = now;
            if let Some(member) = party.member_mut(who) {
                member.lost = None;
                member.name = name;
            }
            self.changed(id);
        }
    }

    fn touch(&mut self, now: Duration, who: &Identity) {
        if let Some((id, party)) = self.party_mut(who) {
            party.touched = now;
            self.renew(id);
        }
    }

    fn close(&mut self) {
        self.is_closed = true;
        while let Some((&id, _)) = self.of.first_key_value() {
            self.end(id, OutReason::Closed);
        }
    }

    /// All its members are out.
    fn end(&mut self, id: PartyId, why: OutReason) {
        // The last first: nobody leads who is about to go.
        for who in self.members(id).iter().rev() {
            self.drop_member(who, why);
        }
        // It has no members only if it had none.
        self.remove(id);
    }

    /// Takes somebody out of their party, which ends with its last member; false: they are in none.
    fn drop_member(&mut self, who: &Identity, why: OutReason) -> bool {
        let Some(id) = self.of_player.remove(who) else {
            return false;
        };
        let mut others = Vec::new();
        if let Some(party) = self.of.get_mut(&id) {
            party.members.retain(|member| member.who != *who);
            others = party.players();
        }
        match others.is_empty() {
            true => self.remove(id),
            false => self.renew(id),
        }
        self.outputs.push_back(Output::Left {
            who: who.clone(),
            party: id,
            why,
            others,
        });
        true
    }

    fn remove(&mut self, id: PartyId) {
        let Some(party) = self.of.remove(&id) else {
            return;
        };
        self.codes.remove(&party.code);
        self.ends.remove(&(party.ends, id));
        if let Some(host) = party.host
            && let Some(count) = self.of_host.get_mut(&host)
        {
            *count -= 1;
            if *count == 0 {
                self.of_host.remove(&host);
            }
        }
    }

    /// Something of it may be over at another time.
    fn renew(&mut self, id: PartyId) {
        let grace = self.grace;
        let Some(party) = self.of.get_mut(&id) else {
            return;
        };
        self.ends.remove(&(party.ends, id));
        let lost = party.members.iter().filter_map(|member| member.lost).min();
        let idle = party.touched + IDLE;
        party.ends = lost.map_or(idle, |lost| idle.min(lost + grace));
        self.ends.insert((party.ends, id));
    }

    fn changed(&mut self, id: PartyId) {
        self.renew(id);
        let members = self.members(id);
        self.outputs.push_back(Output::Changed { members });
    }

    fn party_mut(&mut self, who: &Identity) -> Option<(PartyId, &mut Party)> {
        let id = *self.of_player.get(who)?;
        Some((id, self.of.get_mut(&id)?))
    }

    fn refuse(&mut self, who: Identity, why: Refusal) {
        self.outputs.push_back(Output::Refused { who, why });
    }

    fn told(&mut self, who: &Identity) {
        let who = who.clone();
        self.outputs.push_back(Output::Told { who });
    }
}
