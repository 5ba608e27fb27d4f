/**
 * Draws one view of the arena: floor, pickups, shots, drones, players, walls, sparks, names. Called
 * once an animation frame. Everything it copies was drawn before by sprites.js; it allocates
 * nothing.
 */

import { DRONE_RADIUS, PLAYER_RADIUS } from './arena_map.js';
import { mostOf } from './arena_schema.js';
import { Ground } from './ground.js';
import { INK, bodyOf, colourOf } from './palette.js';
import { TURN, box } from './pen.js';
import { Sprites } from './sprites.js';

/** @typedef {import('./camera.js').Camera} Camera */
/** @typedef {import('/client/types.js').Entity} Entity */
/** @typedef {import('/client/types.js').View} View */
/** @typedef {import('./effects.js').Effects} Effects */

export class Renderer {
  #canvas;
  #pen;
  #camera;
  #effects;
  #ground = new Ground();
  #sprites = new Sprites();
  /**
   * Headings of drones, which show where they go: by slot, with the position they were derived
   * from.
   */
  #drift = new Float32Array(3 * 65536);
  #shots;
  #healthMost;
  /** The healthiest drone that was seen: a fresh one's health. */
  #droneMost = 0;
  #room;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Camera} camera
   * @param {Effects} effects
   * @param {import('./shots.js').Shots} shots
   * @param {import('/client/tickwire.js').Room} room
   */
  constructor(canvas, camera, effects, shots, room) {
    this.#canvas = canvas;
    this.#pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { alpha: false }));
    this.#camera = camera;
    this.#effects = effects;
    this.#shots = shots;
    this.#healthMost = mostOf(room, 'health', 'hp');
    this.#room = room;
  }

