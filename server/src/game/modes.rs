//! What a game declares for the lobby's queue: its modes and regions, by their names on the wire.
//! [`super::GameDef`] checks it once, at start.

use crate::queue::{Mode, ModeId, Queue, REGIONS_MAX, RegionId, Timing};

/// Characters of a mode's or a region's name.
const NAME_CHARS_MAX: usize = 32;

/// Modes and regions, each by its place.
#[derive(Clone, Default)]
pub(crate) struct Modes {
    names: Vec<String>,
    modes: Vec<Mode>,
    regions: Vec<String>,
}

impl Modes {
    pub(super) fn push(&mut self, name: &str, mode: Mode) {
        self.names.push(name.to_owned());
        self.modes.push(mode);
    }

    pub(super) fn set_regions(&mut self, names: &[&str]) {
        self.regions = names.iter().map(|&name| name.to_owned()).collect();
    }

    /// Whether the game has a queue.
    pub(crate) fn are_none(&self) -> bool {
        self.modes.is_empty()
    }

    /// Players of the largest match.
    pub(crate) fn players_max(&self) -> u16 {
        self.modes.iter().map(Mode::players).max().unwrap_or(0)
    }

    /// Players of the largest team.
    pub(crate) fn team_max(&self) -> u8 {
        let sizes = self.modes.iter().map(|mode| mode.team_size);
        sizes.max().unwrap_or(0)
    }

    /// The mode of this name.
    pub(crate) fn mode(&self, name: &str) -> Option<ModeId> {
        let place = self.names.iter().position(|known| known == name)?;
        u8::try_from(place).ok().map(ModeId)
    }

    /// A mode's name.
    pub(crate) fn name(&self, mode: ModeId) -> &str {
        self.names.get(usize::from(mode.0)).map_or("", |name| name)
    }

    /// The regions of these names, in their order; all of them where none are named. `None`: the
    /// game does not have one of them.
    pub(crate) fn regions(&self, names: &[String]) -> Option<Vec<RegionId>> {
        if names.is_empty() {
            // A game without regions is in one place.
            let all = self.regions.len().max(1);
            return Some((0..all).map(|place| RegionId(place as u8)).collect());
        }
        let place = |name: &String| self.regions.iter().position(|known| known == name);
        let places = names.iter().take(REGIONS_MAX + 1).map(place);
        places
            .map(|place| place.map(|place| RegionId(place as u8)))
            .collect()
    }

    /// A region's name.
    pub(crate) fn region(&self, region: RegionId) -> &str {
        let name = self.regions.get(usize::from(region.0));
        name.map_or("", |name| name)
    }

    /// A queue of these modes.
    ///
    /// # Errors
    /// One can't be played.
    pub(crate) fn queue(&self, seed: u64) -> Result<Queue, String> {
        let queue = Queue::new(self.modes.clone(), Timing::default(), seed);
        queue.map_err(|error| error.to_string())
    }

    /// # Errors
    /// What is wrong with the declaration, for rooms of so many seats.
    pub(super) fn check(&self, seats_max: u16) -> Result<(), String> {
        if self.are_none() {
            return match self.regions.is_empty() {
                true => Ok(()),
                false => Err("regions without a mode".into()),
            };
        }
        check_names("mode", &self.names)?;
        check_names("region", &self.regions)?;
        if self.regions.len() > REGIONS_MAX {
            return Err(format!("more than {REGIONS_MAX} regions"));
        }
        self.queue(0)?;
        for (name, mode) in self.names.iter().zip(&self.modes) {
            if mode.players() > seats_max {
                let players = mode.players();
                return Err(format!(
                    "mode {name:?} has {players} players, a room at most {seats_max} seats"
                ));
            }
        }
        Ok(())
    }
}

fn check_names(what: &str, names: &[String]) -> Result<(), String> {
    for (at, name) in names.iter().enumerate() {
        let chars = name.chars().count();
        if !(1..=NAME_CHARS_MAX).contains(&chars) {
            return Err(format!(
                "{what} {name:?}: a name has 1 to {NAME_CHARS_MAX} characters"
            ));
        }
        if names[..at].contains(name) {
            return Err(format!("{what} {name:?} is declared twice"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::queue::{AtTheEnd, Missing, Window};

    fn mode(teams: u8, team_size: u8) -> Mode {
        Mode {
            teams,
            team_size,
            window: Window {
                start: 2.0,
                per_second: 0.5,
                max: 12.0,
            },
            wait: Duration::from_secs(60),
            at_the_end: AtTheEnd::End,
            missing: Missing::CallOff,
        }
    }

    fn declared(named: &[(&str, Mode)], regions: &[&str]) -> Modes {
        let mut modes = Modes::default();
        for (name, mode) in named {
            modes.push(name, mode.clone());
        }
        modes.set_regions(regions);
        modes
    }

    #[test]
    fn what_is_wrong_with_a_declaration_is_told_by_name() {
        let long = "x".repeat(NAME_CHARS_MAX + 1);
        let many: Vec<String> = (0..=REGIONS_MAX).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let cases = [
            (declared(&[("", mode(2, 1))], &[]), "\"\""),
            (declared(&[(&long, mode(2, 1))], &[]), "32"),
            (
                declared(&[("a", mode(2, 1)), ("a", mode(2, 2))], &[]),
                "\"a\"",
            ),
            (declared(&[("a", mode(0, 1))], &[]), "team"),
            (declared(&[("a", mode(2, 9))], &[]), "18 players"),
            (declared(&[("a", mode(2, 1))], &["eu", "eu"]), "\"eu\""),
            (declared(&[("a", mode(2, 1))], &many), "regions"),
            (declared(&[], &["eu"]), "without a mode"),
        ];
        for (modes, what) in cases {
            let error = modes.check(16).expect_err(what);
            assert!(error.contains(what), "{error}");
        }
        assert_eq!(declared(&[], &[]).check(16), Ok(()));
        assert_eq!(declared(&[("a", mode(2, 8))], &["eu"]).check(16), Ok(()));
    }

    #[test]
    fn regions_are_those_that_are_named_or_all() {
        let modes = declared(&[("a", mode(2, 1))], &["eu", "us"]);
        let named = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            modes.regions(&names)
        };
        assert_eq!(named(&["us", "eu"]), Some(vec![RegionId(1), RegionId(0)]));
        assert_eq!(named(&[]), Some(vec![RegionId(0), RegionId(1)]));
        assert_eq!(named(&["eu", "asia"]), None);
        let nowhere = declared(&[("a", mode(2, 1))], &[]);
        assert_eq!(nowhere.regions(&[]), Some(vec![RegionId(0)]));
        assert_eq!(nowhere.region(RegionId(0)), "");
    }
}
