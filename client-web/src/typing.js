/**
 * Who is writing a line in a room or a channel, as far as it was told of late; and how often the
 * server is told that the own player is. On times that are arguments. Owned by `room.js` and
 * `channel.js`.
 */

import { TYPING_EVERY_MS, TYPING_MAX, TYPING_SHOWN_MS } from './limits.js';

/**
 * See the module's description. Whom it is told by a key, and as a page is: in a room both are their
 * number.
 * @template {number | string} K
 * @template [T=K]
 */
export class Typing {
  /** Until when each is shown, those who began first at the front. @type {Map<K, { untilMs: number, who: T }>} */
  #shown = new Map();
  #tell;
  /** When the server may be told again. */
  #nextMs = -Infinity;

  /** @param {(all: T[]) => void} tell who is typing now, whenever that changes */
  constructor(tell) {
    this.#tell = tell;
  }

  /** Somebody is. @param {K} key @param {T} who @param {number} nowMs */
  onTyping(key, who, nowMs) {
    const isNew = !this.#shown.has(key);
    if (isNew && this.#shown.size >= TYPING_MAX) return;
    this.#shown.set(key, { untilMs: nowMs + TYPING_SHOWN_MS, who });
    if (isNew) this.#changed();
  }

  /** They said it, or went. @param {K} key */
  ended(key) {
    if (this.#shown.delete(key)) this.#changed();
  }

  /** Nothing is known any more, as when the connection was lost. */
  clear() {
    this.#nextMs = -Infinity;
    if (this.#shown.size === 0) return;
    this.#shown.clear();
    this.#changed();
  }

  /**
   * The own player is.
   * @param {number} nowMs
   * @returns {boolean} whether the server is to be told
   */
  mayTell(nowMs) {
    if (nowMs < this.#nextMs) return false;
    this.#nextMs = nowMs + TYPING_EVERY_MS;
    return true;
  }

  /** The own player said it: the next line is another. */
  said() {
    this.#nextMs = -Infinity;
  }

  /** When `onTime` has something to do, in ms; Infinity for never. */
  get dueMs() {
    return Math.min(Infinity, ...[...this.#shown.values()].map(({ untilMs }) => untilMs));
  }

  /** @param {number} nowMs */
  onTime(nowMs) {
    if (nowMs < this.dueMs) return;
    for (const [key, { untilMs }] of this.#shown) if (untilMs <= nowMs) this.#shown.delete(key);
    this.#changed();
  }

  #changed() {
    this.#tell([...this.#shown.values()].map(({ who }) => who));
  }
}
