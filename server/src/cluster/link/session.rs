//! One connection of a link as a state machine: bytes and times in, bytes and events out; no
//! socket, no clock, no task. [`super::connection`] runs it on a socket, its tests in memory.
//!
//! A dialer opens, the acceptor answers with its proof, the dialer proves itself: then both are
//! *linked*. Until then one read of a peer is kept, and nothing of it is believed; from then on
//! every message has its tag. Whatever is not as it should be ends the session.

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::keys::{ClusterKey, Seal, Transcript};
use super::wire::{self, Finish, Head, Nonce, Opening, Response, WireError};
use crate::admission::limiter::Budget;
use crate::directory::ownership::messages::{Incarnation, NODE_BYTES_MAX};

// A response has a name, and about 90 bytes beside it.
const _: () = assert!(wire::HANDSHAKE_BYTES_MAX >= NODE_BYTES_MAX + 90);

/// From a session's start until it is linked: some round trips of a data centre, and two turns of a
/// busy process.
pub(super) const HANDSHAKE_MAX: Duration = Duration::from_secs(1);
/// From a frame's first byte to its last, and for what is written until it is taken: 256 KiB at
/// half a megabit.
const FRAME_MAX: Duration = Duration::from_secs(5);
/// A dialer asks twice a second. Who says nothing for so long has another connection by now, or
/// none.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// Messages that wait to be written: a crowd that comes through one door within a round trip.
/// Beyond: refused, which is no answer to whoever asks.
pub(super) const WAITING_MAX: usize = 512;
/// Frames of what players have in common that wait to be written. Beyond: whoever has more waits.
const COMMON_WAITING_MAX: usize = 8;
/// Bytes that are made ready for one write, beside a batch.
const WRITE_BYTES: usize = 16 * 1024;
/// What a peer may send a second and at once; a message costs its bytes and [`MESSAGE_COST`]. The
/// most that a node has to say is a batch a second and 1,000 questions. Beyond: it is read later,
/// and its own connection is what waits.
const BYTES_PER_SECOND: f32 = 4.0 * 1024.0 * 1024.0;
const BYTES_BURST: f32 = 2.0 * BYTES_PER_SECOND;
const MESSAGE_COST: f32 = 1024.0;
/// Until what waits for that is looked at again.
const PAUSE: Duration = Duration::from_millis(20);

/// What is told by a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Both ends have the key; this is who the other is.
    Linked(Incarnation),
    /// A message, and the bytes that belong to it.
    Message(Head, Bytes),
}

/// Why a session is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The peer closed it, or the network did.
    Closed,
    /// The handshake took too long.
    Late,
    /// A frame was begun and not ended, or what was written is not taken.
    Stalled,
    /// A dialer says nothing.
    Silent,
    /// Bytes that are none of a link's.
    Wire(WireError),
    /// The peer has another key.
    WrongKey,
    /// Another node answers than was dialed.
    OtherNode,
    /// It is this node itself.
    Itself,
    /// A tag is wrong: bytes were changed, repeated or left out on their way.
    Forged,
    /// A message that only the other end may send.
    OutOfRole,
    /// There are as many peers as may be.
    Crowded,
    /// The system has no random numbers.
    NoNonce,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            End::Closed => "the connection was closed",
            End::Late => "no handshake in time",
            End::Stalled => "stalled",
            End::Silent => "silent",
            End::Wire(error) => return error.fmt(f),
            End::WrongKey => "it has another cluster key",
            End::OtherNode => "another node answers there",
            End::Itself => "it is this node itself",
            End::Forged => "a message was tampered with",
            End::OutOfRole => "a message of the other end's",
            End::Crowded => "too many peers",
            End::NoNonce => "the system has no random numbers",
        })
    }
}

impl From<WireError> for End {
    fn from(error: WireError) -> End {
        End::Wire(error)
    }
}

/// Who a session's own end is.
#[derive(Clone, Debug)]
pub(super) struct This {
    pub(super) key: ClusterKey,
    pub(super) me: Incarnation,
    /// Random, of this session alone.
    pub(super) nonce: Nonce,
}

#[derive(Debug)]
enum Stage {
    /// An acceptor, before it heard anything.
    Accepted,
    /// A dialer that opened.
    Opened,
    /// An acceptor that answered.
    Answered(Transcript),
    Linked(Box<Seals>),
}

/// Of both directions.
#[derive(Debug)]
struct Seals {
    theirs: Seal,
    ours: Seal,
}

/// See the module's description.
#[derive(Debug)]
pub(super) struct Session {
    this: This,
    /// Whom a dialer wants; of an acceptor its own name.
    node: String,
    is_dialer: bool,
    stage: Stage,
    started: Instant,
    heard: Instant,
    /// What came and is no whole frame, or was not looked at yet.
    came: Vec<u8>,
    /// Since when there is a frame that is not whole.
    unfinished: Option<Instant>,
    /// What the peer sent lately.
    budget: Budget,
    /// Until when what came is not looked at.
    paused: Option<Instant>,
    /// Frames that are ready, of which so many bytes are written.
    out: Vec<u8>,
    written: usize,
    /// Since when.
    unwritten: Option<Instant>,
    waiting: VecDeque<(Head, Bytes)>,
    common: VecDeque<Bytes>,
    /// The newest batch, if it was not made ready yet.
    batch: Option<Bytes>,
}

