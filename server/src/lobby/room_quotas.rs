//! How many rooms a player has made that are still there, whichever connections and addresses they
//! were made from: beside the limit of an address, which a household or a campus shares. Guests
//! become somebody else at will, so it is their address that holds them. `room_defaults` asks; the
//! registry keeps what it gets.

use std::collections::HashMap;
use std::sync::Arc;

use metrics::Counter;
use parking_lot::Mutex;

use crate::auth::Identity;

/// The makers of a server's rooms. Clones are the same table, which has no more entries than there
/// are rooms.
#[derive(Clone)]
pub(crate) struct RoomQuotas(Arc<Shared>);

struct Shared {
    rooms_max: u32,
    refused: Counter,
    rooms: Mutex<HashMap<Identity, u32>>,
}

impl RoomQuotas {
    /// Of at most `rooms_max` rooms each; `refused` counts who had as many.
    pub(crate) fn new(rooms_max: u32, refused: Counter) -> RoomQuotas {
        RoomQuotas(Arc::new(Shared {
            rooms_max,
            refused,
            rooms: Mutex::default(),
        }))
    }

    /// The place of a room that `maker` makes; `None` when they have as many as they may.
    pub(crate) fn room(&self, requester: &Identity) -> Option<Made> {
        let mut rooms = self.0.rooms.lock();
        let made = rooms.get(requester).copied().unwrap_or(0);
        if made >= self.0.rooms_max {
            self.0.refused.increment(1);
            return None;
        }
        rooms.insert(requester.clone(), made + 1);
        Some(Made {
            room_quotas: self.clone(),
            requester: requester.clone(),
        })
    }
}

/// A room's place at its maker, given back when it is dropped.
pub(crate) struct Made {
    room_quotas: RoomQuotas,
    requester: Identity,
}

impl Drop for Made {
    fn drop(&mut self) {
        let mut rooms = self.room_quotas.0.rooms.lock();
        if let Some(made) = rooms.get_mut(&self.requester) {
            *made -= 1;
            if *made == 0 {
                rooms.remove(&self.requester);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_are_counted_until_they_are_gone() {
        let room_quotas = RoomQuotas::new(2, Counter::noop());
        let [ann, bo] = ["user:ann", "guest:ann"].map(|who| Identity::read(who).unwrap());
        let mut made: Vec<Made> = std::iter::from_fn(|| room_quotas.room(&ann)).collect();
        assert_eq!(made.len(), 2);
        assert!(
            room_quotas.room(&bo).is_some(),
            "somebody else's are their own"
        );
        made.pop();
        let again = room_quotas.room(&ann);
        assert!(again.is_some() && room_quotas.room(&ann).is_none());
        drop((made, again));
        assert!(
            room_quotas.0.rooms.lock().is_empty(),
            "nothing is left of them"
        );
    }
}
