/**
 * A connection as a page uses it: the lobby's requests as promises, its end as an event. Drives a
 * `Session` over a `Socket` with one timer; the only place that reads the clock. A lost socket is replaced by
 * another, on which the player takes the seat again: the room stays the same object.
 */

import { Emitter } from './emitter.js';
import { FROZEN_MS, RECONNECT_DELAY_MS, REQUESTS_WAITING_MAX } from './limits.js';
import * as client from './protocol/client_message.js';
import { CloseCode, closeReason, whyNotConnected } from './protocol/close_code.js';
import { Pulse } from './pulse.js';
import { Backoff, isFinal } from './reconnect.js';
import { RequestError } from './request_error.js';
import { Room } from './room.js';
import { Session } from './session.js';
import { Socket } from './socket.js';
import { onWake } from './wake.js';

/** @typedef {import('./types.js').RoomInfo} RoomInfo */
/** @typedef {import('./session.js').SessionEvent} SessionEvent */

/** A request of the lobby; the server answers them in order, so one is out at a time.
 * @typedef {{ message: Uint8Array, resolve: (answer: any) => void, reject: (error: Error) => void }} Request */

/**
 * See the module's description. Made by `connect`.
 * @template {import('./types.js').GameTypes} [G={}]
 */
export class Link extends Emitter {
  #options;
  /** @type {Session} */
  #session;
  /** @type {Socket | undefined} none between two tries */
  #socket;
  /** What waits for a socket that is not open yet must not be lost. */
  #isSocketOpen = false;
  /** @type {'connecting' | 'open' | 'reconnecting' | 'closed'} */
  #state = 'connecting';
  /** What the seat is taken again with, as long as nobody else did or it was given up. */
  #seat = '';
  /** Who the player is to the server. */
  #token;
  /** The first welcome's answer is still to come: whether a reload's seat is there. */
  #isAsking = false;
  /** @type {Backoff | undefined} while the connection is lost */
  #backoff;
  /** @type {Room<G> | undefined} */
  #room;
  /** @type {Request[]} the first one is out */
  #requests = [];
  /** @type {import('./protocol/server_message.js').Welcome | undefined} */
  #lastWelcome;
  /** @type {((error?: Error) => void) | undefined} settles the promise of `connect` */
  #welcomed;
  #pulse = new Pulse(this.now());
  #stopWaking = onWake(() => this.#wake());
  #turnMs = this.now();
  /** @type {number | undefined} */
  #retryAfterMs;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * For `connect`. Throws a `RequestError` when there is nothing to connect to.
   * @param {{ url: string, name: string, token: string, WebSocket: import('./types.js').SocketConstructor | undefined,
   *   conditions: import('./conditions.js').Conditions, reconnect: boolean, keeper: import('./keeper.js').Keeper | undefined }} options
   * @param {(error?: Error) => void} welcomed called once: without an error after the welcome
   */
  constructor(options, welcomed) {
    super();
    this.#options = options;
    this.#welcomed = welcomed;
    const kept = options.keeper?.load();
    this.#token = options.token || (kept?.token ?? '');
    this.#seat = kept?.seat ?? '';
    this.#session = this.#open();
    this.#setTimer(this.#turnMs);
  }

  /**
   * Hears of `close`, `stopping`, `reconnecting` and `resumed`.
   * @template {keyof import('./types.js').LinkEvents} N
   * @param {N} name
   * @param {(...args: import('./types.js').LinkEvents[N]) => void} listener
   * @returns {() => void} takes the listener away again
   */
  on(name, listener) {
    return super.on(name, listener);
  }

