//! How many rooms a player has made that are still there, whichever connections and addresses they were made
//! from: beside the limit of an address, which a household or a campus shares. Guests become somebody else at
//! will, so it is their address that holds them. `matchmaking` asks; the registry keeps what it gets.

use std::collections::HashMap;
use std::sync::Arc;

use metrics::Counter;
use parking_lot::Mutex;

use crate::auth::Identity;

/// The makers of a server's rooms. Clones are the same table, which has no more entries than there are rooms.
#[derive(Clone)]
pub(crate) struct Makers(Arc<Shared>);

struct Shared {
    rooms_max: u32,
    refused: Counter,
    rooms: Mutex<HashMap<Identity, u32>>,
}

impl Makers {
    /// Of at most `rooms_max` rooms each; `refused` counts who had as many.
    pub(crate) fn new(rooms_max: u32, refused: Counter) -> Makers {
        Makers(Arc::new(Shared {
            rooms_max,
            refused,
            rooms: Mutex::default(),
        }))
    }

    /// The place of a room that `maker` makes; `None` when they have as many as they may.
    pub(crate) fn room(&self, maker: &Identity) -> Option<Made> {
        let mut rooms = self.0.rooms.lock();
        let made = rooms.get(maker).copied().unwrap_or(0);
        if made >= self.0.rooms_max {
            self.0.refused.increment(1);
            return None;
        }
        rooms.insert(maker.clone(), made + 1);
        Some(Made {
            makers: self.clone(),
            maker: maker.clone(),
        })
    }
}

/// A room's place at its maker, given back when it is dropped.
pub(crate) struct Made {
    makers: Makers,
    maker: Identity,
}

impl Drop for Made {
    fn drop(&mut self) {
        let mut rooms = self.makers.0.rooms.lock();
        if let Some(made) = rooms.get_mut(&self.maker) {
            *made -= 1;
            if *made == 0 {
                rooms.remove(&self.maker);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_are_counted_until_they_are_gone() {
        let makers = Makers::new(2, Counter::noop());
        let [ann, bo] = ["user:ann", "guest:ann"].map(|who| Identity::read(who).unwrap());
        let mut made: Vec<Made> = std::iter::from_fn(|| makers.room(&ann)).collect();
        assert_eq!(made.len(), 2);
        assert!(makers.room(&bo).is_some(), "somebody else's are their own");
        made.pop();
        let again = makers.room(&ann);
        assert!(again.is_some() && makers.room(&ann).is_none());
        drop((made, again));
        assert!(makers.0.rooms.lock().is_empty(), "nothing is left of them");
    }
}
