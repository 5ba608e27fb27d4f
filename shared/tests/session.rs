//! A session against a peer made of the server's own encoders: the whole course of a
//! connection, a lost image and its keyframe, and bytes that no server sends.

use std::sync::Arc;

use proptest::prelude::*;
use tickwire::codec;
use tickwire::ids::{LayerId, PlayerId, RoomId, Tick};
use tickwire::limits::{ACK_DELAY_MS, GROUP_ENTITIES_MAX, RESYNC_EVERY_MS};
use tickwire::protocol::client_message::JoinAs;
use tickwire::protocol::frame::{
    InputHead, SectionKind, SnapshotHead, decode_ack, push_section, push_varint,
};
use tickwire::protocol::server_message::{
    ChatLine, LeaveReason, Limits, Member, NoticeEvent, Refusal, RoomInfo,
};
use tickwire::protocol::{ClientMessage, CloseCode, ServerMessage, VERSION, feature};
use tickwire::schema::{
    Audience, Component, Field, Kind, Message, Predicted, Predictor, Schema, Tables,
};
use tickwire::session::{
    Event, Games, NoticeOf, RequestError, RoomSession, Seen, Session, SessionError, State,
};
use tickwire::snapshot::DecodeError;
use tickwire::snapshot::complete::Completer;
use tickwire::snapshot::delta::{self, Scratch};
use tickwire::snapshot::fields;
use tickwire::snapshot::image::{EntityHead, LayerImage, OwnerCode};
use tickwire::snapshot::layout::Layout;

const MS: u64 = 1_000;

fn schema() -> Schema {
    let real = |name: &str, predictor| Field {
        name: name.to_owned(),
        kind: Kind::Real {
            min: 0.0,
            max: 100.0,
            step: 0.5,
        },
        predictor,
    };
    let flag = |name: &str| Field {
        name: name.to_owned(),
        kind: Kind::Bool,
        predictor: Predictor::Hold,
    };
    Schema {
        game: "squares".to_owned(),
        components: vec![Component {
            name: "pos".to_owned(),
            audience: Audience::Everyone,
            predicted: Predicted::Fine,
            fields: vec![real("x", Predictor::Linear), real("y", Predictor::Hold)],
        }],
        input: vec![flag("left"), flag("right")],
        newest_wins: false,
        events: vec![Message {
            name: "hit".to_owned(),
            fields: vec![real("x", Predictor::Hold)],
            payload: None,
        }],
        actions: vec![],
        room_options: vec![],
        player_options: vec![],
        metadata: vec![],
    }
}

/// The server's side of one client: it knows what it sent last.
struct Peer {
    layout: Layout,
    sent: [Option<LayerImage>; 2],
    scratch: Scratch,
}

impl Peer {
    fn new() -> Peer {
        Peer {
            layout: Layout::new(&schema(), &Tables::default()).expect("the schema is sound"),
            sent: [None, None],
            scratch: Scratch::default(),
        }
    }

    /// The image of a layer in which player 3 stands at `x` steps.
    fn image(&self, layer: LayerId, tick: u32, x: i32) -> LayerImage {
        let set = self.layout.of(layer).expect("the layer exists");
        let previous = self.sent[usize::from(layer.0)].as_ref();
        let owner = OwnerCode {
            player: PlayerId(3),
            avatar: true,
        };
        let mut image = LayerImage {
            tick: Tick(tick),
            gap: previous.map_or(0, |previous| Tick(tick).since(previous.tick)),
            entities: vec![EntityHead {
                slot: 7,
                generation: 1,
                owner: owner.encode(),
                mask: 1,
            }],
            values: vec![0; set.width()],
        };
        image.values[0] = x;
        let mut residuals = vec![0; set.residual_width()];
        Completer::default().run(
            set,
            previous.map(LayerImage::view),
            image.gap,
            &image.entities,
            &mut image.values,
            &mut residuals,
        );
        image
    }

    /// A snapshot message; `keyframe` forgets what was sent, `events` follow the layers.
    fn snapshot(&mut self, tick: u32, x: i32, keyframe: bool, events: &[u8]) -> Vec<u8> {
        let mut message = Vec::new();
        let head = SnapshotHead {
            tick: Tick(tick),
            input_tick: Tick(0),
            substituted: false,
            slack: -128,
        };
        head.encode(&mut message);
        for layer in [LayerId::ROOM, LayerId::OWNER] {
            if keyframe {
                self.sent[usize::from(layer.0)] = None;
            }
            let image = self.image(layer, tick, x);
            let set = self.layout.of(layer).expect("the layer exists");
            let mut body = Vec::new();
            delta::encode(
                delta::Of::layer(layer),
                set,
                self.sent[usize::from(layer.0)]
                    .as_ref()
                    .map(LayerImage::view),
                image.view(),
                tick.is_multiple_of(30),
                &mut self.scratch,
                &mut body,
            );
            push_section(SectionKind::Layer(layer), &body, &mut message);
            let sent = &mut self.sent[usize::from(layer.0)];
            *sent = Some(match sent {
                None => image.bare(set),
                Some(_) => image,
            });
        }
        if !events.is_empty() {
            push_section(SectionKind::Events, events, &mut message);
        }
        message
    }
}

