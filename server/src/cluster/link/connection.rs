//! A [`Session`] on a socket: reads, writes and timers, and nothing of what is said.
//! [`super::dial`] and [`super::accept`] own one each.

use std::io;
use std::time::{Duration, Instant};

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::select;
use tokio::time::sleep_until;

use super::session::{End, Session};

/// Bytes of one read.
const READ_BYTES: usize = 16 * 1024;
/// Idle time until the kernel asks whether the peer's is still there, and between its questions.
const KEEPALIVE: Duration = Duration::from_secs(1);
/// How long the kernel tries to deliver what was written, and asks in vain. Below a lease, so that
/// a network that was cut is known to be before anybody is taken for dead.
const DELIVERY_MAX: Duration = Duration::from_secs(3);

/// See the module's description.
pub(super) struct Connection {
    stream: TcpStream,
    pub(super) session: Session,
    read: Box<[u8]>,
}

impl Connection {
    /// # Errors
    /// The socket is gone.
    pub(super) fn new(stream: TcpStream, session: Session) -> Result<Connection, End> {
        let set = || -> io::Result<()> {
            stream.set_nodelay(true)?;
            let socket = SockRef::from(&stream);
            let keepalive = TcpKeepalive::new()
                .with_time(KEEPALIVE)
                .with_interval(KEEPALIVE);
            socket.set_tcp_keepalive(&keepalive)?;
            socket.set_tcp_user_timeout(Some(DELIVERY_MAX))
        };
        set().map_err(|_| End::Closed)?;
        Ok(Connection {
            stream,
            session,
            read: vec![0; READ_BYTES].into(),
        })
    }

    /// Waits until something can be read, written, or is due, and does it. May be dropped at any
    /// time and called again. What was said then is [`Session::next`]'s.
    ///
    /// # Errors
    /// The session is over.
    pub(super) async fn turn(&mut self) -> Result<(), End> {
        let now = Instant::now();
        self.session.pass(now)?;
        let reads = self.session.may_read(now);
        let writes = !self.session.output(now).is_empty();
        let wakes_at = self.session.wakes_at();
        let due = async {
            match wakes_at {
                Some(at) => sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        select! {
            ready = self.stream.readable(), if reads => ready.map_err(|_| End::Closed)?,
            ready = self.stream.writable(), if writes => ready.map_err(|_| End::Closed)?,
            () = due => return Ok(()),
        }
        let now = Instant::now();
        if reads {
            match self.stream.try_read(&mut self.read) {
                Ok(0) => return Err(End::Closed),
                Ok(bytes) => self.session.received(now, &self.read[..bytes]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Err(End::Closed),
            }
        }
        if writes {
            match self.stream.try_write(self.session.output(now)) {
                Ok(bytes) => self.session.wrote(bytes),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Err(End::Closed),
            }
        }
        Ok(())
    }
}
