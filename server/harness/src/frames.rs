//! Frames as a client sends them, for clients that see bytes. The mask is zero, which leaves
//! messages readable.

use tickwire::codec::encode_client;
use tickwire::protocol::{ClientMessage, VERSION, feature};

/// The header lines of a handshake that is accepted.
pub const GOOD: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\n\
     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
     Sec-WebSocket-Protocol: tickwire.2\r\n";

/// The message in which `name` says hello; `token` as the welcome gave it, or empty.
pub fn hello_as(name: &str, token: &str) -> ClientMessage {
    ClientMessage::Hello {
        version: VERSION,
        features: feature::ALL,
        game: String::new(),
        schema: String::new(),
        tables: String::new(),
        name: name.into(),
        token: token.into(),
    }
}

/// A message's frame.
pub fn say(message: &ClientMessage) -> Vec<u8> {
    framed(&encode_client(message))
}

/// The frame of a message's bytes.
pub fn framed(message: &[u8]) -> Vec<u8> {
    frame(0x82, message)
}

/// A masked frame with this first byte.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        0..126 => bytes.push(0x80 | payload.len() as u8),
        126..65_536 => {
            bytes.push(0x80 | 126);
            bytes.extend((payload.len() as u16).to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend((payload.len() as u64).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}
