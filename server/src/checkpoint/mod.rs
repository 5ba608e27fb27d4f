//! Rooms that outlive their process: workers put a room's bytes into its place in [`slots`], a
//! thread of its own ([`keeping`]) seals them in an [`envelope`] and hands them to whoever keeps
//! them: files in a [`folder`]. When rooms are saved is the workers' business, what is in the bytes
//! `room::save`'s, and what becomes of them at the start `lobby::restoring`'s.

pub(crate) mod envelope;
pub(crate) mod folder;
pub(crate) mod keeping;
pub(crate) mod slots;

use std::io;

use tickwire::ids::RoomId;

pub(crate) use slots::Slots;

/// Where checkpoints are kept. Called by one thread, which may block.
pub(crate) trait Keeper: Send {
    /// The operator's word for it and where it is, for messages.
    fn name(&self) -> String;

    /// Puts these bytes, which come in parts, in the place of the room's last ones, whole or not at
    /// all. How many bytes they are.
    ///
    /// # Errors
    /// The last ones are still there.
    fn keep(&mut self, room: RoomId, parts: [&[u8]; 2]) -> io::Result<u64>;

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
