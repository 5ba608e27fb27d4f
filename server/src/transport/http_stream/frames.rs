//! How messages stand in the bodies of requests and answers (PROTOCOL.md §1.1): each behind its kind
//! and its length. Pure; the bytes of a body are arguments.

use bytes::{Buf, Bytes};
use tickwire::limits::CLIENT_MESSAGE_BYTES_MAX;
use tickwire::protocol::CloseCode;

use crate::transport::outbox::{Framing, HEADER_BYTES_MAX};

/// Bytes of a header: a kind, and the length in three bytes.
const HEADER_BYTES: usize = 4;

const MESSAGE: u8 = 0;
/// The last: a code, and from the server a reason.
const CLOSE: u8 = 1;
/// Nothing: that there is life in the stream.
const LIFE: u8 = 2;

/// A frame of [`LIFE`], whole.
pub(crate) const LIFE_FRAME: [u8; HEADER_BYTES] = [LIFE, 0, 0, 0];

/// The server's frames.
#[derive(Debug)]
pub(crate) struct Frames;

impl Framing for Frames {
    fn header(length: usize) -> ([u8; HEADER_BYTES_MAX], usize) {
        let mut header = [0; HEADER_BYTES_MAX];
        header[HEADER_BYTES_MAX - HEADER_BYTES..].copy_from_slice(&head(MESSAGE, length));
        (header, HEADER_BYTES)
    }

    fn frame_bytes(frame: &[u8]) -> usize {
        HEADER_BYTES + length(frame)
    }

    fn push_close(code: CloseCode, out: &mut Vec<u8>) {
        let reason = code.reason().as_bytes();
        out.extend_from_slice(&head(CLOSE, 2 + reason.len()));
        out.extend_from_slice(&code.number().to_le_bytes());
        out.extend_from_slice(reason);
    }
}

fn head(kind: u8, length: usize) -> [u8; HEADER_BYTES] {
    let [low, middle, high, ..] = (length as u32).to_le_bytes();
    [kind, low, middle, high]
}

fn length(frame: &[u8]) -> usize {
    u32::from_le_bytes([frame[1], frame[2], frame[3], 0]) as usize
}

/// Messages among the server's own frames.
pub(super) fn messages(mut frames: &[u8]) -> u32 {
    let mut messages = 0;
    while !frames.is_empty() {
        messages += u32::from(frames[0] == MESSAGE);
        frames = &frames[Frames::frame_bytes(frames)..];
    }
    messages
}

/// What a client says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Up {
    Message(Bytes),
    /// The last; with the normal code it is a goodbye.
    Close {
        is_goodbye: bool,
    },
}

/// How many frames a client's batch has.
///
/// # Errors
/// With what a connection is closed that sends such a batch.
pub(super) fn check(mut batch: &[u8]) -> Result<u32, CloseCode> {
    let mut frames = 0;
    while !batch.is_empty() {
        if batch.len() < HEADER_BYTES {
            return Err(CloseCode::Protocol);
        }
        let length = length(batch);
        match batch[0] {
            MESSAGE if length > CLIENT_MESSAGE_BYTES_MAX => return Err(CloseCode::TooBig),
            MESSAGE => {}
            CLOSE if length == 2 => {}
            _ => return Err(CloseCode::Protocol),
        }
        if batch.len() < HEADER_BYTES + length {
            return Err(CloseCode::Protocol);
        }
        batch = &batch[HEADER_BYTES + length..];
        frames += 1;
    }
    Ok(frames)
}

/// Takes the next frame off a batch that was checked.
pub(super) fn next(batch: &mut Bytes) -> Option<Up> {
    if batch.len() < HEADER_BYTES {
        return None;
    }
    let mut frame = batch.split_to(Frames::frame_bytes(batch).min(batch.len()));
    let kind = frame[0];
    frame.advance(HEADER_BYTES);
    Some(match kind {
        MESSAGE => Up::Message(frame),
        _ => Up::Close {
            is_goodbye: frame[..] == CloseCode::Normal.number().to_le_bytes(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_read_as_it_was_written() {
        let batch = [
            &[0, 2, 0, 0, 7, 8][..],
            &[0, 0, 0, 0],
            &[1, 2, 0, 0, 0xE9, 3],
        ]
        .concat();
        let mut batch = Bytes::from(batch);
        assert_eq!(check(&batch), Ok(3));
        let message = |bytes: &'static [u8]| Some(Up::Message(Bytes::from_static(bytes)));
        assert_eq!(next(&mut batch), message(&[7, 8]));
        assert_eq!(next(&mut batch), message(&[]));
        assert_eq!(next(&mut batch), Some(Up::Close { is_goodbye: false }));
        assert_eq!(next(&mut batch), None);
        let mut goodbye = Bytes::from_static(&[1, 2, 0, 0, 0xE8, 3]);
        assert_eq!(next(&mut goodbye), Some(Up::Close { is_goodbye: true }));
    }

    #[test]
    fn what_is_no_batch_has_its_code() {
        let check = |batch: &[u8], code| assert_eq!(check(batch), Err(code), "{batch:?}");
        check(&[0], CloseCode::Protocol);
        check(&[0, 1, 0, 0], CloseCode::Protocol);
        check(&[0, 1, 0, 0, 9, 0], CloseCode::Protocol);
        check(&[2, 0, 0, 0], CloseCode::Protocol);
        check(&[3, 0, 0, 0], CloseCode::Protocol);
        check(&[1, 1, 0, 0, 0], CloseCode::Protocol);
        check(&[1, 3, 0, 0, 0xE8, 3, 0], CloseCode::Protocol);
        check(&[0, 1, 0x10, 0], CloseCode::TooBig);
        check(&[0, 0xFF, 0xFF, 0xFF, 0], CloseCode::TooBig);
        let largest = [&[0, 0, 0x10, 0][..], &[0; CLIENT_MESSAGE_BYTES_MAX]].concat();
        assert_eq!(super::check(&largest), Ok(1));
    }

    #[test]
    fn the_servers_frames_have_their_lengths() {
        for length in [0, 1, 300, 70_000, 1 << 20] {
            let (header, size) = Frames::header(length);
            let frame = [&header[HEADER_BYTES_MAX - size..], &vec![9; length]].concat();
            assert_eq!(Frames::frame_bytes(&frame), frame.len());
            let mut out = frame.clone();
            out.extend_from_slice(&LIFE_FRAME);
            Frames::push_close(CloseCode::Restart, &mut out);
            assert_eq!(messages(&out), 1);
            let close = &out[frame.len() + HEADER_BYTES..];
            assert_eq!(close[0], CLOSE);
            assert_eq!(close[4..6], 1012_u16.to_le_bytes());
            assert_eq!(&close[6..], CloseCode::Restart.reason().as_bytes());
        }
    }
}
