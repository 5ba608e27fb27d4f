//! A server as one of several nodes that share a world of rooms: the rooms that are this node's
//! ([`node`]), what workers know of them ([`claims`]), what lies between nodes ([`link`]), and the
//! task that drives all of it ([`task`]). Which node has which room is
//! [`directory::ownership`](crate::directory::ownership)'s; what lobbies tell one another is
//! [`directory::nodes`](crate::directory::nodes)'s.

pub(crate) mod claims;
pub(crate) mod keeper;
pub(crate) mod link;
pub(crate) mod node;
