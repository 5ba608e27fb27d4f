//! What seats are taken again with, as a worker keeps it: the newest token of each, and the one that it
//! replaced until its client has shown that the new one arrived.

use std::collections::BTreeMap;

use tickwire::ids::{PlayerId, Tick};

struct Pass {
    newest: String,
    used: Option<String>,
    /// When the seat was taken for the first time.
    seated_at: Tick,
    /// Whether anything was ever heard from who has it.
    answered: bool,
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

    /// A seat is taken at `now`, or taken over by its player without a token.
    pub(crate) fn give(&mut self, player: PlayerId, now: Tick) -> String {
        let newest = self.token(player);
        let before = self.passes.get(&player);
        let pass = Pass {
            newest: newest.clone(),
            used: None,
            seated_at: before.map_or(now, |pass| pass.seated_at),
            answered: before.is_some_and(|pass| pass.answered),
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
        if let Some(pass) = self.passes.get_mut(&player) {
            pass.newest.clone_from(&newest);
            pass.used = Some(used.to_owned());
            // The token came after the seat.
            pass.answered = true;
        }
        newest
    }

    /// When a seat was taken for the first time.
    pub(crate) fn seated_at(&self, player: PlayerId) -> Tick {
        self.passes
            .get(&player)
            .map_or(Tick(0), |pass| pass.seated_at)
    }

    /// Something was heard from a player.
    pub(crate) fn heard(&mut self, player: PlayerId) {
        if let Some(pass) = self.passes.get_mut(&player) {
            pass.answered = true;
        }
    }

    /// Whether anything was ever heard from a player.
    pub(crate) fn has_answered(&self, player: PlayerId) -> bool {
        self.passes.get(&player).is_some_and(|pass| pass.answered)
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
