//! What stands at the head of a request's body: the secret of the stream that it is for, and then
//! what it asks. In the body, since no log and no proxy's cache keeps those, and since a header of
//! its own would cost a page of another origin a preflight for each request. Pure.

use bytes::{Buf, Bytes};

/// Bytes of a secret, in hexadecimal digits.
pub(crate) const SECRET_BYTES: usize = 32;
/// Bytes of the frames of one batch: the longest message and many small ones.
pub(crate) const BATCH_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a body that carries messages up.
pub(crate) const UP_BYTES_MAX: usize = SECRET_BYTES + 4 + BATCH_BYTES_MAX;
/// Bytes of a body that asks for messages.
pub(crate) const DOWN_BYTES: usize = SECRET_BYTES + 5;

/// Carries messages up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UpRequest {
    pub(crate) secret: Bytes,
    /// One more than that of the batch before, 1 for the first; wraps around.
    pub(crate) number: u32,
    pub(crate) frames: Bytes,
}

impl UpRequest {
    /// What the body of a request says, if it says it as it must.
    pub(crate) fn read(mut body: Bytes) -> Option<UpRequest> {
        if body.len() < SECRET_BYTES + 4 {
            return None;
        }
        Some(UpRequest {
            secret: body.split_to(SECRET_BYTES),
            number: body.get_u32_le(),
            frames: body,
        })
    }
}

/// Asks for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DownRequest {
    pub(crate) secret: Bytes,
    /// Whether the answer is to end with the first messages there are: a long poll.
    pub(crate) is_poll: bool,
    /// How many messages have arrived, of all that ever came by this stream; wraps around.
    pub(crate) received: u32,
}

impl DownRequest {
    /// What the body of a request says, if it says it as it must.
    pub(crate) fn read(mut body: Bytes) -> Option<DownRequest> {
        if body.len() != DOWN_BYTES {
            return None;
        }
        let secret = body.split_to(SECRET_BYTES);
        let is_poll = match body.get_u8() {
            0 => false,
            1 => true,
            _ => return None,
        };
        Some(DownRequest {
            secret,
            is_poll,
            received: body.get_u32_le(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_read_to_the_byte() {
        let secret = [b'a'; SECRET_BYTES];
        let body = |rest: &[u8]| Bytes::from([&secret[..], rest].concat());
        let up = UpRequest::read(body(&[1, 2, 0, 0, 9])).unwrap();
        assert_eq!((up.number, &up.frames[..]), (513, &[9][..]));
        assert_eq!(up.secret[..], secret);
        assert_eq!(UpRequest::read(body(&[1, 2, 0])), None);
        let down = DownRequest::read(body(&[1, 3, 0, 0, 0])).unwrap();
        assert!(down.is_poll && down.received == 3);
        for wrong in [&[2, 0, 0, 0, 0][..], &[0, 0, 0, 0], &[0, 0, 0, 0, 0, 0]] {
            assert_eq!(DownRequest::read(body(wrong)), None, "{wrong:?}");
        }
    }
}
