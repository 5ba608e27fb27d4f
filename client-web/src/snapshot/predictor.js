/**
 * What both ends guess of an image before its residuals come: prediction, and differences that
 * wrap (PROTOCOL.md §7). Integer arithmetic that is exact in doubles: every product stays below 2^53.
 */

import { Guess } from '../schema/layout.js';
import { TURN_UNIT } from '../schema/turn_table.js';

/** Bound of a velocity in its steps. */
const CLAMP = 2 ** 20;
/** Bound of the changes that a heading turns. */
const CHANGE_CLAMP = 2 ** 30;

/**
 * @param {number} to
 * @param {number} from
 * @param {number} modulus a power of two, or 0 for 2^32
 * @returns {number} `to - from`, wrapped to the signed numbers around 0: the short way round for turns
 */
export function difference(to, from, modulus) {
  if (modulus === 0) return (to - from) | 0;
  const half = modulus >>> 1;
  return ((to - from + half) & (modulus - 1)) - half;
}

/**
 * The value that a value column is expected to have.
 * @param {import('../schema/layout.js').ColumnSet} set
 * @param {Int32Array} base the baseline's rows
 * @param {number} row where the entity's row starts
 * @param {number} column
 * @param {number} dt ticks from the baseline
 * @param {number} gap the baseline's gap, or 1 if that is 0
 * @returns {number} an integer below 2^53, not yet wrapped
 */
export function predict(set, base, row, column, dt, gap) {
  const value = base[row + column];
  switch (set.guess[column]) {
    case Guess.Rotate: {
      const rotation = set.rotation[column];
      // Over another time the heading did not turn by its last change.
      if (dt === gap && rotation !== undefined) return value + turned(rotation, base, row);
      return value + Math.floor((base[row + column + 1] * dt) / gap);
    }
    case Guess.Linear:
      return value + Math.floor((base[row + column + 1] * dt) / gap);
    case Guess.Velocity: {
      const speed = (base[row + set.by[column]] - set.zero[column]) | 0;
      const clamped = speed < -CLAMP ? -CLAMP : speed > CLAMP ? CLAMP : speed;
      return value + Math.floor((clamped * set.num[column] * dt) / set.den[column]);
    }
    case Guess.Counter:
      return value + set.num[column] * dt;
    default:
      return value;
  }
}

/**
 * @param {import('../schema/layout.js').Rotation} rotation
 * @param {Int32Array} base
 * @param {number} row
 * @returns {number} the column's part of the pair's last change, turned as the heading last turned
 */
function turned({ x, y, heading, isSecond, table }, base, row) {
  const q = base[row + heading] & table.mask;
  const cos = table.cos[q];
  const sin = table.sin[q];
  const ofX = clampChange(base[row + x]);
  const ofY = clampChange(base[row + y]);
  const sum = isSecond ? ofX * sin + ofY * cos : ofX * cos - ofY * sin;
  return Math.floor((sum + TURN_UNIT / 2) / TURN_UNIT);
}

/** @param {number} change */
const clampChange = (change) => (change < -CHANGE_CLAMP ? -CHANGE_CLAMP : change > CHANGE_CLAMP ? CHANGE_CLAMP : change);

/**
 * The change that a change column is expected to have where it is sent.
 * @param {number} change the field's wrapped difference from the baseline
 * @param {number} gap the new image's gap
 * @param {number} dt ticks from the baseline
 * @returns {number}
 */
export function predictChange(change, gap, dt) {
  return Math.floor((change * gap) / dt);
}
