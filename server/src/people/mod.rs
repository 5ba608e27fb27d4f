//! Channels outside of rooms, that of a game's lobby, those of two players and of parties, and the people in them:
//! by which handle they are addressed, whom they do not want to hear, what they have not read. Whoever
//! has a connection hands over what its client asks by [`People::ask`]; the answer, and lines, come by
//! the connection's mailbox ([`crate::presence`]), so that no tick and no lobby waits for a disk or for
//! the many who hear a line. Room chat is the room's; what was said there is [`crate::history`]'s.
//!
//! **A line** has its number under its channel's lock ([`channel`]), is put into the store, told to
//! those who hear the channel, and answered. One that is said again, by its nonce, is answered as
//! before.
//!
//! **With a database that other servers write too** a line is answered and told once it is stored, and
//! its number is the one that it has there: two servers may have given the same.
//!
//! **At a node of a cluster** that is not the home ([`crate::lending`]) nothing is served: it goes there
//! as it is ([`lent`]), and is served for the connection's stand-in.
//!
//! **Bounded**: [`QUEUE_MAX`] requests wait, of each connection eight, and one page; [`AT_ONCE`] are
//! served at a time; [`CHANNELS_MAX`] channels are remembered. What is beyond is refused.

mod arriving;
mod blocking;
mod channel;
mod crowd;
mod entering;
mod known;
mod lent;
mod reading;
mod saying;
mod typing;
mod typists;
mod watching;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tickwire::codec::encode_server;
use tickwire::protocol::people::Peer;
use tickwire::protocol::server_message::Refusal;
use tickwire::protocol::{
    CHANNEL_LOBBY, CHANNEL_OF_PARTY, CHANNEL_OF_TWO, ClientMessage, PeopleNews, PeopleRequest,
    ServerMessage,
};
use tokio::sync::{Mutex as Turn, mpsc};

use crate::auth::{Handle, HandleKey, Identity};
use crate::date;
use crate::lending::Lending;
use crate::metrics::Metrics;
use crate::presence::{Online, PartyChannel, Presence};
use crate::store::record::{Player, Record};
use crate::store::{ReadError, Store};
use channel::Channel;
use known::{Handles, Lately, Talkers, Unstored, handles};
use typists::Typists;
use watching::Watching;

/// Requests that wait: what a thousand clients ask that come at once.
const QUEUE_MAX: usize = 1024;
/// While more of these places are taken nobody is told who is typing.
const QUEUE_BUSY: usize = QUEUE_MAX / 4;
/// Requests that are served at a time: most wait for nothing, some for the store.
const AT_ONCE: usize = 4;
/// Channels that are remembered. Beyond: the one that was first is forgotten, and looked up again.
const CHANNELS_MAX: usize = 4096;
/// Players of whom it is known when something was last said to them. Beyond: that of the first is
/// forgotten.
const MARKED_MAX: usize = 10_000;
/// For what was put into the store to be there. Beyond: it is busy.
const SETTLE: Duration = Duration::from_secs(2);
/// Times that it is tried to look up what is kept of who comes.
const GREETS_MAX: usize = 3;

/// Which channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Where {
    /// Of the lobby of the connection's game.
    Lobby,
    /// Of its player and who has this handle.
    Two(Handle),
    /// Of its party, if it is this one.
    Party(PartyChannel),
}

impl Where {
    fn read(channel: &str) -> Option<Where> {
        if let Some(handle) = channel.strip_prefix(CHANNEL_OF_TWO) {
            return Handle::read(handle).map(Where::Two);
        }
        match channel.strip_prefix(CHANNEL_OF_PARTY) {
            Some(party) => PartyChannel::read(party).map(Where::Party),
            None => (channel == CHANNEL_LOBBY).then_some(Where::Lobby),
        }
    }
}

/// The channel with somebody, as clients name it.
fn of_two(peer: &Handle) -> String {
    format!("{CHANNEL_OF_TWO}{peer}")
}

/// That of a party.
fn of_party(party: PartyChannel) -> String {
    format!("{CHANNEL_OF_PARTY}{party}")
}

/// Something that a connection wants.
struct Ask {
    who: Arc<Online>,
    wants: Wants,
    at: Instant,
}

#[derive(Serialize, Deserialize)]
enum Wants {
    Say(Where, u32, String),
    Read(Where, u32, u32),
    Enter(u32, bool),
    Block(Handle, u32, bool),
    Saw(Handle, u32),
    /// To be told where these are, by their handles.
    Watch(Vec<String>),
    /// It is told to the others that its player writes there.
    Typing(Where),
    /// What is kept of its player; so many tries are left. The last one: the codec counts those that
    /// it writes.
    #[serde(skip)]
    Greet(usize),
}

