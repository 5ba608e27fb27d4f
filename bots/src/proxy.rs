//! A bad link between real sockets: TCP in, TCP out, and both ways of it through
//! [`tickwire::conditioner`], so that a browser, the swarm or any client can be played over
//! latency, jitter, stalls and a narrow band. It knows no WebSocket: bytes are bytes. The program
//! around it is `tickwire-proxy`.
//!
//! What is read at once is one message of the conditioner's. A full link is not read from, so the
//! sender feels the narrow band as it would the real one. The end of a stream is passed on behind
//! the last byte, a broken connection breaks both sides.

mod flags;

pub use flags::ProxyFlags;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tickwire::conditioner::{Conditioner, Conditions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, sleep_until};

/// Bytes that are read at once at most: one message of the conditioner's.
const CHUNK_BYTES: usize = 4 * 1024;
/// Connections at once, each of two sockets: what a process may commonly open. Beyond, they wait in
/// the listener's backlog.
const CONNECTIONS_MAX: usize = 9_000;
/// After a connection could not be accepted, mostly for want of descriptors.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// A listening proxy.
pub struct Proxy {
    listener: TcpListener,
    to: String,
    conditions: Conditions,
    seed: u32,
}

impl Proxy {
    /// Listens on `listen` for what is to go to `to` (host and port) and back, each way under these
    /// conditions.
    ///
    /// # Errors
    /// The address can't be listened on.
    pub async fn bind(
        listen: SocketAddr,
        to: &str,
        conditions: Conditions,
        seed: u32,
    ) -> io::Result<Proxy> {
        Ok(Proxy {
            listener: TcpListener::bind(listen).await?,
            to: to.to_owned(),
            conditions,
            seed,
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The operating system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Passes connections on for ever: each the same links again, but for the seed. `refused` hears
    /// why one could not be.
    pub async fn serve(self, refused: impl Fn(io::Error) + Send + Sync + 'static) {
        let free = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let refused = Arc::new(refused);
        let mut seed = self.seed;
        loop {
            // Never closed, so there is a permit some time.
            let permit = free.clone().acquire_owned().await;
            let from = match self.listener.accept().await {
                Ok((from, _)) => from,
                Err(error) => {
                    refused(error);
                    sleep(ACCEPT_AGAIN_AFTER).await;
                    continue;
                }
            };
            // Two draws of seeds a connection, one a way.
            seed = seed.wrapping_add(2);
            let (to, conditions) = (self.to.clone(), self.conditions);
            let refused = refused.clone();
            tokio::spawn(async move {
                match TcpStream::connect(&to).await {
                    Ok(to) => {
                        // How a connection ends is its peers' business.
                        let _ = pass(from, to, conditions, seed).await;
                    }
                    Err(error) => refused(error),
                }
                drop(permit);
            });
        }
    }
}

/// Passes on both ways until both have ended, or one breaks.
async fn pass(from: TcpStream, to: TcpStream, conditions: Conditions, seed: u32) -> io::Result<()> {
    from.set_nodelay(true)?;
    to.set_nodelay(true)?;
    let start = Instant::now();
    let (from_read, from_write) = from.into_split();
    let (to_read, to_write) = to.into_split();
    let up = Conditioner::new(conditions, seed);
    let down = Conditioner::new(conditions, seed.wrapping_add(1));
    tokio::try_join!(
        pump(from_read, to_write, up, start),
        pump(to_read, from_write, down, start),
    )?;
    Ok(())
}

/// One way: reads while the link has room, writes what has arrived.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut link: Conditioner<Vec<u8>>,
    start: Instant,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut ended = false;
    loop {
        while let Some(bytes) = link.poll(since(start)) {
            to.write_all(&bytes).await?;
        }
        let due = link.poll_timeout();
        if ended && due.is_none() {
            return to.shutdown().await;
        }
        let wake = start + Duration::from_micros(due.unwrap_or(0));
        tokio::select! {
            () = sleep_until(wake), if due.is_some() => {}
            read = from.read(&mut chunk), if !ended && link.has_room() => {
                let bytes = read?;
                ended = bytes == 0;
                if !ended && link.push(since(start), bytes, chunk[..bytes].to_vec()).is_err() {
                    return Err(io::Error::other("a link with room was full"));
                }
            }
        }
    }
}

fn since(start: Instant) -> u64 {
    start.elapsed().as_micros() as u64
}
