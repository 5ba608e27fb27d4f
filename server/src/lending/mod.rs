//! What players of several nodes have in common has one owner at a time: the *home*, a node that all
//! compute alike ([`home`]). Every other node lends its connections to it, over the nodes' links: there
//! each has a stand-in in the table of who is connected, with its player, game, room, and what it
//! hears. So what is said, who is there and who is addressed is decided at the home by what decides it
//! on a server that is alone, which knows nothing of nodes. What a client asks goes to the home as it
//! is; what is put into a stand-in's mailbox goes back, and into the connection's own.
//!
//! **No other node hears of it**: a line goes once to each node that has somebody who hears it.
//!
//! **Nothing is lost but time** when the home ends, or a link breaks: what was asked and not answered
//! is asked again of the next home ([`waiting`]), which says again to whom it is known what it had been
//! told; what was answered is stored. All are lent anew, as they are ([`lender`]). A new home answers
//! nothing until every node has lent what it has, or [`SETTLE`] has passed, so that nobody misses what
//! is said meanwhile.
//!
//! **Bounded**: what is lent, what waits to go, and what waits for an answer. A node that has the
//! cluster's key is no more than a peer: what it says of its connections is read as a client's word is.
//!
//! A server that is alone is its own home, and nothing here does anything. `people` asks where a
//! request is served, the lobby does what comes of frames, and the cluster's task carries them.

mod done;
mod home;
mod house;
mod lender;
mod node_id;
mod waiting;
pub(crate) mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use tickwire::ids::RoomId;
use tickwire::protocol::server_message::Refusal;
use tokio::sync::{Notify, oneshot};

use crate::auth::Identity;
use crate::metrics::Metrics;
use crate::presence::{At, Follow, Letter, Online, Presence, Standing, Window};
pub(crate) use done::Do;
use home::Homes;
use house::{Gone, House, unpack_blocked};
use lender::Lender;
pub(crate) use node_id::NodeId;
pub(crate) use waiting::Key;
use waiting::Waiting;
pub(crate) use wire::{Answer, Audience, Question};
use wire::{BackMail, BackWhat, Frame, FrameError, Item, Why};

/// The first byte of what is asked: of people, of the lobby's queues and parties.
pub(crate) const PEOPLE: u8 = 0;
pub(crate) const LOBBY: u8 = 1;
/// From when a node is the home until it serves, at most: by then all have heard of it.
const SETTLE: Duration = Duration::from_secs(3);
/// Between two lendings that begin, where the first came to nothing.
const AGAIN: Duration = Duration::from_millis(500);
/// What is asked of a home that does not serve yet. Beyond: dropped; who asked asks again, or the
/// next home.
const HELD_MAX: usize = 4096;
/// Questions that wait for their answer, beside what clients ask, and answers for the way back.
/// Beyond: refused.
const QUESTIONS_MAX: usize = 512;
/// What connections wait for in the queue, and whom they watch, each of some 2 KB at most. Beyond: with
/// another home they have to say it again.
const WISHES_MAX: usize = 16 * 1024;
/// For an answer.
const ANSWER_MAX: Duration = Duration::from_secs(4);

/// Where something is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Here,
    /// It is on its way to the home, which answers it, or waits for it.
    Home,
    /// Too much waits.
    Nowhere,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// This node is the home.
    Here,
    Answer(Answer),
    /// There is no answer in time.
    Nothing,
}

/// See the module's description.
pub(crate) struct Lending {
    presence: Presence,
    games: Vec<&'static str>,
    metrics: Arc<Metrics>,
    /// There may be frames.
    wake: Arc<Notify>,
    state: Mutex<State>,
}

struct State {
    homes: Homes,
    stage: Stage,
    waiting: Waiting,
    /// What holds for connections until they say otherwise, by what it is.
    wishes: BTreeMap<(u64, Lasting), Wish>,
    /// Whether there may be another home.
    is_node: bool,
    house: House,
    held: Vec<Do>,
    questions: Vec<Open>,
    answers: Vec<(NodeId, Frame)>,
    /// This node has become another, or the home is elsewhere.
    is_to_forget: bool,
    /// Numbers of lendings and questions.
    newest: u64,
    begun: Option<Instant>,
}

/// What another home is to know of a connection, by what it asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lasting {
    /// Whom it watches.
    Watch,
    /// That it waits in the queue, for as long as it is told so.
    Queue,
}

