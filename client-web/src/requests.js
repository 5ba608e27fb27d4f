/**
 * The lobby's requests of a link, in order: the server answers them so, hence one is out at a time.
 * Owned by `lobby.js`, which makes them; `link.js` hears the answers.
 */

import { REQUESTS_WAITING_MAX } from './limits.js';
import { RequestError } from './request_error.js';

/**
 * @typedef {{ message: Uint8Array, who: import('./protocol/client_message.js').JoinAs | undefined,
 *   resolve: (answer: any) => void, reject: (error: Error) => void }} Request `who`: as what a room
 *   is asked for, undefined for what leads to none
 */

/** See the module's description. */
export class Requests {
  /** @type {Request[]} the first one is out */
  #waiting = [];
  #send;

  /** @param {(message: Uint8Array) => void} send puts one out; throws if it cannot be sent */
  constructor(send) {
    this.#send = send;
  }

  /**
   * @param {Uint8Array} message
   * @param {import('./protocol/client_message.js').JoinAs} [who] as what it asks for a room
   * @returns {Promise<any>} its answer. Throws a `RequestError` if too many wait
   */
  add(message, who) {
    if (this.#waiting.length >= REQUESTS_WAITING_MAX) throw new RequestError('TooMuch', 'too many requests wait');
    return new Promise((resolve, reject) => {
      this.#waiting.push({ message, who, resolve, reject });
      if (this.#waiting.length === 1) this.#next();
    });
  }

  /** As what the one that is out asks for a room; undefined for none, or for what leads to none. */
  get who() {
    return this.#waiting[0]?.who;
  }

  /** Whether one is out. */
  get isWaiting() {
    return this.#waiting.length > 0;
  }

  /** The one that is out was answered. @param {any} answer */
  resolve(answer) {
    this.#waiting.shift()?.resolve(answer);
    this.#next();
  }

  /** The one that is out was refused. @param {Error} error */
  reject(error) {
    this.#waiting.shift()?.reject(error);
    this.#next();
  }

  /**
   * The server that was asked sends the link elsewhere: what asked for a room is answered there.
   * @param {Error} error for all others
   * @returns {import('./protocol/client_message.js').JoinAs | undefined} as what one is asked for
   */
  follow(error) {
    const [first] = this.#waiting;
    const who = first?.who;
    for (const { reject } of this.#waiting.splice(who === undefined ? 0 : 1)) reject(error);
    return who;
  }

  /** No answer comes any more. @param {Error} error for all that wait */
  fail(error) {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #next() {
    for (let [request] = this.#waiting; request !== undefined; [request] = this.#waiting) {
      try {
        return this.#send(request.message);
      } catch (error) {
        // Another place by now, in which it cannot be asked.
        this.#waiting.shift();
        request.reject(/** @type {Error} */ (error));
      }
    }
  }
}
