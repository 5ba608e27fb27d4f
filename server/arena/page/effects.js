/**
 * What happened, as something to see: turns the view's events into sparks, flashes, recoil and
 * shaking. Positions come from the view in which the event is due. What is written (feed, death) is
 * feed.js.
 */

import { DRONE_RADIUS, PLAYER_RADIUS } from './arena_map.js';
import { INK, colourOf } from './palette.js';
import { Particles, Pool } from './particles.js';

/** Milliseconds for which a hit one stays white. */
const FLASH_MS = 140;
/** Milliseconds for which a gun is pushed back. */
const RECOIL_MS = 110;
const MUZZLES_MAX = 32;

/** @typedef {import('/client/types.js').Entity} Entity */
/** @typedef {import('/client/types.js').View} View */

export class Effects {
  particles = new Particles();
  /** Recent muzzle flashes; `at` in milliseconds. */
  muzzles = new Pool(MUZZLES_MAX, { x: 0, y: 0, at: -1e9 });
  /** When something was hit last, by handle. @type {Map<number, number>} */
  #hitAt = new Map();
  /** When someone shot last, by handle. @type {Map<number, number>} */
  #shotAt = new Map();
  #camera;
  /** How much the own player's screen edge glows red, 0 to 1. */
  hurt = 0;

  /** @param {import('./camera.js').Camera} camera */
  constructor(camera) {
    this.#camera = camera;
  }

  /**
   * Takes the events that are due in this view.
   * @param {View} view
   * @param {number} you the own player
   * @param {number} now milliseconds
   */
  take(view, you, now) {
    if (this.#hitAt.size > 512) this.#hitAt.clear();
    if (this.#shotAt.size > 512) this.#shotAt.clear();
    for (const event of view.events) {
      const fields = event.fields;
      // The own ones were seen at the trigger.
      if (event.name === 'shot' && fields.by !== view.me?.handle) this.fire(find(view, fields.by), now);
      if (event.name === 'hit') this.#hit(view, fields, you, now);
      else if (event.name === 'kill') this.#kill(view, fields, you);
      else if (event.name === 'pickup') this.#pickup(find(view, fields.who), fields.what);
      else if (event.name === 'respawn') this.#respawn(find(view, fields.who), you);
    }
  }

  /**
   * @param {number} handle
   * @param {number} now milliseconds
   * @returns {number} how white it is, 0 to 1
   */
  flashOf(handle, now) {
    const at = this.#hitAt.get(handle);
    return at === undefined ? 0 : Math.max(0, 0.85 * (1 - (now - at) / FLASH_MS));
  }

  /**
   * @param {number} handle
   * @param {number} now milliseconds
   * @returns {number} how far its gun is pushed back, 0 to 1
   */
  recoilOf(handle, now) {
    const at = this.#shotAt.get(handle);
    return at === undefined ? 0 : Math.max(0, 1 - (now - at) / RECOIL_MS);
  }

  /**
   * A gun goes off.
   * @param {Entity | undefined} by
   * @param {number} now milliseconds
   */
  fire(by, now) {
    if (!by?.pos || !by.heading) return;
    const angle = by.heading.angle;
    const x = by.pos.x + Math.cos(angle) * PLAYER_RADIUS * 1.75;
    const y = by.pos.y + Math.sin(angle) * PLAYER_RADIUS * 1.75;
    this.muzzles.reuse({ x, y, at: now });
    this.#shotAt.set(by.handle, now);
    if (this.#camera.sees(x, y, 30)) this.particles.burst(x, y, 4, '#ffd98a', 130, angle, 0.4);
  }

  /**
   * @param {View} view
   * @param {Record<string, any>} fields
   * @param {number} you
   * @param {number} now
   */
  #hit(view, fields, you, now) {
    const who = find(view, fields.who);
    const by = find(view, fields.by);
    this.#hitAt.set(fields.who, now);
    const mine = who?.owner === you && who.avatar;
    if (this.#camera.sees(fields.x, fields.y, 60)) {
      const colour = mine ? INK.danger : colourOf(who?.avatar ? who.owner : undefined, you);
      this.particles.burst(fields.x, fields.y, 10, colour, 150);
      this.particles.burst(fields.x, fields.y, 4, INK.white, 90);
      if (mine || by?.owner === you) {
        this.particles.number(fields.x, fields.y, String(fields.amount), mine ? INK.danger : INK.white);
      }
    }
    if (mine) {
      this.#camera.shake(0.55);
      this.hurt = 1;
    }
  }

  /** @param {View} view @param {Record<string, any>} fields @param {number} you */
  #kill(view, fields, you) {
    const who = find(view, fields.who);
    if (!who?.pos || !this.#camera.sees(who.pos.x, who.pos.y, 80)) return;
    const { x, y } = who.pos;
    const player = who.kind?.is === 'player';
    const colour = player ? colourOf(who.owner, you) : INK.drone;
    this.particles.burst(x, y, player ? 42 : 22, colour, player ? 240 : 170);
    this.particles.burst(x, y, player ? 16 : 10, '#ffd98a', 150);
    this.particles.ring(x, y, player ? 54 : 34, colour);
    this.#camera.shake(player && who.owner === you ? 1 : 0.2);
  }

  /** @param {Entity | undefined} who @param {string} what */
  #pickup(who, what) {
    if (!who?.pos) return;
    const colour = what === 'health' ? INK.health : INK.ammo;
    this.particles.ring(who.pos.x, who.pos.y, 30, colour);
    this.particles.burst(who.pos.x, who.pos.y, 12, colour, 90);
    this.particles.number(who.pos.x, who.pos.y, what === 'health' ? '+ health' : '+ ammo', colour);
  }

  /** @param {Entity | undefined} who @param {number} you */
  #respawn(who, you) {
    if (!who?.pos) return;
    const colour = colourOf(who.owner, you);
    this.particles.ring(who.pos.x, who.pos.y, 44, colour, 0.6);
    this.particles.ring(who.pos.x, who.pos.y, 26, INK.white, 0.4);
    this.particles.burst(who.pos.x, who.pos.y, 14, colour, DRONE_RADIUS * 9);
  }
}

/**
 * @param {View} view
 * @param {number | undefined} handle
 * @returns {Entity | undefined}
 */
export function find(view, handle) {
  return view.entities.find((entity) => entity.handle === handle);
}
