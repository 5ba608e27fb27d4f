/**
 * What a game's bodies are coded by, trained on its recordings: beside the schema, which stays as
 * it is when they are trained anew. Read from the welcome; `snapshot/layout.js` checks them against
 * the schema and puts them to use.
 */

import { SERVER_MESSAGE_BYTES_MAX } from '../limits.js';
import { SETS } from './schema.js';

/**
 * @typedef {object} Tables
 * @property {number} epoch counts trainings, 0 without any; a body names it modulo 4
 * @property {readonly number[][]} layers by column set what a body's contexts start as, then the
 *   gains of its linear columns, then the thresholds of their tables; empty or missing for even
 *   odds
 */

/** Those of a game that was not trained. @type {Tables} */
export const UNTRAINED = Object.freeze({ epoch: 0, layers: [] });

/**
 * @param {import('../codec.js').ControlReader} reader
 * @returns {Tables}
 */
export function readTables(reader) {
  return { epoch: reader.u8(), layers: reader.list(SETS, (r) => r.list(SERVER_MESSAGE_BYTES_MAX, (item) => item.u16())) };
}
