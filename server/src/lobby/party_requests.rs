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
use super::matchmaking::{self, Seating};
use super::partying::{LOOK, Parties, PartyAround, Together, out, tell};
use super::shared::Shared;
use crate::admission::request_prices;
use crate::auth::Identity;
use crate::directory::code::read_code;
use crate::directory::{GameIndex, Named};
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
        let (nonce, state) = match request {
            PartyRequest::Create { nonce } => (*nonce, self.party_made(session, now)),
            PartyRequest::Join { nonce, code } => (*nonce, self.party_joined(session, now, code)),
            PartyRequest::Look => {
                let game = self.game(session);
                let stands = |parties: &mut Parties| parties.stands(&session.identity);
                let state = game.partying.with(now, stands);
                tell(session.online.as_ref()?, state);
                return None;
            }
            request => {
                let game = self.game(session);
                let around = self.party_around(game, now);
                let say = |parties: &mut Parties| parties.say(&around, &session.identity, request);
                game.partying.with(now, say);
                return None;
            }
        };
        Some(ServerMessage::Party { nonce, state })
    }

    fn party_made(&self, session: &mut Session, now: Instant) -> PartyState {
        if !request_prices::may_join(&mut session.requests, now) {
            return out(OutOfParty::TooOften);
        }
        let game = self.game(session);
        let around = self.party_around(game, now);
        let Some(code) = around.code() else {
            return out(OutOfParty::TooManyParties);
        };
        let who = newcomer(session);
        let make = |parties: &mut Parties| parties.create(&around, who, code);
        game.partying.with(now, make)
    }

    /// A wrong code has the price of a wrong guess of a room.
    fn party_joined(&self, session: &mut Session, now: Instant, typed: &str) -> PartyState {
        let may_join = request_prices::may_join(&mut session.requests, now);
        if !may_join || !session.guest.may_guess(now) {
            return out(OutOfParty::TooOften);
        }
        let game = self.game(session);
        let around = self.party_around(game, now);
        let who = newcomer(session);
        let state = match read_code(typed) {
            Some(code) => {
                let join = |parties: &mut Parties| parties.join(&around, who, code);
                game.partying.with(now, join)
            }
            None => out(OutOfParty::NoSuchParty),
        };
        if state == out(OutOfParty::NoSuchParty) {
            game.partying.metrics.party_codes_wrong.increment(1);
            session.refused(Refusal::NoSuchRoom, now);
        }
        state
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
        if comes && coming.is_none() {
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
        session: &Session,
        now: Instant,
        queue: impl FnOnce(&[Identity]),
    ) -> Result<(), (OutOfQueue, bool)> {
        let game = self.game(session);
        let around = self.party_around(game, now);
        let who = &session.identity;
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