  /** @returns {'open' | 'reconnecting' | 'closed'} */
  get state() {
    return this.#state === 'connecting' ? 'open' : this.#state;
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

  /** Round trip in milliseconds, newest measurement, 0 until known. */
  get rttMs() {
    return this.#pulse.rttMs;
  }

  /** How much worse than it is the link is made, for trying things out; undefined for not at all. May be set at any time.
   * @returns {import('./types.js').LinkConditions | undefined} */
  get conditioner() {
    return this.#options.conditions.settings;
  }

  set conditioner(settings) {
    this.#options.conditions.settings = settings;
  }

  /** The room that the player is in. */
  get room() {
    return this.#room;
  }

  get #welcome() {
    if (this.#lastWelcome === undefined) throw new Error('not connected yet');
    return this.#lastWelcome;
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
      const sent = this.#state === 'open' ? this.#pulse.ping(this.#session, this.now()) : undefined;
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
    if (this.#state === 'closed' || this.#socket === undefined) return;
    const nowMs = this.now();
    const isFrozen = nowMs - this.#turnMs > FROZEN_MS;
    this.#turnMs = nowMs;
    try {
      this.#checkSilence(nowMs, isFrozen);
      this.#session.handleTimeout(nowMs);
      if (this.#state === 'open') this.#room?.onTime(nowMs, this.#socket?.backlog ?? 0);
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
    if (this.#state === 'reconnecting') throw new RequestError('Closed', 'the connection is lost: wait until it is back');
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
    this.#isSocketOpen = true;
    this.#turnMs = this.now();
    this.#pulse.hear(this.#turnMs);
    this.#flush();
  }

  /** @param {Uint8Array | undefined} bytes */
  #onMessage(bytes) {
    const nowMs = this.now();
    this.#pulse.hear(nowMs);
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
        this.#lastWelcome = event;
        this.#token = event.token || this.#token;
        // The answer about the seat follows.
        if (!this.#isAsking) this.#arrive(undefined);
        break;
      case 'Rooms':
        this.#answer(({ resolve }) => resolve(event.rooms));
        break;
      case 'Joined': {
        if (this.#isAsking && this.#room !== undefined) {
          this.#room.onResumed(this.#session);
          this.#arrive(this.#room);
          break;
        }
        /** @type {Room<G>} */
        const room = new Room(this, this.#session);
        if (this.#isAsking) {
          this.#arrive(room);
          break;
        }
        this.#room = room;
        this.#answer(({ resolve }) => resolve(room));
        break;
      }
      case 'ResumeToken':
        this.#keepSeat(event.token);
        break;
      case 'Left':
        this.#keepSeat('');
        this.#room?.onEvent(event, nowMs);
        this.#room = undefined;
        break;
      case 'Refused':
        if (this.#isAsking) this.#seatRefused(event.reason);
        else if (this.#room !== undefined) this.#room.onEvent(event, nowMs);
        else this.#answer(({ reject }) => reject(new RequestError(event.reason)));
        break;
      case 'Pong':
        if (this.#pulse.pong(event.nonce, nowMs)) this.#session.onRoundTrip(this.rttMs);
        break;
      case 'Stopping':
        this.#retryAfterMs = event.retryAfterMs;
        this.emit('stopping', { retryAfterMs: event.retryAfterMs });
        break;
      case 'Failed':
        this.#keepSeat('');
        this.#hangUp(event.closeWith, event.code, `protocol error: ${event.reason}`);
        break;
      default:
        this.#room?.onEvent(event, nowMs);
    }
  }

  /**
   * Gives up on a server that has been silent for too long.
   * @param {number} nowMs
   * @param {boolean} isFrozen
   */
  #checkSilence(nowMs, isFrozen) {
    if (isFrozen) this.#pulse.hear(nowMs);
    if (this.#state !== 'open') {
      if (this.#pulse.isSilent(nowMs)) this.#goneSilent('no welcome from the server');
    } else if (!this.#pulse.check(this.#session, nowMs)) {
      this.#goneSilent('the server went silent');
    }
  }

  #flush() {
    if (!this.#isSocketOpen) return;
    for (let bytes = this.#session.pollTransmit(); bytes !== undefined; bytes = this.#session.pollTransmit()) {
      this.#socket?.send(bytes);
    }
  }

  /** @param {number} nowMs */
  #setTimer(nowMs) {
    // Without a socket it is the next try that the timer is set for.
    if (this.#state === 'closed' || this.#socket === undefined) return;
    clearTimeout(this.#timer);
    const pingMs = this.#pulse.dueMs(nowMs, this.#state === 'open');
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
    if (closeWith === CloseCode.Normal) this.#keepSeat('');
    this.#socket?.close(closeWith, closeReason(closeWith));
    this.#end(code, reason);
  }

  /** @returns {Session} over a new socket, on which the seat is asked for if there is one */
  #open() {
    const { url, name, WebSocket, conditions } = this.#options;
    const seat = this.#seat === '' ? undefined : { token: this.#seat, seen: this.#seen };
    this.#isAsking = seat !== undefined;
    this.#turnMs = this.now();
    this.#pulse.hear(this.#turnMs);
    this.#isSocketOpen = false;
    this.#socket = new Socket(url, WebSocket, conditions, {
      onOpen: () => this.#onOpen(),
      onMessage: (bytes) => this.#onMessage(bytes),
      onClose: (code, reason) => this.#lose(code, reason || closeReason(code)),
    });
    return new Session(name, this.#token, seat);
  }

  get #seen() {
    return this.#room?.seen ?? { chat: 0, tick: 0 };
  }

  /** @param {string} token empty: there is no seat to come back to */
  #keepSeat(token) {
    this.#seat = token;
    this.#options.keeper?.save({ token: this.#token, seat: token });
  }

  /** The server may still be there: it is not told goodbye, which would give the seat up.
   * @param {string} reason */
  #goneSilent(reason) {
    this.#socket?.close(CloseCode.Stalled, closeReason(CloseCode.Stalled));
    this.#lose(1006, reason);
  }

  /** The connection is there, in the lobby or in the seat. @param {Room<G> | undefined} room */
  #arrive(room) {
    const isBack = this.#state === 'reconnecting';
    const before = this.#room;
    this.#room = room;
    this.#state = 'open';
    this.#isAsking = false;
    this.#backoff = undefined;
    this.#retryAfterMs = undefined;
    this.#welcomed?.();
    this.#welcomed = undefined;
    if (isBack) this.emit('resumed', { room });
    if (before !== room) before?.onSeatLost();
  }

  /** @param {import('./types.js').Refusal} reason why the seat could not be taken */
  #seatRefused(reason) {
    if (reason !== 'Busy' && reason !== 'TooOften') {
      this.#keepSeat('');
      return this.#arrive(undefined);
    }
    const session = this.#session;
    setTimeout(() => {
      if (session !== this.#session || session.state !== 'Lobby') return;
      session.lobbyRequest(client.resume(this.#seat, this.#seen));
      this.pump();
    }, RECONNECT_DELAY_MS * (1 + Math.random()));
  }

  /** The socket is gone: another try, or the end. @param {number} code @param {string} reason */
  #lose(code, reason) {
    if (this.#state === 'closed') return;
    this.#socket = undefined;
    if (code === CloseCode.Unauthorised && this.#token !== this.#options.token) {
      // What was kept is not taken any more: as whom the page says, then.
      this.#token = this.#options.token;
      this.#keepSeat('');
      return this.#reopen();
    }
    // Who was about to leave does not come back.
    if (this.#session.room?.leaving) this.#keepSeat('');
    const nowMs = this.now();
    const isFirst = this.#state === 'open';
    if (isFirst) this.#backoff = new Backoff(nowMs);
    // A server that is full now may have a place for who comes back.
    const isOver = isFinal(code) || !this.#options.reconnect;
    const delayMs = isOver ? undefined : this.#backoff?.next(nowMs, isFirst ? this.#retryAfterMs : undefined);
    if (isFinal(code)) this.#keepSeat('');
    if (delayMs === undefined) return this.#end(code, reason);
    this.#state = 'reconnecting';
    this.#session.end();
    clearTimeout(this.#timer);
    if (isFirst) {
      this.#rejectAll(new RequestError('Closed', 'the connection was lost'));
      this.#room?.onLost();
    }
    this.#timer = setTimeout(() => this.#retry(), delayMs);
    this.emit('reconnecting', { attempt: this.#backoff?.attempt ?? 1, delayMs, code, reason });
  }

  #retry() {
    if (this.#state === 'reconnecting' && this.#socket === undefined) this.#reopen();
  }

  #reopen() {
    clearTimeout(this.#timer);
    this.#session = this.#open();
    this.#setTimer(this.#turnMs);
  }

  /** The connection may be dead, or the way to the server free again. */
  #wake() {
    this.#retry();
    if (this.#state !== 'open') return;
    this.#pulse.probe(this.#session, this.now());
    this.pump();
  }

  /** @param {Error} error for everything that waits */
  #rejectAll(error) {
    for (const { reject } of this.#requests.splice(0)) reject(error);
    this.#pulse.fail(error);
  }

  /** The connection is over: everything that waits fails. @param {number} code @param {string} reason */
  #end(code, reason) {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#timer);
    const info = { code, reason, retryAfterMs: this.#retryAfterMs };
    const why = this.#welcomed === undefined ? reason : whyNotConnected(code, reason, this.#options.url);
    const error = Object.assign(new RequestError('Closed', why), { code, retryAfterMs: this.#retryAfterMs });
    this.#rejectAll(error);
    this.#options.keeper?.release();
    this.#stopWaking();
    this.#welcomed?.(error);
    this.#welcomed = undefined;
    this.#room?.onClose(info);
    this.emit('close', info);
  }
}
