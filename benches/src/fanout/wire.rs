//! The clients' end of the WebSocket, as cheap as can be: frames that come are counted and their
//! tick read, inputs that go are masked. Nothing is decoded: it is the server that is measured.

use std::io::{self, Read, Write};
use std::net::TcpStream;

/// Mask of every frame that is sent. Any will do on a link that no proxy misreads.
const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
/// First byte of a whole binary message.
pub(super) const BINARY: u8 = 0x82;
/// First byte of a close frame.
const CLOSE: u8 = 0x88;
/// Close code for a socket that ended without one (RFC 6455, 7.1.5).
const BROKEN: u16 = 1006;
/// Kind of a snapshot's message, and of an input's.
const STATE: u8 = 2;

/// Appends a binary message as a client's frame.
///
/// # Panics
/// When it has 64 KiB or more: no client's message has.
pub(super) fn push_frame(message: &[u8], out: &mut Vec<u8>) {
    out.push(BINARY);
    match u8::try_from(message.len()) {
        Ok(length) if length < 126 => out.push(0x80 | length),
        _ => {
            let length = u16::try_from(message.len()).expect("a client's message is short");
            out.push(0x80 | 126);
            out.extend_from_slice(&length.to_be_bytes());
        }
    }
    out.extend_from_slice(&MASK);
    let masked = message.iter().zip(MASK.iter().cycle());
    out.extend(masked.map(|(byte, mask)| byte ^ mask));
}

/// Splits the frame at the start into its message and what follows, `None` while it is not
/// whole.
pub(super) fn take_frame(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [kind, short, rest @ ..] = bytes else {
        return None;
    };
    let digits = match short {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let (extended, rest) = rest.split_at_checked(digits)?;
    let length = match digits {
        0 => usize::from(*short),
        _ => extended
            .iter()
            .fold(0, |length, &digit| length << 8 | usize::from(digit)),
    };
    let (message, rest) = rest.split_at_checked(length)?;
    Some((*kind, message, rest))
}

/// A client in its room.
pub(super) struct Client {
    pub(super) socket: mio::net::TcpStream,
    /// The start of a frame whose end has not come.
    partial: Vec<u8>,
    /// The newest snapshot's tick: the acknowledgement.
    pub(super) newest: u32,
    /// The last tick that an input was sent for.
    pub(super) stamped: u32,
    /// When the last snapshot came, in microseconds; 0 for none.
    pub(super) came_us: u64,
    /// The code that the server closed it with, 1006 if the socket broke.
    pub(super) ended: Option<u16>,
}

impl Client {
    /// A client whose handshake is done; `ahead` is what was read behind it.
    pub(super) fn new(socket: TcpStream, ahead: Vec<u8>) -> io::Result<Client> {
        socket.set_nonblocking(true)?;
        Ok(Client {
            socket: mio::net::TcpStream::from_std(socket),
            partial: ahead,
            newest: 0,
            stamped: 0,
            came_us: 0,
            ended: None,
        })
    }

    /// Reads what is there and hands out every snapshot's bytes.
    pub(super) fn read(&mut self, scratch: &mut [u8], mut snapshot: impl FnMut(&mut u64, &[u8])) {
        loop {
            let size = match self.socket.read(scratch) {
                Ok(0) => 0,
                Ok(size) => size,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => 0,
            };
            if size == 0 {
                self.ended = self.ended.or(Some(BROKEN));
                return;
            }
            let joined;
            let mut rest = &scratch[..size];
            if !self.partial.is_empty() {
                self.partial.extend_from_slice(rest);
                joined = std::mem::take(&mut self.partial);
                rest = &joined;
            }
            while let Some((kind, message, after)) = take_frame(rest) {
                rest = after;
                if let (CLOSE, [high, low, ..]) = (kind, message) {
                    self.ended = Some(u16::from_be_bytes([*high, *low]));
                }
                if kind == BINARY && message.len() > 10 && message[0] == STATE {
                    let tick = [message[1], message[2], message[3], message[4]];
                    self.newest = u32::from_le_bytes(tick);
                    snapshot(&mut self.came_us, message);
                }
            }
            self.partial.extend_from_slice(rest);
            if size < scratch.len() {
                return;
            }
        }
    }

    /// Sends an input for the tick after the last one, ahead of the newest snapshot, with the
    /// acknowledgement; `fields` are the game's. Lost if the socket takes none: the server is
    /// behind then.
    pub(super) fn send_input(&mut self, fields: &[u8], lead: u32, scratch: &mut Vec<u8>) {
        let due = self.newest + lead;
        // A client that has drifted skips, as the session does.
        self.stamped = if due > self.stamped + lead {
            due
        } else {
            self.stamped + 1
        };
        let mut message = [0; 64];
        message[0] = STATE;
        message[1..5].copy_from_slice(&self.stamped.to_le_bytes());
        message[5..9].copy_from_slice(&self.newest.to_le_bytes());
        message[9..11].copy_from_slice(&64u16.to_le_bytes());
        let end = 11 + fields.len();
        message[11..end].copy_from_slice(fields);
        scratch.clear();
        push_frame(&message[..end], scratch);
        let _ = self.socket.write(scratch);
    }
}
