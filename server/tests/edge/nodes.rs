//! What players have in common over three real nodes, with a Redis and a PostgreSQL: whichever node
//! each is connected to they are in one lobby, and it outlives the node that is its home.

use std::collections::BTreeMap;
use std::net::TcpListener;

use serde_json::{Value, json};
use tickwire::protocol::client_message::{JoinAs, NewRoom};
use tickwire::protocol::people::Line;
use tickwire::protocol::server_message::Refusal;
use tickwire::protocol::{
    ClientMessage, PartyRequest, PartyState, QueueRequest, QueueState, ServerMessage,
};
use tickwire_harness::{Postgres, Redis, Running, figure, server as program};

use crate::api::{ALL, keys, text};
use crate::people;
use crate::player::{Got, Player};
use crate::stored::{KEY, token};
use crate::support::{File, exchange, get, until};

const HERE: &str = "127.0.0.1";

/// Nodes of one cluster.
struct Fleet {
    nodes: Vec<Running>,
    _files: Vec<File>,
    _redis: Redis,
    _postgres: Postgres,
}

impl Fleet {
    async fn start(name: &str, count: usize) -> Fleet {
        let (redis, postgres) = (Redis::start(&[]), Postgres::start(&[]));
        let store = postgres.database(name);
        let cluster_key = File::new(
            "cluster-key",
            "a key that all of these nodes have, and no other",
        );
        let (auth_key, api_keys) = (File::new("auth-key", KEY), keys());
        let engine = format!("redis://{HERE}:{}", redis.port());
        let node = |_| {
            let free = TcpListener::bind((HERE, 0)).unwrap();
            let public = free.local_addr().unwrap();
            drop(free);
            let url = format!("ws://{public}/ws");
            let flags = [
                ("--listen", &*public.to_string()),
                ("--node-url", &url),
                ("--peer-listen", "127.0.0.1:0"),
                ("--cluster-url", &engine),
                ("--cluster-key-file", cluster_key.path()),
                ("--store", &store),
                ("--auth-key-file", auth_key.path()),
                ("--auth-issuer", "us"),
                ("--auth-audience", "them"),
                ("--api-listen", "127.0.0.1:0"),
                ("--api-keys-file", api_keys.path()),
                ("--workers", "1"),
            ];
            let flags: Vec<&str> = flags
                .iter()
                .flat_map(|(name, value)| [*name, *value])
                .collect();
            Running::start(&mut program(&flags))
        };
        let fleet = Fleet {
            nodes: (0..count).map(node).collect(),
            _redis: redis,
            _postgres: postgres,
            _files: vec![cluster_key, auth_key, api_keys],
        };
        for node in &fleet.nodes {
            until(async || of(node, "tickwire_cluster_nodes").await == count as f64).await;
        }
        fleet
    }

    /// Which node is the home, once all agree.
    async fn home(&self) -> usize {
        let home = std::cell::Cell::new(0);
        until(async || {
            let mut homes = Vec::new();
            for (at, node) in self.nodes.iter().enumerate() {
                if of(node, "tickwire_lending_is_home").await == 1.0 {
                    homes.push(at);
                }
            }
            home.set(homes.first().copied().unwrap_or_default());
            homes.len() == 1
        })
        .await;
        home.get()
    }
}

async fn of(node: &Running, name: &str) -> f64 {
    figure(&get(node.ops(), "/metrics").await.body, name)
}

/// Somebody who hears what is said in the lobby; their handle.
async fn enter(node: &Running, who: &str) -> (Player, String) {
    let mut player = Player::enter(node.public, HERE, &token(who)).await;
    let handle = people::enter(&mut player).await.0;
    (player, handle)
}

