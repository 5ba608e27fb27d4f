//! A connection without a WebSocket, as a client behind a bad proxy has one (PROTOCOL.md §1.1):
//! messages go up in batches, one request at a time, and come down in one streaming answer or by
//! polls. The HTTP of it is written out here, a head and a length, because when the kernel had a message
//! is asked of the stream that it came by. Called by `socket`.

use std::collections::VecDeque;
use std::io;

use serde::Deserialize;
use tickwire::limits::SERVER_MESSAGE_BYTES_MAX;
use tickwire::protocol::{CloseCode, SUBPROTOCOL};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Bytes;

use crate::dial::{CLOSE_WITHIN, Incoming, Stream, connect};
use crate::ending::{ABNORMAL, NO_CODE};
use crate::target::{Target, Transport};

/// Bytes of one read.
const READ_BYTES: usize = 4 * 1024;
/// Bytes of an answer's head.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a batch's frames.
const BATCH_BYTES_MAX: usize = 16 * 1024;

/// One TCP connection that requests go by, one after the other.
struct Line {
    stream: Box<dyn Stream>,
    /// What came and was not looked at.
    bytes: Vec<u8>,
    /// Of an answer that comes in chunks, which proxies make of one without a length.
    chunks: Option<Chunks>,
}

/// What an opening is answered.
#[derive(Deserialize)]
struct Opened {
    id: String,
    secret: String,
}

/// The head of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    /// `None`: until the connection ends.
    length: Option<usize>,
    is_chunked: bool,
    closes: bool,
}

/// A body in chunks (RFC 9112, 7.1), read as it comes.
#[derive(Clone, Debug, Default)]
enum Chunks {
    /// In the line of a length: the digits so far.
    #[default]
    Length,
    Digits(usize),
    /// Behind the digits, in what is said of the chunk, up to the line's end.
    Extension(usize),
    /// So many bytes are left of it.
    Bytes(usize),
    /// In the line's end behind it.
    End,
    /// The last one, without bytes, has come.
    Over,
}

impl Chunks {
    /// Adds the bytes of chunks to `body`.
    fn read(&mut self, mut came: &[u8], body: &mut Vec<u8>) -> io::Result<()> {
        while let [byte, rest @ ..] = came {
            *self = match *self {
                Chunks::Bytes(left) => {
                    let (bytes, behind) = came.split_at(left.min(came.len()));
                    body.extend_from_slice(bytes);
                    came = behind;
                    *self = match left - bytes.len() {
                        0 => Chunks::End,
                        left => Chunks::Bytes(left),
                    };
                    continue;
                }
                Chunks::Over => return Ok(()),
                Chunks::End if *byte == b'\n' => Chunks::Length,
                Chunks::End => Chunks::End,
                Chunks::Digits(0) | Chunks::Extension(0) if *byte == b'\n' => Chunks::Over,
                Chunks::Digits(length) | Chunks::Extension(length) if *byte == b'\n' => {
                    Chunks::Bytes(length)
                }
                Chunks::Extension(length) => Chunks::Extension(length),
                Chunks::Digits(length) => match char::from(*byte).to_digit(16) {
                    Some(digit) if length < 1 << 24 => Chunks::Digits(length * 16 + digit as usize),
                    Some(_) => return Err(odd()),
                    None => Chunks::Extension(length),
                },
                Chunks::Length => {
                    let digit = char::from(*byte).to_digit(16).ok_or_else(odd)?;
                    Chunks::Digits(digit as usize)
                }
            };
            came = rest;
        }
        Ok(())
    }
}

/// See the module's description.
pub(crate) struct Requests {
    target: Target,
    /// Behind the host.
    path: String,
    secret: String,
    up: Line,
    down: Line,
    /// Frames that wait to go up.
    waiting: VecDeque<Vec<u8>>,
    number: u32,
    /// The request that is under way.
    batch: Option<Vec<u8>>,
    polls: bool,
    received: u32,
    /// Bytes that are left of the answer to a poll; `None`: its head has not come.
    left: Option<usize>,
    /// That this is the end: nothing is asked for any more.
    is_over: bool,
}

