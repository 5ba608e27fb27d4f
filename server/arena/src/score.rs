//! Who has how many points, and who leads.

use bevy_ecs::prelude::*;

use crate::components::{Score, Serial};
use crate::tuning::{DRONE_POINTS, PLAYER_POINTS, SCORE_MAX};

impl Score {
    /// Counts that the player fell.
    pub(super) fn count_fall(&mut self) {
        self.deaths = add(self.deaths, 1);
    }

    /// Counts that the player felled another, or else a drone.
    pub(super) fn count_kill(&mut self, of_player: bool) {
        if of_player {
            self.points = add(self.points, PLAYER_POINTS);
            self.kills = add(self.kills, 1);
        } else {
            self.points = add(self.points, DRONE_POINTS);
        }
    }
}

/// The player with the most points, and how many; of several the one who fell less often, then
/// the one who came first. Nobody without a point.
pub(super) fn leader<'a>(
    players: impl Iterator<Item = (Entity, &'a Serial, &'a Score)>,
) -> Option<(Entity, u16)> {
    players
        .filter(|(_, _, score)| score.points > 0)
        .max_by(|(_, a_serial, a), (_, b_serial, b)| {
            a.points
                .cmp(&b.points)
                .then(b.deaths.cmp(&a.deaths))
                .then(b_serial.cmp(a_serial))
        })
        .map(|(player, _, score)| (player, score.points))
}

fn add(to: u16, more: u16) -> u16 {
    to.saturating_add(more).min(SCORE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lead(table: &[(u16, u16)]) -> Option<usize> {
        let mut world = World::new();
        let rows: Vec<(Entity, Serial, Score)> = table
            .iter()
            .zip(1..)
            .map(|((points, deaths), serial)| {
                let score = Score {
                    points: *points,
                    kills: 0,
                    deaths: *deaths,
                };
                (world.spawn_empty().id(), Serial(serial), score)
            })
            .collect();
        let (first, _) = leader(rows.iter().map(|(e, serial, score)| (*e, serial, score)))?;
        rows.iter().position(|(e, ..)| *e == first)
    }

    #[test]
    fn the_leader_is_settled_without_chance() {
        assert_eq!(lead(&[]), None);
        assert_eq!(lead(&[(0, 0), (0, 3)]), None);
        assert_eq!(lead(&[(1, 0), (7, 9), (3, 0)]), Some(1));
        assert_eq!(lead(&[(7, 2), (7, 1), (7, 2)]), Some(1));
        assert_eq!(lead(&[(1, 0), (7, 1), (7, 1)]), Some(1));
    }

    #[test]
    fn a_score_has_an_end() {
        assert_eq!(add(9998, 5), SCORE_MAX);
        assert_eq!(add(u16::MAX, 1), SCORE_MAX);
    }
}
