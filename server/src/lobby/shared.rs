//! What the lobby's parts share: the directory, the workers, who may come and who is here.
//! [`super::Lobby`] makes it; `sessions` serve clients with it.

use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tickwire::protocol::CloseCode;
use tokio::sync::{mpsc, watch};

use super::desk::Desk;
use super::for_programs::Serve;
use super::games::{GameToServe, Offered, event};
use super::guest_key;
use super::restoring::{self, Restoring};
use super::room_quotas::RoomQuotas;
use super::visitors::Visitors;
use crate::auth::{ClusterKeys, Entropy, HandleKey, Identity, Tickets, Tokens, Unauthorised};
use crate::checkpoint::keeping::Keeping;
use crate::checkpoint::{Keeper, Slots};
use crate::config::{Config, invalid};
use crate::date::Date;
use crate::directory::claims::Claims;
use crate::directory::local::Registry;
use crate::directory::nodes::{KnownGame, Nodes};
use crate::directory::ownership::messages::Incarnation;
use crate::directory::{Directory, GameIndex};
use crate::history::History;
use crate::lending::{Lending, NodeId};
use crate::metrics::Metrics;
use crate::moderation::{Moderation, Stored};
use crate::notices::{self, Notices};
use crate::people::People;
use crate::store::Store;
use crate::transport::End;
use crate::vitals::Vitals;
use crate::worker::{Client, Common, HostedGame, Peers, PlayLog, Return, Session, Worker};

/// What sessions need of the lobby.
pub(super) struct Shared {
    pub(super) registry: Arc<dyn Directory>,
    /// By their index; at least one.
    pub(super) games: Vec<Offered>,
    /// The same as the workers have them.
    pub(super) hosted: Arc<[Arc<HostedGame>]>,
    pub(super) workers: Vec<Worker>,
    pub(super) tokens: Tokens,
    pub(super) moderation: Moderation,
    pub(super) store: Store,
    pub(super) notices: Arc<Notices>,
    pub(super) history: Arc<History>,
    pub(super) people: Arc<People>,
    /// What this server has in common with others, if it is a node.
    pub(super) lending: Arc<Lending>,
    pub(super) room_quotas: RoomQuotas,
    /// The other nodes, of a server that is not alone.
    pub(super) nodes: OnceLock<Arc<Nodes>>,
    /// Who serves what programs say at those.
    pub(super) programs: OnceLock<Serve>,
    pub(super) visitors: Visitors,
    pub(super) metrics: Arc<Metrics>,
    pub(super) vitals: Vitals,
    pub(super) hello_timeout: Duration,
    pub(super) stall_timeout: Duration,
    /// Whether the server stops.
    pub(super) stopping: watch::Sender<bool>,
    /// Connections that are alive, wherever they are.
    pub(super) live: Arc<watch::Sender<usize>>,
    /// Whether this node may let nobody in now.
    pub(super) is_frozen: AtomicBool,
}

/// What a node of a cluster brings to its lobby.
pub(crate) struct NodeParts {
    /// By what its rooms are ticked.
    pub(crate) claims: Arc<Claims>,
    /// Where their states are kept.
    pub(crate) keeper: Box<dyn Keeper>,
}

/// What a lobby begins with.
pub(super) struct Built<T> {
    pub(super) shared: Arc<Shared>,
    /// What was made beside each worker.
    pub(super) beside: Vec<T>,
    /// The way back from them.
    pub(super) returned: mpsc::UnboundedReceiver<Return>,
    /// Who keeps rooms' states, if they are kept.
    pub(super) keeping: Option<Keeping>,
}

