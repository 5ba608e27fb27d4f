/**
 * Who is in the lobby of the page's game, not in a room: those who are there for longest, at most 100,
 * and how many there are. It outlasts lost connections, on which it stays as it was told last. Made by
 * `watching.js`, which hears the server.
 */

import { Emitter } from './emitter.js';

/** @typedef {import('./types.js').Peer} Peer */

/** See the module's description. Of `link.watchLobby`. */
export class LobbyPeople extends Emitter {
  #known;
  #close;

  /**
   * For `watching.js`.
   * @param {() => { count: number, peers: ReadonlyMap<string, Peer> }} known
   * @param {(of: LobbyPeople) => void} close
   */
  constructor(known, close) {
    super();
    this.#known = known;
    this.#close = close;
  }

  /**
   * Hears of `change`.
   * @template {keyof import('./types.js').LobbyPeopleEvents} N
   * @param {N} name
   * @param {(...args: import('./types.js').LobbyPeopleEvents[N]) => void} listener
   * @returns {() => void} takes the listener away again
   */
  on(name, listener) {
    return super.on(name, listener);
  }

  /** How many are there, the player too; more than are listed, perhaps. */
  get count() {
    return this.#known().count;
  }

  /** Those who are listed, the player too if they are. @returns {IterableIterator<Peer>} */
  [Symbol.iterator]() {
    return this.#known().peers.values();
  }

  /** @param {string} handle @returns {boolean} whether they are listed */
  has(handle) {
    return this.#known().peers.has(handle);
  }

  /** The page does not want to know any more. */
  close() {
    this.#close(this);
  }

  /** For `watching.js`: it is otherwise. */
  changed() {
    this.emit('change', this);
  }
}
