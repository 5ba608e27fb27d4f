//! Who waits together, and in what state.

use std::time::Duration;

use super::messages::{OfferId, PlayerKey};
use super::mode::{ModeId, RegionId};

/// One of an entry.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) player: PlayerKey,
    /// In thousandths.
    pub(super) rating: i64,
    /// Since when they have no connection.
    pub(super) lost: Option<Duration>,
    /// They left the party on the way into a match: they are not of it if it comes back.
    pub(super) leaves: bool,
}

/// A party, or one player.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) mode: ModeId,
    pub(super) regions: Vec<RegionId>,
    /// Never empty, the one who asked first.
    pub(super) members: Vec<Member>,
    /// Who joined the party while a match was offered or under way: members if it comes back.
    pub(super) beside: Vec<Member>,
    /// When they queued; kept through every match that comes to nothing.
    pub(super) since: Duration,
    /// Their match; `None` while they wait.
    pub(super) offer: Option<OfferId>,
    /// How often their waiting was over: what was offered for it comes to nothing at most twice.
    pub(super) ends: u8,
}

impl Entry {
    pub(super) fn players(&self) -> Vec<PlayerKey> {
        self.members.iter().map(|member| member.player).collect()
    }

    /// Everyone, those beside it too.
    pub(super) fn everyone(&self) -> Vec<PlayerKey> {
        let all = self.members.iter().chain(&self.beside);
        all.map(|member| member.player).collect()
    }

    pub(super) fn member_mut(&mut self, player: PlayerKey) -> Option<&mut Member> {
        let mut all = self.members.iter_mut().chain(&mut self.beside);
        all.find(|member| member.player == player)
    }

    pub(super) fn is_beside(&self, player: PlayerKey) -> bool {
        self.beside.iter().any(|member| member.player == player)
    }

    pub(super) fn size(&self) -> u8 {
        // No more than a team, `mode::TEAM_SIZE_MAX`.
        self.members.len() as u8
    }

    /// The mean of its members', in thousandths.
    pub(super) fn rating(&self) -> i64 {
        let sum: i64 = self.members.iter().map(|member| member.rating).sum();
        sum / self.members.len().max(1) as i64
    }

    /// The member who was away first, since when.
    pub(super) fn lost(&self) -> Option<(Duration, PlayerKey)> {
        let lost = |member: &Member| Some((member.lost?, member.player));
        self.members.iter().filter_map(lost).min()
    }
}
