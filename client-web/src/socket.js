/**
 * The only file that knows WebSocket: opens one, hands out bytes, sends bytes. What they mean is for
 * `link.js` and below.
 */

import { SUBPROTOCOL } from './protocol/frame.js';

/**
 * @typedef {object} SocketHandlers
 * @property {() => void} onOpen
 * @property {(bytes: Uint8Array | undefined) => void} onMessage undefined for a text message, which nobody sends
 * @property {(code: number, reason: string) => void} onClose called once, also when it never opened
 */

/** A WebSocket that speaks Tickwire's subprotocol. */
export class Socket {
  #socket;
  #handlers;

  /**
   * @param {string} url
   * @param {typeof WebSocket} Constructor the browser's, or one that behaves like it
   * @param {SocketHandlers} handlers
   */
  constructor(url, Constructor, handlers) {
    this.#handlers = /** @type {SocketHandlers | undefined} */ (handlers);
    this.#socket = new Constructor(url, SUBPROTOCOL);
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.onopen = () => this.#handlers?.onOpen();
    this.#socket.onmessage = ({ data }) => {
      this.#handlers?.onMessage(data instanceof ArrayBuffer ? new Uint8Array(data) : undefined);
    };
    this.#socket.onclose = ({ code, reason }) => this.#closed(code, reason);
  }

  /** Bytes that were sent but have not left the browser. */
  get backlog() {
    return this.#socket.bufferedAmount;
  }

  /** @param {Uint8Array} bytes */
  send(bytes) {
    if (this.#socket.readyState === 1) this.#socket.send(/** @type {Uint8Array<ArrayBuffer>} */ (bytes));
  }

  /**
   * Says goodbye. No handler is called any more: a dead peer would delay the browser's event.
   * @param {number} code 1000 or 3000..4999
   * @param {string} reason at most 123 bytes
   */
  close(code, reason) {
    this.#handlers = undefined;
    this.#socket.close(code, reason);
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #closed(code, reason) {
    const handlers = this.#handlers;
    this.#handlers = undefined;
    handlers?.onClose(code, reason);
  }
}

/** @returns {string} the WebSocket of the host that the page came from */
export function defaultUrl() {
  return `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}/ws`;
}
