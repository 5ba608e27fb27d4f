//! Who gets a body that no rate tier has: a client on a baseline of its own costs one of its own,
//! of which an image has only a few. Not how often a client is sent anything: that is `rate tiers`.
//! Pure: ticks are arguments. The room calls it.
//!
//! Those who fell behind come first, and of them who waits longest; who has waited in vain shares a
//! keyframe with others.
//!
//! **Probes** get what these leave. A client of a slow rate tier that has acknowledged everything
//! may have read it at last, or be well again since: nothing tells, until something is sent. So it
//! is sent one snapshot at once, ahead of its rate tier's next image, and another when it has
//! acknowledged that one: always one under way, so that who reads again holds the current state a
//! round trip later. Who was sent something longest ago comes first. A room earns one body a layer
//! and image for probes, and saves up a few, because some may read again all at once. Who gets none
//! waits for its rate tier.
//!
//! Spectators come after all players: they fall behind and are probed in what these leave.
//!
//! What it costs: a client whose link carries every 4th image for good is in the rate tier of every
//! 4th, has read the last when the next is due, and is not probed. One whose link carries every
//! 5th, in the rate tier of every 8th, gets every 5th, each with a body of its own, a fifth of one
//! an image, and never has a queue before it.

use serde::{Deserialize, Serialize};
use tickwire::ids::{PlayerId, Tick};

use crate::by_player::is_spectator;
use crate::replication::held::Body;

/// Bodies of one layer and image for clients on baselines of their own: as many as there are
/// rate tiers, roughly. Beyond: they wait for the next image.
const CATCH_UPS_MAX: usize = 4;
/// Images for which a client waits in vain; then it shares a keyframe with others.
const PATIENCE_IMAGES: u32 = 16;
/// Bodies for probes that a room has saved up at most: what two images may have. Beyond: they are
/// lost.
const PROBES_SAVED_MAX: u8 = 2 * CATCH_UPS_MAX as u8;

/// How a client that can take a snapshot gets one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grant {
    /// Against its own baseline.
    Delta,
    /// As a keyframe, which all who get one share.
    Keyframe,
    /// Not this time.
    Later,
}

/// The bodies of one image for clients on baselines that no rate tier has.
#[derive(Debug, Default)]
pub(crate) struct CatchUp {
    /// Who asks, having waited since.
    pub(crate) queue: Vec<(Tick, PlayerId)>,
    /// Who asks for a probe, and the number of the last image sent to them.
    pub(crate) probers: Vec<(u32, PlayerId)>,
    /// Bodies that are made for them.
    bodies: Vec<Body>,
}

impl CatchUp {
    /// Starts an image.
    pub(crate) fn clear(&mut self) {
        self.queue.clear();
        self.probers.clear();
        self.bodies.clear();
    }

    /// Puts those who asked into their order: players before spectators, and of each who waits
    /// longest first.
    pub(crate) fn sort(&mut self) {
        self.queue
            .sort_unstable_by_key(|&(since, player)| (is_spectator(player), since, player));
        self.probers
            .sort_unstable_by_key(|&(sent, player)| (is_spectator(player), sent, player));
    }

    /// What somebody gets who has waited since `since` and would be sent these `bodies` of layers
    /// that others hold too. `every` are the ticks between images.
    pub(crate) fn grant(
        &mut self,
        since: Tick,
        bodies: impl Iterator<Item = Body> + Clone,
        now: Tick,
        every: u32,
    ) -> Grant {
        if self.has_room(bodies.clone()) {
            self.make(bodies);
            Grant::Delta
        } else if now.since(since) >= PATIENCE_IMAGES * every {
            Grant::Keyframe
        } else {
            Grant::Later
        }
    }

    /// Whether somebody is probed who would be sent these `bodies`; after all who fell behind had
    /// theirs. `allowance` is the room's, of which a `spectator` gets what would be lost else.
    pub(crate) fn grant_probe(
        &mut self,
        bodies: impl Iterator<Item = Body> + Clone,
        allowance: &mut Allowance,
        spectator: bool,
    ) -> bool {
        if bodies.clone().all(|body| self.bodies.contains(&body)) {
            return true;
        }
        let granted = self.has_room(bodies.clone()) && allowance.take(spectator);
        if granted {
            self.make(bodies);
        }
        granted
    }

    /// Whether there is room for those of these bodies that are not made already: each layer has
    /// its own.
    fn has_room(&self, mut bodies: impl Iterator<Item = Body>) -> bool {
        bodies.all(|body| {
            let of_layer = self.bodies.iter().filter(|made| made.0 == body.0);
            of_layer.count() < CATCH_UPS_MAX || self.bodies.contains(&body)
        })
    }

    fn make(&mut self, bodies: impl Iterator<Item = Body>) {
        for body in bodies {
            if !self.bodies.contains(&body) {
                self.bodies.push(body);
            }
        }
    }
}

/// Bodies that a room has for probes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Allowance {
    saved: u8,
}

