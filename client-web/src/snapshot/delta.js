/**
 * A layer's body to an image (PROTOCOL.md §7): the difference from a baseline, entity by entity.
 * Which baseline that is and what to do with the result is for `layer.js`.
 */

import { BASELINE_BACK_MAX } from '../limits.js';
import { ProtocolError } from '../protocol/protocol_error.js';
import { Guess } from '../schema/layout.js';
import { BitReader } from './bit_coder.js';
import { Adaptive, difference, predict, predictChange } from './predictor.js';

/** @typedef {import('../schema/layout.js').ColumnSet} ColumnSet */
/** @typedef {import('./image.js').Image} Image */

const MODE_BITS = 1;
const MODE_CHECKSUM = 0x80;

/** Slots lie below this: 0xFFFF is never given out, so no handle looks like "none". */
const SLOT_END = 0xffff;
/** Exp-Golomb parameter of an entering entity's change columns. */
const ENTER_CHANGE_K = 4;

/**
 * What precedes a body's bits.
 * @typedef {object} BodyHead
 * @property {number} layer
 * @property {number} back ticks from the baseline, 0 for a keyframe
 * @property {number | undefined} checksum of the image, if it was sent
 */

/**
 * @param {import('../protocol/frame.js').ByteReader} reader at the section's first byte; then at its bits
 * @returns {BodyHead}
 */
export function decodeBodyHead(reader) {
  const layer = reader.varint();
  const mode = reader.u8();
  if ((mode & ~MODE_CHECKSUM) !== MODE_BITS) throw new ProtocolError('unknown mode of a body');
  const back = reader.varint();
  if (back > BASELINE_BACK_MAX) throw new ProtocolError('baseline too far back');
  return { layer, back, checksum: mode & MODE_CHECKSUM ? reader.u32() : undefined };
}

/** Decodes the bodies of one layer. Holds scratch memory only, no state from body to body. */
export class DeltaDecoder {
  #set;
  #bits = new BitReader();
  #adaptive;
  /** Index in the baseline of each kept entity. */
  #kept = new Uint16Array(64);
  /** Index in the image of each kept entity. */
  #placed = new Uint16Array(64);
  #keptCount = 0;
  #steady = false;

  /** @param {ColumnSet} set the layer's columns */
  constructor(set) {
    this.#set = set;
    this.#adaptive = new Adaptive(set.width);
  }

