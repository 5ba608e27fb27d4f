//! What the store costs a tick: a whole server whose rooms say 20,000 lines a second from within
//! their ticks, more than any players may, and whose matches end meanwhile. Measured, by hand, and
//! meant for `--release`: when each tick began against when it was due, before, during and after;
//! then a reader looks at every line and every result that was stored. Not what the store does
//! where nothing ticks, which its own tests show.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use parking_lot::Mutex;
use tickwire_harness::Postgres;
use tokio_tungstenite::tungstenite::Message as Frame;

use super::*;
use crate::config::StorePlace;
use crate::game::{Tick, range};
use crate::store::Store;
use crate::store::matches::Mark;
use crate::store::record::{MatchPlayer, MatchResult, Message, Record};

const ROOMS: usize = 20;
/// Things that move in each.
const THINGS: usize = 24;
const TICK_RATE: u16 = 30;
/// Of a room in a tick: 20,400 a second of all.
const LINES: u64 = 34;
/// Ticks of a room from one match to the next.
const MATCH_TICKS: u32 = 30;
const QUIET: Duration = Duration::from_secs(30);
const LOAD: Duration = Duration::from_secs(60);
/// No line is ever old.
const FAR_MS: u64 = 4_000_000_000_000;

/// What the rooms of a server have in common.
#[derive(Default)]
struct Scene {
    /// Where they say something, once they do.
    store: Mutex<Option<Store>>,
    says: AtomicBool,
    /// Room, tick and when it began.
    began: Mutex<Vec<(usize, u32, Instant)>>,
    /// Lines and matches of each room.
    put: Mutex<Vec<(u64, u64)>>,
}

/// Of the rooms that are opened.
static SCENE: Mutex<Option<Arc<Scene>>> = Mutex::new(None);

struct Talkative;

#[derive(Component)]
struct At {
    x: f64,
}

/// A room, by its number in the scene.
#[derive(Resource)]
struct Of(Arc<Scene>, usize);

impl Game for Talkative {
    const NAME: &'static str = "talkative";
    const SLOWS_WHEN_IDLE: bool = false;
    type Input = Axes;

    fn schema(s: &mut Schema<Talkative>) {
        s.component::<At>("at", |k| {
            k.field("x", |at| &mut at.x, range(0., 1000.).step(0.01).linear())
        });
    }

    fn setup(world: &mut World, systems: &mut Schedule, _: &RoomOptions) {
        let scene = SCENE.lock().clone().expect("it is set");
        let mut put = scene.put.lock();
        world.insert_resource(Of(scene.clone(), put.len()));
        put.push((0, 0));
        drop(put);
        world.spawn_batch((0..THINGS).map(|x| At { x: x as f64 }));
        systems.add_systems((says, moves).chain());
    }

    fn join(world: &mut World, _: &Player) -> Entity {
        world.spawn(At { x: 0. }).id()
    }
}

fn moves(tick: Res<Tick>, mut things: Query<&mut At>) {
    for (nth, mut at) in things.iter_mut().enumerate() {
        at.x = (at.x + nth as f64 * tick.dt) % 1000.0;
    }
}

fn says(tick: Res<Tick>, of: Res<Of>) {
    let Of(scene, room) = &*of;
    scene
        .began
        .lock()
        .push((*room, tick.number, Instant::now()));
    let store = scene.store.lock();
    let says = scene.says.load(Ordering::Relaxed);
    let Some(store) = store.as_ref().filter(|_| says) else {
        return;
    };
    let (lines, matches) = &mut scene.put.lock()[*room];
    for _ in 0..LINES {
        *lines += 1;
        store.put(Record::Message(line(*room, *lines)));
    }
    if tick.number.is_multiple_of(MATCH_TICKS) {
        *matches += 1;
        store.put(Record::Result(ended(*room, *matches)));
    }
}

fn channel(room: usize) -> String {
    format!("talkative-{room}")
}

fn line(room: usize, sequence: u64) -> Message {
    Message {
        channel: channel(room),
        sequence,
        said_at_ms: FAR_MS + sequence,
        player: "user:ann".into(),
        name: "Ann".into(),
        text: format!("line {sequence} of what there is to be said"),
        nonce: None,
    }
}

fn ended(room: usize, round: u64) -> MatchResult {
    let player = |(name, place): (&str, u32)| MatchPlayer {
        player: format!("user:{name}"),
        name: name.to_owned(),
        team: place,
        place,
        score: i64::from(3 - place),
        left: false,
    };
    MatchResult {
        room: channel(room),
        epoch: 0,
        round,
        game: "talkative".into(),
        season: String::new(),
        ended_at_ms: 1000 + round,
        players: [("ann", 1), ("bo", 2)].map(player).into(),
    }
}

/// A player who is shown the room until the server goes.
fn watch(mut client: Client) {
    thread::spawn(move || {
        while let Ok(message) = client.0.read() {
            if let Frame::Binary(bytes) = message
                && let [kind, a, b, c, d, ..] = bytes[..]
                && kind == Kind::State as u8
            {
                let ack = vec![Kind::Ack as u8, a, b, c, d];
                if client.0.send(Frame::binary(ack)).is_err() {
                    return;
                }
            }
        }
    });
}

/// A server whose rooms are played.
struct Played {
    server: Server,
    scene: Arc<Scene>,
}

