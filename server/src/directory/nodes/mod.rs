//! The directory of all nodes: what a lobby asks about rooms that other nodes tick, and what it
//! asks of those nodes. A server that is alone has none of it.
//!
//! The cluster feeds it, from the engine's tables ([`Nodes::live`], [`Nodes::found`]) and from the
//! links to peers ([`Nodes::told`], [`Nodes::answered`]), and takes from it what is to be sent:
//! [`Nodes::unsent`], [`Nodes::sought`], and what the lobby has to tell. Nothing here decides whose
//! a room is, or who gets a seat: the node where a room is does.

mod ask;
mod asks;
pub(crate) mod batch;
mod home;
mod mirror;
mod placement;
mod search;

use std::any::Any;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use ipnet::IpNet;
use parking_lot::Mutex;
use serde::Serialize;
use tickwire::ids::RoomId;
use tickwire::protocol::ServerMessage;
use tickwire::protocol::server_message::RoomInfo;
use tokio::sync::{Notify, oneshot, watch};

use super::filter::Filter;
use super::game_index::GameIndex;
use super::ownership::messages::Incarnation;
use super::ownership::placement::TAKES_NONE;
use super::rank::{Fit, NetworkMark, Standing};
use crate::auth::{Identity, TICKET_LIFE, Tickets};
use crate::date::Date;
pub(crate) use ask::{Answer, Ask, AskError, Asked, Given, What};
pub(crate) use asks::AskId;
use asks::Asks;
use batch::{Batch, BatchError, Told};
pub(crate) use mirror::KnownGame;
use mirror::Mirror;
use search::Searches;
pub(crate) use search::Trace;

/// For how long a room that was made elsewhere counts among its maker's before its node tells of
/// it: a few of its batches.
const UNTOLD: Duration = Duration::from_secs(5);

/// Who may wait at once for what the other nodes tell next: those who named a room that nobody
/// knows, for a second or two. Each has paid for a wrong guess, of which an address has 30 at once
/// and 10 a minute. Beyond: they are refused at once, as if all had told.
const LISTENERS_MAX: usize = 1024;

/// See the module's description.
pub(crate) struct Nodes {
    tickets: Tickets,
    /// What networks are hashed by.
    networks: Key,
    table: Mutex<Table>,
    /// Counts what changed, for those who wait for it.
    changes: watch::Sender<u64>,
    /// There is something to be sent.
    work: Notify,
}

struct Table {
    me: Incarnation,
    /// Rooms leave this node.
    drains: bool,
    mirror: Mirror,
    asks: Asks,
    searches: Searches,
    /// How many wait for the next batches.
    listeners: usize,
    /// Rooms that were made elsewhere for somebody who came here.
    made: BTreeMap<RoomId, Made>,
}

/// See [`Nodes::made`].
struct Made {
    at: Instant,
    /// Its node told of it since.
    is_told: bool,
    /// Its places in the limits of who made it.
    _held: Box<dyn Any + Send>,
}

impl Nodes {
    /// Of a node whose lobby knows these games, by their index. It knows no other node yet.
    /// `networks` is a key that all nodes have.
    pub(crate) fn new(
        me: Incarnation,
        tickets: Tickets,
        networks: &[u8],
        games: Vec<KnownGame>,
    ) -> Nodes {
        Nodes {
            tickets,
            networks: Key::new(HMAC_SHA256, networks),
            table: Mutex::new(Table {
                me,
                drains: false,
                mirror: Mirror::new(games),
                asks: Asks::default(),
                searches: Searches::default(),
                listeners: 0,
                made: BTreeMap::new(),
            }),
            changes: watch::Sender::new(0),
            work: Notify::new(),
        }
    }

    /// From the cluster: this node's incarnation, and the others that live, with where clients are
    /// sent. What was heard of any other is forgotten, and what was asked of it is refused.
    pub(crate) fn live(&self, me: Incarnation, others: &[(Incarnation, String)]) {
        let mut table = self.table.lock();
        table.me = me;
        table.mirror.live(others.iter().cloned());
        let is_there = |node| others.iter().any(|(other, _)| *other == node);
        table.asks.drop_but(is_there);
        drop(table);
        self.changed();
    }

    /// From the cluster: rooms leave this node from now on, and are made at others.
    pub(crate) fn drain(&self) {
        self.table.lock().drains = true;
    }

    /// Whether rooms leave this node.
    pub(crate) fn drains(&self) -> bool {
        self.table.lock().drains
    }

