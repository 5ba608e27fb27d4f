/**
 * What others were drawn at wrongly, because the view went ahead of the newest snapshot and they did not go straight on: the
 * picture stays where it is and closes in. One for each component that was extrapolated, used by `others.js`. It is
 * `shared/src/netcode/fade.rs`; both reproduce `shared/vectors/netcode/fade.json`. Not the own entity's errors: those are
 * `smoothing.js`'s.
 *
 * **Start.** When a snapshot comes while the view is ahead of the newest one, a component's place as drawn, less its place at
 * the same view by the new pair, becomes the offset. If the component jumped there is none. `speed` is the greater of the
 * lengths of its changes a tick in the old and the new pair.
 *
 * **Advance.** The offset's length L shrinks by `FADE` of `speed` for every tick that the view moves: the offset is multiplied
 * by `max(0, 1 - FADE * speed * ticks / L)`. So what is drawn moves at most
 * `(1 + CATCH_UP) * (1 + FADE)`, one and a half times, as fast as the entity did.
 */

/** Share of its own speed by which an entity is moved to where it should be. */
export const FADE = 0.2;

/** See the module's description. */
export class Fade {
  /** What is to be added to each place by the newest pair. @type {number[]} */
  offset = [];
  #speed = 0;

  /**
   * The new pair puts it elsewhere than it was drawn.
   * @param {readonly number[]} drawn
   * @param {readonly number[]} now
   * @param {number} speed in units a tick
   */
  start(drawn, now, speed) {
    this.offset = drawn.map((place, axis) => place - now[axis]);
    this.#speed = speed;
  }

  /** @param {number} ticks by which the view moved on */
  advance(ticks) {
    let sum = 0;
    for (const axis of this.offset) sum += axis * axis;
    const long = Math.sqrt(sum);
    const keep = long > 0 ? Math.max(0, 1 - (FADE * this.#speed * ticks) / long) : 0;
    for (let axis = 0; axis < this.offset.length; axis++) this.offset[axis] *= keep;
  }

  /** Whether nothing is left. */
  get isOver() {
    return this.offset.every((axis) => axis === 0);
  }
}
