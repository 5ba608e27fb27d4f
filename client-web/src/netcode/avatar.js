/**
 * The own avatar, predicted: read from the newest snapshot, moved by the game's `step` over the
 * inputs that the server has not answered, drawn between ticks with errors smoothed away. Called by
 * `room.js`; the bookkeeping is `prediction.js`.
 *
 * Frames come more often than ticks. What is drawn at a moment lies between the newest predicted
 * tick and a look at the next one: `step` with the controls as they are now. So a key that is
 * pressed shows in the next frame, before the tick that carries it is sent.
 *
 * An error moves the state at once and the picture slowly (`smoothing.js`). By the same means the
 * picture goes on from where it was when controls change in the midst of a tick, of which they
 * count for the whole, and when inputs begin to leave earlier or later, which moves the avatar in
 * time.
 */

import { report } from '../report.js';
import { dequantise, fine, quantise } from '../schema/field.js';
import { Owner } from '../snapshot/image.js';
import { OWNER_LAYER, ROOM_LAYER } from '../snapshot/layout.js';
import { findEntity, newEntity, readRow } from './entities.js';
import { blend, turnBetween } from './interpolation.js';
import { Motion } from './motion.js';
import { Prediction } from './prediction.js';
import { Smoothing } from './smoothing.js';

/** @typedef {import('../types.js').Entity} Entity */
/** @typedef {import('../snapshot/layout.js').Layout} Layout */
/** @typedef {import('../session/layers.js').Snapshot} Snapshot */

/**
 * Two states and the place between them.
 * @typedef {{ from: Entity, to: Entity, share: number }} Between
 */

/** Ticks by which inputs may begin to leave earlier or later without a jump. */
const SHIFT_MAX = 8;

/** See the module's description. */
export class Avatar {
  #layout;
  #code;
  #next;
  /** @type {Prediction<Entity, Record<string, any>>} */
  #prediction;
  #components;
  /** Bits of the room layer's components of which the owner's layer has a fine copy. */
  #copiedMask;
  /** Bits of those that are predicted as everyone gets them. */
  #gridMask;
  /** @type {Entity | undefined} */
  #drawn;
  /**
   * The controls that were drawn last, for the tick after the prediction's.
   * @type {Record<string, any> | undefined}
   */
  #wanted;
  /** The share of that tick that had passed. */
  #passed = 0;
  /** Greatest error of a predicted field at the newest snapshot, in the game's units. */
  error = 0;

