/**
 * Pages of what was said in a channel, asked for one at a time and put together of their parts.
 * Asking changes nothing, so what was out when the connection was lost is asked for again. Owned by
 * `room.js`, and by `people.js` for channels outside of rooms.
 */

import { InTurn } from './in_turn.js';
import { CHAT_AGAIN_MS, PAGE_LINES_MAX, PAGE_TRIES_MAX, PAGES_WAITING_MAX } from './limits.js';
import { RequestError } from './request_error.js';

/** @typedef {import('./types.js').PastLine} PastLine */

/**
 * @template {PastLine} [L=PastLine]
 * @typedef {object} Page
 * @property {L[]} lines oldest first
 * @property {number} next what to ask for next: the lines before this one; 0 if there are none
 */

/**
 * See the module's description.
 * @template {PastLine} [L=PastLine]
 * @template [W=number] what is asked for: the lines before a number, 0 for the newest, of a channel
 */
export class Pages {
  /** @type {InTurn<W, Page<L>>} */
  #asked;
  /** Of the page that is coming. @type {L[]} */
  #lines = [];
  /** How often the one that is out was refused for the time being. */
  #refusals = 0;

  /**
   * @param {(nonce: number, before: W) => boolean | undefined} send asks for a page: whether
   *   the server will answer; undefined if there is no way until `wake` is called
   * @param {() => number} [clock] in ms
   */
  constructor(send, clock) {
    const late = 'the server did not answer in time';
    this.#asked = new InTurn((nonce, before) => {
      this.#lines = [];
      return send(nonce, before);
    }, late, clock);
  }

  /**
   * @param {W} before the number of a line, 0 for the newest page
   * @returns {Promise<Page<L> | undefined>} the lines before it; undefined from a server that does not
   *   know of pages. Rejects with a `RequestError`; throws one if too many wait
   */
  ask(before) {
    if (this.#asked.all.length >= PAGES_WAITING_MAX) throw new RequestError('TooMuch', `${PAGES_WAITING_MAX} pages are asked for already`);
    return this.#asked.add(before);
  }

  /**
   * A part of an answer, or why there is none.
   * @param {Omit<Extract<import('./session.js').SessionEvent, { type: 'Lines' | 'Past' }>, 'type'>} told
   * @param {number} nowMs
   */
  onLines({ nonce, page, refusal }, nowMs) {
    if (!this.#asked.isOut(nonce)) return;
    if (page === undefined) {
      const isLater = refusal === 'TooOften' || refusal === 'Busy';
      if (isLater && ++this.#refusals < PAGE_TRIES_MAX) return this.#asked.again(nowMs + CHAT_AGAIN_MS);
      this.#refusals = 0;
      return this.#asked.reject(new RequestError(refusal ?? 'Busy'));
    }
    // No page has more.
    const lines = /** @type {L[]} */ (/** @type {unknown} */ (page.lines.map((line) => ({ ...line, at: new Date(line.at * 1000) }))));
    this.#lines = [...this.#lines, ...lines].slice(-PAGE_LINES_MAX);
    if (page.more) return this.#asked.goesOn(nowMs);
    this.#refusals = 0;
    this.#asked.resolve({ lines: this.#lines, next: page.next });
  }

  /** There is no way for now: no answer comes. */
  sleep() {
    this.#asked.sleep();
  }

  /** There is a way again. */
  wake() {
    this.#asked.wake();
  }

  /** When `onTime` has something to do, in ms; Infinity for never. */
  get dueMs() {
    return this.#asked.dueMs;
  }

  /** @param {number} nowMs */
  onTime(nowMs) {
    this.#asked.onTime(nowMs);
  }

  /** Nothing can be asked for any more. @param {Error} error for all that wait */
  fail(error) {
    this.#asked.fail(error);
  }
}
