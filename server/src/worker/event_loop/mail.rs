//! Mail for members of a worker's rooms: the worker is told whose mailboxes have some, and looks at
//! those alone. It goes out with the room's next turn, or at once where that is far: the room dozes,
//! or ticks seldom.

use std::time::{Duration, Instant};

use super::EventLoop;
use crate::worker::room_host::Failed;

/// Mail waits no longer for a turn, nor longer than a tick.
const WAIT_MAX: Duration = Duration::from_millis(50);

impl EventLoop {
    /// Looks for whom mail has come, and hands out what does not wait for their room's turn.
    pub(super) fn sort_mail(&mut self, now: Instant) {
        for (room, player) in self.ctx.post.take() {
            // If it is gone, so are its members, with their mail; another worker that has it looked
            // when it came.
            let Some(running) = self.rooms.get_mut(&room) else {
                continue;
            };
            let turn = now + running.schedule.period().min(WAIT_MAX);
            let is_far = running.due > turn && running.still.is_none();
            let handed = running.room_host.mail(player, is_far, &mut self.ctx);
            if let Err(Failed) = handed {
                self.fail(room);
            }
        }
    }
}
