/**
 * What stands outside of a room's images: the options that a room was made with and that a player
 * brings, and a room's metadata. Packed fields of the schema (PROTOCOL.md §4). Called by
 * `session.js`.
 */

import { ProtocolError } from '../protocol_error.js';
import { BitReader } from '../snapshot/bit_coder.js';
import { dequantiseAll, unpack } from '../snapshot/fields.js';

/** @typedef {import('../schema/field.js').Field} Field */

const reader = new BitReader();

/**
 * @param {readonly Field[]} declared
 * @param {Uint8Array} bytes empty for nothing said
 * @returns {Record<string, any>} values by name. Throws a `ProtocolError` for what is none
 */
export function readOptions(declared, bytes) {
  if (bytes.length === 0) return {};
  reader.open(bytes, 0, bytes.length);
  const qs = unpack(declared, reader);
  reader.align();
  if (!reader.done) throw new ProtocolError('bytes after the options');
  return dequantiseAll(declared, qs);
}
