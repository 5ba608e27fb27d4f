//! Who of those that fell behind is caught up first: a client on a baseline of its own costs a body of its own, of which
//! an image has only a few. Who waits longest comes first; who has waited in vain shares a keyframe with others.
//! Not how often a client is sent anything: that is `lanes`. Pure: ticks are arguments. The room calls it.

use tickwire::ids::{PlayerId, Tick};

use super::image::Held;

/// Bodies of one layer and image for clients on baselines of their own: as many as there are
/// lanes, roughly. Beyond: they wait for the next image.
const CATCH_UPS_MAX: usize = 4;
/// Images for which a client waits in vain; then it shares a keyframe with others.
const PATIENCE_IMAGES: u32 = 16;

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

/// The bodies of one image for clients on baselines that no lane has.
#[derive(Debug, Default)]
pub(crate) struct CatchUp {
    /// Who asks, and since when.
    queue: Vec<(Tick, PlayerId)>,
    baselines: Vec<Held>,
}

impl CatchUp {
    /// Starts an image.
    pub(crate) fn clear(&mut self) {
        self.queue.clear();
        self.baselines.clear();
    }

    /// A client that can take a snapshot and has waited since `since`.
    pub(crate) fn ask(&mut self, since: Tick, player: PlayerId) {
        self.queue.push((since, player));
    }

    /// Puts those who asked into their order: who waits longest comes first.
    pub(crate) fn sort(&mut self) {
        self.queue.sort_unstable();
    }

    /// The `nth` of those who asked.
    pub(crate) fn asker(&self, nth: usize) -> Option<(Tick, PlayerId)> {
        self.queue.get(nth).copied()
    }

    /// What somebody gets who has waited since `since` and holds `baseline`. `every` are the ticks between images.
    pub(crate) fn grant(&mut self, since: Tick, baseline: Held, now: Tick, every: u32) -> Grant {
        if self.baselines.contains(&baseline) {
            return Grant::Delta;
        }
        if self.baselines.len() < CATCH_UPS_MAX {
            self.baselines.push(baseline);
            return Grant::Delta;
        }
        if now.since(since) >= PATIENCE_IMAGES * every {
            return Grant::Keyframe;
        }
        Grant::Later
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(tick: u32) -> Held {
        Held {
            tick: Tick(tick),
            bare: false,
        }
    }

    #[test]
    fn catching_up_is_rationed_oldest_first() {
        let mut round = CatchUp::default();
        for player in 0..6 {
            round.ask(Tick(99 - u32::from(player)), PlayerId(player));
        }
        round.sort();
        let order: Vec<u16> = (0..6)
            .filter_map(|nth| Some(round.asker(nth)?.1.0))
            .collect();
        assert_eq!(order, [5, 4, 3, 2, 1, 0]);
        assert_eq!(round.asker(6), None);
        let mut grant = |baseline| round.grant(Tick(99), held(baseline), Tick(100), 1);
        let grants = [90, 91, 92, 91, 93, 94, 90].map(&mut grant);
        use Grant::{Delta, Later};
        assert_eq!(grants, [Delta, Delta, Delta, Delta, Delta, Later, Delta]);
        round.clear();
        assert_eq!(round.grant(Tick(99), held(94), Tick(101), 1), Delta);
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
