//! The arena's numbers that only the server needs: how long, how much, how far. What clients
//! must agree on is in the public modules.

use tickwire_server::game::Tick;

/// A player's health when fresh; the most there is.
pub(super) const HEALTH_MAX: u8 = 100;
/// A drone's health when fresh: two shots.
pub(super) const DRONE_HEALTH: u8 = 40;
/// Health that a shot takes.
pub(super) const SHOT_DAMAGE: u8 = 20;
/// Seconds from a player's fall to their return.
pub(super) const PLAYER_RISES_AFTER: f64 = 2.0;
/// Seconds from a drone's fall to its return.
pub(super) const DRONE_RISES_AFTER: f64 = 4.0;

/// Speed of a projectile, in units a second.
pub(super) const SHOT_SPEED: f64 = 400.0;
/// Seconds after which a projectile is spent: 600 units.
pub(super) const SHOT_LIFE: f64 = 1.5;
/// Seconds from shot to shot.
pub(super) const COOLDOWN: f64 = 0.2;
/// Seconds that reloading takes.
pub(super) const RELOAD: f64 = 1.2;
/// Rounds in a full magazine.
pub(super) const MAGAZINE: u8 = 12;
/// Rounds beside the magazine when fresh.
pub(super) const SPARE_FRESH: u8 = 48;
/// The most rounds that can be carried beside the magazine.
pub(super) const SPARE_MAX: u8 = 96;

/// Health that first aid gives.
pub(super) const AID: u8 = 50;
/// Rounds that an ammunition box gives.
pub(super) const BOX: u8 = 24;
/// Seconds until a pad is filled again.
pub(super) const RESTOCK_AFTER: f64 = 8.0;

/// Points for felling a player.
pub(super) const PLAYER_POINTS: u16 = 5;
/// Points for felling a drone.
pub(super) const DRONE_POINTS: u16 = 1;
/// The most that a score shows.
pub(super) const SCORE_MAX: u16 = 9999;

/// Speed of a drone, in units a second.
pub(super) const DRONE_SPEED: f64 = 45.0;
/// How fast a drone turns, in radians a second.
pub(super) const DRONE_TURN: f64 = 2.5;
/// How far ahead a drone looks for walls, in units.
pub(super) const DRONE_SIGHT: f64 = 40.0;

/// Seconds that the rest have once half of the players are ready.
pub(super) const READY_WAIT: f64 = 20.0;
/// Seconds from the start signal to the start.
pub(super) const COUNTDOWN: f64 = 4.0;
/// Seconds into the countdown at which players reappear.
pub(super) const REGROUP: f64 = 1.0;
/// Seconds of a round.
pub(super) const PLAY: f64 = 120.0;
/// Points that end a round early.
pub(super) const POINTS_TO_WIN: u16 = 50;
/// Seconds for which the results are shown.
pub(super) const RESULTS: f64 = 8.0;

/// `seconds` as ticks, at least one.
pub(super) fn ticks(seconds: f64, tick: &Tick) -> u32 {
    ((seconds / tick.dt + 0.5) as u32).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_whole_ticks() {
        let tick = |rate: f64| Tick {
            number: 1,
            dt: 1.0 / rate,
        };
        assert_eq!(ticks(0.2, &tick(30.0)), 6);
        assert_eq!(ticks(1.5, &tick(60.0)), 90);
        assert_eq!(ticks(0.2, &tick(1.0)), 1);
    }
}
