/**
 * Whether what a page gives for a field can be meant: a number that is one, a name that there is.
 * What cannot is a mistake of the page, which would else be sent as some other value. Called by
 * `netcode/controls.js` for inputs, by `room.js` for actions and by `options.js`.
 */

import { fitsText } from './text.js';

/** @typedef {import('./field.js').Field} Field */
/** @typedef {import('./field.js').FieldKind} FieldKind */

/**
 * Throws a `RangeError` that names the field and what is expected of it.
 * @param {string} what has the fields, for the error
 * @param {readonly Field[]} fields
 * @param {Record<string, any>} values by name; undefined and null are neutral
 */
export function checkValues(what, fields, values) {
  for (const { name, kind } of fields) {
    const value = values[name];
    const instead = value === undefined || value === null ? '' : expected(kind, value);
    if (instead !== '') throw new RangeError(`${what}: ${JSON.stringify(name)} is ${shown(value)}, expected ${instead}`);
  }
}

/**
 * @param {FieldKind} kind
 * @param {any} value
 * @returns {string} what is expected instead of it, empty if it can be meant. A number out of the
 *   field's range can: it is clamped
 */
function expected(kind, value) {
  const isNumber = Number.isFinite(value);
  switch (kind.type) {
    case 'Bool':
      return isNumber || typeof value === 'boolean' ? '' : 'true or false';
    case 'Enum':
      return isNumber || kind.names.includes(value) ? '' : `one of ${kind.names.join(', ')}`;
    case 'Entity':
      return isNumber || Number.isFinite(value.handle) ? '' : 'an entity, its handle, or undefined';
    case 'Text':
      return typeof value === 'string' ? '' : 'a string';
    default:
      return isNumber ? '' : 'a finite number';
  }
}

/**
 * The same of what is chosen once, where being clamped would be another choice.
 * @param {FieldKind} kind
 * @param {any} value
 * @returns {string} what is expected instead of it, empty if there is such a choice
 */
export function choiceExpected(kind, value) {
  const isWhole = Number.isInteger(value);
  const within = (/** @type {number} */ min, /** @type {number} */ max) => value >= min && value <= max;
  switch (kind.type) {
    case 'Real':
      return Number.isFinite(value) && within(kind.min, kind.max) ? '' : `a number from ${kind.min} to ${kind.max}`;
    case 'Int':
      return isWhole && within(kind.min, kind.max) ? '' : `a whole number from ${kind.min} to ${kind.max}`;
    case 'Bits':
      return isWhole && within(0, 0xffffffff) ? '' : `a whole number from 0 to ${0xffffffff}`;
    case 'Bool':
      return typeof value === 'boolean' ? '' : 'true or false';
    case 'Enum': {
      const isIndex = isWhole && within(0, kind.names.length - 1);
      return isIndex || kind.names.includes(value) ? '' : `one of ${kind.names.join(', ')}`;
    }
    case 'Text':
      return typeof value === 'string' && fitsText(value, kind.bytes) ? '' : `a string of at most ${kind.bytes} bytes of UTF-8, without NUL`;
    default:
      return expected(kind, value);
  }
}

/**
 * @param {any} value
 * @returns {string} for an error: whatever it is, in a few words
 */
export function shown(value) {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object') return 'an object';
  return String(value);
}
