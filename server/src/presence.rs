//! Who is connected: every connection that said hello, wherever it is, with what others know it by,
//! and what they have for it: `moderation` its orders, `notices` its letters,
//! `history` what it asked for. One table under one lock, taken when a connection says hello, changes
//! its room and ends, and when somebody asks for some of them, never on the tick path. What stands in
//! an [`Online`] itself is reached without it.

mod away;
mod blocked;
mod mailbox;
mod post;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use tickwire::codec::decode_server;
use tickwire::ids::{PlayerId, RoomId};
use tickwire::protocol::{CloseCode, PartyState, QueueState, ServerMessage};
use tokio::sync::Notify;

use crate::auth::{Handle, Identity};
use crate::date::Date;
pub(crate) use away::{Away, Held, Mail, Outgoing, Sent};
pub(crate) use blocked::Blocked;
pub(crate) use mailbox::{At, Letter, MAILBOX_BYTES_MAX, Put, Standing, Window};
use mailbox::{Mailbox, Owner};
pub(crate) use post::Post;

/// Connections that are remembered when they are gone, so that who did something and went can still
/// be named. Beyond: the one that went first is forgotten.
const GONE_MAX: usize = 1000;

/// A connection that said hello.
pub(crate) struct Online {
    /// Which no other of this table has or had.
    pub(crate) number: u64,
    /// Where it is, of one that another node lends.
    away: Option<Box<Away>>,
    pub(crate) game: &'static str,
    pub(crate) name: Box<str>,
    pub(crate) identity: Identity,
    pub(crate) address: IpAddr,
    since: Instant,
    /// 0: in the lobby.
    room: AtomicU32,
    /// The same, if lists show that room; else 0.
    listed: AtomicU32,
    expelled: OnceLock<CloseCode>,
    /// Seconds since 1970, 0: may chat.
    muted_until: AtomicU64,
    /// Wakes the lobby's task.
    ordered: Notify,
    mailbox: Mailbox,
    /// Up to which durable letter its client said that they were shown.
    seen: AtomicU32,
    /// Whether [`Presence::take_heard`] gives it.
    is_heard: AtomicBool,
    /// Which lines it wants: [`HEARS_TWO`], [`HEARS_LOBBY`].
    hears: AtomicU8,
    /// Whom its player does not want to hear; `None`: that was not looked up yet.
    blocked: Mutex<Option<Arc<Blocked>>>,
    /// Whether that changed since its room looked.
    blocked_changed: AtomicBool,
}

/// It is told what players say to its player.
const HEARS_TWO: u8 = 1;
/// And what is said in the lobby.
const HEARS_LOBBY: u8 = 2;

impl Online {
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

