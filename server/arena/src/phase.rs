//! The phases of a round. Not when they change: that is `rounds`.

/// A phase. The index is the value of the schema's `round.phase`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Warm-up: everything goes, nothing counts for long. Too few are ready.
    #[default]
    Lobby,
    /// Still warm-up; half the players are ready, the rest have until `round.ends`.
    Ready,
    /// Everyone is sent to a fresh place; guns are silent.
    Countdown,
    /// Scores count until `round.ends`.
    Play,
    /// The winner is shown; guns are silent.
    Results,
}

impl Phase {
    /// The names in the schema, by index.
    pub const NAMES: [&'static str; 5] = ["lobby", "ready", "countdown", "play", "results"];

    /// The index in [`Phase::NAMES`].
    pub fn index(self) -> u8 {
        self as u8
    }

    /// The phase of an index; the lobby for one that there is not.
    pub fn from_index(index: u8) -> Phase {
        match index {
            1 => Phase::Ready,
            2 => Phase::Countdown,
            3 => Phase::Play,
            4 => Phase::Results,
            _ => Phase::Lobby,
        }
    }

    /// Whether guns fire.
    pub fn is_armed(self) -> bool {
        matches!(self, Phase::Lobby | Phase::Ready | Phase::Play)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_match_names() {
        for (phase, name) in [
            (Phase::Lobby, "lobby"),
            (Phase::Ready, "ready"),
            (Phase::Countdown, "countdown"),
            (Phase::Play, "play"),
            (Phase::Results, "results"),
        ] {
            assert_eq!(Phase::NAMES[usize::from(phase.index())], name);
            assert_eq!(Phase::from_index(phase.index()), phase);
        }
    }
}
