//! An operator's order, from the lists to those in rooms: what is marked in connections is applied
//! by whoever has them, lobby tasks at once, workers when they are told. `http::admin` calls it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Lobby, STUCK};
use crate::date::Date;
use crate::directory::Directory;
use crate::game::Game;
use crate::moderation::order::{Order, Outcome, Refused, Verb};
use crate::moderation::target::Target;
use crate::moderation::{Moderation, PlayerLine, Sanction};

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

impl<G: Game> Lobby<G> {
    /// Carries an order out; when it returns, those who were sent away have left their rooms.
    /// Dropped halfway it is half done: who may lose patience leaves it to a task.
    ///
    /// # Errors
    /// See [`Refused`].
    pub(crate) async fn carry_out(&self, order: &Order) -> Result<Outcome, Refused> {
        let moderation = self.moderation();
        let applied = moderation.apply(order, Date::now())?;
        let saved = match order.verb {
            Verb::Kick => None,
            _ => moderation.save().await,
        };
        let seats = match order.verb {
            Verb::Unban => Some(0),
            _ => self.tell_workers(order).await,
        };
        Ok(Outcome {
            target: order.target.clone(),
            until: applied.until,
            connections: applied.connections,
            seats: seats.ok_or(Refused::Busy)?,
            saved,
        })
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

    /// Forgets sanctions that are over.
    pub(crate) fn upkeep(&self) {
        self.moderation().upkeep(Date::now());
    }

    /// Who is connected, and who was of late.
    pub(crate) fn players(&self) -> Vec<PlayerLine> {
        self.moderation().players(Date::now())
    }

    /// Who is banned.
    pub(crate) fn bans(&self) -> Vec<Sanction> {
        self.moderation().bans(Date::now())
    }

    /// Who is muted.
    pub(crate) fn mutes(&self) -> Vec<Sanction> {
        self.moderation().mutes(Date::now())
    }

    fn moderation(&self) -> &Moderation {
        &self.shared.moderation
    }
}
