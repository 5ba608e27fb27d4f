//! A client: its transport, and beside it who it is. It is owned by exactly one of the lobby and a
//! worker, and moves between them whole, with every byte that was read or not yet written.

use std::time::Instant;

use tickwire::ids::RoomId;
use tickwire::protocol::CloseCode;
use tickwire::protocol::server_message::Refusal;

use super::party_link::PartyLink;
use super::queue_link::QueueLink;
use crate::admission::addresses::AddressLease;
use crate::admission::crowd::Spot;
use crate::admission::limiter::Budget;
use crate::admission::request_prices;
use crate::admission::sockets::Seat;
use crate::auth::Identity;
use crate::directory::GameIndex;
use crate::game::Options;
use crate::presence::Present;
use crate::transport::graceful_close::close;
use crate::transport::{Conn, End};

/// See the module's description.
pub struct Client {
    /// How it is reached.
    pub(crate) conn: Conn,
    /// Boxed: clients sit in tables, what is said of them does not.
    pub(crate) session: Box<Session>,
}

/// Who a client is, and what it holds.
pub(crate) struct Session {
    /// Which game it is of: that of the path that it came by, or the first one, until its hello
    /// says which.
    pub(crate) game: GameIndex,
    /// Whether it was ever in a room: then inputs may still be under way when it is back.
    pub(crate) has_played: bool,
    /// What joins and listings cost the server; kept here so that leaving a room renews nothing.
    pub(crate) requests: Budget,
    /// The tidied name, once the client said hello.
    pub(crate) name: Option<Box<str>>,
    /// What it understands beyond the base: bits of [`tickwire::protocol::feature`].
    pub(crate) features: u32,
    /// Who it is, once the client said hello.
    pub(crate) identity: Identity,
    /// As operators see it, from its hello to its end.
    pub(crate) online: Option<Present>,
    /// What the queue of its game hears of it, if that has one and it understands what it is told.
    pub(crate) queue: Option<Box<QueueLink>>,
    /// What the parties of its game hear of it, if it understands what it is told.
    pub(crate) party: Option<Box<PartyLink>>,
    /// Which room it may join by its number, private or not: another node sent it there.
    pub(crate) admitted: Option<RoomId>,
    /// What it brings to the room to which it is on its way.
    pub(crate) options: Options,
    /// Its place at its address; and that among the players there, while it has a seat in a room or
    /// is on its way to one that is made for it.
    pub(crate) guest: AddressLease,
    /// Its place among those without a seat, which it has left meanwhile.
    spot: Option<Spot>,
    /// Its place among those that have not said hello; dropped when it does.
    /// Boxed: most clients have said it.
    pub(crate) pre_hello: Option<Box<Spot>>,
    /// Dropped with the connection: what counts open sockets and live connections.
    _held: (Option<Seat>, Option<Box<dyn Send + Sync>>),
}

impl Client {
    /// One that has not said hello, and is held by no limit.
    pub fn new(conn: Conn, now: Instant) -> Client {
        Client {
            conn,
            session: Box::new(Session {
                game: GameIndex::default(),
                has_played: false,
                requests: Budget::new(now),
                name: None,
                features: 0,
                identity: Identity::nobody(),
                online: None,
                queue: None,
                party: None,
                admitted: None,
                options: Options::default(),
                guest: AddressLease::unlimited(),
                spot: None,
                pre_hello: None,
                _held: (None, None),
            }),
        }
    }

    /// The same on its way to a game, unless its hello names another one.
    #[must_use]
    pub(crate) fn of_game(mut self, game: GameIndex) -> Client {
        self.session.game = game;
        self
    }

    /// Keeps the socket's and the address's places until the connection is dropped, the one among
    /// those without a seat while it has none, and the last until its hello.
    #[must_use]
    pub(crate) fn with_places(
        mut self,
        seat: Seat,
        guest: AddressLease,
        spot: Spot,
        pre_hello: Spot,
    ) -> Client {
        self.session._held.0 = Some(seat);
        self.session.guest = guest;
        self.session.spot = Some(spot);
        self.session.pre_hello = Some(Box::new(pre_hello));
        self
    }

    /// Keeps `guard` until the connection is dropped.
    pub(crate) fn hold(&mut self, guard: Box<dyn Send + Sync>) {
        self.session._held.1 = Some(guard);
    }

    /// Ends it: see [`close`].
    pub(crate) async fn close(self, end: End) {
        let Client { conn, session } = self;
        close(conn, end, session.sent_away()).await;
        drop(session);
    }
}

impl Session {
    /// With which code an operator wants it closed.
    pub(crate) fn expelled(&self) -> Option<CloseCode> {
        self.online.as_ref()?.expelled()
    }

    /// Done when others have something for it, while it is in the lobby.
    pub(crate) async fn ordered(&self) {
        match &self.online {
            Some(online) => online.ordered().await,
            None => std::future::pending().await,
        }
    }

    /// Whether it must go, for others who come.
    pub(crate) fn must_go(&self) -> bool {
        let spots = self.spot.iter().chain(self.pre_hello.as_deref());
        spots.into_iter().any(|spot| spot.notice.is_given())
    }

    /// Done when it must.
    pub(crate) fn sent_away(&self) -> impl Future<Output = ()> + use<> {
        let spot = self.spot.as_ref().or(self.pre_hello.as_deref());
        let notice = spot.map(|spot| spot.notice.clone());
        async move {
            match notice {
                Some(notice) => notice.given().await,
                None => std::future::pending().await,
            }
        }
    }

    /// It has no seat in a room: it may have to go.
    pub(crate) fn stand_up(&mut self) {
        self.guest.stand_up();
        if let Some(spot) = &mut self.spot {
            spot.come_back();
        }
    }

    /// It is on its way to a seat. False: it has to go, and was told so before.
    pub(crate) fn sit_down(&mut self) -> bool {
        self.spot.as_mut().is_none_or(Spot::leave)
    }

    /// Gives it its place among the players of its address, unless it has one. False: there is none
    /// left for it, which is not asked where the seat `is_theirs` already.
    pub(crate) fn take_place(&mut self, is_theirs: bool) -> bool {
        self.guest.sit(is_theirs)
    }

    /// It has come into a room.
    pub(crate) fn seated(&mut self) {
        self.has_played = true;
        if let Some(link) = &mut self.queue {
            link.seated();
        }
        if let Some(link) = &mut self.party {
            link.seated();
        }
    }

    /// It was refused a room that it named: a wrong guess has its price, here and at its address.
    pub(crate) fn refused(&mut self, reason: Refusal, now: Instant) {
        if reason == Refusal::NoSuchRoom {
            request_prices::guessed(&mut self.requests);
            self.guest.guessed_wrong(now);
        }
    }

    /// The room that it was refused is there after all: what that cost is paid back.
    pub(crate) fn found(&mut self, now: Instant) {
        request_prices::found(&mut self.requests);
        self.guest.guessed_right(now);
    }

    /// Tells others in which room it is, and whether lists show that one.
    pub(crate) fn set_room(&self, room: Option<RoomId>, is_listed: bool) {
        if let Some(online) = &self.online {
            online.set_room(room, is_listed);
        }
    }
}
