//! A game's parties with what the lobby knows of those in them: their connections, and where their
//! leaders have gone (`following`). Everything that happens goes through here under one lock; times
//! are arguments. `partying` and `party_requests` call it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use tickwire::protocol::{OutOfParty, PartyMember, PartyRequest, PartyState};

use super::around::{PartyAround, out, why_out, why_refused};
use super::moves::{Led, Move};
use crate::auth::Identity;
use crate::party::{self, Input, Newcomer, Output, PartyId};
use crate::presence::PartyChannel;
use crate::worker::PartyNews;

/// With whom somebody does something.
pub(in crate::lobby) enum Together {
    Alone,
    /// These, they first.
    Leads(Vec<Identity>),
    /// Another leads them.
    Follows,
}

/// See the module's description.
pub(in crate::lobby) struct Parties {
    pub(super) parties: party::Parties,
    most: u8,
    grace: Duration,
    /// Their time is since then.
    began: Option<Instant>,
    pub(super) now: Duration,
    /// How many connections each player has that understands what it is told of parties.
    links: HashMap<Identity, u32>,
    pub(super) moves: BTreeMap<PartyId, Move>,
    /// Leaders in rooms that nobody finds yet.
    pub(super) led: Vec<Led>,
}

impl Parties {
    pub(super) fn new(most: u8, grace: Duration) -> Parties {
        Parties {
            parties: party::Parties::new(most, grace),
            most,
            grace,
            began: None,
            now: Duration::ZERO,
            links: HashMap::new(),
            moves: BTreeMap::new(),
            led: Vec::new(),
        }
    }

    /// They are another node's: nobody is told anything.
    pub(in crate::lobby) fn forget(&mut self, around: &PartyAround<'_>) {
        for party in self.moves.keys().copied().collect::<Vec<_>>() {
            self.end_move(around.registry, party);
        }
        self.led.clear();
        self.parties = party::Parties::new(self.most, self.grace);
    }

    /// Somebody was in the party of this code at another home, with this number.
    pub(in crate::lobby) fn recall(
        &mut self,
        around: &PartyAround<'_>,
        who: &Identity,
        name: &str,
        (code, number): (String, u32),
        channel: PartyChannel,
    ) {
        let (who, name) = (who.clone(), name.to_owned());
        let recalled = Input::Recalled {
            who,
            name,
            code,
            number,
            channel,
        };
        self.handle(around, recalled);
    }

    /// What time it is; of two that ask at once the later one counts.
    pub(super) fn pass_to(&mut self, now: Instant) {
        let began = *self.began.get_or_insert(now);
        self.now = self.now.max(now.saturating_duration_since(began));
    }

    /// How many there are, and of how many members.
    pub(in crate::lobby) fn totals(&self) -> (usize, usize) {
        self.parties.totals()
    }

    /// A connection of somebody came, and understands what it is told of parties.
    pub(in crate::lobby) fn on_come(
        &mut self,
        around: &PartyAround<'_>,
        who: &Identity,
        name: &str,
    ) {
        *self.links.entry(who.clone()).or_default() += 1;
        let (who, name) = (who.clone(), name.to_owned());
        self.handle(around, Input::Returned { who, name });
    }

    fn on_gone(&mut self, around: &PartyAround<'_>, who: Identity) {
        if let Some(links) = self.links.get_mut(&who) {
            *links -= 1;
            if *links > 0 {
                return;
            }
            self.links.remove(&who);
        }
        self.handle(around, Input::Lost { who });
    }

    /// Whether somebody has such a connection.
    pub(super) fn is_linked(&self, who: &Identity) -> bool {
        self.links.contains_key(who)
    }

    /// What somebody hears who made a party, or would.
    pub(in crate::lobby) fn create(
        &mut self,
        around: &PartyAround<'_>,
        who: Newcomer,
        (code, channel): (String, PartyChannel),
    ) -> PartyState {
        let player = who.who.clone();
        let created = Input::Create { who, code, channel };
        let refused = self.handle(around, created);
        self.answer(&player, refused)
    }

    /// The same of who joined one.
    pub(in crate::lobby) fn join(
        &mut self,
        around: &PartyAround<'_>,
        who: Newcomer,
        code: String,
    ) -> PartyState {
        let player = who.who.clone();
        let refused = self.handle(around, Input::Join { who, code });
        self.answer(&player, refused)
    }

