/**
 * A layer's body to an image (PROTOCOL.md §7): the difference from a baseline, entity by entity,
 * whose rows `row_decoder.js` reads. Which baseline that is and what to do with the result is for
 * `session/layers.js`.
 */

import { readVarint } from '../bytes.js';
import { BASELINE_BACK_MAX, ENTITIES_MAX } from '../limits.js';
import { ProtocolError } from '../protocol_error.js';
import { Image, handleAt } from './image.js';
import { setNumber } from './layout.js';
import * as model from './model.js';
import { RangeDecoder } from './range_coder.js';
import { RowDecoder } from './row_decoder.js';

/** @typedef {import('./layout.js').ColumnSet} ColumnSet */

/** Bits of a mode: ticks from the baseline, the epoch of the tables, and whether a checksum comes. */
const MODE_BACK = 0x1f;
const MODE_EPOCH_AT = 5;
const MODE_CHECKSUM = 0x80;
/** In the place of a `back` that does not fit: it follows. */
const BACK_LONG = MODE_BACK;

/** Bits of an epoch that travel. */
export const EPOCH_BITS = 3;

/** Slots lie below this: 0xFFFF is never given out, so no handle looks like "none". */
const SLOT_END = 0xffff;

/**
 * What precedes a body's decisions.
 * @typedef {object} BodyHead
 * @property {number} back ticks from the baseline, 0 for a keyframe
 * @property {number} epoch of the tables that it is coded by, modulo 4
 * @property {number | undefined} checksum of the image, if it was sent
 */

/**
 * @param {import('../bytes.js').ByteReader} reader at the section's first byte; then at its
 *   decisions
 * @param {number} layer whose body it is
 * @returns {BodyHead}
 */
export function decodeBodyHead(reader, layer) {
  const mode = reader.u8();
  let back = mode & MODE_BACK;
  if (back === BACK_LONG) {
    back = readVarint(reader);
    if (back < BACK_LONG) throw new ProtocolError('a baseline that is near, in many bytes');
    if (back > BASELINE_BACK_MAX) throw new ProtocolError('baseline too far back');
  }
  if (back === 0 && reader.u8() !== setNumber(layer)) throw new ProtocolError('a layer of unknown columns');
  return { back, epoch: (mode >>> MODE_EPOCH_AT) & EPOCH_BITS, checksum: mode & MODE_CHECKSUM ? reader.fixed32() : undefined };
}

/**
 * Decodes the bodies of layers with the same columns. Holds scratch memory only, no state from body
 * to body.
 */
export class DeltaDecoder {
  #set;
  #isGroup;
  #prior;
  #coder;
  #rows;
  /** The baseline with those that arrived from other groups. */
  #joined;
  /** Index in the baseline of each kept entity. */
  #kept = new Uint16Array(64);
  /** Index in the image of each kept entity. */
  #placed = new Uint16Array(64);
  #keptCount = 0;
  /**
   * Handles of those that the last body removed and that live on elsewhere in the room.
   * @type {number[]}
   */
  moved = [];

  /**
   * @param {ColumnSet} set the layers' columns
   * @param {boolean} [isGroup] whether they are of groups: entities move between them
   */
  constructor(set, isGroup = false) {
    this.#set = set;
    this.#isGroup = isGroup;
    this.#prior = isGroup ? model.groupPrior(set) : set.prior;
    this.#coder = new RangeDecoder(this.#prior.length);
    this.#rows = new RowDecoder(set, this.#coder);
    this.#joined = new Image(set.width);
  }

