//! The connections that peers make to this node: who comes, what they ask and tell, and the way
//! back of the answers. Who they are is the session's to prove; [`super::table`] keeps them in
//! bounds.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::connection::Connection;
use super::questions::ASKS_MAX;
use super::reply::{ContactReply, Reply, Said};
use super::session::{self, End, Session};
use super::shared::{Event, Gone, Shared};
use super::wire::Head;
use crate::directory::ownership::messages::Incarnation;
use crate::transport::Accept;

/// Questions of one peer that wait for their answers: as many as a node asks. Beyond: one about
/// contact is not answered, another with nothing.
const OPEN_MAX: usize = ASKS_MAX;

/// Accepts for as long as it is polled.
pub(super) async fn run(listener: TcpListener, shared: Arc<Shared>) {
    let errors = shared.metrics.accept_errors.clone();
    let mut accept = Accept::new(listener, errors);
    // Dropped with this task, and all of them with it.
    let mut tasks = JoinSet::new();
    loop {
        let (stream, from) = select! {
            came = accept.next() => came,
            Some(_) = tasks.join_next() => continue,
        };
        let made_room = shared.table.enter(|number| {
            let shared = Arc::clone(&shared);
            tasks.spawn(serve(stream, from, number, shared))
        });
        if made_room {
            shared.metrics.peer_strangers_sent_away.increment(1);
        }
    }
}

/// A connection's place in the table, for as long as it is there.
struct Visit {
    number: u64,
    shared: Arc<Shared>,
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.shared.table.leave(self.number);
    }
}

async fn serve(stream: TcpStream, from: SocketAddr, number: u64, shared: Arc<Shared>) {
    // Made here: a task that is dropped before it ran is dropped by who holds the table.
    let visit = Visit { number, shared };
    let shared = &visit.shared;
    let mut peer = None;
    let Ok(end) = talk(stream, from.ip(), &visit, &mut peer).await else {
        return;
    };
    if let Some(Incarnation(peer)) = peer {
        tracing::debug!(%from, peer, %end, "a peer's connection is over");
        return;
    }
    let refused = match end {
        End::WrongKey => &shared.metrics.peer_key_wrong,
        End::Crowded => &shared.metrics.peers_crowded,
        _ => &shared.metrics.peer_handshakes_failed,
    };
    refused.increment(1);
    // Who only looks whether the port is open is no trouble.
    if end != End::Closed && shared.table.complain(from.ip()) {
        tracing::warn!(%from, %end, "what came to the peers' port is no peer");
    }
}

/// Until the session's end, or that of the link.
async fn talk(
    stream: TcpStream,
    from: IpAddr,
    visit: &Visit,
    peer: &mut Option<Incarnation>,
) -> Result<End, Gone> {
    let shared = &visit.shared;
    let mut renamed = shared.me.subscribe();
    let node = shared.node.clone();
    let session = shared
        .this()
        .map(|this| Session::accept(Instant::now(), this, node));
    let connection = session.and_then(|session| Connection::new(stream, session));
    let mut connection = match connection {
        Ok(connection) => connection,
        Err(end) => return Ok(end),
    };
    let (back, mut answers) = mpsc::channel::<Said>(OPEN_MAX);
    let mut open = 0;
    loop {
        let event = match connection.session.next(Instant::now()) {
            Ok(event) => event,
            Err(end) => return Ok(end),
        };
        match event {
            Some(session::Event::Linked(who)) => {
                if !shared.table.link(visit.number, who, from) {
                    return Ok(End::Crowded);
                }
                *peer = Some(who);
            }
            Some(session::Event::Message(head, body)) => {
                let Some(from) = *peer else { continue };
                let event = match head {
                    Head::Contact { id } if open < OPEN_MAX => {
                        open += 1;
                        let reply = ContactReply::new(id, &back);
                        Event::AskedContact { reply }
                    }
                    Head::Ask { id } if open < OPEN_MAX => {
                        open += 1;
                        let reply = Reply::new(id, &back);
                        Event::Asked { from, body, reply }
                    }
                    Head::Ask { id } => {
                        let nothing = Head::Answer { id, is_some: false };
                        connection.session.send(nothing, Bytes::new());
                        continue;
                    }
                    Head::Batch => {
                        if !shared.table.put_batch(from, body) {
                            // The former one was told of, and not taken yet.
                            continue;
                        }
                        Event::Told { from }
                    }
                    Head::Hurry => Event::Hurry { from },
                    Head::Common => Event::Common { from, frame: body },
                    // A question too many; answers don't come here.
                    _ => continue,
                };
                shared.tell(event).await?;
            }
            None => select! {
                turned = connection.turn() => if let Err(end) = turned {
                    return Ok(end);
                },
                Some(said) = answers.recv() => {
                    open -= 1;
                    if let Some((head, body)) = said {
                        connection.session.send(head, body);
                    }
                }
                // Who asked, asked another.
                _ = renamed.changed() => return Ok(End::Closed),
            },
        }
    }
}
