/**
 * What the player wants, between two ticks. The page's `input` is asked once a frame, so that the
 * own avatar shows at once what is pressed, and once for every tick that is sent. Used by
 * `play.js`.
 *
 * A `Bool` that was true in any frame since the last tick is true in the tick: a tap that is
 * shorter than a tick is not lost. Of all other kinds the newest value counts.
 *
 * An `input` that throws, or gives what no field can be, is reported, and counts as that of who
 * does nothing: play goes on.
 */

import { report } from '../report.js';
import { checkValues } from '../schema/value_check.js';
import { dequantiseAll, quantiseAll } from '../snapshot/fields.js';
import { words } from '../schema/field.js';

/** See the module's description. */
export class Controls {
  #fields;
  #input;
  /** Index of every Bool among the integers. @type {number[]} */
  #bools = [];
  /**
   * @type {number[]} the integers as they would be sent now; empty before the first look in a
   *   tick
   */
  #qs = [];

  /**
   * @param {readonly import('../schema/field.js').Field[]} fields the schema's input
   * @param {import('../types.js').PlayOptions['input']} input the page's
   */
  constructor(fields, input) {
    this.#fields = fields;
    this.#input = input;
    let at = 0;
    for (const { kind } of fields) {
      if (kind.type === 'Bool') this.#bools.push(at);
      at += words(kind);
    }
  }

  /**
   * A frame is drawn.
   * @returns {Record<string, any>} the input that the tick in progress would get, as the server
   *   would decode it
   */
  look() {
    const before = this.#qs;
    this.#qs = this.#ask();
    for (const at of this.#bools) if (before[at] === 1) this.#qs[at] = 1;
    return dequantiseAll(this.#fields, this.#qs);
  }

  /**
   * A tick's input is due.
   * @returns {{ qs: number[], input: Record<string, any> }} to be sent, and as the server will
   *   decode it
   */
  take() {
    const input = this.look();
    const qs = this.#qs;
    this.#qs = [];
    return { qs, input };
  }

  /** @returns {number[]} the integers of what the page wants now */
  #ask() {
    try {
      const values = /** @type {any} */ (this.#input());
      if (typeof values !== 'object' || values === null || typeof values.then === 'function') {
        throw new TypeError('input gives the controls as they are now: an object, and at once');
      }
      checkValues('input', this.#fields, values);
      return quantiseAll(this.#fields, values);
    } catch (error) {
      report('input', error);
      return quantiseAll(this.#fields, {});
    }
  }
}
