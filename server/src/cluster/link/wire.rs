//! The bytes of a link: frames, the three of its handshake, and messages. Bytes in, values out; no
//! key, which is [`super::keys`]', and no order of things, which is [`super::session`]'s. Nothing
//! here is trusted: a length is held to the bound of what it is of before anything waits for it.
//!
//! A frame is the length of its body (4 bytes, little-endian), the body, and once both ends have
//! proven that they have the key, a tag. The first 6 bytes of a handshake's first two bodies say
//! what this is and in which format, in every format. Framing is written out here because the bound
//! of a length depends on what it is of, and a tag stands behind: a codec of one bound would wait
//! for 256 KiB where 24 bytes are due.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tickwire::codec::{append_saved, take_saved};

/// Rises with every change of what goes over a link. Nodes of different formats are not linked.
pub(crate) const FORMAT: u16 = 2;
const MAGIC: [u8; 4] = *b"TWpl";

/// Bytes of a frame's length.
pub(crate) const LENGTH_BYTES: usize = 4;
/// Bytes of a tag, the first of an HMAC-SHA-256.
pub(crate) const TAG_BYTES: usize = 16;
/// Bytes of a handshake's body: two random numbers, a name and what stands around them.
pub(crate) const HANDSHAKE_BYTES_MAX: usize = 512;
/// Bytes of what is asked, and of what is answered: a client's message and who they are, or what a
/// program says.
pub(crate) const ASK_BYTES_MAX: usize = 20 * 1024;
/// Bytes of a node's batch of rooms.
pub(crate) const BATCH_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a frame of what players have in common.
pub(crate) const COMMON_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a message's head: its kind and the numbers behind it.
const HEAD_BYTES_MAX: usize = 24;
/// Bytes of the longest body.
pub(crate) const BODY_BYTES_MAX: usize = HEAD_BYTES_MAX + BATCH_BYTES_MAX;

/// Random, of one session.
pub(crate) type Nonce = [u8; 32];

/// What a dialer says first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Opening {
    pub(crate) nonce: Nonce,
    /// Its incarnation.
    pub(crate) me: u64,
}

/// What is answered: the same, who answers, and the proof that it has the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Response {
    pub(crate) nonce: Nonce,
    pub(crate) me: u64,
    /// Its name.
    pub(crate) node: String,
    pub(crate) proof: [u8; 32],
}

/// The dialer's proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Finish {
    pub(crate) proof: [u8; 32],
}

/// What a message is. Its place here is its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Head {
    /// From a dialer: what is your contact with the engine?
    Contact { id: u64 },
    /// From a dialer: its bytes are for who asks and answers.
    Ask { id: u64 },
    /// From a dialer: its rooms.
    Batch,
    /// From a dialer: something is in the engine's tables that you should read.
    Hurry,
    /// To a dialer: whether this incarnation has contact.
    ContactIs { id: u64, has: bool, who: u64 },
    /// To a dialer: bytes, or nothing.
    Answer { id: u64, is_some: bool },
    /// From a dialer: a frame of what players have in common.
    Common,
}

/// Bytes of a body, by its first byte.
const BODIES: [usize; 7] = [
    HEAD_BYTES_MAX,
    HEAD_BYTES_MAX + ASK_BYTES_MAX,
    BODY_BYTES_MAX,
    HEAD_BYTES_MAX,
    HEAD_BYTES_MAX,
    HEAD_BYTES_MAX + ASK_BYTES_MAX,
    HEAD_BYTES_MAX + COMMON_BYTES_MAX,
];

/// The bytes are none of a link's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WireError {
    /// Of another version's.
    Format(u16),
    /// More than there may be of what it is.
    TooBig,
    /// Not what this version writes.
    Malformed,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WireError::Format(format) => write!(f, "format {format}, not {FORMAT}"),
            WireError::TooBig => f.write_str("a frame that is too big"),
            WireError::Malformed => f.write_str("malformed"),
        }
    }
}

impl Head {
    /// Who says this.
    pub(crate) fn is_of_dialer(&self) -> bool {
        !matches!(self, Head::ContactIs { .. } | Head::Answer { .. })
    }

    /// Whether bytes may follow.
    fn has_body(&self) -> bool {
        matches!(
            self,
            Head::Ask { .. } | Head::Batch | Head::Common | Head::Answer { is_some: true, .. }
        )
    }
}

/// Bytes of the first frame's body, once its length is there, and its kind if it has one.
///
/// # Errors
/// It is longer than it may be, or empty.
pub(crate) fn body_bytes(bytes: &[u8], is_handshake: bool) -> Result<Option<usize>, WireError> {
    let Some((length, rest)) = bytes.split_first_chunk() else {
        return Ok(None);
    };
    let length = u32::from_le_bytes(*length) as usize;
    let max = match (is_handshake, rest.first()) {
        (true, _) => HANDSHAKE_BYTES_MAX,
        (false, None) => BODY_BYTES_MAX,
        (false, Some(kind)) => *BODIES.get(usize::from(*kind)).ok_or(WireError::Malformed)?,
    };
    match length {
        0 => Err(WireError::Malformed),
        _ if length > max => Err(WireError::TooBig),
        _ => Ok(Some(length)),
    }
}

/// Appends a frame of a handshake; its first two begin with what this is.
pub(crate) fn append_handshake(what: &impl Serialize, is_hello: bool, out: &mut Vec<u8>) {
    let at = begin_frame(out);
    if is_hello {
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&FORMAT.to_le_bytes());
    }
    // Numbers and a name: the codec writes them.
    let _ = append_saved(what, out);
    end_frame(at, out);
}

/// Reads the body of a handshake's frame.
///
/// # Errors
/// It is none, or of another version's.
pub(crate) fn read_handshake<T: DeserializeOwned>(
    body: &[u8],
    is_hello: bool,
) -> Result<T, WireError> {
    let mut rest = body;
    if is_hello {
        rest = body.strip_prefix(&MAGIC).ok_or(WireError::Malformed)?;
        let (format, behind) = rest.split_first_chunk().ok_or(WireError::Malformed)?;
        let format = u16::from_le_bytes(*format);
        if format != FORMAT {
            return Err(WireError::Format(format));
        }
        rest = behind;
    }
    let value = take_saved(&mut rest).map_err(|_| WireError::Malformed)?;
    match rest {
        [] => Ok(value),
        _ => Err(WireError::Malformed),
    }
}

/// Appends a message's frame without its tag. Answers where its body begins.
pub(crate) fn append_message(head: &Head, body: &[u8], out: &mut Vec<u8>) -> usize {
    let at = begin_frame(out);
    // Numbers: the codec writes them.
    let _ = append_saved(head, out);
    out.extend_from_slice(body);
    end_frame(at, out);
    at
}

/// Reads the body of a message's frame: what it is, and its bytes.
///
/// # Errors
/// It is none.
pub(crate) fn read_message(body: &[u8]) -> Result<(Head, &[u8]), WireError> {
    let mut rest = body;
    let head: Head = take_saved(&mut rest).map_err(|_| WireError::Malformed)?;
    match rest {
        [] => Ok((head, rest)),
        _ if head.has_body() => Ok((head, rest)),
        _ => Err(WireError::Malformed),
    }
}

fn begin_frame(out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(&[0; LENGTH_BYTES]);
    out.len()
}

fn end_frame(at: usize, out: &mut [u8]) {
    // What is sent was held to the bounds above.
    let length = (out.len() - at) as u32;
    out[at - LENGTH_BYTES..at].copy_from_slice(&length.to_le_bytes());
}
