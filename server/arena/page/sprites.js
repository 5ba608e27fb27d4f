/**
 * Drawings that are made once a scale and colour and then only copied: players, drones, pickups,
 * glows, names. Everything faces right. The renderer asks by key; nothing is drawn per frame here.
 */

import { DRONE_RADIUS, PLAYER_RADIUS } from './arena_map.js';
import { INK } from './palette.js';
import { box, circle, disc, newCanvas, plate, stroke } from './pen.js';

/** Names kept; beyond, all are dropped and made again when seen. */
const LABELS_MAX = 200;

/**
 * @typedef {import('./pen.js').Pen} Pen
 * @typedef {HTMLCanvasElement} Sprite its centre is the entity's centre
 */

export class Sprites {
  /** @type {Map<string, Sprite>} */
  #made = new Map();
  /** @type {Map<string, Sprite>} */
  #labels = new Map();
  #scale = 1;
  #ratio = 1;

  /**
   * Forgets every drawing made for another scale.
   * @param {number} scale device pixels a unit
   * @param {number} ratio device pixels a CSS pixel
   */
  rescale(scale, ratio) {
    this.#scale = scale;
    this.#ratio = ratio;
    this.#made.clear();
    this.#labels.clear();
  }

  /**
   * @param {string} colour
   * @returns {Sprite} a player's body and gun
   */
  player(colour) {
    return this.#get(`player${colour}`, PLAYER_RADIUS * 2, (pen) => paintPlayer(pen, colour));
  }

  /**
   * @param {string} colour
   * @returns {Sprite} a drone
   */
  drone(colour) {
    return this.#get(`drone${colour}`, DRONE_RADIUS * 1.7, (pen) => paintDrone(pen, colour));
  }

  /**
   * @param {'health' | 'ammo'} kind
   * @returns {Sprite}
   */
  pickup(kind) {
    return this.#get(kind, 13, (pen) => paintPickup(pen, kind));
  }

  /**
   * @param {string} colour
   * @returns {Sprite} a shot with its tail
   */
  shot(colour) {
    return this.#get(`shot${colour}`, 17, (pen) => paintShot(pen, colour));
  }

