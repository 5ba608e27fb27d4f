//! Values that no node wrote: of other types, torn, huge, of other formats. Each is an error or is
//! left out, and none ends anything.

use tickwire::ids::RoomId;
use tickwire_harness::Redis;

use super::super::codec::{checkpoint_head, encode_incarnation, encode_node};
use super::super::messages::{Command, Epoch, Incarnation};
use super::super::{CHECKPOINT_BYTES_MAX, Event, Failure, Put};
use super::decoded;
use super::node::{HIGHEST, Node, checkpoint, event, key, operator, order, record};

const A: Incarnation = Incarnation(0xA);
const B: Incarnation = Incarnation(0xB);

/// What fuzzing starts from: one of each kind, in a file each. `TICKWIRE_BLESS=1` writes them.
#[test]
fn the_kept_corpus_finds_nothing() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/fuzz/corpus/engine");
    if std::env::var_os("TICKWIRE_BLESS").is_some() {
        std::fs::create_dir_all(folder).unwrap();
        for (name, bytes) in seeds() {
            std::fs::write(format!("{folder}/{name}"), bytes).unwrap();
        }
    }
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus is there") {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        decoded::run(&std::fs::read(path).unwrap());
        count += 1;
    }
    assert!(count >= seeds().len(), "{count} inputs");
}

fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let node = encode_node(&record(A, 3));
    let room = format!("1|1732000000123|{}", encode_incarnation(A));
    let head = checkpoint_head(Epoch(9), tickwire::ids::Tick(77));
    let text = |bytes: &[u8]| [format!("${}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    let list =
        |parts: &[Vec<u8>]| [format!("*{}\r\n", parts.len()).into_bytes(), parts.concat()].concat();
    let beat = list(&[
        list(&[text(b"7"), text(room.as_bytes())]),
        list(&[text(b"8"), text(b"1732000000124")]),
        list(&[text(encode_incarnation(A).as_bytes()), text(&node)]),
        list(&[text(b"9"), text(room.as_bytes())]),
    ]);
    let of = |kind: u8, bytes: &[u8]| [&[kind], bytes].concat();
    vec![
        ("node", of(0, &node)),
        ("room", of(1, room.as_bytes())),
        ("checkpoint", of(2, format!("{head}blob").as_bytes())),
        ("beat", of(3, &beat)),
        ("fenced", of(3, b"$-1\r\n")),
        ("epoch", of(3, &text(b"1732000000125"))),
        ("none", of(3, &text(b""))),
        ("flag", of(3, b":1\r\n")),
        ("error", of(3, b"-WRONGTYPE Operation\r\n")),
        ("deep", of(3, &b"*1\r\n".repeat(64))),
        ("huge", of(3, b"*4\r\n*999999999\r\n$999999999\r\n")),
    ]
}

#[test]
fn what_is_cut_or_changed_anywhere_is_read_as_something_else_or_not_at_all() {
    for (_, seed) in seeds() {
        for end in 0..seed.len() {
            decoded::run(&seed[..end]);
        }
        for at in 0..seed.len() {
            for change in [1, 0x80, 0xFF] {
                let mut bytes = seed.clone();
                bytes[at] ^= change;
                decoded::run(&bytes);
            }
        }
    }
}

#[tokio::test]
async fn records_that_are_none_hide_no_others_and_heal_with_the_next_beat() {
    let server = Redis::start(&[]);
    let mut node = Node::redis(&server).await;
    let epoch = node.create(1, A).await.unwrap();
    let mine = [(RoomId(1), epoch)];
    node.beat(A, 1, &mine).await;
    let huge = "x".repeat(100_000);
    let other = encode_incarnation(B);
    let future = format!("2|9|{huge}");
    for wrong in [
        "",
        "rubbish",
        "1|",
        "1|1|",
        "1|99999999999999999999|\u{0}",
        &huge,
        &future,
    ] {
        order(&server, &["HSET", &key("n"), &other, wrong]);
        order(&server, &["HSET", &key("n"), "no incarnation", wrong]);
        order(&server, &["HSET", &key("r"), "1", wrong]);
        order(&server, &["HSET", &key("r"), "no room", wrong]);
        order(&server, &["SADD", &key("a"), "no incarnation", &other]);
        order(
            &server,
            &["SADD", &key(&format!("o:{other}")), "no room", "1"],
        );
        let beat = node.beat(A, 2, &mine).await;
        assert_eq!(beat.nodes.len(), 1, "{wrong:.20}");
        assert!(
            beat.lost.is_empty() && beat.orphans.is_empty(),
            "{wrong:.20}"
        );
        // The room is A's again.
        assert_eq!(node.adopt(1, epoch, B, B).await, None);
        let kept = checkpoint(1, epoch, b"room");
        let keeper = node.engine.checkpoints();
        assert_eq!(keeper.put(vec![kept]).await, [Put::Stored], "{wrong:.20}");
    }
}

#[tokio::test]
async fn epochs_end_and_no_room_changes_hands_then() {
    let server = Redis::start(&[]);
    let mut node = Node::redis(&server).await;
    node.beat(A, 1, &[(RoomId(1), HIGHEST)]).await;
    node.beat(B, 1, &[]).await;
    assert_eq!(node.hand_over(1, HIGHEST, A, B).await, None);
    order(&server, &["SET", &key("c"), "rubbish"]);
    assert!(node.create(2, A).await.is_some());
    order(&server, &["SET", &key("c"), "9007199254740991"]);
    assert_eq!(node.create(3, A).await, None);
    let room = RoomId(4);
    let epoch = Epoch(u64::MAX);
    node.send(Command::Forget { room, epoch, me: A });
    match event(&mut node.engine).await {
        Event::Failed { why, .. } => assert_eq!(why, Failure::TooBig),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn keys_of_another_type_are_errors_and_the_connection_lasts() {
    let server = Redis::start(&[]);
    let mut node = Node::redis(&server).await;
    let keeper = node.engine.checkpoints();
    for name in ["n", "r", "f", "a"] {
        order(&server, &["FLUSHALL"]);
        order(&server, &["SET", &key(name), "a text"]);
        let mut refused = false;
        for command in decoded::commands() {
            node.send(command);
            match event(&mut node.engine).await {
                Event::Failed { run, why } => {
                    assert_eq!(run, node.run);
                    let Failure::Refused(why) = why else {
                        panic!("{why:?}")
                    };
                    assert!(why.contains("WRONGTYPE"), "{why}");
                    refused = true;
                }
                Event::Replied { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        assert!(refused, "{name}");
    }
    order(&server, &["FLUSHALL"]);
    node.beat(A, 1, &[(RoomId(1), Epoch(9))]).await;
    order(&server, &["LPUSH", &key("ck:1"), "a", "list"]);
    let got = keeper.get(RoomId(1)).await;
    assert!(matches!(got, Err(Failure::Refused(_))), "{got:?}");
    // A checkpoint replaces whatever is there.
    let kept = checkpoint(1, Epoch(9), b"room");
    assert_eq!(keeper.put(vec![kept.clone()]).await, [Put::Stored]);
    assert_eq!(keeper.get(RoomId(1)).await, Ok(Some(kept)));
    node.beat(A, 2, &[]).await;
}

#[tokio::test]
async fn checkpoints_that_are_none_or_too_long_are_errors() {
    let server = Redis::start(&[]);
    let node = Node::redis(&server).await;
    let keeper = node.engine.checkpoints();
    let long = vec![b'x'; CHECKPOINT_BYTES_MAX + 1];
    let head = checkpoint_head(Epoch(9), tickwire::ids::Tick(77)).into_bytes();
    let too_long = [head.clone(), long].concat();
    let much_too_long = [head, vec![b'x'; 10 * CHECKPOINT_BYTES_MAX]].concat();
    for (value, is) in [
        (b"rubbish".to_vec(), None),
        (b"2|9|77|blob".to_vec(), None),
        (b"1|9|4294967296|blob".to_vec(), None),
        (b"1|9|".to_vec(), None),
        (too_long, Some(Failure::TooBig)),
        (much_too_long, Some(Failure::TooBig)),
    ] {
        let mut set = ::redis::cmd("SET");
        set.arg(key("ck:1")).arg(value.as_slice());
        set.exec(&mut operator(&server)).unwrap();
        let got = keeper.get(RoomId(1)).await;
        match is {
            Some(is) => assert_eq!(got, Err(is)),
            None => assert!(matches!(got, Err(Failure::Unreadable(_))), "{got:?}"),
        }
    }
}
