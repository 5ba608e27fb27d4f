//! A client in the lobby: answers hello and requests, until it goes to a room or to its end. Where
//! what is asked for leads is `elsewhere`'s to say. [`attend`] does what is to be done at a given
//! time; [`serve`] is the small task that sleeps in between, and keeps nothing of its own: all that
//! lasts is in the `Client`.

use std::cell::RefCell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use tickwire::codec::{decode_client, encode_server, spoken_version};
use tickwire::protocol::server_message::Refusal;
use tickwire::protocol::{ClientMessage, CloseCode, Kind, ServerMessage, VERSION, feature};
use tokio::io::Interest;
use tokio::time::timeout_at;

use super::elsewhere::Led;
use super::matchmaking::Seating;
use super::shared::Shared;
use super::waiting::Waiting;
use super::welcome;
use crate::admission::request_prices;
use crate::auth::Unauthorised;
use crate::date::{self, Date};
use crate::moderation::Banned;
use crate::presence::{MAILBOX_BYTES_MAX, Standing};
use crate::store::record::{self, Record};
use crate::text::player_name;
use crate::transport::{Conn, End, Fetched, Reading, Scratch, stopping};
use crate::vitals;
use crate::worker::{Client, JoinRequest, Session};

thread_local! {
    /// Where this thread of the runtime reads sockets: a task has no buffer of its own.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// A client that is served here.
pub(super) struct Served {
    pub(super) client: Client,
    /// When it must have said hello.
    hello_by: Instant,
    /// A request that has no answer yet: until it has, nothing more is read.
    waiting: Option<Box<Waiting>>,
}

/// What comes after it was attended to.
pub(super) enum Next {
    /// It stays, and wants to be looked at again then at the latest.
    Stay(Served, Option<Instant>),
    /// It is on its way to a room, or gone.
    Gone,
    /// It has to be told that this is the end.
    End(Client, End),
}

impl Served {
    /// A client comes, from its handshake or a room.
    pub(super) fn new(mut client: Client, shared: &Shared, now: Instant) -> Served {
        client.session.set_room(None, false);
        client.session.stand_up();
        shared.queue_returns(&mut client.session, now);
        if let Some(online) = &client.session.online {
            online.in_lobby();
        }
        Served {
            client,
            hello_by: now + shared.hello_timeout,
            waiting: None,
        }
    }
}

/// Serves a client until it leaves the lobby.
pub(super) async fn serve(shared: Arc<Shared>, client: Client) {
    let mut served = Served::new(client, &shared, Instant::now());
    let mut stop = shared.stopping.subscribe();
    loop {
        let deadline;
        (served, deadline) = match attend(served, &shared, Instant::now()) {
            Next::Stay(served, deadline) => (served, deadline),
            Next::Gone => return,
            Next::End(client, end) => return shared.part(client, end),
        };
        let Served {
            client: Client { conn, session },
            waiting,
            ..
        } = &mut served;
        let changed = waiting.as_deref().map(Waiting::changed);
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => {}
            () = session.ordered() => {}
            () = session.sent_away() => {}
            () = wake(conn, changed, deadline) => {}
        }
    }
}

/// Sleeps until something came, or something that waits would be taken, or it is time. A client
/// that is gone is found so when it is read. One whose request waits is looked at when that may
/// have its answer: `changed`.
async fn wake(
    conn: &mut Conn,
    changed: Option<impl Future<Output = ()>>,
    deadline: Option<Instant>,
) {
    if let (Some(changed), Some(deadline)) = (changed, deadline) {
        return drop(timeout_at(deadline.into(), changed).await);
    }
    let interest = match conn.backlog().waiting_bytes {
        0 => Interest::READABLE,
        _ => Interest::READABLE | Interest::WRITABLE,
    };
    let ready = poll_fn(|cx| conn.poll_ready(cx, interest));
    // Either way the client is looked at.
    match deadline {
        Some(deadline) => drop(timeout_at(deadline.into(), ready).await),
        None => drop(ready.await),
    }
}

