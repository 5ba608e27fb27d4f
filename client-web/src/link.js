/**
 * A connection as a page uses it: the lobby's requests as promises, its end as an event. Drives a
 * `Session` over a `Socket` with one timer; the only place that reads the clock. A lost socket is replaced by
 * another, on which the player takes the seat again: the room stays the same object.
 *
 * **Every promise settles.** What waits for an answer rejects when the connection is lost or over, and an answer that is owed for
 * too long is a lost connection. What is asked for meanwhile rejects at once.
 *
 * **A seat that is left while nobody can be told** is free to the page at once. The server hears of it on the next
 * connection, if it still holds the seat by then: that takes the seat and leaves it, before anything else. If the page closes the link
 * before, `farewell.js` says it.
 */

import { Emitter } from './emitter.js';
import { bidFarewell } from './farewell.js';
import { ANSWER_MAX_MS, FROZEN_MS, PINGS_WAITING_MAX, PROBE_MAX_MS, RECONNECT_DELAY_MS, SEAT_ASKED_FOR_MS } from './limits.js';
import * as client from './protocol/client_message.js';
import { CloseCode, closeReason, whyNotConnected } from './protocol/close_code.js';
import { Pulse } from './pulse.js';
import { Backoff, isFinal } from './reconnect.js';
import { report } from './report.js';
import { RequestError } from './request_error.js';
import { Requests } from './requests.js';
import { Room } from './room.js';
import { Seat } from './seat.js';
import { Session } from './session.js';
import { Socket } from './socket.js';
import { onWake } from './wake.js';

/** @typedef {import('./types.js').RoomInfo} RoomInfo */
/** @typedef {import('./session.js').SessionEvent} SessionEvent */