/// Says a line, again where nobody takes it: its number. What is heard meanwhile is kept.
async fn said(
    player: &mut Player,
    channel: &str,
    nonce: u32,
    text: &str,
    heard: &mut Vec<Line>,
) -> u32 {
    loop {
        player
            .say(&ClientMessage::Say {
                channel: channel.to_owned(),
                nonce,
                text: text.to_owned(),
            })
            .await;
        let result = loop {
            match player.next().await {
                Got::Control(message) => match *message {
                    ServerMessage::Said { nonce: of, result } if of == nonce => break result,
                    ServerMessage::Line { line, .. } => heard.push(line),
                    _ => {}
                },
                Got::Closed(code, why) => panic!("{code} {why}"),
            }
        };
        match result {
            Ok(number) => return number,
            Err(Refusal::Busy | Refusal::TooOften) => {
                // What paces a talker is time.
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            }
            Err(reason) => panic!("{reason:?}"),
        }
    }
}

async fn line(player: &mut Player) -> (String, Line) {
    player
        .wait(|message| match message {
            ServerMessage::Line { channel, line } => Some((channel, line)),
            _ => None,
        })
        .await
}

async fn notice(player: &mut Player) -> String {
    player
        .wait(|message| match message {
            ServerMessage::Notice { text, .. } => Some(text),
            _ => None,
        })
        .await
}

