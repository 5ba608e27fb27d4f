//! One connection that said hello: what others know it by, where it is, and what they have for it, which
//! lies in its mailbox until whoever has the connection takes it. Reached without the table's lock;
//! what of it is another node's is `lent`'s, how it is shown `line`'s.

use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytes::Bytes;
use parking_lot::Mutex;
use tickwire::ids::{PlayerId, RoomId};
use tickwire::protocol::CloseCode;
use tokio::sync::Notify;

use super::away::{Away, Sent};
use super::blocked::Blocked;
use super::mailbox::{At, Letter, Mailbox, Owner, Put, Shown, Standing, Window};
use super::post::Post;
use crate::auth::{Handle, Identity};
use crate::date::Date;

/// A connection that said hello.
pub(crate) struct Online {
    /// Which no other of this table has or had.
    pub(crate) number: u64,
    /// Where it is, of one that another node lends.
    pub(super) away: Option<Box<Away>>,
    pub(crate) game: &'static str,
    pub(crate) name: Box<str>,
    pub(crate) identity: Identity,
    pub(crate) address: IpAddr,
    pub(super) since: Instant,
    /// 0: in the lobby.
    pub(super) room: AtomicU32,
    /// The same, if lists show that room; else 0.
    pub(super) listed: AtomicU32,
    /// That party's channel which it is in, by its bits; 0: none.
    pub(super) party: AtomicU64,
    pub(super) expelled: OnceLock<CloseCode>,
    /// Seconds since 1970, 0: may chat.
    pub(super) muted_until: AtomicU64,
    /// Wakes the lobby's task.
    pub(super) ordered: Notify,
    pub(super) mailbox: Mailbox,
    /// Up to which durable letter its client said that they were shown.
    pub(super) seen: AtomicU32,
    /// Whether [`Presence::take_heard`] gives it.
    pub(super) is_heard: AtomicBool,
    /// Which lines it wants: [`HEARS_TWO`], [`HEARS_LOBBY`].
    pub(super) hears: AtomicU8,
    /// Whom its player does not want to hear; `None`: that was not looked up yet.
    pub(super) blocked: Mutex<Option<Arc<Blocked>>>,
    /// Whether that changed since its room looked.
    pub(super) blocked_changed: AtomicBool,
}

/// It is told what players say to its player, and in its party.
const HEARS_TWO: u8 = 1;
/// And what is said in the lobby.
const HEARS_LOBBY: u8 = 2;

impl Online {
    /// One that said hello just now.
    pub(super) fn new(
        number: u64,
        game: &'static str,
        name: &str,
        identity: &Identity,
        address: IpAddr,
        away: Option<Box<Away>>,
    ) -> Online {
        Online {
            number,
            away,
            game,
            name: name.into(),
            identity: identity.clone(),
            address: address.to_canonical(),
            since: Instant::now(),
            room: AtomicU32::new(0),
            listed: AtomicU32::new(0),
            party: AtomicU64::new(0),
            expelled: OnceLock::new(),
            muted_until: AtomicU64::new(0),
            ordered: Notify::new(),
            mailbox: Mailbox::new(),
            seen: AtomicU32::new(0),
            is_heard: AtomicBool::new(false),
            hears: AtomicU8::new(0),
            blocked: Mutex::default(),
            blocked_changed: AtomicBool::new(false),
        }
    }

    /// With which code an operator wants it closed.
    pub(crate) fn expelled(&self) -> Option<CloseCode> {
        self.expelled.get().copied()
    }

    /// Done when its state was changed while it is in the lobby: an operator wants it closed, or there
    /// are letters.
    pub(crate) async fn ordered(&self) {
        self.ordered.notified().await;
    }

    /// Seconds for which it may not chat, from `now` on.
    pub(crate) fn muted_s(&self, now: Date) -> u64 {
        let until = Date(self.muted_until.load(Ordering::Relaxed));
        until.seconds_after(now)
    }

