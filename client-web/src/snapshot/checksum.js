/** The checksum over an image as decoded (PROTOCOL.md §7). Compared by `session/layers.js`. */

/**
 * @param {import('./image.js').Image} image
 * @returns {number} unsigned, 32 bits
 */
export function checksum(image) {
  const { count, width, slots, generations, owners, masks, rows } = image;
  let h = 0x811c9dc5 | 0;
  h = mix(h, image.tick);
  h = mix(h, image.gap);
  h = mix(h, count);
  let at = 0;
  for (let i = 0; i < count; i++) {
    h = mix(h, slots[i] | (generations[i] << 16));
    h = mix(h, owners[i]);
    h = mix(h, masks[i]);
    for (const end = at + width; at < end; at++) h = mix(h, rows[at]);
  }
  return h >>> 0;
}

/**
 * @param {number} h
 * @param {number} x
 * @returns {number}
 */
function mix(h, x) {
  const y = h ^ x;
  return Math.imul((y << 5) | (y >>> 27), 0x9e3779b1);
}
