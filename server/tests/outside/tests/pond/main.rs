//! The pond, served as any game is and played by bots over real sockets: every image is the
//! server's, and nobody is sent what is another's.

mod bot;

use clap::Parser;
use indicatif::ProgressBar;
use outside_game::{NO_LEAK, OPEN_LETTERS, PUBLIC_PURSE, Pond};
use tickwire_bots::flags::Flags;
use tickwire_bots::swarm;
use tickwire_harness::Server;
use tickwire_server::Site;
use tickwire_server::config::Config;

use bot::{Bot, Seen};

/// Snapshots that each bot waits for: two seconds of them.
const SNAPSHOTS: u64 = 60;
/// Ducks of a room.
const DUCKS: u16 = 100;

fn pond<const LEAK: u8>() -> Server {
    let config = Config {
        npcs: DUCKS,
        seed: Some(4),
        ..Config::default()
    };
    Server::start::<Pond<LEAK>>(config, Site::new())
}

/// So many bots in two rooms of a pond, and what they saw.
async fn play<const LEAK: u8>(bots: usize) -> Vec<Seen> {
    let pool = pond::<LEAK>();
    let mut rooms = Vec::new();
    let mut playing = Vec::new();
    for index in 0..bots {
        let bot = Bot::enter(pool.public, index, rooms.get(index % 2).copied()).await;
        rooms.extend((index < 2).then(|| bot.room()));
        playing.push(tokio::spawn(bot.play(SNAPSHOTS)));
    }
    assert_ne!(rooms[0], rooms[1]);
    let mut seen = Vec::new();
    for bot in playing {
        seen.push(bot.await.expect("no bot panics"));
    }
    pool.close().await;
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_bots_in_two_rooms_see_what_is_there() {
    for seen in play::<NO_LEAK>(20).await {
        assert!(seen.snapshots >= SNAPSHOTS, "{seen:?}");
        assert_eq!(seen.desyncs, 0, "{seen:?}");
        assert_eq!(seen.wrong_stamps, 0, "{seen:?}");
        assert_eq!(seen.ducks, usize::from(DUCKS), "{seen:?}");
        assert_eq!(seen.wrong_names, 0, "{seen:?}");
        assert!(seen.answers.0 > 0 && seen.answers.1 > 0, "{seen:?}");
        assert!(seen.honks > 0, "{seen:?}");
        assert!(seen.own_secrets >= SNAPSHOTS, "{seen:?}");
        assert!(seen.letters > 0, "{seen:?}");
        assert!(seen.leaks.is_empty(), "{seen:?}");
    }
}

/// The look-out itself: each way to leak is seen by somebody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaks_are_found() {
    for seen in [play::<PUBLIC_PURSE>(4).await, play::<OPEN_LETTERS>(4).await] {
        assert!(seen.iter().all(|seen| !seen.leaks.is_empty()), "{seen:?}");
    }
}

/// The swarm of `tickwire-bots` plays a game that it knows by its schema only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_swarm_plays_it_too() {
    for behaviour in ["random", "wander"] {
        let pool = pond::<NO_LEAK>();
        let line = format!(
            "bots --url ws://{}/ws --bots 20 --rooms 2 --ramp 100ms --duration 1s \
             --behaviour {behaviour} --max-gap-p99-ms 60000",
            pool.public
        );
        let flags = Flags::try_parse_from(line.split_whitespace()).expect("good flags");
        let report = swarm::run(flags, &ProgressBar::hidden())
            .await
            .expect("the server is there");
        assert!(report.passed(), "{report}");
        assert_eq!((report.bots_connected, report.desyncs), (20, 0));
        assert!(report.inputs_per_client_per_s > 0.0, "{report}");
        pool.close().await;
    }
}
