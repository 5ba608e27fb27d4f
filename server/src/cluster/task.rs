//! The task that drives a node: it brings to [`Node`] what the engine, the peers and the workers
//! say, and has done what that says. It decides nothing. The order in which things happen here is
//! the order in which they count; what takes time is [`super::work`]'s.

mod shown;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tickwire::ids::RoomId;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::link::{self, Link};
use super::name::{Name, incarnation};
use super::node::{Drained, Fetched, Node, Order, Stopped, Written};
use super::status::{self, Status};
use super::work::{Outcome, State as RoomState, Work};
use crate::auth::Entropy;
use crate::directory::claims::Claims;
use crate::directory::engine::{Engine, Event, OWNERS_MAX};
use crate::directory::nodes::AskId;
use crate::directory::ownership::State;
use crate::directory::ownership::messages::{Incarnation, Reply, Run};
use crate::lobby::{Answered, NodeLobby};
use crate::metrics::Metrics;
use crate::worker;

/// Between two batches for the other nodes.
const TELL: Duration = Duration::from_secs(1);
/// The same where rooms move: until then many may have.
const TELL_SOON: Duration = Duration::from_millis(100);
/// Between two questions whose the rooms are that somebody waits for.
const SEEK: Duration = Duration::from_millis(100);
/// Until it is looked again whether a node takes more than it did.
const COMMON_AGAIN: Duration = Duration::from_millis(20);
/// Until an engine that can't be had is tried for again.
const ENGINE_AGAIN: Duration = Duration::from_secs(1);

/// What makes an engine, anew after each incarnation.
pub(super) type StartEngine = Arc<dyn Fn() -> JoinHandle<Option<Engine>> + Send + Sync>;

/// What it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wanted {
    Play,
    Drain,
    /// The server has stopped: the task ends.
    Leave,
}

/// See the module's description.
pub(super) struct Task {
    pub(super) name: Name,
    pub(super) me: Incarnation,
    pub(super) node: Node,
    pub(super) engine: Option<Engine>,
    pub(super) start_engine: StartEngine,
    pub(super) starting: Option<JoinHandle<Option<Engine>>>,
    pub(super) link: Link,
    pub(super) peers: mpsc::Receiver<link::Event>,
    pub(super) claims: Arc<Claims>,
    pub(super) lobby: NodeLobby,
    pub(super) work: Work,
    pub(super) outcomes: mpsc::Receiver<(Incarnation, Outcome)>,
    pub(super) entropy: Entropy,
    pub(super) metrics: Arc<Metrics>,
    pub(super) wanted: watch::Receiver<Wanted>,
    /// What operators see, and who waits for something.
    pub(super) status: watch::Sender<Status>,
    /// States of rooms that stand still, to be written.
    pub(super) states: BTreeMap<RoomId, RoomState>,
    pub(super) tell_at: Duration,
    /// When it is looked whether a node takes more of what players have in common.
    pub(super) common_at: Option<Duration>,
    pub(super) seek_at: Duration,
    pub(super) is_seeking: bool,
    pub(super) is_connected: bool,
    /// The state and drain that the last line in the log said, and until when time was counted.
    pub(super) seen: (State, Drained, Duration),
}

impl Task {
    /// Until the server has stopped.
    pub(super) async fn run(mut self) {
        loop {
            if self.wanted.has_changed().unwrap_or(true) && self.heed() == Wanted::Leave {
                return;
            }
            self.follow();
            let wake = self.name.began + self.wakes_at().min(self.now() + TELL);
            tokio::select! {
                biased;
                event = next(&mut self.engine) => self.engine_says(event),
                engine = started(&mut self.starting) => self.engine_started(engine),
                Some(event) = self.peers.recv() => self.peer_says(event),
                Some((who, outcome)) = self.outcomes.recv() => self.came_of_it(who, outcome),
                () = self.claims.news() => self.workers_say(),
                // Heeded with the next pass.
                () = changed(&mut self.wanted) => {}
                () = async { self.lobby.nodes().has_work().await } => {}
                () = async { self.lobby.has_lent().await } => {}
                () = tokio::time::sleep_until(wake.into()) => {}
            }
        }
    }

    fn now(&self) -> Duration {
        self.name.began.elapsed()
    }

