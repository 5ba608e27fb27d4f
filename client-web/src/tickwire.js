/**
 * The SDK's front: `connect` for a page with a lobby, `join` for one that just plays. Everything
 * that a page uses is exported here.
 */

import { Link } from './link.js';
import { defaultUrl } from './socket.js';

export { CloseCode, closeReason } from './protocol/close_code.js';
export { Link } from './link.js';
export { Room } from './room.js';
export { RequestError } from './session.js';

/**
 * @typedef {object} ConnectOptions
 * @property {string} [url] WebSocket URL; left out: `/ws` on the page's host
 * @property {string} [name] the name that others see; the server tidies it
 * @property {string} [token] proof of identity, left out for a guest
 * @property {typeof WebSocket} [WebSocket] a constructor that behaves like the browser's, for other runtimes
 */

/**
 * Opens a connection.
 * @param {ConnectOptions} [options]
 * @returns {Promise<Link>} in the lobby, after the welcome. Rejects with a `RequestError` of reason `Closed`,
 *   which has the close code as `code`
 */
export function connect(options = {}) {
  const { url = defaultUrl(), name = '', token = '', WebSocket = globalThis.WebSocket } = options;
  return new Promise((resolve, reject) => {
    const link = new Link({ url, name, token, WebSocket }, (error) => (error ? reject(error) : resolve(link)));
  });
}

/**
 * @typedef {object} JoinOptions
 * @property {string} [code] of the room; left out: the fullest room with a seat, or a new one
 * @property {(view: import('./types.js').View, room: import('./room.js').Room) => void} [draw] called for every animation frame
 */

/**
 * Connects, joins a room, plays and draws until it is left.
 * @param {ConnectOptions & JoinOptions & Partial<import('./types.js').PlayOptions>} options without `input` it only watches
 * @returns {Promise<import('./room.js').Room>}
 */
export async function join(options) {
  const { code, draw, input, step, smooth } = options;
  const link = await connect(options);
  const room = await (code === undefined ? link.quickJoin() : link.joinCode(code)).catch((error) => {
    link.close();
    throw error;
  });
  if (input !== undefined) room.play({ input, step, smooth });
  if (draw !== undefined) {
    const frame = (/** @type {number} */ nowMs) => {
      if (link.room !== room || link.state === 'closed') return;
      requestAnimationFrame(frame);
      draw(room.view(nowMs), room);
    };
    requestAnimationFrame(frame);
  }
  return room;
}