  /**
   * @param {Layout} layout
   * @param {number} you the own player
   * @param {number} dt seconds a tick
   * @param {{ step: NonNullable<import('../types.js').PlayOptions['step']>, smoothMs: number |
   *   undefined, neutral: Record<string, any> }} game
   */
  constructor(layout, you, dt, { step, smoothMs, neutral }) {
    this.#layout = layout;
    this.#code = Owner.avatarOf(you);
    this.#next = (/** @type {Entity} */ state, /** @type {Record<string, any>} */ input, /** @type {number} */ tick) => {
      const next = cloneEntity(state);
      try {
        step(next, input, { dt, tick });
        this.#snap(next);
        return next;
      } catch (error) {
        // The figure stands still until the next snapshot puts it where the server has it.
        report('step', error);
        return cloneEntity(state);
      }
    };
    this.#components = layout.room.components
      .filter(({ component }) => component.predicted !== 'No')
      .map(({ component, fields }) => ({
        name: component.name,
        motion: new Motion(component),
        smoothing: new Smoothing(fields.length, smoothMs),
        fields: fields.map((field) => ({ ...field, kind: component.predicted === 'Fine' ? fine(field.kind) : field.kind })),
      }));
    this.#copiedMask = predictedMask(layout, 'Fine');
    this.#gridMask = predictedMask(layout, 'Grid');
    this.#prediction = new Prediction({ next: this.#next, neutral });
  }

  /**
   * The input of a tick was sent.
   * @param {number} tick
   * @param {Record<string, any>} input as the server will decode it
   */
  onInput(tick, input) {
    this.#want(input);
    this.#prediction.step(tick, input);
    this.#passed -= 1;
  }

  /**
   * A snapshot was applied.
   * @param {Snapshot} snapshot
   */
  onSnapshot({ tick, images, ticks }) {
    const room = images[ROOM_LAYER];
    const index = room.owners.subarray(0, room.count).indexOf(this.#code);
    const rows = images.map((image) => (index === -1 ? -1 : findEntity(image, room.slots[index], room.generations[index])));
    const mask = index === -1 ? 0 : room.masks[index];
    const [isCopied, isOnGrid] = [(mask & this.#copiedMask) !== 0, (mask & this.#gridMask) !== 0];
    // Who has a component that is on its grid may have nothing in the owner's layer.
    const isHere = (isOnGrid && !isCopied) || rows[OWNER_LAYER] !== -1;
    // All that `step` may ask of the avatar came, or there is nothing in the owner's layer ever.
    const isWhole = images[OWNER_LAYER].tick > 0 || this.#layout.owner.width === 0;
    if (!isHere || !isWhole) {
      this.#begin();
      this.#drawn = undefined;
      return;
    }
    // A layer that was dropped tells of an earlier tick, until its keyframe comes.
    const told = ticks === undefined ? room.tick : ticks[index];
    if ((isOnGrid && told !== tick) || (isCopied && images[OWNER_LAYER].tick !== tick)) return;
    const server = newEntity(room, index);
    rows.forEach((row, layer) => {
      if (row !== -1) readRow(server, this.#layout.sets[layer], images[layer], row);
    });
    const { state: before, tick: beforeTick } = this.#prediction;
    const isKnown = before?.handle === server.handle;
    if (!isKnown) this.#begin();
    const predicted = this.#prediction.reconcile(tick, server);
    if (predicted !== undefined) this.error = this.#difference(predicted, server);
    const { state: after, tick: afterTick } = this.#prediction;
    // States of different ticks differ by movement, which is no error.
    if (isKnown && before !== undefined && after !== undefined && beforeTick === afterTick) this.#follow(before, after, 1);
  }

  /** There is none, or another: what was predicted of it is void. */
  #begin() {
    this.#prediction.clear();
    for (const { smoothing } of this.#components) smoothing.offset.fill(0);
  }

  /**
   * The avatar as it is to be drawn.
   * @param {number} passed the share of the tick after the newest predicted one that has passed,
   *   0..1
   * @param {number} nowMs
   * @param {Record<string, any> | undefined} wanted the controls now, as the server would decode
   *   them
   * @param {number} shift ticks that inputs leave earlier than in the frame before
   * @returns {Entity | undefined} the same object until the entity changes
   */
  draw(passed, nowMs, wanted, shift) {
    const { state } = this.#prediction;
    if (state === undefined) return undefined;
    for (const { smoothing } of this.#components) smoothing.fade(nowMs);
    if (wanted !== undefined) this.#want(wanted);
    this.#passed = passed;
    if (shift !== 0 && Math.abs(shift) <= SHIFT_MAX) this.#bridge(this.#between(passed - shift), this.#between(passed));
    const drawn = this.#drawn?.handle === state.handle ? this.#drawn : cloneEntity(state);
    this.#drawn = drawn;
    for (const name in drawn) if (!(name in state)) delete drawn[name];
    for (const name in state) {
      const values = state[name];
      drawn[name] = isComponent(values) ? Object.assign(drawn[name] ?? {}, values) : values;
    }
    const { from, to, share } = this.#between(passed) ?? { from: state, to: state, share: 1 };
    for (const { name, motion, smoothing, fields } of this.#components) {
      const values = drawn[name];
      const older = from[name];
      const younger = to[name];
      if (values === undefined || older === undefined || younger === undefined) continue;
      const isJump = motion.jumps(older, younger, 0);
      fields.forEach(({ name: field, kind }, axis) => {
        if (!smooths(kind)) return;
        if (!isJump) values[field] = blend(kind, older[field], younger[field], share);
        values[field] += smoothing.offset[axis];
      });
    }
    return drawn;
  }

  /**
   * @param {number} passed ticks since the newest predicted one; below 0 for a place between
   *   those before it
   * @returns {Between | undefined} undefined if it is not remembered
   */
  #between(passed) {
    const { state, tick } = this.#prediction;
    if (state === undefined) return undefined;
    if (passed > 0 && this.#wanted !== undefined) return { from: state, to: this.#next(state, this.#wanted, tick + 1), share: passed };
    const back = Math.max(1, Math.ceil(-passed));
    const from = this.#prediction.at(tick - back);
    const to = this.#prediction.at(tick - back + 1);
    return from && to && { from, to, share: Math.min(1, passed + back) };
  }

  /**
   * The avatar is drawn at another time of its own from now on: the picture goes on from where it
   * was.
   * @param {Between | undefined} before
   * @param {Between | undefined} after
   */
  #bridge(before, after) {
    if (before === undefined || after === undefined) return;
    for (const { name, motion, smoothing, fields } of this.#components) {
      const states = [before.from[name], before.to[name], after.from[name], after.to[name]];
      if (states.includes(undefined) || motion.jumps(states[0], states[3], motion.way(states[0], states[1]) * SHIFT_MAX)) continue;
      const by = fields.map(({ name: field, kind }) => {
        if (!smooths(kind)) return 0;
        const [from, to] = [before, after].map((each) => blend(kind, each.from[name][field], each.to[name][field], each.share));
        return differenceOf(kind, from, to);
      });
      smoothing.correct(by, false);
    }
  }

  /**
   * The controls of the tick in progress are these now. The picture goes on from where it was.
   * @param {Record<string, any>} wanted
   */
  #want(wanted) {
    const before = this.#wanted;
    this.#wanted = wanted;
    const { state } = this.#prediction;
    if (before === undefined || state === undefined || this.#passed <= 0 || isSame(before, wanted)) return;
    const soon = this.#prediction.tick + 1;
    this.#follow(this.#next(state, before, soon), this.#next(state, wanted, soon), this.#passed);
  }

  /**
   * Predicted reals and turns after every tick are what the server can say, which has snapped them
   * too: in the owner's layer, or to everyone. Throws for what is no number: a mistake of the
   * page's `step`.
   * @param {Entity} state
   */
  #snap(state) {
    for (const { name, fields } of this.#components) {
      const values = state[name];
      if (values === undefined) continue;
      for (const { name: field, kind } of fields) {
        if (!smooths(kind)) continue;
        const value = values[field];
        if (typeof value !== 'number' || value !== value) throw new TypeError(`step left ${name}.${field} at ${String(value)}, which is no number`);
        values[field] = dequantise(kind, quantise(kind, value));
      }
    }
  }

  /**
   * @param {Entity} a
   * @param {Entity} b
   * @returns {number} the greatest difference of a predicted field
   */
  #difference(a, b) {
    let greatest = 0;
    for (const { name, fields } of this.#components) {
      if (a[name] === undefined || b[name] === undefined) continue;
      for (const { name: field, kind } of fields) {
        const difference = differenceOf(kind, a[name][field], b[name][field]);
        greatest = Math.max(greatest, Math.abs(difference));
      }
    }
    return greatest;
  }

  /**
   * One prediction replaces another: the picture stays where it is and follows.
   * @param {Entity} before the one until now
   * @param {Entity} after the one that replaces it, of the same tick
   * @param {number} share of the difference that shows
   */
  #follow(before, after, share) {
    for (const { name, motion, smoothing, fields } of this.#components) {
      const [from, to] = [before[name], after[name]];
      if (from === undefined || to === undefined) continue;
      const by = fields.map(({ name: field, kind }) => (smooths(kind) ? differenceOf(kind, from[field], to[field]) * share : 0));
      smoothing.correct(by, motion.jumps(from, to, 0));
    }
  }
}