fn welcome() -> ServerMessage {
    ServerMessage::Welcome {
        version: VERSION,
        features: feature::ALL,
        game: "test".to_owned(),
        name: "Ada".to_owned(),
        token: String::new(),
        limits: Limits {
            message_bytes: 4096,
            messages_per_second: 60,
            chat_chars: 200,
            name_chars: 24,
            seats: 16,
            spectators: 0,
        },
        schema_hash: "5c".to_owned(),
        tables_hash: "7a".to_owned(),
        schema: Some(schema()),
        tables: Some(Tables::default()),
    }
}

fn member(player: u16) -> Member {
    Member {
        player: PlayerId(player),
        name: format!("p{player}"),
        ready: false,
        host: player == 3,
        connected: true,
    }
}

fn joined() -> ServerMessage {
    ServerMessage::Joined {
        room: RoomInfo {
            id: RoomId(1),
            name: "one".to_owned(),
            players: 1,
            seats: 16,
            spectators: 0,
            private: false,
            kicks: false,
            locked: false,
            metadata: vec![],
        },
        code: "ABCD".to_owned(),
        you: Some(PlayerId(3)),
        tick_rate: 25,
        snapshot_every: 1,
        tick: Tick(9),
        members: vec![member(3)],
        more: false,
        chat: vec![],
        options: vec![],
    }
}

fn say(session: &mut Session, message: &ServerMessage) {
    session
        .handle_message(&codec::encode_server(message), 0)
        .expect("the session takes the message");
}

fn hello(name: &str, token: &str) -> ClientMessage {
    ClientMessage::Hello {
        version: VERSION,
        features: feature::ALL,
        game: String::new(),
        schema: String::new(),
        tables: String::new(),
        name: name.to_owned(),
        token: token.to_owned(),
    }
}

/// The same of who has been there already, and knows of which game they are.
fn hello_again(name: &str, token: &str) -> ClientMessage {
    let mut hello = hello(name, token);
    if let ClientMessage::Hello { game, .. } = &mut hello {
        "test".clone_into(game);
    }
    hello
}

fn heard(session: &mut Session) -> Vec<ClientMessage> {
    std::iter::from_fn(|| session.poll_transmit())
        .map(|bytes| codec::decode_client(&bytes).expect("a control message"))
        .map(|message| message.expect("a known one"))
        .collect()
}

fn happened(session: &mut Session) -> Vec<Event> {
    std::iter::from_fn(|| session.poll_event()).collect()
}

/// In a room, with nothing waiting.
fn in_room() -> (Session, Peer) {
    let mut session = Session::new("Ada", "");
    say(&mut session, &welcome());
    say(&mut session, &joined());
    heard(&mut session);
    happened(&mut session);
    (session, Peer::new())
}

fn x_of(session: &Session, layer: LayerId) -> Option<i32> {
    let room = session.room()?;
    Some(room.layer(layer)?.values[0])
}

#[test]
fn the_first_inputs_leave_as_early_as_the_round_trip_needs() {
    let first_stamp = |round_trips: &[u64]| {
        let mut session = Session::new("Ada", "");
        heard(&mut session);
        say(&mut session, &welcome());
        for us in round_trips {
            session.on_round_trip(*us);
        }
        say(&mut session, &joined());
        let snapshot = Peer::new().snapshot(10, 4, true, &[]);
        session
            .handle_message(&snapshot, 400 * MS)
            .expect("the session takes the snapshot");
        session.next_input(400 * MS)
    };
    assert_eq!(first_stamp(&[]), Some(Tick(14)));
    // 200 ms are five ticks of 40.
    assert_eq!(first_stamp(&[260 * MS, 200 * MS, 900 * MS]), Some(Tick(17)));
}

