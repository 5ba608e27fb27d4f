/**
 * A player who runs about and shoots at who comes near, by what is on the own screen. Used by
 * `play.mjs`.
 */

import { Xorshift32 } from '../../../client-web/src/exact.js';

/** How far off a target may be, in units. */
const RANGE = 200;
/** Ticks from shot to shot: a magazine lasts. */
const SHOT_EVERY = 20;
/** Room that a projectile needs on both sides, in units. */
const WIDTH = 4;

/** @typedef {import('../../../client-web/src/types.js').View} View */
/** @typedef {import('../../../client-web/src/types.js').Entity} Entity */

/** See the module's description. */
export class Hands {
  #dice;
  #arena;
  #stepsOf;
  /** Frames for which the direction is held. */
  #hold = 0;
  /** The tick that is shown from which on there may be another shot. */
  #readyAt = 0;
  /**
   * Where everybody was in the frame before.
   * @type {Map<number, { x: number, y: number, tick: number }>} by handle
   */
  #before = new Map();
  /** What is held now: the arena's input. */
  control = { dx: 0, dy: 0, aim: 0, fire: false };

  /**
   * @param {number} seed
   * @param {{ OBSTACLES: any[], SIZE: number }} arena
   * @param {number} shotStep units that a projectile flies in a tick
   */
  constructor(seed, arena, shotStep) {
    this.#dice = new Xorshift32(seed);
    this.#arena = arena;
    this.#stepsOf = (/** @type {number} */ way) => way / shotStep;
  }

  /** A frame was drawn. @param {View} view */
  see({ me, entities, tick }) {
    const isUp = me !== undefined && me.health.hp > 0;
    if (this.#hold-- <= 0) {
      this.#hold = 16 + this.#dice.below(64);
      this.control.dx = this.#dice.below(3) - 1;
      this.control.dy = this.#dice.below(3) - 1;
    }
    const others = entities.filter((entity) => entity !== me && isWalker(entity));
    const isLoaded = isUp && me.gun?.rounds > 0 && me.gun.ready_at === 0;
    const target = isLoaded && tick >= this.#readyAt ? this.#nearest(me, others) : undefined;
    this.control.fire = target !== undefined;
    if (target !== undefined) this.control.aim = this.#aimAt(me.pos, target, tick);
    this.#before = new Map(others.map(({ handle, pos: { x, y } }) => [handle, { x, y, tick }]));
  }

  /** An input left with what is held. @param {number} tick that is shown */
  onSent(tick) {
    if (!this.control.fire) return;
    this.control.fire = false;
    this.#readyAt = tick + SHOT_EVERY;
  }

  /** @param {Entity} me @param {Entity[]} others @returns {Entity | undefined} */
  #nearest(me, others) {
    let nearest;
    let least = RANGE;
    for (const other of others) {
      const way = Math.hypot(other.pos.x - me.pos.x, other.pos.y - me.pos.y);
      if (way >= least || other.health.hp === 0 || !this.#isOpen(me.pos, other.pos)) continue;
      nearest = other;
      least = way;
    }
    return nearest;
  }

  /**
   * Whether a projectile gets there.
   * @param {{ x: number, y: number }} from
   * @param {{ x: number, y: number }} to
   */
  #isOpen(from, to) {
    for (let part = 0; part < 1; part += 1 / 40) {
      if (this.#isWall(from.x + (to.x - from.x) * part, from.y + (to.y - from.y) * part)) return false;
    }
    return true;
  }

  /** @param {number} x @param {number} y */
  #isWall(x, y) {
    const { OBSTACLES, SIZE } = this.#arena;
    if (Math.min(x, y) < WIDTH || Math.max(x, y) > SIZE - WIDTH) return true;
    return OBSTACLES.some((each) =>
      each.block
        ? x > each.left - WIDTH && x < each.right + WIDTH && y > each.top - WIDTH && y < each.bottom + WIDTH
        : Math.hypot(x - each.x, y - each.y) < each.radius + WIDTH);
  }

  /**
   * Where to aim so that the projectile meets who goes straight on.
   * @param {{ x: number, y: number }} from
   * @param {Entity} target
   * @param {number} tick
   */
  #aimAt(from, { handle, pos }, tick) {
    const before = this.#before.get(handle);
    const passed = before === undefined ? 0 : tick - before.tick;
    const speed = (/** @type {'x' | 'y'} */ axis) => (before === undefined || passed <= 0 ? 0 : (pos[axis] - before[axis]) / passed);
    const [vx, vy] = [speed('x'), speed('y')];
    let { x, y } = pos;
    for (let round = 0; round < 4; round++) {
      const ticks = this.#stepsOf(Math.hypot(x - from.x, y - from.y));
      x = pos.x + vx * ticks;
      y = pos.y + vy * ticks;
    }
    return Math.atan2(y - from.y, x - from.x);
  }
}

/** @param {Entity} entity @returns {boolean} whether it is a player or a drone */
export function isWalker({ kind, pos, health }) {
  return (kind?.is === 'player' || kind?.is === 'drone') && pos !== undefined && health !== undefined;
}
