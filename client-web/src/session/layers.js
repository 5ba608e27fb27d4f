/**
 * The layers that a client holds: bodies applied to their images, checksums judged, keyframes asked
 * for, layers of groups opened and closed; and the last snapshots, which the view draws between.
 * Not the sending: `session.js` does it when it is due.
 *
 * An image that is wrong is noticed by a checksum, or by a body that makes no sense against it:
 * both are healed by a keyframe, so neither ends the connection. What does is a section of which
 * not even the layer can be told.
 *
 * An entity that goes from one group to another is named by the body of the one that it goes to, as
 * it was before the snapshot in the one that it comes from, whichever of the two is read first.
 */

import { ENTITIES_MAX, GROUP_ENTITIES_MAX, HISTORY_MAX, RESYNC_EVERY_MS } from '../limits.js';
import { ProtocolError } from '../protocol_error.js';
import { SectionKind } from '../protocol/frame.js';
import { DeltaDecoder, EPOCH_BITS, decodeBodyHead } from '../snapshot/delta.js';
import { handleAt, isIn } from '../snapshot/image.js';
import { GROUP_LAYERS, ROOM_LAYER } from '../snapshot/layout.js';
import { IMAGES_MIN, Layer } from './layer.js';
import { Union } from './union.js';

/** @typedef {import('../snapshot/image.js').Image} Image */

/**
 * Images of a layer that is drawn from, one of which is always free to decode into: a snapshot in
 * the history refers to an image that is at most `HISTORY_MAX` images old.
 */
const IMAGES = HISTORY_MAX + IMAGES_MIN;

/** @type {readonly number[]} */
const NOBODY = Object.freeze([]);

/**
 * What is held after one snapshot. A layer that is not the server's shares its image with the
 * snapshot before.
 * @typedef {object} Snapshot
 * @property {number} tick
 * @property {Image[]} images by the number of their column set: what everyone sees, the groups'
 *   entities among it; what the owner sees; what the team sees
 * @property {Uint32Array | undefined} ticks of each entity of the first of them the tick that it
 *   is known from; undefined for that image's own
 * @property {readonly number[]} hidden handles of those who are in it no more, but not known to be
 *   destroyed: they went out of view
 */

/** See the module's description. */
export class Layers {
  #layout;
  /** By number. @type {(Layer | undefined)[]} */
  #layers;
  /** How many of them are of groups. */
  #groups = 0;
  #groupDecoder;
  #union;
  /** The groups' images before the snapshot that is being applied. @type {Image[]} */
  #before = [];
  /**
   * Handles of those of whom it says that they go out of view, or not what became of them.
   * @type {number[]}
   */
  #gone = [];
  /** @type {Snapshot[]} the last snapshots, oldest first, at most `HISTORY_MAX` */
  history = [];

  /** @param {import('../snapshot/layout.js').Layout} layout */
  constructor(layout) {
    this.#layout = layout;
    this.#layers = layout.sets.map((set) => new Layer(set, new DeltaDecoder(set), IMAGES));
    this.#groupDecoder = new DeltaDecoder(layout.room, true);
    this.#union = new Union(layout.room.width);
  }

