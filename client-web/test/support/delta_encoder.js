/**
 * Images to bodies, as the server makes them: the reverse of `src/snapshot/delta.js`, written for
 * tests. Encoding here and in Rust gives the same bytes, which the vectors prove.
 */

import { Guess } from '../../src/schema/guess.js';
import { checksum } from '../../src/snapshot/checksum.js';
import { LENGTHS, SIZE_BITS, lengthAt, sizeAt, topBits } from '../../src/snapshot/entering.js';
import { Image, handleAt } from '../../src/snapshot/image.js';
import { GROUP_LAYERS } from '../../src/snapshot/layout.js';
import * as model from '../../src/snapshot/model.js';
import { activityOf, difference, follow, follows, guessChange, guessOf, leanOf, partOf, secondDiffOf, stepOf } from '../../src/snapshot/predictor.js';
import { CODED_MAX, ESCAPE, STARTS } from '../../src/snapshot/symbols.js';
import { RangeEncoder } from './range_encoder.js';

/** @typedef {import('../../src/snapshot/layout.js').ColumnSet} ColumnSet */

/**
 * @param {number} value 0..2^32 - 1
 * @returns {number[]} its unsigned LEB128 bytes
 */
export function varint(value) {
  const bytes = [];
  let rest = value >>> 0;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return bytes;
}

/** @param {number} value */
export const u32 = (value) => [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];

/**
 * @param {number} kind
 * @param {ArrayLike<number>} bytes
 * @returns {Uint8Array} a snapshot's section
 */
export const section = (kind, bytes) => Uint8Array.from([kind, ...varint(bytes.length), ...Array.from(bytes)]);

/**
 * How a layer's body is made, besides of what.
 * @typedef {object} BodyOptions
 * @property {number} [epoch] of the tables
 * @property {(slot: number) => Image | undefined} [from] of a group's layer: the image, of the
 *   baseline's tick, of another group that the client holds and the entity in that slot was in
 * @property {(handle: number) => boolean} [livesOn] of a group's layer: whether who is not in it
 *   any more is elsewhere in the room
 */

/**
 * @param {number} layer
 * @param {ColumnSet} set
 * @param {Image | undefined} baseline undefined for a keyframe, which brings it bare
 * @param {Image} whole
 * @param {boolean} periodic whether a steady body carries a checksum too
 * @param {BodyOptions} [options]
 * @returns {Uint8Array}
 */
export function encodeBody(layer, set, baseline, whole, periodic, { epoch = 0, from = () => undefined, livesOn = () => false } = {}) {
  const image = baseline === undefined ? bare(set, whole) : whole;
  const back = baseline === undefined ? 0 : image.tick - baseline.tick;
  const steady = back !== 0 && image.gap === back;
  const sum = periodic || !steady ? u32(checksum(image)) : [];
  const isGroup = layer >= GROUP_LAYERS;
  const coder = new RangeEncoder(isGroup ? model.groupPrior(set) : set.prior);
  coder.bit(model.STEADY, steady);
  if (!steady) coder.number(model.GAP, model.NARROW, image.gap);
  const base = isGroup && baseline !== undefined ? encodeArrived(coder, set, baseline, image, from) : baseline;
  const { removed, entered, kept } = split(base, image);
  coder.number(model.REMOVED, model.NARROW, removed.length);
  removed.forEach((index, i) => {
    coder.number(model.REMOVED_GAP, model.NARROW, index - (i === 0 ? 0 : removed[i - 1] + 1));
    if (isGroup && base !== undefined) coder.raw(1, livesOn(handleAt(base, index)) ? 1 : 0);
  });
  encodeEntered(coder, set, image, entered, back, steady && !isGroup);
  if (base !== undefined) encodeKept(coder, set, base, image, kept, back, steady);
  const mode = (back < 31 ? back : 31) | ((epoch & 3) << 5) | (sum.length > 0 ? 0x80 : 0);
  const head = back === 0 ? [isGroup ? 0 : layer] : back < 31 ? [] : varint(back);
  return Uint8Array.from([mode, ...head, ...sum, ...coder.finish()]);
}

/**
 * @param {ColumnSet} set
 * @param {Image} baseline
 * @param {Image} image
 * @returns {boolean} whether a body that says nothing leads from one to the other, so that a
 *   server leaves it out
 */
