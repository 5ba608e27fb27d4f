/**
 * The own entity ahead of the server: the game's rule replayed over the inputs that the server has
 * not answered yet. Only the bookkeeping: what a state is, and how it is drawn, is for `avatar.js`,
 * which calls this.
 *
 * **Step.** When the input of tick t is sent the state steps, and (t, input, state after) is
 * remembered.
 *
 * **Reconcile.** A snapshot of tick s brings the state that the server had after s. What is
 * remembered of s is compared with it. All up to s is forgotten, the state becomes the server's and
 * the inputs that remain are replayed in order of their ticks. A tick among them without an input
 * replays the one before it, up to `INPUT_REPEATS_MAX` times, then the neutral one, as the server
 * does.
 */

import { INPUT_REPEATS_MAX, INPUTS_QUEUED_MAX } from '../limits.js';

/**
 * The game's part.
 * @template S, I
 * @typedef {object} Rule
 * @property {(state: S, input: I, tick: number) => S} next another state, one tick later
 * @property {I} neutral the input of who does nothing
 */

/**
 * See the module's description.
 * @template S, I
 */
export class Prediction {
  #rule;
  /** @type {{ tick: number, input: I, after: S }[]} by rising tick, at most `INPUTS_QUEUED_MAX` */
  pending = [];
  /** @type {{ tick: number, input: I } | undefined} the input before the oldest pending one */
  #before;
  /** @type {S | undefined} the state after the newest input, or the server's */
  state;
  /** @type {S | undefined} the state one tick before `state` */
  previous;
  /** The tick that `state` belongs to. */
  tick = 0;

  /** @param {Rule<S, I>} rule */
  constructor(rule) {
    this.#rule = rule;
  }

  /**
   * @param {number} tick
   * @returns {S | undefined} the state after it, if it is remembered
   */
  at(tick) {
    if (tick === this.tick) return this.state;
    if (tick === this.tick - 1) return this.previous;
    return this.pending.find((step) => step.tick === tick)?.after;
  }

  /** The entity is gone: forgets the state and the inputs. */
  clear() {
    this.pending = [];
    this.#before = undefined;
    this.state = undefined;
    this.previous = undefined;
  }

  /**
   * The input of `tick` was sent, `tick` being later than all before. Without a state yet it is not
   * remembered.
   * @param {number} tick
   * @param {I} input
   */
  step(tick, input) {
    if (this.state === undefined) return;
    this.previous = this.state;
    const after = this.#rule.next(this.state, input, tick);
    this.state = after;
    this.tick = tick;
    this.pending.push({ tick, input, after });
    if (this.pending.length > INPUTS_QUEUED_MAX) this.#forgetOldest();
  }

  /**
   * The server's state after `tick`: replays what it has not seen.
   * @param {number} tick
   * @param {S} server
   * @returns {S | undefined} the state that was predicted for `tick`, if one was
   */
  reconcile(tick, server) {
    /** @type {S | undefined} */
    let predicted;
    while (this.pending.length > 0 && this.pending[0].tick <= tick) {
      if (this.pending[0].tick === tick) predicted = this.pending[0].after;
      this.#forgetOldest();
    }
    let state = server;
    let previous = server;
    let last = this.#before;
    let at = tick;
    const advance = (/** @type {I} */ input) => {
      previous = state;
      state = this.#rule.next(state, input, ++at);
    };
    for (const step of this.pending) {
      while (at + 1 < step.tick) {
        const isRepeat = last !== undefined && at + 1 - last.tick <= INPUT_REPEATS_MAX;
        advance(last !== undefined && isRepeat ? last.input : this.#rule.neutral);
      }
      advance(step.input);
      step.after = state;
      last = step;
    }
    this.state = state;
    this.previous = previous;
    this.tick = at;
    return predicted;
  }

  #forgetOldest() {
    const step = this.pending.shift();
    if (step !== undefined) this.#before = { tick: step.tick, input: step.input };
  }
}
