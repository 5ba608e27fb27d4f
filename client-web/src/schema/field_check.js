/**
 * Which fields a schema may have (PROTOCOL.md §3, §7): the same as the checks of `shared/src/schema/field.rs`. Called by
 * `schema.js`, so nothing behind it has to expect a range without values or a predictor that names no field.
 */

import { ProtocolError } from '../protocol/protocol_error.js';
import { FINE_STEP } from './field.js';
import { TEXT_BYTES_MAX } from './text.js';

/** @typedef {import('./field.js').Field} Field */

/** Steps that a `Real` may have, so that a `q` fits 31 bits. */
const STEPS_MAX = 2 ** 31 - 1;
/** Bound of a velocity's numerator: PROTOCOL.md §7, keeps products below 2^53. */
const NUM_MAX = 2 ** 20;

/**
 * Throws what PROTOCOL.md does not allow a field to be.
 * @param {Field} field
 * @param {readonly Field[]} siblings the fields of its component, input, event or action
 * @param {boolean} predicted whether its component is predicted
 */
export function checkField(field, siblings, predicted) {
  const fail = (/** @type {string} */ why) => {
    throw new ProtocolError(`field ${JSON.stringify(field.name)}: ${why}`);
  };
  const { kind, predictor } = field;
  if (kind.type === 'Real') {
    checkReal(kind, fail);
    if (predicted) {
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
  } else if (predictor.type === 'Rotate' && !rotates(field, siblings, predictor)) {
    fail('its rotation needs two reals of one step that share it, and a linear turn');
  }
}

/**
 * @param {Field} field
 * @param {readonly Field[]} siblings
 * @param {{ x: number, y: number, heading: number }} rotation
 * @returns {boolean} whether the field is one of a pair that turns with a heading
 */
function rotates(field, siblings, rotation) {
  const x = siblings[rotation.x];
  const y = siblings[rotation.y];
  const heading = siblings[rotation.heading];
  const shares = (/** @type {Field | undefined} */ other) => {
    const { predictor } = other ?? {};
    if (predictor?.type !== 'Rotate') return false;
    return predictor.x === rotation.x && predictor.y === rotation.y && predictor.heading === rotation.heading;
  };
  if (x?.kind.type !== 'Real' || y?.kind.type !== 'Real' || x.kind.step !== y.kind.step || x === y) return false;
  if (!shares(x) || !shares(y) || (field !== x && field !== y)) return false;
  return heading?.kind.type === 'Turn' && heading.predictor.type === 'Linear';
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
