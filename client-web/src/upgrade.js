/**
 * A WebSocket tried behind a connection that goes by a fallback, and taken over without a gap in
 * play. The running connection goes on until the new one has proved itself both ways and, in a room,
 * has brought its first snapshot; an attempt that fails costs nothing that the page sees. Owned by
 * `connections.js`. Not the choice for a new connection: that is `ways/race.js`'s.
 *
 * **It moves only what can be moved**: in a room whose seat is held for who is lost, or in the lobby
 * while nothing is waited for there. What is asked of the server while it moves waits, and goes by
 * the new connection.
 */

import { UPGRADE_AGAIN_MAX_MS, UPGRADE_AGAIN_MS, UPGRADE_BACKOFF, UPGRADE_KEPT_MAX, UPGRADE_LOOK_MS, UPGRADE_WITHIN_MS } from './limits.js';
import { CloseCode } from './protocol/close_code.js';

/** @typedef {import('./connection.js').Connection} Connection */
/** @typedef {import('./session.js').SessionEvent} SessionEvent */

/**
 * What it needs of who has it.
 * @typedef {object} Way
 * @property {() => boolean} isWanted whether the connection goes by a fallback now
 * @property {() => boolean} isQuiet whether nothing is waited for that would not survive a move
 * @property {() => boolean} isVisible whether the page is shown and the browser online
 * @property {() => Connection} open a connection by WebSocket that says hello; throws
 * @property {() => Connection | undefined} current the one that runs
 * @property {() => Uint8Array | undefined} request what takes the seat, or looks on again;
 *   undefined in the lobby
 * @property {(token: string, graceMs: number) => void} onToken what opens the seat from now on
 * @property {(connection: Connection, kept: SessionEvent[]) => void} move the new one has it all;
 *   `kept` was said on it
 * @property {() => void} onLost both are gone
 */

/** See the module's description. */
export class Upgrade {
  #way;
  #tries = 0;
  /** @type {Connection | undefined} that is tried */
  #next;
  /** @type {SessionEvent[]} what was said on it */
  #kept = [];
  /** How far the one that is tried is. @type {'proving' | 'waiting' | 'flushing' | 'asking'} */
  #phase = 'proving';
  /** The one that ran ended while the seat was on its way. */
  #isCut = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} of the one that is tried */
  #late;

  /** @param {Way} way */
  constructor(way) {
    this.#way = way;
  }

  /** The player has arrived on a connection: if that is a fallback, one is tried in a while. */
  begin() {
    this.end();
    if (!this.#way.isWanted()) return;
    const waitMs = Math.min(UPGRADE_AGAIN_MAX_MS, UPGRADE_AGAIN_MS * UPGRADE_BACKOFF ** Math.min(this.#tries, 8));
    this.#timer = setTimeout(() => this.#try(), waitMs);
  }

  /** Nothing is tried any more. */
  end() {
    clearTimeout(this.#timer);
    clearTimeout(this.#late);
    const next = this.#next;
    this.#next = undefined;
    this.#kept = [];
    this.#isCut = false;
    // No goodbye: that would give up the seat that the other one has.
    next?.close(CloseCode.Stalled);
  }

  /**
   * The connection that runs is lost.
   * @returns {boolean} whether the new one has the seat, or is about to
   */
  covers() {
    if (this.#next === undefined || this.#phase !== 'asking') return false;
    this.#isCut = true;
    return true;
  }

  /** Said on the one that is tried. @param {SessionEvent} event */
  onEvent(event) {
    if (this.#next === undefined) return;
    switch (event.type) {
      case 'Joined':
        return;
      case 'ResumeToken':
        return this.#way.onToken(event.token, event.graceMs);
      case 'Snapshot':
        this.#kept.push(event);
        return this.#move();
      case 'Refused':
      case 'Redirect':
      case 'Stopping':
      case 'Left':
      case 'Failed':
        return this.fail();
      case 'Welcome':
        this.#next.arrive();
        this.#next.ping().then(
          () => this.#proved(),
          () => this.fail(),
        );
        return;
      default:
        this.#kept.push(event);
        if (this.#kept.length > UPGRADE_KEPT_MAX) this.fail();
    }
  }

  /** It came to nothing: the next one is later. */
  fail() {
    if (this.#next === undefined) return;
    const isCut = this.#isCut;
    this.#tries++;
    this.end();
    const current = this.#way.current();
    current?.session.release();
    if (isCut) return this.#way.onLost();
    current?.pump();
    this.begin();
  }

  #try() {
    if (!this.#way.isWanted()) return;
    if (!this.#way.isVisible()) return this.begin();
    this.#phase = 'proving';
    try {
      this.#next = this.#way.open();
    } catch {
      this.#tries++;
      return this.begin();
    }
    this.#late = setTimeout(() => this.fail(), UPGRADE_WITHIN_MS);
  }

  #proved() {
    if (this.#next === undefined || this.#phase !== 'proving') return;
    this.#phase = 'waiting';
    this.#look();
  }

  /** Whether it is quiet: then all that was said is flushed up, and the seat is asked for. */
  #look() {
    if (!this.#way.isQuiet()) {
      this.#timer = setTimeout(() => this.#look(), UPGRADE_LOOK_MS);
      return;
    }
    const current = this.#way.current();
    if (current === undefined) return this.fail();
    this.#phase = 'flushing';
    const flushed = current.ping();
    current.session.hold();
    flushed.then(
      () => this.#ask(),
      () => this.fail(),
    );
  }

  #ask() {
    if (this.#next === undefined || this.#phase !== 'flushing') return;
    this.#phase = 'asking';
    const request = this.#way.request();
    if (request === undefined) return this.#move();
    this.#next.request(request);
  }

  #move() {
    const next = this.#next;
    if (next === undefined) return;
    const kept = this.#kept;
    this.#next = undefined;
    this.#tries = 0;
    this.end();
    this.#way.move(next, kept);
  }
}
