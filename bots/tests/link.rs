//! A bot's session against a real room of the arena over an in-memory link with delays, on
//! virtual time: every image agrees, inputs arrive early enough, nothing is refused.

use std::sync::Arc;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tickwire::conditioner::{Conditioner, Conditions};
use tickwire::ids::{LayerId, PlayerId};
use tickwire::session::{Event, Session, State};
use tickwire_arena::Arena;
use tickwire_server::game::{GameDef, RoomOptions};
use tickwire_server::room::{Effect, Room};

const TICK_RATE: u16 = 30;
const STEP_US: u64 = 1_000;

/// One player: a session, and the link to either side.
struct Player {
    id: PlayerId,
    session: Session,
    rng: ChaCha8Rng,
    down: Conditioner<Vec<u8>>,
    up: Conditioner<Vec<u8>>,
    watches: bool,
    snapshots: u64,
    late: u64,
}

impl Player {
    fn send_down(&mut self, now_us: u64, bytes: Vec<u8>) {
        let sent = self.down.push(now_us, bytes.len(), bytes);
        assert!(sent.is_ok(), "the link has no limit");
    }

    fn act(&mut self, now_us: u64) {
        while let Some(bytes) = self.down.poll(now_us) {
            self.session
                .handle_message(&bytes, now_us)
                .expect("the server's messages are good");
        }
        while let Some(event) = self.session.poll_event() {
            if let Event::Snapshot { head } = event {
                self.snapshots += 1;
                self.late += u64::from(head.substituted);
            }
        }
        while let Some(tick) = (!self.watches)
            .then(|| self.session.next_input(now_us))
            .flatten()
        {
            let schema = self.session.schema().expect("after the welcome");
            let values: Vec<i32> = schema
                .input
                .iter()
                .map(|field| self.rng.random_range(0..=field.kind.q_max()) as i32)
                .collect();
            self.session
                .send_input(tick, &values, 0)
                .expect("the input is good");
        }
        self.session.handle_timeout(now_us);
        while let Some(bytes) = self.session.poll_transmit() {
            let sent = self.up.push(now_us, bytes.len(), bytes);
            assert!(sent.is_ok(), "the link has no limit");
        }
    }
}

struct Link {
    room: Room<Arena>,
    players: Vec<Player>,
    rng: ChaCha8Rng,
    /// One snapshot in so many finds a full outbox and is skipped.
    skip_one_in: u32,
}

impl Link {
    fn new(links: &[(u32, u32)], skip_one_in: u32) -> Link {
        let game = Arc::new(GameDef::<Arena>::new(TICK_RATE).expect("the arena's schema is good"));
        let options = RoomOptions {
            seed: 5,
            tick_rate: TICK_RATE,
            npcs: 10,
            ..RoomOptions::default()
        };
        let mut room = Room::new(game.clone(), options);
        let mut players = Vec::new();
        for (index, &(latency_us, jitter_us)) in (0..).zip(links) {
            let conditions = Conditions {
                latency_us,
                jitter_us,
                ..Conditions::default()
            };
            let id = room.join(&format!("bot {index}")).expect("a seat is free");
            let mut session = Session::new("bot", "");
            session
                .handle_message(&game.welcome("bot"), 0)
                .expect("the welcome is good");
            // The hello is the lobby's.
            session.poll_transmit();
            players.push(Player {
                id,
                session,
                rng: ChaCha8Rng::seed_from_u64(u64::from(index)),
                down: Conditioner::new(conditions, 2 * index + 1),
                up: Conditioner::new(conditions, 2 * index + 2),
                watches: index == 0,
                snapshots: 0,
                late: 0,
            });
        }
        Link {
            room,
            players,
            rng: ChaCha8Rng::seed_from_u64(99),
            skip_one_in,
        }
    }

    fn run(&mut self, seconds: u64) {
        let period_us = 1_000_000 / u64::from(TICK_RATE);
        let start_us = u64::from(self.room.tick_number().0) * period_us;
        let mut next_tick_us = start_us;
        for now_us in (start_us..start_us + seconds * 1_000_000).step_by(STEP_US as usize) {
            if now_us >= next_tick_us {
                next_tick_us += period_us;
                self.tick(now_us);
            }
            self.deliver(now_us);
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
        self.deliver(now_us);
        self.room.tick();
        self.deliver(now_us);
        for player in &mut self.players {
            let writable = !self.rng.random_ratio(1, self.skip_one_in);
            let mut bytes = Vec::new();
            if self.room.compose(player.id, writable, &mut bytes) {
                player.send_down(now_us, bytes);
            }
        }
    }

    fn deliver(&mut self, now_us: u64) {
        while let Some(effect) = self.room.poll_effect() {
            match effect {
                Effect::Control { to, bytes } => {
                    let player = self.players.iter_mut().find(|player| player.id == to);
                    player
                        .expect("the room knows its players")
                        .send_down(now_us, bytes.to_vec());
                }
                other => panic!("nobody leaves: {other:?}"),
            }
        }
    }
}

#[test]
fn images_agree_and_inputs_are_in_time_over_near_and_far_links() {
    let mut link = Link::new(
        &[
            (20_000, 5_000),
            (500, 0),
            (15_000, 10_000),
            (60_000, 20_000),
            (120_000, 5_000),
        ],
        50,
    );
    link.run(10);
    let settled: Vec<u64> = link.players.iter().map(|player| player.late).collect();
    link.run(20);
    for (player, late_before) in link.players.iter().zip(settled) {
        let stats = player.session.stats();
        assert_eq!(player.session.state(), State::Room);
        assert_eq!(stats.desyncs, 0, "{}", player.id);
        // Whoever is skipped gets every second one for the next two seconds.
        assert!(player.snapshots > 450, "{} snapshots", player.snapshots);
        let room = player.session.room().expect("in a room");
        for layer in [LayerId::ROOM, LayerId::OWNER] {
            assert!(room.layer(layer).is_some());
        }
        assert!(room.avatar().is_some(), "{}", player.id);
        // In 20 s after 10 s of settling at most one input in a hundred came too late.
        let late = player.late - late_before;
        assert!(
            late <= 6,
            "{}: {late} late, lead {}",
            player.id,
            room.timing.lead()
        );
    }
}
