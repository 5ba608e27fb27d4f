//! Rooms that outlive their process: workers put a room's bytes into its place in [`slots`], a
//! thread of its own ([`keeping`]) seals them in an [`envelope`] and hands them to whoever keeps
//! them: files in a [`folder`], or a cluster's engine ([`crate::cluster::keeper`]). When rooms are saved is the workers' business, what is in the bytes
//! `room::save`'s, and what becomes of them at the start `lobby::restoring`'s.

pub(crate) mod envelope;
pub(crate) mod folder;
pub(crate) mod keeping;
pub(crate) mod slots;

use std::io;
use std::sync::Arc;

use tickwire::ids::{RoomId, Tick};

use crate::directory::claims::Claim;
pub(crate) use slots::Slots;

/// A room's state on its way to where it is kept.
pub(crate) struct Sealed<'a> {
    pub(crate) room: RoomId,
    /// The room's tick then.
    pub(crate) tick: Tick,
    /// By which it was ticked, in a cluster.
    pub(crate) claim: Option<&'a Arc<Claim>>,
    /// Its bytes, which come in parts.
    pub(crate) parts: [&'a [u8]; 2],
}

/// What came of keeping a room's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is there, so many bytes.
    Kept(u64),
    /// It is another's to keep.
    Anothers,
    /// It is too big, so many bytes: what was kept of the room stays as it is.
    TooBig(u64),
    /// There is no place for it yet, which is nobody's fault: it is to come again, or a newer one.
    NotYet,
}

/// Where checkpoints are kept. Called by one thread, which may block.
pub(crate) trait Keeper: Send {
    /// The operator's word for it and where it is, for messages.
    fn name(&self) -> String;

    /// How many rooms it takes at once; at least 1.
    fn at_once(&self) -> usize;

    /// Puts these in the place of their rooms' last ones, each whole or not at all. What came of
    /// each, in their order.
    ///
    /// # Errors
    /// Of one: the last one of that room is still there.
    fn keep(&mut self, rooms: &[Sealed<'_>]) -> Vec<io::Result<Outcome>>;

    /// The room is no more.
    ///
    /// # Errors
    /// Its last ones may still be there.
    fn forget(&mut self, room: RoomId) -> io::Result<()>;

    /// Makes sure that what was kept and forgotten outlasts the machine's power.
    ///
    /// # Errors
    /// It may not.
    fn settle(&mut self) -> io::Result<()>;
}
