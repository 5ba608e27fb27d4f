/**
 * Seats that were left while the server could not be told, of links that ended before it could:
 * each is taken once more and said goodbye to, so that nobody waits for who is gone. In the
 * background, until that is done or the server has given the seat up by itself; unless a new link
 * of the same player takes it over. Called by `link.js`; while a link lives it tells the server on
 * its own next connection.
 */

import { Conditions } from './conditions.js';
import { Connection, now } from './connection.js';
import { CloseCode, isFinal } from './protocol/close_code.js';
import { Heartbeat } from './heartbeat.js';
import { Backoff } from './reconnect.js';
import { Session } from './session.js';

/**
 * A seat that was left.
 * @typedef {object} LeftSeat
 * @property {string} who the player's token
 * @property {string} token the seat's
 * @property {number} untilMs when the server has given it up by itself
 */

/**
 * Where it is.
 * @typedef {{ url: string, name: string, WebSocket: import('./types.js').SocketConstructor | undefined }} Server
 */

/** Those that are being given up. @type {Set<Attempts>} */
const underWay = new Set();

/** @param {Server} server @param {LeftSeat} seat */
export function giveUpSeat(server, seat) {
  const attempts = new Attempts(server, seat);
  underWay.add(attempts);
  attempts.later();
}

/**
 * For a new link, which gives it up before it asks for anything: or a join might lead back to it.
 * @param {string} url of the server
 * @param {string} who the player's token, empty for somebody new
 * @returns {LeftSeat | undefined} what is not given up in the background any more
 */
export function takeLeftSeat(url, who) {
  const attempts = [...underWay].find(({ server, seat }) => who !== '' && server.url === url && seat.who === who);
  attempts?.end();
  return attempts?.seat;
}

/** Tries to give up one seat, one after the other. */
class Attempts {
  #backoff = new Backoff(now());
  /** @type {any} until the next one */
  #timer;
  /** @type {Connection | undefined} */
  #connection;

  /** @param {Server} server @param {LeftSeat} seat */
  constructor(server, seat) {
    this.server = server;
    this.seat = seat;
  }

  later() {
    // Its goodbye gives the seat up, if it was taken.
    this.#connection?.close(CloseCode.Normal);
    const nowMs = now();
    const delayMs = this.#backoff.next(nowMs);
    if (delayMs === undefined || nowMs + delayMs >= this.seat.untilMs) return this.end();
    this.#timer = setTimeout(() => this.#try(), delayMs);
    // A program in Node that has nothing else to do may end.
    this.#timer.unref?.();
  }

  /** It is given up, or somebody else's to give up. */
  end() {
    clearTimeout(this.#timer);
    this.#connection?.close(CloseCode.Normal);
    underWay.delete(this);
  }

  #try() {
    const { who, token } = this.seat;
    const session = new Session(this.server.name, who, { token, seen: { chat: 0, tick: 0 } });
    try {
      this.#connection = new Connection({ ...this.server, conditions: new Conditions(undefined) }, session, new Heartbeat(now()), {
        onEvent: (event) => {
          if (event.type === 'Refused' && (event.reason === 'Busy' || event.reason === 'TooOften')) this.later();
          else if (event.type === 'Joined' || event.type === 'Refused' || event.type === 'Failed') this.end();
        },
        onTime() {},
        dueMs: () => Infinity,
        onLost: (code) => (isFinal(code) ? this.end() : this.later()),
      });
    } catch {
      this.end();
    }
  }
}
