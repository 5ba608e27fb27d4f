//! A server of the pond on a free port, within the test's process.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use outside_game::Pond;
use tickwire_server::Site;
use tickwire_server::config::Config;
use tickwire_server::http::Listeners;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longest that a stop may take.
const STOP_WITHIN: Duration = Duration::from_secs(20);

pub(crate) struct Pool {
    pub(crate) addr: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<io::Result<()>>,
}

impl Pool {
    pub(crate) fn open<const LEAK: u8>(npcs: u16) -> Pool {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let config = Config {
            listen: free,
            ops_listen: free,
            npcs,
            seed: Some(4),
            ..Config::default()
        };
        let listeners = Listeners::bind(&config).expect("free ports");
        let addr = listeners.public.local_addr().expect("a bound port");
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            let _ = stopped.await;
        };
        let game = tickwire_server::run::<Pond<LEAK>>(listeners, config, Site::new(), shutdown);
        Pool {
            addr,
            stop,
            server: tokio::spawn(game),
        }
    }

    pub(crate) async fn close(self) {
        self.stop.send(()).expect("the server is running");
        let ended = timeout(STOP_WITHIN, self.server).await;
        let ended = ended.expect("a stop is bounded in time");
        ended
            .expect("the server does not panic")
            .expect("it stops in order");
    }
}
