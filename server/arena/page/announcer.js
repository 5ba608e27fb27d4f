/**
 * What a screen reader is told of things that come in bursts: at most one message every few seconds,
 * the last one of what came meanwhile with how many there were. What is shown is not its matter.
 */

import { element } from './dom.js';

/** Milliseconds between two messages: as long as a short line takes to be read out. */
const EVERY_MS = 3000;

export class Announcer {
  #region = element('announcer', HTMLElement);
  /** @type {string[]} */
  #waiting = [];
  #count = 0;
  #timer = 0;

  /** @param {string} text */
  say(text) {
    this.#waiting = [text];
    this.#count += 1;
    if (this.#timer === 0) this.#tell();
  }

  /** Nothing of what waits is told. */
  clear() {
    this.#waiting = [];
    this.#count = 0;
  }

  #tell() {
    const [text] = this.#waiting;
    const others = this.#count - 1;
    this.clear();
    if (text === undefined) {
      this.#timer = 0;
      return;
    }
    this.#region.textContent = others > 0 ? `${text} (and ${others} more)` : text;
    this.#timer = window.setTimeout(() => this.#tell(), EVERY_MS);
  }
}