/**
 * @param {Layout} layout
 * @param {import('../schema/schema.js').Component['predicted']} predicted
 * @returns {number} bits of the room layer's components that are predicted so
 */
function predictedMask({ room }, predicted) {
  return room.components.reduce((mask, { component }, c) => (component.predicted === predicted ? mask | (1 << c) : mask), 0);
}

/**
 * @param {import('../schema/field.js').FieldKind} kind
 * @returns {boolean} whether there is anything between two values of it
 */
function smooths(kind) {
  return kind.type === 'Real' || kind.type === 'Turn';
}

/**
 * @param {import('../schema/field.js').FieldKind} kind
 * @param {any} a
 * @param {any} b
 * @returns {number} `a - b`; 1 for values that are no numbers and differ
 */
function differenceOf(kind, a, b) {
  if (kind.type === 'Turn') return turnBetween(b, a);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return a === b ? 0 : 1;
}

/**
 * @param {Record<string, any>} a
 * @param {Record<string, any>} b
 * @returns {boolean} whether two inputs are the same
 */
function isSame(a, b) {
  for (const name in a) if (a[name] !== b[name]) return false;
  return true;
}

/**
 * @param {any} value
 * @returns {boolean} whether an entity's property is a component, not one of its own
 */
function isComponent(value) {
  return typeof value === 'object' && value !== null;
}

/**
 * @param {Entity} entity
 * @returns {Entity} a copy that shares no component
 */
function cloneEntity(entity) {
  const copy = { ...entity };
  for (const name in copy) if (isComponent(copy[name])) copy[name] = { ...copy[name] };
  return copy;
}
