//! The connection that this node makes to one other: dialed again and again, and what is asked and
//! told over it. What a failed connect says of contact is said here.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::net::{TcpStream, lookup_host};
use tokio::select;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep_until, timeout};

use super::connection::Connection;
use super::pace::Pace;
use super::questions::Questions;
use super::session::{self, End, Session};
use super::shared::{Event, Gone, Shared};
use super::wire::Head;
use crate::directory::ownership::messages::{Answer, Incarnation};

/// For an address and a connection: within the time for which an answer about contact is good.
const CONNECT_MAX: Duration = Duration::from_secs(1);
/// Addresses of one name that are tried. One that has more proves nothing by refusing.
const ADDRESSES_MAX: usize = 4;

/// What the link's holder wants of a node.
#[derive(Debug)]
pub(super) enum Order {
    /// Its contact with the engine.
    Contact { asked: Duration },
    /// An answer, of that incarnation.
    Ask {
        to: Incarnation,
        id: u64,
        body: Bytes,
    },
    /// It should read the engine's tables.
    Hurry,
}

/// A look-up of a name's addresses.
type Lookup = JoinHandle<io::Result<Vec<SocketAddr>>>;

/// No connection.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Miss {
    /// Its host says that nobody listens.
    Refused,
    /// No address, no answer, or no way there.
    NotReached,
}

/// What was last written about a node: one line a change.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Linked(Incarnation),
    Missed(Miss),
    Ended(End),
}

/// See the module's description.
pub(super) struct Dialer {
    node: String,
    shared: Arc<Shared>,
    orders: mpsc::Receiver<Order>,
    common: mpsc::Receiver<(Incarnation, Bytes)>,
    batch: watch::Receiver<Bytes>,
    questions: Questions,
    /// One that has not ended yet.
    lookup: Option<Lookup>,
    seen: Option<Seen>,
}

impl Dialer {
    pub(super) fn new(
        node: String,
        shared: Arc<Shared>,
        orders: mpsc::Receiver<Order>,
        common: mpsc::Receiver<(Incarnation, Bytes)>,
        batch: watch::Receiver<Bytes>,
    ) -> Dialer {
        Dialer {
            node,
            shared,
            orders,
            common,
            batch,
            questions: Questions::default(),
            lookup: None,
            seen: None,
        }
    }

    /// Until the node is not wanted any more. Whoever asked it then has an answer: nothing.
    pub(super) async fn run(mut self) {
        let Err(Gone) = self.keep().await;
        self.orders.close();
        let mut unanswered = self.questions.broke();
        while let Some(order) = self.orders.recv().await {
            if let Order::Ask { id, .. } = order {
                unanswered.push(id);
            }
        }
        // Nobody listens if it is the link that is gone.
        let _ = self.nothing(unanswered).await;
    }

    async fn keep(&mut self) -> Result<std::convert::Infallible, Gone> {
        let mut pace = Pace::new(Instant::now());
        loop {
            self.rest(&pace).await?;
            let started = Instant::now();
            pace.dials(started);
            // What is asked from here on is not answered by how this connect ends.
            let mark = self.questions.mark();
            let mut lasted = Duration::ZERO;
            match self.connect().await? {
                Ok(stream) => {
                    let end = self.talk(stream).await?;
                    let unanswered = self.questions.broke();
                    self.nothing(unanswered).await?;
                    if let Some(Seen::Linked(_)) = self.seen {
                        lasted = started.elapsed();
                        let node = self.node.clone();
                        self.shared.tell(Event::Unreachable { node }).await?;
                    }
                    if end == End::WrongKey {
                        self.shared.metrics.peer_key_wrong.increment(1);
                    }
                    self.see(Seen::Ended(end));
                }
                Err(miss) => {
                    if miss == Miss::Refused {
                        self.refused(mark).await?;
                    }
                    self.see(Seen::Missed(miss));
                }
            }
            let chance = self.shared.entropy.bytes().map_or(0, u32::from_le_bytes);
            pace.failed(Instant::now(), lasted, chance);
        }
    }