/// Does all that is to be done for a client at `now`.
pub(super) fn attend(mut served: Served, shared: &Shared, now: Instant) -> Next {
    loop {
        let client = &mut served.client;
        if *shared.stopping.borrow() {
            stopping::tell(&mut client.conn);
            return Next::End(served.client, End::Close(CloseCode::Restart));
        }
        if shared.is_frozen.load(Ordering::Relaxed) {
            // Another node has what it wants, or is about to.
            return Next::End(served.client, End::Close(CloseCode::Restart));
        }
        if let Some(code) = client.session.expelled() {
            return Next::End(served.client, End::Close(code));
        }
        if client.session.must_go() {
            shared.send_away(served.client, now);
            return Next::Gone;
        }
        match answer_guarded(client, &mut served.waiting, shared, now) {
            Ok(None) => break,
            Ok(Some(seating)) => match hand_over(served.client, *seating, shared, now) {
                Ok(()) => return Next::Gone,
                Err(Some(back)) => served.client = back,
                Err(None) => {
                    shared.count_end(End::Lost);
                    return Next::Gone;
                }
            },
            Err(end) => return Next::End(served.client, end),
        }
    }
    if let Some(waiting) = &served.waiting {
        let until = waiting.until;
        return Next::Stay(served, Some(until));
    }
    let deadline = match served.client.session.name {
        Some(_) => served.client.conn.backlog().stalls_at(shared.stall_timeout),
        None if now >= served.hello_by => {
            return Next::End(served.client, End::Close(CloseCode::HelloTimeout));
        }
        None => Some(served.hello_by),
    };
    let deadline = deadline
        .into_iter()
        .chain(served.client.conn.wakes_at())
        .min();
    Next::Stay(served, deadline)
}

/// A panic, which would be the server's own fault, ends one connection, and not without a word.
fn answer_guarded(
    client: &mut Client,
    waiting: &mut Option<Box<Waiting>>,
    shared: &Shared,
    now: Instant,
) -> Result<Option<Box<Seating>>, End> {
    let answer = AssertUnwindSafe(|| answer_all(client, waiting, shared, now));
    catch_unwind(answer).unwrap_or_else(|panic| {
        vitals::forget(panic);
        stopping::tell(&mut client.conn);
        Err(End::Close(CloseCode::ServerFailed))
    })
}

/// Answers what has come, up to a request that leads to a room, or that has to wait. Answers go out
/// at once.
fn answer_all(
    client: &mut Client,
    waiting: &mut Option<Box<Waiting>>,
    shared: &Shared,
    now: Instant,
) -> Result<Option<Box<Seating>>, End> {
    let Client { conn, session } = client;
    if let Some(before) = waiting.take() {
        let led = shared.desk(session).go_on(session, now, before);
        match reply(conn, shared, led).map_err(End::Close)? {
            Answered::Said => {}
            Answered::Seated(seating) => return Ok(Some(seating)),
            Answered::Waits(again) => *waiting = Some(again),
        }
    }
    if waiting.is_none()
        && let Some(seating) = answer_messages(conn, session, waiting, shared, now)?
    {
        return Ok(Some(seating));
    }
    conn.flush(now)?;
    while deliver(conn, session, shared) {
        conn.flush(now)?;
    }
    if conn.backlog().is_stalled(now, shared.stall_timeout) {
        return Err(End::Close(CloseCode::Stalled));
    }
    Ok(None)
}

/// Sends what others have to say to it, once all before has gone. Whether there may be more.
fn deliver(conn: &mut Conn, session: &Session, shared: &Shared) -> bool {
    let online = session.online.as_ref();
    let Some(online) = online.filter(|_| conn.backlog().waiting_bytes == 0) else {
        return false;
    };
    let mut letters = Vec::new();
    online.take(MAILBOX_BYTES_MAX, None, &mut letters);
    for letter in &letters {
        shared.metrics.control_bytes.increment(letter.len() as u64);
        conn.send(letter);
    }
    !letters.is_empty()
}