impl Requests {
    /// Opens one.
    ///
    /// # Errors
    /// One line saying why not.
    pub(crate) async fn open(target: &Target) -> Result<Requests, String> {
        let path = target.uri.path();
        let folder = path.rfind('/').map_or("/", |at| &path[..=at]);
        let mut requests = Requests {
            path: format!("{folder}x"),
            secret: String::new(),
            up: Line::open(target).await?,
            down: Line::open(target).await?,
            waiting: VecDeque::new(),
            number: 0,
            batch: None,
            polls: target.transport == Transport::Poll,
            received: 0,
            left: None,
            is_over: false,
            target: target.clone(),
        };
        requests.hello().await.map_err(|error| error.to_string())?;
        Ok(requests)
    }

    async fn hello(&mut self) -> io::Result<()> {
        let opening = self.request("", SUBPROTOCOL.as_bytes());
        self.up.stream.write_all(&opening).await?;
        let head = self.up.head().await?;
        let body = self.up.take(head.length.unwrap_or(0)).await?;
        if head.status != 200 {
            let why = String::from_utf8_lossy(&body);
            return Err(io::Error::other(format!("{} {}", head.status, why.trim())));
        }
        let Opened { id, secret } = serde_json::from_slice(&body)?;
        self.path = format!("{}/{id}", self.path);
        self.secret = secret;
        self.ask().await?;
        if !self.polls {
            let head = self.down.head().await?;
            if head.status != 200 || head.length.is_some() {
                return Err(odd());
            }
            if head.is_chunked {
                self.down.unchunk()?;
            }
        }
        Ok(())
    }

    /// The next message. May be dropped while it waits.
    pub(crate) async fn next(&mut self) -> Incoming {
        loop {
            match self.step().await {
                Ok(Some(incoming)) => return incoming,
                Ok(None) => {}
                Err(_) => {
                    self.is_over = true;
                    return Incoming::Closed(ABNORMAL);
                }
            }
        }
    }

    /// What has come, or waits for more of it. Everything that is read is kept before it waits.
    async fn step(&mut self) -> io::Result<Option<Incoming>> {
        if self.is_over {
            return Err(io::ErrorKind::NotConnected.into());
        }
        if let Some((kind, bytes)) = self.frame()? {
            return self.on_frame(kind, bytes);
        }
        if self.polls && self.left == Some(0) {
            self.left = None;
            self.ask().await?;
        }
        if self.batch.is_some()
            && let Some(head) = self.up.whole_head()?
        {
            return self.answered(head).await.map(|()| None);
        }
        if self.polls
            && self.left.is_none()
            && let Some(head) = self.down.whole_head()?
        {
            let length = head.length.filter(|_| head.status == 200);
            self.left = Some(length.ok_or_else(odd)?);
            if head.closes && self.left == Some(0) {
                self.down = Line::again(&self.target).await?;
            }
            return Ok(None);
        }
        let (up, down) = (&mut self.up, &mut self.down);
        tokio::select! {
            read = up.read(), if self.batch.is_some() => read?,
            read = down.read() => read?,
        }
        Ok(None)
    }

