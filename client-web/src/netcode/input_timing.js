/**
 * When inputs leave, and the tick that each is for. Asked by `play.js` with the server tick of
 * `clock_sync.js`, told by `session/room_session.js` of the slack that snapshots report. It is
 * `shared/src/netcode/input_timing.rs`, which argues the design; both reproduce
 * `shared/vectors/netcode/input_timing.json`.
 *
 * **Stamps.** The input of tick m is due when `server tick + lead >= m`; the newest stamp that is
 * due is `floor(server tick + lead + 1e-6)`, at least 1. Stamps rise one by one from the first;
 * whoever falls more than `CATCH_UP_MAX` behind skips to the newest due.
 *
 * **Slack.** A snapshot's head says how early inputs come: the newest stamp that had arrived, less
 * the snapshot's tick. 0 is just in time, below 0 is late.
 *
 * **Target.** The lead, in ticks and their eighths, is as short as it may be while in a window of
 * `TRIM_S` the least slack is `SLACK_TARGET`. It starts at `LEAD_START` (or by the first round trip
 * that is known before any report counts: `rtt / period + 2`, up to a whole eighth, if that is
 * more), and is kept within `LEAD_MIN..LEAD_MAX`.
 *
 * **Reports.** A report of (tick, slack) is looked at if an input was stamped and the stamps are
 * not more than `CATCH_UP_MAX` behind (else the client paused). With `newest = tick + slack`:
 * - `newest < settle` is not looked at further: `settle` is the first stamp after the last change
 *   (or skip).
 * - If `newest` is no more than in the report before, nothing arrived in between: the slack is
 *   noted if it is the least of this *gap*, and the ticks since the report before count to the
 *   gap's length. No more is done: a gap may be a stall.
 * - Else the gap is over. `low` is the slack; or the gap's least, if that is less and the gap was
 *   at most `GAP_MAX_MS` long.
 *   - `low < 0`: `lead += SLACK_TARGET - low`.
 *   - `low < SLACK_TARGET`: `lead += RAISE`.
 *   - else: when the window is `TRIM_S` long, `least` being the least of its lows: `lead -= (least
 *     - SLACK_TARGET) / 2 + TRIM`.
 *
 * Every change of the lead begins a new window, and a new gap.
 */

/** Ticks that the latest inputs should be early. */
export const SLACK_TARGET = 1;
/** The lead before the first report, in ticks: 65 ms there and back at 30 Hz. */
export const LEAD_START = 4;
/** The least lead, in ticks. */
export const LEAD_MIN = 1;
/** The greatest lead, in ticks: 1.8 s at 30 Hz, and within what the server queues. */
export const LEAD_MAX = 56;
/** Seconds for which the slack is watched before the lead is shortened. */
export const TRIM_S = 2;
/** What the lead is shortened by after a window that was on target, in ticks. */
export const TRIM = 0.125;
/** What it is lengthened by when the slack is off target but nothing was late, in ticks. */
export const RAISE = 0.25;
/** The longest gap that counts as jitter, in milliseconds. */
export const GAP_MAX_MS = 150;
/**
 * Stamps that are made up for after a pause; older ones are skipped, because their ticks are over.
 */
export const CATCH_UP_MAX = 8;
/** The slack of a head that says that no input has arrived yet. */
export const SLACK_NONE = -128;
/** Below what rounding makes of a due time, in ticks. */
const DUE_GRAIN = 1e-6;

/** See the module's description. */
export class InputTiming {
  #trimTicks;
  #gapMaxTicks;
  /** Ticks from the newest snapshot that can be here to the stamps of inputs. */
  lead = LEAD_START;
  /** The newest stamp given out, 0 for none. */
  stamped = 0;
  /** The newest slack reported, `SLACK_NONE` before the first. */
  slack = SLACK_NONE;
  #settle = 0;
  /** Whether a report has counted. */
  #heard = false;
  /** The newest arrival of the report before, and its tick. */
  #newest = -Infinity;
  #reported = 0;
  /** A stretch of reports without arrivals. @type {{ ticks: number, least: number }} */
  #gap = { ticks: 0, least: Infinity };
  /**
   * What is watched before the lead is shortened.
   * @type {{ from: number, least: number } | undefined}
   */
  #window;

  /** @param {number} tickRate steps a second, at least 1 */
  constructor(tickRate) {
    this.#trimTicks = TRIM_S * tickRate;
    this.#gapMaxTicks = Math.ceil((GAP_MAX_MS * tickRate) / 1000);
  }

  /**
   * A round trip was measured. Counts only while nothing better is known.
   * @param {number} ticks that it took
   */
  onRoundTrip(ticks) {
    if (this.#heard || !(ticks >= 0)) return;
    this.lead = Math.min(LEAD_MAX, Math.max(this.lead, Math.ceil((ticks + 2) * 8) / 8));
  }

  /**
   * The next input's tick if it is due. To be asked again until it is undefined.
   * @param {number} serverTick
   * @returns {number | undefined}
   */
  nextStamp(serverTick) {
    const due = this.#newestDue(serverTick);
    if (this.stamped !== 0 && due <= this.stamped) return undefined;
    if (this.stamped !== 0 && due - this.stamped <= CATCH_UP_MAX) {
      this.stamped++;
    } else {
      this.#settle = due;
      this.#restart();
      this.stamped = due;
    }
    return this.stamped;
  }

  /**
   * @returns {number} the server tick at which the next input will be due; -Infinity for at once
   */
  get nextDue() {
    return this.stamped === 0 ? -Infinity : this.stamped + 1 - this.lead;
  }

  /**
   * A snapshot came.
   * @param {number} tick its tick
   * @param {number} slack in its head
   * @param {number} serverTick now
   */
  onReport(tick, slack, serverTick) {
    this.slack = slack;
    if (this.stamped === 0 || slack === SLACK_NONE) return;
    const newest = tick + slack;
    if (this.#newestDue(serverTick) - this.stamped > CATCH_UP_MAX || newest < this.#settle) return;
    const hasArrived = newest > this.#newest;
    const since = Math.max(0, tick - this.#reported);
    this.#newest = newest;
    this.#reported = tick;
    if (!hasArrived) {
      this.#gap.ticks += since;
      this.#gap.least = Math.min(this.#gap.least, slack);
      return;
    }
    this.#heard = true;
    const { ticks, least } = this.#gap;
    this.#gap = { ticks: 0, least: Infinity };
    this.#judge(tick, ticks <= this.#gapMaxTicks ? Math.min(slack, least) : slack);
  }

  /**
   * @param {number} tick
   * @param {number} low
   */
  #judge(tick, low) {
    if (low < 0) {
      this.#change(SLACK_TARGET - low);
      return;
    }
    if (low < SLACK_TARGET) {
      this.#change(RAISE);
      return;
    }
    this.#window ??= { from: tick, least: low };
    this.#window.least = Math.min(this.#window.least, low);
    if (Math.max(0, tick - this.#window.from) >= this.#trimTicks) {
      this.#change(-((this.#window.least - SLACK_TARGET) / 2 + TRIM));
    }
  }

  /** @param {number} serverTick */
  #newestDue(serverTick) {
    return Math.max(1, Math.floor(serverTick + this.lead + DUE_GRAIN));
  }

  /** @param {number} by */
  #change(by) {
    this.lead = Math.min(LEAD_MAX, Math.max(LEAD_MIN, this.lead + by));
    this.#settle = this.stamped === 0 ? 0 : this.stamped + 1;
    this.#restart();
  }

  #restart() {
    this.#window = undefined;
    this.#gap = { ticks: 0, least: Infinity };
  }
}