export function isPredicted(set, baseline, image) {
  const back = image.tick - baseline.tick;
  const { removed, entered, kept } = split(baseline, image);
  if (baseline.bare || image.gap !== back || removed.length > 0 || entered.length > 0) return false;
  return kept.every(([a, b]) =>
    set.components.every((component, c) => {
      if (((image.masks[b] >>> c) & 1) === 0) return true;
      const activity = activityOf(set, component, baseline.rows, a * set.width);
      return !residuals(set, component, activity, baseline, a * set.width, image, b * set.width, back).some(isChanged);
    }),
  );
}

/**
 * @param {RangeEncoder} coder
 * @param {ColumnSet} set
 * @param {Image} baseline
 * @param {Image} image
 * @param {(slot: number) => Image | undefined} from
 * @returns {Image} the baseline with those that arrived from other groups
 */
function encodeArrived(coder, set, baseline, image, from) {
  const contexts = set.prior.length;
  const joined = new Image(set.width);
  joined.begin(baseline.tick, baseline.gap);
  /** @type {number[]} */
  const arrived = [];
  const last = Math.max(...[baseline, image].map(({ slots, count }) => (count === 0 ? 0 : slots[count - 1])));
  for (let slot = 0; slot <= last; slot++) {
    const [own, now] = [baseline.find(slot), image.find(slot)];
    const other = now === -1 ? undefined : from(slot);
    if (own !== -1) joined.append(baseline, own);
    else if (other !== undefined && isSame(other, other.find(slot), image, now)) {
      arrived.push(slot);
      joined.append(other, other.find(slot));
    }
  }
  coder.number(contexts, model.NARROW, arrived.length);
  arrived.forEach((slot, i) => coder.number(contexts + model.NARROW, model.NARROW, slot - (i === 0 ? 0 : arrived[i - 1] + 1)));
  return joined;
}

/**
 * @param {ColumnSet} set
 * @param {Image} image
 * @returns {Image} it as a keyframe brings it: its second difference columns are 0
 */
export function bare(set, image) {
  const copy = new Image(set.width);
  const { tick, gap, count, slots, generations, owners, masks, rows } = image;
  for (let i = 0; i < count; i++) copy.push(slots[i], generations[i], owners[i], masks[i]);
  copy.tick = tick;
  copy.gap = gap;
  copy.bare = true;
  copy.rows.set(rows.subarray(0, count * set.width));
  for (let at = 0; at < count * set.width; at++) if (set.guess[at % set.width] === Guess.SecondDiff) copy.rows[at] = 0;
  return copy;
}

/**
 * @param {Image} one
 * @param {number} a
 * @param {Image} other
 * @param {number} b
 * @returns {boolean} whether it is the same entity, and can be coded as one that goes on
 */
export const isSame = (one, a, other, b) =>
  one.generations[a] === other.generations[b] && one.owners[a] === other.owners[b] && one.masks[a] === other.masks[b];

/**
 * @param {Image | undefined} baseline
 * @param {Image} image
 */
function split(baseline, image) {
  /** @type {number[]} */
  const removed = [];
  /** @type {number[]} */
  const entered = [];
  /** @type {[number, number][]} */
  const kept = [];
  const count = baseline?.count ?? 0;
  for (let a = 0, b = 0; a < count || b < image.count; ) {
    const slotA = baseline !== undefined && a < count ? baseline.slots[a] : Infinity;
    const slotB = b < image.count ? image.slots[b] : Infinity;
    const isKept = baseline !== undefined && slotA === slotB && isSame(baseline, a, image, b);
    if (isKept) kept.push([a, b]);
    else if (slotA <= slotB) removed.push(a);
    if (!isKept && slotB <= slotA) entered.push(b);
    if (slotA <= slotB) a++;
    if (slotB <= slotA) b++;
  }
  return { removed, entered, kept };
}

/**
 * @param {RangeEncoder} coder
 * @param {ColumnSet} set
 * @param {Image} image
 * @param {number[]} entered
 * @param {number} back
 * @param {boolean} steady
 */