    fn wakes_at(&self) -> Duration {
        let seek = self.seek_at;
        let is_sought = !self.is_seeking && self.lobby.nodes().is_any_sought();
        let wakes = self.node.wakes_at().min(self.tell_at);
        let wakes = self.common_at.map_or(wakes, |at| at.min(wakes));
        if is_sought { wakes.min(seek) } else { wakes }
    }

    /// Does all that is to be done by now.
    fn follow(&mut self) {
        if self.tell_at <= self.now() {
            self.tell_at = self.now() + TELL;
            let load = self.lobby.load();
            self.node.set_load(load);
            let batch = self.lobby.tell(self.node.told_load(), Instant::now());
            self.link.publish(batch.into());
            self.show();
        }
        while let Some(order) = self.node.poll(self.now()) {
            self.carry_out(order);
        }
        self.ask_peers();
        self.send_common();
        self.seek();
        self.count_time();
    }

    fn carry_out(&mut self, order: Order) {
        match order {
            Order::Send(run, command) => {
                if let Some(engine) = &self.engine
                    && engine.send(run, command).is_err()
                {
                    self.metrics.engine_dropped.increment(1);
                }
            }
            Order::Ask(node) => self.link.contact(&node, self.now()),
            Order::Fetch { room, epoch } => self.work.fetch(self.me, room, epoch),
            Order::Number { room, epoch } => self.claims.number(room, epoch),
            Order::Announce { room, to } => {
                let to = self.lobby.announcement(to);
                self.lobby.order(room, worker::Order::Announce { room, to });
            }
            Order::Stop { room } => self.work.stop(self.me, room, &self.lobby.games()),
            Order::Write { room, epoch } => match self.states.remove(&room) {
                Some(state) => self.work.write(self.me, room, epoch, state),
                None => {
                    let now = self.now();
                    self.node.written(now, room, epoch, Written::Failed);
                }
            },
            Order::GoOn { room } => self.lobby.order(room, worker::Order::GoOn { room }),
            Order::Drop { room, to } => self.drop_room(room, to),
            Order::End { room } => {
                tracing::error!(%room, "a new room's number is another's: it ends");
                self.lobby.order(room, worker::Order::End { room });
            }
            Order::Hurry(node) => self.link.hurry(&node),
            Order::Freeze => self.freeze(true),
            Order::Thaw => self.freeze(false),
            Order::StartAnew(why) => {
                tracing::warn!(?why, "this node has lost its rooms, and goes on without");
                self.start_anew();
            }
        }
    }

    fn drop_room(&mut self, room: RoomId, to: Option<Incarnation>) {
        self.claims.lost(room);
        self.tell_soon();
        let way = match to {
            Some(to) => {
                self.metrics.rooms_handed_over.increment(1);
                self.lobby.way_to(room, to)
            }
            None => Arc::new(|_: &worker::Session| None),
        };
        let order = worker::Order::Drop { room, to: way };
        self.lobby.order(room, order);
    }

    fn freeze(&mut self, is_frozen: bool) {
        self.lobby.freeze(is_frozen);
        // The others lead nobody here, or do so again.
        self.tell_at = self.now();
    }

    /// What the others were told of rooms is no longer so.
    fn tell_soon(&mut self) {
        self.tell_at = self.tell_at.min(self.now() + TELL_SOON);
    }

    /// All rooms go, and the next incarnation begins, on another connection.
    fn start_anew(&mut self) {
        let (gone, now) = (self.me, self.now());
        let Ok(me) = incarnation(&self.entropy) else {
            // Without it stays the one that is over, which does nothing.
            return tracing::error!("no random numbers: this node does not come back");
        };
        self.me = me;
        let own = self.name.ownership(now, me);
        self.claims.begin_anew(self.me, own.lease());
        self.node = Node::new(own);
        if *self.wanted.borrow() >= Wanted::Drain {
            self.node.drain(now);
        }
        self.lobby.disown(gone);
        self.freeze(true);
        self.states.clear();
        self.link.rename(self.me);
        self.engine = None;
        self.starting = Some((self.start_engine)());
        self.metrics.node_incarnations.increment(1);
    }

