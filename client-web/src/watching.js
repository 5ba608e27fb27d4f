/**
 * All whom a link watches, and who is in the lobby: the server is told of them when they change, and anew on every connection;
 * what it says of each goes to those of the page's watches that have them. Owned by `link.js`.
 */

import { now } from './connection.js';
import { WATCHED_MAX, WATCH_AGAIN_MS, WATCH_EVERY_MS } from './limits.js';
import { LobbyPeople } from './lobby_people.js';
import * as client from './protocol/client_message.js';
import { RequestError } from './request_error.js';
import { UNKNOWN, Watch } from './watch.js';

/** @typedef {import('./types.js').Presence} Presence */

/** People of the lobby that are kept: those who are shown, while as many others take their places. */
const LOBBY_MAX = 2 * WATCHED_MAX;

/**
 * What it needs of the link.
 * @typedef {object} Way
 * @property {(message: Uint8Array) => boolean | undefined} send says something: false of a server
 *   that watches nobody; undefined while there is no way
 * @property {() => void} soon has `onTime` called when the page has done what it does
 * @property {() => void} assertOpen throws a `RequestError` after the link's end
 */

/** See the module's description. */
export class Watching {
  #way;
  #clock;
  /** Those that have somebody. @type {Set<Watch>} */
  #watches = new Set();
  /** How those stand who are watched, of whom it was told. @type {Map<string, Presence>} */
  #known = new Map();
  /** Those of the page that follow the lobby. @type {Set<LobbyPeople>} */
  #lobbies = new Set();
  /** Who is there, as far as it was told on this connection. @type {{ count: number, peers: Map<string, import('./types.js').Peer> }} */
  #lobby = { count: 0, peers: new Map() };
  #isFresh = true;
  #isAwake = false;
  /** Whether the server is to be told. */
  #isUnsaid = false;
  #saidMs = -Infinity;
  /** When it is asked again, because it could not watch all. */
  #againMs = Infinity;

  /** @param {Way} way @param {() => number} [clock] in ms */
  constructor(way, clock = now) {
    this.#way = way;
    this.#clock = clock;
  }

  /** @param {Iterable<string>} handles @returns {Watch} */
  watch(handles) {
    const watch = new Watch({
      add: (of, others) => this.#add(of, others),
      changed: (of) => this.#changed(of),
      known: (handle) => this.#known.get(handle) ?? UNKNOWN,
    });
    watch.add(...handles);
    return watch;
  }

  /** @returns {LobbyPeople} */
  watchLobby() {
    this.#way.assertOpen();
    const lobby = new LobbyPeople(() => this.#lobby, (of) => {
      if (this.#lobbies.delete(of) && this.#lobbies.size === 0) this.#unsaid();
    });
    this.#lobbies.add(lobby);
    if (this.#lobbies.size === 1) this.#unsaid();
    return lobby;
  }

  /** @param {Extract<import('./session.js').SessionEvent, { type: 'Lobby' }>} told what changed */
  onLobby({ count, here, gone }) {
    // What another connection was told is void.
    const peers = new Map(this.#isFresh ? [] : this.#lobby.peers);
    this.#isFresh = false;
    for (const handle of gone) peers.delete(handle);
    for (const peer of here) if (peers.has(peer.handle) || peers.size < LOBBY_MAX) peers.set(peer.handle, peer);
    this.#lobby = { count, peers };
    for (const lobby of [...this.#lobbies]) lobby.changed();
  }

  /** @param {Extract<import('./session.js').SessionEvent, { type: 'Presence' }>} told @param {number} nowMs */
  onPresence({ peers }, nowMs) {
    const all = this.#all;
    for (const { handle, at } of peers) {
      // It may be of somebody who was taken away meanwhile.
      if (!all.has(handle)) continue;
      if (at.type === 'Unwatched') this.#againMs = Math.min(this.#againMs, nowMs + WATCH_AGAIN_MS);
      const presence = presenceOf(at);
      this.#known.set(handle, presence);
      for (const watch of [...this.#watches]) watch.take(handle, presence);
    }
  }

  /** There is no way for now. */
  sleep() {
    this.#isAwake = false;
    this.#againMs = Infinity;
  }

  /** There is a way again, to whichever server, which has heard nothing yet. */
  wake() {
    this.#isAwake = true;
    this.#isFresh = true;
    this.#isUnsaid = this.#watches.size > 0 || this.#lobbies.size > 0;
    if (this.#isUnsaid) this.#say(this.#clock());
  }

  /** When `onTime` has something to do, in ms; Infinity for never. */
  get dueMs() {
    if (!this.#isAwake) return Infinity;
    return this.#isUnsaid ? this.#saidMs + WATCH_EVERY_MS : this.#againMs;
  }

  /** @param {number} nowMs */
  onTime(nowMs) {
    if (nowMs >= this.dueMs) this.#say(nowMs);
  }

  get #all() {
    return new Set([...this.#watches].flatMap((watch) => [...watch].map(([handle]) => handle)));
  }

  /** @param {Watch} watch @param {string[]} handles */
  #add(watch, handles) {
    this.#way.assertOpen();
    const all = this.#all;
    for (const handle of handles) all.add(handle);
    if (all.size > WATCHED_MAX) throw new RequestError('TooMuch', `a link watches at most ${WATCHED_MAX} players`);
    this.#changed(watch, true);
  }

  /** @param {Watch} watch @param {boolean} [hasMore] */
  #changed(watch, hasMore = false) {
    if (hasMore || watch.size > 0) this.#watches.add(watch);
    else this.#watches.delete(watch);
    if (!hasMore) {
      const all = this.#all;
      for (const handle of [...this.#known.keys()]) if (!all.has(handle)) this.#known.delete(handle);
    }
    this.#unsaid();
  }

  /** The server is to be told. */
  #unsaid() {
    this.#isUnsaid = true;
    this.#way.soon();
  }

  /** @param {number} nowMs */
  #say(nowMs) {
    this.#isUnsaid = false;
    this.#againMs = Infinity;
    this.#saidMs = nowMs;
    if (this.#way.send(client.watch([...(this.#lobbies.size > 0 ? ['lobby'] : []), ...this.#all])) === undefined) this.#isUnsaid = true;
  }
}

/** @param {import('./protocol/server_message.js').PeerAt} at @returns {Presence} */
function presenceOf(at) {
  switch (at.type) {
    case 'Unwatched':
      return UNKNOWN;
    case 'Offline':
      return { type: 'offline' };
    case 'Lobby':
      return { type: 'lobby', game: at.game };
    case 'Room':
      return { type: 'room', game: at.game, room: at.room };
  }
}
