/**
 * The socket that a server said to prepare (PROTOCOL.md §2): it opens while the player plays on, and
 * nothing is said on it until the redirect comes that it is for. Owned by `connections.js`, which
 * takes it then, also one that is still opening. That it fails is no loss: the redirect is followed
 * as without.
 */

import { PREPARE_EVERY_MS, PREPARED_MAX_MS } from './limits.js';
import { CloseCode, closeReason } from './protocol/close_code.js';

/** @typedef {import('./socket.js').Socket} Socket */

/** See the module's description. */
export class Prepared {
  #open;
  /** @type {{ url: string, socket: Socket, timer: ReturnType<typeof setTimeout> } | undefined} */
  #held;
  /** When one was opened last. */
  #openedMs = -Infinity;

  /**
   * @param {(url: string, handlers: import('./socket.js').SocketHandlers) => Socket} open throws
   *   what can't be opened
   */
  constructor(open) {
    this.#open = open;
  }

  /**
   * The server says that a redirect is near. One socket at most is held, for the newest URL.
   * @param {{ url: string, validMs: number }} prepare
   * @param {number} nowMs
   */
  begin({ url, validMs }, nowMs) {
    if (this.#held?.url === url) return;
    this.drop();
    if (nowMs - this.#openedMs < PREPARE_EVERY_MS) return;
    this.#openedMs = nowMs;
    const drop = () => this.drop();
    try {
      // Nobody was greeted on it: who says something is no server that waits.
      const socket = this.#open(url, { onOpen() {}, onMessage: drop, onClose: drop });
      this.#held = { url, socket, timer: setTimeout(drop, Math.min(validMs, PREPARED_MAX_MS)) };
    } catch {
      // The redirect says it, if it comes.
    }
  }

  /**
   * The server redirects.
   * @param {string} url
   * @returns {Socket | undefined} the socket for it, with its handlers still to be set
   */
  take(url) {
    const held = this.#held;
    if (held === undefined || held.url !== url) return void this.drop();
    clearTimeout(held.timer);
    this.#held = undefined;
    return held.socket;
  }

  /** None is held any more. */
  drop() {
    const held = this.#held;
    this.#held = undefined;
    clearTimeout(held?.timer);
    held?.socket.close(CloseCode.Normal, closeReason(CloseCode.Normal));
  }
}
