/**
 * The part of bincode 2.0.1 (standard configuration) that control messages use, written out in
 * PROTOCOL.md §3. Which message has which fields is for `protocol/client_message.js`,
 * `protocol/server_message.js` and `schema/schema.js`.
 */

import { ByteReader, decodeUtf8 } from './bytes.js';
import { ProtocolError } from './protocol_error.js';

const U16_MARK = 251;
const U32_MARK = 252;

/** Writes control messages; grows as needed. */
export class ControlWriter {
  /** @type {number[]} */
  #bytes = [];

  /** @param {number} value 0..255 */
  u8(value) {
    this.#bytes.push(value & 0xff);
  }

  /** @param {boolean} value */
  bool(value) {
    this.#bytes.push(value ? 1 : 0);
  }

  /**
   * A u16, u32, length or variant's index: all have the same bytes.
   * @param {number} value a whole number, 0..2^32 - 1
   */
  uint(value) {
    if (value < U16_MARK) {
      this.#bytes.push(value);
    } else if (value <= 0xffff) {
      this.#bytes.push(U16_MARK, value & 0xff, value >>> 8);
    } else {
      this.#bytes.push(U32_MARK, value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24);
    }
  }

  /** @param {number} value a 32-bit integer */
  int(value) {
    this.uint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  /** @param {number} value */
  f64(value) {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, true);
    this.#bytes.push(...bytes);
  }

  /** @param {string} value */
  string(value) {
    this.bytes(new TextEncoder().encode(value));
  }

  /** @param {Uint8Array} value a list of bytes */
  bytes(value) {
    this.uint(value.length);
    for (const byte of value) this.#bytes.push(byte);
  }

  /** @returns {Uint8Array} what was written */
  finish() {
    return Uint8Array.from(this.#bytes);
  }
}

/** Reads control messages. Checks every length against what is left before using it. */
export class ControlReader extends ByteReader {
  #view;

  /**
   * @param {Uint8Array} bytes the message
   * @param {number} from where to start
   */
  constructor(bytes, from = 0) {
    super(bytes, from);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** @returns {boolean} */
  bool() {
    const byte = this.u8();
    if (byte > 1) throw new ProtocolError('a bool is neither 0 nor 1');
    return byte === 1;
  }

  /** @returns {number} */
  u16() {
    const first = this.u8();
    if (first < U16_MARK) return first;
    if (first !== U16_MARK) throw new ProtocolError('a number does not fit 16 bits');
    return this.#view.getUint16(this.take(2), true);
  }

  /** @returns {number} a u32, a length or a variant's index */
  u32() {
    const first = this.u8();
    if (first < U16_MARK) return first;
    if (first === U16_MARK) return this.#view.getUint16(this.take(2), true);
    if (first !== U32_MARK) throw new ProtocolError('a number does not fit 32 bits');
    return this.#view.getUint32(this.take(4), true);
  }

  /** @returns {number} */
  i32() {
    const z = this.u32();
    return (z >>> 1) ^ -(z & 1);
  }

  /** @returns {number} */
  f64() {
    return this.#view.getFloat64(this.take(8), true);
  }

  /** @returns {string} */
  string() {
    const length = this.u32();
    const at = this.take(length);
    return decodeUtf8(this.bytes.subarray(at, at + length), 'a string');
  }

  /** @param {number} max bytes, beyond which they are refused @returns {Uint8Array} of the message */
  packed(max) {
    const length = this.u32();
    if (length > max) throw new ProtocolError(`${length} bytes, at most ${max}`);
    const at = this.take(length);
    return this.bytes.subarray(at, at + length);
  }

  /**
   * @template T
   * @param {number} max items, beyond which the list is refused
   * @param {(reader: ControlReader) => T} item reads one
   * @returns {T[]}
   */
  list(max, item) {
    const length = this.u32();
    // Each item has at least one byte, so the message itself bounds the loop too.
    if (length > max) throw new ProtocolError(`a list of ${length}, at most ${max}`);
    /** @type {T[]} */
    const items = [];
    for (let i = 0; i < length; i++) items.push(item(this));
    return items;
  }

  /**
   * @template T
   * @param {(reader: ControlReader) => T} value reads it
   * @returns {T | undefined}
   */
  option(value) {
    const byte = this.u8();
    if (byte > 1) throw new ProtocolError('an option is neither 0 nor 1');
    return byte === 1 ? value(this) : undefined;
  }

  /**
   * @template T
   * @param {readonly T[]} variants
   * @returns {T} the one whose index is next
   */
  variant(variants) {
    const index = this.u32();
    if (index >= variants.length) throw new ProtocolError(`no variant ${index}`);
    return variants[index];
  }

  /** Throws unless everything was read. */
  finish() {
    if (!this.done) throw new ProtocolError('bytes after the control message');
  }
}