  /**
   * Decodes the bits of a body.
   * @param {import('../protocol/frame.js').ByteReader} reader at the bits; read to its end
   * @param {Image} baseline an empty image for a keyframe
   * @param {number} back ticks from the baseline, 0 for a keyframe
   * @param {number} tick the snapshot's
   * @param {Image} image is overwritten; not the baseline
   */
  decode(reader, baseline, back, tick, image) {
    const bits = this.#bits;
    bits.open(reader.bytes, reader.at, reader.end);
    reader.at = reader.end;
    this.#steady = bits.bits(1) === 1;
    if (this.#steady && back === 0) throw new ProtocolError('a steady keyframe');
    const gap = this.#steady ? back : bits.expGolomb(0);
    if (gap > BASELINE_BACK_MAX) throw new ProtocolError('gap too long');
    // It would decode, but one image has one coding: no server sends it.
    if (!this.#steady && back !== 0 && gap === back) throw new ProtocolError('a steady body that names its gap');
    image.clear();
    image.tick = tick;
    image.gap = gap;
    this.#readRemoved(baseline);
    this.#readEntered(baseline, image);
    this.#readChanged(baseline, back, image);
    bits.finish();
  }

  /** @param {Image} baseline */
  #readRemoved(baseline) {
    const bits = this.#bits;
    const { count } = baseline;
    const removed = bits.expGolomb(0);
    if (removed > count) throw new ProtocolError('more entities removed than there are');
    if (count > this.#kept.length) {
      this.#kept = new Uint16Array(2 * count);
      this.#placed = new Uint16Array(2 * count);
    }
    let kept = 0;
    let next = 0;
    for (let i = 0; i < removed; i++) {
      const index = next + bits.expGolomb(0);
      if (index >= count) throw new ProtocolError('no such entity to remove');
      while (next < index) this.#kept[kept++] = next++;
      next = index + 1;
    }
    while (next < count) this.#kept[kept++] = next++;
    this.#keptCount = kept;
  }

  /**
   * Reads who entered and merges them with the kept, in order of slot.
   * @param {Image} baseline
   * @param {Image} image
   */
  #readEntered(baseline, image) {
    const bits = this.#bits;
    const components = this.#set.components.length;
    const { slots } = baseline;
    let kept = 0;
    let next = 0;
    for (let left = bits.expGolomb(0); left > 0; left--) {
      const slot = next + bits.expGolomb(0);
      if (slot >= SLOT_END) throw new ProtocolError('slot out of range');
      next = slot + 1;
      const generation = bits.expGolomb(0);
      if (generation > 0xffff) throw new ProtocolError('generation out of range');
      const owner = bits.expGolomb(0);
      if (owner > 0xffff) throw new ProtocolError('owner out of range');
      const mask = bits.bits(components);
      for (; kept < this.#keptCount && slots[this.#kept[kept]] < slot; kept++) this.#place(kept, baseline, image);
      if (kept < this.#keptCount && slots[this.#kept[kept]] === slot) {
        throw new ProtocolError('an entity enters a slot that is taken');
      }
      this.#readEnteredRow(image, image.push(slot, generation, owner, mask), mask);
    }
    for (; kept < this.#keptCount; kept++) this.#place(kept, baseline, image);
  }

  /**
   * @param {number} kept which of the kept
   * @param {Image} baseline
   * @param {Image} image
   */
  #place(kept, baseline, image) {
    const i = this.#kept[kept];
    this.#placed[kept] = image.push(baseline.slots[i], baseline.generations[i], baseline.owners[i], baseline.masks[i]);
  }

  /**
   * @param {Image} image
   * @param {number} index
   * @param {number} mask
   */
  #readEnteredRow(image, index, mask) {
    const bits = this.#bits;
    const set = this.#set;
    const { rows } = image;
    const row = index * set.width;
    for (let c = 0; c < set.components.length; c++) {
      if (((mask >>> c) & 1) === 0) continue;
      const { start, end } = set.components[c];
      for (let column = start; column < end; column++) {
        if (set.guess[column] === Guess.Change) {
          if (!this.#steady) rows[row + column] = bits.signed(ENTER_CHANGE_K);
          continue;
        }
        const value = bits.bits(set.bits[column]);
        if (value > set.qMax[column]) throw new ProtocolError('value out of range');
        rows[row + column] = value;
      }
    }
  }

  /**
   * Reads the residuals of the changed and predicts the rest of the kept.
   * @param {Image} baseline
   * @param {number} back
   * @param {Image} image
   */
  #readChanged(baseline, back, image) {
    const bits = this.#bits;
    const { components, width } = this.#set;
    this.#adaptive.reset();
    let left = bits.expGolomb(0);
    if (left > this.#keptCount) throw new ProtocolError('more entities changed than there are');
    let changed = left > 0 ? bits.expGolomb(0) : -1;
    for (let kept = 0; kept < this.#keptCount; kept++) {
      const isListed = kept === changed;
      const from = this.#kept[kept] * width;
      const to = this.#placed[kept] * width;
      const mask = baseline.masks[this.#kept[kept]];
      for (let c = 0; c < components.length; c++) {
        if (((mask >>> c) & 1) === 0) continue;
        const hasResiduals = isListed && bits.bits(1) === 1;
        this.#readRow(components[c], baseline, from, back, image, to, hasResiduals);
      }
      if (isListed && --left > 0) changed = kept + 1 + bits.expGolomb(0);
    }
    if (left > 0) throw new ProtocolError('no such entity to change');
  }

  /**
   * One component of a kept entity.
   * @param {{ start: number, end: number }} component
   * @param {Image} baseline
   * @param {number} from where the baseline's row starts
   * @param {number} back
   * @param {Image} image
   * @param {number} to where the image's row starts
   * @param {boolean} hasResiduals whether residuals follow; else all are 0
   */
  #readRow({ start, end }, baseline, from, back, image, to, hasResiduals) {
    const bits = this.#bits;
    const adaptive = this.#adaptive;
    const set = this.#set;
    const base = baseline.rows;
    const { rows, gap } = image;
    const baseGap = baseline.gap === 0 ? 1 : baseline.gap;
    for (let column = start; column < end; column++) {
      if (set.guess[column] === Guess.Change) {
        // Of the value in the column before, which is complete by now.
        const change = difference(rows[to + column - 1], base[from + column - 1], set.modulus[column - 1]);
        if (this.#steady) {
          rows[to + column] = change;
        } else {
          const residual = hasResiduals ? bits.signed(0) : 0;
          rows[to + column] = predictChange(change, gap, back) + residual;
        }
        continue;
      }
      const modulus = set.modulus[column];
      let value = predict(set, base, from, column, back, baseGap);
      if (hasResiduals) {
        const residual = bits.signed(adaptive.k(column));
        adaptive.add(column, residual);
        value += residual;
      }
      // Storing wraps to 32 bits, exactly, because the sum is below 2^53.
      rows[to + column] = modulus === 0 ? value : value & (modulus - 1);
    }
  }
}
