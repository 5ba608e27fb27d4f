/**
 * What a page chooses for a room or brings to one, what it asks of rooms, what rooms tell of
 * themselves and actions answer, as the game's schema declares it (PROTOCOL.md §4). Unlike an
 * input, which is clamped into its ranges, a choice that there is not is a mistake: it is refused
 * by name before anything is sent. Called by `session.js`, `link.js` and `room.js`.
 */

import { CONDITIONS_MAX } from '../limits.js';
import { ProtocolError } from '../protocol_error.js';
import { RequestError } from '../request_error.js';
import { BitReader } from '../snapshot/bit_coder.js';
import { dequantiseAll, pack, quantiseAll, unpack } from '../snapshot/fields.js';
import { toQ } from '../schema/field.js';
import { decodePayload } from '../schema/payload.js';
import { choiceExpected, shown } from '../schema/value_check.js';

/** @typedef {import('../schema/field.js').Field} Field */
/** @typedef {import('../protocol/client_message.js').Condition} Condition */

/** What chooses nothing. */
const NOTHING = new Uint8Array();

const reader = new BitReader();

/**
 * @param {string} what they are options of, for the error: `player` or `room`
 * @param {readonly Field[]} fields what the game declares
 * @param {Record<string, any> | undefined} values by name: all of them, or undefined for the game's
 *   own choice
 * @returns {Uint8Array} packed. Throws a `RequestError` `BadOptions` that names the field
 */
export function packOptions(what, fields, values) {
  if (values === undefined || values === null) return NOTHING;
  if (typeof values !== 'object') throw bad(`${what} options are ${shown(values)}, expected an object`);
  for (const name of Object.keys(values)) {
    if (!fields.some((field) => field.name === name)) throw bad(`there is no ${what} option ${JSON.stringify(name)}${oneOf(fields)}`);
  }
  if (Object.keys(values).length === 0) return NOTHING;
  for (const { name, kind } of fields) {
    const value = values[name];
    if (value === undefined || value === null) throw bad(`the ${what} option ${JSON.stringify(name)} is missing: all are given, or none`);
    const instead = choiceExpected(kind, value);
    if (instead !== '') throw bad(`the ${what} option ${JSON.stringify(name)} is ${shown(value)}, expected ${instead}`);
  }
  return pack(fields, quantiseAll(fields, values));
}

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

/**
 * @param {import('../schema/schema.js').Action} declared
 * @param {Uint8Array} bytes
 * @returns {Record<string, any> | undefined} what the action answered: its fields by name, the
 *   payload beside them; undefined where it declares nothing. Throws a `ProtocolError` for what is
 *   none
 */
export function readAnswer({ answer, answerPayload }, bytes) {
  reader.open(bytes, 0, bytes.length);
  const values = dequantiseAll(answer, unpack(answer, reader));
  reader.align();
  if (answerPayload !== undefined) values[answerPayload.name] = decodePayload(answerPayload, reader);
  if (!reader.done) throw new ProtocolError('bytes after the answer');
  return answer.length === 0 && answerPayload === undefined ? undefined : values;
}

/**
 * @param {readonly Field[]} metadata what the game's rooms tell of themselves
 * @param {Record<string, any> | undefined} filter by name the value that is asked for, or
 *   `{ atLeast }` that
 * @returns {Condition[]} throws a `RequestError` `BadFilter` that names the field
 */
export function conditionsOf(metadata, filter) {
  const asked = Object.entries(filter ?? {}).filter(([, value]) => value !== undefined);
  if (asked.length > CONDITIONS_MAX) throw bad(`a filter of ${asked.length} conditions, at most ${CONDITIONS_MAX}`, 'BadFilter');
  return asked.map(([name, value]) => {
    const field = metadata.findIndex((declared) => declared.name === name);
    if (field === -1) throw bad(`rooms say nothing of ${JSON.stringify(name)}${oneOf(metadata)}`, 'BadFilter');
    const { kind } = metadata[field];
    if (kind.type === 'Text') throw bad(`${JSON.stringify(name)} is a text: rooms cannot be filtered by it`, 'BadFilter');
    const isLeast = typeof value === 'object' && value !== null && 'atLeast' in value;
    const wanted = isLeast ? value.atLeast : value;
    const instead = choiceExpected(kind, wanted);
    if (instead !== '') throw bad(`the filter's ${JSON.stringify(name)} is ${shown(wanted)}, expected ${instead}`, 'BadFilter');
    return { field, test: isLeast ? 'AtLeast' : 'Equal', value: toQ(kind, wanted) };
  });
}

/**
 * @param {string} message
 * @param {'BadOptions' | 'BadFilter'} [reason]
 */
function bad(message, reason = 'BadOptions') {
  return new RequestError(reason, message);
}

/** @param {readonly Field[]} fields @returns {string} what there is, for an error */
function oneOf(fields) {
  return fields.length === 0 ? ': the game declares none' : `, expected one of ${fields.map(({ name }) => name).join(', ')}`;
}
