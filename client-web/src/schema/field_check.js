/**
 * Which fields a schema may have (PROTOCOL.md §3, §7): the same as the checks of
 * `shared/src/schema/field/`. Called by `schema.js`, so nothing behind it has to expect a range
 * without values or a predictor that names no field.
 */

import { ProtocolError } from '../protocol_error.js';
import { FINE_STEP } from './field.js';
import { TEXT_BYTES_MAX } from './text.js';

/** @typedef {import('./field.js').Field} Field */

/** Steps that a `Real` may have, so that a `q` fits 31 bits. */
const STEPS_MAX = 2 ** 31 - 1;
/** Bound of a velocity's numerator: PROTOCOL.md §7, keeps products below 2^53. */
const NUM_MAX = 2 ** 20;
/**
 * Steps a unit in the finest grid: with the bound of the least value it keeps all values on a grid
 * exact.
 */
const GRID_MAX = 2 ** 20;
/** Bound of the least value on a grid. */
const GRID_LEAST_MAX = 2 ** 31;
/** Bound of a rate's scale: keeps it far from where a float loses whole numbers. */
const SCALE_MAX = 2 ** 20;

/**
 * Throws what PROTOCOL.md does not allow a field to be.
 * @param {Field} field
 * @param {readonly Field[]} siblings the fields of its component, input, event or action
 * @param {import('./schema.js').Component['predicted']} predicted of its component
 */
export function checkField(field, siblings, predicted) {
  const fail = (/** @type {string} */ why) => {
    throw new ProtocolError(`field ${JSON.stringify(field.name)}: ${why}`);
  };
  const { kind, predictor } = field;
  if (kind.type === 'Real') {
    checkReal(kind, fail);
    if (predicted === 'Grid') checkGrid(kind, fail);
    if (predicted === 'Fine') {
      if (!Number.isInteger(kind.min / FINE_STEP)) fail('least value is not a multiple of 1/1024');
      checkReal({ ...kind, step: FINE_STEP }, fail);
    }
  } else if (kind.type === 'Int') {
    if (kind.min >= kind.max) fail('empty range');
  } else if (kind.type === 'Turn') {
    const { steps } = kind;
    if (steps < 2 || steps > 65536 || (steps & (steps - 1)) !== 0) fail('steps are not a power of two in 2..65536');
  } else if (kind.type === 'Enum') {
    if (kind.names.length === 0) fail('no names');
  } else if (kind.type === 'Text') {
    const { bytes } = kind;
    if (bytes === 0 || bytes % 4 !== 0 || bytes > TEXT_BYTES_MAX) fail('bytes are not a multiple of 4 in 4..64');
    if (predictor.type !== 'Hold') fail('a text that is predicted');
  }
  if (predictor.type === 'Velocity') {
    const other = siblings[predictor.by];
    if (other === undefined || other === field || (other.kind.type !== 'Real' && other.kind.type !== 'Int')) {
      fail('predicted by no number of its component');
    }
    if (predictor.den <= 0 || Math.abs(predictor.num) > NUM_MAX) fail('predictor out of range');
  } else if (predictor.type === 'Bearing' && !bears(field, siblings, predictor)) {
    fail('a bearing of what are not two linear numbers of one step before it');
  } else if (predictor.type === 'Rate' && !rates(field, siblings, predictor)) {
    fail('a rate of what is no linear number before it, or by a scale out of range');
  }
}

/**
 * @param {Field} field
 * @param {readonly Field[]} siblings
 * @param {{ x: number, y: number }} bearing
 * @returns {boolean} whether the field is a turn that can follow these two
 */
function bears(field, siblings, { x, y }) {
  const step = leaderStep(field, siblings, x);
  if (x === y || field.kind.type !== 'Turn' || step === undefined) return false;
  return step === leaderStep(field, siblings, y) && siblings[x].kind.type === siblings[y].kind.type;
}

/**
 * @param {Field} field
 * @param {readonly Field[]} siblings
 * @param {{ of: number, scale: number }} rate
 * @returns {boolean} whether the field is a number that can follow this one
 */
function rates(field, siblings, { of, scale }) {
  if (field.kind.type !== 'Real' && field.kind.type !== 'Int') return false;
  return Math.abs(scale) <= SCALE_MAX && scale !== 0 && leaderStep(field, siblings, of) !== undefined;
}

/**
 * @param {Field} field
 * @param {readonly Field[]} siblings
 * @param {number} index
 * @returns {number | undefined} the step of a sibling that the field may follow
 */
function leaderStep(field, siblings, index) {
  const leader = siblings[index];
  if (leader?.predictor.type !== 'Linear' || index >= siblings.indexOf(field)) return undefined;
  return leader.kind.type === 'Real' ? leader.kind.step : leader.kind.type === 'Int' ? 1 : undefined;
}

/**
 * @param {{ min: number, max: number, step: number }} kind
 * @param {(why: string) => void} fail
 */
function checkReal({ min, max, step }, fail) {
  if (!(Number.isFinite(min) && Number.isFinite(max) && min < max)) fail('empty range');
  if (!(Number.isFinite(step) && step > 0)) fail('bad step');
  if (!((max - min) / step <= STEPS_MAX)) fail('too many steps');
}

/**
 * Throws on what can't be predicted in its own steps. With a power of two every value is exact, and
 * so is every division by the step: whoever snaps to it gets the same bits, here and in Rust.
 * @param {{ min: number, step: number }} kind
 * @param {(why: string) => void} fail
 */
function checkGrid({ min, step }, fail) {
  const perUnit = 1 / step;
  const isPower = Number.isInteger(perUnit) && perUnit <= GRID_MAX && (perUnit & (perUnit - 1)) === 0 && perUnit * step === 1;
  if (!isPower) fail('a grid whose step is no power of two from 2^-20 to 1');
  if (Math.abs(min) > GRID_LEAST_MAX || !Number.isInteger(min / step)) fail('least value is not on its grid, or beyond 2^31');
}