#[test]
fn hello_lobby_room_and_back() {
    let mut session = Session::new("Ada", "");
    assert_eq!(session.state(), State::Hello);
    assert!(matches!(
        heard(&mut session)[..],
        [ClientMessage::Hello {
            version: VERSION,
            ..
        }]
    ));
    assert_eq!(session.quick_join(), Err(RequestError::NotNow));
    say(&mut session, &welcome());
    assert_eq!(session.state(), State::Lobby);
    assert_eq!(session.name(), Some("Ada"));
    assert_eq!(session.chat("hi"), Err(RequestError::NotNow));
    session.quick_join().expect("in the lobby");
    assert_eq!(heard(&mut session), [ClientMessage::quick_join()]);
    let refused = ServerMessage::Refused {
        reason: Refusal::RoomFull,
    };
    say(&mut session, &refused);
    assert_eq!(session.state(), State::Lobby);
    say(&mut session, &joined());
    assert_eq!(session.state(), State::Room);
    say(
        &mut session,
        &ServerMessage::MemberChanged { member: member(1) },
    );
    let players = |session: &Session| -> Vec<u16> {
        let room = session.room().expect("in a room");
        room.members.iter().map(|member| member.player.0).collect()
    };
    assert_eq!(players(&session), [1, 3]);
    let state = |player: u16| ServerMessage::MemberState {
        player: PlayerId(player),
        ready: true,
        host: false,
        connected: false,
    };
    say(&mut session, &state(1));
    let changed = Member {
        ready: true,
        host: false,
        connected: false,
        ..member(1)
    };
    let members = &session.room().expect("in a room").members;
    assert_eq!(members[0], changed, "it keeps the name");
    say(
        &mut session,
        &ServerMessage::MemberLeft {
            player: PlayerId(1),
        },
    );
    assert_eq!(players(&session), [3]);
    session.leave().expect("in a room");
    assert_eq!(session.chat("bye"), Err(RequestError::NotNow));
    let left = ServerMessage::Left {
        reason: LeaveReason::Asked,
    };
    say(&mut session, &left);
    assert_eq!(session.state(), State::Lobby);
    let events = happened(&mut session);
    assert_eq!(events[0], Event::Welcome);
    assert_eq!(
        events.last(),
        Some(&Event::Left {
            reason: LeaveReason::Asked
        })
    );
}

#[test]
fn snapshots_move_both_layers_and_bring_events() {
    let (mut session, mut peer) = in_room();
    let mut events = Vec::new();
    push_varint(1, &mut events);
    push_varint(0, &mut events);
    fields::pack(&schema().events[0].fields, &[40], &mut events);
    for tick in 10..50 {
        let events = if tick == 12 { &events[..] } else { &[] };
        let message = peer.snapshot(tick, tick as i32 * 2, false, events);
        session.handle_message(&message, 0).expect("a snapshot");
        for layer in [LayerId::ROOM, LayerId::OWNER] {
            assert_eq!(x_of(&session, layer), Some(tick as i32 * 2));
            assert_eq!(
                session.room().expect("in a room").layer(layer),
                peer.sent[usize::from(layer.0)].as_ref()
            );
        }
    }
    assert_eq!(
        session.room().expect("in a room").avatar(),
        Some((LayerId::ROOM, 0))
    );
    assert_eq!(session.stats().snapshots, 40);
    assert_eq!(session.stats().keyframes, 2);
    let hit = Event::Game {
        tick: Tick(11),
        event: 0,
        values: vec![40],
        payload: None,
    };
    assert!(happened(&mut session).contains(&hit));
}

#[test]
fn inputs_carry_the_acknowledgement_and_due_fields() {
    let (mut session, mut peer) = in_room();
    assert_eq!(session.next_input(0), None);
    assert_eq!(session.next_input_us(), None);
    session
        .handle_message(&peer.snapshot(10, 1, false, &[]), 400 * MS)
        .expect("a snapshot");
    assert_eq!(session.next_input_us(), Some(0));
    let tick = session.next_input(400 * MS).expect("one is due");
    assert_eq!(session.next_input(400 * MS), None);
    assert_eq!(
        session.send_input(tick, &[0], 0),
        Err(RequestError::BadFields)
    );
    assert_eq!(
        session.send_input(tick, &[0, 2], 0),
        Err(RequestError::BadFields)
    );
    session.send_input(tick, &[0, 1], 96).expect("in a room");
    let bytes = session.poll_transmit().expect("the input");
    let (head, packed) = InputHead::decode(&bytes).expect("an input");
    assert_eq!(
        head,
        InputHead {
            tick,
            ack: Tick(10),
            view_lag: 96
        }
    );
    assert_eq!(packed, [0b10]);
    // The input acknowledged it, so nothing goes out alone.
    assert_eq!(session.poll_timeout(), None);
    assert_eq!(session.next_input_us(), Some(440 * MS));
}

