/**
 * Errors of the own entity's prediction, kept out of the picture: the state is corrected at once,
 * what is drawn follows. One for each predicted component, used by `avatar.js`. Proved by
 * `shared/vectors/netcode/smoothing.json`. Not for others: those are interpolated.
 *
 * **Correct.** When one state replaces another of the same tick, what it differs by is added to the
 * offset at which the entity is drawn. If the component jumped (a teleport, a respawn) the offset
 * becomes 0 instead: that shows at once.
 *
 * **Fade.** The offset shrinks by the factor e in every `SMOOTH_MS`: at each frame it is multiplied
 * by `exp(-passed / SMOOTH_MS)`. After 300 ms a twentieth is left; a part below `GRAIN` is 0.
 */

/**
 * Milliseconds in which an error shrinks by the factor e, unless the game says otherwise: most of
 * it is gone in the time of a glance, and what is left of a tick's movement never looks like a
 * stop.
 */
export const SMOOTH_MS = 100;
/** Offsets below it are none, in units. */
export const GRAIN = 1e-4;

/** See the module's description. */
export class Smoothing {
  #smoothMs;
  #fadedMs = 0;
  /** What is to be added to each field. @type {number[]} */
  offset;

  /**
   * @param {number} fields how many
   * @param {number} [smoothMs] 0: every error shows at once
   */
  constructor(fields, smoothMs = SMOOTH_MS) {
    this.#smoothMs = smoothMs;
    this.offset = new Array(fields).fill(0);
  }

  /**
   * A state was replaced by another of the same tick.
   * @param {readonly number[]} by what each field was more before
   * @param {boolean} hasJumped
   */
  correct(by, hasJumped) {
    for (let axis = 0; axis < this.offset.length; axis++) {
      this.offset[axis] = hasJumped || this.#smoothMs <= 0 ? 0 : this.offset[axis] + by[axis];
    }
  }

  /** A frame is drawn. @param {number} nowMs */
  fade(nowMs) {
    const passedMs = Math.max(0, nowMs - this.#fadedMs);
    this.#fadedMs = nowMs;
    if (this.#smoothMs <= 0) return;
    const keep = Math.exp(-passedMs / this.#smoothMs);
    for (let axis = 0; axis < this.offset.length; axis++) {
      const left = this.offset[axis] * keep;
      this.offset[axis] = Math.abs(left) < GRAIN ? 0 : left;
    }
  }
}
