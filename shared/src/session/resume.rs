//! Coming back to a seat after its connection was lost (`PROTOCOL.md` §2): what one session leaves
//! to the next. When to try, and how often, is the driver's.

use super::Session;
use super::room::Seen;
use crate::codec;
use crate::protocol::ClientMessage;

/// What the next session needs to take this one's seat again. It is a secret of the player's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The game's name, which the next hello says: a seat is only in its own game.
    pub game: String,
    /// Proof of the seat.
    pub token: String,
    /// For how long the seat is held once the connection is lost, in milliseconds.
    pub grace_ms: u32,
    /// What the player has seen of the room.
    pub seen: Seen,
}

impl Ticket {
    fn request(&self) -> ClientMessage {
        ClientMessage::Resume {
            token: self.token.clone(),
            chat: self.seen.chat,
            seen: self.seen.tick,
        }
    }
}

impl Session {
    /// A session that takes a lost one's seat again: like [`Session::new`], of the ticket's game,
    /// and the request for the seat follows at once. Answered by [`super::Event::Joined`], or
    /// [`super::Event::Refused`] in the lobby.
    pub fn resume(name: &str, token: &str, ticket: &Ticket) -> Session {
        let mut session = Session::new(name, token).of_game(&ticket.game);
        let resume = codec::encode_client(&ticket.request());
        session.transmits.push_back(resume);
        session.resuming = Some(ticket.seen);
        session
    }

    /// What to come back with, while the player is in a room whose server holds seats. A later
    /// message may bring another: ask when the connection is lost.
    pub fn ticket(&self) -> Option<Ticket> {
        let room = self.room.as_ref().filter(|room| !room.leaving)?;
        let (token, grace_ms) = room.resume.as_ref()?;
        Some(Ticket {
            game: self.game()?.to_owned(),
            token: token.clone(),
            grace_ms: *grace_ms,
            seen: room.seen,
        })
    }

    /// Asks for the seat once more, after the server refused it with
    /// [`crate::protocol::server_message::Refusal::Busy`] or `TooOften`.
    pub fn ask_again(&mut self, ticket: &Ticket) -> Result<(), super::RequestError> {
        self.request(super::State::Lobby, &ticket.request())?;
        self.resuming = Some(ticket.seen);
        Ok(())
    }
}
