//! What a stream's request is, by its path, and what a connection becomes that is its answer. What is
//! done about it is `streams`'s, what it says in its body the transport's.

use std::sync::Arc;

use hyper::Method;
use rustls::ServerConnection;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::http1::Port;
use super::reply;
use crate::transport::http_stream::Exchange;
use crate::transport::websocket::Tcp;

/// What the public port takes: of all that has a body these requests alone.
pub(super) const PORT: Port = Port {
    takes: |request| request.method() == Method::POST && is_stream(request.uri().path()),
    refuse: |status, line| reply::text(status, line),
};

/// Whether a path, of a game or of none, may be that of a stream. What else it is, is found out
/// later.
fn is_stream(path: &str) -> bool {
    path.ends_with("/x") || path.contains("/x/")
}

/// Which request a path is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked<'a> {
    Open,
    /// To the stream of this number.
    Up(&'a str),
    Down(&'a str),
}

/// What a path within a game asks for, if that is of a stream.
pub(super) fn asked(path: &str) -> Option<Asked<'_>> {
    let rest = path.strip_prefix("/x")?;
    if rest.is_empty() {
        return Some(Asked::Open);
    }
    let rest = rest.strip_prefix('/')?;
    Some(match rest.strip_suffix("/down") {
        Some(id) => Asked::Down(id),
        None => Asked::Up(rest),
    })
}

/// A connection that is the answer of a stream.
pub(super) struct Down {
    pub(super) exchange: Arc<Exchange<Tcp>>,
    pub(super) received: u32,
}

/// What a stream of bytes is made of.
pub(super) trait Layers: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    fn into_layers(self) -> (TcpStream, Option<ServerConnection>);
}

impl Layers for TcpStream {
    fn into_layers(self) -> (TcpStream, Option<ServerConnection>) {
        (self, None)
    }
}

impl Layers for TlsStream<TcpStream> {
    fn into_layers(self) -> (TcpStream, Option<ServerConnection>) {
        let (stream, session) = self.into_inner();
        (stream, Some(session))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_say_what_is_asked() {
        assert_eq!(asked("/x"), Some(Asked::Open));
        assert_eq!(asked("/x/0a"), Some(Asked::Up("0a")));
        assert_eq!(asked("/x/0a/down"), Some(Asked::Down("0a")));
        for other in ["/", "/xy", "/ws", "/index.html", "/y/x"] {
            assert_eq!(asked(other), None, "{other}");
        }
    }
}