    /// Puts a letter into its mailbox, and tells who has the connection. Durable ones by rising
    /// numbers, and none before [`Online::fill`].
    pub(crate) fn put(&self, letter: Letter) -> Put {
        if let Some(away) = &self.away {
            // Durable ones each node gives its own.
            let is_in = letter.number == 0 && away.takes_notices;
            if is_in {
                away.send(Sent::Letter(letter.bytes));
            }
            return Put { is_in, dropped: 0 };
        }
        self.mailbox.put(letter, &self.ordered)
    }

    /// Whether a durable letter of so many bytes would go into its mailbox now.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.mailbox.has_room(bytes)
    }

    /// Gives it the durable letters that its player has not seen, all of them in their order; what
    /// it had of them is passed over, and what does not fit is left. From the first time on it is
    /// given others.
    pub(crate) fn fill(&self, durable: impl IntoIterator<Item = Letter>) {
        self.mailbox.fill(durable, &self.ordered);
    }

    /// It asks for something that is told later; false: it has not taken the answer to what it asked
    /// for before, or asks too often.
    pub(crate) fn expect_answer(&self, now: Instant) -> bool {
        self.mailbox.expect_answer(now)
    }

    /// Puts the answer into its mailbox, in parts, and tells who has the connection. Without parts
    /// there is none: it may ask again.
    pub(crate) fn answer(&self, parts: VecDeque<Bytes>) {
        if let Some(away) = &self.away {
            let count = parts.len();
            for (at, part) in (1..).zip(parts) {
                away.send(Sent::Part(part, at == count));
            }
            return;
        }
        self.mailbox.answer(parts, &self.ordered);
    }

    /// Its client understands what it is told of this.
    pub(crate) fn attend(&self, standing: Standing) {
        self.mailbox.attend(standing);
    }

    /// Tells it how something stands, if it understands that: the newest alone counts, and takes the
    /// place of one that it was not sent yet.
    pub(crate) fn show(&self, standing: Standing, bytes: Bytes) {
        if let Some(away) = &self.away {
            if away.attends[standing as usize] {
                away.send(Sent::Stands(standing, bytes));
            }
            return;
        }
        self.mailbox.show(standing, bytes, &self.ordered);
    }

    /// It asks for something that is answered soon; false: too much of it is under way.
    pub(crate) fn ask(&self, now: Instant) -> bool {
        self.mailbox.ask(now)
    }

    /// There is no answer: it may ask again.
    pub(crate) fn unask(&self, now: Instant) {
        self.mailbox.unask(now);
    }

    /// This is the answer.
    pub(crate) fn reply(&self, bytes: Bytes, now: Instant) {
        if let Some(away) = &self.away {
            return away.send(Sent::Reply(bytes));
        }
        self.mailbox.reply(bytes, now, &self.ordered);
    }

    /// Somebody says something in a channel that it hears; how many lines were lost for it.
    pub(crate) fn tell_line(&self, window: Window, bytes: Bytes, now: Instant) -> u32 {
        if let Some(away) = &self.away {
            away.send(Sent::Line(window, bytes));
            return 0;
        }
        self.mailbox.line(window, bytes, now, &self.ordered)
    }

    /// Tells it something that holds for a moment, unless anything else waits for it.
    pub(crate) fn hint(&self, bytes: Bytes, now: Instant) {
        if let Some(away) = &self.away {
            return away.send(Sent::Hint(bytes));
        }
        self.mailbox.hint(bytes, now, &self.ordered);
    }

    /// Tells it where somebody is whom it watches: of each the newest alone counts.
    pub(crate) fn tell_of(&self, who: Handle, at: At, now: Instant) {
        if let Some(away) = &self.away {
            return away.send(Sent::At(who, at));
        }
        self.mailbox.tell_of(who, at, now, &self.ordered);
    }

    /// Tells it who is in the lobby, as far as it was not told.
    pub(crate) fn show_crowd(&self, shown: Arc<Shown>, now: Instant) {
        if let Some(away) = &self.away {
            return away.send(Sent::Crowd(shown));
        }
        self.mailbox.show_crowd(shown, now, &self.ordered);
    }

    /// It watches these alone: of others it is told nothing any more.
    pub(crate) fn watch_only(&self, whom: &BTreeSet<Handle>) {
        self.mailbox.watch_only(whom);
    }

    /// It wants to hear what is said to its player from now on, and whether also the lobby.
    pub(crate) fn hear(&self, lobby: bool) {
        if let Some(away) = &self.away {
            away.send(Sent::Hears(lobby));
        }
        self.set_hears(lobby);
    }

    pub(super) fn set_hears(&self, lobby: bool) {
        let lobby = if lobby { HEARS_LOBBY } else { 0 };
        self.hears.store(HEARS_TWO | lobby, Ordering::Relaxed);
    }

    /// Whether it hears lines of such channels.
    pub(crate) fn hears(&self, window: Window) -> bool {
        let bit = match window {
            Window::Two | Window::Party => HEARS_TWO,
            Window::Lobby => HEARS_LOBBY,
        };
        self.hears.load(Ordering::Relaxed) & bit != 0
    }

    /// Whom its player has blocked, once that is known.
    pub(crate) fn blocked(&self) -> Option<Arc<Blocked>> {
        self.blocked.lock().clone()
    }

    /// Whether its player does not want to hear somebody.
    pub(crate) fn has_blocked(&self, who: &Identity) -> bool {
        let blocked = self.blocked.lock();
        blocked.as_ref().is_some_and(|blocked| blocked.has(who))
    }

    /// Whom its player has blocked from now on; whoever has the connection is told.
    pub(crate) fn block(&self, blocked: Arc<Blocked>) {
        if let Some(away) = &self.away {
            away.send(Sent::Blocked(blocked.clone()));
            return self.recall_blocked(blocked);
        }
        let before = self.blocked.lock().replace(blocked.clone());
        if before.is_some_and(|before| before != blocked) || !blocked.is_empty() {
            self.blocked_changed.store(true, Ordering::Release);
            self.mailbox.nudge(&self.ordered);
        }
    }

    /// Whom its player has blocked, if that changed since its room looked.
    pub(crate) fn blocked_news(&self) -> Option<Arc<Blocked>> {
        let has_changed = self.blocked_changed.load(Ordering::Relaxed)
            && self.blocked_changed.swap(false, Ordering::Acquire);
        has_changed.then(|| self.blocked()).flatten()
    }

    /// Whether durable letters were left.
    pub(crate) fn lacks_letters(&self) -> bool {
        self.mailbox.lacks_some()
    }

    /// Up to which durable letter its player has seen them, by its client's word.
    pub(crate) fn seen(&self) -> u32 {
        self.seen.load(Ordering::Relaxed)
    }

    /// The lobby has it from now on, and looks for letters.
    pub(crate) fn in_lobby(&self) {
        self.mailbox.hand_to(Owner::Lobby);
    }

    /// A worker has it from now on, as a member of a room. Whether there are letters; of those that
    /// come later its post tells.
    pub(crate) fn in_room(&self, post: &Arc<Post>, room: RoomId, player: PlayerId) -> bool {
        self.mailbox
            .hand_to(Owner::Worker(post.clone(), room, player))
    }

    /// Who has it takes letters, until they have `most` bytes or more; a room, which says what time
    /// it is, no more than its member may be sent by now. Whether some are left.
    pub(crate) fn take(&self, most: usize, now: Option<Instant>, out: &mut Vec<Bytes>) -> bool {
        self.mailbox.take(most, now, out)
    }

    pub(crate) fn mute(&self, until: Option<Date>) {
        let until = until.map_or(0, |until| until.0);
        self.muted_until.store(until, Ordering::Relaxed);
    }

    /// The connection is closed with `code` by whoever has it.
    pub(crate) fn expel(&self, code: CloseCode) {
        // The first order counts: it is on its way out.
        let _ = self.expelled.set(code);
        self.ordered.notify_one();
    }

    /// The room in which it is, or to which it is on its way.
    pub(crate) fn room(&self) -> Option<RoomId> {
        let room = self.room.load(Ordering::Relaxed);
        (room != 0).then_some(RoomId(room))
    }

    /// Where it is, as far as anybody may know.
    pub(crate) fn at(&self) -> At {
        if self.room().is_none() {
            return At::Lobby(self.game);
        }
        let listed = self.listed.load(Ordering::Relaxed);
        At::Room(self.game, (listed != 0).then_some(RoomId(listed)))
    }
}