#[test]
fn an_acknowledgement_goes_out_alone_when_no_input_does() {
    let (mut session, mut peer) = in_room();
    let delay = u64::from(ACK_DELAY_MS) * MS;
    session
        .handle_message(&peer.snapshot(10, 1, false, &[]), 5 * MS)
        .expect("a snapshot");
    session
        .handle_message(&peer.snapshot(11, 1, false, &[]), 45 * MS)
        .expect("a snapshot");
    assert_eq!(session.poll_timeout(), Some(5 * MS + delay));
    session.handle_timeout(4 * MS + delay);
    assert_eq!(session.poll_transmit(), None);
    session.handle_timeout(5 * MS + delay);
    let bytes = session.poll_transmit().expect("the acknowledgement");
    assert_eq!(decode_ack(&bytes), Ok(Tick(11)));
    assert_eq!(session.poll_timeout(), None);
}

#[test]
fn a_lost_image_is_noticed_asked_for_and_healed() {
    let (mut session, mut peer) = in_room();
    let mut now = 0;
    let mut tick = 10;
    let mut feed = |session: &mut Session, peer: &mut Peer, keyframe: bool| {
        now += 40 * MS;
        let message = peer.snapshot(tick, tick as i32, keyframe, &[]);
        session.handle_message(&message, now).expect("a snapshot");
        session.handle_timeout(now);
        tick += 1;
        now
    };
    feed(&mut session, &mut peer, false);
    // The server's memory of the shared layer goes wrong, the client's does not.
    peer.sent[0].as_mut().expect("it was sent").values[3] += 5;
    let mut asked = Vec::new();
    for _ in 0..25 {
        feed(&mut session, &mut peer, false);
        while let Some(bytes) = session.poll_transmit() {
            if let Ok(Some(message)) = codec::decode_client(&bytes) {
                asked.push(message);
            }
        }
    }
    let resync = ClientMessage::Resync {
        layer: LayerId::ROOM,
    };
    assert_eq!(session.stats().desyncs, 1);
    assert_eq!(asked, [resync]);
    // Deltas that were sent meanwhile are passed over; the other layer goes on.
    assert_eq!(x_of(&session, LayerId::ROOM), None);
    assert!(x_of(&session, LayerId::OWNER).is_some());
    feed(&mut session, &mut peer, true);
    let now = feed(&mut session, &mut peer, false);
    assert!(x_of(&session, LayerId::ROOM).is_some());
    assert!(happened(&mut session).contains(&Event::Desync {
        layer: LayerId::ROOM
    }));
    session.handle_timeout(now + 10_000 * MS);
    assert_eq!(session.stats().resyncs, 1);
}

#[test]
fn what_one_session_leaves_takes_its_seat_again() {
    let (mut session, mut peer) = in_room();
    assert_eq!(session.ticket(), None, "the server has given no token yet");
    let line = |id| ServerMessage::Chat {
        line: ChatLine {
            id,
            from: PlayerId(3),
            name: "bot".to_owned(),
            text: "hi".to_owned(),
        },
    };
    say(&mut session, &line(7));
    let token = ServerMessage::ResumeToken {
        token: "secret".to_owned(),
        grace_ms: 30_000,
    };
    say(&mut session, &token);
    say(&mut session, &line(8));
    assert!(happened(&mut session).contains(&Event::Resumable { grace_ms: 30_000 }));
    let message = peer.snapshot(10, 0, false, &[]);
    session.handle_message(&message, 0).expect("a snapshot");
    let ticket = session.ticket().expect("a token came");
    let seen = Seen {
        chat: 8,
        tick: Tick(10),
    };
    assert_eq!((ticket.grace_ms, ticket.seen), (30_000, seen));
    session.leave().expect("in a room");
    assert_eq!(session.ticket(), None, "who leaves does not come back");

    let mut next = Session::resume("bot", "", &ticket);
    let hello = hello_again("bot", "");
    let resume = ClientMessage::Resume {
        token: "secret".to_owned(),
        chat: 8,
        seen: Tick(10),
    };
    assert_eq!(heard(&mut next), [hello, resume.clone()]);
    say(&mut next, &welcome());
    let reason = Refusal::Busy;
    say(&mut next, &ServerMessage::Refused { reason });
    next.ask_again(&ticket).expect("in the lobby");
    assert_eq!(heard(&mut next), [resume]);
    say(&mut next, &joined());
    assert_eq!(next.state(), State::Room);
    // Lost again before anything came.
    say(&mut next, &token);
    assert_eq!(next.ticket(), Some(ticket));
    let mut early = Session::new("bot", "");
    let early = early.handle_message(&codec::encode_server(&token), 0);
    assert_eq!(early, Err(SessionError::Unexpected));
}

