//! Following a `Redirect` (`PROTOCOL.md` §2): what one session leaves to the next, on another
//! server. How often in a row is the driver's to count:
//! [`REDIRECTS_MAX`](crate::limits::REDIRECTS_MAX).

use super::Session;
use super::event::Redirect;
use super::resume::Ticket;
use crate::codec;
use crate::protocol::ClientMessage;
use crate::protocol::client_message::JoinAs;

impl Redirect {
    /// A session for a socket to [`Redirect::url`]: like [`Session::new`], of the same game, and at
    /// once the request for the seat that the player has in the room, or for one there, as `who`.
    pub fn follow(&self, name: &str, seat: Option<&Ticket>, who: &JoinAs) -> Session {
        if let Some(seat) = seat {
            return Session::resume(name, &self.ticket, seat);
        }
        let mut session = Session::new(name, &self.ticket).of_game(&self.game);
        session
            .transmits
            .push_back(codec::encode_client(&ClientMessage::JoinRoom {
                room: self.room,
                who: who.clone(),
            }));
        session
    }
}
