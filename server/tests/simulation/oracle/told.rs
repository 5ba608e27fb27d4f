//! What the game said, and whether a client was told: everything that is for it, once, in order,
//! with each snapshot what happened since the one before, and of what is durable all that it has
//! not got yet.

use std::collections::VecDeque;

use tickwire::ids::{Handle, PlayerId, Tick};
use tickwire::limits::{DURABLE_EVENTS_MAX, EVENT_RING_TICKS};
use tickwire::session::Event;
use tickwire_server::game::To;

use super::handles::Handles;
use crate::broken::{Broken, Check};
use crate::yard::{DEED, Said};

/// What the game said, oldest first.
#[derive(Default)]
pub(crate) struct Told {
    momentary: VecDeque<Said>,
    durable: Vec<Said>,
    /// The number of the newest.
    newest: u32,
}

/// Who is told, and what they have got.
#[derive(Debug)]
pub(crate) struct Ear {
    pub(crate) player: PlayerId,
    /// The room's tick when they took their seat, for the first time.
    pub(crate) seated_at: Tick,
    /// Of this tick's snapshot images were judged, and of those before.
    pub(crate) judged: Tick,
    /// Up to which ticks they have got events, on whichever connection; of several the server may go
    /// by any, by the first where nothing tells.
    pub(crate) got: Vec<Got>,
}

/// Up to which ticks somebody has got events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Got {
    pub(crate) momentary: Tick,
    pub(crate) durable: Tick,
}

impl Told {
    pub(crate) fn note(&mut self, said: impl IntoIterator<Item = Said>) {
        for said in said {
            // A room that is made of a save says again what it had not said out.
            if said.serial <= self.newest {
                continue;
            }
            self.newest = said.serial;
            if said.event == DEED {
                self.durable.push(said);
            } else {
                self.momentary.push_back(said);
            }
        }
    }

    /// What came after `tick` was never said.
    pub(crate) fn fall_back(&mut self, tick: Tick) {
        self.momentary.retain(|said| said.tick <= tick);
        self.durable.retain(|said| said.tick <= tick);
        let last = [self.momentary.back(), self.durable.last()];
        let newest = last.into_iter().flatten().map(|said| said.serial).max();
        self.newest = newest.unwrap_or(0);
    }

    /// Nobody will ask for what is older.
    pub(crate) fn forget_before(&mut self, tick: Tick) {
        while self.momentary.front().is_some_and(|said| said.tick < tick) {
            self.momentary.pop_front();
        }
    }

    /// What a player of `team` is to be told with the snapshot of `now`, in order.
    fn expected(&self, ear: &Ear, got: Got, team: Option<u8>, now: Tick) -> Vec<&Said> {
        let from = self
            .momentary
            .partition_point(|said| said.tick <= got.momentary);
        let momentary = self.momentary.range(from..).filter(|said| {
            let kept = now.since(said.tick) < EVENT_RING_TICKS;
            said.tick <= now && said.to.includes(ear.player, team) && kept
        });
        let said = self.durable.partition_point(|said| said.tick <= now);
        let log = &self.durable[said.saturating_sub(DURABLE_EVENTS_MAX)..said];
        let lasting = log.iter().filter(|said| {
            let mine = match said.tick > ear.seated_at {
                true => said.to.includes(ear.player, team),
                // Before they came: what was said to everyone, or to everyone but somebody else.
                false => matches!(said.to, To::All | To::AllBut(_)),
            };
            said.tick > got.durable && mine
        });
        let mut all: Vec<&Said> = momentary.chain(lasting).collect();
        all.sort_by_key(|said| said.serial);
        all
    }

    /// Judges the events that a player got with the snapshot of `now`. How many of them are
    /// durable.
    pub(crate) fn judge(
        &self,
        ear: &Ear,
        team: Option<u8>,
        now: Tick,
        heard: &[Event],
        handles: &mut Handles,
    ) -> Result<u64, Broken> {
        let player = ear.player;
        let mut durable = 0;
        let mut any = ear
            .got
            .iter()
            .map(|got| self.expected(ear, *got, team, now))
            .collect::<Vec<_>>();
        let is_all = |of: &Vec<&Said>| {
            let same = |(said, heard): (&&Said, &Event)| is_of(said, heard);
            of.len() == heard.len() && of.iter().zip(heard).all(same)
        };
        let as_many = any.iter().position(is_all);
        let mut expected = any.swap_remove(as_many.unwrap_or(0)).into_iter();
        for event in heard {
            let Some(said) = expected.next() else {
                let what = format!("{event:?} at {now} was not said to {player}, or twice");
                return Err(Broken::new(Check::Messages, what));
            };
            if !matches(said, event, handles)? {
                let what = format!("{player} heard {event:?} at {now}, but it was {said:?}");
                return Err(Broken::new(Check::Messages, what));
            }
            durable += u64::from(said.event == DEED);
        }
        match expected.next() {
            None => Ok(durable),
            Some(said) => {
                let what = format!("{player} at {now} was not told {said:?}");
                Err(Broken::new(Check::Messages, what))
            }
        }
    }
}

/// Whether that was heard of what was said, whatever it names.
fn is_of(said: &Said, heard: &Event) -> bool {
    let Event::Game {
        tick,
        event,
        values,
        ..
    } = heard
    else {
        return false;
    };
    (*tick, *event) == (said.tick, said.event) && values.first() == Some(&(said.serial as i32))
}

fn matches(said: &Said, heard: &Event, handles: &mut Handles) -> Result<bool, Broken> {
    let Event::Game {
        values, payload, ..
    } = heard
    else {
        return Ok(false);
    };
    let note = said.note.as_ref().map(|note| note.as_bytes());
    let same = is_of(said, heard) && payload.as_deref() == note;
    let second = values.get(1).copied();
    Ok(same
        && match (said.names, said.secret) {
            (Some((tag, died)), _) => match second.and_then(Handle::from_field) {
                // An event may name a thing before any image shows it.
                Some(handle) => handles.learn(handle, tag, said.tick).map(|()| true)?,
                None => died,
            },
            (None, Some(secret)) => second == Some(secret as i32),
            (None, None) => true,
        })
}
