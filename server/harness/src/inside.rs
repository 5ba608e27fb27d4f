//! A server within the test's own process, on free ports, of any game and with any settings.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use tickwire_server::Site;
use tickwire_server::config::Config;
use tickwire_server::game::Game;
use tickwire_server::http::Listeners;
use tickwire_server::lobby::Neighbours;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::{File, PATIENCE};

/// Done when the server is to stop.
pub type Stopped = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A running server. It lives on the caller's runtime, and stops when this is dropped.
pub struct Server {
    /// The public port.
    pub public: SocketAddr,
    /// The operator's.
    pub ops: SocketAddr,
    /// That of the operator's programs, if the settings have one.
    pub api: Option<SocketAddr>,
    stop: oneshot::Sender<()>,
    run: JoinHandle<io::Result<()>>,
    /// What its settings name.
    _files: Vec<File>,
}

impl Server {
    /// Serves `G` with these settings, but for the ports.
    pub fn start<G: Game>(config: Config, site: Site) -> Server {
        Server::run(config, |listeners, config, stopped| {
            tickwire_server::run::<G>(listeners, config, site, stopped)
        })
    }

    /// The same as a node of several, which clients reach at `url`, or where it listens.
    pub fn start_among<G: Game>(
        config: Config,
        site: Site,
        neighbours: &Neighbours,
        url: Option<String>,
    ) -> Server {
        let neighbours = neighbours.clone();
        Server::run(config, move |listeners, config, stopped| {
            let server = tickwire_server::Server::new(config).game::<G>(site);
            server.among(&neighbours, url).run(listeners, stopped)
        })
    }

    /// The same by another way than [`tickwire_server::run`].
    pub fn run<F: Future<Output = io::Result<()>> + Send + 'static>(
        mut config: Config,
        run: impl FnOnce(Listeners, Config, Stopped) -> F,
    ) -> Server {
        config.listen.set_port(0);
        config.ops_listen.set_port(0);
        config.api_listen.iter_mut().for_each(|at| at.set_port(0));
        let listeners = Listeners::bind(&config).expect("there are free ports");
        let public = listeners.public.local_addr().expect("a bound port");
        let ops = listeners.ops.local_addr().expect("a bound port");
        let api = listeners.api.as_ref().map(|api| api.local_addr());
        let api = api.transpose().expect("a bound port");
        let (stop, stopped) = oneshot::channel();
        let stopped = Box::pin(async {
            let _ = stopped.await;
        });
        Server {
            public,
            ops,
            api,
            stop,
            run: tokio::spawn(run(listeners, config, stopped)),
            _files: Vec::new(),
        }
    }

    /// The same; the file is there for as long as the server.
    #[must_use]
    pub fn with_file(mut self, file: File) -> Server {
        self._files.push(file);
        self
    }

    /// Asks it to stop; how it ends.
    pub fn stop(self) -> JoinHandle<io::Result<()>> {
        let _ = self.stop.send(());
        self.run
    }

    /// Stops it, in order.
    pub async fn close(self) {
        let ended = timeout(PATIENCE, self.stop()).await;
        let ended = ended.expect("a stop is bounded in time");
        ended
            .expect("the server does not panic")
            .expect("it stops in order");
    }

    /// Why it did not start.
    pub async fn failure(self) -> io::Error {
        let ended = timeout(PATIENCE, self.run).await.expect("it ends");
        ended
            .expect("the server does not panic")
            .expect_err("it ends with an error")
    }

    /// A figure of the operator's port, as `name{labels}`.
    pub async fn figure(&self, name: &str) -> f64 {
        figure(&metrics(self.ops).await, name)
    }
}

/// All figures of an operator's port, as text.
pub async fn metrics(ops: SocketAddr) -> String {
    let read = async {
        let mut stream = TcpStream::connect(ops).await?;
        let request = "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        io::Result::Ok(answer)
    };
    let answer = timeout(PATIENCE, read).await.expect("an answer in time");
    answer.expect("the operator's port answers")
}

/// The value of the line `name{labels}` in such a text; of a figure that each game has, of all
/// games together where `name` has no labels.
pub fn figure(text: &str, name: &str) -> f64 {
    let value = |line: &str| {
        let rest = line.strip_prefix(name)?;
        let of_a_game = rest.strip_prefix("{game=\"");
        let of_a_game = of_a_game.and_then(|rest| rest.split_once("\"}"));
        let value = of_a_game.map_or(rest, |(_, value)| value);
        value.strip_prefix(' ')?.parse::<f64>().ok()
    };
    let values: Vec<f64> = text.lines().filter_map(value).collect();
    assert!(!values.is_empty(), "no {name} in {text}");
    values.iter().sum()
}
