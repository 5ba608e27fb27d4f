//! A node of a cluster: what becomes of each of its rooms between the engine's tables, which
//! [`Ownership`] keeps to, and the workers, which open, tick and close them. A state machine
//! without clock, socket or task: it is told what happened and when, and says what to do
//! ([`Node::poll`]). [`super::task`] runs it; the simulation of ownership runs whole clusters of it.
//!
//! A room comes in one of two ways. A worker opens one that is new, and it is created in the tables
//! while it is played. Or it is adopted: fetched from the engine and given to a worker. It goes when
//! a worker closes it, when it is lost to another node, or when it is handed over ([`hand_over`]).

mod hand_over;
mod rooms;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use tickwire::ids::RoomId;

use crate::directory::ownership::messages::{
    Answer, Command, Epoch, Incarnation, NodeRecord, Reply, Run,
};
use crate::directory::ownership::placement::TAKES_NONE;
use crate::directory::ownership::{Action, Anew, Ownership, State, Why};
#[cfg(test)]
pub(crate) use hand_over::PREPARE;
pub(crate) use hand_over::{Drained, Stopped, Written};
pub(crate) use rooms::Counts;
use rooms::{Rooms, Stage};

/// Between two tries to have rooms in the tables that the engine did not say anything of.
const CREATE_AGAIN: Duration = Duration::from_millis(500);
/// Between two tries to fetch what is kept of a room.
const FETCH_AGAIN: Duration = Duration::from_secs(1);
/// The same where it can't be played here and nobody else takes it: that changes when rooms close,
/// or another node comes. Each try reads the whole of it.
const NOT_HERE_AGAIN: Duration = Duration::from_secs(5);

/// What the caller is to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// To the engine, on this connection or not at all. What can't be sent at once may be dropped.
    Send(Run, Command),
    /// Ask this node's peer port for its contact; no answer is no answer.
    Ask(String),
    /// Fetch what is kept of a room and give it to a worker: [`Node::fetched`] follows.
    Fetch { room: RoomId, epoch: Epoch },
    /// A room that is played here is in the tables, at this epoch.
    Number { room: RoomId, epoch: Epoch },
    /// Tell a room's members that they will probably go to this node soon.
    Announce { room: RoomId, to: Incarnation },
    /// Have a room stand still, and its state: [`Node::stopped`] follows.
    Stop { room: RoomId },
    /// Keep that state in the engine: [`Node::written`] follows.
    Write { room: RoomId, epoch: Epoch },
    /// A room that stands still goes on.
    GoOn { room: RoomId },
    /// A room is played here no more. Whoever is in it is sent to `to`, or told to look for it.
    Drop {
        room: RoomId,
        to: Option<Incarnation>,
    },
    /// A room's number is another's: it ends.
    End { room: RoomId },
    /// Tell this node to read the tables.
    Hurry(String),
    /// Nobody may be let in, until [`Order::Thaw`].
    Freeze,
    /// They may.
    Thaw,
    /// All rooms are gone. The next incarnation is a new [`Node`] on another connection.
    StartAnew(Anew),
}

/// What came of [`Order::Fetch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fetched {
    /// A worker has the room.
    Restored,
    /// There is nothing of it, or nothing that anybody could use: it is closed.
    Nothing,
    /// The engine did not say, or a worker has a lot to do.
    NotYet,
    /// There is no place for it, or this node's games are not what it was saved by: another node
    /// may have it.
    NotHere,
}

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Node {
    own: Ownership,
    rooms: Rooms,
    /// Its own load, whatever it tells.
    load: u16,
    drains: bool,
    /// Between two rooms that leave.
    spacing: Duration,
    /// When the next room may be announced, and when the next may stop.
    announce_again: Duration,
    stop_again: Duration,
    /// When another node lived that takes rooms, as far as a drain has looked.
    hopeful_at: Duration,
    /// There has been none for a while.
    is_alone: bool,
    /// Rooms that were to leave so far.
    handed_over: usize,
    /// When rooms that are not in the tables are asked for again.
    create_at: Duration,
    /// What was not polled yet: no more than one change leads to.
    orders: VecDeque<Order>,
}

