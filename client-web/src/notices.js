/**
 * Notices on their way to the page: each is handed out once, whichever connections it comes by, and
 * the server is told what was. Those that come before the page listens wait for it. Owned by
 * `link.js`.
 */

import { NOTICES_SHOWN_MAX, NOTICES_WAITING_MAX } from './limits.js';

/** @typedef {Extract<import('./session.js').SessionEvent, { type: 'Notice' }>} Told */

/** See the module's description. */
export class Notices {
  /** What tells those of numbers that came apart, the newest last. @type {string[]} */
  #known = [];
  /** Those that came before the page listened. @type {Told[] | undefined} */
  #waiting = [];
  #show;
  #onSeen;

  /**
   * @param {(notice: import('./types.js').Notice) => void} show
   * @param {(number: number) => void} onSeen all up to this one were shown
   */
  constructor(show, onSeen) {
    this.#show = show;
    this.#onSeen = onSeen;
  }

  /** One came. @param {Told} told */
  take(told) {
    if (this.#isKnown(told)) {
      // It was said on a connection that was lost, unless it waits.
      if (!this.#waiting?.some(({ number, at }) => number === told.number && at === told.at)) this.#onSeen(told.number);
    } else if (this.#waiting === undefined) {
      this.#hand(told);
    } else {
      this.#waiting.push(told);
      if (this.#waiting.length > NOTICES_WAITING_MAX) this.#forget();
    }
  }

  /** The page listens from now on. */
  begin() {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const told of waiting) this.#hand(told);
  }

  /** @param {Told} told */
  #hand({ number, at, text, event }) {
    this.#show({ text, event: event?.name, fields: event?.fields, at: new Date(at * 1000), durable: number > 0 });
    if (number > 0) this.#onSeen(number);
  }

  /**
   * The server may have begun to count anew: a number alone says nothing.
   * @param {Told} told
   */
  #isKnown({ number, at, text }) {
    if (number === 0) return false;
    const key = `${number} ${at} ${text}`;
    if (this.#known.includes(key)) return true;
    this.#known.push(key);
    if (this.#known.length > NOTICES_SHOWN_MAX) this.#known.shift();
    return false;
  }

  /** Nobody listens: the oldest that is not durable goes, or the oldest. */
  #forget() {
    const waiting = this.#waiting ?? [];
    const at = waiting.findIndex(({ number }) => number === 0);
    waiting.splice(Math.max(at, 0), 1);
  }
}
