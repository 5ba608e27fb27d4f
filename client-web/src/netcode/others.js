/**
 * The entities of a view, interpolated between two snapshots by the rules of `interpolation.js`. The place where the layers
 * come together: an entity has the components of all layers that it is in, and what the owner's layer says of it replaces
 * what everyone's says. Objects are kept from frame to frame and written in place, so drawing allocates next to
 * nothing. Called by `play.js`.
 */

import { OWNER_LAYER, ROOM_LAYER } from '../schema/layout.js';
import { Owner } from '../snapshot/image.js';
import { blendRow, findEntity, handleAt, newEntity, readRow } from './entities.js';
import { Fade } from './fade.js';
import { Motion } from './motion.js';

/** @typedef {import('../types.js').Entity} Entity */
/** @typedef {import('../snapshot/image.js').Image} Image */

/** @typedef {import('./interpolation.js').Pair} Pair */

/**
 * An entity that is shown, and what it was made for: with another owner or other masks it is made anew.
 * @typedef {object} Shown
 * @property {Entity} entity
 * @property {number} owner as an image has it
 * @property {number[]} masks by layer
 * @property {number} frame when it was shown last
 * @property {Map<string, number>} speeds of the components that were extrapolated then, in units a tick
 * @property {Map<string, Fade>} fades of the components that were extrapolated wrongly
 */

/**
 * What the player has of its own in a view.
 * @typedef {object} Own
 * @property {number} you the player
 * @property {Entity | undefined} predicted shown in place of the own avatar
 * @property {import('../session/layers.js').Snapshot} newest the own projectiles fly on from it
 * @property {number} tick to this tick
 */