fn answer_messages(
    conn: &mut Conn,
    session: &mut Session,
    waiting: &mut Option<Box<Waiting>>,
    shared: &Shared,
    now: Instant,
) -> Result<Option<Box<Seating>>, End> {
    SCRATCH.with_borrow_mut(|scratch| {
        let rates = shared.game(session).rates;
        let mut reading = Reading::new(scratch, Fetched::NONE, rates, now);
        let outcome = loop {
            match conn.next(&mut reading) {
                Ok(None) => break Ok(None),
                Ok(Some(message)) => match answer(conn, session, shared, now, message) {
                    Ok(Answered::Said) => {}
                    Ok(Answered::Seated(seating)) => break Ok(Some(seating)),
                    Ok(Answered::Waits(request)) => {
                        *waiting = Some(request);
                        break Ok(None);
                    }
                    Err(code) => break Err(End::Close(code)),
                },
                Err(end) => break Err(end),
            }
        };
        conn.keep(&mut reading);
        let (messages, bytes) = scratch.take_counts();
        shared.metrics.messages_received.increment(messages);
        shared.metrics.bytes_received.increment(bytes);
        outcome
    })
}

/// What became of a message.
enum Answered {
    /// It was answered, if there was anything to say.
    Said,
    /// The connection goes to a room.
    Seated(Box<Seating>),
    /// The answer is to come.
    Waits(Box<Waiting>),
}

/// One message.
fn answer(
    conn: &mut Conn,
    session: &mut Session,
    shared: &Shared,
    now: Instant,
    message: &[u8],
) -> Result<Answered, CloseCode> {
    match message.first().copied().and_then(Kind::from_byte) {
        Some(Kind::Control) => {}
        // Sent before the client knew that it had left its room.
        Some(Kind::State | Kind::Ack) if session.has_played => return Ok(Answered::Said),
        Some(Kind::State | Kind::Ack) => return Err(CloseCode::OutOfOrder),
        None => return Err(CloseCode::Malformed),
    }
    let Ok(decoded) = decode_client(message) else {
        // Of another version nothing behind the number can be read.
        return Err(match spoken_version(message) {
            Some(version) if session.name.is_none() && version != VERSION => CloseCode::Version,
            _ => CloseCode::Malformed,
        });
    };
    let Some(message) = decoded else {
        return Ok(Answered::Said);
    };
    if session.name.is_none() {
        return greet(conn, session, shared, now, message).map(|()| Answered::Said);
    }
    #[cfg(test)]
    tests::break_down(session);
    let reply = match message {
        ClientMessage::Hello { .. } => return Err(CloseCode::OutOfOrder),
        ClientMessage::ListRooms { filter } => {
            match shared.desk(session).list(session, now, &filter) {
                Ok(rooms) => ServerMessage::Rooms { rooms },
                Err(reason) => refused(reason),
            }
        }
        ClientMessage::Ping { nonce } => ServerMessage::Pong {
            nonce,
            tick: Default::default(),
        },
        ClientMessage::NoticesSeen { number } => {
            if let Some(online) = &session.online {
                online.saw(number);
            }
            return Ok(Answered::Said);
        }
        ClientMessage::CreateRoom(..)
        | ClientMessage::JoinRoom { .. }
        | ClientMessage::JoinCode { .. }
        | ClientMessage::QuickJoin { .. }
        | ClientMessage::Resume { .. } => {
            let led = shared.desk(session).lead(session, now, &message);
            if led.is_err() {
                shared.queue_returns(session, now);
            }
            return reply(conn, shared, led);
        }
        ClientMessage::Queue(request) => {
            shared.queue_asked(session, now, &request);
            return Ok(Answered::Said);
        }
        ClientMessage::Party(request) => match shared.party_asked(session, now, &request) {
            Some(answer) => answer,
            None => return Ok(Answered::Said),
        },
        ClientMessage::Watch { handles } => {
            if let Some(online) = &session.online
                && session.features & feature::WATCH != 0
            {
                shared.people.watch(&online.handle(), handles, now);
            }
            return Ok(Answered::Said);
        }
        message if message.is_beyond_rooms() && session.features & feature::PEOPLE != 0 => {
            let online = session.online.as_ref();
            let told = online.and_then(|online| shared.people.ask(&online.handle(), message, now));
            let Some(told) = told else {
                return Ok(Answered::Said);
            };
            told
        }
        // Nobody says so who was not told that it is understood.
        ClientMessage::People(_) => return Ok(Answered::Said),
        // As above: no answer is expected.
        ClientMessage::Resync { .. } | ClientMessage::Typing { .. } => return Ok(Answered::Said),
        // What it was said in was left.
        ClientMessage::Say { nonce, .. } => ServerMessage::Said {
            nonce,
            result: Err(Refusal::NotInRoom),
        },
        ClientMessage::History { nonce, .. } => ServerMessage::Lines {
            nonce,
            result: Err(Refusal::NotInRoom),
        },
        ClientMessage::LeaveRoom
        | ClientMessage::Ready { .. }
        | ClientMessage::Kick { .. }
        | ClientMessage::Chat { .. }
        | ClientMessage::Act { .. } => refused(Refusal::NotInRoom),
    };
    shared.send(conn, &reply);
    Ok(Answered::Said)
}

