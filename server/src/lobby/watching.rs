//! From a request to look on to a spectator's place in a room: as `matchmaking` leads players to
//! seats, but that no room is made for it, no seat is held, and who has a seat somewhere is not led
//! there. What a player brings, a spectator need not: it is not looked at. `matchmaking` calls it.

use std::time::Instant;

use tickwire::ids::RoomId;
use tickwire::protocol::ClientMessage;
use tickwire::protocol::server_message::Refusal;

use crate::directory::code::read_code;
use crate::directory::filter::Filter;
use crate::directory::kept_out::Who;
use crate::directory::{Directory, Place};
use crate::worker::Session;

/// Which room somebody wants to look on at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sight<'a> {
    /// The one of this number.
    Room(RoomId),
    /// The one with this code.
    Code(&'a str),
    /// Any that meets the filter.
    Any,
}

impl<'a> Sight<'a> {
    /// What a request asks for, if it is to look on.
    pub(super) fn of(request: &'a ClientMessage) -> Option<Sight<'a>> {
        let (sight, who) = match request {
            ClientMessage::JoinRoom { room, who } => (Sight::Room(*room), who),
            ClientMessage::JoinCode { code, who } => (Sight::Code(code), who),
            ClientMessage::QuickJoin { who, .. } => (Sight::Any, who),
            _ => return None,
        };
        who.spectator.then_some(sight)
    }
}

/// Takes the place that somebody asks for who has said hello and paid for a join.
///
/// # Errors
/// What the client is told; nothing has changed then, but its budget.
pub(super) fn place(
    registry: &dyn Directory,
    session: &mut Session,
    now: Instant,
    sight: Sight,
    filter: &Filter,
) -> Result<Place, Refusal> {
    let game = session.game;
    let who = Who {
        identity: session.identity.clone(),
        host: session.guest.host(),
    };
    let found = match sight {
        Sight::Room(room) => registry.watch(game, room),
        Sight::Code(code) => match read_code(code) {
            Some(code) => registry.watch_by_code(game, &code),
            None => Err(Refusal::NoSuchRoom),
        },
        Sight::Any => {
            let found = registry.watch_any(&who, filter, now);
            return found.ok_or(Refusal::NoSuchRoom);
        }
    };
    let place = found.inspect_err(|reason| session.refused(*reason, now))?;
    if registry.keeps_out(place.room, &who, now) {
        registry.stop_watching(place.room);
        return Err(Refusal::KeptOut);
    }
    Ok(place)
}