  /**
   * @param {string} colour
   * @param {number} radius units
   * @returns {Sprite} a soft light
   */
  glow(colour, radius) {
    return this.#get(`glow${colour}${radius}`, radius, (pen) => {
      const light = pen.createRadialGradient(0, 0, 0, 0, 0, radius);
      light.addColorStop(0, colour);
      light.addColorStop(0.35, `${colour}66`);
      light.addColorStop(1, `${colour}00`);
      box(pen, light, -radius, -radius, radius * 2, radius * 2);
    });
  }

  /**
   * @param {string} colour
   * @returns {Sprite} a line around a player
   */
  ring(colour) {
    return this.#get(`ring${colour}`, PLAYER_RADIUS * 1.6, (pen) => {
      circle(pen, 0, 0, PLAYER_RADIUS * 1.36);
      stroke(pen, colour, 1.5);
    });
  }

  /** @returns {Sprite} what a body casts on the floor */
  shadow() {
    return this.#get('shadow', 22, (pen) => {
      const dark = pen.createRadialGradient(0, 0, 6, 0, 0, 21);
      dark.addColorStop(0, '#000000a0');
      dark.addColorStop(1, '#00000000');
      box(pen, dark, -22, -22, 44, 44);
    });
  }

  /**
   * @param {string} text a peer's name: drawn as text, never markup
   * @param {string} colour
   * @returns {Sprite}
   */
  label(text, colour) {
    const key = `${colour}${text}`;
    const found = this.#labels.get(key);
    if (found) return found;
    if (this.#labels.size >= LABELS_MAX) this.#labels.clear();
    const pen = newCanvas(1, 1);
    const sprite = pen.canvas;
    const font = `600 ${Math.round(12.5 * this.#ratio)}px ui-sans-serif, system-ui, "Segoe UI", Roboto, "DejaVu Sans Condensed", sans-serif`;
    pen.font = font;
    sprite.width = Math.ceil(pen.measureText(text).width + 8 * this.#ratio);
    sprite.height = Math.ceil(20 * this.#ratio);
    pen.font = font;
    pen.textAlign = 'center';
    pen.textBaseline = 'middle';
    pen.lineWidth = 3 * this.#ratio;
    pen.lineJoin = 'round';
    pen.strokeStyle = '#06080ccc';
    pen.strokeText(text, sprite.width / 2, sprite.height / 2);
    pen.fillStyle = colour;
    pen.fillText(text, sprite.width / 2, sprite.height / 2);
    this.#labels.set(key, sprite);
    return sprite;
  }

  /**
   * @param {string} key
   * @param {number} reach units from the centre to the drawing's edge
   * @param {(pen: Pen) => void} paint draws in units around the origin
   * @returns {Sprite}
   */
  #get(key, reach, paint) {
    const found = this.#made.get(key);
    if (found) return found;
    const side = Math.max(2, Math.ceil(reach * this.#scale) * 2);
    const pen = newCanvas(side, side);
    pen.setTransform(this.#scale, 0, 0, this.#scale, side / 2, side / 2);
    paint(pen);
    this.#made.set(key, pen.canvas);
    return pen.canvas;
  }
}

/** @param {Pen} pen @param {string} colour */
function paintPlayer(pen, colour) {
  const r = PLAYER_RADIUS;
  // The gun, under the hull.
  plate(pen, '#05070b', r * 0.3, -4.1, r * 1.45, 8.2, 2.4);
  plate(pen, '#c3ccdc', r * 0.3, -2.7, r * 1.34, 5.4, 1.6);
  box(pen, '#7b879d', r * 0.3, 0.4, r * 1.3, 1.9);
  box(pen, colour, r * 1.38, -2.7, 2.2, 5.4);
  // The hull: a dark rim, the colour, a dark lid with a visor that shows the heading.
  disc(pen, '#05070b', 0, 0, r);
  disc(pen, colour, 0, 0, r - 1.3);
  const shade = pen.createRadialGradient(-3, -4, 1, 0, 0, r);
  shade.addColorStop(0, '#ffffff4d');
  shade.addColorStop(0.55, '#ffffff00');
  shade.addColorStop(1, '#00000066');
  disc(pen, shade, 0, 0, r - 1.3);
  disc(pen, '#10151f', 0, 0, r * 0.57);
  pen.lineCap = 'round';
  pen.beginPath();
  pen.arc(0, 0, r * 0.33, -0.85, 0.85);
  stroke(pen, colour, 2.1);
}

/** @param {Pen} pen @param {string} colour */
function paintDrone(pen, colour) {
  const r = DRONE_RADIUS;
  // Four rotors on arms around a body with a red eye.
  pen.lineCap = 'round';
  for (const [x, y] of [[0.72, 0.72], [0.72, -0.72], [-0.72, 0.72], [-0.72, -0.72]]) {
    pen.beginPath();
    pen.moveTo(0, 0);
    pen.lineTo(r * x, r * y);
    stroke(pen, '#05070b', 3.4);
    disc(pen, '#0a0e16', r * x, r * y, r * 0.44);
    circle(pen, r * x, r * y, r * 0.36);
    stroke(pen, colour, 1);
  }
  plate(pen, '#05070b', -r * 0.66, -r * 0.52, r * 1.32, r * 1.04, 3.4);
  plate(pen, colour, -r * 0.56, -r * 0.42, r * 1.12, r * 0.84, 2.8);
  disc(pen, colour === INK.white ? INK.white : INK.danger, r * 0.26, 0, 1.9);
}

/** @param {Pen} pen @param {'health' | 'ammo'} kind */
function paintPickup(pen, kind) {
  const colour = INK[kind];
  plate(pen, '#05070b', -9.6, -9.6, 19.2, 19.2, 4.6);
  plate(pen, '#151c29', -8, -8, 16, 16, 3.6);
  stroke(pen, colour, 1.5);
  if (kind === 'health') {
    box(pen, colour, -1.7, -5, 3.4, 10);
    box(pen, colour, -5, -1.7, 10, 3.4);
  } else {
    for (const x of [-4.6, -1.3, 2]) plate(pen, colour, x, -4.6, 2.5, 9.2, [1.25, 1.25, 0.3, 0.3]);
  }
}

/** @param {Pen} pen @param {string} colour */
function paintShot(pen, colour) {
  const tail = pen.createLinearGradient(-16, 0, 4, 0);
  tail.addColorStop(0, `${colour}00`);
  tail.addColorStop(1, colour);
  pen.fillStyle = tail;
  pen.beginPath();
  pen.moveTo(-16, 0);
  pen.lineTo(2, -2.3);
  pen.lineTo(2, 2.3);
  pen.closePath();
  pen.fill();
  disc(pen, colour, 2, 0, 2.7);
  disc(pen, '#ffffff', 2, 0, 1.5);
}
