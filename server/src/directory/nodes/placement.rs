//! On which node a room is made. Pure.
//!
//! Of two other nodes, drawn at random, the one whose busiest worker has less to do is looked at,
//! and the room is made there if that is clearly less than here. Two at random, since loads are a
//! second old: who takes the least of all sends it everything that comes in that second. Clearly,
//! since going there costs the player a connection, and a room is worth a percent or so of a worker
//! once it is played: between nodes that are about equal, rooms would be made anywhere but here.

use super::super::ownership::messages::Incarnation;

/// How much less the other must have to do, in thousandths of a worker's time.
const CLEARLY_LESS: u32 = 150;
/// What a room that was sent to a node since it last told of its load is taken to add to it.
pub(super) const ROOM_SENT: u16 = 10;

/// Where a room is to be made, `None` for here. `own` is this node's load, `None` where no room
/// more may be made here; the others' are as they told last; `random` decides which two are looked
/// at.
pub(super) fn place(
    own: Option<u16>,
    others: &[(Incarnation, u16)],
    random: u64,
) -> Option<Incarnation> {
    let count = others.len() as u64;
    let first = random.checked_rem(count)?;
    // Another one, where there is one.
    let second = match count {
        1 => first,
        _ => (first + 1 + (random >> 32) % (count - 1)) % count,
    };
    let drawn = [first, second].map(|index| others[index as usize]);
    let (node, load) = drawn.into_iter().min_by_key(|(_, load)| *load)?;
    let is_better = own.is_none_or(|own| u32::from(load) + CLEARLY_LESS <= u32::from(own));
    is_better.then_some(node)
}

#[cfg(test)]
mod tests {
    use tickwire::exact::Xorshift32;

    use super::*;

    #[test]
    fn a_room_is_made_here_unless_another_has_clearly_less_to_do() {
        let others = [(Incarnation(7), 500)];
        for (own, expected) in [
            (Some(0), None),
            (Some(500), None),
            (Some(649), None),
            (Some(650), Some(Incarnation(7))),
            (Some(u16::MAX), Some(Incarnation(7))),
            (None, Some(Incarnation(7))),
        ] {
            assert_eq!(place(own, &others, 3), expected, "{own:?}");
        }
        assert_eq!(place(None, &[], 3), None);
        assert_eq!(
            place(Some(u16::MAX), &[(Incarnation(7), u16::MAX)], 3),
            None
        );
    }

    /// Each of five draws gets its share of two in five, but the worst, which is better than none.
    #[test]
    fn the_better_of_two_is_drawn_evenly() {
        let others: Vec<_> = (0..5).map(|n| (Incarnation(n), n as u16)).collect();
        let mut made = [0u32; 5];
        let mut dice = Xorshift32::new(1);
        for _ in 0..10_000 {
            let random = u64::from(dice.draw()) << 32 | u64::from(dice.draw());
            let Incarnation(node) = place(None, &others, random).unwrap();
            made[node as usize] += 1;
        }
        let expected = [4000, 3000, 2000, 1000, 0];
        for (made, expected) in made.into_iter().zip(expected) {
            assert!(made.abs_diff(expected) < 300, "{made} of {expected}");
        }
    }
}
