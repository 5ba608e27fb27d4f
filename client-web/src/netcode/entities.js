/**
 * Rows of images as the game's entities: values in its units, one object per component. How the layers'
 * rows come together is for `others.js` and `avatar.js`, which call this.
 */

import { fromQ, fromQs } from '../schema/field.js';
import { Owner } from '../snapshot/image.js';
import { blend, blends, jumps } from './interpolation.js';

/** @typedef {import('../types.js').Entity} Entity */
/** @typedef {import('../snapshot/image.js').Image} Image */
/** @typedef {import('../schema/layout.js').ColumnSet} ColumnSet */

/**
 * @param {Image} image
 * @param {number} index
 * @returns {number} the entity's handle
 */
export function handleAt(image, index) {
  return image.generations[index] * 0x10000 + image.slots[index];
}

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

/** Holds the younger values of a component while they are blended. */
const scratch = /** @type {Record<string, any>} */ ({});

/**
 * Blends the components of an entity, which has the values of the older image, towards a younger one.
 * @param {Entity} entity
 * @param {ColumnSet} set
 * @param {Image} image the younger one
 * @param {number} index of the entity in it
 * @param {number} alpha 0..1
 * @param {number} ticks between the images
 * @param {number} except bits of components that are left as they are
 */
export function blendRow(entity, set, image, index, alpha, ticks, except) {
  const mask = image.masks[index] & ~except;
  const row = index * image.width;
  for (let c = 0; c < set.components.length; c++) {
    if (((mask >>> c) & 1) === 0) continue;
    const { component, fields } = set.components[c];
    const values = entity[component.name];
    if (values === undefined) continue;
    for (const { name, kind, column } of fields) {
      if (blends(kind)) scratch[name] = fromQ(kind, image.rows[row + column]);
    }
    if (jumps(fields, values, scratch, ticks)) continue;
    for (const { name, kind } of fields) {
      if (blends(kind)) values[name] = blend(kind, values[name], scratch[name], alpha);
    }
  }
}
