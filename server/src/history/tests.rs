//! Pages as they are put together, and as somebody gets them: of a file, of a channel's own memory,
//! of both. Readers are entries of the table of connections without a socket.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tickwire::codec::decode_server;
use tickwire::protocol::server_message::Page;

use super::page::{lacks_some, page, parts, top};
use super::*;
use crate::auth::Identity;
use crate::config::{Config, StorePlace};
use crate::presence::{Presence, Present};
use crate::store::record::Record;
use crate::store::{Opened, open};
use crate::vitals::Vitals;

const MINUTE_MS: u64 = 60_000;
/// Never long ago.
const FAR_MS: u64 = 4_000_000_000_000;

fn line(id: u32) -> PastLine {
    PastLine {
        id,
        at: id,
        own: false,
        name: "Ann".to_owned(),
        text: format!("line {id}"),
    }
}

fn lines(ids: impl IntoIterator<Item = u32>) -> Vec<PastLine> {
    ids.into_iter().map(line).collect()
}

fn stored(ids: impl IntoIterator<Item = u32>) -> Vec<(u32, Option<PastLine>)> {
    let of_store = |id| {
        let own = true;
        (id, Some(PastLine { own, ..line(id) }))
    };
    ids.into_iter().map(of_store).collect()
}

fn ids(page: &Page) -> Vec<u32> {
    page.lines.iter().map(|line| line.id).collect()
}

/// The page that messages make.
fn joined(nonce: u32, messages: &[Bytes]) -> Page {
    let mut whole: Option<Page> = None;
    for (nth, bytes) in messages.iter().enumerate() {
        let decoded = decode_server(bytes);
        let Ok(Some(ServerMessage::Lines {
            nonce: of,
            result: Ok(part),
        })) = decoded
        else {
            panic!("{decoded:?}");
        };
        assert_eq!((of, part.more), (nonce, nth + 1 < messages.len()));
        let page = whole.get_or_insert(Page {
            lines: Vec::new(),
            more: false,
            next: part.next,
        });
        assert_eq!(page.next, part.next);
        page.lines.extend(part.lines);
    }
    whole.expect("an answer")
}

#[test]
fn what_is_stored_and_what_is_remembered_meet() {
    let both = page(stored(1..=20), lines(15..=24), true);
    assert_eq!(ids(&both), (1..=24).collect::<Vec<_>>());
    assert_eq!(both.next, 0);
    let of_store = both.lines.iter().filter(|line| line.own).count();
    assert_eq!(of_store, 20, "the stored one counts");
    // More than a page: the newest, and the next one is before them.
    let newest = page(stored(71..=120), lines(100..=124), false);
    assert_eq!(ids(&newest), (75..=124).collect::<Vec<_>>());
    assert_eq!(newest.next, 75);
    // The store has a page of them and nothing before, which it does not know.
    assert_eq!(page(stored(1..=50), Vec::new(), false).next, 1);
    assert_eq!(
        page(Vec::new(), Vec::new(), true),
        Page {
            lines: Vec::new(),
            more: false,
            next: 0,
        }
    );
    // Nothing could be read.
    assert_eq!(page(Vec::new(), lines(7..=9), false).next, 7);
}

/// A place in the order remains of them, so that nothing seems to be missing, and no word.
#[test]
fn of_who_was_erased_nothing_is_shown() {
    let mut some = stored(1..=50);
    for (id, line) in &mut some {
        if *id != 20 {
            *line = None;
        }
    }
    let page = page(some, lines([50]), false);
    assert_eq!((ids(&page), page.next), (vec![20], 1));
}

#[test]
fn a_line_that_may_be_on_its_way_to_the_store_is_missed() {
    let missed = |before, newest, stored, remembered: &[PastLine]| {
        lacks_some(top(before, newest, remembered), stored, remembered)
    };
    assert!(!missed(0, 0, None, &[]), "nothing was said");
    assert!(!missed(0, 5, None, &lines(1..=5)), "all is remembered");
    assert!(!missed(0, 40, Some(38), &lines(9..=40)));
    assert!(!missed(0, 40, Some(8), &lines(9..=40)));
    assert!(missed(0, 40, Some(7), &lines(9..=40)));
    // Numbers that were left out since.
    assert!(!missed(0, 100_040, Some(40), &lines(9..=40)));
    // Further back there is no memory of it.
    assert!(!missed(9, 40, Some(8), &[]));
    assert!(missed(9, 40, Some(7), &[]));
    assert!(missed(9, 40, None, &[]));
    assert!(!missed(u32::MAX, 0, None, &[]), "there is no such line");
}

