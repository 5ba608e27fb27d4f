/**
 * What moves behind the lobby: the arena's floor gliding by, a few figures crossing it. Only for
 * looks; stands still for who prefers that, and stops when the lobby is left.
 */

import { Ground } from './ground.js';
import { Camera } from './camera.js';
import { element, still } from './dom.js';
import { COLOURS, INK } from './palette.js';
import { Sprites } from './sprites.js';

const SHOWN = Object.values(COLOURS);
const WALKERS = 7;
const DRONES = 6;

export class Backdrop {
  #canvas = element('backdrop', HTMLCanvasElement);
  #pen = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext('2d'));
  #camera = new Camera();
  #ground = new Ground();
  #sprites = new Sprites();
  #frame = 0;
  #walkers = Array.from({ length: WALKERS + DRONES }, (_, n) => ({
    x: (n * 0.381 + 0.07) % 1,
    y: (n * 0.618 + 0.21) % 1,
    angle: n * 2.4,
    turn: 0,
    drone: n >= WALKERS,
    colour: n >= WALKERS ? INK.drone : SHOWN[n % SHOWN.length],
  }));

  /** Begins, or goes on. */
  start() {
    if (this.#frame !== 0) return;
    let before = performance.now();
    /** @param {number} now */
    const loop = (now) => {
      this.#frame = still ? 0 : requestAnimationFrame(loop);
      this.#draw(now, Math.min(0.1, (now - before) / 1000));
      before = now;
    };
    this.#frame = requestAnimationFrame(loop);
    if (still) window.addEventListener('resize', () => this.#draw(0, 0));
  }

  /** Rests until `start`. */
  stop() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  /** @param {number} now milliseconds @param {number} seconds since the last frame */
  #draw(now, seconds) {
    const pen = this.#pen;
    const camera = this.#camera;
    if (camera.fit(this.#canvas)) {
      this.#ground.rescale(pen, camera.scale);
      this.#sprites.rescale(camera.scale, camera.ratio);
    }
    const { width, height } = camera;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, width, height);
    this.#ground.drawPattern(pen, camera, -now * 0.006 * camera.scale, -now * 0.003 * camera.scale);
    for (const walker of this.#walkers) {
      walker.turn += (Math.random() - 0.5) * 6 * seconds;
      walker.turn *= Math.exp(-seconds);
      walker.angle += walker.turn * seconds;
      const pace = (walker.drone ? 26 : 44) * camera.scale * seconds;
      walker.x = wrap(walker.x + (Math.cos(walker.angle) * pace) / width, 60 / width);
      walker.y = wrap(walker.y + (Math.sin(walker.angle) * pace) / height, 60 / height);
      const sprite = walker.drone ? this.#sprites.drone(walker.colour) : this.#sprites.player(walker.colour);
      const cos = Math.cos(walker.angle);
      const sin = Math.sin(walker.angle);
      pen.setTransform(cos, sin, -sin, cos, walker.x * width, walker.y * height);
      pen.globalAlpha = 0.42;
      pen.drawImage(sprite, -sprite.width / 2, -sprite.height / 2);
    }
    pen.globalAlpha = 1;
  }
}

/**
 * @param {number} at 0 to 1
 * @param {number} margin
 * @returns {number} it, come back on the other side
 */
function wrap(at, margin) {
  if (at < -margin) return 1 + margin;
  return at > 1 + margin ? -margin : at;
}
