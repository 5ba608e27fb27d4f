/**
 * A WebSocket as a way to the server. The only file that knows one: opens it, hands out bytes, sends
 * bytes. `socket.js` has it, or `race.js` beside others.
 */

import { onForbidden } from '../policy.js';
import { LOST } from '../protocol/close_code.js';
import { SUBPROTOCOL } from '../protocol/frame.js';
import { RequestError } from '../request_error.js';

/** @typedef {import('./way.js').Way} Way */
/** @typedef {import('./way.js').WayHandlers} WayHandlers */
/** @typedef {import('../types.js').SocketConstructor} SocketConstructor */

/** See the module's description. @implements {Way} */
export class WebSocketWay {
  transport = /** @type {const} */ ('websocket');
  #socket;
  /** @type {WayHandlers | undefined} */
  #handlers;
  /** Why it cannot be opened, where the page's policy says so. */
  #forbidden = '';
  #stopHearing;

  /**
   * Throws a `RequestError` for what can't be opened.
   * @param {string} url
   * @param {SocketConstructor | undefined} Constructor the browser's, or one that behaves like it
   * @param {WayHandlers} handlers
   */
  constructor(url, Constructor, handlers) {
    if (typeof Constructor !== 'function') throw new RequestError('NoWebSocket');
    this.#handlers = handlers;
    this.#socket = open(url, Constructor);
    this.#socket.binaryType = 'arraybuffer';
    this.#stopHearing = onForbidden(url, (reason) => {
      this.#forbidden = reason;
      this.#checkDead();
    });
    // Close says it too; but an error that nobody listens for ends a program in Node, and of what a
    // page's policy forbids Chromium says no more.
    this.#socket.onerror = () => setTimeout(() => this.#checkDead(), 0);
    this.#socket.onopen = () => {
      this.#stopHearing();
      this.#handlers?.onOpen();
    };
    this.#socket.onmessage = (/** @type {{ data: unknown }} */ { data }) => {
      this.#handlers?.onMessage(data instanceof ArrayBuffer ? new Uint8Array(data) : undefined);
    };
    this.#socket.onclose = (/** @type {{ code: number, reason: string }} */ { code, reason }) => this.#closed(code, reason);
  }

  get backlog() {
    return this.#socket.bufferedAmount;
  }

  /** @param {Uint8Array} bytes */
  send(bytes) {
    if (this.#socket.readyState === 1) this.#socket.send(bytes);
  }

  /** @param {number} code @param {string} reason */
  close(code, reason) {
    this.#handlers = undefined;
    this.#stopHearing();
    this.#socket.close(code, reason);
  }

  /** Told once if the socket is at its end and has not said so. */
  #checkDead() {
    if (this.#socket.readyState === 3) this.#closed(LOST, '');
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #closed(code, reason) {
    const handlers = this.#handlers;
    this.#handlers = undefined;
    this.#stopHearing();
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
