/**
 * The way to a server as a page uses it: the lobby's requests as promises, its end as an event. A
 * lost connection is replaced by another (`connections.js`), on which the player takes the seat
 * again: the room stays the same object.
 *
 * **Every promise settles.** What waits for an answer rejects when the connection is lost or over.
 * What is asked for meanwhile rejects at once.
 *
 * **A seat that is left while nobody can be told** is free to the page at once. The server hears of
 * it on the next connection, if it still holds the seat by then: that takes the seat and leaves it,
 * before anything else. If the page closes the link before, it is told in the background.
 */

import { now } from './connection.js';
import { Connections } from './connections.js';
import { Emitter } from './emitter.js';
import { Lobby } from './lobby.js';
import { People } from './people.js';
import { Notices } from './notices.js';
import * as client from './protocol/client_message.js';
import { CloseCode, closeReason, isFinal, whyNotConnected } from './protocol/close_code.js';
import { Feature } from './protocol/frame.js';
import { isCurrent, reloadOnce } from './outdated.js';
import { Party } from './party.js';
import { Queue } from './queue.js';
import { RequestError } from './request_error.js';
import { Room } from './room.js';
import { Seat } from './seat.js';
import { Watching } from './watching.js';

/** @typedef {import('./session.js').SessionEvent} SessionEvent */

/**
 * See the module's description. Made by `connect`.
 * @template {import('./types.js').GameTypes} [G={}]
 */
