/**
 * Where a server sent a link (PROTOCOL.md §2): to which server the link's connections go, and with
 * what. A state machine of its own; `way_back.js` asks it before each connection.
 *
 * Until there is a room at the target the ticket is brought, for as long as it is good; after that
 * the link goes home, to the server that the page named, which knows where to send it. A target on
 * which there was a room is tried once more when it is lost, then home is. Where home has several
 * doors each try goes to the next; and a server that stops is left for the others at once.
 */

import { REDIRECTS_MAX } from './limits.js';

/**
 * A server's `Redirect`.
 * @typedef {{ url: string, ticket: string, room: number, validMs: number }} Redirect
 */

/** See the module's description. */
export class Redirection {
  #doors;
  #hops = 0;
  /** @type {(Redirect & { untilMs: number }) | undefined} the one that is being followed */
  #to;
  /** @type {string | undefined} where there was a room last, if a server sent the link there */
  #behind;
  /** The player is there, or was until just now. */
  #isThere = false;
  /** Why the last one that was followed led nowhere, empty if that is unknown. */
  why = '';

  /** @param {import('./doors.js').Doors} doors home */
  constructor(doors) {
    this.#doors = doors;
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

  /**
   * The connection is lost, or came to nothing.
   * @param {string} reason
   * @param {boolean} [isStopping] the server said that it will not be there for a while
   */
  lost(reason, isStopping = false) {
    if (this.#to !== undefined) this.why = reason;
    else if (!this.#isThere || (isStopping && this.#doors.count > 1)) this.#leave();
    this.#isThere = false;
  }

  /**
   * Where the next connection goes.
   * @param {number} nowMs
   * @returns {{ url: string, ticket?: string, room?: number }} with the ticket, and the room that
   *   is there, while one is followed
   */
  next(nowMs) {
    if (this.#to !== undefined && nowMs < this.#to.untilMs) return this.#to;
    if (this.#to !== undefined) this.#behind = undefined;
    this.#to = undefined;
    return { url: this.url };
  }

  /** Whether that is a door that has not been tried since the player was there last. */
  get isUntried() {
    return this.#to === undefined && this.#behind === undefined && this.#doors.isUntried;
  }

  /** There is a room, or the lobby after a refusal. */
  arrived() {
    this.#hops = 0;
    if (this.#to !== undefined) this.#behind = this.#to.url;
    this.#to = undefined;
    this.#isThere = true;
    this.#doors.arrived();
  }

  /** The server that there is, or was last. */
  get url() {
    return this.#to?.url ?? this.#behind ?? this.#doors.url;
  }

  /** Home, from where a server sent the link; else to the next door. */
  #leave() {
    if (this.#behind === undefined) this.#doors.goOn();
    this.#behind = undefined;
  }
}
