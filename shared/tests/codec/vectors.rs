//! The vectors under `shared/vectors`, which Rust and JavaScript both reproduce. Each is made
//! here from a seed; `TICKWIRE_BLESS=1 cargo test -p tickwire --test codec` writes them anew after
//! a change of the wire.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tickwire::codec::{decode_client, decode_server, encode_client, encode_server};
use tickwire::exact::bearing;
use tickwire::ids::{LayerId, PlayerId, RoomId, Tick};
use tickwire::limits::NOTICE_CHARS_MAX;
use tickwire::protocol::client_message::{Condition, JoinAs, NewRoom, Test};
use tickwire::protocol::frame::{
    InputHead, SectionKind, SnapshotHead, encode_ack, push_section, push_varint,
};
use tickwire::protocol::people::{Line, LinesPage, Peer, Unread};
use tickwire::protocol::server_message::{
    ChatLine, LeaveReason, Limits, Member, NoticeEvent, Page, PastLine, Refusal, RoomInfo,
};
use tickwire::protocol::{
    ClientMessage, LobbyPeople, OutOfParty, OutOfQueue, PartyMember, PartyRequest, PartyRoom,
    PartyState, PeerAt, PeerPresence, PeopleNews, PeopleRequest, QueueRequest, QueueState,
    ServerMessage,
};
use tickwire::schema::{
    Audience, Component, Field, Kind, Predicted, Predictor, Schema, Tables, text_words, words_text,
};
use tickwire::snapshot::checksum::checksum;
use tickwire::snapshot::column_set::ColumnSet;
use tickwire::snapshot::complete::Completer;
use tickwire::snapshot::delta::{Of, Scratch, advance, decode_head, encode};
use tickwire::snapshot::fields::{pack, push_payload};
use tickwire::snapshot::image::{EntityHead, LayerImage};
use tickwire::snapshot::layout::Layout;

use crate::groups::{self, GROUPS, GroupHistory, Images, decode_of};
use crate::history::{History, schema, trained, trained_game};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One case a line, so that a change of the wire is a readable diff.
pub(crate) fn text(kind: &str, head: &Value, cases: &[Value]) -> String {
    let mut text = format!("{{\n\"kind\": {},\n", json!(kind));
    if let Some(head) = head.as_object() {
        for (key, value) in head {
            text += &format!("{}: {value},\n", json!(key));
        }
    }
    let lines: Vec<String> = cases.iter().map(Value::to_string).collect();
    text + "\"cases\": [\n" + &lines.join(",\n") + "\n]\n}\n"
}

pub(crate) fn check(name: &str, text: &str) {
    let path = folder().join(format!("{name}.json"));
    if std::env::var_os("TICKWIRE_BLESS").is_some() {
        fs::write(&path, text).expect("vectors are writable");
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "{} is not what this code makes; if the wire was meant to change, run with TICKWIRE_BLESS=1",
        path.display()
    );
}

fn client_messages() -> Vec<ClientMessage> {
    let name = "Zoë 🦀".to_owned();
    let filter = vec![
        Condition {
            field: 0,
            test: Test::Equal,
            value: -1,
        },
        Condition {
            field: 255,
            test: Test::AtLeast,
            value: 70_000,
        },
    ];
    let who = JoinAs {
        spectator: true,
        options: vec![0, 255],
    };
    vec![
        ClientMessage::Hello {
            version: 2,
            features: 3,
            game: "history".to_owned(),
            schema: "0123456789abcdef".to_owned(),
            tables: String::new(),
            name: name.clone(),
            token: String::new(),
        },
        ClientMessage::list_rooms(),
        ClientMessage::ListRooms {
            filter: filter.clone(),
        },
        ClientMessage::CreateRoom(NewRoom {
            name: "x".repeat(300),
            private: true,
            seats: 250,
            kicks: true,
            or_join: true,
            options: vec![1, 2, 3],
            player: vec![7],
        }),
        ClientMessage::join_room(RoomId(70_000)),
        ClientMessage::join_code(name.clone()),
        ClientMessage::quick_join(),
        ClientMessage::JoinRoom {
            room: RoomId(1),
            who: who.clone(),
        },
        ClientMessage::JoinCode {
            code: "7XKQ2M9A".to_owned(),
            who: who.clone(),
        },
        ClientMessage::QuickJoin {
            filter,
            who,
            options: vec![9],
        },
        ClientMessage::LeaveRoom,
        ClientMessage::Ready { ready: true },
        ClientMessage::Kick {
            player: PlayerId(251),
        },
        ClientMessage::Chat { text: name },
        ClientMessage::Ping { nonce: u32::MAX },
        ClientMessage::Resync {
            layer: LayerId::OWNER,
        },
        ClientMessage::Act {
            id: 65_535,
            action: 65_535,
            fields: vec![0, 1, 255],
        },
        ClientMessage::Resume {
            token: "0a".repeat(38),
            chat: 300,
            seen: Tick(70_000),
        },
        ClientMessage::NoticesSeen { number: 70_000 },
        ClientMessage::Say {
            channel: "room".to_owned(),
            nonce: u32::MAX,
            text: "Zoë 🦀".to_owned(),
        },
        ClientMessage::History {
            channel: "room".to_owned(),
            nonce: 0,
            before: 0,
        },
        ClientMessage::History {
            channel: "room".to_owned(),
            nonce: u32::MAX,
            before: 70_000,
        },
        ClientMessage::Typing {
            channel: "room".to_owned(),
        },
        ClientMessage::Typing {
            channel: "&00000000000000a7".to_owned(),
        },
        ClientMessage::Say {
            channel: format!("@{}", handle('b')),
            nonce: 300,
            text: "<b>hi</b>".to_owned(),
        },
        ClientMessage::People(PeopleRequest::Enter {
            nonce: u32::MAX,
            lobby: true,
        }),
        ClientMessage::People(PeopleRequest::Who {
            nonce: 7,
            player: PlayerId(300),
        }),
        ClientMessage::People(PeopleRequest::Block {
            nonce: 7,
            who: handle('b'),
            blocked: true,
        }),
        ClientMessage::People(PeopleRequest::Read {
            who: handle('b'),
            number: 70_000,
        }),
        ClientMessage::Watch {
            handles: vec![handle('b'), handle('c')],
        },
        ClientMessage::Watch {
            handles: Vec::new(),
        },
        ClientMessage::Queue(QueueRequest::Enqueue {
            nonce: u32::MAX,
            mode: "pairs".to_owned(),
            regions: vec!["eu".to_owned(), "us".to_owned()],
        }),
        ClientMessage::Queue(QueueRequest::Look),
        ClientMessage::Queue(QueueRequest::Cancel),
        ClientMessage::Queue(QueueRequest::Answer {
            offer: 70_000,
            accept: true,
        }),
        ClientMessage::Party(PartyRequest::Create { nonce: u32::MAX }),
        ClientMessage::Party(PartyRequest::Join {
            nonce: 7,
            code: "ab-cd 1234".to_owned(),
        }),
        ClientMessage::Party(PartyRequest::Leave),
        ClientMessage::Party(PartyRequest::Kick { member: 70_000 }),
        ClientMessage::Party(PartyRequest::Look),
    ]
}

