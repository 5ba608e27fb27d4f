/**
 * Where a server sent a link (PROTOCOL.md §2): to which server the link's connections go, and with
 * what. A state machine of its own; `way_back.js` asks it before each connection.
 *
 * Until there is a room at the target the ticket is brought, for as long as it is good; after that
 * the link goes home, to the server that the page named, which knows where to send it. A target on
 * which there was a room is tried once more when it is lost, then home is.
 */

import { REDIRECTS_MAX } from './limits.js';

/**
 * A server's `Redirect`.
 * @typedef {{ url: string, ticket: string, room: number, validMs: number }} Redirect
 */

/** See the module's description. */
export class Redirection {
  #home;
  #hops = 0;
  /** @type {(Redirect & { untilMs: number }) | undefined} the one that is being followed */
  #to;
  /** Where there was a room last. */
  #url;
  /** Why the last one that was followed led nowhere, empty if that is unknown. */
  why = '';

  /** @param {string} home the server that the page named */
  constructor(home) {
    this.#home = home;
    this.#url = home;
  }

  /** Whether one is being followed. */
  get isUnderWay() {
    return this.#to !== undefined;
  }

  /**
   * The server sends the link elsewhere.
   * @param {Redirect} redirect
   * @param {number} nowMs
   * @returns {boolean} false if that was once too often in a row
   */
  begin(redirect, nowMs) {
    if (this.#hops === REDIRECTS_MAX) return false;
    this.#hops++;
    this.#to = { ...redirect, untilMs: nowMs + redirect.validMs };
    this.why = '';
    return true;
  }

  /** The connection that followed one is lost. @param {string} reason */
  failed(reason) {
    if (this.isUnderWay) this.why = reason;
  }

  /**
   * Where the next connection goes.
   * @param {number} nowMs
   * @param {number} attempt 1 for the first after a loss
   * @returns {{ url: string, ticket?: string, room?: number }} with the ticket, and the room that
   *   is there, while one is followed
   */
  next(nowMs, attempt) {
    if (this.#to !== undefined && nowMs < this.#to.untilMs) return this.#to;
    if (this.#to !== undefined || attempt > 1) this.#url = this.#home;
    this.#to = undefined;
    return { url: this.#url };
  }

  /** There is a room, or the lobby after a refusal. */
  arrived() {
    this.#hops = 0;
    if (this.#to !== undefined) this.#url = this.#to.url;
    this.#to = undefined;
  }

  /** The server that there is, or was last. */
  get url() {
    return this.#to?.url ?? this.#url;
  }
}
