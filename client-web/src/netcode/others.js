/**
 * The entities of a view, interpolated between two snapshots. The place where the layers come together:
 * an entity has the components of all layers that it is in, and what the owner's layer says of it replaces
 * what everyone's says. Objects are kept from frame to frame and written in place, so drawing allocates next to
 * nothing. Called by `play.js`.
 */

import { OWNER_LAYER, ROOM_LAYER } from '../schema/layout.js';
import { blendRow, findEntity, handleAt, newEntity, readRow } from './entities.js';

/** @typedef {import('../types.js').Entity} Entity */
/** @typedef {import('../snapshot/image.js').Image} Image */

/**
 * An entity that is shown, and what it was made for: with another owner or other masks it is made anew.
 * @typedef {{ entity: Entity, owner: number, masks: number[], frame: number }} Shown
 */

/** See the module's description. */
export class Others {
  #sets;
  /** Bits of the room layer's components that describe the room itself. */
  #roomMask = 0;
  /** Bits of the room layer's components that the owner's layer has as well. */
  #repeatedMask = 0;
  /** @type {Map<number, Shown>} by handle */
  #shown = new Map();
  #frame = 0;
  /** Index in each layer's image of the entity that is being read, -1 for none. */
  #rows;
  /** Index in each layer's image of the next entity. */
  #next;
  /** Mask in each layer of the entity that is being read. */
  #masks;

  /** @param {import('../schema/layout.js').Layout} layout */
  constructor(layout) {
    this.#sets = layout.sets;
    this.#rows = layout.sets.map(() => -1);
    this.#next = layout.sets.map(() => 0);
    this.#masks = layout.sets.map(() => 0);
    layout.room.components.forEach(({ component }, c) => {
      if (component.audience === 'Room') this.#roomMask |= 1 << c;
      if (component.predicted) this.#repeatedMask |= 1 << c;
    });
  }

  /**
   * The room-wide components of a snapshot.
   * @param {import('../session/layers.js').Snapshot} snapshot
   * @returns {Record<string, any>}
   */
  state({ images }) {
    const image = images[ROOM_LAYER];
    /** @type {any} */
    const state = {};
    for (let i = 0; i < image.count; i++) {
      if ((image.masks[i] & this.#roomMask) !== 0) readRow(state, this.#sets[ROOM_LAYER], image, i);
    }
    return state;
  }

  /**
   * @param {import('./interpolation.js').Pair} pair
   * @param {Entity | undefined} predicted shown in place of the own avatar
   * @returns {Entity[]} in order of slot
   */
  entities({ older, newer, alpha }, predicted) {
    this.#frame++;
    this.#next.fill(0);
    /** @type {Entity[]} */
    const entities = [];
    const ticks = newer.tick - older.tick;
    for (let layer = this.#advance(older.images); layer !== -1; layer = this.#advance(older.images)) {
      const index = this.#rows[layer];
      const image = older.images[layer];
      if (layer === ROOM_LAYER && (image.masks[index] & this.#roomMask) !== 0) continue;
      const handle = handleAt(image, index);
      if (handle === predicted?.handle) continue;
      const entity = this.#entity(handle, image, index);
      older.images.forEach((each, l) => {
        if (this.#rows[l] !== -1) readRow(entity, this.#sets[l], each, this.#rows[l]);
      });
      if (alpha > 0) this.#blend(entity, newer.images, alpha, ticks);
      entities.push(entity);
    }
    if (predicted !== undefined) insert(entities, predicted);
    for (const [handle, shown] of this.#shown) if (shown.frame !== this.#frame) this.#shown.delete(handle);
    return entities;
  }

  /**
   * Goes on to the next slot: sets `#rows` and `#masks`.
   * @param {Image[]} images
   * @returns {number} the first layer that has the entity, -1 at the end
   */
  #advance(images) {
    let first = -1;
    let slot = Infinity;
    for (let l = 0; l < images.length; l++) {
      const next = this.#next[l];
      if (next < images[l].count && images[l].slots[next] < slot) {
        slot = images[l].slots[next];
        first = l;
      }
    }
    if (first === -1) return -1;
    const generation = images[first].generations[this.#next[first]];
    for (let l = 0; l < images.length; l++) {
      const next = this.#next[l];
      const isThere = next < images[l].count && images[l].slots[next] === slot;
      // A layer that stayed behind may still have who was in the slot before.
      const isSame = isThere && images[l].generations[next] === generation;
      this.#rows[l] = isSame ? next : -1;
      this.#masks[l] = isSame ? images[l].masks[next] : 0;
      if (isThere) this.#next[l]++;
    }
    return first;
  }

  /**
   * @param {Entity} entity with the values of the older images
   * @param {Image[]} images the newer ones
   * @param {number} alpha
   * @param {number} ticks
   */
  #blend(entity, images, alpha, ticks) {
    const own = this.#rows[OWNER_LAYER] === -1 ? -1 : findEntity(images[OWNER_LAYER], entity.slot, entity.generation);
    for (let l = 0; l < images.length; l++) {
      if (this.#rows[l] === -1) continue;
      const index = l === OWNER_LAYER ? own : findEntity(images[l], entity.slot, entity.generation);
      if (index === -1) continue;
      const except = l === ROOM_LAYER && own !== -1 ? this.#repeatedMask : 0;
      blendRow(entity, this.#sets[l], images[l], index, alpha, ticks, except);
    }
  }

  /**
   * @param {number} handle
   * @param {Image} image
   * @param {number} index
   * @returns {Entity} the object that shows this entity
   */
  #entity(handle, image, index) {
    const owner = image.owners[index];
    const known = this.#shown.get(handle);
    if (known !== undefined && known.owner === owner && known.masks.every((mask, l) => mask === this.#masks[l])) {
      known.frame = this.#frame;
      return known.entity;
    }
    const entity = newEntity(image, index);
    this.#shown.set(handle, { entity, owner, masks: [...this.#masks], frame: this.#frame });
    return entity;
  }
}

/**
 * @param {Entity[]} entities in order of slot
 * @param {Entity} entity
 */
function insert(entities, entity) {
  let at = entities.length;
  while (at > 0 && entities[at - 1].slot > entity.slot) at--;
  entities.splice(at, 0, entity);
}
