/**
 * The transports that a page may go by, and what worked where others hung, or were cut again and
 * again: that is tried first for a day, and forgotten when a WebSocket works again. What is refused
 * costs next to nothing to try, and may have been so because the server was about to start. Made by `tickwire.js` of the page's options; opens a way
 * for each of a link's sockets.
 */

import { REMEMBERED_MS } from '../limits.js';
import { CloseCode, LOST } from '../protocol/close_code.js';
import { Cuts } from './cuts.js';
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

/** @typedef {{ transport: Transport, untilMs: number, isCut?: boolean }} Remembered `isCut`: because WebSockets don't last */

/** See the module's description. */
export class Transports {
  #names;
  #means;
  #cuts = new Cuts();
  /** What is remembered also where nothing is kept. @type {Remembered | undefined} */
  #kept;

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
    /** @type {number | undefined} */
    let sinceMs;
    const ended = (/** @type {boolean} */ isCut) => {
      if (sinceMs !== undefined && this.#cuts.note(performance.now() - sinceMs, isCut)) this.#goBeside();
      sinceMs = undefined;
    };
    const onClose = (/** @type {number} */ code, /** @type {string} */ reason) => {
      ended(code === LOST);
      handlers.onClose(code, reason);
    };
    const race = new Race(url, opens, { ...handlers, onClose }, (transport, hasHung) => {
      if (transport === 'websocket') sinceMs = performance.now();
      this.#worked(transport, hasHung);
    });
    return {
      get transport() {
        return race.transport;
      },
      get backlog() {
        return race.backlog;
      },
      send: (bytes) => race.send(bytes),
      close(code, reason) {
        // A proxy may also fall silent instead of cutting it.
        ended(code === CloseCode.Stalled);
        race.close(code, reason);
      },
    };
  };

  /** What is tried behind another one; undefined where that may not be. @returns {OpenWay | undefined} */
  get behind() {
    if (this.#names.length < 2 || !this.#names.includes('websocket') || this.#isCut) return undefined;
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
    const { transport, untilMs } = this.#kept ?? this.#stored();
    return untilMs > Date.now() && this.#names.includes(transport) ? transport : undefined;
  }

  /** @returns {Remembered} whatever stands there */
  #stored() {
    try {
      return JSON.parse(this.#means.storage?.getItem(KEY) ?? '{}') ?? {};
    } catch {
      // Forbidden, or what another program keeps there.
      return /** @type {any} */ ({});
    }
  }

  /**
   * @param {Transport} transport
   * @param {boolean} hasHung whether another one hung; to poll one has to see a stream held back
   */
  #worked(transport, hasHung) {
    if (transport === 'websocket') this.#remember(undefined);
    else if ((hasHung || transport === 'poll') && this.#remembered() !== transport) this.#remember(transport);
  }

  /** WebSockets get through, and don't last. */
  #goBeside() {
    const other = this.#names.find((name) => name !== 'websocket');
    if (other !== undefined) this.#remember(other, true);
  }

  /** Whether a WebSocket would not last: to take over would be to be cut again. */
  get #isCut() {
    const { isCut, untilMs } = this.#kept ?? this.#stored();
    return isCut === true && untilMs > Date.now();
  }

  /** @param {Transport | undefined} transport @param {boolean} [isCut] */
  #remember(transport, isCut = this.#isCut) {
    const { storage } = this.#means;
    this.#kept = transport && { transport, untilMs: Date.now() + REMEMBERED_MS, isCut };
    try {
      if (this.#kept === undefined) storage?.removeItem(KEY);
      else storage?.setItem(KEY, JSON.stringify(this.#kept));
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