    /// Until the next connect is due.
    async fn rest(&mut self, pace: &Pace) -> Result<(), Gone> {
        loop {
            let now = Instant::now();
            // Nothing but questions about contact waits without a connection, and those have no
            // other answer.
            self.questions.expired(now);
            let due = pace.due(self.questions.wants_connection());
            if due <= now {
                return Ok(());
            }
            select! {
                order = self.orders.recv() => self.hold(order.ok_or(Gone)?).await?,
                () = sleep_until(due.into()) => {}
            }
        }
    }

    async fn connect(&mut self) -> Result<Result<TcpStream, Miss>, Gone> {
        let node = self.node.clone();
        let former = self.lookup.take();
        let mut lookup = former.unwrap_or_else(|| tokio::spawn(addresses(node)));
        let connected = {
            let mut connecting = pin!(timeout(CONNECT_MAX, connect(&mut lookup)));
            loop {
                select! {
                    connected = &mut connecting => break connected,
                    order = self.orders.recv() => self.hold(order.ok_or(Gone)?).await?,
                }
            }
        };
        // One that takes long is waited for again, and is not begun twice: each is a thread.
        self.lookup = (!lookup.is_finished()).then_some(lookup);
        Ok(connected.unwrap_or(Err(Miss::NotReached)))
    }

    /// An order while there is no link.
    async fn hold(&mut self, order: Order) -> Result<(), Gone> {
        match order {
            Order::Contact { asked } => self.questions.contact(Instant::now(), asked),
            Order::Ask { id, .. } => self.nothing(vec![id]).await?,
            Order::Hurry => {}
        }
        Ok(())
    }

    /// Until the session's end, or that of the link.
    async fn talk(&mut self, stream: TcpStream) -> Result<End, Gone> {
        let mut renamed = self.shared.me.subscribe();
        let node = self.node.clone();
        let session = self
            .shared
            .this()
            .map(|this| Session::dial(Instant::now(), this, node));
        let connection = session.and_then(|session| Connection::new(stream, session));
        let mut connection = match connection {
            Ok(connection) => connection,
            Err(end) => return Ok(end),
        };
        let mut peer = None;
        loop {
            let now = Instant::now();
            match connection.session.next(now) {
                Ok(Some(session::Event::Linked(who))) => {
                    peer = Some(who);
                    self.see(Seen::Linked(who));
                    self.batch.mark_changed();
                }
                Ok(Some(session::Event::Message(head, body))) => self.heard(head, body).await?,
                Ok(None) => {
                    let unanswered = self.questions.expired(now);
                    self.nothing(unanswered).await?;
                    let turned = self.turn(&mut connection, peer, &mut renamed).await?;
                    if let Err(end) = turned {
                        return Ok(end);
                    }
                }
                Err(end) => return Ok(end),
            }
        }
    }

    /// The next thing that happens, to the connection or on this side. Inside, the session's end.
    async fn turn(
        &mut self,
        connection: &mut Connection,
        peer: Option<Incarnation>,
        renamed: &mut watch::Receiver<Incarnation>,
    ) -> Result<Result<(), End>, Gone> {
        while peer.is_some()
            && let Some(id) = self.questions.unsent()
        {
            connection.session.send(Head::Contact { id }, Bytes::new());
        }
        // Without a question there is always the session's own timer.
        let due = self.questions.wakes_at();
        let due = due.unwrap_or_else(|| Instant::now() + CONNECT_MAX);
        select! {
            turned = connection.turn() => return Ok(turned),
            order = self.orders.recv() => {
                let order = order.ok_or(Gone)?;
                self.order(order, &mut connection.session, peer).await?;
            }
            Some((to, frame)) = self.common.recv(), if connection.session.takes_common() => {
                // Else it is for a former life of it.
                if peer == Some(to) {
                    connection.session.send_common(frame);
                }
            }
            Ok(()) = self.batch.changed(), if peer.is_some() => {
                let batch = self.batch.borrow_and_update().clone();
                if !batch.is_empty() {
                    connection.session.publish(batch);
                }
            }
            // Who asked, asks as another.
            _ = renamed.changed() => return Ok(Err(End::Closed)),
            () = sleep_until(due.into()) => {}
        }
        Ok(Ok(()))
    }

