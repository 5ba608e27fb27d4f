/**
 * A payload: what an event or action carries behind its packed fields, as JSON or as bytes
 * (PROTOCOL.md §4). The engine does not look into it. Called by `schema.js`, `room.js` and
 * `session/events.js`.
 */

import { decodeUtf8, readVarint } from '../bytes.js';
import { PAYLOAD_BYTES_MAX } from '../limits.js';
import { ProtocolError } from '../protocol_error.js';
import { RequestError } from '../request_error.js';

/**
 * @typedef {object} Payload
 * @property {string} name its property beside the fields, unlike theirs
 * @property {boolean} json whether it is a value in JSON; else bytes
 */

const encoder = new TextEncoder();

/**
 * @param {import('../codec.js').ControlReader} reader
 * @returns {Payload}
 */
export function readPayload(reader) {
  return { name: reader.string(), json: reader.bool() };
}

/**
 * Throws a `ProtocolError` if the payload's name is none or one of the fields'.
 * @param {Payload} payload
 * @param {readonly { name: string }[]} fields
 */
export function checkPayload({ name }, fields) {
  if (name === '' || name === '__proto__') throw new ProtocolError('a payload without a usable name');
  if (fields.some((field) => field.name === name)) {
    throw new ProtocolError(`payload ${JSON.stringify(name)} is called like a field`);
  }
}

/**
 * @param {Payload} payload
 * @param {any} value for JSON what `JSON.stringify` takes, null if it is missing; else a
 *   `Uint8Array` or `ArrayBuffer`, empty if it is missing
 * @returns {Uint8Array} its length and its bytes. Throws a `RequestError` if they are too many, a
 *   `TypeError` for what is neither JSON nor bytes
 */
export function encodePayload(payload, value) {
  const bytes = payload.json ? encoder.encode(JSON.stringify(value) ?? 'null') : bytesOf(payload, value);
  const { length } = bytes;
  if (length > PAYLOAD_BYTES_MAX) {
    throw new RequestError('TooBig', `${JSON.stringify(payload.name)} has ${length} bytes, at most ${PAYLOAD_BYTES_MAX} can be sent`);
  }
  // The length is a varint; the limit has two bytes.
  const head = length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >>> 7];
  const encoded = new Uint8Array(head.length + length);
  encoded.set(head);
  encoded.set(bytes, head.length);
  return encoded;
}

/**
 * @param {Payload} payload
 * @param {any} value
 * @returns {Uint8Array} of the caller's memory
 */
function bytesOf({ name }, value) {
  if (value === undefined || value === null) return new Uint8Array();
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  throw new TypeError(`${JSON.stringify(name)} is neither a Uint8Array nor an ArrayBuffer`);
}

/**
 * @param {Payload} payload
 * @param {import('../snapshot/bit_coder.js').BitReader} reader aligned; goes on behind the payload
 * @returns {any} the value of the JSON, or a `Uint8Array` of its own. Throws a `ProtocolError` if
 *   it is too long or not JSON
 */
export function decodePayload(payload, reader) {
  const length = readVarint(reader);
  if (length > PAYLOAD_BYTES_MAX) throw new ProtocolError(`a payload of ${length} bytes, at most ${PAYLOAD_BYTES_MAX}`);
  const bytes = reader.bytes(length);
  if (!payload.json) return bytes;
  try {
    return JSON.parse(decodeUtf8(bytes, 'a payload'));
  } catch {
    throw new ProtocolError('a payload is not JSON');
  }
}
