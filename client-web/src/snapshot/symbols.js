/**
 * Tables of symbols (PROTOCOL.md §7): which part of a range each of sixteen takes. They are static,
 * so a symbol costs one step of the coder and no learning. Which table a residual takes is for
 * `model.js`; how a range is divided, for `range_coder.js`. Called by `schema/layout.js` too, which
 * keeps a layer's tables.
 */

/** Symbols of a table. */
export const SYMBOLS = 16;
/** Thresholds between them: what is trained and sent of a table. */
export const THRESHOLDS = SYMBOLS - 1;
/**
 * Numbers of a table as it is kept: where each symbol's part starts, and the end of the last one.
 */
export const STARTS = SYMBOLS + 1;
/** Bits of a threshold: symbols take parts of 2^15. */
export const SYMBOL_BITS = 15;
const WHOLE = 1 << SYMBOL_BITS;

/** The symbol for what none of the others stands for. */
export const ESCAPE = SYMBOLS - 1;
/** Residuals up to this have a symbol. */
export const CODED_MAX = 7;

/**
 * Without training: how much each residual from 0 to `CODED_MAX` takes, either sign alike, by its
 * component's activity; the rest is for what is beyond.
 */
const UNTRAINED = Object.freeze([
  [9600, 960, 960, 960, 960, 960, 960, 960],
  [13312, 6272, 1376, 864, 352, 96, 80, 80],
  [12656, 5936, 1664, 1136, 480, 144, 80, 72],
  [7664, 5296, 3280, 1936, 832, 384, 192, 128],
  [5120, 3344, 3216, 1776, 1392, 1008, 704, 592],
  [2464, 832, 544, 512, 512, 512, 512, 448],
]);

/**
 * @param {number} activity
 * @returns {number[]} the thresholds that there are without training
 */
export function untrainedThresholds(activity) {
  let start = 0;
  return Array.from({ length: THRESHOLDS }, (_, symbol) => (start += UNTRAINED[activity][Math.abs(symbol - CODED_MAX)]));
}

/**
 * @param {ArrayLike<number>} thresholds of several tables
 * @returns {Uint16Array} the tables as they are kept
 */
export function tablesOf(thresholds) {
  const tables = new Uint16Array((thresholds.length / THRESHOLDS) * STARTS);
  for (let i = 0; i < thresholds.length; i++) {
    const table = Math.floor(i / THRESHOLDS);
    tables[table * STARTS + (i % THRESHOLDS) + 1] = thresholds[i];
  }
  for (let end = SYMBOLS; end < tables.length; end += STARTS) tables[end] = WHOLE;
  return tables;
}

/**
 * @param {number[]} thresholds of several tables
 * @returns {boolean} whether each table's rise from above 0 to below 2^15, so that every symbol
 *   can be coded
 */
export function areThresholds(thresholds) {
  return thresholds.every((threshold, i) => {
    const before = i % THRESHOLDS === 0 ? 0 : thresholds[i - 1];
    return before < threshold && threshold < WHOLE;
  });
}

/**
 * @param {Uint16Array} tables
 * @param {number} first of a table's numbers
 * @param {number} place at least 0; those beyond all symbols are the last one's
 * @returns {number} the symbol whose part has that place in it
 */
export function symbolAt(tables, first, place) {
  let at = tables[first + 8] <= place ? first + 8 : first;
  if (tables[at + 4] <= place) at += 4;
  if (tables[at + 2] <= place) at += 2;
  if (tables[at + 1] <= place) at += 1;
  return at - first;
}
