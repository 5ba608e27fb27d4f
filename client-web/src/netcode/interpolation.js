/**
 * The others, a little in the past: where between two snapshots the view stands, and how values
 * between them are made. Called by `play.js`; proved by
 * `shared/vectors/netcode/interpolation.json`. Not the offset to the server: that is
 * `clock_sync.js`; not where somebody is drawn whom the view put elsewhere than the picture: that
 * is `catch_up.js`.
 *
 * **Delay.** The view means to stand at `server tick - delay`, with `delay = min(max(wait,
 * snapshotEvery) + MARGIN, DELAY_MAX_MS)` ticks, `wait` being `ClockSync.wait`: nineteen of twenty
 * snapshots are there `MARGIN` ticks before they are needed, whatever jitter there is and however
 * many are left out.
 *
 * **View.** At every frame, `passed` ticks after the one before, it goes on by `passed +
 * clamp(error * min(passed * GAIN, 1), -SLOW_DOWN * passed, CATCH_UP * passed)`, where `error =
 * server tick - delay - (view + passed)`: never past where it means to stand, however late the
 * frame is. Only at the first frame, when it is more than `JUMP_MS` behind (the tab was in the
 * background, the machine slept), and before the end of a rest of the room (`clock_sync.js`), in
 * which there was nothing to see, it goes where it means to stand at once. It never goes back.
 * Going ahead of the newest snapshot is an *underrun*, but for one that ended a rest, after which
 * another rest may come; frames in a row make one.
 *
 * **Stalls.** The view is never more than `AHEAD_MAX_MS` and the *allowance* ahead of the newest
 * snapshot: while that came more than `snapshotEvery + 1` ticks ago (as of the frame that it was
 * new in) the allowance is the greater of those ticks and of what it was and `passed`, at most
 * `STALL_MAX_MS`; else it shrinks by `DRAIN` of `passed`. So the view goes through a stall as if
 * nothing were, everybody as they last moved, and is where it means to stand when the snapshots
 * come, however many of them and whatever pause comes after (the server waits for acknowledgements
 * then). If they come late for good, the view slows down until it is behind them. In 500 ms most go
 * straight on: `netcode-yardstick` shows them later with every shorter bound.
 *
 * **Pair.** The snapshots around the view are the newest one at or before it and the oldest one
 * after it. Before the first snapshot it is that one alone. Ahead of the newest it is the last two,
 * and alpha is above 1. *Passed* since the frame before are all pairs of neighbours whose newer is
 * after where the view was, or after the newest of then if that was before it, and whose older is
 * not after where it is.
 *
 * **Values.** Of an entity that both snapshots hold a `Real` that moves is `a + (b - a) * alpha`,
 * above alpha 1 within its range; another `Real` and a `Turn`, which goes the short way round, up
 * to alpha 1; of all other kinds it is the older value up to alpha 1, then the newer. If a
 * component *jumped* between them (`motion.js`) it is the older value up to alpha 1, then the
 * newer, whatever its kind; if its place *leapt* (`catch_up.js`, for who has a top speed) it is the
 * newer one above alpha 1. An entity that only the older one holds is shown as it was, and one that
 * only the newer one holds not before alpha 1.
 *
 * **Own projectiles.** What the player owns besides the avatar and what flies by a velocity is
 * shown on the shooter's time: at `min(server tick + lead, view + REWIND_MAX_MS)`, flown there from
 * the newest snapshot. That is the moment whose targets the server judges it by.
 */

import { REWIND_MAX_MS } from '../limits.js';

/** @typedef {import('../session/layers.js').Snapshot} Snapshot */

/** Ticks that a snapshot should be there early: frames and timers are no finer. */
export const MARGIN = 0.5;
/**
 * The greatest delay, in milliseconds; beyond, waiting for smooth pictures costs more than it
 * gives.
 */
export const DELAY_MAX_MS = 500;
/** Share of its speed by which the view mends an error of a tick. */
export const GAIN = 0.125;
/** Share by which the view runs faster than time at most. */
export const CATCH_UP = 0.25;
/** Share by which it runs slower at most. */
export const SLOW_DOWN = 0.125;
/**
 * How far behind the view may be before it jumps, in milliseconds: nobody wants a second replayed.
 */
export const JUMP_MS = 1000;
/** How far ahead of the newest snapshot the view goes while they come, in milliseconds. */
export const AHEAD_MAX_MS = 50;
/** How much further it goes while none come, in milliseconds: in longer nobody goes straight on. */
export const STALL_MAX_MS = 500;
/** Share of its speed by which a view slows down that is too far ahead of snapshots that come. */
export const DRAIN = 0.5;
/** A field that changes by more than this share of its range at once did not move: it jumped. */
export const JUMP_SHARE = 1 / 16;

const TAU = 2 * Math.PI;

/**
 * Two snapshots and the place between them.
 * @typedef {object} Pair
 * @property {Snapshot} older the one at or before the view, or the last but one
 * @property {Snapshot} newer the one after it, or `older` again where there is no other
 * @property {number} alpha 0 at `older`, 1 at `newer`, above 1 beyond the newest
 * @property {number} ticks between the two
 */

