/**
 * Bytes read from the front, and the varint in which lengths are written (PROTOCOL.md §1). For
 * messages, sections of snapshots and payloads; control messages have `codec.js`, packed fields
 * `snapshot/bit_coder.js`.
 */

import { ProtocolError } from './protocol_error.js';

/** Reads bytes from the front; every read checks that they are there. */
export class ByteReader {
  /**
   * @param {Uint8Array} bytes
   * @param {number} from first byte
   * @param {number} to one past the last byte
   */
  constructor(bytes, from = 0, to = bytes.length) {
    this.bytes = bytes;
    this.at = from;
    this.end = to;
  }

  /** @returns {boolean} whether nothing is left */
  get done() {
    return this.at === this.end;
  }

  /**
   * @param {number} count
   * @returns {number} where `count` bytes start that are now read
   */
  take(count) {
    const at = this.at;
    if (count > this.end - at) throw new ProtocolError('message ends too early');
    this.at = at + count;
    return at;
  }

  /** @returns {number} */
  u8() {
    return this.bytes[this.take(1)];
  }

  /** @returns {number} of four bytes */
  fixed32() {
    const at = this.take(4);
    const { bytes } = this;
    return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
  }
}

/**
 * @param {{ u8(): number }} source gives the next byte
 * @returns {number} an unsigned LEB128 number in its shortest form, below 2^32
 */
export function readVarint(source) {
  let value = 0;
  for (let index = 0; index < 5; index++) {
    const byte = source.u8();
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) {
      if (value > 0xffffffff || (byte === 0 && index > 0)) break;
      return value;
    }
  }
  throw new ProtocolError('varint out of range');
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * @param {Uint8Array} bytes
 * @param {string} what they should be, for the error
 * @returns {string} throws a `ProtocolError` if they are not UTF-8
 */
export function decodeUtf8(bytes, what) {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new ProtocolError(`${what} is not UTF-8`);
  }
}
