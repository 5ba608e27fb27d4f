//! Rooms leave a node that drains, one after the other: the members of each are told where they will
//! go, so that their connections there are open when it stops; it stops after a tick, its state goes
//! into the engine, its record to the other node, its players after it. Where a step fails the room
//! goes on here, and is tried again. So do rooms that a node has by the tables and can't play, which
//! nobody is in: at once, as they are. A part of [`Node`], for the length of it.

use std::time::Duration;

use tickwire::ids::RoomId;

use super::rooms::Stage;
use super::{FETCH_AGAIN, Node, Order};
use crate::directory::ownership::messages::{Epoch, Incarnation};

/// Rooms on their way at once: each stands still for as long as those before it in the engine and
/// at the other node take.
const LEAVING_MAX: usize = 4;
/// From the announcement of a room to its stop, while it is played. About the four round trips that
/// a far player takes for a name, TCP, TLS 1.3 and the upgrade; whose take longer wait for the rest
/// while the room stands still.
pub(crate) const PREPARE: Duration = Duration::from_millis(800);
/// From one room to the next: each sends its players to another node all at once, and those before
/// are still being let in there, which takes a room of fifty about so long on a busy machine.
pub(super) const SPACING: Duration = Duration::from_millis(250);
/// Over so long rooms are spread at most, however many there are: within the time that a stop
/// leaves by default.
const SPREAD: Duration = Duration::from_secs(20);
/// For a room's state to be in the engine, while the room stands still: as long as for the answer to
/// a command. Beyond, the room goes on, and leaves later. What is written of it then does no harm: a
/// write has the epoch that the room had, below that of any other owner, so it is refused once
/// there is one; and of this owner's the one of the higher tick stays, whichever comes last.
const WRITE_MAX: Duration = Duration::from_secs(2);
/// Until the next try where nobody takes rooms, or one failed.
const AGAIN: Duration = Duration::from_millis(250);
/// For so long there may be nobody who takes rooms before a drain gives up: a node that was started
/// anew is back by then, as far as beating goes.
const ALONE: Duration = Duration::from_secs(3);

/// How far a node's drain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drained {
    /// None was ordered.
    No,
    /// Rooms are leaving.
    Leaving,
    /// There is no other node that would take them.
    Alone,
    /// All have left, but those that can't.
    Done,
}

/// What came of [`Order::Stop`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// The room stands still, and its state was taken.
    Saved,
    /// Its game can't say its state: it stays.
    Stays,
    /// It was not told, or is on its way to another worker.
    NotNow,
}

/// What came of [`Order::Write`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// The engine has it.
    Stored,
    /// It is more than an engine takes: the room stays.
    TooBig,
    /// The engine has it not, or did not say.
    Failed,
}

/// What is next to be done with a room.
enum Next {
    Announce(RoomId, Epoch),
    Stop(RoomId, Epoch, Incarnation),
}

impl Node {
    /// All rooms are to leave, and none comes any more. Until the end of this incarnation.
    pub(crate) fn drain(&mut self, now: Duration) {
        self.drains = true;
        self.hopeful_at = now;
        let rooms = u32::try_from(self.rooms.to_hand_over().count()).unwrap_or(u32::MAX);
        self.spacing = SPACING.min(SPREAD / rooms.max(1));
        // The others hear it before they are given anything.
        self.own.hurry(now);
    }

    /// How far that is.
    pub(crate) fn drained(&self) -> Drained {
        match self.drains {
            false => Drained::No,
            true if self.rooms.are_gone() => Drained::Done,
            true if self.is_alone => Drained::Alone,
            true => Drained::Leaving,
        }
    }

    /// What came of having a room stand still.
    pub(crate) fn stopped(&mut self, now: Duration, room: RoomId, what: Stopped) {
        let Some(Stage::Stopping { epoch, to }) = self.rooms.get(room).copied() else {
            return;
        };
        match what {
            Stopped::Saved => {
                let until = now + WRITE_MAX;
                self.rooms.insert(room, Stage::Written { epoch, to, until });
                self.orders.push_back(Order::Write { room, epoch });
            }
            Stopped::Stays => {
                self.rooms.insert(room, Stage::Stays { epoch });
                self.orders.push_back(Order::GoOn { room });
            }
            Stopped::NotNow => self.goes_on(now, room, epoch),
        }
    }

    /// What came of writing that state, at this epoch.
    pub(crate) fn written(&mut self, now: Duration, room: RoomId, at: Epoch, what: Written) {
        match self.rooms.get(room).copied() {
            Some(Stage::Written { epoch, to, .. }) if epoch == at => match what {
                Written::Stored if self.own.hand_over(now, room, to) => {
                    self.rooms.insert(room, Stage::Leaving { epoch });
                }
                Written::Stored | Written::Failed => self.goes_on(now, room, epoch),
                Written::TooBig => {
                    self.rooms.insert(room, Stage::Stays { epoch });
                    self.orders.push_back(Order::GoOn { room });
                }
            },
            // It went on meanwhile.
            Some(Stage::Overdue { epoch }) if epoch == at => {
                self.rooms.insert(room, Stage::Played { epoch });
            }
            _ => {}
        }
    }