#[test]
fn a_page_goes_out_in_parts_and_has_fewer_lines_where_they_are_long() {
    let whole = page(stored(1..=50), Vec::new(), false);
    let messages = Vec::from(parts(7, whole.clone()));
    assert!(messages.len() > 1);
    assert_eq!(joined(7, &messages), whole);
    let mut long = stored(1..=50);
    for line in long.iter_mut().filter_map(|(_, line)| line.as_mut()) {
        (line.name, line.text) = ("\u{1F980}".repeat(24), "\u{1F980}".repeat(200));
    }
    let cut = page(long, Vec::new(), false);
    assert_eq!(ids(&cut), (33..=50).collect::<Vec<_>>());
    assert_eq!(cut.next, 33);
    let messages = Vec::from(parts(7, cut.clone()));
    assert!(messages.iter().all(|part| part.len() < 1100));
    assert_eq!(joined(7, &messages), cut);
    let none = page(Vec::new(), Vec::new(), true);
    assert_eq!(joined(7, &Vec::from(parts(7, none.clone()))), none);
}

/// A file, and who reads it.
struct Library {
    folder: PathBuf,
    store: Store,
    writing: Option<std::thread::JoinHandle<()>>,
    history: History,
    metrics: Arc<Metrics>,
    ann: Present,
    start: Instant,
    asked: AtomicU64,
}

impl Library {
    async fn open(name: &str) -> Library {
        let folder = format!("tickwire-{}-history-{name}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        let config = Config {
            store: Some(StorePlace::File(folder.join("tickwire.db"))),
            ..Config::default()
        };
        let metrics = Arc::new(Metrics::new().unwrap());
        let Opened { store, writer } = open(&config, &metrics).await.unwrap();
        let writing = writer.map(|writer| writer.start(&Vitals::default()).unwrap());
        let history = History::new(store.clone(), metrics.clone());
        Library {
            folder,
            store,
            writing,
            history,
            metrics,
            ann: enter("user:ann"),
            start: Instant::now(),
            asked: AtomicU64::new(0),
        }
    }

    /// Lines of the channel, every fifth ann's.
    fn say(&self, ids: impl IntoIterator<Item = u32>) {
        for id in ids {
            let whose = if id % 5 == 0 { "user:ann" } else { "user:bo" };
            self.store.put(Record::Message(Message {
                channel: "a".to_owned(),
                sequence: id.into(),
                said_at_ms: FAR_MS + u64::from(id) * MINUTE_MS,
                player: whose.to_owned(),
                name: "Ann".to_owned(),
                text: format!("line {id}"),
                nonce: None,
            }));
        }
    }

    fn ask(&self, before: u32, newest: u32, remembered: Vec<PastLine>) -> Result<(), Refusal> {
        let ask = Ask {
            reader: self.ann.handle(),
            nonce: before,
            channel: "a".to_owned(),
            before,
            newest,
            remembered,
        };
        // Ten at once, and here there are many.
        let minutes = self.asked.fetch_add(1, Ordering::Relaxed);
        let now = self.start + Duration::from_secs(60 * minutes);
        self.history.ask(ask, now)
    }

    /// What comes of what was asked.
    async fn answer(&self) -> Vec<Bytes> {
        let mut letters = Vec::new();
        let reading = self.history.keep_reading();
        let come = async {
            while !self.ann.take(usize::MAX, None, &mut letters) && letters.is_empty() {
                self.ann.ordered().await;
            }
        };
        tokio::select! {
            () = reading => unreachable!(),
            () = come => {}
        }
        letters
    }

