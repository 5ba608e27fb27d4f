//! Where one request leads, of a client that can be sent to other nodes. Where it wants a seat or a
//! new room there, that node is asked first, so that who arrives has one; where nobody knows yet it
//! waits. `elsewhere` makes one for each request, and for each look at one that waits.

mod asking;
mod naming;

use std::sync::Arc;
use std::time::Instant;

use tickwire::ids::RoomId;
use tickwire::protocol::client_message::NewRoom;
use tickwire::protocol::server_message::Refusal;
use tickwire::protocol::{ClientMessage, ServerMessage};

use super::super::desk::Desk;
use super::super::matchmaking::{self, Seating};
use super::super::waiting::{Event, TRIED_MAX, Waiting};
use crate::auth::SeatToken;
use crate::directory::filter::Filter;
use crate::directory::kept_out::Who;
use crate::directory::nodes::{Given, Nodes, Trace, What};
use crate::directory::ownership::messages::Incarnation;
use crate::directory::rank::Best;
use crate::text::room_name;
use crate::worker::Session;

/// Where a request leads.
pub(in crate::lobby) enum Led {
    /// To a room here.
    Here(Box<Seating>),
    /// To another node.
    Away(Box<ServerMessage>),
    /// That is not known yet.
    Later(Box<Waiting>),
    /// Nobody said for too long: another node, or this one in a while, may know.
    Nowhere,
}

/// See the module's description.
pub(super) struct Leading<'a> {
    desk: &'a Desk<'a>,
    nodes: &'a Arc<Nodes>,
    session: &'a mut Session,
    now: Instant,
    request: &'a ClientMessage,
    /// Rooms elsewhere that had no seat for them.
    tried: Vec<RoomId>,
}

/// Where a room is.
enum Whereabouts {
    Here,
    There(Incarnation),
    Nowhere,
    Unknown,
}

