//! The answer to a hello. It carries the game's schema and tables, kilobytes, unless the client has
//! them already; else it differs from client to client in name and token alone: so it is encoded
//! once for each of what may be left out, and they are put in.

use aws_lc_rs::digest::{SHA256, digest};
use serde::Serialize;
use tickwire::codec::{append_saved, encode_server};
use tickwire::limits::{
    CHAT_CHARS_MAX, CLIENT_MESSAGE_BYTES_MAX, NAME_CHARS_MAX, SERVER_MESSAGE_BYTES_MAX,
};
use tickwire::protocol::server_message::Limits;
use tickwire::protocol::{ServerMessage, VERSION, feature};

use crate::config::{Config, ConfigError};
use crate::game::{Game, GameDef};
use crate::worker::AnyGame;

/// Bytes of the longest name and of a token, with their lengths.
const OWN_BYTES_MAX: usize = 4 * NAME_CHARS_MAX + 1024;
/// Bytes of a hash that are told. Who has a schema has it of this server or one like it, so that
/// two of the same hash would be an accident: of one in 2^64.
const HASH_BYTES: usize = 8;

/// `Welcome` without a name and a token.
pub(super) struct Welcome {
    schema_hash: String,
    tables_hash: String,
    /// By whether the client has the schema, and whether it has the tables.
    nameless: [[Vec<u8>; 2]; 2],
    /// Where the byte is that says how long the name is; the name follows it, then the token.
    length_at: usize,
}

impl Welcome {
    /// # Errors
    /// One line: with a name and a token it could be more than a client takes.
    pub(super) fn new(game: &dyn AnyGame, config: &Config) -> Result<Welcome, ConfigError> {
        let nameless = [false, true].map(|has_schema| {
            [false, true].map(|has_tables| encode(game, config, "", "", has_schema, has_tables))
        });
        // The first difference that a name makes is its length.
        let named = encode(game, config, "x", "", false, false);
        let whole = &nameless[0][0];
        let same = whole.iter().zip(&named).take_while(|(a, b)| a == b);
        let length_at = same.count();
        let bytes = whole.len() + OWN_BYTES_MAX;
        if bytes > SERVER_MESSAGE_BYTES_MAX {
            return Err(ConfigError::new(format!(
                "the schema of {} makes a welcome of {bytes} bytes, a message may have \
                 {SERVER_MESSAGE_BYTES_MAX}: nobody could join; declare fewer fields, or shorter names and choices",
                game.name()
            )));
        }
        Ok(Welcome {
            schema_hash: hash(game.schema()),
            tables_hash: hash(game.tables()),
            nameless,
            length_at,
        })
    }

    /// The message in parts, for a client whose [`own`] these bytes are, and that has what these
    /// hashes name.
    pub(super) fn with<'a>(&'a self, own: &'a [u8], schema: &str, tables: &str) -> [&'a [u8]; 3] {
        let has_schema = usize::from(schema == self.schema_hash);
        let has_tables = usize::from(tables == self.tables_hash);
        let nameless = &self.nameless[has_schema][has_tables];
        let (before, after) = nameless.split_at(self.length_at);
        // Behind the lengths of the empty ones.
        [before, own, &after[2..]]
    }
}

