/**
 * How messages stand in the bodies of requests and answers (PROTOCOL.md §1.1). Pure. The server's
 * are `server/src/transport/http_stream/frames.rs`.
 */

import { SERVER_MESSAGE_BYTES_MAX } from '../limits.js';
import { LOST } from '../protocol/close_code.js';

/** Bytes before what is in a frame. */
const HEADER_BYTES = 4;
/** Kinds of frames. */
export const Frame = /** @type {const} */ ({ MESSAGE: 0, CLOSE: 1, LIFE: 2 });

/**
 * @param {number} kind
 * @param {Uint8Array} bytes
 * @returns {Uint8Array}
 */
export function frame(kind, bytes) {
  const whole = new Uint8Array(HEADER_BYTES + bytes.length);
  new DataView(whole.buffer).setUint32(0, bytes.length * 256 + kind, true);
  whole.set(bytes, HEADER_BYTES);
  return whole;
}

/** A client's close. @param {number} code @returns {Uint8Array} */
export const closeFrame = (code) => frame(Frame.CLOSE, new Uint8Array([code & 0xff, code >> 8]));

/**
 * What the server's close says.
 * @param {Uint8Array} bytes
 * @returns {{ code: number, reason: string }}
 */
export function readClose(bytes) {
  if (bytes.length < 2) return { code: LOST, reason: '' };
  return { code: bytes[0] + bytes[1] * 256, reason: new TextDecoder().decode(bytes.subarray(2)) };
}

/** Frames out of bytes as they come, however they are cut. */
export class FrameReader {
  /** What came of a frame that is not whole. */
  #bytes = new Uint8Array(0);

  /** Whether a frame lacks its end. */
  get isAmid() {
    return this.#bytes.length > 0;
  }

  /**
   * @param {Uint8Array} bytes that came
   * @returns {{ kind: number, bytes: Uint8Array }[] | undefined} the frames that are whole now;
   *   undefined if that is what no server says
   */
  push(bytes) {
    const all = new Uint8Array(this.#bytes.length + bytes.length);
    all.set(this.#bytes);
    all.set(bytes, this.#bytes.length);
    const view = new DataView(all.buffer);
    const frames = [];
    let at = 0;
    while (all.length - at >= HEADER_BYTES) {
      const head = view.getUint32(at, true);
      const length = head >>> 8;
      if (length > SERVER_MESSAGE_BYTES_MAX) return undefined;
      const end = at + HEADER_BYTES + length;
      if (end > all.length) break;
      frames.push({ kind: head & 0xff, bytes: all.slice(at + HEADER_BYTES, end) });
      at = end;
    }
    this.#bytes = all.slice(at);
    return frames;
  }
}
