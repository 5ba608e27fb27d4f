/**
 * The own player's health, magazine and points at the foot of the screen, the red screen edge when
 * hit, and what is said after a fall. Reads the view; writes the page only when something changed.
 */

import { mostOf } from './arena_schema.js';
import { element, still, write } from './dom.js';

/** @typedef {import('/client/types.js').View} View */

export class Vitals {
  #health = element('health', HTMLElement);
  #bar = element('health-bar', HTMLElement);
  #lag = element('health-lag', HTMLElement);
  #healthText = element('health-text', HTMLElement);
  #ammoText = element('ammo-text', HTMLElement);
  #ammoNote = element('ammo-note', HTMLElement);
  #scoreText = element('score-text', HTMLElement);
  #pips = element('ammo-pips', HTMLElement);
  #hurt = element('hurt', HTMLElement);
  #death = element('death', HTMLElement);
  #title = element('death-title', HTMLElement);
  #note = element('death-note', HTMLElement);
  #shown = { hp: -1, rounds: -1, spare: -1, reloading: false };
  #hurtShown = 0;
  #healthMost;
  /** When the own player fell, in milliseconds; -1 while up. */
  #fellAt = -1;

  /** @param {import('/client/tickwire.js').Room} room */
  constructor(room) {
    this.#healthMost = mostOf(room, 'health', 'hp');
    const magazine = mostOf(room, 'gun', 'rounds');
    this.#pips.replaceChildren(...Array.from({ length: magazine }, () => document.createElement('i')));
    this.#death.hidden = true;
  }

  /**
   * Says who felled the own player.
   * @param {string} by their name, empty if nobody's
   * @param {number} now milliseconds
   */
  fell(by, now) {
    this.#fellAt = now;
    write(this.#title, by ? `${by} got you` : 'You fell');
    write(this.#note, 'Back in a moment');
    this.#death.hidden = false;
  }

  /**
   * @param {View} view
   * @param {{ hurt: number }} effects
   * @param {number} seconds since the last frame
   * @param {number} now milliseconds
   */
  show(view, effects, seconds, now) {
    const me = view.me;
    effects.hurt *= Math.exp(-(still ? 7 : 3.5) * seconds);
    const hurt = Math.round(effects.hurt * 20) / 20;
    if (hurt !== this.#hurtShown) {
      this.#hurtShown = hurt;
      this.#hurt.style.opacity = String(hurt);
    }
    if (!me?.health) return;
    const { hp } = me.health;
    if (hp !== this.#shown.hp) this.#showHealth(hp);
    if (hp > 0 && this.#fellAt >= 0 && now - this.#fellAt > 300) {
      this.#fellAt = -1;
      this.#death.hidden = true;
    }
    if (me.gun) this.#showGun(me.gun);
    if (me.score) write(this.#scoreText, String(me.score.points));
  }

  /** @param {number} hp */
  #showHealth(hp) {
    this.#shown.hp = hp;
    write(this.#healthText, String(hp));
    const share = `scaleX(${Math.max(0, Math.min(1, hp / this.#healthMost))})`;
    this.#bar.style.transform = share;
    this.#lag.style.transform = share;
    this.#health.classList.toggle('low', hp <= 30);
    this.#health.setAttribute('aria-valuenow', String(hp));
  }

  /** @param {{ rounds: number, spare: number, ready_at: number }} gun */
  #showGun(gun) {
    const shown = this.#shown;
    const reloading = gun.ready_at !== 0;
    if (gun.rounds === shown.rounds && gun.spare === shown.spare && reloading === shown.reloading) return;
    shown.rounds = gun.rounds;
    shown.spare = gun.spare;
    shown.reloading = reloading;
    const empty = gun.rounds === 0 && gun.spare === 0;
    write(this.#ammoText, `${gun.rounds}`);
    write(this.#ammoNote, reloading ? 'reloading' : empty ? 'find ammo' : `/ ${gun.spare}`);
    this.#pips.classList.toggle('reloading', reloading);
    this.#pips.classList.toggle('empty', empty);
    for (let i = 0; i < this.#pips.children.length; i += 1) {
      this.#pips.children[i].className = i < gun.rounds ? 'full' : '';
    }
  }
}