/// What a part of a game is known by: the first 8 bytes of a SHA-256 of its bytes, in hexadecimal.
fn hash(part: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    // Whatever of it can't be written is the same in the welcome.
    let _ = append_saved(part, &mut bytes);
    let hash = digest(&SHA256, &bytes);
    let first = &hash.as_ref()[..HASH_BYTES];
    first.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a message has of one client's: the tidied name, and the token to come back with.
pub(super) fn own(name: &str, token: &str) -> Vec<u8> {
    let mut own = Vec::with_capacity(name.len() + token.len() + 6);
    push_string(name, &mut own);
    push_string(token, &mut own);
    own
}

/// As bincode writes a string of less than 64 KiB.
fn push_string(text: &str, message: &mut Vec<u8>) {
    match u8::try_from(text.len()) {
        Ok(length) if length < 251 => message.push(length),
        _ => {
            message.push(251);
            message.extend((text.len() as u16).to_le_bytes());
        }
    }
    message.extend_from_slice(text.as_bytes());
}

impl<G: Game> GameDef<G> {
    /// The first message to a client of this name, as a server with default settings sends it. With
    /// it a [`tickwire::session::Session`] plays a [`crate::room::Room`] without sockets: tests
    /// hand it to the session before they let it join.
    pub fn welcome(&self, name: &str) -> Vec<u8> {
        encode(self, &Config::default(), name, "", false, false)
    }
}

fn encode(
    game: &dyn AnyGame,
    config: &Config,
    name: &str,
    token: &str,
    has_schema: bool,
    has_tables: bool,
) -> Vec<u8> {
    encode_server(&ServerMessage::Welcome {
        version: VERSION,
        features: feature::ALL,
        game: game.name().into(),
        name: name.into(),
        token: token.into(),
        limits: Limits {
            message_bytes: CLIENT_MESSAGE_BYTES_MAX as u32,
            messages_per_second: config.messages_per_second,
            chat_chars: CHAT_CHARS_MAX as u16,
            name_chars: NAME_CHARS_MAX as u16,
            seats: config.max_players.min(game.seats_max()),
            spectators: config.max_spectators,
        },
        schema_hash: hash(game.schema()),
        tables_hash: hash(game.tables()),
        schema: (!has_schema).then(|| game.schema().clone()),
        tables: (!has_tables).then(|| game.tables().clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::still::Still;
    use crate::game::{Player, RoomOptions, Schema, one_of};
    use bevy_ecs::prelude::*;
    use tickwire::codec::decode_server;

    #[test]
    fn the_games_own_limit_of_seats_is_told() {
        let game = GameDef::<Still<()>>::new(30).unwrap();
        let seats =
            |config: &Config| match decode_server(&encode(&game, config, "", "", false, false)) {
                Ok(Some(ServerMessage::Welcome { limits, .. })) => limits.seats,
                other => panic!("{other:?}"),
            };
        assert_eq!(seats(&Config::default()), Still::<()>::SEATS_MAX);
        let few = Config {
            max_players: 3,
            ..Config::default()
        };
        assert_eq!(seats(&few), 3);
    }

    /// Each part of it is fine; the whole would be closed by every client.
    #[test]
    fn a_schema_beyond_a_message_is_refused_with_its_size() {
        struct Wordy;

        #[derive(Component, Default)]
        struct Mood(u32);

        impl Game for Wordy {
            const NAME: &'static str = "wordy";
            type Input = ();

            fn schema(s: &mut Schema<Wordy>) {
                let names: Vec<String> = (0..250).map(|n| n.to_string().repeat(500)).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                s.component::<Mood>("mood", |k| k.field("now", |m| &mut m.0, one_of(&names)));
            }

            fn setup(_: &mut World, _: &mut Schedule, _: &RoomOptions) {}

            fn join(world: &mut World, _: &Player) -> Entity {
                world.spawn_empty().id()
            }
        }

        let game = GameDef::<Wordy>::new(30).unwrap();
        let refused = Welcome::new(&game, &Config::default()).err().unwrap();
        let bytes = game.welcome("").len() + OWN_BYTES_MAX;
        assert_eq!(
            refused.to_string(),
            format!(
                "the schema of wordy makes a welcome of {bytes} bytes, a message may have 262144: nobody could join; \
                 declare fewer fields, or shorter names and choices"
            )
        );
    }

    #[test]
    fn the_name_is_put_where_the_codec_puts_it() {
        let (game, config) = (GameDef::<Still<()>>::new(30).unwrap(), Config::default());
        let welcome = Welcome::new(&game, &config).unwrap();
        let longest = "\u{10FFFF}".repeat(NAME_CHARS_MAX);
        for name in ["", "x", "Ada Lovelace", &longest] {
            for token in [
                "",
                "t",
                &"t".repeat(250),
                &"t".repeat(251),
                &"t".repeat(400),
            ] {
                for (has_schema, has_tables) in
                    [(false, false), (false, true), (true, false), (true, true)]
                {
                    let whole = encode(&game, &config, name, token, has_schema, has_tables);
                    let known = |has: bool, hash: &str| String::from(if has { hash } else { "" });
                    let schema = known(has_schema, &welcome.schema_hash);
                    let tables = known(has_tables, &welcome.tables_hash);
                    let message = welcome.with(&own(name, token), &schema, &tables).concat();
                    assert_eq!(message, whole, "{name} {token}");
                }
            }
            let message = welcome.with(&own(name, ""), "", "").concat();
            assert_eq!(message, game.welcome(name), "{name}");
        }
    }

    /// The bar of a client that comes back: the longest token there is takes as much again.
    #[test]
    fn a_welcome_to_who_has_the_schema_is_small() {
        let (game, config) = (GameDef::<Still<()>>::new(30).unwrap(), Config::default());
        let welcome = Welcome::new(&game, &config).unwrap();
        let own = own("Ada Lovelace", &"t".repeat(120));
        let (schema, tables) = (&welcome.schema_hash, &welcome.tables_hash);
        let bytes = welcome.with(&own, schema, tables).concat().len();
        assert!(bytes < 300, "{bytes} bytes");
    }
}