fn handle(of: char) -> String {
    of.to_string().repeat(16)
}

fn peer(of: char) -> Peer {
    Peer {
        handle: handle(of),
        name: "Zoë 🦀".to_owned(),
    }
}

fn presence(of: char, at: PeerAt) -> PeerPresence {
    PeerPresence {
        handle: handle(of),
        at,
    }
}

fn said_line(id: u32, own: bool) -> Line {
    Line {
        id,
        at: 1_796_000_000,
        from: handle(if own { 'a' } else { 'b' }),
        own,
        name: "Zoë 🦀".to_owned(),
        text: "<b>hi</b>".to_owned(),
    }
}

fn welcome(schema: Option<Schema>, tables: Option<Tables>) -> ServerMessage {
    ServerMessage::Welcome {
        version: 2,
        features: 1 << 31,
        game: "history".to_owned(),
        name: "Ann".to_owned(),
        token: String::new(),
        limits: Limits {
            message_bytes: 4096,
            messages_per_second: 120,
            chat_chars: 200,
            name_chars: 24,
            seats: 64,
            spectators: 300,
        },
        schema_hash: "0123456789abcdef".to_owned(),
        tables_hash: "fedcba9876543210".to_owned(),
        schema,
        tables,
    }
}

/// The schema's event with this payload.
fn note(payload: &str) -> Vec<u8> {
    let mut fields = Vec::new();
    let values = [-1, 99, 0x6C6C_6568, 0x6F];
    pack(&schema().events[0].fields, &values, &mut fields);
    push_payload(payload.as_bytes(), &mut fields);
    fields
}

