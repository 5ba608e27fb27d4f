//! What a client's requests to the lobby cost it, in units of one budget. Kept in one place since
//! a seat that was taken again is paid back by the worker, what was asked for by the lobby.

use std::time::Instant;

use tickwire::protocol::server_message::RoomInfo;

use super::limiter::Budget;

/// What a client may ask of the lobby, in units a second; a listing is 1, a join 2.
const REQUESTS_PER_SECOND: f32 = 2.0;
/// How much of that at once.
const REQUESTS_BURST: f32 = 20.0;
/// Cost of a listing: up to 100 rooms to sort and write.
const LISTING_COST: f32 = 1.0;
/// Bytes of a listing that cost as much again: what goes out is a hundred times what asked for it.
/// 50 rooms whose game says nothing of them have as many.
const BYTES_FOR_THE_SAME: f32 = 2000.0;
/// Bytes of a listed room whose game says nothing of it.
const ROOM_BYTES: usize = 40;
/// Cost of a join, which may make a room.
const JOIN_COST: f32 = 2.0;
/// What that comes to, for the table of what messages cost.
#[cfg(test)]
pub(crate) const JOINS_PER_SECOND: f32 = REQUESTS_PER_SECOND / JOIN_COST;
/// The same of listings.
#[cfg(test)]
pub(crate) const LISTINGS_PER_SECOND: f32 = REQUESTS_PER_SECOND / LISTING_COST;
/// Added for a code or number that is none, and for a seat until it was taken: who guesses gets
/// one try in four seconds.
const WRONG_ROOM_COST: f32 = 6.0;

/// Whether a listing is granted now.
pub(crate) fn may_list(budget: &mut Budget, now: Instant) -> bool {
    budget.spend(REQUESTS_PER_SECOND, REQUESTS_BURST, now, LISTING_COST)
}

/// Whether a join, or making a room, is granted now.
pub(crate) fn may_join(budget: &mut Budget, now: Instant) -> bool {
    budget.spend(REQUESTS_PER_SECOND, REQUESTS_BURST, now, JOIN_COST)
}

/// These rooms were listed.
pub(crate) fn listed(budget: &mut Budget, rooms: &[RoomInfo]) {
    let bytes = |room: &RoomInfo| ROOM_BYTES + room.metadata.len();
    let bytes: usize = rooms.iter().map(bytes).sum();
    budget.fine(LISTING_COST * bytes as f32 / BYTES_FOR_THE_SAME);
}

/// A room or seat was named that may be none.
pub(crate) fn guessed(budget: &mut Budget) {
    budget.fine(WRONG_ROOM_COST);
}

/// The room that was named is there after all.
pub(crate) fn found(budget: &mut Budget) {
    budget.pardon(WRONG_ROOM_COST);
}

/// Somebody who came to take their seat again is not to blame for how it ended: they have it, or
/// the server was too busy.
pub(crate) fn resumed(budget: &mut Budget) {
    budget.pardon(WRONG_ROOM_COST);
}
