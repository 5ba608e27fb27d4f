//! The seats of a room on its worker, by player number: each member's connection, while they have
//! one, and what the directory knows of them.

use ipnet::IpNet;
use tickwire::ids::{PlayerId, Tick};

use super::Client;
use crate::by_player::ByPlayer;
use crate::directory::Mark;
use crate::transport::{Conn, Transport};

/// The seats that are taken.
pub(super) struct Members {
    seats: ByPlayer<Seat>,
}

struct Seat {
    /// `None` while the seat is held for a player whose connection is lost.
    client: Option<Client>,
    /// Whose it is, to the registry.
    mark: Mark,
    /// Whether the registry knows that it is held.
    is_away: bool,
    /// From where its last connection came: its host, as limits by address see it.
    host: Option<IpNet>,
    /// The room's tick when it was taken.
    since: Tick,
}

/// A seat that is nobody's any more, as the registry has to know.
pub(super) struct Vacated {
    /// Whose it was.
    pub(super) mark: Mark,
    /// Whether it was held for them.
    pub(super) was_away: bool,
}

impl Members {
    /// Of a room with so many seats.
    pub(super) fn new(seats: u16) -> Members {
        Members {
            seats: ByPlayer::for_seats(seats),
        }
    }

    /// How many seats are taken.
    pub(super) fn count(&self) -> usize {
        self.seats.len()
    }

    /// The next member, the first one after `None`: to go through all while some may leave.
    pub(super) fn after(&self, player: Option<PlayerId>) -> Option<PlayerId> {
        self.seats.after(player)
    }

    /// A member who has a connection.
    pub(super) fn client(&mut self, player: PlayerId) -> Option<&mut Client> {
        self.seat(player)?.client.as_mut()
    }

    /// A member's connection.
    pub(super) fn conn(&mut self, player: PlayerId) -> Option<&mut Conn> {
        self.client(player).map(|client| &mut client.conn)
    }

    /// Has the processor fetch what a turn touches of a member's connection.
    pub(super) fn prefetch(&self, player: PlayerId) {
        let seat = self.seats.get(player);
        if let Some(client) = seat.and_then(|seat| seat.client.as_ref()) {
            client.conn.prefetch();
        }
    }

    /// From where a member comes, or came before the connection was lost.
    pub(super) fn host(&mut self, player: PlayerId) -> Option<IpNet> {
        self.seat(player)?.host
    }

    /// The room's tick when a member came.
    pub(super) fn since(&mut self, player: PlayerId) -> Option<Tick> {
        Some(self.seat(player)?.since)
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
        let before = self.seats.insert(player, seat);
        debug_assert!(before.is_none(), "seat {player} is taken");
    }

    /// A member's new connection; the old one must have been unplugged.
    pub(super) fn plug(&mut self, player: PlayerId, client: Client) {
        if let Some(seat) = self.seat(player) {
            debug_assert!(seat.client.is_none(), "seat {player} has a connection");
            seat.host = client.session.guest.host();
            seat.client = Some(client);
        }
    }

    /// A seat is held for its player from now on, or no longer. The player's mark, if that is news.
    pub(super) fn set_away(&mut self, player: PlayerId, is_away: bool) -> Option<Mark> {
        let seat = self.seat(player)?;
        let is_news = std::mem::replace(&mut seat.is_away, is_away) != is_away;
        is_news.then_some(seat.mark)
    }

    /// Takes a member's connection; the seat stays.
    pub(super) fn unplug(&mut self, player: PlayerId) -> Option<Client> {
        self.seat(player)?.client.take()
    }

    /// A member goes, if the seat was theirs until now; `unplug` comes before.
    pub(super) fn stand_up(&mut self, player: PlayerId) -> Option<Vacated> {
        let seat = self.seats.remove(player)?;
        Some(Vacated {
            mark: seat.mark,
            was_away: seat.is_away,
        })
    }

    fn seat(&mut self, player: PlayerId) -> Option<&mut Seat> {
        self.seats.get_mut(player)
    }
}
