//! What the game said, and whether a client was told: everything that is for it, once, in order, with
//! each snapshot what happened since the one before.

use std::collections::VecDeque;

use tickwire::ids::{Handle, PlayerId, Tick};
use tickwire::limits::EVENT_RING_TICKS;
use tickwire::session::Event;

use super::handles::Handles;
use crate::broken::{Broken, Check};
use crate::yard::Said;

/// What the game said, oldest first.
#[derive(Default)]
pub(crate) struct Told {
    said: VecDeque<Said>,
}

impl Told {
    pub(crate) fn note(&mut self, said: impl IntoIterator<Item = Said>) {
        self.said.extend(said);
    }

    /// Nobody will ask for what is older.
    pub(crate) fn forget_before(&mut self, tick: Tick) {
        while self.said.front().is_some_and(|said| said.tick < tick) {
            self.said.pop_front();
        }
    }

    /// Judges the events that a player got with the snapshot of `now`, the one before it having been of
    /// tick `last`.
    pub(crate) fn judge(
        &self,
        player: PlayerId,
        (last, now): (Tick, Tick),
        heard: &[Event],
        handles: &mut Handles,
    ) -> Result<(), Broken> {
        let from = self.said.partition_point(|said| said.tick <= last);
        let mut expected = self.said.range(from..).filter(|said| {
            let kept = now.since(said.tick) < EVENT_RING_TICKS;
            said.tick <= now && said.to.includes(player, None) && kept
        });
        for event in heard {
            let Some(said) = expected.next() else {
                let what = format!("{event:?} at {now} was not said to {player}, or twice");
                return Err(Broken::new(Check::Messages, what));
            };
            if !matches(said, event, handles)? {
                let what = format!("{player} heard {event:?} at {now}, but it was {said:?}");
                return Err(Broken::new(Check::Messages, what));
            }
        }
        match expected.next() {
            None => Ok(()),
            Some(said) => {
                let what = format!("{player} at {now} was not told {said:?}");
                Err(Broken::new(Check::Messages, what))
            }
        }
    }
}

fn matches(said: &Said, heard: &Event, handles: &mut Handles) -> Result<bool, Broken> {
    let Event::Game {
        tick,
        event,
        values,
        payload,
    } = heard
    else {
        return Ok(false);
    };
    let note = said.note.as_ref().map(|note| note.as_bytes());
    let same = *tick == said.tick
        && *event == said.event
        && values.first() == Some(&(said.serial as i32))
        && payload.as_deref() == note;
    let second = values.get(1).copied();
    Ok(same
        && match (said.names, said.secret) {
            (Some((tag, died)), _) => match second.and_then(Handle::from_field) {
                // An event may name a thing before any image shows it.
                Some(handle) => handles.learn(handle, tag).map(|()| true)?,
                None => died,
            },
            (None, Some(secret)) => second == Some(secret as i32),
            (None, None) => true,
        })
}
