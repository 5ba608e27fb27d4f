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
//! **Stored.** Where there is a store, a durable one is written first, and gets its number there;
//! [`stored`] then reads it and gives it out, as it does what a process before this one, or another
//! server of the same store, wrote. So what was taken outlasts the process, and there is one order
//! for all. Without a store it is given out at once, and ends with the process.
//!
//! **Once and in order.** What is durable has one number for all whom it is for; under the lock under
//! which it is kept it is put into mailboxes, and who arrives is given what is kept: so a mailbox
//! gets each once, by rising numbers. It is forgotten for a player when a client of theirs says that
//! it was shown; until then every new connection of theirs gets it again. Where the process is killed
//! after it was shown and before that is stored, it comes once more.
//!
//! `lobby` owns it. Nothing here is on the tick path: no worker takes a lock of this module.

mod event;
mod kept;
mod notice;
mod stored;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Map, Value};
use tokio::sync::{Notify, Semaphore};

use crate::auth::Identity;
use crate::date::{self, Date};
use crate::metrics::Metrics;
use crate::presence::{Letter, Online, Presence, Present};
use crate::store::Store;
use crate::store::record::{Record, Seen};
pub(crate) use event::GameEvent;
use kept::{Kept, Standing};
pub(crate) use notice::{Class, Notice, Reached, Refused, TTL_MAX, To};
use notice::{LOST_WITHIN, Tidied};

/// Notices that are being stored: those of each connection that a program may have, and some whose
/// program lost patience. By so many what is kept may be more than its bounds. Beyond: refused.
const UNDER_WAY_MAX: usize = 512;

/// How an event of a game's name, its own name and its fields are read: see [`GameEvent::read`].
type ReadEvent = dyn Fn(&str, &str, &Map<String, Value>) -> Result<GameEvent, String> + Send + Sync;

/// Where and for how long notices are kept.
pub(crate) struct Keeping {
    pub(crate) store: Store,
    /// At most.
    pub(crate) span: Duration,
    /// For events that come of the store.
    pub(crate) read_event: Box<ReadEvent>,
}

/// In memory.
impl Default for Keeping {
    fn default() -> Keeping {
        Keeping {
            store: Store::default(),
            span: TTL_MAX,
            read_event: Box::new(|_, _, _| Err("nothing is stored".to_owned())),
        }
    }
}

/// See the module's description.
pub(crate) struct Notices {
    presence: Presence,
    kept: Mutex<Kept>,
    metrics: Arc<Metrics>,
    keeping: Keeping,
    /// Something was stored.
    came: Arc<Notify>,
    /// Up to where the store was read.
    followed: tokio::sync::Mutex<Followed>,
    /// A place for each that is being stored.
    places: Arc<Semaphore>,
}

impl Notices {
    pub(crate) fn new(presence: Presence, metrics: Arc<Metrics>, keeping: Keeping) -> Notices {
        Notices {
            presence,
            kept: Mutex::default(),
            metrics,
            keeping,
            came: Arc::default(),
            followed: tokio::sync::Mutex::default(),
            places: Arc::new(Semaphore::new(UNDER_WAY_MAX)),
        }
    }

    /// Whether what is of this class is stored first, by [`Notices::store`].
    pub(crate) fn are_stored(&self, class: Class) -> bool {
        class != Class::NowOnly && self.keeping.store.is_there()
    }

    /// Says something at `now`, which is not stored.
    ///
    /// # Errors
    /// It is none, or there is no room for it: nothing was said then.
    pub(crate) fn publish(&self, to: &To, notice: &Notice, now: Date) -> Result<Reached, Refused> {
        let notice = notice.tidied(to)?;
        let reached = match notice.class {
            Class::NowOnly => {
                let letter = notice.letter(0, now);
                self.tell(to, notice.game.as_deref(), &letter)
            }
            Class::Durable { ttl } => {
                let until = self.until(ttl, now);
                self.publish_durable(to, &notice, until, now)?
            }
        };
        self.count(notice.class);
        Ok(reached)
    }

    /// The letter of one that is lost to who is away, and the only game whose connections are meant.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn letter(
        &self,
        to: &To,
        notice: &Notice,
        now: Date,
    ) -> Result<(Letter, Option<Box<str>>), Refused> {
        let notice = notice.tidied(to)?;
        Ok((notice.letter(0, now), notice.game))
    }

    /// Tells such a letter to those who are meant.
    pub(crate) fn tell(&self, to: &To, game: Option<&str>, letter: &Letter) -> Reached {
        self.put_all(&self.meant(to, game), letter)
    }

    /// A notice was given out.
    pub(crate) fn told(&self, class: Class) {
        self.count(class);
    }

    fn until(&self, ttl: Duration, now: Date) -> Date {
        now.after(ttl.min(TTL_MAX).min(self.keeping.span))
    }

    fn count(&self, class: Class) {
        let published = match class {
            Class::NowOnly => &self.metrics.notices_now_only,
            Class::Durable { .. } => &self.metrics.notices_durable,
        };
        published.increment(1);
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
        let meant = self.whom(to, notice.game.as_deref());
        match &meant.players {
            None => {
                kept.check_for_all(now)?;
                kept.keep_for_all(standing);
            }
            Some(players) => {
                let players: Vec<&Identity> = players.iter().collect();
                let standing = Arc::new(standing);
                for player in kept.check_for(&players, letter.bytes.len(), now)? {
                    kept.keep_for(player, standing.clone());
                }
            }
        }
        let mut reached = self.put_all(&meant.here, &letter);
        reached.later += meant.away;
        self.metrics.notices_kept.set(kept.len() as f64);
        Ok(reached)
    }

    /// Who is meant by something durable.
    fn whom(&self, to: &To, game: Option<&str>) -> Meant {
        let all = self.meant(to, game);
        // What is durable each node gives its own.
        let mut here = all.clone();
        here.retain(|online| !online.is_lent());
        let (players, away) = match to {
            To::Everybody | To::Game(_) => (None, 0),
            To::Player(player) => (Some(vec![player.clone()]), u32::from(here.is_empty())),
            To::Room(room) => {
                let lost = self.presence.lost_in(*room, LOST_WITHIN);
                let away = (lost.len() + all.len() - here.len()) as u32;
                let here = all.iter().map(|online| online.identity.clone());
                let mut players: Vec<Identity> = here.chain(lost).collect();
                players.sort_unstable();
                players.dedup();
                (Some(players), away)
            }
        };
        Meant {
            here,
            players,
            away,
        }
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
            if kept.seen(&online.identity, online.game, online.seen()) {
                self.keeping.store.put(Record::Seen(Seen {
                    player: online.identity.to_string(),
                    game: online.game.to_owned(),
                    number: online.seen().into(),
                    at_ms: date::now_ms(),
                }));
            }
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

    /// Drops what is kept for a player, who is erased.
    pub(crate) fn forget(&self, player: &Identity) {
        let mut kept = self.kept.lock();
        kept.forget(player);
        self.metrics.notices_kept.set(kept.len() as f64);
    }
}

/// Up to where the store was read.
#[derive(Default)]
struct Followed {
    /// Of notices: number and player of the last one.
    last: (u64, String),
    /// Of what was seen; `None`: not read yet.
    mark: Option<u64>,
}

/// Whom something durable is for.
struct Meant {
    /// Connections that are given it now.
    here: Vec<Arc<Online>>,
    /// For whom it is kept; `None`: for whoever comes.
    players: Option<Vec<Identity>>,
    /// Of these, those who are known and have no connection here.
    away: u32,
}

#[cfg(test)]
mod tests;
