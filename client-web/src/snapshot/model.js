/**
 * Which context codes what in a body: places in a list of contexts that follow from a layer's
 * columns (PROTOCOL.md §7). A body starts from the layer's prior, trained or not, and learns from
 * there; nothing is kept between bodies. What entering entities bring has contexts of its own:
 * `entering.js`. Called by `delta.js` and, for the prior, by `schema/layout.js`.
 */

import { Guess } from '../schema/guess.js';
import { GAINS, ACTIVITIES } from './predictor.js';
import { UNSURE } from './range_coder.js';
import { untrainedThresholds } from './symbols.js';

/** @typedef {import('./layout.js').ColumnSet} ColumnSet */

/** Contexts of a number that is nearly always small. */
export const NARROW = 8;
/** Contexts of a number whose size is seldom the same. */
export const WIDE = 12;

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
const CHANGED = OWNER + WIDE;
/** What is so active changes again: whether it does is not coded. */
export const SURE_TO_CHANGE = 2;
const COMPONENTS = CHANGED + 4 * SURE_TO_CHANGE;
/** Contexts of a component: its bit in a mask, whether it changed, whether its rest did. */
const COMPONENT = 1 + 4 * ACTIVITIES;

/**
 * @param {number} steady 0 or 1
 * @param {number} activity of the entity's most active component, below `SURE_TO_CHANGE`
 * @param {number} before 1 if the entity before it changed, else 0
 * @returns {number} place of the bit that says whether a kept entity changed
 */
export const changedAt = (steady, activity, before) => CHANGED + (steady * SURE_TO_CHANGE + activity) * 2 + before;

/**
 * @param {number} component
 * @returns {number} place of the bit that says whether an entering entity has it
 */
export const presentAt = (component) => COMPONENTS + component * COMPONENT;

/**
 * @param {number} component
 * @param {number} steady 0 or 1
 * @param {number} activity
 * @returns {number} place of the bit that says whether it changed in a changed entity
 */
export const componentAt = (component, steady, activity) => presentAt(component) + 1 + steady * ACTIVITIES + activity;

/**
 * @param {number} component
 * @param {number} steady 0 or 1
 * @param {number} activity
 * @returns {number} place of the bit that says whether any column of a changed component that is
 *   not linear changed
 */
export const restAt = (component, steady, activity) => componentAt(component, steady, activity) + 2 * ACTIVITIES;

/** What is known of the column coded before in the same component, in the place of a zero bit. */
export const Previous = Object.freeze({
  /** There is none. */
  Nothing: 0,
  /** Its residual was 0. */
  Zero: 1,
  /** It was not. */
  Other: 2,
});
/** As many contexts has a zero bit, by `Previous`. */
const PREVIOUS = 3;

/**
 * Of a column's contexts the first of its residual's size, `WIDE`, in a body that is not steady;
 * before it are those of its zero bit.
 */
export const SIZE = PREVIOUS;
/**
 * Of a column's contexts the first of what steady residuals take: of a column that is not linear
 * the zero bit's, by `ACTIVE` and `Previous`; of a second difference what an entering entity
 * brings, `WIDE`, in a body that is not steady; of a linear column `BEYOND`.
 */
export const STEADY_COLUMN = SIZE + WIDE;
/**
 * Step between the zero bits of a steady column that is not linear, by whether its component is
 * active.
 */
export const ACTIVE = PREVIOUS;
/**
 * Of the contexts of a column that is not linear the first of its steady residual's size, `WIDE`.
 */
export const STEADY_SIZE = STEADY_COLUMN + 2 * ACTIVE;

/**
 * Of a linear column's contexts the first of how far its steady residual is beyond those that have
 * symbols, `WIDE`.
 */
export const BEYOND = STEADY_COLUMN;

/** The first class of activity with a second difference. */
const ACTIVE_FROM = ACTIVITIES - GAINS;
/** Parts of a step that a guess can stand for, as far as tables care. */
const PARTS = 3;
/**
 * Tables of a linear column's steady residuals: in pairs, for a residual after a small one of the
 * same component, and after a jolt. A pair for each class of activity without a second difference;
 * in the others the guess stands for a part of a step, which tells on which side the residual will
 * be.
 */
export const TABLES = 2 * (ACTIVE_FROM + GAINS * PARTS);
/** A residual above this is a jolt. */
const CALM_MAX = 1;

/**
 * @param {number} activity
 * @param {number} part of a step that the guess stands for, 0..31
 * @returns {number} of a linear column's tables the first of the pair by which its steady
 *   residual is coded
 */
export function pairOf(activity, part) {
  if (activity < ACTIVE_FROM) return 2 * activity;
  return 2 * (ACTIVE_FROM + (activity - ACTIVE_FROM) * PARTS + (part > 21 ? 2 : part > 10 ? 1 : 0));
}

/**
 * @param {number} residual the one before in the same component, 0 for the first
 * @returns {number} which of a pair
 */
export const joltOf = (residual) => (residual > CALM_MAX || residual < -CALM_MAX ? 1 : 0);

/**
 * @param {number} table of a linear column
 * @returns {number} the activity of a component to which it belongs
 */
function activityOfTable(table) {
  const pair = table >> 1;
  return pair < ACTIVE_FROM ? pair : ACTIVE_FROM + Math.floor((pair - ACTIVE_FROM) / PARTS);
}

/**
 * @param {number} guess a `Guess`
 * @returns {number} contexts of a column
 */
export function columnContexts(guess) {
  if (guess === Guess.Change) return STEADY_COLUMN;
  if (guess === Guess.Linear || guess === Guess.SecondDiff) return STEADY_COLUMN + WIDE;
  return STEADY_SIZE + WIDE;
}

/**
 * @param {number} components of the layer
 * @returns {number} where the contexts of columns start
 */
export const columnsStart = (components) => COMPONENTS + components * COMPONENT;

/**
 * Contexts that a group's layer has behind all others, at even odds, whatever was trained: how many
 * entities arrived from other groups, and the step to the next one's slot, `NARROW` each.
 */
export const ARRIVED_CONTEXTS = 2 * NARROW;

/**
 * @param {ColumnSet} set
 * @returns {Uint16Array} what the contexts of a body of a group's layer start as
 */
export function groupPrior({ prior }) {
  const whole = new Uint16Array(prior.length + ARRIVED_CONTEXTS).fill(UNSURE);
  whole.set(prior);
  return whole;
}

/**
 * @param {ColumnSet} set
 * @returns {number[]} the thresholds of its linear columns' tables without training
 */
export function untrainedTables({ linear }) {
  const column = Array.from({ length: TABLES }, (_, table) => untrainedThresholds(activityOfTable(table))).flat();
  return Array.from(linear, () => column).flat();
}
