/**
 * A bad link, one way: latency, jitter, stalls and a bandwidth limit on what passes, in order, as a
 * stream delivers. Seeded and without a clock; it is `shared/src/conditioner.rs`, and both
 * reproduce `shared/vectors/netcode/conditioner.json`. `delayed.js` runs it between the socket and
 * the session. It loses and reorders nothing: below a WebSocket that shows as a delay, which is
 * what stalls are. Times are whole microseconds here, as there.
 *
 * A message of b bytes that is pushed at time t
 * - leaves when the link is free and has carried it: `free = max(free, t) + ceil(b * 1,000,000 /
 *   bytesPerSecond)`, without a limit `free = max(free, t)`;
 * - arrives at `free + latency + j`, where `j = draw % (jitter + 1)` with the next draw of a
 *   `Xorshift32` (drawn only if there is jitter);
 * - not within a stall: those are, if `stallEvery` is not 0, from every positive multiple of
 *   `stallEvery` on `stall` long, and what would arrive in one arrives at its end;
 * - and not before the message ahead of it.
 */

import { Xorshift32 } from './exact.js';

/**
 * What one way of a link is like.
 * @typedef {object} DirectionConditions
 * @property {number} latencyUs delay of everything
 * @property {number} jitterUs further delay at most, evenly distributed, drawn for each message;
 *   below 2^32 - 1
 * @property {number} stallEveryUs time from the start of a stall to the next one's; 0 for no stalls
 * @property {number} stallUs how long a stall lasts
 * @property {number} bytesPerSecond 0 for no limit
 */

/** A perfect link. @type {Readonly<DirectionConditions>} */
export const CLEAN = Object.freeze({ latencyUs: 0, jitterUs: 0, stallEveryUs: 0, stallUs: 0, bytesPerSecond: 0 });

/**
 * Bytes that one way of a link holds. Beyond: `push` refuses the message. A single one always fits.
 */
export const IN_FLIGHT_BYTES_MAX = 1 << 20;

/**
 * See the module's description.
 * @template T what passes
 */
export class Conditioner {
  #conditions;
  #dice;
  #freeUs = 0;
  /** @type {{ arrivalUs: number, bytes: number, message: T }[]} by rising arrival */
  #onTheWay = [];
  #lastUs = 0;
  /** Bytes on the way. */
  bytes = 0;

  /**
   * @param {DirectionConditions} conditions
   * @param {number} seed
   */
  constructor(conditions, seed) {
    this.#conditions = conditions;
    this.#dice = new Xorshift32(seed);
  }

  /**
   * From now on the link is like this, for what is pushed.
   * @param {DirectionConditions} conditions
   * @param {number} [seed] chance begins anew with it
   */
  set(conditions, seed) {
    this.#conditions = conditions;
    if (seed !== undefined) this.#dice = new Xorshift32(seed);
  }

  /**
   * Sends a message on its way.
   * @param {number} nowUs must not go back
   * @param {number} bytes
   * @param {T} message
   * @returns {boolean} false if `IN_FLIGHT_BYTES_MAX` are on the way: it was not taken
   */
  push(nowUs, bytes, message) {
    if (this.#onTheWay.length > 0 && this.bytes >= IN_FLIGHT_BYTES_MAX) return false;
    const { latencyUs, jitterUs, bytesPerSecond } = this.#conditions;
    this.#freeUs = Math.max(this.#freeUs, nowUs);
    if (bytesPerSecond > 0) this.#freeUs += Math.ceil((bytes * 1_000_000) / bytesPerSecond);
    const jitter = jitterUs === 0 ? 0 : this.#dice.below(jitterUs + 1);
    this.#lastUs = Math.max(this.#lastUs, this.#afterStall(this.#freeUs + latencyUs + jitter));
    this.bytes += bytes;
    this.#onTheWay.push({ arrivalUs: this.#lastUs, bytes, message });
    return true;
  }

  /**
   * @param {number} nowUs
   * @returns {T | undefined} the next message that has arrived
   */
  poll(nowUs) {
    const [first] = this.#onTheWay;
    if (first === undefined || first.arrivalUs > nowUs) return undefined;
    this.#onTheWay.shift();
    this.bytes -= first.bytes;
    return first.message;
  }

  /** @returns {number} when `poll` has the next one; Infinity with nothing on the way */
  pollTimeout() {
    return this.#onTheWay[0]?.arrivalUs ?? Infinity;
  }

  /** @param {number} arrivalUs */
  #afterStall(arrivalUs) {
    const { stallEveryUs, stallUs } = this.#conditions;
    if (stallEveryUs === 0 || arrivalUs < stallEveryUs) return arrivalUs;
    return Math.max(arrivalUs, arrivalUs - (arrivalUs % stallEveryUs) + stallUs);
  }
}
