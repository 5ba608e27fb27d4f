//! Which of several nodes adopts an orphan, so that the rooms of one that died spread over those
//! that live: each room has two candidates by its number, and the less loaded of them goes first
//! (the power of two choices, Mitzenmacher 1996; candidates by highest random weight, Thaler and
//! Ravishankar 1996). All compute the same from nearly the same tables; where they don't, the
//! engine's compare-and-set decides.

use tickwire::ids::RoomId;

use super::messages::{Epoch, Incarnation};

/// The load of a node that takes no rooms: it is full, or drains.
pub(crate) const TAKES_NONE: u16 = u16::MAX;
/// Loads that differ by less share the rooms in proportion, in thousandths of a worker: what is
/// known of a load is some beats old, and a hundred rooms are placed by it at once.
const LOAD_JITTER: u64 = 250;
/// The place of those who are not among the two candidates.
const LAST: u32 = 2;

/// This node's place among all that may adopt a room, from 0; `candidates` are all that live, this
/// node too, with their loads in thousandths.
pub(super) fn place(
    room: RoomId,
    epoch: Epoch,
    me: Incarnation,
    candidates: &[(Incarnation, u16)],
) -> u32 {
    let weight = |who: Incarnation| mix(mix(u64::from(room.0) ^ epoch.0.rotate_left(32)) ^ who.0);
    let mut able: Vec<(u64, Incarnation, u16)> = candidates
        .iter()
        .filter(|(_, load)| *load != TAKES_NONE)
        .map(|(who, load)| (weight(*who), *who, *load))
        .collect();
    able.sort_unstable_by(|a, b| b.cmp(a));
    able.truncate(LAST as usize);
    able.sort_by_key(|(weight, _, load)| u64::from(*load) + mix(*weight) % LOAD_JITTER);
    let mine = able.iter().position(|(_, who, _)| *who == me);
    mine.map_or(LAST, |place| place as u32)
}

/// One step of SplitMix64: every bit of the result depends on every bit of `x`.
pub(super) fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of 1,000 orphans each of these nodes takes first.
    fn first(loads: &[u16]) -> Vec<u32> {
        let nodes: Vec<(Incarnation, u16)> = (1..).map(Incarnation).zip(loads.to_vec()).collect();
        let mut first = vec![0; loads.len()];
        for room in 0..1000 {
            let of = |me| place(RoomId(room), Epoch(7), me, &nodes);
            let firsts: Vec<usize> = (0..nodes.len()).filter(|i| of(nodes[*i].0) == 0).collect();
            assert_eq!(firsts.len(), 1, "one goes first, room {room}");
            first[firsts[0]] += 1;
        }
        first
    }

    #[test]
    fn orphans_spread_over_equals() {
        for n in [2, 3, 5] {
            let first = first(&vec![300; n]);
            let share = 1000 / n as u32;
            let is_even = |rooms: &u32| rooms.abs_diff(share) <= share / 4;
            assert!(first.iter().all(is_even), "{n} nodes: {first:?}");
        }
    }

    #[test]
    fn who_is_busy_takes_less_and_who_drains_nothing() {
        let of_three = first(&[300, 400, 900]);
        assert!(
            of_three[0] > of_three[1] && of_three[1] > of_three[2],
            "{of_three:?}"
        );
        assert_eq!(first(&[100, 900]), [1000, 0]);
        assert_eq!(first(&[TAKES_NONE, 900]), [0, 1000]);
        let all_full = [(Incarnation(1), TAKES_NONE)];
        assert_eq!(place(RoomId(1), Epoch(1), Incarnation(1), &all_full), LAST);
    }
}
