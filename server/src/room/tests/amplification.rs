//! What a client's messages come to for the others of a room of 50: every control message there is,
//! alone and at the rate that is allowed, with the longest name, counted in bytes of frames that
//! leave. `SECURITY.md` has the same figures; a message that is not in its table fails here, and
//! one that got dearer too.

use super::*;
use crate::admission::request_prices::{JOINS_PER_SECOND, LISTINGS_PER_SECOND};
use crate::config::Config;
use tickwire::limits::NAME_CHARS_MAX;
use tickwire::protocol::client_message::NewRoom;
use tickwire::protocol::{CHANNEL_ROOM, PartyRequest, PeopleRequest, QueueRequest};
use tickwire::session::Seen;

const SECURITY: &str = include_str!("../../../SECURITY.md");
const CLIENT_MESSAGES: &str = include_str!("../../../../shared/src/protocol/client_message.rs");

const MEMBERS: u16 = 50;
const TICK_RATE: u32 = 30;
const SECONDS: u32 = 20;
/// Of frames from a client: first byte, length, mask. From the server: without the mask.
const HEADER_IN: usize = 6;
const HEADER_OUT: usize = 2;

/// What one message comes to.
struct Figures {
    /// Bytes to all others for each byte that came.
    factor: f64,
    /// Bytes a second to each of the others.
    each: f64,
}

/// A full room, whose members acknowledge what they get; the first of them is the one.
struct Crowd {
    room: Room<Boxes>,
    one: PlayerId,
    sent: usize,
    to_others: usize,
}

impl Crowd {
    fn new() -> Crowd {
        let mut room = room(MEMBERS, 1);
        room.options.kicks = true;
        let one = room.join(&long_name()).expect("a seat is free");
        for _ in 1..MEMBERS {
            room.join("another").expect("a seat is free");
        }
        let mut crowd = Crowd {
            room,
            one,
            sent: 0,
            to_others: 0,
        };
        (0..9).for_each(|_| crowd.tick());
        (crowd.sent, crowd.to_others) = (0, 0);
        crowd
    }

    fn send(&mut self, message: &ClientMessage) {
        let bytes = encode_client(message);
        self.sent += bytes.len() + frame_header(HEADER_IN, bytes.len());
        assert_eq!(self.room.receive(self.one, &bytes), Ok(()));
        self.count();
    }

    /// One message that only the lobby takes: it leads to a seat.
    fn join_by(&mut self, message: &ClientMessage) {
        let bytes = encode_client(message);
        self.sent += bytes.len() + frame_header(HEADER_IN, bytes.len());
        self.one = self.room.join(&long_name()).expect("a seat is free");
        self.count();
    }

    fn count(&mut self) {
        for effect in effects(&mut self.room) {
            if let Effect::Control { to, bytes } = effect
                && to != self.one
            {
                self.to_others += bytes.len() + frame_header(HEADER_OUT, bytes.len());
            }
        }
    }

    fn tick(&mut self) {
        self.room.tick();
        self.count();
        let mut ack = Vec::new();
        encode_ack(self.room.tick, &mut ack);
        let players: Vec<PlayerId> = self.room.members.iter().map(|m| m.player()).collect();
        for player in players {
            let mut frame = Vec::new();
            if self.room.compose(player, true, &mut frame) {
                assert_eq!(self.room.receive(player, &ack), Ok(()));
            }
        }
        self.count();
    }
}

fn frame_header(least: usize, length: usize) -> usize {
    if length < 126 { least } else { least + 2 }
}

fn long_name() -> String {
    "\u{1F980}".repeat(NAME_CHARS_MAX)
}