fn server_messages() -> Vec<ServerMessage> {
    let room = RoomInfo {
        id: RoomId(16_777_215),
        name: "room".to_owned(),
        players: 3,
        seats: 1000,
        spectators: 500,
        private: false,
        kicks: true,
        locked: true,
        metadata: vec![40],
    };
    let plain = RoomInfo {
        spectators: 0,
        locked: false,
        metadata: vec![],
        ..room.clone()
    };
    let member = Member {
        player: PlayerId(12),
        name: "Ann".to_owned(),
        ready: true,
        host: false,
        connected: true,
    };
    let line = ChatLine {
        id: 300,
        from: PlayerId(12),
        name: "Ann".to_owned(),
        text: "<i>hi</i>".to_owned(),
    };
    vec![
        welcome(Some(schema()), Some(Tables::default())),
        welcome(None, None),
        ServerMessage::Refused {
            reason: Refusal::NoSuchSeat,
        },
        ServerMessage::Refused {
            reason: Refusal::Muted,
        },
        ServerMessage::Refused {
            reason: Refusal::KeptOut,
        },
        ServerMessage::Refused {
            reason: Refusal::Locked,
        },
        ServerMessage::Refused {
            reason: Refusal::BadOptions,
        },
        ServerMessage::Refused {
            reason: Refusal::BadFilter,
        },
        ServerMessage::Refused {
            reason: Refusal::NotForSpectators,
        },
        ServerMessage::Rooms {
            rooms: vec![room.clone(), room.clone()],
        },
        ServerMessage::Joined {
            room,
            code: "7XKQ2M9A".to_owned(),
            you: Some(PlayerId(12)),
            tick_rate: 30,
            snapshot_every: 1,
            tick: Tick(1_000_000),
            members: vec![member.clone()],
            more: true,
            chat: vec![line.clone()],
            options: vec![0, 1],
        },
        ServerMessage::Members {
            members: vec![member.clone(), member.clone()],
            more: false,
        },
        ServerMessage::Joined {
            room: plain,
            code: String::new(),
            you: None,
            tick_rate: 1,
            snapshot_every: 30,
            tick: Tick(0),
            members: vec![],
            more: false,
            chat: vec![],
            options: vec![],
        },
        ServerMessage::Left {
            reason: LeaveReason::Kicked,
        },
        ServerMessage::MemberChanged { member },
        ServerMessage::MemberLeft {
            player: PlayerId(0),
        },
        ServerMessage::Chat { line },
        ServerMessage::Pong {
            nonce: 252,
            tick: Tick(251),
        },
        ServerMessage::Reply {
            id: 7,
            result: Ok(vec![]),
        },
        ServerMessage::Reply {
            id: 9,
            result: Ok(vec![1, 2, 255]),
        },
        ServerMessage::Reply {
            id: 8,
            result: Err("too dear".to_owned()),
        },
        ServerMessage::Stopping {
            retry_after_ms: 2500,
        },
        ServerMessage::Redirect {
            url: "wss://elsewhere/ws".to_owned(),
            ticket: "t".to_owned(),
            room: RoomId(9),
            valid_ms: 10_000,
        },
        ServerMessage::ResumeToken {
            token: "f0".repeat(38),
            grace_ms: 30_000,
        },
        ServerMessage::MemberState {
            player: PlayerId(300),
            ready: false,
            host: true,
            connected: true,
        },
        ServerMessage::Prepare {
            url: "wss://elsewhere/n/2/ws".to_owned(),
            valid_ms: 4000,
        },
        ServerMessage::Notice {
            number: 0,
            at: 1_796_000_000,
            text: "Zoë 🦀".to_owned(),
            event: None,
        },
        ServerMessage::Notice {
            number: 250,
            at: 0,
            text: "x".repeat(NOTICE_CHARS_MAX),
            event: Some(NoticeEvent {
                event: 0,
                fields: note("{\"a\":1}"),
            }),
        },
        // None of any schema.
        ServerMessage::Notice {
            number: 70_000,
            at: u32::MAX,
            text: String::new(),
            event: Some(NoticeEvent {
                event: 300,
                fields: vec![0, 1, 255],
            }),
        },
        ServerMessage::Said {
            nonce: u32::MAX,
            result: Ok(70_000),
        },
        ServerMessage::Said {
            nonce: 0,
            result: Err(Refusal::Muted),
        },
        ServerMessage::Lines {
            nonce: u32::MAX,
            result: Ok(Page {
                lines: vec![
                    PastLine {
                        id: 250,
                        at: 1_796_000_000,
                        own: true,
                        name: "Zoë 🦀".to_owned(),
                        text: "<b>hi</b>".to_owned(),
                    },
                    PastLine {
                        id: 70_000,
                        at: 0,
                        own: false,
                        name: String::new(),
                        text: "x".repeat(200),
                    },
                ],
                more: true,
                next: 250,
            }),
        },
        ServerMessage::Lines {
            nonce: 0,
            result: Ok(Page {
                lines: Vec::new(),
                more: false,
                next: 0,
            }),
        },
        ServerMessage::Lines {
            nonce: 7,
            result: Err(Refusal::Busy),
        },
        ServerMessage::Typing {
            player: PlayerId(300),
        },
        ServerMessage::Line {
            channel: "lobby".to_owned(),
            line: said_line(250, false),
        },
        ServerMessage::Line {
            channel: format!("@{}", handle('a')),
            line: said_line(70_000, true),
        },
        ServerMessage::Past {
            nonce: u32::MAX,
            result: Ok(LinesPage {
                lines: vec![said_line(250, false), said_line(70_000, true)],
                more: true,
                next: 250,
            }),
        },
        ServerMessage::Past {
            nonce: 0,
            result: Err(Refusal::NoSuchPlayer),
        },
        ServerMessage::People(PeopleNews::You {
            nonce: 7,
            handle: handle('a'),
            unread: vec![Unread {
                peer: peer('b'),
                newest: 70_000,
                read: 250,
            }],
        }),
        ServerMessage::People(PeopleNews::Out {
            nonce: 7,
            reason: Refusal::Busy,
        }),
        ServerMessage::People(PeopleNews::Blocked {
            peers: vec![peer('b'), peer('c')],
            more: true,
        }),
        ServerMessage::People(PeopleNews::Answer {
            nonce: u32::MAX,
            result: Ok(peer('c')),
        }),
        ServerMessage::People(PeopleNews::Answer {
            nonce: 0,
            result: Err(Refusal::RoomFull),
        }),
        ServerMessage::Presence {
            peers: vec![
                presence('a', PeerAt::Unwatched),
                presence('b', PeerAt::Offline),
                presence(
                    'c',
                    PeerAt::Lobby {
                        game: "chess".to_owned(),
                    },
                ),
                presence(
                    'd',
                    PeerAt::Room {
                        game: "arena".to_owned(),
                        room: Some(RoomId(u32::MAX)),
                    },
                ),
                presence(
                    'e',
                    PeerAt::Room {
                        game: "arena".to_owned(),
                        room: None,
                    },
                ),
            ],
        },
        ServerMessage::Lobby(LobbyPeople {
            count: 70_000,
            here: vec![peer('b'), peer('c')],
            gone: vec![handle('d')],
        }),
        ServerMessage::PeerTyping {
            channel: "lobby".to_owned(),
            peer: peer('b'),
        },
        ServerMessage::People(PeopleNews::Party {
            channel: "&00000000000000a7".to_owned(),
        }),
        ServerMessage::People(PeopleNews::Party {
            channel: String::new(),
        }),
        queue(
            7,
            QueueState::Out {
                why: OutOfQueue::NoRoom,
                own: false,
                again_ms: 300,
            },
        ),
        queue(
            u32::MAX,
            QueueState::Waiting {
                mode: "pairs".to_owned(),
                waited_ms: 300,
                left_ms: 70_000,
                players: 1,
                expected_ms: Some(300),
                held: true,
            },
        ),
        queue(
            7,
            QueueState::Waiting {
                mode: String::new(),
                waited_ms: 0,
                left_ms: 0,
                players: 0,
                expected_ms: None,
                held: false,
            },
        ),
        queue(
            7,
            QueueState::Offered {
                offer: 70_000,
                left_ms: 15_000,
                taken: true,
                accepted: 1,
                of: 300,
            },
        ),
        queue(
            7,
            QueueState::Going {
                offer: 1,
                room: RoomId(u32::MAX),
                left_ms: 30_000,
                there: false,
            },
        ),
        queue(0, QueueState::Beside),
        queue(
            0,
            QueueState::Out {
                why: OutOfQueue::PartyChanged,
                own: true,
                again_ms: 0,
            },
        ),
        ServerMessage::Party {
            nonce: 7,
            state: PartyState::Out {
                why: OutOfParty::Stopped,
            },
        },
        ServerMessage::Party {
            nonce: 0,
            state: PartyState::In {
                code: "ABCD1234".to_owned(),
                you: 300,
                most: 8,
                members: vec![of_party(1, "Ann", true), of_party(300, "Bó", false)],
                room: Some(PartyRoom {
                    room: RoomId(u32::MAX),
                    left_ms: 30_000,
                    kept: true,
                }),
            },
        },
        ServerMessage::Party {
            nonce: u32::MAX,
            state: PartyState::In {
                code: "ABCD1234".to_owned(),
                you: 1,
                most: 16,
                members: vec![of_party(1, "", true)],
                room: None,
            },
        },
    ]
}

