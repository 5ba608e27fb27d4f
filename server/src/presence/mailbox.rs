//! What is to be said to one connection outside of its room's snapshots: put in by any thread, taken
//! out by whoever has the connection, which is the lobby's task or a room's worker.
//!
//! **None is lost and none comes twice**, however the connection moves meanwhile. A letter is put in
//! and taken out under the mailbox's lock, so it is taken once, by who has the connection, and goes
//! into that connection's buffer, which moves with it. And whoever has the connection knows of what
//! is in here: whoever puts a letter in tells the owner of that moment, under the same lock under
//! which the next owner takes over and looks. So a letter came before the owner took over, who saw
//! it, or after, and was told. An owner of before that is told too late finds nothing.
//!
//! **How things stand** ([`Standing`]) is no letter: of each the newest alone waits, in a place of its
//! own, so that none of it is lost to a flood and none of it grows.
//!
//! **Durable letters** come in the order of their numbers: once one did not fit, none is taken until
//! the mailbox is filled again with all that was left ([`Mailbox::fill`]), from where it stopped.
//!
//! **An answer** to what the connection asked for, which is not known at once, has a place of its own
//! beside the letters, and a pace of its own: neither waits for the other, and none drops the other.
//! There is one at a time: who has not taken it gets no other ([`Mailbox::expect_answer`]), so that
//! it is bounded by what one answer may be.
//!
//! **Lines of channels** have [`windows`] of their own, and so has what it is told of those whom it
//! watches ([`watched`]).

mod watched;
mod windows;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use parking_lot::Mutex;
use tickwire::ids::{PlayerId, RoomId};
use tokio::sync::Notify;

use super::post::Post;
use crate::admission::limiter::Budget;
use crate::auth::Handle;
pub(crate) use watched::At;
use watched::Watched;
pub(crate) use windows::Window;
use windows::{Windows, may_go};

/// Letters that wait for one connection: a minute of one a second.
const LETTERS_MAX: usize = 64;
/// Their bytes: what the longest ones make in a few ticks. Beyond either: letters that are not
/// durable go, the oldest first; durable ones are left for later.
pub(crate) const MAILBOX_BYTES_MAX: usize = 16 * 1024;
/// A whole control message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    /// 0: it is lost to who is away. Else it is durable; they rise.
    pub(crate) number: u32,
    pub(crate) bytes: Bytes,
}

impl Letter {
    fn is_durable(&self) -> bool {
        self.number > 0
    }
}

/// What became of a letter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Put {
    /// Whether it is in. If not, it waits elsewhere if it is durable, and is lost if not.
    pub(crate) is_in: bool,
    /// Others that were lost for it.
    pub(crate) dropped: u32,
}

/// Answers of a connection a second.
const ANSWERS_PER_SECOND: f32 = 1.0;
/// And at once: who comes back from afar, or scrolls.
const ANSWERS_BURST: f32 = 10.0;

/// What a client is told as it stands, whole each time: no more than two kilobytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// In its game's queue.
    Queue,
    /// In its party.
    Party,
}

/// What there is to say of one.
#[derive(Clone, Debug, Default)]
enum Stands {
    /// Nothing ever: the client does not understand it.
    #[default]
    Unheeded,
    /// Nothing that it was not told.
    Told,
    Untold(Bytes),
}

/// Who has the connection.
#[derive(Debug)]
pub(super) enum Owner {
    /// A task, which whoever changes a connection's state wakes.
    Lobby,
    /// A worker, as a member of one of its rooms.
    Worker(Arc<Post>, RoomId, PlayerId),
}

/// What a connection asked for, and is to be told later.
#[derive(Debug)]
struct Answer {
    /// It has not been told all of it.
    is_expected: bool,
    /// What of it is here.
    parts: VecDeque<Bytes>,
    /// How many it may ask for.
    asks: Budget,
    /// How much of it may go out in a room.
    budget: Budget,
}

/// See the module's description.
#[derive(Debug)]
pub(super) struct Mailbox(Mutex<State>);

#[derive(Debug)]
struct State {
    letters: VecDeque<Letter>,
    bytes: usize,
    owner: Owner,
    /// Whether the owner knows that there are letters.
    is_known: bool,
    /// Number of the newest durable letter that came in; `None`: it is shut.
    newest: Option<u32>,
    /// Whether durable ones above `newest` wait elsewhere.
    lacks_some: bool,
    /// None of who never asked.
    answer: Option<Box<Answer>>,
    /// None of who was never said anything.
    windows: Option<Box<Windows>>,
    /// None of who watches nobody.
    watched: Option<Box<Watched>>,
    /// The owner is to look at the connection, whether there is anything to take or not.
    is_to_look: bool,
    /// By [`Standing`].
    stands: [Stands; 2],
    budget: Budget,
}

