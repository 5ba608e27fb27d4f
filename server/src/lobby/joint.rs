//! Queues and parties of several nodes: they are the home's ([`crate::lending`]). At another node what
//! clients want of them goes there as it is, and so does that a leader has come into a room; what they
//! are told comes back by their mailboxes. At the home it is done for their stand-ins as for who is
//! connected here. Of a home that is gone every node says again what its connections stood in.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tickwire::codec::{decode_server, encode_server};
use tickwire::ids::RoomId;
use tickwire::protocol::server_message::Refusal;
use tickwire::protocol::{OutOfQueue, PartyState, ServerMessage};

use super::games::Offered;
use super::home_asks::Asks;
use super::partying::Parties;
use super::queueing::{self, Queueing};
use super::shared::Shared;
use crate::directory::code::read_code;
use crate::lending::wire::read;
use crate::lending::{Do, Key, LOBBY, Place};
use crate::party::Newcomer;
use crate::presence::{Online, PartyChannel, Standing};
use crate::worker::{PartyLink, QueueLink};

impl Shared {
    /// Something goes to the home; false: that is here.
    pub(super) fn goes_home(
        &self,
        who: &Arc<Online>,
        key: Option<Key>,
        body: Bytes,
        now: Instant,
    ) -> bool {
        if self.lending.serves(who) {
            return false;
        }
        match self.lending.request(who, key, body, now) {
            Place::Here => return false,
            Place::Home => {}
            Place::Nowhere => {
                if let Some(key) = key {
                    key.refuse(who, Refusal::Busy, now);
                }
            }
        }
        true
    }

    fn game_of(&self, who: &Online) -> Option<&Offered> {
        self.games.iter().find(|game| game.name == who.game)
    }

    /// A stand-in came, of somebody whose party stood so.
    pub(super) fn greet_lent(
        &self,
        who: &Arc<Online>,
        (party, channel): (&[u8], Option<PartyChannel>),
        now: Instant,
    ) {
        let Some(game) = self.game_of(who) else {
            return;
        };
        if who.attends(Standing::Party) {
            let link = PartyLink::new(&game.partying.ear, &who.identity);
            who.hold(Box::new(link));
            let around = self.party_around(game, now);
            game.partying.with(now, |parties| {
                parties.on_come(&around, &who.identity, &who.name);
            });
            self.recall_party(game, who, (party, channel), now);
        }
        if let Some(queueing) = &game.queueing
            && who.attends(Standing::Queue)
        {
            let link = QueueLink::new(&queueing.ear, &who.identity);
            who.hold(Box::new(link));
            let around = self.around(game, queueing, now);
            queueing.with(now, |table| table.on_come(&around, &who.identity));
            // Else that is looked at once all are here.
            if self.lending.serves(who) && self.lending.is_here() {
                self.doubt_queued(game, queueing, who, now);
            }
        }
    }

    /// Somebody comes with the party that they had at another home.
    fn recall_party(
        &self,
        game: &Offered,
        who: &Online,
        (shown, channel): (&[u8], Option<PartyChannel>),
        now: Instant,
    ) {
        let Ok(Some(ServerMessage::Party {
            state: PartyState::In { code, you, .. },
            ..
        })) = decode_server(shown)
        else {
            return;
        };
        let around = self.party_around(game, now);
        let recalled = read_code(&code).zip(channel.or_else(|| around.channel()));
        game.partying.with(now, |parties| match recalled {
            Some((code, channel)) => {
                parties.recall(&around, &who.identity, &who.name, (code, you), channel);
            }
            None => parties.show(&around, &who.identity),
        });
    }

    /// Tells somebody who was in the queue if they are not any more.
    fn doubt_queued(&self, game: &Offered, queueing: &Queueing, who: &Online, now: Instant) {
        let around = self.around(game, queueing, now);
        let is_in = queueing.with(now, |table| {
            table.is_asking(&who.identity) || table.state(&around, &who.identity).is_some()
        });
        if who.is_queued() && !is_in {
            let why = OutOfQueue::NotQueued;
            let out = queueing::out(why, false, std::time::Duration::ZERO);
            queueing::tell(who, 0, out);
        }
    }

    /// What is to be done for queues and parties; what is not for them is left.
    pub(super) fn do_joint(&self, what: Do, now: Instant) -> Option<Do> {
        match what {
            Do::Serve { who, body } => {
                let asks = body.split_first().filter(|(of, _)| **of == LOBBY);
                // Else it is of another version.
                if let Some(asks) = asks.and_then(|(_, asks)| read::<Asks>(asks)) {
                    self.serve_joint(&who, asks, now);
                }
            }
            Do::Entered { who } => {
                if let Some(game) = self.game_of(&who)
                    && let Some(queueing) = &game.queueing
                {
                    let around = self.around(game, queueing, now);
                    queueing.with(now, |table| table.cancel(&around, &who.identity));
                }
            }
            Do::Forget => {
                for game in &self.games {
                    let around = self.party_around(game, now);
                    game.partying.with(now, |parties| parties.forget(&around));
                    if let Some(queueing) = &game.queueing {
                        queueing.forget(&self.around(game, queueing, now));
                    }
                }
            }
            Do::Settled => {
                let own = self.moderation.presence().all(|online| !online.is_lent());
                for who in own.iter().filter(|who| who.attends(Standing::Party)) {
                    if let Some(game) = self.game_of(who) {
                        let shown = who.shown(Standing::Party);
                        self.recall_party(game, who, (&shown, who.party()), now);
                    }
                }
            }
            Do::Asked => {
                let all = self.moderation.presence().all(|_| true);
                for who in all.iter().filter(|who| who.is_queued()) {
                    if let Some(game) = self.game_of(who)
                        && let Some(queueing) = &game.queueing
                    {
                        self.doubt_queued(game, queueing, who, now);
                    }
                }
            }
            what => return Some(what),
        }
        None
    }

    fn serve_joint(&self, who: &Arc<Online>, asks: Asks, now: Instant) {
        let Some(game) = self.game_of(who) else {
            return;
        };
        match asks {
            Asks::Queue(request) => self.queue_wants(game, who, now, &request),
            Asks::Party { request, host } => {
                let newcomer = Newcomer {
                    who: who.identity.clone(),
                    name: who.name.to_string(),
                    host: host.and_then(|host| host.parse().ok()),
                };
                if let Some((nonce, state)) = self.party_wants(game, newcomer, now, &request) {
                    let told = encode_server(&ServerMessage::Party { nonce, state });
                    who.reply(told.into(), now);
                }
            }
            Asks::Led { room, code } => {
                let around = self.party_around(game, now);
                let lead = |parties: &mut Parties| {
                    parties.lead_to(&around, &who.identity, RoomId(room), code);
                };
                game.partying.with(now, lead);
            }
        }
    }

    /// What workers said of parties at a node that is not the home goes there.
    pub(super) fn send_party_news(&self, game: &Offered, now: Instant) {
        let around = self.party_around(game, now);
        for (who, asks) in game.partying.away(&around) {
            let theirs = self.moderation.presence().of_player(&who).into_iter();
            let mut theirs = theirs.filter(|online| !online.is_lent() && online.game == game.name);
            if let Some(online) = theirs.next() {
                self.goes_home(&online, None, asks.packed(), now);
            }
        }
    }
}
