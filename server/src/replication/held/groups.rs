//! The groups that one client holds: its own numbers for them, and what was sent of each. A number
//! is the lowest that is free when its group is taken up, and free again once that is closed.

use tickwire::ids::{LayerId, Tick};

use crate::replication::layer::Baseline;

/// A group that is held: its key on the server, and the image that was sent last.
pub(crate) type Source = (u16, Baseline);

/// See the module's description.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeldGroups(Vec<Held>);

/// One of them.
#[derive(Clone, Copy, Debug)]
struct Held {
    /// What the client calls it.
    number: LayerId,
    group: u16,
    /// None: it comes as a keyframe next.
    baseline: Option<Baseline>,
}

impl HeldGroups {
    /// Whether none is held.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The images that are held, by rising group: those that entities may come from. Filled before
    /// anything of a snapshot is sent.
    pub(crate) fn sources(&self, into: &mut Vec<Source>) {
        into.clear();
        into.extend(
            self.0
                .iter()
                .filter_map(|held| Some((held.group, held.baseline?))),
        );
        into.sort_unstable_by_key(|(group, _)| *group);
    }

    /// Lets go of all but the groups `wanted`, which rise, and takes up those that are not held;
    /// appends the numbers of those that are let go.
    pub(crate) fn turn_to(&mut self, wanted: &[u16], closed: &mut Vec<u8>) {
        self.0.retain(|held| {
            let stays = wanted.binary_search(&held.group).is_ok();
            if !stays {
                closed.push(held.number.0 as u8);
            }
            stays
        });
        if self.0.len() == wanted.len() {
            return;
        }
        for &group in wanted {
            if self.0.iter().any(|held| held.group == group) {
                continue;
            }
            // The first gap in the numbers, which rise.
            let numbers = LayerId::FIRST_GROUP.0..=LayerId::LAST.0;
            let gap = numbers
                .zip(0..)
                .find(|(number, at)| self.0.get(*at).is_none_or(|held| held.number.0 != *number));
            let Some((number, at)) = gap else {
                debug_assert!(false, "no more are wanted than there are numbers");
                return;
            };
            let held = Held {
                number: LayerId(number),
                group,
                baseline: None,
            };
            self.0.insert(at, held);
        }
    }

    /// A snapshot of `tick` goes out with each of them, by rising number. `send` is given what the
    /// body is against, and says whether it is a keyframe.
    pub(crate) fn send(
        &mut self,
        tick: Tick,
        mut send: impl FnMut(LayerId, u16, Option<Baseline>) -> bool,
    ) {
        for held in &mut self.0 {
            let bare = send(held.number, held.group, held.baseline);
            held.baseline = Some(Baseline { tick, bare });
        }
    }

    /// The group that the client calls so comes as a keyframe next; false if it holds none.
    pub(crate) fn lose(&mut self, number: LayerId) -> bool {
        let held = self.0.iter_mut().find(|held| held.number == number);
        held.map(|held| held.baseline = None).is_some()
    }

    /// All do.
    pub(crate) fn lose_all(&mut self) {
        for held in &mut self.0 {
            held.baseline = None;
        }
    }

    /// What the client calls the groups that it holds, by rising number.
    #[cfg(test)]
    pub(crate) fn names(&self) -> impl Iterator<Item = (LayerId, u16)> {
        self.0.iter().map(|held| (held.number, held.group))
    }

    /// The ticks of the images that are held.
    pub(crate) fn ticks(&self) -> impl Iterator<Item = Tick> {
        self.0.iter().filter_map(|held| Some(held.baseline?.tick))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What goes out with a snapshot: numbers that are closed, and of each group its number and the
    /// tick of its baseline. What has none is a keyframe.
    fn sent(held: &mut HeldGroups, tick: u32, wanted: &[u16]) -> (Vec<u8>, Vec<(u16, u16, u32)>) {
        let (mut closed, mut sent) = (Vec::new(), Vec::new());
        held.turn_to(wanted, &mut closed);
        held.send(Tick(tick), |number, group, baseline| {
            sent.push((
                number.0,
                group,
                baseline.map_or(0, |baseline| baseline.tick.0),
            ));
            baseline.is_none()
        });
        (closed, sent)
    }

    #[test]
    fn numbers_are_the_clients_own_and_used_again() {
        let mut held = HeldGroups::default();
        let first = sent(&mut held, 1, &[10, 700]);
        assert_eq!(first, (vec![], vec![(3, 10, 0), (4, 700, 0)]));
        let more = sent(&mut held, 2, &[5, 10, 700]);
        assert_eq!(more, (vec![], vec![(3, 10, 1), (4, 700, 1), (5, 5, 0)]));
        let fewer = sent(&mut held, 3, &[5, 700]);
        assert_eq!(fewer, (vec![3], vec![(4, 700, 2), (5, 5, 2)]));
        let others = sent(&mut held, 4, &[5, 9, 20]);
        assert_eq!(others, (vec![4], vec![(3, 9, 0), (4, 20, 0), (5, 5, 3)]));
        assert!(held.lose(LayerId(4)) && !held.lose(LayerId(6)));
        let mut sources = Vec::new();
        held.sources(&mut sources);
        let ticks: Vec<(u16, u32)> = sources
            .iter()
            .map(|(group, of)| (*group, of.tick.0))
            .collect();
        assert_eq!(ticks, [(5, 4), (9, 4)]);
        let again = sent(&mut held, 5, &[5, 9, 20]);
        assert_eq!(again, (vec![], vec![(3, 9, 4), (4, 20, 0), (5, 5, 4)]));
    }

    #[test]
    fn all_numbers_can_change_hands_at_once() {
        let mut held = HeldGroups::default();
        let all = |from: u16| (from..from + LayerId::GROUPS as u16).collect::<Vec<u16>>();
        sent(&mut held, 1, &all(0));
        let (closed, next) = sent(&mut held, 2, &all(1000));
        assert_eq!(
            (closed.len(), next.len()),
            (LayerId::GROUPS, LayerId::GROUPS)
        );
        assert_eq!(next.last(), Some(&(LayerId::LAST.0, 1120, 0)));
    }
}
