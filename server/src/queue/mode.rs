//! What a game declares of each way to play it: how many teams of how many, how ratings may differ,
//! how long anybody waits and what comes then. Checked once, by [`Queue::new`](super::Queue::new).

use std::fmt;
use std::time::Duration;

/// Modes of a queue.
pub const MODES_MAX: usize = 64;
/// Players of a match. A room of more is joined by its list, not by a queue.
pub const MATCH_PLAYERS_MAX: usize = 64;
/// Players of a team, and so of a party. What is looked at to make a match grows with it.
pub const TEAM_SIZE_MAX: u8 = 16;
/// How far from 0 a rating or a window may be.
pub const RATING_MAX: f64 = 1e6;
/// The longest that a mode may let somebody wait.
pub const WAIT_MAX: Duration = Duration::from_secs(60 * 60);

/// A mode by its place in the list that the queue was made with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModeId(pub u8);

/// Where a room may be; the caller knows which number is which place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RegionId(pub u8);

/// One way to play.
#[derive(Clone, Debug, PartialEq)]
pub struct Mode {
    /// Teams of a match; 1 where all play together, as many as players where all are alone.
    pub teams: u8,
    /// Players of each team, 1 to [`TEAM_SIZE_MAX`].
    pub team_size: u8,
    /// How far apart the ratings of a match may be.
    pub window: Window,
    /// Nobody waits for longer, [`WAIT_MAX`] at most: what comes then is `at_the_end`.
    pub wait: Duration,
    /// What somebody gets who has waited for so long.
    pub at_the_end: AtTheEnd,
    /// What becomes of a match to which somebody does not come.
    pub missing: Missing,
}

/// How far a rating may lie from one's own, in units of the rating: it widens while one waits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// At first.
    pub start: f64,
    /// Each second.
    pub per_second: f64,
    /// At most.
    pub max: f64,
}

/// What comes when somebody has waited for as long as anybody may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtTheEnd {
    /// A match with whom there is, its empty places filled with bots: with nobody else, with bots
    /// alone.
    Bots,
    /// A match of smaller teams of one size, or of fewer teams where teams are of one, with `least`
    /// players or more; else [`super::EndReason::TooFew`].
    Short {
        /// From 2.
        least: u8,
    },
    /// [`super::EndReason::TooFew`], unless a whole match can be made by widening the window.
    End,
}

/// What becomes of a match to which somebody does not come, after all have accepted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// It is called off as soon as that is known; who would have come goes back.
    CallOff,
    /// It is played if `least` come, else it is called off.
    PlayOn {
        /// From 1.
        least: u8,
    },
}

/// Why a mode can't be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModeError {
    /// There are none, or more than [`MODES_MAX`].
    Modes,
    /// Teams, or players in one, or in all: none or too many.
    Size,
    /// A window that is no number, negative, or beyond [`RATING_MAX`].
    Window,
    /// Longer than [`WAIT_MAX`], or not at all.
    Wait,
    /// A least number of players that is none, or more than there are.
    Least,
}

impl fmt::Display for ModeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ModeError::Modes => write!(f, "a queue has 1 to {MODES_MAX} modes"),
            ModeError::Size => write!(
                f,
                "a team has 1 to {TEAM_SIZE_MAX} players, a match at most {MATCH_PLAYERS_MAX}"
            ),
            ModeError::Window => write!(f, "a window is from 0 to {RATING_MAX} wide"),
            ModeError::Wait => write!(f, "waiting lasts more than 0 s and at most {WAIT_MAX:?}"),
            ModeError::Least => f.write_str("the least number of players can't be met"),
        }
    }
}

impl std::error::Error for ModeError {}

impl Mode {
    /// Players of a whole match.
    pub fn players(&self) -> u16 {
        u16::from(self.teams) * u16::from(self.team_size)
    }

    /// How far a rating may lie from that of somebody who has waited for so long, in thousandths.
    pub(super) fn window(&self, waited: Duration) -> i64 {
        let grown = self.window.start + self.window.per_second * waited.as_secs_f64();
        milli(grown.min(self.window.max))
    }

    pub(super) fn check(&self) -> Result<(), ModeError> {
        let players = usize::from(self.players());
        let is_sized = self.team_size <= TEAM_SIZE_MAX && players <= MATCH_PLAYERS_MAX;
        let fits = |least: u8, from: u8| least >= from && usize::from(least) <= players;
        let ends = match self.at_the_end {
            AtTheEnd::Short { least } => fits(least, 2),
            AtTheEnd::Bots | AtTheEnd::End => true,
        };
        let plays = match self.missing {
            Missing::PlayOn { least } => fits(least, 1),
            Missing::CallOff => true,
        };
        let Window {
            start,
            per_second,
            max,
        } = self.window;
        let is_width = |width: f64| (0.0..=RATING_MAX).contains(&width);
        if players == 0 || !is_sized {
            Err(ModeError::Size)
        } else if ![start, per_second, max].into_iter().all(is_width) {
            Err(ModeError::Window)
        } else if self.wait.is_zero() || self.wait > WAIT_MAX {
            Err(ModeError::Wait)
        } else if !(ends && plays) {
            Err(ModeError::Least)
        } else {
            Ok(())
        }
    }
}

/// A rating or a width in the thousandths that the queue compares: so that the order is total.
pub(super) fn milli(rating: f64) -> i64 {
    (rating * 1000.0).round() as i64
}

/// How long each thing after the waiting may last, the same for all modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// To accept an offered match.
    pub accept: Duration,
    /// To come into its room, from when all had accepted.
    pub join: Duration,
    /// To come back after one's connection was cut, while waiting. Nobody is matched meanwhile.
    pub lost: Duration,
    /// From one look for a match to the next, of an entry for which there was none.
    pub retry: Duration,
    /// Who spoils a match may not queue for so long, twice as long each further time,
    pub cooling: Duration,
    /// and at most for so long. Forgotten after as long again without another.
    pub cooling_max: Duration,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing {
            accept: Duration::from_secs(15),
            join: Duration::from_secs(30),
            lost: Duration::from_secs(20),
            retry: Duration::from_secs(1),
            cooling: Duration::from_secs(10),
            cooling_max: Duration::from_secs(300),
        }
    }
}