#[test]
fn an_unanswered_resync_is_repeated_but_not_often() {
    let (mut session, mut peer) = in_room();
    session
        .handle_message(&peer.snapshot(29, 1, false, &[]), 0)
        .expect("a snapshot");
    peer.sent[0].as_mut().expect("it was sent").values[3] += 5;
    session
        .handle_message(&peer.snapshot(30, 1, false, &[]), 0)
        .expect("a snapshot");
    for now in (0..10_000).step_by(10) {
        session.handle_timeout(now * MS);
        while session.poll_transmit().is_some() {}
    }
    assert_eq!(
        session.stats().resyncs,
        10_000 / (2 * u64::from(RESYNC_EVERY_MS))
    );
}

#[test]
fn what_no_server_sends_is_an_error_with_a_code() {
    let check = |bytes: &[u8], code: CloseCode| {
        let (mut session, mut peer) = in_room();
        session
            .handle_message(&peer.snapshot(10, 1, false, &[]), 0)
            .expect("a snapshot");
        let error = session.handle_message(bytes, 0).expect_err("an error");
        assert_eq!(error.close_code(), code, "{error}");
        assert_eq!(session.state(), State::Failed);
        assert_eq!(
            session.handle_message(bytes, 0),
            Err(SessionError::Unexpected)
        );
        assert_eq!(session.next_input(0), None);
    };
    check(&[], CloseCode::Malformed);
    check(&[9], CloseCode::Malformed);
    check(&[1, 255], CloseCode::Malformed);
    check(&codec::encode_server(&welcome()), CloseCode::OutOfOrder);
    check(&codec::encode_server(&joined()), CloseCode::OutOfOrder);
    check(
        &Peer::new().snapshot(10, 1, false, &[]),
        CloseCode::OutOfRange,
    );
    check(
        &Peer::new().snapshot(u32::MAX, 1, false, &[]),
        CloseCode::OutOfRange,
    );
    // An event that the schema does not have, and one from before the first tick.
    check(
        &Peer::new().snapshot(11, 1, false, &[0, 1]),
        CloseCode::Malformed,
    );
    check(
        &Peer::new().snapshot(11, 1, false, &[12, 0, 0]),
        CloseCode::Malformed,
    );
    // Sections that are cut, known or not; of no kind; without a head; with another layer's
    // columns; against what is too far back, or is not so far as its form says; of one layer twice.
    let of = |sections: &[u8]| [&Peer::new().snapshot(11, 1, true, &[])[..], sections].concat();
    for sections in [
        &[2, 9, 0][..],
        &[200, 9, 0],
        &[126, 0],
        &[127, 0],
        &[2, 0],
        &[2, 3, 0, 1, 0],
        &[3, 3, 0, 2, 0],
        &[2, 4, 31, 0x81, 0x20, 0],
        &[2, 3, 31, 30, 0],
        &[0, 2, 1, 0],
        // Of layers that are closed: no group, not held, of which a section came in the same one.
        &[125, 1, 0],
        &[125, 1, 3],
        &[125, 1, 124],
        &[3, 2, 1, 0, 125, 1, 3],
    ] {
        check(&of(sections), CloseCode::Malformed);
    }
}

