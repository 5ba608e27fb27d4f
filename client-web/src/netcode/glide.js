/**
 * A tick that follows another without jumps: the lead of the inputs moves in steps, what flies at
 * their tick must not. Used by `play.js` for the own projectiles.
 */

/** Share by which the drawn time may run faster or slower than the real one. */
const SLEW = 0.1;
/** Beyond this many ticks it is no small step any more: a pause, a stall. */
const JUMP_TICKS = 3;

/** See the module's description. */
export class Glide {
  #periodMs;
  /** The tick now, with a fraction. */
  tick = -Infinity;
  #atMs = 0;

  /** @param {number} periodMs milliseconds a tick */
  constructor(periodMs) {
    this.#periodMs = periodMs;
  }

  /**
   * @param {number} target the clock's tick
   * @param {number} nowMs
   * @returns {number} the tick to draw
   */
  follow(target, nowMs) {
    const passed = Math.max(0, (nowMs - this.#atMs) / this.#periodMs);
    this.#atMs = nowMs;
    const ahead = target - (this.tick + passed);
    if (Math.abs(ahead) > JUMP_TICKS) {
      this.tick = target;
    } else {
      const most = SLEW * passed;
      this.tick += passed + Math.min(most, Math.max(-most, ahead));
    }
    return this.tick;
  }
}
