/**
 * The entities of a view, interpolated between two snapshots by the rules of `interpolation.js`.
 * The place where the layers come together: an entity has the components of all layers that it is
 * in, and what the owner's layer says of it replaces what everyone's says. Objects are kept from
 * frame to frame and written in place, so drawing allocates next to nothing. Called by `play.js`.
 */

import { Owner, handleAt, isIn } from '../snapshot/image.js';
import { OWNER_LAYER, ROOM_LAYER } from '../snapshot/layout.js';
import { blendRow, findEntity, newEntity, readRow } from './entities.js';
import { Motion } from './motion.js';
import { Tracks } from './tracks.js';

/** @typedef {import('../types.js').Entity} Entity */
/** @typedef {import('../session/layers.js').Snapshot} Snapshot */
/** @typedef {import('../snapshot/image.js').Image} Image */
/** @typedef {import('./interpolation.js').Pair} Pair */

/**
 * An entity that is shown, and what it was made for: with another owner or other masks it is made
 * anew.
 * @typedef {object} Shown
 * @property {Entity} entity
 * @property {number} owner as an image has it
 * @property {number[]} masks by layer
 * @property {number} frame when it was shown last
 * @property {import('./tracks.js').EntityTracks} tracks how it goes
 */

/**
 * What the player has of its own in a view.
 * @typedef {object} Own
 * @property {number} you the player
 * @property {Entity | undefined} predicted shown in place of the own avatar
 * @property {Snapshot} newest the own projectiles fly on from it
 * @property {number} tick to this tick
 */

/** See the module's description. */
export class Others {
  #sets;
  /** Of each layer's components. @type {Motion[][]} */
  #motions;
  #tracks;
  /** Bits of the room layer's components that fly by a velocity. */
  #flightMask = 0;
  /** Bits of the room layer's components that describe the room itself. */
  #roomMask = 0;
  /** Bits of the room layer's components that the owner's layer has as well. */
  #repeatedMask = 0;
  /** @type {Map<number, Shown>} by handle */
  #shown = new Map();
  #frame = 0;
  /** The own avatar that the last frame showed. @type {Entity | undefined} */
  #predicted;
  /**
   * Who was shown in the frame before the last one and not in that.
   * @type {import('../types.js').Leave[]}
   */
  leaves = [];
  /** Index in each layer's image of the entity that is being read, -1 for none. */
  #rows;
  /** Index in each layer's image of the next entity. */
  #next;
  /** Mask in each layer of the entity that is being read. */
  #masks;

