//! A server, its players and their links, on virtual time: lobby, worker and room as they are, on
//! the transport without sockets. They are stepped at the room's slots alone, so the clients go
//! from slot to slot: with all that arrives meanwhile, and telling what they sent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tickwire::conditioner::Conditioner;
use tickwire::protocol::Kind;
use tickwire_arena::Arena;
use tickwire_harness::figure;
use tickwire_server::config::Config;
use tickwire_server::game::GameDef;
use tickwire_server::lobby::Stepped;
use tickwire_server::metrics::Metrics;
use tickwire_server::transport::memory::{self, Far};

use super::case::{Case, DRONES, PLAYERS, SETTLE_S, TICK_RATE};
use super::clients::{Clients, What};
use super::player::Player;
use super::report::Row;
use crate::node::{Node, NodeError};

/// One player's way to the server.
struct Link {
    server: Far,
    up: Conditioner<Vec<u8>>,
    down: Conditioner<Vec<u8>>,
}

struct Match {
    game: Arc<GameDef<Arena>>,
    server: Stepped<Arena>,
    metrics: Arc<Metrics>,
    /// What virtual time 0 is to the server.
    start: Instant,
    /// The slot that is next.
    slot: u32,
    links: Vec<Link>,
    clients: Clients,
    players: Vec<Player>,
}

/// Plays a case.
///
/// # Errors
/// Node, or what runs in it, fails.
pub fn measure(case: &Case, node: &Node) -> Result<Row, NodeError> {
    let mut game = Match::new(case, node)?;
    let rate = u32::from(TICK_RATE);
    game.run(SETTLE_S * rate)?;
    game.players.iter_mut().for_each(Player::reset);
    let late_before = game.inputs_late();
    game.run(case.seconds * rate)?;
    let row = game.row(case, game.inputs_late() - late_before);
    game.clients.end()?;
    Ok(row)
}

impl Match {
    fn new(case: &Case, node: &Node) -> Result<Match, NodeError> {
        let game = Arc::new(GameDef::<Arena>::new(TICK_RATE).expect("the arena is well declared"));
        let config = Config {
            tick_rate: TICK_RATE,
            snapshot_rate: TICK_RATE,
            max_players: PLAYERS,
            npcs: DRONES,
            seed: Some(u64::from(case.seed)),
            ..Config::default()
        };
        let metrics = Arc::new(Metrics::new().expect("the figures are well declared"));
        let start = Instant::now();
        let seed = u64::from(case.seed);
        let mut server =
            Stepped::new(&game, &config, metrics.clone(), seed, start).expect("the settings hold");
        let way = |number: u32| Conditioner::new(case.conditions(), case.seed * 100 + number);
        let links = (0..u32::from(PLAYERS)).map(|index| {
            let (near, far) = memory::pair(usize::MAX);
            server.connect(near, start);
            Link {
                server: far,
                up: way(index * 2 + 2),
                down: way(index * 2 + 1),
            }
        });
        Ok(Match {
            links: links.collect(),
            game,
            server,
            metrics,
            start,
            slot: 0,
            clients: Clients::start(node, PLAYERS, case.seed)?,
            players: (0..PLAYERS).map(|_| Player::new(*case)).collect(),
        })
    }

    fn run(&mut self, slots: u32) -> Result<(), NodeError> {
        for _ in 0..slots {
            self.serve(Case::slot_us(self.slot));
            self.slot += 1;
            self.play(Case::slot_us(self.slot))?;
        }
        Ok(())
    }

    /// The server's slot: what has arrived there, and what comes of it.
    fn serve(&mut self, now_us: u64) {
        for link in &mut self.links {
            while let Some(message) = link.up.poll(now_us) {
                link.server.send(message);
            }
        }
        self.server.step(self.start + Duration::from_micros(now_us));
        for link in &mut self.links {
            while let Some(message) = link.server.receive() {
                let sent = link.down.push(now_us, message.len(), message);
                assert!(sent.is_ok(), "snapshots beyond the window are not made");
            }
        }
        if let Some(tick) = self.tick() {
            for player in &mut self.players {
                player.opened_us = Case::slot_us(self.slot - tick) as f64;
            }
        }
    }

