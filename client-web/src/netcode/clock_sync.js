/**
 * The client's idea of the server's tick, and how unevenly snapshots come. Fed by
 * `session/room_session.js`. It is `shared/src/netcode/clock_sync.rs`, which argues the design;
 * both reproduce `shared/vectors/netcode/clock_sync.json`. Not when inputs leave: that is
 * `input_timing.js`. Not the view's clock: that is `interpolation.js`. Times are milliseconds here.
 *
 * **Samples.** A snapshot of tick n that arrives at local time a gives the sample `a - n * period`.
 * Of every second from the first arrival on (a *bucket*) the least sample and its arrival are kept,
 * for the newest `BUCKETS` buckets; of equal samples the older.
 *
 * **Slope.** Local and server clocks drift apart. Whenever a bucket is begun: with at least
 * `SLOPE_FROM` complete ones the slope is the median of the slopes between all pairs of them that
 * are two or more apart in the list (the lower one of an even number), within `SLOPE_MAX`; else 0.
 *
 * **Target.** At an arrival a it is the least of the buckets' samples carried on to a: `sample +
 * slope * (a - its arrival)`.
 *
 * **Offset.** It follows the target without jumps: with the *shown* offset and the target as of the
 * last arrival a, at time t it is `target + slope * (t - a)`, kept within `shown -+ SLEW * (t -
 * a)`. At every arrival the shown offset becomes the offset at that time. Only in the first
 * `FREE_MS` after the first arrival, and when it is more than `STEP_MS` away from the target (the
 * server lost time, the machine slept), it becomes the target at once. The *server tick* at t is
 * `(t - offset) / period`: the newest tick that can have arrived.
 *
 * **Jitter and wait.** A snapshot's *deviation* is `(sample - target) / period` ticks; its *wait*
 * is the deviation and the ticks since the snapshot before it. The last `ARRIVALS_MAX` of both are
 * kept, but not those of the first snapshot, nor of one that comes less than a quarter of a period
 * after the one before, nor of one that ends a rest of the room, whose length tells nothing of the
 * link. The link's are their `PERCENTILE`th percentiles, nearest rank; 0 of none.
 *
 * **Rests.** A room in which nobody does anything makes one image a second, and its world stands
 * still in between. An image *ends a rest* if its gap is greater than what the room makes under
 * load, `THROTTLED_MAX` times the ticks between snapshots, or greater than these and not less than
 * a second.
 */

/** What one kept sample stands for, in milliseconds. */
export const BUCKET_MS = 1000;
/** Buckets that are remembered, the one being filled included. */
export const BUCKETS = 6;
/** Complete buckets from which a slope is told: fewer tell more of jitter than of drift. */
export const SLOPE_FROM = 4;
/**
 * The greatest slope: crystals differ by less than 200 parts in a million, timers by somewhat more.
 */
export const SLOPE_MAX = 0.0005;
/** Share by which the clock may run fast or slow to follow: nobody sees a twentieth. */
export const SLEW = 0.05;
/** How long a new clock takes every better sample as it comes, in milliseconds. */
export const FREE_MS = 1000;
/** How far off the clock may be before it steps, in milliseconds. */
export const STEP_MS = 250;
/** Arrivals that jitter and wait are taken from: four seconds at 30 Hz. */
export const ARRIVALS_MAX = 128;
/** Percentile that is called the link's jitter or wait. */
export const PERCENTILE = 95;
/** A room under load makes one image of so many at least. */
export const THROTTLED_MAX = 8;

/**
 * The least sample of a second.
 * @typedef {{ number: number, atMs: number, sample: number }} Bucket
 */

/** See the module's description. */
export class ClockSync {
  /** @type {number | undefined} */
  #firstMs;
  /** @type {Bucket[]} by rising number */
  #buckets = [];
  /** Drift of the local clock against the server's: 0.0001 gains 0.1 ms a second. */
  slope = 0;
  /** The last arrival, and what was then. */
  #atMs = 0;
  #target = 0;
  #shown = 0;
  /** @type {number | undefined} */
  #newest;
  /** @type {number[]} the newest, oldest first, in ticks */
  #deviations = [];
  /** @type {number[]} of the same snapshots */
  #waits = [];
  /** How much later than the least delayed a snapshot comes, in ticks. */
  jitter = 0;
  /** How far behind the server tick a view finds the next snapshot there, in ticks. */
  wait = 0;

  /** @param {number} tickRate steps a second, at least 1 */
  constructor(tickRate) {
    /** Milliseconds a tick. */
    this.periodMs = 1000 / tickRate;
  }

