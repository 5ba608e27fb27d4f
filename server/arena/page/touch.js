/**
 * Two virtual sticks: a finger on the left half of the stage moves, one on the right half aims. A
 * stick stands where its finger first touched. Only geometry; input.js says what it means.
 */

import { element } from './dom.js';

/** CSS pixels from a stick's centre to its rim. */
const REACH = 52;

/** @typedef {{ x: number, y: number, length: number }} Push -1 to 1; `length` at most 1 */

class Stick {
  /** @type {Push} */
  push = { x: 0, y: 0, length: 0 };
  /** The finger that holds it, or -1. */
  finger = -1;
  #x = 0;
  #y = 0;
  #base;
  #knob;

  /** @param {HTMLElement} base */
  constructor(base) {
    this.#base = base;
    this.#knob = /** @type {HTMLElement} */ (base.firstElementChild);
  }

  /** Shows it at its resting place, to say that it is there. @param {number} x @param {number} y */
  rest(x, y) {
    this.#base.hidden = false;
    if (this.finger < 0) this.#place(x, y);
  }

  /** @param {PointerEvent} event */
  grab(event) {
    this.finger = event.pointerId;
    this.#base.classList.add('held');
    this.#place(event.clientX, event.clientY);
  }

  /** @param {number} px CSS pixels @param {number} py CSS pixels */
  drag(px, py) {
    let x = (px - this.#x) / REACH;
    let y = (py - this.#y) / REACH;
    const length = Math.sqrt(x * x + y * y);
    if (length > 1) {
      x /= length;
      y /= length;
    }
    this.push = { x, y, length: Math.min(1, length) };
    this.#knob.style.transform = `translate(${x * REACH}px, ${y * REACH}px)`;
  }

  drop() {
    this.finger = -1;
    this.push = { x: 0, y: 0, length: 0 };
    this.#base.classList.remove('held');
    this.#knob.style.transform = '';
  }

  /** @param {number} x @param {number} y */
  #place(x, y) {
    this.#x = x;
    this.#y = y;
    this.#base.style.transform = `translate(${x}px, ${y}px)`;
  }
}

export class TouchSticks {
  /** A finger has touched the stage since the page was opened. */
  used = false;
  move = new Stick(element('stick-move', HTMLElement));
  aim = new Stick(element('stick-aim', HTMLElement));
  #stage;
  #onTouch;

  /**
   * @param {HTMLElement} stage
   * @param {AbortSignal} signal ends the listening
   * @param {() => void} onTouch called at the first touch
   */
  constructor(stage, signal, onTouch) {
    this.#stage = stage;
    this.#onTouch = onTouch;
    stage.addEventListener('pointerdown', (event) => this.#down(event), { signal });
    stage.addEventListener('pointermove', (event) => this.#drag(event), { signal });
    stage.addEventListener('pointerup', (event) => this.#up(event), { signal });
    stage.addEventListener('pointercancel', (event) => this.#up(event), { signal });
    window.addEventListener('resize', () => this.settle(), { signal });
    if (window.matchMedia('(pointer: coarse)').matches) this.#awake();
  }

  /** Lets go of both. */
  release() {
    this.move.drop();
    this.aim.drop();
    this.settle();
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.pointerType !== 'touch') return;
    this.#awake();
    const stick = event.clientX < this.#stage.clientWidth / 2 ? this.move : this.aim;
    if (stick.finger >= 0) return;
    stick.grab(event);
    this.#stage.setPointerCapture(event.pointerId);
    event.preventDefault();
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    this.#heldBy(event)?.drag(event.clientX, event.clientY);
  }

  /** @param {PointerEvent} event */
  #up(event) {
    this.#heldBy(event)?.drop();
    this.settle();
  }

  /** @param {PointerEvent} event @returns {Stick | undefined} the stick that its finger holds */
  #heldBy({ pointerId }) {
    return [this.move, this.aim].find(({ finger }) => finger === pointerId);
  }

  #awake() {
    if (this.used) return;
    this.used = true;
    this.#onTouch();
    this.settle();
  }

  /** Sticks that nobody holds go to where thumbs rest, once the stage is shown. */
  settle() {
    if (!this.used) return;
    const width = this.#stage.clientWidth;
    const height = this.#stage.clientHeight;
    const low = height - (height > 520 ? 150 : 96);
    this.move.rest(96, low);
    this.aim.rest(width - 96, low);
  }
}
