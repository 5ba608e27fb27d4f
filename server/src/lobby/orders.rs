//! An operator's order, from the lists to those in rooms: what is marked in connections is applied
//! by whoever has them, lobby tasks at once, workers when they are told. `http::admin` calls it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Lobby, STUCK};
use crate::date::Date;
use crate::directory::Directory;
use crate::moderation::Moderation;
use crate::moderation::order::{Order, Outcome, Refused, Verb};
use crate::moderation::target::Target;

/// Until a full inbox is tried again.
const RETRY: Duration = Duration::from_millis(10);

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
        if order.verb != Verb::Kick {
            outcome.saved = moderation.save(order).await;
        }
        if order.verb != Verb::Unban {
            outcome.seats = self.tell_workers(order).await.ok_or(Refused::Busy)?;
        }
        Ok(outcome)
    }

    /// Has every worker look at its members; how many seats without a connection were given up.
    /// `None` if one does not answer in time.
    async fn tell_workers(&self, order: &Order) -> Option<u32> {
        let seats_of = match (order.verb, &order.target) {
            (Verb::Kick | Verb::Ban(_), Target::Player(identity)) => Some(identity),
            _ => None,
        };
        let by = Instant::now() + STUCK;
        let _still = Still::new(&self.shared.registry);
        let mut answers = Vec::with_capacity(self.shared.workers.len());
        for worker in &self.shared.workers {
            let answer = loop {
                match worker.moderate(seats_of.cloned()) {
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
