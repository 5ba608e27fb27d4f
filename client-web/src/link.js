/**
 * A connection as a page uses it: the lobby's requests as promises, its end as an event. Drives a
 * `Session` over a `Socket` with one timer; the only place that reads the clock.
 */

import { Emitter } from './emitter.js';
import { PING_EVERY_MS, REQUESTS_WAITING_MAX, SILENCE_MAX_MS } from './limits.js';
import * as client from './protocol/client_message.js';
import { CloseCode, closeReason, whyNotConnected } from './protocol/close_code.js';
import { RequestError } from './request_error.js';
import { Room } from './room.js';
import { Session } from './session.js';
import { Socket } from './socket.js';

/** @typedef {import('./types.js').CloseInfo} CloseInfo */
/** @typedef {import('./types.js').RoomInfo} RoomInfo */
/** @typedef {import('./session.js').SessionEvent} SessionEvent */

/** A timer this late means that the page was frozen: what the server sent meanwhile is not read yet. */
const FROZEN_MS = 5000;

/** A request of the lobby; the server answers them in order, so one is out at a time.
 * @typedef {{ message: Uint8Array, resolve: (answer: any) => void, reject: (error: Error) => void }} Request */

/**
 * See the module's description. Made by `connect`.
 * @template {import('./types.js').GameTypes} [G={}]
 */
export class Link extends Emitter {
  #url;
  #session;
  #socket;
  #conditions;
  /** @type {'connecting' | 'open' | 'closed'} */
  #state = 'connecting';
  /** @type {Room<G> | undefined} */
  #room;
  /** @type {Request[]} the first one is out */
  #requests = [];
  /** @type {((error?: Error) => void) | undefined} settles the promise of `connect` */
  #welcomed;
  /** @type {Map<number, { sentMs: number, resolve: ((rttMs: number) => void)[], reject: ((error: Error) => void)[] }>} */
  #pings = new Map();
  #lastPing = 0;
  #pingDueMs = 0;
  #heardMs = 0;
  #turnMs = 0;
  /** @type {number | undefined} */
  #retryAfterMs;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** Round trip in milliseconds, newest measurement, 0 until known. */
  rttMs = 0;

