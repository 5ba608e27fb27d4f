//! WebSocket framing as far as the server does it itself: headers of the frames that it sends, a
//! count of the frames that come in, and the payload of the most common ones: whole binary
//! messages. What all others mean is tungstenite's business.

use std::ops::Range;

use tickwire::protocol::CloseCode;

use crate::transport::outbox::{Framing, HEADER_BYTES_MAX};

/// First byte of a binary message in one frame.
const BINARY: u8 = 0x82;
/// First byte of a close frame.
const CLOSE: u8 = 0x88;

/// The frames that the server sends: unmasked, each with a whole message.
#[derive(Debug)]
pub(crate) struct Frames;

impl Framing for Frames {
    fn header(length: usize) -> ([u8; HEADER_BYTES_MAX], usize) {
        let mut header = [0; HEADER_BYTES_MAX];
        let size = match length {
            0..126 => {
                header[8..].copy_from_slice(&[BINARY, length as u8]);
                2
            }
            126..65_536 => {
                header[6..8].copy_from_slice(&[BINARY, 126]);
                header[8..].copy_from_slice(&(length as u16).to_be_bytes());
                4
            }
            _ => {
                header[..2].copy_from_slice(&[BINARY, 127]);
                header[2..].copy_from_slice(&(length as u64).to_be_bytes());
                10
            }
        };
        (header, size)
    }

    fn frame_bytes(frame: &[u8]) -> usize {
        match frame[1] & 0x7F {
            126 => 4 + usize::from(u16::from_be_bytes([frame[2], frame[3]])),
            127 => {
                let length = frame[2..10]
                    .iter()
                    .fold(0u64, |n, &byte| n << 8 | u64::from(byte));
                10 + length as usize
            }
            length => 2 + usize::from(length),
        }
    }

    /// A close frame with the code's number and reason.
    fn push_close(code: CloseCode, out: &mut Vec<u8>) {
        let reason = code.reason().as_bytes();
        out.extend_from_slice(&[CLOSE, 2 + reason.len() as u8]);
        out.extend_from_slice(&code.number().to_be_bytes());
        out.extend_from_slice(reason);
    }
}

/// Where the payload is of a client's whole binary message in one frame that `bytes` start with;
/// its mask is taken off. `None` for all else, which is the WebSocket context's business: other
/// kinds of frames, forbidden ones, those whose end has not come.
pub(crate) fn unmask_message(bytes: &mut [u8]) -> Option<Range<usize>> {
    let (mask_at, length) = match *bytes {
        [BINARY, short @ 0x80..0xFE, ..] => (2, usize::from(short & 0x7F)),
        [BINARY, 0xFE, high, low, ..] => (4, usize::from(u16::from_be_bytes([high, low]))),
        _ => return None,
    };
    let start = mask_at + 4;
    if mask_at == 4 && length < 126 || bytes.len() < start + length {
        return None;
    }
    let mask = [0, 1, 2, 3].map(|n| bytes[mask_at + n]);
    for (byte, mask) in bytes[start..start + length]
        .iter_mut()
        .zip(mask.iter().cycle())
    {
        *byte ^= mask;
    }
    Some(start..start + length)
}

/// Follows a client's byte stream from frame to frame, without reading what is in them.
#[derive(Clone, Debug, Default)]
pub(crate) struct FrameCount {
    /// Payload bytes until the next header.
    payload: u64,
    /// Header bytes seen.
    seen: u8,
    /// Header bytes in all; known from the second on.
    header: u8,
    /// Bytes of length after the second one.
    extended: u8,
    /// Whether a message lacks its last fragment.
    in_message: bool,
    /// Whether a close frame came.
    closed: bool,
    /// Messages begun, and control frames between them; wraps around. While it stays the same, what
    /// is unfinished is the same.
    pub(super) begun: u32,
    /// Whether a length was longer than it need be, or with the sign that none may have (RFC 6455
    /// §5.2). The WebSocket context takes such frames. It stays so: nothing after it is worth
    /// reading.
    pub(super) is_broken: bool,
    /// Whether this frame follows a close: what it is matters no more.
    is_after_close: bool,
}

impl FrameCount {
    /// Frames whose header ends within `bytes`, which go on where the last ones ended.
    pub(crate) fn count(&mut self, mut bytes: &[u8]) -> u32 {
        let mut frames = 0;
        loop {
            if self.seen == 0 {
                let skip = self.payload.min(bytes.len() as u64);
                self.payload -= skip;
                bytes = &bytes[skip as usize..];
            }
            let Some((&byte, rest)) = bytes.split_first() else {
                return frames;
            };
            bytes = rest;
            frames += u32::from(self.take(byte));
        }
    }

