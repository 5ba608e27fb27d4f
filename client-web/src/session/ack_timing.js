/**
 * When an acknowledgement goes out alone, because no input carries it. Owned by `room_session.js`.
 * It is `shared/src/session/ack_timing.rs`, which argues for its rules. Not what is acknowledged:
 * that is the newest snapshot.
 */

import { ACK_DELAY_MS } from '../limits.js';

/** Times are in milliseconds, from any start. */
export class AckTiming {
  /** When the acknowledgement goes out alone; Infinity when there is nothing new. */
  dueMs = Infinity;
  /** The longest time between snapshots that is no silence. */
  #silenceMs;
  #heardMs = Infinity;
  /** Until when each snapshot is acknowledged at once. */
  #promptUntilMs = -Infinity;

  /**
   * @param {number} tickRate steps a second
   * @param {number} snapshotEvery steps from one snapshot to the next
   */
  constructor(tickRate, snapshotEvery) {
    this.#silenceMs = Math.max(ACK_DELAY_MS, (2 * Math.max(snapshotEvery, 1) * 1000) / Math.max(tickRate, 1));
  }

  /**
   * A snapshot was applied.
   * @param {number} nowMs
   */
  onSnapshot(nowMs) {
    if (nowMs - this.#heardMs > this.#silenceMs) this.#promptUntilMs = nowMs + ACK_DELAY_MS;
    this.#heardMs = nowMs;
    this.dueMs = Math.min(this.dueMs, nowMs < this.#promptUntilMs ? nowMs : nowMs + ACK_DELAY_MS);
  }
}