/** Where the view stands. */
export class Interpolation {
  #ticksPerMs;
  #every;
  /** @type {number | undefined} */
  #drawnMs;
  /** Where it stood in the frame before, or the newest snapshot of then. */
  #seen = 0;
  /** The newest snapshot's tick as of the last frame. */
  #newest = 0;
  /** Ticks since the frame that it was new in. */
  #age = 0;
  #allowance = 0;
  /** Whether the view is ahead of the newest snapshot. */
  #isDry = false;
  /** The tick that is shown, with a fraction. */
  view = 0;
  /** How often it went ahead of the newest snapshot. */
  underruns = 0;

  /**
   * @param {number} tickRate steps a second, at least 1
   * @param {number} snapshotEvery ticks between snapshots, at least 1
   */
  constructor(tickRate, snapshotEvery) {
    this.#ticksPerMs = tickRate / 1000;
    this.#every = snapshotEvery;
    /** How far behind the server tick the view means to stand, in ticks. */
    this.delay = snapshotEvery + MARGIN;
  }

  /**
   * Moves the view on to a frame.
   * @param {number} nowMs
   * @param {number} serverTick that the clock says now
   * @param {number} wait that the clock says now
   * @param {number} newest the newest snapshot's tick
   * @param {number} restEnd the tick of the newest one that ended a rest, 0 for none
   */
  advance(nowMs, serverTick, wait, newest, restEnd) {
    this.delay = Math.min(Math.max(wait, this.#every) + MARGIN, DELAY_MAX_MS * this.#ticksPerMs);
    const meant = serverTick - this.delay;
    const isFirst = this.#drawnMs === undefined;
    const passed = Math.max(0, nowMs - (this.#drawnMs ?? nowMs)) * this.#ticksPerMs;
    this.#drawnMs = nowMs;
    const error = meant - (this.view + passed);
    const isJump = isFirst || this.view < restEnd || error > JUMP_MS * this.#ticksPerMs;
    const mended = error * Math.min(passed * GAIN, 1);
    const view = isJump ? meant : this.view + passed + Math.min(CATCH_UP * passed, Math.max(-SLOW_DOWN * passed, mended));
    this.#seen = Math.min(this.view, this.#newest);
    this.#allow(newest, passed);
    this.view = Math.max(this.view, Math.min(view, newest + AHEAD_MAX_MS * this.#ticksPerMs + this.#allowance));
    const wasDry = this.#isDry;
    this.#isDry = this.view > newest;
    if (this.#isDry && !wasDry && newest !== restEnd) this.underruns++;
  }

  /**
   * @param {number} newest
   * @param {number} passed
   */
  #allow(newest, passed) {
    this.#age = newest > this.#newest ? 0 : this.#age + passed;
    this.#newest = newest;
    this.#allowance = this.#age > this.#every + 1
      ? Math.min(Math.max(this.#allowance + passed, this.#age), STALL_MAX_MS * this.#ticksPerMs)
      : Math.max(0, this.#allowance - passed * DRAIN);
  }

  /**
   * What the view stands between.
   * @param {readonly Snapshot[]} history oldest first, not empty
   * @returns {Pair}
   */
  pair(history) {
    let after = history.length;
    while (after > 0 && history[after - 1].tick > this.view) after--;
    // Ahead of the newest: the last two.
    after = Math.min(after, history.length - 1);
    return this.#between(history[Math.max(0, after - 1)], history[after]);
  }

  /**
   * The pairs of neighbours that the view came through since the frame before: see the module's
   * description.
   * @param {readonly Snapshot[]} history oldest first
   * @returns {Pair[]} oldest first
   */
  passed(history) {
    /** @type {Pair[]} */
    const pairs = [];
    for (let i = 1; i < history.length; i++) {
      const [older, newer] = [history[i - 1], history[i]];
      if (newer.tick > this.#seen && older.tick <= this.view) pairs.push(this.#between(older, newer));
    }
    return pairs;
  }

  /**
   * @param {Snapshot} older
   * @param {Snapshot} newer
   * @returns {Pair}
   */
  #between(older, newer) {
    const ticks = newer.tick - older.tick;
    return { older, newer, alpha: ticks > 0 ? (this.view - older.tick) / ticks : 0, ticks };
  }

  /**
   * @param {number} newest the newest snapshot's tick
   * @returns {number} how far the view stands behind it, in 1/64 ticks: an input's view lag.
   *   Below 0 ahead of it
   */
  viewLag(newest) {
    return Math.min(0x7fff, Math.max(-0x8000, Math.floor((newest - this.view) * 64 + 0.5)));
  }

  /**
   * @param {number} inputTick the server tick and the lead
   * @returns {number} the tick that the player's own projectiles are shown at
   */
  ownTick(inputTick) {
    return Math.min(inputTick, this.view + REWIND_MAX_MS * this.#ticksPerMs);
  }
}

/**
 * @param {number} from radians
 * @param {number} to radians
 * @returns {number} the short way from one to the other, -π..π
 */
export function turnBetween(from, to) {
  const turns = (to - from) / TAU;
  return (turns - Math.floor(turns + 0.5)) * TAU;
}

/**
 * The value between two of a field that did not jump.
 * @param {import('../schema/field.js').FieldKind} kind
 * @param {any} older
 * @param {any} newer
 * @param {number} alpha from 0 on
 * @returns {any}
 */
export function blend(kind, older, newer, alpha) {
  if (kind.type === 'Real') {
    const value = older + (newer - older) * alpha;
    return alpha > 1 ? Math.min(kind.max, Math.max(kind.min, value)) : value;
  }
  if (kind.type === 'Turn') return older + turnBetween(older, newer) * Math.min(alpha, 1);
  return alpha < 1 ? older : newer;
}