fn of_party(number: u32, name: &str, connected: bool) -> PartyMember {
    PartyMember {
        number,
        name: name.to_owned(),
        connected,
    }
}

fn queue(nonce: u32, state: QueueState) -> ServerMessage {
    ServerMessage::Queue { nonce, state }
}

#[test]
fn control() {
    let mut cases = Vec::new();
    for message in client_messages() {
        let bytes = encode_client(&message);
        assert_eq!(decode_client(&bytes).as_ref(), Ok(&Some(message.clone())));
        cases.push(json!({"from": "client", "message": message, "bytes": hex(&bytes)}));
    }
    for message in server_messages() {
        let bytes = encode_server(&message);
        assert_eq!(decode_server(&bytes).as_ref(), Ok(&Some(message.clone())));
        cases.push(json!({"from": "server", "message": message, "bytes": hex(&bytes)}));
    }
    // Of the reserved range: index, length, bytes.
    for bytes in [
        &[1, 128, 0][..],
        &[1, 200, 3, 1, 2, 3],
        &[&[1, 250, 251, 0x2C, 1][..], &[7; 300]].concat(),
    ] {
        assert_eq!(decode_client(bytes), Ok(None));
        assert_eq!(decode_server(bytes), Ok(None));
        cases.push(json!({"from": "server", "message": null, "bytes": hex(bytes)}));
    }
    for bytes in [
        &[1, 128, 1][..],
        &[1, 250, 2, 0, 0, 0],
        &[1, 15],
        &[1, 127, 0],
        &[1, 128],
        // In the place of a later message, in two spellings.
        &[1, 15, 1, 97, 0],
        &[1, 251, 15, 0, 1, 97, 0],
    ] {
        assert!(decode_server(bytes).is_err() && decode_client(bytes).is_err());
        cases.push(json!({"from": "server", "broken": true, "bytes": hex(bytes)}));
    }
    // A server's later message: cut, with too much, without its length.
    for bytes in [
        &[1, 129, 0][..],
        &[1, 129, 2, 1, 97],
        &[1, 129, 4, 1, 97, 0, 0],
        &[1, 129, 1, 97, 0],
    ] {
        assert!(decode_server(bytes).is_err(), "{bytes:?}");
        cases.push(json!({"from": "server", "broken": true, "bytes": hex(bytes)}));
    }
    check("control", &text("control", &json!({}), &cases));
}

#[test]
fn quantised() {
    let real = |min: f64, max: f64, step: f64| Kind::Real { min, max, step };
    let kinds = [
        real(0.0, 1000.0, 0.01),
        real(-1.0, 1.0, 1.0 / 64.0),
        real(-512.0, 512.0, 1.0 / 1024.0),
        real(-3.0, 4.0, 0.3),
        Kind::Int { min: -5, max: 100 },
        Kind::Int {
            min: i32::MIN,
            max: i32::MAX,
        },
        Kind::Bits,
        Kind::Bool,
        Kind::Turn { steps: 256 },
        Kind::Turn { steps: 65_536 },
        Kind::Enum {
            names: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
        },
    ];
    let values = [
        0.0, 1.0, -1.0, 0.005, 0.014_999, 2.5, 3.125, -2.0, 6.3, 99.995, 1e6, -1e6, 1e300,
    ];
    let cases: Vec<Value> = kinds
        .iter()
        .map(|kind| {
            let of = |&value: &f64| {
                let q = kind.quantise(value);
                json!({"value": value, "q": q, "back": kind.dequantise(q)})
            };
            let values: Vec<Value> = values.iter().map(of).collect();
            json!({"field": kind, "bits": kind.bits(), "values": values})
        })
        .collect();
    check("fields", &text("fields", &json!({}), &cases));
}