    /// The next frame that is whole.
    fn frame(&mut self) -> io::Result<Option<(u8, Bytes)>> {
        let bytes = &mut self.down.bytes;
        if self.polls && self.left.is_none_or(|left| left == 0) || bytes.len() < 4 {
            return Ok(None);
        }
        let length = u32::from_le_bytes([bytes[1], bytes[2], bytes[3], 0]) as usize;
        if length > SERVER_MESSAGE_BYTES_MAX {
            return Err(odd());
        }
        if bytes.len() < 4 + length {
            return Ok(None);
        }
        let kind = bytes[0];
        let rest = bytes.split_off(4 + length);
        let frame = std::mem::replace(bytes, rest);
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(frame.len()).ok_or_else(odd)?;
        }
        Ok(Some((kind, Bytes::from(frame).slice(4..))))
    }

    fn on_frame(&mut self, kind: u8, bytes: Bytes) -> io::Result<Option<Incoming>> {
        match kind {
            0 => {
                self.received = self.received.wrapping_add(1);
                let arrived_us = self.down.stream.arrived_us();
                Ok(Some(Incoming::Message(bytes, arrived_us)))
            }
            1 => {
                self.is_over = true;
                let code = bytes
                    .get(..2)
                    .map(|code| u16::from_le_bytes([code[0], code[1]]));
                Ok(Some(Incoming::Closed(code.unwrap_or(NO_CODE))))
            }
            2 => Ok(None),
            _ => Err(odd()),
        }
    }

    /// The batch under way has its answer.
    async fn answered(&mut self, head: Head) -> io::Result<()> {
        self.up.take(head.length.unwrap_or(0)).await?;
        if head.closes {
            self.up = Line::again(&self.target).await?;
        }
        match (head.status, self.batch.take()) {
            (204, _) => self.flush().await,
            (503, Some(batch)) => {
                // The server has read the rest by the time that it comes, or says so again.
                self.up.stream.write_all(&batch).await?;
                self.batch = Some(batch);
                Ok(())
            }
            _ => Err(odd()),
        }
    }

    /// Sends messages in one go. False when the connection is broken: the next
    /// [`Requests::next`] says how it ended.
    pub(crate) async fn send(&mut self, messages: impl Iterator<Item = Vec<u8>>) -> bool {
        for message in messages {
            self.waiting.push_back(framed(0, &message));
        }
        if self.batch.is_some() {
            return !self.is_over;
        }
        let flushed = self.flush().await;
        self.is_over |= flushed.is_err();
        flushed.is_ok()
    }

    async fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.number = self.number.wrapping_add(1);
        let mut body = self.secret.clone().into_bytes();
        body.extend(self.number.to_le_bytes());
        let head = body.len();
        while let Some(frame) = self.waiting.front()
            && body.len() - head + frame.len() <= BATCH_BYTES_MAX
        {
            body.extend(frame);
            self.waiting.pop_front();
        }
        let batch = self.request("", &body);
        self.up.stream.write_all(&batch).await?;
        self.batch = Some(batch);
        Ok(())
    }

    /// Asks for messages.
    async fn ask(&mut self) -> io::Result<()> {
        let mut body = self.secret.clone().into_bytes();
        body.push(self.polls.into());
        body.extend(self.received.to_le_bytes());
        let request = self.request("/down", &body);
        self.down.stream.write_all(&request).await
    }

    /// Says goodbye, or that it may come back, behind what is under way.
    pub(crate) async fn close(mut self, code: CloseCode) {
        self.waiting
            .push_back(framed(1, &code.number().to_le_bytes()));
        let goodbye = async {
            while !self.is_over && (self.batch.is_some() || !self.waiting.is_empty()) {
                if self.batch.is_none() && self.flush().await.is_err() {
                    return;
                }
                let Ok(head) = self.up.head().await else {
                    return;
                };
                if self.answered(head).await.is_err() {
                    return;
                }
            }
        };
        let _ = timeout(CLOSE_WITHIN, goodbye).await;
    }

    fn request(&self, path: &str, body: &[u8]) -> Vec<u8> {
        let (at, host, length) = (&self.path, &self.target.authority, body.len());
        let head =
            format!("POST {at}{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n");
        [head.as_bytes(), body].concat()
    }
}

impl Line {
    async fn open(target: &Target) -> Result<Line, String> {
        let stream = connect(target).await.map_err(|error| error.to_string())?;
        Ok(Line {
            stream,
            bytes: Vec::new(),
            chunks: None,
        })
    }

    /// After one that ended with its answer.
    async fn again(target: &Target) -> io::Result<Line> {
        Line::open(target).await.map_err(io::Error::other)
    }

