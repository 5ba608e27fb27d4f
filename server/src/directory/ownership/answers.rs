//! What the engine's answers lead to: fences, adoptions, rooms that are gone. A part of
//! [`Ownership`], for the length of it.

use std::time::Duration;

use tickwire::ids::RoomId;

use super::contact::Answered;
use super::messages::{
    Command, Epoch, Incarnation, NodeRecord, ROOMS_MAX, ROOMS_TOLD_MAX, Reply, RoomRecord, Run,
};
use super::placement::{self, TAKES_NONE};
use super::rooms::Asked;
use super::{Action, Anew, Ownership, Why};

impl Ownership {
    /// The engine answered a command that was sent at `sent` on `run`.
    pub(crate) fn replied(&mut self, now: Duration, sent: Duration, run: Run, reply: Reply) {
        self.pass(now);
        if self.is_ended || self.contact.open != Some(run) {
            return;
        }
        match reply {
            Reply::Fenced => self.end(Anew::Fenced),
            Reply::Beat {
                lost,
                held,
                nodes,
                orphans,
            } => {
                let answered = self.contact.answered(now, sent, run, &self.timing);
                if self.is_frozen && answered == Answered::OnAnother {
                    return self.end(Anew::FrozenTooLong);
                }
                self.read_nodes(now, nodes, answered);
                self.thaw(now);
                self.lose(&lost);
                self.confirm_forgotten(now, sent, run, &held);
                let me = self.me;
                let mine = |(room, epoch)| (room, RoomRecord { epoch, owner: me });
                let held = held.into_iter().map(mine);
                self.rooms.orphaned(now, held.chain(orphans));
                self.fence(now);
                self.adopt(now);
                if now.saturating_sub(sent) > self.timing.beat {
                    // It had waited: what it says is old, and so is the lease that it gives.
                    self.hurry(now);
                }
            }
            Reply::FenceDone(..) => self.hurry(now),
            Reply::Adopted(room, epoch) => self.adopted(sent, room, epoch),
            Reply::Created(room, epoch) => self.created(now, sent, run, room, epoch),
            Reply::HandedOver(room, epoch) => self.handed_over(sent, room, epoch),
            Reply::Forgotten(room) => {
                if let Some(Asked::Forget { .. }) = self.rooms.asked_by(room, sent) {
                    self.rooms.asked.remove(&room);
                }
            }
        }
        self.pass(now);
    }

    fn read_nodes(
        &mut self,
        now: Duration,
        nodes: Vec<(Incarnation, NodeRecord)>,
        answered: Answered,
    ) {
        self.members.listed(now, nodes, answered);
        let others = self.members.others();
        self.peers.listed(now, others, answered, &self.timing);
    }

    /// Contact came back on the same connection, and this answer did not wait too long. What peers
    /// say does not thaw: one that has lost contact may have adopted before.
    fn thaw(&mut self, now: Duration) {
        let sent = self.contact.sent;
        let is_attached = sent.is_some_and(|sent| now < sent + self.timing.freeze);
        if self.is_frozen && is_attached {
            self.is_frozen = false;
            self.actions.push_back(Action::Thaw);
        }
    }

    /// Rooms whose record is another's. One whose epoch here is higher was asserted or adopted
    /// since that beat was sent.
    fn lose(&mut self, lost: &[(RoomId, RoomRecord)]) {
        for (room, record) in lost {
            let is_lost = self.rooms.epoch(*room).is_some_and(|epoch| {
                record.epoch > epoch || record.epoch == epoch && record.owner != self.me
            });
            if !is_lost {
                continue;
            }
            self.rooms.owned.remove(room);
            let (owner, epoch) = (record.owner, record.epoch);
            let why = match self.rooms.asked.remove(room) {
                Some((Asked::HandOver { to, .. }, _)) if to == owner => {
                    Why::HandedOver { to, epoch }
                }
                _ => Why::Lost { owner },
            };
            self.actions.push_back(Action::Drop { room: *room, why });
        }
    }

