/**
 * Coming back after a connection was lost: when the next try is due, and when to give up. Pure:
 * times and chance are arguments. `connections.js` opens the sockets; which ends are worth a try is
 * `protocol/close_code.js`'s.
 */

import { RECONNECT_DELAY_MAX_MS, RECONNECT_DELAY_MS, RECONNECT_FOR_MS } from './limits.js';

/** One loss, until the client is back. */
export class Backoff {
  #sinceMs;
  #random;
  /** Tries that were waited for, but for the first. */
  #waits = 0;
  /** Tries so far. */
  attempt = 0;

  /**
   * @param {number} nowMs when the connection was lost
   * @param {() => number} [random] 0 to 1
   */
  constructor(nowMs, random = Math.random) {
    this.#sinceMs = nowMs;
    this.#random = random;
  }

  /**
   * When to try next. A crowd that lost its server at one time comes back spread, and each later
   * try takes twice as long, but for those of other doors to the same rooms: they follow at once.
   * @param {number} nowMs
   * @param {number} [retryAfterMs] what the server said before it went
   * @param {boolean} [isUntried] the try is of another door, for the first time
   * @returns {number | undefined} in so many milliseconds; undefined: give up
   */
  next(nowMs, retryAfterMs, isUntried = false) {
    if (nowMs - this.#sinceMs >= RECONNECT_FOR_MS) return undefined;
    const attempt = this.attempt++;
    if (attempt === 0) {
      // Most losses are over at once: the first try is early.
      if (retryAfterMs === undefined) return RECONNECT_DELAY_MS * this.#random();
      return retryAfterMs * (0.75 + 0.5 * this.#random());
    }
    if (isUntried) return 0;
    this.#waits++;
    const doubled = Math.min(RECONNECT_DELAY_MAX_MS, RECONNECT_DELAY_MS * 2 ** Math.min(this.#waits, 16));
    return doubled * (0.5 + 0.5 * this.#random());
  }
}
