/**
 * The rows of a body (PROTOCOL.md §7): what entering entities hold, and of kept ones what their
 * fields come to by prediction and residuals. Which entities there are is for `delta.js`, which
 * calls this for each of them. Nothing is allocated here: it runs for every entity of every
 * snapshot.
 */

import { ProtocolError } from '../protocol_error.js';
import { Guess } from '../schema/guess.js';
import { LENGTHS, SIZE_BITS, lengthAt, sizeAt, topBits } from './entering.js';
import * as model from './model.js';
import { activityOf, difference, follow, follows, guessChange, guessOf, leanOf, partOf, secondDiffOf, stepOf, wrap } from './predictor.js';
import { CODED_MAX, ESCAPE, STARTS } from './symbols.js';

/** @typedef {import('./layout.js').ColumnSet} ColumnSet */
/** @typedef {import('./layout.js').ComponentColumns} ComponentColumns */

/**
 * Reads rows. Holds scratch memory only, and between `start`s how the image stands to its baseline.
 */
export class RowDecoder {
  #set;
  #coder;
  /** The activity of each component of the entity that is read. */
  #activities;
  /** What is known of the column read before in the same component. @type {number} */
  #previous = model.Previous.Nothing;
  /** Ticks from the baseline, 0 for a keyframe. */
  #dt = 0;
  /** The baseline's gap. */
  #baseGap = 0;
  /** The image's gap. */
  #gap = 0;
  /**
   * 1 if the baseline is the image before, so that changes and second differences follow from
   * values; else 0.
   */
  #steady = 0;
  /**
   * Whether who enters has no past: it was not in the image before, so changes and second
   * differences are 0, and left out.
   */
  #isNew = false;
  /** The baseline's rows. @type {Int32Array} */
  #base = new Int32Array(0);
  /** The image's. @type {Int32Array} */
  #rows = new Int32Array(0);

  /**
   * @param {ColumnSet} set the layer's columns
   * @param {import('./range_coder.js').RangeDecoder} coder
   */
  constructor(set, coder) {
    this.#set = set;
    this.#coder = coder;
    this.#activities = new Uint8Array(set.components.length);
  }

  /**
   * Starts on a body.
   * @param {number} dt ticks from the baseline, 0 for a keyframe
   * @param {number} baseGap the baseline's gap
   * @param {number} gap the image's
   * @param {number} steady 1 if the baseline is the image before, else 0
   * @param {boolean} isGroup whether it is of a group's layer: who enters that may come from one
   *   that is not held
   */
  start(dt, baseGap, gap, steady, isGroup) {
    this.#dt = dt;
    this.#baseGap = baseGap;
    this.#gap = gap;
    this.#steady = steady;
    this.#isNew = steady === 1 && !isGroup;
  }

  /**
   * One that enters.
   * @param {number} mask
   * @param {Int32Array} rows the image's
   * @param {number} row where the entity's starts, which is 0
   */
  readEntered(mask, rows, row) {
    const { components, guess } = this.#set;
    for (let c = 0; c < components.length; c++) {
      if (((mask >>> c) & 1) === 0) continue;
      const { start, end } = components[c];
      let before = 0;
      for (let column = start; column < end; column++) {
        rows[row + column] = this.#readValue(column, rows, row, before);
        if (guess[column] === Guess.Change) before = rows[row + column];
      }
    }
  }

  /**
   * A column of one that enters.
   * @param {number} column
   * @param {Int32Array} rows
   * @param {number} row where the entity's starts; its columns before this one are there
   * @param {number} before the change before it of the same component, 0 for none
   * @returns {number}
   */
  #readValue(column, rows, row, before) {
    const coder = this.#coder;
    const set = this.#set;
    const guess = set.guess[column];
    const contexts = set.contexts[column];
    if (guess === Guess.Change) return this.#isNew ? 0 : this.#readChange(set.entering[column], before);
    if (guess === Guess.SecondDiff) {
      const isLeftOut = this.#isNew || this.#dt === 0;
      return isLeftOut ? 0 : unzigzag(coder.number(contexts + model.STEADY_COLUMN, model.WIDE));
    }
    if (!this.#isNew && follows(set, column, rows, row)) {
      const residual = unzigzag(coder.number(contexts + model.SIZE, model.WIDE));
      return wrap(follow(set, column, rows, row, this.#gap) + residual, set.shift[column]);
    }
    const value = coder.digits(set.entering[column], set.bits[column], topBits(guess, set.bits[column]));
    if (value > set.qMax[column]) throw new ProtocolError('value out of range');
    return value;
  }

  /**
   * The change of one that enters.
   * @param {number} contexts place of the column's for entering entities
   * @param {number} before the change before it of the same component, 0 for none
   * @returns {number}
   */
  #readChange(contexts, before) {
    const coder = this.#coder;
    const length = coder.unary(contexts + lengthAt(before), LENGTHS);
    if (length === 0) return 0;
    // One of 32 bits has no size of as many.
    if (length === 32) throw new ProtocolError('change out of range');
    const below = coder.digits(contexts + sizeAt(length), length, Math.min(length, SIZE_BITS));
    const size = ((1 << length) | below) - 1;
    return (coder.raw(1) === 1 ? -size : size) | 0;
  }

