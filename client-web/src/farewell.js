/**
 * A last word for a link that ended before the server could be told that the player had left: takes the seat once more and says goodbye, so
 * that nobody waits for who is gone. In the background, until it is said or the server has given the seat up by itself. Called by `link.js`; while a link
 * lives it tells the server on its own next connection.
 */

import { Conditions } from './conditions.js';
import { SILENCE_MAX_MS } from './limits.js';
import { CloseCode, closeReason } from './protocol/close_code.js';
import { Backoff, isFinal } from './reconnect.js';
import { Session } from './session.js';
import { Socket } from './socket.js';

/**
 * @typedef {object} Seat
 * @property {string} url of the server
 * @property {import('./types.js').SocketConstructor | undefined} WebSocket
 * @property {string} name the player's
 * @property {string} who the player's token
 * @property {string} token the seat's
 * @property {number} untilMs when the server gives it up by itself, as `performance.now()` tells the time
 */

/** @param {Seat} seat */
export function bidFarewell(seat) {
  const backoff = new Backoff(performance.now());
  const later = () => {
    const nowMs = performance.now();
    const delayMs = backoff.next(nowMs);
    if (delayMs === undefined || nowMs + delayMs >= seat.untilMs) return;
    const timer = /** @type {any} */ (setTimeout(() => goBack(seat, (isSaid) => isSaid || later()), delayMs));
    // A program in Node that has nothing else to do may end.
    timer.unref?.();
  };
  later();
}

/**
 * One try.
 * @param {Seat} seat
 * @param {(isSaid: boolean) => void} tell called once; false: another try may do better
 */
function goBack({ url, WebSocket, name, who, token }, tell) {
  const session = new Session(name, who, { token, seen: { chat: 0, tick: 0 } });
  /** @type {Socket | undefined} */
  let socket;
  const end = (/** @type {boolean} */ isSaid) => {
    clearTimeout(timer);
    // A goodbye gives the seat up.
    socket?.close(CloseCode.Normal, closeReason(CloseCode.Normal));
    tell(isSaid);
  };
  const timer = setTimeout(() => end(false), SILENCE_MAX_MS);
  try {
    socket = new Socket(url, WebSocket, new Conditions(undefined), {
      onOpen() {
        for (let bytes = session.pollTransmit(); bytes !== undefined; bytes = session.pollTransmit()) socket?.send(bytes);
      },
      onMessage(bytes) {
        if (bytes !== undefined) session.handleMessage(bytes, performance.now());
        for (let event = session.pollEvent(); event !== undefined; event = session.pollEvent()) {
          if (event.type === 'Joined' || event.type === 'Failed') return end(true);
          if (event.type === 'Refused') return end(event.reason !== 'Busy' && event.reason !== 'TooOften');
        }
      },
      onClose: (code) => end(isFinal(code)),
    });
  } catch {
    end(true);
  }
}
