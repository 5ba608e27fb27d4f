//! The seats of a room on its worker, by player number: each member's connection, while they have
//! one, and what the directory knows of them. Behind them, by numbers of their own, the places of
//! spectators.

use ipnet::IpNet;
use tickwire::ids::{PlayerId, Tick};

use super::Client;
use crate::by_player::ByPlayer;
use crate::directory::Mark;
use crate::transport::Conn;

/// The seats and places that are taken.
pub(super) type Members = ByPlayer<Seat>;

/// One of them.
pub(super) struct Seat {
    /// `None` while the seat is held for a player whose connection is lost.
    client: Option<Client>,
    /// Whose it is, to the registry.
    pub(super) mark: Mark,
    /// Whether the registry knows that it is held.
    pub(super) is_away: bool,
    /// From where its last connection came: its host, as limits by address see it.
    pub(super) host: Option<IpNet>,
    /// The room's tick when it was taken.
    pub(super) since: Tick,
}

impl Members {
    /// A member who has a connection.
    pub(super) fn client(&mut self, player: PlayerId) -> Option<&mut Client> {
        self.get_mut(player)?.client.as_mut()
    }

    /// A member's connection.
    pub(super) fn conn(&mut self, player: PlayerId) -> Option<&mut Conn> {
        self.client(player).map(|client| &mut client.conn)
    }

    /// Has the processor fetch what a turn touches of a member's connection.
    pub(super) fn prefetch(&self, player: PlayerId) {
        let seat = self.get(player);
        if let Some(client) = seat.and_then(|seat| seat.client.as_ref()) {
            client.conn.prefetch();
        }
    }

    /// A new member; the room gives out no number that is taken.
    pub(super) fn sit(&mut self, player: PlayerId, client: Client, mark: Mark, since: Tick) {
        let seat = Seat {
            host: client.session.guest.host(),
            client: Some(client),
            mark,
            is_away: false,
            since,
        };
        self.take(player, seat);
    }

    /// A member of a room that outlived its process: the seat is held for them.
    pub(super) fn hold(&mut self, player: PlayerId, mark: Mark, since: Tick) {
        let seat = Seat {
            client: None,
            mark,
            is_away: true,
            host: None,
            since,
        };
        self.take(player, seat);
    }

    fn take(&mut self, player: PlayerId, seat: Seat) {
        let before = self.insert(player, seat);
        debug_assert!(before.is_none(), "seat {player} is taken");
    }

    /// A member's new connection; the old one must have been unplugged.
    pub(super) fn plug(&mut self, player: PlayerId, client: Client) {
        if let Some(seat) = self.get_mut(player) {
            debug_assert!(seat.client.is_none(), "seat {player} has a connection");
            seat.host = client.session.guest.host();
            seat.client = Some(client);
        }
    }

    /// A seat is held for its player from now on, or no longer. The player's mark, if that is news.
    pub(super) fn set_away(&mut self, player: PlayerId, is_away: bool) -> Option<Mark> {
        let seat = self.get_mut(player)?;
        let is_news = std::mem::replace(&mut seat.is_away, is_away) != is_away;
        is_news.then_some(seat.mark)
    }

    /// Takes a member's connection; the seat stays.
    pub(super) fn unplug(&mut self, player: PlayerId) -> Option<Client> {
        self.get_mut(player)?.client.take()
    }
}
