/**
 * Other people, beyond the room: the lobby's channel, those of two and the party's, whom the player has blocked,
 * who has said something that was not read. The server is asked to tell of them when the page first
 * wants any of it, and again on every connection. Owned by `link.js`.
 */

import { Channel } from './channel.js';
import { now } from './connection.js';
import { InTurn } from './in_turn.js';
import { CHAT_AGAIN_MS, DIRECT_CHANNELS_MAX, PAGE_TRIES_MAX, PEOPLE_WAITING_MAX } from './limits.js';
import { Pages } from './pages.js';
import * as client from './protocol/client_message.js';
import { RequestError } from './request_error.js';

/** @typedef {import('./types.js').Line} Line */
/** @typedef {import('./types.js').Peer} Peer */
/** @typedef {import('./protocol/server_message.js').PeopleNews} PeopleNews */

/**
 * What it needs of the link.
 * @typedef {object} Way
 * @property {(message: Uint8Array) => boolean | undefined} send says something: false of a server
 *   that does not know of people; undefined while there is no way
 * @property {(message: Uint8Array) => boolean | undefined} hint the same of what holds for a moment
 * @property {() => void} assertOpen throws a `RequestError` after the link's end
 * @property {(channel: Channel, line: Line) => void} onDirect somebody said something to the player
 * @property {(unread: import('./types.js').Unread[]) => void} onUnread there are lines that were not
 *   read
 * @property {(peers: Peer[]) => void} onBlocked whom the player has blocked
 */

/** See the module's description. */
export class People {
  #way;
  #clock;
  /** The own handle, once it is known. @type {string | undefined} */
  handle;
  /** @type {Peer[]} */
  #blocked = [];
  /** Those of whom it was told, while more are to come. @type {Peer[]} */
  #arriving = [];
  /** @type {Channel | undefined} */
  #lobby;
  /** That of the player's party, with its name. @type {{ name: string, channel: Channel } | undefined} */
  #party;
  /** By handle, those that were opened first in front. @type {Map<string, Channel>} */
  #directs = new Map();
  /** @type {InTurn<(nonce: number) => Uint8Array, Peer>} */
  #asked;
  /** @type {InTurn<undefined, true>} */
  #entering;
  /** @type {Pages<Line, { channel: string, before: number }>} */
  #pages;
  /** Whether the page wants to know of people at all. */
  #isWanted = false;
  #refusals = 0;
  /** What was told of lines that were not read, on this connection. */
  #unread = '';
  /** Whether a page waits until the server tells of people. */
  #isHeld = false;

