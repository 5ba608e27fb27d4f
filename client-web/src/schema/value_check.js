/**
 * Whether what a page gives for a field can be meant: a number that is one, a name that there is.
 * What cannot is a mistake of the page, which would else be sent as some other value. Called by
 * `netcode/controls.js` for inputs and by `room.js` for actions.
 */

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
 * @param {any} value
 * @returns {string} for an error: whatever it is, in a few words
 */
function shown(value) {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object') return 'an object';
  return String(value);
}
