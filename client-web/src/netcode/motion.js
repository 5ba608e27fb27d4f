/**
 * What of a component moves, from its schema: the places that are interpolated, extrapolated and smoothed, and the flights
 * that go on by a velocity. Made once a component; `interpolation.js` says what is done with it.
 */

import { JUMP_SHARE } from './interpolation.js';

/** @typedef {import('../schema/schema.js').Component} Component */
/** @typedef {import('../schema/field.js').Field} Field */

/** A field that goes on by another: `value + velocity * factor * ticks`. @typedef {{ name: string, by: string, factor: number }} Flight */

/** See the module's description. */
export class Motion {
  /** @param {Component} component */
  constructor({ fields }) {
    const moving = fields.filter(({ kind, predictor }) => kind.type === 'Real' && predictor.type !== 'Hold');
    /** Names of the `Real` fields with a predictor other than `Hold`. */
    this.places = moving.map(({ name }) => name);
    /** What each of them may change in a tick without having jumped. */
    this.most = moving.map(({ kind }) => (kind.type === 'Real' ? (kind.max - kind.min) * JUMP_SHARE : 0));
    /** @type {Flight[]} those of them that fly by a velocity */
    this.flights = moving.flatMap((field) => flightOf(field, fields));
  }

  /**
   * Whether the component jumped between two values (a respawn, a teleport): any of its places did.
   * @param {Record<string, any>} older
   * @param {Record<string, any>} newer
   * @param {number} ticks between them
   * @returns {boolean}
   */
  jumps(older, newer, ticks) {
    const { places, most } = this;
    for (let i = 0; i < places.length; i++) {
      if (Math.abs(newer[places[i]] - older[places[i]]) > most[i] * ticks) return true;
    }
    return false;
  }

  /**
   * @param {Record<string, any>} older
   * @param {Record<string, any>} newer
   * @returns {number} the length of the way between
   */
  way(older, newer) {
    let sum = 0;
    for (const name of this.places) sum += (newer[name] - older[name]) ** 2;
    return Math.sqrt(sum);
  }

  /**
   * Lets what flies go on.
   * @param {Record<string, any>} values changed in place
   * @param {number} ticks since it had them
   */
  fly(values, ticks) {
    for (const { name, by, factor } of this.flights) values[name] += values[by] * factor * ticks;
  }
}

/**
 * @param {Field} field
 * @param {readonly Field[]} fields of its component
 * @returns {Flight[]} none if it does not fly
 */
function flightOf({ name, kind, predictor }, fields) {
  if (predictor.type !== 'Velocity' || kind.type !== 'Real') return [];
  const by = fields[predictor.by];
  if (by.kind.type !== 'Real') return [];
  return [{ name, by: by.name, factor: ((predictor.num / predictor.den) * kind.step) / by.kind.step }];
}