    fn engine_started(&mut self, engine: Option<Engine>) {
        self.starting = None;
        match engine {
            Some(engine) => self.engine = Some(engine),
            None => {
                let again = self.start_engine.clone();
                self.starting = Some(tokio::spawn(async move {
                    tokio::time::sleep(ENGINE_AGAIN).await;
                    again().await.ok().flatten()
                }));
            }
        }
    }

    fn engine_says(&mut self, event: Option<Event>) {
        let now = self.now();
        match event {
            Some(Event::Connected { run }) => {
                self.is_connected = true;
                self.claims.doubt();
                self.node.connected(now, run);
            }
            Some(Event::Disconnected { run: Run(run), why }) => {
                tracing::warn!(run, %why, "no connection to the engine; rooms play on");
                self.is_connected = false;
                self.node.disconnected(now);
            }
            Some(Event::Replied { run, sent, reply }) => {
                let sent = sent.saturating_duration_since(self.name.began);
                let is_beat = matches!(reply, Reply::Beat { .. });
                let was_frozen = self.node.state(now) != State::Attached;
                self.node.replied(now, sent, run, reply);
                if is_beat {
                    self.meet();
                    if was_frozen && self.node.state(now) == State::Attached {
                        self.freeze(false);
                    }
                }
            }
            Some(Event::Failed { run: Run(run), why }) => {
                tracing::warn!(run, %why, "the engine did not carry something out");
            }
            // Only a fault of its own ends its task.
            None => {
                tracing::error!("the engine's task ended");
                self.node.disconnected(now);
                (self.engine, self.is_connected) = (None, false);
                self.starting = Some((self.start_engine)());
            }
        }
    }

    /// The tables of a beat's answer: who there is.
    fn meet(&mut self) {
        let others: Vec<(Incarnation, String)> = self
            .node
            .others()
            .map(|(who, record)| (who, record.url.clone()))
            .collect();
        self.lobby.meet(self.me, &others, Instant::now());
        let nodes: Vec<String> = self.node.others().map(|(_, of)| of.node.clone()).collect();
        self.link.dial(nodes.iter().map(String::as_str));
        self.metrics.cluster_nodes.set(others.len() as f64 + 1.0);
    }

    fn peer_says(&mut self, event: link::Event) {
        let now = self.now();
        match event {
            link::Event::Contact {
                node,
                asked,
                answer,
            } => self.node.answered(now, asked, &node, answer),
            link::Event::Unreachable { node } => {
                let there = self.node.others().filter(|(_, of)| of.node == node);
                let there: Vec<Incarnation> = there.map(|(who, _)| who).collect();
                let nodes = self.lobby.nodes();
                there.into_iter().for_each(|who| nodes.doubted(who));
                self.node.unreachable(now, node);
            }
            link::Event::Answered { id, body } => {
                let answered = self.lobby.nodes().answered(AskId(id), body.as_deref());
                if let Err(error) = answered {
                    tracing::warn!(%error, "a node's answer can't be read");
                }
            }
            link::Event::AskedContact { reply } => reply.send(self.node.contact(now)),
            link::Event::Asked { from, body, reply } => {
                match self.lobby.asked(&body, Instant::now()) {
                    Ok(Answered::Now(answer)) => reply.send(answer.into()),
                    Ok(Answered::Later(answer)) => {
                        tokio::spawn(async { reply.send(answer.await.into()) });
                    }
                    Ok(Answered::Never) => {}
                    Err(error) => {
                        let from = status::shown(from);
                        tracing::warn!(from, %error, "a node's question can't be read");
                    }
                }
            }
            link::Event::Told { from } => {
                let told = self.link.told(from);
                let told = told.map(|batch| self.lobby.nodes().told(from, &batch));
                if let Some(Err(error)) = told {
                    let from = status::shown(from);
                    tracing::warn!(from, %error, "what a node tells of its rooms can't be read");
                }
            }
            link::Event::Common { from, frame } => {
                if let Err(error) = self.lobby.lent(from, &frame, Instant::now()) {
                    let from = status::shown(from);
                    tracing::warn!(from, %error, "what a node lends can't be read");
                }
            }
            link::Event::Hurry { from } => {
                tracing::debug!(
                    from = status::shown(from),
                    "a node says that there are news"
                );
                self.node.hurry(now);
            }
        }
    }

