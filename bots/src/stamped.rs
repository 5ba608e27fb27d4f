//! A TCP connection that knows when what it read came: the kernel's own stamp, taken as the bytes
//! reach the socket. The bots share the machine with each other, mostly with the server too, and a
//! bot that gets its turn late reads late; the stamp tells that from a server that sends late. Only
//! under Linux; elsewhere nothing is known. Used by `socket`.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Stamped {
    stream: TcpStream,
    stamps: Stamps,
    arrived_us: Option<u64>,
}

impl Stamped {
    /// Asks the kernel for stamps; without them the stream is as good as before.
    pub(crate) fn new(stream: TcpStream) -> Stamped {
        Stamped {
            stamps: Stamps::ask(&stream),
            stream,
            arrived_us: None,
        }
    }

    /// When the newest of the bytes that were read came, in microseconds by the system's clock:
    /// only differences mean something.
    pub(crate) fn arrived_us(&self) -> Option<u64> {
        self.arrived_us
    }
}

impl AsyncRead for Stamped {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Stamped {
            stream,
            stamps,
            arrived_us,
        } = self.get_mut();
        loop {
            ready!(stream.poll_read_ready(cx))?;
            let into = buf.initialize_unfilled();
            match stream.try_io(Interest::READABLE, || stamps.read(stream, into)) {
                Ok((bytes, stamp)) => {
                    buf.advance(bytes);
                    *arrived_us = stamp.or(*arrived_us);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Stamped {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(target_os = "linux")]
use linux::Stamps;

#[cfg(target_os = "linux")]
mod linux {
    use std::io::{self, IoSliceMut};
    use std::os::fd::AsRawFd;

    use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
    use nix::sys::time::TimeSpec;
    use tokio::net::TcpStream;

    /// Where the kernel puts a stamp.
    #[derive(Debug)]
    pub(super) struct Stamps(Vec<u8>);

    impl Stamps {
        pub(super) fn ask(stream: &TcpStream) -> Stamps {
            // Refused by a kernel without them, whose reads then bring none.
            let _ = setsockopt(stream, sockopt::ReceiveTimestampns, &true);
            Stamps(nix::cmsg_space!(TimeSpec))
        }

        pub(super) fn read(
            &mut self,
            stream: &TcpStream,
            into: &mut [u8],
        ) -> io::Result<(usize, Option<u64>)> {
            let mut parts = [IoSliceMut::new(into)];
            let flags = MsgFlags::empty();
            let read = recvmsg::<()>(stream.as_raw_fd(), &mut parts, Some(&mut self.0), flags)?;
            let stamp = read.cmsgs()?.find_map(|message| match message {
                ControlMessageOwned::ScmTimestampns(at) => {
                    Some(at.tv_sec() as u64 * 1_000_000 + at.tv_nsec() as u64 / 1000)
                }
                _ => None,
            });
            Ok((read.bytes, stamp))
        }
    }
}

#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
struct Stamps;

#[cfg(not(target_os = "linux"))]
impl Stamps {
    fn ask(_: &TcpStream) -> Stamps {
        Stamps
    }

    fn read(&mut self, stream: &TcpStream, into: &mut [u8]) -> io::Result<(usize, Option<u64>)> {
        Ok((stream.try_read(into)?, None))
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn bytes_come_with_the_time_of_their_arrival() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let stream = TcpStream::connect(address).await.expect("a listener");
        let mut reader = Stamped::new(stream);
        let (mut writer, _) = listener.accept().await.expect("a connection");
        assert_eq!(reader.arrived_us(), None);
        let mut stamps = Vec::new();
        // The kernel may take a while to begin with it.
        for _ in 0..100_000 {
            writer
                .write_all(b"message")
                .await
                .expect("an open connection");
            let mut got = [0; 7];
            reader.read_exact(&mut got).await.expect("what was sent");
            assert_eq!(&got, b"message");
            stamps.extend(reader.arrived_us());
            if stamps.len() == 2 {
                break;
            }
        }
        assert!(stamps.len() == 2 && stamps[0] <= stamps[1], "{stamps:?}");
        drop(writer);
        assert_eq!(reader.read(&mut [0; 9]).await.expect("the end"), 0);
        assert_eq!(reader.arrived_us(), stamps.pop());
    }
}
