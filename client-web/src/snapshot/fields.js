/**
 * Packed fields: inputs, events and actions, each `q` in its width (PROTOCOL.md §4). And the game's
 * values of them, as objects with one property per field.
 */

import { ProtocolError } from '../protocol/protocol_error.js';
import { bits, fromQ, qMax, toQ } from '../schema/field.js';
import { BitWriter } from './bit_coder.js';

/** @typedef {import('../schema/field.js').Field} Field */

/**
 * @param {readonly Field[]} fields
 * @param {Record<string, any>} values by name; what is left out is neutral
 * @returns {number[]} the integers, in order of the fields
 */
export function quantiseAll(fields, values) {
  return fields.map((field) => toQ(field.kind, values[field.name]));
}

/**
 * @param {readonly Field[]} fields
 * @param {readonly number[]} qs the integers
 * @returns {Record<string, any>} the values that they stand for
 */
export function dequantiseAll(fields, qs) {
  /** @type {Record<string, any>} */
  const values = {};
  fields.forEach((field, i) => {
    values[field.name] = fromQ(field.kind, qs[i]);
  });
  return values;
}

/**
 * @param {readonly Field[]} fields
 * @param {readonly number[]} qs the integers
 * @returns {Uint8Array} filled up to a whole byte
 */
export function pack(fields, qs) {
  const writer = new BitWriter();
  fields.forEach((field, i) => writer.bits(bits(field.kind), qs[i]));
  return writer.finish();
}

/**
 * @param {readonly Field[]} fields
 * @param {import('./bit_coder.js').BitReader} reader goes on behind the last field, not aligned
 * @returns {number[]} the integers
 */
export function unpack(fields, reader) {
  return fields.map((field) => {
    const q = reader.bits(bits(field.kind));
    if (q > qMax(field.kind)) throw new ProtocolError('value out of range');
    return q | 0;
  });
}
