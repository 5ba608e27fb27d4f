/**
 * Which context codes what in a body: places in a list that follows from a layer's columns (PROTOCOL.md §7).
 * A body starts from the layer's prior, trained or not, and learns from there. Called by `delta.js` and, for the
 * prior, by `schema/layout.js`.
 */

import { UNSURE } from './range_coder.js';

/** @typedef {import('../schema/layout.js').ColumnSet} ColumnSet */

/** Contexts of a number that is nearly always small. */
export const NARROW = 8;
/** Contexts of a number whose size is seldom the same. */
export const WIDE = 12;
/** Contexts of a residual's size. */
export const SIZES = 14;

/** Place of the bit that says that the gap equals `back`. */
export const STEADY = 0;
/** First of the gap's contexts, `NARROW` as the four after it. */
export const GAP = 1;
/** How many were removed. */
export const REMOVED = GAP + NARROW;
/** Step to the next one's index. */
export const REMOVED_GAP = REMOVED + NARROW;
/** How many entered. */
export const ENTERED = REMOVED_GAP + NARROW;
/** Step to the next one's slot. */
export const SLOT_GAP = ENTERED + NARROW;
/** First of the contexts of a generation, `WIDE`. */
export const GENERATION = SLOT_GAP + NARROW;
/** First of the contexts of an owner, `WIDE`. */
export const OWNER = GENERATION + WIDE;
/** Whether a kept entity changed: `+ 4 * steady + 2 * moving + before`. */
export const CHANGED = OWNER + WIDE;
/** First of the first component's contexts. */
export const COMPONENTS = CHANGED + 8;
/** Contexts of a component: present in a mask; `+ 1 + 2 * steady + moving`: changed. */
export const COMPONENT = 5;
/** Of a column's contexts, those of its residual being 0: `+ 6 * steady + 3 * moving + previous`. */
const ZEROS = 12;
/** Contexts of a column. */
export const COLUMN = ZEROS + 2 * SIZES;

/** What is known of the column coded before in the same component, in the place of a zero bit. */
export const Previous = Object.freeze({
  /** There is none. */
  Nothing: 0,
  /** Its residual was 0. */
  Zero: 1,
  /** It was not. */
  Other: 2,
});

/**
 * @param {{ components: { length: number } }} set
 * @returns {number} the first of the first column's contexts
 */
export const columnsAt = (set) => COMPONENTS + set.components.length * COMPONENT;

/**
 * @param {number} columns of the layer, from `columnsAt`
 * @param {number} column
 * @param {number} steady 0 or 1
 * @returns {number} the first of the contexts of the column's size, `SIZES`
 */
export const sizeAt = (columns, column, steady) => columns + column * COLUMN + ZEROS + steady * SIZES;

/**
 * @param {number} columns of the layer, from `columnsAt`
 * @param {number} column
 * @param {number} steady 0 or 1
 * @param {number} moving 0 or 1
 * @returns {number} the first of three contexts, by `Previous`, of the column's residual being 0
 */
export const zeroAt = (columns, column, steady, moving) => columns + column * COLUMN + steady * 6 + moving * 3;

/**
 * @param {{ components: { length: number }, width: number }} set
 * @returns {number} contexts of a layer with these columns
 */
export const contextCount = (set) => columnsAt(set) + set.width * COLUMN;

/**
 * @param {{ components: { length: number }, width: number }} set
 * @param {readonly number[] | undefined} table what was trained for it
 * @returns {Uint16Array} what its contexts start as: the table if it fits, else even odds
 */
export function priorOf(set, table) {
  const count = contextCount(set);
  return table?.length === count ? Uint16Array.from(table) : new Uint16Array(count).fill(UNSURE);
}
