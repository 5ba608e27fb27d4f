//! Seats that are kept for players whom another node sends here: until they come, or their tickets
//! are void. Such a seat is taken in the registry, as for somebody on the way to a worker.
//! `elsewhere` and `asked` call it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tickwire::ids::RoomId;

use crate::auth::TICKET_LIFE;
use crate::directory::{Directory, Mark};
use crate::game::RoomOptions;

/// Seats that are kept at once: a quarter of the sockets that there may be by default. Beyond: the
/// other node is told that there is none.
const VISITORS_MAX: usize = 4096;
/// For how long: a ticket's life, and as much as clocks may differ.
const KEPT: Duration = Duration::from_secs(TICKET_LIFE.as_secs() + 5);

/// See the module's description.
#[derive(Default)]
pub(super) struct Visitors(Mutex<Table>);

#[derive(Default)]
struct Table {
    /// By where, for whom, and which of theirs it is.
    kept: BTreeMap<(RoomId, Mark, u64), Kept>,
    /// Seats kept so far.
    count: u64,
}

struct Kept {
    /// How the room is to be opened, if its worker may not know it yet.
    opens: Option<Box<RoomOptions>>,
    until: Instant,
}

impl Visitors {
    /// Keeps a seat that was taken for somebody. False: too many are kept.
    pub(super) fn keep(
        &self,
        room: RoomId,
        who: Mark,
        opens: Option<Box<RoomOptions>>,
        now: Instant,
    ) -> bool {
        let mut table = self.0.lock();
        if table.kept.len() >= VISITORS_MAX {
            return false;
        }
        table.count += 1;
        let (key, until) = ((room, who, table.count), now + KEPT);
        table.kept.insert(key, Kept { opens, until });
        true
    }

    /// They are here: whether a seat is kept for them in that room, and how it is to be opened.
    pub(super) fn come(&self, room: RoomId, who: Mark) -> Option<Option<Box<RoomOptions>>> {
        let kept = &mut self.0.lock().kept;
        let theirs = (room, who, 0)..=(room, who, u64::MAX);
        let first = *kept.range(theirs).next()?.0;
        kept.remove(&first).map(|kept| kept.opens)
    }

    /// Gives the seats back of those who did not come. Called once a second.
    pub(super) fn expire(&self, registry: &dyn Directory, now: Instant) {
        let mut gone = Vec::new();
        self.0.lock().kept.retain(|(room, who, _), kept| {
            if kept.until <= now {
                gone.push((*room, *who));
            }
            kept.until > now
        });
        for (room, who) in gone {
            registry.abandon(room, who);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Entropy, Identity};
    use tickwire::protocol::server_message::Refusal;

    use crate::directory::filter::Filter;
    use crate::directory::local::Registry;
    use crate::directory::{Creation, GameIndex, Restored};

    #[test]
    fn who_does_not_come_gives_the_seat_back_and_a_room_of_theirs_alone_is_gone() {
        let (registry, visitors) = (Registry::new(9, 1, Entropy::default()), Visitors::default());
        let ada = registry.mark(&Identity::read("user:ada").unwrap());
        let bo = registry.mark(&Identity::read("user:bo").unwrap());
        let now = Instant::now();
        let made = registry.create(Creation::of(RoomOptions::default(), ada));
        let room = made.unwrap().room;
        assert!(visitors.keep(room, ada, Some(Box::default()), now));
        assert!(visitors.come(room, bo).is_none(), "it is somebody else's");
        assert!(visitors.come(RoomId(room.0 ^ 1), ada).is_none());
        let just = now + KEPT - Duration::from_millis(1);
        visitors.expire(&registry, just);
        assert!(registry.worker_of(room).is_some());
        visitors.expire(&registry, now + KEPT);
        assert!(registry.worker_of(room).is_none());
        assert!(visitors.come(room, ada).is_none());
    }

    /// Its node lost it and has taken it over again, from what was kept of it.
    #[test]
    fn a_room_that_went_and_has_come_again_is_given_no_seat_back_that_was_kept_before() {
        let (registry, visitors) = (Registry::new(9, 1, Entropy::default()), Visitors::default());
        let [ada, bo, cy] = ["ada", "bo", "cy"]
            .map(|name| registry.mark(&Identity::read(&format!("user:{name}")).unwrap()));
        let (game, now) = (GameIndex(0), Instant::now());
        let den = RoomOptions {
            seats: 2,
            ..RoomOptions::default()
        };
        let room = registry
            .create(Creation::of(den.clone(), ada))
            .unwrap()
            .room;
        registry.open(room);
        registry.reserve(game, room, cy).unwrap();
        assert!(visitors.keep(room, cy, None, now));
        registry.close(room);
        let old = Restored {
            game,
            options: RoomOptions { id: room, ..den },
            kept: Default::default(),
            takers: vec![ada, bo],
            metadata: Box::default(),
            locked: false,
        };
        assert_eq!(registry.restore(old, now, &mut |_| true), Ok(true));
        visitors.expire(&registry, now + KEPT);
        assert_eq!(registry.reserve(game, room, cy), Err(Refusal::RoomFull));
        let listed = registry.list(&Filter::default());
        assert_eq!(listed[0].players, 2);
    }

    #[test]
    fn each_seat_is_somebodys_once_and_they_are_bounded() {
        let (registry, visitors) = (Registry::new(9, 1, Entropy::default()), Visitors::default());
        let ada = registry.mark(&Identity::read("user:ada").unwrap());
        let (room, now) = (RoomId(7), Instant::now());
        assert!(visitors.keep(room, ada, Some(Box::default()), now));
        let kept = (1..).take_while(|_| visitors.keep(room, ada, None, now));
        assert_eq!(kept.count(), VISITORS_MAX - 1);
        assert!(
            visitors
                .come(room, ada)
                .is_some_and(|opens| opens.is_some())
        );
        assert!(
            visitors
                .come(room, ada)
                .is_some_and(|opens| opens.is_none())
        );
        assert!(visitors.keep(room, ada, None, now));
    }
}