    /// Whether rooms are made at this node: not where they leave it, as long as there is another one
    /// that takes them.
    pub(crate) fn makes_rooms(&self) -> bool {
        self.table.lock().makes_rooms()
    }

    /// From the cluster: a node's batch.
    ///
    /// # Errors
    /// It is none; what the node told before stays.
    pub(crate) fn told(&self, node: Incarnation, batch: &[u8]) -> Result<(), BatchError> {
        let batch = Batch::decode(batch)?;
        self.table.lock().mirror.told(node, batch);
        self.changed();
        Ok(())
    }

    /// From the cluster: nobody hears a node at present. Until it tells again nobody is led there.
    pub(crate) fn doubted(&self, node: Incarnation) {
        self.table.lock().mirror.doubt(node);
    }

    /// For the cluster: the batch that says this of the own rooms, the first by rank first, `load`
    /// in thousandths of the busiest worker's time. Called once a second.
    pub(crate) fn tell(&self, load: u16, rooms: &[(GameIndex, Told)], now: Instant) -> Vec<u8> {
        let mut table = self.table.lock();
        let Table { mirror, made, .. } = &mut *table;
        mirror.doubt_the_silent(now);
        made.retain(|room, made| {
            let is_there = mirror.owner(*room).is_some();
            made.is_told |= is_there;
            is_there || (!made.is_told && now.saturating_duration_since(made.at) < UNTOLD)
        });
        let load = if table.drains { TAKES_NONE } else { load };
        let mirror = &table.mirror;
        batch::encode(load, &mirror.games(), rooms)
    }

    /// For the cluster: rooms whose owner somebody waits for and no node tells of, `max` at most,
    /// others with the next call.
    pub(crate) fn sought(&self, max: usize) -> Vec<RoomId> {
        self.table.lock().searches.next(max)
    }

    /// For the cluster: whether there is any.
    pub(crate) fn is_any_sought(&self) -> bool {
        self.table.lock().searches.is_any_unanswered()
    }

    /// From the cluster: whose sought rooms are by the engine's record. `None`: there is no record.
    /// All who wait look again once, and only if it says anything new.
    pub(crate) fn found(&self, rooms: impl IntoIterator<Item = (RoomId, Option<Incarnation>)>) {
        let mut table = self.table.lock();
        let is_news = rooms.into_iter().fold(false, |is_news, (room, owner)| {
            table.searches.found(room, owner) || is_news
        });
        drop(table);
        if is_news {
            self.changed();
        }
    }

    /// For the cluster: done when something is sought or to be asked that was not before.
    pub(crate) async fn has_work(&self) {
        self.work.notified().await;
    }

    /// For the cluster: what is to be asked of which node, each once.
    pub(crate) fn unsent(&self) -> Vec<(AskId, Incarnation, Vec<u8>)> {
        self.table.lock().asks.unsent()
    }

    /// From the cluster: what a node answered, `None` if it can't be asked.
    ///
    /// # Errors
    /// It is no answer; who waits for it is refused.
    pub(crate) fn answered(&self, id: AskId, answer: Option<&[u8]>) -> Result<(), AskError> {
        let read = self.table.lock().asks.answered(id, answer);
        self.changed();
        read
    }

