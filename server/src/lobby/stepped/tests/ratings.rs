//! The queue goes by what the store knows of who queues, waits for no disk, and takes for new whose
//! rating can't be had.

use tickwire::protocol::{OutOfQueue, QueueRequest};

use super::queue::enqueue;
use super::*;
use crate::auth::Identity;
use crate::config::StorePlace;
use crate::lobby::queueing::Skill;
use crate::ratings::Rating;
use crate::store::record::{MatchPlayer, MatchResult, Record};
use crate::store::{Store, open};

/// A store in a file of its own, and who writes it.
struct Shelf {
    folder: std::path::PathBuf,
    store: Store,
    writing: Option<std::thread::JoinHandle<()>>,
    rounds: u64,
}

impl Shelf {
    async fn open(name: &str) -> Shelf {
        let name = format!("tickwire-{}-ratings-{name}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let config = Config {
            store: Some(StorePlace::File(folder.join("tickwire.db"))),
            ..Config::default()
        };
        let metrics = Arc::new(Metrics::new().unwrap());
        let opened = open(&config, &metrics).await.unwrap();
        let writer = opened.writer.unwrap();
        Shelf {
            folder,
            store: opened.store,
            writing: Some(writer.start(&Vitals::default()).unwrap()),
            rounds: 0,
        }
    }

    /// One came before the other.
    async fn plays(&mut self, winner: &str, loser: &str) {
        self.rounds += 1;
        let players = [(winner, 1), (loser, 2)].map(|(player, place)| MatchPlayer {
            player: player.to_owned(),
            name: String::new(),
            team: place,
            place,
            score: 0,
            left: false,
        });
        self.store.put(Record::Result(MatchResult {
            room: "1-a".to_owned(),
            epoch: 0,
            round: self.rounds,
            game: "still".to_owned(),
            season: String::new(),
            ended_at_ms: self.rounds,
            players: players.to_vec(),
        }));
        assert!(self.store.settled().await);
    }

    /// How much better one is than the other, as it is remembered.
    fn apart(&self, one: &str, other: &str) -> f64 {
        let mean = |of| self.store.mean_known("still", of, Instant::now());
        mean(one).unwrap() - mean(other).unwrap()
    }

