/**
 * The last seconds of a room's figures, one sample a frame. Fed by `dev_panel.js`, drawn by
 * `chart.js`. No clock: times are arguments.
 */

/** What a chart shows, in milliseconds. */
export const SPAN_MS = 10_000;
/** Frames that are remembered at most: the span at 144 frames a second. The oldest go first. */
export const SAMPLES_MAX = 1440;

/** @typedef {import('../types.js').Stats} Stats */

/**
 * A frame's figures.
 * @typedef {object} Sample
 * @property {number} atMs
 * @property {number} rtt
 * @property {number} jitter
 * @property {number} delay
 * @property {number} slack
 * @property {number} error
 * @property {number} bytes mean of the snapshots that came since the frame before, 0 if none did
 * @property {number} skipped snapshots that the server left out, as far as the frame learnt of them
 */

/** See the module's description. */
export class Recorder {
  /** @type {Sample[]} oldest first */
  samples = [];
  /** @type {Stats | undefined} the newest */
  #last;

  /**
   * @param {Stats} stats of the room, now
   * @param {number} nowMs
   */
  add(stats, nowMs) {
    const before = this.#last ?? stats;
    const snapshots = stats.snapshots - before.snapshots;
    this.samples.push({
      atMs: nowMs,
      rtt: stats.rttMs,
      jitter: stats.jitterMs,
      delay: stats.interpolationMs,
      slack: stats.inputSlack,
      error: stats.predictionError,
      bytes: snapshots > 0 ? (stats.bytes - before.bytes) / snapshots : 0,
      skipped: stats.skipped - before.skipped,
    });
    if (this.samples.length > SAMPLES_MAX) this.samples.shift();
    this.#last = stats;
  }

  /** @returns {number} frames in the last second, but for the newest */
  get framesPerSecond() {
    const newest = this.samples[this.samples.length - 1];
    return this.samples.filter(({ atMs }) => newest.atMs - atMs <= 1000).length - 1;
  }
}