#[test]
fn frames() {
    let schema = schema();
    let mut cases = Vec::new();
    for (tick, ack, view_lag, values) in [
        (1, 0, 0, [0, 0, 0]),
        (70_000, 69_998, 130, [128, 65_535, 1]),
        (70_009, 69_998, -450, [0, 0, 0]),
        (u32::MAX / 2, u32::MAX / 2 - 9, i16::MAX, [64, 1, 0]),
    ] {
        let head = InputHead {
            tick: Tick(tick),
            ack: Tick(ack),
            view_lag,
        };
        let mut bytes = Vec::new();
        head.encode(&mut bytes);
        pack(&schema.input, &values, &mut bytes);
        cases.push(
            json!({"message": "input", "tick": tick, "ack": ack, "view_lag": view_lag,
            "values": values, "bytes": hex(&bytes)}),
        );
    }
    let mut bytes = Vec::new();
    encode_ack(Tick(513), &mut bytes);
    cases.push(json!({"message": "ack", "ack": 513, "bytes": hex(&bytes)}));
    // The last ones have what only later versions know: it is passed over.
    for (substituted, slack, to_come) in [
        (false, i8::MIN, false),
        (true, -3, false),
        (false, 127, false),
        (true, 4, true),
    ] {
        let head = SnapshotHead {
            tick: Tick(1000),
            input_tick: Tick(998),
            substituted,
            slack,
        };
        let mut events = Vec::new();
        push_varint(2, &mut events);
        push_varint(0, &mut events);
        pack(
            &schema.events[0].fields,
            &[-1, 99, 0x6C6C_6568, 0x6F],
            &mut events,
        );
        let note = br#"{"a":[1,null]}"#;
        push_payload(note, &mut events);
        let mut bytes = Vec::new();
        head.encode(&mut bytes);
        if to_come {
            bytes[9] |= 0x50;
            bytes.extend([0, 3, 9, 9, 9]);
            bytes.extend([128, 0]);
        }
        push_section(SectionKind::Closed, &[3, 123], &mut bytes);
        push_section(SectionKind::Layer(LayerId::OWNER), &[7; 200], &mut bytes);
        if to_come {
            bytes.extend([255, 2, 1, 2]);
        }
        push_section(SectionKind::Layer(LayerId::LAST), &[8; 2], &mut bytes);
        push_section(SectionKind::Events, &events, &mut bytes);
        if to_come {
            bytes.extend([130, 1, 7]);
        }
        cases.push(
            json!({"message": "snapshot", "tick": 1000, "input_tick": 998,
            "substituted": substituted, "slack": slack,
            "events": [{"tick": 998, "event": 0, "values": [-1, 99, 0x6C6C_6568, 0x6F],
                "payload": hex(note)}],
            "sections": [[125, "037b"], [1, hex(&[7; 200])], [123, "0808"], [124, hex(&events)]],
            "bytes": hex(&bytes)}),
        );
    }
    check(
        "frames",
        &text("frames", &json!({"schema": schema}), &cases),
    );
}

/// Every image against the one before, some older one (up to 64 back), nothing, and the one before
/// as a keyframe brought it.
fn bodies(name: &str, layer: LayerId, seed: u64, every_tick: bool) {
    bodies_of(&schema(), &Tables::default(), name, layer, seed, every_tick);
}

fn bodies_of(
    schema: &Schema,
    tables: &Tables,
    name: &str,
    layer: LayerId,
    seed: u64,
    every_tick: bool,
) {
    let layout = Layout::new(schema, tables).expect("the schema is sound");
    let set = layout.of(layer).expect("the layer exists");
    let mut history = History::new(seed, set, 5);
    history.every_tick = every_tick;
    let mut images: Vec<LayerImage> = Vec::new();
    let mut cases = Vec::new();
    for step in 0..70usize {
        let now = history.step();
        let whole = |at| Some((at, false));
        let mut baselines = vec![step.checked_sub(1).and_then(whole)];
        if step % 10 == 9 {
            baselines.extend([
                whole(step - 2),
                whole(step - 9),
                whole(step.saturating_sub(64)),
                None,
            ]);
        } else if step % 10 == 0 && step > 0 {
            baselines.push(Some((step - 1, true)));
        }
        for (number, baseline) in baselines.into_iter().enumerate() {
            let held = baseline.map(|(at, bare)| {
                let image: &LayerImage = &images[at];
                if bare { image.bare(set) } else { image.clone() }
            });
            let image = match held {
                None => spelled(&now.bare(set)),
                Some(_) if number == 0 => spelled(&now),
                Some(_) => Value::Null,
            };
            let bare = baseline.is_some_and(|(_, bare)| bare);
            let held = held.as_ref().map(|held| (held, bare));
            cases.push(body_case((layer, set), held, &now, image, step % 30 == 0));
        }
        images.push(now);
    }
    let head = json!({"schema": schema, "tables": tables, "layer": layer});
    check(name, &text("bodies", &head, &cases));
}

/// A body of an image against one that is held, maybe bare, or as a keyframe.
fn body_case(
    (layer, set): (LayerId, &ColumnSet),
    held: Option<(&LayerImage, bool)>,
    now: &LayerImage,
    image: Value,
    check: bool,
) -> Value {
    let (mut body, mut scratch) = (Vec::new(), Scratch::default());
    let view = held.map(|(held, _)| held.view());
    let of = Of::layer(layer);
    encode(of, set, view, now.view(), check, &mut scratch, &mut body);
    let whole = held.map_or(now.view().bare(), |_| now.view());
    json!({
        "image": image,
        "tick": now.tick,
        "baseline": held.map(|(held, _)| held.tick),
        "bare": held.is_some_and(|(_, bare)| bare),
        "checksum": checksum(whole, set),
        "body": hex(&body),
    })
}

