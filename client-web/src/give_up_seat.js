/**
 * Seats that were left while the server could not be told, of links that ended before it could:
 * each is taken once more and said goodbye to, so that nobody waits for who is gone. In the
 * background, until that is done or the server has given the seat up by itself; unless a new link
 * of the same player takes it over. Called by `connections.js`; while a link lives it tells the
 * server on its own next connection.
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
 * @typedef {object} Server
 * @property {import('./doors.js').Doors} doors
 * @property {import('./redirect.js').Redirection} redirection where the link was, or tried to be
 * @property {string} game
 * @property {string} name the player's
 * @property {import('./ways/way.js').OpenWay} open
 */

/**
 * Those that are being given up.
 * @type {Set<{ server: Server, seat: LeftSeat, end: () => void }>}
 */
const underWay = new Set();

/**
 * Tries to give a seat up, time and again.
 * @param {Server} server
 * @param {LeftSeat} seat
 */
export function giveUpSeat(server, seat) {
  const { redirection, game, name } = server;
  const backoff = new Backoff(now());
  /** @type {any} until the next try */
  let timer;
  /** @type {Connection | undefined} */
  let connection;
  const end = () => {
    clearTimeout(timer);
    connection?.close(CloseCode.Normal);
    underWay.delete(attempts);
  };
  const attempts = { server, seat, end };
  const later = () => {
    // Its goodbye gives the seat up, if it was taken.
    connection?.close(CloseCode.Normal);
    const nowMs = now();
    const delayMs = backoff.next(nowMs, undefined, redirection.isUntried);
    if (delayMs === undefined || nowMs + delayMs >= seat.untilMs) return end();
    timer = setTimeout(() => attempt(), delayMs);
    // A program in Node that has nothing else to do may end.
    timer.unref?.();
  };
  const attempt = () => {
    const { url, ticket } = redirection.next(now());
    const session = new Session(name, ticket ?? seat.who, { token: seat.token, seen: { chat: 0, tick: 0 } }, { game });
    try {
      connection = new Connection({ ...server, url, conditions: new Conditions(undefined) }, session, new Heartbeat(now()), {
        onEvent: (event, nowMs) => {
          if (event.type === 'Refused' && (event.reason === 'Busy' || event.reason === 'TooOften')) later();
          else if (event.type === 'Redirect' && redirection.begin(event, nowMs)) follow();
          else if (event.type === 'Joined' || event.type === 'Refused' || event.type === 'Redirect' || event.type === 'Failed') end();
        },
        onTime() {},
        dueMs: () => Infinity,
        onLost: (code, reason) => {
          redirection.lost(reason);
          if (isFinal(code)) end();
          else later();
        },
      });
    } catch (error) {
      redirection.lost(/** @type {Error} */ (error).message);
      if (redirection.isUntried) later();
      else end();
    }
  };
  const follow = () => {
    connection?.close(CloseCode.Normal);
    attempt();
  };
  underWay.add(attempts);
  later();
}

/**
 * For a new link, which gives it up before it asks for anything: or a join might lead back to it.
 * @param {Pick<Server, 'doors' | 'game'>} there
 * @param {string} who the player's token, empty for somebody new
 * @returns {LeftSeat | undefined} what is not given up in the background any more
 */
export function takeLeftSeat({ doors, game }, who) {
  const attempts = [...underWay].find(({ server, seat }) => who !== '' && server.doors.name === doors.name && server.game === game && seat.who === who);
  attempts?.end();
  return attempts?.seat;
}
