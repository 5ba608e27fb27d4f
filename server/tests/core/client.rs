//! A blocking client of a socket and its frames, which sees every message.

use std::io::{ErrorKind, Write};
use std::net::TcpStream;

use tickwire::codec::{decode_server, encode_client};
use tickwire::ids::{PlayerId, RoomId, Tick};
use tickwire::protocol::frame::{InputHead, SnapshotHead, encode_ack};
use tickwire::protocol::server_message::{LeaveReason, Refusal, RoomInfo};
use tickwire::protocol::{ClientMessage, CloseCode, ServerMessage};
use tickwire::snapshot::fields::pack;
use tickwire_harness::frames::{framed, hello_as};
use tickwire_server::game::GameDef;
use tokio_tungstenite::tungstenite::protocol::{
    CloseFrame, Message, Role, WebSocket, WebSocketConfig,
};
use tokio_tungstenite::tungstenite::{Bytes, Error};

use crate::probe::{Deed, Probe};
use tickwire_harness::PATIENCE;

/// What `Joined` says.
#[derive(Clone, Debug)]
pub(crate) struct Joined {
    pub(crate) room: RoomInfo,
    pub(crate) code: String,
    pub(crate) you: PlayerId,
    pub(crate) members: Vec<String>,
}

/// What a server sent.
// One is alive at a time.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Got {
    Control(ServerMessage),
    Snapshot(SnapshotHead),
    Closed(u16, String),
    /// The socket ended without a close frame.
    Cut,
}

/// A client's socket.
pub(crate) struct Client {
    socket: WebSocket<TcpStream>,
    /// The newest snapshot.
    pub(crate) newest: Tick,
    /// Bytes of the messages that came.
    pub(crate) bytes: u64,
    /// What the welcome said to bring next time.
    pub(crate) who: String,
}

impl Client {
    pub(crate) fn new(stream: TcpStream, first: &[u8]) -> Client {
        (&stream).write_all(&[b"\n", first].concat()).unwrap();
        Client::of(stream)
    }

    /// Of a socket whose handshake is done.
    pub(crate) fn of(stream: TcpStream) -> Client {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let config = WebSocketConfig::default().read_buffer_size(4096);
        Client {
            socket: WebSocket::from_raw_socket(stream, Role::Client, Some(config)),
            newest: Tick(0),
            bytes: 0,
            who: String::new(),
        }
    }

