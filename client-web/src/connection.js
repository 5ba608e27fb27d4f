/**
 * One connection to the server, from the opening of its socket until it is lost or closed: drives a
 * `Session` over a `Socket` with one timer. `connections.js` makes one after the other, and hears
 * what each says and how it ends; its listener's `onTime` is when the room sends. The only place
 * that reads the clock.
 *
 * An answer that the server owes for too long, and silence, are a lost connection.
 */

import { ANSWER_MAX_MS, FROZEN_MS, PINGS_WAITING_MAX, PROBE_MAX_MS } from './limits.js';
import { CloseCode, LOST, closeReason } from './protocol/close_code.js';
import { report } from './report.js';
import { RequestError } from './request_error.js';
import { Socket } from './socket.js';

/** @typedef {import('./session.js').SessionEvent} SessionEvent */

/**
 * Where to.
 * @typedef {{ url: string, open: import('./ways/way.js').OpenWay,
 *   conditions: import('./conditions.js').Conditions, socket?: Socket }} Server `socket`: one that
 *   is there for it already, open or about to be
 */

/**
 * Whoever has the connection.
 * @typedef {object} Listener
 * @property {(event: SessionEvent, nowMs: number) => void} onEvent
 * @property {(nowMs: number, backlog: number) => void} onTime time has passed; the socket holds
 *   back so many bytes. Once there is a place to be
 * @property {() => number} dueMs when `onTime` has something to do; Infinity for never
 * @property {(code: number, reason: string) => void} onLost it is over; nothing is called after it
 */

/** @returns {number} the clock that all of the SDK's times are of, in milliseconds */
export function now() {
  return performance.now();
}

