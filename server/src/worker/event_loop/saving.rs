//! A room's state goes into its slot, from which it is kept ([`crate::checkpoint`]): after a turn,
//! never within, when [`crate::worker::saves`] says so; when it falls asleep, and when the server
//! stops. A room whose game can't say its state is not saved.

use std::time::Instant;

use super::EventLoop;
use super::running::Running;
use crate::checkpoint::slots::Change;
use crate::worker::room_host::{Failed, TurnContext};

impl Running {
    /// After a turn.
    ///
    /// # Errors
    /// The room failed.
    pub(super) fn save_if_due(
        &mut self,
        was_asleep: bool,
        ctx: &TurnContext,
        now: Instant,
    ) -> Result<(), Failed> {
        let Some(saves) = &mut self.saves else {
            return Ok(());
        };
        let falls_asleep = self.asleep && !was_asleep;
        let doubts = ctx.common.claims.as_ref().map_or(0, |of| of.doubts());
        let is_doubted = std::mem::replace(&mut saves.doubts, doubts) != doubts;
        match falls_asleep || is_doubted || saves.is_due(self.dozes, now) {
            true => self.save(ctx, now),
            false => Ok(()),
        }
    }

    /// Puts the room's state into its slot.
    ///
    /// # Errors
    /// The room failed.
    pub(super) fn save(&mut self, ctx: &TurnContext, now: Instant) -> Result<(), Failed> {
        let (Some(saves), Some(slots)) = (&mut self.saves, &ctx.common.slots) else {
            return Ok(());
        };
        let room = self.room_host.id();
        let Some(about) = ctx.common.registry.about(room, now) else {
            return Ok(());
        };
        let mut bytes = slots.buffer();
        let saved = self.room_host.save(&mut bytes)?;
        let was_failing = std::mem::replace(&mut saves.is_failing, saved.is_err());
        match saved {
            Ok(()) => {
                if slots.put(
                    room,
                    Change::Saved {
                        bytes,
                        about,
                        at: (now, self.room_host.tick_number()),
                        claim: self.claim.clone(),
                    },
                ) {
                    ctx.common.metrics.checkpoints_replaced.increment(1);
                }
            }
            Err(error) => {
                ctx.common.metrics.checkpoints_unsaved.increment(1);
                slots.give_back(bytes);
                if !was_failing {
                    tracing::warn!(%room, %error, "room can't be kept as it is; it plays on");
                }
            }
        }
        Ok(())
    }
}

impl EventLoop {
    /// A room is no more, and is not to be there again.
    pub(super) fn forget(&self, running: &Running) {
        if let (Some(slots), true) = (&self.ctx.common.slots, running.saves.is_some()) {
            slots.put(running.room_host.id(), Change::Gone);
        }
        if let (Some(claims), Some(claim)) = (&self.ctx.common.claims, &running.claim) {
            claims.closed(running.room_host.id(), claim);
        }
    }
}
