//! A player on a raw socket: handshake, hello, and every control message that comes.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use tickwire::codec::decode_server;
use tickwire::ids::{RoomId, Tick};
use tickwire::protocol::client_message::JoinAs;
use tickwire::protocol::server_message::{Page, Refusal};
use tickwire::protocol::{CHANNEL_ROOM, ClientMessage, CloseCode, ServerMessage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{
    GOOD, PATIENCE, connect_from, framed, hello_as, read_head, read_message, say,
};

/// What a server sent, but snapshots.
#[derive(Debug)]
pub(crate) enum Got {
    Control(Box<ServerMessage>),
    Closed(u16, String),
}

/// See the module's description.
pub(crate) struct Player {
    stream: TcpStream,
    /// What to bring next time, to be the same person.
    pub(crate) who: String,
    /// Acknowledges every snapshot, as who plays does.
    pub(crate) plays: bool,
}

impl Player {
    /// Somebody from an address of this machine whose handshake is done.
    pub(crate) async fn connect(server: SocketAddr, from: &str) -> Player {
        Player::shake_hands(server, from, "/ws", "").await
    }

    /// The same by the path of a game.
    pub(crate) async fn of_game(server: SocketAddr, game: &str) -> Player {
        let path = format!("/g/{game}/ws");
        Player::shake_hands(server, "127.0.0.1", &path, "").await
    }

    /// The same by a proxy there, for somebody else.
    pub(crate) async fn connect_through(server: SocketAddr, proxy: &str, client: &str) -> Player {
        let line = format!("X-Forwarded-For: {client}\r\n");
        Player::shake_hands(server, proxy, "/ws", &line).await
    }

    async fn shake_hands(server: SocketAddr, from: &str, path: &str, line: &str) -> Player {
        let mut stream = connect_from(from, server).await;
        let head = format!("GET {path} HTTP/1.1\r\nHost: a\r\n{GOOD}{line}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        assert_eq!(read_head(&mut stream).await.status, 101);
        Player {
            stream,
            who: String::new(),
            plays: false,
        }
    }

    /// The same, who said hello with `token` and did not wait for the answer.
    pub(crate) async fn hello(server: SocketAddr, from: &str, token: &str) -> Player {
        let mut player = Player::connect(server, from).await;
        player.say(&hello_as("ann", token)).await;
        player
    }

    /// The same, who was let in.
    pub(crate) async fn enter(server: SocketAddr, from: &str, token: &str) -> Player {
        let mut player = Player::connect(server, from).await;
        player.welcome(token).await;
        player
    }

    /// Says hello with `token`, and waits until they are let in.
    pub(crate) async fn welcome(&mut self, token: &str) {
        self.say(&hello_as("ann", token)).await;
        self.who = self
            .wait(|message| match message {
                ServerMessage::Welcome { token, .. } => Some(token),
                _ => None,
            })
            .await;
    }

    /// The same with a seat in a room; the seat's token too.
    pub(crate) async fn play(server: SocketAddr, from: &str, token: &str) -> (Player, String) {
        let mut player = Player::enter(server, from, token).await;
        let seat = player.join().await;
        (player, seat)
    }

    /// Takes a seat in any room, and says with what it can be taken again.
    pub(crate) async fn join(&mut self) -> String {
        self.say(&ClientMessage::quick_join()).await;
        self.seat().await
    }

    pub(crate) async fn seat(&mut self) -> String {
        self.wait(|message| match message {
            ServerMessage::ResumeToken { token, .. } => Some(token),
            _ => None,
        })
        .await
    }

    /// Looks on at a room, without a seat.
    pub(crate) async fn watch(&mut self, room: RoomId) {
        let who = JoinAs {
            spectator: true,
            ..JoinAs::default()
        };
        self.say(&ClientMessage::JoinRoom { room, who }).await;
        let is_in = |message| matches!(message, ServerMessage::Joined { you: None, .. });
        self.wait(|message| is_in(message).then_some(())).await;
    }

    pub(crate) async fn resume(&mut self, seat: &str) {
        let token = seat.to_owned();
        self.say(&ClientMessage::Resume {
            token,
            chat: 0,
            seen: Tick(0),
        })
        .await;
    }

    pub(crate) async fn say(&mut self, message: &ClientMessage) {
        self.stream.write_all(&say(message)).await.unwrap();
    }

    /// Acknowledges a snapshot and waits until the server knows: from then on the seat is held if
    /// the connection is lost.
    pub(crate) async fn acknowledge(&mut self) {
        let snapshot = loop {
            let message = read_message(&mut self.stream).await;
            if message[0] == 2 {
                break message;
            }
        };
        self.ack(&snapshot).await;
        self.say(&ClientMessage::Ping { nonce: 9 }).await;
        self.wait(|message| match message {
            ServerMessage::Pong { nonce: 9, .. } => Some(()),
            _ => None,
        })
        .await;
    }

    /// The next message that is no snapshot.
    pub(crate) async fn next(&mut self) -> Got {
        loop {
            let message = read_message(&mut self.stream).await;
            match message[0] {
                1 => return Got::Control(Box::new(decode_server(&message).unwrap().unwrap())),
                2 if self.plays => self.ack(&message).await,
                2 => {}
                _ => {
                    let code = u16::from_be_bytes([message[0], message[1]]);
                    let reason = String::from_utf8_lossy(&message[2..]).into_owned();
                    return Got::Closed(code, reason);
                }
            }
        }
    }

    /// Waits for a control message for which `wanted` has something.
    pub(crate) async fn wait<T>(&mut self, wanted: impl Fn(ServerMessage) -> Option<T>) -> T {
        loop {
            match self.next().await {
                Got::Control(message) => {
                    if let Some(found) = wanted(*message) {
                        return found;
                    }
                }
                end => panic!("{end:?}"),
            }
        }
    }

    /// Reads to the end, which must be a close with this code.
    pub(crate) async fn closed(&mut self, code: CloseCode) {
        loop {
            if let Got::Closed(number, reason) = self.next().await {
                assert_eq!((number, reason.as_str()), (code.number(), code.reason()));
                return;
            }
        }
    }

    /// What comes behind the close, to the end.
    pub(crate) async fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        let read = self.stream.read_to_end(&mut rest);
        let read = tokio::time::timeout(PATIENCE, read).await;
        read.expect("an end").map(|_| rest)
    }

    pub(crate) async fn refused(&mut self) -> Refusal {
        self.wait(|message| match message {
            ServerMessage::Refused { reason } => Some(reason),
            _ => None,
        })
        .await
    }

    /// Says a line; why it was refused, if it was.
    pub(crate) async fn chat(&mut self) -> Option<Refusal> {
        static LINES: AtomicU32 = AtomicU32::new(0);
        let said = format!("line {}", LINES.fetch_add(1, Ordering::Relaxed));
        let text = said.clone();
        self.say(&ClientMessage::Chat { text }).await;
        // Lines come as far as one's in-flight window goes, so snapshots are acknowledged
        // meanwhile.
        loop {
            let message = read_message(&mut self.stream).await;
            match message[0] {
                1 => match decode_server(&message).unwrap().unwrap() {
                    ServerMessage::Chat { line } if line.text == said => return None,
                    ServerMessage::Refused { reason } => return Some(reason),
                    _ => {}
                },
                2 => self.ack(&message).await,
                _ => panic!("closed: {message:?}"),
            }
        }
    }

    /// Reads the newest page of what was said in the room; acknowledges snapshots meanwhile.
    pub(crate) async fn history(&mut self) -> Page {
        let channel = CHANNEL_ROOM.to_owned();
        let (nonce, before) = (7, 0);
        let history = ClientMessage::History {
            channel,
            nonce,
            before,
        };
        self.say(&history).await;
        loop {
            let message = read_message(&mut self.stream).await;
            match message[0] {
                1 => {
                    if let Some(ServerMessage::Lines { nonce: 7, result }) =
                        decode_server(&message).unwrap()
                    {
                        return result.unwrap();
                    }
                }
                2 => self.ack(&message).await,
                _ => panic!("closed: {message:?}"),
            }
        }
    }

    async fn ack(&mut self, snapshot: &[u8]) {
        let ack = [&[3], &snapshot[1..5]].concat();
        self.stream.write_all(&framed(&ack)).await.unwrap();
    }
}
