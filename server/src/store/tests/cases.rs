//! What a store does, whatever is behind it: each case in tables of its own.

use std::time::Duration;

use serde_json::json;

use super::{FAR_MS, Running, answer, counted, line, message, notice, notices, outbox, result};
use crate::config::StorePlace;
use crate::store::ReadError;
use crate::store::record::{Block, Direct, Notice, Player, Record, Room, Sanction, Seen, Terms};
use crate::store::value::{Statement, Value};

/// All cases, each at a place of its own that `place` makes.
pub(super) async fn all(mut place: impl AsyncFnMut(&'static str) -> StorePlace) {
    lines_are_read_in_pages(place("pages").await).await;
    every_record_is_there_once(place("once").await).await;
    the_later_name_stays(place("later").await).await;
    results_are_there_once_with_their_players(place("results").await).await;
    counted::all(&mut place).await;
    notices::all(&mut place).await;
    outbox::all(&mut place).await;
    bans_come_and_go(place("bans").await).await;
    what_is_old_goes_and_the_rest_stays(place("old").await).await;
    who_is_erased_is_nowhere_and_results_add_up(place("erased").await).await;
    all_of_a_person_is_exported(place("exported").await).await;
    what_can_not_be_read_is_an_error(place("unread").await).await;
    acknowledged_is_there_for_the_next_process(place("next").await).await;
}

/// The rows of a `SELECT`, as texts.
pub(super) async fn rows(running: &Running, sql: &'static str) -> Vec<String> {
    assert!(running.store.settled().await);
    let rows = running.store.read(Statement::new(sql, [])).await.unwrap();
    let shown = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        Value::Int(value) => value.to_string(),
        Value::Real(value) => value.to_string(),
        Value::Text(text) => text.to_string(),
    };
    let shown = rows.iter().map(|row| row.0.iter().map(shown));
    shown.map(|row| row.collect::<Vec<_>>().join(" ")).collect()
}

async fn lines_are_read_in_pages(place: StorePlace) {
    let running = Running::start(place).await;
    for sequence in 1..=120 {
        running.store.put(line("a", sequence));
        running.store.put(line("b", 1000 + sequence));
    }
    assert!(running.store.settled().await);
    let numbers = |lines: Vec<crate::store::record::Message>| {
        assert!(lines.iter().all(|line| line.channel == "a"));
        lines.iter().map(|line| line.sequence).collect::<Vec<_>>()
    };
    let store = &running.store;
    let before = async |before| numbers(store.messages_before("a", before).await.unwrap());
    assert_eq!(before(None).await, (71..=120).collect::<Vec<_>>());
    assert_eq!(before(Some(71)).await, (21..=70).collect::<Vec<_>>());
    assert_eq!(before(Some(21)).await, (1..=20).collect::<Vec<_>>());
    assert!(before(Some(1)).await.is_empty());
    let after = async |after| numbers(store.messages_after("a", after).await.unwrap());
    assert_eq!(after(0).await, (1..=50).collect::<Vec<_>>());
    assert_eq!(after(118).await, [119, 120]);
    assert_eq!(store.newest_message("a").await, Ok(120));
    assert_eq!(store.newest_message("c").await, Ok(0));
    let mut odd = message(
        "odd",
        u64::from(u32::MAX),
        "user:ö",
        "\0 it's 'odd' \u{1F600}",
    );
    odd.nonce = Some(u64::MAX);
    store.put(Record::Message(odd.clone()));
    assert!(store.settled().await);
    odd.text = "\u{fffd} it's 'odd' \u{1F600}".to_owned();
    assert_eq!(store.messages_before("odd", None).await, Ok(vec![odd]));
}