    /// Rooms whose state takes too long go on.
    pub(super) fn give_writes_up(&mut self, now: Duration) {
        for (room, epoch) in self.rooms.overdue(now) {
            self.goes_on(now, room, epoch);
            self.rooms.insert(room, Stage::Overdue { epoch });
        }
    }

    /// The engine did not give it away.
    pub(super) fn kept(&mut self, now: Duration, room: RoomId) {
        match self.rooms.get(room).copied() {
            Some(Stage::Leaving { epoch }) => self.goes_on(now, room, epoch),
            Some(Stage::HandedOn { epoch }) => self.wait(room, epoch, now + FETCH_AGAIN),
            // It was closed meanwhile.
            None => self.own.closed(now, room),
            _ => {}
        }
    }

    /// A room that can't be played here goes to a node that may, if there is one; there it is
    /// fetched as it is kept.
    pub(super) fn hand_on(&mut self, now: Duration, room: RoomId, epoch: Epoch) {
        let mut takers = self.own.takers(now);
        if takers.is_empty() {
            return;
        }
        let to = self.next_taker(&mut takers);
        if self.own.hand_over(now, room, to) {
            self.rooms.insert(room, Stage::HandedOn { epoch });
        }
    }

    fn goes_on(&mut self, now: Duration, room: RoomId, epoch: Epoch) {
        self.rooms.insert(room, Stage::Played { epoch });
        self.orders.push_back(Order::GoOn { room });
        self.announce_again = now + AGAIN;
    }

    /// The next room is announced, or stops, for whoever's turn it is.
    pub(super) fn hand_rooms_over(&mut self, now: Duration) {
        let next = self.next_hand_over();
        if next.is_none_or(|(at, _)| now < at) {
            return;
        }
        if self.own.is_hopeful(now) {
            self.hopeful_at = now;
        }
        self.is_alone = now.saturating_sub(self.hopeful_at) >= ALONE;
        let mut takers = self.own.takers(now);
        while let Some((at, next)) = self.next_hand_over()
            && at <= now
        {
            match next {
                Next::Stop(room, epoch, to) if takers.iter().any(|(who, _)| *who == to) => {
                    self.stop_again = now + self.spacing;
                    self.rooms.insert(room, Stage::Stopping { epoch, to });
                    self.orders.push_back(Order::Stop { room });
                }
                // Where its members were to go takes no rooms any more.
                Next::Stop(room, epoch, _) => {
                    self.rooms.insert(room, Stage::Played { epoch });
                }
                Next::Announce(..) if takers.is_empty() => self.announce_again = now + AGAIN,
                Next::Announce(room, epoch) => {
                    self.announce_again = now + self.spacing;
                    let (to, due) = (self.next_taker(&mut takers), now + PREPARE);
                    self.rooms.insert(room, Stage::Announced { epoch, to, due });
                    self.orders.push_back(Order::Announce { room, to });
                }
            }
        }
    }

    /// When that may be.
    pub(super) fn hand_over_at(&self) -> Option<Duration> {
        self.next_hand_over().map(|(at, _)| at)
    }

    /// What comes next, and when it may. Rooms stop in the order in which they were announced, and
    /// no more are announced than stop within [`PREPARE`]: where stops take longer than that those
    /// that wait for theirs are few, and their members' connections have not been held for long.
    fn next_hand_over(&self) -> Option<(Duration, Next)> {
        if !self.drains {
            return None;
        }
        let is_full = self.rooms.under_way() >= LEAVING_MAX;
        let stop = self.rooms.announced().min().filter(|_| !is_full);
        let stop = stop.map(|(due, room, epoch, to)| {
            let at = due.max(self.stop_again);
            (at, Next::Stop(room, epoch, to))
        });
        let ahead = PREPARE.as_nanos() / self.spacing.as_nanos().max(1) + 1;
        let may_announce = (self.rooms.announced().count() as u128) < ahead;
        let announce = self.rooms.to_hand_over().next().filter(|_| may_announce);
        let announce =
            announce.map(|(room, epoch)| (self.announce_again, Next::Announce(room, epoch)));
        stop.into_iter().chain(announce).min_by_key(|(at, _)| *at)
    }

    /// In turns, so that rooms spread over the others; who has least to do first.
    fn next_taker(&mut self, takers: &mut [(Incarnation, u16)]) -> Incarnation {
        takers.sort_unstable_by_key(|(who, load)| (*load, *who));
        self.handed_over += 1;
        takers[self.handed_over % takers.len()].0
    }
}
