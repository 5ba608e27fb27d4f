//! Notices: what somebody beside the game has to say to players, wherever they are, outside of
//! snapshots. Whoever has something to say calls [`Notices::publish`] with whom it is for ([`To`])
//! and what it is ([`Notice`]: a text, one of the game's events ([`GameEvent::read`]), or both; and
//! its [`Class`]: lost to who is away, or kept for them); the answer is how many it reaches now and
//! later ([`Reached`]), or why it was not taken ([`Refused`]). From other parts of the server it is
//! reached by `Lobby::publish`.
//!
//! It goes into the mailboxes of those who are connected ([`crate::presence`]), and from there to
//! their sockets by whoever has them; what is durable is besides in [`kept`] until its player has
//! seen it or its time is over. Who says hello gets what they missed by [`Notices::arrive`].
//!
//! **Once and in order.** What is durable has one number for all whom it is for, given under the
//! lock under which it is kept and put into mailboxes, and under which who arrives is given what is
//! kept: so a mailbox gets each once, by rising numbers. It is forgotten for a player when a client
//! of theirs says that it was shown; until then every new connection of theirs gets it again.
//!
//! `lobby` owns it. Nothing here is on the tick path: no worker takes a lock of this module.

mod event;
mod kept;
mod notice;

use std::sync::Arc;

use parking_lot::Mutex;

use crate::date::Date;
use crate::metrics::Metrics;
use crate::presence::{Letter, Online, Presence, Present};
pub(crate) use event::GameEvent;
use kept::{Kept, Standing};
pub(crate) use notice::{Class, Notice, Reached, Refused, TTL_MAX, To};
use notice::{LOST_WITHIN, Tidied};

/// See the module's description.
pub(crate) struct Notices {
    presence: Presence,
    kept: Mutex<Kept>,
    metrics: Arc<Metrics>,
}

impl Notices {
    pub(crate) fn new(presence: Presence, metrics: Arc<Metrics>) -> Notices {
        Notices {
            presence,
            kept: Mutex::default(),
            metrics,
        }
    }

    /// Says something at `now`.
    ///
    /// # Errors
    /// It is none, or there is no room for it: nothing was said then.
    pub(crate) fn publish(&self, to: &To, notice: &Notice, now: Date) -> Result<Reached, Refused> {
        let notice = notice.tidied(to)?;
        let reached = match notice.class {
            Class::NowOnly => {
                let letter = notice.letter(0, now);
                self.put_all(&self.meant(to, notice.game.as_deref()), &letter)
            }
            Class::Durable { ttl } => {
                let until = now.after(ttl.min(TTL_MAX));
                self.publish_durable(to, &notice, until, now)?
            }
        };
        let published = match notice.class {
            Class::NowOnly => &self.metrics.notices_now_only,
            Class::Durable { .. } => &self.metrics.notices_durable,
        };
        published.increment(1);
        Ok(reached)
    }

    fn publish_durable(
        &self,
        to: &To,
        notice: &Tidied<'_>,
        until: Date,
        now: Date,
    ) -> Result<Reached, Refused> {
        let mut kept = self.kept.lock();
        let letter = notice.letter(kept.next_number()?, now);
        let standing = Standing {
            letter: letter.clone(),
            game: notice.game.clone(),
            until,
        };
        let here = self.meant(to, notice.game.as_deref());
        let away = match to {
            To::Everybody | To::Game(_) => {
                kept.keep_for_all(standing, now)?;
                0
            }
            To::Player(player) => {
                kept.keep_for(&[player], standing, now)?;
                u32::from(here.is_empty())
            }
            To::Room(room) => {
                let lost = self.presence.lost_in(*room, LOST_WITHIN);
                let mut players: Vec<_> = here.iter().map(|online| &online.identity).collect();
                players.extend(&lost);
                players.sort_unstable();
                players.dedup();
                kept.keep_for(&players, standing, now)?;
                lost.len() as u32
            }
        };
        let mut reached = self.put_all(&here, &letter);
        reached.later += away;
        self.metrics.notices_kept.set(kept.len() as f64);
        Ok(reached)
    }

    /// The connections of those who are meant: an event's are those of its game.
    fn meant(&self, to: &To, game: Option<&str>) -> Vec<Arc<Online>> {
        let is_of = |online: &Online| game.is_none_or(|game| game == online.game);
        let mut meant = match to {
            To::Everybody | To::Game(_) => return self.presence.all(is_of),
            To::Room(room) => self.presence.of_room(*room),
            To::Player(player) => self.presence.of_player(player),
        };
        meant.retain(|online| is_of(online));
        meant
    }

    fn put_all(&self, here: &[Arc<Online>], letter: &Letter) -> Reached {
        let mut reached = Reached::default();
        let mut dropped = 0;
        for online in here {
            let put = online.put(letter.clone());
            dropped += u64::from(put.dropped);
            match put.is_in {
                true => reached.now += 1,
                false if letter.number > 0 => reached.later += 1,
                false => dropped += 1,
            }
        }
        self.metrics.notices_dropped.increment(dropped);
        reached
    }

    /// A connection whose client knows of notices said hello: it gets what its player missed, and
    /// others from now on.
    pub(crate) fn arrive(&self, present: &Present, now: Date) {
        self.fill(&self.kept.lock(), present, now);
    }

    fn fill(&self, kept: &Kept, online: &Online, now: Date) {
        online.fill(kept.of(&online.identity, online.game, now));
    }

    /// Forgets what players have seen since the last time, and gives them more of what waits.
    pub(crate) fn tend(&self, now: Date) {
        let heard = self.presence.take_heard();
        if heard.is_empty() {
            return;
        }
        let mut kept = self.kept.lock();
        for online in &heard {
            kept.seen(&online.identity, online.game, online.seen(), now);
            if online.lacks_letters() {
                self.fill(&kept, online, now);
            }
        }
        self.metrics.notices_kept.set(kept.len() as f64);
    }

    /// Tends them for as long as it is polled.
    pub(crate) async fn keep_tending(&self) {
        loop {
            self.presence.hears().await;
            self.tend(Date::now());
        }
    }
}

#[cfg(test)]
mod tests;
