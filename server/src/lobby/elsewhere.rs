//! From a request of the lobby to a room on whatever node: here, as `matchmaking` does it, or by a
//! `Redirect` to the node that has it. A server that is alone, and a client that does not know of
//! redirects, has the rooms here and no others. What each request comes to is `leading`'s.
//! `sessions` calls it.

mod leading;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use tickwire::ids::RoomId;
use tickwire::limits::ROOMS_LISTED_MAX;
use tickwire::protocol::client_message::Condition;
use tickwire::protocol::server_message::{Refusal, RoomInfo};
use tickwire::protocol::{ClientMessage, feature};

use super::desk::Desk;
use super::matchmaking;
use super::waiting::Waiting;
use crate::admission::request_prices;
use crate::directory::filter::Filter;
use crate::directory::nodes::{Nodes, Trace};
use crate::directory::rank::ranked;
use crate::presence::Standing;
use crate::worker::Session;
use leading::Leading;
pub(super) use leading::Led;

impl Desk<'_> {
    /// The rooms that a client may see which meet all that it asks.
    ///
    /// # Errors
    /// What the client is told.
    pub(super) fn list(
        &self,
        session: &mut Session,
        now: Instant,
        asked: &[Condition],
    ) -> Result<Vec<RoomInfo>, Refusal> {
        if !request_prices::may_list(&mut session.requests, now) {
            return Err(Refusal::TooOften);
        }
        let filter = self.defaults.filter(asked)?;
        let rooms = match self.others(session) {
            Some(nodes) => self.list_all(nodes, &filter),
            None => self.registry.list(&filter),
        };
        request_prices::listed(&mut session.requests, &rooms);
        Ok(rooms)
    }

    /// In one order, as if all were here.
    fn list_all(&self, nodes: &Nodes, filter: &Filter) -> Vec<RoomInfo> {
        let mut rooms = self.registry.standings(filter);
        let own: HashSet<RoomId> = rooms.iter().map(|room| room.room).collect();
        let others = nodes.standings(filter).into_iter();
        // Of one that has just come here another node may still tell.
        rooms.extend(others.filter(|room| !own.contains(&room.room)));
        let mut order = ranked(rooms);
        order.truncate(ROOMS_LISTED_MAX);
        let (here, there): (Vec<RoomId>, Vec<RoomId>) =
            order.iter().copied().partition(|room| own.contains(room));
        let infos = self.registry.infos(&here).into_iter();
        let infos = infos.chain(nodes.infos(there.into_iter()));
        let mut infos: HashMap<RoomId, RoomInfo> = infos.map(|info| (info.id, info)).collect();
        order.iter().filter_map(|room| infos.remove(room)).collect()
    }

    /// The other nodes, as far as a client can be sent there.
    fn others(&self, session: &Session) -> Option<&Arc<Nodes>> {
        let knows = session.features & feature::REDIRECT != 0;
        self.nodes.filter(|_| knows)
    }

    /// Leads somebody who has said hello.
    ///
    /// # Errors
    /// What the client is told.
    pub(super) fn lead(
        &self,
        session: &mut Session,
        now: Instant,
        request: &ClientMessage,
    ) -> Result<Led, Refusal> {
        matchmaking::pay(session, now, request)?;
        if let Some(seating) = self.seat_of_match(session, now, request)? {
            return Ok(Led::Here(Box::new(seating)));
        }
        if let Some(seating) = self.seat_of_party(session, now, request)? {
            return Ok(Led::Here(Box::new(seating)));
        }
        if let Some(led) = self.led_away(session, request) {
            return Ok(led);
        }
        match self.others(session) {
            Some(nodes) => Leading::new(self, nodes, session, now, request).lead(),
            None => {
                let seating = matchmaking::seat(self, session, now, request)?;
                Ok(Led::Here(Box::new(seating)))
            }
        }
    }

    /// To a room of another node, of who was told to go there by their queue or party.
    fn led_away(&self, session: &mut Session, request: &ClientMessage) -> Option<Led> {
        let ClientMessage::JoinRoom { room, who } = request else {
            return None;
        };
        let is_here = self.registry.worker_of(*room).is_some();
        if is_here || who.spectator || session.admitted == Some(*room) {
            return None;
        }
        let nodes = self.others(session)?;
        let by = session.online.as_ref()?.led_by(*room)?;
        let node = match (by, nodes.trace(*room)) {
            // That of a match is not told of before somebody is there.
            (Standing::Queue, _) => self.home,
            (Standing::Party, Trace::At(node)) => Some(node),
            (Standing::Party | Standing::Talk, _) => None,
        };
        let Some(node) = node else {
            // One that has just been made is found by its number.
            session.admitted = Some(*room);
            return None;
        };
        let redirect = nodes.redirect(&session.identity, *room, node, self.folder);
        redirect.map(|redirect| Led::Away(Box::new(redirect)))
    }

    /// Looks again at one that waits.
    ///
    /// # Errors
    /// What the client is told.
    pub(super) fn go_on(
        &self,
        session: &mut Session,
        now: Instant,
        mut waiting: Box<Waiting>,
    ) -> Result<Led, Refusal> {
        waiting.look();
        let (nodes, request) = (waiting.nodes.clone(), waiting.request.clone());
        Leading::new(self, &nodes, session, now, &request).go_on(waiting)
    }
}