impl Shared {
    /// All of it, with the workers that `start` makes, and the rooms of before.
    pub(super) fn build<T>(
        games: &[GameToServe],
        config: &Config,
        metrics: Arc<Metrics>,
        entropy: Entropy,
        vitals: &Vitals,
        (node, stored): (Option<NodeParts>, Stored),
        mut start: impl FnMut(usize, Common) -> io::Result<(Worker, T)>,
    ) -> io::Result<Built<T>> {
        let mut config = config.clone();
        let folder = restoring::take_folder(&config).map_err(invalid)?;
        guest_key::settle(&mut config, folder.as_ref(), &stored.store, &entropy)
            .map_err(invalid)?;
        let config = &config;
        let tokens = Tokens::new(config, entropy.clone()).map_err(invalid)?;
        let store = stored.store.clone();
        let handles = stored.handle_secret.as_deref();
        let handles = handles.map_or_else(
            || tokens.handles().clone(),
            |secret| HandleKey::derive(secret.as_bytes()),
        );
        let moderation = Moderation::new(config, metrics.clone(), stored).map_err(invalid)?;
        let rooms_max_of = games.iter().map(|game| game.config.max_rooms as usize);
        let registry = Registry::new(config.max_rooms as usize, config.workers, entropy.clone());
        let registry = Arc::new(registry.with_rooms_max_of(rooms_max_of.collect()));
        let indexed = (0..).map(GameIndex).zip(games);
        let offered = indexed.map(|(index, game)| {
            let seed = u64::from_le_bytes(entropy.bytes().map_err(io::Error::other)?);
            Offered::new(index, game, &metrics, &store, seed)
        });
        let offered: io::Result<Vec<Offered>> = offered.collect();
        let indices = (0..=u8::MAX).map(GameIndex);
        let hosted = games.iter().zip(indices);
        let hosted = hosted.map(|(game, index)| Arc::new(game.hosted(index, &metrics)));
        let (returns, returned) = mpsc::unbounded_channel();
        let games: Arc<[Arc<HostedGame>]> = hosted.collect();
        let is_kept = folder.is_some() || node.is_some();
        let slots = is_kept.then(Arc::<Slots>::default);
        let play_log = config.play_log.as_deref().map(|path| {
            let opened = PlayLog::open(path);
            let why = |error| invalid(format!("play-log {}: {error}", path.display()));
            opened.map(Arc::new).map_err(why)
        });
        let history = Arc::new(History::new(store.clone(), metrics.clone()));
        let lending = Lending::new(
            moderation.presence(),
            games.iter().map(|game| game.def.name()).collect(),
            metrics.clone(),
        );
        let people = People::new(
            store.clone(),
            moderation.presence().clone(),
            metrics.clone(),
            handles,
            Instant::now(),
        );
        let people = Arc::new(people.with_lending(lending.clone()));
        let common = Common {
            slots: slots.clone(),
            play_log: play_log.transpose()?,
            store: store.clone(),
            history: history.clone(),
            people: people.clone(),
            claims: node.as_ref().map(|node| node.claims.clone()),
            registry: registry.clone(),
            metrics: metrics.clone(),
            returns,
            seats: tokens.seats().clone(),
            games: games.clone(),
            stall_timeout: config.stall_timeout,
            shuffle_rooms: config.shuffle_rooms,
            peers: Peers::default(),
        };
        let started: io::Result<Vec<_>> = (0..config.workers)
            .map(|index| start(index, common.clone()))
            .collect();
        let (workers, beside): (Vec<Worker>, _) = started?.into_iter().unzip();
        let keeping = notices::Keeping {
            store: store.clone(),
            span: config.keep_notices,
            read_event: {
                let games = games.clone();
                Box::new(move |game, name, fields| event(&games, Some(game), name, fields))
            },
        };
        let presence = moderation.presence().clone();
        let notices = Notices::new(presence, metrics.clone(), keeping);
        let made = metrics.player_rooms_hit.clone();
        let shared = Arc::new(Shared {
            registry,
            games: offered?,
            hosted: games,
            workers,
            tokens,
            notices: Arc::new(notices),
            moderation,
            history,
            people,
            lending,
            store,
            room_quotas: RoomQuotas::new(config.max_rooms_per_player, made),
            nodes: OnceLock::new(),
            programs: OnceLock::new(),
            visitors: Visitors::default(),
            metrics,
            vitals: vitals.clone(),
            hello_timeout: config.hello_timeout,
            stall_timeout: config.stall_timeout,
            stopping: watch::Sender::new(false),
            live: Arc::new(watch::Sender::new(0)),
            is_frozen: AtomicBool::new(false),
        });
        let keeper: Option<Box<dyn Keeper>> = match folder {
            Some(folder) => {
                let restoring = shared.restoring();
                restoring.restore_all(&folder).map_err(invalid)?;
                Some(Box::new(folder))
            }
            None => node.map(|node| node.keeper),
        };
        let keeping = keeper.zip(slots).map(|(keeper, slots)| {
            let names = shared.hosted.iter().map(|game| game.def.name()).collect();
            Keeping::new(slots, keeper, names, shared.metrics.clone())
        });
        Ok(Built {
            shared,
            beside,
            returned,
            keeping,
        })
    }

