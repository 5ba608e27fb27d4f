//! A party moves together: when its leader has come into a room, the others are told where, and a
//! seat is kept for each of them for a while. `table` calls it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tickwire::ids::RoomId;
use tickwire::protocol::PartyRoom;
use tickwire::protocol::server_message::Refusal;

use super::around::{PartyAround, ms};
use super::moves::{Led, Move};
use super::table::Parties;
use crate::auth::Identity;
use crate::directory::{Directory, GameIndex};
use crate::party::{Input, PartyId};

/// For how long the others may follow, and seats are kept for them: as long as for a match.
const FOLLOW: Duration = Duration::from_secs(30);
/// Until others find a room that a leader has made. Beyond: it is gone already.
pub(super) const FOUND: Duration = Duration::from_secs(5);

impl Parties {
    /// A leader has come into a room of this code, at another node.
    pub(in crate::lobby) fn lead_to(
        &mut self,
        around: &PartyAround<'_>,
        who: &Identity,
        room: RoomId,
        code: String,
    ) {
        let (who, until) = (who.clone(), self.now);
        self.lead(around, Led { who, room, until }, code);
    }

    /// A leader has come into a room.
    pub(super) fn on_led(&mut self, around: &PartyAround<'_>, who: Identity, room: RoomId) {
        let until = self.now + FOUND;
        self.led.push(Led { who, room, until });
        self.lead_on(around);
    }

    fn lead_on(&mut self, around: &PartyAround<'_>) {
        for led in std::mem::take(&mut self.led) {
            match around.registry.code_of(led.room) {
                Some(code) => self.lead(around, led, code),
                None if self.now < led.until => self.led.push(led),
                None => {}
            }
        }
    }

    fn lead(&mut self, around: &PartyAround<'_>, led: Led, code: String) {
        let Led { who, room, .. } = led;
        let Some(party) = self.parties.party_of(&who) else {
            return;
        };
        let members = self.parties.members(party);
        let Some((leader, others)) = members.split_first() else {
            return;
        };
        if *leader != who || others.is_empty() {
            return;
        }
        self.end_move(around.registry, party);
        let (mut kept, mut came) = (BTreeMap::new(), BTreeSet::new());
        for other in others {
            if around.is_in_room(other, Some(room)) {
                came.insert(other.clone());
            } else if self.is_linked(other) {
                let mark = around.registry.mark(other);
                let seat = around.registry.reserve_by_code(around.index, &code, mark);
                if seat.is_ok() {
                    kept.insert(other.clone(), mark);
                }
            }
        }
        around.metrics.party_moves.increment(1);
        let to = Move {
            leader: who.clone(),
            room,
            code,
            until: self.now + FOLLOW,
            kept,
            came,
        };
        self.moves.insert(party, to);
        self.handle(around, Input::Stirred { who });
        for member in &members {
            self.show(around, member);
        }
    }

    /// Time passed: seats are kept no longer, and leaders are found.
    pub(super) fn follow_on(&mut self, around: &PartyAround<'_>) {
        self.lead_on(around);
        let over = self.moves.iter().filter(|(_, to)| to.until <= self.now);
        for party in over.map(|(party, _)| *party).collect::<Vec<_>>() {
            self.end_move(around.registry, party);
            for member in self.parties.members(party) {
                self.show(around, &member);
            }
        }
    }

    pub(super) fn end_move(&mut self, registry: &dyn Directory, party: PartyId) {
        if let Some(to) = self.moves.remove(&party) {
            for mark in to.kept.values() {
                registry.abandon(to.room, *mark);
            }
        }
    }

    /// Somebody is out of their party, which may have ended with them.
    pub(super) fn follows_no_more(
        &mut self,
        around: &PartyAround<'_>,
        party: PartyId,
        who: &Identity,
        is_over: bool,
    ) {
        let Some(to) = self.moves.get_mut(&party) else {
            return;
        };
        if is_over || to.leader == *who {
            return self.end_move(around.registry, party);
        }
        if let Some(mark) = to.kept.remove(who) {
            around.registry.abandon(to.room, mark);
        }
    }

    /// Where somebody may follow.
    pub(super) fn room_for(&self, who: &Identity) -> Option<PartyRoom> {
        let to = self.moves.get(&self.parties.party_of(who)?)?;
        let may_follow = to.leader != *who && !to.came.contains(who) && self.now < to.until;
        may_follow.then(|| PartyRoom {
            room: to.room,
            left_ms: ms(to.until - self.now),
            kept: to.kept.contains_key(who),
        })
    }

    /// Takes the seat in their leader's room that is kept for somebody, or another one; false: that
    /// is not where they may follow.
    ///
    /// # Errors
    /// There is none for them.
    pub(in crate::lobby) fn take_seat(
        &mut self,
        registry: &dyn Directory,
        game: GameIndex,
        who: &Identity,
        room: RoomId,
    ) -> Result<bool, Refusal> {
        let now = self.now;
        let party = self.parties.party_of(who);
        let to = party.and_then(|party| self.moves.get_mut(&party));
        let is_there = |to: &&mut Move| to.room == room && now < to.until && to.leader != *who;
        let Some(to) = to.filter(is_there) else {
            return Ok(false);
        };
        if registry.worker_of(room).is_none() {
            // At another node, which they are led to.
            to.came.insert(who.clone());
            return Ok(false);
        }
        if to.kept.remove(who).is_none() {
            registry.reserve_by_code(game, &to.code, registry.mark(who))?;
        }
        to.came.insert(who.clone());
        Ok(true)
    }
}
