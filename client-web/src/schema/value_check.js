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
    if (value === undefined || value === null || fits(kind, value)) continue;
    throw new RangeError(`${what}: ${JSON.stringify(name)} is ${shown(value)}, expected ${expected(kind)}`);
  }
}

/**
 * @param {FieldKind} kind
 * @param {any} value
 * @returns {boolean} a number out of the field's range does: it is clamped
 */
function fits(kind, value) {
  switch (kind.type) {
    case 'Bool':
      return typeof value === 'boolean' || Number.isFinite(value);
    case 'Enum':
      return Number.isFinite(value) || kind.names.includes(value);
    case 'Entity':
      return Number.isFinite(value) || Number.isFinite(value.handle);
    case 'Text':
      return typeof value === 'string';
    default:
      return Number.isFinite(value);
  }
}

/**
 * @param {FieldKind} kind
 * @returns {string}
 */
function expected(kind) {
  switch (kind.type) {
    case 'Bool':
      return 'true or false';
    case 'Enum':
      return `one of ${kind.names.join(', ')}`;
    case 'Entity':
      return 'an entity, its handle, or undefined';
    case 'Text':
      return 'a string';
    default:
      return 'a finite number';
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