async fn api(node: &Running, method: &str, target: &str, body: &str) -> Value {
    let request = text(method, target, ALL, body);
    let answer = exchange(node.api(), request.as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

/// What comes of something durable that is said with this key.
async fn kept(node: &Running, key: &str, body: &Value) -> (u16, Value) {
    let request = text("POST", "/api/v1/events", ALL, &body.to_string());
    let with_key = format!("Idempotency-Key: {key}\r\nContent-Length");
    let request = request.replacen("Content-Length", &with_key, 1);
    let answer = exchange(node.api(), request.as_bytes()).await;
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

/// Has somebody go into a room, at whatever node it is: where they are redirected they go there.
async fn go(player: &mut Player, request: ClientMessage) {
    player.say(&request).await;
    for _ in 0..3 {
        let redirected = player.wait(|message| match message {
            ServerMessage::Redirect {
                url, ticket, room, ..
            } => Some(Some((url, ticket, room))),
            ServerMessage::ResumeToken { .. } => Some(None),
            ServerMessage::Refused { reason } => panic!("{reason:?}"),
            _ => None,
        });
        let Some((url, ticket, room)) = redirected.await else {
            return;
        };
        let address = url
            .strip_prefix("ws://")
            .and_then(|url| url.strip_suffix("/ws"));
        *player = Player::enter(address.unwrap().parse().unwrap(), HERE, &ticket).await;
        player.say(&join(room)).await;
    }
    panic!("sent on and on");
}

fn join(room: tickwire::ids::RoomId) -> ClientMessage {
    let who = JoinAs::default();
    ClientMessage::JoinRoom { room, who }
}

/// How somebody's party stands, once it is so.
async fn party<T>(player: &mut Player, is_so: impl Fn(PartyState) -> Option<T>) -> T {
    player
        .wait(|message| match message {
            ServerMessage::Party { state, .. } => is_so(state),
            _ => None,
        })
        .await
}

async fn queue<T>(player: &mut Player, is_so: impl Fn(QueueState) -> Option<T>) -> T {
    player
        .wait(|message| match message {
            ServerMessage::Queue { state, .. } => is_so(state),
            _ => None,
        })
        .await
}

/// All lines of a channel, by their numbers.
async fn history(player: &mut Player, channel: &str) -> BTreeMap<u32, String> {
    let (mut all, mut before) = (BTreeMap::new(), 0);
    loop {
        player
            .say(&ClientMessage::History {
                channel: channel.to_owned(),
                nonce: 9,
                before,
            })
            .await;
        loop {
            let page = player.wait(|message| match message {
                ServerMessage::Past { nonce: 9, result } => Some(result.unwrap()),
                _ => None,
            });
            let page = page.await;
            all.extend(page.lines.into_iter().map(|line| (line.id, line.text)));
            if !page.more {
                before = page.next;
                break;
            }
        }
        if before == 0 {
            return all;
        }
    }
}

#[tokio::test]
async fn players_of_three_nodes_are_in_one_lobby_and_it_outlives_its_home() {
    let mut fleet = Fleet::start("one_lobby", 3).await;
    let home = fleet.home().await;
    let others: Vec<usize> = (0..3).filter(|at| *at != home).collect();
    let (first, second) = (&fleet.nodes[others[0]], &fleet.nodes[others[1]]);
    let (mut ann, ann_is) = enter(first, "ann").await;
    let (mut bo, bo_is) = enter(second, "bo").await;
    let (mut cy, _) = enter(&fleet.nodes[home], "cy").await;
    let mut heard = Vec::new();
    let number = said(&mut ann, "lobby", 1, "hello", &mut heard).await;
    for player in [&mut bo, &mut cy] {
        let (channel, line) = line(player).await;
        let told = (&*channel, line.id, &*line.text, &*line.from);
        assert_eq!(told, ("lobby", number, "hello", &*ann_is));
    }
    said(&mut ann, &format!("@{bo_is}"), 2, "psst", &mut heard).await;
    let (channel, direct) = line(&mut bo).await;
    assert_eq!((channel, &*direct.text), (format!("@{ann_is}"), "psst"));

    // Programs reach them from any node, and are told of all.
    let answer = api(
        first,
        "POST",
        "/api/v1/events",
        &json!({"to": {"player": "user:bo"}, "text": "for Bo", "class": "now"}).to_string(),
    )
    .await;
    assert_eq!(answer["reached_now"], 1, "{answer}");
    assert_eq!(notice(&mut bo).await, "for Bo");
    let all = json!({"to": "everybody", "text": "for all", "class": "now"}).to_string();
    let answer = api(second, "POST", "/api/v1/events", &all).await;
    assert_eq!(answer["reached_now"], 3, "{answer}");
    for player in [&mut ann, &mut bo, &mut cy] {
        assert_eq!(notice(player).await, "for all");
    }
    let there = api(
        first,
        "GET",
        "/api/v1/presence?player=user:bo&player=user:dee",
        "",
    )
    .await;
    assert_eq!(there["players"][0]["online"], true, "{there}");
    assert_eq!(there["players"][1]["online"], false, "{there}");

    // The home is killed while lines are said.
    let mut told: BTreeMap<u32, String> = BTreeMap::new();
    let (mut ann_heard, mut bo_heard) = (Vec::new(), Vec::new());
    for turn in 0..16 {
        if turn == 6 {
            drop(fleet.nodes.remove(home));
        }
        for (player, name, heard) in [
            (&mut ann, "ann", &mut ann_heard),
            (&mut bo, "bo", &mut bo_heard),
        ] {
            let text = format!("{name} {turn}");
            let number = said(player, "lobby", 100 + turn, &text, heard).await;
            assert_eq!(told.insert(number, text), None, "a number is one line's");
        }
    }
    assert!(fleet.nodes.len() == 2);
    for player in [&mut ann, &mut bo] {
        let all = history(player, "lobby").await;
        let texts: Vec<&String> = all.values().filter(|text| *text != "hello").collect();
        assert_eq!(texts.len(), told.len(), "none is there twice: {all:?}");
        for (number, text) in &told {
            assert_eq!(all.get(number), Some(text), "it was acknowledged");
        }
    }
    for heard in [&ann_heard, &bo_heard] {
        let of_them = |line: &&Line| line.text.starts_with("ann ") || line.text.starts_with("bo ");
        let heard: Vec<&Line> = heard.iter().filter(of_them).collect();
        let is_rising = heard.windows(2).all(|two| two[0].id < two[1].id);
        assert!(is_rising, "one order, and none twice: {heard:?}");
        for line in heard {
            assert_eq!(told.get(&line.id), Some(&line.text));
        }
    }
    // And they hear one another as before.
    let number = said(&mut ann, "lobby", 900, "still there?", &mut ann_heard).await;
    loop {
        let (_, line) = line(&mut bo).await;
        if line.id == number {
            break;
        }
    }
}

#[tokio::test]
async fn a_party_of_two_nodes_talks_and_its_channel_outlives_its_home() {
    let mut fleet = Fleet::start("party_talk", 3).await;
    let home = fleet.home().await;
    let others: Vec<usize> = (0..3).filter(|at| *at != home).collect();
    let (mut ann, ann_is) = enter(&fleet.nodes[others[0]], "ann").await;
    let (mut bo, bo_is) = enter(&fleet.nodes[others[1]], "bo").await;
    let code = people::party(&mut ann, None).await;
    let talk = people::talk(&mut ann).await;
    people::party(&mut bo, Some(code)).await;
    assert_eq!(people::talk(&mut bo).await, talk);
    let direct = format!("@{bo_is}");
    for channel in ["lobby", &*talk, &*direct] {
        // It is told once in two seconds of her, and at once after a line.
        people::types(&mut ann, channel).await;
        let seen = people::writer(&mut bo).await;
        let theirs = if channel == direct {
            format!("@{ann_is}")
        } else {
            channel.to_owned()
        };
        assert_eq!(seen, (theirs, ann_is.clone()));
        said(&mut ann, channel, 1, "hello", &mut Vec::new()).await;
        assert_eq!(line(&mut bo).await.1.text, "hello");
    }
    // And see one another in the lobby.
    let handles = vec!["lobby".to_owned()];
    ann.say(&ClientMessage::Watch { handles }).await;
    let mut known = BTreeMap::new();
    while known.len() < 2 {
        let news = ann.wait(|message| match message {
            ServerMessage::Lobby(news) => Some(news),
            _ => None,
        });
        let here = news.await.here.into_iter();
        known.extend(here.map(|peer| (peer.handle, peer.name)));
    }
    assert!(known.contains_key(&ann_is) && known.contains_key(&bo_is));
    drop(fleet.nodes.remove(home));
    let number = said(&mut ann, &talk, 2, "still there?", &mut Vec::new()).await;
    let mut told = line(&mut bo).await;
    while told.1.id != number {
        told = line(&mut bo).await;
    }
    assert_eq!(told.0, talk);
    let all: Vec<String> = history(&mut bo, &talk).await.into_values().collect();
    assert_eq!(all, ["hello", "still there?"]);
}

#[tokio::test]
async fn a_party_goes_into_a_room_of_another_node_and_who_is_matched_plays_there_too() {
    let fleet = Fleet::start("together", 3).await;
    let home = fleet.home().await;
    let others: Vec<usize> = (0..3).filter(|at| *at != home).collect();
    let (first, second) = (&fleet.nodes[others[0]], &fleet.nodes[others[1]]);
    let (mut ann, _) = enter(first, "ann").await;
    let (mut bo, _) = enter(second, "bo").await;
    ann.say(&ClientMessage::Party(PartyRequest::Create { nonce: 1 }))
        .await;
    let code = party(&mut ann, |state| match state {
        PartyState::In { code, .. } => Some(code),
        _ => None,
    });
    let code = code.await;
    bo.say(&ClientMessage::Party(PartyRequest::Join { nonce: 2, code }))
        .await;
    for player in [&mut ann, &mut bo] {
        let both = party(player, |state| match state {
            PartyState::In { members, .. } => (members.len() == 2).then_some(()),
            _ => None,
        });
        both.await;
    }
    // She makes a private room where she is, which is not the home's node.
    let room = NewRoom {
        private: true,
        seats: 4,
        ..NewRoom::default()
    };
    go(&mut ann, ClientMessage::CreateRoom(room)).await;
    let to = party(&mut bo, |state| match state {
        PartyState::In { room, .. } => room.map(|led| led.room),
        _ => None,
    });
    let to = to.await;
    go(&mut bo, join(to)).await;
    let there = api(
        first,
        "GET",
        "/api/v1/presence?player=user:ann&player=user:bo",
        "",
    )
    .await;
    for player in 0..2 {
        let rooms = there["players"][player]["connections"]
            .as_array()
            .unwrap()
            .iter();
        let rooms: Vec<&Value> = rooms.map(|of| &of["room"]).collect();
        assert!(rooms.contains(&&json!(to.0)), "{there}");
    }

    let (mut cy, _) = enter(first, "cy").await;
    let (mut dee, _) = enter(second, "dee").await;
    for player in [&mut cy, &mut dee] {
        let enqueue = QueueRequest::Enqueue {
            nonce: 3,
            mode: "duel".to_owned(),
            regions: Vec::new(),
        };
        player.say(&ClientMessage::Queue(enqueue)).await;
    }
    for player in [&mut cy, &mut dee] {
        let offer = queue(player, |state| match state {
            QueueState::Offered { offer, .. } => Some(offer),
            _ => None,
        });
        let (offer, accept) = (offer.await, true);
        let answer = QueueRequest::Answer { offer, accept };
        player.say(&ClientMessage::Queue(answer)).await;
    }
    let mut rooms = Vec::new();
    for player in [&mut cy, &mut dee] {
        let to = queue(player, |state| match state {
            QueueState::Going { room, .. } => Some(room),
            _ => None,
        });
        let to = to.await;
        go(player, join(to)).await;
        rooms.push(to);
    }
    assert_eq!(rooms[0], rooms[1]);
}

#[tokio::test]
async fn what_is_durable_reaches_a_room_by_any_node() {
    let fleet = Fleet::start("to_a_room", 3).await;
    let home = fleet.home().await;
    let others: Vec<usize> = (0..3).filter(|at| *at != home).collect();
    let (first, second) = (&fleet.nodes[others[0]], &fleet.nodes[others[1]]);
    let (mut ann, _) = enter(first, "ann").await;
    // Private, so it is made where she is.
    let room = NewRoom {
        private: true,
        seats: 4,
        ..NewRoom::default()
    };
    go(&mut ann, ClientMessage::CreateRoom(room)).await;
    ann.plays = true;
    let there = || api(second, "GET", "/api/v1/presence?player=user:ann", "");
    let room = std::cell::Cell::new(None);
    until(async || {
        room.set(there().await["players"][0]["connections"][0]["room"].as_u64());
        room.get().is_some()
    })
    .await;
    let room = room.get().unwrap();
    let durable = |text: &str| json!({"to": {"room": room}, "text": text, "class": "durable"});
    // Who asks knows of the room once its node has told.
    until(async || kept(second, "early", &durable("early")).await.0 == 200).await;
    assert_eq!(notice(&mut ann).await, "early");
    let reached = json!({"reached_now": 1, "later": 0, "taken": false});
    for (node, key) in [(second, "a"), (&fleet.nodes[home], "b"), (first, "c")] {
        let body = durable(key);
        assert_eq!(kept(node, key, &body).await, (200, reached.clone()));
        assert_eq!(notice(&mut ann).await, key);
        // The same again is said once, whichever node is asked: the room's own knows it.
        for again in [second, first] {
            assert_eq!(kept(again, key, &body).await, (200, reached.clone()));
        }
        let (status, problem) = kept(second, key, &durable("other")).await;
        assert_eq!(status, 422, "{problem}");
        assert_eq!(problem["field"], "Idempotency-Key", "{problem}");
    }
    // What its node refuses is said as it says it.
    let mut unknown = durable("d");
    unknown["event"] = json!({"name": "nothing", "fields": {}});
    let (status, problem) = kept(second, "d", &unknown).await;
    assert_eq!(
        (status, &problem["field"]),
        (422, &json!("event")),
        "{problem}"
    );
    let (status, _) = kept(second, "e", &durable("the next")).await;
    assert_eq!(status, 200);
    assert_eq!(notice(&mut ann).await, "the next", "none came twice");
}
