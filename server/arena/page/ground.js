/**
 * What stands still: the floor, whose pattern shows motion, the pads, the walls and obstacles with
 * a little height. Drawn in units through the camera; the floor is one cached tile, the rest are
 * few paths.
 */

import { AMMO_PADS, HEALTH_PADS, OBSTACLES, SIZE } from './arena_map.js';
import { TILE_UNITS } from './camera.js';
import { INK } from './palette.js';
import { TURN, box, circle, disc, newCanvas, outline, stroke } from './pen.js';

/** How much farther from the view's centre a top is than its foot. */
const RISE = 0.03;
/** Thickness of the outer wall in units. */
const WALL = 26;

/** @typedef {import('./camera.js').Camera} Camera */
/** @typedef {import('./pen.js').Pen} Pen */

export class Ground {
  /** @type {CanvasPattern | null} */
  #pattern = null;

  /**
   * Makes the floor's tile for a scale.
   * @param {Pen} pen
   * @param {number} scale device pixels a unit; a tile has whole pixels
   */
  rescale(pen, scale) {
    const side = Math.round(TILE_UNITS * scale);
    const brush = newCanvas(side, side);
    paintTile(brush, side);
    this.#pattern = pen.createPattern(brush.canvas, 'repeat');
  }

  /**
   * Everything that lies flat.
   * @param {Pen} pen
   * @param {Camera} camera
   */
  drawFloor(pen, camera) {
    pen.setTransform(1, 0, 0, 1, 0, 0);
    box(pen, INK.void, 0, 0, camera.width, camera.height);
    pen.setTransform(1, 0, 0, 1, camera.left, camera.top);
    pen.fillStyle = this.#pattern ?? INK.floor;
    // Beyond the walls the pattern goes on, faintly.
    pen.globalAlpha = 0.22;
    pen.fillRect(-camera.left, -camera.top, camera.width, camera.height);
    pen.globalAlpha = 1;
    const side = SIZE * camera.scale;
    pen.fillRect(0, 0, side, side);
    pen.setTransform(camera.scale, 0, 0, camera.scale, camera.left, camera.top);
    circle(pen, 500, 500, 200);
    stroke(pen, INK.line, 1.5);
    for (let k = 0; k < 4; k += 1) {
      pen.beginPath();
      pen.arc(500, 500, 208, k * (TURN / 4) + 0.5, k * (TURN / 4) + 1.07);
      stroke(pen, INK.lineStrong, 1.5);
    }
    drawPads(pen, HEALTH_PADS, INK.health);
    drawPads(pen, AMMO_PADS, INK.ammo);
    // Soft feet of the obstacles, one path in two widths.
    outline(pen, OBSTACLES);
    pen.lineJoin = 'round';
    stroke(pen, '#00000026', 16);
    stroke(pen, '#0000002e', 8);
  }