    /// Who waits looks again: something is otherwise here, or at another node.
    pub(crate) fn changed(&self) {
        self.changes
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Tells of what changes from now on.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// What stands for a network, on all nodes.
    pub(crate) fn mark_network(&self, network: IpNet) -> NetworkMark {
        let tag = sign(&self.networks, network.to_string().as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&tag.as_ref()[..8]);
        NetworkMark(u64::from_le_bytes(first))
    }

    /// Who brings a ticket for this node.
    pub(crate) fn tickets(&self) -> &Tickets {
        &self.tickets
    }

    /// What sends somebody to the node of a room. `folder` is the game's, where the node has
    /// several. `None`: that node can't be reached.
    pub(crate) fn redirect(
        &self,
        who: &Identity,
        room: RoomId,
        to: Incarnation,
        folder: Option<&str>,
    ) -> Option<ServerMessage> {
        let node = self.reached(to)?;
        let ticket = self.tickets.issue(who, room, &node, Date::now())?;
        Some(ServerMessage::Redirect {
            url: in_folder(node, folder),
            ticket,
            room,
            valid_ms: TICKET_LIFE.as_millis() as u32,
        })
    }

    /// Where [`Nodes::redirect`] leads.
    pub(crate) fn url_of(&self, to: Incarnation, folder: Option<&str>) -> Option<String> {
        Some(in_folder(self.reached(to)?, folder))
    }

    /// A node's URL, if it can be reached.
    fn reached(&self, node: Incarnation) -> Option<String> {
        let mirror = &self.table.lock().mirror;
        let url = mirror.is_reached(node).then(|| mirror.url(node));
        url.flatten().map(str::to_owned)
    }

    /// The owner of a game's room that anyone may join who knows its number.
    pub(crate) fn owner_of_listed(&self, game: GameIndex, room: RoomId) -> Option<Incarnation> {
        let table = self.table.lock();
        let listed = table.mirror.listed(game, room);
        listed.then(|| table.mirror.owner(room)).flatten()
    }

    /// Which game a room of another node is of.
    pub(crate) fn game_of(&self, room: RoomId) -> Option<GameIndex> {
        self.table.lock().mirror.game_of(room)
    }

    /// A game's room with this code, and its owner.
    pub(crate) fn by_code(&self, game: GameIndex, code: &str) -> Option<(RoomId, Incarnation)> {
        let mirror = &self.table.lock().mirror;
        let room = mirror.by_code(game, code)?;
        Some((room, mirror.owner(room)?))
    }

    /// All rooms that lists may show.
    pub(crate) fn standings(&self, filter: &Filter) -> Vec<Standing> {
        self.table.lock().mirror.standings(filter)
    }

    /// Rooms as lists show them, in this order, without those that are gone.
    pub(crate) fn infos(&self, rooms: impl Iterator<Item = RoomId>) -> Vec<RoomInfo> {
        let mirror = &self.table.lock().mirror;
        rooms.filter_map(|room| mirror.info(room)).collect()
    }

    /// The best room for a quick join, but for these.
    pub(crate) fn best_to_join(
        &self,
        filter: &Filter,
        except: impl Fn(RoomId) -> bool,
    ) -> Option<(Fit, RoomId)> {
        self.table.lock().mirror.best_to_join(filter, except)
    }

    /// The best room to look on, but for these.
    pub(crate) fn best_to_watch(
        &self,
        filter: &Filter,
        except: impl Fn(RoomId) -> bool,
    ) -> Option<Standing> {
        self.table.lock().mirror.best_to_watch(filter, except)
    }

    /// See [`Mirror::named`].
    pub(crate) fn named(&self, game: GameIndex, name: &str) -> Option<(RoomId, bool, u64)> {
        self.table.lock().mirror.named(game, name)
    }

    /// Whether all nodes that live have told of their rooms: one that has just started does not
    /// know yet what there is.
    pub(crate) fn is_whole(&self) -> bool {
        self.table.lock().mirror.is_whole()
    }

    /// What has been told so far, to ask [`Nodes::have_told`] later.
    pub(crate) fn news(&self) -> u64 {
        self.table.lock().mirror.batches()
    }

    /// Whether all nodes that live have told of their rooms since then.
    pub(crate) fn have_told(&self, since: u64) -> bool {
        self.table.lock().mirror.have_told(since)
    }

    /// Somebody waits for that. False: too many do.
    pub(crate) fn listen(&self) -> bool {
        let listeners = &mut self.table.lock().listeners;
        let is_one_more = *listeners < LISTENERS_MAX;
        *listeners += usize::from(is_one_more);
        is_one_more
    }

    /// They wait no longer.
    pub(crate) fn stop_listening(&self) {
        self.table.lock().listeners -= 1;
    }

    /// Somebody waited for that for long enough: those that have told nothing by now, as one of
    /// another version, keep nobody waiting again.
    pub(crate) fn waited_for_all(&self) {
        self.table.lock().mirror.give_up();
    }

    /// The other node that makes the room of a name, `None` where this one does.
    pub(crate) fn home(&self, game: &str, name: &str) -> Option<Incarnation> {
        let table = self.table.lock();
        let me = table.makes_rooms().then_some(table.me);
        let nodes = table.mirror.takers().chain(me);
        let home = home::home(game, name, nodes);
        home.filter(|home| *home != table.me)
    }

    /// The other node where a room is to be made, `None` for here: see [`placement::place`].
    pub(crate) fn place(&self, own: Option<u16>, random: u64) -> Option<Incarnation> {
        let table = self.table.lock();
        let own = own.filter(|_| table.makes_rooms());
        placement::place(own, &table.mirror.loads(), random)
    }

    /// Asks a node for something. `None`: too much was asked already.
    pub(crate) fn ask(&self, to: Incarnation, ask: Ask) -> Option<AskId> {
        let mut table = self.table.lock();
        let seat = match &ask.what {
            What::Seat(room) => Some(*room),
            What::Room { .. } => None,
        };
        let id = table.asks.ask(to, ask::encode(&Asked::Player(ask)))?;
        match seat {
            Some(room) => table.mirror.expect(room, 1),
            None => table.mirror.burden(to),
        }
        drop(table);
        self.work.notify_one();
        Some(id)
    }

    /// Brings what a program says to the node of a room, which answers in its own bytes; none where
    /// the answer is dropped. `None`: no node that can be reached has the room, or too much was asked
    /// already.
    pub(crate) fn ask_for_program(
        &self,
        room: RoomId,
        said: Vec<u8>,
    ) -> Option<oneshot::Receiver<Vec<u8>>> {
        let Trace::At(to) = self.trace(room) else {
            return None;
        };
        let asked = ask::encode(&Asked::Program(said));
        let answer = self.table.lock().asks.ask_for_program(to, asked)?;
        self.work.notify_one();
        Some(answer)
    }

    /// What came of it; it is asked no longer then. `None`: nothing yet.
    pub(crate) fn answer(&self, id: AskId) -> Option<Answer> {
        let asks = &mut self.table.lock().asks;
        let answer = asks.answer(id)?;
        asks.close(id);
        Some(answer)
    }

    /// Nobody waits for the answer any longer.
    pub(crate) fn give_up(&self, id: AskId) {
        self.table.lock().asks.close(id);
    }

    /// A room turned somebody away: it is taken for full until its node tells of it again.
    pub(crate) fn refused_by(&self, room: RoomId) {
        self.table.lock().mirror.expect(room, u16::MAX);
    }

    /// A room was made elsewhere, and counts among its maker's for as long as nodes tell of it.
    pub(crate) fn made(&self, room: RoomId, held: Box<dyn Any + Send>, now: Instant) {
        let made = Made {
            at: now,
            is_told: false,
            _held: held,
        };
        self.table.lock().made.insert(room, made);
    }

    /// Somebody waits for a room that is not here. False: too many do.
    pub(crate) fn seek(&self, room: RoomId) -> bool {
        let is_begun = self.table.lock().searches.begin(room);
        self.work.notify_one();
        is_begun
    }

    /// They wait no longer.
    pub(crate) fn stop_seeking(&self, room: RoomId) {
        self.table.lock().searches.end(room);
    }

    /// What is known of a room that is not here. Where its node can't be reached, nothing.
    pub(crate) fn trace(&self, room: RoomId) -> Trace {
        let table = self.table.lock();
        let told = table.mirror.owner(room);
        let found = match told {
            Some(node) => Trace::At(node),
            None => table.searches.trace(room, table.me),
        };
        table.reached(found, room)
    }

    /// The same by the engine's record alone: of a room that comes here by what another node says,
    /// which what was told before contradicts.
    pub(crate) fn trace_by_record(&self, room: RoomId) -> Trace {
        let table = self.table.lock();
        table.reached(table.searches.trace(room, table.me), room)
    }
}

impl Table {
    fn makes_rooms(&self) -> bool {
        !self.drains || self.mirror.loads().is_empty()
    }

    /// A node that nobody hears, or that tells of its rooms and not of this one, is none to go to.
    fn reached(&self, found: Trace, room: RoomId) -> Trace {
        let is_out = |node| !self.mirror.is_reached(node) || !self.mirror.may_have(node, room);
        match found {
            Trace::At(node) if is_out(node) => Trace::Unknown,
            found => found,
        }
    }
}

/// A game's URL on a node that has several.
fn in_folder(node: String, folder: Option<&str>) -> String {
    match (folder, node.strip_suffix("/ws")) {
        (Some(game), Some(root)) => format!("{root}/g/{game}/ws"),
        _ => node,
    }
}

/// What one node says to another about what it was [`Asked`], in bytes, or that itself.
pub(crate) fn encode(what: &impl Serialize) -> Vec<u8> {
    ask::encode(what)
}

/// The bytes of what is asked.
///
/// # Errors
/// They are none.
pub(crate) fn decode_ask(bytes: &[u8]) -> Result<Asked, AskError> {
    ask::decode(bytes)
}

#[cfg(test)]
mod tests;
