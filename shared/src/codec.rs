//! Control messages to bytes and back: the only user of bincode (2.0.1, standard
//! configuration). Its format is small and final; `PROTOCOL.md` writes it out.

use std::fmt;

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::limits::{CLIENT_MESSAGE_BYTES_MAX, SERVER_MESSAGE_BYTES_MAX};
use crate::protocol::{ClientMessage, Kind, ServerMessage};

/// The bytes are not a control message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlError;

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a control message")
    }
}

impl std::error::Error for ControlError {}

/// Kind byte and bincode of a client's message.
pub fn encode_client(message: &ClientMessage) -> Vec<u8> {
    encode(message)
}

/// Kind byte and bincode of a server's message.
pub fn encode_server(message: &ServerMessage) -> Vec<u8> {
    encode(message)
}

/// Reads a whole message, kind byte included; at most [`CLIENT_MESSAGE_BYTES_MAX`].
pub fn decode_client(bytes: &[u8]) -> Result<ClientMessage, ControlError> {
    decode::<_, CLIENT_MESSAGE_BYTES_MAX>(bytes)
}

/// Reads a whole message, kind byte included; at most [`SERVER_MESSAGE_BYTES_MAX`].
pub fn decode_server(bytes: &[u8]) -> Result<ServerMessage, ControlError> {
    decode::<_, SERVER_MESSAGE_BYTES_MAX>(bytes)
}

fn encode<M: Serialize>(message: &M) -> Vec<u8> {
    let mut bytes = vec![Kind::Control as u8];
    let body = bincode::serde::encode_to_vec(message, bincode::config::standard())
        .expect("messages hold only what bincode can write");
    bytes.extend_from_slice(&body);
    bytes
}

/// The limit bounds what a length prefix can make bincode allocate.
fn decode<M: DeserializeOwned, const MAX: usize>(bytes: &[u8]) -> Result<M, ControlError> {
    let config: Configuration<LittleEndian, Varint, Limit<MAX>> =
        bincode::config::standard().with_limit::<MAX>();
    match bytes.split_first() {
        Some((&kind, body)) if kind == Kind::Control as u8 && bytes.len() <= MAX => {
            match bincode::serde::decode_from_slice(body, config) {
                Ok((message, read)) if read == body.len() => Ok(message),
                _ => Err(ControlError),
            }
        }
        _ => Err(ControlError),
    }
}
