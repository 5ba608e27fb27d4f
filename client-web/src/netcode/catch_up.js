/**
 * Where somebody else is drawn: at the place that the view says, or, if that is elsewhere than the
 * picture left them (snapshots came late, and they did not go straight on), on the way there, never
 * faster than they were seen to go. Used by `tracks.js`. Proved by
 * `shared/vectors/netcode/pursuit.json`. Not what the view says: that is `interpolation.js`; not
 * the own entity's errors: those are `smoothing.js`'s.
 *
 * **Why.** Through a stall the view goes on by the clock and everybody by their last change, so who
 * goes straight on is where they should be when the snapshots come, without a trace. Who turned,
 * stopped or started meanwhile is off, by up to the stall's length at their speed. A picture that
 * makes up for it at more than their speed shows what cannot be; one that jumps shows it at once;
 * one that stays back for everybody's sake (a late view) is wrong about those who went straight on
 * as well, who are most. So everybody is off for themselves, and mends it by their own means: waits
 * if ahead, cuts the corner at the next turn, goes on at full speed where the real one stopped. Who
 * runs straight away at their top speed can't be caught up with: they stay that far behind until
 * they turn or slow down, and nothing is put where it did not walk to. `netcode-yardstick` tells
 * how late that is.
 *
 * **Follow.** At a frame `ms` after the one before, with the `target` that the view says and
 * `offset` the last place drawn less the last target, the place moves towards `target + offset *
 * exp(-ms / CLOSE_MS)`, by `speed * ms` at most; `offset` becomes `place - target`. `speed` is the
 * greater of the top speed and the speed between the two snapshots around the view. The offset
 * closes in this slowly because who is beside a runner's way loses less by running along and
 * closing in than by running straight at them.
 *
 * **Put.** The place becomes the target at once at the first frame; if it is further off than
 * `speed * PUT_MS`; and if it is further off than `speed * ms` and the component jumped or leapt
 * (went more than `LEAP` times its top speed) in a pair of snapshots that the view came through,
 * newer one included, since the frame before: a respawn is not run to, however near.
 *
 * **Top speed.** The greatest that two of four snapshots in a row showed, each as the way from the
 * one before by its time, but for pairs that the component jumped in. One alone may have been a
 * leap.
 */

/** Milliseconds in which an offset shrinks by the factor e, as far as the top speed allows it. */
export const CLOSE_MS = 200;
/**
 * Who is off by more than their way of so many milliseconds is put where they should be: after a
 * pause or a long stall nobody wants to see a second of running. A stall of 500 ms makes up to
 * twice its length, of those who turned back at its start.
 */
export const PUT_MS = 1500;
/** Who went more than so many times their top speed leapt. */
const LEAP = 4;
/** Snapshots of which two must show a speed. */
const RECENT = 4;

/** See the module's description. */
export class CatchUp {
  /** Where it is drawn. @type {number[]} */
  place;
  /** @type {number[]} */
  #offset;

  /** @param {readonly number[]} target where it is first seen */
  constructor(target) {
    this.place = [...target];
    this.#offset = target.map(() => 0);
  }

  /**
   * @param {readonly number[]} target
   * @param {number} speed units a millisecond
   * @param {number} ms
   * @returns {boolean} whether it lies no further off than the way of a frame. If not, it is to
   *   be asked whether it jumped or leapt
   */
  reaches(target, speed, ms) {
    let sum = 0;
    for (let axis = 0; axis < target.length; axis++) sum += (target[axis] - this.place[axis]) ** 2;
    return Math.sqrt(sum) <= speed * ms;
  }

  /**
   * It jumped or leapt: it is drawn at the target.
   * @param {readonly number[]} target
   */
  put(target) {
    for (let axis = 0; axis < target.length; axis++) this.place[axis] = target[axis];
    this.#offset.fill(0);
  }

  /**
   * A frame: goes after the target.
   * @param {readonly number[]} target
   * @param {number} speed units a millisecond, at most
   * @param {number} ms since the frame before
   */
  follow(target, speed, ms) {
    const { place } = this;
    const offset = this.#offset;
    const keep = Math.exp(-ms / CLOSE_MS);
    let sum = 0;
    for (let axis = 0; axis < target.length; axis++) sum += (target[axis] + offset[axis] * keep - place[axis]) ** 2;
    const long = Math.sqrt(sum);
    const most = speed * ms;
    let off = 0;
    for (let axis = 0; axis < target.length; axis++) {
      const wanted = target[axis] + offset[axis] * keep;
      place[axis] = long > most ? place[axis] + (wanted - place[axis]) * (most / long) : wanted;
      offset[axis] = place[axis] - target[axis];
      off += offset[axis] ** 2;
    }
    if (Math.sqrt(off) > speed * PUT_MS) this.put(target);
  }

  /**
   * The same places are called otherwise now, as turns are: all of them are moved.
   * @param {number} axis
   * @param {number} by
   */
  shift(axis, by) {
    this.place[axis] += by;
  }
}

/** How fast somebody was seen to go: see the module's description. In the caller's units. */
export class TopSpeed {
  #recent = new Float64Array(RECENT);
  #at = 0;
  /** The greatest so far. */
  top = 0;

  /**
   * @param {number} speed between two snapshots
   * @returns {boolean} whether it is that of a leap
   */
  leaps(speed) {
    return speed > LEAP * this.top;
  }

  /** @param {number} speed since the snapshot before */
  saw(speed) {
    this.#recent[this.#at] = speed;
    this.#at = (this.#at + 1) % RECENT;
    let first = 0;
    let second = 0;
    for (const seen of this.#recent) {
      second = Math.max(second, Math.min(first, seen));
      first = Math.max(first, seen);
    }
    this.top = Math.max(this.top, second);
  }
}