    /// Sends bytes as they are.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        // The server may have closed already; what it said about it is still to be read.
        let _ = self.socket.get_mut().write_all(bytes);
    }

    pub(crate) fn send(&mut self, message: &[u8]) {
        self.send_raw(&framed(message));
    }

    pub(crate) fn say(&mut self, message: &ClientMessage) {
        self.send(&encode_client(message));
    }

    pub(crate) fn hello(&mut self, name: &str) {
        self.hello_as(name, "");
    }

    pub(crate) fn hello_as(&mut self, name: &str, token: &str) {
        self.say(&hello_as(name, token));
        match self.control() {
            ServerMessage::Welcome { token, .. } => self.who = token,
            got => panic!("{got:?}"),
        }
    }

    pub(crate) fn chat(&mut self, text: &str) {
        self.say(&ClientMessage::Chat { text: text.into() });
    }

    /// An input that acknowledges the newest snapshot, for a tick near enough to come soon.
    pub(crate) fn order(&mut self, deed: Deed) {
        self.order_for(10, deed);
    }

    /// The same for so many ticks that one of them comes in time, however slow the machine.
    pub(crate) fn insist(&mut self, deed: Deed) {
        (5..=60).for_each(|ahead| self.order_for(ahead, deed));
    }

    fn order_for(&mut self, ahead: u32, deed: Deed) {
        let game = GameDef::<Probe>::new(30).unwrap();
        let mut bytes = Vec::new();
        let head = InputHead {
            tick: Tick(self.newest.0 + ahead),
            ack: self.newest,
            view_lag: 0,
        };
        head.encode(&mut bytes);
        pack(&game.schema.input, &[deed as i32], &mut bytes);
        self.send(&bytes);
    }

    pub(crate) fn ack(&mut self) {
        let mut bytes = Vec::new();
        encode_ack(self.newest, &mut bytes);
        self.send(&bytes);
    }

    /// The next message of any kind.
    pub(crate) fn next(&mut self) -> Got {
        loop {
            return match self.socket.read() {
                Ok(Message::Binary(bytes)) => self.read(&bytes),
                Ok(Message::Close(Some(frame))) => {
                    Got::Closed(frame.code.into(), frame.reason.to_string())
                }
                Ok(Message::Pong(_)) => continue,
                Ok(other) => panic!("the server sent {other:?}"),
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                    panic!("the server says nothing")
                }
                Err(_) => Got::Cut,
            };
        }
    }

    fn read(&mut self, bytes: &Bytes) -> Got {
        self.bytes += bytes.len() as u64;
        if bytes[0] == 1 {
            return Got::Control(decode_server(bytes).unwrap().unwrap());
        }
        let (head, sections) = SnapshotHead::decode(bytes).unwrap();
        sections.for_each(|section| assert!(section.is_ok(), "{section:?}"));
        assert!(head.tick > self.newest, "snapshots come in order");
        self.newest = head.tick;
        Got::Snapshot(head)
    }

    /// The next control message; snapshots before it are acknowledged.
    pub(crate) fn control(&mut self) -> ServerMessage {
        loop {
            match self.next() {
                Got::Control(message) => return message,
                Got::Snapshot(_) => self.ack(),
                end => panic!("{end:?}"),
            }
        }
    }

    /// The next snapshot; control messages before it are passed over.
    pub(crate) fn snapshot(&mut self) -> SnapshotHead {
        loop {
            match self.next() {
                Got::Snapshot(head) => return head,
                Got::Control(_) => {}
                end => panic!("{end:?}"),
            }
        }
    }

    /// Waits for a control message for which `wanted` has something.
    pub(crate) fn wait<T>(&mut self, wanted: impl Fn(ServerMessage) -> Option<T>) -> T {
        loop {
            if let Some(found) = wanted(self.control()) {
                return found;
            }
        }
    }

    pub(crate) fn joined(&mut self) -> Joined {
        self.joined_as(false)
    }

    /// The same, as a spectator or as a player.
    pub(crate) fn joined_as(&mut self, spectator: bool) -> Joined {
        self.newest = Tick(0);
        match self.control() {
            ServerMessage::Joined {
                room,
                code,
                you,
                tick,
                members,
                ..
            } => {
                self.newest = tick;
                assert_eq!(you.is_none(), spectator, "{you:?}");
                Joined {
                    room,
                    code,
                    you: you.unwrap_or_default(),
                    members: members.into_iter().map(|member| member.name).collect(),
                }
            }
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn join(&mut self, room: RoomId) -> Joined {
        self.say(&ClientMessage::join_room(room));
        self.joined()
    }

    /// What the seat can be taken again with.
    pub(crate) fn token(&mut self) -> String {
        self.wait(|message| match message {
            ServerMessage::ResumeToken { token, .. } => Some(token),
            _ => None,
        })
    }

    /// Asks for a seat again.
    pub(crate) fn resume(&mut self, token: &str) {
        let token = token.to_owned();
        self.say(&ClientMessage::Resume {
            token,
            chat: 0,
            seen: Tick(0),
        });
    }

    pub(crate) fn left(&mut self) -> LeaveReason {
        self.wait(|message| match message {
            ServerMessage::Left { reason } => Some(reason),
            _ => None,
        })
    }

    pub(crate) fn refused(&mut self) -> Refusal {
        self.wait(|message| match message {
            ServerMessage::Refused { reason } => Some(reason),
            _ => None,
        })
    }

    /// Whether the server still answers.
    pub(crate) fn ping(&mut self, nonce: u32) {
        self.say(&ClientMessage::Ping { nonce });
        self.wait(|message| match message {
            ServerMessage::Pong { nonce: same, .. } if same == nonce => Some(()),
            _ => None,
        });
    }

    /// Reads to the end, which must be a close with this code and a socket that ends in order.
    pub(crate) fn closed(&mut self, code: CloseCode) {
        loop {
            match self.next() {
                Got::Closed(number, reason) => {
                    assert_eq!((number, reason.as_str()), (code.number(), code.reason()));
                    return;
                }
                Got::Cut => panic!("cut off instead of {code}"),
                _ => {}
            }
        }
    }

    /// Shows that it is there, as any client does that gets a snapshot; the server has heard it.
    pub(crate) fn answer(&mut self) {
        self.snapshot();
        self.ack();
        self.ping(0xA11);
    }

    /// Goes without a word.
    pub(crate) fn vanish(self) {
        drop(self);
    }

    /// Closes with this code, as a page that goes away does, and waits for the answer.
    pub(crate) fn close(mut self, code: u16) {
        let frame = CloseFrame {
            code: code.into(),
            reason: "".into(),
        };
        self.socket.close(Some(frame)).unwrap();
        while !matches!(self.socket.read(), Err(Error::ConnectionClosed)) {}
    }

    /// Says goodbye and waits for the answer.
    pub(crate) fn goodbye(mut self) {
        self.socket.close(None).unwrap();
        while !matches!(self.socket.read(), Err(Error::ConnectionClosed)) {}
    }
}