  /**
   * One that is kept: predicts it and reads the residuals if it changed.
   * @param {number} mask
   * @param {Int32Array} base the baseline's rows
   * @param {number} from where its row starts in them
   * @param {Int32Array} rows the image's
   * @param {number} to where its row starts in them, which is 0
   * @param {number} before what this returned for the one before it in this body, 0 for the first
   * @returns {number} 1 if it changed, else 0
   */
  readKept(mask, base, from, rows, to, before) {
    const coder = this.#coder;
    const set = this.#set;
    const steady = this.#steady;
    const activities = this.#activities;
    const { components } = set;
    this.#base = base;
    this.#rows = rows;
    let most = 0;
    for (let c = 0; c < components.length; c++) {
      if (((mask >>> c) & 1) === 0) continue;
      const activity = activityOf(set, components[c], base, from);
      activities[c] = activity;
      if (activity > most) most = activity;
    }
    const changed = most >= model.SURE_TO_CHANGE ? 1 : coder.bit(model.changedAt(steady, most, before));
    const isAlone = (mask & (mask - 1)) === 0;
    for (let c = 0; c < components.length; c++) {
      if (((mask >>> c) & 1) === 0) continue;
      const activity = activities[c];
      if (changed === 1 && (isAlone || coder.bit(model.componentAt(c, steady, activity)) === 1)) {
        this.#readComponent(c, activity, from, to);
      } else {
        this.#carryOn(components[c], activity, from, to);
      }
    }
    return changed;
  }

  /**
   * One that is kept in a body that was left out: it went as predicted.
   * @param {number} mask
   * @param {Int32Array} base the baseline's rows
   * @param {number} from where its row starts in them
   * @param {Int32Array} rows the image's
   * @param {number} to where its row starts in them, which is the baseline's or 0
   */
  predict(mask, base, from, rows, to) {
    const set = this.#set;
    this.#base = base;
    this.#rows = rows;
    for (let c = 0; c < set.components.length; c++) {
      if (((mask >>> c) & 1) === 0) continue;
      const component = set.components[c];
      this.#carryOn(component, activityOf(set, component, base, from), from, to);
    }
  }

