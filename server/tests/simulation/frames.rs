//! The client's end of the WebSocket framing, written apart from the server's: unmasked whole messages and
//! the close frame.

use tickwire::protocol::CloseCode;

use crate::broken::{Broken, Check};

/// What the server sends.
pub(crate) enum Frame<'a> {
    Message(&'a [u8]),
    Close(CloseCode),
}

/// The first frame and what is behind it, `None` while it is not whole.
pub(crate) fn take_frame(bytes: &[u8]) -> Result<Option<(Frame<'_>, &[u8])>, Broken> {
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
    let length = extended
        .iter()
        .fold(length, |length, &digit| length << 8 | usize::from(digit));
    let Some((payload, rest)) = rest.split_at_checked(length) else {
        return Ok(None);
    };
    let frame = match (kind, payload) {
        (0x82, message) => Frame::Message(message),
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