  /** A snapshot's sections come. */
  begin() {
    if (this.#groups > 0 || this.#before.length > 0) this.#before = this.#groupImages();
    if (this.#gone.length > 0) this.#gone = [];
  }

  /**
   * Applies a layer's section. Throws where its head can't be read, and for a second one of a
   * layer.
   * @param {number} number of the layer
   * @param {import('../bytes.js').ByteReader} reader the section's bytes
   * @param {number} tick the snapshot's
   * @param {number} nowMs
   * @returns {boolean} false if its checksum disagreed or it made no sense: the layer is dropped
   */
  apply(number, reader, tick, nowMs) {
    const head = decodeBodyHead(reader, number);
    const layer = (this.#layers[number] ??= this.#open());
    if (layer.told === tick) throw new ProtocolError('a layer came twice');
    layer.told = tick;
    // Sent before the server heard of it.
    if (layer.askAtMs !== Infinity && head.back !== 0) return true;
    const { image: before } = layer;
    const isGroup = number >= GROUP_LAYERS;
    const others = isGroup ? this.#before : NONE;
    const isCodedSo = head.epoch === (this.#layout.epoch & EPOCH_BITS);
    if (!isCodedSo || !layer.take(reader, head, tick, others, isGroup ? this.#roomBeside(layer) : ENTITIES_MAX)) {
      layer.drop(nowMs);
      return false;
    }
    layer.askAtMs = Infinity;
    // A keyframe does not say what became of those who were there.
    if (head.back === 0) this.#gone.push(...handles(before));
    else if (isGroup) this.#gone.push(...this.#groupDecoder.moved);
    return true;
  }

  /** @returns {Layer} a group's, which is not held yet */
  #open() {
    this.#groups++;
    return new Layer(this.#layout.room, this.#groupDecoder, IMAGES_MIN);
  }

  /**
   * Closes layers. Throws for those that are not held, or of which the snapshot had a section
   * before.
   * @param {import('../bytes.js').ByteReader} reader the section's bytes: their numbers
   * @param {number} tick the snapshot's
   */
  close(reader, tick) {
    while (!reader.done) {
      const number = reader.u8();
      const layer = this.#layers[number];
      if (number < GROUP_LAYERS || number >= SectionKind.Events || layer === undefined) {
        throw new ProtocolError('a layer is closed that is not open');
      }
      if (layer.told === tick) throw new ProtocolError('a layer came twice');
      this.#gone.push(...handles(layer.image));
      this.#layers[number] = undefined;
      this.#groups--;
    }
  }

  /**
   * All sections of a snapshot were applied: layers that it left out went as predicted.
   * @param {number} tick
   * @param {number} nowMs
   * @returns {number} how many can't have, and are dropped
   */
  advance(tick, nowMs) {
    let dropped = 0;
    for (const layer of this.#layers) {
      if (layer === undefined || layer.told === tick || !layer.isHeld || layer.advance(tick)) continue;
      layer.drop(nowMs);
      dropped++;
    }
    return dropped;
  }

  /**
   * A snapshot is whole.
   * @param {number} tick
   * @returns {Snapshot}
   */
  commit(tick) {
    if (this.history.length === HISTORY_MAX) this.history.shift();
    const images = this.#layout.sets.map((_, number) => this.imageOf(number));
    /** @type {Uint32Array | undefined} */
    let ticks;
    if (this.#groups > 0) {
      const merged = this.#union.merge([images[ROOM_LAYER], ...this.#groupImages()]);
      images[ROOM_LAYER] = merged.image;
      ticks = merged.ticks;
      this.#fit();
    }
    const hidden = this.#gone.length === 0 ? NOBODY : this.#gone.filter((handle) => !isIn(images, handle));
    const snapshot = { tick, images, ticks, hidden };
    this.history.push(snapshot);
    return snapshot;
  }

  /**
   * @param {number} number of a layer that is open
   * @returns {Image} its newest image that is the server's; empty before the first
   */
  imageOf(number) {
    const layer = this.#layers[number];
    if (layer === undefined) throw new RangeError(`layer ${number} is not open`);
    return layer.image;
  }

  /** @returns {number[]} numbers of the groups' layers that are open */
  get groups() {
    return Array.from(this.#layers.keys()).filter((number) => number >= GROUP_LAYERS && this.#layers[number] !== undefined);
  }

  /** @returns {Image[]} */
  #groupImages() {
    /** @type {Image[]} */
    const images = [];
    for (let number = GROUP_LAYERS; number < this.#layers.length; number++) {
      const layer = this.#layers[number];
      if (layer !== undefined) images.push(layer.image);
    }
    return images;
  }

  /**
   * @param {Layer} layer a group's
   * @returns {number} for how many entities there is room in it
   */
  #roomBeside(layer) {
    let room = GROUP_ENTITIES_MAX + layer.image.count;
    for (const { count } of this.#groupImages()) room -= count;
    return room;
  }

  /** Gives memory back that groups' layers have too much of. */
  #fit() {
    for (let number = GROUP_LAYERS; number < this.#layers.length; number++) this.#layers[number]?.fit();
  }

  /** @returns {Snapshot | undefined} the newest */
  get newest() {
    return this.history[this.history.length - 1];
  }

  /**
   * A layer whose keyframe is to be asked for now; the caller asks. The server drops what comes too
   * often, so an unanswered request is made again after twice `RESYNC_EVERY_MS`.
   * @param {number} nowMs
   * @returns {number | undefined} the layer's number
   */
  takeResync(nowMs) {
    const number = this.#layers.findIndex((layer) => layer !== undefined && layer.askAtMs <= nowMs);
    const layer = this.#layers[number];
    if (layer === undefined) return undefined;
    layer.askedMs = nowMs;
    layer.askAtMs = nowMs + 2 * RESYNC_EVERY_MS;
    return number;
  }

  /** @returns {number} when `takeResync` has one, in ms; Infinity for never */
  get resyncDueMs() {
    let dueMs = Infinity;
    for (const layer of this.#layers) if (layer !== undefined) dueMs = Math.min(dueMs, layer.askAtMs);
    return dueMs;
  }
}

/** @type {readonly Image[]} */
const NONE = Object.freeze([]);

/**
 * @param {Image} image
 * @returns {number[]} the handles of its entities
 */
const handles = (image) => Array.from({ length: image.count }, (_, index) => handleAt(image, index));
