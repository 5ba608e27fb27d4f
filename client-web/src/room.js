/**
 * A room as a page uses it: who is there, chat, requests, playing, views. Made by `link.js` when
 * the server has let the player in; `netcode/play.js` does the work of playing.
 */

import { Actions } from './actions.js';
import { ACTION_TIMEOUT_MS, BACKLOG_BYTES_MAX } from './limits.js';
import { now } from './connection.js';
import { Emitter } from './emitter.js';
import { labelOf } from './label.js';
import { Lines } from './lines.js';
import { Play } from './netcode/play.js';
import { Pages } from './pages.js';
import * as client from './protocol/client_message.js';
import { Feature } from './protocol/frame.js';
import { RequestError } from './request_error.js';
import { readOptions } from './session/options.js';
import { Typing } from './typing.js';
import { Unsaid } from './unsaid.js';

/** @typedef {import('./session.js').SessionEvent} SessionEvent */

/** Names of the room's own events. A game's event of such a name is emitted as `event:NAME`. */
const OWN_EVENTS = new Set(['members', 'chat', 'typing', 'left', 'refused', 'close']);

/**
 * See the module's description. Made by a `Link`.
 * @template {import('./types.js').GameTypes} [G={}]
 */
export class Room extends Emitter {
  #link;
  #session;
  #room;
  #play;
  /**
   * How the page plays, for when the seat is taken again.
   * @type {import('./types.js').PlayOptions<any> | undefined}
   */
  #playing;
  #actions = new Actions();
  #unsaid = new Unsaid((line) => this.#sendLine(line));
  #pages = new Pages((nonce, before) => this.#sendHistory(nonce, before));
  #lines;
  /** @type {Typing<number>} */
  #typing = new Typing((players) => this.emit('typing', players));
  /** @type {Promise<import('./types.js').LeaveReason>} */
  #left;
  /** @type {(reason: import('./types.js').LeaveReason) => void} */
  #resolveLeft = () => {};
  /** What happened until then was heard on an earlier connection, and may come again. */
  #heardUntil = 0;
  /** What was heard up to then comes again with the first snapshot of the connection that took over. */
  #movedAt = 0;
  /** The connection is lost, the seat is not. */
  #isAway = false;
  /** The player is out of it for good. */
  #isOver = false;
  /** @type {any} */
  #options;

