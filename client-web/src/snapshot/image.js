/**
 * A layer's state at one tick: entities in rising order of slot, each with a row of integers.
 * Column by column meaning comes from `schema/layout.js`. Images are reused: decoding fills one
 * that is no longer needed instead of allocating.
 */

import { ENTITIES_MAX } from '../limits.js';
import { ProtocolError } from '../protocol_error.js';

/** Entities for which a new image has room. */
const CAPACITY_FIRST = 16;
/** `fit` leaves room for so many times the entities that there are. */
const SPARE = 4;

/** One layer at one tick. */
export class Image {
  /** @param {number} width integers of a row */
  constructor(width) {
    this.width = width;
    /** The tick that it shows. */
    this.tick = 0;
    /** Ticks since the image before, 0 in the layer's first. */
    this.gap = 0;
    /** Whether a keyframe brought it, without second differences. */
    this.bare = false;
    /** Entities. */
    this.count = 0;
    this.slots = new Uint16Array(CAPACITY_FIRST);
    this.generations = new Uint16Array(CAPACITY_FIRST);
    /** 0 for nobody, else 1 + 2 * player, plus 1 for an entity that is not the player's avatar. */
    this.owners = new Uint32Array(CAPACITY_FIRST);
    /** Bit c: it has component c of the layer. */
    this.masks = new Uint32Array(CAPACITY_FIRST);
    /** Row by row, `width` integers each; those of absent components are 0. */
    this.rows = new Int32Array(CAPACITY_FIRST * width);
  }

  /**
   * Forgets the entities: it is of another tick.
   * @param {number} tick
   * @param {number} gap
   */
  begin(tick, gap) {
    this.tick = tick;
    this.gap = gap;
    this.bare = false;
    this.count = 0;
  }

  /**
   * Takes over the entities of another image of the same columns, rows and all.
   * @param {Image} other
   */
  copyEntities({ count, slots, generations, owners, masks, rows, width }) {
    if (count > this.slots.length) this.#grow(count);
    this.slots.set(slots.subarray(0, count));
    this.generations.set(generations.subarray(0, count));
    this.owners.set(owners.subarray(0, count));
    this.masks.set(masks.subarray(0, count));
    this.rows.set(rows.subarray(0, count * width));
    this.count = count;
  }

  /**
   * Appends an entity of another image of the same columns, row and all. Its slot is above all
   * others.
   * @param {Image} other
   * @param {number} index of it there
   */
  append({ slots, generations, owners, masks, rows, width }, index) {
    let to = this.push(slots[index], generations[index], owners[index], masks[index]) * width;
    for (let from = index * width, end = from + width; from < end; from++) this.rows[to++] = rows[from];
  }

  /**
   * Appends an entity with a row of zeros. Its slot is above all others.
   * @param {number} slot
   * @param {number} generation
   * @param {number} owner
   * @param {number} mask
   * @returns {number} its index
   */
  push(slot, generation, owner, mask) {
    const index = this.count;
    if (index === ENTITIES_MAX) throw new ProtocolError('too many entities');
    if (index === this.slots.length) this.#grow(index + 1);
    this.slots[index] = slot;
    this.generations[index] = generation;
    this.owners[index] = owner;
    this.masks[index] = mask;
    this.rows.fill(0, index * this.width, (index + 1) * this.width);
    this.count = index + 1;
    return index;
  }

  /**
   * @param {number} slot
   * @returns {number} the index of the entity in that slot, -1 for none
   */
  find(slot) {
    let low = 0;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = this.slots[middle];
      if (found === slot) return middle;
      if (found < slot) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /**
   * Gives memory back that held many more entities than there are. Of a layer that held a crowd
   * once, so that many such layers don't come to more than the room.
   */
  fit() {
    if (this.slots.length <= CAPACITY_FIRST + SPARE * this.count) return;
    const { width, count, slots, generations, owners, masks, rows } = this;
    const capacity = Math.max(CAPACITY_FIRST, count);
    this.slots = slots.slice(0, capacity);
    this.generations = generations.slice(0, capacity);
    this.owners = owners.slice(0, capacity);
    this.masks = masks.slice(0, capacity);
    this.rows = rows.slice(0, capacity * width);
  }

  /** @param {number} count entities for which there must be room, at most `ENTITIES_MAX` */
  #grow(count) {
    const capacity = Math.min(Math.max(2 * this.slots.length, count), ENTITIES_MAX);
    const grown = (/** @type {any} */ old, /** @type {number} */ length) => {
      const array = new old.constructor(length);
      array.set(old);
      return array;
    };
    this.slots = grown(this.slots, capacity);
    this.generations = grown(this.generations, capacity);
    this.owners = grown(this.owners, capacity);
    this.masks = grown(this.masks, capacity);
    this.rows = grown(this.rows, capacity * this.width);
  }
}

/**
 * @param {Image} image
 * @param {number} index
 * @returns {number} the entity's handle
 */
export function handleAt(image, index) {
  return image.generations[index] * 0x10000 + image.slots[index];
}

/**
 * @param {readonly Image[]} images
 * @param {number} handle
 * @returns {boolean} whether any of them has that entity
 */
export function isIn(images, handle) {
  return images.some((image) => {
    const index = image.find(handle & 0xffff);
    return index !== -1 && handleAt(image, index) === handle;
  });
}

/** How an entity belongs to a player, as images code it. */
export const Owner = {
  /**
   * @param {number} code
   * @returns {number | undefined} the player, undefined for nobody
   */
  player: (code) => (code === 0 ? undefined : (code - 1) >>> 1),
  /**
   * @param {number} code
   * @returns {boolean} whether it is the player's avatar
   */
  isAvatar: (code) => code !== 0 && (code & 1) === 1,
  /**
   * @param {number} player
   * @returns {number} the code of the player's avatar
   */
  avatarOf: (player) => 1 + 2 * player,
};