/// What it asked.
struct Wish {
    who: Arc<Online>,
    body: Bytes,
}

enum Stage {
    /// This node is the home; from when on it serves, unless all have lent what they have before.
    Own {
        serves_at: Option<Instant>,
    },
    Lent(Box<Lender>),
    /// Nobody is asked.
    Adrift,
}

/// A question.
struct Open {
    id: u64,
    what: Question,
    sent: Option<NodeId>,
    reply: oneshot::Sender<Asked>,
    until: Instant,
}

/// What a frame brings a connection.
enum Brought {
    Reply(Arc<Online>, Bytes),
    Parts(Arc<Online>, std::collections::VecDeque<Bytes>),
    Refused(Arc<Online>, Key),
    Mail(BackMail),
}

impl Lending {
    /// Of a server that is alone so far, with these games.
    pub(crate) fn new(
        presence: &Presence,
        games: Vec<&'static str>,
        metrics: Arc<Metrics>,
    ) -> Arc<Lending> {
        metrics.is_home.set(1.0);
        let wake = Arc::<Notify>::default();
        let lending = Arc::new(Lending {
            presence: presence.clone(),
            games: games.clone(),
            metrics,
            wake: wake.clone(),
            state: Mutex::new(State {
                homes: Homes::default(),
                stage: Stage::Own { serves_at: None },
                waiting: Waiting::default(),
                wishes: BTreeMap::new(),
                is_node: false,
                house: House::new(presence.clone(), games, wake),
                held: Vec::new(),
                questions: Vec::new(),
                answers: Vec::new(),
                is_to_forget: false,
                newest: 0,
                begun: None,
            }),
        });
        let follower: Arc<dyn Follow> = lending.clone();
        presence.follow(Arc::downgrade(&follower));
        lending
    }

    /// From the cluster: this node's incarnation, and the others that live.
    pub(crate) fn live(
        &self,
        me: NodeId,
        others: impl Iterator<Item = NodeId>,
        now: Instant,
    ) -> Vec<Do> {
        self.change(now, |state, gone| {
            state.is_node = true;
            let is_another = state.homes.me() != me;
            state.homes.live(me, others);
            if is_another {
                state.is_to_forget = true;
                gone.extend(state.house.close(Why::NotHome));
                state.held.clear();
                state.stage = match state.stage {
                    // The others have not lent anything to this one yet.
                    Stage::Own { .. } => {
                        let serves_at = Some(now + SETTLE);
                        Stage::Own { serves_at }
                    }
                    _ => Stage::Adrift,
                };
            }
        })
    }

    /// From the cluster: this node leaves. What is asked of it as the home another one answers.
    pub(crate) fn leave(&self, now: Instant) -> Vec<Do> {
        self.change(now, |state, _| state.homes.leave())
    }

    /// Called once a second.
    pub(crate) fn tend(&self, now: Instant) -> Vec<Do> {
        let mut over = Vec::new();
        let done = self.change(now, |state, gone| {
            over = state.waiting.expire(now);
            state.questions.retain(|open| open.until > now);
            state.house.tend(now, gone);
            if let Stage::Lent(lender) = &mut state.stage {
                lender.beat();
                if lender.is_over(now) {
                    state.stage = Stage::Adrift;
                }
            }
        });
        for (who, key) in over {
            self.metrics.lending_requests_refused.increment(1);
            key.refuse(&who, Refusal::Busy, now);
        }
        self.wake.notify_one();
        done
    }

    /// Changes something, and does what follows of it.
    fn change(&self, now: Instant, change: impl FnOnce(&mut State, &mut Gone)) -> Vec<Do> {
        // Dropped when no lock is held.
        let mut gone = Gone::new();
        let mut state = self.state.lock();
        change(&mut state, &mut gone);
        let done = state.follow_home(now, &mut gone);
        let guests = state.house.guests();
        let is_home = matches!(state.stage, Stage::Own { .. });
        drop(state);
        self.metrics.connections_lent.set(guests as f64);
        self.metrics.is_home.set(f64::from(u8::from(is_home)));
        self.begin(now);
        done
    }