impl Session {
    /// Of a dialer, which wants that node.
    pub(super) fn dial(now: Instant, this: This, node: String) -> Session {
        let opening = Opening {
            nonce: this.nonce,
            me: this.me.0,
        };
        let mut session = Session::new(now, this, node, true, Stage::Opened);
        session.say(now, &opening, true);
        session
    }

    /// Of an acceptor with that name.
    pub(super) fn accept(now: Instant, this: This, node: String) -> Session {
        Session::new(now, this, node, false, Stage::Accepted)
    }

    fn new(now: Instant, this: This, node: String, is_dialer: bool, stage: Stage) -> Session {
        Session {
            this,
            node,
            is_dialer,
            stage,
            started: now,
            heard: now,
            came: Vec::new(),
            unfinished: None,
            budget: Budget::new(now),
            paused: None,
            out: Vec::new(),
            written: 0,
            unwritten: None,
            waiting: VecDeque::new(),
            common: VecDeque::new(),
            batch: None,
        }
    }

    /// Whether the handshake is done.
    pub(super) fn is_linked(&self) -> bool {
        matches!(self.stage, Stage::Linked(_))
    }

    /// Whether the socket may be read: not while the peer has sent too much.
    pub(super) fn may_read(&self, now: Instant) -> bool {
        self.paused.is_none_or(|until| until <= now)
    }

    /// These bytes came; at most some KiB at once, each time followed by [`Session::next`] until
    /// there is nothing.
    pub(super) fn received(&mut self, now: Instant, bytes: &[u8]) {
        self.heard = now;
        self.came.extend_from_slice(bytes);
    }

    /// What was said, if anything is whole.
    ///
    /// # Errors
    /// The session is over.
    pub(super) fn next(&mut self, now: Instant) -> Result<Option<Event>, End> {
        if !self.may_read(now) {
            return Ok(None);
        }
        let is_handshake = !self.is_linked();
        let tag = if is_handshake { 0 } else { wire::TAG_BYTES };
        let length = wire::body_bytes(&self.came, is_handshake)?;
        let end = length.map(|length| wire::LENGTH_BYTES + length + tag);
        let Some(end) = end.filter(|end| *end <= self.came.len()) else {
            self.unfinished = match self.came.is_empty() {
                true => None,
                false => self.unfinished.or(Some(now)),
            };
            return Ok(None);
        };
        self.unfinished = None;
        let cost = end as f32 + MESSAGE_COST;
        if !self.budget.spend(BYTES_PER_SECOND, BYTES_BURST, now, cost) {
            self.paused = Some(now + PAUSE);
            return Ok(None);
        }
        self.paused = None;
        let frame: Vec<u8> = self.came.drain(..end).collect();
        let (body, tag) = frame[wire::LENGTH_BYTES..].split_at(end - tag - wire::LENGTH_BYTES);
        match self.understand(now, body, tag) {
            Ok(None) => self.next(now),
            other => other,
        }
    }

    fn understand(&mut self, now: Instant, body: &[u8], tag: &[u8]) -> Result<Option<Event>, End> {
        // What follows sets the next; an error ends the session in whatever stage.
        match mem::replace(&mut self.stage, Stage::Accepted) {
            Stage::Accepted => {
                let opening: Opening = wire::read_handshake(body, true)?;
                let said = Transcript {
                    dialer: (opening.nonce, opening.me),
                    acceptor: (self.this.nonce, self.this.me.0),
                    node: self.node.clone(),
                };
                let response = Response {
                    nonce: self.this.nonce,
                    me: self.this.me.0,
                    node: self.node.clone(),
                    proof: self.this.key.proof(&said, false),
                };
                self.say(now, &response, true);
                self.stage = Stage::Answered(said);
                Ok(None)
            }
            Stage::Opened => {
                let response: Response = wire::read_handshake(body, true)?;
                let said = Transcript {
                    dialer: (self.this.nonce, self.this.me.0),
                    acceptor: (response.nonce, response.me),
                    node: response.node,
                };
                if !self.this.key.proves(&said, false, &response.proof) {
                    return Err(End::WrongKey);
                }
                let peer = Incarnation(response.me);
                if peer == self.this.me {
                    return Err(End::Itself);
                }
                // It has the key, so it is a node; but what it says is not what that one says.
                if said.node != self.node {
                    return Err(End::OtherNode);
                }
                let proof = self.this.key.proof(&said, true);
                self.say(now, &Finish { proof }, false);
                Ok(Some(self.link(&said, peer)))
            }
            Stage::Answered(said) => {
                let finish: Finish = wire::read_handshake(body, false)?;
                if !self.this.key.proves(&said, true, &finish.proof) {
                    return Err(End::WrongKey);
                }
                Ok(Some(self.link(&said, Incarnation(said.dialer.1))))
            }
            Stage::Linked(mut seals) => {
                if !seals.theirs.checks(body, tag) {
                    return Err(End::Forged);
                }
                self.stage = Stage::Linked(seals);
                let (head, rest) = wire::read_message(body)?;
                if head.is_of_dialer() == self.is_dialer {
                    return Err(End::OutOfRole);
                }
                let rest = Bytes::copy_from_slice(rest);
                Ok(Some(Event::Message(head, rest)))
            }
        }
    }

