//! From a request of the lobby to a seat in a room: what may be asked, how often, and the room that
//! is made for it. Pure but for the registry and the random numbers of codes and seeds. What a room
//! is made with is `room_defaults`'s, who only looks on `watching`'s, rooms of other nodes are
//! `elsewhere`'s, which calls it.

use std::time::Instant;

use tickwire::protocol::ClientMessage;
use tickwire::protocol::server_message::Refusal;
use tickwire::session::Seen;

use super::desk::Desk;
use super::watching::{self, Sight};
use crate::admission::request_prices;
use crate::auth::SeatToken;
use crate::directory::code::read_code;
use crate::directory::filter::Filter;
use crate::directory::kept_out::Who;
use crate::directory::{Creation, Directory, Named, Place};
use crate::game::RoomOptions;
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
    fn named(Named { place, opens, .. }: Named) -> Seating {
        Seating {
            place,
            join_request: opens.map_or(JoinRequest::Join, JoinRequest::Open),
        }
    }
}

/// What a request that leads to a room costs who has said hello.
///
/// # Errors
/// `TooOften`
pub(super) fn pay(
    session: &mut Session,
    now: Instant,
    request: &ClientMessage,
) -> Result<(), Refusal> {
    if !request_prices::may_join(&mut session.requests, now) {
        return Err(Refusal::TooOften);
    }
    let names_a_room = matches!(
        request,
        ClientMessage::JoinRoom { .. } | ClientMessage::JoinCode { .. }
    );
    match names_a_room && !session.guest.may_guess(now) {
        true => Err(Refusal::TooOften),
        false => Ok(()),
    }
}

/// Takes the seat here that a create or join asks for that was paid for. What they make is held by
/// their address and in `room_quotas`; what they bring is in their session.
///
/// # Errors
/// What the client is told; nothing has changed then, but its budget.
pub(super) fn seat(
    desk: &Desk,
    session: &mut Session,
    now: Instant,
    request: &ClientMessage,
) -> Result<Seating, Refusal> {
    let Desk {
        registry, defaults, ..
    } = *desk;
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
            let creation = creation(desk, session, room);
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
            let who = Who {
                identity: session.identity.clone(),
                host: session.guest.host(),
            };
            match registry.reserve_any(&who, mark, &filter, now) {
                Some(place) => Ok(Seating::join(place)),
                None => {
                    let mut new = creation(desk, session, room)?;
                    new.made_for = filter;
                    return make(registry, new);
                }
            }
        }
        // Nothing else leads to a seat.
        _ => return Err(Refusal::NoSuchRoom),
    };
    let seating = seating.inspect_err(|reason| session.refused(*reason, now))?;
    let_in(registry, session, now, seating)
}

/// To the seat that is kept for somebody whom another node sent here, with what they bring.
///
/// # Errors
/// `BadOptions`, `KeptOut`: it is kept no longer then.
pub(super) fn seat_kept(
    desk: &Desk,
    session: &mut Session,
    now: Instant,
    named: Named,
    brought: &[u8],
) -> Result<Seating, Refusal> {
    let (room, mark) = (named.place.room, desk.registry.mark(&session.identity));
    let options = desk.defaults.player_options(brought);
    session.options = options.inspect_err(|_| desk.registry.abandon(room, mark))?;
    let_in(desk.registry, session, now, Seating::named(named))
}

/// Gives a seat back that was taken in a room which keeps them out.
///
/// # Errors
/// `KeptOut`
fn let_in(
    registry: &dyn Directory,
    session: &Session,
    now: Instant,
    seating: Seating,
) -> Result<Seating, Refusal> {
    // Only who named a room that is there learns that they are kept out of it. Whether the seat
    // will be one of theirs is for the worker to say, which asks again.
    let (room, mark) = (seating.place.room, registry.mark(&session.identity));
    let has_another = registry.has_another(room, mark);
    let who = Who {
        identity: session.identity.clone(),
        host: session.guest.host().filter(|_| !has_another),
    };
    if registry.keeps_out(room, &who, now) {
        registry.abandon(room, mark);
        return Err(Refusal::KeptOut);
    }
    Ok(seating)
}

/// How to make such a room for somebody.
fn creation(desk: &Desk, session: &Session, room: RoomOptions) -> Result<Creation, Refusal> {
    let Desk {
        registry, defaults, ..
    } = *desk;
    let held = defaults.places(registry, desk.room_quotas, session)?;
    let name = session.name.as_deref().unwrap_or_default();
    let maker = registry.mark(&session.identity);
    let creation = defaults.creation(registry, name, desk.network(session), maker, room)?;
    Ok(Creation { held, ..creation })
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
