//! How the wire may change (`docs/wire.md`): what `tickwire.2` has stays as it is, byte for byte,
//! and what is new is in the reserved ranges.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tickwire::codec::{decode_client, decode_server, encode_client, encode_server};
use tickwire::ids::{PlayerId, RoomId};
use tickwire::protocol::people::{Line, LinesPage, Peer};
use tickwire::protocol::server_message::{Page, PastLine, Refusal};
use tickwire::protocol::{
    ClientMessage, LATER_FROM, LobbyPeople, Numbered, OutOfParty, OutOfQueue, PartyRequest,
    PartyState, PeerAt, PeerPresence, PeopleNews, PeopleRequest, QueueRequest, QueueState,
    RESERVED_FROM, RESERVED_TO, SUBPROTOCOL, ServerMessage, feature,
};

use crate::vectors::hex;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Names between backticks of the paragraph of `docs/wire.md` that begins so.
fn listed(page: &str, start: &str) -> Vec<String> {
    let line = page.lines().find(|line| line.starts_with(start));
    let line = line.unwrap_or_else(|| panic!("no paragraph {start:?}"));
    line.split('`').skip(1).step_by(2).map(Into::into).collect()
}

/// Variants of an enum, in their order, as the source has them.
fn variants(source: &str, name: &str) -> Vec<String> {
    let start = format!("pub enum {name} {{");
    let (_, body) = source.split_once(&start).expect("the enum");
    body.lines()
        .take_while(|line| *line != "}")
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(char::is_uppercase))
        .filter_map(|line| line.split(|c: char| !c.is_alphanumeric()).next())
        .map(Into::into)
        .collect()
}

#[test]
fn messages_below_the_reserved_range_are_those_of_the_base() {
    let page = read("../docs/wire.md");
    let sides = [
        (
            "client",
            "ClientMessage",
            ClientMessage::BASE,
            ClientMessage::LATER,
        ),
        (
            "server",
            "ServerMessage",
            ServerMessage::BASE,
            ServerMessage::LATER,
        ),
    ];
    for (side, name, base_count, indices) in sides {
        let base = listed(&page, &format!("Messages from a {side}, by"));
        let later = listed(&page, &format!("Later ones from a {side}"));
        let source = read(&format!("src/protocol/{side}_message.rs"));
        let why = "what is new comes from index 129 on, docs/wire.md says how";
        assert_eq!(base.len(), usize::from(base_count), "{why}");
        assert_eq!(later.len(), indices.len(), "{why}");
        assert_eq!(variants(&source, name), [base, later].concat(), "{why}");
        assert!(
            base_count < RESERVED_FROM && indices.is_sorted_by(|a, b| a < b),
            "{why}"
        );
        let range = LATER_FROM..=RESERVED_TO;
        assert!(indices.iter().all(|index| range.contains(index)), "{why}");
    }
}

