/**
 * One strip of the net graph: the last seconds of some figures as lines or bars, the newest at the
 * right edge. Draws into its own canvas; what it draws is in `recorder.js`, who calls it is
 * `dev_panel.js`.
 */

import { INK } from './style.js';
import { SPAN_MS } from './recorder.js';

/** Without a snapshot for this long the strip shows a stall, in milliseconds. */
const STALL_MS = 150;
/** Tops of the scales: the least that holds everything is taken. */
const TOPS = [0.1, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 400, 800, 1600, 3200, 6400, 12_800, 65_536, 262_144];

/** @typedef {import('./recorder.js').Recorder} Recorder */
/** @typedef {keyof Recorder['columns']} Column */

/**
 * @typedef {object} Line
 * @property {Column} column
 * @property {string} colour
 * @property {boolean} [filled] the ground below it is tinted
 */

/** See the module's description. */
export class Chart {
  canvas = document.createElement('canvas');
  #pen = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext('2d'));
  #least;
  #top;
  #unit;

  /**
   * @param {string} className
   * @param {{ least?: number, top: number, unit: string }} scale `least` is the value at the bottom, 0 by default; `top` the
   *   least value that the scale reaches to
   */
  constructor(className, { least = 0, top, unit }) {
    this.canvas.className = className;
    this.#least = least;
    this.#top = top;
    this.#unit = unit;
  }

  /**
   * Wipes the strip and chooses its scale.
   * @param {Recorder} recorder
   * @param {number} nowMs
   * @param {Column[]} columns that have to fit
   */
  clear(recorder, nowMs, columns) {
    const { canvas } = this;
    const ratio = Math.min(globalThis.devicePixelRatio || 1, 3);
    const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const greatest = Math.max(...columns.map((column) => recorder.greatest(column, nowMs)));
    this.#scaleTop = Math.max(this.#top, TOPS.find((top) => top >= greatest * 1.1) ?? greatest);
    this.#ratio = ratio;
    this.#nowMs = nowMs;
    const pen = this.#pen;
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = INK.grid;
    for (let ms = 1000 - (nowMs % 1000); ms < SPAN_MS; ms += 1000) pen.fillRect(Math.round(this.#x(nowMs - SPAN_MS + ms)), 0, 1, height);
  }

  /** Writes the value at the top, over what was drawn. */
  label() {
    const pen = this.#pen;
    pen.font = `${10 * this.#ratio}px ui-sans-serif, system-ui, sans-serif`;
    pen.textBaseline = 'top';
    pen.lineJoin = 'round';
    pen.lineWidth = 3 * this.#ratio;
    pen.strokeStyle = INK.ground;
    pen.fillStyle = INK.muted;
    const text = `${this.#scaleTop} ${this.#unit}`;
    pen.strokeText(text, 4 * this.#ratio, 2 * this.#ratio);
    pen.fillText(text, 4 * this.#ratio, 2 * this.#ratio);
  }

  /**
   * @param {number} value
   * @param {string} colour
   */
  rule(value, colour) {
    this.#pen.fillStyle = colour;
    this.#pen.fillRect(0, Math.round(this.#y(value)), this.canvas.width, 1);
  }

  /**
   * @param {Recorder} recorder
   * @param {Line} line
   */
  line(recorder, { column, colour, filled = false }) {
    const pen = this.#pen;
    const first = this.#first(recorder);
    if (first === recorder.count) return;
    pen.beginPath();
    let y = this.#y(recorder.value(column, first));
    pen.moveTo(this.#x(recorder.atMs(first)), y);
    for (let i = first + 1; i < recorder.count; i++) {
      const x = this.#x(recorder.atMs(i));
      const next = this.#y(recorder.value(column, i));
      // Figures come now and then: a step says more than a slope.
      if (next !== y) pen.lineTo(x, y);
      pen.lineTo(x, next);
      y = next;
    }
    pen.strokeStyle = colour;
    pen.lineWidth = 1.5 * this.#ratio;
    pen.lineJoin = 'round';
    pen.stroke();
    if (!filled) return;
    pen.lineTo(this.#x(recorder.atMs(recorder.count - 1)), this.canvas.height);
    pen.lineTo(this.#x(recorder.atMs(first)), this.canvas.height);
    pen.fillStyle = `${colour}26`;
    pen.fill();
  }

  /**
   * A bar for every frame that has a value.
   * @param {Recorder} recorder
   * @param {Column} column
   * @param {string} colour
   */
  bars(recorder, column, colour) {
    const pen = this.#pen;
    const { height } = this.canvas;
    pen.fillStyle = colour;
    const width = Math.max(1, Math.round(1.25 * this.#ratio));
    for (let i = this.#first(recorder); i < recorder.count; i++) {
      const value = recorder.value(column, i);
      if (value <= 0) continue;
      const y = this.#y(value);
      pen.fillRect(Math.round(this.#x(recorder.atMs(i))) - width, y, width, height - y);
    }
  }

  /**
   * Tints the times in which no snapshot came, and marks those that the server left out.
   * @param {Recorder} recorder
   */
  stalls(recorder) {
    const pen = this.#pen;
    const { height } = this.canvas;
    let heardMs = -Infinity;
    for (let i = this.#first(recorder); i < recorder.count; i++) {
      const atMs = recorder.atMs(i);
      const isLast = i === recorder.count - 1;
      if (recorder.value('bytes', i) <= 0 && !isLast) continue;
      if (heardMs !== -Infinity && atMs - heardMs > STALL_MS) {
        pen.fillStyle = `${INK.bad}38`;
        pen.fillRect(this.#x(heardMs), 0, this.#x(atMs) - this.#x(heardMs), height);
      }
      if (recorder.value('skipped', i) > 0) {
        pen.fillStyle = INK.bad;
        pen.fillRect(this.#x(atMs) - 2 * this.#ratio, 0, 2 * this.#ratio, 4 * this.#ratio);
      }
      heardMs = atMs;
    }
  }

  #scaleTop = 1;
  #ratio = 1;
  #nowMs = 0;

  /** @param {Recorder} recorder @returns {number} the oldest sample that is on the strip */
  #first(recorder) {
    let low = 0;
    let high = recorder.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#nowMs - recorder.atMs(middle) > SPAN_MS) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param {number} atMs */
  #x(atMs) {
    return this.canvas.width * (1 - (this.#nowMs - atMs) / SPAN_MS);
  }

  /** @param {number} value */
  #y(value) {
    const { height } = this.canvas;
    const share = (value - this.#least) / (this.#scaleTop - this.#least);
    return height - this.#ratio - Math.min(1, Math.max(0, share)) * (height - 2 * this.#ratio);
  }
}
