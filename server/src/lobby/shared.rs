//! What the lobby's parts share: the directory, the workers, who may come and who is here.
//! [`super::Lobby`] makes it; `sessions` serve clients with it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tickwire::protocol::CloseCode;
use tokio::sync::{mpsc, watch};

use super::matchmaking::RoomDefaults;
use super::room_quotas::RoomQuotas;
use super::welcome::Welcome;
use crate::admission::limiter::Rates;
use crate::auth::{Entropy, Tokens};
use crate::config::Config;
use crate::date::Date;
use crate::directory::Directory;
use crate::directory::local::Registry;
use crate::game::{Game, GameDef};
use crate::metrics::Metrics;
use crate::moderation::Moderation;
use crate::transport::End;
use crate::vitals::Vitals;
use crate::worker::{Client, Common, Peers, Return, Worker};

/// What sessions need of the lobby.
pub(super) struct Shared {
    pub(super) registry: Arc<dyn Directory>,
    pub(super) rooms: RoomDefaults,
    pub(super) workers: Vec<Worker>,
    pub(super) welcome: Welcome,
    pub(super) tokens: Tokens,
    pub(super) moderation: Moderation,
    pub(super) room_quotas: RoomQuotas,
    pub(super) metrics: Arc<Metrics>,
    pub(super) vitals: Vitals,
    pub(super) rates: Rates,
    pub(super) hello_timeout: Duration,
    pub(super) stall_timeout: Duration,
    /// Whether the server stops.
    pub(super) stopping: watch::Sender<bool>,
    /// Connections that are alive, wherever they are.
    pub(super) live: Arc<watch::Sender<usize>>,
}

impl Shared {
    /// All of it, with the workers that `start` makes, what it made beside each, and the way back
    /// from them.
    pub(super) fn build<G: Game, T>(
        game: &Arc<GameDef<G>>,
        config: &Config,
        metrics: Arc<Metrics>,
        entropy: Entropy,
        vitals: &Vitals,
        mut start: impl FnMut(usize, Common) -> io::Result<(Worker, T)>,
    ) -> io::Result<(Arc<Shared>, Vec<T>, mpsc::UnboundedReceiver<Return>)> {
        let invalid = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
        let tokens = Tokens::new(config).map_err(invalid)?;
        let moderation = Moderation::new(config, metrics.clone()).map_err(invalid)?;
        let rooms_max = config.max_rooms as usize;
        let registry = Registry::new(rooms_max, config.workers, entropy.clone());
        let registry = Arc::new(registry);
        let rates = Rates {
            messages_per_second: config.messages_per_second,
            bytes_per_second: config.bytes_per_second,
            control_per_second: config.control_per_second,
        };
        let (returns, returned) = mpsc::unbounded_channel();
        let common = Common {
            registry: registry.clone(),
            metrics: metrics.clone(),
            returns,
            entropy,
            rates,
            stall_timeout: config.stall_timeout,
            room_linger: config.room_linger,
            idle_after: config.idle_after,
            shuffle_rooms: config.shuffle_rooms,
            peers: Peers::default(),
        };
        let welcome = Welcome::new(game, config).map_err(invalid)?;
        let started: io::Result<Vec<_>> = (0..config.workers)
            .map(|index| start(index, common.clone()))
            .collect();
        let (workers, beside) = started?.into_iter().unzip();
        let made = metrics.player_rooms_hit.clone();
        let shared = Arc::new(Shared {
            registry,
            rooms: RoomDefaults::new(config, G::SEATS_MAX),
            workers,
            welcome,
            tokens,
            moderation,
            room_quotas: RoomQuotas::new(config.max_rooms_per_player, made),
            metrics,
            vitals: vitals.clone(),
            rates,
            hello_timeout: config.hello_timeout,
            stall_timeout: config.stall_timeout,
            stopping: watch::Sender::new(false),
            live: Arc::new(watch::Sender::new(0)),
        });
        Ok((shared, beside, returned))
    }

    /// A client comes. After the handshake, so that the page can say why if it may not.
    pub(super) fn admit(&self, client: &mut Client) -> Result<(), End> {
        client.hold(Box::new(Live::new(self)));
        self.metrics.sockets_opened.increment(1);
        let address = client.conn.peer().ip();
        match self.moderation.keeps_out(address, Date::now()) {
            true => Err(End::Close(CloseCode::Banned)),
            false => Ok(()),
        }
    }

    /// Ends a client's connection, in a task of its own.
    pub(super) fn part(&self, client: Client, end: End) {
        if let Some(client) = self.parted(client, end) {
            tokio::spawn(client.close(end));
        }
    }

    /// A client plays no more: from here it may have to go for others. `None`: there is nobody to
    /// tell.
    pub(super) fn parted(&self, mut client: Client, end: End) -> Option<Client> {
        self.count_end(end);
        client.session.online = None;
        client.session.stand_up();
        (end != End::Lost).then_some(client)
    }

    pub(super) fn count_end(&self, end: End) {
        let code = match end {
            End::Close(code) => Some(code),
            End::Goodbye | End::Away => Some(CloseCode::Normal),
            End::Lost => None,
        };
        self.metrics.sockets_closed(code).increment(1);
        if code.is_some_and(CloseCode::is_clients_fault) {
            self.metrics.messages_rejected.increment(1);
        }
    }
}

/// Counts a connection for as long as it lives.
struct Live {
    live: Arc<watch::Sender<usize>>,
    metrics: Arc<Metrics>,
}

impl Live {
    fn new(shared: &Shared) -> Live {
        shared.live.send_modify(|live| *live += 1);
        shared.metrics.sockets_open.increment(1);
        Live {
            live: shared.live.clone(),
            metrics: shared.metrics.clone(),
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.live.send_modify(|live| *live -= 1);
        self.metrics.sockets_open.decrement(1);
    }
}
