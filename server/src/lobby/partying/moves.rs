//! Where leaders of parties have gone, as it is kept. What comes of it is `following`'s.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tickwire::ids::RoomId;

use crate::auth::Identity;
use crate::directory::Mark;

/// Where a leader has gone.
pub(super) struct Move {
    pub(super) leader: Identity,
    pub(super) room: RoomId,
    pub(super) code: String,
    pub(super) until: Duration,
    /// The seats that are taken for those who have not come, by whose they are.
    pub(super) kept: BTreeMap<Identity, Mark>,
    /// Who is there, or was on their way.
    pub(super) came: BTreeSet<Identity>,
}

/// A leader in a room that nobody finds yet: it is opened once it is on its way to its worker.
pub(super) struct Led {
    pub(super) who: Identity,
    pub(super) room: RoomId,
    pub(super) until: Duration,
}