impl Mailbox {
    /// A shut one, of a connection in the lobby.
    pub(super) fn new(now: Instant) -> Mailbox {
        Mailbox(Mutex::new(State {
            letters: VecDeque::new(),
            bytes: 0,
            owner: Owner::Lobby,
            is_known: false,
            newest: None,
            lacks_some: false,
            answer: None,
            windows: None,
            watched: None,
            is_to_look: false,
            stands: Default::default(),
            budget: Budget::new(now),
        }))
    }

    /// Puts a letter in, and tells the owner. Durable ones come in the order of their numbers.
    pub(super) fn put(&self, letter: Letter, lobby: &Notify) -> Put {
        let mut state = self.0.lock();
        let Some(newest) = state.newest else {
            return Put::default();
        };
        if letter.is_durable() && (state.lacks_some || letter.number <= newest) {
            return Put::default();
        }
        let dropped = state.make_room(&letter);
        let is_in = state.fits(&letter);
        if is_in {
            state.push(letter);
            state.tell(lobby);
        } else {
            state.lacks_some |= letter.is_durable();
        }
        Put { is_in, dropped }
    }

    /// Whether a durable letter of so many bytes that came now would go in.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        let state = self.0.lock();
        let durable = state.letters.iter().filter(|letter| letter.is_durable());
        let (count, sum) = durable.fold((0, 0), |(count, sum), letter| {
            (count + 1, sum + letter.bytes.len())
        });
        let fits = count < LETTERS_MAX && sum + bytes <= MAILBOX_BYTES_MAX;
        fits && state.newest.is_some() && !state.lacks_some
    }

    /// Opens it, and puts in what is there of the durable letters, all that the connection's player
    /// has not seen in their order, as far as there is room; those that came in before are passed
    /// over.
    pub(super) fn fill(&self, durable: impl IntoIterator<Item = Letter>, lobby: &Notify) {
        let mut state = self.0.lock();
        let newest = *state.newest.get_or_insert(0);
        state.lacks_some = false;
        for letter in durable {
            if letter.number <= newest {
                continue;
            }
            if !state.fits(&letter) {
                state.lacks_some = true;
                break;
            }
            state.push(letter);
            state.tell(lobby);
        }
    }

    /// See [`super::Online::attend`].
    pub(super) fn attend(&self, standing: Standing) {
        let stands = &mut self.0.lock().stands[standing as usize];
        if matches!(stands, Stands::Unheeded) {
            *stands = Stands::Told;
        }
    }

    /// See [`super::Online::show`].
    pub(super) fn show(&self, standing: Standing, bytes: Bytes, lobby: &Notify) {
        let mut state = self.0.lock();
        let stands = &mut state.stands[standing as usize];
        if !matches!(stands, Stands::Unheeded) {
            *stands = Stands::Untold(bytes);
            state.tell(lobby);
        }
    }

    /// Number of the newest durable letter that came in.
    pub(super) fn newest(&self) -> u32 {
        self.0.lock().newest.unwrap_or(0)
    }

    /// Whether it has to be filled.
    pub(super) fn lacks_some(&self) -> bool {
        self.0.lock().lacks_some
    }

    /// The connection asks for something; false: it has not taken the answer to what it asked for
    /// before, or asks too often.
    pub(super) fn expect_answer(&self, now: Instant) -> bool {
        let mut state = self.0.lock();
        let answer = state.answer.get_or_insert_with(|| {
            Box::new(Answer {
                is_expected: false,
                parts: VecDeque::new(),
                asks: Budget::new(now),
                budget: Budget::new(now),
            })
        });
        let may = !answer.is_expected
            && answer
                .asks
                .spend(ANSWERS_PER_SECOND, ANSWERS_BURST, now, 1.0);
        answer.is_expected |= may;
        may
    }

    /// This is the answer to what it asked for, in parts; of none there is no answer.
    pub(super) fn answer(&self, parts: VecDeque<Bytes>, lobby: &Notify) {
        let mut state = self.0.lock();
        if let Some(answer) = &mut state.answer {
            answer.is_expected = !parts.is_empty();
            answer.parts = parts;
        }
        if state.has_some() {
            state.tell(lobby);
        }
    }

    /// The connection asks for something that is answered soon; false: too much is under way.
    pub(super) fn ask(&self, now: Instant) -> bool {
        self.0.lock().windows(now).ask()
    }

    /// There is no answer.
    pub(super) fn unask(&self, now: Instant) {
        self.0.lock().windows(now).unask();
    }

    /// This is the answer.
    pub(super) fn reply(&self, bytes: Bytes, now: Instant, lobby: &Notify) {
        let mut state = self.0.lock();
        state.windows(now).answer(bytes);
        state.tell(lobby);
    }

    /// Somebody says something; how many lines were lost for it.
    pub(super) fn line(&self, window: Window, bytes: Bytes, now: Instant, lobby: &Notify) -> u32 {
        let mut state = self.0.lock();
        let lost = state.windows(now).line(window, bytes);
        state.tell(lobby);
        lost
    }

    /// See [`super::Online::tell_of`].
    pub(super) fn tell_of(&self, who: Handle, at: At, now: Instant, lobby: &Notify) {
        let mut state = self.0.lock();
        let new = || Box::new(Watched::new(now));
        state.watched.get_or_insert_with(new).tell(who, at);
        state.tell(lobby);
    }

    /// See [`super::Online::watch_only`].
    pub(super) fn watch_only(&self, whom: &BTreeSet<Handle>) {
        if let Some(watched) = &mut self.0.lock().watched {
            watched.only(whom);
        }
    }

    /// Something of the connection changed that its owner is to look at.
    pub(super) fn nudge(&self, lobby: &Notify) {
        let mut state = self.0.lock();
        state.is_to_look = true;
        state.tell(lobby);
    }

    /// Another owner takes it over with the connection; whether there are letters.
    pub(super) fn hand_to(&self, owner: Owner) -> bool {
        let mut state = self.0.lock();
        state.owner = owner;
        state.is_known = state.has_some();
        state.is_known
    }

    /// The owner takes how things stand, letters, oldest first, and then parts of the answer, until they have `most`
    /// bytes or more; in a room, which says what time it is, no more than may go out by then. Whether
    /// some are left, of which it knows.
    pub(super) fn take(&self, most: usize, now: Option<Instant>, out: &mut Vec<Bytes>) -> bool {
        let mut state = self.0.lock();
        let state = &mut *state;
        let mut left = most;
        for stands in &mut state.stands {
            let Stands::Untold(bytes) = stands else {
                continue;
            };
            if left == 0 || !may_go(&mut state.budget, now, bytes.len()) {
                break;
            }
            left = left.saturating_sub(bytes.len());
            out.push(std::mem::take(bytes));
            *stands = Stands::Told;
        }
        while left > 0
            && let Some(bytes) = state.letters.front().map(|letter| letter.bytes.len())
            && may_go(&mut state.budget, now, bytes)
        {
            left = left.saturating_sub(bytes);
            state.bytes -= bytes;
            out.extend(state.letters.pop_front().map(|letter| letter.bytes));
        }
        if let Some(watched) = &mut state.watched {
            watched.take(&mut left, now, out);
        }
        if let Some(windows) = &mut state.windows {
            windows.take(&mut left, now, out);
        }
        while left > 0
            && let Some(part) = state.take_part(now)
        {
            left = left.saturating_sub(part.len());
            out.push(part);
        }
        state.is_to_look = false;
        state.is_known = state.has_some();
        state.is_known
    }
}