export class Link extends Emitter {
  #options;
  #connections;
  /** What there is to come back to. */
  #seat;
  /** @type {Room<G> | undefined} */
  #room;
  #lobby;
  #notices = new Notices(
    (notice) => this.emit('notice', notice),
    (number) => this.#connections.current?.session.noticesSeen(number, now()),
  );
  #party;
  #people = new People({
    send: (message) => this.#sayBeyond(Feature.PEOPLE, message),
    hint: (message) => this.#sayBeyond(Feature.TALKS, message),
    assertOpen: () => this.#assertNotOver(),
    onDirect: (channel, line) => this.emit('direct', channel, line),
    onUnread: (unread) => this.emit('unread', unread),
    onBlocked: (peers) => this.emit('blocked', peers),
  });
  #watching = new Watching({
    send: (message) => this.#sayBeyond(Feature.WATCH, message),
    soon: () => void Promise.resolve().then(() => this.pump()),
    assertOpen: () => this.#assertNotOver(),
  });
  /** The wait in the queue that is not over. @type {Queue<G> | undefined} */
  #queue;
  /** What is brought to its match. @type {import('./types.js').JoinAs<G> | undefined} */
  #queueAs;
  /** @type {import('./session.js').Known | undefined} */
  #lastWelcome;
  /**
   * @type {{ resolve: () => void, reject: (error: unknown) => void } | undefined} settle the
   *   promise of `connect`
   */
  #welcomed;
  /** @type {import('./types.js').CloseInfo | undefined} how it ended */
  #ended;
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
   * @param {import('./connections.js').LinkOptions} options `signal` is not aborted yet
   * @param {{ resolve: () => void, reject: (error: unknown) => void }} welcomed one of them is
   *   called, once
   */
  constructor(options, welcomed) {
    super();
    this.#options = options;
    this.#welcomed = welcomed;
    this.#lobby = new Lobby(() => this.#there, options.player);
    this.#party = /** @type {Party<G>} */ (
      new Party(
        {
          send: (message) => this.#sayOfParty(message),
          chat: () => {
            const { party } = this.#people;
            this.pump();
            return party;
          },
          join: (room, as) => this.joinRoom(room, as),
          room: () => this.#room,
          waits: () => this.#queue !== undefined || this.#connections.wayBack.isAsking,
        },
        options.followParty,
      )
    );
    this.#seat = new Seat(options.keeper, options.token);
    this.#connections = new Connections(options, this.#seat, {
      onEvent: (event, nowMs, connection) => this.#onEvent(event, nowMs, connection),
      onTime: (nowMs, backlog) => {
        this.#people.onTime(nowMs);
        this.#watching.onTime(nowMs);
        this.#room?.onTime(nowMs, backlog);
      },
      dueMs: () => Math.min(this.#people.dueMs, this.#watching.dueMs, this.#room?.dueMs ?? Infinity),
      onLost: (loss) => this.#onLost(loss),
      room: () => this.#room,
      isQuiet: () => {
        /** @type {boolean} */
        const isAsking = this.#lobby.requests.isWaiting || this.#party.isAsking || this.#queue !== undefined;
        return !isAsking && this.#room?.isAsking !== true;
      },
      onMoved: (connection, kept) => this.#onMoved(connection, kept),
    });
    try {
      this.#connections.start();
    } catch (error) {
      this.#connections.giveUpLater();
      this.#release();
      throw error;
    }
    options.signal?.addEventListener('abort', this.#onAbort);
  }

  /**
   * Hears of `close`, `notice`, `direct`, `unread`, `blocked`, `queue`, `stopping`, `reconnecting` and
   * `resumed`.
   * @template {keyof import('./types.js').LinkEvents} N
   * @param {N} name
   * @param {(...args: import('./types.js').LinkEvents[N]) => void} listener
   * @returns {() => void} takes the listener away again
   */
  on(name, listener) {
    const off = super.on(name, listener);
    if (name === 'direct' || name === 'unread' || name === 'blocked') {
      this.#people.want();
      this.pump();
    }
    if (name === 'notice') {
      this.#notices.begin();
      this.pump();
    }
    return off;
  }

  /** @returns {'open' | 'reconnecting' | 'closed'} */
  get state() {
    const { state } = this.#connections;
    return state === 'connecting' ? 'open' : state;
  }

  /** The game. */
  get schema() {
    return this.#welcome.schema;
  }

  /** What the server allows. */
  get limits() {
    return this.#welcome.limits;
  }

  /**
   * What the server has besides rooms, which an older one may lack; another one may be there after a
   * lost connection.
   * @returns {import('./types.js').Offers}
   */
  get offers() {
    const { features } = this.#welcome;
    const has = (/** @type {number} */ feature) => (features & feature) !== 0;
    return { people: has(Feature.PEOPLE), talks: has(Feature.TALKS), watch: has(Feature.WATCH), lobby: has(Feature.LOBBY), parties: has(Feature.PARTIES), queue: has(Feature.QUEUE) };
  }

  /** The player's name as the server tidied it. */
  get name() {
    return this.#welcome.name;
  }

  /**
   * By what the player is themself next time, as `connect({ token })`, and where they stand on a
   * board: a secret. Another one after each time that the link connects.
   */
  get token() {
    return this.#seat.who;
  }

  /**
   * By what the connection goes: `'websocket'`, or `'stream'` or `'poll'` where that does not get
   * through; undefined while there is none.
   * @returns {import('./types.js').Transport | undefined}
   */
  get transport() {
    return this.#connections.current?.transport;
  }

  /** Round trip in milliseconds, newest measurement, 0 until known. */
  get rttMs() {
    return this.#connections.heartbeat.rttMs;
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
    return this.#lobby.rooms(options);
  }

  /**
   * Makes a room and joins it.
   * @param {import('./types.js').CreateOptions<G>} [options]
   * @returns {Promise<Room<G>>}
   */
  create(options) {
    return this.#lobby.create(options);
  }

  /**
   * @param {number} id of a listed room
   * @param {import('./types.js').JoinAs<G>} [as]
   * @returns {Promise<Room<G>>}
   */
  joinRoom(id, as) {
    return this.#lobby.joinRoom(id, as);
  }

  /**
   * @param {string} code of a room, private or not
   * @param {import('./types.js').JoinAs<G>} [as]
   * @returns {Promise<Room<G>>}
   */
  joinCode(code, as) {
    return this.#lobby.joinCode(code, as);
  }

  /**
   * Joins a room with a seat whose host may not kick, or a new one. Who only looks on is led to
   * where most play, and makes none.
   * @param {import('./types.js').QuickJoinOptions<G>} [options]
   * @returns {Promise<Room<G>>}
   */
  quickJoin(options) {
    return this.#lobby.quickJoin(options);
  }

  /**
   * Waits for a match in the lobby's queue. Throws a `RequestError` where that can't be asked: in a
   * room, while another wait goes on, of a server without a queue.
   * @param {string} mode one of the game's
   * @param {import('./types.js').QueueOptions<G>} [options]
   * @returns {Queue<G>} the wait, which ends in its `room`
   */
  queue(mode, { regions = [], player } = {}) {
    const there = this.#there;
    if (!this.offers.queue) throw new RequestError('NoSuchMode', 'the server has no queue');
    if (this.#queue !== undefined) throw new RequestError('NotNow', 'a wait goes on: cancel it first');
    const nonce = 1 + Math.floor(Math.random() * 0xffffffff);
    there.session.request('Lobby', client.enqueue(nonce, mode, regions));
    const queue = this.#wait(nonce, player === undefined ? undefined : { player });
    there.pump();
    return queue;
  }

  /** @param {number} nonce @param {import('./types.js').JoinAs<G>} [as] @returns {Queue<G>} */
  #wait(nonce, as) {
    this.#queueAs = as;
    this.#queue = new Queue(
      {
        send: (message) => {
          this.#there.session.request('Lobby', message);
          this.pump();
        },
        join: (room) => this.joinRoom(room, this.#queueAs),
        room: () => this.#room,
      },
      nonce,
    );
    return this.#queue;
  }

  /** @param {Extract<SessionEvent, { type: 'Queue' }>} event */
  #onQueue({ nonce, state }) {
    const known = this.#queue;
    if (known === undefined && state.type === 'Out') return;
    const queue = known ?? this.#wait(nonce);
    queue.onState(nonce, state);
    if (queue.isOver && this.#queue === queue) this.#queue = undefined;
    if (known === undefined) this.emit('queue', queue);
    if (this.#queue === undefined) this.#party.onFree();
  }

  /** The player's party, which is empty where they are in none. */
  get party() {
    return this.#party;
  }

  /** @param {Uint8Array} message */
  #sayOfParty(message) {
    const there = this.#there;
    if (!this.offers.parties) throw new RequestError('NoSuchParty', 'the server has no parties');
    there.session.requestAnywhere(message);
    there.pump();
  }

  /** @param {import('./connection.js').Connection} connection that is new */
  #askOfParty(connection) {
    const look = this.#party.askAnew();
    if (look !== undefined && this.offers.parties) connection.session.requestAnywhere(look);
  }

  /**
   * What is said in the lobby, by all who are connected to this server with this game and want to
   * hear it, wherever they are.
   */
  get chat() {
    const { lobby } = this.#people;
    this.pump();
    return lobby;
  }

  /**
   * What this player and another one say to one another, wherever they are, also while one of them is
   * away.
   * @param {string} handle by which the other one is known: of a line, of `room.who`
   */
  direct(handle) {
    const channel = this.#people.direct(handle);
    this.pump();
    return channel;
  }

  /**
   * Watches players, wherever they are: whether each is there, in which game and in which room, and
   * when that changes. All watches of a link have at most 100. Throws a `RequestError`: `TooMuch` for
   * more.
   * @param {Iterable<string>} [handles] by which they are known: of a line, of `room.who`
   * @returns {import('./watch.js').Watch}
   */
  watch(handles = []) {
    return this.#watching.watch(handles);
  }

  /**
   * Who is in the lobby, not in a room: at most 100 of them, and how many there are, told when that
   * changed, once a second at most. Who does not want to hear the player is not among them.
   * @returns {import('./lobby_people.js').LobbyPeople} empty of a server that knows nothing of it
   */
  watchLobby() {
    return this.#watching.watchLobby();
  }

  /**
   * The player hears nothing of this one any more, in no channel; they are not told, and to them the player looks as if
   * they were away. Throws or
   * rejects with a `RequestError`: `NoSuchPlayer`, or `RoomFull` for one more than 50.
   * @param {string} handle
   * @returns {Promise<void>} when the server has done it
   */
  block(handle) {
    return this.#people.block(handle, true);
  }

  /** The player hears this one again. @param {string} handle @returns {Promise<void>} */
  unblock(handle) {
    return this.#people.block(handle, false);
  }

  /** Whom the player has blocked; the event `blocked` says when that is known, or changed. */
  get blocked() {
    return this.#people.blocked;
  }

  /** By which others address the player; undefined until it is known, to who asked for any of these. */
  get handle() {
    return this.#people.handle;
  }

  /** For the room: who a member is. @param {number} player */
  who(player) {
    return this.#people.who(player);
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

  /** Throws a `RequestError` after the end. */
  #assertNotOver() {
    if (this.#ended !== undefined) this.assertOpen();
  }

  /**
   * Says what is no room's, to a server that understands it.
   * @param {number} feature
   * @param {Uint8Array} message
   * @returns {boolean | undefined} as of `People`
   */
  #sayBeyond(feature, message) {
    const { current } = this.#connections;
    const { session } = current ?? {};
    if (session === undefined || (session.state !== 'Lobby' && session.state !== 'Room')) return undefined;
    if (((session.welcome?.features ?? 0) & feature) === 0) return false;
    session.requestAnywhere(message);
    // While it is being made there is nobody to send by.
    current?.pump();
    return true;
  }

  /**
   * The connection. Throws a `RequestError` while it is lost, and when it is over.
   * @returns {import('./connection.js').Connection}
   */
  get #there() {
    const { current, state } = this.#connections;
    if (this.#ended === undefined && current !== undefined && state !== 'reconnecting') return current;
    if (this.#ended === undefined) throw new RequestError('Closed', 'the connection is lost: wait until it is back');
    const { code, reason, retryAfterMs } = this.#ended;
    throw Object.assign(new RequestError('Closed', `the connection is over (${reason}): connect anew`), { code, retryAfterMs });
  }

  /** For the room: the player goes. @param {Room<G>} room */
  leave(room) {
    const { current, state } = this.#connections;
    if (room !== this.#room || state === 'closed') return;
    if (state === 'reconnecting') return this.#leaveAway();
    current?.leave();
  }

  /** For the room: does what is due, sends what waits. */
  pump() {
    this.#connections.current?.pump();
  }

  /**
   * Of the connection's session.
   * @param {SessionEvent} event
   * @param {number} nowMs
   * @param {import('./connection.js').Connection} connection
   */
  #onEvent(event, nowMs, connection) {
    const { requests } = this.#lobby;
    const { wayBack } = this.#connections;
    switch (event.type) {
      case 'Welcome':
        this.#lastWelcome = event;
        // Ahead of what leads into a room, where it is not answered.
        if (this.#queue !== undefined) connection.session.request('Lobby', this.#queue.askAnew());
        this.#askOfParty(connection);
        this.#connections.welcomed(event);
        this.#people.wake();
        this.#watching.wake();
        isCurrent();
        // The answer about the seat follows.
        if (wayBack.isAsking) break;
        this.#arrive(undefined);
        // It was sent to a server that could not be reached.
        if (requests.who !== undefined) requests.reject(new RequestError('Closed', `the server of that room could not be reached: ${this.#connections.redirection.why}`));
        break;
      case 'Rooms':
        connection.answered();
        requests.resolve(event.rooms);
        break;
      case 'Joined':
        if (this.#seat.left !== undefined) {
          connection.leave();
        } else if (wayBack.isAsking) {
          this.#room?.onResumed(connection.session);
          this.#arrive(this.#room ?? new Room(this, connection.session));
        } else {
          this.#room = new Room(this, connection.session);
          connection.answered();
        }
        // What asked for it may have been said to a server that sent the link here.
        if (requests.who !== undefined) {
          wayBack.who = requests.who;
          requests.resolve(this.#room);
        }
        break;
      case 'Redirect':
        this.#follow(event, nowMs);
        break;
      case 'Notice':
        this.#notices.take(event);
        break;
      case 'Line':
        this.#people.onLine(event);
        break;
      case 'Past':
        this.#people.onPast(event, nowMs);
        break;
      case 'People':
        this.#people.onNews(event.news, nowMs);
        if (event.news.type === 'Party') this.#party.onChat();
        break;
      case 'PeerTyping':
        this.#people.onTyping(event, nowMs);
        break;
      case 'Presence':
        this.#watching.onPresence(event, nowMs);
        break;
      case 'Lobby':
        this.#watching.onLobby(event);
        break;
      case 'Said':
        this.#people.onSaid(event, nowMs);
        this.#room?.onEvent(event, nowMs);
        break;
      case 'Queue':
        this.#onQueue(event);
        break;
      case 'Party':
        if (event.nonce === 0 && event.state.type === 'Out') this.#people.endParty();
        this.#party.onState(event.nonce, event.state);
        break;
      case 'Prepare':
        this.#connections.prepared.begin(event, nowMs);
        break;
      case 'ResumeToken':
        this.#seat.renew(event.token, event.graceMs);
        break;
      case 'Left': {
        const room = this.#room;
        const { left } = this.#seat;
        this.#connections.prepared.drop();
        connection.answered();
        this.#seat.drop();
        // Nobody's before the page hears of it, which may leave it once more.
        this.#room = undefined;
        if (left !== undefined) this.#arrive(undefined);
        else room?.onEvent(event, nowMs);
        break;
      }
      case 'Refused':
        if (wayBack.isAsking) this.#seatRefused(event.reason);
        else if (this.#room !== undefined) this.#room.onEvent(event, nowMs);
        // To what was asked of a room from which `Left` was on its way: it answers none of the
        // lobby's requests.
        else if (event.reason !== 'NotInRoom') {
          connection.answered();
          requests.reject(new RequestError(event.reason));
        }
        break;
      case 'Stopping':
        this.#connections.retryAfterMs = event.retryAfterMs;
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
   * Another connection has taken over, and nothing was lost: what is told to a connection, not to
   * the player, is asked for anew.
   * @param {import('./connection.js').Connection} connection
   * @param {SessionEvent[]} kept what was said on it
   */
  #onMoved(connection, kept) {
    this.#people.sleep();
    this.#watching.sleep();
    this.#askOfParty(connection);
    this.#room?.onMoved(connection.session);
    for (const event of kept) {
      // It came on the other one too.
      if (event.type === 'Notice' && event.number === 0) continue;
      this.#onEvent(event, now(), connection);
    }
    this.#people.wake();
    this.#watching.wake();
  }

  /**
   * Closes the connection from here.
   * @param {number} closeWith what the server is told
   * @param {number} code what the page is told
   * @param {string} reason
   * @param {{ error: unknown }} [aborted] what `connect` rejects with then
   */
  #hangUp(closeWith, code, reason, aborted) {
    if (this.#ended !== undefined) return;
    this.#connections.giveUpLater();
    if (closeWith === CloseCode.Normal) this.#seat.drop();
    this.#connections.current?.close(closeWith);
    this.#end(code, reason, aborted);
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
    const isFirst = this.#connections.state === 'open';
    if (!this.#connections.follow(redirect, nowMs)) {
      return this.#hangUp(CloseCode.OutOfOrder, CloseCode.Protocol, 'protocol error: redirected time and again without a room');
    }
    const { requests } = this.#lobby;
    const { heartbeat, wayBack } = this.#connections;
    const error = new RequestError('Closed', 'the server sent this link elsewhere');
    wayBack.who = requests.follow(error) ?? wayBack.who;
    heartbeat.fail(error);
    this.#people.sleep();
    this.#watching.sleep();
    if (isFirst) this.#room?.onLost();
    this.emit('reconnecting', { attempt: 1, delayMs: 0, code: CloseCode.Normal, reason: 'redirected' });
    // A listener may have closed the link.
    if (this.#ended === undefined) this.#connections.reopen();
  }

  /** The connection is there, in the lobby or in the seat. @param {Room<G> | undefined} room */
  #arrive(room) {
    const before = this.#room;
    this.#room = room;
    const isBack = this.#connections.arrive();
    this.#welcomed?.resolve();
    this.#welcomed = undefined;
    if (isBack) this.emit('resumed', { room });
    if (before !== room) before?.onLeft('SeatLost');
    this.#party.onFree();
  }

  /** @param {import('./types.js').Refusal} reason why the seat could not be taken */
  #seatRefused(reason) {
    if (this.#connections.askLater(reason)) return;
    this.#seat.drop();
    // What the page asks for when it hears of it has no answer yet.
    const { requests } = this.#lobby;
    const isWaiting = requests.who !== undefined;
    this.#arrive(undefined);
    if (isWaiting) requests.reject(new RequestError(reason));
  }

  /**
   * The connection is gone: another try, or the end.
   * @param {import('./connections.js').Loss} loss
   */
  #onLost({ code, reason, isFirst, isLeaving, attempt, delayMs }) {
    if (isFinal(code)) this.#seat.drop();
    // Who was about to leave does not come back; whether the server heard of it nobody knows.
    else if (isLeaving) this.#leaveAway();
    if (delayMs === undefined) {
      this.#connections.giveUpLater();
      return this.#end(code, reason);
    }
    this.#people.sleep();
    this.#watching.sleep();
    if (isFirst) {
      this.#rejectAll(new RequestError('Closed', 'the connection was lost'));
      this.#room?.onLost();
    }
    // A listener may have closed the link.
    if (this.#ended === undefined) this.emit('reconnecting', { attempt, delayMs, code, reason });
  }

  /** @param {Error} error for everything that waits */
  #rejectAll(error) {
    this.#lobby.requests.fail(error);
    this.#party.fail(error);
    this.#connections.heartbeat.fail(error);
  }

  /** What outlives no link: its place in the page's storage is free, and it listens to nothing. */
  #release() {
    this.#connections.end();
    this.#options.keeper?.release();
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
  }

  /**
   * The connection is over: everything that waits fails.
   * @param {number} code
   * @param {string} reason
   * @param {{ error: unknown }} [aborted] what `connect` rejects with then
   */
  #end(code, reason, aborted) {
    if (this.#ended !== undefined) return;
    const { retryAfterMs } = this.#connections;
    const info = { code, reason, retryAfterMs };
    this.#ended = info;
    const why = this.#welcomed === undefined ? reason : whyNotConnected(code, reason, this.#options.doors.text);
    const error = Object.assign(new RequestError('Closed', why), { code, retryAfterMs });
    this.#rejectAll(error);
    this.#people.end(error);
    this.#queue?.onClose(error);
    this.#party.onClose(error);
    this.#queue = undefined;
    this.#release();
    this.#welcomed?.reject(aborted === undefined ? error : aborted.error);
    this.#welcomed = undefined;
    this.#room?.onClose(info);
    this.emit('close', info);
    if (code === CloseCode.Version) reloadOnce();
  }
}

