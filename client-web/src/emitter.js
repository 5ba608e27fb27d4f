/** Listeners by name, for `Link` and `Room`. */

import { report } from './report.js';

/** See the module's description. */
export class Emitter {
  /** @type {Map<string, Set<(...args: any[]) => void>>} */
  #listeners = new Map();

  /**
   * @param {string} name
   * @param {(...args: any[]) => void} listener
   * @returns {() => void} takes the listener away again
   */
  on(name, listener) {
    if (typeof listener !== 'function') throw new TypeError(`on(${JSON.stringify(name)}, …) takes a function that hears of it`);
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  /** Whether anybody listens to anything. */
  get hasListeners() {
    return [...this.#listeners.values()].some(({ size }) => size > 0);
  }

  /**
   * A listener that throws hinders neither the others nor the connection; its error is reported as
   * any uncaught one. What the promise of an async one rejects with is the page's.
   *
   * @param {string} name
   * @param {...any} args
   */
  emit(name, ...args) {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        listener(...args);
      } catch (error) {
        report(`listener of ${JSON.stringify(name)}`, error);
      }
    }
  }
}
