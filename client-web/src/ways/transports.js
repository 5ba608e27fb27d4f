/**
 * The transports that a page may go by, and what worked where others hung: that is tried first for a
 * day, and forgotten when a WebSocket works again. What is refused costs next to nothing to try, and
 * may have been so because the server was about to start. Made by `tickwire.js` of the page's options; opens a way
 * for each of a link's sockets.
 */

import { REMEMBERED_MS } from '../limits.js';
import { HttpStream } from './http_stream.js';
import { Race } from './race.js';
import { WebSocketWay } from './web_socket.js';

/** @typedef {import('./way.js').Transport} Transport */
/** @typedef {import('./way.js').OpenWay} OpenWay */

/** All there are, in the order in which they are tried. @type {readonly Transport[]} */
const ALL = Object.freeze(['websocket', 'stream', 'poll']);

/** Where what worked is kept: a page's origin has a storage of its own. */
const KEY = 'tickwire.transport';

/**
 * @typedef {object} Means
 * @property {import('../types.js').SocketConstructor | undefined} WebSocket
 * @property {typeof globalThis.fetch | undefined} fetch
 * @property {Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | undefined} storage
 */

/** See the module's description. */
export class Transports {
  #names;
  #means;

  /**
   * Throws a `TypeError` for what is no list of transports.
   * @param {readonly Transport[] | undefined} names undefined for all that there are means for
   * @param {Means} means
   */
  constructor(names, means) {
    const isList = Array.isArray(names) && names.length > 0 && names.every((name) => ALL.includes(name));
    if (names !== undefined && !isList) throw new TypeError(`transports is a list of ${ALL.map((name) => `'${name}'`).join(', ')}`);
    // A program without a WebSocket is better told where to get one.
    const all = typeof means.WebSocket !== 'function' || means.fetch === undefined ? ALL.slice(0, 1) : ALL;
    this.#names = names === undefined ? all : [...new Set(names)];
    this.#means = means;
  }

  /** @type {OpenWay} */
  open = (url, handlers) => {
    const opens = this.#order().map((name) => this.#opener(name));
    return new Race(url, opens, handlers, (transport, hasHung) => this.#worked(transport, hasHung));
  };

  /** What is tried behind another one; undefined where that may not be. @returns {OpenWay | undefined} */
  get behind() {
    if (this.#names.length < 2 || !this.#names.includes('websocket')) return undefined;
    return this.#opener('websocket');
  }

  /** A WebSocket has taken over from another one. */
  tookOver() {
    this.#worked('websocket', false);
  }

  /** What worked last is the first. @returns {Transport[]} */
  #order() {
    const remembered = this.#remembered();
    const first = this.#names.filter((name) => name === remembered);
    const rest = this.#names.filter((name) => name !== remembered);
    const order = [...first, ...rest];
    // A stream polls by itself where nothing streams.
    return order.includes('stream') && remembered !== 'poll' ? order.filter((name) => name !== 'poll') : order;
  }

  /** @param {Transport} name @returns {OpenWay} */
  #opener(name) {
    const { WebSocket, fetch } = this.#means;
    if (name === 'websocket') return (url, handlers) => new WebSocketWay(url, WebSocket, handlers);
    const mayPoll = this.#names.includes('poll');
    return (url, handlers) => new HttpStream(url, /** @type {typeof globalThis.fetch} */ (fetch), { polls: name === 'poll', mayPoll }, handlers);
  }

  /** @returns {Transport | undefined} */
  #remembered() {
    try {
      const { transport, untilMs } = JSON.parse(this.#means.storage?.getItem(KEY) ?? '{}');
      return untilMs > Date.now() && this.#names.includes(transport) ? transport : undefined;
    } catch {
      // Forbidden, or what another program keeps there.
      return undefined;
    }
  }

  /**
   * @param {Transport} transport
   * @param {boolean} hasHung whether another one hung; to poll one has to see a stream held back
   */
  #worked(transport, hasHung) {
    try {
      if (transport === 'websocket') this.#means.storage?.removeItem(KEY);
      else if ((hasHung || transport === 'poll') && this.#remembered() !== transport) this.#means.storage?.setItem(KEY, JSON.stringify({ transport, untilMs: Date.now() + REMEMBERED_MS }));
    } catch {
      // Then it is found out anew.
    }
  }
}

/** A page's own storage, if it may have one. */
export function pageStorage() {
  try {
    return globalThis.document === undefined ? undefined : globalThis.localStorage;
  } catch {
    return undefined;
  }
}