    fn answer(&self, who: &Identity, refused: Option<OutOfParty>) -> PartyState {
        match refused {
            Some(why) => out(why),
            None => self.stands(who),
        }
    }

    /// A client says something that needs no answer of its own, in the lobby or a room.
    pub(in crate::lobby) fn say(
        &mut self,
        around: &PartyAround<'_>,
        who: &Identity,
        request: &PartyRequest,
    ) {
        let who = who.clone();
        match request {
            // They are for the lobby, which answers them.
            PartyRequest::Create { .. } | PartyRequest::Join { .. } => {}
            PartyRequest::Leave => _ = self.handle(around, Input::Leave { who }),
            PartyRequest::Kick { member } => {
                let member = *member;
                match around.code() {
                    Some(code) => _ = self.handle(around, Input::Kick { who, member, code }),
                    None => self.show(around, &who),
                }
            }
            PartyRequest::Look => self.show(around, &who),
        }
    }

    /// A connection, or a worker that has one, says what happened.
    pub(super) fn hear(&mut self, around: &PartyAround<'_>, news: PartyNews) {
        match news {
            PartyNews::Gone(who) => self.on_gone(around, who),
            PartyNews::Asked(who, request) => self.say(around, &who, &request),
            PartyNews::Led(who, room) => self.on_led(around, who, room),
        }
    }

    /// With whom somebody queues, or goes into a room.
    pub(in crate::lobby) fn together(&self, who: &Identity) -> Together {
        let Some(party) = self.parties.party_of(who) else {
            return Together::Alone;
        };
        let members = self.parties.members(party);
        match members.first() == Some(who) {
            true => Together::Leads(members),
            false => Together::Follows,
        }
    }

    /// They queue.
    pub(in crate::lobby) fn stir(&mut self, around: &PartyAround<'_>, who: &Identity) {
        let who = who.clone();
        self.handle(around, Input::Stirred { who });
    }

    /// Time passed, or the server ends.
    pub(super) fn step(&mut self, around: &PartyAround<'_>, is_over: bool) {
        match is_over {
            true => _ = self.handle(around, Input::Close),
            false => {
                self.parties.step(self.now);
                self.settle(around);
                self.follow_on(around);
            }
        }
    }

    /// Something happened; why it was refused, if it was.
    pub(super) fn handle(&mut self, around: &PartyAround<'_>, input: Input) -> Option<OutOfParty> {
        self.parties.handle(self.now, input);
        self.settle(around)
    }

    /// Does all that they say, and tells everybody for whom something has changed, once.
    fn settle(&mut self, around: &PartyAround<'_>) -> Option<OutOfParty> {
        let (mut told, mut refused) = (BTreeSet::new(), None);
        while let Some(output) = self.parties.poll() {
            match output {
                Output::Entered { who, others } => {
                    match others.is_empty() {
                        true => around.metrics.parties_made.increment(1),
                        false => around.joined(&who, &others),
                    }
                    told.insert(who);
                    told.extend(others);
                }
                // They wait in the queue as they did.
                Output::Recalled { who, others } => {
                    told.insert(who);
                    told.extend(others);
                }
                Output::Left {
                    who,
                    party,
                    why,
                    others,
                } => {
                    self.follows_no_more(around, party, &who, others.is_empty());
                    around.left(&who, &others);
                    if let Some(why) = why_out(why) {
                        around.tell(&who, out(why), None);
                    }
                    told.extend(others);
                }
                Output::Changed { members } => told.extend(members),
                Output::Refused { why, .. } => refused = Some(why_refused(why)),
                Output::Told { who } => self.show(around, &who),
            }
        }
        for who in &told {
            // Who went since was told why.
            if self.parties.party_of(who).is_some() {
                self.show(around, who);
            }
        }
        refused
    }

    /// Tells somebody how things stand.
    pub(in crate::lobby) fn show(&self, around: &PartyAround<'_>, who: &Identity) {
        around.tell(who, self.stands(who), self.parties.channel_of(who));
    }

    /// How things stand for somebody.
    pub(in crate::lobby) fn stands(&self, who: &Identity) -> PartyState {
        let Some(view) = self.parties.view(who) else {
            return out(OutOfParty::NotInParty);
        };
        let members = view.members.into_iter().map(|member| PartyMember {
            number: member.number,
            name: member.name,
            connected: member.is_connected,
        });
        PartyState::In {
            code: view.code,
            you: view.you,
            most: view.most,
            members: members.collect(),
            room: self.room_for(who),
        }
    }
}
