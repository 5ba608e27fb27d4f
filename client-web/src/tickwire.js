/**
 * The SDK's front: `connect` for a page with a lobby, `join` for one that just plays. Everything
 * that a page uses is exported here; the arithmetic for its `step` is in `exact.js`.
 */

import { gameOf, socketUrls } from './address.js';
import { Conditions, conditionsIn } from './conditions.js';
import { Doors } from './doors.js';
import { Keeper } from './keeper.js';
import { Link } from './link.js';
import { report } from './report.js';
import { RequestError } from './request_error.js';
import { checkPlay } from './room.js';
import { Transports, pageStorage } from './ways/transports.js';

export { Link } from './link.js';
export { partyIn } from './party.js';
export { CloseCode, closeReason } from './protocol/close_code.js';
export { RequestError } from './request_error.js';
export { Room } from './room.js';

/** @typedef {import('./types.js').GameTypes} GameTypes */
/** @typedef {import('./types.js').Member} Member */
/** @typedef {import('./types.js').ChatLine} ChatLine */
/** @typedef {import('./types.js').PastLine} PastLine */
/** @typedef {import('./types.js').CloseInfo} CloseInfo */
/** @typedef {import('./types.js').LinkConditions} LinkConditions */
/** @typedef {import('./types.js').Stats} Stats */
/** @typedef {import('./types.js').Presence} Presence */
/** @typedef {import('./watch.js').Watch} Watch */
/** @typedef {import('./lobby_people.js').LobbyPeople} LobbyPeople */
/** @typedef {import('./types.js').StepTime} StepTime */
/** @template {GameTypes} [G={}] @typedef {import('./types.js').ConnectOptions<G>} ConnectOptions */
/** @template {GameTypes} [G={}] @typedef {import('./types.js').RoomInfo<G>} RoomInfo */
/** @template {GameTypes} [G={}] @typedef {import('./types.js').Filter<G>} Filter */
/** @template {GameTypes} [G={}] @typedef {import('./types.js').CreateOptions<G>} CreateOptions */
/** @template {GameTypes} [G={}] @typedef {import('./types.js').QuickJoinOptions<G>} QuickJoinOptions */
/** @template {GameTypes} [G={}] @typedef {import('./types.js').JoinOptions<G>} JoinOptions */
/** @template {GameTypes} [G={}] @typedef {import('./types.js').PlayOptions<G>} PlayOptions */
/** @template {GameTypes} [G={}] @typedef {import('./types.js').View<G>} View */
/** @template {GameTypes} [G={}] @typedef {import('./types.js').Entity<G>} Entity */
/** @template {GameTypes} [G={}] @typedef {import('./types.js').Avatar<G>} Avatar */
/** @template {GameTypes} [G={}] @typedef {import('./types.js').GameEvent<G>} GameEvent */

/**
 * Opens a connection.
 * @template {GameTypes} [G={}]
 * @param {ConnectOptions<G>} [options]
 * @returns {Promise<Link<G>>} in the lobby, after the welcome. Rejects with a `RequestError`:
 *   `BadUrl` or `NoWebSocket` when there is nothing to connect to, else `Closed` with the close
 *   code as `code`; with the signal's reason if that was aborted
 */
export async function connect(options = {}) {
  const { url, name = '', token = '', options: player, WebSocket, transports: names, conditioner, reconnect = true, resume = false, storage, signal, followParty = false } = options;
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') throw new TypeError('signal is an AbortSignal');
  if (signal?.aborted) throw signal.reason;
  const urls = socketUrls(url);
  const transports = transportsOf(names, WebSocket);
  const { open } = transports;
  const game = options.game ?? gameOf(urls);
  const doors = new Doors(urls);
  const asked = conditioner ?? conditionsIn(globalThis.location?.href);
  const conditions = new Conditions(asked === false ? undefined : asked);
  const keeper = resume ? Keeper.take(options.game === undefined ? doors.name : `${doors.name} ${game}`, storage) : undefined;
  return new Promise((resolve, reject) => {
    /** @type {Link<G>} */
    const link = new Link({ doors, game, name, token, player, open, transports, conditions, reconnect, keeper, signal, followParty }, { resolve: () => resolve(link), reject });
  });
}

/**
 * A WebSocket of the page's own is the only transport, unless it names others.
 * @param {readonly import('./types.js').Transport[] | undefined} names
 * @param {import('./types.js').SocketConstructor | undefined} own
 */
function transportsOf(names, own) {
  const only = own === undefined ? undefined : /** @type {const} */ (['websocket']);
  return new Transports(names ?? only, { WebSocket: own === undefined ? globalThis.WebSocket : own, fetch: globalThis.fetch, storage: pageStorage() });
}

/**
 * Connects, joins a room, plays and draws until it is left.
 * @template {GameTypes} [G={}]
 * @param {import('./types.js').JoinOptions<G>} [options] without `input` it only watches
 * @returns {Promise<import('./room.js').Room<G>>} rejects like `connect`, or with the server's
 *   refusal
 */
export async function join(options = {}) {
  const { code, filter, room: chosen, draw, input, step, smooth, signal, spectate = false } = options;
  if (draw !== undefined && typeof draw !== 'function') throw new TypeError('draw is a function that draws a view');
  if (draw !== undefined && typeof requestAnimationFrame !== 'function') {
    throw new RequestError('NoPage', 'nothing to draw on here: leave draw out, and call room.view() when you need it');
  }
  if (code !== undefined && typeof code !== 'string') throw new TypeError("code is a room's code: a string");
  if (input !== undefined) checkPlay({ input, step, smooth });
  /** @type {Link<G>} */
  const link = await connect({ ...options, resume: options.resume ?? !spectate });
  const room = await seatIn(link, code, { filter, options: chosen, spectate }).catch((error) => {
    link.close();
    throw signal?.aborted ? signal.reason : error;
  });
  if (input !== undefined && !room.spectating) room.play({ input, step, smooth });
  if (draw !== undefined) {
    const frame = (/** @type {number} */ nowMs) => {
      if (link.room !== room || link.state === 'closed') return;
      requestAnimationFrame(frame);
      const view = room.view(nowMs);
      try {
        draw(view, room);
      } catch (error) {
        report('draw', error);
      }
    };
    requestAnimationFrame(frame);
  }
  return room;
}

/**
 * The room that a reload came back to, if it is the right one; else another.
 * @template {GameTypes} G
 * @param {Link<G>} link
 * @param {string | undefined} code
 * @param {import('./types.js').QuickJoinOptions<G>} any what is asked of it where there is no code
 * @returns {Promise<import('./room.js').Room<G>>}
 */
async function seatIn(link, code, any) {
  if (link.room !== undefined) {
    if (any.spectate) await link.room.leave();
    else if (code === undefined || link.room.code === code.replace(/[- ]/g, '').toUpperCase()) return link.room;
    else await link.room.leave();
  }
  return code === undefined ? link.quickJoin(any) : link.joinCode(code, { spectate: any.spectate });
}