async fn every_record_is_there_once(place: StorePlace) {
    let running = Running::start(place).await;
    let nonce = |channel: &str, sequence, nonce| {
        let mut line = message(channel, sequence, "user:ann", "hello");
        line.nonce = Some(nonce);
        Record::Message(line)
    };
    for _ in 0..2 {
        running.store.put(line("a", 1));
        running.store.put(nonce("a", 2, 7));
        // Said again: a place in the order that stays empty.
        running.store.put(nonce("a", 3, 7));
        running.store.put(nonce("b", 1, 7));
        running.store.put(Record::Room(Room {
            room: "1-a".into(),
            game: "chess".into(),
            number: 1,
            opened_at_ms: FAR_MS,
        }));
        for players in [&[""][..], &["user:ann", "user:bo"]] {
            running
                .store
                .put(Record::Notice(notice(players, "tidings")));
        }
        running.store.put(Record::Block(Block {
            player: "user:ann".into(),
            blocked: "user:bo".into(),
            at_ms: Some(9),
        }));
        // Once they are written, the same again.
        assert!(running.store.settled().await);
    }
    let said = "SELECT channel, sequence, nonce FROM messages ORDER BY channel, sequence";
    assert_eq!(rows(&running, said).await, ["a 1 -", "a 2 7", "b 1 7"]);
    let made = "SELECT room, game, number FROM rooms";
    assert_eq!(rows(&running, made).await, ["1-a chess 1"]);
    let told = "SELECT player, number, text FROM notices ORDER BY player";
    assert_eq!(
        rows(&running, told).await,
        [" 1 tidings", "user:ann 2 tidings", "user:bo 2 tidings"]
    );
    let blocked = "SELECT player, blocked, at FROM blocks";
    assert_eq!(rows(&running, blocked).await, ["user:ann user:bo 9"]);
    running.store.put(Record::Block(Block {
        player: "user:ann".into(),
        blocked: "user:bo".into(),
        at_ms: None,
    }));
    assert!(rows(&running, blocked).await.is_empty());
}

async fn the_later_name_stays(place: StorePlace) {
    let running = Running::start(place).await;
    for (name, at) in [("Ann", 20), ("Anna", 30), ("An", 10)] {
        running.store.put(Record::Player(Player {
            player: "user:ann".into(),
            name: name.into(),
            handle: String::new(),
            seen_at_ms: at,
        }));
    }
    let seen = "SELECT name, first_seen, last_seen FROM players";
    assert_eq!(rows(&running, seen).await, ["Anna 20 30"]);
}

async fn results_are_there_once_with_their_players(place: StorePlace) {
    let running = Running::start(place).await;
    let players = [("user:ann", 3), ("guest:bo", 1), ("", 0)];
    let mut won = result("1-a", 7, &players);
    won.players[1].left = true;
    let kept = running.store.put_acknowledged(Record::Result(won.clone()));
    kept.await.unwrap();
    // Told again as it was, and otherwise, by the same owner and by the next one: the first counts.
    running.store.put(Record::Result(won.clone()));
    for epoch in [0, 3] {
        let players = [("user:cy", 9); 5];
        let mut again = result("1-a", 7, &players);
        (again.epoch, again.ended_at_ms) = (epoch, 6_000);
        running.store.put(Record::Result(again));
    }
    let mut next = result("1-a", 8, &[]);
    next.epoch = 3;
    running.store.put(Record::Result(next));
    let matches = "SELECT room, epoch, round, game, season, ended_at FROM matches ORDER BY round";
    let told = ["1-a 0 7 chess 1 5000", "1-a 3 8 chess 1 5000"];
    assert_eq!(rows(&running, matches).await, told);
    let played = "SELECT number, player, name, team, place, score, has_left FROM match_players \
                  ORDER BY round, number";
    let told = [
        "0 user:ann ANN 1 1 3 0",
        "1 guest:bo GUEST:BO 2 2 1 1",
        "2   3 3 0 0",
    ];
    assert_eq!(rows(&running, played).await, told);
}

