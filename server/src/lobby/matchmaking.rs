//! From a request of the lobby to a seat in a room: what may be asked, how often, and the room
//! that is made for it. Pure but for the registry and the random numbers of codes and seeds. What
//! a room is made with is `room_defaults`'s, who only looks on `watching`'s. `sessions` calls it.

use std::time::Instant;

use tickwire::protocol::ClientMessage;
use tickwire::protocol::client_message::Condition;
use tickwire::protocol::server_message::{Refusal, RoomInfo};
use tickwire::session::Seen;

use super::room_defaults::RoomDefaults;
use super::room_quotas::RoomQuotas;
use super::watching::{self, Sight};
use crate::admission::request_prices;
use crate::auth::SeatToken;
use crate::directory::code::read_code;
use crate::directory::filter::Filter;
use crate::directory::kept_out::Who;
use crate::directory::{Creation, Directory, Named, Place};
use crate::text::room_name;
use crate::worker::{JoinRequest, ResumeRequest, Session};

/// A seat to go to.
#[derive(Debug)]
pub(crate) struct Seating {
    /// Which room and worker.
    pub(crate) place: Place,
    /// What to do there.
    pub(crate) join_request: JoinRequest,
}

impl Seating {
    /// A seat in a room that is there.
    fn join(place: Place) -> Seating {
        Seating {
            place,
            join_request: JoinRequest::Join,
        }
    }

    /// A seat in a room by name.
    fn named(Named { place, opens }: Named) -> Seating {
        Seating {
            place,
            join_request: opens.map_or(JoinRequest::Join, JoinRequest::Open),
        }
    }
}

/// The listed rooms that meet all that somebody who has said hello asks.
///
/// # Errors
/// What the client is told.
pub(crate) fn list(
    registry: &dyn Directory,
    defaults: &RoomDefaults,
    session: &mut Session,
    now: Instant,
    asked: &[Condition],
) -> Result<Vec<RoomInfo>, Refusal> {
    if !request_prices::may_list(&mut session.requests, now) {
        return Err(Refusal::TooOften);
    }
    let rooms = registry.list(&defaults.filter(asked)?);
    request_prices::listed(&mut session.requests, &rooms);
    Ok(rooms)
}

/// Takes the seat that a create or join of somebody who has said hello asks for. What they make is
/// held by their address and in `room_quotas`; what they bring is in their session.
///
/// # Errors
/// What the client is told; nothing has changed then, but its budget.
pub(crate) fn seat(
    registry: &dyn Directory,
    defaults: &RoomDefaults,
    room_quotas: &RoomQuotas,
    session: &mut Session,
    now: Instant,
    request: &ClientMessage,
) -> Result<Seating, Refusal> {
    if !request_prices::may_join(&mut session.requests, now) {
        return Err(Refusal::TooOften);
    }
    let names_a_room = matches!(
        request,
        ClientMessage::JoinRoom { .. } | ClientMessage::JoinCode { .. }
    );
    if names_a_room && !session.guest.may_guess(now) {
        return Err(Refusal::TooOften);
    }
    if let Some(sight) = Sight::of(request) {
        let filter = match request {
            ClientMessage::QuickJoin { filter, .. } => defaults.filter(filter)?,
            _ => Filter::default(),
        };
        return Ok(Seating {
            place: watching::place(registry, session, now, sight, &filter)?,
            join_request: JoinRequest::Watch,
        });
    }
    // All that is said is looked at before anything is taken.
    session.options = defaults.player_options(brought(request))?;
    let (game, mark) = (session.game, registry.mark(&session.identity));
    let mut who = Who {
        identity: session.identity.clone(),
        host: session.guest.host(),
    };
    let seating = match request {
        ClientMessage::JoinRoom { room, .. } => {
            registry.reserve(game, *room, mark).map(Seating::join)
        }
        ClientMessage::JoinCode { code, .. } => match read_code(code) {
            Some(code) => {
                let place = registry.reserve_by_code(game, &code, mark);
                place.map(Seating::join)
            }
            None => Err(Refusal::NoSuchRoom),
        },
        ClientMessage::CreateRoom(new) => {
            let room = defaults.chosen(new)?;
            let creation = defaults.creation(registry, room_quotas, session, room);
            if !new.or_join || new.private {
                return make(registry, creation?);
            }
            let name = room_name(&new.name, session.name.as_deref().unwrap_or_default());
            let named = registry.reserve_or_create(game, &name, mark, creation);
            named.map(Seating::named)
        }
        ClientMessage::Resume { token, chat, seen } => {
            let (chat, tick) = (*chat, *seen);
            return resume(registry, session, token, Seen { chat, tick });
        }
        ClientMessage::QuickJoin {
            filter, options, ..
        } => {
            let filter = defaults.filter(filter)?;
            let room = defaults.usual(options)?;
            match registry.reserve_any(&who, mark, &filter, now) {
                Some(place) => Ok(Seating::join(place)),
                None => {
                    let mut new = defaults.creation(registry, room_quotas, session, room)?;
                    new.made_for = filter;
                    return make(registry, new);
                }
            }
        }
        // Nothing else leads to a seat.
        _ => return Err(Refusal::NoSuchRoom),
    };
    let seating = seating.inspect_err(|reason| session.refused(*reason, now))?;
    // Only who named a room that is there learns that they are kept out of it. Whether the seat
    // will be one of theirs is for the worker to say, which asks again.
    let room = seating.place.room;
    let has_another = registry.has_another(room, mark);
    who.host = who.host.filter(|_| !has_another);
    if registry.keeps_out(room, &who, now) {
        registry.abandon(room, mark);
        return Err(Refusal::KeptOut);
    }
    Ok(seating)
}

/// What a player brings to the room that they ask for, packed.
fn brought(request: &ClientMessage) -> &[u8] {
    match request {
        ClientMessage::CreateRoom(new) => &new.player,
        ClientMessage::JoinRoom { who, .. }
        | ClientMessage::JoinCode { who, .. }
        | ClientMessage::QuickJoin { who, .. } => &who.options,
        _ => &[],
    }
}

/// The way to the seat that a token is of.
fn resume(
    registry: &dyn Directory,
    session: &mut Session,
    token: &str,
    seen: Seen,
) -> Result<Seating, Refusal> {
    // Ahead, and whatever is wrong with it: who pays only after the room was found would learn that
    // it is there.
    request_prices::guessed(&mut session.requests);
    let token = SeatToken::read(token).ok_or(Refusal::NoSuchSeat)?;
    Ok(Seating {
        place: registry.find(token.room),
        join_request: JoinRequest::Resume(ResumeRequest { token, seen }),
    })
}

/// A seat in a room that is made for it.
fn make(registry: &dyn Directory, new: Creation) -> Result<Seating, Refusal> {
    let mut room = Box::new(new.options.clone());
    let place = registry.create(new)?;
    room.id = place.room;
    Ok(Seating {
        place,
        join_request: JoinRequest::Open(room),
    })
}

#[cfg(test)]
mod tests;
