/**
 * A channel outside of rooms as a page uses it: that of the lobby, that of the player and another
 * one, or that of their party. It outlasts lost connections: what was said meanwhile is read, what waits to be said is said in
 * order, each once. Made by `people.js`, which hears the server.
 */

import { Emitter } from './emitter.js';
import { Lines } from './lines.js';
import * as client from './protocol/client_message.js';
import { Typing } from './typing.js';
import { Unsaid } from './unsaid.js';

/** @typedef {import('./types.js').Line} Line */
/** @typedef {import('./types.js').Peer} Peer */

/** @type {Line[]} */
const NO_LINES = [];

/**
 * What a channel needs of the link.
 * @typedef {object} Way
 * @property {(message: Uint8Array) => boolean | undefined} send whether the server will answer;
 *   undefined while there is no way
 * @property {(message: Uint8Array) => boolean | undefined} hint says what holds for a moment: as
 *   `send`, false of a server that knows nothing of it
 * @property {() => number} clock in ms
 * @property {(channel: string, before: number) => Promise<import('./pages.js').Page<Line> | undefined>} ask
 *   for a page
 * @property {() => void} assertOpen throws a `RequestError` after the link's end
 * @property {(line: Line) => void} heard somebody said something
 */

/** See the module's description. Of `link.chat`, `link.direct` and `party.chat`. */
export class Channel extends Emitter {
  #way;
  #name;
  #unsaid;
  #lines;
  /** Up to which line the server was told that they were shown. */
  #read = 0;
  /** @type {Typing<string, Peer>} */
  #typing = new Typing((peers) => this.emit('typing', peers));
  /** Nothing can be said here any more. @type {Error | undefined} */
  #ended;

  /** For `people.js`. @param {string} name as the wire has it @param {Way} way */
  constructor(name, way) {
    super();
    this.#way = way;
    this.#name = name;
    this.#unsaid = new Unsaid(({ nonce, text }) => way.send(client.say(nonce, text, name)));
    this.#lines = new Lines(
      NO_LINES,
      (line) => {
        way.heard(line);
        this.emit('line', line);
      },
      (before) => way.ask(name, before),
      (/** @type {Line} */ past) => past,
    );
  }

  /**
   * Hears of `line`, `typing` and `refused`.
   * @template {keyof import('./types.js').ChannelEvents} N
   * @param {N} name
   * @param {(...args: import('./types.js').ChannelEvents[N]) => void} listener
   * @returns {() => void} takes the listener away again
   */
  on(name, listener) {
    return super.on(name, listener);
  }

  /** Whose channel it is with the player: their handle; undefined for others. */
  get peer() {
    return this.#name.startsWith('@') ? this.#name.slice(1) : undefined;
  }

  /** The last lines that came, oldest first, without a gap. Those before them are `history`'s. */
  get lines() {
    return this.#lines.recent;
  }

  /**
   * Says something. While the connection is lost lines wait, at most 20, and are said in order when
   * it is back, each once. Throws a `RequestError` if nothing can be said any more, or too many wait.
   * @param {string} text
   * @returns {Promise<number | undefined>} the line's number: the server has it, whoever was told;
   *   undefined from a server that knows of no such channels. Rejects with a `RequestError` if it is
   *   refused; need not be looked at
   */
  say(text) {
    this.#assertOpen();
    // A line that no message can carry is not kept.
    client.say(0, text, this.#name);
    this.#typing.said();
    return this.#unsaid.add(text);
  }

  /**
   * The player is writing a line: to be called with every key they press there. The others are told
   * every three seconds at most, and hear of it by `typing`. Never throws.
   */
  typing() {
    if (this.#ended !== undefined || !this.#typing.mayTell(this.#way.clock())) return;
    try {
      if (this.#way.hint(client.typing(this.#name)) !== undefined) return;
    } catch {
      // Too much waits to be sent: it is a hint.
    }
    this.#typing.said();
  }

  /** The lines that `say` was given and that were not said yet, oldest first. */
  get unsaid() {
    return this.#unsaid.texts;
  }

  /**
   * What was said here: a page of lines at a time, each oldest first, the newest page first. While
   * the connection is lost it waits.
   * @param {{ before?: number }} [options] `before`: the number of a line, of which those before it
   *   are meant, such as `channel.lines[0]?.id`
   * @returns {AsyncGenerator<Line[], void, void>} its steps reject with a `RequestError`
   */
  async *history({ before = 0 } = {}) {
    let next = before;
    do {
      this.#assertOpen();
      const page = await this.#way.ask(this.#name, next);
      if (page === undefined) return;
      if (page.lines.length > 0) yield page.lines;
      ({ next } = page);
    } while (next > 0);
  }

  /**
   * How many lines others said here after this one, such as `read` of the event `unread`: a line's
   * number says which comes first, not how many there are. They are read for it, a page at a time.
   * @param {number} read
   * @param {number} [most] to which it counts
   * @returns {Promise<number>} rejects with a `RequestError`
   */
  async countAfter(read, most = 100) {
    let count = 0;
    for await (const page of this.history()) {
      count += page.filter(({ id, own }) => id > read && !own).length;
      if (count >= most || page[0].id <= read) break;
    }
    return Math.min(count, most);
  }

  /**
   * Lines were shown to the player, up to this number: of them they are not told again as unread on
   * coming. Never throws.
   * @param {number} [id] the newest that came, if left out
   */
  read(id = this.#lines.told) {
    const { peer } = this;
    if (peer === undefined || id <= this.#read) return;
    try {
      if (this.#way.send(client.read(peer, id)) !== undefined) this.#read = id;
    } catch {
      // Too much waits to be sent: it is said with a later one.
    }
  }

  /** For `people.js`: a line came. @param {Line} line */
  take(line) {
    this.#typing.ended(line.from);
    this.#lines.take(line);
  }

  /** For `people.js`: somebody writes. @param {Peer} peer @param {number} nowMs */
  onTyping(peer, nowMs) {
    this.#typing.onTyping(peer.handle, peer, nowMs);
  }

  /** For `people.js`: it has lines up to this one that did not come. @param {number} newest */
  hasUpTo(newest) {
    if (newest > this.#lines.told) this.#lines.look();
  }

  /** For `people.js`. @param {Parameters<Unsaid['onSaid']>[0]} said @param {number} nowMs */
  onSaid(said, nowMs) {
    if (this.#unsaid.onSaid(said, nowMs)) this.emit('refused', { reason: said.refusal });
  }

  /** For `people.js`: whether it is of no use to anybody. */
  get isIdle() {
    return this.#unsaid.texts.length === 0 && !this.hasListeners;
  }

  /** For `people.js`: there is no way for now. */
  sleep() {
    this.#typing.clear();
    this.#unsaid.sleep();
  }

  /** For `people.js`: there is a way again. */
  wake() {
    this.#lines.look();
    this.#unsaid.wake();
  }

  /** For `people.js`: when `onTime` has something to do. */
  get dueMs() {
    return Math.min(this.#unsaid.dueMs, this.#typing.dueMs);
  }

  /** For `people.js`. @param {number} nowMs */
  onTime(nowMs) {
    this.#unsaid.onTime(nowMs);
    this.#typing.onTime(nowMs);
  }

  /** For `people.js`: the link is over, or the player is in that party no more. @param {Error} error */
  end(error) {
    this.#ended = error;
    this.#typing.clear();
    this.#lines.end();
    this.#unsaid.fail(error);
  }

  #assertOpen() {
    this.#way.assertOpen();
    if (this.#ended !== undefined) throw this.#ended;
  }
}
