//! Whom a match is made of, around one who waits. What is looked at is bounded: of each size of
//! party the nearest as many as would fill a match alone, and [`SPARE`] more.
//!
//! A match is made around the one in it whose window is narrowest: everybody in it lies within that
//! window. Nobody is taken into what their own window has no place for; the others need not search
//! for whom they find nothing with, because each is tried in turn.
//!
//! Each team is filled by the cheapest set of parties that fits exactly (a knapsack over the size of
//! a team), team by team; what a party costs is its distance as a share of its own window, so who
//! has waited for longer is nearer.

use std::time::Duration;

use super::messages::EntryId;
use super::mode::{AtTheEnd, Mode, ModeId, RegionId, milli};
use super::places::{Near, Place, Places};
use super::teams::{self, Unit};

/// Parties of a size that are looked at beyond those that would fill a match.
const SPARE: usize = 8;
/// What a party costs that lies at the edge of its window.
const EDGE: i64 = 1_000_000;

/// Those of a match.
#[derive(Debug)]
pub(super) struct Picked {
    pub(super) region: RegionId,
    pub(super) teams: Vec<Vec<EntryId>>,
    /// Places that stay empty, by team.
    pub(super) bots: Vec<u8>,
}

/// One who looks for a match.
pub(super) struct Search<'a> {
    pub(super) places: &'a Places,
    pub(super) mode: &'a Mode,
    pub(super) id: EntryId,
    pub(super) place: &'a Place,
    pub(super) now: Duration,
    /// Looks that are left.
    pub(super) looks: &'a mut u32,
}

impl Search<'_> {
    /// A whole match around this one, in the first of its regions that has one.
    pub(super) fn whole(&mut self) -> Option<Picked> {
        let mode = self.mode;
        let window = mode.window(self.now.saturating_sub(self.place.since));
        for region in &self.place.regions {
            let units = self.units(*region, window, |_, wide| wide >= window);
            let filled = self.fill(units, mode.teams, mode.team_size);
            if let Some(teams) = filled {
                return Some(self.picked(*region, teams, false));
            }
        }
        None
    }

    /// What this one gets at the end of its waiting: its own window has no limit any more, that of
    /// the others still holds. In the region that has the most for it.
    pub(super) fn last(&mut self) -> Option<Picked> {
        let mut best: Option<(usize, RegionId, Vec<Vec<Unit>>)> = None;
        for region in &self.place.regions {
            let reach = milli(self.mode.window.max);
            let units = self.units(*region, reach, |apart, wide| wide >= apart);
            let teams = match self.mode.at_the_end {
                AtTheEnd::Bots => Some(self.spread(units)),
                AtTheEnd::Short { least } => self.shorter(&units, u16::from(least)),
                AtTheEnd::End => self.shorter(&units, self.mode.players()),
            };
            let Some(teams) = teams else { continue };
            let players = teams.iter().map(|team| size(team)).sum();
            if best.as_ref().is_none_or(|(most, ..)| players > *most) {
                best = Some((players, *region, teams));
            }
        }
        let (_, region, teams) = best?;
        let has_bots = self.mode.at_the_end == AtTheEnd::Bots;
        Some(self.picked(region, teams, has_bots))
    }

    /// This one with bots alone.
    pub(super) fn alone(&mut self) -> Option<Picked> {
        let region = *self.place.regions.first()?;
        let teams = self.spread(Vec::new());
        Some(self.picked(region, teams, true))
    }

    /// Those who may be taken, the nearest first. `fits` is told how far one is and how wide its
    /// window.
    fn units(
        &mut self,
        region: RegionId,
        reach: i64,
        fits: impl Fn(i64, i64) -> bool,
    ) -> Vec<Unit> {
        let mode: ModeId = self.place.mode;
        let mut found = Vec::new();
        for size in 1..=self.mode.team_size {
            let most = usize::from(self.mode.players() / u16::from(size)) + SPARE;
            let rating = self.place.rating;
            let near = self.places.near(mode, region, size, rating, reach);
            for Near { id, rating, since } in near.take(most) {
                *self.looks = self.looks.saturating_sub(1);
                let apart = (rating - self.place.rating).abs();
                let wide = self.mode.window(self.now.saturating_sub(since));
                if id != self.id && apart <= wide && fits(apart, wide) {
                    let share = apart * EDGE / wide.max(1);
                    let cost = share * i64::from(size);
                    found.push((
                        share,
                        Unit {
                            id,
                            size,
                            rating,
                            cost,
                        },
                    ));
                }
            }
        }
        *self.looks = self.looks.saturating_sub(1);
        found.sort_unstable_by_key(|(share, unit)| (*share, unit.id));
        found.into_iter().map(|(_, unit)| unit).collect()
    }

    fn own(&self) -> Unit {
        Unit {
            id: self.id,
            size: self.place.size,
            rating: self.place.rating,
            cost: 0,
        }
    }

    /// So many full teams of that size, this one in the first.
    fn fill(&self, mut units: Vec<Unit>, teams: u8, team_size: u8) -> Option<Vec<Vec<Unit>>> {
        let own = self.own();
        let there = size(&units) + usize::from(own.size);
        if there < usize::from(teams) * usize::from(team_size) {
            return None;
        }
        let mut filled = Vec::with_capacity(usize::from(teams));
        let mut team = vec![own];
        for _ in 0..teams {
            let need = team_size.checked_sub(size(&team) as u8)?;
            for at in cheapest(&units, need)? {
                team.push(units.remove(at));
            }
            filled.push(std::mem::take(&mut team));
        }
        Some(filled)
    }

    /// The largest match of at least so many players, of teams of one size.
    fn shorter(&self, units: &[Unit], least: u16) -> Option<Vec<Vec<Unit>>> {
        let Mode {
            teams, team_size, ..
        } = *self.mode;
        let is_each_alone = team_size == 1;
        let most = if is_each_alone { teams } else { team_size };
        for n in (self.place.size..=most).rev() {
            let (teams, team_size) = if is_each_alone { (n, 1) } else { (teams, n) };
            if u16::from(teams) * u16::from(team_size) < least {
                return None;
            }
            let fitting = units.iter().filter(|unit| unit.size <= team_size);
            let filled = self.fill(fitting.copied().collect(), teams, team_size);
            if filled.is_some() {
                return filled;
            }
        }
        None
    }

    /// As many as there is place for, each where the fewest are.
    fn spread(&self, units: Vec<Unit>) -> Vec<Vec<Unit>> {
        let mut teams = vec![Vec::new(); usize::from(self.mode.teams)];
        for unit in std::iter::once(self.own()).chain(units) {
            let fewest = teams.iter_mut().min_by_key(|team| size(team));
            if let Some(team) = fewest
                && size(team) + usize::from(unit.size) <= usize::from(self.mode.team_size)
            {
                team.push(unit);
            }
        }
        teams
    }

    fn picked(&self, region: RegionId, mut units: Vec<Vec<Unit>>, has_bots: bool) -> Picked {
        teams::balance(&mut units);
        let empty = |team: &Vec<Unit>| self.mode.team_size - size(team) as u8;
        let bots = units
            .iter()
            .map(|team| if has_bots { empty(team) } else { 0 });
        let ids = |team: &Vec<Unit>| team.iter().map(|unit| unit.id).collect();
        Picked {
            region,
            bots: bots.collect(),
            teams: units.iter().map(ids).collect(),
        }
    }
}

