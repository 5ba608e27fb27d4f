/**
 * A panel over the page that shows how the connection does, and lets one feel a worse one: the net
 * graph and the conditioner's sliders. For any game, in one line: `new DevPanel(room)`. An extra
 * module, which a game that does not want it does not load. It reads `room.stats` once a frame and
 * draws only while it shows.
 */

import { Chart } from './dev_panel/chart.js';
import { make } from './dev_panel/dom.js';
import { LinkForm } from './dev_panel/link_form.js';
import { Recorder } from './dev_panel/recorder.js';
import { INK, STYLE } from './dev_panel/style.js';

/** Figures in words are written this often, in milliseconds: faster can't be read. */
const WRITE_EVERY_MS = 250;
/** The round trip is measured this often while the panel shows, in milliseconds. */
const PING_EVERY_MS = 500;
/** Where the browser remembers whether the panel was open. */
const MEMORY = 'tickwire.dev-panel';

/** @typedef {import('./types.js').Stats} Stats */

/**
 * @typedef {object} DevPanelOptions
 * @property {HTMLElement} [parent] what the panel is put into, the page's body by default
 * @property {string} [key] the `KeyboardEvent.key` that shows and hides it, `F3` by default, ''
 *   for none
 * @property {(isOpen: boolean) => void} [onToggle] told when it is shown or hidden, and at the
 *   start
 */

/**
 * @type {[string, (stats: Stats, fps: number, link: import('./link.js').Link<any>) => string | number, ((stats: Stats) =>
 *   boolean)?][]}
 */
const CELLS = [
  ['Frames', (_, fps) => `${fps} /s`],
  ['Traffic', (s) => `${(s.bytesPerSecond / 1000).toFixed(1)} kB/s`],
  ['Skipped', (s) => s.skipped, (s) => s.skipped > 0],
  ['Late inputs', (s) => s.lateInputs, (s) => s.lateInputs > 0],
  ['Desyncs', (s) => s.desyncs, (s) => s.desyncs > 0],
  ['Underruns', (s) => s.underruns, (s) => s.underruns > 0],
  ['Transport', (_stats, _fps, link) => link.transport ?? 'none'],
];

/** See the module's description. */
export class DevPanel {
  /** The panel, of class `dev-panel`; a page may style where it stands. */
  element = make('section', 'dev-panel');
  #room;
  #onToggle;
  #recorder = new Recorder();
  #latency = new Chart('tall', { top: 50, unit: 'ms' });
  #snapshots = new Chart('middle', { top: 100, unit: 'B' });
  #slack = new Chart('', { least: -2, top: 5, unit: 'ticks' });
  #error = new Chart('', { top: 0.1, unit: 'units' });
  #verdict = make('span', 'verdict');
  /** @type {Record<string, HTMLElement>} the figures beside the charts' names */
  #legends = {};
  /** @type {HTMLElement[]} */
  #cells = [];
  #writtenMs = -Infinity;
  #pingedMs = -Infinity;
  #frame = 0;
  #abort = new AbortController();

