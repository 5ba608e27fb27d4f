//! Who looks on, as the messages tell, and whether the room keeps to it: in no seat, counted apart,
//! no more than there are places, there as long as their line and the room's players are. Clients
//! are never told their numbers there, so these are told by whose they are. Kept by `host`.

use std::collections::BTreeMap;

use serde::Deserialize;
use tickwire::ids::{PlayerId, Tick};
use tickwire::limits::PLAYER_NUMBERS;
use tickwire_server::game::Roster;
use tickwire_server::lobby::ListedRoom;
use tickwire_server::room::Room;

use crate::broken::{Broken, Check};
use crate::line::{Line, LineId, Stage};
use crate::yard::Yard;

/// One who looks on or did.
struct Spectator {
    number: PlayerId,
    /// What the server calls them.
    subject: String,
    /// The room's tick after the step in which they came.
    came_at: Tick,
    /// Which line was told that it looks on.
    line: Option<LineId>,
    /// Gone since the step before, and what their line is told may be written in the next.
    was_gone: bool,
}

/// See the module's description.
#[derive(Default)]
pub(crate) struct Audience {
    /// By rising number: none is given out twice by a process.
    all: Vec<Spectator>,
}

/// What the server calls whoever has this token, which clients need not know.
pub(crate) fn subject(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        sub: String,
    }
    let claims = jsonwebtoken::dangerous::insecure_decode_claims::<Claims>(token);
    claims.ok().map(|claims| claims.sub)
}

fn broken<T>(what: String) -> Result<T, Broken> {
    Err(Broken::new(Check::Seats, what))
}

impl Audience {
    /// After a step of the server: notes who came.
    pub(crate) fn note(&mut self, room: &mut Room<Yard>) {
        let tick = room.tick_number();
        let last = self.all.last().map(|last| last.number);
        let numbers = room.world_mut().resource::<Roster>().spectators.clone();
        let new = numbers.into_iter().filter(|number| Some(*number) > last);
        for number in new {
            let subject = room.identity(number).map(|identity| &*identity.subject);
            self.all.push(Spectator {
                number,
                subject: subject.unwrap_or_default().to_owned(),
                came_at: tick,
                line: None,
                was_gone: false,
            });
        }
    }

    /// The process was killed, and nobody looks on any more.
    pub(crate) fn fall_back(&mut self) {
        self.all.clear();
    }

    /// A line was told that it looks on since `tick`. By which number: `None` if that one came and
    /// went in a step.
    pub(crate) fn joined(&mut self, id: LineId, line: &Line, tick: Tick) -> Option<PlayerId> {
        let spectator = self.all.iter_mut().rev().find(|of| {
            let theirs = Some(&of.subject) == line.subject.as_ref();
            of.line.is_none() && theirs && of.came_at.since(tick) <= 1
        })?;
        spectator.line = Some(id);
        Some(spectator.number)
    }

    /// After a step of the server and a look at all lines.
    pub(crate) fn judge(
        &mut self,
        room: &mut Room<Yard>,
        listed: &ListedRoom,
        lines: &BTreeMap<LineId, Line>,
    ) -> Result<(), Broken> {
        let roster = room.world_mut().resource::<Roster>().clone();
        let (players, count) = (room.players(), room.spectators());
        let here = &roster.spectators;
        if here.len() != count || usize::from(listed.spectators) != count {
            return broken(format!(
                "{count} look on, where the game knows of {here:?} and the lobby has {listed:?}"
            ));
        }
        if count > usize::from(room.options().spectators) || count > 0 && players == 0 {
            return broken(format!("{count} look on at {players}"));
        }
        let seated = roster.members.iter().find(|member| {
            let number = member.player;
            number.0 >= PLAYER_NUMBERS || here.contains(&number)
        });
        if let Some(member) = seated.or_else(|| {
            let members = &mut roster.members.iter();
            members.find(|member| !room.has_member(member.player))
        }) {
            return broken(format!("{} has a seat", member.player));
        }
        for spectator in &mut self.all {
            let number = &spectator.number;
            // Nobody was told where nothing gets through.
            let Some(id) = spectator.line else { continue };
            let is_here = here.contains(number);
            let line = lines.get(&id);
            let is_told = line.is_some_and(|line| line.stage == Stage::Watching(Some(*number)));
            let is_lost = line.is_none_or(|line| line.ends.link().noticed);
            if is_here && (!is_told || is_lost) {
                return broken(format!("{number} looks on, whose line {id} is elsewhere"));
            }
            let may_be_over = line.is_none_or(Line::may_be_over);
            let is_gone = !is_here && is_told && !is_lost && !may_be_over;
            if std::mem::replace(&mut spectator.was_gone, is_gone) && is_gone {
                return broken(format!("{number} is gone, and line {id} was not told"));
            }
        }
        Ok(())
    }
}
