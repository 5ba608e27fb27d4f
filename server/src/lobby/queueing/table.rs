//! A game's queue with what the lobby knows of those in it: who they are, their connections, the
//! rooms of their matches. Everything that happens goes through here under one lock; times are
//! arguments. `queueing` calls it.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use tickwire::ids::RoomId;
use tickwire::protocol::server_message::Refusal as JoinRefusal;
use tickwire::protocol::{OutOfQueue, QueueState};

use super::around::{Around, short};
use super::asking::Asking;
use super::match_room::{Made, MatchRoom, dismiss};
use crate::auth::Identity;
use crate::directory::{Directory, GameIndex};
use crate::game::RoomOptions;
use crate::queue::{Input, OfferId, PlayerKey, Queue, View};

/// Somebody in the queue.
pub(super) struct Waiter {
    pub(super) who: Identity,
    /// Of the request by which they came in, 0 if it was another's.
    pub(super) nonce: u32,
    /// The match that they are in.
    pub(super) offer: Option<OfferId>,
    /// Whether they are in [`Table::to_tell`].
    pub(super) is_told_again: bool,
}

impl Waiter {
    pub(super) fn new(who: Identity, nonce: u32) -> Waiter {
        Waiter {
            who,
            nonce,
            offer: None,
            is_told_again: false,
        }
    }
}

/// A seat in the room of a match.
pub(in crate::lobby) enum MatchSeat {
    /// It was kept for them: the queue waits to hear that they have come.
    Kept {
        offer: OfferId,
        /// How the room is to be opened, if nobody has come before.
        opens: Box<RoomOptions>,
    },
    /// They had come already.
    Again,
}

/// See the module's description.
pub(in crate::lobby) struct Table {
    pub(super) queue: Queue,
    keys: RandomState,
    /// The queue's time is since then.
    began: Option<Instant>,
    pub(super) now: Duration,
    /// All that are in the queue, and no others.
    pub(super) waiters: BTreeMap<PlayerKey, Waiter>,
    /// How many connections each player has that understands the queue.
    links: HashMap<Identity, u32>,
    /// Those that the queue knows, and no others.
    pub(super) matches: BTreeMap<OfferId, Made>,
    /// Of whom it is not known yet how good they are.
    pub(super) asking: Vec<Asking>,
    /// Who was let in by the call that goes on, if they are.
    pub(super) seeking: Vec<PlayerKey>,
    /// Who waits, by when they are told again, the first first.
    pub(super) to_tell: VecDeque<(Duration, PlayerKey)>,
}

impl Table {
    pub(in crate::lobby) fn new(queue: Queue) -> Table {
        Table {
            queue,
            keys: RandomState::new(),
            began: None,
            now: Duration::ZERO,
            waiters: BTreeMap::new(),
            links: HashMap::new(),
            matches: BTreeMap::new(),
            asking: Vec::new(),
            seeking: Vec::new(),
            to_tell: VecDeque::new(),
        }
    }

    /// See [`super::Queueing::forget`].
    pub(super) fn forget(&mut self, around: &Around<'_>, queue: Queue) {
        for made in std::mem::take(&mut self.matches).into_values() {
            made.end(around);
        }
        self.waiters.clear();
        self.asking.clear();
        self.seeking.clear();
        self.to_tell.clear();
        self.queue = queue;
    }

    /// What time it is; of two that ask at once the later one counts.
    pub(in crate::lobby) fn pass_to(&mut self, now: Instant) {
        let began = *self.began.get_or_insert(now);
        self.now = self.now.max(now.saturating_duration_since(began));
    }

    /// How many are in the queue.
    pub(in crate::lobby) fn players(&self) -> usize {
        self.waiters.len()
    }

    /// A player's number. Two may have the same, as good as never: then the second can't queue
    /// while the first does.
    pub(super) fn key(&self, who: &Identity) -> PlayerKey {
        PlayerKey(self.keys.hash_one(who))
    }

    /// Somebody's number, if they are in the queue.
    pub(super) fn waiting(&self, who: &Identity) -> Option<PlayerKey> {
        let key = self.key(who);
        let waiter = self.waiters.get(&key)?;
        (waiter.who == *who).then_some(key)
    }

    /// A connection of somebody came, and understands the queue.
    pub(in crate::lobby) fn on_come(&mut self, around: &Around<'_>, who: &Identity) {
        *self.links.entry(who.clone()).or_default() += 1;
        if let Some(player) = self.waiting(who) {
            // It tells them how things stand, too.
            self.handle(around, Input::Returned { player });
        }
    }

    /// Whether somebody has a connection that understands the queue.
    pub(super) fn is_linked(&self, who: &Identity) -> bool {
        self.links.contains_key(who)
    }

    /// A connection of somebody is gone.
    pub(in crate::lobby) fn on_gone(&mut self, around: &Around<'_>, who: &Identity) {
        if let Some(links) = self.links.get_mut(who) {
            *links -= 1;
            if *links > 0 {
                return;
            }
            self.links.remove(who);
        }
        if let Some(player) = self.waiting(who) {
            self.handle(around, Input::Lost { player });
        }
    }

    /// Somebody does not want to any more; whether they were in the queue.
    pub(in crate::lobby) fn cancel(&mut self, around: &Around<'_>, who: &Identity) -> bool {
        if self.ask_no_more(around, who, (OutOfQueue::Cancelled, who)) {
            return true;
        }
        let player = self.waiting(who);
        if let Some(player) = player {
            self.handle(around, Input::Cancel { player });
        }
        player.is_some()
    }

