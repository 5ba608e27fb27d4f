//! A way between two processes: a TCP proxy on loopback that can be cut, stalled and delayed while it
//! runs, turned to another port, and shut, which is to refuse connections as a port does on which
//! nobody listens. Started by `cluster`: from each node to the engine, and to each node from others.
//!
//! Beside `proxy`, whose link is bad in one way from start to end, this one is good and has faults.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::faults::Link;

/// Bytes that are read at once at most.
const CHUNK_BYTES: usize = 16 * 1024;
/// Chunks of one way that are held. Beyond, the sender is not read from, as by a full link.
const CHUNKS_HELD: usize = 64;
/// After a connection could not be accepted, mostly for want of descriptors.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// What the way is like now.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Way {
    link: Link,
    /// Where it leads. Connections to another port break.
    to: u16,
    is_shut: bool,
}

/// See the module's description. It ends when it is dropped, and its connections with it.
pub(super) struct Valve {
    address: SocketAddr,
    way: watch::Sender<Way>,
}

impl Valve {
    /// An open one from one port of loopback to another.
    ///
    /// # Errors
    /// The port can't be listened on.
    pub(super) async fn open(port: u16, to: u16) -> io::Result<Valve> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let (way, news) = watch::channel(Way {
            link: Link::Open,
            to,
            is_shut: false,
        });
        tokio::spawn(serve(listener, address, news));
        Ok(Valve { address, way })
    }

    /// Where it listens.
    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Changes what it does.
    pub(super) fn set(&self, link: Link) {
        self.way.send_modify(|way| way.link = link);
    }

    /// Has it refuse connections, or no longer.
    pub(super) fn shut(&self, is_shut: bool) {
        self.way.send_modify(|way| way.is_shut = is_shut);
    }

    /// Turns it to another port.
    pub(super) fn turn(&self, to: u16) {
        self.way.send_modify(|way| way.to = to);
    }
}

async fn serve(listener: TcpListener, address: SocketAddr, mut news: watch::Receiver<Way>) {
    let mut listening = Some(listener);
    loop {
        let is_shut = news.borrow_and_update().is_shut;
        if is_shut {
            listening = None;
        }
        let accept = async {
            if !is_shut && listening.is_none() {
                listening = TcpListener::bind(address).await.ok();
            }
            match &listening {
                Some(listener) => listener.accept().await,
                None if is_shut => std::future::pending().await,
                None => Err(io::ErrorKind::AddrInUse.into()),
            }
        };
        let accepted = tokio::select! {
            accepted = accept => accepted,
            changed = news.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
        };
        match accepted {
            Ok((from, _)) => {
                tokio::spawn(pass(from, news.clone()));
            }
            Err(_) => sleep(ACCEPT_AGAIN_AFTER).await,
        }
    }
}

/// Passes on both ways until one has ended, or the way breaks.
async fn pass(from: TcpStream, mut news: watch::Receiver<Way>) {
    let way = *news.borrow_and_update();
    if way.link == Link::Cut {
        return;
    }
    // What is refused behind it is refused here by the end that follows.
    let Ok(to) = TcpStream::connect((Ipv4Addr::LOCALHOST, way.to)).await else {
        return;
    };
    if from.set_nodelay(true).and(to.set_nodelay(true)).is_err() {
        return;
    }
    let (from_read, from_write) = from.into_split();
    let (to_read, to_write) = to.into_split();
    let up = one_way(from_read, to_write, news.clone());
    let down = one_way(to_read, from_write, news.clone());
    let broken = news.wait_for(|now| now.link == Link::Cut || now.to != way.to);
    tokio::select! {
        () = up => {}
        () = down => {}
        _ = broken => {}
    }
}

async fn one_way(mut from: OwnedReadHalf, to: OwnedWriteHalf, news: watch::Receiver<Way>) {
    let (chunks, held) = mpsc::channel(CHUNKS_HELD);
    let read = async move {
        let mut chunk = vec![0; CHUNK_BYTES];
        while let Ok(bytes @ 1..) = from.read(&mut chunk).await {
            let came = (Instant::now(), chunk[..bytes].to_vec());
            if chunks.send(came).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(read, write(to, held, news));
}

/// Writes what came when it is due, until there is no more, or nobody reads it.
async fn write(
    mut to: OwnedWriteHalf,
    mut held: mpsc::Receiver<(Instant, Vec<u8>)>,
    mut news: watch::Receiver<Way>,
) {
    while let Some((came, bytes)) = held.recv().await {
        loop {
            let link = news.borrow_and_update().link;
            let due = match link {
                Link::Stalled => None,
                Link::Delayed(by) => Some(came + by),
                Link::Open | Link::Cut => Some(came),
            };
            tokio::select! {
                biased;
                () = sleep_until(due.unwrap_or(came)), if due.is_some() => break,
                changed = news.changed() => if changed.is_err() {
                    return;
                },
            }
        }
        if to.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who sends back what it gets.
    async fn echo() -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a free port");
        let port = listener.local_addr().expect("a bound port").port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (mut read, mut write) = stream.into_split();
                tokio::spawn(async move { tokio::io::copy(&mut read, &mut write).await });
            }
        });
        port
    }

    async fn come(valve: &Valve) -> TcpStream {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, valve.port())).await;
        stream.expect("it listens")
    }

    async fn answers(stream: &mut TcpStream, byte: u8) {
        stream.write_all(&[byte]).await.expect("it is open");
        assert_eq!(stream.read_u8().await.expect("an answer"), byte);
    }

    #[tokio::test]
    async fn what_is_stalled_comes_late_and_what_is_cut_never() {
        let valve = Valve::open(0, echo().await).await.expect("a free port");
        let mut stream = come(&valve).await;
        answers(&mut stream, 1).await;
        valve.set(Link::Stalled);
        stream.write_all(&[2]).await.expect("it is open");
        let mut late = come(&valve).await;
        late.write_all(&[3]).await.expect("the kernel takes it");
        // Nothing can come: whatever order the tasks run in.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(stream.try_read(&mut [0]).is_err());
        valve.set(Link::Open);
        assert_eq!(stream.read_u8().await.expect("an answer"), 2);
        assert_eq!(late.read_u8().await.expect("an answer"), 3);
        valve.set(Link::Cut);
        assert!(stream.read_u8().await.is_err());
        assert!(come(&valve).await.read_u8().await.is_err());
        valve.set(Link::Delayed(Duration::from_millis(1)));
        let mut stream = come(&valve).await;
        answers(&mut stream, 4).await;
        stream.shutdown().await.expect("it is open");
        assert!(stream.read_u8().await.is_err(), "an end is passed on");
    }

    #[tokio::test]
    async fn who_is_connected_elsewhere_is_lost_when_it_turns() {
        let valve = Valve::open(0, echo().await).await.expect("a free port");
        let mut stream = come(&valve).await;
        answers(&mut stream, 1).await;
        valve.turn(echo().await);
        assert!(stream.read_u8().await.is_err());
        answers(&mut come(&valve).await, 2).await;
    }

    #[tokio::test]
    async fn one_that_is_shut_refuses_until_it_is_open_again() {
        let valve = Valve::open(0, echo().await).await.expect("a free port");
        valve.shut(true);
        let come_again = || TcpStream::connect((Ipv4Addr::LOCALHOST, valve.port()));
        while come_again().await.is_ok() {
            tokio::task::yield_now().await;
        }
        valve.shut(false);
        let mut stream = loop {
            match come_again().await {
                Ok(stream) => break stream,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        answers(&mut stream, 1).await;
    }
}
