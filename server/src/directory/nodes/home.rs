//! Which node makes the room of a name that is asked for by "join it, or make it": its home. Pure.
//!
//! All nodes ask the same one, so that of two who ask at once at two of them one makes the room and
//! both are there. It is chosen by rendezvous hashing: of all nodes that are there the one that
//! hashes highest together with the name. One that comes or goes moves the homes of the names that
//! are its own, and no others. While nodes do not agree on who is there, for a second after one
//! came or went, two rooms of a name may be made; names are unique for nobody.

use aws_lc_rs::digest::{Context, SHA256};

use super::super::ownership::messages::Incarnation;

/// The home of this name of a game's rooms. `None` if there are no nodes.
pub(super) fn home(
    game: &str,
    name: &str,
    nodes: impl Iterator<Item = Incarnation>,
) -> Option<Incarnation> {
    nodes.max_by_key(|node| (weight(game, name, *node), *node))
}

/// SHA-256, which is the same in every build there is.
fn weight(game: &str, name: &str, Incarnation(node): Incarnation) -> [u8; 8] {
    let mut hash = Context::new(&SHA256);
    hash.update(game.as_bytes());
    // Neither may contain it.
    hash.update(&[0]);
    hash.update(name.as_bytes());
    hash.update(&[0]);
    hash.update(&node.to_le_bytes());
    let hash = hash.finish();
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_ref()[..8]);
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_find_the_same_and_names_are_spread() {
        let nodes = [3, 1, 2].map(Incarnation);
        let mut homes = [0; 4];
        for number in 0..3000 {
            let name = format!("room {number}");
            let found = home("chess", &name, nodes.into_iter()).unwrap();
            let turned = home("chess", &name, nodes.into_iter().rev());
            assert_eq!(turned, Some(found));
            homes[found.0 as usize] += 1;
        }
        assert!(
            homes[1..].iter().all(|of| (900..1100).contains(of)),
            "{homes:?}"
        );
        assert_eq!(home("chess", "den", std::iter::empty()), None);
    }

    #[test]
    fn a_node_that_goes_takes_its_own_names_only() {
        let nodes = [1, 2, 3].map(Incarnation);
        for number in 0..1000 {
            let name = number.to_string();
            let before = home("go", &name, nodes.into_iter()).unwrap();
            let after = home("go", &name, nodes.into_iter().filter(|node| node.0 != 2));
            assert!(before.0 == 2 || after == Some(before), "{name}");
        }
    }
}
