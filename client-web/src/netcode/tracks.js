/**
 * Who goes after what: for every entity that is shown and each track of its components (the place,
 * and each turn), where it is drawn and how fast it was seen to go. Puts `catch_up.js` to use for
 * `others.js`. Not where a view has them: that is `interpolation.js`'s.
 */

import { handleAt } from '../snapshot/image.js';
import { OWNER_LAYER } from '../snapshot/layout.js';
import { CatchUp, TopSpeed } from './catch_up.js';
import { findEntity, readEven } from './entities.js';
import { turnBetween } from './interpolation.js';

/** @typedef {import('../session/layers.js').Snapshot} Snapshot */
/** @typedef {import('./interpolation.js').Pair} Pair */
/** @typedef {import('./motion.js').Motion} Motion */
/** @typedef {import('../snapshot/layout.js').ColumnSet} ColumnSet */

/**
 * A frame of the view.
 * @typedef {object} Frame
 * @property {number} ms since the one before
 * @property {number} periodMs milliseconds a tick
 * @property {readonly Pair[]} passed that the view came through since then
 * @property {readonly Snapshot[]} history the last snapshots, oldest first
 */

/** What moves of a component of an entity. Speeds are ways a tick. */
class Track {
  top = new TopSpeed();
  /** Between the two snapshots around the view. */
  now = 0;
  /** @type {CatchUp | undefined} before it is drawn */
  catchUp;
  /** Where the view has it. @type {number[]} */
  target = [];
}

/** An entity's tracks. */
export class EntityTracks {
  /** By component. @type {Map<string, Track[]>} */
  tracks = new Map();
  /** The newest snapshot that has it. */
  tick = 0;

  /**
   * @param {string} name of a component
   * @param {Motion} motion
   * @returns {Track[]}
   */
  of(name, motion) {
    let tracks = this.tracks.get(name);
    if (tracks === undefined) {
      tracks = Array.from({ length: motion.tracks }, () => new Track());
      this.tracks.set(name, tracks);
    }
    return tracks;
  }

  /** It is not drawn: when it is again, it is where it then is. */
  hide() {
    for (const tracks of this.tracks.values()) for (const track of tracks) track.catchUp = undefined;
  }

  /**
   * The view stands between two values of a component.
   * @param {string} name
   * @param {Motion} motion
   * @param {Record<string, any>} one
   * @param {Record<string, any>} other
   * @param {number} ticks between them
   * @param {number} alpha where it stands: 1 at the younger, above 1 beyond it
   * @returns {boolean} whether it goes from one to the other, and beyond the younger on: it did not
   *   jump, and nobody goes on at the pace of a leap
   */
  sees(name, motion, one, other, ticks, alpha) {
    const tracks = this.of(name, motion);
    if (motion.jumps(one, other, freeOf(motion, tracks, ticks))) return false;
    if (alpha > 1 && hasLeapt(motion, tracks, motion.way(one, other) / ticks)) return false;
    tracks.forEach((track, t) => {
      track.now = motion.wayOf(t, one, other) / ticks;
    });
    return true;
  }
}

/**
 * @param {Motion} motion
 * @param {Track[]} tracks
 * @param {number} ticks
 * @returns {number} what the place's top speed explains of a way over so many ticks
 */
function freeOf(motion, tracks, ticks) {
  return motion.places.length > 0 ? tracks[0].top.top * (ticks - 1) : 0;
}

/**
 * @param {Motion} motion
 * @param {Track[]} tracks
 * @param {number} speed of the place
 * @returns {boolean} whether it is that of a leap, of somebody whose top speed is known
 */
function hasLeapt(motion, tracks, speed) {
  return motion.places.length > 0 && tracks[0].top.top > 0 && tracks[0].top.leaps(speed);
}

/** The values of a component in two images. */
const [before, after] = /** @type {Record<string, any>[]} */ ([{}, {}]);

/** See the module's description. */
export class Tracks {
  #sets;
  #motions;
  /** @type {Map<number, EntityTracks>} by handle */
  #entityTracks = new Map();

  /**
   * @param {readonly ColumnSet[]} sets by layer
   * @param {readonly Motion[][]} motions of each layer's components
   */
  constructor(sets, motions) {
    this.#sets = sets;
    this.#motions = motions;
  }

  /**
   * @param {number} handle
   * @returns {EntityTracks}
   */
  of(handle) {
    let entityTracks = this.#entityTracks.get(handle);
    if (entityTracks === undefined) {
      entityTracks = new EntityTracks();
      this.#entityTracks.set(handle, entityTracks);
    }
    return entityTracks;
  }