/// Players of these.
fn size(units: &[Unit]) -> usize {
    units.iter().map(|unit| usize::from(unit.size)).sum()
}

/// The cheapest of these that are `need` players together, by falling place in the list; of equals
/// those that come first.
fn cheapest(units: &[Unit], need: u8) -> Option<Vec<usize>> {
    let need = usize::from(need);
    let mut costs = vec![i64::MAX; need + 1];
    costs[0] = 0;
    // Bit n: the cheapest way to n players, of those up to this one, has this one.
    let mut takes = vec![0_u32; units.len()];
    for (unit, takes) in units.iter().zip(&mut takes) {
        let size = usize::from(unit.size);
        for players in (size..=need).rev() {
            let with = costs[players - size].saturating_add(unit.cost);
            if with < costs[players] {
                costs[players] = with;
                *takes |= 1 << players;
            }
        }
    }
    if costs[need] == i64::MAX {
        return None;
    }
    let (mut left, mut chosen) = (need, Vec::new());
    for at in (0..units.len()).rev() {
        if takes[at] >> left & 1 == 1 {
            chosen.push(at);
            left -= usize::from(units[at].size);
        }
    }
    Some(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against all subsets.
    #[test]
    fn no_other_set_is_cheaper() {
        let mut seed = 7_u64;
        let mut next = |n: u64| {
            seed = seed
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (seed >> 33) % n
        };
        let mut found = 0;
        for _ in 0..500 {
            let units: Vec<Unit> = (0..1 + next(9))
                .map(|id| Unit {
                    id: EntryId(id),
                    size: 1 + next(4) as u8,
                    rating: 0,
                    cost: next(50) as i64,
                })
                .collect();
            let need = next(7) as u8;
            let of = |set: u32| (0..units.len()).filter(move |at| set >> at & 1 == 1);
            let players = |set: u32| of(set).map(|at| units[at].size).sum::<u8>();
            let cost = |set: u32| of(set).map(|at| units[at].cost).sum::<i64>();
            let all = 0..1_u32 << units.len();
            let best = all.filter(|set| players(*set) == need).map(cost).min();
            let chosen = cheapest(&units, need);
            found += u32::from(chosen.is_some());
            let chosen = chosen.map(|chosen| chosen.iter().fold(0, |set, at| set | 1 << at));
            assert_eq!(chosen.map(cost), best, "{need} of {units:?}");
            assert!(chosen.is_none_or(|set| players(set) == need));
        }
        assert!(found > 100, "{found}");
    }
}
