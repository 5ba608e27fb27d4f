//! Rooms that this worker let go of a moment ago, as they went to other nodes: who was in its inbox
//! then is sent after the room instead of being told that there is none, which would cost a seat.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tickwire::ids::RoomId;

use crate::worker::orders::SendOn;

/// For how long they are remembered. A worker that has had something in its inbox for longer is
/// stuck.
const REMEMBERED: Duration = Duration::from_secs(5);

/// See the module's description. No more than rooms that left in that time.
#[derive(Default)]
pub(super) struct Left(VecDeque<(Instant, RoomId, SendOn)>);

impl Left {
    /// A room leaves; whoever still comes to it goes `to` there.
    pub(super) fn note(&mut self, room: RoomId, to: SendOn, now: Instant) {
        let is_old = |at: Instant| now.saturating_duration_since(at) > REMEMBERED;
        while self.0.front().is_some_and(|(at, ..)| is_old(*at)) {
            self.0.pop_front();
        }
        self.0.push_back((now, room, to));
    }

    /// Where a room went that is not here.
    pub(super) fn way_to(&self, room: RoomId) -> Option<SendOn> {
        let mut latest = self.0.iter().rev();
        let found = latest.find(|(_, of, _)| *of == room);
        found.map(|(.., to)| to.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_latest_way_to_a_room_is_remembered_for_a_while() {
        let (mut left, now) = (Left::default(), Instant::now());
        let [first, second]: [SendOn; 2] = [Arc::new(|_| None), Arc::new(|_| None)];
        let room = RoomId(7);
        assert!(left.way_to(room).is_none());
        left.note(room, first, now);
        left.note(RoomId(8), Arc::new(|_| None), now);
        left.note(room, second.clone(), now + REMEMBERED);
        let way = left.way_to(room).unwrap();
        assert!(Arc::ptr_eq(&way, &second) && left.way_to(RoomId(8)).is_some());
        left.note(
            RoomId(9),
            second,
            now + REMEMBERED + Duration::from_millis(1),
        );
        assert!(left.way_to(RoomId(8)).is_none());
        assert_eq!(left.0.len(), 2);
    }
}
