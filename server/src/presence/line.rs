//! Connections as they are shown: to operators, and to programs that ask where a player is.

use std::net::IpAddr;
use std::time::Instant;

use serde::Serialize;
use tickwire::ids::RoomId;

use super::online::Online;
use crate::date::Date;

/// A connection as operators see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct PlayerLine {
    /// The game that the connection is of.
    game: &'static str,
    /// Its identity, as orders name it.
    pub(super) player: String,
    name: Box<str>,
    address: IpAddr,
    /// The room that it is or last was in.
    room: Option<RoomId>,
    /// Since it said hello.
    connected_s: u64,
    /// Since it ended, if it has.
    pub(super) gone_s: Option<u64>,
    muted_s: u64,
}

/// Where a connection is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Whereabouts {
    /// The game that it is of.
    pub(crate) game: &'static str,
    /// None: the lobby.
    pub(crate) room: Option<RoomId>,
}

impl Online {
    pub(super) fn whereabouts(&self) -> Whereabouts {
        Whereabouts {
            game: self.game,
            room: self.room(),
        }
    }

    pub(super) fn line(&self, now: Instant, gone: Option<Instant>, today: Date) -> PlayerLine {
        let seconds = |from: Instant| now.saturating_duration_since(from).as_secs();
        PlayerLine {
            game: self.game,
            player: self.identity.to_string(),
            name: self.name.clone(),
            address: self.address,
            room: self.room(),
            connected_s: seconds(self.since),
            gone_s: gone.map(seconds),
            muted_s: self.muted_s(today),
        }
    }
}
