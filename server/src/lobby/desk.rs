//! What leads clients of one game to rooms: the directory, how rooms of the game are made, and what
//! else `matchmaking` and `elsewhere` ask. `shared` makes one for each request.

use std::sync::Arc;

use super::partying::Partying;
use super::queueing::Queueing;
use super::room_defaults::RoomDefaults;
use super::room_quotas::RoomQuotas;
use super::visitors::Visitors;
use crate::auth::SeatKey;
use crate::directory::Directory;
use crate::directory::nodes::Nodes;
use crate::directory::ownership::messages::Incarnation;
use crate::directory::rank::NetworkMark;
use crate::worker::Session;

/// See the module's description.
pub(super) struct Desk<'a> {
    pub(super) registry: &'a dyn Directory,
    pub(super) defaults: &'a RoomDefaults,
    pub(super) room_quotas: &'a RoomQuotas,
    /// What proves seats' tokens.
    pub(super) seats: &'a SeatKey,
    pub(super) visitors: &'a Visitors,
    /// `None`: the game has no modes.
    pub(super) queueing: Option<&'a Queueing>,
    pub(super) partying: &'a Partying,
    /// `None`: the server is alone.
    pub(super) nodes: Option<&'a Arc<Nodes>>,
    /// The other node at which matches are played.
    pub(super) home: Option<Incarnation>,
    pub(super) game: &'a str,
    /// The game's folder, where the server has several.
    pub(super) folder: Option<&'a str>,
}

impl Desk<'_> {
    /// What stands for the network that somebody comes from.
    pub(super) fn network(&self, session: &Session) -> Option<NetworkMark> {
        let network = session.guest.network()?;
        Some(match self.nodes {
            Some(nodes) => nodes.mark_network(network),
            None => self.registry.mark_network(network),
        })
    }
}

/// What the busiest worker has to do, in thousandths of its time.
pub(super) fn load(registry: &dyn Directory) -> u16 {
    let loads = registry.loads();
    (loads.into_iter().fold(0.0, f64::max) * 1000.0) as u16
}
