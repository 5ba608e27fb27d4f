/**
 * A link's connections, one after the other: where each goes, when a lost one is tried again, and
 * whether the player has arrived on it. Owned by `link.js`, which hears of it and tells the page;
 * what one connection does while it lasts is `connection.js`'s, what is asked for first on it
 * `way_back.js`'s.
 */

import { Connection, now } from './connection.js';
import { giveUpSeat, takeLeftSeat } from './give_up_seat.js';
import { Heartbeat } from './heartbeat.js';
import { knownGame, rememberGame } from './known_games.js';
import { RECONNECT_DELAY_MS } from './limits.js';
import { CloseCode, LOST, isFinal } from './protocol/close_code.js';
import { Prepared } from './prepared.js';
import { Backoff } from './reconnect.js';
import { Redirection } from './redirect.js';
import { Session } from './session.js';
import { Socket } from './socket.js';
import { Upgrade } from './upgrade.js';
import { onWake } from './wake.js';
import { WayBack } from './way_back.js';

/** @typedef {import('./session.js').SessionEvent} SessionEvent */

/**
 * What `connect` makes a link of.
 * @typedef {object} LinkOptions
 * @property {import('./doors.js').Doors} doors
 * @property {string} game empty for the server's only one, or its first
 * @property {string} name
 * @property {string} token
 * @property {Record<string, any> | undefined} player what the player brings to every room
 * @property {import('./ways/way.js').OpenWay} open
 * @property {import('./ways/way.js').Fallback} [transports] with what is tried behind it
 * @property {import('./conditions.js').Conditions} conditions
 * @property {boolean} reconnect
 * @property {import('./keeper.js').Keeper | undefined} keeper
 * @property {AbortSignal | undefined} signal
 * @property {boolean} followParty
 */

/**
 * A connection that is gone.
 * @typedef {object} Loss
 * @property {number} code
 * @property {string} reason
 * @property {boolean} isFirst whether the player was there: not one of the tries to come back
 * @property {boolean} isLeaving whether they were about to leave the room
 * @property {number} attempt to come back, 1 for the first
 * @property {number | undefined} delayMs until then; undefined: there is none
 */

/**
 * Whoever has them.
 * @typedef {object} Listener
 * @property {(event: SessionEvent, nowMs: number, connection: Connection) => void} onEvent
 * @property {(nowMs: number, backlog: number) => void} onTime as a connection's
 * @property {() => number} dueMs as a connection's
 * @property {(loss: Loss) => void} onLost it may end them
 * @property {() => import('./room.js').Room<any> | undefined} room that there is to come back to
 * @property {() => boolean} isQuiet whether nothing is waited for that a move would lose
 * @property {(connection: Connection, kept: SessionEvent[]) => void} onMoved another connection has
 *   taken over, on which these were said
 */

/** See the module's description. */
export class Connections {
  /** @type {'connecting' | 'open' | 'reconnecting' | 'closed'} */
  state = 'connecting';
  /** @type {Connection | undefined} none between two tries */
  current;
  heartbeat = new Heartbeat(now());
  redirection;
  prepared;
  wayBack;
  /** @type {number | undefined} when the server said to come back, if it stops */
  retryAfterMs;
  #options;
  #seat;
  #listener;
  /** The current one is on a socket that was prepared. */
  #isPrepared = false;
  /** Where the current one goes. */
  #url = '';
  /** @type {Backoff | undefined} while the connection is lost */
  #backoff;
  /**
   * @type {ReturnType<typeof setTimeout> | undefined} until the next try, or until the seat is
   *   asked for again
   */
  #timer;
  #stopWaking = onWake(() => this.#wake());
  #upgrade = new Upgrade({
    isWanted: () => this.#options.transports?.behind !== undefined && this.state === 'open' && this.current !== undefined && this.current.transport !== 'websocket',
    isQuiet: () => this.#isQuiet,
    isVisible: () => globalThis.document?.hidden !== true && globalThis.navigator?.onLine !== false,
    open: () => this.#openBehind(),
    current: () => this.current,
    request: () => (this.current?.session.room === undefined ? undefined : this.wayBack.again(this.#listener.room())),
    onToken: (token, graceMs) => this.#seat.renew(token, graceMs),
    move: (connection, kept) => this.#move(connection, kept),
    onLost: () => this.#lose(LOST, 'the connection that was to take over was lost'),
  });

