//! To a room that somebody names, by its number or its code: here, or at the node that tells of it.
//! One that no node tells of may have been made a moment ago, since nodes tell once a second: who
//! names it waits until all have told again. `leading` comes here.
//!
//! A wrong guess waits as long, and is paid for ahead: of who opens many connections and has all of
//! them wait each try counts before the next one. A private room's number waits like one of no
//! room, so that the time tells nothing of it either.

use tickwire::ids::RoomId;
use tickwire::protocol::ClientMessage;
use tickwire::protocol::client_message::JoinAs;
use tickwire::protocol::server_message::Refusal;

use super::super::super::matchmaking;
use super::super::super::waiting::{Event, Waiting};
use super::{Leading, Led, Whereabouts};
use crate::directory::Named;
use crate::directory::code::read_code;
use crate::directory::ownership::messages::Incarnation;

impl Leading<'_> {
    /// To a room by its number: to the seat that is kept there for who was sent here, or by their
    /// ticket, or as anyone.
    pub(super) fn join_room(self, room: RoomId, who: &JoinAs) -> Result<Led, Refusal> {
        let is_admitted = self.session.admitted == Some(room);
        if !self.is_here(room) {
            return match is_admitted {
                true => match self.where_is(room) {
                    Whereabouts::There(node) => self.away(room, node),
                    Whereabouts::Unknown => self.later(Event::Found(room)),
                    Whereabouts::Here | Whereabouts::Nowhere => self.here(),
                },
                false => self.by_name(),
            };
        }
        let mark = self.desk.registry.mark(&self.session.identity);
        let kept = (!who.spectator).then(|| self.desk.visitors.come(room, mark));
        if let Some(opens) = kept.flatten() {
            let named = Named {
                place: self.desk.registry.find(room),
                opens,
                is_new: false,
            };
            let brought = &who.options;
            let (desk, now) = (self.desk, self.now);
            let seating = matchmaking::seat_kept(desk, self.session, now, named, brought)?;
            return Ok(Led::Here(Box::new(seating)));
        }
        let code = is_admitted.then(|| self.desk.registry.code_of(room));
        match code.flatten() {
            Some(code) => {
                let who = who.clone();
                let by_code = ClientMessage::JoinCode { code, who };
                let request = &by_code;
                Leading { request, ..self }.here()
            }
            None => self.by_name(),
        }
    }

    /// To the room of the number or code that is asked for.
    pub(super) fn by_name(self) -> Result<Led, Refusal> {
        // Ahead of the look, so that no batch is missed.
        let since = self.nodes.news();
        if let Some((room, node)) = self.told() {
            return self.away(room, node);
        }
        match matchmaking::seat(self.desk, self.session, self.now, self.request) {
            Err(Refusal::NoSuchRoom) if self.may_be_told(since) => {
                // Where too many wait it is as if all had told.
                let waits = self.later(Event::News { since });
                waits.map_err(|_| Refusal::NoSuchRoom)
            }
            seating => Ok(Led::Here(Box::new(seating?))),
        }
    }

    /// A node has told of its rooms after somebody named one, or it is late.
    pub(super) fn on_told(self, waiting: Box<Waiting>, since: u64) -> Result<Led, Refusal> {
        let told = self.told();
        let is_over = self.now >= waiting.until || self.nodes.have_told(since);
        if told.is_none() && !is_over {
            return Ok(Led::Later(waiting));
        }
        // It was no wrong guess, or is found to be one a second time.
        self.session.found(self.now);
        match told {
            Some((room, node)) => self.away(room, node),
            // It may have come here meanwhile.
            None => self.here(),
        }
    }

    /// Whether a node that has not told since then may have the room that is named.
    fn may_be_told(&self, since: u64) -> bool {
        let is_sound = match self.request {
            ClientMessage::JoinCode { code, .. } => read_code(code).is_some(),
            _ => true,
        };
        is_sound && !self.nodes.have_told(since)
    }

    /// The room that is named, at another node that tells of it.
    fn told(&self) -> Option<(RoomId, Incarnation)> {
        let game = self.session.game;
        let told = match self.request {
            ClientMessage::JoinRoom { room, .. } => {
                let node = self.nodes.owner_of_listed(game, *room);
                node.map(|node| (*room, node))
            }
            ClientMessage::JoinCode { code, .. } => {
                read_code(code).and_then(|code| self.nodes.by_code(game, &code))
            }
            _ => None,
        };
        told.filter(|(room, _)| !self.is_here(*room))
    }
}
