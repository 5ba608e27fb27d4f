/**
 * The own avatar, predicted: read from the newest snapshot, moved by the game's `step` over the inputs
 * that the server has not answered, drawn between ticks with errors smoothed away. Called by `room.js`; the
 * bookkeeping is `prediction.js`.
 *
 * What is drawn at a moment lies between the last two predicted ticks, because frames come more often
 * than ticks (the tick of that moment comes from `glide.js`). An error moves the state at once and the picture slowly: the difference is kept as an offset
 * that fades. An error beyond a jump (see `interpolation.js`) shows at once.
 */

import { dequantise, fine, quantise } from '../schema/field.js';
import { OWNER_LAYER, ROOM_LAYER } from '../schema/layout.js';
import { Owner } from '../snapshot/image.js';
import { findEntity, newEntity, readRow } from './entities.js';
import { blend, jumps, turnBetween } from './interpolation.js';
import { Prediction } from './prediction.js';

/** @typedef {import('../types.js').Entity} Entity */
/** @typedef {import('../schema/layout.js').Layout} Layout */
/** @typedef {import('../session/layers.js').Snapshot} Snapshot */

/** Milliseconds in which an error fades to a third, unless the game says otherwise. */
export const SMOOTH_MS = 100;
/** Ticks' worth of movement that an error may have to be smoothed. */
const SMOOTH_TICKS = 1;

/** See the module's description. */
export class Avatar {
  #layout;
  #code;
  #smoothMs;
  /** @type {Prediction<Entity, Record<string, any>>} */
  #prediction;
  #components;
  /** @type {Record<string, Record<string, number>>} what is added to the picture, by component and field */
  #offsets = {};
  #fadedMs = -Infinity;
  /** @type {Entity | undefined} */
  #drawn;
  /** Greatest error of a predicted field at the newest snapshot, in the game's units. */
  error = 0;

  /**
   * @param {Layout} layout
   * @param {number} you the own player
   * @param {number} dt seconds a tick
   * @param {{ step: NonNullable<import('../types.js').PlayOptions['step']>, smoothMs: number, neutral: Record<string, any> }} game
   */
  constructor(layout, you, dt, { step, smoothMs, neutral }) {
    this.#layout = layout;
    this.#code = Owner.avatarOf(you);
    this.#smoothMs = smoothMs;
    this.#components = layout.room.components
      .filter(({ component }) => component.predicted)
      .map(({ component, fields }) => ({
        name: component.name,
        fields: fields.map((field) => ({ ...field, kind: fine(field.kind) })),
      }));
    this.#prediction = new Prediction({
      clone: (state) => cloneEntity(state),
      step: (state, input, tick) => {
        step(state, input, { dt, tick });
        this.#snap(state);
      },
      neutral,
    });
  }

  /** @returns {boolean} whether there is an avatar */
  get isHere() {
    return this.#prediction.state !== undefined;
  }

  /**
   * The input of a tick was sent.
   * @param {number} tick
   * @param {Record<string, any>} input as the server will decode it
   */
  onInput(tick, input) {
    this.#prediction.step(tick, input);
  }

  /**
   * A snapshot was applied.
   * @param {Snapshot} snapshot
   */
  onSnapshot({ tick, images }) {
    const room = images[ROOM_LAYER];
    const index = room.owners.subarray(0, room.count).indexOf(this.#code);
    const rows = images.map((image) => (index === -1 ? -1 : findEntity(image, room.slots[index], room.generations[index])));
    if (rows[OWNER_LAYER] === -1) {
      this.#prediction.clear();
      this.#offsets = {};
      this.#drawn = undefined;
      return;
    }
    const server = newEntity(room, index);
    rows.forEach((row, layer) => {
      if (row !== -1) readRow(server, this.#layout.sets[layer], images[layer], row);
    });
    const { state: before, tick: beforeTick } = this.#prediction;
    const isSame = before?.handle === server.handle;
    if (!isSame) {
      this.#prediction.clear();
      this.#offsets = {};
    }
    const predicted = this.#prediction.reconcile(tick, server);
    if (predicted !== undefined) this.error = this.#difference(predicted, server);
    const { state: after, tick: afterTick } = this.#prediction;
    // States of different ticks differ by movement, which is no error.
    if (isSame && before !== undefined && after !== undefined && beforeTick === afterTick) this.#smooth(before, after);
  }

  /**
   * The avatar as it is to be drawn.
   * @param {number} passed the share of the newest predicted tick that has passed, 0..1; a tick less or more while
   *   the clock is being followed, which goes on straight
   * @param {number} nowMs
   * @returns {Entity | undefined} the same object until the entity changes
   */
  draw(passed, nowMs) {
    const { state, previous } = this.#prediction;
    if (state === undefined || previous === undefined) return undefined;
    this.#fade(nowMs);
    const drawn = this.#drawn?.handle === state.handle ? this.#drawn : cloneEntity(state);
    this.#drawn = drawn;
    for (const name in drawn) if (!(name in state)) delete drawn[name];
    for (const name in state) {
      const values = state[name];
      drawn[name] = isComponent(values) ? Object.assign(drawn[name] ?? {}, values) : values;
    }
    for (const { name, fields } of this.#components) {
      const values = drawn[name];
      const older = previous[name];
      if (values === undefined || older === undefined) continue;
      const isJump = jumps(fields, older, values, 1);
      for (const field of fields) {
        if (!isJump) values[field.name] = blend(field.kind, older[field.name], values[field.name], passed);
        const offset = this.#offsets[name]?.[field.name];
        if (offset !== undefined) values[field.name] += offset;
      }
    }
    return drawn;
  }

  /**
   * Predicted reals after every tick are what the owner's layer can say, on the server too.
   * @param {Entity} state
   */
  #snap(state) {
    for (const { name, fields } of this.#components) {
      const values = state[name];
      if (values === undefined) continue;
      for (const { name: field, kind } of fields) {
        if (kind.type === 'Real') values[field] = dequantise(kind, quantise(kind, values[field]));
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
   * The state was corrected: the picture stays where it is and follows.
   * @param {Entity} before the newest prediction until now
   * @param {Entity} after the one that replaces it, of the same tick
   */
  #smooth(before, after) {
    if (this.#smoothMs <= 0) return;
    for (const { name, fields } of this.#components) {
      const [from, to] = [before[name], after[name]];
      if (from === undefined || to === undefined || jumps(fields, from, to, SMOOTH_TICKS)) {
        delete this.#offsets[name];
        continue;
      }
      for (const { name: field, kind } of fields) {
        if (kind.type !== 'Real' && kind.type !== 'Turn') continue;
        const difference = differenceOf(kind, from[field], to[field]);
        if (difference === 0) continue;
        const offsets = (this.#offsets[name] ??= {});
        offsets[field] = (offsets[field] ?? 0) + difference;
      }
    }
  }

  /** @param {number} nowMs */
  #fade(nowMs) {
    const keep = Math.exp(Math.min(0, this.#fadedMs - nowMs) / this.#smoothMs);
    this.#fadedMs = nowMs;
    for (const offsets of Object.values(this.#offsets)) {
      for (const field in offsets) {
        offsets[field] *= keep;
        if (Math.abs(offsets[field]) < 1e-4) delete offsets[field];
      }
    }
  }
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