/// See the module's description.
pub(crate) struct People {
    store: Store,
    presence: Presence,
    metrics: Arc<Metrics>,
    key: HandleKey,
    queue: mpsc::Sender<Ask>,
    asked: Turn<mpsc::Receiver<Ask>>,
    channels: Mutex<Lately<String, Arc<Turn<Channel>>>>,
    handles: Mutex<Handles>,
    talkers: Mutex<Talkers>,
    unstored: Mutex<Unstored>,
    /// When something of what a player has read, or not, was put into the store.
    marked: Mutex<Lately<Identity, Instant>>,
    watching: Watching,
    typists: Mutex<Typists>,
    /// Taken while somebody's blocks are changed.
    blocking: Turn<()>,
    start: Instant,
    /// Of a server that may be a node.
    lending: Option<Arc<Lending>>,
}

impl People {
    pub(crate) fn new(
        store: Store,
        presence: Presence,
        metrics: Arc<Metrics>,
        key: HandleKey,
        now: Instant,
    ) -> People {
        let (queue, asked) = mpsc::channel(QUEUE_MAX);
        People {
            store,
            presence,
            metrics,
            key,
            queue,
            asked: Turn::new(asked),
            channels: Mutex::new(Lately::new(CHANNELS_MAX)),
            handles: Mutex::new(handles()),
            talkers: Mutex::default(),
            unstored: Mutex::default(),
            marked: Mutex::new(Lately::new(MARKED_MAX)),
            watching: Watching::default(),
            typists: Mutex::default(),
            blocking: Turn::new(()),
            start: now,
            lending: None,
        }
    }

    /// The same of a server that may be a node.
    pub(crate) fn with_lending(mut self, lending: Arc<Lending>) -> People {
        self.lending = Some(lending);
        self
    }

    /// A player's handle.
    pub(crate) fn handle(&self, of: &Identity) -> Handle {
        self.key.handle(of)
    }

    /// A connection said hello: whom its player has blocked is looked up, unless nobody knows them.
    pub(crate) fn greet(&self, who: &Arc<Online>, is_new: bool, now: Instant) {
        if self.lends(who, is_new) {
            return;
        }
        self.look_up(who, is_new, now);
    }

    fn look_up(&self, who: &Arc<Online>, is_new: bool, now: Instant) {
        if is_new || !self.store.is_there() {
            let blocked = self.unstored.lock().blocked(&who.identity);
            return self.knows_blocked(who, blocked);
        }
        self.put(who, Wants::Greet(GREETS_MAX), now);
    }

    /// Somebody is to be erased: what is remembered of them here is not shown any more.
    pub(crate) async fn forget(&self, who: &Identity) {
        self.handles.lock().remove(&self.key.handle(who));
        self.marked.lock().remove(who);
        self.unblock_everywhere(who).await;
        let channels: Vec<_> = self.channels.lock().values().cloned().collect();
        for channel in channels {
            channel.lock().await.forget(who);
        }
    }

    /// A connection watches those alone from now on who have these handles. Never waits.
    pub(crate) fn watch(&self, who: &Arc<Online>, handles: Vec<String>, now: Instant) {
        if let Some(handles) = self.watches_home(who, handles, now) {
            self.watching.ask(who, &handles);
        }
    }

    /// Tells those who watch others what there is to tell at `now`; for who steps by hand, as
    /// [`People::serve_waiting`].
    pub(crate) fn tend_watches(&self, now: Instant) {
        let (presence, key) = (&self.presence, &self.key);
        let meet = |who: &Identity, name: &str| drop(self.remember(who, name));
        self.watching.tend(presence, key, &self.metrics, &meet, now);
    }

    /// A member of a room wants to know who this other one is.
    pub(crate) fn who(&self, identity: &Identity, name: &str) -> Peer {
        if let Some(lending) = &self.lending {
            lending.know(identity, name);
        }
        self.remember(identity, name)
    }

