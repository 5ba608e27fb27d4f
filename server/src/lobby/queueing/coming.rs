//! Who wants to play: into the queue at once, or once it is known how good they are, which `skill`
//! has read. What they say meanwhile is so at once. `queue_requests` calls it.

use std::collections::BTreeMap;
use std::time::Duration;

use tickwire::protocol::OutOfQueue;

use super::around::{Around, out};
use super::asking::{Asking, Wish};
use super::table::{Table, Waiter};
use crate::auth::Identity;
use crate::queue::{Input, RATING_MAX, Seeker};

impl Table {
    /// These want to play, together; the first of them says so.
    pub(in crate::lobby) fn enqueue(&mut self, around: &Around<'_>, who: &[Identity], wish: Wish) {
        let Some(first) = who.first() else { return };
        if let Some(player) = self.waiting(first) {
            return self.show(around, player);
        }
        if self.is_asking(first) {
            // What the first request leads to is told at all their connections.
            let why = out(OutOfQueue::TooOften, true, Duration::ZERO);
            return around.tell(first, wish.nonce, why);
        }
        let rated = |who: &Identity| (who.clone(), around.skill.of(who, around.now));
        let who: Vec<_> = who.iter().map(rated).collect();
        let asking = Asking { who, wish };
        match asking.is_known() {
            true => self.wait(around, asking),
            false => self.asking.push(asking),
        }
    }

    /// How good some are.
    pub(in crate::lobby) fn on_ratings(&mut self, around: &Around<'_>, read: &[(Identity, f64)]) {
        let read: BTreeMap<&Identity, f64> = read.iter().map(|(who, mean)| (who, *mean)).collect();
        for asking in &mut self.asking {
            for (who, mean) in &mut asking.who {
                *mean = mean.or_else(|| read.get(who).copied());
            }
        }
        let known = self.asking.extract_if(.., |asking| asking.is_known());
        for asking in known.collect::<Vec<_>>() {
            self.wait(around, asking);
        }
    }

    /// Whether it is not known yet how good somebody is who wants to play.
    pub(in crate::lobby) fn is_asking(&self, who: &Identity) -> bool {
        self.asking.iter().any(|asking| asking.has(who))
    }

    /// Somebody does not want to, before they were in the queue, because of what one did; whether
    /// they had wanted to. With them go those who would have played with them.
    pub(super) fn ask_no_more(
        &mut self,
        around: &Around<'_>,
        who: &Identity,
        (why, by): (OutOfQueue, &Identity),
    ) -> bool {
        let theirs = self.asking.extract_if(.., |asking| asking.has(who));
        let theirs: Vec<Asking> = theirs.collect();
        for asking in &theirs {
            asking.end(around, why, Some(by));
        }
        !theirs.is_empty()
    }

    /// Somebody joined a party of these, or left it: who of them waits does so no longer.
    pub(in crate::lobby) fn party_changed(
        &mut self,
        around: &Around<'_>,
        by: &Identity,
        of: &[Identity],
    ) {
        for who in of {
            self.ask_no_more(around, who, (OutOfQueue::PartyChanged, by));
            if let Some(party) = self.waiting(who) {
                let by = self.key(by);
                self.handle(around, Input::PartyChanged { party, by });
            }
        }
    }

    /// Nobody is let in any more.
    pub(super) fn ask_nothing(&mut self, around: &Around<'_>) {
        for asking in std::mem::take(&mut self.asking) {
            asking.end(around, OutOfQueue::Closed, None);
        }
    }

    /// They wait from now on.
    fn wait(&mut self, around: &Around<'_>, asking: Asking) {
        let Asking { who, wish } = asking;
        let players: Vec<_> = who.iter().map(|(who, _)| self.key(who)).collect();
        if players
            .iter()
            .any(|player| self.waiters.contains_key(player))
        {
            // Of another's number, as good as never.
            return Asking { who, wish }.end(around, OutOfQueue::Full, None);
        }
        let rated = who.iter().zip(&players).map(|((_, mean), player)| Seeker {
            player: *player,
            rating: mean.unwrap_or_default().clamp(-RATING_MAX, RATING_MAX),
        });
        let seekers: Vec<Seeker> = rated.collect();
        let away: Vec<_> = who
            .iter()
            .zip(&players)
            .filter(|((who, _), _)| !self.is_linked(who))
            .map(|(_, player)| *player)
            .collect();
        for (at, (player, (who, _))) in players.iter().zip(who).enumerate() {
            let nonce = if at == 0 { wish.nonce } else { 0 };
            self.waiters.insert(*player, Waiter::new(who, nonce));
        }
        self.seeking = players;
        let Wish { mode, regions, .. } = wish;
        self.handle(
            around,
            Input::Enqueue {
                mode,
                seekers,
                regions,
            },
        );
        for player in away {
            self.handle(around, Input::Lost { player });
        }
    }
}
