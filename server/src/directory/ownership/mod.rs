//! Who ticks which room when there are several nodes: at most one at any time, whatever dies,
//! stops, is cut off or forgets. [`Ownership`] is one node's part as a state machine without clock,
//! socket or task: it is told what came ([`Ownership::replied`], [`Ownership::answered`]) and when,
//! and says what to do ([`Ownership::poll`]). The cluster's task runs it; its tests run whole
//! clusters of it on virtual time.
//!
//! # How it works
//! - A node's process has a random *incarnation*, and beats to the engine. Its *lease* ends for the
//!   node itself [`Timing::freeze`] after the newest answered beat was sent, for others when they
//!   saw the same beat for [`Timing::silence`] ([`members`]). Only monotonic clocks count.
//! - A room has an owner and an *epoch*, its fencing token. Owners that may play assert their rooms
//!   with each beat, so the tables grow back after a failover that lost writes, or an empty start. A room
//!   changes hands only by compare-and-set, at a higher epoch: from one that was *fenced* first, or
//!   that gave it away.
//! - *Attached* is who holds a lease. Without the engine a node is *detached* and plays on while
//!   all who could adopt its rooms say that they have no engine either ([`peers`]). Else it is
//!   *frozen*: nothing is ticked or sent. If contact comes back on the same connection nothing was
//!   lost, and it thaws; on another one a fence may have been lost, and it starts anew, with
//!   nothing.
//! - Who would fence or adopt has had contact for [`Timing::settle`] on one connection; all who
//!   live have asserted what is theirs by then.
//!
//! Incarnations and "silent since I looked" are Chandra's and Toueg's failure detectors, made safe
//! by fencing as in Chubby (Burrows 2006). What a command's lost answer leaves behind is found in
//! the tables and adopted like any orphan: no command is repeated blindly.
//!
//! # What the caller does
//! Room tasks compare the [`Lease`] that they were started under with their own clock before each
//! tick. It says with each answer when its command was polled, hands over none of a connection that
//! it closed, and calls [`Ownership::connected`] for each new one: a change that is not noticed
//! would hide a failover. The engine must not answer for longer than 2 s after another took its
//! place: for Redis that is `min-replicas-to-write 1` with a `min-replicas-max-lag` below the time
//! to fail over.

mod answers;
mod contact;
mod lease;
mod members;
pub(crate) mod messages;
mod peers;
pub(crate) mod placement;
mod rooms;
#[cfg(test)]
mod tests;
mod timing;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tickwire::ids::RoomId;

use contact::Contact;
pub(crate) use lease::Lease;
use members::Members;
use messages::{Answer, Command, Epoch, Incarnation, NodeRecord, ROOMS_MAX, Run};
use peers::Peers;
use rooms::{Asked, Rooms};
pub(crate) use timing::Timing;

/// Least time between two beats that are not due: what changed is soon known, and many changes at
/// once are one beat.
const HURRY: Duration = Duration::from_millis(20);

/// What the caller is to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// To the engine, on this connection or not at all. What can't be sent at once may be dropped.
    Send(Run, Command),
    /// Ask this node's peer port for its contact; no answer is no answer.
    Ask(String),
    /// A room is this node's: fetch what is kept of it and tick it. Where nothing is, nobody can be
    /// in it: [`Ownership::closed`].
    Start { room: RoomId, epoch: Epoch },
    /// A room that was asked for exists, empty.
    Created { room: RoomId, epoch: Epoch },
    /// It does not. `is_taken`: its number is in use, perhaps by what an earlier command made whose
    /// answer was lost; else the engine did not say.
    NotCreated { room: RoomId, is_taken: bool },
    /// Hand-over failed, the room is still this node's: tick on where it stopped.
    Keep { room: RoomId },
    /// A room is this node's no more. It is not ticked by now ([`Why`]).
    Drop { room: RoomId, why: Why },
    /// The lease is over: nothing is sent, sockets are closed with 1012.
    Freeze,
    /// It is held again.
    Thaw,
    /// All rooms are gone. The next incarnation is a new `Ownership` on another connection.
    StartAnew(Anew),
}

/// Why a room is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It was handed over. Tell the new owner, which then calls [`Ownership::hurry`].
    HandedOver { to: Incarnation, epoch: Epoch },
    /// Whether it was handed over is not known. If it was not, it is started again.
    Unknown,
    /// The engine says that it has another owner. That happens after a hand-over whose answer came
    /// late, and if an engine gave an epoch twice.
    Lost { owner: Incarnation },
}