/// Tells a client where its request leads, as far as the lobby tells it.
fn reply(
    conn: &mut Conn,
    shared: &Shared,
    led: Result<Led, Refusal>,
) -> Result<Answered, CloseCode> {
    match led {
        Ok(Led::Here(seating)) => return Ok(Answered::Seated(seating)),
        Ok(Led::Later(waiting)) => return Ok(Answered::Waits(waiting)),
        // To be refused would cost them the seat.
        Ok(Led::Nowhere) => return Err(CloseCode::Restart),
        Ok(Led::Away(redirect)) => shared.send(conn, &redirect),
        Err(reason) => shared.send(conn, &refused(reason)),
    }
    Ok(Answered::Said)
}

fn refused(reason: Refusal) -> ServerMessage {
    ServerMessage::Refused { reason }
}

/// The first message: it must be a hello of the server's version.
fn greet(
    conn: &mut Conn,
    session: &mut Session,
    shared: &Shared,
    now: Instant,
    message: ClientMessage,
) -> Result<(), CloseCode> {
    let ClientMessage::Hello {
        version,
        features,
        game,
        schema,
        tables,
        name,
        token,
    } = message
    else {
        return Err(CloseCode::OutOfOrder);
    };
    if version != VERSION {
        return Err(CloseCode::Version);
    }
    if !game.is_empty() {
        session.game = shared.game_named(&game).ok_or(CloseCode::NoSuchGame)?;
    }
    let is_new = token.is_empty();
    let identified = shared.identify(&token, session);
    let (identity, token) = identified.map_err(|Unauthorised| CloseCode::Unauthorised)?;
    let name = player_name(&name);
    let address = conn.peer().ip();
    let game = shared.game(session).name;
    let greeted = shared
        .moderation
        .greet(game, &name, &identity, address, Date::now());
    session.online = Some(greeted.map_err(|Banned| CloseCode::Banned)?);
    // Guests are without number; those who play to a result are stored with it.
    if !identity.is_guest {
        shared.store.put(Record::Player(record::Player {
            player: identity.to_string(),
            name: name.clone(),
            handle: shared.people.handle(&identity).to_string(),
            seen_at_ms: date::now_ms(),
        }));
    }
    let own = welcome::own(&name, &token);
    let welcome = shared.game(session).welcome.with(&own, &schema, &tables);
    let bytes: usize = welcome.iter().map(|part| part.len()).sum();
    shared.metrics.control_bytes.increment(bytes as u64);
    conn.push(&welcome);
    session.name = Some(name.into());
    session.identity = identity;
    session.features = features;
    session.pre_hello = None;
    if let Some(online) = session.online.as_ref()
        && features & feature::NOTICES != 0
    {
        shared.notices.arrive(online, Date::now());
    }
    let talks = feature::PEOPLE | feature::TALKS;
    if let Some(online) = session
        .online
        .as_ref()
        .filter(|_| features & talks == talks)
    {
        online.attend(Standing::Talk);
    }
    shared.queue_greets(session, now);
    shared.party_greets(session, now);
    // What it understands is known by now: at a node of several it is lent as it is.
    if let Some(online) = &session.online {
        shared.people.greet(&online.handle(), is_new, now);
    }
    Ok(())
}

