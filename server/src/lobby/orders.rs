//! An operator's order, from the lists to those in rooms: what is marked in connections is applied
//! by whoever has them, lobby tasks at once, workers when they are told. `http::admin` calls it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{Lobby, STUCK};
use crate::auth::Identity;
use crate::date::Date;
use crate::directory::Directory;
use crate::moderation::order::{Order, Outcome, Refused, Verb};
use crate::moderation::target::Target;
use crate::moderation::{Followed, Moderation, Taken};
use crate::worker::Worker;

/// Until a full inbox is tried again.
const RETRY: Duration = Duration::from_millis(10);
/// Between two looks at what other servers ordered. A look is one row, unless something changed.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Rooms stay where they are until it is dropped.
struct Still(Arc<dyn Directory>);

impl Still {
    fn new(registry: &Arc<dyn Directory>) -> Still {
        registry.hold_still(true);
        Still(registry.clone())
    }
}

impl Drop for Still {
    fn drop(&mut self) {
        self.0.hold_still(false);
    }
}

impl Lobby {
    /// Carries an order out; when it returns, those who were sent away have left their rooms.
    /// Dropped halfway it is half done: who may lose patience leaves it to a task.
    ///
    /// # Errors
    /// See [`Refused`].
    pub(crate) async fn carry_out(&self, order: &Order) -> Result<Outcome, Refused> {
        let moderation = self.moderation();
        let mut outcome = moderation.apply(order, Date::now())?;
        outcome.saved = moderation.save(order).await;
        if order.verb != Verb::Unban {
            let seats_of = match (order.verb, &order.target) {
                (Verb::Kick | Verb::Ban(_), Target::Player(identity)) => Some(identity),
                _ => None,
            };
            outcome.seats = self.tell_workers(seats_of).await.ok_or(Refused::Busy)?;
        }
        Ok(outcome)
    }

    /// Carries out what is ordered at other servers that write the same store, for as long as it is
    /// polled. A kick is none of it: it is of those who are here.
    pub(crate) async fn follow_orders(self) {
        let (moderation, mut followed) = (self.moderation(), Followed::default());
        let mut is_read = true;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let taken = moderation.follow(&mut followed, Date::now()).await;
            match &taken {
                Err(why) if is_read => {
                    tracing::warn!(%why, "bans and mutes of other servers are not known for now");
                }
                Ok(_) if !is_read => {
                    tracing::info!("bans and mutes of other servers are known again")
                }
                _ => {}
            }
            is_read = taken.is_ok();
            let Ok(Some(Taken {
                banned,
                connections,
            })) = taken
            else {
                continue;
            };
            tracing::info!(
                banned = banned.len(),
                connections,
                "others changed bans or mutes"
            );
            // Who has no connection here may have a seat. Nobody waits for it: what a worker that is
            // stuck does not hear now it does when it looks at its members again.
            for identity in &banned {
                self.tell_workers(Some(identity)).await;
            }
            if connections > 0 {
                self.tell_workers(None).await;
            }
        }
    }

    /// Has every worker look at its members; how many seats without a connection were given up, which
    /// are this player's. `None` if one does not answer in time.
    async fn tell_workers(&self, seats_of: Option<&Identity>) -> Option<u32> {
        let told = self.ask_workers(|worker| worker.moderate(seats_of.cloned()));
        told.await
    }

    /// Has all rooms, parties and channels forget somebody who is in them no more; false: not all did
    /// in time.
    pub(crate) async fn forget(&self, identity: &Identity) -> bool {
        self.shared.people.forget(identity).await;
        self.shared.part_from_others(identity, Instant::now());
        self.moderation().presence().forget(identity);
        let told = self.ask_workers(|worker| worker.forget(identity.clone()));
        told.await.is_some()
    }

    /// Asks every worker for something; the sum of their answers. `None` if one does not answer in
    /// time.
    async fn ask_workers(
        &self,
        ask: impl Fn(&Worker) -> Option<oneshot::Receiver<u32>>,
    ) -> Option<u32> {
        let by = Instant::now() + STUCK;
        let _still = Still::new(&self.shared.registry);
        let mut answers = Vec::with_capacity(self.shared.workers.len());
        for worker in &self.shared.workers {
            let answer = loop {
                match ask(worker) {
                    Some(answer) => break answer,
                    None if Instant::now() >= by => return None,
                    None => tokio::time::sleep(RETRY).await,
                }
            };
            answers.push(answer);
        }
        let mut seats = 0;
        for answer in answers {
            seats += tokio::time::timeout_at(by.into(), answer)
                .await
                .ok()?
                .ok()?;
        }
        Some(seats)
    }

    /// Who may not play or chat, and who is connected.
    pub(crate) fn moderation(&self) -> &Moderation {
        &self.shared.moderation
    }
}
