//! What operators decide about players: who is sent away, kept out, or may not chat, until when.
//! Lists of sanctions, and where they outlast the process: the store, which others may order in as well
//! ([`shared`]), or the file of an operator who names one; who is connected is
//! `presence`'s. `http::admin` takes orders, `lobby` carries them out;
//! `lobby::sessions` asks at each hello, workers apply what stands in a connection's
//! [`Online`](crate::presence::Online). Its lock is taken at hellos and orders, never on the tick
//! path.

pub(crate) mod audit;
mod files;
mod kept;
pub(crate) mod order;
mod sanctions;
mod shared;
mod stored;
pub(crate) mod target;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tickwire::protocol::CloseCode;

use crate::auth::Identity;
use crate::config::{Config, ConfigError};
use crate::date::Date;
use crate::metrics::Metrics;
use crate::presence::{Online, PlayerLine, Presence, Present};
use crate::store::Store;

use files::FileDocument;
use kept::{Contents, Kept};
use order::{Order, Outcome, Refused, Verb};
use sanctions::List;
pub(crate) use sanctions::{SANCTIONS_MAX, Sanction};
pub(crate) use shared::{Followed, Taken};
pub(crate) use stored::Stored;

/// For the store to have what was ordered. Longer: its database is away, and has it later.
const STORED: Duration = Duration::from_secs(2);

/// An operator keeps them out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Banned;

/// See the module's description.
pub(crate) struct Moderation {
    lists: Mutex<Lists>,
    presence: Presence,
    kept: Keeping,
    metrics: Arc<Metrics>,
}

/// Where the lists are written.
enum Keeping {
    Nowhere,
    File(Kept),
    Store(Store),
}

#[derive(Default)]
struct Lists {
    bans: List,
    mutes: List,
    /// Orders that changed them, and those of them that were not handed to the store yet.
    orders: u64,
    unwritten: u32,
}

impl Lists {
    /// How many orders there were; `None`: one is still to be handed to the store.
    fn written(&self) -> Option<u64> {
        (self.unwritten == 0).then_some(self.orders)
    }
}

impl Moderation {
    /// With what the operator's file has, if there is one, else with what is stored.
    ///
    /// # Errors
    /// One line: the file can't be used.
    pub(crate) fn new(
        config: &Config,
        metrics: Arc<Metrics>,
        stored: Stored,
    ) -> Result<Moderation, ConfigError> {
        let (kept, contents) = match &config.bans_file {
            Some(path) => {
                let document = FileDocument::new(path, "bans-file");
                let (kept, contents) = Kept::open(Arc::new(document))?;
                (Keeping::File(kept), contents)
            }
            None if stored.store.is_there() => (Keeping::Store(stored.store), stored.contents),
            None => (Keeping::Nowhere, Contents::default()),
        };
        let (mut lists, now) = (Lists::default(), Date::now());
        for (list, entries) in [
            (&mut lists.bans, contents.bans),
            (&mut lists.mutes, contents.mutes),
        ] {
            for sanction in entries.into_iter().filter(|sanction| sanction.until > now) {
                if !list.put(sanction, now) {
                    let message = format!("more than {SANCTIONS_MAX} bans or mutes are kept");
                    return Err(ConfigError::new(message));
                }
            }
        }
        let moderation = Moderation {
            lists: Mutex::new(lists),
            presence: Presence::default(),
            kept,
            metrics,
        };
        moderation.upkeep(now);
        Ok(moderation)
    }

    /// Whether everybody of this address is kept out.
    pub(crate) fn keeps_out(&self, address: IpAddr, now: Date) -> bool {
        self.lists.lock().bans.until(None, address, now).is_some()
    }

    /// Enters a connection that says hello.
    ///
    /// # Errors
    /// They are kept out.
    pub(crate) fn greet(
        &self,
        game: &'static str,
        name: &str,
        identity: &Identity,
        address: IpAddr,
        now: Date,
    ) -> Result<Present, Banned> {
        // Entered first, then looked up: an order between the two finds them, one before is found.
        let present = self.presence.enter(game, name, identity, address);
        let lists = self.lists.lock();
        if lists.bans.until(Some(identity), address, now).is_some() {
            return Err(Banned);
        }
        present.mute(lists.mutes.until(Some(identity), address, now));
        drop(lists);
        Ok(present.welcome())
    }

