/**
 * One field: how its value becomes an integer `q` and back. The arithmetic is that of
 * `shared/src/schema/field/`, operation by operation, so both ends agree on every bit. Which fields
 * there may be is for `field_check.js`.
 */

import { ENUM_NAMES_MAX } from '../limits.js';
import { textWords, wordsText } from './text.js';

/**
 * A field's type.
 * @typedef {{ type: 'Real', min: number, max: number, step: number }
 *   | { type: 'Int', min: number, max: number }
 *   | { type: 'Bits' }
 *   | { type: 'Bool' }
 *   | { type: 'Turn', steps: number }
 *   | { type: 'Enum', names: string[] }
 *   | { type: 'Entity' }
 *   | { type: 'Text', bytes: number }} FieldKind
 */

/**
 * How a snapshot guesses a field from the baseline.
 * @typedef {{ type: 'Hold' }
 *   | { type: 'Linear' }
 *   | { type: 'Velocity', by: number, num: number, den: number }
 *   | { type: 'Counter', perTick: number }
 *   | { type: 'Bearing', x: number, y: number }
 *   | { type: 'Rate', of: number, scale: number }} Predictor
 */

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {FieldKind} kind
 * @property {Predictor} predictor
 */

/** @typedef {import('../codec.js').ControlReader} ControlReader */

/**
 * How what a kind has besides its name is read; in the order of their indices on the wire.
 * @type {Record<FieldKind['type'], (reader: ControlReader) => object>}
 */
const KINDS = {
  Real: (reader) => ({ min: reader.f64(), max: reader.f64(), step: reader.f64() }),
  Int: (reader) => ({ min: reader.i32(), max: reader.i32() }),
  Bits: () => ({}),
  Bool: () => ({}),
  Turn: (reader) => ({ steps: reader.u32() }),
  Enum: (reader) => ({ names: reader.list(ENUM_NAMES_MAX, (r) => r.string()) }),
  Entity: () => ({}),
  Text: (reader) => ({ bytes: reader.u8() }),
};

/** The same of predictors. @type {Record<Predictor['type'], (reader: ControlReader) => object>} */
const PREDICTORS = {
  Hold: () => ({}),
  Linear: () => ({}),
  Velocity: (reader) => ({ by: reader.u8(), num: reader.i32(), den: reader.i32() }),
  Counter: (reader) => ({ perTick: reader.i32() }),
  Bearing: (reader) => ({ x: reader.u8(), y: reader.u8() }),
  Rate: (reader) => ({ of: reader.u8(), scale: reader.f64() }),
};

/**
 * The step in which a finely predicted component's `Real` fields are snapped and sent to their
 * owner.
 */
export const FINE_STEP = 1 / 1024;
/** The `q` of an `Entity` field that names none. */
export const NO_ENTITY = -1;

const TAU = 2 * Math.PI;

/**
 * @param {FieldKind} kind
 * @returns {number} the greatest `q`, unsigned
 */
export function qMax(kind) {
  switch (kind.type) {
    case 'Real':
      return Math.trunc((kind.max - kind.min) / kind.step + 0.5);
    case 'Int':
      return kind.max - kind.min;
    case 'Bits':
    case 'Entity':
    case 'Text':
      return 0xffffffff;
    case 'Bool':
      return 1;
    case 'Turn':
      return kind.steps - 1;
    case 'Enum':
      return kind.names.length - 1;
  }
}

/**
 * @param {FieldKind} kind
 * @returns {number} bits of an absolute `q`, 0..32
 */
export function bits(kind) {
  return 32 - Math.clz32(qMax(kind));
}

/**
 * @param {FieldKind} kind
 * @returns {number} integers of a value: 1, but for a text
 */
export function words(kind) {
  return kind.type === 'Text' ? kind.bytes / 4 : 1;
}

/**
 * @param {FieldKind} kind
 * @returns {number} `steps` of a turn, whose differences wrap around; 0 for the others
 */
export function modulus(kind) {
  return kind.type === 'Turn' ? kind.steps : 0;
}

/**
 * @param {FieldKind} kind
 * @returns {FieldKind} the same in the step that owners get finely predicted fields in; only
 *   `Real` changes
 */
export function fine(kind) {
  return kind.type === 'Real' ? { ...kind, step: FINE_STEP } : kind;
}

/**
 * A game's value as its integers. A number for most kinds; a boolean for `Bool`; a name for `Enum`;
 * a handle, an entity or undefined for `Entity`; a string for `Text`. An undefined value is
 * neutral: 0, false, the first name, none, the empty text.
 * @param {FieldKind} kind
 * @param {any} value
 * @returns {number[]} the 32 bits of each `q`, signed
 */