#[test]
fn a_body_that_makes_no_sense_is_a_failed_checksum() {
    // A snapshot whose section of everyone's layer is another one, the owner's is sound, and an
    // event follows.
    let spoiled = |peer: &mut Peer, spoil: &dyn Fn(&[u8]) -> Vec<u8>| {
        let message = peer.snapshot(11, 2, false, &[0, 0, 30]);
        let (head, sections) = SnapshotHead::decode(&message).expect("a snapshot");
        let mut again = Vec::new();
        head.encode(&mut again);
        for (nth, section) in sections.enumerate() {
            let (kind, bytes) = section.expect("a section");
            let bytes = if nth == 0 {
                spoil(bytes)
            } else {
                bytes.to_vec()
            };
            push_section(kind, &bytes, &mut again);
        }
        again
    };
    let mut other = Peer::new();
    other.snapshot(8, 1, false, &[]);
    let another_baseline = other.snapshot(11, 2, false, &[]);
    let (_, mut sections) = SnapshotHead::decode(&another_baseline).expect("a snapshot");
    let another_baseline = sections.next().expect("a section").expect("a section").1;
    type Spoil<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;
    let cases: [(&str, Spoil<'_>); 4] = [
        ("against another baseline", &|_| another_baseline.to_vec()),
        ("cut", &|body| body[..body.len() - 1].to_vec()),
        ("longer", &|body| [body, &[7; 9]].concat()),
        ("mixed up", &|body| {
            let (head, rest) = body.split_at(1);
            [head, &rest.iter().map(|byte| !byte).collect::<Vec<_>>()].concat()
        }),
    ];
    for (what, spoil) in cases {
        let (mut session, mut peer) = in_room();
        let first = peer.snapshot(10, 1, false, &[]);
        session.handle_message(&first, 0).expect("a snapshot");
        happened(&mut session);
        let message = spoiled(&mut peer, spoil);
        session
            .handle_message(&message, 40 * MS)
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(session.stats().desyncs, 1, "{what}");
        // The head, the other layer and the events of the same snapshot are taken.
        let events = happened(&mut session);
        let layer = LayerId::ROOM;
        assert_eq!(events[0], Event::Desync { layer }, "{what}");
        assert!(matches!(events[1], Event::Game { .. }), "{what}");
        assert!(matches!(events[2], Event::Snapshot { .. }), "{what}");
        assert_eq!(session.room().map(|room| room.newest), Some(Tick(11)));
        assert_eq!(x_of(&session, LayerId::ROOM), None, "{what}");
        assert_eq!(x_of(&session, LayerId::OWNER), Some(2), "{what}");
        // Bodies of the layer are passed over until its keyframe comes, which is asked for.
        let next = peer.snapshot(12, 3, false, &[]);
        session.handle_message(&next, 80 * MS).expect("a snapshot");
        session.handle_timeout(80 * MS);
        assert_eq!(heard(&mut session), [ClientMessage::Resync { layer }]);
        let keyframe = peer.snapshot(13, 4, true, &[]);
        session
            .handle_message(&keyframe, 120 * MS)
            .expect("a snapshot");
        assert_eq!(x_of(&session, LayerId::ROOM), Some(4), "{what}");
        assert_eq!((session.stats().desyncs, session.stats().resyncs), (1, 1));
    }
}

#[test]
fn layers_of_groups_hold_no_more_than_twice_a_room() {
    let (mut session, mut peer) = in_room();
    // A snapshot that opens groups with so many entities.
    let mut snapshot = |tick: u32, closed: &[u8], groups: &[(u16, usize)]| {
        let mut message = Vec::new();
        let tick = Tick(tick);
        SnapshotHead {
            tick,
            ..SnapshotHead::default()
        }
        .encode(&mut message);
        push_section(SectionKind::Closed, closed, &mut message);
        for &(group, count) in groups {
            let entity = |slot| EntityHead {
                slot: slot as u16,
                generation: 1,
                owner: 0,
                mask: 0,
            };
            let Peer {
                layout, scratch, ..
            } = &mut peer;
            let set = &layout.room;
            let image = LayerImage {
                tick,
                gap: 1,
                entities: (0..count).map(entity).collect(),
                values: vec![0; count * set.width()],
            };
            let (of, mut body) = (delta::Of::layer(LayerId(group)), Vec::new());
            delta::encode(of, set, None, image.view(), true, scratch, &mut body);
            push_section(SectionKind::Layer(LayerId(group)), &body, &mut message);
        }
        session.handle_message(&message, 0).expect("a snapshot");
        [3, 4, 5].map(|group| {
            let image = session.room().and_then(|room| room.layer(LayerId(group)));
            image.map(|image| image.entities.len())
        })
    };
    let crowd = GROUP_ENTITIES_MAX / 2;
    let held = snapshot(10, &[], &[(3, crowd), (4, crowd), (5, 1)]);
    assert_eq!(held, [Some(crowd), Some(crowd), None]);
    let held = snapshot(11, &[4], &[(5, 1)]);
    assert_eq!(held, [Some(crowd), None, Some(1)]);
}

#[test]
fn a_layer_that_begins_with_no_keyframe_is_asked_for() {
    let (mut session, mut peer) = in_room();
    peer.snapshot(10, 1, false, &[]);
    let message = peer.snapshot(11, 2, false, &[]);
    session.handle_message(&message, 0).expect("a snapshot");
    session.handle_timeout(0);
    let asked = [LayerId::ROOM, LayerId::OWNER].map(|layer| ClientMessage::Resync { layer });
    assert_eq!(heard(&mut session), asked);
}

#[test]
fn a_server_of_another_version_is_left() {
    let mut session = Session::new("Ada", "");
    let mut message = welcome();
    if let ServerMessage::Welcome { version, .. } = &mut message {
        *version = 9;
    }
    let result = session.handle_message(&codec::encode_server(&message), 0);
    assert_eq!(result, Err(SessionError::Version(9)));
}

#[test]
fn a_welcome_that_nothing_but_its_version_can_be_read_of_is_of_another_one() {
    let mut session = Session::new("Ada", "");
    let result = session.handle_message(&[1, 0, 1, 3, b'A', b'd', b'a', 0], 0);
    assert_eq!(result, Err(SessionError::Version(1)));
}

/// What a welcome leaves out.
fn without(schema: bool, tables: bool) -> ServerMessage {
    let mut message = welcome();
    if let ServerMessage::Welcome {
        schema: of_schema,
        tables: of_tables,
        ..
    } = &mut message
    {
        of_schema.take_if(|_| schema);
        of_tables.take_if(|_| tables);
    }
    message
}

#[test]
fn what_one_session_was_told_of_a_game_the_next_one_is_not() {
    let games = Arc::new(Games::default());
    let mut first = Session::new("Ada", "").among(&games);
    assert_eq!(heard(&mut first), [hello("Ada", "")]);
    say(&mut first, &welcome());
    for (schema, tables) in [(true, true), (true, false), (false, true)] {
        let mut next = Session::new("Bo", "").among(&games);
        let said = heard(&mut next);
        let [
            ClientMessage::Hello {
                schema: s,
                tables: t,
                ..
            },
        ] = &said[..]
        else {
            panic!("{said:?}");
        };
        assert_eq!((s.as_str(), t.as_str()), ("5c", "7a"));
        say(&mut next, &without(schema, tables));
        assert_eq!(
            (next.state(), next.schema()),
            (State::Lobby, first.schema())
        );
    }
    let mut other = Session::new("Cy", "").among(&games).of_game("other");
    let ClientMessage::Hello { game, schema, .. } = heard(&mut other).remove(0) else {
        panic!("no hello");
    };
    assert_eq!((game.as_str(), schema.as_str()), ("other", ""));
}

#[test]
fn a_welcome_may_leave_out_only_what_was_offered() {
    for (schema, tables) in [(true, false), (false, true), (true, true)] {
        let mut session = Session::new("Ada", "");
        heard(&mut session);
        let message = codec::encode_server(&without(schema, tables));
        let result = session.handle_message(&message, 0);
        assert_eq!(result, Err(SessionError::NoSchema), "{schema} {tables}");
    }
}

#[test]
fn members_come_in_pages_as_long_as_there_are_more() {
    let mut session = Session::new("Ada", "");
    say(&mut session, &welcome());
    let mut first = joined();
    if let ServerMessage::Joined { more, .. } = &mut first {
        *more = true;
    }
    say(&mut session, &first);
    let page = |from: u16, more| ServerMessage::Members {
        members: (from..from + 2).map(member).collect(),
        more,
    };
    for (from, more) in [(10, true), (20, false)] {
        say(&mut session, &page(from, more));
        let told = happened(&mut session).pop();
        assert!(matches!(told, Some(Event::Members { more: it, .. }) if it == more));
        assert_eq!(session.room().map(|room| room.more_members), Some(more));
    }
    let known = |room: &RoomSession| room.members.iter().map(|known| known.player.0).collect();
    let known: Option<Vec<u16>> = session.room().map(known);
    assert_eq!(known, Some(vec![3, 10, 11, 20, 21]));
    let result = session.handle_message(&codec::encode_server(&page(30, false)), 0);
    assert_eq!(result, Err(SessionError::Unexpected));
}

#[test]
fn a_redirect_is_told_and_the_next_session_brings_the_ticket() {
    let (mut session, _) = in_room();
    let token = ServerMessage::ResumeToken {
        token: "secret".to_owned(),
        grace_ms: 30_000,
    };
    say(&mut session, &token);
    let redirect = ServerMessage::Redirect {
        url: "wss://elsewhere/ws".to_owned(),
        ticket: "t".to_owned(),
        room: RoomId(1),
        valid_ms: 10_000,
    };
    say(&mut session, &redirect);
    let Some(Event::Redirect(redirect)) = happened(&mut session).pop() else {
        panic!("it is not told");
    };
    let seat = session.ticket();
    let who = JoinAs {
        spectator: true,
        options: vec![],
    };
    let mut next = redirect.follow("bot", seat.as_ref(), &who);
    let resume = ClientMessage::Resume {
        token: "secret".to_owned(),
        chat: 0,
        seen: Tick(0),
    };
    assert_eq!(heard(&mut next), [hello_again("bot", "t"), resume]);
    let join = ClientMessage::JoinRoom {
        room: RoomId(1),
        who: who.clone(),
    };
    let mut next = redirect.follow("bot", None, &who);
    assert_eq!(heard(&mut next), [hello_again("bot", "t"), join]);
}

#[test]
fn a_prepare_is_told_in_the_lobby_and_in_a_room_and_not_before() {
    let prepare = ServerMessage::Prepare {
        url: "wss://elsewhere/ws".to_owned(),
        valid_ms: 4000,
    };
    let (mut session, _) = in_room();
    say(&mut session, &prepare);
    let told = Event::Prepare {
        url: "wss://elsewhere/ws".to_owned(),
        valid_ms: 4000,
    };
    assert_eq!(happened(&mut session).pop(), Some(told.clone()));
    let reason = LeaveReason::Asked;
    say(&mut session, &ServerMessage::Left { reason });
    say(&mut session, &prepare);
    assert_eq!(happened(&mut session).pop(), Some(told));
    let mut session = Session::new("Ada", "");
    let early = session.handle_message(&codec::encode_server(&prepare), 0);
    assert_eq!(early, Err(SessionError::Unexpected));
}

fn notice(text: &str, event: Option<NoticeEvent>) -> ServerMessage {
    ServerMessage::Notice {
        number: 7,
        at: 60,
        text: text.to_owned(),
        event,
    }
}

fn packed_hit() -> Vec<u8> {
    let mut bytes = Vec::new();
    fields::pack(&schema().events[0].fields, &[5], &mut bytes);
    bytes
}

#[test]
fn a_notice_is_told_in_the_lobby_and_in_a_room_and_not_before() {
    let fields = packed_hit();
    let said = notice("supper", Some(NoticeEvent { event: 0, fields }));
    let (mut session, _) = in_room();
    say(&mut session, &said);
    let told = Event::Notice {
        number: 7,
        at: 60,
        text: "supper".to_owned(),
        event: Some(NoticeOf {
            event: 0,
            values: vec![5],
            payload: None,
        }),
    };
    assert_eq!(happened(&mut session).pop(), Some(told.clone()));
    session.leave().unwrap();
    session.notices_seen(7).unwrap();
    let reason = LeaveReason::Asked;
    say(&mut session, &ServerMessage::Left { reason });
    say(&mut session, &said);
    assert_eq!(happened(&mut session).pop(), Some(told));
    session.notices_seen(8).unwrap();
    let seen = |number| ClientMessage::NoticesSeen { number };
    let expected = [ClientMessage::LeaveRoom, seen(7), seen(8)];
    assert_eq!(heard(&mut session), expected);
    let mut session = Session::new("Ada", "");
    let early = session.handle_message(&codec::encode_server(&said), 0);
    assert_eq!(early, Err(SessionError::Unexpected));
    assert_eq!(session.notices_seen(7), Err(RequestError::NotNow));
}

#[test]
fn a_notice_that_is_none_is_refused() {
    let check = |message: ServerMessage, error: SessionError| {
        let (mut session, _) = in_room();
        let result = session.handle_message(&codec::encode_server(&message), 0);
        assert_eq!(result, Err(error));
    };
    let event = |event, fields: &[u8]| {
        let fields = fields.to_vec();
        Some(NoticeEvent { event, fields })
    };
    let fields = packed_hit();
    check(notice("", None), SessionError::Control);
    check(notice(&"x".repeat(201), None), SessionError::Control);
    check(notice("", event(1, &fields)), SessionError::UnknownEvent);
    let longer = [&fields[..], &[0]].concat();
    check(notice("", event(0, &longer)), SessionError::Control);
    let cut = SessionError::Snapshot(DecodeError::Truncated);
    check(notice("", event(0, &[])), cut);
}

#[test]
fn what_a_server_of_tomorrow_says_is_passed_over() {
    let (mut session, _) = in_room();
    for message in [&[1, 128, 0][..], &[1, 250, 2, 9, 9]] {
        assert_eq!(session.handle_message(message, 0), Ok(()));
    }
    assert!(happened(&mut session).is_empty());
    let result = session.handle_message(&[1, 127, 0], 0);
    assert_eq!(result, Err(SessionError::Control));
}

#[test]
fn a_schema_that_makes_no_sense_is_refused() {
    let mut session = Session::new("Ada", "");
    let mut message = welcome();
    if let ServerMessage::Welcome {
        schema: Some(schema),
        ..
    } = &mut message
    {
        schema.input[0].name.clear();
    }
    let result = session.handle_message(&codec::encode_server(&message), 0);
    assert!(matches!(result, Err(SessionError::Schema(_))), "{result:?}");
}

proptest! {
    #[test]
    fn damaged_snapshots_are_errors_or_snapshots(
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let (mut session, mut peer) = in_room();
        session.handle_message(&peer.snapshot(10, 1, false, &[]), 0).expect("a snapshot");
        let mut bytes = peer.snapshot(12, 90, false, &[]);
        for (index, value) in flips {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(1 + cut.index(bytes.len()));
        let _ = session.handle_message(&bytes, 40_000);
        session.handle_timeout(50_000);
        let _ = session.next_input(50_000);
    }

    #[test]
    fn any_bytes_leave_a_session_that_answers(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut session = Session::new("Ada", "");
        let _ = session.handle_message(&bytes, 0);
        let (mut session, _) = in_room();
        let _ = session.handle_message(&bytes, 0);
        prop_assert!(matches!(session.state(), State::Failed | State::Room | State::Lobby));
    }
}