    /// Changes the lists as ordered, and marks the connections that are concerned; then it is to be
    /// saved, before anything else is waited for.
    ///
    /// # Errors
    /// [`Refused::Full`] or [`Refused::NotThere`]; nothing has changed then.
    pub(crate) fn apply(&self, order: &Order, now: Date) -> Result<Outcome, Refused> {
        let mut lists = self.lists.lock();
        let sanction = |until| Sanction {
            target: order.target.clone(),
            until,
            since: now,
            reason: order.reason.clone(),
        };
        let lifted = |lifted: bool| lifted.then_some(None).ok_or(Refused::NotThere);
        let until = match order.verb {
            Verb::Kick => None,
            Verb::Unban => lifted(lists.bans.lift(&order.target, now))?,
            Verb::Unmute => lifted(lists.mutes.lift(&order.target, now))?,
            Verb::Ban(span) | Verb::Mute(span) => {
                let until = now.after(span);
                let list = match order.verb {
                    Verb::Ban(_) => &mut lists.bans,
                    _ => &mut lists.mutes,
                };
                if !list.put(sanction(until), now) {
                    return Err(Refused::Full);
                }
                Some(until)
            }
        };
        if order.verb != Verb::Kick {
            lists.orders += 1;
            lists.unwritten += u32::from(matches!(self.kept, Keeping::Store(_)));
        }
        let meant = match order.verb {
            // Nobody of them is here.
            Verb::Unban => Vec::new(),
            _ => {
                let target = &order.target;
                let includes = |online: &Online| target.includes(&online.identity, online.address);
                // Those of other nodes are for those.
                self.presence
                    .all(|online| !online.is_lent() && includes(online))
            }
        };
        for online in &meant {
            match order.verb {
                Verb::Kick => online.expel(CloseCode::Kicked),
                Verb::Ban(_) => online.expel(CloseCode::Banned),
                Verb::Unban => {}
                Verb::Mute(_) | Verb::Unmute => {
                    let mutes = &lists.mutes;
                    online.mute(mutes.until(Some(&online.identity), online.address, now));
                }
            }
        }
        drop(lists);
        self.metrics.moderated(order.verb.word()).increment(1);
        self.upkeep(now);
        Ok(Outcome {
            target: order.target.clone(),
            until,
            connections: meant.len(),
            seats: 0,
            saved: None,
        })
    }

    /// Writes down what an order changed: whether it is on the disk; `None` where nothing is kept.
    /// What could not be written to the file is in the log, and the next order tries again; what is
    /// not stored yet is when the database takes it.
    pub(crate) async fn save(&self, order: &Order) -> Option<bool> {
        if order.verb == Verb::Kick {
            return None;
        }
        match &self.kept {
            Keeping::Nowhere => None,
            Keeping::File(kept) => Some(self.save_to(kept).await),
            Keeping::Store(store) => {
                // Under the lock: a later order is not overtaken by an earlier one.
                let written = {
                    let mut lists = self.lists.lock();
                    let list = match order.verb {
                        Verb::Mute(_) | Verb::Unmute => ("mute", &lists.mutes),
                        _ => ("ban", &lists.bans),
                    };
                    let written = stored::put(store, list, &order.target);
                    lists.unwritten = lists.unwritten.saturating_sub(1);
                    written
                };
                let written = tokio::time::timeout(STORED, written).await;
                Some(matches!(written, Ok(Ok(()))))
            }
        }
    }

    async fn save_to(&self, kept: &Kept) -> bool {
        let saved = kept.save(|| {
            let (lists, now) = (self.lists.lock(), Date::now());
            Contents {
                bans: lists.bans.all(now),
                mutes: lists.mutes.all(now),
            }
        });
        let saved = saved.await;
        if let Err(error) = &saved {
            self.metrics.bans_file_errors.increment(1);
            tracing::error!(%error, "bans-file can't be written");
        }
        saved.is_ok()
    }

    /// Forgets what is over.
    pub(crate) fn upkeep(&self, now: Date) {
        let mut lists = self.lists.lock();
        lists.bans.expire(now);
        lists.mutes.expire(now);
        self.metrics.bans.set(lists.bans.len() as f64);
        self.metrics.mutes.set(lists.mutes.len() as f64);
    }

    /// Who is banned.
    pub(crate) fn bans(&self, now: Date) -> Vec<Sanction> {
        self.lists.lock().bans.all(now)
    }

    /// Who is muted.
    pub(crate) fn mutes(&self, now: Date) -> Vec<Sanction> {
        self.lists.lock().mutes.all(now)
    }

    /// Who is connected.
    pub(crate) fn presence(&self) -> &Presence {
        &self.presence
    }

    /// Who is connected, and who was of late.
    pub(crate) fn players(&self, now: Date) -> Vec<PlayerLine> {
        self.presence.lines(now)
    }
}

#[cfg(test)]
mod tests;
