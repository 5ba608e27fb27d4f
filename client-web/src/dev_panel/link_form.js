/**
 * The part of the dev panel that makes the link worse: buttons for the usual round trips, sliders
 * for the rest. What is set counts at once and until the link ends.
 */

import { make } from './dom.js';

/** Milliseconds from stall to stall, if the address says nothing else. */
const STALL_EVERY_MS = 5000;

/** Round trips to choose from, in milliseconds; 0 with all sliders at rest is the link as it is. */
const PRESETS = [0, 60, 120, 200];

/** @typedef {import('../types.js').LinkConditions} LinkConditions */

/**
 * A slider's stops, and how one is written, beside the time from stall to stall. The first is
 * nothing.
 * @type {{ name: 'rttMs' | 'jitterMs' | 'stallMs' | 'bytesPerSecond', label: string, stops:
 *   number[], text: (value: number, everyMs: number) => string }[]}
 */
const SLIDERS = [
  { name: 'rttMs', label: 'Round trip', stops: [0, 30, 60, 90, 120, 150, 200, 250, 300, 400, 500, 700, 1000], text: (ms) => `${ms} ms` },
  { name: 'jitterMs', label: 'Jitter', stops: [0, 5, 10, 20, 30, 50, 75, 100, 150, 200], text: (ms) => `${ms} ms` },
  { name: 'stallMs', label: 'Stalls', stops: [0, 100, 200, 300, 500, 750, 1000, 1500, 2000, 3000], text: (ms, everyMs) => (ms === 0 ? 'none' : `${ms} / ${everyMs / 1000} s`) },
  {
    name: 'bytesPerSecond',
    label: 'Bandwidth',
    stops: [Infinity, 128_000, 64_000, 32_000, 16_000, 8000, 4000, 2000, 1000],
    text: (rate) => (rate === Infinity ? 'no limit' : `${rate / 1000} kB/s`),
  },
];

/** See the module's description. */
export class LinkForm {
  form = make('form');
  #link;
  /** @type {HTMLButtonElement[]} */
  #presets = [];
  /** @type {{ input: HTMLInputElement, output: HTMLOutputElement }[]} */
  #sliders = [];

  /** @param {import('../link.js').Link<any>} link */
  constructor(link) {
    this.#link = link;
    const presets = make('div', 'presets');
    for (const ms of PRESETS) {
      const button = make('button', '', ms === 0 ? 'As it is' : `${ms} ms`);
      button.type = 'button';
      button.addEventListener('click', () => this.#set(ms === 0 ? undefined : { ...this.#link.conditioner, rttMs: ms }));
      this.#presets.push(button);
      presets.append(button);
    }
    this.form.append(make('p', '', 'Make the link worse'), presets);
    for (const slider of SLIDERS) {
      const row = make('label');
      const input = make('input');
      input.type = 'range';
      input.min = '0';
      input.max = String(slider.stops.length - 1);
      const output = make('output');
      input.addEventListener('input', () => {
        const settings = { ...this.#link.conditioner, [slider.name]: slider.stops[Number(input.value)] };
        // A stall ends before the next one.
        if ((settings.stallMs ?? 0) >= (settings.stallEveryMs ?? STALL_EVERY_MS)) settings.stallEveryMs = STALL_EVERY_MS;
        const isClean = SLIDERS.every(({ name, stops }) => (settings[name] ?? stops[0]) === stops[0]);
        this.#set(isClean ? undefined : settings);
      });
      row.append(make('span', '', slider.label), input, output);
      this.#sliders.push({ input, output });
      this.form.append(row);
    }
    this.#show();
  }

  /** @param {LinkConditions | undefined} settings */
  #set(settings) {
    this.#link.conditioner = settings;
    this.#show();
  }

  #show() {
    const settings = this.#link.conditioner;
    PRESETS.forEach((ms, i) => {
      const isSet = ms === 0 ? settings === undefined : settings?.rttMs === ms;
      this.#presets[i].setAttribute('aria-pressed', String(isSet));
    });
    SLIDERS.forEach(({ name, stops, text }, i) => {
      const value = settings?.[name] ?? stops[0];
      const { input, output } = this.#sliders[i];
      // What an address set may lie between two stops.
      const way = (/** @type {number} */ stop) => Math.abs((stop === Infinity ? 1e9 : stop) - (value === Infinity ? 1e9 : value));
      input.value = String(stops.reduce((best, stop, at) => (way(stop) < way(stops[best]) ? at : best), 0));
      output.value = text(value, settings?.stallEveryMs ?? STALL_EVERY_MS);
    });
  }
}
