//! The first exchange of a connection: what its hello says, and what the welcome comes to. Which
//! games are known already is `games`'s.

use std::sync::Arc;

use super::games::{Hashes, Known};
use super::{Event, Hello, Session, SessionError, State, Welcome};
use crate::codec;
use crate::protocol::{ClientMessage, ServerMessage, VERSION};

impl Session {
    /// The hello, with what is known of the game.
    pub(super) fn say(&mut self, hello: Hello) -> Vec<u8> {
        let games = self.games.as_ref();
        self.offered = games.and_then(|games| games.last(&hello.game));
        let known = self.offered.as_ref().map(|known| known.hashes.clone());
        let Hashes { schema, tables } = known.unwrap_or_default();
        codec::encode_client(&ClientMessage::Hello {
            version: VERSION,
            features: hello.features,
            game: hello.game,
            schema,
            tables,
            name: hello.name,
            token: hello.token,
        })
    }

    /// In the lobby now, if the welcome makes sense.
    pub(super) fn on_welcome(&mut self, message: ServerMessage) -> Result<(), SessionError> {
        let ServerMessage::Welcome {
            version,
            features,
            game: game_name,
            name,
            token,
            limits,
            schema_hash,
            tables_hash,
            schema,
            tables,
        } = message
        else {
            return Err(SessionError::Unexpected);
        };
        if self.state() != State::Hello {
            return Err(SessionError::Unexpected);
        }
        if version != VERSION {
            return Err(SessionError::Version(version));
        }
        let hashes = Hashes {
            schema: schema_hash,
            tables: tables_hash,
        };
        let game = match (schema, tables, self.offered.take()) {
            (None, None, Some(known)) if known.hashes == hashes => known,
            (schema, tables, offered) => {
                let met = Known::met(schema, tables, hashes, offered.as_deref())?;
                match &self.games {
                    Some(games) => games.meet(met),
                    None => Arc::new(met),
                }
            }
        };
        self.welcome = Some(Welcome {
            features,
            game_name,
            name,
            token,
            game,
            limits,
        });
        self.events.push_back(Event::Welcome);
        Ok(())
    }
}
