//! The end of a connection: what waits and the close frame go out, then the client's last bytes
//! are read and thrown away for a moment. Closing a socket with unread bytes makes the kernel
//! send a reset, which would eat the close frame on its way.

use std::io;
use std::net::Shutdown;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::conn::{Conn, End};

/// How long a client has to take its close frame and to close in turn.
const LINGER: Duration = Duration::from_secs(2);
/// Bytes that are read and thrown away meanwhile.
const DISCARDED_BYTES_MAX: usize = 1024 * 1024;

/// Ends a connection: at most [`LINGER`] later it is gone, and at once if its place is wanted.
pub(crate) async fn graceful_close(mut conn: Conn<TcpStream>, end: End) {
    match end {
        End::Close(code) => conn.link.outbox.push_close(code),
        End::Goodbye | End::Away => {}
        End::Lost => return,
    }
    let deadline = Instant::now() + LINGER;
    let sent_away = conn.link.sent_away();
    let told = timeout_at(deadline, async {
        while !conn.link.outbox.is_empty() {
            conn.socket.writable().await?;
            if conn.flush(Instant::now().into_std()).is_err() {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
        }
        conn.end_tls();
        SockRef::from(&conn.socket).shutdown(Shutdown::Write)?;
        discard(&conn.socket).await
    });
    tokio::select! {
        biased;
        // Too late or gone: there is nobody left to tell.
        _ = told => {}
        () = sent_away => {}
    }
}

async fn discard(socket: &TcpStream) -> io::Result<()> {
    let mut left = DISCARDED_BYTES_MAX;
    while left > 0 {
        socket.readable().await?;
        // On the stack of this turn only, not part of what a task keeps.
        match socket.try_read(&mut [0; 1024]) {
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
    use tokio::net::TcpListener;

    use super::*;
    use crate::admission::addresses::AddressLease;
    use crate::admission::crowd::{Crowd, Notice};

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
        let enter = || crowd.enter(peer.ip(), &notice);
        let (spot, pre_hello) = (enter(), enter());
        let conn = Conn::new(stream, Vec::new(), peer, Instant::now().into_std()).unwrap();
        let conn = conn.with_guest(AddressLease::unlimited(), spot, pre_hello);
        let mut ending = pin!(graceful_close(conn, End::Close(CloseCode::Malformed)));
        let mut told = [0; 2];
        tokio::select! {
            () = ending.as_mut() => panic!("the client has not closed"),
            read = client.read_exact(&mut told) => read.unwrap(),
        };
        assert_eq!(told[0], 0x88);
        let newcomer = crowd.enter(peer.ip(), &Notice::default());
        assert!(crowd.make_room_for(&newcomer));
        let is_over = poll_fn(|cx| Poll::Ready(ending.as_mut().poll(cx).is_ready()));
        assert!(is_over.await, "it waits for its client");
    }
}
