//! The connections of a room's members, by player number.

use tickwire::ids::PlayerId;

use crate::net::conn::Conn;

/// A seat for every player number that was given out. Numbers are reused by the room, so the
/// table is never longer than the room has seats.
#[derive(Default)]
pub(super) struct Members {
    seats: Vec<Option<Conn>>,
    count: usize,
}

impl Members {
    /// How many members there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The numbers to go through: some may be nobody's.
    pub(super) fn players(&self) -> impl Iterator<Item = PlayerId> + use<> {
        (0..self.seats.len() as u16).map(PlayerId)
    }

    /// A member's connection.
    pub(super) fn conn(&mut self, player: PlayerId) -> Option<&mut Conn> {
        self.seats.get_mut(usize::from(player.0))?.as_mut()
    }

    /// A new member; the room gives no number out twice.
    pub(super) fn sit(&mut self, player: PlayerId, conn: Conn) {
        let seat = usize::from(player.0);
        if seat >= self.seats.len() {
            self.seats.resize_with(seat + 1, || None);
        }
        debug_assert!(self.seats[seat].is_none(), "seat {player} is taken");
        self.seats[seat] = Some(conn);
        self.count += 1;
    }

    /// A member goes.
    pub(super) fn stand_up(&mut self, player: PlayerId) -> Option<Conn> {
        let conn = self.seats.get_mut(usize::from(player.0))?.take()?;
        self.count -= 1;
        Some(conn)
    }
}
