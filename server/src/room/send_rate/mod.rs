//! How often and how much a member is sent: what may be in flight, the rate tier of one who
//! takes less, and the way back to every snapshot. Pure; a room's turn asks in this order.

pub(crate) mod cadence;
pub(crate) mod catch_up;
pub(crate) mod in_flight;
pub(in crate::room) mod pacing;
pub(crate) mod tiers;
