//! Small clients, thousands to a thread: a socket each, no more framing than the server's needs,
//! and of the protocol only what keeps a seat.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};
use tickwire::codec::decode_server;
use tickwire::ids::{RoomId, Tick};
use tickwire::protocol::client_message::NewRoom;
use tickwire::protocol::frame::encode_ack;
use tickwire::protocol::{ClientMessage, ServerMessage};
use tickwire_harness::PATIENCE;
use tickwire_harness::frames::{GOOD, framed, hello_as, say};

/// What a server must make of the key in [`GOOD`].
const ACCEPT: &[u8] = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Loopback addresses that clients come from.
const SOURCES: usize = 200;

/// Clients come from many addresses, as a crowd does: from one alone the load's own search for a
/// free port would cost as much as the rest of it.
pub(crate) fn source(nth: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1, 1 + (nth % SOURCES) as u8)
}

/// One connection.
pub(crate) struct Client {
    stream: TcpStream,
    /// What came and is not a whole frame yet.
    bytes: Vec<u8>,
    newest: Tick,
    acked: Tick,
    /// The code with which the server closed it.
    closed: Option<u16>,
}

impl Client {
    /// Connects, and sends the handshake together with `Hello`.
    pub(crate) fn connect(address: SocketAddr) -> std::io::Result<Client> {
        Client::connect_from(Ipv4Addr::LOCALHOST, address)
    }

    /// The same from an address of this machine.
    pub(crate) fn connect_from(from: Ipv4Addr, address: SocketAddr) -> std::io::Result<Client> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((from, 0)).into())?;
        socket.connect(&address.into())?;
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let mut first = format!("GET /ws HTTP/1.1\r\nHost: {address}\r\n{GOOD}\r\n").into_bytes();
        first.extend(say(&hello_as("somebody", "")));
        (&stream).write_all(&first)?;
        Ok(Client {
            stream,
            bytes: Vec::new(),
            newest: Tick(0),
            acked: Tick(0),
            closed: None,
        })
    }

    /// Reads the handshake's answer; false: the server refused it.
    pub(crate) fn is_accepted(&mut self) -> bool {
        let end = loop {
            let end = self.bytes.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                break end + 4;
            }
            if !self.read() {
                return false;
            }
        };
        let head = &self.bytes[..end];
        let accepted = head.starts_with(b"HTTP/1.1 101 ")
            && head.windows(ACCEPT.len()).any(|part| part == ACCEPT);
        self.bytes.drain(..end);
        accepted
    }

    /// Waits for the answer to `Hello`.
    pub(crate) fn greeted(&mut self) {
        self.wait(|message| matches!(message, ServerMessage::Welcome { .. }).then_some(()));
    }

    /// Asks for a seat in a room, or for a room.
    pub(crate) fn ask(&mut self, room: Option<RoomId>) {
        self.say(&match room {
            Some(room) => ClientMessage::join_room(room),
            None => ClientMessage::CreateRoom(NewRoom {
                name: String::new(),
                private: false,
                seats: 0,
                kicks: false,
                ..NewRoom::default()
            }),
        });
    }

    /// Waits for the seat; returns the room's number.
    pub(crate) fn joined(&mut self) -> RoomId {
        self.wait(|message| match message {
            ServerMessage::Joined { room, .. } => Some(room.id),
            ServerMessage::Refused { reason } => panic!("{reason:?}"),
            _ => None,
        })
    }

    /// Whether snapshots come and the server has not closed it.
    pub(crate) fn plays(&self) -> bool {
        self.closed.is_none() && self.acked > Tick(0)
    }

    /// Waits for the answer to a ping.
    pub(crate) fn ping(&mut self) {
        self.say(&ClientMessage::Ping { nonce: 7 });
        self.wait(|message| matches!(message, ServerMessage::Pong { nonce: 7, .. }).then_some(()));
    }

    fn say(&mut self, message: &ClientMessage) {
        (&self.stream).write_all(&say(message)).unwrap();
    }

    fn wait<T>(&mut self, wanted: impl Fn(ServerMessage) -> Option<T>) -> T {
        loop {
            while let Some(frame) = self.frame() {
                if frame[0] == 1
                    && let Some(found) = wanted(decode_server(&frame).unwrap().unwrap())
                {
                    return found;
                }
                self.note(&frame);
            }
            assert!(self.read(), "closed after {:?}", self.closed);
        }
    }

    /// Takes what has come, and acknowledges the newest snapshot if there is one.
    pub(crate) fn keep_up(&mut self) {
        self.stream.set_nonblocking(true).unwrap();
        while self.read() {}
        while let Some(frame) = self.frame() {
            self.note(&frame);
        }
        self.stream.set_nonblocking(false).unwrap();
        if self.newest > self.acked {
            self.acked = self.newest;
            let mut ack = Vec::new();
            encode_ack(self.newest, &mut ack);
            (&self.stream).write_all(&framed(&ack)).unwrap();
        }
    }

    fn note(&mut self, frame: &[u8]) {
        match *frame {
            [2, a, b, c, d, ..] => self.newest = Tick(u32::from_le_bytes([a, b, c, d])),
            // A close code's first byte: 1000 to 5000.
            [a @ 3..=19, b, ..] => self.closed = Some(u16::from_be_bytes([a, b])),
            _ => {}
        }
    }

    /// Reads once. False: nothing more, for now or for ever.
    fn read(&mut self) -> bool {
        let mut bytes = [0; 4096];
        match self.stream.read(&mut bytes) {
            Ok(0) => false,
            Ok(size) => {
                self.bytes.extend_from_slice(&bytes[..size]);
                true
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            Err(_) => false,
        }
    }

    /// The next whole frame's contents.
    fn frame(&mut self) -> Option<Vec<u8>> {
        let (length, from) = match *self.bytes.get(1)? {
            126 => {
                let length = self.bytes.get(2..4)?;
                (usize::from(u16::from_be_bytes([length[0], length[1]])), 4)
            }
            length => (usize::from(length), 2),
        };
        let frame = self.bytes.get(from..from + length)?.to_vec();
        self.bytes.drain(..from + length);
        Some(frame)
    }
}

/// Lets all clients keep up for a while.
pub(crate) fn play(clients: &mut [Client], time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        clients.iter_mut().for_each(Client::keep_up);
    }
}