    async fn page(&self, before: u32, newest: u32, remembered: Vec<PastLine>) -> Page {
        self.ask(before, newest, remembered).unwrap();
        joined(before, &self.answer().await)
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        self.store.finish();
        if let Some(writing) = self.writing.take() {
            let _ = writing.join();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn enter(who: &str) -> Present {
    let identity = Identity::read(who).unwrap();
    let address = "10.0.0.7".parse().unwrap();
    let present = Presence::default().enter("chess", "ann", &identity, address);
    present.welcome()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_read_page_by_page_to_its_first_line() {
    let library = Library::open("pages").await;
    library.say(1..=120);
    // The newest were said just now.
    let newest = library.page(0, 125, lines(94..=125)).await;
    assert_eq!(ids(&newest), (76..=125).collect::<Vec<_>>());
    let first = &newest.lines[0];
    assert_eq!(u64::from(first.at), (FAR_MS + 76 * MINUTE_MS) / 1000);
    let own: Vec<u32> = newest
        .lines
        .iter()
        .filter(|of| of.own)
        .map(|of| of.id)
        .collect();
    assert_eq!(own, [80, 85, 90, 95, 100, 105, 110, 115, 120]);
    let middle = library.page(newest.next, 125, Vec::new()).await;
    assert_eq!(ids(&middle), (26..=75).collect::<Vec<_>>());
    let last = library.page(middle.next, 125, Vec::new()).await;
    assert_eq!(ids(&last), (1..=25).collect::<Vec<_>>());
    assert_eq!(last.next, 0);
    let text = library.metrics.render();
    let count = "tickwire_history_pages_total{answer=\"page\"} 3";
    assert!(text.contains(count), "{text}");
}

/// They wait to be written, and the channel does not remember them.
#[tokio::test(flavor = "multi_thread")]
async fn lines_on_their_way_to_the_store_are_in_the_page() {
    let library = Library::open("way").await;
    for round in 0..20 {
        let newest = 40 * (round + 1);
        library.say(newest - 39..=newest);
        let page = library.page(0, newest, lines(newest - 3..=newest)).await;
        let expected = newest.saturating_sub(49).max(1)..=newest;
        assert_eq!(ids(&page), expected.collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_not_taken_a_page_gets_no_other() {
    let library = Library::open("one").await;
    library.say(1..=5);
    assert_eq!(library.ask(0, 5, Vec::new()), Ok(()));
    assert_eq!(library.ask(0, 5, Vec::new()), Err(Refusal::TooOften));
    library.answer().await;
    assert_eq!(library.ask(0, 5, Vec::new()), Ok(()));
}

#[tokio::test]
async fn too_many_are_refused_and_may_ask_again() {
    let library = Library::open("many").await;
    let readers: Vec<Present> = (0..=WAITING_MAX).map(|_| enter("user:bo")).collect();
    let ask = |reader: &Present| {
        let ask = Ask {
            reader: reader.handle(),
            nonce: 1,
            channel: "a".to_owned(),
            before: 0,
            newest: 0,
            remembered: Vec::new(),
        };
        library.history.ask(ask, library.start)
    };
    let (last, others) = readers.split_last().unwrap();
    assert!(others.iter().all(|reader| ask(reader) == Ok(())));
    assert_eq!(ask(last), Err(Refusal::Busy));
    assert_eq!(ask(last), Err(Refusal::Busy), "not for want of an answer");
}

#[test]
fn without_a_store_there_is_what_the_channel_remembers() {
    let metrics = Arc::new(Metrics::new().unwrap());
    let history = History::new(Store::default(), metrics);
    let ann = enter("user:ann");
    let ask = Ask {
        reader: ann.handle(),
        nonce: 3,
        channel: "a".to_owned(),
        before: 0,
        newest: 40,
        remembered: lines(9..=40),
    };
    assert_eq!(history.ask(ask, Instant::now()), Ok(()));
    let mut letters = Vec::new();
    ann.take(usize::MAX, None, &mut letters);
    let page = joined(3, &letters);
    assert_eq!((ids(&page), page.next), ((9..=40).collect(), 0));
}

/// Where nothing can be read, what is remembered is told, and that there may be more; else that it
/// is not to be had now.
#[tokio::test]
async fn a_store_that_fails_is_no_end_of_what_was_said() {
    let library = Library::open("fails").await;
    let failed = || Err(ReadError::Late);
    let ask = |remembered| Ask {
        reader: library.ann.handle(),
        nonce: 4,
        channel: "a".to_owned(),
        before: 0,
        newest: 40,
        remembered,
    };
    let told = || {
        let mut letters = Vec::new();
        library.ann.take(usize::MAX, None, &mut letters);
        letters
    };
    assert!(library.ann.expect_answer(library.start));
    library.history.answer(ask(lines(38..=40)), failed());
    let page = joined(4, &told());
    assert_eq!((ids(&page), page.next), (vec![38, 39, 40], 38));
    assert!(library.ann.expect_answer(library.start));
    library.history.answer(ask(Vec::new()), failed());
    let busy = ServerMessage::Lines {
        nonce: 4,
        result: Err(Refusal::Busy),
    };
    assert_eq!(told(), [encode_server(&busy)]);
}

/// What a page costs from being asked for to its messages, in CPU time of the process, in a channel
/// of a million lines. `--release` is meant; what of it is the store's, `store::tests::cost` says.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it measures"]
async fn the_cost_of_a_page_of_a_million_lines() {
    let library = Library::open("cost").await;
    for from in (0..1_000_000).step_by(4000) {
        library.say(from + 1..=from + 4000);
        assert!(library.store.settled().await);
    }
    let cpu_ms = || {
        let text = library.metrics.render();
        let mut lines = text.lines();
        let seconds = lines.find_map(|line| line.strip_prefix("tickwire_cpu_seconds "));
        seconds.unwrap().parse::<f64>().unwrap() * 1000.0
    };
    for (what, before) in [("newest", 0), ("middle", 500_000), ("first", 51)] {
        let (pages, start) = (5000, cpu_ms());
        for _ in 0..pages {
            let page = library.page(before, 1_000_000, Vec::new()).await;
            assert_eq!(page.lines.len(), 50);
        }
        let each = (cpu_ms() - start) / f64::from(pages);
        println!("{what}: {each:.3} ms of CPU a page");
    }
}
