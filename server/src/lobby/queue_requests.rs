//! What clients and their connections have to do with their game's queue: what they ask of it, how
//! they come into the rooms of its matches, and what it is told when they come and go. `sessions`
//! and `elsewhere` call it; the queue itself is `queueing`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tickwire::protocol::server_message::Refusal;
use tickwire::protocol::{ClientMessage, OutOfQueue, QueueRequest, feature};

use super::desk::Desk;
use super::games::Offered;
use super::home_asks::Asks;
use super::matchmaking::{self, Seating};
use super::queueing::{Around, MatchSeat, Queueing, STEP, Table, Wish, out, tell};
use super::shared::Shared;
use crate::admission::request_prices;
use crate::auth::Identity;
use crate::directory::{GameIndex, Named};
use crate::lending::{Key, Lasting};
use crate::presence::{Online, Present, Standing};
use crate::worker::{QueueLink, Session};

impl Shared {
    /// A client said hello.
    pub(super) fn queue_greets(&self, session: &mut Session, now: Instant) {
        let game = self.game(session);
        let knows = session.features & feature::QUEUE != 0;
        let (Some(queueing), Some(online), true) = (&game.queueing, &session.online, knows) else {
            return;
        };
        online.attend(Standing::Queue);
        session.queue = Some(Box::new(QueueLink::new(&queueing.ear, &session.identity)));
        let around = self.around(game, queueing, now);
        queueing.with(now, |table| table.on_come(&around, &session.identity));
    }

    /// A client in the lobby wants something of the queue.
    pub(super) fn queue_asked(&self, session: &mut Session, now: Instant, request: &QueueRequest) {
        let knows = session.features & feature::QUEUE != 0;
        let online = session.online.as_ref().filter(|_| knows);
        let Some(online) = online.map(Present::handle) else {
            return;
        };
        let game = self.game(session);
        if game.queueing.is_none() {
            return self.queue_wants(game, &online, now, request);
        }
        let mut key = Key::Queue(0);
        let body = Asks::Queue(request.clone()).packed();
        if let QueueRequest::Enqueue { nonce, .. } = request {
            if !request_prices::may_join(&mut session.requests, now) {
                let why = out(OutOfQueue::TooOften, true, Duration::ZERO);
                return tell(&online, *nonce, why);
            }
            key = Key::Queue(*nonce);
            // Another home than the one of now is to know of it.
            self.lending.lasts(&online, Lasting::Queue, body.clone());
        }
        if !self.goes_home(&online, Some(key), body, now) {
            self.queue_wants(self.game(session), &online, now, request);
        }
    }

    /// A client wants something, which is paid for.
    pub(super) fn queue_wants(
        &self,
        game: &Offered,
        online: &Online,
        now: Instant,
        request: &QueueRequest,
    ) {
        let nonce = match request {
            QueueRequest::Enqueue { nonce, .. } => *nonce,
            _ => 0,
        };
        let refused = |why| tell(online, nonce, out(why, true, Duration::ZERO));
        let Some(queueing) = &game.queueing else {
            online.attend(Standing::Queue);
            return refused(OutOfQueue::NoSuchMode);
        };
        let around = self.around(game, queueing, now);
        let who = &online.identity;
        match request {
            QueueRequest::Enqueue { mode, regions, .. } => {
                let mode = queueing.modes.mode(mode);
                let mode = mode.ok_or(OutOfQueue::NoSuchMode);
                let regions = queueing.modes.regions(regions);
                let regions = regions.ok_or(OutOfQueue::NoSuchRegion);
                let wish = mode.and_then(|mode| {
                    Ok(Wish {
                        nonce,
                        mode,
                        regions: regions?,
                    })
                });
                let queued = wish.map_err(|why| (why, true)).and_then(|wish| {
                    self.queue_together(game, who, now, |players| {
                        queueing.with(now, |table| table.enqueue(&around, players, wish));
                    })
                });
                if let Err((why, own)) = queued {
                    tell(online, nonce, out(why, own, Duration::ZERO));
                }
                queueing.ear.wake();
            }
            QueueRequest::Look => {
                let (state, asks) = queueing.with(now, |table| {
                    (table.state(&around, who), table.is_asking(who))
                });
                match state {
                    Some((nonce, state)) => tell(online, nonce, state),
                    // What becomes of that is told soon.
                    None if asks => {}
                    None => refused(OutOfQueue::NotQueued),
                }
            }
            QueueRequest::Cancel => {
                if !queueing.with(now, |table| table.cancel(&around, who)) {
                    refused(OutOfQueue::NotQueued);
                }
            }
            QueueRequest::Answer { offer, accept } => {
                if !queueing.with(now, |table| table.answer(&around, who, *offer, *accept)) {
                    refused(OutOfQueue::NotQueued);
                }
            }
        }
    }