  /**
   * A component whose residuals are all 0.
   * @param {ComponentColumns} component
   * @param {number} activity
   * @param {number} from where the baseline's row starts
   * @param {number} to where the image's row starts
   */
  #carryOn(component, activity, from, to) {
    const { linear, gains, shift } = this.#set;
    const base = this.#base;
    const rows = this.#rows;
    const dt = this.#dt;
    const gap = this.#gap;
    const baseGap = this.#baseGap;
    for (let i = component.linearStart; i < component.linearEnd; i++) {
      const at = from + linear[i];
      const place = to + linear[i];
      const last = base[at + 1];
      const step = stepOf(last, leanOf(gains, i, activity, base[at + 2], dt, baseGap), dt, baseGap);
      const value = wrap(base[at] + step, shift[linear[i]]);
      const way = difference(value, base[at], shift[linear[i]]);
      rows[place] = value;
      if (this.#steady === 1) {
        rows[place + 1] = way;
        rows[place + 2] = secondDiffOf(way, last);
      } else {
        rows[place + 1] = guessChange(way, gap, dt);
        rows[place + 2] = guessChange(secondDiffOf(rows[place + 1], last), gap, dt);
      }
    }
    this.#carryOthers(component, from, to);
  }

  /**
   * The columns of a component that are not linear, if their residuals are all 0.
   * @param {ComponentColumns} component
   * @param {number} from where the baseline's row starts
   * @param {number} to where the image's row starts
   */
  #carryOthers({ othersStart, othersEnd }, from, to) {
    const set = this.#set;
    const { others, shift } = set;
    const base = this.#base;
    const rows = this.#rows;
    const dt = this.#dt;
    const gap = this.#gap;
    for (let i = othersStart; i < othersEnd; i++) {
      const column = others[i];
      rows[to + column] = wrap(guessOf(set, column, base, from, rows, to, dt, gap), shift[column]);
    }
  }

  /**
   * A component that changed.
   * @param {number} c which
   * @param {number} activity
   * @param {number} from where the baseline's row starts
   * @param {number} to where the image's row starts
   */
  #readComponent(c, activity, from, to) {
    const component = this.#set.components[c];
    if (this.#steady === 1) this.#readSteadyLinear(component, activity, from, to);
    else this.#readLinear(component, activity, from, to);
    if (component.hasRest && this.#coder.bit(model.restAt(c, this.#steady, activity)) === 0) {
      this.#carryOthers(component, from, to);
    } else {
      this.#readOthers(component, activity, from, to);
    }
  }

  /**
   * @param {ComponentColumns} component
   * @param {number} activity
   * @param {number} from where the baseline's row starts
   * @param {number} to where the image's row starts
   */
  #readSteadyLinear({ linearStart, linearEnd }, activity, from, to) {
    const { linear, gains, shift, contexts, symbols } = this.#set;
    const base = this.#base;
    const rows = this.#rows;
    const dt = this.#dt;
    const baseGap = this.#baseGap;
    const coder = this.#coder;
    let jolt = 0;
    for (let i = linearStart; i < linearEnd; i++) {
      const column = linear[i];
      const at = from + column;
      const place = to + column;
      const last = base[at + 1];
      const lean = leanOf(gains, i, activity, base[at + 2], dt, baseGap);
      const table = i * model.TABLES + model.pairOf(activity, partOf(lean)) + jolt;
      const symbol = coder.symbol(symbols, table * STARTS);
      const residual = symbol === ESCAPE ? this.#readBeyond(contexts[column]) : symbol - CODED_MAX;
      jolt = model.joltOf(residual);
      const value = wrap(base[at] + stepOf(last, lean, dt, baseGap) + residual, shift[column]);
      const change = difference(value, base[at], shift[column]);
      rows[place] = value;
      rows[place + 1] = change;
      rows[place + 2] = secondDiffOf(change, last);
    }
  }

  /**
   * A linear column's residual that has no symbol.
   * @param {number} contexts the first of the column's
   * @returns {number} 32 bits, signed
   */
  #readBeyond(contexts) {
    const negative = this.#coder.raw(1);
    const size = (this.#coder.number(contexts + model.BEYOND, model.WIDE) + CODED_MAX + 1) | 0;
    return negative === 1 ? -size | 0 : size;
  }

  /**
   * Linear columns in a body that is not steady: changes and second differences have residuals too.
   * @param {ComponentColumns} component
   * @param {number} activity
   * @param {number} from where the baseline's row starts
   * @param {number} to where the image's row starts
   */
  #readLinear({ linearStart, linearEnd }, activity, from, to) {
    const { linear, gains, shift } = this.#set;
    const base = this.#base;
    const rows = this.#rows;
    const dt = this.#dt;
    const gap = this.#gap;
    const baseGap = this.#baseGap;
    this.#previous = model.Previous.Nothing;
    for (let i = linearStart; i < linearEnd; i++) {
      const column = linear[i];
      const at = from + column;
      const place = to + column;
      const last = base[at + 1];
      const step = stepOf(last, leanOf(gains, i, activity, base[at + 2], dt, baseGap), dt, baseGap);
      rows[place] = wrap(base[at] + step + this.#readLate(column), shift[column]);
      const way = difference(rows[place], base[at], shift[column]);
      rows[place + 1] = guessChange(way, gap, dt) + this.#readLate(column + 1);
      const secondDiff = secondDiffOf(rows[place + 1], last);
      rows[place + 2] = guessChange(secondDiff, gap, dt) + this.#readLate(column + 2);
    }
  }

  /**
   * @param {ComponentColumns} component
   * @param {number} activity
   * @param {number} from where the baseline's row starts
   * @param {number} to where the image's row starts
   */
  #readOthers({ othersStart, othersEnd }, activity, from, to) {
    const set = this.#set;
    const { others, shift, contexts } = set;
    const base = this.#base;
    const rows = this.#rows;
    const dt = this.#dt;
    const gap = this.#gap;
    const zero = model.STEADY_COLUMN + (activity === 0 ? 0 : model.ACTIVE);
    this.#previous = model.Previous.Nothing;
    for (let i = othersStart; i < othersEnd; i++) {
      const column = others[i];
      const guess = guessOf(set, column, base, from, rows, to, dt, gap);
      const first = contexts[column];
      const residual = this.#steady === 1 ? this.#readResidual(first + zero, first + model.STEADY_SIZE) : this.#readLate(column);
      rows[to + column] = wrap(guess + residual, shift[column]);
    }
  }

  /**
   * @param {number} column
   * @returns {number} its residual in a body that is not steady
   */
  #readLate(column) {
    const first = this.#set.contexts[column];
    return this.#readResidual(first, first + model.SIZE);
  }

  /**
   * @param {number} zero first of the contexts, by `Previous`, of its being 0
   * @param {number} size first of the contexts of its size
   * @returns {number} a residual
   */
  #readResidual(zero, size) {
    const coder = this.#coder;
    if (coder.bit(zero + this.#previous) === 0) {
      this.#previous = model.Previous.Zero;
      return 0;
    }
    this.#previous = model.Previous.Other;
    const negative = coder.raw(1);
    const magnitude = coder.number(size, model.WIDE) + 1;
    return negative === 1 ? -magnitude : magnitude;
  }
}

/** @param {number} z unsigned @returns {number} the signed number: 0, -1, 1, -2 … */
const unzigzag = (z) => (z >>> 1) ^ -(z & 1);