  /**
   * The bare pattern over the whole canvas, for the lobby.
   * @param {Pen} pen
   * @param {Camera} camera
   * @param {number} x device pixels by which it has glided
   * @param {number} y device pixels
   */
  drawPattern(pen, camera, x, y) {
    const side = Math.round(TILE_UNITS * camera.scale);
    const left = Math.round(x % side) - side;
    const top = Math.round(y % side) - side;
    pen.setTransform(1, 0, 0, 1, left, top);
    box(pen, this.#pattern ?? INK.floor, 0, 0, camera.width - left + side, camera.height - top + side);
  }

  /**
   * Walls and obstacles, over what moves: their tops lean away from the view's centre.
   * @param {Pen} pen
   * @param {Camera} camera
   */
  drawWalls(pen, camera) {
    pen.setTransform(camera.scale, 0, 0, camera.scale, camera.left, camera.top);
    drawOuterWall(pen, camera);
    for (const obstacle of OBSTACLES) {
      if (obstacle.block) {
        const { left, top, right, bottom } = obstacle;
        if (camera.sees((left + right) / 2, (top + bottom) / 2, 130)) drawBlock(pen, camera, left, top, right, bottom);
      } else if (camera.sees(obstacle.x, obstacle.y, obstacle.radius + 20)) {
        drawPillar(pen, camera, obstacle.x, obstacle.y, obstacle.radius);
      }
    }
  }
}

/**
 * Four fields of 50 units in two shades, hairlines between them, a cross where tiles meet.
 * @param {Pen} pen
 * @param {number} side pixels
 */
function paintTile(pen, side) {
  const half = Math.round(side / 2);
  const hair = Math.max(1, Math.round(side / 110));
  box(pen, INK.floor, 0, 0, side, side);
  box(pen, INK.floorAlt, 0, 0, half, half);
  pen.fillRect(half, half, side - half, side - half);
  box(pen, INK.line, half, 0, hair, side);
  pen.fillRect(0, half, side, hair);
  pen.fillRect(0, 0, hair, side);
  pen.fillRect(0, 0, side, hair);
  pen.fillStyle = INK.mark;
  const arm = Math.round(side * 0.055);
  // The cross is centred on the tile's corner, so it is drawn at all four.
  for (const x of [0, side]) {
    for (const y of [0, side]) {
      pen.fillRect(x - arm, y, arm * 2 + hair, hair);
      pen.fillRect(x, y - arm, hair, arm * 2 + hair);
    }
  }
  const dot = hair * 2;
  pen.fillRect(half - hair / 2, half - hair / 2, dot, dot);
}

/** @param {Pen} pen @param {number[][]} pads @param {string} colour */
function drawPads(pen, pads, colour) {
  for (const [x, y] of pads) {
    disc(pen, `${colour}0d`, x, y, 17);
    stroke(pen, `${colour}40`, 1.2);
  }
}

/** @param {Pen} pen @param {Camera} camera */
function drawOuterWall(pen, camera) {
  const l = lift(0, camera.x);
  const t = lift(0, camera.y);
  const r = lift(SIZE, camera.x);
  const b = lift(SIZE, camera.y);
  // The faces that look inwards lie between the floor's edge and the wall's top edge.
  pen.fillStyle = INK.wallSide;
  pen.beginPath();
  pen.rect(l, t, r - l, b - t);
  pen.rect(0, 0, SIZE, SIZE);
  pen.fill('evenodd');
  pen.fillStyle = INK.wallTop;
  pen.beginPath();
  pen.rect(l - WALL, t - WALL, r - l + 2 * WALL, b - t + 2 * WALL);
  pen.rect(l, t, r - l, b - t);
  pen.fill('evenodd');
  pen.strokeStyle = INK.wallEdge;
  pen.lineWidth = 1.5;
  pen.strokeRect(l, t, r - l, b - t);
}

/**
 * @param {Pen} pen
 * @param {Camera} camera
 * @param {number} left
 * @param {number} top
 * @param {number} right
 * @param {number} bottom
 */
function drawBlock(pen, camera, left, top, right, bottom) {
  const l = lift(left, camera.x);
  const t = lift(top, camera.y);
  const r = lift(right, camera.x);
  const b = lift(bottom, camera.y);
  // Only the faces that look at the view's centre show.
  if (left > camera.x) face(pen, INK.wallSide, left, top, left, bottom, l, b, l, t);
  else if (right < camera.x) face(pen, INK.wallSide, right, top, right, bottom, r, b, r, t);
  if (top > camera.y) face(pen, INK.wallSideLit, left, top, right, top, r, t, l, t);
  else if (bottom < camera.y) face(pen, INK.wallSideLit, left, bottom, right, bottom, r, b, l, b);
  box(pen, INK.wallTop, l, t, r - l, b - t);
  pen.strokeStyle = INK.wallEdge;
  pen.lineWidth = 1.2;
  pen.strokeRect(l, t, r - l, b - t);
  pen.strokeStyle = '#465672';
  pen.lineWidth = 1;
  pen.strokeRect(l + 5, t + 5, r - l - 10, b - t - 10);
}

/**
 * @param {Pen} pen
 * @param {Camera} camera
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 */
function drawPillar(pen, camera, x, y, radius) {
  const tx = lift(x, camera.x);
  const ty = lift(y, camera.y);
  const dx = tx - x;
  const dy = ty - y;
  const far = Math.sqrt(dx * dx + dy * dy) || 1;
  const nx = (-dy / far) * radius;
  const ny = (dx / far) * radius;
  disc(pen, INK.wallSide, x, y, radius);
  face(pen, INK.wallSide, x + nx, y + ny, x - nx, y - ny, tx - nx, ty - ny, tx + nx, ty + ny);
  disc(pen, INK.wallTop, tx, ty, radius);
  stroke(pen, INK.wallEdge, 1.2);
  circle(pen, tx, ty, radius * 0.72);
  stroke(pen, '#465672', 1);
}

/**
 * @param {Pen} pen
 * @param {string} colour
 * @param {number} ax
 * @param {number} ay
 * @param {number} bx
 * @param {number} by
 * @param {number} cx
 * @param {number} cy
 * @param {number} dx
 * @param {number} dy
 */
function face(pen, colour, ax, ay, bx, by, cx, cy, dx, dy) {
  pen.fillStyle = colour;
  pen.beginPath();
  pen.moveTo(ax, ay);
  pen.lineTo(bx, by);
  pen.lineTo(cx, cy);
  pen.lineTo(dx, dy);
  pen.closePath();
  pen.fill();
}

/**
 * @param {number} at
 * @param {number} centre
 * @returns {number} where a top is that stands over `at`
 */
function lift(at, centre) {
  return at + (at - centre) * RISE;
}
