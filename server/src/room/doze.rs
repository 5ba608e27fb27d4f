//! A room in which nobody does anything: ticks go by without being simulated, but for one a second.
//! Their numbers keep up with time, so that clients' clocks, the time for which a seat is held,
//! round trips and budgets are what they would be; the world stands almost still. Whether anybody
//! did something is counted here; when a room dozes is its worker's to say, and that it may the
//! game's ([`Game::SLOWS_WHEN_IDLE`]).
//!
//! Inputs and requests are something; acknowledgements and pings are not, which a page sends that
//! nobody looks at.

use tickwire::ids::{PlayerId, Tick};

use super::Room;
use crate::game::Game;

impl<G: Game> Room<G> {
    /// Ticks since anybody did something.
    pub fn quiet_ticks(&self) -> u32 {
        self.tick.since(self.stirred)
    }

    /// Players who did something within so many ticks.
    pub(crate) fn active_players(&self, within: u32) -> u16 {
        let active = self
            .members
            .iter()
            .filter(|member| member.away_since.is_none())
            .filter(|member| self.tick.since(member.stirred) < within);
        // There are at most 1,000.
        active.count() as u16
    }

    /// A player did something.
    pub(super) fn stir(&mut self, player: PlayerId) {
        self.stirred = self.tick;
        if let Some(member) = self.members.get_mut(player) {
            member.stirred = self.tick;
        }
    }

    /// `ticks` (from 1) go by. Of them one is simulated, as [`Room::tick`] does it: the last, if
    /// the room `wakes`; else, when a second has passed since the last one that was, the last that
    /// makes a snapshot. Then the answer is how many ticks come after it: they go by
    /// ([`Room::pass`]) once the snapshot is written.
    pub fn doze(&mut self, ticks: u32, wakes: bool) -> Option<u32> {
        let last = self.tick.0 + ticks;
        let is_due = last - self.simulated.0 >= u32::from(self.options.tick_rate);
        let tick = match wakes {
            true => last,
            false => last - last % self.cadence.every(),
        };
        if !(wakes || is_due) || tick <= self.tick.0 {
            self.pass(ticks);
            return None;
        }
        self.tick = Tick(tick - 1);
        self.tick();
        Some(last - tick)
    }

    /// So many ticks go by, and nothing happens in them.
    pub fn pass(&mut self, ticks: u32) {
        self.tick = Tick(self.tick.0 + ticks);
    }
}