/** See the module's description. */
export class Others {
  #sets;
  /** Of each layer's components. @type {Motion[][]} */
  #motions;
  /** Of components by name. @type {Map<string, Motion>} */
  #motionOf = new Map();
  /** Bits of the room layer's components that fly by a velocity. */
  #flightMask = 0;
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
    this.#motions = layout.sets.map(({ components }) => components.map(({ component }) => new Motion(component)));
    layout.sets.forEach(({ components }, l) => {
      components.forEach(({ component }, c) => this.#motionOf.set(component.name, this.#motions[l][c]));
    });
    this.#rows = layout.sets.map(() => -1);
    this.#next = layout.sets.map(() => 0);
    this.#masks = layout.sets.map(() => 0);
    layout.room.components.forEach(({ component }, c) => {
      if (this.#motions[ROOM_LAYER][c].flights.length > 0) this.#flightMask |= 1 << c;
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
   * @param {Pair} pair
   * @param {number} moved ticks by which the view has moved since the last time
   * @param {Own} [own] without it everything is as the pair has it
   * @returns {Entity[]} in order of slot
   */
  entities(pair, moved, own) {
    this.#frame++;
    /** @type {Entity[]} */
    const entities = [];
    const { images } = baseOf(pair);
    this.#next.fill(0);
    for (let layer = this.#advance(images); layer !== -1; layer = this.#advance(images)) {
      const image = images[layer];
      const index = this.#rows[layer];
      if (layer === ROOM_LAYER && (image.masks[index] & this.#roomMask) !== 0) continue;
      if (own !== undefined && (handleAt(image, index) === own.predicted?.handle || this.#isOwnFlight(images, own.you))) continue;
      const shown = this.#show(image, index);
      this.#read(shown.entity, images);
      shown.speeds.clear();
      this.#blend(shown.entity, pair, pair.alpha > 1 ? shown.speeds : undefined);
      this.#mendSome(shown, moved);
      entities.push(shown.entity);
    }
    if (own !== undefined) {
      this.#addFlights(entities, own);
      if (own.predicted !== undefined) insert(entities, own.predicted);
    }
    for (const [handle, shown] of this.#shown) if (shown.frame !== this.#frame) this.#shown.delete(handle);
    return entities;
  }

  /**
   * Snapshots came while the view was ahead of the newest: what was drawn there stays, and closes in.
   * @param {Pair} pair that the view stands between now, not having moved yet
   */
  mend(pair) {
    const { images } = baseOf(pair);
    /** @type {Map<string, number>} */
    const speeds = new Map();
    for (const { entity, speeds: before, fades } of this.#shown.values()) {
      if (before.size === 0) continue;
      this.#find(images, entity);
      /** @type {Entity} */
      const now = { ...entity };
      for (const name of before.keys()) now[name] = {};
      this.#read(now, images);
      speeds.clear();
      this.#blend(now, pair, speeds);
      for (const [name, speed] of before) {
        fades.delete(name);
        const speedNow = speeds.get(name);
        // It jumped, or is gone.
        if (speedNow === undefined) continue;
        const places = this.#motionOf.get(name)?.places ?? [];
        const fade = new Fade();
        fade.start(places.map((place) => entity[name][place]), places.map((place) => now[name][place]), Math.max(speed, speedNow));
        fades.set(name, fade);
      }
    }
  }

  /** The view jumped: nothing that was drawn counts any more. */
  forget() {
    for (const { fades, speeds } of this.#shown.values()) {
      fades.clear();
      speeds.clear();
    }
  }

  /**
   * @param {Entity[]} entities takes the own projectiles
   * @param {Own} own
   */
  #addFlights(entities, { you, newest, tick }) {
    if (this.#flightMask === 0) return;
    const { images } = newest;
    this.#next.fill(0);
    for (let layer = this.#advance(images); layer !== -1; layer = this.#advance(images)) {
      if (!this.#isOwnFlight(images, you)) continue;
      const { entity } = this.#show(images[layer], this.#rows[layer]);
      this.#read(entity, images);
      this.#motions[ROOM_LAYER].forEach((motion, c) => {
        if (((this.#masks[ROOM_LAYER] >>> c) & 1) === 1) motion.fly(entity[this.#sets[ROOM_LAYER].components[c].component.name], tick - newest.tick);
      });
      insert(entities, entity);
    }
  }

  /**
   * @param {Image[]} images
   * @param {number} you
   * @returns {boolean} whether the entity that is being read is a projectile of the own player
   */
  #isOwnFlight(images, you) {
    const row = this.#rows[ROOM_LAYER];
    if (row === -1 || (this.#masks[ROOM_LAYER] & this.#flightMask) === 0) return false;
    const owner = images[ROOM_LAYER].owners[row];
    return Owner.player(owner) === you && !Owner.isAvatar(owner);
  }

  /**
   * Adds what is left of an extrapolation's error.
   * @param {Shown} shown
   * @param {number} moved
   */
  #mendSome({ entity, fades }, moved) {
    for (const [name, fade] of fades) {
      const values = entity[name];
      fade.advance(moved);
      if (values === undefined || fade.isOver) {
        fades.delete(name);
        continue;
      }
      this.#motionOf.get(name)?.places.forEach((place, axis) => {
        values[place] += fade.offset[axis];
      });
    }
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
   * Sets `#rows` and `#masks` to an entity's.
   * @param {Image[]} images
   * @param {Entity} entity
   */
  #find(images, { slot, generation }) {
    for (let l = 0; l < images.length; l++) {
      this.#rows[l] = findEntity(images[l], slot, generation);
      this.#masks[l] = this.#rows[l] === -1 ? 0 : images[l].masks[this.#rows[l]];
    }
  }

  /**
   * Writes what the layers say of the entity that is being read.
   * @param {Entity} entity
   * @param {Image[]} images
   */
  #read(entity, images) {
    for (let l = 0; l < images.length; l++) {
      if (this.#rows[l] !== -1) readRow(entity, this.#sets[l], images[l], this.#rows[l]);
    }
  }

  /**
   * Moves an entity from the pair's base towards its other snapshot.
   * @param {Entity} entity with the values of the base
   * @param {Pair} pair
   * @param {Map<string, number>} [speeds] takes the ways a tick of those components that moved on
   */
  #blend(entity, pair, speeds) {
    const { alpha, ticks } = pair;
    if (ticks === 0 || alpha === 0 || alpha === 1) return;
    const { images } = alpha < 1 ? pair.newer : pair.older;
    const own = this.#rows[OWNER_LAYER] === -1 ? -1 : findEntity(images[OWNER_LAYER], entity.slot, entity.generation);
    for (let l = 0; l < images.length; l++) {
      if (this.#rows[l] === -1) continue;
      const index = l === OWNER_LAYER ? own : findEntity(images[l], entity.slot, entity.generation);
      if (index === -1) continue;
      const except = l === ROOM_LAYER && own !== -1 ? this.#repeatedMask : 0;
      blendRow(entity, this.#sets[l], this.#motions[l], images[l], index, pair, except, speeds);
    }
  }

  /**
   * @param {Image} image
   * @param {number} index
   * @returns {Shown} what shows this entity
   */
  #show(image, index) {
    const owner = image.owners[index];
    const handle = handleAt(image, index);
    const known = this.#shown.get(handle);
    if (known !== undefined && known.owner === owner && known.masks.every((mask, l) => mask === this.#masks[l])) {
      known.frame = this.#frame;
      return known;
    }
    const entity = newEntity(image, index);
    const shown = { entity, owner, masks: [...this.#masks], frame: this.#frame, speeds: new Map(), fades: new Map() };
    this.#shown.set(handle, shown);
    return shown;
  }
}

/**
 * @param {Pair} pair
 * @returns {import('../session/layers.js').Snapshot} the one whose entities are shown
 */
function baseOf({ older, newer, alpha }) {
  return alpha < 1 ? older : newer;
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
