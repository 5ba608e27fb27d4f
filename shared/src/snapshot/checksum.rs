//! The checksum of an image (`PROTOCOL.md` §7): multiply, rotate and xor on 32 bits, which
//! JavaScript does exactly. It finds mistakes, not forgeries.

use super::column_set::{ColumnSet, Guess};
use super::image::LayerView;

/// The checksum of a layer's image: tick, gap, entities and columns.
pub fn checksum(image: LayerView<'_>, set: &ColumnSet) -> u32 {
    let mut h = 0x811C_9DC5_u32;
    let mut mix = |x: u32| h = (h ^ x).rotate_left(5).wrapping_mul(0x9E37_79B1);
    mix(image.tick.0);
    mix(image.gap);
    mix(image.entities.len() as u32);
    for (index, head) in image.entities.iter().enumerate() {
        mix(u32::from(head.slot) | (u32::from(head.generation) << 16));
        mix(u32::from(head.owner));
        mix(head.mask);
        let row = image.row(index, set.width());
        if image.bare {
            for (&value, column) in row.iter().zip(&set.columns) {
                let left_out = column.guess == Guess::Bend;
                mix(if left_out { 0 } else { value as u32 });
            }
        } else {
            row.iter().for_each(|&value| mix(value as u32));
        }
    }
    h
}
