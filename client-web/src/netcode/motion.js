/**
 * What of a component moves, from its schema: the places that are interpolated, extrapolated and
 * smoothed, the turns, and the flights that go on by a velocity. Made once a component;
 * `interpolation.js` and `catch_up.js` say what is done with it.
 */

import { JUMP_SHARE, turnBetween } from './interpolation.js';

/** @typedef {import('../schema/schema.js').Component} Component */
/** @typedef {import('../schema/field.js').Field} Field */

/**
 * A field that goes on by another: `value + velocity * factor * ticks`.
 * @typedef {{ name: string, by: string, factor: number }} Flight
 */

/** See the module's description. */
export class Motion {
  /** @param {Component} component */
  constructor({ fields }) {
    const moving = fields.filter(({ kind, predictor }) => kind.type === 'Real' && /Linear|Velocity/.test(predictor.type));
    /** Names of the `Real` fields that move: predicted by a velocity or by their last change. */
    this.places = moving.map(({ name }) => name);
    /** What each of them may change at once without having jumped. */
    this.most = moving.map(({ kind }) => (kind.type === 'Real' ? (kind.max - kind.min) * JUMP_SHARE : 0));
    /** Names of the `Turn` fields. */
    this.turns = fields.filter(({ kind }) => kind.type === 'Turn').map(({ name }) => name);
    /**
     * How many things of it move for themselves: the place, which is all places together, and each
     * turn.
     */
    this.tracks = Number(this.places.length > 0) + this.turns.length;
    /** @type {Flight[]} those of them that fly by a velocity */
    this.flights = moving.flatMap((field) => flightOf(field, fields));
  }

  /**
   * Whether the component jumped between two values (a respawn, a teleport): any of its places did.
   * @param {Record<string, any>} older
   * @param {Record<string, any>} newer
   * @param {number} free what its speed explains of the way, over all ticks between them but one
   * @returns {boolean}
   */
  jumps(older, newer, free) {
    const { places, most } = this;
    for (let i = 0; i < places.length; i++) {
      if (Math.abs(newer[places[i]] - older[places[i]]) > most[i] + free) return true;
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
   * @param {number} track
   * @returns {string | undefined} the turn that it is; `undefined` for the place, which is the
   *   first if there is one
   */
  turnOf(track) {
    return this.turns[this.places.length > 0 ? track - 1 : track];
  }

  /**
   * @param {number} track
   * @param {Record<string, any>} older
   * @param {Record<string, any>} newer
   * @returns {number} how far it went between
   */
  wayOf(track, older, newer) {
    const turn = this.turnOf(track);
    return turn === undefined ? this.way(older, newer) : Math.abs(turnBetween(older[turn], newer[turn]));
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