/// A client of the base skips what came later: each has its length behind its index.
#[test]
fn later_messages_have_an_index_of_the_reserved_range_and_their_length() {
    let bytes = encode_server(&ServerMessage::Prepare {
        url: "a".to_owned(),
        valid_ms: 300,
    });
    assert_eq!(bytes, [1, 129, 5, 1, b'a', 251, 44, 1]);
    let bytes = encode_server(&ServerMessage::Notice {
        number: 300,
        at: 2,
        text: "a".to_owned(),
        event: None,
    });
    assert_eq!(bytes, [1, 130, 7, 251, 44, 1, 2, 1, b'a', 0]);
    let bytes = encode_client(&ClientMessage::NoticesSeen { number: 300 });
    assert_eq!(bytes, [1, 129, 3, 251, 44, 1]);
    let bytes = encode_client(&ClientMessage::Say {
        channel: "room".to_owned(),
        nonce: 7,
        text: "a".to_owned(),
    });
    assert_eq!(
        bytes,
        [&[1, 130, 8, 4], &b"room"[..], &[7, 1, b'a']].concat()
    );
    let bytes = encode_server(&ServerMessage::Said {
        nonce: 7,
        result: Ok(300),
    });
    assert_eq!(bytes, [1, 131, 5, 7, 0, 251, 44, 1]);
    let bytes = encode_client(&ClientMessage::History {
        channel: "room".to_owned(),
        nonce: 7,
        before: 300,
    });
    assert_eq!(
        bytes,
        [&[1, 131, 9, 4], &b"room"[..], &[7, 251, 44, 1]].concat()
    );
    let line = PastLine {
        id: 1,
        at: 2,
        own: true,
        name: "a".to_owned(),
        text: "b".to_owned(),
    };
    let bytes = encode_server(&ServerMessage::Lines {
        nonce: 7,
        result: Ok(Page {
            lines: vec![line],
            more: false,
            next: 300,
        }),
    });
    assert_eq!(
        bytes,
        [
            1, 132, 14, 7, 0, 1, 1, 2, 1, 1, b'a', 1, b'b', 0, 251, 44, 1
        ]
    );
    let channel = "room".to_owned();
    let bytes = encode_client(&ClientMessage::Typing { channel });
    assert_eq!(bytes, [&[1, 132, 5, 4], &b"room"[..]].concat());
    let player = PlayerId(3);
    let bytes = encode_server(&ServerMessage::Typing { player });
    assert_eq!(bytes, [1, 133, 1, 3]);
    let enter = PeopleRequest::Enter {
        nonce: 300,
        lobby: true,
    };
    let bytes = encode_client(&ClientMessage::People(enter));
    assert_eq!(bytes, [1, 133, 5, 0, 251, 44, 1, 1]);
    let line = Line {
        id: 1,
        at: 2,
        from: "h".to_owned(),
        own: true,
        name: "a".to_owned(),
        text: "b".to_owned(),
    };
    let bytes = encode_server(&ServerMessage::Line {
        channel: "lobby".to_owned(),
        line: line.clone(),
    });
    let expected = [
        &[1, 134, 15, 5],
        &b"lobby"[..],
        b"\x01\x02\x01h\x01\x01a\x01b",
    ];
    assert_eq!(bytes, expected.concat());
    let bytes = encode_server(&ServerMessage::Past {
        nonce: 7,
        result: Ok(LinesPage {
            lines: vec![line],
            more: false,
            next: 300,
        }),
    });
    let expected = [
        &[1, 135, 16, 7, 0, 1],
        &b"\x01\x02\x01h\x01\x01a\x01b"[..],
        &[0, 251, 44, 1],
    ];
    assert_eq!(bytes, expected.concat());
    let bytes = encode_server(&ServerMessage::People(PeopleNews::Answer {
        nonce: 7,
        result: Err(Refusal::NoSuchPlayer),
    }));
    assert_eq!(bytes, [1, 136, 4, 3, 7, 1, 6]);
    let watch = ClientMessage::Watch {
        handles: vec!["h".to_owned()],
    };
    assert_eq!(encode_client(&watch), [1, 134, 3, 1, 1, b'h']);
    let at = PeerAt::Room {
        game: "g".to_owned(),
        room: Some(RoomId(300)),
    };
    let handle = "h".to_owned();
    let peers = vec![PeerPresence { handle, at }];
    let bytes = encode_server(&ServerMessage::Presence { peers });
    assert_eq!(bytes, [1, 137, 10, 1, 1, b'h', 3, 1, b'g', 1, 251, 44, 1]);
    let bytes = encode_server(&ServerMessage::PeerTyping {
        channel: "lobby".to_owned(),
        peer: Peer {
            handle: "h".to_owned(),
            name: "a".to_owned(),
        },
    });
    let expected = [&[1, 138, 10, 5], &b"lobby"[..], b"\x01h\x01a"];
    assert_eq!(bytes, expected.concat());
    let news = LobbyPeople {
        count: 300,
        here: vec![Peer {
            handle: "h".to_owned(),
            name: "a".to_owned(),
        }],
        gone: vec!["g".to_owned()],
    };
    let bytes = encode_server(&ServerMessage::Lobby(news));
    let expected = [1, 139, 11, 251, 44, 1, 1, 1, b'h', 1, b'a', 1, 1, b'g'];
    assert_eq!(bytes, expected);
    let channel = "&7".to_owned();
    let bytes = encode_server(&ServerMessage::People(PeopleNews::Party { channel }));
    assert_eq!(bytes, [1, 136, 4, 4, 2, b'&', b'7']);
    let answer = QueueRequest::Answer {
        offer: 300,
        accept: true,
    };
    let bytes = encode_client(&ClientMessage::Queue(answer));
    assert_eq!(bytes, [1, 140, 5, 3, 251, 44, 1, 1]);
    let state = QueueState::Out {
        why: OutOfQueue::Cooling,
        own: true,
        again_ms: 300,
    };
    let bytes = encode_server(&ServerMessage::Queue { nonce: 7, state });
    assert_eq!(bytes, [1, 140, 7, 7, 0, 5, 1, 251, 44, 1]);
    let join = PartyRequest::Join {
        nonce: 300,
        code: "A".to_owned(),
    };
    let bytes = encode_client(&ClientMessage::Party(join));
    assert_eq!(bytes, [1, 141, 6, 1, 251, 44, 1, 1, b'A']);
    let why = OutOfParty::Kicked;
    let state = PartyState::Out { why };
    let bytes = encode_server(&ServerMessage::Party { nonce: 0, state });
    assert_eq!(bytes, [1, 141, 3, 0, 0, 7]);
}