impl<'a> Leading<'a> {
    /// Of a request that was paid for.
    pub(super) fn new(
        desk: &'a Desk<'a>,
        nodes: &'a Arc<Nodes>,
        session: &'a mut Session,
        now: Instant,
        request: &'a ClientMessage,
    ) -> Leading<'a> {
        Leading {
            desk,
            nodes,
            session,
            now,
            request,
            tried: Vec::new(),
        }
    }

    /// Where it leads.
    ///
    /// # Errors
    /// What the client is told.
    pub(super) fn lead(self) -> Result<Led, Refusal> {
        match self.request {
            ClientMessage::Resume { token, .. } => self.resume(token),
            ClientMessage::JoinRoom { room, who } => self.join_room(*room, who),
            ClientMessage::JoinCode { .. } => self.by_name(),
            ClientMessage::QuickJoin { filter, who, .. } => {
                let filter = self.desk.defaults.filter(filter)?;
                match who.spectator {
                    true => self.watch(&filter),
                    false => self.quick_join(&filter),
                }
            }
            ClientMessage::CreateRoom(new) if is_by_name(new) => self.join_or_make(new),
            ClientMessage::CreateRoom(_) => self.made_somewhere(),
            _ => self.here(),
        }
    }

    /// The same of one that waited.
    ///
    /// # Errors
    /// What the client is told.
    pub(super) fn go_on(mut self, mut waiting: Box<Waiting>) -> Result<Led, Refusal> {
        let is_late = self.now >= waiting.until;
        self.tried = std::mem::take(&mut waiting.tried);
        match waiting.event {
            Event::Told if is_late => {
                self.nodes.waited_for_all();
                self.made_somewhere()
            }
            Event::Told if self.nodes.is_whole() => self.lead(),
            Event::Told => Ok(Led::Later(waiting)),
            Event::News { since } => self.on_told(waiting, since),
            Event::Found(room) => match self.where_is(room) {
                Whereabouts::There(node) => self.away(room, node),
                Whereabouts::Unknown if is_late => Ok(Led::Nowhere),
                Whereabouts::Unknown => Ok(Led::Later(waiting)),
                Whereabouts::Here => self.lead(),
                // To the refusal of a seat that is not there.
                Whereabouts::Nowhere => self.here(),
            },
            Event::Answer { id, to, .. } => match self.nodes.answer(id) {
                None if !is_late => {
                    waiting.tried = self.tried;
                    Ok(Led::Later(waiting))
                }
                Some(Ok(Given { room, is_new })) => {
                    if let Some(held) = waiting.take_held().filter(|_| is_new) {
                        self.nodes.made(room, held, self.now);
                    }
                    self.away(room, to)
                }
                answer => {
                    // Whatever it held for a room is free for the next one.
                    drop(waiting);
                    self.otherwise(answer.and_then(Result::err).unwrap_or(Refusal::Busy))
                }
            },
        }
    }

    /// A node did not give what it was asked for.
    fn otherwise(self, reason: Refusal) -> Result<Led, Refusal> {
        if is_named(self.request) {
            // The home of a name knows; nobody makes a second room in its place.
            return Err(reason);
        }
        match self.tried.last() {
            Some(room) => {
                self.nodes.refused_by(*room);
                match self.tried.len() < TRIED_MAX {
                    true => self.lead(),
                    false => self.here(),
                }
            }
            None => self.here(),
        }
    }

    /// To a room here, or to what `matchmaking` says why not.
    fn here(self) -> Result<Led, Refusal> {
        let seating = matchmaking::seat(self.desk, self.session, self.now, self.request)?;
        Ok(Led::Here(Box::new(seating)))
    }

    /// To a room of another node, where they join it.
    fn away(self, room: RoomId, to: Incarnation) -> Result<Led, Refusal> {
        let who = &self.session.identity;
        let redirect = self.nodes.redirect(who, room, to, self.desk.folder);
        let redirect = redirect.ok_or(Refusal::Busy)?;
        Ok(Led::Away(Box::new(redirect)))
    }

    /// To another node's room as it is told, if it is told of still.
    fn away_to(self, room: RoomId) -> Result<Led, Refusal> {
        match self.nodes.trace(room) {
            Trace::At(node) => self.away(room, node),
            Trace::Gone | Trace::Unknown => Err(Refusal::Busy),
        }
    }

    fn is_here(&self, room: RoomId) -> bool {
        self.desk.registry.worker_of(room).is_some()
    }

    fn where_is(&self, room: RoomId) -> Whereabouts {
        if self.is_here(room) {
            return Whereabouts::Here;
        }
        // Who was sent here for it comes with the room: where it was told to be is where it was.
        let trace = match self.session.admitted == Some(room) {
            true => self.nodes.trace_by_record(room),
            false => self.nodes.trace(room),
        };
        match trace {
            Trace::At(node) => Whereabouts::There(node),
            Trace::Gone => Whereabouts::Nowhere,
            Trace::Unknown => Whereabouts::Unknown,
        }
    }

    fn who(&self) -> Who {
        Who {
            identity: self.session.identity.clone(),
            host: self.session.guest.host(),
        }
    }

    fn name(&self) -> &str {
        self.session.name.as_deref().unwrap_or_default()
    }

    /// Back to a seat. Of a token that no node gave nobody learns where its room is.
    fn resume(self, token: &str) -> Result<Led, Refusal> {
        let token = SeatToken::read(token);
        let is_theirs = |token: &SeatToken| self.desk.seats.proves(token, &self.session.identity);
        let Some(SeatToken { room, .. }) = token.filter(is_theirs) else {
            return self.here();
        };
        match self.where_is(room) {
            Whereabouts::Here | Whereabouts::Nowhere => self.here(),
            Whereabouts::There(node) => self.away(room, node),
            Whereabouts::Unknown => self.later(Event::Found(room)),
        }
    }

    /// To look on where most play.
    fn watch(self, filter: &Filter) -> Result<Led, Refusal> {
        let registry = self.desk.registry;
        let own = registry.best_to_watch(&self.who(), filter, self.now);
        let own = own.map(|room| room.to_watch());
        let other = self.nodes.best_to_watch(filter, |room| self.is_here(room));
        match other.filter(|other| own.is_none_or(|own| other.to_watch() > own)) {
            Some(other) => self.away_to(other.room),
            None => self.here(),
        }
    }

    /// To the best room of all nodes, or to one that is made.
    fn quick_join(mut self, filter: &Filter) -> Result<Led, Refusal> {
        let registry = self.desk.registry;
        let mark = registry.mark(&self.session.identity);
        let own = registry.best_to_join(&self.who(), mark, filter, self.now);
        let is_out = |room| self.tried.contains(&room) || self.is_here(room);
        let other = self.nodes.best_to_join(filter, is_out);
        let other = other.filter(|(fit, _)| own.is_none_or(|own| own < Best::Fit(*fit)));
        match other {
            Some((_, room)) => {
                self.desk.defaults.check(self.request)?;
                let Trace::At(node) = self.nodes.trace(room) else {
                    return self.here();
                };
                self.tried.push(room);
                self.asking(node, What::Seat(room), None)
            }
            None if own.is_some() => self.here(),
            None if !self.nodes.is_whole() => self.later(Event::Told),
            None => self.made_somewhere(),
        }
    }

    /// To the room of a name, or to one that is made where all nodes make it.
    fn join_or_make(self, new: &NewRoom) -> Result<Led, Refusal> {
        self.desk.defaults.check(self.request)?;
        let (registry, game) = (self.desk.registry, self.session.game);
        let name = room_name(&new.name, self.name());
        let mark = registry.mark(&self.session.identity);
        let own = registry.named(game, &name, mark);
        let other = self.nodes.named(game, &name);
        let other = other.filter(|(room, ..)| !self.is_here(*room));
        // One that lets them in, then the oldest.
        let first = |(is_open, made): (bool, u64)| (!is_open, made);
        match other {
            Some((room, is_open, made))
                if own.is_none_or(|own| first((is_open, made)) < first(own)) =>
            {
                self.away_to(room)
            }
            _ if own.is_some() => self.here(),
            _ if !self.nodes.is_whole() => self.later(Event::Told),
            _ => self.made_somewhere(),
        }
    }
}

/// Whether a room of that name may be joined instead.
fn is_by_name(new: &NewRoom) -> bool {
    new.or_join && !new.private
}

fn is_named(request: &ClientMessage) -> bool {
    matches!(request, ClientMessage::CreateRoom(new) if is_by_name(new))
}