    /// Whether the next byte starts a frame, and that frame a message of its own.
    pub(crate) fn is_between_messages(&self) -> bool {
        self.seen == 0 && self.payload == 0 && !self.in_message && !self.closed
    }

    /// Whether a message, or a frame between two, lacks its end.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.seen != 0 || self.payload != 0 || self.in_message
    }

    /// One byte of a header. True: it was the last one.
    fn take(&mut self, byte: u8) -> bool {
        match self.seen {
            0 => {
                self.header = 2;
                self.is_after_close = self.closed;
                if !self.in_message {
                    self.begun = self.begun.wrapping_add(1);
                }
                match byte & 0x0F {
                    0..=2 => self.in_message = byte & 0x80 == 0,
                    8 => self.closed = true,
                    _ => {}
                }
            }
            1 => {
                let short = byte & 0x7F;
                self.extended = match short {
                    126 => 2,
                    127 => 8,
                    _ => 0,
                };
                let mask = if byte & 0x80 != 0 { 4 } else { 0 };
                self.header = 2 + self.extended + mask;
                self.payload = if short < 126 { u64::from(short) } else { 0 };
            }
            seen if seen < 2 + self.extended => {
                self.payload = self.payload << 8 | u64::from(byte);
                if seen + 1 == 2 + self.extended {
                    let is_broken = match self.extended {
                        2 => self.payload < 126,
                        _ => self.payload < 65_536 || self.payload >> 63 == 1,
                    };
                    self.is_broken |= is_broken && !self.is_after_close;
                }
            }
            _ => {}
        }
        self.seen += 1;
        let whole = self.seen == self.header && self.seen > 1;
        if whole {
            self.seen = 0;
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
    use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};

    /// Frame lengths around every change of format.
    const LENGTHS: [usize; 9] = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000, 262_144];

    fn framed(length: usize, mask: Option<[u8; 4]>) -> Vec<u8> {
        let mut frame = Frame::message(vec![7; length], OpCode::Data(Data::Binary), true);
        *frame.header_mut() = FrameHeader {
            mask,
            ..frame.header().clone()
        };
        let mut bytes = Vec::new();
        frame.format(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn headers_are_those_of_tungstenite() {
        for length in LENGTHS {
            let expected = framed(length, None);
            let (header, size) = Frames::header(length);
            let header = &header[HEADER_BYTES_MAX - size..];
            assert_eq!(header, &expected[..expected.len() - length]);
            assert_eq!(Frames::frame_bytes(&expected), expected.len());
        }
    }

    #[test]
    fn close_frames_are_those_of_tungstenite() {
        use tokio_tungstenite::tungstenite::protocol::CloseFrame;
        for code in CloseCode::ALL {
            let mut expected = Vec::new();
            let frame = Frame::close(Some(CloseFrame {
                code: code.number().into(),
                reason: code.reason().into(),
            }));
            frame.format(&mut expected).unwrap();
            let mut bytes = Vec::new();
            Frames::push_close(code, &mut bytes);
            assert_eq!(bytes, expected);
        }
    }

    #[test]
    fn frames_are_counted_however_the_bytes_are_cut() {
        let mut bytes = Vec::new();
        for length in LENGTHS {
            bytes.extend(framed(length, Some([1, 2, 3, 4])));
            bytes.extend(framed(length, None));
        }
        for piece in [1, 2, 3, 5, 7, 128, 4096, bytes.len()] {
            let mut count = FrameCount::default();
            let frames: u32 = bytes.chunks(piece).map(|part| count.count(part)).sum();
            assert_eq!(frames as usize, 2 * LENGTHS.len(), "pieces of {piece}");
        }
    }

    #[test]
    fn whole_messages_are_what_tungstenite_reads() {
        for length in LENGTHS.into_iter().filter(|length| *length <= 65_535) {
            let mut bytes = framed(length, Some([9, 8, 7, 6]));
            for cut in [0, 1, 2, 5, bytes.len() - 1] {
                let mut part = bytes[..cut.min(bytes.len() - 1)].to_vec();
                assert_eq!(unmask_message(&mut part), None, "{cut} of {length}");
            }
            bytes.push(1);
            let payload = unmask_message(&mut bytes).unwrap();
            assert_eq!(payload.end, bytes.len() - 1);
            assert_eq!(bytes[payload], vec![7; length]);
        }
    }

    #[test]
    fn what_is_no_whole_message_is_left_alone() {
        let message = framed(3, Some([1, 2, 3, 4]));
        for (at, byte) in [
            (0, 0x02),
            (0, 0x81),
            (0, 0xC2),
            (0, 0x89),
            (1, 3),
            (1, 0xFF),
        ] {
            let mut bytes = message.clone();
            bytes[at] = byte;
            let before = bytes.clone();
            assert_eq!(unmask_message(&mut bytes), None, "{byte:#x} at {at}");
            assert_eq!(bytes, before);
        }
        let mut long = vec![BINARY, 0xFE, 0, 3, 1, 2, 3, 4, 5, 6, 7];
        assert_eq!(unmask_message(&mut long), None, "longer than it need be");
    }

    #[test]
    fn a_message_in_fragments_has_no_end_before_the_last() {
        let mut count = FrameCount::default();
        let mut between = |bytes: &[u8]| {
            count.count(bytes);
            count.is_between_messages()
        };
        assert!(between(&framed(5, Some([1; 4]))));
        assert!(!between(&[0x02, 0x80, 1, 2, 3]));
        assert!(!between(&[4]), "its first fragment is over");
        assert!(!between(&[0x89, 0x80, 1, 2, 3, 4]), "a ping between them");
        assert!(!between(&[0x00, 0x80, 1, 2, 3, 4]));
        assert!(between(&[0x80, 0x80, 1, 2, 3, 4]));
        assert!(
            !between(&[0x88, 0x80, 1, 2, 3, 4]),
            "nothing follows a close"
        );
    }

    #[test]
    fn what_is_unfinished_is_the_same_until_its_end() {
        let mut count = FrameCount::default();
        let mut after = |bytes: &[u8]| {
            count.count(bytes);
            (count.is_unfinished(), count.begun)
        };
        assert_eq!(after(&framed(5, Some([1; 4]))), (false, 1));
        assert_eq!(after(&[0x02]), (true, 2));
        assert_eq!(after(&[0x80, 1, 2, 3, 4]), (true, 2), "a first fragment");
        let pings_and_fragments = [0x89, 0x80, 1, 2, 3, 4, 0x00, 0x81, 1, 2, 3, 4, 5];
        assert_eq!(after(&pings_and_fragments), (true, 2), "they end nothing");
        assert_eq!(after(&[0x80, 0x80, 1, 2, 3, 4]), (false, 2));
        assert_eq!(after(&[0x89, 0x81, 1, 2, 3, 4]), (true, 3), "half a ping");
        assert_eq!(after(&[5, 0x82, 0x81]), (true, 4), "another one");
    }

    /// Autobahn has no case for it.
    #[test]
    fn a_length_in_more_bytes_than_it_needs_is_broken() {
        let check = |header: &[u8], broken: bool| {
            for piece in [1, 2, 3, 100] {
                for mask in [&[][..], &[1, 2, 3, 4]] {
                    let mut header = header.to_vec();
                    header[1] |= if mask.is_empty() { 0 } else { 0x80 };
                    header.extend(mask);
                    let mut count = FrameCount::default();
                    for part in header.chunks(piece) {
                        count.count(part);
                    }
                    assert_eq!(count.is_broken, broken, "{header:?} in pieces of {piece}");
                    count.count(&framed(3, Some([1; 4])));
                    assert_eq!(count.is_broken, broken, "{header:?} and more");
                    let mut closed = FrameCount::default();
                    closed.count(&[0x88, 0x80, 1, 2, 3, 4]);
                    closed.count(&header);
                    assert!(!closed.is_broken, "{header:?} behind a close");
                }
            }
        };
        check(&[BINARY, 0], false);
        check(&[BINARY, 125], false);
        check(&[BINARY, 126, 0, 0], true);
        check(&[BINARY, 126, 0, 125], true);
        check(&[0x89, 126, 0, 5], true);
        check(&[0x02, 126, 0, 5], true);
        check(&[0x88, 126, 0, 2], true);
        check(&[BINARY, 126, 0, 126], false);
        check(&[BINARY, 126, 0xFF, 0xFF], false);
        check(&[BINARY, 127, 0, 0, 0, 0, 0, 0, 0, 0], true);
        check(&[BINARY, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], true);
        check(&[BINARY, 127, 0, 0, 0, 0, 0, 1, 0, 0], false);
        check(
            &[BINARY, 127, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            false,
        );
        check(&[BINARY, 127, 0x80, 0, 0, 0, 0, 1, 0, 0], true);
    }

    #[test]
    fn empty_fragments_count() {
        let mut count = FrameCount::default();
        let flood = [0x00, 0x80, 1, 2, 3, 4].repeat(1000);
        assert_eq!(count.count(&flood), 1000);
    }
}
