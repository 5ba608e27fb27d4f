/**
 * Images to bodies, as the server makes them: the reverse of `src/snapshot/delta.js`, written for
 * tests. Encoding here and in Rust gives the same bytes, which the vectors prove.
 */

import { Guess } from '../../src/schema/layout.js';
import { BitWriter } from '../../src/snapshot/bit_coder.js';
import { checksum } from '../../src/snapshot/checksum.js';
import { Adaptive, difference, predict, predictChange } from '../../src/snapshot/predictor.js';

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
  const bits = new BitWriter();
  bits.bits(1, steady ? 1 : 0);
  if (!steady) bits.expGolomb(0, image.gap);
  const { removed, entered, kept } = split(baseline, image);
  bits.expGolomb(0, removed.length);
  deltas(removed).forEach((d) => bits.expGolomb(0, d));
  encodeEntered(bits, set, image, entered, steady);
  if (baseline === undefined) bits.expGolomb(0, 0);
  else encodeChanged(bits, set, baseline, image, kept, back, steady);
  return Uint8Array.from([
    ...varint(layer),
    sum.length > 0 ? 0x81 : 1,
    ...varint(back),
    ...sum,
    ...bits.finish(),
  ]);
}

/** @param {number[]} indices rising */
function deltas(indices) {
  return indices.map((index, i) => index - (i === 0 ? 0 : indices[i - 1] + 1));
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
 * @param {BitWriter} bits
 * @param {ColumnSet} set
 * @param {Image} image
 * @param {number[]} entered
 * @param {boolean} steady
 */
function encodeEntered(bits, set, image, entered, steady) {
  bits.expGolomb(0, entered.length);
  let next = 0;
  for (const i of entered) {
    bits.expGolomb(0, image.slots[i] - next);
    next = image.slots[i] + 1;
    bits.expGolomb(0, image.generations[i]);
    bits.expGolomb(0, image.owners[i]);
    bits.bits(set.components.length, image.masks[i]);
    for (const column of columnsOf(set, image.masks[i])) {
      const value = image.rows[i * set.width + column];
      if (set.guess[column] !== Guess.Change) bits.bits(set.bits[column], value);
      else if (!steady) bits.signed(4, value);
    }
  }
}

/**
 * @param {BitWriter} bits
 * @param {ColumnSet} set
 * @param {Image} baseline
 * @param {Image} image
 * @param {[number, number][]} kept
 * @param {number} back
 * @param {boolean} steady
 */
function encodeChanged(bits, set, baseline, image, kept, back, steady) {
  const adaptive = new Adaptive(set.width);
  adaptive.reset();
  const rows = kept.map(([a, b]) => residuals(set, baseline, a * set.width, image, b, back, steady));
  /** @type {number[]} */
  const changed = [];
  rows.forEach((row, i) => row.some((residual) => residual !== 0) && changed.push(i));
  bits.expGolomb(0, changed.length);
  const steps = deltas(changed);
  changed.forEach((index, i) => {
    bits.expGolomb(0, steps[i]);
    const row = rows[index];
    const mask = image.masks[kept[index][1]];
    set.components.forEach(({ start, end }, c) => {
      if (((mask >>> c) & 1) === 0) return;
      const any = row.slice(start, end).some((residual) => residual !== 0);
      bits.bits(1, any ? 1 : 0);
      if (!any) return;
      for (let column = start; column < end; column++) {
        if (set.guess[column] !== Guess.Change) {
          bits.signed(adaptive.k(column), row[column]);
          adaptive.add(column, row[column]);
        } else if (!steady) {
          bits.signed(0, row[column]);
        }
      }
    });
  });
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
