/**
 * The events section of a snapshot (PROTOCOL.md §8): the game's messages. Called by `session.js`.
 */

import { readVarint } from '../bytes.js';
import { ProtocolError } from '../protocol_error.js';
import { decodePayload } from '../schema/payload.js';
import { BitReader } from '../snapshot/bit_coder.js';
import { dequantiseAll, unpack } from '../snapshot/fields.js';

/** @typedef {import('../types.js').GameEvent} GameEvent */

const bits = new BitReader();

/**
 * @param {import('../bytes.js').ByteReader} reader the section's bytes
 * @param {number} tick the snapshot's
 * @param {import('../schema/schema.js').Schema} schema
 * @returns {GameEvent[]} oldest first
 */
export function decodeEvents(reader, tick, schema) {
  /** @type {GameEvent[]} */
  const events = [];
  bits.open(reader.bytes, reader.at, reader.end);
  while (!bits.done) {
    const back = readVarint(bits);
    if (back > tick) throw new ProtocolError('an event from before the first tick');
    const declared = schema.events[readVarint(bits)];
    if (declared === undefined) throw new ProtocolError('unknown event');
    const { name, payload } = declared;
    const fields = dequantiseAll(declared.fields, unpack(declared.fields, bits));
    bits.align();
    if (payload !== undefined) fields[payload.name] = decodePayload(payload, bits);
    events.push({ name, tick: tick - back, fields });
  }
  return events;
}