#[test]
fn features_are_those_that_both_pages_list() {
    let names = listed(&read("../docs/wire.md"), "Features:");
    let bits = [
        ("LAYERS", feature::LAYERS),
        ("REDIRECT", feature::REDIRECT),
        ("PREPARE", feature::PREPARE),
        ("NOTICES", feature::NOTICES),
        ("CHANNELS", feature::CHANNELS),
        ("LINES", feature::LINES),
        ("QUEUE", feature::QUEUE),
        ("PEOPLE", feature::PEOPLE),
        ("PARTIES", feature::PARTIES),
        ("WATCH", feature::WATCH),
        ("TALKS", feature::TALKS),
        ("LOBBY", feature::LOBBY),
    ];
    assert_eq!(names, bits.map(|(name, _)| name));
    let all = bits.iter().fold(0, |all, (_, bit)| all | bit);
    assert_eq!(feature::ALL, all, "a feature without a name");
    let protocol = read("PROTOCOL.md");
    for (name, bit) in bits {
        let row = format!("| {} | `{name}` |", bit.trailing_zeros());
        assert!(protocol.contains(&row), "{row}");
    }
    let script = read("../client-web/src/protocol/frame.js");
    for (name, bit) in bits.into_iter().chain([("ALL", feature::ALL)]) {
        assert!(script.contains(&format!("{name}: {bit},")), "{name}");
    }
}

/// There is no way to make these anew: who would have to changes what open pages speak.
#[test]
fn the_bases_bytes_are_what_they_were() {
    let base: Value = serde_json::from_str(&read("vectors/base_control.json")).expect("JSON");
    let cases = base["cases"].as_array().expect("cases");
    let why = format!("{SUBPROTOCOL} is spoken by pages that are open");
    let mut seen = 0;
    for case in cases
        .iter()
        .filter(|case| case["message"].is_object() || case["message"].is_string())
    {
        let text = case["bytes"].as_str().expect("bytes");
        let bytes: Vec<u8> = (0..text.len() / 2)
            .filter_map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok())
            .collect();
        let (message, again) = if case["from"] == "client" {
            let message = decode_client(&bytes).ok().flatten().expect(&why);
            (serde_json::to_value(&message), encode_client(&message))
        } else {
            let message = decode_server(&bytes).ok().flatten().expect(&why);
            (serde_json::to_value(&message), encode_server(&message))
        };
        assert_eq!(message.ok().as_ref(), Some(&case["message"]), "{why}");
        assert_eq!(hex(&again), text, "{why}");
        seen += 1;
    }
    assert!(seen > 40, "{seen}");
}
