/**
 * One layer that a client holds: the image that is the server's, what to decode into next, and
 * whether its keyframe is to be asked for. Which layers there are, and what becomes of them, is for
 * `layers.js`.
 */

import { BASELINE_BACK_MAX, RESYNC_EVERY_MS } from '../limits.js';
import { ProtocolError } from '../protocol_error.js';
import { checkText } from '../schema/text.js';
import { checksum } from '../snapshot/checksum.js';
import { Image } from '../snapshot/image.js';

/** Images that a layer must have: the server's, and one to decode into. */
export const IMAGES_MIN = 2;

/** See the module's description. */
export class Layer {
  /** The snapshot that had a section of it last. */
  told = 0;
  /** When its keyframe was asked for last, in ms. */
  askedMs = -Infinity;
  /**
   * When to ask for its keyframe, in ms: it was dropped, and bodies are passed over until then.
   * Infinity while its image is the server's, or none has come.
   */
  askAtMs = Infinity;
  #set;
  #decoder;
  #empty;
  #images;
  #at = 0;

  /**
   * @param {import('../snapshot/layout.js').ColumnSet} set
   * @param {import('../snapshot/delta.js').DeltaDecoder} decoder of such a layer
   * @param {number} images how many there are in turn, so that the last ones may be drawn between;
   *   at least `IMAGES_MIN`
   */
  constructor(set, decoder, images) {
    this.#set = set;
    this.#decoder = decoder;
    this.#empty = new Image(set.width);
    this.#images = Array.from({ length: images }, () => new Image(set.width));
  }

  /** The newest image that is the server's; empty before the first. */
  get image() {
    return this.#images[this.#at];
  }

  /** Whether an image is held that is the server's. */
  get isHeld() {
    return this.askAtMs === Infinity && this.image.tick > 0;
  }

  /** The one that is decoded into. */
  get #spare() {
    return this.#images[(this.#at + 1) % this.#images.length];
  }

  #turn() {
    this.#at = (this.#at + 1) % this.#images.length;
  }

  /**
   * Decodes a body against what is held. If it makes no sense, or is not what the server has,
   * nothing is changed.
   * @param {import('../bytes.js').ByteReader} reader at the decisions
   * @param {import('../snapshot/delta.js').BodyHead} head
   * @param {number} tick the snapshot's
   * @param {readonly Image[]} others of the other groups that are held, before this snapshot
   * @param {number} room for how many entities there is
   * @returns {boolean} whether the newest image is the server's now
   */
  take(reader, { back, checksum: expected }, tick, others, room) {
    const isKnown = this.image.tick > 0 && this.image.tick + back === tick;
    if (back !== 0 && !isKnown) return false;
    const image = this.#spare;
    try {
      this.#decoder.decode(reader, back === 0 ? this.#empty : this.image, back, tick, image, others);
      if (image.count > room) return false;
      if (expected !== undefined && expected !== checksum(image)) return false;
      checkTexts(this.#set, image);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return false;
    }
    this.#turn();
    return true;
  }

  /**
   * The snapshot has no section of it, so it went as predicted.
   * @param {number} tick the snapshot's
   * @returns {boolean} false where no server would say that, after so long
   */
  advance(tick) {
    if (tick - this.image.tick > BASELINE_BACK_MAX) return false;
    this.#decoder.advance(this.image, tick, this.#spare);
    this.#turn();
    return true;
  }

  /**
   * What is held is not the server's: its keyframe is to be asked for, and until then bodies are
   * passed over.
   * @param {number} nowMs
   */
  drop(nowMs) {
    this.askAtMs = Math.max(nowMs, this.askedMs + RESYNC_EVERY_MS);
  }

  /** Gives back the memory of a crowd that was there once. */
  fit() {
    for (const image of this.#images) image.fit();
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
