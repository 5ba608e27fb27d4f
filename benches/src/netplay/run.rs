//! A room, its players and their links, on virtual time. The room does something at its ticks
//! alone, so the clients go from tick to tick: with all that arrives meanwhile, and telling what
//! they sent.

use std::sync::Arc;

use tickwire::codec::{decode_client, encode_server};
use tickwire::conditioner::Conditioner;
use tickwire::ids::{PlayerId, Tick};
use tickwire::protocol::{ClientMessage, Kind, ServerMessage};
use tickwire_arena::Arena;
use tickwire_server::game::{GameDef, RoomOptions};
use tickwire_server::room::{Effect, Room};

use super::case::{Case, DRONES, PLAYERS, SETTLE_S, TICK_RATE};
use super::clients::{Clients, What};
use super::player::Player;
use super::report::Row;
use crate::node::{Node, NodeError};

/// One player's way to the room.
struct Link {
    /// Once seated.
    id: Option<PlayerId>,
    up: Conditioner<Vec<u8>>,
    down: Conditioner<Vec<u8>>,
}

impl Link {
    fn send(&mut self, now_us: u64, message: Vec<u8>) {
        let sent = self.down.push(now_us, message.len(), message);
        assert!(sent.is_ok(), "snapshots beyond the window are not made");
    }
}

struct Match {
    game: Arc<GameDef<Arena>>,
    room: Room<Arena>,
    links: Vec<Link>,
    clients: Clients,
    players: Vec<Player>,
    inputs_late: u64,
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
    game.inputs_late = 0;
    game.run(case.seconds * rate)?;
    let row = game.row(case);
    game.clients.end()?;
    Ok(row)
}

impl Match {
    fn new(case: &Case, node: &Node) -> Result<Match, NodeError> {
        let game = Arc::new(GameDef::<Arena>::new(TICK_RATE).expect("the arena is well declared"));
        let options = RoomOptions {
            seats: PLAYERS,
            seed: u64::from(case.seed),
            tick_rate: TICK_RATE,
            snapshot_every: 1,
            npcs: DRONES,
            ..RoomOptions::default()
        };
        let way = |number: u32| Conditioner::new(case.conditions(), case.seed * 100 + number);
        Ok(Match {
            room: Room::new(game.clone(), options),
            game,
            links: (0..u32::from(PLAYERS))
                .map(|index| Link {
                    id: None,
                    up: way(index * 2 + 2),
                    down: way(index * 2 + 1),
                })
                .collect(),
            clients: Clients::start(node, PLAYERS, case.seed)?,
            players: (0..PLAYERS).map(|_| Player::new(*case)).collect(),
            inputs_late: 0,
        })
    }

    fn run(&mut self, ticks: u32) -> Result<(), NodeError> {
        for _ in 0..ticks {
            let tick = self.room.tick_number().0 + 1;
            self.tick(Case::tick_us(tick));
            self.play(Case::tick_us(tick + 1))?;
        }
        Ok(())
    }

    fn tick(&mut self, now_us: u64) {
        for index in 0..self.links.len() {
            while let Some(message) = self.links[index].up.poll(now_us) {
                self.receive(index, now_us, &message);
            }
        }
        self.tell(now_us);
        self.room.tick();
        self.tell(now_us);
        for link in &mut self.links {
            let mut frame = Vec::new();
            if let Some(id) = link.id
                && self.room.compose(id, true, &mut frame)
            {
                link.send(now_us, frame);
            }
        }
        self.inputs_late += self.room.stats().inputs_late;
    }

    /// Who is seated speaks to the room; before, the lobby's part is this.
    fn receive(&mut self, index: usize, now_us: u64, message: &[u8]) {
        let link = &mut self.links[index];
        if let Some(id) = link.id {
            let taken = self.room.receive(id, message);
            assert_eq!(taken, Ok(()), "{id}");
            return;
        }
        match decode_client(message).expect("clients speak the protocol") {
            ClientMessage::Hello { name, .. } => link.send(now_us, self.game.welcome(&name)),
            ClientMessage::Ping { nonce } => {
                let tick = Tick(0);
                let pong = encode_server(&ServerMessage::Pong { nonce, tick });
                link.send(now_us, pong);
            }
            ClientMessage::QuickJoin => {
                link.id = Some(self.room.join("player").expect("a seat is free"));
            }
            other => panic!("nobody asks the lobby for this: {other:?}"),
        }
    }

    fn tell(&mut self, now_us: u64) {
        while let Some(effect) = self.room.poll_effect() {
            match effect {
                Effect::Control { to, bytes } => {
                    let link = self.links.iter_mut().find(|link| link.id == Some(to));
                    link.expect("a member").send(now_us, bytes.to_vec());
                }
                other => panic!("nobody leaves: {other:?}"),
            }
        }
    }

    /// The clients' time until the next tick.
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

    fn row(&self, case: &Case) -> Row {
        let minutes = f64::from(case.seconds) * f64::from(PLAYERS) / 60.0;
        let until = self.room.tick_number().0 - u32::from(TICK_RATE);
        let from = self.room.tick_number().0 - case.seconds * u32::from(TICK_RATE);
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
            late_inputs_per_min: self.inputs_late as f64 / minutes,
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
