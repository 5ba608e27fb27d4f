//! Channels, handles and blocks over a file, and over a file that is opened again; what goes on
//! between connections and rooms is `lobby::stepped`'s tests.

mod watching;

use std::path::PathBuf;
use std::time::Duration;

use tickwire::codec::decode_server;
use tickwire::limits::BLOCKED_MAX;
use tickwire::protocol::people::{Line, Unread};

use super::*;
use crate::config::{Config, StorePlace};
use crate::presence::Present;
use crate::store::{Opened, open};
use crate::vitals::Vitals;

/// A server's people, and the thread that writes for them.
struct Town {
    folder: PathBuf,
    store: Store,
    writing: Option<std::thread::JoinHandle<()>>,
    people: People,
    presence: Presence,
    metrics: Arc<Metrics>,
    nonce: u32,
    now: Instant,
}

impl Town {
    async fn open(name: &str) -> Town {
        let folder = format!("tickwire-{}-people-{name}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        Town::at(folder).await
    }

    async fn at(folder: PathBuf) -> Town {
        let config = Config {
            store: Some(StorePlace::File(folder.join("tickwire.db"))),
            ..Config::default()
        };
        let metrics = Arc::new(Metrics::new().unwrap());
        let Opened { store, writer } = open(&config, &metrics).await.unwrap();
        let writing = writer.map(|writer| writer.start(&Vitals::default()).unwrap());
        let secret = store.secret("handles").await.unwrap().unwrap();
        let (presence, now) = (Presence::default(), Instant::now());
        let key = HandleKey::derive(secret.as_bytes());
        let people = People::new(store.clone(), presence.clone(), metrics.clone(), key, now);
        Town {
            folder,
            store,
            writing,
            people,
            presence,
            metrics,
            nonce: 0,
            now,
        }
    }

    /// Its process ends, and another one begins.
    async fn again(mut self) -> Town {
        self.end();
        Town::at(self.folder.clone()).await
    }

    fn end(&mut self) {
        self.store.finish();
        if let Some(writing) = self.writing.take() {
            writing.join().unwrap();
        }
    }

    /// Somebody who hears what is said to them, and in the lobby.
    async fn come(&mut self, who: &str) -> Present {
        let identity = Identity::read(who).unwrap();
        let address = std::net::Ipv4Addr::LOCALHOST.into();
        let name = who.split_once(':').unwrap().1;
        let present = self.presence.enter("chess", name, &identity, address);
        if !identity.is_guest {
            self.store.put(Record::Player(Player {
                player: who.to_owned(),
                name: name.to_owned(),
                handle: self.people.handle(&identity).to_string(),
                seen_at_ms: date::now_ms(),
            }));
        }
        self.people.greet(&present.handle(), false, self.now);
        self.enter(&present).await;
        present
    }

    async fn ask(&mut self, who: &Present, message: ClientMessage) -> Vec<ServerMessage> {
        // Nobody waits for what they may say next.
        self.now += Duration::from_secs(1);
        let told = self.people.ask(&who.handle(), message, self.now);
        let mut told: Vec<_> = told.into_iter().collect();
        self.serve().await;
        told.extend(taken(who));
        told
    }

    async fn serve(&self) {
        loop {
            let next = self.people.asked.lock().await.try_recv();
            let Ok(ask) = next else { return };
            self.people.serve(ask).await;
        }
    }

    async fn enter(&mut self, who: &Present) -> (String, Vec<Unread>, Vec<Peer>) {
        let request = PeopleRequest::Enter {
            nonce: 7,
            lobby: true,
        };
        let told = self.ask(who, ClientMessage::People(request)).await;
        let mut news = told.into_iter().filter_map(|message| match message {
            ServerMessage::People(news) => Some(news),
            _ => None,
        });
        let Some(PeopleNews::You {
            nonce: 7,
            handle,
            unread,
        }) = news.next()
        else {
            panic!("it is not told who it is");
        };
        let mut blocked = Vec::new();
        for news in news {
            let PeopleNews::Blocked { peers, .. } = news else {
                panic!("{news:?}");
            };
            blocked.extend(peers);
        }
        (handle, unread, blocked)
    }

    /// What somebody is answered, with another nonce each time.
    async fn say(&mut self, who: &Present, channel: &str, text: &str) -> Result<u32, Refusal> {
        self.nonce += 1;
        self.say_as(who, channel, text, self.nonce).await
    }

    async fn say_as(
        &mut self,
        who: &Present,
        channel: &str,
        text: &str,
        nonce: u32,
    ) -> Result<u32, Refusal> {
        *self.people.talkers.lock() = Talkers::default();
        let say = ClientMessage::Say {
            channel: channel.to_owned(),
            nonce,
            text: text.to_owned(),
        };
        let told = self.ask(who, say).await;
        let said = told.into_iter().find_map(|message| match message {
            ServerMessage::Said { nonce: of, result } if of == nonce => Some(result),
            _ => None,
        });
        said.expect("an answer")
    }

    async fn history(&mut self, who: &Present, channel: &str, before: u32) -> (Vec<Line>, u32) {
        let history = ClientMessage::History {
            channel: channel.to_owned(),
            nonce: 9,
            before,
        };
        let (mut lines, mut next) = (Vec::new(), 0);
        for message in self.ask(who, history).await {
            if let ServerMessage::Past { nonce: 9, result } = message {
                let page = result.unwrap();
                lines.extend(page.lines);
                next = page.next;
            }
        }
        (lines, next)
    }

    async fn block(&mut self, who: &Present, peer: &str, blocked: bool) -> Result<Peer, Refusal> {
        *self.people.talkers.lock() = Talkers::default();
        let request = PeopleRequest::Block {
            nonce: 3,
            who: peer.to_owned(),
            blocked,
        };
        let told = self.ask(who, ClientMessage::People(request)).await;
        let answer = told.into_iter().find_map(|message| match message {
            ServerMessage::People(PeopleNews::Answer { nonce: 3, result }) => Some(result),
            _ => None,
        });
        answer.expect("an answer")
    }

    fn handle(&self, who: &Present) -> String {
        self.people.handle(&who.identity).to_string()
    }

    fn channel(&self, with: &Present) -> String {
        format!("@{}", self.handle(with))
    }

    fn figure(&self, line: &str) {
        let figures = self.metrics.render();
        assert!(figures.lines().any(|of| of == line), "{line}");
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        self.end();
        // The next one at this place has it.
        if !std::thread::panicking() && Arc::strong_count(&self.metrics) == 0 {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// What a connection has in its mailbox.
fn taken(who: &Present) -> Vec<ServerMessage> {
    let mut letters = Vec::new();
    while who.take(usize::MAX, None, &mut letters) {}
    let messages = letters.iter().map(|bytes| decode_server(bytes).unwrap());
    messages.flatten().collect()
}

/// Lines that it has: channel, text, whether it said them.
fn heard(who: &Present) -> Vec<(String, String, bool)> {
    let told = taken(who).into_iter().filter_map(|message| match message {
        ServerMessage::Line { channel, line } => Some((channel, line.text, line.own)),
        _ => None,
    });
    told.collect()
}

fn texts(lines: &[Line]) -> Vec<(&str, bool)> {
    let texts = lines.iter().map(|line| (&*line.text, line.own));
    texts.collect()
}

fn line(channel: &str, text: &str, own: bool) -> (String, String, bool) {
    (channel.to_owned(), text.to_owned(), own)
}

#[tokio::test]
async fn a_line_to_who_is_away_is_read_after_both_processes_and_told_of_once() {
    let mut town = Town::open("away").await;
    let (ann, bo) = (town.come("user:ann").await, town.come("guest:bo").await);
    let (to_ann, to_bo) = (town.channel(&ann), town.channel(&bo));
    // A guest is found by the handle by which they spoke.
    town.say(&bo, "lobby", "hello").await.unwrap();
    let handle = town.handle(&bo);
    drop(bo);
    let first = town.say(&ann, &to_bo, "are you there?").await.unwrap();
    let second = town.say(&ann, &to_bo, "<b>bo</b>").await.unwrap();
    assert_eq!(second, first + 1);
    drop(ann);
    let mut town = town.again().await;
    let bo = town.come("guest:bo").await;
    assert_eq!(town.handle(&bo), handle, "it is theirs for good");
    let (_, unread, _) = town.enter(&bo).await;
    let [of] = &unread[..] else {
        panic!("{unread:?}");
    };
    assert_eq!((&*of.peer.name, of.newest, of.read), ("ann", second, 0));
    assert_eq!(format!("@{}", of.peer.handle), to_ann);
    let (lines, next) = town.history(&bo, &to_ann, 0).await;
    let expected = [("are you there?", false), ("<b>bo</b>", false)];
    assert_eq!((texts(&lines), next), (expected.to_vec(), 0));
    assert!(lines.iter().all(|line| line.from == of.peer.handle));
    // What they have read they are not told of, also by another process.
    let read = |number| {
        ClientMessage::People(PeopleRequest::Read {
            who: of.peer.handle.clone(),
            number,
        })
    };
    assert_eq!(town.ask(&bo, read(first)).await, []);
    assert_eq!(town.enter(&bo).await.1[0].read, first);
    town.ask(&bo, read(second)).await;
    assert_eq!(town.enter(&bo).await.1, []);
    drop(bo);
    let mut town = town.again().await;
    let (bo, ann) = (town.come("guest:bo").await, town.come("user:ann").await);
    assert_eq!(town.enter(&bo).await.1, []);
    // Numbers go on, and nobody else reads it.
    let third = town.say(&bo, &to_ann, "now I am").await.unwrap();
    assert!(third > second, "{third} {second}");
    assert_eq!(heard(&ann), [line(&to_bo, "now I am", false)]);
    let cy = town.come("user:cy").await;
    assert_eq!(town.history(&cy, &to_bo, 0).await, (Vec::new(), 0));
}

#[tokio::test]
async fn a_line_that_is_said_again_is_said_once_also_by_the_next_process() {
    let mut town = Town::open("once").await;
    let (ann, bo) = (town.come("user:ann").await, town.come("user:bo").await);
    for channel in ["lobby".to_owned(), town.channel(&bo)] {
        let said = town.say_as(&ann, &channel, "hi", 70).await.unwrap();
        assert_eq!(town.say_as(&ann, &channel, "hi", 70).await, Ok(said));
        assert_eq!(heard(&bo).len(), 1);
        town.say(&bo, "lobby", "and I").await.unwrap();
        taken(&ann);
    }
    drop((ann, bo));
    let mut town = town.again().await;
    let (ann, bo) = (town.come("user:ann").await, town.come("user:bo").await);
    let to_bo = town.channel(&bo);
    let (lines, _) = town.history(&ann, &to_bo, 0).await;
    assert_eq!(town.say_as(&ann, &to_bo, "hi", 70).await, Ok(lines[0].id));
    assert_eq!(heard(&bo), []);
    assert_eq!(town.history(&ann, &to_bo, 0).await.0.len(), 1);
    // Another one with the nonce of an earlier one is another line.
    town.say(&ann, &to_bo, "hm").await.unwrap();
    town.say_as(&ann, &to_bo, "hi", 70).await.unwrap();
    assert_eq!(town.history(&ann, &to_bo, 0).await.0.len(), 3);
}

#[tokio::test]
async fn pages_go_back_to_the_first_line() {
    let mut town = Town::open("pages").await;
    let ann = town.come("user:ann").await;
    let mut said = Vec::new();
    for number in 0..120 {
        town.now += Duration::from_secs(1);
        said.push(
            town.say(&ann, "lobby", &format!("line {number}"))
                .await
                .unwrap(),
        );
    }
    assert!(said.is_sorted_by(|a, b| a + 1 == *b));
    let (mut before, mut read) = (0, Vec::new());
    loop {
        let (lines, next) = town.history(&ann, "lobby", before).await;
        read.splice(0..0, lines.iter().map(|line| line.id));
        before = next;
        if next == 0 {
            break;
        }
    }
    assert_eq!(read, said);
    town.figure("tickwire_lines_total{channel=\"lobby\"} 120");
}

#[tokio::test]
async fn who_is_blocked_is_not_heard_and_not_told() {
    let mut town = Town::open("blocks").await;
    let (ann, bo) = (town.come("user:ann").await, town.come("user:bo").await);
    let (to_ann, to_bo) = (town.channel(&ann), town.channel(&bo));
    let handle = town.handle(&bo);
    town.say(&bo, &to_ann, "before").await.unwrap();
    taken(&ann);
    let peer = town.block(&ann, &handle, true).await.unwrap();
    assert_eq!((&*peer.name, &*peer.handle), ("bo", &*handle));
    let held = town.say(&bo, &to_ann, "psst").await;
    assert!(
        held.is_ok(),
        "it is answered as what is said to who is away"
    );
    town.say(&bo, "lobby", "psst").await.unwrap();
    // Their numbers are told, for what follows.
    let nothing = |channel: &str| line(channel, "", false);
    assert_eq!(heard(&ann), [nothing(&to_bo), nothing("lobby")]);
    assert_eq!(texts(&town.history(&ann, &to_bo, 0).await.0), []);
    assert_eq!(texts(&town.history(&ann, "lobby", 0).await.0), []);
    assert_eq!(
        texts(&town.history(&bo, "lobby", 0).await.0),
        [("psst", true)]
    );
    assert_eq!(town.enter(&ann).await.1, [], "nothing waits for them");
    drop((ann, bo));
    // The next process knows it before it tells anything.
    let mut town = town.again().await;
    let (ann, bo) = (town.come("user:ann").await, town.come("user:bo").await);
    assert_eq!(town.enter(&ann).await.2, [peer]);
    town.say(&bo, "lobby", "still?").await.unwrap();
    assert_eq!(heard(&ann), [nothing("lobby")]);
    town.block(&ann, &handle, false).await.unwrap();
    town.say(&bo, "lobby", "again").await.unwrap();
    assert_eq!(heard(&ann), [line("lobby", "again", false)]);
    assert_eq!(town.enter(&ann).await.2, []);
    let (lines, _) = town.history(&ann, &to_bo, 0).await;
    assert_eq!(texts(&lines), [("before", false), ("psst", false)]);
}

#[tokio::test]
async fn a_block_holds_at_all_connections_and_no_more_than_there_is_room_for() {
    let mut town = Town::open("many").await;
    let (one, other) = (town.come("user:ann").await, town.come("user:ann").await);
    for number in 0..=BLOCKED_MAX {
        let peer = town.come(&format!("user:{number:02}")).await;
        let handle = town.handle(&peer);
        let answer = town.block(&one, &handle, true).await;
        match number < BLOCKED_MAX {
            true => assert_eq!(answer.unwrap().handle, handle),
            false => assert_eq!(answer, Err(Refusal::RoomFull)),
        }
        // Who is blocked already takes no place.
        if number == 7 {
            assert!(town.block(&one, &handle, true).await.is_ok());
        }
    }
    let (_, _, blocked) = town.enter(&other).await;
    assert_eq!(blocked.len(), BLOCKED_MAX);
    let own = town.handle(&one);
    for nobody in [&*own, "x", &"x".repeat(16)] {
        let refused = town.block(&one, nobody, true).await;
        assert_eq!(refused, Err(Refusal::NoSuchPlayer), "{nobody}");
    }
}

#[tokio::test]
async fn what_is_no_line_and_no_channel_is_refused() {
    let mut town = Town::open("refused").await;
    let ann = town.come("user:ann").await;
    let own = town.channel(&ann);
    for (channel, text, reason) in [
        ("lobby", " ", Refusal::BadText),
        ("room2", "hi", Refusal::NoSuchRoom),
        ("@", "hi", Refusal::NoSuchRoom),
        (&*own, "hi", Refusal::NoSuchPlayer),
        ("@AAAAAAAAAAAAAAAA", "hi", Refusal::NoSuchPlayer),
    ] {
        assert_eq!(
            town.say(&ann, channel, text).await,
            Err(reason),
            "{channel}"
        );
    }
    ann.mute(Some(crate::date::Date(u64::MAX)));
    assert_eq!(town.say(&ann, "lobby", "hi").await, Err(Refusal::Muted));
    town.figure("tickwire_lines_muted_total 1");
}

#[tokio::test]
async fn who_is_erased_is_found_by_nobody_and_their_lines_say_nothing() {
    let mut town = Town::open("erased").await;
    let (ann, bo) = (town.come("user:ann").await, town.come("user:bo").await);
    let (to_ann, to_bo) = (town.channel(&ann), town.channel(&bo));
    town.say(&bo, &to_ann, "remember me").await.unwrap();
    town.say(&bo, "lobby", "and me").await.unwrap();
    town.say(&ann, &to_bo, "I do").await.unwrap();
    let handle = town.handle(&bo);
    town.block(&ann, &handle, true).await.unwrap();
    drop(bo);
    // As an operator orders it; what this process remembers goes, too.
    town.people
        .forget(&Identity::read("user:bo").unwrap())
        .await;
    town.store.erase("user:bo").await.unwrap();
    assert_eq!(town.history(&ann, "lobby", 0).await.0, []);
    assert_eq!(town.enter(&ann).await.2, [], "whom they blocked is nobody");
    drop(ann);
    let mut town = town.again().await;
    let ann = town.come("user:ann").await;
    let (_, unread, blocked) = town.enter(&ann).await;
    assert_eq!((unread, blocked), (Vec::new(), Vec::new()));
    assert_eq!(
        town.block(&ann, &handle, true).await,
        Err(Refusal::NoSuchPlayer)
    );
    let kept = town.store.export("user:ann").await.unwrap().to_string();
    assert!(kept.contains("I do") && !kept.contains("user:bo"), "{kept}");
}
