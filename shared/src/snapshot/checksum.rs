//! The checksum of an image (`PROTOCOL.md` §7): multiply, rotate and xor on 32 bits, which
//! JavaScript does exactly. It finds mistakes, not forgeries.

use super::image::LayerView;

/// The checksum of a layer's image: tick, gap, entities and columns.
pub fn checksum(image: LayerView<'_>, width: usize) -> u32 {
    let mut h = 0x811C_9DC5_u32;
    let mut mix = |x: u32| h = (h ^ x).rotate_left(5).wrapping_mul(0x9E37_79B1);
    mix(image.tick.0);
    mix(image.gap);
    mix(image.entities.len() as u32);
    for (index, head) in image.entities.iter().enumerate() {
        mix(u32::from(head.slot) | (u32::from(head.generation) << 16));
        mix(u32::from(head.owner));
        mix(head.mask);
        for &value in image.row(index, width) {
            mix(value as u32);
        }
    }
    h
}