  /**
   * A snapshot came after another: learns how fast everybody goes.
   * @param {Snapshot} older
   * @param {Snapshot} newer
   */
  learn(older, newer) {
    const ticks = newer.tick - older.tick;
    newer.images.forEach((image, l) => {
      const from = older.images[l];
      for (let i = 0; i < image.count; i++) {
        const entityTracks = this.of(handleAt(image, i));
        entityTracks.tick = newer.tick;
        const index = findEntity(from, image.slots[i], image.generations[i]);
        const mask = index === -1 ? 0 : from.masks[index] & image.masks[i];
        this.#motions[l].forEach((motion, c) => {
          const columns = this.#sets[l].components[c];
          // What two layers have is learnt from the room's.
          const isRepeated = l === OWNER_LAYER && columns.component.predicted === 'Fine';
          if (motion.tracks === 0 || ((mask >>> c) & 1) === 0 || isRepeated) return;
          readEven(before, columns, from, index);
          readEven(after, columns, image, i);
          const tracks = entityTracks.of(columns.component.name, motion);
          if (motion.jumps(before, after, freeOf(motion, tracks, ticks))) return;
          tracks.forEach((track, t) => track.top.saw(motion.wayOf(t, before, after) / ticks));
        });
      }
    });
  }

  /**
   * Draws a component where it is on its way to where the view has it.
   * @param {EntityTracks} entityTracks
   * @param {number} l layer that tells of it
   * @param {number} c component in it
   * @param {import('../types.js').Entity} entity as the view has it; changed in place
   * @param {Frame} frame
   */
  follow(entityTracks, l, c, entity, frame) {
    const motion = this.#motions[l][c];
    const { name } = this.#sets[l].components[c].component;
    const values = entity[name];
    const tracks = entityTracks.of(name, motion);
    for (let t = 0; t < tracks.length; t++) {
      const { target, top, now } = tracks[t];
      const turn = motion.turnOf(t);
      const fields = turn === undefined ? motion.places : [turn];
      for (let axis = 0; axis < fields.length; axis++) target[axis] = values[fields[axis]];
      const catchUp = (tracks[t].catchUp ??= new CatchUp(target));
      // The same turn may be written in many ways: the next to the view's.
      if (turn !== undefined) catchUp.shift(0, target[0] - turnBetween(catchUp.place[0], target[0]) - catchUp.place[0]);
      const speed = Math.max(top.top, now) / frame.periodMs;
      tracks[t].now = 0;
      if (!catchUp.reaches(target, speed, frame.ms) && this.#hasJumped(t, motion, l, c, entity, tracks, frame.passed)) catchUp.put(target);
      catchUp.follow(target, speed, frame.ms);
      for (let axis = 0; axis < fields.length; axis++) values[fields[axis]] = catchUp.place[axis];
    }
  }

  /**
   * @param {number} t track
   * @param {Motion} motion
   * @param {number} l
   * @param {number} c
   * @param {import('../types.js').Entity} entity
   * @param {Track[]} tracks
   * @param {readonly Pair[]} passed
   * @returns {boolean} whether the component jumped or the track leapt in one of the pairs that
   *   the view has left behind
   */
  #hasJumped(t, motion, l, c, { slot, generation }, tracks, passed) {
    const columns = this.#sets[l].components[c];
    return passed.some(({ older, newer, alpha, ticks }) => {
      if (alpha < 1) return false;
      const [a, b] = [older.images[l], newer.images[l]];
      const [i, j] = [findEntity(a, slot, generation), findEntity(b, slot, generation)];
      if (i === -1 || j === -1 || (((a.masks[i] & b.masks[j]) >>> c) & 1) === 0) return false;
      readEven(before, columns, a, i);
      readEven(after, columns, b, j);
      return motion.jumps(before, after, freeOf(motion, tracks, ticks)) || tracks[t].top.leaps(motion.wayOf(t, before, after) / ticks);
    });
  }

  /**
   * Forgets who is neither shown nor in the newest snapshot.
   * @param {number} tick of the newest snapshot
   * @param {{ has(handle: number): boolean }} shown by handle
   */
  forget(tick, shown) {
    for (const [handle, entityTracks] of this.#entityTracks) if (entityTracks.tick < tick && !shown.has(handle)) this.#entityTracks.delete(handle);
  }
}
