//! The writer, step by step on virtual time, over a database that the test has in its hand.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::{line, message, result};
use crate::metrics::Metrics;
use crate::store::health::Health;
use crate::store::inbox::{BATCH, Erased, Inbox, Request};
use crate::store::outbox::Wanted;
use crate::store::queue::Limits;
use crate::store::record::Record;
use crate::store::retention::{Retention, Spans};
use crate::store::tables::{Decide, Failure, Tables};
use crate::store::value::{Row, Statement, Value};
use crate::store::writer::{Step, Writer};

const LINGER: Duration = Duration::from_millis(50);

/// Rows by their key, and what the database is up to.
#[derive(Default)]
struct Database {
    rows: BTreeSet<String>,
    transactions: Vec<usize>,
    is_away: bool,
    /// It does what it is told, and the answer is lost.
    loses_answers: bool,
    is_short: bool,
    scrubbed: u32,
    /// Matches that don't count yet: one is counted at a time.
    uncounted: u32,
    refuses_to_count: bool,
}

struct InHand(Arc<Mutex<Database>>);

impl Tables for InHand {
    fn name(&self) -> String {
        "hand".into()
    }

    fn commit(&mut self, statements: &[Statement], _: Duration) -> Result<u64, Failure> {
        let mut database = self.0.lock();
        if statements[0].sql.starts_with("DELETE") {
            return Ok(0);
        }
        if database.is_away {
            return Err(Failure::Away("it is away".into()));
        }
        let is_bad = |statement: &Statement| statement.values.contains(&Value::from("bad"));
        if statements.iter().any(is_bad) {
            return Err(Failure::Refused("it is bad".into()));
        }
        database.transactions.push(statements.len());
        let rows = statements.iter().map(|of| {
            let key: Vec<_> = of.values.iter().take(3).collect();
            format!("{key:?}")
        });
        database.rows.extend(rows);
        match std::mem::take(&mut database.loses_answers) {
            true => Err(Failure::Away("no answer".into())),
            false => Ok(0),
        }
    }

    fn decide(&mut self, _: &Statement, decide: Decide<'_>, _: Duration) -> Result<usize, Failure> {
        let mut database = self.0.lock();
        match database.uncounted {
            0 => Ok(0),
            _ if database.is_away => Err(Failure::Away("it is away".into())),
            _ if database.refuses_to_count => Ok(decide(&[Row(Vec::new())]).map(|_| 1)?),
            _ => {
                database.uncounted -= 1;
                Ok(1)
            }
        }
    }

    fn scrub(&mut self) -> Result<(), Failure> {
        self.0.lock().scrubbed += 1;
        Ok(())
    }

    fn is_short(&mut self) -> bool {
        self.0.lock().is_short
    }
}

struct Bench {
    inbox: Arc<Inbox>,
    database: Arc<Mutex<Database>>,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
    writer: Writer,
    now: Instant,
}

impl Bench {
    fn new(records: usize) -> Bench {
        let inbox = Arc::new(Inbox::with(Limits {
            records,
            bytes: 1 << 20,
        }));
        let database = Arc::<Mutex<Database>>::default();
        let metrics = Arc::new(Metrics::new().unwrap());
        let health = Arc::new(Health::new(metrics.clone()));
        let day = Duration::from_secs(86_400);
        let spans = Spans {
            chat: day,
            notices: day,
        };
        let writer = Writer::new(
            inbox.clone(),
            Box::new(InHand(database.clone())),
            Wanted::default(),
            (Retention::new(spans), false),
            health.clone(),
            Arc::default(),
            metrics.clone(),
        );
        Bench {
            inbox,
            database,
            health,
            metrics,
            writer,
            now: Instant::now(),
        }
    }

    fn put(&self, record: Record) -> oneshot::Receiver<()> {
        let (acknowledge, written) = oneshot::channel();
        let lost = self.inbox.put(record, Some(acknowledge));
        self.health.lost(&lost);
        written
    }

    /// Steps until there is nothing to do at this time; until when, `None` at the end.
    fn settle(&mut self) -> Option<Duration> {
        for _ in 0..1000 {
            match self.writer.step(self.writer.look(), self.now, 0) {
                Step::Done => {}
                Step::Until(until) => return Some(until - self.now),
                Step::Over => return None,
            }
        }
        panic!("it does not come to rest");
    }

    fn pass(&mut self, span: Duration) {
        self.now += span;
        self.settle();
    }

    fn rows(&self) -> usize {
        self.database.lock().rows.len()
    }

