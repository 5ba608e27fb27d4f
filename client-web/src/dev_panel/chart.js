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

/** @typedef {import('./recorder.js').Sample} Sample */
/** @typedef {Exclude<keyof Sample, 'atMs'>} Column */

/** See the module's description. */
export class Chart {
  canvas = document.createElement('canvas');
  #pen = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext('2d'));
  /** Those that are on the strip. @type {Sample[]} */
  #samples = [];
  #scaleTop = 1;
  #ratio = 1;
  #nowMs = 0;
  #scale;

  /**
   * @param {string} className
   * @param {{ least?: number, top: number, unit: string }} scale `least` is the value at the
   *   bottom, 0 by default; `top` the least value that the scale reaches to
   */
  constructor(className, scale) {
    this.canvas.className = className;
    this.#scale = { least: 0, ...scale };
  }

  /**
   * Wipes the strip and chooses its scale.
   * @param {readonly Sample[]} samples oldest first
   * @param {number} nowMs
   * @param {Column[]} columns that have to fit
   */
  clear(samples, nowMs, columns) {
    this.#samples = samples.filter(({ atMs }) => nowMs - atMs <= SPAN_MS);
    const { canvas } = this;
    const ratio = Math.min(globalThis.devicePixelRatio || 1, 3);
    const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const values = this.#samples.flatMap((sample) => columns.map((column) => sample[column]));
    const greatest = Math.max(0, ...values);
    this.#scaleTop = Math.max(this.#scale.top, TOPS.find((top) => top >= greatest * 1.1) ?? greatest);
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
    const text = `${this.#scaleTop} ${this.#scale.unit}`;
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
   * @param {Column} column
   * @param {string} colour
   * @param {boolean} [isFilled] the ground below it is tinted
   */
  line(column, colour, isFilled = false) {
    const pen = this.#pen;
    const samples = this.#samples;
    if (samples.length === 0) return;
    const startX = this.#x(samples[0].atMs);
    let [x, y] = [startX, this.#y(samples[0][column])];
    pen.beginPath();
    pen.moveTo(x, y);
    for (const sample of samples) {
      x = this.#x(sample.atMs);
      const next = this.#y(sample[column]);
      // Figures come now and then: a step says more than a slope.
      if (next !== y) pen.lineTo(x, y);
      pen.lineTo(x, next);
      y = next;
    }
    pen.strokeStyle = colour;
    pen.lineWidth = 1.5 * this.#ratio;
    pen.lineJoin = 'round';
    pen.stroke();
    if (!isFilled) return;
    pen.lineTo(x, this.canvas.height);
    pen.lineTo(startX, this.canvas.height);
    pen.fillStyle = `${colour}26`;
    pen.fill();
  }

  /**
   * A bar for every frame that has a value.
   * @param {Column} column
   * @param {string} colour
   */
  bars(column, colour) {
    const pen = this.#pen;
    const { height } = this.canvas;
    pen.fillStyle = colour;
    const width = Math.max(1, Math.round(1.25 * this.#ratio));
    for (const sample of this.#samples) {
      if (sample[column] <= 0) continue;
      const y = this.#y(sample[column]);
      pen.fillRect(Math.round(this.#x(sample.atMs)) - width, y, width, height - y);
    }
  }

  /** Tints the times in which no snapshot came, and marks those that the server left out. */
  stalls() {
    const pen = this.#pen;
    const { height } = this.canvas;
    let heardMs = -Infinity;
    this.#samples.forEach(({ atMs, bytes, skipped }, i) => {
      const isLast = i === this.#samples.length - 1;
      if (bytes <= 0 && !isLast) return;
      if (heardMs !== -Infinity && atMs - heardMs > STALL_MS) {
        pen.fillStyle = `${INK.bad}38`;
        pen.fillRect(this.#x(heardMs), 0, this.#x(atMs) - this.#x(heardMs), height);
      }
      if (skipped > 0) {
        pen.fillStyle = INK.bad;
        pen.fillRect(this.#x(atMs) - 2 * this.#ratio, 0, 2 * this.#ratio, 4 * this.#ratio);
      }
      heardMs = atMs;
    });
  }

  /** @param {number} atMs */
  #x(atMs) {
    return this.canvas.width * (1 - (this.#nowMs - atMs) / SPAN_MS);
  }

  /** @param {number} value */
  #y(value) {
    const { height } = this.canvas;
    const share = (value - this.#scale.least) / (this.#scaleTop - this.#scale.least);
    return height - this.#ratio - Math.min(1, Math.max(0, share)) * (height - 2 * this.#ratio);
  }
}
