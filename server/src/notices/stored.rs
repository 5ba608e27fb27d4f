//! Durable notices by way of the store: written before anybody is told, then read in the order in
//! which they got their numbers, and given out. What is read is what was written since: by this
//! process, by another server of the same store, and at the start by whoever wrote it before.
//!
//! **What is answered** is told before it is written, so that it can be stored with it: how many it
//! reaches as things stand at that moment.

use std::sync::Arc;
use std::time::Duration;

use rand::TryRng;
use rand::rngs::SysRng;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::timeout;

use super::kept::Standing;
use super::notice::{self, Notice, Reached, Refused, To};
use super::{Class, GameEvent, Notices};
use crate::auth::Identity;
use crate::date::Date;
use crate::store::notices::{NOTICES_PAGE, Numbered};
use crate::store::record::{self, Answer, Record};
use crate::store::{ReadError, Store};

/// Between two looks at what other servers stored.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Until what could not be read is tried again.
const RETRY: Duration = Duration::from_millis(100);

/// One that is on its way to the disk.
pub(crate) struct Written {
    /// How many it reaches.
    pub(crate) reached: Reached,
    written: oneshot::Receiver<()>,
    notices: Arc<Notices>,
    class: Class,
    _place: OwnedSemaphorePermit,
}

impl Written {
    /// Done when it is there. To be awaited to the end: it is given out then.
    ///
    /// # Errors
    /// It never will be, and nobody is told.
    pub(crate) async fn done(self) -> Result<(), Refused> {
        self.written.await.map_err(|_| Refused::NotStored)?;
        self.notices.count(self.class);
        self.notices.came.notify_one();
        Ok(())
    }
}

impl Notices {
    /// Has a durable one stored, with what its program is answered, if that is to be kept.
    ///
    /// # Errors
    /// It is none, there is no room for it, or the store takes nothing now: nothing was said then.
    pub(crate) fn store(
        self: &Arc<Self>,
        to: &To,
        notice: &Notice,
        answer: impl FnOnce(Reached) -> Option<Answer>,
        now: Date,
    ) -> Result<Written, Refused> {
        let tidied = notice.tidied(to)?;
        let Class::Durable { ttl } = notice.class else {
            // Nothing of it would be read again.
            return Err(Refused::NotStored);
        };
        if !self.keeping.store.takes() {
            return Err(Refused::NotStored);
        }
        let place = self.places.clone().try_acquire_owned();
        let place = place.map_err(|_| Refused::Full)?;
        let meant = self.whom(to, tidied.game.as_deref());
        let bytes = tidied.letter(u32::MAX, now).bytes.len();
        let mut kept = self.kept.lock();
        kept.next_number()?;
        let players = match &meant.players {
            None => {
                kept.check_for_all(now)?;
                vec![String::new()]
            }
            Some(players) => {
                let players: Vec<&Identity> = players.iter().collect();
                let players = kept.check_for(&players, bytes, now)?.into_iter();
                players.map(Identity::to_string).collect()
            }
        };
        drop(kept);
        let mut reached = Reached::default();
        for online in &meant.here {
            match online.has_room(bytes) {
                true => reached.now += 1,
                false => reached.later += 1,
            }
        }
        reached.later += meant.away;
        let (event, fields) = tidied.event.map_or(("", ""), GameEvent::written);
        let written = self
            .keeping
            .store
            .put_acknowledged(Record::Notice(record::Notice {
                id: id()?,
                players,
                game: tidied.game.as_deref().unwrap_or("").to_owned(),
                text: tidied.text,
                event: event.to_owned(),
                fields: fields.to_owned(),
                said_at_ms: now.0.saturating_mul(1000),
                expires_ms: self.until(ttl, now).0.saturating_mul(1000),
                answer: answer(reached),
            }));
        Ok(Written {
            reached,
            written,
            notices: self.clone(),
            class: notice.class,
            _place: place,
        })
    }