  /**
   * For the link.
   * @param {import('./link.js').Link<G>} link
   * @param {import('./session.js').Session} session in a room
   */
  constructor(link, session) {
    super();
    const { room } = session;
    if (room === undefined) throw new Error('not in a room');
    this.#link = link;
    this.#session = session;
    this.#room = room;
    this.#options = readOptions(room.schema.roomOptions, room.options);
    this.#play = new Play(session, room);
    this.#lines = new Lines(
      room.chat.map((line) => this.#known(line)),
      (line) => this.emit('chat', line),
      (before) => (this.#serverHas(Feature.LINES) ? this.#pages.ask(before) : undefined),
    );
    this.#left = new Promise((resolve) => {
      this.#resolveLeft = resolve;
    });
  }

  /**
   * Hears of the room's own events, and of the game's by their names as soon as they arrive:
   * `(fields, tick, isPast)`. `isPast` is of durable events that happened before the player was
   * there, or while the connection was lost.
   * @template {import('./types.js').RoomEventName<G>} N
   * @param {N} name
   * @param {import('./types.js').RoomListener<G, N>} listener
   * @returns {() => void} takes the listener away again
   */
  on(name, listener) {
    return super.on(name, listener);
  }

  /** The connection. */
  get link() {
    return this.#link;
  }

  /** The room as it was on joining. */
  get info() {
    return this.#room.info;
  }

  /**
   * How the room was made: the game's room options, as they were chosen or by default.
   * @returns {import('./types.js').RoomOptions<G>}
   */
  get options() {
    return this.#options;
  }

  /** The code by which others may join. */
  get code() {
    return this.#room.code;
  }

  /** The own player's number, -1 for who only watches. */
  get you() {
    return this.#room.you;
  }

  /** Whether the page only looks on: without a seat, an avatar and inputs. */
  get spectating() {
    return this.#room.you === -1;
  }

  /** Steps a second. */
  get tickRate() {
    return this.#room.tickRate;
  }

  /** For the link: what would not be told again on coming back. */
  get seen() {
    return this.#room.seen;
  }

  /** Who is here, by number. */
  get members() {
    return this.#room.members;
  }

  /**
   * What to call a player so that it is nobody else here: the name, or `name#number` while another
   * member's looks the same. The same on every page; to be shown as text only.
   * @param {number} player -1 for somebody whose number is not known any more
   * @param {string} [name] what they were called when they said something; without it, what they
   *   are called now
   * @returns {string} empty for nobody
   */
  label(player, name = this.members.get(player)?.name) {
    return name === undefined ? '' : labelOf(this.members.values(), player, name);
  }

  /** The last chat lines, oldest first, without a gap. Those before them are `history`'s. */
  get chat() {
    return this.#lines.recent;
  }

  /**
   * What was said here, also before the player came: a page of lines at a time, each oldest first,
   * the newest page first. A server without a store has what the room remembers; one that knows of
   * no history has nothing. While the connection is lost it waits.
   * @param {{ before?: number }} [options] `before`: the number of a line, of which those before it
   *   are meant, such as `room.chat[0]?.id`
   * @returns {AsyncGenerator<import('./types.js').PastLine[], void, void>} its steps reject with a
   *   `RequestError` when the room was left, or the server stays busy
   */
  async *history({ before = 0 } = {}) {
    let next = before;
    do {
      this.#assertMember();
      const page = await this.#pages.ask(next);
      if (page === undefined) return;
      if (page.lines.length > 0) yield page.lines;
      ({ next } = page);
    } while (next > 0);
  }

  /** @returns {import('./types.js').Stats} figures for a net graph */
  get stats() {
    return this.#play.stats(now(), this.#link.rttMs);
  }

  /**
   * Says something to everyone in the room. While the connection is lost lines wait, and are said
   * in order when it is back, each once; also when others come too fast one after the other. Throws
   * a `RequestError` if nothing can be said here any more, or too many wait.
   * @param {string} text
   * @returns {Promise<number | undefined>} the line's number, as in its `chat` event; undefined from
   *   a server that does not tell it. Rejects with a `RequestError` if it is refused, or the room
   *   ends before it was said; need not be looked at
   */
  say(text) {
    if (!this.#isAway || this.#isOver) this.#link.assertOpen();
    this.#assertMember();
    this.#assertSeat();
    // A line that no message can carry is not kept.
    client.say(0, text);
    this.#typing.said();
    return this.#unsaid.add(text);
  }

  /**
   * The player is writing a line: to be called whenever they touch it, as at each key. The others are
   * told every three seconds at most, and hear of it by `typing`. Never throws.
   */
  typing() {
    const isThere = !this.#isAway && !this.#isOver && !this.spectating && this.#serverHas(Feature.LINES);
    if (!isThere || this.#link.state !== 'open' || this.#room.leaving || !this.#typing.mayTell(now())) return;
    try {
      this.#session.request('Room', client.typing());
    } catch {
      // Too much waits to be sent already.
      return;
    }
    this.#link.pump();
  }

  /** The lines that `say` was given and that were not said yet, oldest first. */
  get unsaid() {
    return this.#unsaid.texts;
  }

  /**
   * Who a player of the room is beyond it, so that one can write to them or block them: by
   * `link.direct` and `link.block`.
   * @param {number} player
   * @returns {Promise<import('./types.js').Peer>} rejects with a `RequestError` where there is no such
   *   player
   */
  async who(player) {
    this.#assertMember();
    return this.#link.who(player);
  }

  /** Says whether the player is ready for the next round. Throws a `RequestError` if it cannot be sent; so does `kick`.
   * @param {boolean} isReady
   */
  ready(isReady = true) {
    this.#request(client.ready(isReady));
  }

  /** Sends a player back to the lobby; only the host may, and only where `info.kicks` says so.
   * @param {number} player
   */
  kick(player) {
    this.#request(client.kick(player));
  }

  /**
   * Goes back to the lobby: the seat is given up. May be called in any state, more than once; never
   * throws. While the connection is away the room ends at once, and the server is told when it is
   * back.
   * @returns {Promise<import('./types.js').LeaveReason>} when the room has ended, and why; never
   *   rejects
   */
  leave() {
    this.#link.leave(this);
    return this.#left;
  }

  /**
   * Makes a request of the game.
   * @template {import('./types.js').ActionName<G>} N
   * @param {N} name of the action in the schema
   * @param {import('./types.js').ActionFields<G, N>} [fields] what is left out is neutral; an
   *   entity is given as it is or by its handle. The payload stands beside them under its name:
   *   what is left out is null, or no bytes
   * @param {import('./types.js').ActOptions} [options]
   * @returns {Promise<import('./types.js').ActionAnswer<G, N>>} when the game has done it: its
   *   answer, if the action declares one. Rejects with a `RequestError`: `Refused` with the game's
   *   reason as the message, `TooBig` for a payload of over 1,024 bytes, or `TimedOut`
   */
  async act(name, fields, options) {
    this.#assertHere();
    this.#assertSeat();
    const timeoutMs = options?.timeoutMs ?? ACTION_TIMEOUT_MS;
    if (!(timeoutMs >= 0)) throw new RangeError(`timeoutMs is a time in milliseconds, not ${timeoutMs}`);
    const values = /** @type {Record<string, any>} */ (fields ?? {});
    const send = (/** @type {Uint8Array} */ message) => this.#session.request('Room', message);
    const answer = this.#actions.add(this.#room.schema.actions, name, values, now() + timeoutMs, send);
    this.#link.pump();
    return answer;
  }

  /**
   * Starts to play: from now on an input is sent for every tick. Throws a `TypeError` for options
   * that cannot be meant.
   * @param {import('./types.js').PlayOptions<G>} options
   */
  play(options) {
    checkPlay(options);
    this.#assertSeat();
    this.#playing = /** @type {import('./types.js').PlayOptions<any>} */ (options);
    this.#play.start(this.#playing);
    this.#link.pump();
  }

  /**
   * What to draw now. To be called once per animation frame; its entities are valid until the next
   * call.
   * @param {number} [nowMs] a time of `performance.now()`, such as `requestAnimationFrame` gives
   * @returns {import('./types.js').View<G>}
   */
  view(nowMs = now()) {
    this.#link.pump();
    return /** @type {import('./types.js').View<any>} */ (this.#play.view(nowMs));
  }

  /**
   * Everyone as in the newest snapshot, neither interpolated nor predicted: for games that don't
   * move, and for programs. In objects of its own, valid until it is read again.
   * @returns {import('./types.js').Entity<G>[]}
   */
  get entities() {
    return /** @type {import('./types.js').Entity<any>[]} */ (this.#play.entities);
  }

  /**
   * @returns {import('./types.js').RoomState<G>} the room-wide components of the newest snapshot
   */
  get state() {
    return /** @type {import('./types.js').RoomState<any>} */ (this.#play.state);
  }

  /**
   * For the link: something of the room happened.
   *
   * @param {SessionEvent} event
   * @param {number} nowMs
   */
  onEvent(event, nowMs) {
    switch (event.type) {
      case 'Snapshot':
        if (this.#movedAt > 0) event = { ...event, events: event.events.filter(({ tick }) => tick > this.#movedAt) };
        this.#movedAt = 0;
        this.#play.onSnapshot(event, nowMs);
        for (const { name, fields, tick } of event.events) {
          if (tick <= this.#heardUntil) continue;
          this.emit(OWN_EVENTS.has(name) ? `event:${name}` : name, fields, tick, tick <= this.#room.joinedAt);
        }
        break;
      case 'Desync':
        return this.#play.onDesync();
      case 'MemberChanged':
      case 'MemberState':
      case 'MemberLeft':
      case 'Members':
        if (event.type === 'MemberLeft') this.#typing.ended(event.player);
        return this.emit('members', this.members);
      case 'Chat':
        this.#typing.ended(event.line.from);
        return this.#lines.take({ ...this.#known(event.line), at: new Date() });
      case 'Typing':
        return this.#typing.onTyping(event.player, event.player, nowMs);
      case 'Lines':
        this.#pages.onLines(event, nowMs);
        return this.#link.pump();
      case 'Said':
        if (this.#unsaid.onSaid(event, nowMs)) this.emit('refused', { reason: event.refusal });
        return this.#link.pump();
      case 'Refused':
        return this.emit('refused', { reason: event.reason });
      case 'Reply':
        return this.#actions.onReply(event);
      case 'Left':
        return this.onLeft(event.reason);
    }
  }

  /** For the link: the connection is lost, the seat may not be. */
  onLost() {
    this.#isAway = true;
    this.#unsaid.sleep();
    this.#pages.sleep();
    this.#typing.clear();
    this.#actions.fail(new RequestError('Closed', 'the connection was lost: the game may have done it or not'));
  }

  /**
   * For the link: the seat was taken again. What was drawn and predicted starts anew, the figures
   * too.
   *
   * @param {import('./session.js').Session} session in the same room
   */
  onResumed(session) {
    const { room } = session;
    if (room === undefined) throw new Error('not in a room');
    const { seen } = this.#room;
    // Who looks on is told all again; a server that was started again may be behind what was seen.
    if (this.spectating) this.#heardUntil = Math.min(seen.tick, room.joinedAt);
    room.follow(this.#room);
    this.#isAway = false;
    this.#session = session;
    this.#room = room;
    this.#play = new Play(session, room);
    if (this.#playing !== undefined) this.#play.start(this.#playing);
    this.emit('members', this.members);
    this.#pages.wake();
    this.#lines.resume(room.chat.map((line) => this.#known(line)));
    this.#unsaid.wake();
    this.#link.pump();
  }

  /** For the link: whether the game owes an answer, or the player is about to leave. */
  get isAsking() {
    return this.#actions.isWaiting || this.#room.leaving;
  }

  /**
   * For the link: another connection has taken over, without a gap; its first snapshot follows.
   * @param {import('./session.js').Session} session which goes on with the room's
   */
  onMoved(session) {
    const { room } = session;
    if (room === undefined) throw new Error('not in a room');
    this.#movedAt = this.#room.newest;
    this.#session = session;
    this.#room = room;
    this.#play.goOn(session, room);
    this.emit('members', this.members);
    this.#pages.sleep();
    this.#pages.wake();
    this.#lines.resume(room.chat.map((line) => this.#known(line)));
    this.#unsaid.sleep();
    this.#unsaid.wake();
  }

  /**
   * For the link: the player is out of the room.
   * @param {import('./types.js').LeaveReason} reason
   */
  onLeft(reason) {
    this.#isOver = true;
    const error = new RequestError('NotNow', reason === 'SeatLost' ? 'the seat was lost' : 'left the room');
    this.#actions.fail(error);
    this.#endChat(error);
    this.#resolveLeft(reason);
    this.emit('left', { reason });
  }

  /**
   * For the link: the connection is over.
   *
   * @param {import('./types.js').CloseInfo} info
   */
  onClose(info) {
    this.#isOver = true;
    const { code, reason, retryAfterMs } = info;
    const error = Object.assign(new RequestError('Closed', reason), { code, retryAfterMs });
    this.#actions.fail(error);
    this.#endChat(error);
    this.#resolveLeft('RoomClosed');
    this.emit('close', info);
  }

  /**
   * For the link: time has passed.
   *
   * @param {number} nowMs
   * @param {number} backlog bytes that the socket holds back
   */
  onTime(nowMs, backlog) {
    this.#actions.onTime(nowMs);
    this.#unsaid.onTime(nowMs);
    this.#pages.onTime(nowMs);
    this.#typing.onTime(nowMs);
    this.#play.sendInputs(nowMs, backlog > BACKLOG_BYTES_MAX);
  }

  /** For the link: when `onTime` has something to do, in ms; Infinity for never. */
  get dueMs() {
    return Math.min(this.#play.inputDueMs, this.#actions.dueMs, this.#unsaid.dueMs, this.#pages.dueMs, this.#typing.dueMs);
  }

  /**
   * @param {{ nonce: number, text: string }} line
   * @returns {boolean | undefined} whether it will be answered; undefined while there is no way
   */
  #sendLine({ nonce, text }) {
    if (this.#isAway || this.#isOver) return undefined;
    const isAnswered = this.#serverHas(Feature.CHANNELS);
    this.#session.request('Room', isAnswered ? client.say(nonce, text) : client.chat(text));
    this.#link.pump();
    return isAnswered;
  }

  /**
   * @param {number} nonce
   * @param {number} before
   * @returns {boolean | undefined} as of `#sendLine`
   */
  #sendHistory(nonce, before) {
    if (this.#isAway || this.#isOver) return undefined;
    if (!this.#serverHas(Feature.LINES)) return false;
    this.#session.request('Room', client.history(nonce, before));
    this.#link.pump();
    return true;
  }

  /** @param {number} feature a bit of `Feature` */
  #serverHas(feature) {
    return ((this.#session.welcome?.features ?? 0) & feature) !== 0;
  }

  /** @param {import('./protocol/server_message.js').SaidLine} line @returns {import('./types.js').ChatLine} */
  #known(line) {
    return { ...line, own: line.from === this.#room.you };
  }

  /** Nothing can be said or read any more. @param {Error} error */
  #endChat(error) {
    this.#lines.end();
    this.#typing.clear();
    this.#unsaid.fail(error);
    this.#pages.fail(error);
  }

  /** @param {Uint8Array} message */
  #request(message) {
    this.#assertHere();
    this.#assertSeat();
    this.#session.request('Room', message);
    this.#link.pump();
  }

  /**
   * Throws a `RequestError` if nothing can be asked of the room: `Closed` while there is no
   * connection, `NotNow` after it was left.
   */
  #assertHere() {
    this.#link.assertOpen();
    this.#assertMember();
  }

  /** Throws a `RequestError` after the room was left. */
  #assertMember() {
    if (this.#isOver) throw new RequestError('NotNow', 'the room was left: join one first');
  }

  /** Throws a `RequestError` if there is no seat to ask from. */
  #assertSeat() {
    if (this.spectating) throw new RequestError('NotForSpectators', 'who looks on has no seat: join the room to take part');
  }
}

/**
 * Throws a `TypeError` for what a page cannot mean.
 * @param {Partial<import('./types.js').PlayOptions<any>>} options of `play`
 */
export function checkPlay({ input, step, smooth }) {
  if (typeof input !== 'function') throw new TypeError('input is a function that gives the controls as they are now');
  if (step !== undefined && typeof step !== 'function') throw new TypeError('step is a function: the rule by which the own avatar moves');
  if (smooth !== undefined && !(Number.isFinite(smooth) && smooth >= 0)) throw new TypeError(`smooth is a time in milliseconds, not ${smooth}`);
}