    /// Lends all to the home, if that is due.
    fn begin(&self, now: Instant) {
        let Some(lending) = self.state.lock().begin(now) else {
            return;
        };
        self.metrics.lendings_begun.increment(1);
        // Whoever comes from here on enters by themselves.
        let mut here = self.presence.all(|online| !online.is_lent());
        here.sort_unstable_by_key(|online| online.number);
        let mut state = self.state.lock();
        let State {
            stage,
            waiting,
            wishes,
            ..
        } = &mut *state;
        if let Stage::Lent(lender) = stage
            && lender.lending == lending
        {
            lender.enter_all(here);
            for (online, body) in asked_again(waiting.all(), wishes) {
                lender.push(request(&online, &body));
            }
        }
        self.wake.notify_one();
    }

    /// A connection said hello.
    pub(crate) fn enter(&self, who: &Arc<Online>, is_new: bool) {
        if let Stage::Lent(lender) = &mut self.state.lock().stage {
            lender.enter(who, is_new);
            self.wake.notify_one();
        }
    }

    /// Somebody's handle was told to somebody here.
    pub(crate) fn know(&self, player: &Identity, name: &str) {
        if let Stage::Lent(lender) = &mut self.state.lock().stage {
            let (player, name) = (player.to_string(), name.to_owned());
            lender.push(Item::Known { player, name });
            self.wake.notify_one();
        }
    }

    /// Whether what connections ask is served here. Others: it is to be given to
    /// [`Lending::request`].
    pub(crate) fn serves(&self, who: &Online) -> bool {
        who.is_lent() || self.is_here()
    }

    /// Whether this node is the home, and serves.
    pub(crate) fn is_here(&self) -> bool {
        matches!(self.state.lock().stage, Stage::Own { serves_at: None })
    }

    /// The other node that is the home, as far as this one is lent to it.
    pub(crate) fn home(&self) -> Option<NodeId> {
        match &self.state.lock().stage {
            Stage::Lent(lender) => Some(lender.to),
            _ => None,
        }
    }

    /// A connection of this node asks for something, whose answer is known by `key`; what has none
    /// is lost where there is no home.
    pub(crate) fn request(
        &self,
        who: &Arc<Online>,
        key: Option<Key>,
        body: Bytes,
        now: Instant,
    ) -> Place {
        let mut state = self.state.lock();
        let State { stage, waiting, .. } = &mut *state;
        if let Stage::Own { serves_at: None } = stage {
            return Place::Here;
        }
        if let Some(key) = key
            && !waiting.push(who, key, body.clone(), now)
        {
            self.metrics.lending_requests_refused.increment(1);
            return Place::Nowhere;
        }
        if let Stage::Lent(lender) = stage
            && lender.has_entered()
        {
            lender.push(request(who, &body));
            self.wake.notify_one();
        }
        Place::Home
    }

    /// A connection of this node asks this, of which another home is to know.
    pub(crate) fn lasts(&self, who: &Arc<Online>, what: Lasting, body: Bytes) {
        let mut state = self.state.lock();
        let (place, who) = ((who.number, what), who.clone());
        let has_room = state.wishes.len() < WISHES_MAX || state.wishes.contains_key(&place);
        if state.is_node && has_room {
            state.wishes.insert(place, Wish { who, body });
        }
    }

    /// Asks the home something, at most once.
    pub(crate) async fn ask(&self, what: Question) -> Asked {
        let now = Instant::now();
        let (reply, answer) = oneshot::channel();
        {
            let mut state = self.state.lock();
            if let Stage::Own { serves_at: None } = state.stage {
                return Asked::Here;
            }
            if state.questions.len() >= QUESTIONS_MAX {
                return Asked::Nothing;
            }
            state.newest += 1;
            let id = state.newest;
            state.questions.push(Open {
                id,
                what,
                sent: None,
                reply,
                until: now + ANSWER_MAX,
            });
        }
        self.wake.notify_one();
        let answered = tokio::time::timeout(ANSWER_MAX, answer).await;
        answered.ok().and_then(Result::ok).unwrap_or(Asked::Nothing)
    }

    /// Answers what a node asked.
    pub(crate) fn answer(&self, to: NodeId, id: u64, what: Answer) {
        self.state.lock().answer(to, id, what);
        self.wake.notify_one();
    }

