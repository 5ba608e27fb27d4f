/**
 * What a reload of the page keeps: the seat's token and the player's, in `sessionStorage`, which no other tab and no other site
 * reads. One link of a page keeps a seat; a second one to the same server would take it from the first. `link.js` owns it.
 */

/**
 * As much of a `Storage` as is used.
 * @typedef {object} StorageLike
 * @property {(key: string) => string | null} getItem
 * @property {(key: string, value: string) => void} setItem
 * @property {(key: string) => void} removeItem
 */

/** @typedef {{ token: string, seat: string }} Kept `token` says who the player is, `seat` opens the seat; both may be empty */

/** Keys that a link of this page holds. @type {Set<string>} */
const held = new Set();

/** See the module's description. */
export class Keeper {
  #storage;
  #key;

  /**
   * @param {StorageLike} storage
   * @param {string} key
   */
  constructor(storage, key) {
    this.#storage = storage;
    this.#key = key;
  }

  /**
   * The keeper for a server, undefined if there is no storage or another link of the page has it.
   * @param {string} url
   * @param {StorageLike | undefined} [storage]
   * @returns {Keeper | undefined}
   */
  static take(url, storage = browserStorage()) {
    const key = `tickwire ${url}`;
    if (storage === undefined || held.has(key)) return undefined;
    held.add(key);
    return new Keeper(storage, key);
  }

  /** @returns {Kept} what was kept; empty if there is nothing that can be read */
  load() {
    try {
      const { token, seat } = JSON.parse(this.#storage.getItem(this.#key) ?? '{}');
      return { token: typeof token === 'string' ? token : '', seat: typeof seat === 'string' ? seat : '' };
    } catch {
      return { token: '', seat: '' };
    }
  }

  /** @param {Kept} kept */
  save(kept) {
    try {
      this.#storage.setItem(this.#key, JSON.stringify(kept));
    } catch {
      // Full, or switched off: a reload then starts anew.
    }
  }

  /** Another link of the page may take it. */
  release() {
    held.delete(this.#key);
  }
}

/** @returns {StorageLike | undefined} where the page may keep something for as long as its tab lives */
function browserStorage() {
  try {
    return globalThis.sessionStorage;
  } catch {
    // The visitor forbids it.
    return undefined;
  }
}
