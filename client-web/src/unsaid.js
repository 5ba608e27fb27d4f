/**
 * Lines that the page said and that are not in the room's chat yet, in order. One is out at a time
 * and keeps its nonce until the server has answered it: over a lost connection it is said again, and
 * the server says a line of that nonce once. Not the lines that were said: those are the room's.
 * Owned by `chat.js`.
 */

import { now } from './connection.js';
import { ACTION_TIMEOUT_MS, CHAT_AGAIN_MS, UNSAID_MAX } from './limits.js';
import { RequestError } from './request_error.js';

/** @typedef {{ nonce: number, text: string, resolve: (id: number | undefined) => void, reject: (error: Error) => void }} Line */

/** See the module's description. */
export class Unsaid {
  /** @type {Line[]} the first one is out, or is next */
  #waiting = [];
  /** Anything that another page in the same seat would hardly take. */
  #nonce = Math.floor(Math.random() * 2 ** 32);
  #send;
  #clock;
  #isOut = false;
  /** When the first one, if it is out, has waited for too long. */
  #lateMs = Infinity;
  /** When the first one goes out again. */
  #againMs = Infinity;

  /**
   * @param {(line: { nonce: number, text: string }) => boolean | undefined} send puts one out:
   *   whether the server will answer it; undefined if there is no way until `wake` is called
   * @param {() => number} [clock] in ms
   */
  constructor(send, clock = now) {
    this.#send = send;
    this.#clock = clock;
  }

  /**
   * @param {string} text
   * @returns {Promise<number | undefined>} the line's number in the room's chat, if the server tells
   *   it; rejects with a `RequestError` if it is refused, or can't be said any more. Throws one if
   *   too many wait
   */
  add(text) {
    if (this.#waiting.length >= UNSAID_MAX) throw new RequestError('TooMuch', `${UNSAID_MAX} lines wait to be said`);
    this.#nonce = (this.#nonce + 1) >>> 0;
    const nonce = this.#nonce;
    /** @type {Promise<number | undefined>} */
    const said = new Promise((resolve, reject) => this.#waiting.push({ nonce, text, resolve, reject }));
    // A page that does not look at it is told by the room's `refused`.
    said.catch(() => {});
    try {
      this.#next();
    } catch (error) {
      this.#waiting.pop();
      throw error;
    }
    return said;
  }

  /** The texts, oldest first. */
  get texts() {
    return this.#waiting.map(({ text }) => text);
  }

  /** There is no way for now: no answer comes. */
  sleep() {
    this.#isOut = false;
    this.#lateMs = Infinity;
    this.#againMs = Infinity;
  }

  /** There is a way to the room again. */
  wake() {
    this.sleep();
    this.#next();
  }

  /**
   * The server has answered.
   * @param {{ nonce: number, id: number | undefined, refusal: import('./types.js').Refusal | undefined }} said
   * @param {number} nowMs
   * @returns {boolean} whether a line was refused for good
   */
  onSaid({ nonce, id, refusal }, nowMs) {
    const [line] = this.#waiting;
    if (!this.#isOut || line?.nonce !== nonce) return false;
    this.#isOut = false;
    this.#lateMs = Infinity;
    if (refusal === 'TooOften') {
      this.#againMs = nowMs + CHAT_AGAIN_MS;
      return false;
    }
    this.#waiting.shift();
    if (id !== undefined) line.resolve(id);
    else line.reject(new RequestError(refusal ?? 'BadText'));
    this.#next();
    return id === undefined;
  }

  /** When `onTime` has something to do, in ms; Infinity for never. */
  get dueMs() {
    return Math.min(this.#againMs, this.#lateMs);
  }

  /** @param {number} nowMs */
  onTime(nowMs) {
    if (nowMs < this.dueMs) return;
    if (this.#isOut) this.#waiting.shift()?.reject(new RequestError('TimedOut', 'the server did not answer in time: it may have said the line or not'));
    this.wake();
  }

  /** Nothing can be said any more. @param {Error} error for all that wait */
  fail(error) {
    this.sleep();
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #next() {
    while (!this.#isOut && this.#againMs === Infinity && this.#waiting.length > 0) {
      const [line] = this.#waiting;
      const isAnswered = this.#send(line);
      if (isAnswered === undefined) return;
      this.#isOut = isAnswered;
      if (isAnswered) this.#lateMs = this.#clock() + ACTION_TIMEOUT_MS;
      else this.#waiting.shift()?.resolve(undefined);
    }
  }
}
