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

/// Ends a connection: at most [`LINGER`] later it is gone.
pub(crate) async fn farewell(mut conn: Conn<TcpStream>, end: End) {
    match end {
        End::Close(code) => conn.link.outbox.push_close(code),
        End::Goodbye | End::Away => {}
        End::Lost => return,
    }
    let deadline = Instant::now() + LINGER;
    // Too late or gone: there is nobody left to tell.
    let _ = timeout_at(deadline, async {
        while !conn.link.outbox.is_empty() {
            conn.socket.writable().await?;
            if conn.flush(Instant::now().into_std()).is_err() {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
        }
        conn.end_tls();
        SockRef::from(&conn.socket).shutdown(Shutdown::Write)?;
        discard(&conn.socket).await
    })
    .await;
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