  /**
   * @param {LinkOptions} options
   * @param {import('./seat.js').Seat} seat
   * @param {Listener} listener
   */
  constructor(options, seat, listener) {
    this.#options = options;
    this.#seat = seat;
    this.#listener = listener;
    this.redirection = new Redirection(options.doors);
    this.prepared = new Prepared((url, handlers) => new Socket(url, options.open, options.conditions, handlers));
    this.wayBack = new WayBack(seat, this.redirection);
    seat.adopt(takeLeftSeat(options, seat.who));
  }

  /** Makes the first one. Throws a `RequestError` when there is nothing to connect to. */
  start() {
    for (;;) {
      try {
        return this.#open();
      } catch (error) {
        this.redirection.lost(/** @type {Error} */ (error).message);
        if (!this.redirection.isUntried) throw error;
      }
    }
  }

  #open() {
    const { url, token, seat, request } = this.wayBack.begin(now(), this.#listener.room());
    this.#url = url;
    const { name, game } = this.#options;
    const session = new Session(name, token, seat, { game, known: knownGame(this.#place), request });
    const socket = this.redirection.isUnderWay ? this.prepared.take(url) : undefined;
    this.#isPrepared = socket !== undefined;
    /** @type {Connection} */
    const connection = new Connection({ ...this.#options, url, socket }, session, this.heartbeat, {
      onEvent: (event, nowMs) => this.#listener.onEvent(event, nowMs, connection),
      onTime: (nowMs, backlog) => this.#listener.onTime(nowMs, backlog),
      dueMs: () => this.#listener.dueMs(),
      onLost: (code, reason) => this.#lose(code, reason),
    });
    this.current = connection;
  }

  /** A WebSocket beside the one that runs, to where that goes. @returns {Connection} */
  #openBehind() {
    const { name, game, conditions, transports } = this.#options;
    const open = transports?.behind;
    if (open === undefined) throw new Error('there is nothing to try');
    const session = new Session(name, this.#seat.who, undefined, { game, known: knownGame(this.#place) });
    /** @type {Connection | undefined} */
    let made;
    const isTaken = () => made !== undefined && this.current === made;
    /** @type {Connection} */
    const connection = new Connection({ url: this.#url, open, conditions }, session, new Heartbeat(now()), {
      onEvent: (event, nowMs) => (isTaken() ? this.#listener.onEvent(event, nowMs, connection) : this.#upgrade.onEvent(event)),
      onTime: (nowMs, backlog) => {
        if (isTaken()) this.#listener.onTime(nowMs, backlog);
      },
      dueMs: () => (isTaken() ? this.#listener.dueMs() : Infinity),
      onLost: (code, reason) => (isTaken() ? this.#lose(code, reason) : this.#upgrade.fail()),
    });
    made = connection;
    return connection;
  }

  /** @param {Connection} connection that takes over @param {SessionEvent[]} kept */
  #move(connection, kept) {
    const { current: before } = this;
    if (before === undefined) return connection.close(CloseCode.Stalled);
    this.prepared.drop();
    this.#isPrepared = false;
    this.current = connection;
    connection.takeOver(before);
    this.heartbeat = connection.heartbeat;
    this.#options.transports?.tookOver();
    if (connection.session.welcome !== undefined) this.welcomed(connection.session.welcome);
    this.#listener.onMoved(connection, kept);
    connection.pump();
  }

  /** Where there is a room its seat must be one to come back to. */
  get #isQuiet() {
    const room = this.#listener.room();
    const isThere = this.state === 'open' && !this.wayBack.isAsking && !this.redirection.isUnderWay && this.retryAfterMs === undefined;
    const isMovable = room === undefined || room.spectating || (this.#seat.token !== '' && this.#seat.left === undefined);
    return isThere && isMovable && this.#listener.isQuiet();
  }

  /** The server has said of its game. @param {import('./session.js').Known} welcome */
  welcomed(welcome) {
    rememberGame(this.#place, welcome);
    this.#seat.who = welcome.token || this.#seat.who;
  }

  /** The player is there, in the lobby or in the seat. @returns {boolean} whether they are back */
  arrive() {
    const isBack = this.state === 'reconnecting';
    this.current?.arrive();
    this.redirection.arrived();
    this.wayBack.isAsking = false;
    this.state = 'open';
    this.#backoff = undefined;
    this.retryAfterMs = undefined;
    this.#upgrade.begin();
    return isBack;
  }

  /**
   * The server sends the player elsewhere: the current one is over. The next, with the ticket, is
   * for `reopen`.
   * @param {import('./redirect.js').Redirect} redirect
   * @param {number} nowMs
   * @returns {boolean} false if that was once too often
   */
  follow(redirect, nowMs) {
    if (!this.redirection.begin(redirect, nowMs)) return false;
    this.#upgrade.end();
    this.current?.close(CloseCode.Normal);
    this.current = undefined;
    clearTimeout(this.#timer);
    this.#backoff = new Backoff(nowMs);
    if (this.state !== 'connecting') this.state = 'reconnecting';
    return true;
  }

  /** The next one, now. */
  reopen() {
    clearTimeout(this.#timer);
    try {
      this.#open();
    } catch (error) {
      this.#lose(LOST, /** @type {Error} */ (error).message);
    }
  }

  /**
   * The seat, or the room to look on at, was refused.
   * @param {import('./types.js').Refusal} reason
   * @returns {boolean} whether it is asked for again, in a while
   */
  askLater(reason) {
    if (!this.wayBack.isLater(reason, now())) return false;
    this.current?.answered();
    this.#timer = setTimeout(() => {
      if (this.current?.session.state !== 'Lobby') return;
      this.current.request(this.wayBack.again(this.#listener.room()));
    }, RECONNECT_DELAY_MS * (1 + Math.random()));
    return true;
  }

  /** They end: the server hears all the same of a seat that was left. */
  giveUpLater() {
    // On an open socket the goodbye says it.
    const { left } = this.#seat;
    if (left !== undefined && this.current?.isOpen !== true) giveUpSeat({ ...this.#options, redirection: this.redirection }, left);
  }

  /** There is none any more, nor will there be. */
  end() {
    this.state = 'closed';
    clearTimeout(this.#timer);
    this.prepared.drop();
    this.#upgrade.end();
    this.#stopWaking();
  }

  /** Whose game it is. */
  get #place() {
    return `${this.#options.doors.name} ${this.#options.game}`;
  }

  /**
   * The current one is gone: another try, or the end.
   * @param {number} code
   * @param {string} reason
   * @returns {void}
   */
  #lose(code, reason) {
    if (this.state === 'closed' || this.#upgrade.covers()) return;
    this.#upgrade.end();
    const isLeaving = this.current?.session.room?.leaving === true;
    // It may have waited for too long, or never have opened: as if there had been none.
    const isStale = this.#isPrepared && this.current?.session.welcome === undefined && (!isFinal(code) || code === CloseCode.Normal);
    this.current = undefined;
    clearTimeout(this.#timer);
    this.prepared.drop();
    if (isStale) return this.reopen();
    const isFollowing = this.redirection.isUnderWay;
    if (code === CloseCode.Unauthorised && !isFollowing && this.#seat.forget()) return this.reopen();
    this.redirection.lost(reason, code === CloseCode.Restart || this.retryAfterMs !== undefined);
    const { isUntried } = this.redirection;
    // There is nothing to come back to yet: each door is tried once.
    if (this.state === 'connecting' && this.#backoff === undefined && isUntried && !isFinal(code)) return this.reopen();
    const nowMs = now();
    const isFirst = this.state === 'open';
    if (isFirst) this.#backoff = new Backoff(nowMs);
    // A server that is full now may have a place for who comes back.
    const isOver = isFinal(code) || !this.#options.reconnect;
    // Where there are other doors nobody waits for the one that stops.
    const retryAfterMs = isFirst && this.#options.doors.count === 1 ? this.retryAfterMs : undefined;
    const delayMs = isOver ? undefined : this.#backoff?.next(nowMs, retryAfterMs, isUntried);
    this.state = 'reconnecting';
    if (delayMs !== undefined) this.#timer = setTimeout(() => this.#retry(), delayMs);
    this.#listener.onLost({ code, reason, isFirst, isLeaving, attempt: this.#backoff?.attempt ?? 1, delayMs });
  }

  #retry() {
    if (this.state === 'reconnecting' && this.current === undefined) this.reopen();
  }

  /** What is open may be dead, or the way to the server free again. */
  #wake() {
    this.#retry();
    if (this.state === 'open') this.current?.probe();
    // Nobody would notice it.
    this.prepared.drop();
  }
}