async fn bans_come_and_go(place: StorePlace) {
    let running = Running::start(place).await;
    let far = crate::date::now_ms();
    let sanction = |target: &str, until: Option<u64>| Sanction {
        kind: "ban",
        target: target.into(),
        terms: until.map(|until| Terms {
            until,
            since: 1,
            reason: "said \"no\"\n".into(),
        }),
    };
    // More than are read at once.
    let all: Vec<_> = (0..1500)
        .map(|number| sanction(&format!("user:{number:04}"), Some(far)))
        .collect();
    for sanction in &all {
        running.store.put(Record::Sanction(sanction.clone()));
    }
    running
        .store
        .put(Record::Sanction(sanction("10.0.0.7", Some(far))));
    running
        .store
        .put(Record::Sanction(sanction("10.0.0.7", Some(far + 1))));
    running
        .store
        .put(Record::Sanction(sanction("user:x", Some(far))));
    running
        .store
        .put(Record::Sanction(sanction("user:x", None)));
    assert!(running.store.settled().await);
    let kept = running.store.sanctions("ban", 0).await.unwrap();
    assert_eq!(kept[0], sanction("10.0.0.7", Some(far + 1)));
    assert_eq!(kept[1..], all);
    assert_eq!(running.store.sanctions("ban", far).await.unwrap().len(), 1);
    assert_eq!(running.store.sanctions("mute", 0).await, Ok(Vec::new()));
}