    /// Somebody takes a match or not; whether they are in the queue.
    pub(in crate::lobby) fn answer(
        &mut self,
        around: &Around<'_>,
        who: &Identity,
        offer: u32,
        accept: bool,
    ) -> bool {
        let Some(player) = self.waiting(who) else {
            return false;
        };
        let theirs = self.waiters.get(&player).and_then(|waiter| waiter.offer);
        let Some(offer) = theirs.filter(|theirs| short(*theirs) == offer) else {
            self.show(around, player);
            return true;
        };
        self.queue.handle(
            self.now,
            match accept {
                true => Input::Accept { player, offer },
                false => Input::Decline { player, offer },
            },
        );
        // All of it see how many have.
        let made = self.matches.get(&offer);
        let all = made.map(|made| made.players.iter().copied().collect());
        self.settle(around, all.unwrap_or_default());
        true
    }

    /// Takes the seat that is theirs in the room of their match; `None`: there is none for them.
    ///
    /// # Errors
    /// `Busy`: another connection of theirs is on its way there. Else they had been there, and the
    /// seat is not free again.
    pub(in crate::lobby) fn take_seat(
        &mut self,
        registry: &dyn Directory,
        game: GameIndex,
        who: &Identity,
        room: RoomId,
    ) -> Result<Option<MatchSeat>, JoinRefusal> {
        let player = self.waiting(who);
        let offer = player.and_then(|player| Some((player, self.waiters.get(&player)?.offer?)));
        let Some((player, offer)) = offer else {
            return Ok(None);
        };
        let theirs = self.matches.get_mut(&offer);
        let theirs = theirs.and_then(|made| made.room.as_mut());
        let Some(theirs) = theirs.filter(|theirs| theirs.id == room) else {
            return Ok(None);
        };
        if theirs.kept.remove(&player).is_some() {
            let opens = theirs.opens.clone();
            return Ok(Some(MatchSeat::Kept { offer, opens }));
        }
        let Some(View::Going { is_there: true, .. }) = self.queue.view(self.now, player) else {
            return Err(JoinRefusal::Busy);
        };
        // They lost their connection before anything of theirs was held.
        registry.reserve_by_code(game, &theirs.opens.code, registry.mark(who))?;
        Ok(Some(MatchSeat::Again))
    }

    /// A seat that was taken so is kept again: its player could not go there yet.
    pub(in crate::lobby) fn keep_again(
        &mut self,
        around: &Around<'_>,
        who: &Identity,
        offer: OfferId,
        room: RoomId,
    ) {
        let mark = around.registry.mark(who);
        let player = self.waiting(who).filter(|player| {
            let waiter = self.waiters.get(player);
            waiter.is_some_and(|waiter| waiter.offer == Some(offer))
        });
        let made = self.matches.get_mut(&offer);
        let theirs = made.and_then(|made| made.room.as_mut());
        match player.zip(theirs) {
            Some((player, theirs)) if !theirs.kept.contains_key(&player) => {
                theirs.kept.insert(player, mark);
            }
            _ => around.registry.abandon(room, mark),
        }
    }

    /// Somebody came into the room of a match.
    pub(in crate::lobby) fn on_seated(
        &mut self,
        around: &Around<'_>,
        who: &Identity,
        offer: OfferId,
        room: RoomId,
    ) {
        match self.in_match(who, offer) {
            Some(player) => self.handle(around, Input::Joined { player, offer }),
            // It came to nothing meanwhile, or goes on without them.
            None => dismiss(around, room, Some(who)),
        }
    }

    /// Somebody was refused in the room of a match.
    pub(in crate::lobby) fn on_join_failed(
        &mut self,
        around: &Around<'_>,
        who: &Identity,
        offer: OfferId,
    ) {
        if let Some(player) = self.in_match(who, offer) {
            self.handle(around, Input::JoinFailed { player, offer });
        }
    }

    fn in_match(&self, who: &Identity, offer: OfferId) -> Option<PlayerKey> {
        let player = self.waiting(who)?;
        let waiter = self.waiters.get(&player)?;
        (waiter.offer == Some(offer)).then_some(player)
    }

    /// Time passed.
    pub(in crate::lobby) fn step(&mut self, around: &Around<'_>) {
        for offer in self.without_room(around) {
            self.queue.handle(self.now, Input::RoomFailed { offer });
        }
        self.queue.step(self.now);
        self.settle(around, BTreeSet::new());
        while let Some((due, player)) = self.to_tell.front().copied()
            && due <= self.now
        {
            self.to_tell.pop_front();
            if let Some(waiter) = self.waiters.get_mut(&player) {
                waiter.is_told_again = false;
                if waiter.offer.is_none() {
                    self.show(around, player);
                    self.tell_again(player);
                }
            }
        }
    }

    /// Matches whose room failed before all were there.
    fn without_room(&self, around: &Around<'_>) -> Vec<OfferId> {
        let is_gone = |room: &MatchRoom| around.registry.worker_of(room.id).is_none();
        let gone = self.matches.iter().filter(|(_, made)| {
            let room = made.room.as_ref();
            room.is_some_and(is_gone)
        });
        gone.map(|(offer, _)| *offer).collect()
    }

    /// No match is made any more.
    pub(in crate::lobby) fn close(&mut self, around: &Around<'_>) {
        self.ask_nothing(around);
        self.handle(around, Input::Close);
    }

    /// How things stand for somebody, and by which request they came in; `None`: they are not in
    /// the queue.
    pub(in crate::lobby) fn state(
        &self,
        around: &Around<'_>,
        who: &Identity,
    ) -> Option<(u32, QueueState)> {
        self.stands(around, self.waiting(who)?)
    }

    pub(super) fn handle(&mut self, around: &Around<'_>, input: Input) {
        self.queue.handle(self.now, input);
        self.settle(around, BTreeSet::new());
    }
}