impl Node {
    /// One with this incarnation's ownership, and no rooms.
    pub(crate) fn new(own: Ownership) -> Node {
        Node {
            own,
            rooms: Rooms::default(),
            load: 0,
            drains: false,
            spacing: Duration::ZERO,
            announce_again: Duration::ZERO,
            stop_again: Duration::ZERO,
            hopeful_at: Duration::ZERO,
            is_alone: false,
            handed_over: 0,
            create_at: Duration::ZERO,
            orders: VecDeque::new(),
        }
    }

    /// See [`Ownership::connected`].
    pub(crate) fn connected(&mut self, now: Duration, run: Run) {
        self.own.connected(now, run);
        self.create_at = now;
    }

    /// See [`Ownership::disconnected`].
    pub(crate) fn disconnected(&mut self, now: Duration) {
        self.own.disconnected(now);
    }

    /// See [`Ownership::replied`].
    pub(crate) fn replied(&mut self, now: Duration, sent: Duration, run: Run, reply: Reply) {
        self.own.replied(now, sent, run, reply);
    }

    /// See [`Ownership::answered`].
    pub(crate) fn answered(&mut self, now: Duration, asked: Duration, node: &str, answer: Answer) {
        self.own.answered(now, asked, node, answer);
    }

    /// See [`Ownership::unreachable`].
    pub(crate) fn unreachable(&mut self, now: Duration, node: String) {
        self.own.unreachable(now, node);
    }

    /// See [`Ownership::contact`].
    pub(crate) fn contact(&self, now: Duration) -> Answer {
        self.own.contact(now)
    }

    /// See [`Ownership::hurry`].
    pub(crate) fn hurry(&mut self, now: Duration) {
        self.own.hurry(now);
    }

    /// See [`Ownership::others`].
    pub(crate) fn others(&self) -> impl Iterator<Item = (Incarnation, &NodeRecord)> {
        self.own.others()
    }

    /// See [`Ownership::state`].
    pub(crate) fn state(&self, now: Duration) -> State {
        self.own.state(now)
    }

    /// See [`Ownership::is_settled`].
    pub(crate) fn is_settled(&self, now: Duration) -> bool {
        self.own.is_settled(now)
    }

    /// Its load in thousandths of its busiest worker's time.
    pub(crate) fn set_load(&mut self, load: u16) {
        self.load = load.min(TAKES_NONE - 1);
    }

    /// What it tells the others: a node that drains or is full takes nothing.
    pub(crate) fn told_load(&self) -> u16 {
        match self.drains || self.rooms.len() >= self.own.places() {
            true => TAKES_NONE,
            false => self.load,
        }
    }

    /// A worker opened a room that is new, and ticks it.
    pub(crate) fn opened(&mut self, now: Duration, room: RoomId) {
        self.rooms.insert(room, Stage::new());
        self.create_at = self.create_at.min(now);
    }

    /// A worker closed a room for good.
    pub(crate) fn closed(&mut self, now: Duration, room: RoomId) {
        // Where its creation is not answered yet, the answer finds nobody.
        if self.rooms.remove(room).is_some() {
            self.own.closed(now, room);
        }
    }

    /// What came of fetching a room at an epoch.
    pub(crate) fn fetched(&mut self, now: Duration, room: RoomId, at: Epoch, what: Fetched) {
        match self.rooms.get(room) {
            Some(Stage::Fetching { epoch, .. }) if *epoch == at => match what {
                Fetched::Restored => self.rooms.insert(room, Stage::Played { epoch: at }),
                Fetched::Nothing => {
                    self.rooms.remove(room);
                    self.own.closed(now, room);
                }
                Fetched::NotYet => self.wait(room, at, now + FETCH_AGAIN),
                Fetched::NotHere => {
                    self.wait(room, at, now + NOT_HERE_AGAIN);
                    self.hand_on(now, room, at);
                }
            },
            // It was lost meanwhile, or is fetched anew.
            _ if what == Fetched::Restored => {
                self.orders.push_back(Order::Drop { room, to: None });
            }
            _ => {}
        }
    }

    /// What to do next; to be called until there is nothing, after each call and at
    /// [`Node::wakes_at`].
    pub(crate) fn poll(&mut self, now: Duration) -> Option<Order> {
        self.own.set_load(self.told_load());
        self.fetch_again(now);
        self.give_writes_up(now);
        self.create_again(now);
        self.hand_rooms_over(now);
        while self.orders.is_empty() {
            let action = self.own.poll(now)?;
            self.act(now, action);
        }
        self.orders.pop_front()
    }

