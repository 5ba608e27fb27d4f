/**
 * Sines and cosines of a turn's steps as integers, for what moves with its heading (PROTOCOL.md §7). Made of
 * `exact.js`, so the server has the same. Called by `layout.js`.
 */

import { floor, unit } from '../exact.js';

/** What a table's numbers are parts of. */
export const TURN_UNIT = 16384;

/**
 * @typedef {object} TurnTable
 * @property {number} mask steps - 1
 * @property {Int16Array} cos by step
 * @property {Int16Array} sin by step
 */

/** Tables made so far: a schema has one or two kinds of headings. @type {Map<number, TurnTable>} */
const tables = new Map();

/**
 * @param {number} steps of a turn, a power of two up to 65536
 * @returns {TurnTable}
 */
export function turnTable(steps) {
  const known = tables.get(steps);
  if (known !== undefined) return known;
  const table = { mask: steps - 1, cos: new Int16Array(steps), sin: new Int16Array(steps) };
  for (let q = 0; q < steps; q++) {
    const [cos, sin] = unit(q * ((2 * Math.PI) / steps));
    table.cos[q] = floor(TURN_UNIT * cos + 0.5);
    table.sin[q] = floor(TURN_UNIT * sin + 0.5);
  }
  tables.set(steps, table);
  return table;
}