    async fn hall(&self) -> Hall {
        let stored = Stored::read(self.store.clone()).await.unwrap();
        Hall::of(&awake(), None, stored)
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        self.store.finish();
        if let Some(writing) = self.writing.take() {
            let _ = writing.join();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Hall {
    /// Somebody whom a token vouches for.
    fn known(&mut self, who: &str) -> Player {
        let who = Identity::read(who).unwrap();
        let token = self.server.shared.tokens.vouch(who).unwrap().1;
        self.guest(&token)
    }

    /// What was asked of the store is read.
    async fn read(&mut self, players: &mut [&mut Player]) {
        let game = &self.server.shared.games[0];
        let read = game.queueing.as_ref().unwrap().skill.read_some().await;
        self.server.shared.rated(game, &read, self.now);
        self.settle(players);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_known_is_matched_by_their_rating_and_by_what_was_played_since() {
    let mut shelf = Shelf::open("matched").await;
    for _ in 0..12 {
        shelf.plays("user:ann", "user:bo").await;
    }
    let mut hall = shelf.hall().await;
    let (mut ann, mut bo) = (hall.known("user:ann"), hall.known("user:bo"));
    let mut both = [&mut ann, &mut bo];
    for player in &mut both {
        player.says(enqueue(1, "duel"));
    }
    hall.settle(&mut both);
    assert_eq!(hall.in_queue(), 0, "it is not known yet how good they are");
    assert!(both.iter().all(|player| player.told_last().is_none()));
    hall.read(&mut both).await;
    assert_eq!(hall.in_queue(), 2);
    // New ones would have a match at once.
    hall.pass(6.0, &mut both);
    assert!(shelf.apart("user:ann", "user:bo") > 8.0);
    assert!(both.iter().all(|player| player.waited_ms() >= 5000));

    for player in &mut both {
        player.says(QueueRequest::Cancel);
    }
    hall.settle(&mut both);
    for _ in 0..60 {
        if shelf.apart("user:ann", "user:bo") < 1.5 {
            break;
        }
        shelf.plays("user:bo", "user:ann").await;
    }
    for player in &mut both {
        player.says(enqueue(2, "duel"));
    }
    hall.pass(0.5, &mut both);
    assert_eq!(both[0].offer(), both[1].offer(), "nothing had to be read");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_while_a_rating_is_read_is_so() {
    let shelf = Shelf::open("said").await;
    let mut hall = shelf.hall().await;
    let mut ann = hall.known("user:ann");
    let token = ann.token();
    ann.says(enqueue(1, "duel"));
    ann.says(QueueRequest::Look);
    hall.settle(&mut [&mut ann]);
    assert_eq!(ann.told_last(), None, "the answer is to come");
    let mut tab = hall.guest(&token);
    tab.says(enqueue(2, "duel"));
    hall.settle(&mut [&mut ann, &mut tab]);
    assert_eq!(tab.told_last().unwrap().0, 2);
    assert_eq!(tab.out(), (OutOfQueue::TooOften, true));
    tab.says(QueueRequest::Cancel);
    hall.settle(&mut [&mut ann, &mut tab]);
    assert_eq!(ann.told_last().unwrap().0, 1);
    assert_eq!(ann.out(), (OutOfQueue::Cancelled, true));
    hall.read(&mut [&mut ann]).await;
    assert_eq!(hall.in_queue(), 0);

    // Who goes meanwhile is in the queue as who was cut off in it.
    let mut bo = hall.known("user:bo");
    let token = bo.token();
    bo.says(enqueue(3, "duel"));
    hall.settle(&mut [&mut bo]);
    drop(bo);
    hall.settle(&mut []);
    hall.read(&mut []).await;
    let mut cy = hall.guest("");
    cy.says(enqueue(1, "duel"));
    hall.pass(6.0, &mut [&mut cy]);
    assert!(cy.waited_ms() >= 5000, "nobody is matched with who is away");
    let mut bo = hall.guest(&token);
    hall.pass(1.5, &mut [&mut bo, &mut cy]);
    assert_eq!((bo.told_last().unwrap().0, bo.offer()), (3, cy.offer()));
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_rating_is_read_as_the_server_stops_is_told_that_it_does() {
    let shelf = Shelf::open("stops").await;
    let mut hall = shelf.hall().await;
    let mut ann = hall.known("user:ann");
    ann.says(enqueue(1, "duel"));
    hall.settle(&mut [&mut ann]);
    let shared = hall.server.shared.clone();
    let queueing = shared.games[0].queueing.as_ref().unwrap();
    queueing.tend(
        &shared.around(&shared.games[0], queueing, hall.now),
        true,
        hall.now,
    );
    hall.settle(&mut [&mut ann]);
    assert_eq!(ann.out(), (OutOfQueue::Closed, false));
    hall.read(&mut [&mut ann]).await;
    assert_eq!(hall.in_queue(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_read_in_time_is_that_of_who_is_new_and_counted() {
    let mut shelf = Shelf::open("late").await;
    shelf.plays("user:ann", "user:bo").await;
    let metrics = Metrics::new().unwrap();
    let skill = Skill::new(shelf.store.clone(), "still", metrics.game("still"));
    let ann = Identity::read("user:ann").unwrap();
    let long_ago = Instant::now() - Duration::from_secs(5);
    assert_eq!(skill.of(&ann, long_ago), None);
    let new = Rating::START.mean;
    assert_eq!(skill.read_some().await, [(ann.clone(), new)]);
    let in_time = Instant::now() + Duration::from_secs(60);
    assert_eq!(skill.of(&ann, in_time), None);
    assert!(skill.read_some().await[0].1 > new);
    // Nobody reads, and too many ask.
    let other = |at: usize| Identity::read(&format!("user:{at}")).unwrap();
    let asked = (0..5000).find(|at| skill.of(&other(*at), in_time) == Some(new));
    assert_eq!(asked, Some(1024));
    let unread = "tickwire_queue_ratings_unread_total{game=\"still\"} 2";
    let text = metrics.render();
    assert!(text.contains(unread), "{text}");
    // Of guests there is nothing to read.
    assert_eq!(skill.of(&Identity::nobody(), in_time), Some(new));
}
