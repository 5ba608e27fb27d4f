/**
 * Whether the server is still there: pings now and then, measures the round trip, and notices when nothing has come for too
 * long. For `link.js`, which has the clock and the socket; times are milliseconds.
 */

import { PING_EVERY_MS, PROBE_MAX_MS, SILENCE_MAX_MS } from './limits.js';

/** Not looked at for this long the page stood still: what came meanwhile is not read yet, in milliseconds. */
const STILL_MS = 1000;

/** @typedef {{ sentMs: number, resolve: ((rttMs: number) => void)[], reject: ((error: Error) => void)[] }} Ping */

/** See the module's description. */
export class Pulse {
  /** @type {Map<number, Ping>} by number */
  #pings = new Map();
  #last = 0;
  #dueMs = 0;
  #heardMs;
  /** The ping by which the connection is tried; 0 for none. */
  #probe = 0;
  #checkedMs;
  /** Newest round trip, 0 until known. */
  rttMs = 0;

  /** @param {number} nowMs */
  constructor(nowMs) {
    this.#heardMs = nowMs;
    this.#checkedMs = nowMs;
  }

  /** Something came, or there is no telling. @param {number} nowMs */
  hear(nowMs) {
    this.#heardMs = nowMs;
  }

  /**
   * @param {import('./session.js').Session} session
   * @param {number} nowMs
   * @returns {Ping | undefined} undefined: it could not be sent
   */
  ping(session, nowMs) {
    const nonce = (this.#last + 1) >>> 0;
    if (!session.ping(nonce)) return undefined;
    this.#last = nonce;
    /** @type {Ping} */
    const ping = { sentMs: nowMs, resolve: [], reject: [] };
    this.#pings.set(nonce, ping);
    return ping;
  }

  /**
   * Tries the connection, which may be dead: an answer is due within `PROBE_MAX_MS`.
   * @param {import('./session.js').Session} session in the lobby or a room
   * @param {number} nowMs
   */
  probe(session, nowMs) {
    if (this.#pings.has(this.#probe)) return;
    this.#checkedMs = nowMs;
    if (this.ping(session, nowMs) !== undefined) this.#probe = this.#last;
  }

  /**
   * @param {number} nonce
   * @param {number} nowMs
   * @returns {boolean} whether that was one of ours: `rttMs` is new
   */
  pong(nonce, nowMs) {
    const ping = this.#pings.get(nonce);
    if (ping === undefined) return false;
    this.#pings.delete(nonce);
    this.rttMs = nowMs - ping.sentMs;
    for (const resolve of ping.resolve) resolve(this.rttMs);
    return true;
  }

  /**
   * Pings when it is time to.
   * @param {import('./session.js').Session} session in the lobby or a room
   * @param {number} nowMs
   * @returns {boolean} whether the server answers; false: it has been silent for too long
   */
  check(session, nowMs) {
    const [oldest] = this.#pings.values();
    const probe = this.#pings.get(this.#probe);
    const stoodStill = nowMs - this.#checkedMs > STILL_MS;
    this.#checkedMs = nowMs;
    if (probe !== undefined && stoodStill) probe.sentMs = nowMs;
    if (probe !== undefined && nowMs - probe.sentMs > PROBE_MAX_MS) return false;
    if (oldest === undefined && nowMs >= this.#dueMs) {
      this.ping(session, nowMs);
      this.#dueMs = nowMs + PING_EVERY_MS;
    }
    return oldest === undefined || nowMs - Math.max(oldest.sentMs, this.#heardMs) <= SILENCE_MAX_MS;
  }

  /** @param {number} nowMs @returns {boolean} whether nothing has come for too long, of a socket that is not pinged yet */
  isSilent(nowMs) {
    return nowMs - this.#heardMs > SILENCE_MAX_MS;
  }

  /** @param {number} nowMs @param {boolean} isOpen whether pings are sent @returns {number} when to look again */
  dueMs(nowMs, isOpen) {
    const wait = this.#pings.has(this.#probe) ? STILL_MS / 2 : PING_EVERY_MS;
    return this.#pings.size > 0 || !isOpen ? nowMs + wait : this.#dueMs;
  }

  /** The connection is gone. @param {Error} error for those who wait */
  fail(error) {
    for (const { reject } of this.#pings.values()) for (const tell of reject) tell(error);
    this.#pings.clear();
    this.#dueMs = 0;
  }
}