async fn what_is_old_goes_and_the_rest_stays(place: StorePlace) {
    let now = crate::date::now_ms();
    let hours = |hours: u64| now - hours * 3_600_000;
    let said = |channel: &str, sequence, said_at_ms| {
        let mut line = message(channel, sequence, "user:ann", "hello");
        line.said_at_ms = said_at_ms;
        Record::Message(line)
    };
    let told = |text: &str, said_at_ms, expires_ms| {
        Record::Notice(Notice {
            said_at_ms,
            expires_ms,
            ..notice(&[""], text)
        })
    };
    let seen = |player: &str, at_ms| {
        Record::Seen(Seen {
            player: player.into(),
            game: "chess".into(),
            number: 1,
            at_ms,
        })
    };
    let answered = |mark: &str, at_ms| Record::Answer(answer(mark, at_ms));
    {
        let running = Running::start(place.clone()).await;
        // More than one delete takes.
        for sequence in 0..1200 {
            running.store.put(said("a", sequence, hours(49)));
        }
        running.store.put(said("a", 2000, hours(47)));
        running.store.put(told("old", hours(25), u64::MAX));
        running.store.put(told("new", hours(23), u64::MAX));
        running.store.put(told("over", hours(1), now - 1));
        running.store.put(seen("user:old", hours(25)));
        running.store.put(seen("user:new", hours(23)));
        running.store.put(answered("old", hours(25)));
        running.store.put(answered("new", hours(23)));
        for (player, at) in [("guest:old", 49), ("guest:new", 1), ("user:old", 49)] {
            running.store.put(Record::Player(Player {
                player: player.into(),
                name: "name".into(),
                handle: String::new(),
                seen_at_ms: hours(at),
            }));
        }
        let mut won = result("1-a", 1, &[("guest:won", 1)]);
        won.ended_at_ms = hours(100);
        running.store.put(Record::Result(won));
        // Guests' places end, matches and users' places don't.
        let mut long_ago = result("1-a", 2, &[("guest:past", 9), ("user:past", 8)]);
        long_ago.ended_at_ms = hours(31 * 24);
        running.store.put(Record::Result(long_ago));
        assert!(running.store.settled().await);
    }
    let keep = |config: &mut crate::config::Config| {
        config.keep_chat = Duration::from_secs(48 * 3600);
        config.keep_notices = Duration::from_secs(24 * 3600);
    };
    let running = Running::start_with(place, keep).await;
    // It deletes until there is nothing more, as its figures don't say: it is asked until then.
    let left = async || rows(&running, "SELECT COUNT(*) FROM messages").await;
    let gone = async {
        while left().await != ["1"]
            || rows(&running, "SELECT COUNT(*) FROM notices").await != ["1"]
            || rows(&running, "SELECT COUNT(*) FROM players").await != ["5"]
            || rows(&running, "SELECT COUNT(*) FROM scores").await != ["2"]
            || rows(&running, "SELECT COUNT(*) FROM notices_seen").await != ["1"]
            || rows(&running, "SELECT COUNT(*) FROM api_answers").await != ["1"]
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(tickwire_harness::PATIENCE, gone)
        .await
        .expect("what is old goes");
    assert_eq!(
        rows(&running, "SELECT sequence FROM messages").await,
        ["2000"]
    );
    assert_eq!(rows(&running, "SELECT text FROM notices").await, ["new"]);
    let seen = "SELECT player FROM notices_seen";
    assert_eq!(rows(&running, seen).await, ["user:new"]);
    let answers = "SELECT mark FROM api_answers";
    assert_eq!(rows(&running, answers).await, ["new"]);
    let players = "SELECT player FROM players ORDER BY player";
    let stay = [
        "guest:new",
        "guest:past",
        "guest:won",
        "user:old",
        "user:past",
    ];
    assert_eq!(rows(&running, players).await, stay);
    let scores = "SELECT player FROM scores ORDER BY player";
    assert_eq!(rows(&running, scores).await, ["guest:won", "user:past"]);
}

/// What every table of a person's has in it.
fn everything_of(player: &str, name: &str) -> Vec<Record> {
    let now = crate::date::now_ms();
    let mut said = message("room", 1, player, "words-of-their-own");
    (said.name, said.said_at_ms, said.nonce) = (name.into(), now, Some(1));
    let mut won = result("1-a", 1, &[(player, 3), ("user:bo", 2)]);
    won.players[0].name = name.into();
    let direct = |player: &str, peer: &str| {
        Record::Direct(Direct {
            player: player.into(),
            peer: peer.into(),
            newest: 1,
            seen: 0,
            at_ms: now,
        })
    };
    let block = |player: &str, blocked: &str| {
        Record::Block(Block {
            player: player.into(),
            blocked: blocked.into(),
            at_ms: Some(1),
        })
    };
    vec![
        Record::Message(said),
        Record::Player(Player {
            player: player.into(),
            name: name.into(),
            handle: String::new(),
            seen_at_ms: now,
        }),
        Record::Seen(Seen {
            player: player.into(),
            game: "chess".into(),
            number: 0,
            at_ms: now,
        }),
        Record::Notice(notice(&[player], &format!("dear {name}"))),
        direct(player, "user:bo"),
        direct("user:bo", player),
        block(player, "user:bo"),
        block("user:bo", player),
        Record::Sanction(Sanction {
            kind: "mute",
            target: player.into(),
            terms: Some(Terms {
                until: now,
                since: 1,
                reason: format!("{name} is loud"),
            }),
        }),
        Record::Result(won),
    ]
}

const ADDED_UP: &str = "SELECT CAST(SUM(score) AS BIGINT), COUNT(*), MIN(place), MAX(place) \
    FROM match_players";
const BOARD: &str = "SELECT value FROM scores ORDER BY value DESC";

async fn who_is_erased_is_nowhere_and_results_add_up(place: StorePlace) {
    let running = Running::start(place).await;
    for record in everything_of("user:erasable-person", "Erasable Name") {
        running.store.put(record);
    }
    // Somebody else who is erased, of the same match and board.
    let before = (rows(&running, ADDED_UP).await, rows(&running, BOARD).await);
    assert_eq!(before.0, ["5 2 1 2"]);
    running.store.erase("user:erasable-person").await.unwrap();
    running.store.erase("user:bo").await.unwrap();
    let after = (rows(&running, ADDED_UP).await, rows(&running, BOARD).await);
    assert_eq!(after, before);
    let line = "SELECT channel, sequence, player, name, text, nonce FROM messages";
    assert_eq!(rows(&running, line).await, ["room 1    -"]);
    for kept in &crate::store::erase::KEPT {
        let table = match kept.table {
            "matches" => "SELECT * FROM match_players",
            "messages" => "SELECT * FROM messages",
            "players" => "SELECT * FROM players",
            "scores" => "SELECT * FROM scores",
            "ratings" => "SELECT * FROM ratings",
            "notices" => "SELECT * FROM notices",
            "notices_seen" => "SELECT * FROM notices_seen",
            "sanctions" => "SELECT * FROM sanctions",
            "blocks" => "SELECT * FROM blocks",
            "directs" => "SELECT * FROM directs",
            other => panic!("{other}"),
        };
        let left = rows(&running, table).await.join("\n").to_lowercase();
        for word in ["erasable", "words-of", "user:bo", "loud"] {
            assert!(!left.contains(word), "{table}: {left}");
        }
    }
}

async fn all_of_a_person_is_exported(place: StorePlace) {
    let running = Running::start(place).await;
    let records = everything_of("user:ann", "Ann");
    records.into_iter().for_each(|of| running.store.put(of));
    // More than are read at once.
    for sequence in 0..1500 {
        let mut line = message("long", sequence, "user:ann", "hello");
        line.said_at_ms = crate::date::now_ms();
        running.store.put(Record::Message(line));
    }
    let kept = running.store.export("user:ann").await.unwrap();
    assert_eq!(kept["messages"].as_array().unwrap().len(), 1501);
    assert_eq!(kept["messages"][1500]["text"], "words-of-their-own");
    assert_eq!(kept["players"][0]["name"], "Ann");
    let played = json!({
        "room": "1-a", "epoch": 0, "round": 1, "game": "chess", "season": "1", "ended_at": 5000,
        "player": "user:ann", "name": "Ann", "team": 1, "place": 1, "score": 3, "has_left": 0,
    });
    assert_eq!(kept["matches"], json!([played]));
    assert_eq!(kept["ratings"][0]["played"], 1);
    assert_eq!(kept["scores"][0]["value"], 3);
    let sizes: Vec<(&str, usize)> = crate::store::erase::KEPT
        .iter()
        .map(|of| (of.table, kept[of.table].as_array().unwrap().len()))
        .collect();
    let one = [
        "scores",
        "ratings",
        "notices",
        "notices_seen",
        "sanctions",
        "blocks",
        "directs",
    ];
    for table in one {
        assert!(sizes.contains(&(table, 1)), "{table}: {sizes:?}");
    }
    let nobody = running.store.export("user:cy").await.unwrap();
    assert!(
        nobody
            .as_object()
            .unwrap()
            .values()
            .all(|of| of == &json!([]))
    );
}

async fn what_can_not_be_read_is_an_error(place: StorePlace) {
    let running = Running::start(place).await;
    let wrong = running
        .store
        .read(Statement::new("SELECT nothing FROM nowhere", []));
    let wrong = wrong.await.unwrap_err();
    assert!(
        matches!(&wrong, ReadError::Failed(why) if why.contains("nowhere")),
        "{wrong}"
    );
    assert_eq!(running.store.newest_message("a").await, Ok(0));
    let text = running.metrics.render();
    assert!(
        text.contains("\ntickwire_store_errors_total{on=\"read\"} 1\n"),
        "{text}"
    );
}

async fn acknowledged_is_there_for_the_next_process(place: StorePlace) {
    let running = Running::start(place.clone()).await;
    running.store.put_acknowledged(line("a", 1)).await.unwrap();
    running.store.put(line("a", 2));
    running.end();
    let running = Running::start(place).await;
    assert_eq!(running.store.newest_message("a").await, Ok(2));
}