    fn figure(&self, line: &str) -> bool {
        self.metrics.render().contains(&format!("\n{line}\n"))
    }
}

#[test]
fn a_batch_waits_for_others_and_not_for_long() {
    let mut bench = Bench::new(8192);
    let mut written = bench.put(line("a", 1));
    assert_eq!(bench.settle(), Some(LINGER));
    bench.put(line("a", 2));
    bench.pass(LINGER / 2);
    assert_eq!(bench.rows(), 0);
    bench.pass(LINGER / 2);
    assert_eq!((bench.rows(), written.try_recv()), (2, Ok(())));
    let written: Vec<_> = (3..1204).map(|of| bench.put(line("a", of))).collect();
    assert_eq!(bench.settle(), Some(LINGER), "what is left of full ones");
    assert_eq!(bench.database.lock().transactions, [2, BATCH, BATCH]);
    bench.pass(LINGER);
    assert_eq!(bench.database.lock().transactions, [2, BATCH, BATCH, 201]);
    assert!(written.into_iter().all(|mut of| of.try_recv().is_ok()));
    assert!(bench.figure("tickwire_store_records_total{kind=\"chat\"} 1203"));
}

#[test]
fn while_the_database_is_away_the_queue_holds_and_nothing_is_written_twice() {
    let mut bench = Bench::new(4);
    bench.database.lock().is_away = true;
    let won = Record::Result(result("room", 1, &[]));
    let mut kept = [bench.put(line("a", 1)), bench.put(won.clone())];
    bench.pass(Duration::ZERO);
    bench.pass(LINGER);
    let mut rests = Vec::new();
    for _ in 0..8 {
        let rest = bench.settle().unwrap();
        rests.push(rest.as_millis());
        bench.pass(rest);
    }
    assert_eq!(rests, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    let degraded = |bench: &Bench| bench.health.degraded(bench.now);
    assert_eq!(degraded(&bench).as_deref(), Some("it is away"));
    // Two are in the writer's hand, and two have room.
    let mut late = [3, 4, 5].map(|round| bench.put(line("a", round)));
    assert!(late[2].try_recv().is_err());
    let mut last = bench.put(Record::Result(result("room", 2, &[])));
    assert_eq!(
        degraded(&bench).as_deref(),
        Some("it is away; records were lost")
    );
    {
        let mut database = bench.database.lock();
        (database.is_away, database.loses_answers) = (false, true);
    }
    bench.pass(Duration::from_secs(5));
    assert!(
        kept[0].try_recv().is_err(),
        "nobody knows whether it is there"
    );
    bench.pass(Duration::from_secs(5));
    bench.pass(LINGER);
    assert!(kept.iter_mut().all(|kept| kept.try_recv() == Ok(())));
    assert_eq!((late[0].try_recv(), last.try_recv()), (Ok(()), Ok(())));
    assert_eq!(bench.rows(), 4, "{:?}", bench.database.lock().rows);
    assert_eq!(degraded(&bench).as_deref(), Some("records were lost"));
    assert!(bench.figure("tickwire_store_records_lost_total{kind=\"chat\"} 2"));
    assert!(bench.figure("tickwire_store_records_lost_total{kind=\"result\"} 0"));
    bench.now += Duration::from_secs(61);
    assert_eq!(degraded(&bench), None);
}

#[test]
fn what_the_database_refuses_is_lost_alone() {
    let mut bench = Bench::new(8192);
    let mut written = [1, 2, 3].map(|sequence| {
        let text = if sequence == 2 { "bad" } else { "good" };
        bench.put(Record::Message(message("a", sequence, "user:ann", text)))
    });
    bench.settle();
    bench.pass(LINGER);
    let told = written.each_mut().map(|of| of.try_recv().is_ok());
    assert_eq!(told, [true, false, true]);
    assert_eq!(bench.rows(), 2);
    assert!(bench.figure("tickwire_store_records_lost_total{kind=\"chat\"} 1"));
}

#[test]
fn on_a_full_disk_results_are_written_and_chat_waits() {
    let mut bench = Bench::new(8192);
    bench.database.lock().is_short = true;
    bench.settle();
    let mut said = bench.put(line("a", 1));
    let mut won = bench.put(Record::Result(result("room", 1, &[])));
    bench.settle();
    bench.pass(LINGER);
    assert!(won.try_recv().is_ok() && said.try_recv().is_err());
    assert_eq!(
        bench.health.degraded(bench.now).as_deref(),
        Some("the disk is full")
    );
    bench.database.lock().is_short = false;
    // It sees that there is room, and then what waits.
    bench.settle();
    bench.pass(LINGER);
    bench.pass(LINGER);
    assert!(said.try_recv().is_ok());
    assert_eq!(bench.health.degraded(bench.now), None);
}

#[test]
fn what_is_asked_for_comes_between_batches() {
    let mut bench = Bench::new(8192);
    bench.put(line("a", 1));
    let (reply, mut settled) = oneshot::channel();
    assert!(bench.inbox.ask(Request::Settle(reply)));
    let (reply, mut erased) = oneshot::channel();
    let who = Erased {
        player: "user:ann".into(),
        nobody: "gone:1".into(),
    };
    assert!(bench.inbox.ask(Request::Erase(who, reply)));
    bench.settle();
    assert_eq!(
        (settled.try_recv(), erased.try_recv()),
        (Ok(()), Ok(Ok(())))
    );
    assert_eq!(bench.database.lock().scrubbed, 1);
    let full = (0..17).map(|_| bench.inbox.ask(Request::Settle(oneshot::channel().0)));
    assert_eq!(full.filter(|is_taken| *is_taken).count(), 16);
}

#[test]
fn at_the_end_what_waits_is_written_once_more_tried_or_counted() {
    let mut bench = Bench::new(8192);
    let mut written: Vec<_> = (0..1200).map(|of| bench.put(line("a", of))).collect();
    bench.inbox.finish();
    assert_eq!(bench.settle(), None);
    assert!(written.iter_mut().all(|of| of.try_recv().is_ok()));
    assert!(!bench.inbox.ask(Request::Settle(oneshot::channel().0)));
    let mut bench = Bench::new(8192);
    bench.database.lock().is_away = true;
    let mut written: Vec<_> = (0..1200).map(|of| bench.put(line("a", of))).collect();
    bench.inbox.finish();
    assert_eq!(bench.settle(), None);
    assert!(written.iter_mut().all(|of| of.try_recv().is_err()));
    assert!(bench.figure("tickwire_store_records_lost_total{kind=\"chat\"} 1200"));
}

#[test]
fn matches_count_at_the_start_and_after_a_result_and_before_who_asked_is_answered() {
    let mut bench = Bench::new(8192);
    // Of a process that was killed.
    bench.database.lock().uncounted = 3;
    bench.settle();
    assert_eq!(bench.database.lock().uncounted, 0);
    bench.database.lock().uncounted = 1;
    let _said = bench.put(line("a", 1));
    bench.pass(LINGER);
    assert_eq!(bench.database.lock().uncounted, 1, "chat is no result");
    let _won = bench.put(Record::Result(result("1-a", 1, &[])));
    let (reply, mut settled) = oneshot::channel();
    assert!(bench.inbox.ask(Request::Settle(reply)));
    while settled.try_recv().is_err() {
        assert_eq!(
            bench.writer.step(bench.writer.look(), bench.now, 0),
            Step::Done
        );
    }
    assert_eq!(bench.database.lock().uncounted, 0);
}

#[test]
fn what_can_not_be_counted_now_is_later_and_holds_no_end() {
    let mut bench = Bench::new(8192);
    bench.settle();
    let _won = bench.put(Record::Result(result("1-a", 1, &[])));
    bench.database.lock().uncounted = 1;
    bench.settle();
    bench.pass(LINGER);
    assert_eq!(bench.database.lock().uncounted, 0);

    let _won = bench.put(Record::Result(result("1-a", 2, &[])));
    {
        let mut database = bench.database.lock();
        (database.uncounted, database.refuses_to_count) = (1, true);
    }
    bench.settle();
    bench.pass(LINGER);
    assert_eq!(bench.health.degraded(bench.now), None, "the rest goes on");
    bench.database.lock().refuses_to_count = false;
    bench.writer = {
        let day = Duration::from_secs(86_400);
        let spans = Spans {
            chat: day,
            notices: day,
        };
        Writer::new(
            bench.inbox.clone(),
            Box::new(InHand(bench.database.clone())),
            Wanted::default(),
            (Retention::new(spans), false),
            bench.health.clone(),
            Arc::default(),
            bench.metrics.clone(),
        )
    };
    bench.database.lock().is_away = true;
    assert!(bench.settle().is_some(), "it rests");
    assert!(bench.health.degraded(bench.now).is_some());
    bench.inbox.finish();
    assert_eq!(bench.settle(), None);
    assert_eq!(bench.database.lock().uncounted, 1);
}