    /// A frame came from a node.
    ///
    /// # Errors
    /// The bytes are none.
    pub(crate) fn came(
        &self,
        from: NodeId,
        bytes: &[u8],
        now: Instant,
    ) -> Result<Vec<Do>, FrameError> {
        let frame = wire::decode(bytes)?;
        self.metrics.lending_frames_received.increment(1);
        let (mut done, mut brought) = (Vec::new(), Vec::new());
        let done_after = self.change(now, |state, gone| match frame {
            Frame::Lend {
                lending,
                number,
                items,
            } => done = state.lent(from, (lending, number), items, now, gone),
            Frame::Back {
                lending,
                number,
                mail,
            } => brought = state.brought(from, (lending, number), mail, now),
            Frame::Over { lending, why } => state.over(from, lending, why),
            Frame::Ask { id, what } => done = state.asked(from, id, what),
            Frame::Told { id, what } => state.told(from, id, what),
        });
        for brought in brought {
            self.bring(brought, now);
        }
        done.extend(done_after);
        Ok(done)
    }

    /// Puts what came back into mailboxes.
    fn bring(&self, brought: Brought, now: Instant) {
        let BackMail { to, what } = match brought {
            Brought::Reply(who, bytes) => return who.reply(bytes, now),
            Brought::Parts(who, parts) => return who.answer(parts),
            Brought::Refused(who, key) => return key.refuse(&who, Refusal::Busy, now),
            Brought::Mail(mail) => mail,
        };
        let here = self.presence.of_numbers(&to);
        let here = here.iter().filter(|online| !online.is_lent());
        let line = |window, bytes: Vec<u8>| {
            let bytes = Bytes::from(bytes);
            for online in here.clone().filter(|online| online.hears(window)) {
                let lost = online.tell_line(window, bytes.clone(), now);
                self.metrics.lines_dropped.increment(lost.into());
            }
        };
        let stands = |standing, bytes: Vec<u8>| {
            let bytes = Bytes::from(bytes);
            here.clone()
                .for_each(|online| online.show(standing, bytes.clone()));
        };
        match what {
            BackWhat::LineOfTwo(bytes) => line(Window::Two, bytes),
            BackWhat::LineOfLobby(bytes) => line(Window::Lobby, bytes),
            BackWhat::Queue(bytes) => stands(Standing::Queue, bytes),
            BackWhat::Party(bytes) => stands(Standing::Party, bytes),
            BackWhat::Letter(bytes) => {
                let (number, bytes) = (0, Bytes::from(bytes));
                for online in here {
                    let bytes = bytes.clone();
                    let put = online.put(Letter { number, bytes });
                    let lost = u64::from(put.dropped) + u64::from(!put.is_in);
                    self.metrics.notices_dropped.increment(lost);
                }
            }
            BackWhat::At(of, at) => {
                let at = At::read(&at, &self.games);
                for (online, at) in here.filter_map(|online| Some((online, at?))) {
                    online.tell_of(of, at, now);
                }
            }
            BackWhat::Blocked(them) => {
                let blocked = Arc::new(unpack_blocked(them));
                here.for_each(|online| online.block(blocked.clone()));
            }
            BackWhat::Hears(lobby) => here.for_each(|online| online.hear(lobby)),
            // They are for who waits.
            BackWhat::Reply(_) | BackWhat::Part(..) | BackWhat::Unknown => {}
        }
    }

    /// The next frame for one of the nodes that take one now.
    pub(crate) fn next_frame(&self, takes: impl Fn(NodeId) -> bool) -> Option<(NodeId, Bytes)> {
        let mut gone = Gone::new();
        let (to, frame, lines) = self.state.lock().next_frame(&takes, &mut gone)?;
        self.metrics.lending_frames_sent.increment(1);
        self.metrics.lines_sent_on.increment(lines as u64);
        Some((to, wire::encode(&frame).into()))
    }

    /// Done when there may be frames.
    pub(crate) async fn has_frames(&self) {
        self.wake.notified().await;
    }
}

impl Follow for Lending {
    fn moved(&self, number: u64, room: Option<RoomId>, is_listed: bool) {
        if let Stage::Lent(lender) = &mut self.state.lock().stage {
            let room = room.map_or(0, |room| room.0);
            lender.push(Item::Moved {
                number,
                room,
                is_listed,
            });
            self.wake.notify_one();
        }
    }

    fn gone(&self, number: u64) {
        let mut state = self.state.lock();
        state.waiting.gone(number);
        for what in [Lasting::Watch, Lasting::Queue] {
            state.wishes.remove(&(number, what));
        }
        if let Stage::Lent(lender) = &mut state.stage {
            lender.push(Item::Gone { number });
            self.wake.notify_one();
        }
    }
}