/// How often a client may send a message, and one of its messages. No wildcard: a new message needs
/// its row.
fn allowed(message: &ClientMessage) -> f64 {
    let control = f64::from(Config::default().control_per_second);
    match message {
        ClientMessage::Hello { .. } => 0.0,
        ClientMessage::ListRooms { .. } => f64::from(LISTINGS_PER_SECOND),
        ClientMessage::CreateRoom(..)
        | ClientMessage::JoinRoom { .. }
        | ClientMessage::JoinCode { .. }
        | ClientMessage::QuickJoin { .. }
        | ClientMessage::LeaveRoom
        | ClientMessage::Resume { .. } => f64::from(JOINS_PER_SECOND),
        ClientMessage::Ready { .. }
        | ClientMessage::Kick { .. }
        | ClientMessage::Chat { .. }
        | ClientMessage::Say { .. }
        | ClientMessage::History { .. }
        | ClientMessage::Typing { .. }
        | ClientMessage::Ping { .. }
        | ClientMessage::Resync { .. }
        | ClientMessage::Act { .. }
        | ClientMessage::Queue(..)
        | ClientMessage::Party(..)
        | ClientMessage::People(..)
        | ClientMessage::Watch { .. }
        | ClientMessage::NoticesSeen { .. } => control,
    }
}

/// Of each message, the one that comes to most for the bytes that it takes.
fn messages() -> Vec<(&'static str, ClientMessage)> {
    let (name, token, code) = (String::new(), String::new(), "0".to_owned());
    let (room, player, layer) = (tickwire::ids::RoomId(1), PlayerId(1), LayerId::ROOM);
    let (version, seen) = (1, Tick(0));
    let create = ClientMessage::CreateRoom(NewRoom {
        name: name.clone(),
        private: false,
        seats: 0,
        kicks: false,
        ..NewRoom::default()
    });
    let fields = vec![0; 8];
    vec![
        (
            "Hello",
            ClientMessage::Hello {
                version,
                features: 0,
                game: String::new(),
                schema: String::new(),
                tables: String::new(),
                name,
                token,
            },
        ),
        ("ListRooms", ClientMessage::list_rooms()),
        ("CreateRoom", create),
        ("JoinRoom", ClientMessage::join_room(room)),
        ("JoinCode", ClientMessage::join_code(code)),
        ("QuickJoin", ClientMessage::quick_join()),
        ("LeaveRoom", ClientMessage::LeaveRoom),
        ("Ready", ClientMessage::Ready { ready: true }),
        ("Kick", ClientMessage::Kick { player }),
        (
            "Chat",
            ClientMessage::Chat {
                text: "x".to_owned(),
            },
        ),
        ("Ping", ClientMessage::Ping { nonce: 1 }),
        ("Resync", ClientMessage::Resync { layer }),
        (
            "Act",
            ClientMessage::Act {
                id: 1,
                action: 9,
                fields,
            },
        ),
        (
            "Resume",
            ClientMessage::Resume {
                token: "0".repeat(76),
                chat: 0,
                seen,
            },
        ),
        ("NoticesSeen", ClientMessage::NoticesSeen { number: 1 }),
        (
            "Say",
            ClientMessage::Say {
                channel: CHANNEL_ROOM.to_owned(),
                nonce: 1,
                text: "x".to_owned(),
            },
        ),
        (
            "History",
            ClientMessage::History {
                channel: CHANNEL_ROOM.to_owned(),
                nonce: 1,
                before: 0,
            },
        ),
        (
            "Typing",
            ClientMessage::Typing {
                channel: CHANNEL_ROOM.to_owned(),
            },
        ),
        (
            "People",
            ClientMessage::People(PeopleRequest::Who { nonce: 1, player }),
        ),
        (
            "Watch",
            ClientMessage::Watch {
                handles: Vec::new(),
            },
        ),
        ("Queue", ClientMessage::Queue(QueueRequest::Cancel)),
        (
            "Party",
            ClientMessage::Party(PartyRequest::Create { nonce: 1 }),
        ),
    ]
}

