//! A small swarm, hostile bots among it, against a real server on real sockets: everybody gets
//! in, every image agrees, every breach is answered, and the figures are there. No figure of time
//! is judged: a test machine may be busy.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bevy_ecs::prelude::*;
use clap::Parser;
use indicatif::ProgressBar;
use tickwire_arena::Arena;
use tickwire_bots::flags::Flags;
use tickwire_bots::report::Report;
use tickwire_bots::swarm::{self, SwarmError};
use tickwire_harness::Server;
use tickwire_server::Site;
use tickwire_server::config::Config;
use tickwire_server::game::{
    Axes, Game, Group, Groups, Input, Owner, Player, RoomOptions, Roster, Schema, Tick, range,
};

/// Longest that a run of this file may take.
const BOUND: Duration = Duration::from_secs(60);

fn flags(addr: SocketAddr, rest: &str) -> Flags {
    let line = format!("bots --url ws://{addr}/ws {rest}");
    Flags::try_parse_from(line.split_whitespace()).expect("good flags")
}

/// A swarm of these flags against a server of its own.
async fn soak(rest: &str) -> Report {
    let config = Config {
        seed: Some(11),
        max_players: 16,
        ..Config::default()
    };
    let server = Server::start::<Arena>(config, Site::new());
    let bar = ProgressBar::hidden();
    let run = swarm::run(flags(server.public, rest), &bar);
    let report = tokio::time::timeout(BOUND, run).await;
    let report = report.expect("a run is bounded in time");
    let report = report.expect("the server is there");
    server.close().await;
    report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_bots_in_two_rooms_and_five_hostile_ones() {
    let report = soak(
        "--bots 20 --rooms 2 --ramp 200ms --duration 4s --max-gap-p99-ms 60000 \
         --behaviour wander,idle,flood,garbage,text,oversize,cheat --max-gap-growth 100000",
    )
    .await;
    assert!(report.passed(), "{report}");
    assert_eq!(report.bots_connected, 20);
    assert_eq!(report.desyncs, 0);
    assert!(report.disconnects.is_empty(), "{report}");
    assert!(report.snapshots_per_s > 0.0, "{report}");
    assert!(report.gap_ms.p999.is_some() && report.latency_ms.p99.is_some());
    assert!(report.bytes_per_moving_entity.is_some(), "{report}");
    assert_eq!(report.hostile.len(), 5, "{report}");
    assert!(report.calm_gap_p99_ms.is_some(), "{report}");
}

/// As where WebSocket does not get through.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bots_play_by_streams_and_by_polls() {
    for transport in ["stream", "poll"] {
        let report = soak(&format!(
            "--transport {transport} --bots 10 --rooms 2 --ramp 200ms --duration 4s \
             --max-gap-p99-ms 60000"
        ))
        .await;
        assert!(report.passed(), "{transport}: {report}");
        assert_eq!(
            (report.bots_connected, report.desyncs),
            (10, 0),
            "{transport}"
        );
        assert!(report.disconnects.is_empty(), "{transport}: {report}");
        assert!(report.snapshots_per_s > 0.0, "{transport}: {report}");
        assert!(report.latency_ms.p99.is_some(), "{transport}: {report}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_get_snapshots_without_sending_inputs() {
    let report =
        soak("--bots 3 --ramp 0s --duration 1s --behaviour spectate --max-gap-p99-ms 60000").await;
    assert!(report.passed(), "{report}");
    assert_eq!(report.inputs_per_client_per_s, 0.0);
    assert_eq!(report.latency_ms.p99, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_bot_says_is_heard_by_all_of_its_room() {
    let report = soak(
        "--bots 6 --rooms 2 --ramp 0s --duration 4s --say 1s --max-gap-p99-ms 60000 \
         --max-line-p99-ms 60000",
    )
    .await;
    assert!(report.passed(), "{report}");
    assert!(report.lines_said > 0, "{report}");
    // The last ones may be on their way.
    let (said, heard) = (report.lines_said, report.lines_heard);
    assert!(heard > said && heard <= 3 * said, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_is_too_small_is_a_missed_objective() {
    let report = soak("--bots 18 --ramp 0s --duration 500ms --max-gap-p99-ms 60000").await;
    assert!(!report.passed());
    assert_eq!(report.bots_connected, 16, "{report}");
    assert!(report.to_string().contains("RoomFull"), "{report}");
}

/// A game in which nothing happens.
struct Calm;

impl Game for Calm {
    const NAME: &'static str = "calm";
    type Input = Axes;

    fn schema(schema: &mut Schema<Self>) {
        schema.axes();
    }

    fn setup(_: &mut World, _: &mut Schedule, _: &RoomOptions) {}

    fn join(world: &mut World, _: &Player) -> Entity {
        world.spawn_empty().id()
    }
}

/// A house of floors between which its players are led; each sees the own floor and the next one,
/// and nothing is on none.
struct Floors;

#[derive(Component)]
struct Pos {
    x: f64,
    y: f64,
}

const FLOORS: u16 = 9;

impl Game for Floors {
    const NAME: &'static str = "floors";
    type Input = Axes;

    fn schema(schema: &mut Schema<Self>) {
        schema.axes().component::<Pos>("pos", |k| {
            k.predicted()
                .field("x", |p| &mut p.x, range(-500.0, 500.0).step(0.1).linear())
                .field("y", |p| &mut p.y, range(-500.0, 500.0).step(0.1).linear())
        });
    }

    fn setup(_: &mut World, systems: &mut Schedule, _: &RoomOptions) {
        systems.add_systems((walk, climb).chain());
    }

    fn join(world: &mut World, who: &Player) -> Entity {
        let pos = Pos { x: 0.0, y: 0.0 };
        world.spawn((pos, Group(who.id.0 % FLOORS))).id()
    }
}

fn walk(mut walkers: Query<(&mut Pos, &Input<Axes>)>) {
    for (mut pos, input) in &mut walkers {
        pos.x = (pos.x + input.now.dx).clamp(-500.0, 500.0);
        pos.y = (pos.y + input.now.dy).clamp(-500.0, 500.0);
    }
}

fn climb(
    tick: Res<Tick>,
    mut walkers: Query<(&mut Group, &Owner)>,
    mut groups: ResMut<Groups>,
    roster: Res<Roster>,
) {
    for (mut floor, owner) in &mut walkers {
        if (tick.number + 7 * u32::from(owner.0.0)).is_multiple_of(20) {
            floor.0 = (floor.0 + 1) % FLOORS;
        }
        groups.set(owner.0, [(floor.0 + 1) % FLOORS]);
    }
    for spectator in &roster.spectators {
        let floor = (tick.number / 15) as u16 % FLOORS;
        groups.set(*spectator, [floor, (floor + 4) % FLOORS]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bots_and_spectators_hold_changing_groups_also_after_they_were_lost() {
    let config = Config {
        seed: Some(11),
        max_players: 16,
        ..Config::default()
    };
    let server = Server::start::<Floors>(config, Site::new());
    let bar = ProgressBar::hidden();
    for rest in [
        "--bots 20 --rooms 2 --ramp 0s --duration 3s --drops 40",
        "--bots 20 --rooms 2 --ramp 0s --duration 3s --spectators 6 --max-gap-growth 100000",
    ] {
        let run = swarm::run(flags(server.public, &format!("{rest} {LAZY}")), &bar);
        let report = tokio::time::timeout(BOUND, run).await;
        let report = report.expect("a run is bounded in time");
        let report = report.expect("the server is there");
        assert!(report.passed(), "{rest}: {report}");
        assert_eq!((report.bots_connected, report.desyncs), (20, 0), "{rest}");
        assert_eq!(report.spectator_desyncs, 0, "{rest}");
        // All that moves is in groups.
        assert!(report.bytes_per_moving_entity.is_some(), "{rest}: {report}");
    }
    server.close().await;
}

/// Of two in one process, both at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bots_play_the_game_that_they_name() {
    let server = Server::run(Config::default(), |listeners, config, stopped| {
        tickwire_server::Server::new(config)
            .game::<Calm>(Site::new())
            .game::<Arena>(Site::new())
            .run(listeners, stopped)
    });
    let swarm = async |game: &str| {
        let line =
            format!("--bots 6 --rooms 2 --ramp 0s --duration 1s {game} --max-gap-p99-ms 60000");
        let bar = ProgressBar::hidden();
        let run = swarm::run(flags(server.public, &line), &bar);
        let report = tokio::time::timeout(BOUND, run).await;
        report
            .expect("a run is bounded in time")
            .expect("the server is there")
    };
    let reports = tokio::join!(swarm("--game arena"), swarm("--game calm"), swarm(""));
    for report in [&reports.0, &reports.1, &reports.2] {
        assert!(report.passed(), "{report}");
        assert_eq!(report.bots_connected, 6);
    }
    for (game, rooms) in [("arena", 2.0), ("calm", 4.0)] {
        let opened = format!("tickwire_rooms_opened_total{{game=\"{game}\"}}");
        assert_eq!(server.figure(&opened).await, rooms, "{game}");
    }
    let nowhere = swarm("--game chess").await;
    assert!(!nowhere.passed() && nowhere.bots_connected == 0);
    assert!(nowhere.to_string().contains("4013"), "{nowhere}");
    server.close().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_one_clear_line() {
    let taken = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let addr = taken.local_addr().expect("a bound port");
    drop(taken);
    let missing = swarm::run(flags(addr, "--bots 2"), &ProgressBar::hidden()).await;
    let Err(SwarmError::NoServer(why)) = missing else {
        panic!("{missing:?}");
    };
    assert!(
        why.contains(&addr.to_string()) && !why.contains('\n'),
        "{why}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_bots_come_back_to_the_current_state() {
    let report =
        soak("--bots 15 --rooms 1 --ramp 200ms --duration 3s --slow 20 --stalled 10").await;
    assert_eq!(report.bots_connected, 15);
    assert_eq!(report.desyncs, 0);
    assert!(report.disconnects.is_empty(), "{:?}", report.disconnects);
    assert_eq!((report.slow_bots, report.slow_recovered), (5, 5));
    assert!(report.calm_gap_p99_ms.is_some());
}

/// All that is judged but the gaps: a test machine may be busy.
const LAZY: &str = "--max-gap-p99-ms 60000 --return-within 20s";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_bots_that_are_lost_at_once_are_all_back_in_their_seats() {
    let line = "--bots 200 --rooms 13 --ramp 1s --duration 2s --storm 300ms";
    let report = soak(&format!("{line} {LAZY}")).await;
    assert!(report.passed(), "{report}");
    assert_eq!((report.drops, report.returns), (200, 200), "{report}");
    assert_eq!((report.strayed, report.desyncs), (0, 0));
    assert!(report.disconnects.is_empty(), "{report}");
    assert!(report.return_ms.max.is_some(), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bots_that_lose_their_connections_all_the_time_keep_their_seats() {
    let line = "--bots 20 --rooms 2 --ramp 0s --duration 4s --drops 60";
    let report = soak(&format!("{line} {LAZY}")).await;
    assert!(report.passed(), "{report}");
    assert!(report.drops >= 20, "80 are to be expected: {report}");
    assert_eq!(report.drops, report.returns, "{report}");
}
