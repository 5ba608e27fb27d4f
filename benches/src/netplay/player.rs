//! One player: a session at the end of a link, the netcode, and hands.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use tickwire::conditioner::{Conditioner, Conditions};
use tickwire::ids::{LayerId, PlayerId, Tick};
use tickwire::session::{Event, Session};
use tickwire_arena::{Control, Mover};

use super::columns::{Columns, handle};
use super::hands::Hands;
use super::others::Others;
use super::own::{Me, Own};
use super::shots::Shots;

/// Microseconds between frames: 60 a second.
const FRAME_US: u64 = 16_667;

/// See the module's description.
pub(super) struct Player {
    pub(super) id: PlayerId,
    pub(super) session: Session,
    pub(super) down: Conditioner<Vec<u8>>,
    pub(super) up: Conditioner<Vec<u8>>,
    pub(super) own: Own,
    pub(super) others: Others,
    pub(super) shots: Shots,
    /// The own avatar as events name it.
    pub(super) me: i32,
    columns: Columns,
    hands: Hands,
    loaded: bool,
    rng: ChaCha8Rng,
    /// Parts in a million that the player's clock gains.
    drift: i64,
    frame_us: u64,
}

impl Player {
    pub(super) fn new(
        id: PlayerId,
        session: Session,
        columns: &Columns,
        conditions: Conditions,
        seed: u32,
    ) -> Player {
        let index = i64::from(id.0);
        Player {
            id,
            session,
            down: Conditioner::new(conditions, seed * 100 + u32::from(id.0) * 2 + 1),
            up: Conditioner::new(conditions, seed * 100 + u32::from(id.0) * 2 + 2),
            own: Own::new([columns.x.field.clone(), columns.y.field.clone()]),
            others: Others::new(columns.clone(), 1, conditions.stall_us == 0),
            shots: Shots::default(),
            me: -1,
            columns: columns.clone(),
            hands: Hands::default(),
            loaded: false,
            rng: ChaCha8Rng::seed_from_u64(u64::from(seed) * 1_000 + u64::from(id.0)),
            drift: 60 * (index - 1),
            // Nobody's frames come with anybody else's.
            frame_us: FRAME_US * (u64::from(id.0) + 1) / 5,
        }
    }

    /// The player's clock.
    fn local(&self, now_us: u64) -> u64 {
        now_us.saturating_add_signed(now_us as i64 / 1_000_000 * self.drift)
    }

    /// All that happens at a time: messages in, inputs out, a frame.
    pub(super) fn act(&mut self, now_us: u64) {
        let local_us = self.local(now_us);
        while let Some(bytes) = self.down.poll(now_us) {
            let taken = self.session.handle_message(&bytes, local_us);
            taken.expect("the room's messages are good");
            self.hear(local_us);
        }
        while let Some(tick) = self.session.next_input(local_us) {
            self.play(tick, local_us);
        }
        if now_us >= self.frame_us {
            self.frame_us += FRAME_US;
            self.look(local_us);
            self.others.draw(local_us);
            self.own.draw(local_us);
        }
        self.session.handle_timeout(local_us);
        while let Some(bytes) = self.session.poll_transmit() {
            let frame = bytes.len() + 6;
            let sent = self.up.push(now_us, frame, bytes);
            assert!(sent.is_ok(), "inputs are far below what a link holds");
        }
    }

    fn hear(&mut self, local_us: u64) {
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Snapshot { head } => self.on_snapshot(head.tick, local_us),
                Event::Game {
                    tick,
                    event,
                    values,
                    ..
                } => {
                    // who and by come first in both.
                    if event == self.columns.hit && values[1] == self.me {
                        self.shots.on_hit(tick.0, values[0]);
                    } else if event == self.columns.kill {
                        self.shots.on_fall(tick.0, values[0]);
                    }
                }
                Event::Desync { layer } => panic!("layer {layer} differs"),
                _ => {}
            }
        }
    }

    fn on_snapshot(&mut self, tick: Tick, local_us: u64) {
        let Some(room) = self.session.room() else {
            return;
        };
        let Some(everyone) = room.layer(LayerId::ROOM).filter(|image| image.tick == tick) else {
            return;
        };
        self.others.push(tick, everyone, local_us);
        let (Some(row), Some(own)) = (room.avatar(), room.layer(LayerId::OWNER)) else {
            return;
        };
        let avatar = everyone.entities[row];
        self.me = handle(&avatar);
        let found = own
            .entities
            .iter()
            .position(|entity| handle(entity) == self.me)
            .filter(|_| own.tick == tick);
        let Some(at) = found else {
            return;
        };
        let columns = &self.columns;
        let read = || {
            let me = Me {
                mover: Mover {
                    x: columns.x.of(everyone, row)?,
                    y: columns.y.of(everyone, row)?,
                },
                is_up: columns.hp.of(everyone, row)? > 0.0,
            };
            let loaded = columns.rounds.of(own, at)? > 0.0 && columns.ready_at.of(own, at)? == 0.0;
            Some((me, loaded))
        };
        if let Some((me, loaded)) = read() {
            self.loaded = loaded && me.is_up;
            self.own.on_snapshot(tick, me);
        }
    }

    /// Moves the view on.
    fn look(&mut self, local_us: u64) {
        let Some(room) = self.session.room() else {
            return;
        };
        if let Some(server_tick) = room.clock.server_tick(local_us) {
            self.others
                .advance(local_us, server_tick, room.clock.wait());
        }
    }

    fn play(&mut self, tick: Tick, local_us: u64) {
        self.look(local_us);
        let seen = self.others.shown().to_vec();
        let me = self.own.state().copied();
        let control = match me {
            Some(me) if me.is_up => {
                let loaded = self.loaded;
                self.hands
                    .next(tick.0, me.mover, &seen, self.me, loaded, &mut self.rng)
            }
            _ => Control::default(),
        };
        let fields = &self.session.schema().expect("in a room").input;
        let values: Vec<i32> = fields
            .iter()
            .zip(control.values())
            .map(|(field, value)| field.kind.quantise(value))
            .collect();
        // What the server will decode.
        let mut decoded = [0.0; 5];
        for (at, (field, value)) in fields.iter().zip(&values).enumerate() {
            decoded[at] = field.kind.dequantise(*value);
        }
        let decoded = Control::from_values(decoded);
        let view_lag = self.others.interpolation.view_lag();
        self.session
            .send_input(tick, &values, view_lag)
            .expect("the input fits the schema");
        self.own.on_input(tick, decoded);
        if decoded.fire
            && let Some(me) = self.own.state()
        {
            self.shots.fire(tick.0, me.mover, decoded.aim);
        }
        self.shots.fly(tick.0, &seen, self.me);
    }
}
