//! What clients and their connections have to do with the parties of their game: what they ask for,
//! how they follow their leader, and what parties are told when they come and go. `sessions` and
//! `elsewhere` call it; the parties themselves are `partying`.

use std::sync::Arc;
use std::time::Instant;

use tickwire::protocol::server_message::Refusal;
use tickwire::protocol::{
    ClientMessage, OutOfParty, OutOfQueue, PartyRequest, PartyState, ServerMessage, feature,
};

use super::desk::Desk;
use super::games::Offered;
use super::home_asks::Asks;
use super::matchmaking::{self, Seating};
use super::partying::{LOOK, Parties, PartyAround, Together, out};
use super::shared::Shared;
use crate::admission::request_prices;
use crate::auth::Identity;
use crate::directory::code::read_code;
use crate::directory::{GameIndex, Named};
use crate::lending::Key;
use crate::party::Newcomer;
use crate::presence::Standing;
use crate::worker::{JoinRequest, PartyLink, Session};

impl Shared {
    /// A client said hello.
    pub(super) fn party_greets(&self, session: &mut Session, now: Instant) {
        let knows = session.features & feature::PARTIES != 0;
        let Some(online) = session.online.as_ref().filter(|_| knows) else {
            return;
        };
        online.attend(Standing::Party);
        let game = self.game(session);
        let link = PartyLink::new(&game.partying.ear, &session.identity);
        let around = self.party_around(game, now);
        let name = session.name.as_deref().unwrap_or_default();
        game.partying.with(now, |parties| {
            parties.on_come(&around, &session.identity, name);
        });
        session.party = Some(Box::new(link));
    }

    /// A client in the lobby wants something of parties; what it is answered at once.
    pub(super) fn party_asked(
        &self,
        session: &mut Session,
        now: Instant,
        request: &PartyRequest,
    ) -> Option<ServerMessage> {
        session.party.as_ref()?;
        let online = session.online.as_ref()?.handle();
        let is_here = self.lending.serves(&online);
        let asks = match request {
            PartyRequest::Create { nonce } => Some((*nonce, false)),
            PartyRequest::Join { nonce, .. } => Some((*nonce, true)),
            _ => None,
        };
        if let Some((nonce, is_guess)) = asks {
            let may_join = request_prices::may_join(&mut session.requests, now);
            let may_guess = !is_guess || session.guest.may_guess(now);
            if !may_join || !may_guess || !is_here && !online.ask(now) {
                let state = out(OutOfParty::TooOften);
                return Some(ServerMessage::Party { nonce, state });
            }
            if is_guess && !is_here {
                // Whether it is a wrong one the home knows: it is paid for ahead.
                session.refused(Refusal::NoSuchRoom, now);
            }
        }
        let key = asks.map(|(nonce, _)| Key::Party(nonce));
        let body = Asks::of_party(request, session.guest.host()).packed();
        if self.goes_home(&online, key, body, now) {
            return None;
        }
        let who = newcomer(session);
        let (nonce, state) = self.party_wants(self.game(session), who, now, request)?;
        if is_here && asks.is_some_and(|of| of.1) && state == out(OutOfParty::NoSuchParty) {
            // A wrong code has the price of a wrong guess of a room.
            session.refused(Refusal::NoSuchRoom, now);
        }
        Some(ServerMessage::Party { nonce, state })
    }

    /// A client wants something, which is paid for; what it is answered.
    pub(super) fn party_wants(
        &self,
        game: &Offered,
        who: Newcomer,
        now: Instant,
        request: &PartyRequest,
    ) -> Option<(u32, PartyState)> {
        let around = self.party_around(game, now);
        let state = match request {
            PartyRequest::Create { nonce } => {
                let make = |named| {
                    let make = |parties: &mut Parties| parties.create(&around, who, named);
                    game.partying.with(now, make)
                };
                let made = around.code().zip(around.channel()).map(make);
                let state = made.unwrap_or_else(|| out(OutOfParty::TooManyParties));
                (*nonce, state)
            }
            PartyRequest::Join { nonce, code } => {
                let join = |code| {
                    let join = |parties: &mut Parties| parties.join(&around, who, code);
                    game.partying.with(now, join)
                };
                let joined = read_code(code).map(join);
                let state = joined.unwrap_or_else(|| out(OutOfParty::NoSuchParty));
                if state == out(OutOfParty::NoSuchParty) {
                    game.partying.metrics.party_codes_wrong.increment(1);
                }
                (*nonce, state)
            }
            request => {
                let say = |parties: &mut Parties| parties.say(&around, &who.who, request);
                game.partying.with(now, say);
                return None;
            }
        };
        Some(state)
    }