    /// A connection goes to another room than that of a match: who waits does so no longer.
    pub(super) fn queue_loses(&self, session: &Session, now: Instant) {
        let game = self.game(session);
        if let Some(queueing) = &game.queueing {
            let around = self.around(game, queueing, now);
            queueing.with(now, |table| table.cancel(&around, &session.identity));
        }
    }

    /// A connection is in the lobby, from a room or as it came. If it was on its way to that of a
    /// match it was refused there.
    pub(super) fn queue_returns(&self, session: &mut Session, now: Instant) {
        let coming = session.queue.as_mut().and_then(|link| link.coming.take());
        let game = self.game(session);
        if let (Some((offer, _)), Some(queueing)) = (coming, &game.queueing) {
            let around = self.around(game, queueing, now);
            let who = &session.identity;
            queueing.with(now, |table| table.on_join_failed(&around, who, offer));
        }
    }

    /// A connection that was to go to the room of its match could not be handed over: it may try
    /// again, the seat is kept.
    pub(super) fn queue_keeps(&self, session: &mut Session, now: Instant) -> bool {
        let coming = session.queue.as_mut().and_then(|link| link.coming.take());
        let game = self.game(session);
        let (Some((offer, room)), Some(queueing)) = (coming, &game.queueing) else {
            return false;
        };
        let around = self.around(game, queueing, now);
        let who = &session.identity;
        queueing.with(now, |table| table.keep_again(&around, who, offer, room));
        true
    }

    /// Steps a game's queue, if it has one.
    pub(super) fn tend_queue(&self, game: &Offered, now: Instant) {
        if let Some(queueing) = &game.queueing {
            let drains = self.nodes.get().is_some_and(|nodes| nodes.drains());
            let is_over = drains || *self.stopping.borrow();
            queueing.tend(&self.around(game, queueing, now), is_over, now);
        }
    }

    /// Does so for as long as it is polled, a few times a second and when the queue hears of
    /// something.
    pub(super) async fn keep_queue(self: Arc<Shared>, game: GameIndex) {
        let Some(game) = self.games.get(usize::from(game.0)) else {
            return;
        };
        let Some(queueing) = &game.queueing else {
            return;
        };
        loop {
            // Either way it is looked at.
            let _ = tokio::time::timeout(STEP, queueing.ear.hears()).await;
            self.tend_queue(game, Instant::now());
        }
    }

    /// Has ratings read of those who want to play, for as long as it is polled.
    pub(super) async fn keep_rating(self: Arc<Shared>, game: GameIndex) {
        let Some(game) = self.games.get(usize::from(game.0)) else {
            return;
        };
        let Some(queueing) = &game.queueing else {
            return;
        };
        loop {
            let read = queueing.skill.read_some().await;
            self.rated(game, &read, Instant::now());
        }
    }

    /// How good some are who want to play.
    pub(super) fn rated(&self, game: &Offered, read: &[(Identity, f64)], now: Instant) {
        if let Some(queueing) = &game.queueing {
            let around = self.around(game, queueing, now);
            queueing.with(now, |table| table.on_ratings(&around, read));
            queueing.ear.wake();
        }
    }

    pub(super) fn around<'a>(
        &'a self,
        game: &'a Offered,
        queueing: &'a Queueing,
        now: Instant,
    ) -> Around<'a> {
        Around {
            registry: &*self.registry,
            workers: &self.workers,
            presence: self.moderation.presence(),
            game: game.name,
            rooms: &game.rooms,
            modes: &queueing.modes,
            skill: &queueing.skill,
            now,
            metrics: &queueing.metrics,
        }
    }
}

impl Desk<'_> {
    /// The seat that the queue keeps for who joins the room of their match.
    ///
    /// # Errors
    /// What the client is told.
    pub(super) fn seat_of_match(
        &self,
        session: &mut Session,
        now: Instant,
        request: &ClientMessage,
    ) -> Result<Option<Seating>, Refusal> {
        let ClientMessage::JoinRoom { room, who } = request else {
            return Ok(None);
        };
        let (Some(queueing), Some(_), false) = (self.queueing, &session.queue, who.spectator)
        else {
            return Ok(None);
        };
        let (player, game) = (&session.identity, session.game);
        let take = |table: &mut Table| table.take_seat(self.registry, game, player, *room);
        let Some(seat) = queueing.with(now, take)? else {
            return Ok(None);
        };
        let opens = match seat {
            MatchSeat::Kept { offer, opens } => {
                if let Some(link) = &mut session.queue {
                    link.coming = Some((offer, *room));
                }
                Some(opens)
            }
            MatchSeat::Again => None,
        };
        let named = Named {
            place: self.registry.find(*room),
            opens,
            is_new: false,
        };
        matchmaking::seat_kept(self, session, now, named, &who.options).map(Some)
    }
}