  /** @param {import('../snapshot/layout.js').Layout} layout */
  constructor(layout) {
    this.#sets = layout.sets;
    this.#motions = layout.sets.map(({ components }) => components.map(({ component }) => new Motion(component)));
    this.#tracks = new Tracks(layout.sets, this.#motions);
    this.#rows = layout.sets.map(() => -1);
    this.#next = layout.sets.map(() => 0);
    this.#masks = layout.sets.map(() => 0);
    layout.room.components.forEach(({ component }, c) => {
      if (this.#motions[ROOM_LAYER][c].flights.length > 0) this.#flightMask |= 1 << c;
      if (component.audience === 'Room') this.#roomMask |= 1 << c;
      if (component.predicted === 'Fine') this.#repeatedMask |= 1 << c;
    });
  }

  /**
   * The room-wide components of a snapshot.
   * @param {Snapshot} snapshot
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
   * Snapshots came since the last frame: learns how fast everybody goes.
   * @param {readonly Snapshot[]} history oldest first
   * @param {number} known tick of the newest one that was learnt from
   */
  learn(history, known) {
    for (let i = 1; i < history.length; i++) if (history[i].tick > known) this.#tracks.learn(history[i - 1], history[i]);
    this.#tracks.forget(history[history.length - 1].tick, this.#shown);
  }

  /**
   * @param {Pair} pair
   * @param {Own} [own] without it nothing is left out
   * @param {import('./tracks.js').Frame} [frame] without it everything is as the pair has it
   * @returns {Entity[]} in order of slot
   */
  entities(pair, own, frame) {
    this.#frame++;
    /** @type {Entity[]} */
    const entities = [];
    const { images } = pair.alpha < 1 ? pair.older : pair.newer;
    this.#next.fill(0);
    for (let layer = this.#advance(images); layer !== -1; layer = this.#advance(images)) {
      const image = images[layer];
      const index = this.#rows[layer];
      if (layer === ROOM_LAYER && (image.masks[index] & this.#roomMask) !== 0) continue;
      if (own !== undefined && (handleAt(image, index) === own.predicted?.handle || this.#isOwnFlight(images, own.you))) continue;
      const shown = this.#show(image, index);
      this.#read(shown.entity, images);
      this.#blend(shown, pair);
      if (frame !== undefined) this.#follow(shown, frame);
      entities.push(shown.entity);
    }
    if (own !== undefined) {
      this.#addFlights(entities, own);
      if (own.predicted !== undefined) insert(entities, own.predicted);
    }
    if (this.leaves.length > 0) this.leaves = [];
    for (const [handle, { entity, frame: last, tracks }] of this.#shown) {
      if (last === this.#frame) continue;
      tracks.hide();
      this.#shown.delete(handle);
      if (frame !== undefined && handle !== own?.predicted?.handle) this.#leave(entity, pair, frame.history);
    }
    const before = this.#predicted;
    this.#predicted = own?.predicted;
    if (frame !== undefined && before !== undefined && before.handle !== this.#predicted?.handle && !this.#shown.has(before.handle)) {
      this.#leave(before, pair, frame.history);
    }
    if (frame === undefined) this.#tracks.forget(Infinity, this.#shown);
    return entities;
  }

  /**
   * An entity is shown no more.
   * @param {Entity} entity as it was shown last
   * @param {Pair} pair
   * @param {readonly Snapshot[]} history oldest first
   */
  #leave(entity, pair, history) {
    const base = pair.alpha < 1 ? pair.older : pair.newer;
    // What is the own player's is shown as of the newest, before the others are.
    let at = isIn(base.images, entity.handle) ? history.length - 1 : history.indexOf(base);
    while (at > 0 && !isIn(history[at - 1].images, entity.handle)) at--;
    const isHidden = at < 0 || history[at].hidden.includes(entity.handle) || isIn(history[at].images, entity.handle);
    this.leaves.push({ entity, reason: isHidden ? 'view' : 'destroyed' });
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
   * Draws an entity where it is on its way to where the view has it.
   * @param {Shown} shown
   * @param {import('./tracks.js').Frame} frame
   */
  #follow({ entity, tracks }, frame) {
    const isOwned = this.#rows[OWNER_LAYER] !== -1;
    for (let l = 0; l < this.#motions.length; l++) {
      const mask = l === ROOM_LAYER && isOwned ? this.#masks[l] & ~this.#repeatedMask : this.#masks[l];
      for (let c = 0; c < this.#motions[l].length; c++) {
        if (((mask >>> c) & 1) === 1 && this.#motions[l][c].tracks > 0) this.#tracks.follow(tracks, l, c, entity, frame);
      }
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
   * @param {Shown} shown with the values of the base
   * @param {Pair} pair
   */
  #blend({ entity, tracks }, pair) {
    const { alpha, ticks } = pair;
    if (ticks === 0 || alpha === 0 || alpha === 1) return;
    const { images } = alpha < 1 ? pair.newer : pair.older;
    const own = this.#rows[OWNER_LAYER] === -1 ? -1 : findEntity(images[OWNER_LAYER], entity.slot, entity.generation);
    for (let l = 0; l < images.length; l++) {
      if (this.#rows[l] === -1) continue;
      const index = l === OWNER_LAYER ? own : findEntity(images[l], entity.slot, entity.generation);
      if (index === -1) continue;
      const except = l === ROOM_LAYER && own !== -1 ? this.#repeatedMask : 0;
      blendRow(entity, this.#sets[l], this.#motions[l], images[l], index, pair, except, tracks);
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
    const shown = { entity, owner, masks: [...this.#masks], frame: this.#frame, tracks: this.#tracks.of(handle) };
    this.#shown.set(handle, shown);
    return shown;
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
