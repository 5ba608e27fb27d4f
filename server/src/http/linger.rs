//! A stream that ends in order. Closing a socket with bytes in it that were not read resets the
//! connection, and a reset takes what was sent and has not arrived with it: answers to requests,
//! above all the last one. So the way out is closed first, and what still comes is read and dropped
//! until the peer has closed too, for a short while after the last byte that was sent: who was idle
//! for longer has it, and a stop does not wait for browsers that keep connections. `http` serves
//! through it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// Time for the peer to close, from the last write on: several round trips.
const LINGER: Duration = Duration::from_secs(1);
/// Bytes that are dropped at most: what a peer had on the way when it was told.
const DROPPED_MAX: usize = 256 * 1024;

/// See the module's description.
pub(super) struct Linger<S> {
    stream: S,
    /// When something was written last.
    written: Option<Instant>,
    /// Since the way out is closed: until when, and how many bytes more.
    draining: Option<(Pin<Box<Sleep>>, usize)>,
}

impl<S> Linger<S> {
    pub(super) fn new(stream: S) -> Linger<S> {
        Linger {
            stream,
            written: None,
            draining: None,
        }
    }

    pub(super) fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Linger<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Linger<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.written = Some(Instant::now());
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.written = Some(Instant::now());
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Done when the peer has closed, or had its time.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Linger {
            stream,
            written,
            draining,
        } = &mut *self;
        if draining.is_none() {
            ready!(Pin::new(&mut *stream).poll_shutdown(cx))?;
        }
        // Nothing was sent: nothing can be lost.
        let Some(written) = *written else {
            return Poll::Ready(Ok(()));
        };
        let (until, left) =
            draining.get_or_insert_with(|| (Box::pin(sleep_until(written + LINGER)), DROPPED_MAX));
        let mut dropped = [0; 1024];
        while *left > 0 && until.as_mut().poll(cx).is_pending() {
            let mut into = ReadBuf::new(&mut dropped);
            match ready!(Pin::new(&mut *stream).poll_read(cx, &mut into)) {
                Ok(()) if !into.filled().is_empty() => {
                    *left = left.saturating_sub(into.filled().len());
                }
                // It has closed or is gone: either way nothing more is owed.
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn a_peer_that_closes_ends_it_and_one_that_does_not_has_its_time() {
        let (near, mut far) = duplex(64);
        let mut near = Linger::new(near);
        let ending = tokio::spawn(async move {
            near.write_all(b"the last answer").await.unwrap();
            near.shutdown().await.unwrap();
        });
        let mut answer = Vec::new();
        far.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"the last answer");
        // What is on the way does not fit the pipe, so it is read.
        far.write_all(&[7; 1000]).await.unwrap();
        assert!(!ending.is_finished());
        drop(far);
        ending.await.unwrap();
        let (near, _far) = duplex(64);
        let mut near = Linger::new(near);
        near.write_all(b"an answer").await.unwrap();
        near.shutdown().await.unwrap();
    }

    #[tokio::test]
    async fn who_was_idle_for_long_is_not_waited_for() {
        for written in [None, Instant::now().checked_sub(2 * LINGER)] {
            let (near, _far) = duplex(64);
            let mut near = Linger::new(near);
            near.written = written;
            let ended = is_done(near.shutdown()).await;
            assert!(ended, "{written:?}");
        }
    }

    /// Whether it is done at once.
    async fn is_done(ending: impl Future<Output = io::Result<()>>) -> bool {
        let mut ending = std::pin::pin!(ending);
        std::future::poll_fn(|cx| Poll::Ready(ending.as_mut().poll(cx).is_ready())).await
    }

    #[tokio::test]
    async fn a_peer_that_goes_on_sending_is_not_listened_to_for_ever() {
        let (near, mut far) = duplex(4096);
        let mut near = Linger::new(near);
        near.write_all(b"an answer").await.unwrap();
        let flood = async {
            let mut sent = 0;
            while far.write_all(&[7; 1000]).await.is_ok() {
                sent += 1000;
            }
            sent
        };
        let ending = async move { near.shutdown().await };
        let (sent, ended) = tokio::join!(flood, ending);
        ended.unwrap();
        assert!(sent >= DROPPED_MAX - 4096, "{sent}");
    }
}