    fn link(&mut self, said: &Transcript, peer: Incarnation) -> Event {
        let key = &self.this.key;
        let seals = Seals {
            theirs: key.seal(said, !self.is_dialer),
            ours: key.seal(said, self.is_dialer),
        };
        self.stage = Stage::Linked(Box::new(seals));
        Event::Linked(peer)
    }

    /// Makes a handshake's frame ready: one waits for the other, so there is no more than one.
    fn say(&mut self, now: Instant, what: &impl serde::Serialize, is_hello: bool) {
        wire::append_handshake(what, is_hello, &mut self.out);
        self.unwritten = self.unwritten.or(Some(now));
    }

    /// Sends a message once linked. False: too many wait, or it is too big, and it is not sent.
    pub(super) fn send(&mut self, head: Head, body: Bytes) -> bool {
        let fits = self.is_linked()
            && self.waiting.len() < WAITING_MAX
            && body.len() <= wire::ASK_BYTES_MAX;
        if fits {
            self.waiting.push_back((head, body));
        }
        fits
    }

    /// Whether another frame of what players have in common may be sent now.
    pub(super) fn takes_common(&self) -> bool {
        self.is_linked() && self.common.len() < COMMON_WAITING_MAX
    }

    /// Sends one. One that is too big, or too many, is not sent.
    pub(super) fn send_common(&mut self, frame: Bytes) {
        if self.takes_common() && frame.len() <= wire::COMMON_BYTES_MAX {
            self.common.push_back(frame);
        }
    }

    /// The newest batch takes the place of one that has not begun to go out. One that is too big is
    /// not sent.
    pub(super) fn publish(&mut self, batch: Bytes) {
        if batch.len() <= wire::BATCH_BYTES_MAX {
            self.batch = Some(batch);
        }
    }

    /// What is to be written now; empty: nothing.
    pub(super) fn output(&mut self, now: Instant) -> &[u8] {
        if let Stage::Linked(seals) = &mut self.stage
            && self.out.is_empty()
        {
            while self.out.len() < WRITE_BYTES {
                // Questions first: who asks waits, and a batch is many times as long.
                let common = || Some((Head::Common, self.common.pop_front()?));
                let batch = || self.batch.take().map(|batch| (Head::Batch, batch));
                let asked = self.waiting.pop_front();
                let Some((head, body)) = asked.or_else(common).or_else(batch) else {
                    break;
                };
                let at = wire::append_message(&head, &body, &mut self.out);
                let tag = seals.ours.tag(&self.out[at..]);
                self.out.extend_from_slice(&tag);
            }
            self.unwritten = (!self.out.is_empty()).then_some(now);
        }
        &self.out[self.written..]
    }

    /// So many bytes of it were taken.
    pub(super) fn wrote(&mut self, bytes: usize) {
        self.written += bytes;
        if self.written >= self.out.len() {
            self.out.clear();
            // A batch's memory is not kept until the next.
            self.out.shrink_to(WRITE_BYTES);
            self.written = 0;
            self.unwritten = None;
        }
    }

    /// When [`Session::pass`] is to be called, if nothing happens before.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        let dues = self.dues().into_iter().flatten();
        dues.map(|(due, _)| due).chain(self.paused).min()
    }

    /// Time passed.
    ///
    /// # Errors
    /// Something took too long.
    pub(super) fn pass(&self, now: Instant) -> Result<(), End> {
        let mut dues = self.dues().into_iter().flatten();
        let over = dues.find(|(due, _)| *due <= now);
        over.map_or(Ok(()), |(_, end)| Err(end))
    }

    /// What may take until when.
    fn dues(&self) -> [Option<(Instant, End)>; 4] {
        let late = (!self.is_linked()).then_some((self.started + HANDSHAKE_MAX, End::Late));
        let stalled = |since: Instant| (since + FRAME_MAX, End::Stalled);
        let is_silent = self.is_linked() && !self.is_dialer && self.paused.is_none();
        let silent = is_silent.then_some((self.heard + SILENCE_MAX, End::Silent));
        [
            late,
            self.unfinished.map(stalled),
            self.unwritten.map(stalled),
            silent,
        ]
    }
}