impl State {
    /// The stage is that of who is the home; what is to be done where this node serves from now on.
    fn follow_home(&mut self, now: Instant, gone: &mut Gone) -> Vec<Do> {
        let home = self.homes.home();
        let is_own = home == self.homes.me();
        match &self.stage {
            Stage::Own { .. } if !is_own => {
                let why = match self.homes.do_i_leave() {
                    true => Why::Leaves,
                    false => Why::NotHome,
                };
                gone.extend(self.house.close(why));
                self.held.clear();
                self.is_to_forget = true;
                (self.stage, self.begun) = (Stage::Adrift, None);
            }
            Stage::Lent(lender) if lender.to != home => {
                (self.stage, self.begun) = (Stage::Adrift, None);
            }
            _ => {}
        }
        if is_own && !matches!(self.stage, Stage::Own { .. }) {
            let serves_at = Some(now + SETTLE);
            self.stage = Stage::Own { serves_at };
        }
        if let Stage::Lent(_) | Stage::Adrift = self.stage {
            // Who is asked is another one by now.
            let to = Some(home);
            self.questions
                .retain(|open| open.sent.is_none() || open.sent == to);
        }
        let mut done = Vec::new();
        if std::mem::take(&mut self.is_to_forget) {
            done.push(Do::Forget);
        }
        done.extend(self.serve_if_due(now));
        done
    }

    /// Serves from now on, if it is time.
    fn serve_if_due(&mut self, now: Instant) -> Vec<Do> {
        let Stage::Own { serves_at } = &mut self.stage else {
            return Vec::new();
        };
        let Some(at) = *serves_at else {
            return Vec::new();
        };
        let mut others = self.homes.others().iter();
        if now < at && !others.all(|other| self.house.has_all_of(*other)) {
            return Vec::new();
        }
        *serves_at = None;
        for open in std::mem::take(&mut self.questions) {
            // One that was sent may have been answered for by who is gone.
            let asked = match open.sent {
                None => Asked::Here,
                Some(_) => Asked::Nothing,
            };
            // Who asked may have lost patience.
            let _ = open.reply.send(asked);
        }
        let own = asked_again(self.waiting.take_all(), &self.wishes).into_iter();
        let own = own.map(|(who, body)| Do::Serve { who, body });
        let all = [Do::Settled]
            .into_iter()
            .chain(self.held.drain(..))
            .chain(own);
        all.chain([Do::Asked]).collect()
    }

    /// A lending begins, if one is due: its number.
    fn begin(&mut self, now: Instant) -> Option<u64> {
        let is_due = self.begun.is_none_or(|at| now >= at + AGAIN);
        if !matches!(self.stage, Stage::Adrift) || !is_due {
            return None;
        }
        self.begun = Some(now);
        self.newest += 1;
        let lender = Lender::new(self.homes.home(), self.newest, now);
        self.stage = Stage::Lent(Box::new(lender));
        Some(self.newest)
    }

    /// What a node lends, or says of it.
    fn lent(
        &mut self,
        from: NodeId,
        (lending, number): (u64, u32),
        items: Vec<Item>,
        now: Instant,
        gone: &mut Gone,
    ) -> Vec<Do> {
        let Stage::Own { serves_at } = self.stage else {
            let why = match self.homes.do_i_leave() {
                true => Why::Leaves,
                false => Why::NotHome,
            };
            self.house.refuse(from, lending, why);
            return Vec::new();
        };
        let done = self.house.came(from, (lending, number), items, now, gone);
        if serves_at.is_none() {
            return done;
        }
        // Who is there is known at once.
        let waits = |what: &Do| matches!(what, Do::Serve { .. } | Do::Ask { .. });
        let (held, now): (Vec<_>, Vec<_>) = done.into_iter().partition(waits);
        let places = HELD_MAX.saturating_sub(self.held.len());
        self.held.extend(held.into_iter().take(places));
        now
    }