    /// When to poll again, if nothing comes before.
    pub(crate) fn wakes_at(&self) -> Duration {
        let create = self.rooms.has_new().then_some(self.create_at);
        let fetch = self.rooms.fetch_at();
        let hand_over = self.hand_over_at();
        let others = [create, fetch, hand_over, self.rooms.overdue_at()];
        others
            .into_iter()
            .flatten()
            .fold(self.own.wakes_at(), Duration::min)
    }

    /// Its rooms: how many are played here, fetched, and not in the tables.
    pub(crate) fn counts(&self) -> Counts {
        self.rooms.counts()
    }

    /// Its rooms by number, with their epochs where the tables have them.
    pub(crate) fn epochs(&self) -> impl Iterator<Item = (RoomId, Option<Epoch>)> {
        self.rooms.epochs()
    }

    fn act(&mut self, now: Duration, action: Action) {
        let order = match action {
            Action::Send(run, command) => Order::Send(run, command),
            Action::Ask(node) => Order::Ask(node),
            Action::Start { room, epoch } => match self.rooms.get(room) {
                // What it asked for was made, and the answer was lost.
                Some(Stage::New { .. }) => self.number(room, epoch),
                _ => self.fetch(room, epoch),
            },
            Action::Created { room, epoch } => match self.rooms.get(room) {
                Some(Stage::New { .. }) => self.number(room, epoch),
                _ => return self.own.closed(now, room),
            },
            Action::NotCreated { room, is_taken } => return self.not_created(room, is_taken),
            Action::Keep { room } => return self.kept(now, room),
            Action::Drop { room, why } => return self.dropped(room, why),
            Action::Freeze => Order::Freeze,
            Action::Thaw => Order::Thaw,
            Action::StartAnew(why) => {
                self.rooms = Rooms::default();
                Order::StartAnew(why)
            }
        };
        self.orders.push_back(order);
    }

    fn number(&mut self, room: RoomId, epoch: Epoch) -> Order {
        self.rooms.insert(room, Stage::Played { epoch });
        Order::Number { room, epoch }
    }

    fn fetch(&mut self, room: RoomId, epoch: Epoch) -> Order {
        let again = None;
        self.rooms.insert(room, Stage::Fetching { epoch, again });
        Order::Fetch { room, epoch }
    }

    /// Its fetch is tried again then.
    fn wait(&mut self, room: RoomId, epoch: Epoch, again: Duration) {
        let again = Some(again);
        self.rooms.insert(room, Stage::Fetching { epoch, again });
    }

    fn fetch_again(&mut self, now: Duration) {
        for (room, epoch) in self.rooms.to_fetch(now) {
            let order = self.fetch(room, epoch);
            self.orders.push_back(order);
        }
    }

    /// Asks for the rooms that the tables don't have.
    fn create_again(&mut self, now: Duration) {
        if !self.rooms.has_new() || now < self.create_at {
            return;
        }
        self.create_at = now + CREATE_AGAIN;
        for room in self.rooms.not_asked() {
            // Without contact none of them can be.
            if !self.own.create(now, room) {
                continue;
            }
            if let Some(Stage::New { is_asked, .. }) = self.rooms.get_mut(room) {
                *is_asked = true;
            }
        }
    }

    fn not_created(&mut self, room: RoomId, is_taken: bool) {
        let Some(Stage::New {
            is_asked,
            is_doubted,
        }) = self.rooms.get_mut(room)
        else {
            return;
        };
        *is_asked = false;
        *is_doubted |= !is_taken;
        // One that is doubted may be in use by what this node asked for before: then it is found in
        // the tables and adopted.
        if !*is_doubted {
            self.rooms.remove(room);
            self.orders.push_back(Order::End { room });
        }
    }

    fn dropped(&mut self, room: RoomId, why: Why) {
        let was = self.rooms.remove(room);
        let to = match why {
            Why::HandedOver { to, .. } => Some(to),
            Why::Lost { owner } => Some(owner),
            Why::Unknown => None,
        };
        if let Why::HandedOver { to, .. } = why
            && let Some((_, record)) = self.own.others().find(|(who, _)| *who == to)
        {
            self.orders.push_back(Order::Hurry(record.node.clone()));
        }
        // What is fetched yet is no worker's, and is dropped when it comes.
        if !matches!(
            was,
            None | Some(Stage::Fetching { .. } | Stage::HandedOn { .. })
        ) {
            self.orders.push_back(Order::Drop { room, to });
        }
    }
}