/// Why an incarnation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anew {
    /// The others took it for dead.
    Fenced,
    /// It was frozen, and has another connection now: a fence may have been lost.
    FrozenTooLong,
}

/// How a node plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// No beat was answered yet.
    New,
    /// It holds a lease.
    Attached,
    /// It plays on without the engine.
    Detached,
    /// It does not play.
    Frozen,
    /// It is no more.
    Ended,
}

/// One incarnation of a node. Times are since the process's start, by its monotonic clock.
#[derive(Debug)]
pub(crate) struct Ownership {
    me: Incarnation,
    node: String,
    url: String,
    load: u16,
    places: usize,
    timing: Timing,
    seed: u64,
    lease: Arc<Lease>,
    contact: Contact,
    members: Members,
    peers: Peers,
    rooms: Rooms,
    is_frozen: bool,
    is_ended: bool,
    /// The last beat's number, and when it was made.
    beat: u64,
    beat_at: Option<Duration>,
    next_beat: Duration,
    /// At most what one answer leads to, and what was not polled yet.
    actions: VecDeque<Action>,
}

impl Ownership {
    /// A new incarnation, with nothing: `node` is where its peers ask it, `url` where clients are
    /// sent; `seed` spreads its beats. It beats as soon as it is connected.
    pub(crate) fn new(
        now: Duration,
        me: Incarnation,
        node: String,
        url: String,
        timing: Timing,
        seed: u64,
    ) -> Ownership {
        Ownership {
            me,
            members: Members::new(me, node.clone()),
            node,
            url,
            load: 0,
            places: ROOMS_MAX,
            timing,
            seed,
            lease: Arc::default(),
            contact: Contact::default(),
            peers: Peers::default(),
            rooms: Rooms::default(),
            is_frozen: false,
            is_ended: false,
            beat: 0,
            beat_at: None,
            next_beat: now,
            actions: VecDeque::new(),
        }
    }

    /// The same with so many rooms at most: beyond, it adopts none that another could have.
    pub(crate) fn with_places(mut self, rooms: usize) -> Ownership {
        self.places = rooms.min(ROOMS_MAX);
        self
    }

    /// How many rooms it may have.
    pub(crate) fn places(&self) -> usize {
        self.places
    }

    /// What rooms of this incarnation compare with their clock.
    pub(crate) fn lease(&self) -> Arc<Lease> {
        Arc::clone(&self.lease)
    }

    /// A connection to the engine is open, the only one from now on.
    pub(crate) fn connected(&mut self, now: Duration, run: Run) {
        self.disconnected(now);
        self.contact.open = Some(run);
        self.next_beat = now;
    }

    /// The connection is gone, with the answers that were to come.
    pub(crate) fn disconnected(&mut self, now: Duration) {
        self.pass(now);
        self.contact.open = None;
        self.rooms.forget_orphans();
        self.give_up(None);
    }

    /// A node's peer port said this, asked at `asked`.
    pub(crate) fn answered(&mut self, now: Duration, asked: Duration, node: &str, answer: Answer) {
        self.pass(now);
        if self.peers.answered(asked, node, answer) {
            self.fence(now);
            self.hurry(now);
        }
        self.pass(now);
    }

    /// The link to a node broke: it may be dead, which is asked at once.
    pub(crate) fn unreachable(&mut self, now: Duration, node: String) {
        self.pass(now);
        if !self.is_ended {
            self.actions.push_back(Action::Ask(node));
        }
    }

    /// What this node answers to the question of a peer. Contact that is young is none yet: for as
    /// long as the answer holds nothing is fenced or adopted by it. So an engine that comes back,
    /// also without its tables, finds all who played on without it, each as it connects.
    pub(crate) fn contact(&self, now: Duration) -> Answer {
        if self.contact.is_fresh(now, &self.timing) && self.contact.is_lasting(now, &self.timing) {
            Answer::Contact(self.me)
        } else {
            Answer::NoContact(self.me)
        }
    }

    /// Makes a room; [`Action::Created`] or [`Action::NotCreated`] follows. False: not now, there
    /// is no contact with the engine or no place.
    pub(crate) fn create(&mut self, now: Duration, room: RoomId) -> bool {
        self.pass(now);
        let is_free = self.rooms.is_unknown(room) && self.rooms.has_place(ROOMS_MAX);
        let Some(run) = self.open(now).filter(|_| is_free) else {
            return false;
        };
        self.ask_for(now, run, room, Asked::Create);
        true
    }

