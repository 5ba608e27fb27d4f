/**
 * Rows of images as the game's entities: values in its units, one object per component. How the
 * layers' rows come together is for `others.js` and `avatar.js`, which call this.
 */

import { fromQ, fromQs } from '../schema/field.js';
import { Owner, handleAt } from '../snapshot/image.js';
import { blend } from './interpolation.js';

/** @typedef {import('../types.js').Entity} Entity */
/** @typedef {import('../snapshot/image.js').Image} Image */
/** @typedef {import('../snapshot/layout.js').ColumnSet} ColumnSet */

/**
 * @param {Image} image
 * @param {number} slot
 * @param {number} generation
 * @returns {number} the index of that entity, -1 if it is not there
 */
export function findEntity(image, slot, generation) {
  const index = image.find(slot);
  return index !== -1 && image.generations[index] === generation ? index : -1;
}

/**
 * @param {Image} image
 * @param {number} index
 * @returns {Entity} the entity without components
 */
export function newEntity(image, index) {
  const owner = image.owners[index];
  return {
    handle: handleAt(image, index),
    slot: image.slots[index],
    generation: image.generations[index],
    owner: Owner.player(owner),
    avatar: Owner.isAvatar(owner),
  };
}

/**
 * Writes the components of a row into an entity.
 * @param {Entity} entity
 * @param {ColumnSet} set the layer's columns
 * @param {Image} image
 * @param {number} index
 */
export function readRow(entity, set, image, index) {
  const mask = image.masks[index];
  const row = index * image.width;
  for (let c = 0; c < set.components.length; c++) {
    if (((mask >>> c) & 1) === 0) continue;
    const { component, fields } = set.components[c];
    const values = (entity[component.name] ??= {});
    for (const { name, kind, column } of fields) values[name] = fromQs(kind, image.rows, row + column);
  }
}

/** Holds the other image's values of a component. */
const scratch = /** @type {Record<string, any>} */ ({});

/**
 * Writes what of a component goes from one value to another evenly.
 * @param {Record<string, any>} into
 * @param {import('../snapshot/layout.js').ComponentColumns} columns
 * @param {Image} image
 * @param {number} index
 */
export function readEven(into, { fields }, image, index) {
  const row = index * image.width;
  for (const { name, kind, column } of fields) {
    if (kind.type === 'Real' || kind.type === 'Turn') into[name] = fromQ(kind, image.rows[row + column]);
  }
}

/**
 * Where a view stands between two images.
 * @typedef {object} Between
 * @property {number} alpha 0 at the older, 1 at the younger, above 1 beyond it
 * @property {number} ticks from the older to the younger, at least 1
 */

/**
 * Moves the components of an entity from one image towards another (`interpolation.js`): of the
 * older image below alpha 1, of the younger one from there on, but that what moves goes on.
 * @param {Entity} entity with the values of one image
 * @param {ColumnSet} set
 * @param {readonly import('./motion.js').Motion[]} motions of its components
 * @param {Image} image the other one
 * @param {number} index of the entity in it
 * @param {Between} between
 * @param {number} except bits of components that are left as they are
 * @param {import('./tracks.js').EntityTracks} entityTracks takes the speeds of those that did not
 *   jump
 */
export function blendRow(entity, set, motions, image, index, { alpha, ticks }, except, entityTracks) {
  const mask = image.masks[index] & ~except;
  for (let c = 0; c < set.components.length; c++) {
    if (((mask >>> c) & 1) === 0) continue;
    const { component, fields } = set.components[c];
    const values = entity[component.name];
    if (values === undefined) continue;
    readEven(scratch, set.components[c], image, index);
    if (!entityTracks.sees(component.name, motions[c], values, scratch, ticks, alpha)) continue;
    for (const { name, kind, moves } of fields) {
      if (kind.type !== 'Real' && kind.type !== 'Turn') continue;
      const isOlder = alpha < 1;
      values[name] = blend(kind, isOlder ? values[name] : scratch[name], isOlder ? scratch[name] : values[name], moves ? alpha : Math.min(alpha, 1));
    }
  }
}
