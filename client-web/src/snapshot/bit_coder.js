/**
 * Bit streams, least significant bit first (PROTOCOL.md §4). What the numbers mean is for
 * `fields.js`; bodies of layers are not of these, but of `range_coder.js`.
 */

import { ProtocolError } from '../protocol_error.js';

/** Zero bytes after the data, so that a word may be read anywhere in it. */
const PADDING = 8;

/**
 * Reads bits. Reusable: `open` copies the bytes into a buffer of its own that grows to the
 * largest message seen.
 */
export class BitReader {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  #end = 0;

  /**
   * Starts on `bytes[from..to]`.
   * @param {Uint8Array} bytes
   * @param {number} from
   * @param {number} to
   */
  open(bytes, from, to) {
    const length = to - from;
    if (length + PADDING > this.#bytes.length) {
      this.#bytes = new Uint8Array(2 * length + PADDING);
      this.#view = new DataView(this.#bytes.buffer);
    }
    this.#bytes.set(bytes.subarray(from, to));
    this.#bytes.fill(0, length, length + PADDING);
    this.#at = 0;
    this.#end = 8 * length;
  }

  /** @returns {boolean} whether nothing is left */
  get done() {
    return this.#at === this.#end;
  }

  /**
   * The 32 bits from bit `at` on, zeros beyond the end.
   * @param {number} at not beyond the end
   * @returns {number} unsigned
   */
  #word(at) {
    const byte = at >>> 3;
    const shift = at & 7;
    const low = this.#view.getUint32(byte, true);
    return shift === 0 ? low : ((low >>> shift) | (this.#bytes[byte + 4] << (32 - shift))) >>> 0;
  }

  /**
   * @param {number} count 0..32
   * @returns {number} unsigned
   */
  bits(count) {
    const at = this.#at;
    if (count > this.#end - at) throw new ProtocolError('bits end too early');
    this.#at = at + count;
    const word = this.#word(at);
    return count === 32 ? word : word & ((1 << count) - 1);
  }

  /** @returns {number} the next eight bits */
  u8() {
    return this.bits(8);
  }

  /**
   * @param {number} count
   * @returns {Uint8Array} a copy of as many bytes; to be called where a byte begins
   */
  bytes(count) {
    const at = this.#at >>> 3;
    if (8 * count > this.#end - this.#at) throw new ProtocolError('bytes end too early');
    this.#at += 8 * count;
    return this.#bytes.slice(at, at + count);
  }

  /** Skips the zero bits that fill the last byte. */
  align() {
    const rest = -this.#at & 7;
    if (rest !== 0 && this.bits(rest) !== 0) throw new ProtocolError('filling bits are not zero');
  }
}

/** Writes bits: what `BitReader` reads. */
export class BitWriter {
  /** @type {number[]} */
  #bytes = [];
  #used = 0;

  /**
   * @param {number} count 0..32
   * @param {number} value its low `count` bits are written
   */
  bits(count, value) {
    let rest = value >>> 0;
    for (let left = count; left > 0; ) {
      const free = this.#used & 7;
      if (free === 0) this.#bytes.push(0);
      const take = Math.min(8 - free, left);
      this.#bytes[this.#bytes.length - 1] |= (rest & ((1 << take) - 1)) << free;
      rest >>>= take;
      this.#used += take;
      left -= take;
    }
  }

  /** @returns {Uint8Array} what was written, the last byte filled with zero bits */
  finish() {
    return Uint8Array.from(this.#bytes);
  }
}
