//! Many events for a while: 2,000 a second for 30 s, half of them durable, to 1,000 players who are
//! connected and 200 who are away. Each arrives once, in the order in which its program said them;
//! how long that takes is shown: for players in the lobby of a server that stores nothing, and where
//! every other one is in a room, and what is durable is on the disk before it is said.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tickwire::protocol::{ClientMessage, ServerMessage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{ALL, start, until_away};
use crate::player::Player;
use crate::stored::Folder;
use crate::support::{Response, Server, read_head};
use crate::{admin, games};

const CONNECTED: usize = 1000;
const AWAY: usize = 200;
const SECONDS: usize = 30;
/// Programs, each with a connection, and its own players.
const PROGRAMS: usize = 20;
const PER_SECOND: usize = 2000;
/// To each player.
const EVENTS: usize = PER_SECOND * SECONDS / (CONNECTED + AWAY);

/// A program's connection, made anew when the server has ended it.
struct Program {
    server: Arc<Server>,
    stream: Option<TcpStream>,
}

impl Program {
    /// Says something, and waits for the answer.
    async fn say(&mut self, key: &str, body: &str) {
        for _ in 0..3 {
            if let Some(answer) = self.tried(key, body).await {
                assert_eq!(answer.status, 200, "{answer:?}");
                return;
            }
            self.stream = None;
        }
        panic!("no answer");
    }

    /// `None`: the connection ended meanwhile, and the same may be sent again.
    async fn tried(&mut self, key: &str, body: &str) -> Option<Response> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => TcpStream::connect(self.server.api.unwrap()).await.unwrap(),
        };
        let text = format!(
            "POST /api/v1/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {ALL}\r\nIdempotency-Key: {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(text.as_bytes()).await.ok()?;
        stream.readable().await.ok()?;
        if stream.peek(&mut [0]).await.ok()? == 0 {
            return None;
        }
        let answer = read_head(&mut stream).await;
        let length = answer.header("content-length").unwrap().parse().unwrap();
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        if answer.header("connection").is_none() {
            self.stream = Some(stream);
        }
        Some(answer)
    }
}

/// Reads as many as there are; how long each took that was said while they were here.
async fn reads(mut player: Player, start: Instant, is_live: bool) -> Vec<Duration> {
    let mut took = Vec::new();
    for number in 0..EVENTS {
        let (id, text) = player
            .wait(|message| match message {
                ServerMessage::Notice { number, text, .. } => Some((number, text)),
                _ => None,
            })
            .await;
        let (said, at_us) = text.split_once(' ').unwrap();
        assert_eq!(said, number.to_string(), "once and in order");
        if is_live {
            let said = start + Duration::from_micros(at_us.parse().unwrap());
            took.push(said.elapsed());
        }
        if id > 0 {
            player.say(&ClientMessage::NoticesSeen { number: id }).await;
        }
    }
    took
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a minute, and two cores of their own; `make test-all` runs it"]
async fn two_thousand_events_a_second_arrive_once_and_in_order() {
    arrive(start(|_| {}), 0).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "as above"]
async fn so_they_do_in_rooms_and_beside_the_store() {
    let folder = Folder::new("stream");
    arrive(start(|config| config.store = Some(folder.place())), 2).await;
}

/// Every so manieth of the connected is in a room.
async fn arrive(server: Server, in_rooms: usize) {
    let server = Arc::new(server);
    let start = Instant::now();
    let mut readers = JoinSet::new();
    for nth in 0..CONNECTED {
        let mut player = games::enter(&server, "still").await;
        if in_rooms > 0 && nth.is_multiple_of(in_rooms) {
            player.plays = true;
            player.join().await;
        }
        readers.spawn(reads(player, start, true));
    }
    let mut leaving = Vec::new();
    for _ in 0..AWAY {
        leaving.push(games::enter(&server, "still").await);
    }
    // The latest first.
    let known = admin::admin(&server, "GET", "/admin/players", "").await;
    let known: Vec<Value> = serde_json::from_str(&known.body).unwrap();
    let names = known
        .iter()
        .rev()
        .map(|line| line["player"].as_str().unwrap());
    let names: Vec<String> = names.map(str::to_owned).collect();
    let away: Vec<String> = leaving.into_iter().map(|player| player.who).collect();
    for name in &names[CONNECTED..] {
        until_away(&server, name).await;
    }

    let mut programs = JoinSet::new();
    let started = Instant::now();
    for place in 0..PROGRAMS {
        let own: Vec<(usize, String)> = names
            .iter()
            .cloned()
            .enumerate()
            .skip(place)
            .step_by(PROGRAMS)
            .collect();
        let mut program = Program {
            server: server.clone(),
            stream: None,
        };
        programs.spawn(async move {
            let every = Duration::from_secs(1) * PROGRAMS as u32 / PER_SECOND as u32;
            let mut due = tokio::time::interval(every);
            for event in 0..EVENTS {
                for (number, name) in &own {
                    due.tick().await;
                    let text = format!("{event} {}", start.elapsed().as_micros());
                    let is_durable = *number >= CONNECTED || event % 2 == 0;
                    let class = if is_durable { "durable" } else { "now" };
                    let body = json!({"to": {"player": name}, "text": text, "class": class});
                    program
                        .say(&format!("{number}-{event}"), &body.to_string())
                        .await;
                }
            }
        });
    }
    while let Some(ended) = programs.join_next().await {
        ended.unwrap();
    }
    let seconds = started.elapsed().as_secs_f64();
    let mut took = Vec::new();
    while let Some(ended) = readers.join_next().await {
        took.extend(ended.unwrap());
    }
    for who in away {
        let player = Player::enter(server.public, "127.0.0.1", &who).await;
        readers.spawn(reads(player, start, false));
    }
    while let Some(ended) = readers.join_next().await {
        ended.unwrap();
    }
    took.sort_unstable();
    let at = |part: usize| took[took.len() * part / 1000 - 1];
    let said = EVENTS * (CONNECTED + AWAY);
    println!(
        "{said} events in {seconds:.1} s, {:.0} a second; p50 {:?}, p99 {:?}, max {:?}",
        said as f64 / seconds,
        at(500),
        at(990),
        at(1000)
    );
}