function encodeEntered(coder, set, image, entered, back, steady) {
  coder.number(model.ENTERED, model.NARROW, entered.length);
  let next = 0;
  for (const i of entered) {
    const mask = image.masks[i];
    coder.number(model.SLOT_GAP, model.NARROW, image.slots[i] - next);
    next = image.slots[i] + 1;
    coder.number(model.GENERATION, model.WIDE, image.generations[i]);
    coder.number(model.OWNER, model.WIDE, image.owners[i]);
    set.components.forEach((_, c) => coder.bit(model.presentAt(c), ((mask >>> c) & 1) === 1));
    const row = i * set.width;
    let before = 0;
    for (const column of columnsOf(set, mask)) {
      const value = image.rows[row + column];
      const first = set.contexts[column];
      if (set.components.some(({ start }) => start === column)) before = 0;
      if (set.guess[column] === Guess.Change) {
        if (!steady) encodeEnteringChange(coder, set.entering[column], before, value);
        before = value;
      } else if (set.guess[column] === Guess.SecondDiff) {
        if (!steady && back !== 0) coder.number(first + model.STEADY_COLUMN, model.WIDE, zigzag(value));
      } else if (!steady && follows(set, column, image.rows, row)) {
        const residual = difference(value, follow(set, column, image.rows, row, image.gap), set.shift[column]);
        coder.number(first + model.SIZE, model.WIDE, zigzag(residual));
      } else {
        const bits = set.bits[column];
        coder.digits(set.entering[column], bits, topBits(set.guess[column], bits), value);
      }
    }
  }
}

/**
 * @param {RangeEncoder} coder
 * @param {number} contexts place of the column's for entering entities
 * @param {number} before the change before it of the same component, 0 for none
 * @param {number} change
 */
function encodeEnteringChange(coder, contexts, before, change) {
  const size = Math.abs(change) + 1;
  const length = 31 - Math.clz32(size);
  coder.unary(contexts + lengthAt(before), LENGTHS, length);
  if (length === 0) return;
  coder.digits(contexts + sizeAt(length), length, Math.min(length, SIZE_BITS), size);
  coder.raw(1, change < 0 ? 1 : 0);
}

/** @param {number} value */
const zigzag = (value) => ((value << 1) ^ (value >> 31)) >>> 0;

/**
 * @param {RangeEncoder} coder
 * @param {ColumnSet} set
 * @param {Image} baseline
 * @param {Image} image
 * @param {[number, number][]} kept
 * @param {number} dt
 * @param {boolean} steady
 */
function encodeKept(coder, set, baseline, image, kept, dt, steady) {
  let before = 0;
  for (const [a, b] of kept) {
    const components = set.components.flatMap((component, c) => {
      if (((image.masks[b] >>> c) & 1) === 0) return [];
      const activity = activityOf(set, component, baseline.rows, a * set.width);
      return [{ c, activity, residuals: residuals(set, component, activity, baseline, a * set.width, image, b * set.width, dt) }];
    });
    const most = Math.max(0, ...components.map(({ activity }) => activity));
    const isSure = most >= model.SURE_TO_CHANGE;
    const changed = isSure || components.some(({ residuals }) => residuals.some(isChanged));
    if (!isSure) coder.bit(model.changedAt(Number(steady), most, before), changed);
    before = Number(changed);
    if (!changed) continue;
    for (const { c, activity, residuals } of components) {
      const any = components.length === 1 || residuals.some(isChanged);
      if (components.length > 1) coder.bit(model.componentAt(c, Number(steady), activity), any);
      if (any) encodeComponent(coder, set, c, activity, residuals, steady);
    }
  }
}

/**
 * What a column differs by from its guess; `part` of a step that the guess stood for, in linear
 * columns of steady bodies.
 * @typedef {{ column: number, residual: number, part?: number }} Residual
 */

/** @param {Residual} residual */
const isChanged = ({ residual }) => residual !== 0;

/**
 * @param {RangeEncoder} coder
 * @param {ColumnSet} set
 * @param {number} c which component
 * @param {number} activity
 * @param {Residual[]} residuals of its columns in the order in which they are coded
 * @param {boolean} steady
 */