  /**
   * Decodes the decisions of a body.
   * @param {import('../bytes.js').ByteReader} reader at the decisions; read to its end
   * @param {Image} baseline an empty image for a keyframe
   * @param {number} back ticks from the baseline, 0 for a keyframe
   * @param {number} tick the snapshot's
   * @param {Image} image is overwritten; not the baseline
   * @param {readonly Image[]} [others] of the other groups that are held, before this snapshot
   */
  decode(reader, baseline, back, tick, image, others = []) {
    const coder = this.#coder;
    coder.open(reader.bytes, reader.at, reader.end, this.#prior);
    reader.at = reader.end;
    const steady = coder.bit(model.STEADY);
    if (steady === 1 && back === 0) throw new ProtocolError('a steady keyframe');
    const gap = steady === 1 ? back : coder.number(model.GAP, model.NARROW);
    if (gap > BASELINE_BACK_MAX) throw new ProtocolError('gap too long');
    // It would decode, but one image has one coding: no server sends it.
    if (steady === 0 && back !== 0 && gap === back) throw new ProtocolError('a steady body that names its gap');
    image.begin(tick, gap);
    image.bare = back === 0;
    this.#rows.start(back, baseline.gap, gap, steady, this.#isGroup);
    const base = this.#isGroup && back !== 0 ? this.#readArrived(baseline, others) : baseline;
    this.#readRemoved(base);
    this.#readEntered(base, image);
    this.#readKept(base, image);
    coder.finish();
  }

  /**
   * What a body says that was left out: nobody came or went, and all went as predicted.
   * @param {Image} baseline
   * @param {number} tick the snapshot's
   * @param {Image} image is overwritten; not the baseline
   */
  advance(baseline, tick, image) {
    const back = tick - baseline.tick;
    const { width } = this.#set;
    image.begin(tick, back);
    image.copyEntities(baseline);
    this.#rows.start(back, baseline.gap, back, 1, this.#isGroup);
    const { count, masks, rows } = baseline;
    for (let i = 0; i < count; i++) this.#rows.predict(masks[i], rows, i * width, image.rows, i * width);
  }

  /**
   * Reads who arrived from other groups.
   * @param {Image} baseline
   * @param {readonly Image[]} others
   * @returns {Image} the baseline with them
   */
  #readArrived(baseline, others) {
    const coder = this.#coder;
    const arrived = this.#prior.length - model.ARRIVED_CONTEXTS;
    const count = coder.number(arrived, model.NARROW);
    if (count === 0) return baseline;
    const joined = this.#joined;
    joined.begin(baseline.tick, baseline.gap);
    let own = 0;
    let next = 0;
    for (let left = count; left > 0; left--) {
      const slot = next + coder.number(arrived + model.NARROW, model.NARROW);
      next = slot + 1;
      for (; own < baseline.count && baseline.slots[own] < slot; own++) joined.append(baseline, own);
      if (own < baseline.count && baseline.slots[own] === slot) throw new ProtocolError('an entity arrives in a slot that is taken');
      const from = others.find((other) => other.tick === baseline.tick && other.bare === baseline.bare && other.find(slot) !== -1);
      if (from === undefined) throw new ProtocolError('an entity arrives from nowhere');
      joined.append(from, from.find(slot));
      coder.check();
    }
    for (; own < baseline.count; own++) joined.append(baseline, own);
    return joined;
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
    if (this.moved.length > 0) this.moved = [];
    for (let i = 0; i < removed; i++) {
      const index = next + coder.number(model.REMOVED_GAP, model.NARROW);
      if (index >= count) throw new ProtocolError('no such entity to remove');
      if (this.#isGroup && coder.raw(1) === 1) this.moved.push(handleAt(baseline, index));
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
    const { components, width } = this.#set;
    const generation = coder.number(model.GENERATION, model.WIDE);
    if (generation > 0xffff) throw new ProtocolError('generation out of range');
    const owner = coder.number(model.OWNER, model.WIDE);
    if (owner > 0xffff) throw new ProtocolError('owner out of range');
    let mask = 0;
    for (let c = 0; c < components.length; c++) mask |= coder.bit(model.presentAt(c)) << c;
    const row = image.push(slot, generation, owner, mask) * width;
    this.#rows.readEntered(mask, image.rows, row);
  }

  /**
   * Reads the rows of the kept.
   * @param {Image} baseline
   * @param {Image} image it has all its entities, so its rows stay where they are
   */
  #readKept({ masks, rows: base }, { rows }) {
    const { width } = this.#set;
    const count = this.#keptCount;
    let before = 0;
    for (let kept = 0; kept < count; kept++) {
      const index = this.#kept[kept];
      before = this.#rows.readKept(masks[index], base, index * width, rows, this.#placed[kept] * width, before);
      if (before === 1) this.#coder.check();
    }
  }
}
