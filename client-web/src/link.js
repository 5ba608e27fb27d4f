/**
 * The way to a server as a page uses it: the lobby's requests as promises, its end as an event. A
 * lost connection is replaced by another, on which the player takes the seat again: the room stays
 * the same object. What one connection does while it lasts is `connection.js`'s.
 *
 * **Every promise settles.** What waits for an answer rejects when the connection is lost or over.
 * What is asked for meanwhile rejects at once.
 *
 * **A seat that is left while nobody can be told** is free to the page at once. The server hears of
 * it on the next connection, if it still holds the seat by then: that takes the seat and leaves it,
 * before anything else. If the page closes the link before, `give_up_seat.js` does.
 */

import { Connection, now } from './connection.js';
import { Emitter } from './emitter.js';
import { giveUpSeat, takeLeftSeat } from './give_up_seat.js';
import { RECONNECT_DELAY_MS } from './limits.js';
import * as client from './protocol/client_message.js';
import { CloseCode, closeReason, isFinal, whyNotConnected } from './protocol/close_code.js';
import { Heartbeat } from './heartbeat.js';
import { knownGame, rememberGame } from './known_games.js';
import { Backoff } from './reconnect.js';
import { isCurrent, reloadOnce } from './outdated.js';
import { Redirection } from './redirect.js';
import { RequestError } from './request_error.js';
import { Requests } from './requests.js';
import { conditionsOf, packOptions } from './session/options.js';
import { Room } from './room.js';
import { Seat } from './seat.js';
import { Session } from './session.js';
import { onWake } from './wake.js';
import { WayBack } from './way_back.js';

/** @typedef {import('./session.js').SessionEvent} SessionEvent */