    /// Reads once. May be dropped while it waits.
    async fn read(&mut self) -> io::Result<()> {
        let mut bytes = [0; READ_BYTES];
        match self.stream.read(&mut bytes).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            size => match &mut self.chunks {
                Some(chunks) => chunks.read(&bytes[..size], &mut self.bytes),
                None => {
                    self.bytes.extend_from_slice(&bytes[..size]);
                    Ok(())
                }
            },
        }
    }

    /// What comes from now on, and what is there, is in chunks.
    fn unchunk(&mut self) -> io::Result<()> {
        let mut chunks = Chunks::default();
        let came = std::mem::take(&mut self.bytes);
        chunks.read(&came, &mut self.bytes)?;
        self.chunks = Some(chunks);
        Ok(())
    }

    /// The head of an answer, if all of it has come.
    fn whole_head(&mut self) -> io::Result<Option<Head>> {
        let Some(end) = self.bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            return match self.bytes.len() {
                0..HEAD_BYTES_MAX => Ok(None),
                _ => Err(odd()),
            };
        };
        let rest = self.bytes.split_off(end + 4);
        let head = std::mem::replace(&mut self.bytes, rest);
        Head::read(&String::from_utf8_lossy(&head)).map(Some)
    }

    async fn head(&mut self) -> io::Result<Head> {
        loop {
            if let Some(head) = self.whole_head()? {
                return Ok(head);
            }
            self.read().await?;
        }
    }

    /// So many bytes of an answer's body.
    async fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.bytes.len() < length {
            self.read().await?;
        }
        let rest = self.bytes.split_off(length);
        Ok(std::mem::replace(&mut self.bytes, rest))
    }
}

impl Head {
    fn read(text: &str) -> io::Result<Head> {
        let status = text.get(9..12).and_then(|digits| digits.parse().ok());
        let mut head = Head {
            status: status.ok_or_else(odd)?,
            length: None,
            is_chunked: false,
            closes: false,
        };
        for line in text.lines() {
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => head.length = Some(value.trim().parse().map_err(|_| odd())?),
                "transfer-encoding" => {
                    head.is_chunked = value.trim().eq_ignore_ascii_case("chunked");
                }
                "connection" => head.closes |= value.trim().eq_ignore_ascii_case("close"),
                _ => {}
            }
        }
        Ok(head)
    }
}

fn framed(kind: u8, bytes: &[u8]) -> Vec<u8> {
    let head = (bytes.len() as u32) << 8 | u32::from(kind);
    [&head.to_le_bytes()[..], bytes].concat()
}

fn odd() -> io::Error {
    io::Error::other("an answer that no server gives")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read() {
        let read = |text| Head::read(text).expect("a head");
        let head = read("HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: close\r\n\r\n");
        let expected = Head {
            status: 200,
            length: Some(12),
            is_chunked: false,
            closes: true,
        };
        assert_eq!(head, expected);
        let open = read("HTTP/1.1 204 No Content\r\ncache-control: no-store\r\n\r\n");
        assert_eq!((open.length, open.closes), (None, false));
        assert!(Head::read("HTTP/1.1").is_err());
        let chunked = read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        assert!(chunked.is_chunked && chunked.length.is_none());
    }

    #[test]
    fn chunks_are_read_however_they_are_cut() {
        let came = b"4\r\nWiki\r\n1A;a=b\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n";
        for size in 1..=came.len() {
            let (mut chunks, mut body) = (Chunks::default(), Vec::new());
            for part in came.chunks(size) {
                chunks.read(part, &mut body).expect("chunks");
            }
            assert_eq!(body, b"Wikiabcdefghijklmnopqrstuvwxyz", "{size}");
            assert!(matches!(chunks, Chunks::Over));
        }
        for odd in ["x\r\n", "123456789\r\n"] {
            let read = Chunks::default().read(odd.as_bytes(), &mut Vec::new());
            assert!(read.is_err(), "{odd}");
        }
    }
}