    /// Tells it where somebody is whom it watches: of each the newest alone counts.
    pub(crate) fn tell_of(&self, who: Handle, at: At, now: Instant) {
        if let Some(away) = &self.away {
            return away.send(Sent::At(who, at));
        }
        self.mailbox.tell_of(who, at, now, &self.ordered);
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

    fn set_hears(&self, lobby: bool) {
        let lobby = if lobby { HEARS_LOBBY } else { 0 };
        self.hears.store(HEARS_TWO | lobby, Ordering::Relaxed);
    }

    /// Whether it hears lines of such channels.
    pub(crate) fn hears(&self, window: Window) -> bool {
        let bit = match window {
            Window::Two => HEARS_TWO,
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

    /// The same as who has the connection knows already.
    pub(crate) fn recall_blocked(&self, blocked: Arc<Blocked>) {
        *self.blocked.lock() = Some(blocked);
    }

    /// Whether another node has the connection.
    pub(crate) fn is_lent(&self) -> bool {
        self.away.is_some()
    }

    /// What its client was told last of how something stands; empty: nothing.
    pub(crate) fn shown(&self, standing: Standing) -> Bytes {
        self.mailbox.shown(standing)
    }

    /// Whether it understands what it is told of this.
    pub(crate) fn attends(&self, standing: Standing) -> bool {
        let attends = match &self.away {
            Some(away) => away.attends,
            None => self.mailbox.attends(),
        };
        attends[standing as usize]
    }

    /// Whether its client was told last that it is in the queue; of a stand-in, when it came.
    pub(crate) fn is_queued(&self) -> bool {
        if let Some(away) = &self.away {
            return away.is_queued;
        }
        let shown = decode_server(&self.shown(Standing::Queue));
        let is_out = |state: &QueueState| matches!(state, QueueState::Out { .. });
        matches!(shown, Ok(Some(ServerMessage::Queue { state, .. })) if !is_out(&state))
    }

    /// By what its client was told last that it may go into this room: as that of its match, or its
    /// party's.
    pub(crate) fn led_by(&self, room: RoomId) -> Option<Standing> {
        let led = |standing| match decode_server(&self.shown(standing)) {
            Ok(Some(ServerMessage::Queue {
                state: QueueState::Going { room, .. },
                ..
            })) => Some(room),
            Ok(Some(ServerMessage::Party {
                state: PartyState::In { room, .. },
                ..
            })) => room.map(|to| to.room),
            _ => None,
        };
        let mut standings = [Standing::Queue, Standing::Party].into_iter();
        standings.find(|standing| led(*standing) == Some(room))
    }

    /// A stand-in keeps this until it is gone; of another connection it is dropped.
    pub(crate) fn hold(&self, what: Held) {
        if let Some(away) = &self.away {
            away.held.lock().push(what);
        }
    }

    /// What another node is to know of it where it is lent.
    pub(crate) fn lent(&self) -> Lent {
        Lent {
            room: self.room(),
            is_listed: self.listed.load(Ordering::Relaxed) != 0,
            hears: self.hears(Window::Two).then(|| self.hears(Window::Lobby)),
            takes_notices: self.mailbox.is_open(),
            attends: self.mailbox.attends(),
            muted_until: Date(self.muted_until.load(Ordering::Relaxed)),
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

    fn whereabouts(&self) -> Whereabouts {
        Whereabouts {
            game: self.game,
            room: self.room(),
        }
    }

    fn line(&self, now: Instant, gone: Option<Instant>, today: Date) -> PlayerLine {
        let seconds = |from: Instant| now.saturating_duration_since(from).as_secs();
        PlayerLine {
            game: self.game,
            player: self.identity.to_string(),
            name: self.name.clone(),
            address: self.address,
            room: self.room(),
            connected_s: seconds(self.since),
            gone_s: gone.map(seconds),
            muted_s: self.muted_s(today),
        }
    }
}

/// What there is of a connection beside who it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lent {
    pub(crate) room: Option<RoomId>,
    /// Whether lists show that room.
    pub(crate) is_listed: bool,
    /// Whether it is told what players say, and if so whether also the lobby.
    pub(crate) hears: Option<bool>,
    /// Whether its client understands notices.
    pub(crate) takes_notices: bool,
    /// What else it understands, by [`Standing`].
    pub(crate) attends: [bool; 2],
    pub(crate) muted_until: Date,
}

/// Hears of what becomes of the connections that this process has itself.
pub(crate) trait Follow: Send + Sync {
    /// One is in another room, or in none.
    fn moved(&self, number: u64, room: Option<RoomId>, is_listed: bool);
    /// One is no more.
    fn gone(&self, number: u64);
}

/// A connection as operators see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct PlayerLine {
    /// The game that the connection is of.
    game: &'static str,
    /// Its identity, as orders name it.
    player: String,
    name: Box<str>,
    address: IpAddr,
    /// The room that it is or last was in.
    room: Option<RoomId>,
    /// Since it said hello.
    connected_s: u64,
    /// Since it ended, if it has.
    gone_s: Option<u64>,
    muted_s: u64,
}

/// Where a connection is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Whereabouts {
    /// The game that it is of.
    pub(crate) game: &'static str,
    /// None: the lobby.
    pub(crate) room: Option<RoomId>,
}

/// The table. Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Presence(Arc<Shared>);

#[derive(Default)]
struct Shared {
    table: Mutex<Table>,
    /// Those whose clients said what they have seen, each once: see [`Present::saw`].
    heard: Mutex<Vec<Arc<Online>>>,
    /// Wakes who waits for them.
    hears: Notify,
    follower: OnceLock<Weak<dyn Follow>>,
    /// Wakes who waits for [`Presence::take_stirred`].
    stirs: Notify,
}

#[derive(Default)]
struct Table {
    here: HashMap<u64, Arc<Online>>,
    of_player: BTreeMap<(Identity, u64), Arc<Online>>,
    of_room: BTreeMap<(RoomId, u64), Arc<Online>>,
    newest: u64,
    /// Players who came, went, or are elsewhere, each once.
    stirred: BTreeSet<Identity>,
    /// With when they went, latest last.
    gone: VecDeque<(Arc<Online>, Instant)>,
}

impl Presence {
    /// Enters a connection; it is there until the guard is dropped.
    pub(crate) fn enter(
        &self,
        game: &'static str,
        name: &str,
        identity: &Identity,
        address: IpAddr,
    ) -> Present {
        self.enter_as(game, name, identity, address, None)
    }

    /// Enters one that another node lends, as it is there.
    pub(crate) fn lend(
        &self,
        game: &'static str,
        name: &str,
        identity: &Identity,
        away: Away,
        as_it_is: &Lent,
    ) -> Present {
        // It is that node's to know.
        let address = Ipv4Addr::UNSPECIFIED.into();
        let present = self.enter_as(game, name, identity, address, Some(Box::new(away)));
        if let Some(lobby) = as_it_is.hears {
            present.set_hears(lobby);
        }
        present.mute(Some(as_it_is.muted_until));
        present.set_room(as_it_is.room, as_it_is.is_listed);
        present
    }

    fn enter_as(
        &self,
        game: &'static str,
        name: &str,
        identity: &Identity,
        address: IpAddr,
        away: Option<Box<Away>>,
    ) -> Present {
        let mut table = self.0.table.lock();
        table.newest += 1;
        let number = table.newest;
        let online = Arc::new(Online {
            number,
            away,
            game,
            name: name.into(),
            identity: identity.clone(),
            address: address.to_canonical(),
            since: Instant::now(),
            room: AtomicU32::new(0),
            listed: AtomicU32::new(0),
            expelled: OnceLock::new(),
            muted_until: AtomicU64::new(0),
            ordered: Notify::new(),
            mailbox: Mailbox::new(),
            seen: AtomicU32::new(0),
            is_heard: AtomicBool::new(false),
            hears: AtomicU8::new(0),
            blocked: Mutex::default(),
            blocked_changed: AtomicBool::new(false),
        });
        table.here.insert(number, online.clone());
        let whose = (identity.clone(), number);
        table.of_player.insert(whose, online.clone());
        table.stirred.insert(identity.clone());
        drop(table);
        self.0.stirs.notify_one();
        Present {
            presence: self.clone(),
            online,
            is_welcome: false,
        }
    }

    /// Who hears from now on what becomes of the connections of this process; the first one counts.
    pub(crate) fn follow(&self, follower: Weak<dyn Follow>) {
        let _ = self.0.follower.set(follower);
    }

    fn tell_follower(&self, online: &Online, tell: impl FnOnce(&dyn Follow)) {
        let follower = self.0.follower.get().filter(|_| !online.is_lent());
        if let Some(follower) = follower.and_then(Weak::upgrade) {
            tell(&*follower);
        }
    }

    /// Those with these numbers who are still there.
    pub(crate) fn of_numbers(&self, numbers: &[u64]) -> Vec<Arc<Online>> {
        let table = self.0.table.lock();
        let here = numbers.iter().filter_map(|number| table.here.get(number));
        here.cloned().collect()
    }

    /// Those who are meant.
    pub(crate) fn all(&self, mut is_meant: impl FnMut(&Online) -> bool) -> Vec<Arc<Online>> {
        let table = self.0.table.lock();
        let here = table.here.values();
        here.filter(|online| is_meant(online)).cloned().collect()
    }

    /// A player's, the oldest first.
    pub(crate) fn of_player(&self, player: &Identity) -> Vec<Arc<Online>> {
        let all = (player.clone(), 0)..=(player.clone(), u64::MAX);
        let table = self.0.table.lock();
        let theirs = table.of_player.range(all);
        theirs.map(|(_, online)| online.clone()).collect()
    }

    /// Those in a room, or on their way to it.
    pub(crate) fn of_room(&self, room: RoomId) -> Vec<Arc<Online>> {
        let table = self.0.table.lock();
        let there = table.of_room.range((room, 0)..=(room, u64::MAX));
        there.map(|(_, online)| online.clone()).collect()
    }

    /// Those whose connection ended in a room within `span`, and who are nowhere now.
    pub(crate) fn lost_in(&self, room: RoomId, span: Duration) -> Vec<Identity> {
        let now = Instant::now();
        let table = self.0.table.lock();
        let of_late = table.gone.iter().rev();
        let of_late = of_late.take_while(|(_, went)| now.saturating_duration_since(*went) <= span);
        let from_there = of_late.filter(|(online, _)| online.room() == Some(room));
        let mut lost: Vec<Identity> = from_there
            .map(|(online, _)| online.identity.clone())
            .filter(|player| {
                let mut here = table.of_player.range((player.clone(), 0)..);
                here.next().is_none_or(|((whose, _), _)| whose != player)
            })
            .collect();
        lost.sort_unstable();
        lost.dedup();
        lost
    }

    /// Those whose clients said since the last time what they have seen.
    pub(crate) fn take_heard(&self) -> Vec<Arc<Online>> {
        let heard = std::mem::take(&mut *self.0.heard.lock());
        for online in &heard {
            // Before it is read: what comes now has it in the list again.
            online.is_heard.store(false, Ordering::SeqCst);
        }
        heard
    }

    /// Done when there may be some.
    pub(crate) async fn hears(&self) {
        self.0.hears.notified().await;
    }

    /// Somebody is to be erased: of their connections that are gone nothing is shown any more.
    pub(crate) fn forget(&self, who: &Identity) {
        let mut table = self.0.table.lock();
        table.gone.retain(|(online, _)| online.identity != *who);
    }

    /// Others may see something of a player otherwise from now on.
    pub(crate) fn stir(&self, who: &Identity) {
        self.0.table.lock().stirred.insert(who.clone());
        self.0.stirs.notify_one();
    }

    /// Those of whom that is so, or who came, went or are elsewhere, since the last time.
    pub(crate) fn take_stirred(&self) -> BTreeSet<Identity> {
        std::mem::take(&mut self.0.table.lock().stirred)
    }

    /// Done when there may be some.
    pub(crate) async fn stirs(&self) {
        self.0.stirs.notified().await;
    }

    /// Where each of these players is, by each of their connections, in the order in which they
    /// came.
    pub(crate) fn whereabouts(&self, players: &[Identity]) -> Vec<Vec<Whereabouts>> {
        let of = |player: &Identity| {
            let theirs = self.of_player(player).into_iter();
            theirs.map(|online| online.whereabouts()).collect()
        };
        players.iter().map(of).collect()
    }

    /// Everybody, then those who went, the latest first.
    pub(crate) fn lines(&self, today: Date) -> Vec<PlayerLine> {
        let table = self.0.table.lock();
        let here = table.here.iter().filter(|(_, online)| !online.is_lent());
        let mut here: Vec<_> = here
            .map(|(number, online)| (*number, online.clone()))
            .collect();
        let gone: Vec<(Arc<Online>, Instant)> = table.gone.iter().rev().cloned().collect();
        drop(table);
        here.sort_unstable_by_key(|(number, _)| std::cmp::Reverse(*number));
        let now = Instant::now();
        let here = here.iter().map(|(_, online)| online.line(now, None, today));
        let gone = gone.iter();
        here.chain(gone.map(|(online, went)| online.line(now, Some(*went), today)))
            .collect()
    }
}

/// A connection's entry, which goes with it.
pub(crate) struct Present {
    presence: Presence,
    online: Arc<Online>,
    is_welcome: bool,
}

impl Present {
    /// It was let in: it is remembered when it is gone.
    pub(crate) fn welcome(mut self) -> Present {
        self.is_welcome = true;
        self
    }

    /// Tells others where it is, and whether lists show that room; `None`: in the lobby. Not for the
    /// tick path.
    pub(crate) fn set_room(&self, room: Option<RoomId>, is_listed: bool) {
        let mut table = self.presence.0.table.lock();
        if let Some(before) = self.room() {
            table.of_room.remove(&(before, self.number));
        }
        if let Some(room) = room {
            let place = (room, self.number);
            table.of_room.insert(place, self.online.clone());
        }
        let number = room.map_or(0, |room| room.0);
        let listed = if is_listed { number } else { 0 };
        self.online.listed.store(listed, Ordering::Relaxed);
        self.online.room.store(number, Ordering::Relaxed);
        table.stirred.insert(self.online.identity.clone());
        drop(table);
        self.presence.0.stirs.notify_one();
        let presence = &self.presence;
        presence.tell_follower(&self.online, |follower| {
            follower.moved(self.number, room, is_listed);
        });
    }

    /// It, for who has something for it later.
    pub(crate) fn handle(&self) -> Arc<Online> {
        self.online.clone()
    }

    /// Its client says that all durable letters up to this number were shown. Those that it was not
    /// given are not.
    pub(crate) fn saw(&self, number: u32) {
        let given = number.min(self.mailbox.newest());
        self.online.seen.fetch_max(given, Ordering::SeqCst);
        if !self.online.is_heard.swap(true, Ordering::SeqCst) {
            self.presence.0.heard.lock().push(self.online.clone());
            self.presence.0.hears.notify_one();
        }
    }
}

impl std::ops::Deref for Present {
    type Target = Online;

    fn deref(&self) -> &Online {
        &self.online
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        let number = self.number;
        let mut table = self.presence.0.table.lock();
        let Some(online) = table.here.remove(&number) else {
            return;
        };
        let whose = (online.identity.clone(), number);
        table.of_player.remove(&whose);
        table.stirred.insert(whose.0);
        self.presence.0.stirs.notify_one();
        if let Some(room) = online.room() {
            table.of_room.remove(&(room, number));
        }
        drop(table);
        let presence = &self.presence;
        presence.tell_follower(&online, |follower| follower.gone(number));
        if !self.is_welcome {
            return;
        }
        let mut table = presence.0.table.lock();
        if table.gone.len() == GONE_MAX {
            table.gone.pop_front();
        }
        table.gone.push_back((online, Instant::now()));
    }
}

#[cfg(test)]
mod tests;