/**
 * For `connect`.
 * @typedef {object} LinkOptions
 * @property {string} url
 * @property {string} game empty for the server's only one, or its first
 * @property {string} name
 * @property {string} token
 * @property {Record<string, any> | undefined} player what the player brings to every room
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
  /** @type {Connection | undefined} none between two tries */
  #connection;
  /** @type {'connecting' | 'open' | 'reconnecting' | 'closed'} */
  #state = 'connecting';
  /** What there is to come back to. */
  #seat;
  /** @type {Backoff | undefined} while the connection is lost */
  #backoff;
  /** @type {Room<G> | undefined} */
  #room;
  #requests = new Requests((message) => this.#connection?.request(message));
  #redirection;
  #wayBack;
  /** @type {import('./session.js').Known | undefined} */
  #lastWelcome;
  /**
   * @type {{ resolve: () => void, reject: (error: unknown) => void } | undefined} settle the
   *   promise of `connect`
   */
  #welcomed;
  #heartbeat = new Heartbeat(now());
  #stopWaking = onWake(() => this.#wake());
  /** @type {number | undefined} */
  #retryAfterMs;
  /** @type {import('./types.js').CloseInfo | undefined} how it ended */
  #ended;
  /**
   * @type {ReturnType<typeof setTimeout> | undefined} until the next try, or until the seat is
   *   asked for again
   */
  #timer;
  /**
   * The page that plays is gone, as by a reload: where it keeps its seat the next one comes back to
   * it, so the server is not told goodbye.
   */
  #onAbort = () => {
    const closeWith = this.#seat.isKept ? CloseCode.Stalled : CloseCode.Normal;
    this.#hangUp(closeWith, CloseCode.Normal, 'aborted by the page', { error: this.#options.signal?.reason });
  };

  /**
   * For `connect`. Throws a `RequestError` when there is nothing to connect to.
   * @param {LinkOptions} options `signal` is not aborted yet
   * @param {{ resolve: () => void, reject: (error: unknown) => void }} welcomed one of them is
   *   called, once
   */
  constructor(options, welcomed) {
    super();
    this.#options = options;
    this.#welcomed = welcomed;
    this.#redirection = new Redirection(options.url);
    this.#seat = new Seat(options.keeper, options.token);
    this.#wayBack = new WayBack(this.#seat, this.#redirection);
    this.#seat.adopt(takeLeftSeat(options, this.#seat.who));
    try {
      this.#open();
    } catch (error) {
      this.#giveUpLater();
      this.#release();
      throw error;
    }
    options.signal?.addEventListener('abort', this.#onAbort);
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
    return this.#heartbeat.rttMs;
  }

  /**
   * How much worse than it is the link is made, for trying things out; undefined for not at all.
   * May be set at any time.
   * @returns {import('./types.js').LinkConditions | undefined}
   */
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

  /**
   * @param {{ filter?: import('./types.js').Filter<G> }} [options] `filter`: only those whose
   *   metadata is so
   * @returns {Promise<import('./types.js').RoomInfo<G>[]>} the rooms that anyone may join
   */
  rooms(options) {
    return this.#request(() => client.listRooms(conditionsOf(this.schema.metadata, options?.filter)));
  }

  /**
   * Makes a room and joins it.
   * @param {import('./types.js').CreateOptions<G>} [options]
   * @returns {Promise<Room<G>>}
   */
  create(options) {
    return this.#ask(options, (who) => {
      const { name, private: isPrivate, seats, kicks, orJoin, options: chosen } = options ?? {};
      const packed = packOptions('room', this.schema.roomOptions, chosen);
      return client.createRoom({ name, isPrivate, seats, kicks, orJoin, options: packed, player: who.options });
    });
  }

  /**
   * @param {number} id of a listed room
   * @param {import('./types.js').JoinAs<G>} [as]
   * @returns {Promise<Room<G>>}
   */
  joinRoom(id, as) {
    return this.#ask(as, (who) => client.joinRoom(id, who));
  }

  /**
   * @param {string} code of a room, private or not
   * @param {import('./types.js').JoinAs<G>} [as]
   * @returns {Promise<Room<G>>}
   */
  joinCode(code, as) {
    return this.#ask(as, (who) => client.joinCode(code, who));
  }

  /**
   * Joins a room with a seat whose host may not kick, or a new one. Who only looks on is led to
   * where most play, and makes none.
   * @param {import('./types.js').QuickJoinOptions<G>} [options]
   * @returns {Promise<Room<G>>}
   */
  quickJoin(options) {
    return this.#ask(options, (who) => {
      const conditions = conditionsOf(this.schema.metadata, options?.filter);
      return client.quickJoin(conditions, who, packOptions('room', this.schema.roomOptions, options?.options));
    });
  }

  /** @returns {Promise<number>} the round trip in milliseconds */
  async ping() {
    return this.#there.ping();
  }

  /**
   * Says goodbye: the seat is given up, and everything that waits rejects. May be called in any
   * state, more than once. While the connection is away the server is told of a seat that was left
   * before, and holds any other until its time is over.
   */
  close() {
    this.#hangUp(CloseCode.Normal, CloseCode.Normal, closeReason(CloseCode.Normal));
  }

  /** For the room: throws a `RequestError` if nothing can be asked of the server. */
  assertOpen() {
    void this.#there;
  }

  /** The connection. Throws a `RequestError` while it is lost, and when it is over. */
  get #there() {
    if (this.#ended === undefined && this.#connection !== undefined && this.#state !== 'reconnecting') return this.#connection;
    if (this.#ended === undefined) throw new RequestError('Closed', 'the connection is lost: wait until it is back');
    const { code, reason, retryAfterMs } = this.#ended;
    throw Object.assign(new RequestError('Closed', `the connection is over (${reason}): connect anew`), { code, retryAfterMs });
  }

  /** For the room: the player goes. @param {Room<G>} room */
  leave(room) {
    if (room !== this.#room || this.#state === 'closed') return;
    if (this.#state === 'reconnecting') return this.#leaveAway();
    this.#connection?.leave();
  }

  /** For the room: does what is due, sends what waits. */
  pump() {
    this.#connection?.pump();
  }

  /**
   * @param {() => Uint8Array} message may throw on what cannot be said
   * @returns {Promise<any>}
   */
  async #request(message) {
    this.#assertLobby();
    return this.#requests.add(message());
  }

  /**
   * Asks for a room.
   * @param {import('./types.js').JoinAs<G> | undefined} as what the page says of it
   * @param {(who: import('./protocol/client_message.js').JoinAs) => Uint8Array} message as above
   * @returns {Promise<Room<G>>}
   */
  async #ask(as, message) {
    this.#assertLobby();
    const options = packOptions('player', this.schema.playerOptions, as?.player ?? this.#options.player);
    const who = { spectator: as?.spectate === true, options };
    return this.#requests.add(message(who), who);
  }

  #assertLobby() {
    const { session } = this.#there;
    if (session.state !== 'Lobby') throw new RequestError('NotNow', 'only possible in the lobby: leave the room first');
  }

  /**
   * Of the connection's session.
   * @param {SessionEvent} event
   * @param {number} nowMs
   * @param {Connection} connection
   */
  #onEvent(event, nowMs, connection) {
    switch (event.type) {
      case 'Welcome':
        this.#lastWelcome = event;
        rememberGame(this.#place, event);
        isCurrent();
        this.#seat.who = event.token || this.#seat.who;
        // The answer about the seat follows.
        if (this.#wayBack.isAsking) break;
        this.#arrive(undefined);
        // It was sent to a server that could not be reached.
        if (this.#requests.who !== undefined) this.#requests.reject(new RequestError('Closed', `the server of that room could not be reached: ${this.#redirection.why}`));
        break;
      case 'Rooms':
        connection.answered();
        this.#requests.resolve(event.rooms);
        break;
      case 'Joined':
        if (this.#seat.left !== undefined) {
          connection.leave();
        } else if (this.#wayBack.isAsking) {
          this.#room?.onResumed(connection.session);
          this.#arrive(this.#room ?? new Room(this, connection.session));
        } else {
          this.#room = new Room(this, connection.session);
          connection.answered();
        }
        // What asked for it may have been said to a server that sent the link here.
        if (this.#requests.who !== undefined) {
          this.#wayBack.who = this.#requests.who;
          this.#requests.resolve(this.#room);
        }
        break;
      case 'Redirect':
        this.#follow(event, nowMs);
        break;
      case 'ResumeToken':
        this.#seat.renew(event.token, event.graceMs);
        break;
      case 'Left': {
        const room = this.#room;
        const { left } = this.#seat;
        connection.answered();
        this.#seat.drop();
        // Nobody's before the page hears of it, which may leave it once more.
        this.#room = undefined;
        if (left !== undefined) this.#arrive(undefined);
        else room?.onEvent(event, nowMs);
        break;
      }
      case 'Refused':
        if (this.#wayBack.isAsking) this.#seatRefused(event.reason);
        else if (this.#room !== undefined) this.#room.onEvent(event, nowMs);
        // To what was asked of a room from which `Left` was on its way: it answers none of the
        // lobby's requests.
        else if (event.reason !== 'NotInRoom') {
          connection.answered();
          this.#requests.reject(new RequestError(event.reason));
        }
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

  /**
   * Closes the connection from here.
   * @param {number} closeWith what the server is told
   * @param {number} code what the page is told
   * @param {string} reason
   * @param {{ error: unknown }} [aborted] what `connect` rejects with then
   */
  #hangUp(closeWith, code, reason, aborted) {
    if (this.#state === 'closed') return;
    this.#giveUpLater();
    if (closeWith === CloseCode.Normal) this.#seat.drop();
    this.#connection?.close(closeWith);
    this.#end(code, reason, aborted);
  }

  /** The link ends: the server hears all the same of a seat that was left. */
  #giveUpLater() {
    // On an open socket the goodbye says it.
    const { left } = this.#seat;
    if (left !== undefined && this.#connection?.isOpen !== true) giveUpSeat({ ...this.#options, url: this.#redirection.url }, left);
  }

  /** Makes a new connection. */
  #open() {
    const { url, token, seat, request } = this.#wayBack.begin(now(), this.#backoff?.attempt ?? 1, this.#room);
    const { name, game } = this.#options;
    const session = new Session(name, token, seat, { game, known: knownGame(this.#place), request });
    /** @type {Connection} */
    const connection = new Connection({ ...this.#options, url }, session, this.#heartbeat, {
      onEvent: (event, eventMs) => this.#onEvent(event, eventMs, connection),
      onTime: (timeMs, backlog) => this.#room?.onTime(timeMs, backlog),
      dueMs: () => this.#room?.dueMs ?? Infinity,
      onLost: (code, reason) => this.#lose(code, reason),
    });
    this.#connection = connection;
  }

  /** Whose game it is. */
  get #place() {
    return `${this.#redirection.url} ${this.#options.game}`;
  }

  /**
   * The player left while the connection is away: to the page they are gone, the server is told as
   * soon as there is a way.
   */
  #leaveAway() {
    const room = this.#room;
    this.#room = undefined;
    this.#seat.leave(now());
    room?.onLeft('Asked');
  }

  /**
   * The server sends the player elsewhere: the way there is a lost connection that is tried anew at
   * once, with the ticket. What was asked of a room is answered by nobody; a room that was asked
   * for is by the server there.
   * @param {import('./redirect.js').Redirect} redirect
   * @param {number} nowMs
   */
  #follow(redirect, nowMs) {
    const isFirst = this.#state === 'open';
    if (!this.#redirection.begin(redirect, nowMs)) {
      return this.#hangUp(CloseCode.OutOfOrder, CloseCode.Protocol, 'protocol error: redirected time and again without a room');
    }
    this.#connection?.close(CloseCode.Normal);
    this.#connection = undefined;
    clearTimeout(this.#timer);
    this.#backoff = new Backoff(nowMs);
    const error = new RequestError('Closed', 'the server sent this link elsewhere');
    this.#wayBack.who = this.#requests.follow(error) ?? this.#wayBack.who;
    this.#heartbeat.fail(error);
    if (this.#state !== 'connecting') this.#state = 'reconnecting';
    if (isFirst) this.#room?.onLost();
    this.emit('reconnecting', { attempt: 1, delayMs: 0, code: CloseCode.Normal, reason: 'redirected' });
    // A listener may have closed the link.
    if (this.#ended === undefined) this.#reopen();
  }

  /** The connection is there, in the lobby or in the seat. @param {Room<G> | undefined} room */
  #arrive(room) {
    this.#connection?.arrive();
    this.#redirection.arrived();
    const isBack = this.#state === 'reconnecting';
    const before = this.#room;
    this.#room = room;
    this.#state = 'open';
    this.#wayBack.isAsking = false;
    this.#backoff = undefined;
    this.#retryAfterMs = undefined;
    this.#welcomed?.resolve();
    this.#welcomed = undefined;
    if (isBack) this.emit('resumed', { room });
    if (before !== room) before?.onLeft('SeatLost');
  }

  /** @param {import('./types.js').Refusal} reason why the seat could not be taken */
  #seatRefused(reason) {
    if (!this.#wayBack.isLater(reason, now())) {
      this.#seat.drop();
      // What the page asks for when it hears of it has no answer yet.
      const isWaiting = this.#requests.who !== undefined;
      this.#arrive(undefined);
      if (isWaiting) this.#requests.reject(new RequestError(reason));
      return;
    }
    this.#connection?.answered();
    this.#timer = setTimeout(() => {
      if (this.#connection?.session.state !== 'Lobby') return;
      this.#connection.request(this.#wayBack.again(this.#room));
    }, RECONNECT_DELAY_MS * (1 + Math.random()));
  }

  /**
   * The connection is gone: another try, or the end.
   * @param {number} code
   * @param {string} reason
   * @returns {void}
   */
  #lose(code, reason) {
    if (this.#state === 'closed') return;
    const isLeaving = this.#connection?.session.room?.leaving === true;
    this.#connection = undefined;
    clearTimeout(this.#timer);
    const isFollowing = this.#redirection.isUnderWay;
    this.#redirection.failed(reason);
    if (code === CloseCode.Unauthorised && !isFollowing && this.#seat.forget()) return this.#reopen();
    const nowMs = now();
    const isFirst = this.#state === 'open';
    if (isFirst) this.#backoff = new Backoff(nowMs);
    // A server that is full now may have a place for who comes back.
    const isOver = isFinal(code) || !this.#options.reconnect;
    const delayMs = isOver ? undefined : this.#backoff?.next(nowMs, isFirst ? this.#retryAfterMs : undefined);
    this.#state = 'reconnecting';
    if (isFinal(code)) this.#seat.drop();
    // Who was about to leave does not come back; whether the server heard of it nobody knows.
    else if (isLeaving) this.#leaveAway();
    if (delayMs === undefined) {
      this.#giveUpLater();
      return this.#end(code, reason);
    }
    if (isFirst) {
      this.#rejectAll(new RequestError('Closed', 'the connection was lost'));
      this.#room?.onLost();
    }
    // A listener may have closed the link.
    if (this.#ended !== undefined) return;
    this.#timer = setTimeout(() => this.#retry(), delayMs);
    this.emit('reconnecting', { attempt: this.#backoff?.attempt ?? 1, delayMs, code, reason });
  }

  #retry() {
    if (this.#state === 'reconnecting' && this.#connection === undefined) this.#reopen();
  }

  /** @returns {void} */
  #reopen() {
    clearTimeout(this.#timer);
    try {
      this.#open();
    } catch (error) {
      this.#lose(1006, /** @type {Error} */ (error).message);
    }
  }

  /** The connection may be dead, or the way to the server free again. */
  #wake() {
    this.#retry();
    if (this.#state === 'open') this.#connection?.probe();
  }

  /** @param {Error} error for everything that waits */
  #rejectAll(error) {
    this.#requests.fail(error);
    this.#heartbeat.fail(error);
  }

  /** What outlives no link: its place in the page's storage is free, and it listens to nothing. */
  #release() {
    this.#options.keeper?.release();
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
    if (code === CloseCode.Version) reloadOnce();
  }
}

