/**
 * The entities of a view, interpolated between two snapshots. Objects are kept from frame to frame and
 * written in place, so drawing allocates next to nothing. Called by `room.js`.
 */

import { Owner } from '../snapshot/image.js';
import { blendRow, handleAt, newEntity, readRow } from './entities.js';

/** @typedef {import('../types.js').Entity} Entity */
/** @typedef {import('../snapshot/image.js').Image} Image */

/**
 * An entity that is shown, and what it was made for: with another owner or mask it is made anew.
 * @typedef {{ entity: Entity, owner: number, mask: number, ownerMask: number, frame: number }} Shown
 */

/** See the module's description. */
export class Others {
  #layout;
  #you;
  /** Bits of the room layer's components that describe the room itself. */
  #roomMask = 0;
  /** Bits of the room layer's components that the owner's layer has as well. */
  #repeatedMask = 0;
  /** @type {Map<number, Shown>} by handle */
  #shown = new Map();
  #frame = 0;

  /**
   * @param {import('../schema/layout.js').Layout} layout
   * @param {number} you the own player
   */
  constructor(layout, you) {
    this.#layout = layout;
    this.#you = you;
    layout.room.components.forEach(({ component }, c) => {
      if (component.audience === 'Room') this.#roomMask |= 1 << c;
      if (component.predicted) this.#repeatedMask |= 1 << c;
    });
  }

  /**
   * The room-wide components as an image has them.
   * @param {Image} image of the room's layer
   * @returns {Record<string, any>}
   */
  state(image) {
    /** @type {any} */
    const state = {};
    for (let i = 0; i < image.count; i++) {
      if ((image.masks[i] & this.#roomMask) !== 0) readRow(state, this.#layout.room, image, i);
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
    /** @type {Entity[]} */
    const entities = [];
    const ticks = newer.tick - older.tick;
    const { room } = older;
    let younger = 0;
    for (let i = 0; i < room.count; i++) {
      if ((room.masks[i] & this.#roomMask) !== 0) continue;
      const handle = handleAt(room, i);
      if (handle === predicted?.handle) continue;
      const own = Owner.player(room.owners[i]) === this.#you ? older.owner.find(room.slots[i]) : -1;
      const entity = this.#entity(handle, room, i, own === -1 ? 0 : older.owner.masks[own]);
      readRow(entity, this.#layout.room, room, i);
      if (own !== -1) readRow(entity, this.#layout.owner, older.owner, own);
      entities.push(entity);
      if (alpha === 0) continue;
      while (younger < newer.room.count && newer.room.slots[younger] < room.slots[i]) younger++;
      if (younger === newer.room.count || handleAt(newer.room, younger) !== handle) continue;
      const newerOwn = own === -1 ? -1 : newer.owner.find(room.slots[i]);
      const repeated = newerOwn === -1 ? 0 : this.#repeatedMask;
      blendRow(entity, this.#layout.room, newer.room, younger, alpha, ticks, repeated);
      if (newerOwn !== -1) blendRow(entity, this.#layout.owner, newer.owner, newerOwn, alpha, ticks, 0);
    }
    if (predicted !== undefined) insert(entities, predicted);
    for (const [handle, shown] of this.#shown) if (shown.frame !== this.#frame) this.#shown.delete(handle);
    return entities;
  }

  /**
   * @param {number} handle
   * @param {Image} image
   * @param {number} index
   * @param {number} ownerMask
   * @returns {Entity} the object that shows this entity
   */
  #entity(handle, image, index, ownerMask) {
    const owner = image.owners[index];
    const mask = image.masks[index];
    const known = this.#shown.get(handle);
    if (known !== undefined && known.owner === owner && known.mask === mask && known.ownerMask === ownerMask) {
      known.frame = this.#frame;
      return known.entity;
    }
    const entity = newEntity(image, index);
    this.#shown.set(handle, { entity, owner, mask, ownerMask, frame: this.#frame });
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