impl Played {
    fn new(place: StorePlace) -> Played {
        let scene = Arc::new(Scene::default());
        *SCENE.lock() = Some(scene.clone());
        let server = serving::<Talkative>(Config {
            store: Some(place),
            tick_rate: TICK_RATE,
            ..Config::default()
        });
        *scene.store.lock() = Some(server.lobby.store().clone());
        for _ in 0..ROOMS {
            let mut client = Client::new(server.public, "one");
            client.host(&server.lobby);
            watch(client);
        }
        thread::sleep(Duration::from_secs(3));
        Played { server, scene }
    }

    /// How late the ticks of a span are, p50, p99 and at most, in microseconds.
    fn lateness(&self, what: &str, span: Duration) -> f64 {
        self.scene.began.lock().clear();
        thread::sleep(span);
        let began = std::mem::take(&mut *self.scene.began.lock());
        let epoch = began.first().expect("rooms are ticked").2;
        let period_us = 1e6 / f64::from(TICK_RATE);
        // When a tick began, if its room's first one had been at 0.
        let offset_us = |(_, tick, at): &(usize, u32, Instant)| {
            at.duration_since(epoch).as_secs_f64() * 1e6 - f64::from(*tick) * period_us
        };
        let mut late = Vec::with_capacity(began.len());
        for room in 0..ROOMS {
            let of = || began.iter().filter(move |of| of.0 == room).map(offset_us);
            let earliest = of().fold(f64::INFINITY, f64::min);
            late.extend(of().map(|us| us - earliest));
        }
        late.sort_by(f64::total_cmp);
        let at = |share: f64| late[((late.len() - 1) as f64 * share) as usize];
        let (half, most, all) = (at(0.5), at(0.99), at(1.0));
        println!(
            "{what}: {} ticks late by p50 {half:.0}, p99 {most:.0}, at most {all:.0} us",
            late.len()
        );
        most
    }

    /// Plays quietly, then with the load, during which `meanwhile` happens, then quietly again.
    fn measure(&self, meanwhile: impl FnOnce()) {
        let before = self.lateness("before", QUIET);
        let during = thread::scope(|scope| {
            self.scene.says.store(true, Ordering::Relaxed);
            let during = scope.spawn(|| self.lateness("during", LOAD));
            // What it starts ends with its thread, which is the test's.
            meanwhile();
            let during = during.join().unwrap();
            self.scene.says.store(false, Ordering::Relaxed);
            during
        });
        let store = self.server.lobby.store();
        while !self.server.runtime.block_on(store.settled()) {
            thread::sleep(Duration::from_secs(1));
        }
        let after = self.lateness("after", QUIET);
        let quiet = (before + after) / 2.0;
        println!("p99 during: {:.3} of what it is in quiet", during / quiet);
    }

    /// How many lines and matches were put.
    fn put(&self) -> (u64, u64) {
        let put = self.scene.put.lock();
        put.iter()
            .fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1))
    }

    /// How many of them are stored, each as it was, once and in order.
    fn stored(&self) -> (u64, u64) {
        let store = self.server.lobby.store();
        let (mut lines, mut matches) = (0, 0);
        for room in 0..ROOMS {
            let (channel, mut after) = (channel(room), 0);
            loop {
                let page = store.messages_after(&channel, after);
                let page = self.server.runtime.block_on(page).unwrap();
                if page.is_empty() {
                    break;
                }
                for stored in page {
                    assert!(stored.sequence > after, "in order, and once");
                    after = stored.sequence;
                    assert_eq!(stored, line(room, after));
                    lines += 1;
                }
            }
        }
        let mut after: Option<(u64, u64, String)> = None;
        loop {
            let mark = after.as_ref().map(|(ended_at_ms, round, room)| Mark {
                ended_at_ms: *ended_at_ms,
                round: *round,
                room,
            });
            let page = store.matches("talkative", None, mark, 100);
            let page = self.server.runtime.block_on(page).unwrap();
            let Some(last) = page.last() else { break };
            after = Some((last.ended_at_ms, last.round, last.room.clone()));
            matches += page.len() as u64;
        }
        println!(
            "{:?} lines and results were put, {:?} are stored",
            self.put(),
            (lines, matches)
        );
        (lines, matches)
    }

    /// Records of a kind that the server says were lost.
    fn lost(&self, kind: &str) -> u64 {
        let mut stream = TcpStream::connect(self.server.ops).unwrap();
        write!(
            stream,
            "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let name = format!("tickwire_store_records_lost_total{{kind=\"{kind}\"}} ");
        let count = text.lines().find_map(|line| line.strip_prefix(&name));
        count.expect("it is shown").parse().unwrap()
    }

    fn end(self) {
        *self.scene.store.lock() = None;
        self.server.break_part("the operator's port");
        self.server.end();
    }
}

#[test]
#[ignore = "it measures for two minutes"]
fn twenty_thousand_lines_a_second_are_stored() {
    let folder = std::env::temp_dir().join(format!("tickwire-{}-beside", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let played = Played::new(StorePlace::File(folder.join("tickwire.db")));
    played.measure(|| {});
    assert_eq!(played.stored(), played.put(), "none was lost");
    played.end();
    let _ = std::fs::remove_dir_all(&folder);
}

/// It is away for as long as they are said.
#[test]
#[ignore = "it measures for two minutes"]
fn a_postgres_that_is_away_loses_no_result() {
    let mut postgres = Postgres::start(&[]);
    let played = Played::new(postgres.database("away").parse().unwrap());
    played.measure(|| {
        postgres.stop();
        thread::sleep(LOAD);
        postgres.restart();
    });
    let ((lines, results), stored) = (played.put(), played.stored());
    let lost = played.lost("chat");
    println!("{lost} lines were lost");
    assert_eq!(stored.1, results, "no result was lost");
    assert_eq!(stored.0 + lost, lines, "what is not there is counted");
    played.end();
}
