/**
 * Shapes that the page's drawings are made of. Used by `ground.js`, `sprites.js`, `minimap.js` and
 * `render.js`; what is drawn where is theirs.
 */

/** @typedef {CanvasRenderingContext2D} Pen */
/** @typedef {string | CanvasGradient | CanvasPattern} Ink */

export const TURN = Math.PI * 2;

/**
 * @param {number} width pixels
 * @param {number} height pixels
 * @returns {Pen} of a canvas of its own
 */
export function newCanvas(width, height) {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  return /** @type {Pen} */ (canvas.getContext('2d'));
}

/**
 * @param {Pen} pen
 * @param {Ink} fill
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 */
export function box(pen, fill, x, y, width, height) {
  pen.fillStyle = fill;
  pen.fillRect(x, y, width, height);
}

/**
 * A box with round corners.
 * @param {Pen} pen
 * @param {Ink} fill
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 * @param {number | number[]} radii
 */
export function plate(pen, fill, x, y, width, height, radii) {
  pen.beginPath();
  pen.roundRect(x, y, width, height, radii);
  pen.fillStyle = fill;
  pen.fill();
}

/** A circle's path. @param {Pen} pen @param {number} x @param {number} y @param {number} radius */
export function circle(pen, x, y, radius) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, TURN);
}

/** @param {Pen} pen @param {Ink} fill @param {number} x @param {number} y @param {number} radius */
export function disc(pen, fill, x, y, radius) {
  circle(pen, x, y, radius);
  pen.fillStyle = fill;
  pen.fill();
}

/** Draws along the path. @param {Pen} pen @param {Ink} ink @param {number} width */
export function stroke(pen, ink, width) {
  pen.strokeStyle = ink;
  pen.lineWidth = width;
  pen.stroke();
}

/**
 * The obstacles' outlines, as one path.
 * @param {Pen} pen
 * @param {import('./arena_map.js').Obstacle[]} obstacles
 */
export function outline(pen, obstacles) {
  pen.beginPath();
  for (const each of obstacles) {
    if (each.block) {
      pen.rect(each.left, each.top, each.right - each.left, each.bottom - each.top);
    } else {
      pen.moveTo(each.x + each.radius, each.y);
      pen.arc(each.x, each.y, each.radius, 0, TURN);
    }
  }
}
