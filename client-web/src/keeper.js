/**
 * What a reload of the page keeps: the seat's token and the player's, in `sessionStorage`, which no
 * other tab and no other site reads. One link of a page keeps a seat; a second one to the same
 * server would take it from the first. `link.js` owns it.
 *
 * **Holder.** A key belongs to the link that came first, until it ends. Then the one that has
 * waited longest holds it and keeps what it has. Only the holder reads: who waits has connected as
 * somebody else already.
 *
 * A duplicated tab starts with a copy: both have the seat's token, the later one takes the seat,
 * and the other is told (4006) and drops its copy. Where a page passes a storage that tabs share
 * (`localStorage`), that other one must not drop what the later one has written since.
 */

/**
 * As much of a `Storage` as is used.
 * @typedef {object} StorageLike
 * @property {(key: string) => string | null} getItem
 * @property {(key: string, value: string) => void} setItem
 * @property {(key: string) => void} removeItem
 */

/**
 * @typedef {{ token: string, seat: string }} Kept `token` says who the player is, `seat` opens
 *   the seat; both may be empty
 */

/**
 * By storage and key, the links that would keep a seat there: the first one does.
 * @type {WeakMap<StorageLike, Map<string, Keeper[]>>}
 */
const queues = new WeakMap();

/** See the module's description. */
export class Keeper {
  #storage;
  #key;
  /** @type {Keeper[]} */
  #queue;
  /** @type {Kept | undefined} the newest */
  #kept;
  /** The seat that was read or written last: any other in the storage is another tab's. */
  #seat = '';

  /**
   * Use `Keeper.take`.
   * @param {StorageLike} storage
   * @param {string} key
   */
  constructor(storage, key) {
    const keys = queues.get(storage) ?? new Map();
    queues.set(storage, keys);
    this.#storage = storage;
    this.#key = key;
    this.#queue = keys.get(key) ?? [];
    keys.set(key, this.#queue);
    this.#queue.push(this);
  }

  /**
   * The keeper for a server. It is to be released.
   * @param {string} server by what it is known
   * @param {StorageLike | undefined} [storage]
   * @returns {Keeper | undefined} undefined if there is no storage. Throws a `TypeError` for what
   *   is none
   */
  static take(server, storage = browserStorage()) {
    if (storage === undefined || storage === null) return undefined;
    if (typeof storage.getItem !== 'function' || typeof storage.setItem !== 'function') throw new TypeError('storage is one such as sessionStorage');
    return new Keeper(storage, `tickwire ${server}`);
  }

  /** @returns {boolean} whether a reload finds what this one keeps */
  get isHolder() {
    return this.#queue[0] === this;
  }

  /**
   * @returns {Kept} what was kept; empty if there is nothing that can be read, or another link
   *   holds it
   */
  load() {
    if (!this.isHolder) return { token: '', seat: '' };
    const kept = this.#read();
    this.#seat = kept.seat;
    return kept;
  }

  /** @param {Kept} kept */
  save(kept) {
    this.#kept = kept;
    if (this.isHolder) this.#write(kept);
  }

  /**
   * The link is over: the one that waits for the key takes it. What was kept stays, for a reload or
   * for the next link.
   */
  release() {
    const wasHolder = this.isHolder;
    const at = this.#queue.indexOf(this);
    if (at !== -1) this.#queue.splice(at, 1);
    const [next] = this.#queue;
    if (wasHolder && next !== undefined && next.#kept !== undefined) next.#write(next.#kept);
  }

  /** @returns {Kept} */
  #read() {
    try {
      const { token, seat } = JSON.parse(this.#storage.getItem(this.#key) ?? '{}');
      return { token: typeof token === 'string' ? token : '', seat: typeof seat === 'string' ? seat : '' };
    } catch {
      return { token: '', seat: '' };
    }
  }

  /** @param {Kept} kept */
  #write(kept) {
    if (kept.seat === '' && ![this.#seat, ''].includes(this.#read().seat)) return;
    this.#seat = kept.seat;
    try {
      this.#storage.setItem(this.#key, JSON.stringify(kept));
    } catch {
      // Full, or switched off: a reload then starts anew.
    }
  }
}

/**
 * @returns {StorageLike | undefined} where the page may keep something for as long as its tab
 *   lives
 */
function browserStorage() {
  try {
    return globalThis.sessionStorage;
  } catch {
    // The visitor forbids it.
    return undefined;
  }
}