function encodeComponent(coder, set, c, activity, residuals, steady) {
  const isOther = ({ column = 0 }) => set.others.includes(column);
  const others = residuals.filter(isOther);
  const linear = residuals.filter((residual) => !isOther(residual));
  if (steady) encodeSteadyLinear(coder, set, activity, linear);
  else encodeResiduals(coder, set, activity, linear, false);
  if (set.components[c].hasRest) {
    const rest = others.some(isChanged);
    coder.bit(model.restAt(c, Number(steady), activity), rest);
    if (!rest) return;
  }
  encodeResiduals(coder, set, activity, others, steady);
}

/**
 * @param {RangeEncoder} coder
 * @param {ColumnSet} set
 * @param {number} activity
 * @param {Residual[]} residuals of linear columns
 */
function encodeSteadyLinear(coder, set, activity, residuals) {
  let jolt = 0;
  for (const { column, residual, part = 0 } of residuals) {
    const size = Math.abs(residual);
    const symbol = size > CODED_MAX ? ESCAPE : residual + CODED_MAX;
    const table = set.linear.indexOf(column) * model.TABLES + model.pairOf(activity, part) + jolt;
    coder.symbol(set.symbols, table * STARTS, symbol);
    if (symbol === ESCAPE) {
      coder.raw(1, residual < 0 ? 1 : 0);
      coder.number(set.contexts[column] + model.BEYOND, model.WIDE, size - CODED_MAX - 1);
    }
    jolt = model.joltOf(residual);
  }
}

/**
 * @param {RangeEncoder} coder
 * @param {ColumnSet} set
 * @param {number} activity
 * @param {Residual[]} residuals of columns that are not linear, or of all in a body that is not
 *   steady
 * @param {boolean} steady
 */
function encodeResiduals(coder, set, activity, residuals, steady) {
  const zero = steady ? model.STEADY_COLUMN + (activity > 0 ? model.ACTIVE : 0) : 0;
  /** @type {number} */
  let previous = model.Previous.Nothing;
  for (const { column, residual } of residuals) {
    const first = set.contexts[column];
    coder.bit(first + zero + previous, residual !== 0);
    previous = residual === 0 ? model.Previous.Zero : model.Previous.Other;
    if (residual === 0) continue;
    coder.raw(1, residual < 0 ? 1 : 0);
    coder.number(first + (steady ? model.STEADY_SIZE : model.SIZE), model.WIDE, Math.abs(residual) - 1);
  }
}

/**
 * @param {ColumnSet} set
 * @param {import('../../src/snapshot/layout.js').ComponentColumns} component
 * @param {number} activity
 * @param {Image} baseline
 * @param {number} from
 * @param {Image} image
 * @param {number} to
 * @param {number} dt
 * @returns {Residual[]} of its columns in the order in which they are coded
 */
function residuals(set, component, activity, baseline, from, image, to, dt) {
  const { linear, others, gains, shift } = set;
  const { rows, gap } = image;
  const base = baseline.rows;
  /** @type {Residual[]} */
  const all = [];
  for (let i = component.linearStart; i < component.linearEnd; i++) {
    const column = linear[i];
    const [at, old] = [to + column, from + column];
    const lean = leanOf(gains, i, activity, base[old + 2], dt, baseline.gap);
    const guess = base[old] + stepOf(base[old + 1], lean, dt, baseline.gap);
    all.push({ column, residual: difference(rows[at], guess, shift[column]), part: partOf(lean) });
    if (gap === dt) continue;
    const change = guessChange(difference(rows[at], base[old], shift[column]), gap, dt);
    const secondDiff = guessChange(secondDiffOf(rows[at + 1], base[old + 1]), gap, dt);
    all.push({ column: column + 1, residual: (rows[at + 1] - change) | 0 }, { column: column + 2, residual: (rows[at + 2] - secondDiff) | 0 });
  }
  for (let i = component.othersStart; i < component.othersEnd; i++) {
    const column = others[i];
    const guess = guessOf(set, column, base, from, rows, to, dt, gap);
    all.push({ column, residual: difference(rows[to + column], guess, shift[column]) });
  }
  return all;
}

/**
 * @param {ColumnSet} set
 * @param {number} mask
 */
function columnsOf(set, mask) {
  return set.components.flatMap(({ start, end }, c) =>
    (mask >>> c) & 1 ? Array.from({ length: end - start }, (_, i) => start + i) : [],
  );
}
