/**
 * How the connection does, in figures and a chart of the last seconds: frame times as bars, round trips as a
 * line. Shown by F3 or its button; costs nothing while hidden.
 */

import { element, make, write } from './dom.js';
import { INK } from './palette.js';

/** Frames that the chart remembers. */
const FRAMES_MAX = 180;
/** Milliseconds at the chart's top. */
const CHART_MS = 50;
const ROWS_MS = 250;

/** @typedef {import('/client/types.js').Stats} Stats */
/** @type {[string, (stats: Stats, fps: number) => string, ((stats: Stats) => boolean)?][]} */
const ROWS = [
  ['Frames', (_, fps) => `${fps.toFixed(0)} /s`],
  ['Round trip', (s) => `${s.rttMs.toFixed(1)} ms`, (s) => s.rttMs > 200],
  ['Jitter', (s) => `${s.jitterMs.toFixed(1)} ms`, (s) => s.jitterMs > 30],
  ['Interpolation', (s) => `${s.interpolationMs.toFixed(0)} ms`],
  ['Input slack', (s) => `${s.inputSlack.toFixed(0)} ticks`, (s) => s.inputSlack < 0],
  ['Prediction error', (s) => s.predictionError.toFixed(3)],
  ['Snapshots', (s) => `${s.snapshotHz.toFixed(0)} /s`],
  ['Snapshot', (s) => `${s.bytesPerSnapshot.toFixed(0)} B`],
  ['Rate', (s) => `${(s.bytesPerSecond / 1000).toFixed(1)} kB/s`],
  ['Skipped', (s) => String(s.skipped), (s) => s.skipped > 0],
  ['Desyncs', (s) => String(s.desyncs), (s) => s.desyncs > 0],
];

export class NetGraph {
  #box = element('net', HTMLElement);
  #canvas = element('net-chart', HTMLCanvasElement);
  #pen = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext('2d'));
  #tool = element('tool-net', HTMLButtonElement);
  #cells = /** @type {HTMLElement[]} */ ([]);
  #frames = new Float32Array(FRAMES_MAX);
  #trips = new Float32Array(FRAMES_MAX);
  #at = 0;
  #writtenAt = 0;
  #abort = new AbortController();

  constructor() {
    const list = element('net-rows', HTMLElement);
    list.replaceChildren();
    for (const [label] of ROWS) {
      const cell = make('dd');
      list.append(make('dt', '', label), cell);
      this.#cells.push(cell);
    }
    const signal = this.#abort.signal;
    this.#tool.addEventListener('click', () => {
      this.#toggle();
      this.#tool.blur();
    }, { signal });
    window.addEventListener('keydown', (event) => {
      if (event.key !== 'F3') return;
      event.preventDefault();
      this.#toggle();
    }, { signal });
  }

  /** Ends listening. */
  stop() {
    this.#abort.abort();
  }

  /**
   * @param {Stats} stats
   * @param {number} seconds since the last frame
   * @param {number} now milliseconds
   */
  show(stats, seconds, now) {
    this.#frames[this.#at] = seconds * 1000;
    this.#trips[this.#at] = stats.rttMs;
    this.#at = (this.#at + 1) % FRAMES_MAX;
    if (this.#box.hidden) return;
    this.#drawChart();
    if (now - this.#writtenAt < ROWS_MS) return;
    this.#writtenAt = now;
    let sum = 0;
    let frames = 0;
    for (let i = 0; i < FRAMES_MAX; i += 1) {
      sum += this.#frames[i];
      if (this.#frames[i] > 0) frames += 1;
    }
    const fps = sum > 0 ? (frames * 1000) / sum : 0;
    for (let i = 0; i < ROWS.length; i += 1) {
      const [, text, bad] = ROWS[i];
      write(this.#cells[i], text(stats, fps));
      this.#cells[i].classList.toggle('warn', Boolean(bad?.(stats)));
    }
  }

  #toggle() {
    this.#box.hidden = !this.#box.hidden;
    this.#tool.setAttribute('aria-expanded', String(!this.#box.hidden));
  }

  #drawChart() {
    const canvas = this.#canvas;
    const ratio = Math.min(window.devicePixelRatio || 1, 3);
    const width = Math.round(canvas.clientWidth * ratio);
    const height = Math.round(canvas.clientHeight * ratio);
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const pen = this.#pen;
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = INK.lineStrong;
    pen.fillRect(0, height - (16.7 / CHART_MS) * height, width, 1);
    const step = width / FRAMES_MAX;
    for (let i = 0; i < FRAMES_MAX; i += 1) {
      const ms = this.#frames[(this.#at + i) % FRAMES_MAX];
      const tall = Math.min(1, ms / CHART_MS) * height;
      pen.fillStyle = ms > 25 ? INK.danger : '#4a5a78';
      pen.fillRect(i * step, height - tall, Math.max(1, step - 0.5), tall);
    }
    pen.strokeStyle = INK.accent;
    pen.lineWidth = ratio * 1.5;
    pen.beginPath();
    for (let i = 0; i < FRAMES_MAX; i += 1) {
      const ms = this.#trips[(this.#at + i) % FRAMES_MAX];
      const y = height - Math.min(1, ms / (CHART_MS * 4)) * height - 1;
      if (i === 0) pen.moveTo(0, y);
      else pen.lineTo(i * step, y);
    }
    pen.stroke();
  }
}
