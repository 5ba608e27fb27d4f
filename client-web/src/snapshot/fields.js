/**
 * Packed fields: inputs, events and actions, each `q` in its width (PROTOCOL.md §4); a text has
 * several. And the game's values of them, as objects with one property per field.
 */

import { ProtocolError } from '../protocol_error.js';
import { bits, fromQs, qMax, toQs, words } from '../schema/field.js';
import { BitWriter } from './bit_coder.js';

/** @typedef {import('../schema/field.js').Field} Field */

/**
 * @param {readonly Field[]} fields
 * @param {Record<string, any>} values by name; what is left out is neutral
 * @returns {number[]} the integers, in order of the fields
 */
export function quantiseAll(fields, values) {
  return fields.flatMap((field) => toQs(field.kind, values[field.name]));
}

/**
 * @param {readonly Field[]} fields
 * @param {readonly number[]} qs the integers
 * @returns {Record<string, any>} the values that they stand for; throws a `ProtocolError` for a
 *   text that is not UTF-8
 */
export function dequantiseAll(fields, qs) {
  /** @type {Record<string, any>} */
  const values = {};
  let at = 0;
  for (const { name, kind } of fields) {
    values[name] = fromQs(kind, qs, at);
    at += words(kind);
  }
  return values;
}

/**
 * @param {readonly Field[]} fields
 * @param {readonly number[]} qs the integers
 * @returns {Uint8Array} filled up to a whole byte
 */
export function pack(fields, qs) {
  const writer = new BitWriter();
  let at = 0;
  for (const { kind } of fields) {
    for (const end = at + words(kind); at < end; at++) writer.bits(bits(kind), qs[at]);
  }
  return writer.finish();
}

/**
 * @param {readonly Field[]} fields
 * @param {import('./bit_coder.js').BitReader} reader goes on behind the last field, not aligned
 * @returns {number[]} the integers
 */
export function unpack(fields, reader) {
  /** @type {number[]} */
  const qs = [];
  for (const { kind } of fields) {
    for (let left = words(kind); left > 0; left--) {
      const q = reader.bits(bits(kind));
      if (q > qMax(kind)) throw new ProtocolError('value out of range');
      qs.push(q | 0);
    }
  }
  return qs;
}
