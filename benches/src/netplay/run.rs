//! A room, its players and their links, on virtual time.

use std::sync::Arc;

use tickwire::conditioner::Conditions;
use tickwire::session::Session;
use tickwire_arena::Arena;
use tickwire_server::game::{GameDef, RoomOptions};
use tickwire_server::room::{Effect, Room, RoomStats};

use super::columns::Columns;
use super::player::Player;
use super::report::Row;

/// Ticks a second of the room.
pub(super) const TICK_RATE: u16 = 30;
/// Players of the room; all have links alike.
const PLAYERS: u16 = 4;
/// Drones, so that there is always somebody to see and to shoot at.
const DRONES: u16 = 24;
/// How fine time is, in microseconds.
const STEP_US: u64 = 1_000;
/// Seconds after joining that don't count.
const SETTLE_S: u64 = 10;

/// What the links are like, and for how long it is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// Round trip without jitter, half of it each way.
    pub rtt_ms: u32,
    /// Further delay of each message, each way, evenly distributed from 0 to this.
    pub jitter_ms: u32,
    /// How long both ways stand still, every five seconds.
    pub stall_ms: u32,
    /// Seconds that count, after 10 s of settling.
    pub seconds: u32,
    /// Of the room, the hands and the links.
    pub seed: u32,
}

impl Case {
    fn conditions(&self) -> Conditions {
        Conditions {
            latency_us: self.rtt_ms * 500,
            jitter_us: self.jitter_ms * 1_000,
            stall_every_us: if self.stall_ms > 0 { 5_000_000 } else { 0 },
            stall_us: self.stall_ms * 1_000,
            bytes_per_s: 0,
        }
    }
}

struct Match {
    room: Room<Arena>,
    players: Vec<Player>,
    frame: Vec<u8>,
    stats: RoomStats,
}

/// Plays a case.
pub fn measure(case: &Case) -> Row {
    let mut game = Match::new(case);
    let settled_us = SETTLE_S * 1_000_000;
    game.run(0, settled_us);
    game.stats = RoomStats::default();
    let from = game.room.tick_number().0;
    let mut underruns = 0;
    for player in &mut game.players {
        player.own.reset();
        player.others.fastest = 0.0;
        player.others.lateness.late_ms.clear();
        underruns += player.others.interpolation.underruns();
    }
    game.run(settled_us, settled_us + u64::from(case.seconds) * 1_000_000);
    game.row(case, from, underruns)
}

impl Match {
    fn new(case: &Case) -> Match {
        let game = Arc::new(GameDef::<Arena>::new(TICK_RATE).expect("the arena is well declared"));
        let columns = Columns::new(&game.schema, &game.layout);
        let options = RoomOptions {
            seats: PLAYERS,
            seed: u64::from(case.seed),
            tick_rate: TICK_RATE,
            snapshot_every: 1,
            npcs: DRONES,
            ..RoomOptions::default()
        };
        let mut room = Room::new(game.clone(), options);
        let mut players = Vec::new();
        for index in 0..PLAYERS {
            let id = room.join(&format!("p{index}")).expect("a seat is free");
            let mut session = Session::new("p", "");
            session
                .handle_message(&game.welcome("p"), 0)
                .expect("the welcome is good");
            // The hello is the lobby's.
            session.poll_transmit();
            players.push(Player::new(
                id,
                session,
                &columns,
                case.conditions(),
                case.seed,
            ));
        }
        Match {
            room,
            players,
            frame: Vec::new(),
            stats: RoomStats::default(),
        }
    }

    fn run(&mut self, from_us: u64, until_us: u64) {
        for now_us in (from_us..until_us).step_by(STEP_US as usize) {
            let due = u64::from(self.room.tick_number().0) * 1_000_000 / u64::from(TICK_RATE);
            if now_us >= due {
                self.tick(now_us);
            }
            for player in &mut self.players {
                player.act(now_us);
            }
        }
    }

    fn tick(&mut self, now_us: u64) {
        for player in &mut self.players {
            while let Some(bytes) = player.up.poll(now_us) {
                let taken = self.room.receive(player.id, &bytes);
                assert_eq!(taken, Ok(()), "{}", player.id);
            }
        }
        self.tell(now_us);
        self.room.tick();
        self.tell(now_us);
        for player in &mut self.players {
            self.frame.clear();
            if self.room.compose(player.id, true, &mut self.frame) {
                send(player, now_us, self.frame.clone());
            }
        }
        let stats = self.room.stats();
        self.stats.inputs_late += stats.inputs_late;
        self.stats.inputs_substituted += stats.inputs_substituted;
    }

    fn tell(&mut self, now_us: u64) {
        while let Some(effect) = self.room.poll_effect() {
            match effect {
                Effect::Control { to, bytes } => {
                    let player = self.players.iter_mut().find(|player| player.id == to);
                    send(player.expect("a member"), now_us, bytes.to_vec());
                }
                other => panic!("nobody leaves: {other:?}"),
            }
        }
    }

    fn row(&self, case: &Case, from: u32, underruns_before: u64) -> Row {
        let minutes = f64::from(case.seconds) * f64::from(PLAYERS) / 60.0;
        let (mut errors, mut late): (Vec<f64>, Vec<f64>) = Default::default();
        let (mut corrections, mut underruns) = (0, 0);
        let (mut fair, mut hit) = (0, 0);
        let mut fastest: f64 = 0.0;
        let (mut lead, mut delay) = (0.0, 0.0);
        let until = self.room.tick_number().0 - 30;
        for player in &self.players {
            errors.extend(&player.own.errors);
            corrections += player.own.corrections;
            underruns += player.others.interpolation.underruns();
            fastest = fastest.max(player.others.fastest);
            late.extend(&player.others.lateness.late_ms);
            let (of, told) = player.shots.judge(from, until, player.me);
            fair += of;
            hit += told;
            let room = player.session.room().expect("in a room");
            lead += room.timing.lead() / f64::from(PLAYERS);
            delay += player.others.interpolation.delay() / f64::from(PLAYERS);
        }
        errors.sort_unstable_by(f64::total_cmp);
        late.sort_unstable_by(f64::total_cmp);
        let to_ms = 1000.0 / f64::from(TICK_RATE);
        Row {
            rtt_ms: case.rtt_ms,
            jitter_ms: case.jitter_ms,
            stall_ms: case.stall_ms,
            error_p50: percentile(&errors, 50),
            error_p99: percentile(&errors, 99),
            error_max: percentile(&errors, 100),
            corrections_per_min: corrections as f64 / minutes,
            underruns_per_min: (underruns - underruns_before) as f64 / minutes,
            late_inputs_per_min: self.stats.inputs_late as f64 / minutes,
            fair_hit_rate: hit as f64 / (fair as f64).max(1.0),
            fair_shots: fair,
            speed_max: fastest,
            late_p50_ms: percentile(&late, 50),
            late_p99_ms: percentile(&late, 99),
            lead_ms: lead * to_ms,
            delay_ms: delay * to_ms,
        }
    }
}

/// The nearest rank's of values in rising order; 0 of none.
fn percentile(sorted: &[f64], of: usize) -> f64 {
    let rank = (of * sorted.len()).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

fn send(player: &mut Player, now_us: u64, bytes: Vec<u8>) {
    let frame = bytes.len() + 4;
    let sent = player.down.push(now_us, frame, bytes);
    assert!(sent.is_ok(), "snapshots without credit are not made");
}
