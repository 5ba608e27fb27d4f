/**
 * Images to bodies, as the server makes them: the reverse of `src/snapshot/delta.js`, written for
 * tests. Encoding here and in Rust gives the same bytes, which the vectors prove.
 */

import { Guess } from '../../src/schema/layout.js';
import { checksum } from '../../src/snapshot/checksum.js';
import * as model from '../../src/snapshot/model.js';
import { difference, predict, predictChange } from '../../src/snapshot/predictor.js';
import { RangeEncoder } from './range_encoder.js';

/** @typedef {import('../../src/schema/layout.js').ColumnSet} ColumnSet */
/** @typedef {import('../../src/snapshot/image.js').Image} Image */

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
 * @param {number} layer
 * @param {ColumnSet} set
 * @param {Image | undefined} baseline undefined for a keyframe
 * @param {Image} image
 * @param {boolean} periodic whether a steady body carries a checksum too
 * @returns {Uint8Array}
 */
export function encodeBody(layer, set, baseline, image, periodic) {
  const back = baseline === undefined ? 0 : image.tick - baseline.tick;
  const steady = back !== 0 && image.gap === back;
  const sum = periodic || !steady ? u32(checksum(image)) : [];
  const coder = new RangeEncoder(set.prior);
  coder.bit(model.STEADY, steady);
  if (!steady) coder.number(model.GAP, model.NARROW, image.gap);
  const { removed, entered, kept } = split(baseline, image);
  coder.number(model.REMOVED, model.NARROW, removed.length);
  removed.forEach((index, i) => {
    coder.number(model.REMOVED_GAP, model.NARROW, index - (i === 0 ? 0 : removed[i - 1] + 1));
  });
  encodeEntered(coder, set, image, entered, steady);
  if (baseline !== undefined) encodeKept(coder, set, baseline, image, kept, back, steady);
  return Uint8Array.from([...varint(layer), sum.length > 0 ? 0x81 : 1, ...varint(back), ...sum, ...coder.finish()]);
}

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
    const isSame =
      baseline !== undefined &&
      slotA === slotB &&
      baseline.generations[a] === image.generations[b] &&
      baseline.owners[a] === image.owners[b] &&
      baseline.masks[a] === image.masks[b];
    if (isSame) kept.push([a, b]);
    else if (slotA <= slotB) removed.push(a);
    if (!isSame && slotB <= slotA) entered.push(b);
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
 * @param {boolean} steady
 */
function encodeEntered(coder, set, image, entered, steady) {
  coder.number(model.ENTERED, model.NARROW, entered.length);
  let next = 0;
  for (const i of entered) {
    const mask = image.masks[i];
    coder.number(model.SLOT_GAP, model.NARROW, image.slots[i] - next);
    next = image.slots[i] + 1;
    coder.number(model.GENERATION, model.WIDE, image.generations[i]);
    coder.number(model.OWNER, model.WIDE, image.owners[i]);
    set.components.forEach((_, c) => coder.bit(model.COMPONENTS + c * model.COMPONENT, ((mask >>> c) & 1) === 1));
    for (const column of columnsOf(set, mask)) {
      const value = image.rows[i * set.width + column];
      if (set.guess[column] !== Guess.Change) {
        coder.raw(set.bits[column], value);
      } else if (!steady) {
        const z = ((value << 1) ^ (value >> 31)) >>> 0;
        coder.number(model.sizeAt(model.columnsAt(set), column, 1), model.SIZES, z);
      }
    }
  }
}

/**
 * @param {RangeEncoder} coder
 * @param {ColumnSet} set
 * @param {Image} baseline
 * @param {Image} image
 * @param {[number, number][]} kept
 * @param {number} back
 * @param {boolean} steady
 */
function encodeKept(coder, set, baseline, image, kept, back, steady) {
  let before = 0;
  for (const [a, b] of kept) {
    const row = residuals(set, baseline, a * set.width, image, b, back, steady);
    const old = baseline.rows.subarray(a * set.width, (a + 1) * set.width);
    const mask = image.masks[b];
    const moving = columnsOf(set, mask).some((column) => isChange(set, old, column));
    const changed = row.some((residual) => residual !== 0);
    coder.bit(model.CHANGED + 4 * Number(steady) + 2 * Number(moving) + before, changed);
    before = Number(changed);
    if (!changed) continue;
    set.components.forEach((_, c) => {
      if (((mask >>> c) & 1) === 1) encodeComponent(coder, set, c, old, row, Number(steady));
    });
  }
}

/** @param {ColumnSet} set @param {Int32Array} old @param {number} column */
const isChange = (set, old, column) => set.guess[column] === Guess.Change && old[column] !== 0;

/**
 * @param {RangeEncoder} coder
 * @param {ColumnSet} set
 * @param {number} c which component
 * @param {Int32Array} old the baseline's row
 * @param {number[]} row residuals
 * @param {number} steady 0 or 1
 */
function encodeComponent(coder, set, c, old, row, steady) {
  const columns = columnsOf(set, 2 ** c);
  const moving = Number(columns.some((column) => isChange(set, old, column)));
  const any = columns.some((column) => row[column] !== 0);
  coder.bit(model.COMPONENTS + c * model.COMPONENT + 1 + 2 * steady + moving, any);
  if (!any) return;
  /** @type {number} */
  let previous = model.Previous.Nothing;
  const first = model.columnsAt(set);
  for (const column of columns) {
    if (steady === 1 && set.guess[column] === Guess.Change) continue;
    const residual = row[column];
    coder.bit(model.zeroAt(first, column, steady, moving) + previous, residual !== 0);
    previous = residual === 0 ? model.Previous.Zero : model.Previous.Other;
    if (residual === 0) continue;
    coder.raw(1, residual < 0 ? 1 : 0);
    coder.number(model.sizeAt(first, column, steady), model.SIZES, Math.abs(residual) - 1);
  }
}

/**
 * @param {ColumnSet} set
 * @param {Image} baseline
 * @param {number} from
 * @param {Image} image
 * @param {number} index
 * @param {number} back
 * @param {boolean} steady
 * @returns {number[]} by column, 0 for those of absent components
 */
function residuals(set, baseline, from, image, index, back, steady) {
  const to = index * set.width;
  const gap = baseline.gap === 0 ? 1 : baseline.gap;
  const all = new Array(set.width).fill(0);
  for (const column of columnsOf(set, image.masks[index])) {
    const value = image.rows[to + column];
    if (set.guess[column] === Guess.Change) {
      const modulus = set.modulus[column - 1];
      const change = difference(image.rows[to + column - 1], baseline.rows[from + column - 1], modulus);
      if (!steady) all[column] = (value - predictChange(change, image.gap, back)) | 0;
    } else {
      const guess = predict(set, baseline.rows, from, column, back, gap);
      all[column] = difference(value, guess, set.modulus[column]);
    }
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
