/**
 * The last seconds of a room's figures, one sample a frame, in rings that are written in place. Fed
 * by `dev_panel.js`, drawn by `chart.js`. No clock: times are arguments.
 */

/** What a chart shows, in milliseconds. */
export const SPAN_MS = 10_000;
/** Frames that are remembered at most: the span at 144 frames a second. The oldest go first. */
export const SAMPLES_MAX = 1440;

/** @typedef {import('../types.js').Stats} Stats */

/** See the module's description. Index 0 is the oldest sample. */
export class Recorder {
  #at = new Float64Array(SAMPLES_MAX);
  #columns = {
    rtt: new Float32Array(SAMPLES_MAX),
    jitter: new Float32Array(SAMPLES_MAX),
    delay: new Float32Array(SAMPLES_MAX),
    slack: new Float32Array(SAMPLES_MAX),
    error: new Float32Array(SAMPLES_MAX),
    /** Mean bytes of the snapshots that came since the frame before, 0 if none did. */
    bytes: new Float32Array(SAMPLES_MAX),
    /** Snapshots that the server left out, as far as the frame learnt of them. */
    skipped: new Float32Array(SAMPLES_MAX),
  };
  #next = 0;
  /** Samples that are remembered. */
  count = 0;
  /** @type {Stats | undefined} the newest */
  #last;

  /**
   * @param {Stats} stats
   * @param {number} nowMs
   */
  add(stats, nowMs) {
    const before = this.#last ?? stats;
    const snapshots = stats.snapshots - before.snapshots;
    const columns = this.#columns;
    const at = this.#next;
    this.#at[at] = nowMs;
    columns.rtt[at] = stats.rttMs;
    columns.jitter[at] = stats.jitterMs;
    columns.delay[at] = stats.interpolationMs;
    columns.slack[at] = stats.inputSlack;
    columns.error[at] = stats.predictionError;
    columns.bytes[at] = snapshots > 0 ? (stats.bytes - before.bytes) / snapshots : 0;
    columns.skipped[at] = stats.skipped - before.skipped;
    this.#last = stats;
    this.#next = (at + 1) % SAMPLES_MAX;
    this.count = Math.min(SAMPLES_MAX, this.count + 1);
  }

  /**
   * @param {number} index
   * @returns {number} when the sample was taken, in ms
   */
  atMs(index) {
    return this.#at[this.#place(index)];
  }

  /**
   * @param {keyof Recorder['columns']} name
   * @param {number} index
   * @returns {number}
   */
  value(name, index) {
    return this.#columns[name][this.#place(index)];
  }

  /**
   * @param {keyof Recorder['columns']} name
   * @param {number} nowMs
   * @returns {number} the greatest value within the span, at least 0
   */
  greatest(name, nowMs) {
    let greatest = 0;
    for (let i = this.count - 1; i >= 0 && nowMs - this.atMs(i) <= SPAN_MS; i--) greatest = Math.max(greatest, this.value(name, i));
    return greatest;
  }

  /** @returns {number} frames in the last second */
  get framesPerSecond() {
    let frames = 0;
    const newest = this.count - 1;
    while (frames < newest && this.atMs(newest) - this.atMs(newest - frames - 1) <= 1000) frames++;
    return frames;
  }

  /** For the types: the names of what is recorded. */
  get columns() {
    return this.#columns;
  }

  /** @param {number} index */
  #place(index) {
    return (this.#next - this.count + index + SAMPLES_MAX) % SAMPLES_MAX;
  }
}
