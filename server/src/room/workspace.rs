//! What a room's turn needs and its next one does not: tables, lists and bodies of one tick. A
//! worker lends the same to all its rooms, one after the other, so that it stays in the processor's
//! caches, where a room's own would be long gone by its next turn. A room to which nobody lends any
//! has its own. No state: what is in it when a turn begins means nothing.

use tickwire::ids::Tick;

use super::notices::News;
use super::send_rate::catch_up::CatchUp;
use crate::replication::capture::{CaptureSpace, Viewer};
use crate::replication::fan_out::FanOut;
use crate::replication::held::groups::Source;

/// Memory of a room's turn; see [`super::Room::borrow_workspace`].
#[derive(Default)]
pub struct Workspace {
    pub(super) capture: CaptureSpace,
    /// The bodies of the newest image.
    pub(super) fan_out: FanOut,
    pub(super) catch_up: CatchUp,
    /// A section that is being made.
    pub(super) section: Vec<u8>,
    pub(super) viewers: Vec<Viewer>,
    /// The groups' images that somebody holds.
    pub(super) sources: Vec<Source>,
    /// The images that players hold.
    pub(super) held: Vec<Tick>,
    /// What some members have not been told yet.
    pub(super) news: Vec<News>,
}