export function toQs(kind, value) {
  return kind.type === 'Text' ? textWords(String(value ?? ''), words(kind)) : [toQ(kind, value)];
}

/**
 * The integer of a value that has one: `toQs` for all kinds but `Text`.
 * @param {FieldKind} kind
 * @param {any} value
 * @returns {number} the 32 bits of `q`, signed
 */
export function toQ(kind, value) {
  switch (kind.type) {
    case 'Bool':
      return value ? 1 : 0;
    case 'Entity': {
      const handle = value?.handle ?? value;
      return handle === undefined || handle === null ? NO_ENTITY : handle | 0;
    }
    case 'Enum': {
      const index = typeof value === 'string' ? kind.names.indexOf(value) : Number(value ?? 0);
      if (index === -1) throw new RangeError(`${JSON.stringify(value)} is none of ${kind.names.join(', ')}`);
      return quantise(kind, index);
    }
    default:
      return quantise(kind, Number(value ?? 0));
  }
}

/**
 * The integer of a number: clamp, divide by the step, add 0.5, truncate. NaN becomes the least
 * value.
 * @param {FieldKind} kind
 * @param {number} value
 * @returns {number} the 32 bits of `q`, signed
 */
export function quantise(kind, value) {
  switch (kind.type) {
    case 'Real': {
      const { min, max, step } = kind;
      const clamped = value !== value || value < min ? min : value > max ? max : value;
      return Math.min(Math.trunc((clamped - min) / step + 0.5), qMax(kind)) | 0;
    }
    case 'Int': {
      const { min, max } = kind;
      const whole = value !== value ? min : Math.trunc(value);
      return ((whole < min ? min : whole > max ? max : whole) - min) | 0;
    }
    case 'Bits':
      return value !== value || value <= 0 ? 0 : Math.min(Math.trunc(value), 0xffffffff) | 0;
    case 'Bool':
      return value !== 0 && value === value ? 1 : 0;
    case 'Turn': {
      const turns = value / TAU;
      if (!Number.isFinite(turns)) return 0;
      return Math.trunc((turns - Math.floor(turns)) * kind.steps + 0.5) & (kind.steps - 1);
    }
    case 'Enum':
      return value !== value || value <= 0 ? 0 : Math.min(Math.trunc(value), kind.names.length - 1);
    case 'Entity':
    case 'Text':
      return value | 0;
  }
}

/**
 * The number that an integer stands for.
 * @param {FieldKind} kind
 * @param {number} q
 * @returns {number}
 */
export function dequantise(kind, q) {
  switch (kind.type) {
    case 'Real':
      return kind.min + (q >>> 0) * kind.step;
    case 'Int':
      return kind.min + (q >>> 0);
    case 'Bits':
      return q >>> 0;
    case 'Turn':
      return q * (TAU / kind.steps);
    default:
      return q;
  }
}

/**
 * A game's value of its integers: the reverse of `toQs`.
 * @param {FieldKind} kind
 * @param {ArrayLike<number>} qs
 * @param {number} at where its integers start
 * @returns {any} throws a `ProtocolError` for a text that is not UTF-8
 */
export function fromQs(kind, qs, at) {
  return kind.type === 'Text' ? wordsText(qs, at, words(kind)) : fromQ(kind, qs[at]);
}

/**
 * A game's value of an integer: the reverse of `toQ`. An enum's index beyond its names is the last
 * one.
 * @param {FieldKind} kind
 * @param {number} q
 * @returns {any}
 */
export function fromQ(kind, q) {
  switch (kind.type) {
    case 'Bool':
      return q !== 0;
    case 'Enum':
      return kind.names[Math.min(q >>> 0, kind.names.length - 1)];
    case 'Entity':
      return q === NO_ENTITY ? undefined : q >>> 0;
    default:
      return dequantise(kind, q);
  }
}

/**
 * @param {ControlReader} reader
 * @returns {Field} not yet checked
 */
export function readField(reader) {
  return { name: reader.string(), kind: readTagged(reader, KINDS), predictor: readTagged(reader, PREDICTORS) };
}

/**
 * @param {ControlReader} reader
 * @param {Record<string, (reader: ControlReader) => object>} readers by type
 * @returns {any} one of them
 */
function readTagged(reader, readers) {
  const type = reader.variant(Object.keys(readers));
  return { type, ...readers[type](reader) };
}
