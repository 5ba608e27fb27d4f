//! An arena room in memory with players who steer like people (a direction is held for a while, the
//! trigger now and then) or at random. Called by the bench of ticks, `counted`, and for recordings.

use std::sync::Arc;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tickwire::codec::encode_client;
use tickwire::ids::{LayerId, PlayerId, Tick};
use tickwire::protocol::ClientMessage;
use tickwire::protocol::frame::InputHead;
use tickwire::snapshot::fields::pack;
use tickwire_arena::Arena;
use tickwire_arena::Control;
use tickwire_server::game::{GameDef, RoomOptions};
use tickwire_server::room::Room;

/// Ticks a second of every fixture.
pub const TICK_RATE: u16 = 30;

/// How players steer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hands {
    /// Like people.
    People,
    /// Another direction, aim and trigger every tick.
    Random,
}

impl Hands {
    /// Both, in the order of the tables.
    pub const ALL: [Hands; 2] = [Hands::People, Hands::Random];

    /// The name of an arena that is played so, in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Hands::People => "arena",
            Hands::Random => "arena-random",
        }
    }
}

/// A room that plays itself.
pub struct ArenaPlay {
    /// How its players steer from the next tick on.
    pub hands: Hands,
    /// The room.
    pub room: Room<Arena>,
    /// Its players.
    pub players: Vec<PlayerId>,
    game: Arc<GameDef<Arena>>,
    controls: Vec<Control>,
    acked: Tick,
    rng: ChaCha8Rng,
    /// Each player's next input.
    inputs: Vec<Vec<u8>>,
    frame: Vec<u8>,
}

impl ArenaPlay {
    /// A room with `players` and `npcs`, ticked once.
    pub fn new(players: u16, npcs: u16, seed: u64) -> ArenaPlay {
        let game = GameDef::new(TICK_RATE).expect("the arena is well declared");
        ArenaPlay::of(Arc::new(game), players, npcs, seed)
    }

    /// The same of a definition.
    pub fn of(game: Arc<GameDef<Arena>>, players: u16, npcs: u16, seed: u64) -> ArenaPlay {
        let mut room = Room::new(
            game.clone(),
            RoomOptions {
                seats: players.max(1),
                seed,
                tick_rate: TICK_RATE,
                npcs,
                ..RoomOptions::default()
            },
        );
        let players: Vec<PlayerId> = (0..players)
            .map(|_| room.join("bench").expect("the room has a seat for each"))
            .collect();
        while room.poll_effect().is_some() {}
        let mut play = ArenaPlay {
            hands: Hands::People,
            room,
            controls: vec![Control::default(); players.len()],
            inputs: vec![Vec::new(); players.len()],
            players,
            game,
            acked: Tick(0),
            rng: ChaCha8Rng::seed_from_u64(seed),
            frame: Vec::new(),
        };
        play.tick(|_, _| {});
        play
    }

    /// Inputs of all players, the tick, and every player's snapshot, which `each` is shown.
    pub fn tick(&mut self, each: impl FnMut(PlayerId, &[u8])) {
        self.step();
        self.compose(each);
    }

    /// Inputs of all players and the tick.
    pub fn step(&mut self) {
        self.steer();
        self.send_inputs();
        self.room.tick();
        self.drop_effects();
    }

    /// Forgets what the room wants done.
    pub fn drop_effects(&mut self) {
        while self.room.poll_effect().is_some() {}
    }

    /// Every player's snapshot of the newest tick, once.
    pub fn compose(&mut self, mut each: impl FnMut(PlayerId, &[u8])) {
        for index in 0..self.players.len() {
            let player = self.players[index];
            each(player, self.compose_one(index));
        }
        self.acknowledge();
    }

    /// The snapshot of the newest tick for one player.
    pub fn compose_one(&mut self, index: usize) -> &[u8] {
        self.frame.clear();
        let sent = self
            .room
            .compose(self.players[index], true, &mut self.frame);
        assert!(sent, "everyone acknowledges, so all windows have room");
        &self.frame
    }

    /// Has the next inputs acknowledge the newest tick, which everyone has been sent.
    pub fn acknowledge(&mut self) {
        self.acked = self.room.tick_number();
    }

    /// Has the next snapshot of a player bring keyframes of all their layers.
    pub fn resync(&mut self, player: PlayerId) {
        for layer in LayerId::FIXED {
            let request = encode_client(&ClientMessage::Resync { layer });
            let taken = self.room.receive(player, &request);
            assert_eq!(taken, Ok(()), "a resync is a valid request");
        }
    }

    /// Has the players' hands move, and writes their inputs of the next tick.
    pub fn steer(&mut self) {
        let head = InputHead {
            tick: self.room.tick_number().next(),
            ack: self.acked,
            view_lag: 128,
        };
        let fields = &self.game.schema.input;
        for (control, message) in self.controls.iter_mut().zip(&mut self.inputs) {
            match self.hands {
                Hands::People => steer(control, &mut self.rng),
                Hands::Random => fumble(control, &mut self.rng),
            }
            message.clear();
            head.encode(message);
            let values = control.values();
            let mut integers = [0; 5];
            for ((integer, field), value) in integers.iter_mut().zip(fields).zip(values) {
                *integer = field.kind.quantise(value);
            }
            pack(fields, &integers, message);
        }
    }

    /// Hands the room what [`ArenaPlay::steer`] wrote.
    pub fn send_inputs(&mut self) {
        for (&player, message) in self.players.iter().zip(&self.inputs) {
            let taken = self.room.receive(player, message);
            assert_eq!(taken, Ok(()), "the fixture's inputs are valid");
        }
    }
}

fn steer(control: &mut Control, rng: &mut ChaCha8Rng) {
    if rng.random_bool(0.05) {
        control.dx = f64::from(rng.random_range(-1..=1));
        control.dy = f64::from(rng.random_range(-1..=1));
    }
    control.aim += rng.random_range(-0.1..0.1);
    control.fire = rng.random_bool(0.1);
}

fn fumble(control: &mut Control, rng: &mut ChaCha8Rng) {
    control.dx = rng.random_range(-1.0..=1.0);
    control.dy = rng.random_range(-1.0..=1.0);
    control.aim = rng.random_range(0.0..std::f64::consts::TAU);
    control.fire = rng.random();
}
