/**
 * How the own player moves: `server/arena/src/rule.rs`, expression for expression, so that
 * prediction gets the server's bits. `server/arena/vectors/arena_step.json` holds both to it.
 * Called by the SDK as `step`.
 */

import { ceil, clamp, floor, length, trunc } from './client/exact.js';
import { OBSTACLES, PLAYER_RADIUS, SIZE } from './arena_map.js';

/** Full speed in units a second. */
export const SPEED = 100;
/** Positions are multiples of `1 / GRID` units. */
const GRID = 128;
/** Longest way in units that is moved before obstacles are looked at. */
const REACH_MAX = 8;

/** @typedef {{ x: number, y: number }} Mover */

/**
 * One tick of the own player. The fallen don't move.
 * @param {any} me the own entity
 * @param {any} input as the server decodes it
 * @param {{ dt: number }} time
 */
export function step(me, input, time) {
  if (me.health.hp === 0) return;
  advance(me.pos, input.dx, input.dy, SPEED, PLAYER_RADIUS, time.dt);
}

/**
 * Moves any mover by one tick; `dx`, `dy` together count as 1 at most.
 * @param {Mover} mover changed in place
 * @param {number} dx share of the speed, -1 to 1
 * @param {number} dy share of the speed, -1 to 1
 * @param {number} speed units a second
 * @param {number} radius units
 * @param {number} dt seconds
 */
export function advance(mover, dx, dy, speed, radius, dt) {
  dx = clamp(dx, -1, 1);
  dy = clamp(dy, -1, 1);
  const long = length(dx, dy);
  if (long > 1) {
    dx /= long;
    dy /= long;
  }
  const reach = speed * dt;
  const parts = floor(reach / REACH_MAX) + 1;
  const wayX = trunc(((dx * reach) / parts) * GRID) / GRID;
  const wayY = trunc(((dy * reach) / parts) * GRID) / GRID;
  // Who stands still is not pushed either.
  if (wayX === 0 && wayY === 0) return;
  for (let part = 0; part < parts; part += 1) {
    mover.x = clamp(mover.x + wayX, radius, SIZE - radius);
    mover.y = clamp(mover.y + wayY, radius, SIZE - radius);
    for (const obstacle of OBSTACLES) pushOut(mover, obstacle, radius);
  }
}

/**
 * Pushes a mover that overlaps an obstacle out of it by the shortest way.
 * @param {Mover} mover
 * @param {import('./arena_map.js').Obstacle} obstacle
 * @param {number} radius
 */
function pushOut(mover, obstacle, radius) {
  if (!obstacle.block) {
    pushOff(mover, obstacle.x, obstacle.y, obstacle.radius + radius);
    return;
  }
  const { left, top, right, bottom } = obstacle;
  // The block's point that is nearest to the centre.
  const x = clamp(mover.x, left, right);
  const y = clamp(mover.y, top, bottom);
  if (x !== mover.x && y !== mover.y) {
    pushOff(mover, x, y, radius);
  } else if (
    mover.x > left - radius &&
    mover.x < right + radius &&
    mover.y > top - radius &&
    mover.y < bottom + radius
  ) {
    // Beside an edge (or, by no way known, inside): out through the nearest edge.
    const west = mover.x - (left - radius);
    const east = right + radius - mover.x;
    const north = mover.y - (top - radius);
    const south = bottom + radius - mover.y;
    if (west <= east && west <= north && west <= south) mover.x = left - radius;
    else if (east <= north && east <= south) mover.x = right + radius;
    else if (north <= south) mover.y = top - radius;
    else mover.y = bottom + radius;
  }
}

/**
 * Pushes a mover to `distance` from a point that it is nearer to.
 * @param {Mover} mover
 * @param {number} x
 * @param {number} y
 * @param {number} distance
 */
function pushOff(mover, x, y, distance) {
  const offX = mover.x - x;
  const offY = mover.y - y;
  if (offX * offX + offY * offY >= distance * distance) return;
  const long = length(offX, offY);
  if (long === 0) {
    mover.x = x + distance;
    return;
  }
  mover.x = x + away((offX * distance) / long);
  mover.y = y + away((offY * distance) / long);
}

/**
 * @param {number} offset
 * @returns {number} it on the grid, away from zero
 */
function away(offset) {
  return offset < 0 ? -(ceil(-offset * GRID) / GRID) : ceil(offset * GRID) / GRID;
}
