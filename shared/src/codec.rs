//! Control messages to bytes and back: the only user of bincode (2.0.1, standard
//! configuration). Its format is small and final; `PROTOCOL.md` writes it out. Also what a server
//! saves of a room, which never travels to clients.

use std::fmt;

use bincode::config::{Config, Configuration, Limit, LittleEndian, Varint};
use bincode::enc::write::Writer;
use bincode::error::EncodeError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::limits::{CLIENT_MESSAGE_BYTES_MAX, SERVER_MESSAGE_BYTES_MAX};
use crate::protocol::{ClientMessage, Kind, Numbered, RESERVED_FROM, RESERVED_TO, ServerMessage};

/// Bytes of a saved room: 4,096 entities at 1 KiB with their image and the room's past, twice over.
/// Beyond: it is not saved.
pub const SAVE_BYTES_MAX: usize = 16 * 1024 * 1024;

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

/// Reads a whole message, kind byte included; at most [`CLIENT_MESSAGE_BYTES_MAX`]. `None`: it is
/// of the reserved range, to be skipped.
pub fn decode_client(bytes: &[u8]) -> Result<Option<ClientMessage>, ControlError> {
    decode::<_, CLIENT_MESSAGE_BYTES_MAX>(bytes)
}

/// Reads a whole message, kind byte included; at most [`SERVER_MESSAGE_BYTES_MAX`]. `None`: it is
/// of the reserved range, to be skipped.
pub fn decode_server(bytes: &[u8]) -> Result<Option<ServerMessage>, ControlError> {
    decode::<_, SERVER_MESSAGE_BYTES_MAX>(bytes)
}

/// The version that a `Hello` or `Welcome` begins with, whatever follows: it may be another one's.
pub fn spoken_version(bytes: &[u8]) -> Option<u16> {
    let rest = bytes.strip_prefix(&[Kind::Control as u8, 0])?;
    let version = bincode::serde::decode_from_slice(rest, bincode::config::standard());
    version.ok().map(|(version, _)| version)
}

fn encode<M: Serialize + Numbered>(message: &M) -> Vec<u8> {
    let mut bytes = vec![Kind::Control as u8];
    let body = written(message);
    match body.split_first() {
        Some((&place, fields)) if place >= M::BASE => {
            bytes.push(M::LATER[usize::from(place - M::BASE)]);
            bytes.extend(written(&(fields.len() as u32)));
            bytes.extend_from_slice(fields);
        }
        _ => bytes.extend_from_slice(&body),
    }
    bytes
}

fn written<T: Serialize>(value: &T) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, bincode::config::standard())
        .expect("messages hold only what bincode can write")
}

/// The limit bounds what a length prefix can make bincode allocate.
fn decode<M, const MAX: usize>(bytes: &[u8]) -> Result<Option<M>, ControlError>
where
    M: DeserializeOwned + Numbered,
{
    let config: Configuration<LittleEndian, Varint, Limit<MAX>> =
        bincode::config::standard().with_limit::<MAX>();
    let (&kind, body) = bytes.split_first().ok_or(ControlError)?;
    if kind != Kind::Control as u8 || bytes.len() > MAX {
        return Err(ControlError);
    }
    let number = |bytes| bincode::serde::decode_from_slice::<u32, _>(bytes, config);
    let later;
    let body = match body.split_first() {
        Some((index @ RESERVED_FROM..=RESERVED_TO, rest)) => {
            let (length, read) = number(rest).map_err(|_| ControlError)?;
            let fields = &rest[read..];
            if fields.len() != length as usize {
                return Err(ControlError);
            }
            let Some(place) = M::LATER.iter().position(|later| later == index) else {
                return Ok(None);
            };
            later = [&[M::BASE + place as u8], fields].concat();
            &later[..]
        }
        // A variant's place beyond the base is no index.
        _ => match number(body) {
            Ok((index, _)) if index < M::BASE.into() => body,
            _ => return Err(ControlError),
        },
    };
    match bincode::serde::decode_from_slice(body, config) {
        Ok((message, read)) if read == body.len() => Ok(Some(message)),
        _ => Err(ControlError),
    }
}

/// A value that is none of what can be saved, or bytes that are no such value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedError(String);

impl fmt::Display for SavedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SavedError {}

/// Appends what serde writes, number by number, in pieces of some size: to have a list grow for
/// each number takes three times as long.
struct Appending<'a> {
    out: &'a mut Vec<u8>,
    piece: [u8; 256],
    filled: usize,
}

impl<'a> Appending<'a> {
    fn to(out: &'a mut Vec<u8>) -> Appending<'a> {
        Appending {
            out,
            piece: [0; 256],
            filled: 0,
        }
    }

    fn flush(&mut self) {
        self.out.extend_from_slice(&self.piece[..self.filled]);
        self.filled = 0;
    }

    #[cold]
    fn write_beyond(&mut self, bytes: &[u8]) {
        self.flush();
        match self.piece.get_mut(..bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.filled = bytes.len();
            }
            None => self.out.extend_from_slice(bytes),
        }
    }
}

impl Writer for Appending<'_> {
    // Mostly of a length that is known where it is called.
    #[inline(always)]
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        let end = self.filled + bytes.len();
        match self.piece.get_mut(self.filled..end) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.filled = end;
            }
            None => self.write_beyond(bytes),
        }
        Ok(())
    }
}

fn append<T: Serialize + ?Sized>(
    value: &T,
    out: &mut Vec<u8>,
    config: impl Config,
) -> Result<(), SavedError> {
    let mut appending = Appending::to(out);
    let written = bincode::serde::encode_into_writer(value, &mut appending, config);
    appending.flush();
    written.map_err(|error| SavedError(error.to_string()))
}

fn take<T: DeserializeOwned>(bytes: &mut &[u8], config: impl Config) -> Result<T, SavedError> {
    let (value, read) = bincode::serde::decode_from_slice(bytes, config)
        .map_err(|error| SavedError(error.to_string()))?;
    *bytes = bytes.get(read..).unwrap_or_default();
    Ok(value)
}

/// Appends a value of a save to `out`, of whatever size.
///
/// # Errors
/// Its `Serialize` refuses, or needs a format that describes itself. `out` has a part of it then.
pub fn append_saved<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), SavedError> {
    append(value, out, bincode::config::standard())
}

/// The same with numbers in all their bytes: those of a room's ticks and places are long anyway, and
/// it takes a third of the time, which is a tick's.
///
/// # Errors
/// As for [`append_saved`].
pub fn append_fixed<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), SavedError> {
    let config = bincode::config::standard().with_fixed_int_encoding();
    append(value, out, config)
}

/// Takes a value of a save from the front of `bytes`. No more than [`SAVE_BYTES_MAX`] are read or
/// set aside for it.
///
/// # Errors
/// They are no such value.
pub fn take_saved<T: DeserializeOwned>(bytes: &mut &[u8]) -> Result<T, SavedError> {
    let config = bincode::config::standard().with_limit::<SAVE_BYTES_MAX>();
    take(bytes, config)
}

/// The same of what [`append_fixed`] wrote.
///
/// # Errors
/// They are no such value.
pub fn take_fixed<T: DeserializeOwned>(bytes: &mut &[u8]) -> Result<T, SavedError> {
    let config = bincode::config::standard()
        .with_fixed_int_encoding()
        .with_limit::<SAVE_BYTES_MAX>();
    take(bytes, config)
}
