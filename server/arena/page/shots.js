/**
 * The own shots, from the trigger on: what the server says of them comes a round trip later. A shot
 * that the gun can fire is shown at once, flies as the server's will, and gives way to the server's
 * projectile when that comes. Walls end both here, because the server's is shown ahead of what it
 * has said. Whom they hit only the server says. No drawing.
 */

import { OBSTACLES, SIZE } from './arena_map.js';

/**
 * Speed of a projectile in units a second, as the server flies it; `test/server.test.js` holds it
 * to that.
 */
export const SHOT_SPEED = 400;
/** Seconds from shot to shot. */
export const COOLDOWN = 0.2;
/** How far a projectile flies at most, in units. */
const REACH_MAX = 600;
/** Step in units in which walls are looked for. */
const STEP = 4;
/** Shots that wait for the server's word at most; older ones are forgotten. */
const SHOTS_MAX = 16;
/** Milliseconds after which a shot without the server's word was none. */
const UNCONFIRMED_MAX_MS = 700;
/** Cosine from which two directions count as one: aims come in steps. */
const SAME_WAY = 0.995;

/** @typedef {import('/client/types.js').View} View */
/** @typedef {import('/client/types.js').Entity} Entity */

/**
 * @typedef {object} OwnShot
 * @property {number} x where it was fired
 * @property {number} y
 * @property {number} cos its direction
 * @property {number} sin
 * @property {number} reach units to the next wall
 * @property {number} firedMs
 * @property {number} handle of the server's projectile, -1 before it came
 */

export class Shots {
  /** @type {OwnShot[]} oldest first */
  #shots = [];
  /** Own projectiles that have been seen. @type {Set<number>} */
  #known = new Set();
  #readyMs = 0;

  /**
   * Fires if the gun can, and follows what the server says of earlier shots.
   * @param {View} view
   * @param {number} you the own player
   * @param {{ fire: boolean, aim: number }} trigger
   * @param {number} nowMs
   * @returns {boolean} whether a shot was fired now
   */
  update(view, you, trigger, nowMs) {
    this.#match(view.entities.filter((entity) => entity.flight && entity.owner === you));
    this.#shots = this.#shots.filter(({ firedMs, handle }) =>
      handle === -1 ? nowMs - firedMs < UNCONFIRMED_MAX_MS : this.#known.has(handle));
    if (!trigger.fire || nowMs < this.#readyMs || !this.#isLoaded(view)) return false;
    this.#readyMs = nowMs + COOLDOWN * 1000;
    const { x, y } = /** @type {Entity} */ (view.me).pos;
    const [cos, sin] = [Math.cos(trigger.aim), Math.sin(trigger.aim)];
    this.#shots.push({ x, y, cos, sin, reach: reachOf(x, y, cos, sin), firedMs: nowMs, handle: -1 });
    if (this.#shots.length > SHOTS_MAX) this.#shots.shift();
    return true;
  }

  /**
   * @param {Entity} entity an own projectile
   * @returns {boolean} whether it is shown where it never is, as far as its shot is known: in a
   *   wall or, while the view makes up for a stall, behind the gun
   */
  hides({ handle, flight }) {
    const shot = this.#shots.find((each) => each.handle === handle);
    if (shot === undefined) return false;
    const way = (flight.x - shot.x) * shot.cos + (flight.y - shot.y) * shot.sin;
    return way < 0 || way > shot.reach;
  }

  /**
   * Shots that the server has not confirmed yet.
   * @param {number} nowMs
   * @param {(x: number, y: number, cos: number, sin: number) => void} draw
   */
  each(nowMs, draw) {
    for (const { x, y, cos, sin, reach, firedMs, handle } of this.#shots) {
      const way = ((nowMs - firedMs) / 1000) * SHOT_SPEED;
      if (handle === -1 && way < reach) draw(x + cos * way, y + sin * way, cos, sin);
    }
  }

  /** @param {View} view */
  #isLoaded({ me, state }) {
    const armed = state.round?.phase !== 'countdown' && state.round?.phase !== 'results';
    if (!me?.gun || !armed || me.health.hp <= 0 || me.gun.ready_at !== 0) return false;
    return me.gun.rounds > this.#shots.filter(({ handle }) => handle === -1).length;
  }

  /** @param {Entity[]} projectiles the own ones that are there */
  #match(projectiles) {
    for (const { handle, flight } of projectiles) {
      if (this.#known.has(handle)) continue;
      const speed = Math.sqrt(flight.vx * flight.vx + flight.vy * flight.vy);
      const shot = this.#shots.find((each) => each.handle === -1 && (flight.vx * each.cos + flight.vy * each.sin) / speed > SAME_WAY);
      if (shot) shot.handle = handle;
    }
    this.#known = new Set(projectiles.map(({ handle }) => handle));
  }
}

/**
 * @param {number} x
 * @param {number} y
 * @param {number} cos
 * @param {number} sin
 * @returns {number} units to the first wall that way
 */
function reachOf(x, y, cos, sin) {
  for (let way = 0; way < REACH_MAX; way += STEP) if (isWall(x + cos * way, y + sin * way)) return way;
  return REACH_MAX;
}

/** @param {number} x @param {number} y @returns {boolean} */
function isWall(x, y) {
  if (x < 0 || y < 0 || x > SIZE || y > SIZE) return true;
  return OBSTACLES.some((each) =>
    each.block
      ? x > each.left && x < each.right && y > each.top && y < each.bottom
      : (x - each.x) ** 2 + (y - each.y) ** 2 < each.radius ** 2);
}
