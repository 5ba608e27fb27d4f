//! The client's end of the WebSocket framing, written apart from the server's: unmasked whole
//! messages and the close frame from it, masked ones to it.

use tickwire::protocol::CloseCode;

use crate::broken::{Broken, Check};

/// What the server sends.
#[derive(Clone, Debug)]
pub(crate) enum Frame {
    Message(Vec<u8>),
    Close(CloseCode),
}

/// The first frame and what is behind it, `None` while it is not whole.
pub(crate) fn take_frame(bytes: &[u8]) -> Result<Option<(Frame, &[u8])>, Broken> {
    let [kind, short, rest @ ..] = bytes else {
        return Ok(None);
    };
    let (digits, length) = match short {
        0..126 => (0, usize::from(*short)),
        126 => (2, 0),
        127 => (8, 0),
        _ => return Err(Broken::new(Check::Protocol, "the server masks a frame")),
    };
    let Some((extended, rest)) = rest.split_at_checked(digits) else {
        return Ok(None);
    };
    let length = extended.iter().fold(length, |length, &digit| {
        length
            .saturating_mul(256)
            .saturating_add(usize::from(digit))
    });
    let Some((payload, rest)) = rest.split_at_checked(length) else {
        return Ok(None);
    };
    let frame = match (kind, payload) {
        (0x82, message) => Frame::Message(message.to_vec()),
        (0x88, [high, low, ..]) => {
            let number = u16::from_be_bytes([*high, *low]);
            let code = CloseCode::ALL
                .into_iter()
                .find(|code| code.number() == number);
            Frame::Close(
                code.ok_or_else(|| Broken::new(Check::Protocol, format!("close code {number}")))?,
            )
        }
        _ => {
            return Err(Broken::new(
                Check::Protocol,
                format!("frame of kind {kind:#x}"),
            ));
        }
    };
    Ok(Some((frame, rest)))
}

/// A frame as the server writes it.
pub(crate) fn framed(frame: &Frame) -> Vec<u8> {
    let (kind, payload) = match frame {
        Frame::Message(message) => (0x82, message.clone()),
        Frame::Close(code) => (0x88, code.number().to_be_bytes().to_vec()),
    };
    let mut bytes = header(kind, payload.len(), 0);
    bytes.extend(payload);
    bytes
}

/// A frame as a client writes it.
pub(crate) fn masked(kind: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
    let mut bytes = header(kind, payload.len(), 0x80);
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(a, b)| a ^ b));
    bytes
}

fn header(kind: u8, length: usize, mask: u8) -> Vec<u8> {
    let mut header = vec![kind];
    match length {
        0..126 => header.push(mask | length as u8),
        126..65_536 => {
            header.push(mask | 126);
            header.extend((length as u16).to_be_bytes());
        }
        _ => {
            header.push(mask | 127);
            header.extend((length as u64).to_be_bytes());
        }
    }
    header
}
