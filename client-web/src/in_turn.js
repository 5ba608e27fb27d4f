/**
 * Requests of one kind that go out one at a time, in order, and outlast a lost connection: the first
 * of them keeps its nonce until it is answered, and goes out again where there is a way again. What
 * they are, and what an answer means, is their owner's: `unsaid.js` and `pages.js`.
 */

import { now } from './connection.js';
import { ACTION_TIMEOUT_MS } from './limits.js';
import { RequestError } from './request_error.js';

/**
 * @template W, T
 * @typedef {{ nonce: number, what: W, resolve: (value: T | undefined) => void, reject: (error: Error) => void }} Waiting
 */

/**
 * See the module's description.
 * @template W, T what is asked, and what the answer is
 */
export class InTurn {
  /** @type {Waiting<W, T>[]} the first one is out, or is next */
  #waiting = [];
  /** Anything that another page in the same seat would hardly take. */
  #nonce = Math.floor(Math.random() * 2 ** 32);
  #send;
  #late;
  #clock;
  #isOut = false;
  /** When the first one, if it is out, has waited for too long. */
  #lateMs = Infinity;
  /** When the first one goes out again. */
  #againMs = Infinity;

  /**
   * @param {(nonce: number, what: W) => boolean | undefined} send puts one out: whether the server
   *   will answer it; undefined if there is no way until `wake` is called
   * @param {string} late why one fails that nobody answers
   * @param {() => number} [clock] in ms
   */
  constructor(send, late, clock = now) {
    this.#send = send;
    this.#late = late;
    this.#clock = clock;
  }

  /**
   * @param {W} what
   * @returns {Promise<T | undefined>} the answer; undefined from a server that gives none. Rejects
   *   with a `RequestError`; need not be looked at
   */
  add(what) {
    this.#nonce = (this.#nonce + 1) >>> 0;
    const nonce = this.#nonce;
    /** @type {Promise<T | undefined>} */
    const answer = new Promise((resolve, reject) => this.#waiting.push({ nonce, what, resolve, reject }));
    answer.catch(() => {});
    try {
      this.#next();
    } catch (error) {
      this.#waiting.pop();
      throw error;
    }
    return answer;
  }

  /** What waits, oldest first. */
  get all() {
    return this.#waiting.map(({ what }) => what);
  }

  /** @param {number} nonce @returns {boolean} whether this one is out */
  isOut(nonce) {
    return this.#isOut && this.#waiting[0]?.nonce === nonce;
  }

  /** The one that is out was answered. @param {T} value */
  resolve(value) {
    this.#done()?.resolve(value);
    this.#next();
  }

  /** The one that is out was refused for good. @param {Error} error */
  reject(error) {
    this.#done()?.reject(error);
    this.#next();
  }

  /** The one that is out came too soon: it goes out again at this time. @param {number} atMs */
  again(atMs) {
    this.sleep();
    this.#againMs = atMs;
  }

  /** Something of the answer came: the rest has all the time again. @param {number} nowMs */
  goesOn(nowMs) {
    this.#lateMs = nowMs + ACTION_TIMEOUT_MS;
  }

  /** There is no way for now: no answer comes. */
  sleep() {
    this.#isOut = false;
    this.#lateMs = Infinity;
    this.#againMs = Infinity;
  }

  /** There is a way again. */
  wake() {
    this.sleep();
    this.#next();
  }

  /** When `onTime` has something to do, in ms; Infinity for never. */
  get dueMs() {
    return Math.min(this.#againMs, this.#lateMs);
  }

  /** @param {number} nowMs */
  onTime(nowMs) {
    if (nowMs < this.dueMs) return;
    if (this.#isOut) this.#done()?.reject(new RequestError('TimedOut', this.#late));
    this.wake();
  }

  /** There is no way any more. @param {Error} error for all that wait */
  fail(error) {
    this.sleep();
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #done() {
    this.sleep();
    return this.#waiting.shift();
  }

  #next() {
    while (!this.#isOut && this.#againMs === Infinity && this.#waiting.length > 0) {
      const [{ nonce, what }] = this.#waiting;
      const isAnswered = this.#send(nonce, what);
      if (isAnswered === undefined) return;
      this.#isOut = isAnswered;
      if (isAnswered) this.#lateMs = this.#clock() + ACTION_TIMEOUT_MS;
      else this.#waiting.shift()?.resolve(undefined);
    }
  }
}
