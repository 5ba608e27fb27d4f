/**
 * Whether the server is still there: pings now and then, measures the round trip, and notices when
 * nothing has come for too long. One a link; for `connection.js`, which has the clock and the
 * socket. Times are milliseconds.
 */

import { PING_EVERY_MS, PROBE_MAX_MS, SILENCE_MAX_MS } from './limits.js';
import { RequestError } from './request_error.js';

/**
 * Not looked at for this long the page stood still: what came meanwhile is not read yet, in
 * milliseconds.
 */
const STILL_MS = 1000;

/** @typedef {{ resolve: (rttMs: number) => void, reject: (error: Error) => void }} Waiting */

/**
 * @typedef {object} Ping
 * @property {number} sentMs
 * @property {number} dueMs when it has gone unanswered for too long
 * @property {Waiting | undefined} waiting who waits for the answer
 */

/** See the module's description. */
export class Heartbeat {
  /** @type {Map<number, Ping>} by number */
  #pings = new Map();
  #last = 0;
  #dueMs = 0;
  #heardMs;
  /** Nothing came since the page was excused for standing still. */
  #isExcused = false;
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

  /** Pings without an answer. */
  get waiting() {
    return this.#pings.size;
  }

  /** Something came, or there is no telling. @param {number} nowMs */
  hear(nowMs) {
    this.#heardMs = nowMs;
    this.#isExcused = false;
  }

  /**
   * The page stood still: what came meanwhile is not read yet. Counts once until something is
   * heard, so that a page whose timers are slowed for long (a hidden tab) notices silence too.
   * @param {number} nowMs
   */
  excuse(nowMs) {
    if (this.#isExcused) return;
    this.#isExcused = true;
    this.#heardMs = nowMs;
  }

  /**
   * @param {import('./session.js').Session} session
   * @param {number} nowMs
   * @param {Waiting} [waiting] told of the answer, or that there is none
   * @returns {boolean} whether it could be sent
   */
  ping(session, nowMs, waiting) {
    const nonce = (this.#last + 1) >>> 0;
    if (!session.ping(nonce)) return false;
    this.#last = nonce;
    this.#pings.set(nonce, { sentMs: nowMs, dueMs: nowMs + SILENCE_MAX_MS, waiting });
    return true;
  }

  /**
   * Tries the connection, which may be dead: an answer is due within `PROBE_MAX_MS`.
   * @param {import('./session.js').Session} session in the lobby or a room
   * @param {number} nowMs
   */
  probe(session, nowMs) {
    if (this.#pings.has(this.#probe)) return;
    this.#checkedMs = nowMs;
    if (this.ping(session, nowMs)) this.#probe = this.#last;
  }

  /**
   * Goes on for another one, whose connection is given up: who waits there is answered here.
   * @param {Heartbeat} before
   * @param {import('./session.js').Session} session
   * @param {number} nowMs
   */
  takeOver(before, session, nowMs) {
    for (const { waiting } of before.#pings.values()) {
      if (waiting !== undefined && !this.ping(session, nowMs, waiting)) waiting.reject(new RequestError('TimedOut'));
    }
    before.#pings.clear();
    this.rttMs ||= before.rttMs;
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
    ping.waiting?.resolve(this.rttMs);
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
    if (oldest !== undefined && nowMs - Math.max(oldest.sentMs, this.#heardMs) > SILENCE_MAX_MS) return false;
    // What came later than an answer was due says that there is none: who waits for it is told.
    for (const [nonce, { dueMs, waiting }] of this.#pings) {
      if (this.#isExcused || this.#heardMs < dueMs) break;
      this.#pings.delete(nonce);
      waiting?.reject(new RequestError('TimedOut'));
    }
    return true;
  }

  /**
   * @param {number} nowMs
   * @returns {boolean} whether nothing has come for too long, of a socket that is not pinged yet
   */
  isSilent(nowMs) {
    return nowMs - this.#heardMs > SILENCE_MAX_MS;
  }

  /**
   * @param {number} nowMs
   * @param {boolean} isOpen whether pings are sent
   * @returns {number} when to look again
   */
  dueMs(nowMs, isOpen) {
    const wait = this.#pings.has(this.#probe) ? STILL_MS / 2 : PING_EVERY_MS;
    return this.#pings.size > 0 || !isOpen ? nowMs + wait : this.#dueMs;
  }

  /** The connection is gone. @param {Error} error for those who wait */
  fail(error) {
    for (const { waiting } of this.#pings.values()) waiting?.reject(error);
    this.#pings.clear();
    this.#dueMs = 0;
  }
}