    /// A connection asks for something at `now`, in the lobby or a room. Never waits; what it is
    /// to be told at once, if anything.
    pub(crate) fn ask(
        &self,
        who: &Arc<Online>,
        message: ClientMessage,
        now: Instant,
    ) -> Option<ServerMessage> {
        let is_line = matches!(message, ClientMessage::Say { .. });
        let (nonce, wants) = match message {
            ClientMessage::Say {
                channel,
                nonce,
                text,
            } => {
                let channel = Where::read(&channel).ok_or(Refusal::NoSuchRoom);
                (
                    nonce,
                    channel.map(|channel| Wants::Say(channel, nonce, text)),
                )
            }
            ClientMessage::History {
                channel,
                nonce,
                before,
            } => {
                let channel = Where::read(&channel).ok_or(Refusal::NoSuchRoom);
                let wants = channel.map(|channel| Wants::Read(channel, nonce, before));
                return self.ask_page(who, wants, now).err().map(|reason| {
                    let result = Err(reason);
                    ServerMessage::Past { nonce, result }
                });
            }
            ClientMessage::People(PeopleRequest::Enter { nonce, lobby }) => {
                let wants = Ok(Wants::Enter(nonce, lobby));
                return self
                    .ask_page(who, wants, now)
                    .err()
                    .map(|reason| ServerMessage::People(PeopleNews::Out { nonce, reason }));
            }
            ClientMessage::People(PeopleRequest::Block {
                nonce,
                who,
                blocked,
            }) => {
                let who = Handle::read(&who).ok_or(Refusal::NoSuchPlayer);
                (nonce, who.map(|who| Wants::Block(who, nonce, blocked)))
            }
            ClientMessage::People(PeopleRequest::Read { who: peer, number }) => {
                if let Some(peer) = Handle::read(&peer) {
                    self.put(who, Wants::Saw(peer, number), now);
                }
                return None;
            }
            ClientMessage::Typing { channel } => {
                if let Some(channel) = Where::read(&channel) {
                    self.hint(who, channel, now);
                }
                return None;
            }
            // Of members a room knows.
            ClientMessage::People(PeopleRequest::Who { nonce, .. }) => {
                (nonce, Err(Refusal::NotInRoom))
            }
            _ => return None,
        };
        let refused = match wants {
            Err(reason) => reason,
            Ok(_) if !who.ask(now) => Refusal::TooOften,
            Ok(wants) => {
                if self.put(who, wants, now) {
                    return None;
                }
                who.unask(now);
                Refusal::Busy
            }
        };
        Some(if is_line {
            let result = Err(refused);
            ServerMessage::Said { nonce, result }
        } else {
            let result = Err(refused);
            ServerMessage::People(PeopleNews::Answer { nonce, result })
        })
    }

    fn ask_page(
        &self,
        who: &Arc<Online>,
        wants: Result<Wants, Refusal>,
        now: Instant,
    ) -> Result<(), Refusal> {
        let wants = wants?;
        if !who.expect_answer(now) {
            return Err(Refusal::TooOften);
        }
        if !self.put(who, wants, now) {
            who.answer(Default::default());
            return Err(Refusal::Busy);
        }
        Ok(())
    }

    /// Somebody writes a line: whoever is to hear of it does so soon, or not at all.
    fn hint(&self, who: &Arc<Online>, to: Where, at: Instant) {
        if !self.typists.lock().may(&who.identity, at) {
            return;
        }
        let wants = Wants::Typing(to);
        let is_here = self.hints_home(who, &wants);
        if is_here && self.queue.capacity() > QUEUE_MAX - QUEUE_BUSY {
            let who = who.clone();
            // One that finds no place is dropped as any is that comes too late.
            let _ = self.queue.try_send(Ask { who, wants, at });
        }
    }

    fn put(&self, who: &Arc<Online>, wants: Wants, at: Instant) -> bool {
        if let Wants::Say(..) = wants {
            self.typists.lock().said(&who.identity);
        }
        let is_in = self.goes_home(who, &wants, at).unwrap_or_else(|| {
            let who = who.clone();
            self.queue.try_send(Ask { who, wants, at }).is_ok()
        });
        self.metrics.people_refused.increment(u64::from(!is_in));
        is_in
    }

    /// Serves what is asked for, and tells of those who are watched, for as long as it is polled.
    pub(crate) async fn keep_serving(&self) {
        let servers: [_; AT_ONCE] = std::array::from_fn(|_| self.serve_on());
        let [a, b, c, d] = servers;
        let meet = |who: &Identity, name: &str| drop(self.remember(who, name));
        let (presence, key) = (&self.presence, &self.key);
        let watches = self.watching.keep(presence, key, &self.metrics, &meet);
        tokio::join!(a, b, c, d, watches);
    }

