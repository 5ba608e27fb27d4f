//! What the queue says, done: rooms of its matches are made and ended, and everybody for whom
//! something has changed is told how things stand, once, after all of it. `table` calls it.

use std::collections::BTreeSet;
use std::time::Duration;

use tickwire::protocol::{OutOfQueue, QueueState};

use super::around::{Around, ms, out, short};
use super::match_room::{Made, MatchRoom, team};
use super::table::Table;
use crate::auth::Identity;
use crate::game::Match;
use crate::queue::{
    EndReason, Input, ModeId, OfferId, OutReason, Output, PlayerKey, Refusal, RegionId, Team, View,
};

/// How often who waits is told how things stand, though nothing has changed for them.
const TOLD_EVERY: Duration = Duration::from_secs(5);

impl Table {
    /// Does all that the queue says, and tells these as well.
    pub(super) fn settle(&mut self, around: &Around<'_>, mut told: BTreeSet<PlayerKey>) {
        let mut touched = BTreeSet::new();
        while let Some(output) = self.queue.poll() {
            match output {
                Output::Queued { players, .. } => told.extend(players),
                Output::Told { player } => _ = told.insert(player),
                Output::Refused { player, why } => self.refused(around, player, why),
                Output::Offered { offer, players, .. } => {
                    told.extend(&players);
                    self.enter(&players, Some(offer));
                    self.matches.insert(offer, Made::of(players));
                }
                Output::Go {
                    offer,
                    mode,
                    region,
                    teams,
                    ..
                } => match self.room(around, mode, region, &teams) {
                    Some(room) => {
                        told.extend(room.kept.keys());
                        if let Some(made) = self.matches.get_mut(&offer) {
                            made.room = Some(room);
                        }
                    }
                    None => self.queue.handle(self.now, Input::RoomFailed { offer }),
                },
                Output::Back { players, .. } => {
                    touched.extend(self.enter(&players, None));
                    told.extend(players);
                }
                Output::Out {
                    players,
                    by,
                    reason,
                } => {
                    for player in players {
                        let why = why_out(reason);
                        touched.extend(self.leave(around, player, why, player == by));
                    }
                }
                Output::Ended { players, reason } => {
                    for player in players {
                        let why = why_ended(reason);
                        touched.extend(self.leave(around, player, why, false));
                    }
                }
            }
        }
        for offer in touched {
            self.end_match(around, offer);
        }
        for player in told {
            self.show(around, player);
            self.tell_again(player);
        }
    }

    /// These are in a match, or wait again; those in which they were.
    fn enter(&mut self, players: &[PlayerKey], offer: Option<OfferId>) -> Vec<OfferId> {
        let mut before = Vec::new();
        for player in players {
            if let Some(waiter) = self.waiters.get_mut(player) {
                before.extend(std::mem::replace(&mut waiter.offer, offer));
            }
        }
        before
    }

    fn refused(&mut self, around: &Around<'_>, first: PlayerKey, why: Refusal) {
        let (why, by) = match why {
            Refusal::Mode => (OutOfQueue::NoSuchMode, Some(first)),
            Refusal::Regions => (OutOfQueue::NoSuchRegion, Some(first)),
            Refusal::PartySize => (OutOfQueue::PartySize, Some(first)),
            Refusal::Cooling(who, _) => (OutOfQueue::Cooling, Some(who)),
            Refusal::Closed => (OutOfQueue::Closed, None),
            // A rating is clamped, and who is in the queue does not come here.
            Refusal::Full | Refusal::Queued(_) | Refusal::Rating => (OutOfQueue::Full, None),
        };
        // All who would have waited together.
        for player in std::mem::take(&mut self.seeking) {
            self.leave(around, player, why, by == Some(player));
        }
    }

    /// Somebody is in the queue no more, and is told why; the match in which they were.
    fn leave(
        &mut self,
        around: &Around<'_>,
        player: PlayerKey,
        why: OutOfQueue,
        own: bool,
    ) -> Option<OfferId> {
        let waiter = self.waiters.remove(&player)?;
        let made = waiter.offer.and_then(|offer| self.matches.get_mut(&offer));
        if let Some(made) = made {
            made.give_up(around, player);
            made.is_played |= why == OutOfQueue::Playing;
        }
        let until = self.queue.cools_until(self.now, player);
        let again = until.map_or(Duration::ZERO, |until| until - self.now);
        around.tell(&waiter.who, waiter.nonce, out(why, own, again));
        waiter.offer
    }