/// A game with as little as possible: something that moves along a line and may be hit.
fn first_schema() -> Schema {
    let int = |name: &str, max, predictor| Field {
        name: name.to_owned(),
        kind: Kind::Int { min: 0, max },
        predictor,
    };
    Schema {
        game: "first".to_owned(),
        components: vec![Component {
            name: "thing".to_owned(),
            audience: Audience::Everyone,
            predicted: Predicted::No,
            fields: vec![
                int("x", 1000, Predictor::Linear),
                int("hp", 100, Predictor::Hold),
            ],
        }],
        ..Schema::default()
    }
}

/// The bodies to begin with, each kind once: the page's appendix names them in this order.
#[test]
fn first_bodies() {
    let schema = first_schema();
    let layout = Layout::new(&schema, &Tables::default());
    let set = layout.expect("the schema is sound").room;
    /// Its slot, its `x`, its hit points.
    type Thing = (u16, i32, i32);
    let ticks: [(u32, &[Thing]); 8] = [
        (6, &[(3, 490, 100)]),
        (7, &[(3, 500, 100)]),
        (8, &[(3, 511, 100)]),
        (9, &[(3, 523, 93)]),
        (10, &[(3, 534, 93), (5, 20, 100)]),
        (11, &[(5, 20, 100)]),
        (14, &[(5, 26, 100)]),
        (15, &[(5, 28, 99)]),
    ];
    let mut images: Vec<LayerImage> = Vec::new();
    for (tick, things) in ticks {
        let previous = images.last();
        let head = |&(slot, ..): &Thing| EntityHead {
            slot,
            generation: 1,
            owner: 0,
            mask: 1,
        };
        let mut image = LayerImage {
            tick: Tick(tick),
            gap: previous.map_or(0, |previous| Tick(tick).since(previous.tick)),
            entities: things.iter().map(head).collect(),
            values: things
                .iter()
                .flat_map(|&(_, x, hp)| [x, 0, 0, hp])
                .collect(),
        };
        let mut residuals = vec![0; things.len() * set.residual_width()];
        Completer::default().run(
            &set,
            previous.map(LayerImage::view),
            image.gap,
            &image.entities,
            &mut image.values,
            &mut residuals,
        );
        images.push(image);
    }
    let of = (LayerId::ROOM, &set);
    let bare = images[1].bare(&set);
    let mut cases = vec![
        body_case(of, None, &images[1], spelled(&bare), false),
        body_case(
            of,
            Some((&bare, true)),
            &images[2],
            spelled(&images[2]),
            false,
        ),
    ];
    // From image to image; then with one left out.
    for (from, to) in [(2, 3), (3, 4), (4, 5), (5, 6), (6, 7), (4, 7)] {
        let held = Some((&images[from], false));
        let now = &images[to];
        cases.push(body_case(of, held, now, spelled(now), to == 6));
    }
    let head = json!({"schema": schema, "tables": Tables::default(), "layer": LayerId::ROOM});
    check("bodies_first", &text("bodies", &head, &cases));
}

/// Directions where a better arcus tangens gives another one, three linear fields in a component,
/// velocities and rates beyond what they are clamped to.
fn edge_schema() -> Schema {
    let field = |name: &str, kind: &Kind, predictor| Field {
        name: name.to_owned(),
        kind: kind.clone(),
        predictor,
    };
    let (min, max) = (i32::MIN, i32::MAX);
    let (any, wide) = (
        Kind::Int { min, max },
        Kind::Int {
            min: -(1 << 30) - 9,
            max: 1 << 30,
        },
    );
    let turn = Kind::Turn { steps: 65_536 };
    let rate = Predictor::Rate {
        of: 0,
        scale: 1_048_576.0,
    };
    let velocity = Predictor::Velocity {
        by: 1,
        num: -(1 << 20),
        den: 3,
    };
    let component = |name: &str, predicted, fields| Component {
        name: name.to_owned(),
        audience: match name {
            "cargo" => Audience::Owner,
            _ => Audience::Everyone,
        },
        predicted,
        fields,
    };
    Schema {
        game: "edges".to_owned(),
        components: vec![
            component(
                "ship",
                Predicted::No,
                vec![
                    field("x", &any, Predictor::Linear),
                    field("y", &any, Predictor::Linear),
                    field("z", &any, Predictor::Linear),
                    field("heading", &turn, Predictor::Bearing { x: 0, y: 1 }),
                    field("vx", &wide, rate),
                ],
            ),
            component(
                "tug",
                Predicted::Fine,
                vec![
                    field("at", &any, velocity),
                    field("speed", &any, Predictor::Hold),
                    field("spin", &turn, Predictor::Linear),
                ],
            ),
            component(
                "cargo",
                Predicted::No,
                vec![
                    field("x", &any, Predictor::Linear),
                    field("vx", &wide, rate),
                    field("at", &any, velocity),
                ],
            ),
        ],
        ..Schema::default()
    }
}

