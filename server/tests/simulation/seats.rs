//! What seats are taken again with, as a worker keeps it: the newest token of each, and the one that it
//! replaced until its client has shown that the new one arrived.

use std::collections::BTreeMap;

use tickwire::ids::PlayerId;

struct Pass {
    newest: String,
    used: Option<String>,
}

/// See the module's description.
#[derive(Default)]
pub(crate) struct Seats {
    passes: BTreeMap<PlayerId, Pass>,
    given: u64,
}

impl Seats {
    fn token(&mut self, player: PlayerId) -> String {
        self.given += 1;
        format!("{player} {}", self.given)
    }

    /// A seat is taken.
    pub(crate) fn give(&mut self, player: PlayerId) -> String {
        let newest = self.token(player);
        let pass = Pass {
            newest: newest.clone(),
            used: None,
        };
        self.passes.insert(player, pass);
        newest
    }

    /// The seat that a token opens.
    pub(crate) fn find(&self, token: &str) -> Option<PlayerId> {
        let opens = |pass: &Pass| pass.newest == token || pass.used.as_deref() == Some(token);
        let mut passes = self.passes.iter();
        passes
            .find(|(_, pass)| opens(pass))
            .map(|(player, _)| *player)
    }

    /// A seat is taken again with `used`.
    pub(crate) fn renew(&mut self, player: PlayerId, used: &str) -> String {
        let newest = self.token(player);
        let pass = Pass {
            newest: newest.clone(),
            used: Some(used.to_owned()),
        };
        self.passes.insert(player, pass);
        newest
    }

    /// Its player has the newest token.
    pub(crate) fn confirm(&mut self, player: PlayerId) {
        if let Some(pass) = self.passes.get_mut(&player) {
            pass.used = None;
        }
    }

    /// A seat is free.
    pub(crate) fn forget(&mut self, player: PlayerId) {
        self.passes.remove(&player);
    }
}