    /// A client goes to a room: whether those whom it leads may follow.
    pub(super) fn party_leads(&self, session: &mut Session, seating: &Seating, now: Instant) {
        let comes = matches!(
            seating.join_request,
            JoinRequest::Join | JoinRequest::Open(_)
        );
        // Into a match everybody goes by themselves.
        let coming = session.queue.as_ref().and_then(|link| link.coming);
        let partying = &self.game(session).partying;
        let Some(link) = &mut session.party else {
            return;
        };
        link.leads_to = None;
        let is_here = self.lending.is_here();
        if comes && coming.is_none() && !is_here {
            // Whether it leads anybody the home knows.
            link.leads_to = Some(seating.place.room);
        } else if comes && coming.is_none() {
            let together = partying.with(now, |parties| parties.together(&session.identity));
            let leads = matches!(together, Together::Leads(members) if members.len() > 1);
            link.leads_to = leads.then_some(seating.place.room);
        }
    }

    /// Has those queue for whom a client speaks.
    ///
    /// # Errors
    /// Why it may not, and whether by its own player.
    pub(super) fn queue_together(
        &self,
        game: &Offered,
        who: &Identity,
        now: Instant,
        queue: impl FnOnce(&[Identity]),
    ) -> Result<(), (OutOfQueue, bool)> {
        let around = self.party_around(game, now);
        // The party does not change before all of it is in the queue.
        game.partying
            .with(now, |parties| match parties.together(who) {
                Together::Alone => {
                    queue(std::slice::from_ref(who));
                    Ok(())
                }
                Together::Follows => Err((OutOfQueue::NotLeader, true)),
                Together::Leads(members) => {
                    if members.iter().any(|member| around.is_in_room(member, None)) {
                        return Err((OutOfQueue::InRoom, false));
                    }
                    parties.stir(&around, who);
                    queue(&members);
                    Ok(())
                }
            })
    }

    /// Somebody is to be erased: who has no connection keeps no place in a party and in the queue.
    pub(super) fn part_from_others(&self, who: &Identity, now: Instant) {
        if !self.moderation.presence().of_player(who).is_empty() {
            return;
        }
        for game in &self.games {
            let around = self.party_around(game, now);
            let leave = |parties: &mut Parties| parties.say(&around, who, &PartyRequest::Leave);
            game.partying.with(now, leave);
            if let Some(queueing) = &game.queueing {
                let around = self.around(game, queueing, now);
                queueing.with(now, |table| table.cancel(&around, who));
            }
        }
    }

    /// Looks after a game's parties.
    pub(super) fn tend_parties(&self, game: &Offered, now: Instant) {
        let drains = self.nodes.get().is_some_and(|nodes| nodes.drains());
        let is_over = drains || *self.stopping.borrow();
        if !self.lending.is_here() {
            self.send_party_news(game, now);
        }
        game.partying.tend(&self.party_around(game, now), is_over);
    }

    /// Does so for as long as it is polled, a few times a second and when they hear of something.
    pub(super) async fn keep_parties(self: Arc<Shared>, game: GameIndex) {
        let Some(game) = self.games.get(usize::from(game.0)) else {
            return;
        };
        loop {
            // Either way they are looked at.
            let _ = tokio::time::timeout(LOOK, game.partying.ear.hears()).await;
            self.tend_parties(game, Instant::now());
        }
    }

    pub(super) fn party_around<'a>(&'a self, game: &'a Offered, now: Instant) -> PartyAround<'a> {
        let queueing = game.queueing.as_ref();
        PartyAround {
            registry: &*self.registry,
            presence: self.moderation.presence(),
            index: game.index,
            game: game.name,
            metrics: &game.partying.metrics,
            queue: queueing.map(|queueing| (queueing, self.around(game, queueing, now))),
            now,
        }
    }
}

fn newcomer(session: &Session) -> Newcomer {
    Newcomer {
        who: session.identity.clone(),
        name: session.name.as_deref().unwrap_or_default().to_owned(),
        host: session.guest.host(),
    }
}

impl Desk<'_> {
    /// The seat that is kept for who follows the leader of their party.
    ///
    /// # Errors
    /// What the client is told.
    pub(super) fn seat_of_party(
        &self,
        session: &mut Session,
        now: Instant,
        request: &ClientMessage,
    ) -> Result<Option<Seating>, Refusal> {
        let ClientMessage::JoinRoom { room, who } = request else {
            return Ok(None);
        };
        if session.party.is_none() || who.spectator {
            return Ok(None);
        }
        let (player, game) = (&session.identity, session.game);
        let take = |parties: &mut Parties| parties.take_seat(self.registry, game, player, *room);
        if !self.partying.with(now, take)? {
            return Ok(None);
        }
        let named = Named {
            place: self.registry.find(*room),
            opens: None,
            is_new: false,
        };
        matchmaking::seat_kept(self, session, now, named, &who.options).map(Some)
    }
}
