/**
 * The whole arena in a corner: obstacles once, then players, drones, pickups and the part on the
 * screen, 15 times a second.
 */

import { OBSTACLES, SIZE } from './arena_map.js';
import { element } from './dom.js';
import { INK, colourOf } from './palette.js';

const REFRESH_MS = 1000 / 15;
const TURN = Math.PI * 2;

/** @typedef {import('/client/types.js').View} View */

export class Minimap {
  #canvas = element('minimap', HTMLCanvasElement);
  #pen = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext('2d'));
  #ground = document.createElement('canvas');
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
    pen.drawImage(this.#ground, 0, 0);
    pen.setTransform(this.#scale, 0, 0, this.#scale, 0, 0);
    const dot = SIZE / this.#canvas.clientWidth;
    pen.strokeStyle = '#e8edf655';
    pen.lineWidth = dot;
    const width = camera.width / camera.scale;
    const height = camera.height / camera.scale;
    pen.strokeRect(camera.x - width / 2, camera.y - height / 2, width, height);
    for (const entity of view.entities) {
      const kind = entity.kind?.is;
      if (kind === 'drone' && entity.health.hp > 0) this.#dot(entity.pos, INK.drone, dot * 1.3);
      else if (kind === 'health' || kind === 'ammo') this.#square(entity.pos, INK[/** @type {'health' | 'ammo'} */ (kind)], dot * 3);
    }
    for (const entity of view.entities) {
      if (entity.kind?.is !== 'player' || entity.health.hp <= 0 || entity.owner === you) continue;
      this.#dot(entity.pos, colourOf(entity.owner, you), dot * 2.6);
    }
    if (view.me && view.me.health.hp > 0) {
      this.#dot(view.me.pos, '#05070b', dot * 5);
      this.#dot(view.me.pos, INK.accent, dot * 3.6);
    }
  }

  /** @param {{ x: number, y: number }} at @param {string} colour @param {number} radius */
  #dot(at, colour, radius) {
    this.#pen.fillStyle = colour;
    this.#pen.beginPath();
    this.#pen.arc(at.x, at.y, radius, 0, TURN);
    this.#pen.fill();
  }

  /** @param {{ x: number, y: number }} at @param {string} colour @param {number} side */
  #square(at, colour, side) {
    this.#pen.fillStyle = colour;
    this.#pen.fillRect(at.x - side / 2, at.y - side / 2, side, side);
  }

  /** Draws the ground anew when the box changed. */
  #fit() {
    const ratio = Math.min(window.devicePixelRatio || 1, 3);
    const side = Math.round(this.#canvas.clientWidth * ratio);
    if (side === this.#canvas.width || side === 0) return;
    this.#canvas.width = side;
    this.#canvas.height = side;
    this.#ground.width = side;
    this.#ground.height = side;
    this.#scale = side / SIZE;
    const pen = /** @type {CanvasRenderingContext2D} */ (this.#ground.getContext('2d'));
    pen.setTransform(this.#scale, 0, 0, this.#scale, 0, 0);
    pen.fillStyle = '#3a4862';
    for (const obstacle of OBSTACLES) {
      pen.beginPath();
      if (obstacle.block) pen.rect(obstacle.left, obstacle.top, obstacle.right - obstacle.left, obstacle.bottom - obstacle.top);
      else pen.arc(obstacle.x, obstacle.y, obstacle.radius, 0, TURN);
      pen.fill();
    }
  }
}
