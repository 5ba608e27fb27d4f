/**
 * The URLs by which a page reaches its server: one, or several that all lead to the same rooms, as
 * those of a cluster's nodes where there is no proxy. Which is the next to be tried; pure, chance
 * is an argument. `redirect.js` asks: they are its home. The bots' are `bots/src/doors.rs`.
 */

/** See the module's description. */
export class Doors {
  #urls;
  #at;
  /** How many were left for the next one since the player was there. */
  #left = 0;

  /**
   * @param {readonly string[]} urls at least one
   * @param {() => number} [random] 0 to 1: players spread over the doors
   */
  constructor(urls, random = Math.random) {
    this.#urls = [...new Set(urls)];
    this.#at = Math.floor(random() * this.#urls.length);
  }

  /** How many there are. */
  get count() {
    return this.#urls.length;
  }

  /** The one that is tried, or was gone through. */
  get url() {
    return this.#urls[this.#at];
  }

  /** What they are known by again, whichever of them is gone through. */
  get name() {
    return [...this.#urls].sort().join(' ');
  }

  /** For people. */
  get text() {
    return this.count === 1 ? this.url : `any of ${this.#urls.join(', ')}`;
  }

  /** Whether the next try is worth no wait: there are others, and not all were tried in vain. */
  get isUntried() {
    return this.count > 1 && this.#left < this.count;
  }

  /** On to the next one. */
  goOn() {
    this.#at = (this.#at + 1) % this.count;
    this.#left++;
  }

  /** The player is there, through whichever. */
  arrived() {
    this.#left = 0;
  }
}
