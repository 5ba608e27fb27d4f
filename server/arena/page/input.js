/**
 * What the player wants now, from keyboard, mouse and touch, as the arena's input fields. Knows
 * keys and pointers; where the own player stands on the screen it is told each frame.
 */

import { TouchSticks } from './touch.js';

/** Keys that move, by `KeyboardEvent.code`, so that the keyboard's layout doesn't matter. */
const PUSH = new Map([
  ['KeyW', [0, -1]],
  ['ArrowUp', [0, -1]],
  ['KeyS', [0, 1]],
  ['ArrowDown', [0, 1]],
  ['KeyA', [-1, 0]],
  ['ArrowLeft', [-1, 0]],
  ['KeyD', [1, 0]],
  ['ArrowRight', [1, 0]],
]);

export class Controls {
  /** The direction that the player looks: radians clockwise from the right. */
  aim = 0;
  /** CSS pixels from the own player to the mouse; 0 on touch. */
  reachX = 0;
  reachY = 0;
  #held = new Set();
  #mouseDown = false;
  /** A click or tap that no input has carried yet: short ones must not fall between two ticks. */
  #tapped = false;
  #reload = false;
  /** Whether the trigger was pulled in any input since the last frame. */
  #fired = false;
  /** Where the mouse is, in CSS pixels. @type {{ x: number, y: number } | undefined} */
  #mouse;
  #sticks;
  #out = { dx: 0, dy: 0, aim: 0, fire: false, reload: false };
  #abort = new AbortController();

  /**
   * @param {HTMLCanvasElement} stage
   * @param {() => void} onTouch called at the first touch
   */
  constructor(stage, onTouch) {
    const signal = this.#abort.signal;
    this.#sticks = new TouchSticks(stage, signal, onTouch);
    window.addEventListener('keydown', (event) => this.#key(event, true), { signal });
    window.addEventListener('keyup', (event) => this.#key(event, false), { signal });
    window.addEventListener('blur', () => this.release(), { signal });
    document.addEventListener('visibilitychange', () => this.release(), { signal });
    stage.addEventListener('pointermove', (event) => this.#point(event), { signal });
    stage.addEventListener('pointerdown', (event) => {
      if (event.pointerType === 'touch' || event.button !== 0) return;
      this.#point(event);
      this.#mouseDown = true;
      this.#tapped = true;
      stage.setPointerCapture(event.pointerId);
      stage.focus({ preventScroll: true });
    }, { signal });
    const up = () => { this.#mouseDown = false; };
    stage.addEventListener('pointerup', up, { signal });
    stage.addEventListener('pointercancel', up, { signal });
    stage.addEventListener('contextmenu', (event) => event.preventDefault(), { signal });
  }

  /** @returns {boolean} whether the player uses fingers */
  get touched() {
    return this.#sticks.used;
  }

  /** The stage is shown: its size is known now. */
  start() {
    this.#sticks.settle();
  }

  /** Lets go of everything: focus went elsewhere. */
  release() {
    this.#held.clear();
    this.#mouseDown = false;
    this.#tapped = false;
    this.#sticks.release();
  }

  /** Ends listening. */
  stop() {
    this.#abort.abort();
    this.#sticks.release();
  }

  /**
   * Turns towards the mouse or the right stick. Called once a frame.
   * @param {number} x CSS pixels: where the own player is drawn
   * @param {number} y CSS pixels
   */
  turn(x, y) {
    const { aim, move, used } = this.#sticks;
    const stick = aim.push.length > 0.15 ? aim.push : move.push;
    this.reachX = 0;
    this.reachY = 0;
    if (stick.length > 0.15) {
      this.aim = Math.atan2(stick.y, stick.x);
    } else if (!used && this.#mouse !== undefined) {
      this.reachX = this.#mouse.x - x;
      this.reachY = this.#mouse.y - y;
      if (Math.abs(this.reachX) + Math.abs(this.reachY) > 2) this.aim = Math.atan2(this.reachY, this.reachX);
    }
  }

  /**
   * The input now. Called by the SDK for every frame and every tick; what it returns is reused.
   * @returns {{ dx: number, dy: number, aim: number, fire: boolean, reload: boolean }}
   */
  read() {
    const out = this.#out;
    out.dx = 0;
    out.dy = 0;
    for (const code of this.#held) {
      const push = PUSH.get(code);
      if (!push) continue;
      out.dx += push[0];
      out.dy += push[1];
    }
    out.dx = Math.max(-1, Math.min(1, out.dx));
    out.dy = Math.max(-1, Math.min(1, out.dy));
    const { aim, move } = this.#sticks;
    if (move.push.length > 0) {
      out.dx = move.push.x;
      out.dy = move.push.y;
    }
    out.aim = this.aim;
    out.fire = this.#mouseDown || this.#tapped || this.#held.has('Space') || aim.push.length > 0.45;
    this.#fired ||= out.fire;
    out.reload = this.#reload || this.#held.has('KeyR');
    this.#tapped = false;
    this.#reload = false;
    return out;
  }

  /** @returns {boolean} whether the trigger was pulled since the last time */
  takeFire() {
    const fired = this.#fired;
    this.#fired = false;
    return fired;
  }

  /** @param {KeyboardEvent} event @param {boolean} down */
  #key(event, down) {
    const { code } = event;
    if (!down) {
      this.#held.delete(code);
      return;
    }
    if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!PUSH.has(code) && code !== 'Space' && code !== 'KeyR') return;
    // Space and the arrows also press buttons and scroll.
    if (code === 'Space' && event.target instanceof HTMLButtonElement) return;
    event.preventDefault();
    if (event.repeat) return;
    if (code === 'Space') this.#tapped = true;
    if (code === 'KeyR') this.#reload = true;
    this.#held.add(code);
  }

  /** @param {PointerEvent} event */
  #point(event) {
    if (event.pointerType === 'touch') return;
    this.#mouse = { x: event.clientX, y: event.clientY };
  }
}

/**
 * @param {EventTarget | null} target
 * @returns {boolean} whether keys are for what is there: a text, or what they scroll and press
 */
export function isTyping(target) {
  if (target instanceof HTMLInputElement) return target.type === 'text';
  return target instanceof HTMLElement && target.closest('[data-keys]') !== null;
}
