/**
 * One direction of a connection through a conditioner, in real time. While the link is as it is and
 * nothing is on the way, things pass at once. Used by `socket.js`, once for each direction.
 *
 * In a hidden tab the browser wakes timers once a second or less, so a conditioned link is worse
 * there than it says.
 */

import { CLEAN, Conditioner } from './conditioner.js';

/** @typedef {import('./conditioner.js').DirectionConditions} DirectionConditions */

/** See the module's description. */
export class Delayed {
  #isClean = true;
  /** @type {Conditioner<() => void>} */
  #conditioner = new Conditioner(CLEAN, 1);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * From now on the link is like this, for what is sent.
   * @param {DirectionConditions | undefined} conditions undefined for as it is
   * @param {number} seed
   */
  set(conditions, seed) {
    this.#isClean = conditions === undefined;
    this.#conditioner.set(conditions ?? CLEAN, seed);
  }

  /** Bytes on the way. */
  get bytes() {
    return this.#conditioner.bytes;
  }

  /**
   * Something is sent.
   * @param {number} bytes of it
   * @param {() => void} arrive called when it arrives: now or later
   * @returns {boolean} false if too much is on the way: it never arrives
   */
  pass(bytes, arrive) {
    const isEmpty = this.#conditioner.pollTimeout() === Infinity;
    if (this.#isClean && isEmpty) {
      arrive();
      return true;
    }
    const fits = this.#conditioner.push(nowUs(), bytes, arrive);
    if (isEmpty) this.#wait();
    return fits;
  }

  /** Forgets all that is on the way. */
  clear() {
    clearTimeout(this.#timer);
    this.#conditioner = new Conditioner(CLEAN, 1);
    this.#isClean = true;
  }

  #wait() {
    const atUs = this.#conditioner.pollTimeout();
    if (atUs !== Infinity) this.#timer = setTimeout(() => this.#release(), Math.max(0, Math.ceil((atUs - nowUs()) / 1000)));
  }

  #release() {
    const now = nowUs();
    try {
      for (let arrive = this.#conditioner.poll(now); arrive !== undefined; arrive = this.#conditioner.poll(now)) arrive();
    } finally {
      clearTimeout(this.#timer);
      this.#wait();
    }
  }
}

/** @returns {number} whole microseconds */
function nowUs() {
  return Math.floor(performance.now() * 1000);
}