    /// The room's newest tick, once it is there.
    fn tick(&mut self) -> Option<u32> {
        let room = self.server.rooms().first()?.id;
        Some(self.server.room(room)?.tick_number().0)
    }

    fn inputs_late(&self) -> f64 {
        figure(
            &self.metrics.render(),
            "tickwire_inputs_total{fate=\"late\"}",
        )
    }

    /// The clients' time until the next slot.
    fn play(&mut self, until_us: u64) -> Result<(), NodeError> {
        let mut arrivals = Vec::new();
        for (index, link) in self.links.iter_mut().enumerate() {
            while let Some(at_us) = link.down.poll_timeout().filter(|at_us| *at_us < until_us) {
                let message = link.down.poll(at_us).expect("it has arrived");
                arrivals.push((at_us, index, message));
            }
        }
        arrivals.sort_by_key(|(at_us, ..)| *at_us);
        for told in self.clients.step(until_us, &arrivals)? {
            let player = &mut self.players[told.player];
            match told.what {
                What::Sent { from, bytes } => {
                    if bytes.first() == Some(&(Kind::State as u8)) {
                        player.on_input(told.at_us, &bytes, from, &self.game.schema.input);
                    }
                    let sent = self.links[told.player]
                        .up
                        .push(told.at_us, bytes.len(), bytes);
                    assert!(sent.is_ok(), "inputs are far below what a link holds");
                }
                what => player.hear(told.at_us, what),
            }
        }
        Ok(())
    }

    fn row(&mut self, case: &Case, inputs_late: f64) -> Row {
        let minutes = f64::from(case.seconds) * f64::from(PLAYERS) / 60.0;
        let (tick, rate) = (self.tick().expect("a room"), u32::from(TICK_RATE));
        let (from, until) = (tick - case.seconds * rate, tick - rate);
        let players = &self.players;
        let shots: Vec<(u64, u64)> = players
            .iter()
            .map(|player| player.shots.judge(from, until, player.me))
            .collect();
        let fair_shots: u64 = shots.iter().map(|(fair, _)| fair).sum();
        let hits: u64 = shots.iter().map(|(_, hit)| hit).sum();
        let errors = sorted(players.iter().flat_map(|player| &player.own.errors));
        let late = sorted(players.iter().flat_map(|player| &player.others.late_ms));
        let a_minute =
            |of: fn(&Player) -> u64| players.iter().map(of).sum::<u64>() as f64 / minutes;
        let mean =
            |of: fn(&Player) -> f64| players.iter().map(of).sum::<f64>() / f64::from(PLAYERS);
        Row {
            rtt_ms: case.rtt_ms,
            jitter_ms: case.jitter_ms,
            stall_ms: case.stall_ms,
            error_p50: percentile(&errors, 50),
            error_p99: percentile(&errors, 99),
            error_max: percentile(&errors, 100),
            corrections_per_min: a_minute(|player| player.own.corrections),
            underruns_per_min: a_minute(|player| u64::from(player.underruns())),
            late_inputs_per_min: inputs_late / minutes,
            fair_hit_rate: hits as f64 / (fair_shots as f64).max(1.0),
            fair_shots,
            speed_max: players
                .iter()
                .fold(0.0, |most, player| player.others.fastest.max(most)),
            late_p50_ms: percentile(&late, 50),
            late_p99_ms: percentile(&late, 99),
            lead_ms: mean(|player| player.lead_ms),
            delay_ms: mean(|player| player.delay_ms),
        }
    }
}

fn sorted<'a>(values: impl Iterator<Item = &'a f64>) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.copied().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// The nearest rank's of values in rising order; 0 of none.
fn percentile(sorted: &[f64], of: usize) -> f64 {
    let rank = (of * sorted.len()).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}
