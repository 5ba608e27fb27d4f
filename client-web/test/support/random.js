/**
 * Seeded chance for tests. A failing test prints its seed; `TICKWIRE_SEED=n` replays it.
 */

import { Xorshift32 } from '../../src/exact.js';

/** Chance from a seed. */
export class Random {
  #dice;

  /** @param {number} seed */
  constructor(seed) {
    this.#dice = new Xorshift32(seed);
    for (let i = 0; i < 8; i++) this.#dice.draw();
  }

  /** @param {number} n at least 1 @returns {number} 0..n - 1 */
  below(n) {
    return Math.floor((this.#dice.draw() / 2 ** 32) * n);
  }

  /** @param {number} least @param {number} most @returns {number} a whole number of that range */
  between(least, most) {
    return least + this.below(most - least + 1);
  }

  /** @param {number} [share] @returns {boolean} true in that share of cases */
  chance(share = 0.5) {
    return this.#dice.draw() / 2 ** 32 < share;
  }

  /** @template T @param {readonly T[]} items @returns {T} */
  pick(items) {
    return items[this.below(items.length)];
  }

  /** @returns {number} any 32-bit number, often one at an edge */
  u32() {
    return this.chance(0.2) ? this.pick([0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe]) : this.#dice.draw() >>> this.below(32);
  }
}

/**
 * Runs a check for many seeds, naming the seed that fails.
 * @param {number} count
 * @param {(random: Random, seed: number) => void} check
 */
export function forSeeds(count, check) {
  const only = process.env.TICKWIRE_SEED;
  const first = only === undefined ? 1 : Number(only);
  const last = only === undefined ? count : first;
  for (let seed = first; seed <= last; seed++) {
    try {
      check(new Random(seed * 2654435761), seed);
    } catch (error) {
      throw new Error(`seed ${seed} (TICKWIRE_SEED=${seed} replays it): ${/** @type {Error} */ (error).message}`, {
        cause: error,
      });
    }
  }
}