    async fn serve_on(&self) {
        loop {
            let next = self.asked.lock().await.recv().await;
            // The queue's other end is here, too.
            let Some(ask) = next else { return };
            self.serve(ask).await;
        }
    }

    /// Serves what waits, where nothing is stored: then nothing waits for anything. For who steps by
    /// hand; where something is stored [`People::keep_serving`] serves.
    pub(crate) fn serve_waiting(&self) {
        while !self.store.is_there() {
            let Some(ask) = self
                .asked
                .try_lock()
                .ok()
                .and_then(|mut asked| asked.try_recv().ok())
            else {
                return;
            };
            let mut served = std::pin::pin!(self.serve(ask));
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            let is_done = served.as_mut().poll(&mut context).is_ready();
            debug_assert!(is_done, "there is a store");
        }
    }

    async fn serve(&self, Ask { who, wants, at }: Ask) {
        match wants {
            Wants::Greet(tries) => {
                if self.blocked_of(&who).await.is_err() && tries > 1 {
                    self.put(&who, Wants::Greet(tries - 1), at);
                }
            }
            Wants::Say(to, nonce, text) => {
                let result = self.say(&who, to, nonce, &text, at).await;
                reply(&who, &ServerMessage::Said { nonce, result }, at);
            }
            Wants::Read(of, nonce, before) => self.read(&who, of, nonce, before).await,
            Wants::Enter(nonce, lobby) => self.enter(&who, nonce, lobby).await,
            Wants::Block(peer, nonce, is_in) => {
                let result = self.block(&who, peer, is_in).await;
                let answer = PeopleNews::Answer { nonce, result };
                reply(&who, &ServerMessage::People(answer), at);
            }
            Wants::Saw(peer, number) => self.saw(&who, peer, number).await,
            Wants::Watch(handles) => self.watching.ask(&who, &handles),
            Wants::Typing(to) => self.tell_typing(&who, to, at),
        }
    }

    fn may_talk(&self, who: &Identity) -> bool {
        let now_ms = self.start.elapsed().as_millis() as u64;
        self.talkers.lock().may(who, now_ms)
    }

    /// Who has a handle, and what they were called last.
    async fn find(&self, handle: Handle) -> Result<(Identity, String), Refusal> {
        if let Some(known) = self.handles.lock().get(&handle) {
            return Ok(known.clone());
        }
        let found = match self.store.player_of(&handle.to_string()).await {
            Ok(Some((player, name))) => Identity::read(&player).map(|of| (of, name)),
            Ok(None) | Err(ReadError::NoStore) => None,
            Err(error) => return Err(busy(&error)),
        };
        let (identity, name) = found.ok_or(Refusal::NoSuchPlayer)?;
        self.peer(&identity, &name);
        Ok((identity, name))
    }

    /// Somebody whose handle is told to others: by it they can be found from now on, also when they
    /// are away.
    fn remember(&self, identity: &Identity, name: &str) -> Peer {
        let handle = self.key.handle(identity);
        let mut handles = self.handles.lock();
        let is_new = handles.get(&handle).is_none();
        let known = handles.entry(&handle, || (identity.clone(), name.to_owned()));
        if known.1 != name {
            name.clone_into(&mut known.1);
        }
        drop(handles);
        // Users are stored when they say hello.
        if is_new && identity.is_guest {
            self.store.put(Record::Player(Player {
                player: identity.to_string(),
                name: name.to_owned(),
                handle: handle.to_string(),
                seen_at_ms: date::now_ms(),
            }));
        }
        Peer {
            handle: handle.to_string(),
            name: name.to_owned(),
        }
    }

    /// Somebody who is known by their handle already.
    fn peer(&self, identity: &Identity, name: &str) -> Peer {
        let handle = self.key.handle(identity);
        let known = || (identity.clone(), name.to_owned());
        self.handles.lock().entry(&handle, known);
        Peer {
            handle: handle.to_string(),
            name: name.to_owned(),
        }
    }

    /// What somebody was called last, as far as it is known.
    fn name(&self, handle: &Handle) -> String {
        let handles = self.handles.lock();
        handles
            .get(handle)
            .map_or_else(String::new, |(_, name)| name.clone())
    }
}

fn busy(error: &ReadError) -> Refusal {
    tracing::debug!(%error, "people can't be read of");
    Refusal::Busy
}

fn encoded(message: &ServerMessage) -> Bytes {
    encode_server(message).into()
}

fn reply(who: &Online, message: &ServerMessage, now: Instant) {
    who.reply(encoded(message), now);
}

#[cfg(test)]
mod tests;
