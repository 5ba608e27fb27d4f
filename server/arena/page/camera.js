/**
 * Where the screen looks: follows the own player, leads a little towards the aim, shakes when hit.
 * Turns units into device pixels for the renderer and back for the mouse. Draws nothing.
 */

import { still } from './dom.js';

/**
 * How many units the screen's mean side shows; phones see a little less, so that things stay big.
 */
const VIEW_UNITS = 540;
/**
 * Units of floor that one pattern tile covers; the scale is rounded so that a tile has whole
 * pixels.
 */
export const TILE_UNITS = 100;
/** Device pixels a CSS pixel beyond which sharpness costs more than it shows. */
const RATIO_MAX = 2.5;

/** Units beyond the arena's edge that may show: the wall and a little more. */
const BEYOND = 56;

export class Camera {
  /** Centre of the view in units. */
  x = 500;
  y = 500;
  /** Device pixels a unit. */
  scale = 1;
  /** Device pixels a CSS pixel. */
  ratio = 1;
  /** The canvas in device pixels. */
  width = 1;
  height = 1;
  /** Device pixels from the canvas's corner to the world's; set by `settle`. */
  left = 0;
  top = 0;
  #shake = 0;

  /**
   * Fits the canvas to its box.
   * @param {HTMLCanvasElement} canvas
   * @returns {boolean} whether the scale changed, so that cached drawings are stale
   */
  fit(canvas) {
    const ratio = Math.min(window.devicePixelRatio || 1, RATIO_MAX);
    const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
    const height = Math.max(1, Math.round(canvas.clientHeight * ratio));
    if (width === this.width && height === this.height && ratio === this.ratio) return false;
    canvas.width = width;
    canvas.height = height;
    this.width = width;
    this.height = height;
    this.ratio = ratio;
    const css = Math.sqrt((width / ratio) * (height / ratio));
    const wanted = (Math.max(css, 640) / VIEW_UNITS) * ratio;
    const scale = Math.round(wanted * TILE_UNITS) / TILE_UNITS;
    const changed = scale !== this.scale;
    this.scale = scale;
    return changed;
  }

  /**
   * Moves towards a point, at once when it is far.
   * @param {number} x units
   * @param {number} y units
   * @param {number} seconds since the last frame
   */
  follow(x, y, seconds) {
    const far = Math.abs(x - this.x) + Math.abs(y - this.y) > 240;
    const share = far ? 1 : 1 - Math.exp(-14 * seconds);
    this.x += (x - this.x) * share;
    this.y += (y - this.y) * share;
  }

  /**
   * Keeps most of what is beyond the walls off the screen, but never the player under the display
   * at its foot.
   * @param {number} size units: the arena's width and height
   * @param {number} foot CSS pixels at the bottom that are covered
   */
  keepInside(size, foot) {
    const wide = this.width / this.scale / 2;
    const tall = this.height / this.scale / 2;
    const low = (foot * this.ratio) / this.scale;
    this.x = within(this.x, wide - BEYOND, size - wide + BEYOND);
    this.y = within(this.y, tall - BEYOND, size - tall + Math.max(BEYOND, low));
  }

  /** @param {number} strength 0 to 1; the screen shakes for a moment */
  shake(strength) {
    if (!still) this.#shake = Math.max(this.#shake, strength);
  }

  /**
   * Fixes `left` and `top` for this frame.
   * @param {number} now milliseconds
   * @param {number} seconds since the last frame
   */
  settle(now, seconds) {
    this.#shake *= Math.exp(-9 * seconds);
    const push = this.#shake > 0.01 ? this.#shake * 7 * this.ratio : 0;
    this.left = Math.round(this.width / 2 - this.x * this.scale + push * Math.sin(now * 0.083));
    this.top = Math.round(this.height / 2 - this.y * this.scale + push * Math.cos(now * 0.071));
  }

  /**
   * @param {number} x units
   * @param {number} y units
   * @param {number} margin units
   * @returns {boolean} whether the point is on the screen, or within `margin` of it
   */
  sees(x, y, margin) {
    const px = x * this.scale + this.left;
    const py = y * this.scale + this.top;
    const m = margin * this.scale;
    return px > -m && py > -m && px < this.width + m && py < this.height + m;
  }
}

/**
 * @param {number} at
 * @param {number} least
 * @param {number} most
 * @returns {number} `at` within bounds; their middle if they leave no room
 */
function within(at, least, most) {
  if (least > most) return (least + most) / 2;
  return Math.min(Math.max(at, least), most);
}