#[test]
fn bodies_at_the_edges() {
    const SEED: u64 = 11;
    // Only where tables are trained a jolt makes a difference.
    let schema = edge_schema();
    let tables = trained(&schema, 8);
    let layer = LayerId::ROOM;
    bodies_of(&schema, &tables, "bodies_edges", layer, SEED, true);
    // There velocities and rates become linear fields, but only those of a `Fine` component, and of
    // its real fields.
    bodies_of(
        &schema,
        &tables,
        "bodies_edges_owner",
        LayerId::OWNER,
        12,
        true,
    );
    // A client that takes another arcus tangens notices.
    let layout = Layout::new(&schema, &tables);
    let set = layout.expect("the schema is sound").room;
    let mut history = History::new(SEED, &set, 5);
    let (mut directions, mut differ) = (0, 0);
    for _ in 0..70 {
        let image = history.step();
        for (index, head) in image.entities.iter().enumerate() {
            let row = image.view().row(index, set.width());
            let [x, y] = [row[1], row[4]].map(f64::from);
            if head.mask & 1 != 0 && (x, y) != (0.0, 0.0) {
                let direction = |turns: f64| (turns * 65_536.0 + 0.5).floor().rem_euclid(65_536.0);
                let better = (y.atan2(x) / std::f64::consts::TAU).rem_euclid(1.0);
                directions += 1;
                differ += u32::from(direction(bearing(x, y)) != direction(better));
            }
        }
    }
    assert!(differ > 10, "{differ} of {directions}");
}

/// An image, but for its tick.
pub(crate) fn spelled(image: &LayerImage) -> Value {
    let heads: Vec<Value> = image
        .entities
        .iter()
        .map(|head| json!([head.slot, head.generation, head.owner, head.mask]))
        .collect();
    json!({"gap": image.gap, "entities": heads, "values": image.values})
}

#[test]
fn room_bodies() {
    bodies("bodies_room", LayerId::ROOM, 1, true);
}

#[test]
fn owner_bodies() {
    bodies("bodies_owner", LayerId::OWNER, 2, true);
}

#[test]
fn team_bodies() {
    bodies("bodies_team", LayerId::TEAM, 4, true);
}

#[test]
fn trained_bodies() {
    let (schema, tables) = trained_game();
    bodies_of(&schema, &tables, "bodies_trained", LayerId::ROOM, 5, true);
}

#[test]
fn bearings() {
    let ways = [
        (1, 0),
        (0, -1),
        (-3, 3),
        (200, 7),
        (-1, 163),
        (i32::MAX, i32::MIN),
        (0, 0),
    ];
    let cases: Vec<Value> = ways
        .into_iter()
        .chain((0..64).map(|at| {
            let (cos, sin) = tickwire::exact::unit(f64::from(at) * 0.0991);
            ((cos * 333.0) as i32, (sin * 333.0) as i32)
        }))
        .map(|(x, y)| {
            let turns = tickwire::exact::bearing(f64::from(x), f64::from(y));
            let angle = f64::from(y).atan2(f64::from(x)) / std::f64::consts::TAU;
            let off = (turns - angle).rem_euclid(1.0);
            assert!(off.min(1.0 - off) < 2e-6, "{x} {y}: {turns} for {angle}");
            json!({"x": x, "y": y, "turns": turns})
        })
        .collect();
    check("bearings", &text("bearings", &json!({}), &cases));
}

#[test]
fn texts() {
    let cases: Vec<Value> = ["", "hello", "0123456789abcdef", "Zoë 🦀🦀🦀", "ends\0here"]
        .into_iter()
        .flat_map(|text| [(text, 4), (text, 12)])
        .map(|(text, bytes)| {
            let field = Kind::Text { bytes };
            let words: Vec<i32> = text_words(text, field.words()).collect();
            let back = words_text(&words).expect("what was written is UTF-8");
            json!({"field": field, "text": text, "words": words, "back": back})
        })
        .collect();
    check("texts", &text("texts", &json!({}), &cases));
}

#[test]
fn bodies_of_uneven_images() {
    bodies("bodies_uneven", LayerId::ROOM, 3, false);
}

/// Every group's image against the one before, with some of the other groups held; against an older
/// one; and as keyframes.
#[test]
fn group_bodies() {
    let (schema, tables) = trained_game();
    let layout = Layout::new(&schema, &tables).expect("the schema is sound");
    let set = &layout.room;
    let mut history = GroupHistory::new(60, set, 9);
    let mut scratch = Scratch::default();
    let (mut all, mut cases) = (Vec::<Images>::new(), Vec::new());
    for step in 0..24usize {
        history.history.every_tick = step < 16;
        let now = history.step();
        for group in 0..GROUPS {
            // The images of one tick first, so that they are there as sources.
            let others = |bits: usize| -> Vec<usize> {
                let held = |of: &usize| *of != group && bits >> of & 1 == 1;
                (0..GROUPS).filter(held).collect()
            };
            let mut against = vec![];
            match step {
                0 => against.push(None),
                1 => against.push(Some((0, true, others(0b11111)))),
                _ => against.push(Some((step - 1, false, others(7 * step)))),
            }
            if step % 8 == 7 && group % 2 == 1 {
                against.push(Some((step - 5, false, others(0b11111))));
                against.push(Some((step - 1, false, vec![])));
            }
            for against in against {
                let before = against.as_ref().map(|(step, bare, sources)| {
                    let images: &Images = &all[*step];
                    let images = if *bare {
                        groups::bare(images, set)
                    } else {
                        images.clone()
                    };
                    (images, *bare, sources)
                });
                let of = (group, &now);
                let from = before
                    .as_ref()
                    .map(|(images, bare, sources)| (images, *bare, &sources[..]));
                let body = groups::body_of(set, of, from, step % 6 == 5, &mut scratch);
                let (head, bits) = decode_head(groups::layer(group), &body).expect("a head");
                let mut image =
                    from.map_or(LayerImage::default(), |(images, ..)| images[group].clone());
                let nothing: Images = Default::default();
                let among = from.map_or((&nothing, &[][..]), |(images, _, sources)| {
                    (images, sources)
                });
                decode_of(
                    (head, bits),
                    now[group].tick,
                    &layout,
                    among,
                    &mut image,
                    &mut scratch,
                )
                .expect("it was encoded");
                let expected = from.map_or(now[group].bare(set), |_| now[group].clone());
                assert_eq!(image, expected);
                let departed = scratch.departed().iter();
                let departed =
                    departed.map(|(head, lives)| json!([head.slot, head.generation, lives]));
                cases.push(json!({
                    "layer": groups::layer(group),
                    "tick": now[group].tick,
                    "baseline": from.map(|(images, ..)| images[group].tick),
                    "bare": from.is_some_and(|(_, bare, _)| bare),
                    "sources": from.map_or(vec![], |(_, _, sources)| sources.iter().map(|of| groups::layer(*of)).collect()),
                    "body": hex(&body),
                    "departed": departed.collect::<Vec<Value>>(),
                    "checksum": checksum(image.view(), set),
                    "image": spelled(&image),
                }));
            }
        }
        all.push(now);
    }
    let head = json!({"schema": schema, "tables": tables});
    check("bodies_groups", &text("group_bodies", &head, &cases));
}

