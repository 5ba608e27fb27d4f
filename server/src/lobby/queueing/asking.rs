//! Somebody who wants to play and is not in the queue yet, because it is not known how good they or
//! those with them are. What becomes of them is `coming`'s.

use std::time::Duration;

use tickwire::protocol::OutOfQueue;

use super::around::{Around, out};
use crate::auth::Identity;
use crate::queue::{ModeId, RegionId};

/// A party, or one player, of whose ratings some are to come.
pub(super) struct Asking {
    /// The first is the one who asked.
    pub(super) who: Vec<(Identity, Option<f64>)>,
    pub(super) wish: Wish,
}

/// What they want.
pub(in crate::lobby) struct Wish {
    /// Of the request.
    pub(in crate::lobby) nonce: u32,
    pub(in crate::lobby) mode: ModeId,
    pub(in crate::lobby) regions: Vec<RegionId>,
}

impl Asking {
    pub(super) fn is_known(&self) -> bool {
        self.who.iter().all(|(_, mean)| mean.is_some())
    }

    pub(super) fn has(&self, who: &Identity) -> bool {
        self.who.iter().any(|(of, _)| of == who)
    }

    /// They are told why they are not in the queue, `by` whom.
    pub(super) fn end(&self, around: &Around<'_>, why: OutOfQueue, by: Option<&Identity>) {
        for (at, (who, _)) in self.who.iter().enumerate() {
            let nonce = if at == 0 { self.wish.nonce } else { 0 };
            around.tell(who, nonce, out(why, by == Some(who), Duration::ZERO));
        }
    }
}
