/**
 * Players whom a page watches: where each is, and when that changes. It outlasts lost connections, on
 * which they stay as they were told last. Made by `watching.js`, which hears the server.
 */

import { Emitter } from './emitter.js';

/** @typedef {import('./types.js').Presence} Presence */

/** @type {Presence} */
export const UNKNOWN = Object.freeze({ type: 'unknown' });

/**
 * What a watch needs of those who make it.
 * @typedef {object} Way
 * @property {(watch: Watch, handles: string[]) => void} add throws a `RequestError` where there is no
 *   place for them, and adds none
 * @property {(watch: Watch) => void} changed it has fewer
 * @property {(handle: string) => Presence} known how somebody stands as far as it is known
 */

/** See the module's description. Of `link.watch`. */
export class Watch extends Emitter {
  #way;
  /** @type {Map<string, Presence>} */
  #presences = new Map();

  /** For `watching.js`. @param {Way} way */
  constructor(way) {
    super();
    this.#way = way;
  }

  /**
   * Hears of `change`.
   * @template {keyof import('./types.js').WatchEvents} N
   * @param {N} name
   * @param {(...args: import('./types.js').WatchEvents[N]) => void} listener
   * @returns {() => void} takes the listener away again
   */
  on(name, listener) {
    return super.on(name, listener);
  }

  /** How many it has. */
  get size() {
    return this.#presences.size;
  }

  /** @param {string} handle @returns {Presence | undefined} undefined of who is not watched here */
  get(handle) {
    return this.#presences.get(handle);
  }

  /** Each by their handle, in the order in which they were added. @returns {IterableIterator<[string, Presence]>} */
  [Symbol.iterator]() {
    return this.#presences[Symbol.iterator]();
  }

  /**
   * Watches these too. Throws a `RequestError` `TooMuch` if the link would watch more than 100
   * players then, and adds none.
   * @param {...string} handles
   */
  add(...handles) {
    for (const handle of handles) {
      if (!/^[\w-]{16}$/.test(handle)) throw new TypeError(`a handle is a text by which the server named somebody, not ${handle}`);
    }
    const others = [...new Set(handles)].filter((handle) => !this.#presences.has(handle));
    if (others.length === 0) return;
    this.#way.add(this, others);
    for (const handle of others) this.#presences.set(handle, this.#way.known(handle));
  }

  /** Watches these no longer. @param {...string} handles */
  remove(...handles) {
    const gone = handles.filter((handle) => this.#presences.delete(handle));
    if (gone.length > 0) this.#way.changed(this);
  }

  /** Watches nobody any more. */
  close() {
    this.remove(...this.#presences.keys());
  }

  /** For `watching.js`: somebody stands so. @param {string} handle @param {Presence} presence */
  take(handle, presence) {
    const before = this.#presences.get(handle);
    if (before === undefined || isSame(before, presence)) return;
    this.#presences.set(handle, presence);
    this.emit('change', handle, presence, before);
  }
}

/** @param {any} a @param {any} b of the kind `Presence` */
const isSame = (a, b) => a.type === b.type && a.game === b.game && a.room === b.room;