/// The `n`th message of a series.
fn send(crowd: &mut Crowd, message: &ClientMessage, n: u32) {
    match message {
        // In the lobby, where nobody else is told of anything.
        ClientMessage::Hello { .. }
        | ClientMessage::ListRooms { .. }
        | ClientMessage::CreateRoom(..) => {
            let bytes = encode_client(message);
            crowd.sent += bytes.len() + HEADER_IN;
        }
        ClientMessage::JoinRoom { .. }
        | ClientMessage::JoinCode { .. }
        | ClientMessage::QuickJoin { .. }
        | ClientMessage::LeaveRoom => {
            // There is no coming without going, nor the other way round.
            crowd.send(&ClientMessage::LeaveRoom);
            crowd.tick();
            match message {
                ClientMessage::LeaveRoom => crowd.join_by(&ClientMessage::quick_join()),
                _ => crowd.join_by(message),
            }
        }
        ClientMessage::Resume { .. } => {
            // The connection is lost, which its others see, before it is back.
            crowd.room.disconnect(crowd.one);
            crowd.tick();
            let bytes = encode_client(message);
            crowd.sent += bytes.len() + HEADER_IN;
            assert!(crowd.room.resume(crowd.one, Seen::default()));
            crowd.count();
        }
        ClientMessage::Ready { .. } => crowd.send(&ClientMessage::Ready {
            ready: n.is_multiple_of(2),
        }),
        ClientMessage::Kick { .. } => {
            let player = PlayerId((1 + n % u32::from(MEMBERS)) as u16);
            crowd.send(&ClientMessage::Kick { player });
        }
        ClientMessage::Say { channel, text, .. } => crowd.send(&ClientMessage::Say {
            channel: channel.clone(),
            nonce: n,
            text: text.clone(),
        }),
        ClientMessage::Chat { .. }
        | ClientMessage::Ping { .. }
        | ClientMessage::Resync { .. }
        | ClientMessage::Act { .. }
        | ClientMessage::History { .. }
        | ClientMessage::Typing { .. }
        | ClientMessage::Queue(..)
        | ClientMessage::Party(..)
        | ClientMessage::People(..)
        | ClientMessage::Watch { .. }
        | ClientMessage::NoticesSeen { .. } => crowd.send(message),
    }
}

fn measure(message: &ClientMessage) -> Figures {
    let factor = |crowd: &Crowd| crowd.to_others as f64 / crowd.sent.max(1) as f64;
    let mut alone = Crowd::new();
    send(&mut alone, message, 0);
    (0..60).for_each(|_| alone.tick());
    let mut crowd = Crowd::new();
    let mut sent = 0;
    for tick in 0..SECONDS * TICK_RATE {
        let due = (f64::from(tick + 1) * allowed(message) / f64::from(TICK_RATE)) as u32;
        (sent..due).for_each(|n| send(&mut crowd, message, n));
        sent = due;
        crowd.tick();
    }
    let others = f64::from(MEMBERS - 1);
    Figures {
        factor: factor(&alone).max(factor(&crowd)),
        each: crowd.to_others as f64 / others / f64::from(SECONDS),
    }
}

/// The row of a message in the table: its factor, and the bytes a second.
fn documented(name: &str) -> (f64, f64) {
    let start = format!("| `{name}` |");
    let row = SECURITY.lines().find(|line| line.starts_with(&start));
    let row = row.unwrap_or_else(|| panic!("{name} has no row in SECURITY.md"));
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    let number = |cell: &str| cell.replace(',', "").parse().expect("a number in the row");
    (
        number(cells[cells.len() - 3]),
        number(cells[cells.len() - 2]),
    )
}

#[test]
fn what_each_message_comes_to_is_what_the_table_says() {
    let messages = messages();
    let named: Vec<&str> = messages.iter().map(|(name, _)| *name).collect();
    let (_, messages_of) = CLIENT_MESSAGES
        .split_once("pub enum ClientMessage {")
        .expect("the messages");
    let variants: Vec<&str> = messages_of
        .lines()
        .take_while(|line| *line != "}")
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|rest| rest.starts_with(char::is_uppercase))
        .filter_map(|rest| rest.split([' ', ',', '(']).next())
        .collect();
    assert_eq!(named, variants, "every message is measured");
    let mut wrong = Vec::new();
    for (name, message) in &messages {
        let Figures { factor, each } = measure(message);
        println!("{name}: factor {factor:.1}, {each:.1} B/s to each");
        let documented = documented(name);
        if documented != (factor.ceil(), each.ceil()) {
            wrong.push((*name, documented, factor.ceil(), each.ceil()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