    /// What the home sends back.
    fn brought(
        &mut self,
        from: NodeId,
        (lending, number): (u64, u32),
        mail: Vec<BackMail>,
        now: Instant,
    ) -> Vec<Brought> {
        let Stage::Lent(lender) = &mut self.stage else {
            return Vec::new();
        };
        if (lender.to, lender.lending) != (from, lending) {
            return Vec::new();
        }
        if !lender.came_back(number, now) {
            self.stage = Stage::Adrift;
            return Vec::new();
        }
        let mut brought = Vec::new();
        for BackMail { to, what } in mail {
            match what {
                BackWhat::Reply(bytes) => {
                    let whose = to.first();
                    let who = whose.and_then(|number| self.waiting.replied(*number, &bytes));
                    brought.extend(who.map(|who| Brought::Reply(who, bytes.into())));
                }
                BackWhat::Part(bytes, is_last) => {
                    let whose = to.first();
                    let part = |number: &u64| self.waiting.part(*number, bytes.into(), is_last);
                    let all = whose.and_then(part);
                    brought.extend(all.map(|(who, parts)| Brought::Parts(who, parts)));
                }
                BackWhat::Unknown => {
                    for number in to {
                        let refused = self.waiting.unknown(number).into_iter();
                        brought.extend(refused.map(|(who, key)| Brought::Refused(who, key)));
                    }
                }
                what => {
                    if let BackWhat::Queue(_) = what {
                        to.iter()
                            .for_each(|number| self.waiting.queue_told(*number));
                    }
                    brought.push(Brought::Mail(BackMail { to, what }));
                }
            }
        }
        brought
    }

    /// A node says that what is lent to it is not.
    fn over(&mut self, from: NodeId, lending: u64, why: Why) {
        if why == Why::Leaves {
            self.homes.leaves(from);
        }
        if let Stage::Lent(lender) = &self.stage
            && (lender.to, lender.lending) == (from, lending)
        {
            self.stage = Stage::Adrift;
        }
    }

    fn asked(&mut self, from: NodeId, id: u64, what: Question) -> Vec<Do> {
        let ask = Do::Ask { from, id, what };
        match self.stage {
            Stage::Own { serves_at: None } => return vec![ask],
            Stage::Own { .. } if self.held.len() < HELD_MAX => self.held.push(ask),
            _ => self.answer(from, id, Answer::None),
        }
        Vec::new()
    }

    fn answer(&mut self, to: NodeId, id: u64, what: Answer) {
        if self.answers.len() < QUESTIONS_MAX {
            self.answers.push((to, Frame::Told { id, what }));
        }
    }

    fn told(&mut self, from: NodeId, id: u64, what: Answer) {
        let is_it = |open: &Open| open.id == id && open.sent == Some(from);
        let Some(at) = self.questions.iter().position(is_it) else {
            return;
        };
        let asked = match what {
            Answer::None => Asked::Nothing,
            what => Asked::Answer(what),
        };
        // Who asked may have lost patience.
        let _ = self.questions.swap_remove(at).reply.send(asked);
    }

    fn next_frame(
        &mut self,
        takes: &impl Fn(NodeId) -> bool,
        gone: &mut Gone,
    ) -> Option<(NodeId, Frame, usize)> {
        if let Some(at) = self.answers.iter().position(|(to, _)| takes(*to)) {
            let (to, frame) = self.answers.remove(at);
            return Some((to, frame, 0));
        }
        if let Stage::Lent(lender) = &mut self.stage
            && takes(lender.to)
        {
            if let Some(frame) = lender.next_frame() {
                return Some((lender.to, frame, 0));
            }
            let unsent = self.questions.iter_mut().find(|open| open.sent.is_none());
            if let Some(open) = unsent.filter(|_| lender.has_entered()) {
                open.sent = Some(lender.to);
                let (id, what) = (open.id, open.what.clone());
                return Some((lender.to, Frame::Ask { id, what }, 0));
            }
        }
        self.house.next_frame(takes, gone)
    }
}

/// What is asked of another home: what was not answered, after what its connections wait for.
fn asked_again(
    waiting: Vec<(Arc<Online>, Bytes)>,
    wishes: &BTreeMap<(u64, Lasting), Wish>,
) -> Vec<(Arc<Online>, Bytes)> {
    let holds = |what: Lasting, wish: &Wish| what == Lasting::Watch || wish.who.is_queued();
    let wishes = wishes.iter();
    let wishes = wishes.filter(|((_, what), wish)| holds(*what, wish));
    let wishes = wishes.map(|(_, wish)| (wish.who.clone(), wish.body.clone()));
    wishes.chain(waiting).collect()
}

fn request(who: &Online, body: &[u8]) -> Item {
    Item::Request {
        number: who.number,
        muted_until: who.lent().muted_until.0,
        body: body.to_vec(),
    }
}

#[cfg(test)]
mod tests;
