/**
 * The only file that knows WebSocket: opens one, hands out bytes, sends bytes. What they mean is
 * for `connection.js`.
 */

import { Delayed } from './delayed.js';
import { onForbidden } from './policy.js';
import { SUBPROTOCOL } from './protocol/frame.js';
import { RequestError } from './request_error.js';

/** @typedef {import('./types.js').SocketConstructor} SocketConstructor */

/**
 * @typedef {object} SocketHandlers
 * @property {() => void} onOpen
 * @property {(bytes: Uint8Array | undefined) => void} onMessage undefined for a text message,
 *   which nobody sends
 * @property {(code: number, reason: string) => void} onClose called once, also when it never opened
 */

/** A WebSocket that speaks Tickwire's subprotocol. */
export class Socket {
  #socket;
  #handlers;
  #up = new Delayed();
  #down = new Delayed();
  /** Why it cannot be opened, where the page's policy says so. */
  #forbidden = '';
  #stopHearing = () => {};
  #stopFollowing;
  #isOpen = false;

  /**
   * @param {string} url
   * @param {SocketConstructor | undefined} Constructor the browser's, or one that behaves like it
   * @param {import('./conditions.js').Conditions} conditions of the link, which may change while
   *   it lasts
   * @param {SocketHandlers} handlers
   */
  constructor(url, Constructor, conditions, handlers) {
    if (typeof Constructor !== 'function') throw new RequestError('NoWebSocket');
    this.#handlers = /** @type {SocketHandlers | undefined} */ (handlers);
    this.#socket = open(url, Constructor);
    this.#socket.binaryType = 'arraybuffer';
    this.#stopHearing = onForbidden(url, (reason) => {
      this.#forbidden = reason;
      this.#checkDead();
    });
    // Close says it too; but an error that nobody listens for ends a program in Node, and of what a
    // page's policy forbids Chromium says no more.
    this.#socket.onerror = () => setTimeout(() => this.#checkDead(), 0);
    this.#stopFollowing = conditions.follow((direction, seed) => {
      this.#up.set(direction, seed);
      this.#down.set(direction, seed + 1);
    });
    this.#socket.onopen = () => {
      this.#stopHearing();
      this.#down.pass(0, () => {
        this.#isOpen = true;
        this.#handlers?.onOpen();
      });
    };
    this.#socket.onmessage = (/** @type {{ data: unknown }} */ { data }) => {
      const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : undefined;
      const fits = this.#down.pass(bytes?.length ?? 0, () => this.#handlers?.onMessage(bytes));
      // A message that is left out would break the protocol.
      if (!fits) this.#lose();
    };
    this.#socket.onclose = (/** @type {{ code: number, reason: string }} */ { code, reason }) => {
      this.#down.pass(0, () => this.#closed(code, reason));
    };
  }

  /**
   * From now on somebody else has it.
   * @param {SocketHandlers} handlers told at once if it is open
   */
  handOver(handlers) {
    this.#handlers = handlers;
    if (this.#isOpen) handlers.onOpen();
  }

  /** Bytes that were sent but have not left the browser. */
  get backlog() {
    return this.#socket.bufferedAmount + this.#up.bytes;
  }

  /** @param {Uint8Array} bytes */
  send(bytes) {
    const fits = this.#up.pass(bytes.length, () => {
      if (this.#socket.readyState === 1) this.#socket.send(bytes);
    });
    if (!fits) this.#lose();
  }

  /**
   * Says goodbye. No handler is called any more: a dead peer would delay the browser's event.
   * @param {number} code 1000 or 3000..4999
   * @param {string} reason at most 123 bytes
   */
  close(code, reason) {
    this.#handlers = undefined;
    this.#stopHearing();
    this.#stopFollowing();
    this.#up.clear();
    this.#down.clear();
    this.#socket.close(code, reason);
  }

  /** Gives up a connection that the conditioner has choked. */
  #lose() {
    const handlers = this.#handlers;
    this.close(1000, '');
    handlers?.onClose(1006, 'the conditioner holds back too much');
  }

  /** Told once if the socket is at its end and has not said so. */
  #checkDead() {
    if (this.#socket.readyState === 3) this.#closed(1006, '');
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #closed(code, reason) {
    const handlers = this.#handlers;
    this.#handlers = undefined;
    this.#stopHearing();
    this.#stopFollowing();
    handlers?.onClose(code, reason || this.#forbidden);
  }
}

/**
 * @param {string} url
 * @param {SocketConstructor} Constructor
 */
function open(url, Constructor) {
  try {
    return new Constructor(url, SUBPROTOCOL);
  } catch (cause) {
    // Browsers forbid ws: to pages that came by https.
    throw new RequestError('BadUrl', `could not open ${url}: ${/** @type {Error} */ (cause).message}`, { cause });
  }
}
