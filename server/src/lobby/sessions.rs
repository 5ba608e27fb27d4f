//! A connection in the lobby: a small task that sleeps until its socket has something, answers
//! hello and requests, and ends when the connection goes to a room or to its end. What is asked
//! for is `matchmaking`'s; the task keeps nothing of its own, all that lasts is in the `Conn`.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use tickwire::codec::{decode_client, encode_server};
use tickwire::protocol::server_message::Refusal;
use tickwire::protocol::{ClientMessage, CloseCode, Kind, ServerMessage, VERSION};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::timeout_at;

use super::Shared;
use super::matchmaking::{self, Requester, Seating};
use crate::admission::request_prices;
use crate::auth::Unauthorised;
use crate::date::Date;
use crate::moderation::Banned;
use crate::text::player_name;
use crate::transport::conn::{Conn, End, Link};
use crate::transport::reading::{Fetched, Scratch};
use crate::transport::stopping;
use crate::vitals;
use crate::worker::JoinRequest;

thread_local! {
    /// Where this thread of the runtime reads sockets: a task has no buffer of its own.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Serves a connection until it leaves the lobby.
pub(super) async fn serve(shared: Arc<Shared>, mut conn: Conn<TcpStream>) {
    conn.link.set_room(None);
    conn.link.stand_up();
    let mut stop = shared.stopping.subscribe();
    let hello_by = Instant::now() + shared.hello_timeout;
    let end = loop {
        if let Some(code) = conn.link.expelled() {
            break End::Close(code);
        }
        if conn.link.must_go() {
            shared.send_away(conn);
            return;
        }
        match attend_guarded(&mut conn, &shared) {
            Ok(None) => {}
            Ok(Some(seating)) => match hand_over(conn, seating, &shared) {
                Ok(()) => return,
                Err(Some(back)) => {
                    conn = back;
                    continue;
                }
                Err(None) => {
                    shared.count_end(End::Lost);
                    return;
                }
            },
            Err(end) => break end,
        }
        let (deadline, late) = match conn.link.name {
            Some(_) => (
                conn.link.stalls_at(shared.stall_timeout),
                CloseCode::Stalled,
            ),
            None => (Some(hello_by), CloseCode::HelloTimeout),
        };
        let wake = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => {
                stopping::tell(&mut conn);
                break End::Close(CloseCode::Restart);
            }
            () = conn.link.ordered() => Wake::Ready,
            () = conn.link.sent_away() => Wake::Ready,
            wake = wake(&conn, deadline) => wake,
        };
        match wake {
            Wake::Ready => {}
            Wake::Late => break End::Close(late),
            Wake::Lost => break End::Lost,
        }
    };
    shared.part(conn, end);
}

enum Wake {
    Ready,
    Late,
    Lost,
}

/// Sleeps until the socket has something to read, or takes something that waits.
async fn wake(conn: &Conn<TcpStream>, deadline: Option<Instant>) -> Wake {
    let interest = if conn.link.outbox.is_empty() {
        Interest::READABLE
    } else {
        Interest::READABLE | Interest::WRITABLE
    };
    let ready = conn.socket.ready(interest);
    let ready = match deadline {
        Some(deadline) => match timeout_at(deadline.into(), ready).await {
            Ok(ready) => ready,
            Err(_) => return Wake::Late,
        },
        None => ready.await,
    };
    match ready {
        Ok(_) => Wake::Ready,
        Err(_) => Wake::Lost,
    }
}

/// A panic, which would be the server's own fault, ends one connection, and not without a word.
fn attend_guarded(conn: &mut Conn<TcpStream>, shared: &Shared) -> Result<Option<Seating>, End> {
    catch_unwind(AssertUnwindSafe(|| attend(conn, shared))).unwrap_or_else(|panic| {
        vitals::forget(panic);
        stopping::tell(conn);
        Err(End::Close(CloseCode::ServerFailed))
    })
}