    /// The game that a client is of.
    pub(super) fn game(&self, session: &Session) -> &Offered {
        // Only who is in the table is ever written there.
        &self.games[usize::from(session.game.0)]
    }

    /// Becomes a node, which clients reach at `url`: what it is told of others, and is to tell
    /// them, goes by what is returned. Before anybody is let in, and once.
    pub(super) fn connect(
        &self,
        me: Incarnation,
        url: &str,
        keys: &ClusterKeys,
        entropy: Entropy,
    ) -> Arc<Nodes> {
        let games = self.games.iter().map(|game| KnownGame {
            name: game.name.to_owned(),
            metadata: game.rooms.metadata().to_vec(),
        });
        let tickets = Tickets::new(&keys.tickets, url, entropy);
        let nodes = Nodes::new(me, tickets, &keys.networks, games.collect());
        self.nodes.get_or_init(|| Arc::new(nodes)).clone()
    }

    /// Who has rooms made of what is kept of them.
    pub(super) fn restoring(&self) -> Restoring<'_> {
        Restoring {
            games: &self.hosted,
            workers: &self.workers,
            registry: &*self.registry,
            metrics: &self.metrics,
        }
    }

    /// What leads a client to rooms of its game.
    pub(super) fn desk(&self, session: &Session) -> Desk<'_> {
        self.desk_of(self.game(session))
    }

    /// The same for clients of a game.
    pub(super) fn desk_of<'a>(&'a self, game: &'a Offered) -> Desk<'a> {
        Desk {
            registry: &*self.registry,
            defaults: &game.rooms,
            room_quotas: &self.room_quotas,
            seats: self.tokens.seats(),
            visitors: &self.visitors,
            queueing: game.queueing.as_ref(),
            partying: &game.partying,
            nodes: self.nodes.get(),
            home: self.lending.home().map(|NodeId(home)| Incarnation(home)),
            game: game.name,
            folder: self.folder(game),
        }
    }

    /// A game's folder in the URLs of nodes, where the server has several.
    pub(super) fn folder(&self, game: &Offered) -> Option<&'static str> {
        (self.games.len() > 1).then_some(game.name)
    }

    /// Who brings this token, which may be a ticket that another node gave them, and the token to
    /// come back with.
    pub(super) fn identify(
        &self,
        token: &str,
        session: &mut Session,
    ) -> Result<(Identity, String), Unauthorised> {
        let redeemed = self.nodes.get().map(|nodes| nodes.tickets().redeem(token));
        let Some(ticket) = redeemed.transpose()?.flatten() else {
            return self.tokens.identify(token);
        };
        session.admitted = Some(ticket.room);
        self.tokens.vouch(ticket.who)
    }

    /// The index of the game of this name; `None` if there is no such game.
    pub(super) fn game_named(&self, name: &str) -> Option<GameIndex> {
        let place = self.games.iter().position(|game| game.name == name);
        place.and_then(|place| u8::try_from(place).ok().map(GameIndex))
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
        client.session.queue = None;
        client.session.party = None;
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