/// Three rooms of a house, by hand: what moves, what stays and goes as predicted, what is let go.
#[test]
fn first_group_bodies() {
    let schema = first_schema();
    let layout = Layout::new(&schema, &Tables::default()).expect("the schema is sound");
    let set = &layout.room;
    /// Its slot, its room, its `x`, its hit points.
    type Thing = (u16, usize, i32, i32);
    let ticks: [&[Thing]; 7] = [
        &[(1, 0, 500, 100), (2, 1, 20, 9), (4, 2, 70, 50)],
        &[(1, 0, 510, 100), (2, 1, 20, 9), (4, 2, 75, 50)],
        // All go on as predicted.
        &[(1, 0, 520, 100), (2, 1, 20, 9), (4, 2, 80, 50)],
        // The first one goes from room to room, on its way.
        &[(1, 1, 530, 100), (2, 1, 20, 9), (4, 2, 85, 50)],
        // The third comes too, from a room that is not held.
        &[(1, 1, 540, 99), (2, 1, 20, 9), (4, 1, 90, 50)],
        // The second is destroyed, and the first goes back.
        &[(1, 0, 550, 99), (4, 1, 95, 50)],
        &[(1, 0, 560, 99), (4, 2, 99, 50)],
    ];
    let (mut before, mut all) = (None::<LayerImage>, Vec::<Images>::new());
    let mut cases = Vec::new();
    let mut scratch = Scratch::default();
    for (nth, things) in ticks.into_iter().enumerate() {
        let tick = Tick(20 + nth as u32);
        let mut whole = LayerImage {
            tick,
            gap: u32::from(nth > 0),
            entities: things
                .iter()
                .map(|&(slot, ..)| EntityHead {
                    slot,
                    generation: 1,
                    owner: 0,
                    mask: 1,
                })
                .collect(),
            values: things
                .iter()
                .flat_map(|&(.., x, hp)| [x, 0, 0, hp])
                .collect(),
        };
        let mut residuals = vec![0; things.len() * set.residual_width()];
        let view = before.as_ref().map(LayerImage::view);
        Completer::default().run(
            set,
            view,
            whole.gap,
            &whole.entities,
            &mut whole.values,
            &mut residuals,
        );
        let images: Images = std::array::from_fn(|group| {
            let mut image = LayerImage {
                tick,
                gap: whole.gap,
                ..LayerImage::default()
            };
            for (at, _) in things
                .iter()
                .enumerate()
                .filter(|(_, thing)| thing.1 == group)
            {
                image.entities.push(whole.entities[at]);
                image
                    .values
                    .extend_from_slice(whole.view().row(at, set.width()));
            }
            image
        });
        before = Some(whole);
        // The third room is never held; the others by each other's holder.
        for group in 0..2 {
            let bare = nth == 1;
            let old = nth.checked_sub(1).map(|nth| {
                if bare {
                    groups::bare(&all[nth], set)
                } else {
                    all[nth].clone()
                }
            });
            let from = old
                .as_ref()
                .map(|old| (old, bare, if group == 0 { &[1][..] } else { &[0][..] }));
            let mut image = from.map_or(LayerImage::default(), |(old, ..)| old[group].clone());
            // As the server finds it, which has the residuals at hand.
            let left_out = nth == 2;
            let body = groups::body_of(set, (group, &images), from, false, &mut scratch);
            let mut departed = vec![];
            if left_out {
                advance(set, tick, &mut image, &mut scratch).expect("it is the next tick");
                assert_eq!(image, images[group]);
            } else {
                let (head, bits) = decode_head(groups::layer(group), &body).expect("a head");
                let nothing: Images = Default::default();
                let among = from.map_or((&nothing, &[][..]), |(old, _, sources)| (old, sources));
                decode_of((head, bits), tick, &layout, among, &mut image, &mut scratch)
                    .expect("it was encoded");
                let who = scratch.departed().iter();
                departed
                    .extend(who.map(|(head, lives)| json!([head.slot, head.generation, lives])));
            }
            cases.push(json!({
                "layer": groups::layer(group),
                "tick": tick,
                "baseline": from.map(|(old, ..)| old[group].tick),
                "bare": bare,
                "sources": from.map_or(vec![], |(_, _, sources)| sources.iter().map(|of| groups::layer(*of)).collect()),
                "body": (!left_out).then(|| hex(&body)),
                "departed": departed,
                "checksum": checksum(image.view(), set),
                "image": spelled(&image),
            }));
        }
        all.push(images);
    }
    let head = json!({"schema": schema, "tables": Tables::default()});
    check("bodies_groups_first", &text("group_bodies", &head, &cases));
}
