/**
 * Sparks, rings and rising numbers in fixed pools: the oldest give way. Knows colours and motion,
 * not what happened: that is effects.js.
 */

import { TURN, box, circle, stroke } from './pen.js';

const SPARKS_MAX = 512;
const RINGS_MAX = 32;
const NUMBERS_MAX = 24;

/** @typedef {import('./camera.js').Camera} Camera */

/**
 * A fixed number of things, which are given out in turn.
 * @template T
 */
export class Pool {
  #next = 0;

  /** @param {number} length @param {T} first what they are like */
  constructor(length, first) {
    this.all = Array.from({ length }, () => ({ ...first }));
  }

  /** The one that was given out longest ago becomes another. @param {T} fields */
  reuse(fields) {
    this.#next = (this.#next + 1) % this.all.length;
    Object.assign(/** @type {object} */ (this.all[this.#next]), fields);
  }
}

export class Particles {
  #sparks = new Pool(SPARKS_MAX, { x: 0, y: 0, vx: 0, vy: 0, life: 0, span: 1, size: 1, colour: '#fff' });
  #rings = new Pool(RINGS_MAX, { x: 0, y: 0, reach: 0, life: 0, span: 1, colour: '#fff' });
  #numbers = new Pool(NUMBERS_MAX, { x: 0, y: 0, life: 0, text: '', colour: '#fff' });

  /**
   * Throws sparks.
   * @param {number} x units
   * @param {number} y units
   * @param {number} count
   * @param {string} colour
   * @param {number} speed units a second, at most
   * @param {number} [angle] towards where, radians; all around if left out
   * @param {number} [spread] radians either side of `angle`
   */
  burst(x, y, count, colour, speed, angle, spread = 0.6) {
    for (let n = 0; n < count; n += 1) {
      const way = angle === undefined ? Math.random() * TURN : angle + (Math.random() * 2 - 1) * spread;
      const pace = speed * (0.25 + 0.75 * Math.random());
      const [vx, vy] = [Math.cos(way) * pace, Math.sin(way) * pace];
      const span = 0.2 + 0.35 * Math.random();
      const size = 1.2 + 1.6 * Math.random();
      this.#sparks.reuse({ x, y, vx, vy, life: span, span, size, colour });
    }
  }

  /**
   * @param {number} x units
   * @param {number} y units
   * @param {number} reach units that the ring grows to
   * @param {string} colour
   * @param {number} [span] seconds
   */
  ring(x, y, reach, colour, span = 0.45) {
    this.#rings.reuse({ x, y, reach, life: span, span, colour });
  }

  /**
   * @param {number} x units
   * @param {number} y units
   * @param {string} text
   * @param {string} colour
   */
  number(x, y, text, colour) {
    this.#numbers.reuse({ x: x + Math.random() * 10 - 5, y: y - 16, life: 0.8, text, colour });
  }

  /**
   * Moves and draws everything.
   * @param {CanvasRenderingContext2D} pen
   * @param {Camera} camera
   * @param {number} seconds since the last frame
   */
  draw(pen, camera, seconds) {
    pen.setTransform(camera.scale, 0, 0, camera.scale, camera.left, camera.top);
    pen.globalCompositeOperation = 'lighter';
    this.#drawSparks(pen, seconds);
    this.#drawRings(pen, seconds);
    pen.globalCompositeOperation = 'source-over';
    this.#drawNumbers(pen, camera, seconds);
    pen.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} seconds */
  #drawSparks(pen, seconds) {
    const drag = Math.exp(-4 * seconds);
    for (const spark of this.#sparks.all) {
      if (spark.life <= 0) continue;
      spark.life -= seconds;
      spark.vx *= drag;
      spark.vy *= drag;
      spark.x += spark.vx * seconds;
      spark.y += spark.vy * seconds;
      pen.globalAlpha = Math.max(0, spark.life / spark.span);
      const { x, y, size } = spark;
      box(pen, spark.colour, x - size / 2, y - size / 2, size, size);
    }
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} seconds */
  #drawRings(pen, seconds) {
    for (const ring of this.#rings.all) {
      if (ring.life <= 0) continue;
      ring.life -= seconds;
      const left = Math.max(0, ring.life / ring.span);
      pen.globalAlpha = left * 0.9;
      circle(pen, ring.x, ring.y, ring.reach * (1 - left * left));
      stroke(pen, ring.colour, 0.5 + 3 * left);
    }
  }

  /** @param {CanvasRenderingContext2D} pen @param {Camera} camera @param {number} seconds */
  #drawNumbers(pen, camera, seconds) {
    // In units, so that it grows with the scene.
    pen.font = '700 10px ui-sans-serif, system-ui, sans-serif';
    pen.textAlign = 'center';
    pen.lineWidth = 2.4;
    pen.lineJoin = 'round';
    pen.strokeStyle = '#06080cb0';
    for (const number of this.#numbers.all) {
      if (number.life <= 0) continue;
      number.life -= seconds;
      number.y -= 26 * seconds;
      if (!camera.sees(number.x, number.y, 20)) continue;
      pen.globalAlpha = Math.min(1, Math.max(0, number.life * 2.5));
      pen.strokeText(number.text, number.x, number.y);
      pen.fillStyle = number.colour;
      pen.fillText(number.text, number.x, number.y);
    }
  }
}