  /**
   * For `connect`. Throws a `RequestError` when there is nothing to connect to.
   * @param {{ url: string, name: string, token: string, WebSocket: import('./types.js').SocketConstructor | undefined,
   *   conditions: import('./conditions.js').Conditions }} options
   * @param {(error?: Error) => void} welcomed called once: without an error after the welcome
   */
  constructor({ url, name, token, WebSocket, conditions }, welcomed) {
    super();
    this.#url = url;
    this.#session = new Session(name, token);
    this.#welcomed = welcomed;
    this.#conditions = conditions;
    this.#socket = new Socket(url, WebSocket, conditions, {
      onOpen: () => this.#onOpen(),
      onMessage: (bytes) => this.#onMessage(bytes),
      onClose: (code, reason) => this.#end(code, reason || closeReason(code)),
    });
    this.#heardMs = this.now();
    this.#turnMs = this.#heardMs;
    this.#setTimer(this.#heardMs);
  }

  /**
   * Hears of `close` and `stopping`.
   * @template {keyof import('./types.js').LinkEvents} N
   * @param {N} name
   * @param {(...args: import('./types.js').LinkEvents[N]) => void} listener
   * @returns {() => void} takes the listener away again
   */
  on(name, listener) {
    return super.on(name, listener);
  }

  /** @returns {'open' | 'closed'} */
  get state() {
    return this.#state === 'closed' ? 'closed' : 'open';
  }

  /** The game. */
  get schema() {
    return this.#welcome.schema;
  }

  /** What the server allows. */
  get limits() {
    return this.#welcome.limits;
  }

  /** The player's name as the server tidied it. */
  get name() {
    return this.#welcome.name;
  }

  /** How much worse than it is the link is made, for trying things out; undefined for not at all. May be set at any time.
   * @returns {import('./types.js').LinkConditions | undefined} */
  get conditioner() {
    return this.#conditions.settings;
  }

  set conditioner(settings) {
    this.#conditions.settings = settings;
  }

  /** The room that the player is in. */
  get room() {
    return this.#room;
  }

  get #welcome() {
    const { welcome } = this.#session;
    if (welcome === undefined) throw new Error('not connected yet');
    return welcome;
  }

  /** For the room: the clock that all of the SDK's times are of. @returns {number} in milliseconds */
  now() {
    return performance.now();
  }

  /** @returns {Promise<RoomInfo[]>} the rooms that anyone may join */
  rooms() {
    return this.#request(() => client.listRooms());
  }

  /**
   * Makes a room and joins it.
   * @param {{ name?: string, private?: boolean, seats?: number }} [options] seats 0 or left out: as many as the server allows
   * @returns {Promise<Room<G>>}
   */
  create({ name = '', private: isPrivate = false, seats = 0 } = {}) {
    return this.#request(() => client.createRoom(name, isPrivate, seats));
  }

  /** @param {number} id of a listed room @returns {Promise<Room<G>>} */
  joinRoom(id) {
    return this.#request(() => client.joinRoom(id));
  }

  /** @param {string} code of a room, private or not @returns {Promise<Room<G>>} */
  joinCode(code) {
    return this.#request(() => client.joinCode(code));
  }

  /** Joins the fullest room with a seat, or a new one. @returns {Promise<Room<G>>} */
  quickJoin() {
    return this.#request(() => client.quickJoin());
  }

  /** @returns {Promise<number>} the round trip in milliseconds */
  ping() {
    return new Promise((resolve, reject) => {
      const sent = this.#sendPing();
      if (sent === undefined) {
        reject(new RequestError('Closed', 'not connected any more: connect anew'));
        return;
      }
      sent.resolve.push(resolve);
      sent.reject.push(reject);
      this.pump();
    });
  }

  /** Says goodbye. */
  close() {
    this.#hangUp(CloseCode.Normal, CloseCode.Normal, closeReason(CloseCode.Normal));
  }

  /** For the room: does what is due, sends what waits, sets the timer anew. */
  pump() {
    if (this.#state === 'closed') return;
    const nowMs = this.now();
    const isFrozen = nowMs - this.#turnMs > FROZEN_MS;
    this.#turnMs = nowMs;
    try {
      this.#checkSilence(nowMs, isFrozen);
      this.#session.handleTimeout(nowMs);
      this.#room?.onTime(nowMs, this.#socket.backlog);
    } finally {
      this.#flush();
      this.#setTimer(nowMs);
    }
  }

  /**
   * @param {() => Uint8Array} message may throw on what cannot be said
   * @returns {Promise<any>}
   */
  async #request(message) {
    if (this.#state !== 'open') throw new RequestError('Closed', 'not connected any more: connect anew');
    if (this.#session.state !== 'Lobby') throw new RequestError('NotNow', 'only possible in the lobby: leave the room first');
    if (this.#requests.length >= REQUESTS_WAITING_MAX) throw new RequestError('TooMuch', 'too many requests wait');
    const bytes = message();
    return new Promise((resolve, reject) => {
      this.#requests.push({ message: bytes, resolve, reject });
      if (this.#requests.length === 1) this.#sendRequest();
    });
  }

  #sendRequest() {
    const [request] = this.#requests;
    if (request === undefined) return;
    try {
      this.#session.lobbyRequest(request.message);
    } catch (error) {
      this.#answer(({ reject }) => reject(/** @type {Error} */ (error)));
      return;
    }
    this.pump();
  }

  /** @param {(request: Request) => void} settle */
  #answer(settle) {
    const request = this.#requests.shift();
    if (request !== undefined) settle(request);
    this.#sendRequest();
  }

  #onOpen() {
    this.#heardMs = this.now();
    this.#turnMs = this.#heardMs;
    this.#flush();
  }

  /** @param {Uint8Array | undefined} bytes */
  #onMessage(bytes) {
    const nowMs = this.now();
    this.#heardMs = nowMs;
    if (bytes === undefined) this.#session.fail('a text message');
    else this.#session.handleMessage(bytes, nowMs);
    for (let event = this.#session.pollEvent(); event !== undefined; event = this.#session.pollEvent()) {
      this.#onEvent(event, nowMs);
    }
    this.pump();
  }

  /**
   * @param {SessionEvent} event
   * @param {number} nowMs
   */
  #onEvent(event, nowMs) {
    switch (event.type) {
      case 'Welcome':
        this.#state = 'open';
        this.#welcomed?.();
        this.#welcomed = undefined;
        break;
      case 'Rooms':
        this.#answer(({ resolve }) => resolve(event.rooms));
        break;
      case 'Joined': {
        /** @type {Room<G>} */
        const room = new Room(this, this.#session);
        this.#room = room;
        this.#answer(({ resolve }) => resolve(room));
        break;
      }
      case 'Left':
        this.#room?.onEvent(event, nowMs);
        this.#room = undefined;
        break;
      case 'Refused':
        if (this.#room !== undefined) this.#room.onEvent(event, nowMs);
        else this.#answer(({ reject }) => reject(new RequestError(event.reason)));
        break;
      case 'Pong':
        this.#onPong(event.nonce, nowMs);
        break;
      case 'Stopping':
        this.#retryAfterMs = event.retryAfterMs;
        this.emit('stopping', { retryAfterMs: event.retryAfterMs });
        break;
      case 'Failed':
        this.#hangUp(event.closeWith, event.code, `protocol error: ${event.reason}`);
        break;
      default:
        this.#room?.onEvent(event, nowMs);
    }
  }

  #sendPing() {
    const nonce = (this.#lastPing + 1) >>> 0;
    if (this.#state !== 'open' || !this.#session.ping(nonce)) return undefined;
    this.#lastPing = nonce;
    const sent = { sentMs: this.now(), resolve: [], reject: [] };
    this.#pings.set(nonce, sent);
    return /** @type {{ sentMs: number, resolve: ((rttMs: number) => void)[], reject: ((error: Error) => void)[] }} */ (sent);
  }

  /**
   * @param {number} nonce
   * @param {number} nowMs
   */
  #onPong(nonce, nowMs) {
    const sent = this.#pings.get(nonce);
    if (sent === undefined) return;
    this.#pings.delete(nonce);
    this.rttMs = nowMs - sent.sentMs;
    this.#session.onRoundTrip(this.rttMs);
    for (const resolve of sent.resolve) resolve(this.rttMs);
  }

  /**
   * Pings now and then, and gives up on a server that has been silent since.
   * @param {number} nowMs
   * @param {boolean} isFrozen
   */
  #checkSilence(nowMs, isFrozen) {
    if (isFrozen) this.#heardMs = nowMs;
    if (this.#state === 'connecting') {
      if (nowMs - this.#heardMs > SILENCE_MAX_MS) this.#hangUp(CloseCode.Normal, 1006, 'no welcome from the server');
      return;
    }
    const [oldest] = this.#pings.values();
    if (oldest === undefined && nowMs >= this.#pingDueMs) {
      this.#sendPing();
      this.#pingDueMs = nowMs + PING_EVERY_MS;
    } else if (oldest !== undefined && nowMs - Math.max(oldest.sentMs, this.#heardMs) > SILENCE_MAX_MS) {
      this.#hangUp(CloseCode.Normal, 1006, 'the server went silent');
    }
  }

  #flush() {
    for (let bytes = this.#session.pollTransmit(); bytes !== undefined; bytes = this.#session.pollTransmit()) {
      this.#socket.send(bytes);
    }
  }

  /** @param {number} nowMs */
  #setTimer(nowMs) {
    clearTimeout(this.#timer);
    if (this.#state === 'closed') return;
    const pingMs = this.#pings.size > 0 || this.#state === 'connecting' ? nowMs + PING_EVERY_MS : this.#pingDueMs;
    const dueMs = Math.min(pingMs, this.#session.pollTimeout(), this.#room?.dueMs ?? Infinity);
    // Timers may fire a little early: a whole millisecond later is never too early.
    this.#timer = setTimeout(() => this.pump(), Math.max(1, Math.ceil(dueMs - nowMs)));
  }

  /**
   * Closes the socket from here.
   * @param {number} closeWith what the server is told
   * @param {number} code what the page is told
   * @param {string} reason
   */
  #hangUp(closeWith, code, reason) {
    if (this.#state === 'closed') return;
    this.#socket.close(closeWith, closeReason(closeWith));
    this.#end(code, reason);
  }

  /**
   * The connection is over: everything that waits fails.
   * @param {number} code
   * @param {string} reason
   */
  #end(code, reason) {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#timer);
    const info = { code, reason, retryAfterMs: this.#retryAfterMs };
    const why = this.#welcomed === undefined ? reason : whyNotConnected(code, reason, this.#url);
    const error = Object.assign(new RequestError('Closed', why), { code, retryAfterMs: this.#retryAfterMs });
    for (const { reject } of this.#requests.splice(0)) reject(error);
    for (const { reject } of this.#pings.values()) for (const fail of reject) fail(error);
    this.#pings.clear();
    this.#welcomed?.(error);
    this.#welcomed = undefined;
    this.#room?.onClose(info);
    this.emit('close', info);
  }
}
