/**
 * What the columns of entering entities are coded by (PROTOCOL.md §7): contexts of their own,
 * behind all others in a body's list. A value's highest bits each by those before them, so that
 * what is common costs little; a change by the size of the one before it, because who is fast along
 * one axis is less so along the other. Called by `row_decoder.js` and, for the places, by
 * `schema/layout.js` and `model.js`.
 */

import { Guess } from '../schema/guess.js';

/** Values of up to so many bits have contexts for all of them. */
const NARROW_BITS = 7;
/** How many bits of a wider value have them. */
const TOP_BITS = 5;
/** A value of so many bits is a text, a handle or a stamp, whose highest ones tell nothing. */
const ALL_BITS = 32;

/** Bits of a change's size, below its highest one, that have contexts. */
export const SIZE_BITS = 3;
/** Contexts of these, for a size of one length: one for each way to begin. */
const SIZE_CONTEXTS = (1 << SIZE_BITS) - 1;
/** Contexts of a size's length; lengths of sizes that are told apart, longer ones being alike. */
export const LENGTHS = 12;

/** Classes of the change before, by its bits. */
const PACES = 6;
/** Bits of the first class; each of the others has one more, the last one all from there on. */
const PACE_BITS = 5;

/**
 * @param {number} guess a `Guess`
 * @param {number} bits of the column's values
 * @returns {number} how many of its highest bits, of those of a value of such a column, have
 *   contexts
 */
export function topBits(guess, bits) {
  if (guess === Guess.Bearing || guess === Guess.Rate || guess === Guess.Change || guess === Guess.SecondDiff) return 0;
  return bits <= NARROW_BITS ? bits : bits < ALL_BITS ? TOP_BITS : 0;
}

/**
 * @param {number} guess a `Guess`
 * @param {number} bits of the column's values
 * @returns {number} contexts of such a column
 */
export const enteringContexts = (guess, bits) =>
  guess === Guess.Change ? PACES * LENGTHS + LENGTHS * SIZE_CONTEXTS : (1 << topBits(guess, bits)) - 1;

/**
 * @param {number} before the change before it of the same component, 0 for the first one's
 * @returns {number} of a change column's contexts for entering entities the first of how long its
 *   size is, `LENGTHS`
 */
export function lengthAt(before) {
  const bits = 32 - Math.clz32(Math.abs(before));
  return LENGTHS * Math.min(Math.max(bits - PACE_BITS, 0), PACES - 1);
}

/**
 * @param {number} length of a size, above 0
 * @returns {number} of a change column's contexts for entering entities the first of its bits
 *   below the highest one
 */
export const sizeAt = (length) => PACES * LENGTHS + (Math.min(length, LENGTHS) - 1) * SIZE_CONTEXTS;