    /// A room is closed for good: nobody is in it. Of one that is not owned nothing comes.
    pub(crate) fn closed(&mut self, now: Duration, room: RoomId) {
        self.pass(now);
        let Some(epoch) = self.rooms.owned.remove(&room) else {
            return;
        };
        let asked = Asked::Forget { epoch };
        match self.contact.open {
            Some(run) => self.ask_for(now, run, room, asked),
            None => drop(self.rooms.asked.insert(room, (asked, now))),
        }
    }

    /// Gives a room away that its task has stopped ticking, and whose last state is written:
    /// [`Action::Drop`] or [`Action::Keep`] follows. False: not now, or not to this one: it must be
    /// known for as long as a failover may take back, and live.
    pub(crate) fn hand_over(&mut self, now: Duration, room: RoomId, to: Incarnation) -> bool {
        self.pass(now);
        let is_fit = self.able(now).any(|(who, _)| who == to);
        let run = self.open(now).filter(|_| is_fit);
        let (Some(run), Some(epoch)) = (run, self.rooms.owned.get(&room).copied()) else {
            return false;
        };
        self.rooms.owned.remove(&room);
        self.ask_for(now, run, room, Asked::HandOver { epoch, to });
        true
    }

    /// Those to whom a room may be given now, with their loads.
    pub(crate) fn takers(&self, now: Duration) -> Vec<(Incarnation, u16)> {
        let takes = |(_, load): &(Incarnation, u16)| *load != placement::TAKES_NONE;
        match self.open(now) {
            Some(_) => self.able(now).filter(takes).collect(),
            None => Vec::new(),
        }
    }

    /// Whether another node lives that takes rooms, now or once it is known for long enough.
    pub(crate) fn is_hopeful(&self, now: Duration) -> bool {
        let mut lively = self.members.lively(now, &self.peers, &self.timing);
        lively.any(|(_, load)| load != placement::TAKES_NONE)
    }

    /// Those that live and have been known for as long as a failover may take back, and as they
    /// take to adopt anything: a room that they have before stands still until they do.
    fn able(&self, now: Duration) -> impl Iterator<Item = (Incarnation, u16)> {
        let lively = self.members.lively(now, &self.peers, &self.timing);
        lively.filter(move |(who, _)| {
            let known = self.peers.known_since(*who);
            known.is_some_and(|since| now.saturating_sub(since) >= self.timing.settle)
        })
    }

    /// Whether contact with the engine has lasted for so long that what its tables lack is not
    /// about to be told by who plays it.
    pub(crate) fn is_settled(&self, now: Duration) -> bool {
        self.contact.settled(now, &self.timing).is_some()
    }

    /// Its load in thousandths of its busiest worker's time; [`placement::TAKES_NONE`]: it adopts
    /// nothing.
    pub(crate) fn set_load(&mut self, load: u16) {
        self.load = load;
    }

    /// Something is to be learnt or told soon: the next beat does not wait.
    pub(crate) fn hurry(&mut self, now: Duration) {
        let soon = self.beat_at.map_or(now, |at| (at + HURRY).max(now));
        self.next_beat = self.next_beat.min(soon);
    }

    /// What to do next; to be called until there is nothing, after each call and at
    /// [`Ownership::wakes_at`].
    pub(crate) fn poll(&mut self, now: Duration) -> Option<Action> {
        self.pass(now);
        if !self.is_ended && self.next_beat <= now {
            self.beat(now);
        }
        self.actions.pop_front()
    }

    /// When to poll again, if nothing comes before.
    pub(crate) fn wakes_at(&self) -> Duration {
        if self.is_ended {
            return Duration::MAX;
        }
        let lapses = self.until().filter(|_| !self.is_frozen);
        lapses.map_or(self.next_beat, |until| until.min(self.next_beat))
    }

    /// How it plays.
    pub(crate) fn state(&self, now: Duration) -> State {
        let attached = self.contact.sent.map(|sent| sent + self.timing.freeze);
        match attached {
            _ if self.is_ended => State::Ended,
            None => State::New,
            _ if self.is_frozen => State::Frozen,
            Some(until) if now < until => State::Attached,
            Some(_) => State::Detached,
        }
    }

