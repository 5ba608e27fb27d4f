//! The answer to a hello. It carries the game's schema, a few kilobytes, and differs from client
//! to client in the name alone: so it is encoded once, and the name is put in.

use tickwire::codec::encode_server;
use tickwire::limits::{CHAT_CHARS_MAX, CLIENT_MESSAGE_BYTES_MAX, NAME_CHARS_MAX};
use tickwire::protocol::server_message::Limits;
use tickwire::protocol::{ServerMessage, VERSION};
use tickwire::schema::Schema;

use crate::config::Config;

/// `Welcome` without a name.
pub(super) struct Welcome {
    nameless: Vec<u8>,
    /// Where the byte is that says how long the name is; the name follows it.
    length_at: usize,
}

impl Welcome {
    pub(super) fn new(schema: &Schema, config: &Config) -> Welcome {
        let nameless = encode(schema, config, "");
        // The first difference that a name makes is its length.
        let named = encode(schema, config, "x");
        let same = nameless.iter().zip(&named).take_while(|(a, b)| a == b);
        let length_at = same.count();
        Welcome {
            nameless,
            length_at,
        }
    }

    /// The message for a client of this tidied name.
    pub(super) fn to(&self, name: &str) -> Vec<u8> {
        let (before, after) = self.nameless.split_at(self.length_at);
        // Below 251, where a length is one byte.
        const { assert!(NAME_CHARS_MAX * 4 < 251) };
        let mut message = Vec::with_capacity(self.nameless.len() + name.len());
        message.extend_from_slice(before);
        message.push(name.len() as u8);
        message.extend_from_slice(name.as_bytes());
        message.extend_from_slice(&after[1..]);
        message
    }
}

fn encode(schema: &Schema, config: &Config, name: &str) -> Vec<u8> {
    encode_server(&ServerMessage::Welcome {
        version: VERSION,
        name: name.into(),
        token: String::new(),
        schema: schema.clone(),
        limits: Limits {
            message_bytes: CLIENT_MESSAGE_BYTES_MAX as u32,
            messages_per_second: config.messages_per_second,
            chat_chars: CHAT_CHARS_MAX as u16,
            name_chars: NAME_CHARS_MAX as u16,
            seats: config.max_players,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_put_where_the_codec_puts_it() {
        let (schema, config) = (Schema::default(), Config::default());
        let welcome = Welcome::new(&schema, &config);
        let longest = "\u{10FFFF}".repeat(NAME_CHARS_MAX);
        for name in ["", "x", "Ada Lovelace", &longest] {
            assert_eq!(welcome.to(name), encode(&schema, &config, name), "{name}");
        }
    }
}
