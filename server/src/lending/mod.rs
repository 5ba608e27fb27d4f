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

mod bringing;
mod done;
mod home;
mod house;
mod lender;
mod node_id;
mod state;
mod waiting;
pub(crate) mod wire;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use tickwire::ids::RoomId;
use tickwire::protocol::server_message::Refusal;
use tokio::sync::{Notify, oneshot};

use crate::auth::Identity;
use crate::metrics::Metrics;
use crate::presence::{Follow, Online, Presence};
use bringing::bring;
pub(crate) use done::Do;
use house::{Gone, House};
pub(crate) use node_id::NodeId;
pub(crate) use state::{Asked, Lasting};
use state::{Open, QUESTIONS_MAX, SETTLE, Stage, State, Wish, asked_again, request};
pub(crate) use waiting::Key;
pub(crate) use wire::{Answer, Audience, Question};
use wire::{Frame, FrameError, Item, Why};

/// The first byte of what is asked: of people, of the lobby's queues and parties.
pub(crate) const PEOPLE: u8 = 0;
pub(crate) const LOBBY: u8 = 1;
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

/// See the module's description.
pub(crate) struct Lending {
    presence: Presence,
    games: Vec<&'static str>,
    metrics: Arc<Metrics>,
    /// There may be frames.
    wake: Arc<Notify>,
    state: Mutex<State>,
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
            state: Mutex::new(State::new(House::new(presence.clone(), games, wake))),
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

    /// The same for what holds for a moment, which is dropped first.
    pub(crate) fn hint(&self, who: &Online, body: &[u8]) -> Place {
        match &mut self.state.lock().stage {
            Stage::Own { serves_at: None } => return Place::Here,
            Stage::Lent(lender) if lender.has_time() => lender.push(request(who, body)),
            _ => return Place::Nowhere,
        }
        self.wake.notify_one();
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
            bring(brought, (&self.presence, &self.games, &self.metrics), now);
        }
        done.extend(done_after);
        Ok(done)
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

#[cfg(test)]
mod tests;