    /// The rooms that it owns, with their epochs.
    #[cfg(test)]
    pub(crate) fn owned(&self) -> impl Iterator<Item = (RoomId, Epoch)> {
        self.rooms.owned.iter().map(|(room, epoch)| (*room, *epoch))
    }

    /// The others, as of the last answered beat.
    pub(crate) fn others(&self) -> impl Iterator<Item = (Incarnation, &NodeRecord)> {
        self.members.others()
    }

    /// When the lease ends; `None` before there was one.
    fn until(&self) -> Option<Duration> {
        let sent = self.contact.sent?;
        let attached = sent + self.timing.freeze;
        let detached = self.peers.without_engine_until(&self.timing);
        let detached = detached.map(|until| until.min(sent + self.timing.detached));
        Some(detached.map_or(attached, |until| until.max(attached)))
    }

    /// Time passed: a lease that ended is over, also if it would be longer by what comes now.
    fn pass(&mut self, now: Duration) {
        let until = self.until().filter(|_| !self.is_frozen && !self.is_ended);
        match until {
            Some(until) if until <= now => {
                self.is_frozen = true;
                self.lease.hold(Duration::ZERO);
                self.actions.push_back(Action::Freeze);
            }
            Some(until) => self.lease.hold(until),
            None => {}
        }
    }

    /// The open connection, if the engine answered on it lately and this node plays.
    fn open(&self, now: Duration) -> Option<Run> {
        let is_fresh = self.contact.is_fresh(now, &self.timing);
        let is_able = is_fresh && !self.is_frozen && !self.is_ended;
        self.contact.open.filter(|_| is_able)
    }

    /// The incarnation is over.
    fn end(&mut self, why: Anew) {
        self.is_ended = true;
        self.lease.hold(Duration::ZERO);
        self.rooms = Rooms::default();
        self.actions.clear();
        self.actions.push_back(Action::StartAnew(why));
    }

    fn beat(&mut self, now: Duration) {
        self.beat += 1;
        self.beat_at = Some(now);
        let tenth = self.timing.beat / 10;
        let jitter = placement::mix(self.seed ^ self.beat) % 1000;
        self.next_beat = now + self.timing.beat - tenth + tenth * 2 * jitter as u32 / 1000;
        self.give_up(Some(now.saturating_sub(self.timing.wait)));
        if let Some(run) = self.contact.open {
            let record = NodeRecord {
                node: self.node.clone(),
                beat: self.beat,
                url: self.url.clone(),
                load: self.load,
                knows: self.peers.known(),
            };
            // Who is frozen ends with the answer, and its rooms may have been others' for long. Where
            // the engine has lost that as well, a word of them would have them adopted while they
            // are played.
            let is_over = self.is_frozen && self.contact.is_another();
            let rooms = match is_over {
                true => Vec::new(),
                false => self.rooms.asserted(),
            };
            let me = self.me;
            let beat = Command::Beat { me, record, rooms };
            self.actions.push_back(Action::Send(run, beat));
        }
        let asks = self.peers.nodes().into_iter().map(Action::Ask);
        self.actions.extend(asks);
    }

    /// What was asked before then has no answer: what came of it is in the tables.
    fn give_up(&mut self, before: Option<Duration>) {
        for (room, asked) in self.rooms.overdue(before) {
            self.rooms.asked.remove(&room);
            match asked {
                Asked::Create => {
                    let is_taken = false;
                    self.actions
                        .push_back(Action::NotCreated { room, is_taken });
                }
                Asked::HandOver { .. } => {
                    let why = Why::Unknown;
                    self.actions.push_back(Action::Drop { room, why });
                }
                Asked::Adopt { .. } | Asked::Forget { .. } => {}
            }
        }
    }

    /// Sends what is asked for a room, and remembers it.
    fn ask_for(&mut self, now: Duration, run: Run, room: RoomId, asked: Asked) {
        let me = self.me;
        let command = match asked {
            Asked::Create => Command::Create { room, me },
            Asked::HandOver { epoch, to } => Command::HandOver {
                room,
                epoch,
                me,
                to,
            },
            Asked::Forget { epoch } => Command::Forget { room, epoch, me },
            Asked::Adopt { old } => Command::Adopt { room, old, me },
        };
        self.rooms.asked.insert(room, (asked, now));
        self.actions.push_back(Action::Send(run, command));
    }
}