    /// A match is over, if the queue does not know it any more.
    fn end_match(&mut self, around: &Around<'_>, offer: OfferId) {
        if self.queue.knows(offer) {
            return;
        }
        if let Some(made) = self.matches.remove(&offer) {
            let metrics = around.metrics;
            match made.is_played {
                true => metrics.queue_played.increment(1),
                false => metrics.queue_called_off.increment(1),
            }
            made.end(around);
        }
    }

    /// Makes the room of a match.
    fn room(
        &self,
        around: &Around<'_>,
        mode: ModeId,
        region: RegionId,
        teams: &[Team],
    ) -> Option<MatchRoom> {
        let who = |player: &PlayerKey| Some((*player, self.waiters.get(player)?.who.clone()));
        let of_team = |side: &Team| {
            let players = side.players.iter().filter_map(who);
            team(players.map(|(_, who)| who.to_string()), side.bots)
        };
        let matched = Match {
            mode: around.modes.name(mode).to_owned(),
            region: around.modes.region(region).to_owned(),
            teams: teams.iter().map(of_team).collect(),
        };
        let players = teams.iter().flat_map(|side| &side.players);
        let players: Vec<(PlayerKey, Identity)> = players.filter_map(who).collect();
        MatchRoom::make(around, matched, &players)
    }

    /// Tells somebody who is in the queue how things stand.
    pub(super) fn show(&self, around: &Around<'_>, player: PlayerKey) {
        let waiter = self.waiters.get(&player);
        if let Some((waiter, (nonce, state))) = waiter.zip(self.stands(around, player)) {
            around.tell(&waiter.who, nonce, state);
        }
    }

    /// Has somebody who waits told again after a while.
    pub(super) fn tell_again(&mut self, player: PlayerKey) {
        if let Some(waiter) = self.waiters.get_mut(&player)
            && waiter.offer.is_none()
            && !std::mem::replace(&mut waiter.is_told_again, true)
        {
            self.to_tell.push_back((self.now + TOLD_EVERY, player));
        }
    }

    /// How things stand for somebody, and by which request they came in.
    pub(super) fn stands(
        &self,
        around: &Around<'_>,
        player: PlayerKey,
    ) -> Option<(u32, QueueState)> {
        let waiter = self.waiters.get(&player)?;
        let left = |until: Duration| ms(until.saturating_sub(self.now));
        let state = match self.queue.view(self.now, player)? {
            View::Waiting {
                mode,
                waited,
                left,
                waiting,
                expected,
                is_held,
                ..
            } => QueueState::Waiting {
                mode: around.modes.name(mode).to_owned(),
                waited_ms: ms(waited),
                left_ms: ms(left),
                players: waiting,
                expected_ms: expected.map(ms),
                held: is_held,
            },
            View::Offered {
                offer,
                until,
                is_accepted,
                accepted,
                of,
            } => QueueState::Offered {
                offer: short(offer),
                left_ms: left(until),
                taken: is_accepted,
                accepted,
                of,
            },
            View::Going {
                offer,
                until,
                is_there,
            } => QueueState::Going {
                offer: short(offer),
                room: self.matches.get(&offer)?.room.as_ref()?.id,
                left_ms: left(until),
                there: is_there,
            },
            View::Beside => QueueState::Beside,
        };
        Some((waiter.nonce, state))
    }
}

fn why_out(reason: OutReason) -> OutOfQueue {
    match reason {
        OutReason::Cancelled => OutOfQueue::Cancelled,
        OutReason::LeftParty => OutOfQueue::LeftParty,
        OutReason::PartyChanged => OutOfQueue::PartyChanged,
        OutReason::Lost => OutOfQueue::Lost,
        OutReason::Declined => OutOfQueue::Declined,
        OutReason::NotAccepted => OutOfQueue::NotAccepted,
        OutReason::NotCome => OutOfQueue::NotCome,
        OutReason::JoinFailed => OutOfQueue::JoinFailed,
    }
}

fn why_ended(reason: EndReason) -> OutOfQueue {
    match reason {
        EndReason::Playing => OutOfQueue::Playing,
        EndReason::PartyPlays => OutOfQueue::PartyPlays,
        EndReason::TooFew => OutOfQueue::TooFew,
        EndReason::NoRoom => OutOfQueue::NoRoom,
        EndReason::Closed => OutOfQueue::Closed,
    }
}
