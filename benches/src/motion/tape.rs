//! A recording in memory and as a file: entity by entity, field by field, what differs from going
//! on as before, in groups of four bits. Independent of the snapshot codec, which is
//! measured on it and may change.

use super::error::TapeError;
use super::nibbles::{Reader, Writer};
use super::state::{HEADINGS, State};

/// First bytes of a file.
const MAGIC: &[u8; 4] = b"TWT1";
/// More states than any recording has, so that a broken file can't ask for much memory.
const STATES_MAX: usize = 1 << 22;

/// States of some entities at consecutive ticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tape {
    entities: usize,
    /// Tick by tick.
    states: Vec<State>,
}

impl Tape {
    /// An empty one.
    pub fn new(entities: usize) -> Tape {
        Tape {
            entities,
            states: Vec::new(),
        }
    }

    /// Entities.
    pub fn entities(&self) -> usize {
        self.entities
    }

    /// Ticks.
    pub fn ticks(&self) -> usize {
        self.states.len() / self.entities.max(1)
    }

    /// All entities at a tick, from 0.
    pub fn at(&self, tick: usize) -> &[State] {
        &self.states[tick * self.entities..(tick + 1) * self.entities]
    }

    /// Entities that are elsewhere than a tick before, over all ticks.
    pub fn moves(&self) -> usize {
        (1..self.ticks())
            .map(|tick| {
                let pairs = self.at(tick).iter().zip(self.at(tick - 1));
                pairs.filter(|(now, before)| now.moved_from(before)).count()
            })
            .sum()
    }

    /// Appends a tick.
    ///
    /// # Panics
    /// On another number of entities.
    pub fn push(&mut self, states: &[State]) {
        assert_eq!(states.len(), self.entities);
        self.states.extend_from_slice(states);
    }

    /// The file.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new(MAGIC);
        out.push(self.entities as u32);
        out.push(self.ticks() as u32);
        for entity in 0..self.entities {
            self.encode_ways(entity, &mut out);
            self.encode_health(entity, &mut out);
        }
        out.bytes
    }

    fn encode_ways(&self, entity: usize, out: &mut Writer) {
        let mut course = Course::default();
        for tick in 0..self.ticks() {
            let state = self.at(tick)[entity];
            let guess = course.guess();
            out.push_signed(state.x.wrapping_sub(guess.x));
            out.push_signed(state.y.wrapping_sub(guess.y));
            out.push_signed(turn(state.heading - guess.heading));
            let vx = course.velocity(state.x, course.last.x);
            out.push_signed(state.vx.wrapping_sub(vx));
            let vy = course.velocity(state.y, course.last.y);
            out.push_signed(state.vy.wrapping_sub(vy));
            course.advance(state);
        }
    }

    /// How long it stays as it is, by how much it changes then, and so on to the end.
    fn encode_health(&self, entity: usize, out: &mut Writer) {
        let health = |tick: usize| self.at(tick)[entity].health;
        let (mut since, mut last) = (0, 0);
        for tick in 0..self.ticks() {
            if health(tick) != last {
                out.push((tick - since) as u32);
                out.push_signed(health(tick).wrapping_sub(last));
                (since, last) = (tick, health(tick));
            }
        }
        out.push((self.ticks() - since) as u32);
    }

    /// Reads a file.
    pub fn decode(bytes: &[u8]) -> Result<Tape, TapeError> {
        let bytes = bytes.strip_prefix(MAGIC).ok_or(TapeError::Broken)?;
        let mut from = Reader::new(bytes);
        let entities = from.take()? as usize;
        let ticks = from.take()? as usize;
        let count = entities.checked_mul(ticks).filter(|&n| n <= STATES_MAX);
        let mut tape = Tape {
            entities,
            states: vec![State::default(); count.ok_or(TapeError::Broken)?],
        };
        for entity in 0..entities {
            tape.decode_ways(entity, ticks, &mut from)?;
            tape.decode_health(entity, ticks, &mut from)?;
        }
        from.finish()?;
        Ok(tape)
    }

    fn decode_ways(
        &mut self,
        entity: usize,
        ticks: usize,
        from: &mut Reader<'_>,
    ) -> Result<(), TapeError> {
        let mut course = Course::default();
        for tick in 0..ticks {
            let mut state = course.guess();
            state.x = state.x.wrapping_add(from.take_signed()?);
            state.y = state.y.wrapping_add(from.take_signed()?);
            let heading = state.heading.wrapping_add(from.take_signed()?);
            state.heading = heading.rem_euclid(HEADINGS as i32);
            let (vx, vy) = (
                course.velocity(state.x, course.last.x),
                course.velocity(state.y, course.last.y),
            );
            state.vx = vx.wrapping_add(from.take_signed()?);
            state.vy = vy.wrapping_add(from.take_signed()?);
            course.advance(state);
            self.states[tick * self.entities + entity] = state;
        }
        Ok(())
    }

    fn decode_health(
        &mut self,
        entity: usize,
        ticks: usize,
        from: &mut Reader<'_>,
    ) -> Result<(), TapeError> {
        let (mut tick, mut health) = (0, 0i32);
        loop {
            let run = from.take()? as usize;
            if run > ticks - tick || (run == 0 && tick > 0) {
                return Err(TapeError::Broken);
            }
            for _ in 0..run {
                self.states[tick * self.entities + entity].health = health;
                tick += 1;
            }
            if tick == ticks {
                return Ok(());
            }
            health = health.wrapping_add(from.take_signed()?);
        }
    }
}

/// The short way around from a heading to another.
fn turn(difference: i32) -> i32 {
    let half = HEADINGS as i32 / 2;
    (difference + half).rem_euclid(HEADINGS as i32) - half
}

/// What an entity did so far, and what it would do next if it went on.
#[derive(Default)]
struct Course {
    ticks: u32,
    last: State,
    /// Its last step.
    x: i32,
    y: i32,
}

impl Course {
    fn guess(&self) -> State {
        State {
            x: self.last.x.wrapping_add(self.x),
            y: self.last.y.wrapping_add(self.y),
            ..self.last
        }
    }

    /// The velocity of a step, in the unit in which it is just that.
    fn velocity(&self, to: i32, from: i32) -> i32 {
        if self.ticks == 0 {
            0
        } else {
            to.wrapping_sub(from)
        }
    }

    fn advance(&mut self, state: State) {
        self.x = self.velocity(state.x, self.last.x);
        self.y = self.velocity(state.y, self.last.y);
        self.last = state;
        self.ticks += 1;
    }
}