    /// Reads all that the store has, and gives it out.
    ///
    /// # Errors
    /// See [`ReadError`]; what was read before is given out.
    pub(crate) async fn follow(&self) -> Result<(), ReadError> {
        let store = &self.keeping.store;
        let mut followed = self.followed.lock().await;
        loop {
            let (number, player) = &followed.last;
            let page = store.notices_after(*number, player).await?;
            if let Some(last) = page.last() {
                followed.last = (last.number, last.player.clone());
            }
            let is_last = (page.len() as u64) < NOTICES_PAGE;
            self.give_out(page, Date::now());
            if is_last {
                break;
            }
        }
        // What its own clients have seen a process knows; at the start it knows nothing.
        let (mut mark, mut is_last) = match followed.mark {
            Some(mark) => (mark, !store.is_shared()),
            None => (0, false),
        };
        while !is_last {
            let page = store.seen_after(mark).await?;
            mark = page.last().map_or(mark, |(mark, _)| *mark);
            is_last = Store::is_last_of_seen(page.len());
            let mut kept = self.kept.lock();
            for (_, seen) in page {
                // A number that a client had is small enough.
                let number = u32::try_from(seen.number).unwrap_or(u32::MAX);
                if let Some(player) = Identity::read(&seen.player) {
                    kept.recall_seen(&player, &seen.game, number);
                }
            }
            self.metrics.notices_kept.set(kept.len() as f64);
        }
        followed.mark = Some(mark);
        Ok(())
    }

    /// Reads what is stored, for as long as it is polled: what this process stores as it does, what
    /// others do soon after.
    pub(crate) async fn keep_following(&self) {
        let mut is_read = true;
        while self.keeping.store.is_there() {
            let came = self.came.notified();
            match self.keeping.store.is_shared() {
                // Late or not, it looks.
                true => _ = timeout(LOOK_EVERY, came).await,
                false => came.await,
            }
            while let Err(why) = self.follow().await {
                if std::mem::replace(&mut is_read, false) {
                    tracing::warn!(%why, "notices can't be read of the store: they come later");
                }
                tokio::time::sleep(RETRY).await;
            }
            if !std::mem::replace(&mut is_read, true) {
                tracing::info!("notices are read of the store again");
            }
        }
        std::future::pending().await
    }

    /// Keeps what was read, and puts it into the mailboxes of those who are here.
    fn give_out(&self, page: Vec<Numbered>, now: Date) {
        let mut kept = self.kept.lock();
        for of in page {
            let player = of.player.clone();
            let standing = match self.standing(of) {
                Ok(standing) if standing.until > now => standing,
                Ok(_) => continue,
                // Of a game that is not here, or that has changed.
                Err(why) => {
                    tracing::debug!(why, "a stored notice is none here");
                    continue;
                }
            };
            let (letter, game) = (standing.letter.clone(), standing.game.clone());
            if player.is_empty() {
                let mut here = self.meant(&To::Everybody, game.as_deref());
                here.retain(|online| !kept.has_seen(&online.identity, &standing));
                kept.keep_for_all(standing);
                self.put_all(&here, &letter);
            } else if let Some(player) = Identity::read(&player)
                && kept.keep_for(&player, Arc::new(standing))
            {
                self.put_all(&self.meant(&To::Player(player), game.as_deref()), &letter);
            }
        }
        self.metrics.notices_kept.set(kept.len() as f64);
    }

    /// A stored notice as it is kept. The error is one line.
    fn standing(&self, of: Numbered) -> Result<Standing, String> {
        let number = u32::try_from(of.number).map_err(|_| "its number is none of a notice's")?;
        let stored = of.notice;
        let event = match stored.event.as_str() {
            "" => None,
            name => {
                let fields = serde_json::from_str(&stored.fields);
                let fields = fields.map_err(|error| error.to_string())?;
                Some((self.keeping.read_event)(&stored.game, name, &fields)?)
            }
        };
        let at = Date(stored.said_at_ms / 1000);
        Ok(Standing {
            letter: notice::letter(number, at, stored.text, event.as_ref()),
            game: (!stored.game.is_empty()).then(|| stored.game.into()),
            until: Date(stored.expires_ms / 1000),
        })
    }
}

/// Of a notice, which no other one has.
fn id() -> Result<String, Refused> {
    let random = || SysRng.try_next_u64().map_err(|_| Refused::NotStored);
    Ok(format!("{:016x}{:016x}", random()?, random()?))
}

#[cfg(test)]
mod tests;