/// Answers what has come, up to a request that leads to a room. Answers go out at once.
fn attend(conn: &mut Conn<TcpStream>, shared: &Shared) -> Result<Option<Seating>, End> {
    let now = Instant::now();
    let seating = SCRATCH.with_borrow_mut(|scratch| {
        let mut reading = conn.read(scratch, Fetched::NONE, shared.rates, now);
        let outcome = loop {
            match reading.next() {
                Ok(None) => break Ok(None),
                Ok(Some((message, link))) => match answer(link, shared, now, message) {
                    Ok(None) => {}
                    Ok(seating) => break Ok(seating),
                    Err(code) => break Err(End::Close(code)),
                },
                Err(end) => break Err(end),
            }
        };
        drop(reading);
        let (messages, bytes) = scratch.take_counts();
        shared.metrics.messages_received.increment(messages);
        shared.metrics.bytes_received.increment(bytes);
        outcome
    })?;
    if seating.is_some() {
        return Ok(seating);
    }
    conn.flush(now)?;
    if conn.link.is_stalled(now, shared.stall_timeout) {
        return Err(End::Close(CloseCode::Stalled));
    }
    Ok(None)
}

/// One message. A seating means that the connection goes to a room.
fn answer(
    link: &mut Link,
    shared: &Shared,
    now: Instant,
    message: &[u8],
) -> Result<Option<Seating>, CloseCode> {
    match message.first().copied().and_then(Kind::from_byte) {
        Some(Kind::Control) => {}
        // Sent before the client knew that it had left its room.
        Some(Kind::State | Kind::Ack) if link.has_played => return Ok(None),
        Some(Kind::State | Kind::Ack) => return Err(CloseCode::OutOfOrder),
        None => return Err(CloseCode::Malformed),
    }
    let message = decode_client(message).map_err(|_| CloseCode::Malformed)?;
    let Some(name) = &link.name else {
        return greet(link, shared, message).map(|()| None);
    };
    #[cfg(test)]
    assert!(&**name != tests::BREAKS, "its sender's task is to end");
    let reply = match message {
        ClientMessage::Hello { .. } => return Err(CloseCode::OutOfOrder),
        ClientMessage::ListRooms if request_prices::may_list(&mut link.requests, now) => {
            let rooms = shared.registry.list();
            request_prices::listed(&mut link.requests, rooms.len());
            ServerMessage::Rooms { rooms }
        }
        ClientMessage::ListRooms => refused(Refusal::TooOften),
        ClientMessage::Ping { nonce } => ServerMessage::Pong {
            nonce,
            tick: Default::default(),
        },
        ClientMessage::CreateRoom { .. }
        | ClientMessage::JoinRoom { .. }
        | ClientMessage::JoinCode { .. }
        | ClientMessage::QuickJoin
        | ClientMessage::Resume { .. } => {
            let (registry, rooms) = (&shared.registry, &shared.rooms);
            let budget = &mut link.requests;
            let requester = Requester {
                name,
                identity: (&link.identity, &shared.room_quotas),
                guest: &link.guest,
            };
            match matchmaking::seat(registry, rooms, budget, now, requester, &message) {
                Ok(seating) => return Ok(Some(seating)),
                Err(reason) => refused(reason),
            }
        }
        // As above: no answer is expected.
        ClientMessage::Resync { .. } => return Ok(None),
        ClientMessage::LeaveRoom
        | ClientMessage::Ready { .. }
        | ClientMessage::Kick { .. }
        | ClientMessage::Chat { .. }
        | ClientMessage::Act { .. } => refused(Refusal::NotInRoom),
    };
    shared.send(link, &reply);
    Ok(None)
}

fn refused(reason: Refusal) -> ServerMessage {
    ServerMessage::Refused { reason }
}

