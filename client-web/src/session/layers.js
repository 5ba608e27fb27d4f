/**
 * The layers that a client holds: bodies applied to their images, checksums judged, keyframes asked
 * for; and the last snapshots, which the view draws between. Not the sending: `session.js` does it
 * when it is due.
 *
 * An image that is wrong is noticed by a checksum, or by a body that makes no sense against it:
 * both are healed by a keyframe, so neither ends the connection. What does is a section of which
 * not even the layer can be told.
 */

import { HISTORY_MAX, RESYNC_EVERY_MS } from '../limits.js';
import { ProtocolError } from '../protocol_error.js';
import { checkText } from '../schema/text.js';
import { checksum } from '../snapshot/checksum.js';
import { DeltaDecoder, decodeBodyHead } from '../snapshot/delta.js';
import { Image } from '../snapshot/image.js';

/**
 * Images of a layer, one of which is always free to decode into: a snapshot in the history refers
 * to an image that is at most `HISTORY_MAX` images old.
 */
const IMAGES = HISTORY_MAX + 2;

/** One layer. */
class Layer {
  /** The snapshot that had a section of it last. */
  told = 0;
  /** When its keyframe was asked for last, in ms. */
  askedMs = -Infinity;
  /**
   * When to ask for its keyframe, in ms: it was dropped, and bodies are passed over until then.
   * Infinity while its image is the server's, or none has come.
   */
  askAtMs = Infinity;
  #at = 0;

  /** @param {import('../snapshot/layout.js').ColumnSet} set */
  constructor(set) {
    this.set = set;
    this.decoder = new DeltaDecoder(set);
    this.empty = new Image(set.width);
    this.images = Array.from({ length: IMAGES }, () => new Image(set.width));
  }

  /** The newest image that is the server's; empty before the first. */
  get image() {
    return this.images[this.#at];
  }

  /**
   * Decodes a body against what is held. If it makes no sense, or is not what the server has,
   * nothing is changed.
   * @param {import('../bytes.js').ByteReader} reader at the decisions
   * @param {import('../snapshot/delta.js').BodyHead} head
   * @param {number} tick the snapshot's
   * @returns {boolean} whether the newest image is the server's now
   */
  take(reader, { back, checksum: expected }, tick) {
    const isHeld = this.image.tick > 0 && this.image.tick + back === tick;
    if (back !== 0 && !isHeld) return false;
    const next = (this.#at + 1) % IMAGES;
    const image = this.images[next];
    try {
      this.decoder.decode(reader, back === 0 ? this.empty : this.image, back, tick, image);
      if (expected !== undefined && expected !== checksum(image)) return false;
      checkTexts(this.set, image);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return false;
    }
    this.#at = next;
    return true;
  }
}

/**
 * The layers after one snapshot. A layer that the snapshot did not change shares its image with the
 * one before.
 * @typedef {object} Snapshot
 * @property {number} tick
 * @property {Image[]} images by the layer's number
 */

/** See the module's description. */
export class Layers {
  #layers;
  /** @type {Snapshot[]} the last snapshots, oldest first, at most `HISTORY_MAX` */
  history = [];

  /** @param {import('../snapshot/layout.js').Layout} layout */
  constructor(layout) {
    this.#layers = layout.sets.map((set) => new Layer(set));
  }

  /**
   * Applies a layer's section. Throws where its head can't be read, and for a second one of a
   * layer.
   * @param {import('../bytes.js').ByteReader} reader the section's bytes
   * @param {number} tick the snapshot's
   * @param {number} nowMs
   * @returns {boolean} false if its checksum disagreed or it made no sense: the layer is dropped
   */
  apply(reader, tick, nowMs) {
    const head = decodeBodyHead(reader);
    const layer = this.#layers[head.layer];
    if (layer === undefined) throw new ProtocolError('unknown layer');
    if (layer.told === tick) throw new ProtocolError('a layer came twice');
    layer.told = tick;
    // Sent before the server heard of it.
    if (layer.askAtMs !== Infinity && head.back !== 0) return true;
    if (!layer.take(reader, head, tick)) {
      layer.askAtMs = Math.max(nowMs, layer.askedMs + RESYNC_EVERY_MS);
      return false;
    }
    layer.askAtMs = Infinity;
    return true;
  }

  /**
   * All sections of a snapshot were applied.
   * @param {number} tick
   * @returns {Snapshot}
   */
  commit(tick) {
    if (this.history.length === HISTORY_MAX) this.history.shift();
    const snapshot = { tick, images: this.#layers.map((layer) => layer.image) };
    this.history.push(snapshot);
    return snapshot;
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
    const number = this.#layers.findIndex((layer) => layer.askAtMs <= nowMs);
    if (number === -1) return undefined;
    this.#layers[number].askedMs = nowMs;
    this.#layers[number].askAtMs = nowMs + 2 * RESYNC_EVERY_MS;
    return number;
  }

  /** @returns {number} when `takeResync` has one, in ms; Infinity for never */
  get resyncDueMs() {
    return Math.min(...this.#layers.map((layer) => layer.askAtMs));
  }
}

/**
 * Throws on a text that is not one, so that nobody who draws has to expect it.
 * @param {import('../snapshot/layout.js').ColumnSet} set
 * @param {Image} image
 */
function checkTexts({ texts }, image) {
  for (const { component, column, words } of texts) {
    for (let i = 0; i < image.count; i++) {
      if (((image.masks[i] >>> component) & 1) === 1) checkText(image.rows, i * image.width + column, words);
    }
  }
}