  /**
   * @param {number} tick of a snapshot that arrived
   * @param {number} nowMs
   * @param {boolean} isRestEnd whether it ends a rest
   */
  onSnapshot(tick, nowMs, isRestEnd) {
    const sample = nowMs - tick * this.periodMs;
    this.#firstMs ??= nowMs;
    const shown = this.#offset(nowMs);
    const sinceFirst = Math.max(0, nowMs - this.#firstMs);
    this.#put({ number: Math.floor(sinceFirst / BUCKET_MS), atMs: nowMs, sample });
    let target = Infinity;
    for (const bucket of this.#buckets) {
      target = Math.min(target, bucket.sample + this.slope * Math.max(0, nowMs - bucket.atMs));
    }
    const steps = sinceFirst < FREE_MS || Math.abs(target - shown) > STEP_MS;
    this.#shown = steps ? target : shown;
    if (this.#newest !== undefined && !isRestEnd && Math.max(0, nowMs - this.#atMs) >= this.periodMs / 4) {
      const deviation = (sample - target) / this.periodMs;
      this.#keep(deviation, deviation + Math.max(0, tick - this.#newest));
    }
    this.#newest = tick;
    this.#target = target;
    this.#atMs = nowMs;
  }

  /**
   * @param {number} nowMs
   * @returns {number | undefined} the newest tick that can have arrived, with a fraction;
   *   undefined before the first snapshot
   */
  serverTick(nowMs) {
    return this.#firstMs === undefined ? undefined : (nowMs - this.#offset(nowMs)) / this.periodMs;
  }

  /**
   * @param {number} tick
   * @returns {number | undefined} when the server tick will be this one, in ms and not before the
   *   last snapshot; undefined before the first. A snapshot that comes meanwhile may change it a
   *   little
   */
  timeOf(tick) {
    if (this.#firstMs === undefined) return undefined;
    // From the last snapshot on: t - offset(t) = tick * period, the offset being a line.
    const fromAt = (/** @type {number} */ offset, /** @type {number} */ slope) =>
      (tick * this.periodMs + offset - this.#atMs) / (1 - slope);
    const free = Math.max(0, fromAt(this.#target, this.slope));
    const wanted = this.#target + this.slope * free;
    let passed = free;
    if (wanted > this.#shown + SLEW * free) passed = fromAt(this.#shown, SLEW);
    else if (wanted < this.#shown - SLEW * free) passed = fromAt(this.#shown, -SLEW);
    return this.#atMs + Math.max(0, passed);
  }

  /** @param {number} nowMs */
  #offset(nowMs) {
    const passed = Math.max(0, nowMs - this.#atMs);
    const most = SLEW * passed;
    return Math.min(this.#shown + most, Math.max(this.#shown - most, this.#target + this.slope * passed));
  }

  /** @param {Bucket} bucket */
  #put(bucket) {
    const buckets = this.#buckets;
    const last = buckets[buckets.length - 1];
    if (last?.number === bucket.number) {
      if (bucket.sample < last.sample) buckets[buckets.length - 1] = bucket;
      return;
    }
    this.slope = slopeOf(buckets);
    buckets.push(bucket);
    while (buckets[0].number + BUCKETS <= bucket.number) buckets.shift();
  }

  /**
   * @param {number} deviation
   * @param {number} wait
   */
  #keep(deviation, wait) {
    if (this.#deviations.length === ARRIVALS_MAX) {
      this.#deviations.shift();
      this.#waits.shift();
    }
    this.#deviations.push(deviation);
    this.#waits.push(wait);
    this.jitter = percentile(this.#deviations);
    this.wait = percentile(this.#waits);
  }
}

/**
 * @param {number} gap ticks between a snapshot's image and the one that the room made before it
 * @param {number} tickRate of the room
 * @param {number} snapshotEvery ticks between its snapshots
 * @returns {boolean} whether the snapshot ends a rest
 */
export function endsRest(gap, tickRate, snapshotEvery) {
  return gap > snapshotEvery * THROTTLED_MAX || (gap > snapshotEvery && gap >= tickRate);
}

/**
 * @param {readonly number[]} of not empty
 * @returns {number}
 */
function percentile(of) {
  const sorted = Float64Array.from(of).sort();
  return sorted[Math.ceil((PERCENTILE * sorted.length) / 100) - 1];
}

/**
 * @param {readonly Bucket[]} complete
 * @returns {number}
 */
function slopeOf(complete) {
  if (complete.length < SLOPE_FROM) return 0;
  const slopes = [];
  for (let i = 0; i < complete.length; i++) {
    for (let j = i + 2; j < complete.length; j++) {
      const [older, newer] = [complete[i], complete[j]];
      slopes.push((newer.sample - older.sample) / Math.max(0, newer.atMs - older.atMs));
    }
  }
  const sorted = Float64Array.from(slopes).sort();
  return Math.min(SLOPE_MAX, Math.max(-SLOPE_MAX, sorted[(sorted.length - 1) >> 1]));
}
