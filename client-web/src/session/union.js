/**
 * What a room's layer and those of groups show together: one image, as if the room had no groups,
 * so that who draws need not know that there are any, and an entity stays what it is when it goes
 * from one to another. Made once a snapshot by `layers.js`, and only where groups are held.
 */

import { ENTITIES_MAX, HISTORY_MAX } from '../limits.js';
import { Image } from '../snapshot/image.js';

/** Those of the history, and one to merge into. */
const IMAGES = HISTORY_MAX + 1;
/** Slots that there can be. */
const SLOTS = 2 ** 16;

/**
 * @typedef {object} Merged
 * @property {Image} image in order of slot; its tick is that of the newest part
 * @property {Uint32Array} ticks of each entity of it the tick of the part that told of it: an
 *   earlier one where a layer was dropped
 */

/** See the module's description. */
export class Union {
  #width;
  /** @type {Merged[]} */
  #ring = [];
  #at = 0;
  /** By slot 1 more than the number of the part that has the entity, 0 for none. */
  #part = new Uint8Array(SLOTS);
  /** By slot its index there. */
  #index = new Uint16Array(SLOTS);

  /** @param {number} width integers of a row */
  constructor(width) {
    this.#width = width;
  }

  /**
   * Of an entity that two parts have, as one that moved out of a layer that was dropped, the newer
   * one counts. Beyond `ENTITIES_MAX`, which a room never has, those in the highest slots are left
   * out.
   * @param {readonly Image[]} parts of the room's layer and the groups', at most 255
   * @returns {Merged} valid until as many more were made as a history has
   */
  merge(parts) {
    const part = this.#part;
    const indices = this.#index;
    let end = 0;
    for (let p = 0; p < parts.length; p++) {
      const { count, slots, tick } = parts[p];
      for (let i = 0; i < count; i++) {
        const slot = slots[i];
        const known = part[slot];
        if (known !== 0 && parts[known - 1].tick >= tick) continue;
        part[slot] = p + 1;
        indices[slot] = i;
      }
      if (count > 0) end = Math.max(end, slots[count - 1] + 1);
    }
    const merged = (this.#ring[this.#at] ??= { image: new Image(this.#width), ticks: new Uint32Array(0) });
    this.#at = (this.#at + 1) % IMAGES;
    const { image } = merged;
    const newest = parts.reduce((a, b) => (b.tick > a.tick ? b : a));
    image.begin(newest.tick, newest.gap);
    for (let slot = 0; slot < end; slot++) {
      if (part[slot] === 0) continue;
      const from = parts[part[slot] - 1];
      part[slot] = 0;
      if (image.count === ENTITIES_MAX) continue;
      image.append(from, indices[slot]);
      if (image.count > merged.ticks.length) merged.ticks = grown(merged.ticks, image.slots.length);
      merged.ticks[image.count - 1] = from.tick;
    }
    return merged;
  }
}

/**
 * @param {Uint32Array} array
 * @param {number} length
 * @returns {Uint32Array} a longer one that begins with it
 */
function grown(array, length) {
  const longer = new Uint32Array(length);
  longer.set(array);
  return longer;
}
