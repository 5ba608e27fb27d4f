//! The operator's web hook, with a receiver that takes, refuses, says nothing and is gone: what it is
//! told, by whom signed, how often, and that nothing of it is lost.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, verify};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tickwire_harness::{PATIENCE, Running, server as program};
use tickwire_server::config::{Config, WebhookKind};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::api::{self, results};
use crate::games;
use crate::player::Player;
use crate::stored::{Folder, KEY, store, token};
use crate::support::{File, Server, until};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What it was told.
struct Told {
    id: String,
    body: Value,
}

/// A receiver.
struct Receiver {
    address: SocketAddr,
    /// What it answers next, each once, then 204: a status and further lines; an empty one closes
    /// without an answer.
    answers: Arc<Mutex<VecDeque<&'static str>>>,
    told: mpsc::UnboundedReceiver<Told>,
}

impl Receiver {
    async fn start(answers: &[&'static str]) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answers = Arc::new(Mutex::new(answers.iter().copied().collect()));
        let (tell, told) = mpsc::unbounded_channel();
        let of_task = Arc::clone(&answers);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(receive(stream, of_task.clone(), tell.clone()));
            }
        });
        Receiver {
            address,
            answers,
            told,
        }
    }

    fn url(&self) -> String {
        format!("http://{}/in?key=a", self.address)
    }

    /// The next thing that it is told, also where it does not take it.
    async fn next(&mut self) -> Told {
        let told = tokio::time::timeout(PATIENCE, self.told.recv()).await;
        told.expect("it is told").unwrap()
    }

    /// The next of this type.
    async fn next_of(&mut self, kind: &str) -> Told {
        loop {
            let told = self.next().await;
            if told.body["type"] == kind {
                return told;
            }
        }
    }
}

/// Reads a request whole, checks its signature, and answers.
async fn receive(
    mut stream: TcpStream,
    answers: Arc<Mutex<VecDeque<&'static str>>>,
    tell: mpsc::UnboundedSender<Told>,
) {
    let mut reader = BufReader::new(&mut stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).await.unwrap();
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    assert_eq!(head[0], "POST /in?key=a HTTP/1.1");
    let header = |name: &str| {
        let mut lines = head.iter().filter_map(|line| line.split_once(": "));
        let line = lines.find(|(other, _)| other.eq_ignore_ascii_case(name));
        line.unwrap_or_else(|| panic!("{name}: {head:?}")).1
    };
    let mut body = vec![0; header("content-length").parse().unwrap()];
    reader.read_exact(&mut body).await.unwrap();
    let (id, at) = (header("webhook-id"), header("webhook-timestamp"));
    let signed = [id.as_bytes(), b".", at.as_bytes(), b".", &body].concat();
    let secret = STANDARD.decode(&SECRET[6..]).unwrap();
    let signature = header("webhook-signature").strip_prefix("v1,").unwrap();
    let signature = STANDARD.decode(signature).unwrap();
    verify(&Key::new(HMAC_SHA256, &secret), &signed, &signature).unwrap();
    let told = Told {
        id: id.to_owned(),
        body: serde_json::from_slice(&body).unwrap(),
    };
    let answer = answers.lock().pop_front().unwrap_or("204 No Content\r\n");
    if !answer.is_empty() {
        let answer = format!("HTTP/1.1 {answer}Content-Length: 3\r\n\r\nyes");
        // Who was told does not read what is behind the head.
        let _ = stream.write_all(answer.as_bytes()).await;
    }
    // Who waits for nothing more is gone with its test.
    let _ = tell.send(told);
}

/// A server with a store and a web hook for all.
fn start(receiver: &Receiver, folder: &Folder, key: &File, secret: &File) -> Server {
    let url = receiver.url();
    api::start(|config: &mut Config| {
        store(config, folder, key);
        config.webhook_url = Some(url.parse().unwrap());
        config.webhook_key_file = Some(secret.path().into());
        config.webhook_kinds = vec![WebhookKind::Results, WebhookKind::Chat];
    })
}

#[tokio::test]
async fn results_and_lines_are_told_signed_and_once() {
    let (folder, key, secret) = (
        Folder::new("told"),
        File::new("key", KEY),
        File::new("secret", SECRET),
    );
    let mut receiver = Receiver::start(&[]).await;
    let server = start(&receiver, &folder, &key, &secret);
    let mut ann = games::host_as(&server, "calm", "one", &token("ann")).await;
    let (_, room) = api::newest(&server).await;
    assert_eq!(ann.chat().await, None);
    let said = receiver.next().await;
    assert_eq!(said.body["type"], "chat.said");
    let line = &said.body["data"];
    assert_eq!(
        (&line["sequence"], &line["player"]),
        (&json!(1), &json!("user:ann"))
    );
    // Said twice it is one result.
    results::over(&server, &room, 7).await;
    let ended = receiver.next().await;
    assert_eq!(ended.body["type"], "match.ended");
    let of = &ended.body["data"];
    assert_eq!(
        (&of["game"], &of["round"], &of["season"], &of["room"]),
        (&json!("calm"), &json!(7), &json!("s"), &line["channel"])
    );
    assert_eq!(of["players"][0]["player"], "user:ann");
    results::over(&server, &room, 7).await;
    // And the next one, until a tick has it alone.
    until(async || {
        results::over(&server, &room, 8).await;
        let matches = api::seen(&server, "/api/v1/matches?game=calm").await;
        matches["matches"].as_array().unwrap().len() == 2
    })
    .await;
    assert_eq!(receiver.next().await.body["data"]["round"], 8);
    until(async || {
        let taken = "tickwire_webhook_requests_total{outcome=\"taken\"}";
        server.figure(taken).await == 3.0
    })
    .await;
}