    fn workers_say(&mut self) {
        let now = self.now();
        while let Some((room, is_there)) = self.claims.take() {
            match is_there {
                true => self.node.opened(now, room),
                false => self.node.closed(now, room),
            }
        }
    }

    fn came_of_it(&mut self, who: Incarnation, outcome: Outcome) {
        let now = self.now();
        if let Outcome::Owners(rooms, owners) = outcome {
            self.is_seeking = false;
            return self.found(rooms, owners.ok());
        }
        if who != self.me {
            // A room that comes to a worker after all others went is dropped there.
            return;
        }
        match outcome {
            Outcome::Fetched { room, epoch, what } => {
                match what {
                    Fetched::Nothing | Fetched::NotHere => self.claims.lost(room),
                    Fetched::Restored => self.tell_soon(),
                    Fetched::NotYet => {}
                }
                self.node.fetched(now, room, epoch, what);
            }
            Outcome::Stopped { room, what, state } => {
                if let (Stopped::Saved, Some(state)) = (what, state) {
                    self.states.insert(room, state);
                }
                self.node.stopped(now, room, what);
            }
            Outcome::Written { room, epoch, what } => self.node.written(now, room, epoch, what),
            Outcome::Owners(..) => {}
        }
    }

    /// Whose the rooms are that somebody waits for. That one has no record means something only
    /// once all who live have asserted theirs.
    fn found(&mut self, rooms: Vec<RoomId>, owners: Option<Vec<Option<Incarnation>>>) {
        let is_settled = self.node.is_settled(self.now());
        let found = rooms.into_iter().zip(owners.unwrap_or_default());
        let found = found.filter(|(_, owner)| owner.is_some() || is_settled);
        self.lobby.nodes().found(found);
    }

    fn seek(&mut self) {
        if self.is_seeking || self.now() < self.seek_at {
            return;
        }
        let rooms = self.lobby.nodes().sought(OWNERS_MAX);
        if rooms.is_empty() {
            return;
        }
        self.is_seeking = true;
        self.seek_at = self.now() + SEEK;
        self.work.ask_owners(self.me, rooms);
    }

    fn ask_peers(&mut self) {
        for (id, to, body) in self.lobby.nodes().unsent() {
            let node = self.node.others().find(|(who, _)| *who == to);
            let is_asked = node.is_some_and(|(_, record)| {
                self.link.ask(&record.node, to, id.0, Bytes::from(body))
            });
            if !is_asked {
                // That it can't be is no answer that can't be read.
                let _ = self.lobby.nodes().answered(id, None);
            }
        }
    }

    /// What players have in common goes to the other nodes, as far as they take it.
    fn send_common(&mut self) {
        let (node, link, is_full) = (&self.node, &self.link, Cell::new(false));
        let name = |to: Incarnation| node.others().find(|(who, _)| *who == to);
        // What is for a node that is gone goes nowhere.
        let takes = |to: Incarnation| {
            let takes = name(to).is_none_or(|(_, of)| link.takes_common(&of.node));
            is_full.set(is_full.get() || !takes);
            takes
        };
        while let Some((to, frame)) = self.lobby.next_lent(takes) {
            if let Some((_, of)) = name(to) {
                link.send_common(&of.node, to, frame);
            }
        }
        self.common_at = is_full.get().then(|| self.now() + COMMON_AGAIN);
    }

    fn heed(&mut self) -> Wanted {
        let wanted = *self.wanted.borrow_and_update();
        if wanted >= Wanted::Drain {
            let now = self.now();
            self.lobby.drain();
            self.node.drain(now);
            // The others hear of it at once.
            self.tell_at = now;
        }
        wanted
    }
}

/// Done when something else is wanted than was seen; it stays unseen.
async fn changed(wanted: &mut watch::Receiver<Wanted>) {
    if wanted.changed().await.is_ok() {
        wanted.mark_changed();
    }
}

/// The next event of an engine, if there is one.
async fn next(engine: &mut Option<Engine>) -> Option<Event> {
    match engine {
        Some(engine) => engine.next().await,
        None => std::future::pending().await,
    }
}

/// The engine that is being started, once it is.
async fn started(starting: &mut Option<JoinHandle<Option<Engine>>>) -> Option<Engine> {
    match starting {
        Some(starting) => starting.await.ok().flatten(),
        None => std::future::pending().await,
    }
}