    /// Rooms to be forgotten: those that the engine still has are asked for again, the others are
    /// done.
    fn confirm_forgotten(
        &mut self,
        now: Duration,
        sent: Duration,
        run: Run,
        held: &[(RoomId, Epoch)],
    ) {
        let mut again = Vec::new();
        self.rooms.asked.retain(|room, (asked, at)| {
            let Asked::Forget { .. } = *asked else {
                return true;
            };
            if held.iter().any(|(held, _)| held == room) {
                if *at + self.timing.wait <= now {
                    again.push((*room, *asked));
                }
                return true;
            }
            sent <= *at || held.len() >= ROOMS_TOLD_MAX
        });
        for (room, asked) in again {
            self.ask_for(now, run, room, asked);
        }
    }

    /// Takes the lease of those away whose time is over.
    pub(super) fn fence(&mut self, now: Duration) {
        let Some(run) = self.contact.settled(now, &self.timing) else {
            return;
        };
        let expired = self.members.expired(now, &self.peers, &self.timing);
        let fences = expired.map(|(who, beat)| Action::Send(run, Command::Fence { who, beat }));
        self.actions.extend(fences);
    }

    /// Takes over what has no owner, where it is this node's turn, and what is its own by the
    /// tables alone.
    fn adopt(&mut self, now: Duration) {
        let Some(run) = self.contact.settled(now, &self.timing) else {
            return;
        };
        if self
            .members
            .is_anybody_unheard(now, &self.peers, &self.timing)
        {
            return;
        }
        let lively = self.members.lively(now, &self.peers, &self.timing);
        let candidates: Vec<_> = lively.chain([(self.me, self.load)]).collect();
        for (room, old, waited) in self.rooms.orphans(now) {
            let is_mine = old.owner == self.me;
            let is_turn = is_mine
                || self.load != TAKES_NONE && {
                    let place = placement::place(room, old.epoch, self.me, &candidates);
                    waited >= self.timing.turn(place)
                };
            // What is its own by the tables is nobody else's.
            let places = if is_mine { ROOMS_MAX } else { self.places };
            if is_turn && self.rooms.has_place(places) {
                self.ask_for(now, run, room, Asked::Adopt { old });
            }
        }
    }

    fn adopted(&mut self, sent: Duration, room: RoomId, epoch: Option<Epoch>) {
        let Some(Asked::Adopt { old }) = self.rooms.asked_by(room, sent) else {
            return;
        };
        self.rooms.asked.remove(&room);
        // An engine that gives no higher epoch is not believed: the tables are read again.
        if let Some(epoch) = epoch.filter(|epoch| *epoch > old.epoch) {
            self.rooms.owned.insert(room, epoch);
            self.actions.push_back(Action::Start { room, epoch });
        }
    }

    fn created(
        &mut self,
        now: Duration,
        sent: Duration,
        run: Run,
        room: RoomId,
        epoch: Option<Epoch>,
    ) {
        if let Some(Asked::Create) = self.rooms.asked_by(room, sent) {
            self.rooms.asked.remove(&room);
            self.actions.push_back(match epoch {
                Some(epoch) => {
                    self.rooms.owned.insert(room, epoch);
                    Action::Created { room, epoch }
                }
                None => {
                    let is_taken = true;
                    Action::NotCreated { room, is_taken }
                }
            });
        } else if let Some(epoch) = epoch.filter(|_| self.rooms.is_unknown(room)) {
            // Nobody waits for it any more.
            self.ask_for(now, run, room, Asked::Forget { epoch });
        }
    }

    fn handed_over(&mut self, sent: Duration, room: RoomId, given: Option<Epoch>) {
        let Some(Asked::HandOver { epoch, to }) = self.rooms.asked_by(room, sent) else {
            return;
        };
        self.rooms.asked.remove(&room);
        self.actions.push_back(match given {
            Some(epoch) => {
                let why = Why::HandedOver { to, epoch };
                Action::Drop { room, why }
            }
            None => {
                self.rooms.owned.insert(room, epoch);
                Action::Keep { room }
            }
        });
    }
}