#[tokio::test]
async fn what_is_not_taken_comes_again_as_the_same() {
    let (folder, key, secret) = (
        Folder::new("again"),
        File::new("key", KEY),
        File::new("secret", SECRET),
    );
    let mut receiver = Receiver::start(&[
        "",
        "302 Found\r\nLocation: http://127.0.0.1:1/\r\n",
        "429 Too Many Requests\r\nRetry-After: 1\r\n",
    ])
    .await;
    let server = start(&receiver, &folder, &key, &secret);
    let mut ann = games::host_as(&server, "calm", "one", &token("ann")).await;
    // Three lines at once, of which none is taken at first.
    for _ in 0..3 {
        assert_eq!(ann.chat().await, None);
    }
    let mut tries = std::collections::BTreeMap::<String, (u32, Value)>::new();
    while tries.len() < 3 || tries.values().map(|(count, _)| count).sum::<u32>() < 6 {
        let told = receiver.next().await;
        let (count, body) = tries.entry(told.id).or_insert((0, told.body.clone()));
        *count += 1;
        assert_eq!(*body, told.body);
    }
    assert!(tries.values().all(|(count, _)| *count == 2));
    let outcome = async |outcome: &str| {
        let name = format!("tickwire_webhook_requests_total{{outcome=\"{outcome}\"}}");
        server.figure(&name).await
    };
    until(async || outcome("taken").await == 3.0).await;
    assert_eq!(
        (outcome("refused").await, outcome("unanswered").await),
        (2.0, 1.0)
    );
}

#[tokio::test]
async fn after_410_nothing_is_sent_until_the_next_start() {
    let (folder, key, secret) = (
        Folder::new("gone"),
        File::new("key", KEY),
        File::new("secret", SECRET),
    );
    let mut receiver = Receiver::start(&["410 Gone\r\n"]).await;
    let server = start(&receiver, &folder, &key, &secret);
    let mut ann = games::host_as(&server, "calm", "one", &token("ann")).await;
    assert_eq!(ann.chat().await, None);
    let first = receiver.next().await;
    assert_eq!(ann.chat().await, None);
    drop(ann);
    server.close().await;
    assert!(receiver.told.try_recv().is_err());
    assert!(receiver.answers.lock().is_empty());
    let _server = start(&receiver, &folder, &key, &secret);
    let ids = [receiver.next().await.id, receiver.next().await.id];
    assert!(ids.contains(&first.id), "what was refused is there, too");
}

/// What is stored is told by the next process, where the one that stored it is killed.
#[tokio::test]
async fn what_was_not_told_outlasts_a_kill() {
    let (folder, secret) = (Folder::new("untold"), File::new("secret", SECRET));
    let mut receiver = Receiver::start(&["500 x\r\n"]).await;
    let (file, url) = (folder.file(), receiver.url());
    let start = || {
        let flags = [
            ["--store", file.to_str().unwrap()],
            ["--webhook-url", &url],
            ["--webhook-key-file", secret.path()],
            ["--webhook-kinds", "chat"],
        ];
        Running::start(&mut program(&flags.concat()))
    };
    let running = start();
    let (mut ann, _) = Player::play(running.public, "127.0.0.1", "").await;
    assert_eq!(ann.chat().await, None);
    let first = receiver.next_of("chat.said").await;
    running.process.signal("KILL");
    running.process.end();
    let running = start();
    let again = receiver.next_of("chat.said").await;
    assert_eq!((again.id, again.body), (first.id, first.body));
    let file = rusqlite::Connection::open(&file).unwrap();
    until(async || {
        let left = file.query_row("SELECT COUNT(*) FROM outbox", [], |row| row.get(0));
        left == Ok(0)
    })
    .await;
    running.stop();
}

#[test]
fn what_can_not_be_a_web_hook_ends_the_start() {
    let (secret, other) = (File::new("secret", SECRET), File::new("other", "guess"));
    let check = |flags: &[&str], word: &str| {
        let output = program(flags).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        let mut lines = said.lines().filter(|line| line.starts_with("error: "));
        let line = lines.next().unwrap_or_else(|| panic!("{said}"));
        assert!(line.contains(word) && lines.next().is_none(), "{said}");
    };
    let url = ["--webhook-url", "https://hooks.example/in"];
    check(&url, "webhook-key-file");
    let with = |file: &File| [url[0], url[1], "--webhook-key-file", file.path()].map(str::to_owned);
    let flags = with(&secret);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    check(&flags, "--store");
    let folder = Folder::new("refused");
    let file = folder.file();
    let flags = with(&other);
    let mut flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    flags.extend(["--store", file.to_str().unwrap()]);
    check(&flags, "whsec_");
}
