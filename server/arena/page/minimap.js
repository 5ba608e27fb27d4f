/**
 * The whole arena in a corner: obstacles once, then players, drones, pickups and the part on the
 * screen, 15 times a second.
 */

import { OBSTACLES, SIZE } from './arena_map.js';
import { element } from './dom.js';
import { INK, colourOf } from './palette.js';
import { box, disc, newCanvas, outline } from './pen.js';

const REFRESH_MS = 1000 / 15;

/** @typedef {import('/client/types.js').View} View */

export class Minimap {
  #canvas = element('minimap', HTMLCanvasElement);
  #pen = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext('2d'));
  #ground = newCanvas(1, 1);
  #drawnAt = 0;
  #scale = 1;

  /**
   * @param {View} view
   * @param {number} you
   * @param {import('./camera.js').Camera} camera
   * @param {number} now milliseconds
   */
  show(view, you, camera, now) {
    if (now - this.#drawnAt < REFRESH_MS) return;
    this.#drawnAt = now;
    this.#fit();
    const pen = this.#pen;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    pen.drawImage(this.#ground.canvas, 0, 0);
    pen.setTransform(this.#scale, 0, 0, this.#scale, 0, 0);
    const dot = SIZE / this.#canvas.clientWidth;
    pen.strokeStyle = '#e8edf655';
    pen.lineWidth = dot;
    const width = camera.width / camera.scale;
    const height = camera.height / camera.scale;
    pen.strokeRect(camera.x - width / 2, camera.y - height / 2, width, height);
    for (const entity of view.entities) {
      const kind = entity.kind?.is;
      if (kind === 'drone' && entity.health.hp > 0) {
        disc(pen, INK.drone, entity.pos.x, entity.pos.y, dot * 1.3);
      } else if (kind === 'health' || kind === 'ammo') {
        const { x, y } = entity.pos;
        const side = dot * 3;
        box(pen, kind === 'health' ? INK.health : INK.ammo, x - side / 2, y - side / 2, side, side);
      }
    }
    for (const entity of view.entities) {
      if (entity.kind?.is !== 'player' || entity.health.hp <= 0 || entity.owner === you) continue;
      disc(pen, colourOf(entity.owner, you), entity.pos.x, entity.pos.y, dot * 2.6);
    }
    if (view.me && view.me.health.hp > 0) {
      disc(pen, '#05070b', view.me.pos.x, view.me.pos.y, dot * 5);
      disc(pen, INK.accent, view.me.pos.x, view.me.pos.y, dot * 3.6);
    }
  }

  /** Draws the ground anew when the box changed. */
  #fit() {
    const ratio = Math.min(window.devicePixelRatio || 1, 3);
    const side = Math.round(this.#canvas.clientWidth * ratio);
    if (side === this.#canvas.width || side === 0) return;
    this.#canvas.width = side;
    this.#canvas.height = side;
    this.#scale = side / SIZE;
    this.#ground = newCanvas(side, side);
    this.#ground.scale(this.#scale, this.#scale);
    outline(this.#ground, OBSTACLES);
    this.#ground.fillStyle = '#3a4862';
    this.#ground.fill();
  }
}
