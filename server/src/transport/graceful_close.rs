//! The end of a connection: what waits and the close frame go out, then the client's last bytes
//! are read and thrown away for a moment. Closing a socket with unread bytes makes the kernel
//! send a reset, which would eat the close frame on its way.

use std::future::poll_fn;
use std::io;
use std::time::Duration;

use tokio::io::Interest;
use tokio::time::{Instant, timeout_at};

use super::way::{Conn, End};

/// How long a client has to take its close and to close in turn.
pub(crate) const LINGER: Duration = Duration::from_secs(2);
/// Bytes that are read and thrown away meanwhile.
const DISCARDED_BYTES_MAX: usize = 1024 * 1024;

/// Begins the end of a connection: what is owed waits to go out. False: there is nobody to tell.
pub(crate) fn begin(conn: &mut Conn, end: End) -> bool {
    match end {
        End::Close(code) => conn.push_close(code),
        End::Goodbye | End::Away => {}
        End::Lost => return false,
    }
    true
}

/// Ends a connection that is watched: at most [`LINGER`] later it is gone, and at once when
/// `sent_away` is done, because its place is wanted.
pub(crate) async fn close(mut conn: Conn, end: End, sent_away: impl Future<Output = ()>) {
    if !begin(&mut conn, end) {
        return;
    }
    let deadline = Instant::now() + LINGER;
    let told = timeout_at(deadline, async {
        while conn.backlog().waiting_bytes > 0 {
            poll_fn(|cx| conn.poll_ready(cx, Interest::WRITABLE)).await?;
            if conn.flush(Instant::now().into_std()).is_err() {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
        }
        conn.finish()?;
        discard(&mut conn).await
    });
    tokio::select! {
        biased;
        // Too late or gone: there is nobody left to tell.
        _ = told => {}
        () = sent_away => {}
    }
}

async fn discard(conn: &mut Conn) -> io::Result<()> {
    let mut left = DISCARDED_BYTES_MAX;
    while left > 0 {
        poll_fn(|cx| conn.poll_ready(cx, Interest::READABLE)).await?;
        match conn.discard() {
            Ok(0) => return Ok(()),
            Ok(size) => left = left.saturating_sub(size),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    use metrics::{Counter, Gauge};
    use tickwire::protocol::CloseCode;
    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::admission::crowd::Crowd;
    use crate::admission::sockets::Notice;
    use crate::transport::websocket::WebSocket;

    /// Who was told and does not close must not keep a place that others are let in for.
    #[tokio::test]
    async fn who_has_been_told_makes_room_at_once() {
        let crowd = Crowd::new(9, Gauge::noop(), Counter::noop());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        let notice = Notice::default();
        let spot = crowd.enter(peer.ip(), &notice);
        let now = Instant::now().into_std();
        let conn = WebSocket::tcp(stream, Vec::new(), peer, now).unwrap();
        let sent_away = spot.notice.given();
        let mut ending = pin!(close(
            Box::new(conn),
            End::Close(CloseCode::Malformed),
            sent_away
        ));
        let mut told = [0; 2];
        tokio::select! {
            () = ending.as_mut() => panic!("the client has not closed"),
            read = client.read_exact(&mut told) => read.unwrap(),
        };
        assert_eq!(told[0], 0x88);
        let newcomer = crowd.enter(peer.ip(), &Notice::default());
        crowd.make_way_for(&newcomer, 0);
        let is_over = poll_fn(|cx| Poll::Ready(ending.as_mut().poll(cx).is_ready()));
        assert!(is_over.await, "it waits for its client");
    }
}
