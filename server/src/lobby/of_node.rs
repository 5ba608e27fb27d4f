//! The lobby of a node as the cluster's task sees it: what the directory of all nodes is fed with
//! and gives, rooms that come and go by order, and whether anybody may be let in.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tickwire::ids::RoomId;
use tickwire::protocol::{ServerMessage, feature};

use super::desk::load;
use super::for_programs::Answering;
use super::restoring::NotRestored;
use super::shared::Shared;
use crate::directory::claims::Claim;
use crate::directory::nodes::{self, AskError, Asked, Nodes};
use crate::directory::ownership::messages::Incarnation;
use crate::worker::{Order, SendOn, Session};

/// For so long a client holds a connection to where it may be sent: room enough for a room that waits
/// for its turn to stop. Less, where a hello must come sooner: all nodes have the same settings.
const PREPARED_FOR: Duration = Duration::from_secs(4);

/// What another node is answered, in bytes.
pub(crate) enum Answered {
    Now(Vec<u8>),
    /// When a room or a disk has answered: no longer than a program waits, and no more of them than
    /// a link has questions.
    Later(Answering),
    /// Nothing: nobody serves programs here.
    Never,
}

/// See the module's description. Clones are the same lobby.
#[derive(Clone)]
pub(crate) struct NodeLobby {
    pub(super) shared: Arc<Shared>,
    nodes: Arc<Nodes>,
}

impl NodeLobby {
    pub(super) fn new(shared: Arc<Shared>, nodes: Arc<Nodes>) -> NodeLobby {
        NodeLobby { shared, nodes }
    }

    /// The directory of all nodes.
    pub(crate) fn nodes(&self) -> &Arc<Nodes> {
        &self.nodes
    }

    /// The load of the busiest worker, in thousandths of its time.
    pub(crate) fn load(&self) -> u16 {
        load(&*self.shared.registry)
    }

    /// The batch for the other nodes, with this load. Called once a second.
    pub(crate) fn tell(&self, load: u16, now: Instant) -> Vec<u8> {
        self.shared.tend_lending(now);
        self.shared.tell_others(&self.nodes, load, now)
    }

    /// What a node is answered.
    ///
    /// # Errors
    /// Nothing is asked there.
    pub(crate) fn asked(&self, ask: &[u8], now: Instant) -> Result<Answered, AskError> {
        Ok(match nodes::decode_ask(ask)? {
            Asked::Player(ask) => Answered::Now(nodes::encode(&self.shared.asked(ask, now))),
            Asked::Program(said) => match self.shared.programs.get() {
                Some(serve) => Answered::Later(serve(said)),
                None => Answered::Never,
            },
        })
    }

    /// A room comes here, of what is kept of it, and is ticked by `claim`. May wait for a worker.
    ///
    /// # Errors
    /// Why it can't.
    pub(crate) fn restore(
        &self,
        room: RoomId,
        bytes: &[u8],
        claim: Arc<Claim>,
        now: Instant,
    ) -> Result<(), NotRestored> {
        let restoring = self.shared.restoring();
        restoring.restore(room, bytes, Some(claim), now)?;
        // Who wants back into it waits for that.
        self.nodes.changed();
        Ok(())
    }

    /// Whether a room is here, with a worker or on the way to one.
    pub(crate) fn has(&self, room: RoomId) -> bool {
        self.shared.registry.worker_of(room).is_some()
    }

    /// Has a room's worker do something. Nothing, if there is no such room.
    pub(crate) fn order(&self, room: RoomId, order: Order) {
        let worker = self.shared.registry.worker_of(room);
        if let Some(worker) = worker.and_then(|worker| self.shared.workers.get(worker)) {
            worker.order(order);
        }
    }

    /// All rooms of an incarnation go, and their members look for them.
    pub(crate) fn disown(&self, who: Incarnation) {
        let workers = self.shared.workers.iter();
        workers.for_each(|worker| worker.order(Order::Disown { who }));
    }

    /// How the members of a room are sent to another node.
    pub(crate) fn way_to(&self, room: RoomId, to: Incarnation) -> SendOn {
        let lobby = self.clone();
        Arc::new(move |session: &Session| {
            let knows = session.features & feature::REDIRECT != 0;
            let folder = lobby.shared.folder(lobby.shared.game(session));
            let nodes = knows.then_some(&lobby.nodes)?;
            nodes.redirect(&session.identity, room, to, folder)
        })
    }

    /// How the members of a room are told that they will probably be sent to another node, by
    /// [`NodeLobby::way_to`].
    pub(crate) fn announcement(&self, to: Incarnation) -> SendOn {
        let lobby = self.clone();
        let patience = lobby.shared.hello_timeout * 4 / 5;
        let valid_ms = PREPARED_FOR.min(patience).as_millis() as u32;
        Arc::new(move |session: &Session| {
            let needs = feature::REDIRECT | feature::PREPARE;
            let knows = session.features & needs == needs;
            let folder = lobby.shared.folder(lobby.shared.game(session));
            let url = knows.then(|| lobby.nodes.url_of(to, folder))??;
            Some(ServerMessage::Prepare { url, valid_ms })
        })
    }

    /// Nobody may be let in, or they may again: until then whoever wants something in the lobby, or
    /// waits there, is closed with 1012 and looks for another node.
    pub(crate) fn freeze(&self, is_frozen: bool) {
        self.shared.is_frozen.store(is_frozen, Ordering::Relaxed);
        self.nodes.changed();
    }

    /// The node is not ready for players from now on; those who come are led to the others, where
    /// rooms are made, too.
    pub(crate) fn drain(&self) {
        // First what players have in common goes to another home, which tells nobody anything.
        let now = Instant::now();
        self.shared.do_lent(self.shared.lending.leave(now), now);
        self.nodes.drain();
    }

    /// The games' names, by their index.
    pub(crate) fn games(&self) -> Vec<&'static str> {
        self.shared.games.iter().map(|game| game.name).collect()
    }
}
