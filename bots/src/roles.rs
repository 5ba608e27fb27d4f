//! What a bot of the swarm is there for: to play, or to break the protocol. The names that
//! `--behaviour` takes.

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::behaviours::Behaviour;
use crate::hostile::Breach;

/// One of the behaviours that a swarm may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Plays, and is measured.
    Honest(Behaviour),
    /// Breaks the protocol, and has to be closed for it.
    Hostile(Breach),
}

impl ValueEnum for Role {
    fn value_variants<'a>() -> &'a [Role] {
        &[
            Role::Honest(Behaviour::Wander),
            Role::Honest(Behaviour::Random),
            Role::Honest(Behaviour::Idle),
            Role::Honest(Behaviour::Spectate),
            Role::Hostile(Breach::Flood),
            Role::Hostile(Breach::Garbage),
            Role::Hostile(Breach::Text),
            Role::Hostile(Breach::Oversize),
            Role::Hostile(Breach::Slowloris),
            Role::Hostile(Breach::Cheat),
            Role::Hostile(Breach::Stalled),
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Role::Honest(behaviour) => behaviour.to_possible_value(),
            Role::Hostile(breach) => breach.to_possible_value(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_behaviour_and_breach_is_a_role() {
        let count = Behaviour::value_variants().len() + Breach::value_variants().len();
        assert_eq!(Role::value_variants().len(), count);
        let mut names: Vec<_> = Role::value_variants()
            .iter()
            .filter_map(|role| Some(role.to_possible_value()?.get_name().to_owned()))
            .collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count, "{names:?}");
    }
}