impl State {
    fn has_some(&self) -> bool {
        let is_untold = |stands: &Stands| matches!(stands, Stands::Untold(_));
        let has_parts = |answer: &Answer| !answer.parts.is_empty();
        self.is_to_look
            || !self.letters.is_empty()
            || self.windows.as_deref().is_some_and(Windows::has_some)
            || self.watched.as_deref().is_some_and(Watched::has_some)
            || self.stands.iter().any(is_untold)
            || self.answer.as_deref().is_some_and(has_parts)
    }

    fn windows(&mut self, now: Instant) -> &mut Windows {
        let windows = self
            .windows
            .get_or_insert_with(|| Box::new(Windows::new(now)));
        &mut *windows
    }

    fn fits(&self, letter: &Letter) -> bool {
        self.letters.len() < LETTERS_MAX && self.bytes + letter.bytes.len() <= MAILBOX_BYTES_MAX
    }

    /// Drops letters that are not durable until this one fits; how many.
    fn make_room(&mut self, letter: &Letter) -> u32 {
        let mut dropped = 0;
        while !self.fits(letter)
            && let Some(at) = self.letters.iter().position(|old| !old.is_durable())
        {
            let old = self.letters.remove(at);
            self.bytes -= old.map_or(0, |old| old.bytes.len());
            dropped += 1;
        }
        dropped
    }

    fn push(&mut self, letter: Letter) {
        if letter.is_durable() {
            self.newest = Some(letter.number);
        }
        self.bytes += letter.bytes.len();
        self.letters.push_back(letter);
    }

    /// The next part of the answer, if it may go out; behind the last one another may be asked for.
    fn take_part(&mut self, now: Option<Instant>) -> Option<Bytes> {
        let answer = self.answer.as_mut()?;
        let bytes = answer.parts.front()?.len();
        if !may_go(&mut answer.budget, now, bytes) {
            return None;
        }
        let part = answer.parts.pop_front();
        answer.is_expected = !answer.parts.is_empty();
        part
    }

    fn tell(&mut self, lobby: &Notify) {
        if std::mem::replace(&mut self.is_known, true) {
            return;
        }
        match &self.owner {
            Owner::Lobby => lobby.notify_one(),
            Owner::Worker(post, room, player) => post.announce(*room, *player),
        }
    }
}

#[cfg(test)]
mod tests;
