/**
 * A layer's body to an image (PROTOCOL.md §7): the difference from a baseline, entity by entity.
 * Which baseline that is and what to do with the result is for `layer.js`.
 */

import { BASELINE_BACK_MAX, ENTITIES_MAX } from '../limits.js';
import { ProtocolError } from '../protocol/protocol_error.js';
import { Guess } from '../schema/layout.js';
import * as model from './model.js';
import { difference, predict, predictChange } from './predictor.js';
import { RangeDecoder } from './range_coder.js';

/** @typedef {import('../schema/layout.js').ColumnSet} ColumnSet */
/** @typedef {import('./image.js').Image} Image */

const MODE_RANGE = 1;
const MODE_CHECKSUM = 0x80;

/** Slots lie below this: 0xFFFF is never given out, so no handle looks like "none". */
const SLOT_END = 0xffff;

/**
 * What precedes a body's decisions.
 * @typedef {object} BodyHead
 * @property {number} layer
 * @property {number} back ticks from the baseline, 0 for a keyframe
 * @property {number | undefined} checksum of the image, if it was sent
 */

/**
 * @param {import('../protocol/frame.js').ByteReader} reader at the section's first byte; then at its decisions
 * @returns {BodyHead}
 */
export function decodeBodyHead(reader) {
  const layer = reader.varint();
  const mode = reader.u8();
  if ((mode & ~MODE_CHECKSUM) !== MODE_RANGE) throw new ProtocolError('unknown mode of a body');
  const back = reader.varint();
  if (back > BASELINE_BACK_MAX) throw new ProtocolError('baseline too far back');
  return { layer, back, checksum: mode & MODE_CHECKSUM ? reader.u32() : undefined };
}

/** Decodes the bodies of one layer. Holds scratch memory only, no state from body to body. */
export class DeltaDecoder {
  #set;
  #coder;
  /** Place of the first column's contexts. */
  #columns;
  /** Index in the baseline of each kept entity. */
  #kept = new Uint16Array(64);
  /** Index in the image of each kept entity. */
  #placed = new Uint16Array(64);
  #keptCount = 0;
  /** 1 if the baseline is the image before, so that change columns follow from values; else 0. */
  #steady = 0;

  /** @param {ColumnSet} set the layer's columns */
  constructor(set) {
    this.#set = set;
    this.#columns = model.columnsAt(set);
    this.#coder = new RangeDecoder(model.contextCount(set));
  }

