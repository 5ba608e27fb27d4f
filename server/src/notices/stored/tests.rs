//! Durable notices by way of a store in a file: processes one after the other, and two servers that
//! share it; connections are entries of the table without a socket.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Map, json};
use tickwire::codec::decode_server;
use tickwire::protocol::ServerMessage;
use tickwire::protocol::server_message::NoticeEvent;

use super::*;
use crate::config::{Config, StorePlace};
use crate::metrics::Metrics;
use crate::notices::Keeping;
use crate::presence::{Presence, Present};
use crate::store::{self, Opened};
use crate::vitals::Vitals;

const NOW: Date = Date(1_000_000_000);
const KEPT: Class = Class::Durable {
    ttl: Duration::from_secs(86_400),
};

/// A file of the test's own.
struct File(PathBuf);

impl File {
    fn new() -> File {
        static FILES: AtomicU32 = AtomicU32::new(0);
        let number = FILES.fetch_add(1, Ordering::Relaxed);
        let name = format!("tickwire-{}-notices-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        File(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A process with its store.
struct Process {
    store: Store,
    writing: std::thread::JoinHandle<()>,
}

impl Process {
    async fn start(file: &File) -> Process {
        let config = Config {
            store: Some(StorePlace::File(file.0.join("tickwire.db"))),
            ..Config::default()
        };
        let metrics = Arc::new(Metrics::new().unwrap());
        let Opened { store, writer } = store::open(&config, &metrics).await.unwrap();
        let writing = writer.unwrap().start(&Vitals::default()).unwrap();
        Process { store, writing }
    }

    fn end(self) {
        self.store.finish();
        self.writing.join().unwrap();
    }
}

/// A server whose game `chess` has one event, of this name.
struct Server(Arc<Notices>);

impl Server {
    async fn new(process: &Process, event: &'static str) -> Server {
        let keeping = Keeping {
            store: process.store.clone(),
            span: Duration::from_secs(7 * 86_400),
            read_event: Box::new(move |game, name, fields| match (game, name) {
                ("chess", name) if name == event => Ok(made(name, fields)),
                _ => Err("no such event".to_owned()),
            }),
        };
        let metrics = Arc::new(Metrics::new().unwrap());
        let server = Server(Arc::new(Notices::new(
            Presence::default(),
            metrics,
            keeping,
        )));
        server.0.follow().await.unwrap();
        server
    }

    /// Says something, and gives it out; how many it reaches.
    async fn say(&self, to: &To, text: &str) -> Result<(u32, u32), Refused> {
        let notice = Notice {
            text: text.to_owned(),
            event: None,
            class: KEPT,
        };
        self.say_notice(to, &notice).await
    }

    async fn say_notice(&self, to: &To, notice: &Notice) -> Result<(u32, u32), Refused> {
        let written = self.0.store(to, notice, |_| None, Date::now())?;
        let reached = written.reached;
        written.done().await?;
        self.0.follow().await.unwrap();
        Ok((reached.now, reached.later))
    }

    fn hello(&self, who: &str) -> Tab {
        let address = "10.0.0.7".parse().unwrap();
        let presence = &self.0.presence;
        let present = presence.enter("chess", "name", &player(who), address);
        let present = present.welcome();
        self.0.arrive(&present, Date::now());
        Tab(present)
    }
}

fn made(name: &str, fields: &Map<String, serde_json::Value>) -> GameEvent {
    GameEvent {
        game: "chess".into(),
        packed: NoticeEvent {
            event: 0,
            fields: vec![fields["level"].as_u64().unwrap() as u8],
        },
        name: name.into(),
        fields: serde_json::to_string(fields).unwrap().into(),
    }
}

struct Tab(Present);

impl Tab {
    /// What it was told since the last time, each once: its number, text and event.
    fn told(&self) -> Vec<(u32, String, Option<NoticeEvent>)> {
        let mut letters = Vec::new();
        self.0.take(usize::MAX, None, &mut letters);
        let decoded = letters.iter().map(|letter| match decode_server(letter) {
            Ok(Some(ServerMessage::Notice {
                number,
                text,
                event,
                ..
            })) => (number, text, event),
            other => panic!("{other:?}"),
        });
        let decoded: Vec<_> = decoded.collect();
        assert!(decoded.is_sorted_by(|a, b| a.0 < b.0), "{decoded:?}");
        decoded
    }

    fn texts(&self) -> Vec<String> {
        self.told().into_iter().map(|(_, text, _)| text).collect()
    }
}

fn player(who: &str) -> Identity {
    Identity::read(&format!("user:{who}")).unwrap()
}

fn to(who: &str) -> To {
    To::Player(player(who))
}

#[tokio::test]
async fn it_outlasts_the_process_in_order_and_until_it_was_seen() {
    let file = File::new();
    // One after the other within a second or two.
    let mut texts = Vec::new();
    for process in ["one", "two", "three"] {
        let running = Process::start(&file).await;
        let server = Server::new(&running, "alarm").await;
        for nth in 0..3 {
            let text = format!("{process} {nth}");
            let to = if nth == 1 { To::Everybody } else { to("ann") };
            server.say(&to, &text).await.unwrap();
            texts.push(text);
        }
        running.end();
    }
    let running = Process::start(&file).await;
    let server = Server::new(&running, "alarm").await;
    let ann = server.hello("ann");
    assert_eq!(server.say(&to("ann"), "now").await, Ok((1, 0)));
    texts.push("now".to_owned());
    let told = ann.told();
    assert!(told.iter().map(|(_, text, _)| text).eq(&texts), "{told:?}");
    // Of the first six it is told that they were shown.
    ann.0.saw(told[5].0);
    server.0.tend(NOW);
    drop(server);
    running.end();
    let running = Process::start(&file).await;
    let server = Server::new(&running, "alarm").await;
    assert_eq!(server.hello("ann").texts(), texts[6..]);
    let of_all = ["one 1", "two 1", "three 1"];
    assert_eq!(server.hello("bo").texts(), of_all);
    running.end();
}

#[tokio::test]
async fn servers_of_one_store_give_out_what_the_others_say() {
    let file = File::new();
    let running = Process::start(&file).await;
    let one = Server::new(&running, "alarm").await;
    let other = Server::new(&running, "alarm").await;
    let (ann, bo) = (other.hello("ann"), other.hello("bo"));
    assert_eq!(one.say(&to("ann"), "hers").await, Ok((0, 1)));
    assert_eq!(one.say(&To::Everybody, "all").await, Ok((0, 0)));
    other.0.follow().await.unwrap();
    assert_eq!(ann.texts(), ["hers", "all"]);
    assert_eq!(bo.texts(), ["all"]);
    // The order is the store's, whoever says it.
    other.say(&to("ann"), "from there").await.unwrap();
    one.say(&to("ann"), "from here").await.unwrap();
    other.0.follow().await.unwrap();
    let told = ann.told();
    assert_eq!(told.len(), 2);
    ann.0.saw(told[1].0);
    other.0.tend(NOW);
    assert!(running.store.settled().await);
    // Who starts now knows it.
    let third = Server::new(&running, "alarm").await;
    assert!(third.hello("ann").texts().is_empty());
    assert_eq!(third.hello("bo").texts(), ["all"]);
    drop((one, other, third));
    running.end();
}

#[tokio::test]
async fn its_time_and_its_game_are_those_that_it_was_said_with() {
    let file = File::new();
    let running = Process::start(&file).await;
    let server = Server::new(&running, "alarm").await;
    let fields = json!({"level": 7});
    let alarm = Notice {
        text: String::new(),
        event: Some(made("alarm", fields.as_object().unwrap())),
        class: KEPT,
    };
    server.say_notice(&to("ann"), &alarm).await.unwrap();
    let short = Notice {
        text: "short".to_owned(),
        event: None,
        class: Class::Durable {
            ttl: Duration::from_secs(1),
        },
    };
    // A minute ago.
    let ago = Date(Date::now().0 - 60);
    let written = server.0.store(&To::Everybody, &short, |_| None, ago);
    written.unwrap().done().await.unwrap();
    running.end();
    let running = Process::start(&file).await;
    let server = Server::new(&running, "alarm").await;
    let told = server.hello("ann").told();
    let fields = vec![7];
    assert_eq!(told[0].2, Some(NoticeEvent { event: 0, fields }));
    assert_eq!(told.len(), 1, "the other is over: {told:?}");
    // Its game has it no more: it waits for a process that does, or for its end.
    let changed = Server::new(&running, "alert").await;
    assert!(changed.hello("ann").told().is_empty());
    assert_eq!(rows_of(&running).await, 1);
    running.end();
}

async fn rows_of(running: &Process) -> usize {
    assert!(running.store.settled().await);
    let rows = running.store.notices_after(0, "").await.unwrap();
    let rows = rows.iter().filter(|row| row.player == "user:ann");
    rows.count()
}
