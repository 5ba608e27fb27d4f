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
//! watches ([`watched`]), and of who is in the lobby ([`crowd`]). What holds for a moment goes when nothing else does ([`hints`]).

mod crowd;
mod hints;
mod mail;
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
use crate::auth::Handle;
pub(crate) use crowd::Shown;
use mail::Mail;
pub(crate) use mail::{Letter, MAILBOX_BYTES_MAX, STANDINGS, Standing};
pub(crate) use watched::At;
pub(crate) use windows::Window;

/// What became of a letter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Put {
    /// Whether it is in. If not, it waits elsewhere if it is durable, and is lost if not.
    pub(crate) is_in: bool,
    /// Others that were lost for it.
    pub(crate) dropped: u32,
}

/// Who has the connection.
#[derive(Debug)]
pub(super) enum Owner {
    /// A task, which whoever changes a connection's state wakes.
    Lobby,
    /// A worker, as a member of one of its rooms.
    Worker(Arc<Post>, RoomId, PlayerId),
}

/// See the module's description.
#[derive(Debug)]
pub(super) struct Mailbox(Mutex<State>);

#[derive(Debug)]
struct State {
    owner: Owner,
    /// Whether the owner knows that there are letters.
    is_known: bool,
    /// Number of the newest durable letter that came in; `None`: it is shut.
    newest: Option<u32>,
    /// Whether durable ones above `newest` wait elsewhere.
    lacks_some: bool,
    /// The owner is to look at the connection, whether there is anything to take or not.
    is_to_look: bool,
    /// Which [`Standing`]s the client understands, a bit each.
    heeds: u8,
    /// None of who was never sent anything, which are most.
    mail: Option<Box<Mail>>,
}

impl Mailbox {
    /// A shut one, of a connection in the lobby.
    pub(super) fn new() -> Mailbox {
        Mailbox(Mutex::new(State {
            owner: Owner::Lobby,
            is_known: false,
            newest: None,
            lacks_some: false,
            is_to_look: false,
            heeds: 0,
            mail: None,
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
        let dropped = state.mail().make_room(&letter);
        let is_in = state.mail().fits(&letter);
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
        let mail = state.mail.as_deref();
        let fits = mail.is_none_or(|mail| mail.has_room(bytes));
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
            if !state.mail().fits(&letter) {
                state.lacks_some = true;
                break;
            }
            state.push(letter);
            state.tell(lobby);
        }
    }

    /// See [`super::Online::attend`].
    pub(super) fn attend(&self, standing: Standing) {
        self.0.lock().heeds |= 1 << standing as u8;
    }

    /// See [`super::Online::show`].
    pub(super) fn show(&self, standing: Standing, bytes: Bytes, lobby: &Notify) {
        let mut state = self.0.lock();
        if state.heeds & 1 << standing as u8 != 0 {
            let mail = state.mail();
            mail.shown[standing as usize] = bytes.clone();
            mail.stands[standing as usize] = Some(bytes);
            state.tell(lobby);
        }
    }

    /// What it was shown last; empty: nothing.
    pub(super) fn shown(&self, standing: Standing) -> Bytes {
        let state = self.0.lock();
        let mail = state.mail.as_deref();
        mail.map_or_else(Bytes::new, |mail| mail.shown[standing as usize].clone())
    }

    /// Whether letters are put in.
    pub(super) fn is_open(&self) -> bool {
        self.0.lock().newest.is_some()
    }

    /// What its client understands, by [`Standing`].
    pub(super) fn attends(&self) -> [bool; STANDINGS] {
        let heeds = self.0.lock().heeds;
        let all = [Standing::Queue, Standing::Party, Standing::Talk];
        all.map(|standing| heeds & 1 << standing as u8 != 0)
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
        state.mail().expect_answer(now)
    }

    /// This is the answer to what it asked for, in parts; of none there is no answer.
    pub(super) fn answer(&self, parts: VecDeque<Bytes>, lobby: &Notify) {
        let mut state = self.0.lock();
        if let Some(mail) = &mut state.mail {
            mail.answer(parts);
        }
        if state.has_some() {
            state.tell(lobby);
        }
    }

    /// The connection asks for something that is answered soon; false: too much is under way.
    pub(super) fn ask(&self, now: Instant) -> bool {
        self.0.lock().mail().windows(now).ask()
    }

    /// There is no answer.
    pub(super) fn unask(&self, now: Instant) {
        self.0.lock().mail().windows(now).unask();
    }

    /// This is the answer.
    pub(super) fn reply(&self, bytes: Bytes, now: Instant, lobby: &Notify) {
        let mut state = self.0.lock();
        state.mail().windows(now).answer(bytes);
        state.tell(lobby);
    }

    /// Somebody says something; how many lines were lost for it.
    pub(super) fn line(&self, window: Window, bytes: Bytes, now: Instant, lobby: &Notify) -> u32 {
        let mut state = self.0.lock();
        let lost = state.mail().windows(now).line(window, bytes);
        state.tell(lobby);
        lost
    }

    /// See [`super::Online::hint`].
    pub(super) fn hint(&self, bytes: Bytes, now: Instant, lobby: &Notify) {
        let mut state = self.0.lock();
        let waits = state.mail.as_deref().is_some_and(Mail::has_letters);
        if !waits && state.mail().hints(now).push(bytes) {
            state.tell(lobby);
        }
    }

    /// See [`super::Online::tell_of`].
    pub(super) fn tell_of(&self, who: Handle, at: At, now: Instant, lobby: &Notify) {
        let mut state = self.0.lock();
        state.mail().watched(now).tell(who, at);
        state.tell(lobby);
    }

    /// See [`super::Online::show_crowd`].
    pub(super) fn show_crowd(&self, shown: Arc<Shown>, now: Instant, lobby: &Notify) {
        let mut state = self.0.lock();
        state.mail().crowd(now).show(shown);
        state.tell(lobby);
    }

    /// See [`super::Online::watch_only`].
    pub(super) fn watch_only(&self, whom: &BTreeSet<Handle>) {
        if let Some(mail) = &mut self.0.lock().mail {
            mail.watch_only(whom);
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
        if let Some(mail) = &mut state.mail {
            mail.take(most, now, out);
        }
        state.is_to_look = false;
        state.is_known = state.has_some();
        state.is_known
    }
}

impl State {
    fn has_some(&self) -> bool {
        let mail = self.mail.as_deref();
        self.is_to_look || mail.is_some_and(Mail::has_some)
    }

    fn mail(&mut self) -> &mut Mail {
        self.mail.get_or_insert_default()
    }

    fn push(&mut self, letter: Letter) {
        if letter.is_durable() {
            self.newest = Some(letter.number);
        }
        self.mail().push(letter);
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