  /**
   * Decodes the decisions of a body.
   * @param {import('../protocol/frame.js').ByteReader} reader at the decisions; read to its end
   * @param {Image} baseline an empty image for a keyframe
   * @param {number} back ticks from the baseline, 0 for a keyframe
   * @param {number} tick the snapshot's
   * @param {Image} image is overwritten; not the baseline
   */
  decode(reader, baseline, back, tick, image) {
    const coder = this.#coder;
    coder.open(reader.bytes, reader.at, reader.end, this.#set.prior);
    reader.at = reader.end;
    this.#steady = coder.bit(model.STEADY);
    if (this.#steady === 1 && back === 0) throw new ProtocolError('a steady keyframe');
    const gap = this.#steady === 1 ? back : coder.number(model.GAP, model.NARROW);
    if (gap > BASELINE_BACK_MAX) throw new ProtocolError('gap too long');
    // It would decode, but one image has one coding: no server sends it.
    if (this.#steady === 0 && back !== 0 && gap === back) throw new ProtocolError('a steady body that names its gap');
    image.clear();
    image.tick = tick;
    image.gap = gap;
    this.#readRemoved(baseline);
    this.#readEntered(baseline, image);
    this.#readKept(baseline, back, image);
    coder.finish();
  }

  /** @param {Image} baseline */
  #readRemoved(baseline) {
    const coder = this.#coder;
    const { count } = baseline;
    const removed = coder.number(model.REMOVED, model.NARROW);
    if (removed > count) throw new ProtocolError('more entities removed than there are');
    if (count > this.#kept.length) {
      this.#kept = new Uint16Array(2 * count);
      this.#placed = new Uint16Array(2 * count);
    }
    let kept = 0;
    let next = 0;
    for (let i = 0; i < removed; i++) {
      const index = next + coder.number(model.REMOVED_GAP, model.NARROW);
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
    const coder = this.#coder;
    const { slots } = baseline;
    let kept = 0;
    let next = 0;
    const entered = coder.number(model.ENTERED, model.NARROW);
    if (entered + this.#keptCount > ENTITIES_MAX) throw new ProtocolError('too many entities');
    for (let left = entered; left > 0; left--) {
      const slot = next + coder.number(model.SLOT_GAP, model.NARROW);
      if (slot >= SLOT_END) throw new ProtocolError('slot out of range');
      next = slot + 1;
      for (; kept < this.#keptCount && slots[this.#kept[kept]] < slot; kept++) this.#place(kept, baseline, image);
      if (kept < this.#keptCount && slots[this.#kept[kept]] === slot) {
        throw new ProtocolError('an entity enters a slot that is taken');
      }
      this.#readEntity(slot, image);
      coder.check();
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
   * One that enters.
   * @param {number} slot
   * @param {Image} image
   */
  #readEntity(slot, image) {
    const coder = this.#coder;
    const set = this.#set;
    const { components } = set;
    const generation = coder.number(model.GENERATION, model.WIDE);
    if (generation > 0xffff) throw new ProtocolError('generation out of range');
    const owner = coder.number(model.OWNER, model.WIDE);
    if (owner > 0xffff) throw new ProtocolError('owner out of range');
    let mask = 0;
    for (let c = 0; c < components.length; c++) mask |= coder.bit(model.COMPONENTS + c * model.COMPONENT) << c;
    const row = image.push(slot, generation, owner, mask) * set.width;
    const { rows } = image;
    for (let c = 0; c < components.length; c++) {
      if (((mask >>> c) & 1) === 0) continue;
      const { start, end } = components[c];
      for (let column = start; column < end; column++) {
        if (set.guess[column] === Guess.Change) {
          if (this.#steady === 1) continue;
          const z = coder.number(model.sizeAt(this.#columns, column, 1), model.SIZES);
          rows[row + column] = (z >>> 1) ^ -(z & 1);
          continue;
        }
        const value = coder.raw(set.bits[column]);
        if (value > set.qMax[column]) throw new ProtocolError('value out of range');
        rows[row + column] = value;
      }
    }
  }

  /**
   * Predicts the kept and reads the residuals of those that changed.
   * @param {Image} baseline
   * @param {number} back
   * @param {Image} image
   */
  #readKept(baseline, back, image) {
    const coder = this.#coder;
    const { components, width, changes, changeBits } = this.#set;
    const count = this.#keptCount;
    const base = baseline.rows;
    const steady = this.#steady;
    let before = 0;
    for (let kept = 0; kept < count; kept++) {
      const from = this.#kept[kept] * width;
      const to = this.#placed[kept] * width;
      const mask = baseline.masks[this.#kept[kept]];
      // Change columns of components that it does not have are 0.
      let moving = 0;
      for (let i = 0; i < changes.length; i++) if (base[from + changes[i]] !== 0) moving |= changeBits[i];
      before = coder.bit(model.CHANGED + steady * 4 + (moving === 0 ? 0 : 2) + before);
      for (let c = 0; c < components.length; c++) {
        if (((mask >>> c) & 1) === 0) continue;
        const isMoving = (moving >>> c) & 1;
        if (before === 1 && coder.bit(model.COMPONENTS + c * model.COMPONENT + 1 + steady * 2 + isMoving) === 1) {
          this.#readComponent(components[c], isMoving, baseline, from, back, image, to);
        } else {
          this.#carryOn(components[c], baseline, from, back, image, to);
        }
      }
      if (before === 1) coder.check();
    }
  }

  /**
   * A component whose residuals are all 0.
   * @param {{ start: number, end: number }} component
   * @param {Image} baseline
   * @param {number} from where the baseline's row starts
   * @param {number} back
   * @param {Image} image
   * @param {number} to where the image's row starts
   */
  #carryOn({ start, end }, baseline, from, back, image, to) {
    const set = this.#set;
    const base = baseline.rows;
    const { rows, gap } = image;
    const baseGap = baseline.gap === 0 ? 1 : baseline.gap;
    for (let column = start; column < end; column++) {
      if (set.guess[column] === Guess.Change) {
        // Of the value in the column before, which is complete by now.
        const change = difference(rows[to + column - 1], base[from + column - 1], set.modulus[column - 1]);
        rows[to + column] = this.#steady === 1 ? change : predictChange(change, gap, back);
        continue;
      }
      const modulus = set.modulus[column];
      const value = predict(set, base, from, column, back, baseGap);
      rows[to + column] = modulus === 0 ? value : value & (modulus - 1);
    }
  }

  /**
   * A component that changed.
   * @param {{ start: number, end: number }} component
   * @param {number} moving 1 if its last changes were not all 0, else 0
   * @param {Image} baseline
   * @param {number} from where the baseline's row starts
   * @param {number} back
   * @param {Image} image
   * @param {number} to where the image's row starts
   */
  #readComponent({ start, end }, moving, baseline, from, back, image, to) {
    const set = this.#set;
    const base = baseline.rows;
    const { rows, gap } = image;
    const baseGap = baseline.gap === 0 ? 1 : baseline.gap;
    /** @type {number} */
    let previous = model.Previous.Nothing;
    for (let column = start; column < end; column++) {
      let modulus = 0;
      let value;
      if (set.guess[column] === Guess.Change) {
        const change = difference(rows[to + column - 1], base[from + column - 1], set.modulus[column - 1]);
        if (this.#steady === 1) {
          rows[to + column] = change;
          continue;
        }
        value = predictChange(change, gap, back);
      } else {
        modulus = set.modulus[column];
        value = predict(set, base, from, column, back, baseGap);
      }
      if (this.#coder.bit(model.zeroAt(this.#columns, column, this.#steady, moving) + previous) === 1) {
        value += this.#readResidual(column);
        previous = model.Previous.Other;
      } else {
        previous = model.Previous.Zero;
      }
      // Storing wraps to 32 bits, exactly, because the sum is below 2^53.
      rows[to + column] = modulus === 0 ? value : value & (modulus - 1);
    }
  }

  /**
   * @param {number} column
   * @returns {number} its residual, which is not 0
   */
  #readResidual(column) {
    const negative = this.#coder.raw(1);
    const size = this.#coder.number(model.sizeAt(this.#columns, column, this.#steady), model.SIZES) + 1;
    return negative === 1 ? -size : size;
  }
}