impl Allowance {
    /// An image has one more.
    pub(crate) fn earn(&mut self) {
        self.saved = self.saved.saturating_add(1).min(PROBES_SAVED_MAX);
    }

    /// Takes one. A `spectator` gets the last that there is place for, which the next one would
    /// take the place of.
    fn take(&mut self, spectator: bool) -> bool {
        let kept = if spectator { PROBES_SAVED_MAX - 1 } else { 0 };
        let takes = self.saved > kept;
        self.saved -= u8::from(takes);
        takes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replication::held::Baseline;
    use crate::replication::layer::LayerKey;

    fn against(tick: u32) -> Option<Baseline> {
        Some(Baseline {
            tick: Tick(tick),
            bare: false,
        })
    }

    /// What somebody needs who has a baseline of `tick` of the room's layer.
    fn held(tick: u32) -> impl Iterator<Item = Body> + Clone {
        std::iter::once((LayerKey::Room, against(tick)))
    }

    #[test]
    fn each_layer_has_its_own_bodies() {
        let mut round = CatchUp::default();
        let mut grant = |room: u32, team: (u8, u32)| {
            let team = (LayerKey::Team(Some(team.0)), against(team.1));
            round.grant(Tick(99), held(room).chain([team]), Tick(100), 1)
        };
        use Grant::{Delta, Later};
        let grants = [1, 2, 3, 4].map(|tick| grant(7, (1, tick)));
        assert_eq!(grants, [Delta; 4]);
        assert_eq!(grant(7, (1, 5)), Later, "the first team's are made");
        assert_eq!(grant(7, (2, 5)), Delta);
        assert_eq!([8, 9, 10].map(|tick| grant(tick, (1, 4))), [Delta; 3]);
        assert_eq!(grant(11, (2, 6)), Later, "the room's are made");
        assert_eq!(grant(10, (2, 6)), Delta);
    }

    #[test]
    fn catching_up_is_rationed_oldest_first() {
        let mut round = CatchUp::default();
        for player in 0..6 {
            round
                .queue
                .push((Tick(99 - u32::from(player)), PlayerId(player)));
        }
        round.sort();
        let order: Vec<u16> = round.queue.iter().map(|(_, player)| player.0).collect();
        assert_eq!(order, [5, 4, 3, 2, 1, 0]);
        let mut grant = |baseline| round.grant(Tick(99), held(baseline), Tick(100), 1);
        let grants = [90, 91, 92, 91, 93, 94, 90].map(&mut grant);
        use Grant::{Delta, Later};
        assert_eq!(grants, [Delta, Delta, Delta, Delta, Delta, Later, Delta]);
        round.clear();
        assert_eq!(round.grant(Tick(99), held(94), Tick(101), 1), Delta);
    }

    #[test]
    fn probes_come_last_and_are_rationed() {
        let mut allowance = Allowance::default();
        let mut image = |behind: u32, probers: &[u32]| {
            let mut round = CatchUp::default();
            allowance.earn();
            for baseline in 0..behind {
                round.grant(Tick(99), held(baseline), Tick(100), 1);
            }
            let probed = |at: &&u32| round.grant_probe(held(**at), &mut allowance, false);
            probers.iter().filter(probed).copied().collect::<Vec<u32>>()
        };
        assert_eq!(image(0, &[80, 81]), [80]);
        assert!(image(4, &[82]).is_empty(), "others fell behind");
        assert_eq!(image(4, &[1, 82]), [1], "it shares a body");
        assert_eq!(image(3, &[82, 83]), [82]);
        (0..20).for_each(|_| _ = image(0, &[]));
        let crowd: Vec<u32> = (50..90).collect();
        let taken = [(); 6].map(|()| image(0, &crowd).len());
        assert_eq!(
            taken,
            [4, 4, 2, 1, 1, 1],
            "what was saved up, then one an image"
        );
    }

    #[test]
    fn who_was_sent_nothing_for_longest_is_probed_first() {
        let mut round = CatchUp::default();
        for player in 0..4 {
            round
                .probers
                .push((30 - u32::from(player), PlayerId(player)));
        }
        round.sort();
        let order: Vec<u16> = round.probers.iter().map(|(_, player)| player.0).collect();
        assert_eq!(order, [3, 2, 1, 0]);
        round.clear();
        assert!(round.probers.is_empty());
    }

    #[test]
    fn who_waited_in_vain_shares_a_keyframe() {
        let mut round = CatchUp::default();
        for baseline in 1..=4 {
            let grant = round.grant(Tick(10), held(baseline), Tick(30), 1);
            assert_eq!(grant, Grant::Delta);
        }
        assert_eq!(round.grant(Tick(14), held(9), Tick(30), 1), Grant::Keyframe);
        assert_eq!(round.grant(Tick(15), held(9), Tick(30), 1), Grant::Later);
        assert_eq!(round.grant(Tick(14), held(9), Tick(30), 2), Grant::Later);
    }
}
