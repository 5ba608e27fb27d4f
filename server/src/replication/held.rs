//! What one client holds: of each of its layers the image that was sent to it last, its baseline.
//! Each layer is by itself: where a baseline is lost, only that layer starts anew. Not which layers
//! it should hold, which is `interest`'s.

pub(crate) mod groups;

use smallvec::SmallVec;
use tickwire::ids::{LayerId, Tick};

use super::image::Ring;
pub(crate) use super::layer::Baseline;
use super::layer::LayerKey;
use groups::HeldGroups;

/// A body: of a layer, against an image or, as a keyframe, none.
pub(crate) type Body = (LayerKey, Option<Baseline>);

/// A client's layers, by rising key. Two are in the client's own memory: most games have no more
/// for each.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeldLayers {
    /// Those that every client calls alike.
    fixed: SmallVec<[Body; 2]>,
    /// The groups; none for who never held one.
    groups: Option<Box<HeldGroups>>,
}

impl HeldLayers {
    /// A snapshot of `tick` goes out with a body of each of the layers `wanted`, by rising key; the
    /// client lets go of all others. `send` is given what the body is against, and says whether it
    /// is a keyframe.
    pub(crate) fn send(
        &mut self,
        tick: Tick,
        wanted: impl Iterator<Item = LayerKey>,
        mut send: impl FnMut(Body) -> bool,
    ) {
        let mut at = 0;
        wanted.for_each(|key| {
            if self.fixed.get(at).is_none_or(|held| held.0 != key) {
                self.take_up(at, key);
            }
            let held = &mut self.fixed[at];
            let bare = send(*held);
            held.1 = Some(Baseline { tick, bare });
            at += 1;
        });
        if at < self.fixed.len() {
            self.fixed.truncate(at);
        }
    }

    /// Makes the layer of a key, which is another one or none now, that at a place; those between
    /// are let go.
    #[cold]
    fn take_up(&mut self, at: usize, key: LayerKey) {
        while self.fixed.get(at).is_some_and(|held| held.0 < key) {
            self.fixed.remove(at);
        }
        if self.fixed.get(at).is_none_or(|held| held.0 != key) {
            self.fixed.insert(at, (key, None));
        }
    }

    /// The groups, if any are held or `wanted`.
    pub(crate) fn groups(&mut self, wanted: &[u16]) -> Option<&mut HeldGroups> {
        if wanted.is_empty() {
            self.groups
                .as_deref_mut()
                .filter(|groups| !groups.is_empty())
        } else {
            Some(self.groups.get_or_insert_default())
        }
    }

    /// The layer that the client calls so comes as a keyframe next; false if it holds none.
    pub(crate) fn lose(&mut self, layer: LayerId) -> bool {
        if let (true, Some(groups)) = (layer.is_group(), &mut self.groups) {
            return groups.lose(layer);
        }
        let mut fixed = self.fixed.iter_mut();
        let held = fixed.find(|held| held.0.id() == Some(layer));
        held.map(|held| held.1 = None).is_some()
    }

    /// All layers do.
    pub(crate) fn lose_all(&mut self) {
        for held in &mut self.fixed {
            held.1 = None;
        }
        if let Some(groups) = &mut self.groups {
            groups.lose_all();
        }
    }

    /// The ticks of the images that it holds.
    pub(crate) fn ticks(&self) -> impl Iterator<Item = Tick> {
        let groups = self.groups.iter().flat_map(|groups| groups.ticks());
        let fixed = self.fixed.iter().filter_map(|held| Some(held.1?.tick));
        fixed.chain(groups)
    }

    /// The bodies that it would be sent and others may be sent too, but of groups: those are
    /// against the same images as the room's, and as many.
    pub(crate) fn shared(&self) -> impl Iterator<Item = Body> + Clone {
        self.fixed.iter().copied().filter(|held| held.0.is_shared())
    }

    /// Whether one of those is against an image that the room remembers; else all are keyframes.
    pub(crate) fn has_shared_baseline(&self, ring: &Ring) -> bool {
        let baselines = self.shared().filter_map(|(_, baseline)| baseline);
        baselines
            .into_iter()
            .any(|baseline| ring.of_tick(baseline.tick).is_some())
    }
}

#[cfg(test)]
mod tests {
    use tickwire::ids::PlayerId;

    use super::*;

    const OWNER: LayerKey = LayerKey::Owner(PlayerId(3));
    const RED: LayerKey = LayerKey::Team(Some(1));
    const BLUE: LayerKey = LayerKey::Team(Some(2));

    /// What goes out with a snapshot: layers and the ticks of their baselines. What has none is a
    /// keyframe.
    fn sent(held: &mut HeldLayers, tick: u32, wanted: &[LayerKey]) -> Vec<(LayerKey, Option<u32>)> {
        let mut sent = Vec::new();
        held.send(Tick(tick), wanted.iter().copied(), |(key, baseline)| {
            sent.push((key, baseline.map(|baseline| baseline.tick.0)));
            baseline.is_none()
        });
        sent
    }

    #[test]
    fn a_lost_baseline_is_that_layers_alone() {
        let mut held = HeldLayers::default();
        let all = [LayerKey::Room, OWNER, RED];
        assert_eq!(sent(&mut held, 5, &all), all.map(|key| (key, None)));
        held.lose(LayerId::OWNER);
        let next = [Some(5), None, Some(5)];
        assert_eq!(
            sent(&mut held, 6, &all)[..],
            [0, 1, 2].map(|at| (all[at], next[at]))
        );
        let bare: Vec<bool> = held
            .fixed
            .iter()
            .filter_map(|held| Some(held.1?.bare))
            .collect();
        assert_eq!(bare, [false, true, false]);
        held.lose_all();
        assert_eq!(sent(&mut held, 7, &all), all.map(|key| (key, None)));
    }

    #[test]
    fn a_layer_that_is_let_go_comes_back_as_a_keyframe() {
        let mut held = HeldLayers::default();
        sent(&mut held, 5, &[LayerKey::Room, OWNER, RED]);
        let of_blue = sent(&mut held, 6, &[LayerKey::Room, BLUE]);
        assert_eq!(of_blue, [(LayerKey::Room, Some(5)), (BLUE, None)]);
        let of_red = sent(&mut held, 7, &[LayerKey::Room, OWNER, RED]);
        assert_eq!(
            of_red,
            [(LayerKey::Room, Some(6)), (OWNER, None), (RED, None)]
        );
        assert_eq!(held.ticks().collect::<Vec<Tick>>(), [Tick(7); 3]);
    }

    #[test]
    fn what_nobody_else_may_be_sent_is_not_shared() {
        let mut held = HeldLayers::default();
        sent(&mut held, 5, &[LayerKey::Room, OWNER, RED]);
        let shared: Vec<LayerKey> = held.shared().map(|(key, _)| key).collect();
        assert_eq!(shared, [LayerKey::Room, RED]);
        let ring = Ring::default();
        assert!(!held.has_shared_baseline(&ring), "the room remembers none");
    }
}
