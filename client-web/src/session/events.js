/**
 * The events section of a snapshot (PROTOCOL.md §8), and the event of a notice: the game's
 * messages. Called by `session.js`.
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
    events.push({ tick: tick - back, ...decodeEvent(readVarint(bits), schema) });
  }
  return events;
}

/**
 * The event of a notice, which has no tick.
 * @param {import('../protocol/server_message.js').PackedEvent} packed
 * @param {import('../schema/schema.js').Schema} schema
 * @returns {{ name: string, fields: Record<string, any> }}
 */
export function unpackEvent({ event, fields }, schema) {
  bits.open(fields, 0, fields.length);
  const unpacked = decodeEvent(event, schema);
  if (!bits.done) throw new ProtocolError("something follows a notice's event");
  return unpacked;
}

/**
 * @param {number} index
 * @param {import('../schema/schema.js').Schema} schema
 */
function decodeEvent(index, schema) {
  const declared = schema.events[index];
  if (declared === undefined) throw new ProtocolError('unknown event');
  const { name, payload } = declared;
  const fields = dequantiseAll(declared.fields, unpack(declared.fields, bits));
  bits.align();
  if (payload !== undefined) fields[payload.name] = decodePayload(payload, bits);
  return { name, fields };
}
