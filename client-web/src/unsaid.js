/**
 * Lines that the page said and that are not in the room's chat yet, in order. One is out at a time
 * and keeps its nonce until the server has answered it: over a lost connection it is said again, and
 * the server says a line of that nonce once. Not the lines that were said: those are the room's.
 * Owned by `room.js`.
 */

import { InTurn } from './in_turn.js';
import { CHAT_AGAIN_MS, UNSAID_MAX } from './limits.js';
import { RequestError } from './request_error.js';

/** See the module's description. */
export class Unsaid {
  /** @type {InTurn<string, number>} */
  #lines;

  /**
   * @param {(line: { nonce: number, text: string }) => boolean | undefined} send puts one out:
   *   whether the server will answer it; undefined if there is no way until `wake` is called
   * @param {() => number} [clock] in ms
   */
  constructor(send, clock) {
    const late = 'the server did not answer in time: it may have said the line or not';
    this.#lines = new InTurn((nonce, text) => send({ nonce, text }), late, clock);
  }

  /**
   * @param {string} text
   * @returns {Promise<number | undefined>} the line's number in the room's chat, if the server tells
   *   it; rejects with a `RequestError` if it is refused, or can't be said any more. Throws one if
   *   too many wait
   */
  add(text) {
    if (this.#lines.all.length >= UNSAID_MAX) throw new RequestError('TooMuch', `${UNSAID_MAX} lines wait to be said`);
    return this.#lines.add(text);
  }

  /** The texts, oldest first. */
  get texts() {
    return this.#lines.all;
  }

  /** There is no way for now: no answer comes. */
  sleep() {
    this.#lines.sleep();
  }

  /** There is a way to the room again. */
  wake() {
    this.#lines.wake();
  }

  /**
   * The server has answered.
   * @param {{ nonce: number, id: number | undefined, refusal: import('./types.js').Refusal | undefined }} said
   * @param {number} nowMs
   * @returns {boolean} whether a line was refused for good
   */
  onSaid({ nonce, id, refusal }, nowMs) {
    if (!this.#lines.isOut(nonce)) return false;
    if (refusal === 'TooOften') this.#lines.again(nowMs + CHAT_AGAIN_MS);
    else if (id !== undefined) this.#lines.resolve(id);
    else this.#lines.reject(new RequestError(refusal ?? 'BadText'));
    return id === undefined && refusal !== 'TooOften';
  }

  /** When `onTime` has something to do, in ms; Infinity for never. */
  get dueMs() {
    return this.#lines.dueMs;
  }

  /** @param {number} nowMs */
  onTime(nowMs) {
    this.#lines.onTime(nowMs);
  }

  /** Nothing can be said any more. @param {Error} error for all that wait */
  fail(error) {
    this.#lines.fail(error);
  }
}
