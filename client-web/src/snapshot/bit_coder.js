/**
 * Bit streams, least significant bit first, with Exp-Golomb numbers (PROTOCOL.md §4, §7).
 * What the numbers mean is for `delta.js` and `fields.js`.
 */

import { ProtocolError } from '../protocol/protocol_error.js';

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
   * @param {number} k 0..24
   * @returns {number} an Exp-Golomb number, unsigned, below 2^32
   */
  expGolomb(k) {
    const at = this.#at;
    const word = this.#word(at);
    const zeros = word === 0 ? 32 : 31 - Math.clz32(word & -word);
    const low = zeros + k;
    const length = zeros + 1 + low;
    if (length > this.#end - at) throw new ProtocolError('bits end too early');
    this.#at = at + length;
    if (length <= 32) {
      return ((word >>> (zeros + 1)) & ((1 << low) - 1)) + (1 << low) - (1 << k);
    }
    if (low > 32 || (word === 0 && (this.#word(at + 32) & 1) === 0)) {
      throw new ProtocolError('number out of range');
    }
    const rest = this.#word(at + zeros + 1);
    const value = (low === 32 ? rest : rest & (2 ** low - 1)) + 2 ** low - 2 ** k;
    if (value > 0xffffffff) throw new ProtocolError('number out of range');
    return value;
  }

  /**
   * @param {number} k 0..24
   * @returns {number} a signed Exp-Golomb number of 32 bits
   */
  signed(k) {
    const z = this.expGolomb(k);
    return (z >>> 1) ^ -(z & 1);
  }

  /** Skips the zero bits that fill the last byte. */
  align() {
    const rest = -this.#at & 7;
    if (rest !== 0 && this.bits(rest) !== 0) throw new ProtocolError('filling bits are not zero');
  }

  /** Throws unless only the filling of the last byte is left. */
  finish() {
    this.align();
    if (this.#at !== this.#end) throw new ProtocolError('bytes after the bits');
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

  /**
   * @param {number} k 0..24
   * @param {number} value unsigned, below 2^32
   */
  expGolomb(k, value) {
    const w = value + 2 ** k;
    const length = w > 0xffffffff ? 33 : 32 - Math.clz32(w);
    this.bits(length - 1 - k, 0);
    this.bits(1, 1);
    this.bits(length - 1, w % 2 ** (length - 1));
  }

  /**
   * @param {number} k 0..24
   * @param {number} value a 32-bit integer
   */
  signed(k, value) {
    this.expGolomb(k, ((value << 1) ^ (value >> 31)) >>> 0);
  }

  /** @returns {Uint8Array} what was written, the last byte filled with zero bits */
  finish() {
    return Uint8Array.from(this.#bytes);
  }
}