/**
 * For `connect`.
 * @typedef {object} LinkOptions
 * @property {string} url
 * @property {string} name
 * @property {string} token
 * @property {import('./types.js').SocketConstructor | undefined} WebSocket
 * @property {import('./conditions.js').Conditions} conditions
 * @property {boolean} reconnect
 * @property {import('./keeper.js').Keeper | undefined} keeper
 * @property {AbortSignal | undefined} signal
 */

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
  /** What there is to come back to. */
  #seat;
  /** The first welcome's answer is still to come: whether a reload's seat is there. */
  #isAsking = false;
  #askUntilMs = 0;
  /** @type {Backoff | undefined} while the connection is lost */
  #backoff;
  /** @type {Room<G> | undefined} */
  #room;
  #requests = new Requests((message) => this.#sendRequest(message));
  /** When an answer that the server owes is overdue: a welcome, a seat, the lobby's. Infinity if it owes none. */
  #answerDueMs = Infinity;
  #isAnswerExcused = false;
  /** @type {import('./protocol/server_message.js').Welcome | undefined} */
  #lastWelcome;
  /** @type {{ resolve: () => void, reject: (error: unknown) => void } | undefined} settle the promise of `connect` */
  #welcomed;
  #pulse = new Pulse(this.now());
  #stopWaking = onWake(() => this.#wake());
  #turnMs = this.now();
  /** @type {number | undefined} */
  #retryAfterMs;
  /** @type {import('./types.js').CloseInfo | undefined} how it ended */
  #ended;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} until the seat is asked for again */
  #askTimer;
  #onAbort = () => this.#abort();

  /**
   * For `connect`. Throws a `RequestError` when there is nothing to connect to.
   * @param {LinkOptions} options `signal` is not aborted yet
   * @param {{ resolve: () => void, reject: (error: unknown) => void }} welcomed one of them is called, once
   */
  constructor(options, welcomed) {
    super();
    this.#options = options;
    this.#welcomed = welcomed;
    this.#seat = new Seat(options.keeper, options.token);
    try {
      this.#session = this.#open();
    } catch (error) {
      this.#release();
      throw error;
    }
    options.signal?.addEventListener('abort', this.#onAbort);
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
   * @param {{ name?: string, private?: boolean, seats?: number, kicks?: boolean }} [options] seats 0 or left out: as many as the
   *   server allows; kicks: its host may kick, as the host of a private room may anyway
   * @returns {Promise<Room<G>>}
   */
  create(options) {
    return this.#request(() => {
      const { name = '', private: isPrivate = false, seats = 0, kicks = false } = options ?? {};
      return client.createRoom(name, isPrivate, seats, kicks);
    });
  }

  /** @param {number} id of a listed room @returns {Promise<Room<G>>} */
  joinRoom(id) {
    return this.#request(() => client.joinRoom(id));
  }

  /** @param {string} code of a room, private or not @returns {Promise<Room<G>>} */
  joinCode(code) {
    return this.#request(() => client.joinCode(code));
  }

  /** Joins a room with a seat whose host may not kick, or a new one. @returns {Promise<Room<G>>} */
  quickJoin() {
    return this.#request(() => client.quickJoin());
  }

  /** @returns {Promise<number>} the round trip in milliseconds */
  async ping() {
    this.assertOpen();
    const isTooMuch = this.#pulse.waiting >= PINGS_WAITING_MAX;
    const sent = isTooMuch ? undefined : this.#pulse.ping(this.#session, this.now());
    if (sent === undefined) throw new RequestError('TooMuch', 'too many messages wait');
    return new Promise((resolve, reject) => {
      sent.resolve.push(resolve);
      sent.reject.push(reject);
      this.pump();
    });
  }

  /** Says goodbye: the seat is given up, and everything that waits rejects. May be called in any state, more than once. While the connection
   * is away the server is told of a seat that was left before, and holds any other until its time is over. */
  close() {
    this.#hangUp(CloseCode.Normal, CloseCode.Normal, closeReason(CloseCode.Normal));
  }

  /** For the room: throws a `RequestError` if nothing can be asked of the server. */
  assertOpen() {
    if (this.#state === 'reconnecting') throw new RequestError('Closed', 'the connection is lost: wait until it is back');
    if (this.#ended === undefined) return;
    const { code, reason, retryAfterMs } = this.#ended;
    throw Object.assign(new RequestError('Closed', `the connection is over (${reason}): connect anew`), { code, retryAfterMs });
  }

  /** For the room: the player goes. @param {Room<G>} room */
  leave(room) {
    if (room !== this.#room || this.#state === 'closed') return;
    if (this.#state === 'reconnecting') return this.#leaveAway();
    if (this.#session.room?.leaving) return;
    this.#session.leave();
    this.#oweAnswer();
    this.pump();
  }

  /** For the room: does what is due, sends what waits, sets the timer anew. */
  pump() {
    if (this.#state === 'closed' || this.#socket === undefined) return;
    const nowMs = this.now();
    const isFrozen = nowMs - this.#turnMs > FROZEN_MS;
    this.#turnMs = nowMs;
    try {
      if (!this.#checkSilence(nowMs, isFrozen)) return;
      this.#session.handleTimeout(nowMs);
      if (this.#state === 'open') this.#room?.onTime(nowMs, this.#socket?.backlog ?? 0);
    } catch (error) {
      report('client', error);
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
    this.assertOpen();
    if (this.#session.state !== 'Lobby') throw new RequestError('NotNow', 'only possible in the lobby: leave the room first');
    return this.#requests.add(message());
  }

  /** @param {Uint8Array} message */
  #sendRequest(message) {
    this.#session.lobbyRequest(message);
    this.#oweAnswer();
    this.pump();
  }

  #oweAnswer() {
    this.#answerDueMs = this.now() + ANSWER_MAX_MS;
    this.#isAnswerExcused = false;
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
    const session = this.#session;
    this.#pulse.hear(nowMs);
    try {
      if (bytes === undefined) session.fail('a text message');
      else session.handleMessage(bytes, nowMs);
    } catch (error) {
      // A mistake of ours: the connection ends, rather than going deaf.
      report('client', error);
      session.fail(`this client failed: ${/** @type {Error} */ (error).message}`);
    }
    while (this.#state !== 'closed' && session === this.#session) {
      const event = session.pollEvent();
      if (event === undefined) break;
      try {
        this.#onEvent(event, nowMs);
      } catch (error) {
        // What follows it is not lost with it.
        report('client', error);
      }
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
        this.#seat.who = event.token || this.#seat.who;
        // The answer about the seat follows.
        if (!this.#isAsking) this.#arrive(undefined);
        break;
      case 'Rooms':
        this.#answered();
        this.#requests.resolve(event.rooms);
        break;
      case 'Joined': {
        if (this.#seat.isLeft) {
          this.#session.leave();
          this.#oweAnswer();
          break;
        }
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
        this.#answered();
        this.#requests.resolve(room);
        break;
      }
      case 'ResumeToken':
        this.#seat.renew(event.token, event.graceMs);
        break;
      case 'Left': {
        const room = this.#room;
        const { isLeft } = this.#seat;
        this.#answered();
        this.#seat.drop();
        // Nobody's before the page hears of it, which may leave it once more.
        this.#room = undefined;
        if (isLeft) this.#arrive(undefined);
        else room?.onEvent(event, nowMs);
        break;
      }
      case 'Refused':
        if (this.#isAsking) this.#seatRefused(event.reason);
        else if (this.#room !== undefined) this.#room.onEvent(event, nowMs);
        // To what was asked of a room from which `Left` was on its way: it answers none of the lobby's requests.
        else if (event.reason !== 'NotInRoom') {
          this.#answered();
          this.#requests.reject(new RequestError(event.reason));
        }
        break;
      case 'Pong':
        if (this.#pulse.pong(event.nonce, nowMs)) this.#session.onRoundTrip(this.rttMs);
        break;
      case 'Stopping':
        this.#retryAfterMs = event.retryAfterMs;
        this.emit('stopping', { retryAfterMs: event.retryAfterMs });
        break;
      case 'Failed':
        this.#seat.drop();
        this.#hangUp(event.closeWith, event.code, `protocol error: ${event.reason}`);
        break;
      default:
        this.#room?.onEvent(event, nowMs);
    }
  }

  /** The lobby owes nothing for now. */
  #answered() {
    this.#answerDueMs = Infinity;
  }

  /**
   * Gives up on a server that has been silent for too long, or does not answer.
   * @param {number} nowMs
   * @param {boolean} isFrozen
   * @returns {boolean} whether it is still there
   */
  #checkSilence(nowMs, isFrozen) {
    if (isFrozen) this.#pulse.excuse(nowMs);
    if (isFrozen && this.#answerDueMs <= nowMs && !this.#isAnswerExcused) {
      this.#isAnswerExcused = true;
      this.#answerDueMs = nowMs + PROBE_MAX_MS;
    }
    if (this.#state !== 'open') {
      if (this.#pulse.isSilent(nowMs)) return this.#goneSilent('no welcome from the server');
    } else if (!this.#pulse.check(this.#session, nowMs)) {
      return this.#goneSilent('the server went silent');
    }
    return this.#answerDueMs > nowMs || this.#goneSilent('the server does not answer');
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
    this.#bidFarewell();
    if (closeWith === CloseCode.Normal) this.#seat.drop();
    this.#socket?.close(closeWith, closeReason(closeWith));
    this.#end(code, reason);
  }

  /** The link ends: who has left a seat that the server does not know of yet says so all the same. */
  #bidFarewell() {
    // On an open socket the goodbye says it.
    const { farewell } = this.#seat;
    if (farewell === undefined || (this.#socket !== undefined && this.#isSocketOpen)) return;
    const { url, name, WebSocket } = this.#options;
    bidFarewell({ url, name, WebSocket, ...farewell });
  }

  /** @returns {Session} over a new socket, on which the seat is asked for if there is one */
  #open() {
    const { url, name, WebSocket, conditions } = this.#options;
    this.#turnMs = this.now();
    this.#seat.expire(this.#turnMs);
    const { token, who } = this.#seat;
    const seat = token === '' ? undefined : { token, seen: this.#seen };
    this.#isAsking = seat !== undefined;
    this.#askUntilMs = this.#turnMs + SEAT_ASKED_FOR_MS;
    this.#pulse.hear(this.#turnMs);
    this.#oweAnswer();
    this.#isSocketOpen = false;
    this.#socket = new Socket(url, WebSocket, conditions, {
      onOpen: () => this.#onOpen(),
      onMessage: (bytes) => this.#onMessage(bytes),
      onClose: (code, reason) => this.#lose(code, reason || closeReason(code)),
    });
    return new Session(name, who, seat);
  }

  get #seen() {
    return this.#room?.seen ?? { chat: 0, tick: 0 };
  }

  /** The server may still be there: it is not told goodbye, which would give the seat up.
   * @param {string} reason @returns {false} */
  #goneSilent(reason) {
    this.#socket?.close(CloseCode.Stalled, closeReason(CloseCode.Stalled));
    this.#lose(1006, reason);
    return false;
  }

  /**
   * The page that plays is gone, as by a reload: where it keeps its seat the next one comes back to it, so the server is
   * not told goodbye.
   */
  #abort() {
    if (this.#state === 'closed') return;
    const { isKept } = this.#seat;
    const code = isKept ? CloseCode.Stalled : CloseCode.Normal;
    this.#bidFarewell();
    if (!isKept) this.#seat.drop();
    this.#socket?.close(code, closeReason(code));
    this.#end(CloseCode.Normal, 'aborted by the page', { error: this.#options.signal?.reason });
  }

  /** The player left while the connection is away: to the page they are gone, the server is told as soon as there is a way. */
  #leaveAway() {
    const room = this.#room;
    this.#room = undefined;
    this.#seat.leave(this.now());
    room?.onLeft('Asked');
  }

  /** The connection is there, in the lobby or in the seat. @param {Room<G> | undefined} room */
  #arrive(room) {
    this.#answered();
    const isBack = this.#state === 'reconnecting';
    const before = this.#room;
    this.#room = room;
    this.#state = 'open';
    this.#isAsking = false;
    this.#backoff = undefined;
    this.#retryAfterMs = undefined;
    this.#welcomed?.resolve();
    this.#welcomed = undefined;
    if (isBack) this.emit('resumed', { room });
    if (before !== room) before?.onLeft('SeatLost');
  }

  /** @param {import('./types.js').Refusal} reason why the seat could not be taken */
  #seatRefused(reason) {
    const isLater = reason === 'Busy' || reason === 'TooOften';
    if (!isLater || this.now() >= this.#askUntilMs) {
      this.#seat.drop();
      return this.#arrive(undefined);
    }
    this.#answered();
    const session = this.#session;
    this.#askTimer = setTimeout(() => {
      if (session !== this.#session || session.state !== 'Lobby') return;
      this.#sendRequest(client.resume(this.#seat.token, this.#seen));
    }, RECONNECT_DELAY_MS * (1 + Math.random()));
  }

  /** The socket is gone: another try, or the end. @param {number} code @param {string} reason @returns {void} */
  #lose(code, reason) {
    if (this.#state === 'closed') return;
    this.#socket = undefined;
    if (code === CloseCode.Unauthorised && this.#seat.forget()) return this.#reopen();
    const nowMs = this.now();
    const isFirst = this.#state === 'open';
    if (isFirst) this.#backoff = new Backoff(nowMs);
    // A server that is full now may have a place for who comes back.
    const isOver = isFinal(code) || !this.#options.reconnect;
    const delayMs = isOver ? undefined : this.#backoff?.next(nowMs, isFirst ? this.#retryAfterMs : undefined);
    if (isFinal(code)) this.#seat.drop();
    if (delayMs === undefined) return this.#end(code, reason);
    this.#state = 'reconnecting';
    this.#session.end();
    this.#answered();
    clearTimeout(this.#timer);
    clearTimeout(this.#askTimer);
    if (isFirst) {
      this.#rejectAll(new RequestError('Closed', 'the connection was lost'));
      // Who was about to leave does not come back; whether the server heard of it nobody knows.
      if (this.#session.room?.leaving) this.#leaveAway();
      else this.#room?.onLost();
      // A listener may have closed the link.
      if (this.#ended !== undefined) return;
    }
    this.#timer = setTimeout(() => this.#retry(), delayMs);
    this.emit('reconnecting', { attempt: this.#backoff?.attempt ?? 1, delayMs, code, reason });
  }

  #retry() {
    if (this.#state === 'reconnecting' && this.#socket === undefined) this.#reopen();
  }

  /** @returns {void} */
  #reopen() {
    clearTimeout(this.#timer);
    try {
      this.#session = this.#open();
    } catch (error) {
      return this.#lose(1006, /** @type {Error} */ (error).message);
    }
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
    this.#requests.fail(error);
    this.#pulse.fail(error);
  }

  /** What outlives no link: its place in the page's storage is free, and it listens to nothing. */
  #release() {
    this.#seat.release();
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#stopWaking();
  }

  /**
   * The connection is over: everything that waits fails.
   * @param {number} code
   * @param {string} reason
   * @param {{ error: unknown }} [aborted] what `connect` rejects with then
   */
  #end(code, reason, aborted) {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#timer);
    clearTimeout(this.#askTimer);
    this.#session?.end();
    const info = { code, reason, retryAfterMs: this.#retryAfterMs };
    this.#ended = info;
    const why = this.#welcomed === undefined ? reason : whyNotConnected(code, reason, this.#options.url);
    const error = Object.assign(new RequestError('Closed', why), { code, retryAfterMs: this.#retryAfterMs });
    this.#rejectAll(error);
    this.#release();
    this.#welcomed?.reject(aborted === undefined ? error : aborted.error);
    this.#welcomed = undefined;
    this.#room?.onClose(info);
    this.emit('close', info);
  }
}