  /**
   * Puts the panel into the page, as hidden or shown as it was the last time.
   * @param {import('./room.js').Room<any>} room whose figures it shows
   * @param {DevPanelOptions} [options]
   */
  constructor(room, { parent = document.body, key = 'F3', onToggle = () => {} } = {}) {
    this.#room = room;
    this.#onToggle = onToggle;
    this.element.setAttribute('aria-label', 'Net graph');
    this.element.hidden = recall() !== 'open';
    this.#fill(this.element.attachShadow({ mode: 'open' }));
    parent.append(this.element);
    const { signal } = this.#abort;
    globalThis.addEventListener('keydown', (event) => {
      if (key === '' || event.key !== key || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      this.toggle();
    }, { signal });
    // What is pressed or typed here is not for the game.
    for (const name of ['keydown', 'pointerdown']) {
      this.element.addEventListener(name, (event) => {
        if (/** @type {KeyboardEvent} */ (event).key !== key) event.stopPropagation();
      }, { signal });
    }
    onToggle(this.isOpen);
    const loop = (/** @type {number} */ nowMs) => {
      this.#frame = requestAnimationFrame(loop);
      this.#show(nowMs);
    };
    this.#frame = requestAnimationFrame(loop);
  }

  /** Whether the panel shows. */
  get isOpen() {
    return !this.element.hidden;
  }

  /** Shows or hides it, and remembers that. */
  toggle() {
    this.element.hidden = this.isOpen;
    remember(this.isOpen ? 'open' : 'closed');
    this.#writtenMs = -Infinity;
    this.#onToggle(this.isOpen);
  }

  /** Takes the panel out of the page. */
  stop() {
    cancelAnimationFrame(this.#frame);
    this.#abort.abort();
    this.element.remove();
  }

  /** @param {ShadowRoot} root */
  #fill(root) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    const head = make('header');
    const close = make('button', 'close');
    close.type = 'button';
    close.setAttribute('aria-label', 'Hide the net graph');
    close.addEventListener('click', () => this.toggle());
    head.append(make('h2', '', 'Network'), this.#verdict, close);
    const list = make('dl');
    for (const [name] of CELLS) {
      const cell = make('dd');
      list.append(make('dt', '', name), cell);
      this.#cells.push(cell);
    }
    root.append(
      head,
      this.#strip('Latency, ms', this.#latency, ['rtt', 'delay', 'jitter']),
      this.#strip('Snapshots', this.#snapshots, ['bytes']),
      this.#strip('Inputs early', this.#slack, ['slack']),
      this.#strip('Prediction error', this.#error, ['error']),
      list,
      new LinkForm(this.#room.link).form,
    );
  }

  /**
   * @param {string} name
   * @param {Chart} chart
   * @param {(keyof typeof INK)[]} figures
   */
  #strip(name, chart, figures) {
    const strip = make('div', 'strip');
    const line = make('p');
    line.append(make('span', '', name));
    for (const figure of figures) {
      const legend = make('b');
      legend.style.color = INK[figure];
      this.#legends[figure] = legend;
      line.append(legend);
    }
    chart.canvas.setAttribute('aria-hidden', 'true');
    strip.append(line, chart.canvas);
    return strip;
  }

  /** @param {number} nowMs */
  #show(nowMs) {
    const { stats } = this.#room;
    const { samples } = this.#recorder;
    this.#recorder.add(stats, nowMs);
    if (!this.isOpen) return;
    if (nowMs - this.#pingedMs >= PING_EVERY_MS) {
      this.#pingedMs = nowMs;
      // A link that has ended says so elsewhere.
      this.#room.link.ping().catch(() => {});
    }
    this.#latency.clear(samples, nowMs, ['rtt', 'delay']);
    this.#latency.line('jitter', INK.jitter, true);
    this.#latency.line('delay', INK.delay);
    this.#latency.line('rtt', INK.rtt);
    this.#snapshots.clear(samples, nowMs, ['bytes']);
    this.#snapshots.stalls();
    this.#snapshots.bars('bytes', INK.bytes);
    this.#slack.clear(samples, nowMs, ['slack']);
    this.#slack.rule(0, INK.bad);
    this.#slack.line('slack', INK.slack);
    this.#error.clear(samples, nowMs, ['error']);
    this.#error.line('error', INK.error, true);
    for (const chart of [this.#latency, this.#snapshots, this.#slack, this.#error]) chart.label();
    if (nowMs - this.#writtenMs >= WRITE_EVERY_MS) {
      this.#writtenMs = nowMs;
      this.#write(stats);
    }
  }

  /** @param {Stats} stats */
  #write(stats) {
    const legends = this.#legends;
    write(legends.rtt, `trip ${stats.rttMs.toFixed(0)}`);
    write(legends.delay, `view ${stats.interpolationMs.toFixed(0)}`);
    write(legends.jitter, `jitter ${stats.jitterMs.toFixed(0)}`);
    write(legends.bytes, `${stats.snapshotHz.toFixed(0)} /s of ${stats.bytesPerSnapshot.toFixed(0)} B`);
    write(legends.slack, `${stats.inputSlack.toFixed(0)} ticks`);
    legends.slack.classList.toggle('warn', stats.inputSlack < 0);
    write(legends.error, `${stats.predictionError.toFixed(3)} units`);
    const fps = this.#recorder.framesPerSecond;
    CELLS.forEach(([, text, isBad], i) => {
      write(this.#cells[i], String(text(stats, fps, this.#room.link)));
      this.#cells[i].classList.toggle('warn', isBad?.(stats) ?? false);
    });
    const verdict = judge(stats);
    write(this.#verdict, verdict);
    this.#verdict.className = `verdict ${verdict}`;
  }
}

/**
 * @param {Stats} stats
 * @returns {'good' | 'fair' | 'bad'} the connection in a word
 */
function judge({ rttMs, jitterMs, snapshotHz, inputSlack }) {
  if (snapshotHz === 0 || rttMs > 250 || jitterMs > 100 || inputSlack < -3) return 'bad';
  return rttMs > 120 || jitterMs > 30 || inputSlack < 0 ? 'fair' : 'good';
}

/**
 * @param {HTMLElement} at
 * @param {string} text
 */
function write(at, text) {
  if (at.textContent !== text) at.textContent = text;
}

/** @returns {string | null} what was remembered; storage may be forbidden */
function recall() {
  try {
    return localStorage.getItem(MEMORY);
  } catch {
    return null;
  }
}

/** @param {string} state */
function remember(state) {
  try {
    localStorage.setItem(MEMORY, state);
  } catch {
    // Storage is forbidden here: the panel is hidden again on the next visit.
  }
}