  /**
   * @param {View} view
   * @param {number} now milliseconds
   * @param {number} seconds since the last frame
   */
  draw(view, now, seconds) {
    const pen = this.#pen;
    const camera = this.#camera;
    if (camera.fit(this.#canvas)) {
      this.#sprites.rescale(camera.scale, camera.ratio);
      this.#ground.rescale(pen, camera.scale);
    }
    camera.settle(now, seconds);
    pen.imageSmoothingEnabled = true;
    this.#ground.drawFloor(pen, camera);
    const entities = view.entities;
    for (let i = 0; i < entities.length; i += 1) this.#drawLow(entities[i], now);
    this.#shots.each(now, (x, y, cos, sin) => this.#drawShot(x, y, cos, sin, INK.accent));
    for (let i = 0; i < entities.length; i += 1) this.#drawBody(entities[i], view.me, now);
    this.#drawFlashes(now);
    this.#ground.drawWalls(pen, camera);
    this.#effects.particles.draw(pen, camera, seconds);
    for (let i = 0; i < entities.length; i += 1) this.#drawTag(entities[i]);
    pen.setTransform(1, 0, 0, 1, 0, 0);
  }

  /** What lies lowest: pickups and shots. @param {Entity} entity @param {number} now */
  #drawLow(entity, now) {
    const kind = entity.kind?.is;
    if (kind === 'projectile') {
      const { x, y, vx, vy } = entity.flight;
      if (entity.owner === this.#room.you && this.#shots.hides(entity)) return;
      const speed = Math.sqrt(vx * vx + vy * vy) || 1;
      this.#drawShot(x, y, vx / speed, vy / speed, colourOf(entity.owner, this.#room.you));
    } else if (kind === 'health' || kind === 'ammo') {
      const { x, y } = entity.pos;
      if (!this.#camera.sees(x, y, 30)) return;
      const pickup = /** @type {'health' | 'ammo'} */ (kind);
      const beat = 0.5 + 0.5 * Math.sin(now * 0.004 + x);
      this.#stamp(this.#sprites.glow(INK[pickup], 24), x, y, 1, 0, 0.12 + 0.12 * beat, 1);
      this.#stamp(this.#sprites.pickup(pickup), x, y, 1, 0, 1, 0.96 + 0.06 * beat);
    }
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} cos
   * @param {number} sin
   * @param {string} colour
   */
  #drawShot(x, y, cos, sin, colour) {
    if (!this.#camera.sees(x, y, 20)) return;
    this.#pen.globalCompositeOperation = 'lighter';
    this.#stamp(this.#sprites.glow(colour, 12), x, y, 1, 0, 0.5, 1);
    this.#pen.globalCompositeOperation = 'source-over';
    this.#stamp(this.#sprites.shot(colour), x, y, cos, sin, 1, 1);
  }

  /** @param {Entity} entity @param {Entity | undefined} me @param {number} now */
  #drawBody(entity, me, now) {
    const kind = entity.kind?.is;
    if (kind !== 'player' && kind !== 'drone') return;
    const { x, y } = entity.pos;
    if (entity.health.hp <= 0 || !this.#camera.sees(x, y, 40)) return;
    const flash = this.#effects.flashOf(entity.handle, now);
    if (kind === 'drone') {
      this.#stamp(this.#sprites.shadow(), x, y, 1, 0, 0.6, 0.85);
      this.#turnDrone(entity.slot, x, y);
      const cos = this.#drift[entity.slot * 3 + 2];
      this.#stamp(this.#sprites.drone(INK.drone), x, y, Math.cos(cos), Math.sin(cos), 1, 1);
      if (flash > 0) this.#stamp(this.#sprites.drone(INK.white), x, y, Math.cos(cos), Math.sin(cos), flash, 1);
      return;
    }
    const angle = entity.heading.angle;
    const cos = Math.cos(angle);
    const sin = Math.sin(angle);
    const colour = bodyOf(entity.owner);
    this.#stamp(this.#sprites.shadow(), x, y, 1, 0, 0.85, 1);
    if (entity === me) {
      this.#stamp(this.#sprites.glow(INK.accent, 40), x, y, 1, 0, 0.24, 1);
      this.#stamp(this.#sprites.ring(INK.accent), x, y, 1, 0, 0.9, 1);
    }
    const recoil = this.#effects.recoilOf(entity.handle, now) * 2.4;
    this.#stamp(this.#sprites.player(colour), x - cos * recoil, y - sin * recoil, cos, sin, 1, 1);
    if (flash > 0) this.#stamp(this.#sprites.player(INK.white), x, y, cos, sin, flash, 1);
  }

  /** Muzzle flashes, additive. @param {number} now */
  #drawFlashes(now) {
    this.#pen.globalCompositeOperation = 'lighter';
    for (const muzzle of this.#effects.muzzles.all) {
      const left = 1 - (now - muzzle.at) / 90;
      if (left <= 0 || left > 1) continue;
      this.#stamp(this.#sprites.glow('#ffe9b0', 15), muzzle.x, muzzle.y, 1, 0, left, 0.6 + 0.5 * left);
    }
    this.#pen.globalCompositeOperation = 'source-over';
    this.#pen.globalAlpha = 1;
  }

  /** Name and health, above the walls so that nobody hides them. @param {Entity} entity */
  #drawTag(entity) {
    const kind = entity.kind?.is;
    if ((kind !== 'player' && kind !== 'drone') || entity.health.hp <= 0) return;
    const { x, y } = entity.pos;
    if (!this.#camera.sees(x, y, 40)) return;
    const hp = entity.health.hp;
    if (kind === 'drone') {
      this.#droneMost = Math.max(this.#droneMost, hp);
      if (hp < this.#droneMost) this.#drawBar(x, y - DRONE_RADIUS - 8, 20, hp / this.#droneMost, INK.drone);
      return;
    }
    const colour = colourOf(entity.owner, this.#room.you);
    const own = entity.owner === this.#room.you;
    this.#drawBar(x, own ? y + PLAYER_RADIUS + 9 : y - PLAYER_RADIUS - 14, 30, hp / this.#healthMost, hp <= 30 ? INK.danger : colour);
    if (own || entity.owner === undefined) return;
    const label = this.#sprites.label(this.#room.label(entity.owner), INK.text);
    const pen = this.#pen;
    const camera = this.#camera;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    const px = Math.round(x * camera.scale + camera.left - label.width / 2);
    const py = Math.round((y - PLAYER_RADIUS - 13) * camera.scale + camera.top - label.height);
    pen.drawImage(label, px, py);
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} share
   * @param {string} colour
   */
  #drawBar(x, y, width, share, colour) {
    const pen = this.#pen;
    const camera = this.#camera;
    pen.setTransform(camera.scale, 0, 0, camera.scale, camera.left, camera.top);
    box(pen, '#05070bd0', x - width / 2 - 0.8, y - 0.8, width + 1.6, 4.4);
    box(pen, colour, x - width / 2, y, width * Math.min(1, share), 2.8);
  }

  /**
   * Remembers where a drone goes, which the wire doesn't say.
   * @param {number} slot
   * @param {number} x
   * @param {number} y
   */
  #turnDrone(slot, x, y) {
    const at = slot * 3;
    const dx = x - this.#drift[at];
    const dy = y - this.#drift[at + 1];
    const way = dx * dx + dy * dy;
    if (way < 0.01) return;
    this.#drift[at] = x;
    this.#drift[at + 1] = y;
    if (way > 900) return;
    // Towards the new way by a part, round the circle.
    let turn = Math.atan2(dy, dx) - this.#drift[at + 2];
    turn -= TURN * Math.round(turn / TURN);
    this.#drift[at + 2] += turn * 0.3;
  }

  /**
   * @param {HTMLCanvasElement} sprite
   * @param {number} x units
   * @param {number} y units
   * @param {number} cos
   * @param {number} sin
   * @param {number} alpha
   * @param {number} size 1: as drawn
   */
  #stamp(sprite, x, y, cos, sin, alpha, size) {
    const pen = this.#pen;
    const camera = this.#camera;
    const c = cos * size;
    const s = sin * size;
    pen.setTransform(c, s, -s, c, x * camera.scale + camera.left, y * camera.scale + camera.top);
    pen.globalAlpha = alpha;
    pen.drawImage(sprite, -sprite.width / 2, -sprite.height / 2);
    pen.globalAlpha = 1;
  }
}