/// Sends a connection to the room where it has a seat. If the worker is too busy, or its address
/// has had its share of the last places and it wants a room made, it comes back and the client is
/// told so; who joins one hears that from the worker, which knows whether they have a seat there
/// already. Without a connection in the error the socket is gone.
fn hand_over(
    mut client: Client,
    seating: Seating,
    shared: &Shared,
    now: Instant,
) -> Result<(), Option<Client>> {
    let place = seating.place;
    let is_new = matches!(seating.join_request, JoinRequest::Open(_));
    let is_held = matches!(seating.join_request, JoinRequest::Resume(_));
    let watches = matches!(seating.join_request, JoinRequest::Watch);
    let who = shared.registry.mark(&client.session.identity);
    let give_back = |session: &mut Session| {
        if watches {
            shared.registry.stop_watching(place.room);
        } else if !is_held && !shared.queue_keeps(session, now) {
            shared.registry.abandon(place.room, who);
        }
    };
    let coming = client.session.queue.as_ref();
    let forsakes_queue = coming.is_some_and(|link| link.coming.is_none());
    if is_new && !client.session.take_place(false) {
        give_back(&mut client.session);
        shared.send(&mut client.conn, &refused(Refusal::Busy));
        return Err(Some(client));
    }
    if !client.session.sit_down() {
        give_back(&mut client.session);
        return Err(Some(client));
    }
    shared.party_leads(&mut client.session, &seating, now);
    if client.conn.unwatch().is_err() {
        give_back(&mut client.session);
        return Err(None);
    }
    let infos = shared.registry.infos(&[place.room]);
    let is_listed = infos.first().is_some_and(|info| !info.private);
    client.session.set_room(Some(place.room), is_listed);
    if forsakes_queue {
        shared.queue_loses(&client.session, now);
    }
    let worker = &shared.workers[place.worker];
    let sent = worker.send(place.room, seating.join_request, client);
    let Err(mut client) = sent else {
        if is_new {
            shared.registry.open(place.room);
        }
        return Ok(());
    };
    shared.metrics.inboxes_full.increment(1);
    give_back(&mut client.session);
    client.session.set_room(None, false);
    client.session.stand_up();
    if is_held {
        request_prices::resumed(&mut client.session.requests);
    }
    if client.conn.watch().is_err() {
        return Err(None);
    }
    shared.send(&mut client.conn, &refused(Refusal::Busy));
    Err(Some(client))
}

impl Shared {
    /// A message waits to go out.
    fn send(&self, conn: &mut Conn, message: &ServerMessage) {
        if matches!(message, ServerMessage::Refused { .. }) {
            self.metrics.messages_refused.increment(1);
        }
        let bytes = encode_server(message);
        self.metrics.control_bytes.increment(bytes.len() as u64);
        conn.send(&bytes);
    }

    /// Ends a connection in whose place another one is let in: it is told in one write, if it takes
    /// that, and gone at once. A page that it was comes again, later.
    fn send_away(&self, mut client: Client, now: Instant) {
        let end = End::Close(CloseCode::ServerFull);
        self.count_end(end);
        client.conn.push_close(CloseCode::ServerFull);
        // There is no time for who does not take it.
        let _ = client.conn.flush(now);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use tickwire::ids::RoomId;

    use super::Session;
    use crate::lobby::Lobby;

    /// Who is called so has their task panic with the first message after the hello.
    pub(crate) const BREAKS: &str = "breaks their task";

    pub(super) fn break_down(session: &Session) {
        assert!(session.name.as_deref() != Some(BREAKS), "it is to end");
    }

    impl Lobby {
        /// Whose a room is.
        pub(crate) fn worker_of(&self, room: RoomId) -> Option<usize> {
            self.shared.registry.worker_of(room)
        }

        /// Has a worker panic outside of its rooms.
        pub(crate) fn break_worker(&self, index: usize) {
            self.shared.workers[index].break_down();
        }
    }
}
