//! Who may come in, and how much of what everybody shares one address holds: sockets, places
//! before the hello, players, rooms, requests. Above this is the HTTP edge that asks before a
//! socket is upgraded and the lobby that asks before a seat is taken; nothing here knows either.

pub(crate) mod addresses;
pub(crate) mod crowd;
pub(crate) mod limiter;
pub(crate) mod prefix;
pub(crate) mod request_prices;
pub(crate) mod shares;
pub(crate) mod sockets;
pub(crate) mod talk;
