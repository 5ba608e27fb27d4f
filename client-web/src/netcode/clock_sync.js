/**
 * The client's idea of the server's tick, and when to send the input of which tick. Fed by
 * `session/room_session.js` from snapshots, asked by `room.js`. It mirrors
 * `shared/src/netcode/clock_sync.rs`, which argues the design; times are milliseconds here.
 *
 * **Offset.** A snapshot of tick n that arrives at local time a gives the sample `a - n * period`. The
 * least sample of the last `WINDOW_MS` is the offset; the *server tick* at local time t is
 * `(t - offset) / period`: the newest tick that can have arrived.
 *
 * **Stamps.** The input of tick m is due when `floor(server tick) + lead >= m`. Stamps rise one by one;
 * whoever falls more than `CATCH_UP_MAX` behind skips to the newest due.
 *
 * **Lead.** It starts at `LEAD_START` ticks and follows the slack that snapshots report (the newest stamp that
 * had arrived, less the snapshot's tick): up at once when inputs are late, else once every `TRIM_TICKS`
 * towards `SLACK_TARGET`, within 1..`LEAD_MAX`. A report counts only for stamps sent after the last change.
 */

/** Age at which a sample of the offset is forgotten, in milliseconds. */
export const WINDOW_MS = 2000;
/** Samples that are kept at most. */
export const SAMPLES_MAX = 240;
/** Ticks that inputs should be early: one is the timer's grain at both ends, one is for jitter. */
export const SLACK_TARGET = 2;
/** The lead before the first report, in ticks. */
export const LEAD_START = 4;
/** The greatest lead, in ticks: half of what the server queues. */
export const LEAD_MAX = 32;
/** Ticks for which the slack is watched before it is trimmed. */
export const TRIM_TICKS = 60;
/** Stamps that are made up for after a pause; older ones are skipped, because their ticks are over. */
export const CATCH_UP_MAX = 8;
/** The slack of a head that says that no input has arrived yet. */
export const SLACK_NONE = -128;
/** Share of a new deviation in the jitter's mean, as in RFC 3550. */
const JITTER_GAIN = 1 / 16;

/** See the module's description. */
export class ClockSync {
  #periodMs;
  /**
   * Rising arrivals with rising samples: each is the least of all from its arrival on.
   * @type {{ atMs: number, sample: number }[]}
   */
  #samples = [];
  /** Ticks from the newest snapshot that can be here to the stamps of inputs. */
  lead = LEAD_START;
  /** Mean deviation of the snapshots' delay from the least, in milliseconds. */
  jitterMs = 0;
  /** The newest slack reported, `SLACK_NONE` before the first. */
  slack = SLACK_NONE;
  /** The newest stamp given out, 0 for none. */
  stamped = 0;
  #settle = 0;
  #watchedFrom = -1;
  #low = 0;

  /** @param {number} tickRate steps a second, at least 1 */
  constructor(tickRate) {
    this.#periodMs = 1000 / tickRate;
  }

  /** Milliseconds a tick. */
  get periodMs() {
    return this.#periodMs;
  }

  /**
   * @param {number} tick of a snapshot that arrived
   * @param {number} slack in its head
   * @param {number} nowMs
   */
  onSnapshot(tick, slack, nowMs) {
    const sample = nowMs - tick * this.#periodMs;
    const samples = this.#samples;
    while (samples.length > 0 && samples[samples.length - 1].sample >= sample) samples.pop();
    samples.push({ atMs: nowMs, sample });
    while (samples.length > 1 && (samples.length > SAMPLES_MAX || nowMs - samples[0].atMs > WINDOW_MS)) samples.shift();
    this.jitterMs += (sample - samples[0].sample - this.jitterMs) * JITTER_GAIN;
    this.slack = slack;
    if (slack !== SLACK_NONE) this.#onSlack(tick, slack, nowMs);
  }

  /**
   * @param {number} nowMs
   * @returns {number | undefined} the newest tick that can have arrived, with a fraction; undefined before the first snapshot
   */
  serverTick(nowMs) {
    const first = this.#samples[0];
    return first && (nowMs - first.sample) / this.#periodMs;
  }

  /**
   * The tick that inputs are stamped for, with the fraction of it that has passed.
   * @param {number} nowMs
   * @returns {number | undefined}
   */
  inputTick(nowMs) {
    const serverTick = this.serverTick(nowMs);
    return serverTick === undefined ? undefined : serverTick + this.lead;
  }

  /**
   * The next input's tick if it is due. To be asked again until it is undefined.
   * @param {number} nowMs
   * @returns {number | undefined}
   */
  nextStamp(nowMs) {
    const due = this.#newestDue(nowMs);
    if (due === undefined || (this.stamped !== 0 && due <= this.stamped)) return undefined;
    let stamp = this.stamped + 1;
    if (this.stamped === 0 || due - this.stamped > CATCH_UP_MAX) {
      stamp = due;
      this.#settle = due;
      this.#watchedFrom = -1;
    }
    this.stamped = stamp;
    return stamp;
  }

  /** @returns {number} when the next input will be due, in ms; Infinity before the first snapshot */
  nextStampMs() {
    const first = this.#samples[0];
    if (first === undefined) return Infinity;
    if (this.stamped === 0) return -Infinity;
    return first.sample + (this.stamped + 1 - this.lead) * this.#periodMs;
  }

  /**
   * @param {number} nowMs
   * @returns {number | undefined}
   */
  #newestDue(nowMs) {
    const serverTick = this.serverTick(nowMs);
    return serverTick === undefined ? undefined : Math.max(1, Math.floor(serverTick) + this.lead);
  }

  /**
   * @param {number} tick
   * @param {number} slack
   * @param {number} nowMs
   */
  #onSlack(tick, slack, nowMs) {
    const due = this.#newestDue(nowMs);
    if (this.stamped === 0 || due === undefined) return;
    if (due - this.stamped > CATCH_UP_MAX || tick + slack < this.#settle) return;
    if (slack < 1) {
      this.#change(SLACK_TARGET - slack);
      return;
    }
    if (this.#watchedFrom === -1) {
      this.#watchedFrom = tick;
      this.#low = slack;
    }
    this.#low = Math.min(this.#low, slack);
    if (tick - this.#watchedFrom < TRIM_TICKS) return;
    const excess = this.#low - SLACK_TARGET;
    this.#watchedFrom = -1;
    if (excess < 0) this.#change(-excess);
    else if (excess > 0) this.#change(-Math.ceil(excess / 2));
  }

  /** @param {number} by */
  #change(by) {
    this.lead = Math.min(LEAD_MAX, Math.max(1, this.lead + by));
    this.#settle = this.stamped + 1;
    this.#watchedFrom = -1;
  }
}
