/**
 * Who is writing a line in the room, as far as it was told of late; and how often the server is told
 * that the own player is. On times that are arguments. Owned by `room.js`.
 */

import { TYPING_EVERY_MS, TYPING_MAX, TYPING_SHOWN_MS } from './limits.js';

/** See the module's description. */
export class Typing {
  /** Until when each is shown, by number, those who began first at the front. @type {Map<number, number>} */
  #until = new Map();
  #tell;
  /** When the server may be told again. */
  #nextMs = -Infinity;

  /** @param {(players: number[]) => void} tell who is typing now, whenever that changes */
  constructor(tell) {
    this.#tell = tell;
  }

  /** Somebody is. @param {number} player @param {number} nowMs */
  onTyping(player, nowMs) {
    const isNew = !this.#until.has(player);
    if (isNew && this.#until.size >= TYPING_MAX) return;
    this.#until.set(player, nowMs + TYPING_SHOWN_MS);
    if (isNew) this.#changed();
  }

  /** They said it, or went. @param {number} player */
  ended(player) {
    if (this.#until.delete(player)) this.#changed();
  }

  /** Nothing is known any more, as when the connection was lost. */
  clear() {
    this.#nextMs = -Infinity;
    if (this.#until.size === 0) return;
    this.#until.clear();
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
    return Math.min(Infinity, ...this.#until.values());
  }

  /** @param {number} nowMs */
  onTime(nowMs) {
    if (nowMs < this.dueMs) return;
    for (const [player, untilMs] of this.#until) if (untilMs <= nowMs) this.#until.delete(player);
    this.#changed();
  }

  #changed() {
    this.#tell([...this.#until.keys()]);
  }
}
