//! What a node knows of the home: whose it is, what is lent to it, or what it has lent, and what waits. A
//! state machine without clock and way: [`super::Lending`] has it under its lock.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::done::Do;
use super::home::Homes;
use super::house::{Gone, House};
use super::lender::Lender;
use super::node_id::NodeId;
use super::waiting::{Key, Waiting};
use super::wire::{Answer, BackMail, BackWhat, Frame, Item, Question, Why};
use crate::presence::Online;

/// From when a node is the home until it serves, at most: by then all have heard of it.
pub(super) const SETTLE: Duration = Duration::from_secs(3);
/// Between two lendings that begin, where the first came to nothing.
pub(super) const AGAIN: Duration = Duration::from_millis(500);
/// What is asked of a home that does not serve yet. Beyond: dropped; who asked asks again, or the
/// next home.
pub(super) const HELD_MAX: usize = 4096;
/// Questions that wait for their answer, beside what clients ask, and answers for the way back.
/// Beyond: refused.
pub(super) const QUESTIONS_MAX: usize = 512;

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
pub(super) struct State {
    pub(super) homes: Homes,
    pub(super) stage: Stage,
    pub(super) waiting: Waiting,
    /// What holds for connections until they say otherwise, by what it is.
    pub(super) wishes: BTreeMap<(u64, Lasting), Wish>,
    /// Whether there may be another home.
    pub(super) is_node: bool,
    pub(super) house: House,
    pub(super) held: Vec<Do>,
    pub(super) questions: Vec<Open>,
    pub(super) answers: Vec<(NodeId, Frame)>,
    /// This node has become another, or the home is elsewhere.
    pub(super) is_to_forget: bool,
    /// Numbers of lendings and questions.
    pub(super) newest: u64,
    pub(super) begun: Option<Instant>,
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
pub(super) struct Wish {
    pub(super) who: Arc<Online>,
    pub(super) body: Bytes,
}

/// Where what connections ask is served.
pub(super) enum Stage {
    /// This node is the home; from when on it serves, unless all have lent what they have before.
    Own {
        serves_at: Option<Instant>,
    },
    Lent(Box<Lender>),
    /// Nobody is asked.
    Adrift,
}

/// A question.
pub(super) struct Open {
    pub(super) id: u64,
    pub(super) what: Question,
    pub(super) sent: Option<NodeId>,
    pub(super) reply: oneshot::Sender<Asked>,
    pub(super) until: Instant,
}

/// What a frame brings a connection.
pub(super) enum Brought {
    Reply(Arc<Online>, Bytes),
    Parts(Arc<Online>, VecDeque<Bytes>),
    Refused(Arc<Online>, Key),
    Mail(BackMail),
}

impl State {
    /// Of a server that is alone.
    pub(super) fn new(house: House) -> State {
        State {
            homes: Homes::default(),
            stage: Stage::Own { serves_at: None },
            waiting: Waiting::default(),
            wishes: BTreeMap::new(),
            is_node: false,
            house,
            held: Vec::new(),
            questions: Vec::new(),
            answers: Vec::new(),
            is_to_forget: false,
            newest: 0,
            begun: None,
        }
    }

    /// The stage is that of who is the home; what is to be done where this node serves from now on.
    pub(super) fn follow_home(&mut self, now: Instant, gone: &mut Gone) -> Vec<Do> {
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
    pub(super) fn serve_if_due(&mut self, now: Instant) -> Vec<Do> {
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
    pub(super) fn begin(&mut self, now: Instant) -> Option<u64> {
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
    pub(super) fn lent(
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
    pub(super) fn brought(
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
    pub(super) fn over(&mut self, from: NodeId, lending: u64, why: Why) {
        if why == Why::Leaves {
            self.homes.leaves(from);
        }
        if let Stage::Lent(lender) = &self.stage
            && (lender.to, lender.lending) == (from, lending)
        {
            self.stage = Stage::Adrift;
        }
    }

    pub(super) fn asked(&mut self, from: NodeId, id: u64, what: Question) -> Vec<Do> {
        let ask = Do::Ask { from, id, what };
        match self.stage {
            Stage::Own { serves_at: None } => return vec![ask],
            Stage::Own { .. } if self.held.len() < HELD_MAX => self.held.push(ask),
            _ => self.answer(from, id, Answer::None),
        }
        Vec::new()
    }

    pub(super) fn answer(&mut self, to: NodeId, id: u64, what: Answer) {
        if self.answers.len() < QUESTIONS_MAX {
            self.answers.push((to, Frame::Told { id, what }));
        }
    }

    pub(super) fn told(&mut self, from: NodeId, id: u64, what: Answer) {
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

    pub(super) fn next_frame(
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
pub(super) fn asked_again(
    waiting: Vec<(Arc<Online>, Bytes)>,
    wishes: &BTreeMap<(u64, Lasting), Wish>,
) -> Vec<(Arc<Online>, Bytes)> {
    let holds = |what: Lasting, wish: &Wish| what == Lasting::Watch || wish.who.is_queued();
    let wishes = wishes.iter();
    let wishes = wishes.filter(|((_, what), wish)| holds(*what, wish));
    let wishes = wishes.map(|(_, wish)| (wish.who.clone(), wish.body.clone()));
    wishes.chain(waiting).collect()
}

pub(super) fn request(who: &Online, body: &[u8]) -> Item {
    Item::Request {
        number: who.number,
        muted_until: who.lent().muted_until.0,
        body: body.to_vec(),
    }
}