    /// An order while there is a connection, linked to `peer` or on the way there.
    async fn order(
        &mut self,
        order: Order,
        session: &mut Session,
        peer: Option<Incarnation>,
    ) -> Result<(), Gone> {
        match order {
            Order::Ask { to, id, body } if peer == Some(to) => {
                let number = self.questions.ask(Instant::now(), id);
                let sent = number.map(|id| session.send(Head::Ask { id }, body));
                if sent != Some(true) {
                    if let Some(number) = number {
                        self.questions.answered(number);
                    }
                    self.nothing(vec![id]).await?;
                }
            }
            Order::Hurry if peer.is_some() => {
                session.send(Head::Hurry, Bytes::new());
            }
            order => self.hold(order).await?,
        }
        Ok(())
    }

    /// What the peer says: answers.
    async fn heard(&mut self, head: Head, body: Bytes) -> Result<(), Gone> {
        match head {
            Head::ContactIs { id, has, who } => {
                let Some(asked) = self.questions.contact_is(id) else {
                    return Ok(());
                };
                let answer = match has {
                    true => Answer::Contact(Incarnation(who)),
                    false => Answer::NoContact(Incarnation(who)),
                };
                self.contact(asked, answer).await
            }
            Head::Answer { id, is_some } => {
                let Some(id) = self.questions.answered(id) else {
                    return Ok(());
                };
                let body = is_some.then_some(body);
                self.shared.tell(Event::Answered { id, body }).await
            }
            // The session lets no other through.
            _ => Ok(()),
        }
    }

    async fn refused(&mut self, mark: u64) -> Result<(), Gone> {
        for asked in self.questions.refused(mark) {
            self.contact(asked, Answer::Refused).await?;
        }
        Ok(())
    }

    async fn contact(&self, asked: Duration, answer: Answer) -> Result<(), Gone> {
        let node = self.node.clone();
        let event = Event::Contact {
            node,
            asked,
            answer,
        };
        self.shared.tell(event).await
    }

    /// Whoever asked these has no answer.
    async fn nothing(&self, ids: Vec<u64>) -> Result<(), Gone> {
        for id in ids {
            self.shared.tell(Event::Answered { id, body: None }).await?;
        }
        Ok(())
    }

    /// Writes a line if it is news.
    fn see(&mut self, seen: Seen) {
        if self.seen.as_ref() == Some(&seen) {
            return;
        }
        let node = &self.node;
        match &seen {
            Seen::Linked(Incarnation(peer)) => tracing::info!(node, peer, "linked to a peer"),
            Seen::Missed(Miss::Refused) => tracing::warn!(node, "nobody listens at a peer's port"),
            Seen::Missed(Miss::NotReached) => tracing::warn!(node, "a peer can't be reached"),
            Seen::Ended(end) => tracing::warn!(node, %end, "no link to a peer"),
        }
        self.seen = Some(seen);
    }
}

/// What a node's name stands for now.
async fn addresses(node: String) -> io::Result<Vec<SocketAddr>> {
    Ok(lookup_host(node).await?.collect())
}

/// A connection to the first address that gives one.
async fn connect(lookup: &mut Lookup) -> Result<TcpStream, Miss> {
    let found = lookup.await.map_err(|_| Miss::NotReached)?;
    let found = found.map_err(|_| Miss::NotReached)?;
    let mut refusals = 0;
    for address in found.iter().take(ADDRESSES_MAX) {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => refusals += 1,
            Err(_) => {}
        }
    }
    // Nobody listens at any address of it.
    match refusals > 0 && refusals == found.len() {
        true => Err(Miss::Refused),
        false => Err(Miss::NotReached),
    }
}