/// The first message: it must be a hello of the server's version.
fn greet(link: &mut Link, shared: &Shared, message: ClientMessage) -> Result<(), CloseCode> {
    let ClientMessage::Hello {
        version,
        name,
        token,
    } = message
    else {
        return Err(CloseCode::OutOfOrder);
    };
    if version != VERSION {
        return Err(CloseCode::Version);
    }
    let identified = shared.tokens.identify(&token);
    let (identity, token) = identified.map_err(|Unauthorised| CloseCode::Unauthorised)?;
    let name = player_name(&name);
    let address = link.peer.ip();
    let greeted = shared
        .moderation
        .greet(&name, &identity, address, Date::now());
    link.online = Some(greeted.map_err(|Banned| CloseCode::Banned)?);
    let welcome = shared.welcome.to(&name, &token);
    shared
        .metrics
        .control_bytes
        .increment(welcome.bytes() as u64);
    link.outbox.push_parts(&welcome.parts());
    link.name = Some(name.into());
    link.identity = identity;
    link.pre_hello = None;
    Ok(())
}

/// Sends a connection to the room where it has a seat. If its address has had its share of the last places, or the worker is too busy,
/// it comes back and the client is told so; without a connection in the error the socket is gone.
fn hand_over(
    mut conn: Conn<TcpStream>,
    seating: Seating,
    shared: &Shared,
) -> Result<(), Option<Conn<TcpStream>>> {
    let Seating {
        place,
        join_request,
    } = seating;
    let is_new = matches!(join_request, JoinRequest::Open(_));
    let is_held = matches!(join_request, JoinRequest::Resume(_));
    let who = shared.registry.mark(&conn.link.identity);
    let give_back = || {
        if is_new {
            shared.registry.close(place.room);
        } else if !is_held {
            shared.registry.release(place.room, who);
        }
    };
    let seated = match is_held {
        true => Some(conn.link.guest.sit_again()),
        false => conn.link.guest.sit(),
    };
    let Some(seated) = seated else {
        give_back();
        shared.send(&mut conn.link, &refused(Refusal::Busy));
        return Err(Some(conn));
    };
    if !conn.link.sit_down(seated) {
        give_back();
        return Err(Some(conn));
    }
    let Ok(conn) = conn.unwatched() else {
        give_back();
        return Err(None);
    };
    conn.link.set_room(Some(place.room));
    let sent = shared.workers[place.worker].send(place.room, join_request, conn);
    let Err(mut conn) = sent else {
        if is_new {
            shared.registry.open(place.room);
        }
        return Ok(());
    };
    shared.metrics.inboxes_full.increment(1);
    give_back();
    conn.link.set_room(None);
    conn.link.stand_up();
    if is_held {
        request_prices::resumed(&mut conn.link.requests);
    }
    let Ok(mut conn) = conn.watched() else {
        return Err(None);
    };
    shared.send(&mut conn.link, &refused(Refusal::Busy));
    Err(Some(conn))
}

impl Shared {
    /// Puts a message into a connection's outbox.
    fn send(&self, link: &mut Link, message: &ServerMessage) {
        if matches!(message, ServerMessage::Refused { .. }) {
            self.metrics.messages_refused.increment(1);
        }
        let bytes = encode_server(message);
        self.metrics.control_bytes.increment(bytes.len() as u64);
        link.outbox.push(&bytes);
    }

    /// Ends a connection in whose place another one is let in: it is told in one write, if it takes that, and gone at once. A page
    /// that it was comes again, later.
    fn send_away(&self, mut conn: Conn<TcpStream>) {
        let end = End::Close(CloseCode::ServerFull);
        self.count_end(end);
        conn.link.outbox.push_close(CloseCode::ServerFull);
        // There is no time for who does not take it.
        let _ = conn.flush(Instant::now());
    }
}

#[cfg(test)]
pub(crate) mod tests {
    /// Who is called so has their task panic with the first message after the hello.
    pub(crate) const BREAKS: &str = "breaks their task";
}