  /** @param {Way} way @param {() => number} [clock] in ms */
  constructor(way, clock = now) {
    this.#way = way;
    this.#clock = clock;
    const late = 'the server did not answer in time';
    this.#asked = new InTurn((nonce, make) => way.send(make(nonce)), late, clock);
    this.#entering = new InTurn((nonce) => way.send(client.enterPeople(nonce, this.#lobby !== undefined)), late, clock);
    this.#pages = new Pages((nonce, { channel, before }) => {
      // The server does one of both at a time.
      this.#isHeld = this.#entering.all.length > 0;
      return this.#isHeld ? undefined : way.send(client.history(nonce, before, channel));
    }, clock);
  }

  /** The lobby's channel. */
  get lobby() {
    if (this.#lobby === undefined) {
      this.#lobby = this.#channel('lobby', () => {});
      this.#enter();
    }
    return this.#lobby;
  }

  /** The channel of the player's party, if there is one. */
  get party() {
    if (this.#party !== undefined) this.want();
    return this.#party?.channel;
  }

  /** The player is in no party. */
  endParty() {
    this.#party?.channel.end(new RequestError('NotInRoom', 'the player is not in that party any more'));
    this.#party = undefined;
  }

  /** @param {string} handle @returns {Channel} that of the player and this one */
  direct(handle) {
    if (typeof handle !== 'string' || handle === '') throw new TypeError(`a handle is a text by which the server named somebody, not ${handle}`);
    this.want();
    const known = this.#directs.get(handle);
    if (known !== undefined) return known;
    if (this.#directs.size >= DIRECT_CHANNELS_MAX) {
      const idle = [...this.#directs].find(([, { isIdle }]) => isIdle);
      if (idle === undefined) throw new RequestError('TooMuch', `${DIRECT_CHANNELS_MAX} channels of two are in use`);
      this.#directs.delete(idle[0]);
    }
    /** @type {Channel} */
    const channel = this.#channel(`@${handle}`, (line) => this.#way.onDirect(channel, line));
    this.#directs.set(handle, channel);
    return channel;
  }

  /** The page wants to know of people. */
  want() {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#enter();
  }

  /** Whom the player has blocked, as far as it is known. */
  get blocked() {
    this.want();
    return this.#blocked;
  }

  /** @param {string} handle @param {boolean} isBlocked @returns {Promise<void>} */
  async block(handle, isBlocked) {
    const peer = await this.#ask((nonce) => client.block(nonce, handle, isBlocked));
    const others = this.#blocked.filter((other) => other.handle !== peer.handle);
    this.#blocked = isBlocked ? [peer, ...others] : others;
    this.#way.onBlocked(this.#blocked);
  }

  /** @param {number} player of the room @returns {Promise<Peer>} */
  who(player) {
    return this.#ask((nonce) => client.whoIs(nonce, player));
  }

  /**
   * Somebody says something.
   * @param {Extract<import('./session.js').SessionEvent, { type: 'Line' }>} told
   */
  onLine({ channel, line }) {
    const dated = { ...line, at: new Date(line.at * 1000) };
    if (channel === 'lobby') return this.#lobby?.take(dated);
    if (channel === this.#party?.name) return this.#party.channel.take(dated);
    if (!channel.startsWith('@')) return;
    try {
      this.direct(channel.slice(1)).take(dated);
    } catch {
      // All that there is room for are in use: it is read when there is.
    }
  }

  /**
   * Somebody writes a line.
   * @param {Extract<import('./session.js').SessionEvent, { type: 'PeerTyping' }>} told
   * @param {number} nowMs
   */
  onTyping({ channel, peer }, nowMs) {
    if (channel === 'lobby') return this.#lobby?.onTyping(peer, nowMs);
    if (channel === this.#party?.name) return this.#party.channel.onTyping(peer, nowMs);
    if (channel.startsWith('@')) this.#directs.get(channel.slice(1))?.onTyping(peer, nowMs);
  }

  /** @param {PeopleNews} news @param {number} nowMs */
  onNews(news, nowMs) {
    switch (news.type) {
      case 'You':
        if (!this.#entering.isOut(news.nonce)) return;
        this.#refusals = 0;
        this.handle = news.handle;
        this.#arriving = [];
        this.#entering.resolve(true);
        for (const { peer, newest } of news.unread) this.#directs.get(peer.handle)?.hasUpTo(newest);
        this.#tellUnread(news.unread);
        return;
      case 'Out': {
        if (!this.#entering.isOut(news.nonce)) return;
        const isLater = news.reason === 'TooOften' || news.reason === 'Busy';
        if (isLater && ++this.#refusals < PAGE_TRIES_MAX) return this.#entering.again(nowMs + CHAT_AGAIN_MS);
        return this.#entering.reject(new RequestError(news.reason));
      }
      case 'Blocked':
        this.#arriving.push(...news.peers);
        if (news.more) return;
        this.#blocked = this.#arriving;
        this.#arriving = [];
        return this.#way.onBlocked(this.#blocked);
      case 'Party':
        if (news.channel === this.#party?.name) return;
        this.endParty();
        if (news.channel !== '') this.#party = { name: news.channel, channel: this.#channel(news.channel, () => {}) };
        return;
      case 'Answer':
        if (!this.#asked.isOut(news.nonce)) return;
        if (news.peer !== undefined) return this.#asked.resolve(news.peer);
        if (news.refusal === 'TooOften') return this.#asked.again(nowMs + CHAT_AGAIN_MS);
        return this.#asked.reject(new RequestError(news.refusal ?? 'Busy'));
    }
  }

  /** @param {Extract<import('./session.js').SessionEvent, { type: 'Past' }>} told @param {number} nowMs */
  onPast(told, nowMs) {
    this.#pages.onLines(told, nowMs);
  }

  /** @param {Parameters<Channel['onSaid']>[0]} said @param {number} nowMs */
  onSaid(said, nowMs) {
    for (const channel of this.#channels) channel.onSaid(said, nowMs);
  }

  /** There is no way for now. */
  sleep() {
    this.#unread = '';
    for (const part of this.#parts) part.sleep();
  }

  /** There is a way again, to whichever server: it is asked to tell of people. */
  wake() {
    this.#asked.wake();
    if (this.#entering.all.length === 0) this.#enter();
    else this.#entering.wake();
    this.#pages.wake();
    for (const channel of this.#channels) channel.wake();
  }

  /** When `onTime` has something to do, in ms; Infinity for never. */
  get dueMs() {
    return Math.min(Infinity, ...this.#parts.map(({ dueMs }) => dueMs));
  }

  /** @param {number} nowMs */
  onTime(nowMs) {
    for (const part of this.#parts) part.onTime(nowMs);
  }

  /** The link is over. @param {Error} error for all that waits */
  end(error) {
    this.#asked.fail(error);
    this.#entering.fail(error);
    this.#pages.fail(error);
    for (const channel of this.#channels) channel.end(error);
  }

  get #channels() {
    const directs = [...this.#directs.values()];
    const others = [this.#lobby, this.#party?.channel].flatMap((channel) => channel ?? []);
    return [...others, ...directs];
  }

  get #parts() {
    return [this.#asked, this.#entering, this.#pages, ...this.#channels];
  }

  /** On one connection the same is told once. @param {import('./types.js').Unread[]} unread */
  #tellUnread(unread) {
    const key = JSON.stringify(unread);
    if (unread.length > 0 && key !== this.#unread) this.#way.onUnread(unread);
    this.#unread = key;
  }

  /** Pages may be asked for. */
  #entered() {
    if (!this.#isHeld || this.#entering.all.length > 0) return;
    this.#isHeld = false;
    this.#pages.wake();
  }

  /** Has the server tell, if the page wants it: once, and anew when it wants more. */
  #enter() {
    this.#isWanted ||= this.#lobby !== undefined;
    if (!this.#isWanted || this.#entering.all.length > 1) return;
    this.#entering.add(undefined).then(() => this.#entered(), () => this.#entered());
  }

  /** @param {(nonce: number) => Uint8Array} make @returns {Promise<Peer>} */
  async #ask(make) {
    this.#way.assertOpen();
    this.want();
    if (this.#asked.all.length >= PEOPLE_WAITING_MAX) throw new RequestError('TooMuch', `${PEOPLE_WAITING_MAX} requests wait`);
    // What no message can carry is not kept.
    make(0);
    const peer = await this.#asked.add(make);
    if (peer === undefined) throw new RequestError('NotNow', 'the server knows nothing of people beyond rooms');
    return peer;
  }

  /** @param {string} name @param {(line: Line) => void} heard @returns {Channel} */
  #channel(name, heard) {
    return new Channel(name, {
      send: (message) => this.#way.send(message),
      hint: (message) => this.#way.hint(message),
      clock: this.#clock,
      ask: (channel, before) => this.#pages.ask({ channel, before }),
      assertOpen: () => this.#way.assertOpen(),
      heard,
    });
  }
}
