/** Range coding, the reverse of `src/snapshot/range_coder.js`, for the tests' bodies. */

import { RANGE_MIN, afterOne, afterZero } from '../../src/snapshot/range_coder.js';
import { SYMBOL_BITS } from '../../src/snapshot/symbols.js';

/** Codes decisions to bytes. */
export class RangeEncoder {
  /** @type {number[]} */
  #bytes = [];
  #contexts;
  /** Below 2^33. */
  #low = 0;
  #range = 0xffffffff;
  /** The last byte, held back because a carry may still reach it, and the 0xFF bytes behind it. */
  #cache = 0;
  #held = 1;
  /** The very first byte can only be 0: it is left out. */
  #isFirst = true;

  /** @param {Uint16Array} prior what the contexts start as */
  constructor(prior) {
    this.#contexts = Uint16Array.from(prior);
  }

  /** @param {number} at place of the context @param {boolean} bit */
  bit(at, bit) {
    const context = this.#contexts[at];
    const bound = (this.#range >>> 12) * (context >>> 4);
    if (bit) {
      this.#low += bound;
      this.#range -= bound;
    } else {
      this.#range = bound;
    }
    this.#contexts[at] = bit ? afterOne(context) : afterZero(context);
    this.#widen();
  }

  /**
   * @param {Uint16Array} tables
   * @param {number} first of a table's numbers
   * @param {number} symbol
   */
  symbol(tables, first, symbol) {
    const unit = this.#range >>> SYMBOL_BITS;
    const start = tables[first + symbol];
    this.#low += start * unit;
    this.#range = (tables[first + symbol + 1] - start) * unit;
    this.#widen();
  }

  /** @param {number} bits 0..32 @param {number} value its low `bits` are coded */
  raw(bits, value) {
    for (let left = bits; left > 0; ) {
      const now = Math.min(left, 8);
      left -= now;
      this.#range >>>= now;
      this.#low += ((value >>> left) & ((1 << now) - 1)) * this.#range;
      this.#widen();
    }
  }

  /**
   * @param {number} at place of its first context
   * @param {number} count its contexts
   * @param {number} value 0..2^32 - 1
   */
  number(at, count, value) {
    const shifted = value + 1;
    const digits = shifted > 0xffffffff ? 32 : 31 - Math.clz32(shifted);
    this.unary(at, count, digits);
    this.raw(digits, shifted % 2 ** digits);
  }

  /**
   * @param {number} at place of its first context
   * @param {number} bits 0..32
   * @param {number} modelled so many of the highest have contexts
   * @param {number} value its low `bits` are coded
   */
  digits(at, bits, modelled, value) {
    let begun = 1;
    for (let digit = bits - 1; digit >= bits - modelled; digit--) {
      const bit = (value >>> digit) & 1;
      this.bit(at + begun - 1, bit === 1);
      begun = 2 * begun + bit;
    }
    this.raw(bits - modelled, value);
  }

  /**
   * @param {number} at place of its first context
   * @param {number} count its contexts
   * @param {number} value so many zeros, then a 1
   */
  unary(at, count, value) {
    for (let i = 0; i < value; i++) this.bit(at + Math.min(i, count - 1), false);
    this.bit(at + Math.min(value, count - 1), true);
  }

  #widen() {
    while (this.#range < RANGE_MIN) {
      this.#range *= 256;
      this.#shift();
    }
  }

  #shift() {
    if (this.#low < 0xff000000 || this.#low > 0xffffffff) {
      const carry = this.#low > 0xffffffff ? 1 : 0;
      for (let byte = this.#cache; this.#held > 0; this.#held--, byte = 0xff) {
        if (!this.#isFirst) this.#bytes.push((byte + carry) & 0xff);
        this.#isFirst = false;
      }
      this.#cache = (this.#low >>> 24) & 0xff;
    }
    this.#held++;
    this.#low = (this.#low & 0xffffff) * 256;
  }

  /**
   * @returns {Uint8Array} what was coded, ended by the least number in the range whose lower 24
   *   bits are 0, without those
   */
  finish() {
    this.#low = Math.ceil(this.#low / RANGE_MIN) * RANGE_MIN;
    this.#shift();
    this.#shift();
    return Uint8Array.from(this.#bytes);
  }
}
