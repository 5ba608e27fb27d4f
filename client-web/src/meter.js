/** Snapshots and their bytes over the last second, for the net graph. Fed by `netcode/play.js`. */

const SPAN_MS = 1000;
/** Snapshots that are remembered at most: twice the fastest room. */
const COUNT_MAX = 256;

/** See the module's description. */
export class Meter {
  /** @type {{ atMs: number, bytes: number }[]} */
  #seen = [];

  /**
   * @param {number} bytes of a snapshot that arrived
   * @param {number} nowMs
   */
  add(bytes, nowMs) {
    this.#seen.push({ atMs: nowMs, bytes });
    if (this.#seen.length > COUNT_MAX) this.#seen.shift();
  }

  /**
   * @param {number} nowMs
   * @returns {{ count: number, bytes: number }} of the last second
   */
  read(nowMs) {
    while (this.#seen.length > 0 && nowMs - this.#seen[0].atMs > SPAN_MS) this.#seen.shift();
    return { count: this.#seen.length, bytes: this.#seen.reduce((sum, { bytes }) => sum + bytes, 0) };
  }
}