/** See the module's description. */
export class Connection {
  #socket;
  #heartbeat;
  #listener;
  /** What waits for a socket that is not open yet must not be lost. */
  #isOpen = false;
  /** The player is in the lobby or in their seat. */
  #hasArrived = false;
  #isOver = false;
  /**
   * When an answer that the server owes is overdue: a welcome, a seat, the lobby's. Infinity if it
   * owes none.
   */
  #answerDueMs = Infinity;
  #isAnswerExcused = false;
  #pumpedMs = now();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * Throws a `RequestError` when there is nothing to connect to.
   * @param {Server} server
   * @param {import('./session.js').Session} session that has not said anything yet
   * @param {import('./heartbeat.js').Heartbeat} heartbeat of the link
   * @param {Listener} listener
   */
  constructor({ url, open, conditions, socket }, session, heartbeat, listener) {
    this.session = session;
    this.#heartbeat = heartbeat;
    this.#listener = listener;
    const handlers = {
      onOpen: () => this.#onOpen(),
      onMessage: (/** @type {Uint8Array | undefined} */ bytes) => this.#onMessage(bytes),
      onClose: (/** @type {number} */ code, /** @type {string} */ reason) => this.#lose(code, reason || closeReason(code)),
    };
    this.#socket = socket ?? new Socket(url, open, conditions, handlers);
    socket?.handOver(handlers);
    heartbeat.hear(this.#pumpedMs);
    this.#oweAnswer();
    this.#setTimer(this.#pumpedMs);
  }

  /** Whether what is said now reaches the socket. */
  get isOpen() {
    return this.#isOpen && !this.#isOver;
  }

  /** Whether the server answers on it. */
  get heartbeat() {
    return this.#heartbeat;
  }

  /** By which it goes; undefined while that is open. */
  get transport() {
    return this.#socket.transport;
  }

  /**
   * Takes over from another one, which is closed: what is asked there is asked here.
   * @param {Connection} before
   */
  takeOver(before) {
    this.session.takeOver(before.session);
    this.#heartbeat.takeOver(before.#heartbeat, this.session, now());
    before.close(CloseCode.Stalled);
    this.arrive();
  }

  /** From now on there is a place to be: the server is pinged, the room has its time. */
  arrive() {
    this.#hasArrived = true;
    this.answered();
  }

  /** The server owes nothing for now. */
  answered() {
    this.#answerDueMs = Infinity;
  }

  /** The lobby is asked for something. @param {Uint8Array} message */
  request(message) {
    this.session.request('Lobby', message);
    this.#oweAnswer();
    this.pump();
  }

  /** The player goes back to the lobby. */
  leave() {
    if (this.session.room?.leaving) return;
    this.session.leave();
    this.#oweAnswer();
    this.pump();
  }

  /** @returns {Promise<number>} the round trip in milliseconds */
  ping() {
    return new Promise((resolve, reject) => {
      const hasRoom = this.#heartbeat.waiting < PINGS_WAITING_MAX;
      if (!hasRoom || !this.#heartbeat.ping(this.session, now(), { resolve, reject })) {
        throw new RequestError('TooMuch', 'too many messages wait');
      }
      this.pump();
    });
  }

  /** The network may have dropped it: the server has to answer soon. */
  probe() {
    this.#heartbeat.probe(this.session, now());
    this.pump();
  }

  /** Does what is due, sends what waits, sets the timer anew. */
  pump() {
    if (this.#isOver) return;
    const nowMs = now();
    const isFrozen = nowMs - this.#pumpedMs > FROZEN_MS;
    this.#pumpedMs = nowMs;
    try {
      if (!this.#checkSilence(nowMs, isFrozen)) return;
      this.session.handleTimeout(nowMs);
      if (this.#hasArrived) this.#listener.onTime(nowMs, this.#socket.backlog);
    } catch (error) {
      report('client', error);
    } finally {
      this.#flush();
      this.#setTimer(nowMs);
    }
  }

  /** Closes it from here: the listener is not told. @param {number} code */
  close(code) {
    if (this.#isOver) return;
    this.#socket.close(code, closeReason(code));
    this.#end();
  }

  #oweAnswer() {
    this.#answerDueMs = now() + ANSWER_MAX_MS;
    this.#isAnswerExcused = false;
  }

  #onOpen() {
    this.#isOpen = true;
    this.#pumpedMs = now();
    this.#heartbeat.hear(this.#pumpedMs);
    this.#flush();
  }

  /** @param {Uint8Array | undefined} bytes */
  #onMessage(bytes) {
    const nowMs = now();
    const { session } = this;
    this.#heartbeat.hear(nowMs);
    try {
      if (bytes === undefined) session.fail('a text message');
      else session.handleMessage(bytes, nowMs);
    } catch (error) {
      // A mistake of ours: the connection ends, rather than going deaf.
      report('client', error);
      session.fail(`this client failed: ${/** @type {Error} */ (error).message}`);
    }
    while (!this.#isOver) {
      const event = session.pollEvent();
      if (event === undefined) break;
      try {
        if (event.type !== 'Pong') this.#listener.onEvent(event, nowMs);
        else if (this.#heartbeat.pong(event.nonce, nowMs)) session.onRoundTrip(this.#heartbeat.rttMs);
      } catch (error) {
        // What follows it is not lost with it.
        report('client', error);
      }
    }
    this.pump();
  }

  /**
   * Gives up on a server that has been silent for too long, or does not answer.
   * @param {number} nowMs
   * @param {boolean} isFrozen
   * @returns {boolean} whether it is still there
   */
  #checkSilence(nowMs, isFrozen) {
    if (isFrozen) this.#heartbeat.excuse(nowMs);
    if (isFrozen && this.#answerDueMs <= nowMs && !this.#isAnswerExcused) {
      this.#isAnswerExcused = true;
      this.#answerDueMs = nowMs + PROBE_MAX_MS;
    }
    const hasArrived = this.#hasArrived;
    const isThere = hasArrived ? this.#heartbeat.check(this.session, nowMs) : !this.#heartbeat.isSilent(nowMs);
    if (!isThere) return this.#goneSilent(hasArrived ? 'the server went silent' : 'no welcome from the server');
    return this.#answerDueMs > nowMs || this.#goneSilent('the server does not answer');
  }

  #flush() {
    if (!this.isOpen) return;
    for (let bytes = this.session.pollTransmit(); bytes !== undefined; bytes = this.session.pollTransmit()) this.#socket.send(bytes);
  }

  /** @param {number} nowMs */
  #setTimer(nowMs) {
    if (this.#isOver) return;
    clearTimeout(this.#timer);
    const pingMs = this.#heartbeat.dueMs(nowMs, this.#hasArrived);
    const dueMs = Math.min(pingMs, this.session.pollTimeout(), this.#listener.dueMs());
    // Timers may fire a little early: a whole millisecond later is never too early.
    this.#timer = setTimeout(() => this.pump(), Math.max(1, Math.ceil(dueMs - nowMs)));
  }

  /** The server may still be there: it is not told goodbye, which would give the seat up.
   * @param {string} reason @returns {false}
   */
  #goneSilent(reason) {
    this.#socket.close(CloseCode.Stalled, closeReason(CloseCode.Stalled));
    this.#lose(LOST, reason);
    return false;
  }

  /** @param {number} code @param {string} reason */
  #lose(code, reason) {
    if (this.#isOver) return;
    this.#end();
    this.#listener.onLost(code, reason);
  }

  #end() {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.session.end();
  }
}
