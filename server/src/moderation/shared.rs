//! Sanctions that other servers ordered, where several write one store: looked for now and then, and
//! taken as they are there. What this server ordered is there as well once it is written; until then
//! nothing is taken, or a ban that waits for the database would be over. `lobby` asks, and tells the
//! workers.

use super::kept::Contents;
use super::stored;
use super::{Keeping, Moderation};
use crate::auth::Identity;
use crate::date::Date;
use crate::moderation::target::Target;
use crate::store::{ReadError, SanctionsMark, Store};
use tickwire::protocol::CloseCode;

/// What of the store was taken last.
#[derive(Default)]
pub(crate) struct Followed(SanctionsMark);

/// What became of sanctions that others ordered.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Taken {
    /// Who is banned now and was not.
    pub(crate) banned: Vec<Identity>,
    /// Connections that are to be closed, or may chat again or no longer.
    pub(crate) connections: usize,
}

impl Moderation {
    /// Whether other servers order for this one's players too.
    pub(crate) fn is_shared(&self) -> bool {
        self.shared_store().is_some()
    }

    fn shared_store(&self) -> Option<&Store> {
        match &self.kept {
            Keeping::Store(store) if store.is_shared() => Some(store),
            _ => None,
        }
    }

    /// Takes what others ordered since; `None`: nothing, or it is not to be had now.
    ///
    /// # Errors
    /// The store can't be read.
    pub(crate) async fn follow(
        &self,
        followed: &mut Followed,
        now: Date,
    ) -> Result<Option<Taken>, ReadError> {
        let Some(store) = self.shared_store() else {
            return Ok(None);
        };
        // Read first: what comes after it makes another one.
        let mark = store.sanctions_mark().await?;
        if mark == followed.0 {
            return Ok(None);
        }
        let Some(orders) = self.lists.lock().written() else {
            return Ok(None);
        };
        if !store.settled().await {
            return Ok(None);
        }
        let contents = stored::read(store, now).await?;
        let taken = self.take(contents, orders, now);
        if taken.is_some() {
            followed.0 = mark;
        }
        Ok(taken)
    }

    /// Takes these lists in place of its own, and marks the connections that are concerned. `None`:
    /// something was ordered here since there were so many orders, which may not be among them.
    pub(super) fn take(&self, contents: Contents, orders: u64, now: Date) -> Option<Taken> {
        let mut lists = self.lists.lock();
        if lists.written() != Some(orders) {
            return None;
        }
        let of = |target: &Target| match target {
            Target::Player(identity) => Some(identity.clone()),
            _ => None,
        };
        let news = contents.bans.iter().map(|sanction| &sanction.target);
        let news = news.filter(|target| lists.bans.of(target).is_none());
        let banned = news.filter_map(of).collect();
        // More than a list holds is refused where it is ordered; the rest waits for a place.
        lists.bans.replace(contents.bans, now);
        lists.mutes.replace(contents.mutes, now);
        let mut connections = 0;
        for online in self.presence.all(|online| !online.is_lent()) {
            let (who, from) = (Some(&online.identity), online.address);
            if lists.bans.until(who, from, now).is_some() {
                online.expel(CloseCode::Banned);
                connections += 1;
            } else {
                let before = online.muted_s(now);
                online.mute(lists.mutes.until(who, from, now));
                connections += usize::from(before != online.muted_s(now));
            }
        }
        drop(lists);
        self.upkeep(now);
        Some(Taken {
            banned,
            connections,
        })
    }
}
