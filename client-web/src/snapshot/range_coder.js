/**
 * Decoding of a binary range coder with adaptive odds (PROTOCOL.md §7): LZMA's, with odds that also
 * know how sure they are, and static tables for symbols of more than a bit. Unsigned 32-bit
 * arithmetic throughout. Knows nothing of snapshots: `delta.js` says which context codes what.
 */

import { ProtocolError } from '../protocol_error.js';
import { SYMBOL_BITS, symbolAt } from './symbols.js';

/** A context that knows nothing: even odds, learnt from nothing. */
export const UNSURE = 2048 << 4;
/** Bounds of the odds for a 0, in 1/4096. */
export const ODDS_MIN = 4;
/** See `ODDS_MIN`. */
export const ODDS_MAX = 4092;
/** Below this the range is widened by a byte. */
export const RANGE_MIN = 2 ** 24;
/** Bytes that a decoder looks at beyond those that an encoder writes. */
const AHEAD = 3;
/** Zeros that may precede a number. */
const ZEROS_MAX = 32;

/** How far odds move to the bit seen, in 1/65536, by how much they have learnt. */
const RATES = Uint16Array.of(
  32768, 21845, 16384, 13107, 10923, 9362, 8192, 7282, 6554, 5461, 4681, 4096, 3277, 2731, 2341, 2048,
);

/**
 * @param {number} context odds for a 0 in 1/4096 (upper 12 bits), and how much they have learnt
 *   (lower 4)
 * @returns {number} it after a 0
 */
export function afterZero(context) {
  const p = context >>> 4;
  const n = context & 15;
  const odds = p + (((4096 - p) * RATES[n]) >>> 16);
  return ((odds > ODDS_MAX ? ODDS_MAX : odds) << 4) | (n === 15 ? 15 : n + 1);
}

/**
 * @param {number} context see `afterZero`
 * @returns {number} it after a 1
 */
export function afterOne(context) {
  const p = context >>> 4;
  const n = context & 15;
  const odds = p - ((p * RATES[n]) >>> 16);
  return ((odds < ODDS_MIN ? ODDS_MIN : odds) << 4) | (n === 15 ? 15 : n + 1);
}

/**
 * Reads coded decisions. Bytes beyond the end read as 0; `check` tells when there were too many of
 * them. Reusable: `open` starts on other bytes.
 */
export class RangeDecoder {
  /** @type {Uint8Array} */
  #bytes = new Uint8Array(0);
  #at = 0;
  #end = 0;
  #contexts;
  /**
   * The code and the range: in an array because a property holds no unsigned number of 32 bits
   * unboxed.
   */
  #state = new Uint32Array(2);

  /** @param {number} contexts how many there are */
  constructor(contexts) {
    this.#contexts = new Uint16Array(contexts);
  }

  /**
   * Starts on `bytes[from..to]`, which must not change until the last decision is read.
   * @param {Uint8Array} bytes
   * @param {number} from
   * @param {number} to
   * @param {Uint16Array} prior what the contexts start as
   */
  open(bytes, from, to, prior) {
    this.#contexts.set(prior);
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
    let code = 0;
    for (let i = 0; i < 4; i++) code = (code << 8) | this.#byte();
    this.#state[0] = code;
    this.#state[1] = 0xffffffff;
  }

  /** @returns {number} the next byte, 0 beyond the end */
  #byte() {
    const at = this.#at++;
    return at < this.#end ? this.#bytes[at] : 0;
  }

  /**
   * @param {number} at place of the context
   * @returns {number} 0 or 1
   */
  bit(at) {
    const state = this.#state;
    const contexts = this.#contexts;
    const context = contexts[at];
    let code = state[0];
    let range = state[1];
    const bound = Math.imul(range >>> 12, context >>> 4) >>> 0;
    let bit = 0;
    if (code < bound) {
      range = bound;
      contexts[at] = afterZero(context);
    } else {
      bit = 1;
      code = (code - bound) >>> 0;
      range = (range - bound) >>> 0;
      contexts[at] = afterOne(context);
    }
    while (range < RANGE_MIN) {
      range = (range << 8) >>> 0;
      code = ((code << 8) | this.#byte()) >>> 0;
    }
    state[0] = code;
    state[1] = range;
    return bit;
  }

  /**
   * @param {Uint16Array} tables see `symbols.js`
   * @param {number} first of a table's numbers
   * @returns {number} a symbol
   */
  symbol(tables, first) {
    const state = this.#state;
    let code = state[0];
    const unit = state[1] >>> SYMBOL_BITS;
    // A damaged code may lie beyond the range: it is the last symbol then.
    const symbol = symbolAt(tables, first, (code / unit) >>> 0);
    const start = tables[first + symbol];
    code = (code - Math.imul(start, unit)) >>> 0;
    let range = Math.imul(tables[first + symbol + 1] - start, unit) >>> 0;
    while (range < RANGE_MIN) {
      range = (range << 8) >>> 0;
      code = ((code << 8) | this.#byte()) >>> 0;
    }
    state[0] = code;
    state[1] = range;
    return symbol;
  }

  /**
   * @param {number} bits 0..32
   * @returns {number} a number of that many bits at even odds, unsigned
   */
  raw(bits) {
    const state = this.#state;
    let code = state[0];
    let range = state[1];
    let value = 0;
    for (let left = bits; left > 0; ) {
      const now = left < 8 ? left : 8;
      left -= now;
      range >>>= now;
      const most = (1 << now) - 1;
      // A damaged code may lie beyond the range: it is cut to what these bits can say.
      let part = (code / range) >>> 0;
      if (part > most) part = most;
      code = (code - Math.imul(part, range)) >>> 0;
      value = (value << now) | part;
      while (range < RANGE_MIN) {
        range = (range << 8) >>> 0;
        code = ((code << 8) | this.#byte()) >>> 0;
      }
    }
    state[0] = code;
    state[1] = range;
    return value >>> 0;
  }

  /**
   * @param {number} at place of its first context
   * @param {number} count its contexts
   * @returns {number} a number below 2^32
   */
  number(at, count) {
    const digits = this.unary(at, count);
    if (digits < 31) return (1 << digits) + this.raw(digits) - 1;
    const value = 2 ** digits + this.raw(digits) - 1;
    if (value > 0xffffffff) throw new ProtocolError('number out of range');
    return value;
  }

  /**
   * @param {number} at place of its first context
   * @param {number} bits 0..32
   * @param {number} modelled of them, so many of the highest have contexts, each by those before
   *   it; at most 16
   * @returns {number} a number of that many bits, unsigned
   */
  digits(at, bits, modelled) {
    let begun = 1;
    for (let i = 0; i < modelled; i++) begun = 2 * begun + this.bit(at + begun - 1);
    const rest = bits - modelled;
    return (begun - (1 << modelled)) * 2 ** rest + this.raw(rest);
  }

  /**
   * @param {number} at place of its first context
   * @param {number} count its contexts
   * @returns {number} a number up to 32: so many zeros came before a 1
   */
  unary(at, count) {
    const last = at + count - 1;
    let value = 0;
    for (let place = at; this.bit(place) === 0; ) {
      if (++value > ZEROS_MAX) throw new ProtocolError('number out of range');
      if (place < last) place++;
    }
    return value;
  }

  /** Throws when decisions were read that nobody wrote. */
  check() {
    if (this.#at > this.#end + AHEAD) throw new ProtocolError('a body ends too early');
  }

  /** Throws unless exactly what was written was read. */
  finish() {
    this.check();
    if (this.#at !== this.#end + AHEAD) throw new ProtocolError('bytes after a body');
  }
}
