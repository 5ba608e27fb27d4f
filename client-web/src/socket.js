/**
 * A way to the server, made worse as the link's conditions say: hands out bytes, sends bytes. What
 * they mean is for `connection.js`; by which transport they go is for `ways/`.
 */

import { Delayed } from './delayed.js';
import { LOST } from './protocol/close_code.js';

/** @typedef {import('./ways/way.js').WayHandlers} SocketHandlers */

/** See the module's description. */
export class Socket {
  #way;
  #handlers;
  #up = new Delayed();
  #down = new Delayed();
  #stopFollowing;
  #isOpen = false;

  /**
   * @param {string} url
   * @param {import('./ways/way.js').OpenWay} open
   * @param {import('./conditions.js').Conditions} conditions of the link, which may change while
   *   it lasts
   * @param {SocketHandlers} handlers
   */
  constructor(url, open, conditions, handlers) {
    this.#handlers = /** @type {SocketHandlers | undefined} */ (handlers);
    this.#way = open(url, {
      onOpen: () => {
        this.#down.pass(0, () => {
          this.#isOpen = true;
          this.#handlers?.onOpen();
        });
      },
      onMessage: (bytes) => {
        const fits = this.#down.pass(bytes?.length ?? 0, () => this.#handlers?.onMessage(bytes));
        // A message that is left out would break the protocol.
        if (!fits) this.#lose();
      },
      onClose: (code, reason) => {
        this.#down.pass(0, () => this.#closed(code, reason));
      },
    });
    this.#stopFollowing = conditions.follow((direction, seed) => {
      this.#up.set(direction, seed);
      this.#down.set(direction, seed + 1);
    });
  }

  /** By which it goes; undefined while that is open. */
  get transport() {
    return this.#way.transport;
  }

  /**
   * From now on somebody else has it.
   * @param {SocketHandlers} handlers told at once if it is open
   */
  handOver(handlers) {
    this.#handlers = handlers;
    if (this.#isOpen) handlers.onOpen();
  }

  /** Bytes that were sent but have not left. */
  get backlog() {
    return this.#way.backlog + this.#up.bytes;
  }

  /** @param {Uint8Array} bytes */
  send(bytes) {
    const fits = this.#up.pass(bytes.length, () => this.#way.send(bytes));
    if (!fits) this.#lose();
  }

  /**
   * Says goodbye. No handler is called any more: a dead peer would delay the transport's event.
   * @param {number} code 1000 or 3000..4999
   * @param {string} reason at most 123 bytes
   */
  close(code, reason) {
    this.#handlers = undefined;
    this.#stopFollowing();
    this.#up.clear();
    this.#down.clear();
    this.#way.close(code, reason);
  }

  /** Gives up a connection that the conditioner has choked. */
  #lose() {
    const handlers = this.#handlers;
    this.close(1000, '');
    handlers?.onClose(LOST, 'the conditioner holds back too much');
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #closed(code, reason) {
    const handlers = this.#handlers;
    this.#handlers = undefined;
    this.#stopFollowing();
    handlers?.onClose(code, reason);
  }
}
