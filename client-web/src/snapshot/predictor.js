/**
 * What both ends guess of an image before its residuals come (PROTOCOL.md §7): from the baseline,
 * or from what else is known of the new row. Integers below 2^53, and floats only in the operations
 * of `exact.js`.
 */

import { bearing, clamp, round } from '../exact.js';
import { Guess } from '../schema/guess.js';

/** @typedef {import('./layout.js').ColumnSet} ColumnSet */

/** Velocities and second differences are clamped to this, so that products stay exact. */
const TERM_MAX = 2 ** 20;
/** Bound of a rate in its steps. */
const RATE_MAX = 2 ** 30;

/**
 * Classes of a component's activity: still, going straight, then by the greatest second difference
 * of its linear columns.
 */
export const ACTIVITIES = 6;
/**
 * Gains of a linear column: one for each class of activity that has a second difference, the first
 * of which is class 2.
 */
export const GAINS = 4;
/** The greatest gain, and minus the least. */
export const GAIN_MAX = 64;
/**
 * Without training: a second difference of one step is the rounding of a straight way, so taken
 * back; a greater one eases off; a great one is a knock.
 */
export const UNTRAINED_GAINS = Object.freeze([-16, 8, 16, 8]);

/** Leans are in 1/32 of a step. */
const LEAN_BITS = 5;
/**
 * What is added to a second difference's part in a change, so that it is rounded; alone where there
 * is none.
 */
const HALF = 1 << (LEAN_BITS - 1);

/**
 * @param {ColumnSet} set
 * @param {import('./layout.js').ComponentColumns} component
 * @param {Int32Array} rows
 * @param {number} row where the entity's row starts
 * @returns {number} the component's activity, below `ACTIVITIES`
 */
export function activityOf({ linear }, { linearStart, linearEnd }, rows, row) {
  let changes = 0;
  let secondDiff = 0;
  for (let i = linearStart; i < linearEnd; i++) {
    const at = row + linear[i];
    changes |= rows[at + 1];
    const here = rows[at + 2];
    if (here > secondDiff) secondDiff = here;
    else if (-here > secondDiff) secondDiff = -here;
  }
  if (secondDiff === 0) return changes === 0 ? 0 : 1;
  return secondDiff < 2 ? 2 : secondDiff < 5 ? 3 : secondDiff < 24 ? 4 : 5;
}

/**
 * How far the last second difference leans the change of a linear column in the next image, and in
 * its lower bits, `partOf`, for which part of a step the guess stands.
 * @param {Int32Array} gains of the set
 * @param {number} index in the set's linear columns
 * @param {number} activity of the component
 * @param {number} secondDiff the baseline's
 * @param {number} dt ticks from the baseline
 * @param {number} gap the baseline's
 * @returns {number} in 1/32 of a step
 */
export function leanOf(gains, index, activity, secondDiff, dt, gap) {
  if (activity < 2 || dt !== gap) return HALF;
  const term = secondDiff < -TERM_MAX ? -TERM_MAX : secondDiff > TERM_MAX ? TERM_MAX : secondDiff;
  return term * gains[index * GAINS + activity - 2] + HALF;
}

/**
 * @param {number} lean
 * @returns {number} the part of a step that a guess with it stands for: 0..31, 16 where it is
 *   right on the step
 */
export const partOf = (lean) => lean & ((1 << LEAN_BITS) - 1);

/**
 * @param {number} change of a linear column in the baseline
 * @param {number} lean see `leanOf`
 * @param {number} dt ticks from the baseline
 * @param {number} gap the baseline's
 * @returns {number} how far the column goes on; not yet wrapped
 */
export function stepOf(change, lean, dt, gap) {
  return dt === gap ? change + (lean >> LEAN_BITS) : Math.floor((change * dt) / (gap === 0 ? 1 : gap));
}

/**
 * The value that a column is expected to have that is neither linear nor what such a one remembers.
 * @param {ColumnSet} set
 * @param {number} column
 * @param {Int32Array} base the baseline's rows
 * @param {number} from where the entity's row starts in them
 * @param {Int32Array} rows the image's rows, as far as the linear columns
 * @param {number} to where the entity's row starts in them
 * @param {number} dt ticks from the baseline
 * @param {number} gap the image's
 * @returns {number} an integer below 2^53, not yet wrapped
 */
export function guessOf(set, column, base, from, rows, to, dt, gap) {
  const value = base[from + column];
  const guess = set.guess[column];
  if (guess === Guess.Hold) return value;
  if (guess === Guess.Counter) return value + set.num[column] * dt;
  if (guess === Guess.Velocity) {
    const speed = (base[from + set.by[column]] - set.zero[column]) | 0;
    const clamped = speed < -TERM_MAX ? -TERM_MAX : speed > TERM_MAX ? TERM_MAX : speed;
    return value + Math.floor((clamped * set.num[column] * dt) / set.den[column]);
  }
  return follows(set, column, rows, to) ? follow(set, column, rows, to, gap) : value;
}

/**
 * @param {ColumnSet} set
 * @param {number} column
 * @param {Int32Array} rows
 * @param {number} row where the entity's row starts
 * @returns {boolean} whether the column follows others of its row whose changes tell it: a
 *   direction needs a way
 */
export function follows({ guess, by, second }, column, rows, row) {
  if (guess[column] === Guess.Bearing) return (rows[row + by[column]] | rows[row + second[column]]) !== 0;
  return guess[column] === Guess.Rate;
}

/**
 * What a column that `follows` others comes to by their changes in its own row.
 * @param {ColumnSet} set
 * @param {number} column
 * @param {Int32Array} rows
 * @param {number} row where the entity's row starts
 * @param {number} gap the image's
 * @returns {number} a whole number, not yet wrapped
 */
export function follow(set, column, rows, row, gap) {
  const change = rows[row + set.by[column]];
  if (set.guess[column] === Guess.Bearing) {
    const turn = bearing(change, rows[row + set.second[column]]);
    return round(turn * set.scale[column]);
  }
  const way = change * set.scale[column];
  return set.zero[column] + round(clamp(gap > 1 ? way / gap : way, -RATE_MAX, RATE_MAX));
}

/**
 * The change, or from a second difference the second difference, that is guessed for an image that
 * is not steady.
 * @param {number} difference of the value, or of the change, from the baseline's
 * @param {number} gap the image's
 * @param {number} dt ticks from the baseline
 * @returns {number}
 */
export function guessChange(difference, gap, dt) {
  return Math.floor((difference * gap) / dt);
}

/**
 * @param {number} change
 * @param {number} before the change before it
 * @returns {number} its second difference; a start from rest is none
 */
export function secondDiffOf(change, before) {
  return before === 0 ? 0 : (change - before) | 0;
}

/**
 * @param {number} to
 * @param {number} from
 * @param {number} shift of the column
 * @returns {number} `to - from`, the short way round for turns
 */
export function difference(to, from, shift) {
  return ((to - from) << shift) >> shift;
}

/**
 * @param {number} value a whole number below 2^53
 * @param {number} shift of the column
 * @returns {number} it wrapped to 32 bits, for turns to their steps
 */
export function wrap(value, shift) {
  return ((value << shift) >>> shift) | 0;
}
