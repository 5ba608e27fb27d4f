/**
 * Which transport a connection goes by: the first is tried, the next where that is refused, or
 * beside it where it hangs, which proxies and virus scanners make of a WebSocket that they don't
 * let through, before its handshake or behind it. The first on which the server says something has
 * it; the others are closed. Who hangs has not been heard: what was said on it is said again on the
 * next. The only place that knows that there are several.
 */

import { HANGS_MS } from '../limits.js';
import { CloseCode, LOST, closeReason } from '../protocol/close_code.js';

/** @typedef {import('./way.js').Way} Way */
/** @typedef {import('./way.js').WayHandlers} WayHandlers */

/**
 * One that takes part.
 * @typedef {object} Runner
 * @property {Way | undefined} way undefined while it is made
 * @property {boolean} isOpen
 * @property {boolean} isHeard whether it is told what is said
 */

/** See the module's description. @implements {Way} */
export class Race {
  #url;
  #opens;
  /** @type {WayHandlers | undefined} */
  #handlers;
  #onWon;
  /** How many of the transports were tried. */
  #tried = 0;
  /** @type {Set<Runner>} those that are not at their end */
  #runners = new Set();
  /** @type {Way | undefined} */
  #winner;
  /** What was said before anybody won, to be said to whoever comes. @type {Uint8Array[]} */
  #said = [];
  /** Whether one of them was taken to hang. */
  #hasHung = false;
  /** Whether one of them was open: so it was told. */
  #isOpen = false;
  /** How the first one ended. @type {{ code: number, reason: string } | undefined} */
  #ended;
  /** @type {ReturnType<typeof setTimeout> | undefined} until who runs is taken to hang */
  #timer;

  /**
   * Throws the first one's `RequestError` if none can be opened.
   * @param {string} url
   * @param {readonly import('./way.js').OpenWay[]} opens at least one, in the order in which they
   *   are tried
   * @param {WayHandlers} handlers
   * @param {(transport: import('./way.js').Transport, hasHung: boolean) => void} onWon hears by which
   *   one it goes, and whether another one hung
   */
  constructor(url, opens, handlers, onWon) {
    this.#url = url;
    this.#opens = opens;
    this.#handlers = handlers;
    this.#onWon = onWon;
    /** @type {unknown} */
    let first;
    while (this.#runners.size === 0 && this.#tried < opens.length) {
      try {
        this.#run();
      } catch (error) {
        first ??= error;
      }
    }
    if (this.#runners.size === 0) throw first;
  }

  get transport() {
    return this.#winner?.transport;
  }

  get backlog() {
    if (this.#winner !== undefined) return this.#winner.backlog;
    return this.#said.reduce((bytes, each) => bytes + each.length, 0);
  }

  /** @param {Uint8Array} bytes */
  send(bytes) {
    if (this.#winner !== undefined) return this.#winner.send(bytes);
    this.#said.push(bytes);
    // From now on an answer is due.
    if (this.#said.length === 1) this.#wait();
    for (const { way, isHeard } of this.#runners) if (isHeard) way?.send(bytes);
  }

  /** @param {number} code @param {string} reason */
  close(code, reason) {
    this.#handlers = undefined;
    this.#stop(code, reason);
    this.#winner?.close(code, reason);
  }

  /** The next one runs too. Throws what can't be opened. */
  #run() {
    /** @type {Runner} */
    const runner = { way: undefined, isOpen: false, isHeard: false };
    const open = this.#opens[this.#tried++];
    this.#runners.add(runner);
    try {
      runner.way = open(this.#url, {
        onOpen: () => this.#opened(runner),
        onMessage: (bytes) => {
          if (this.#win(runner)) this.#handlers?.onMessage(bytes);
        },
        onClose: (code, reason) => this.#closed(runner, code, reason),
      });
    } catch (error) {
      this.#runners.delete(runner);
      throw error;
    }
    this.#wait();
  }

  /** Who runs has so long to open, and again to answer what is said. */
  #wait() {
    clearTimeout(this.#timer);
    const hasOthers = this.#tried < this.#opens.length || [...this.#runners].some(({ isHeard }) => !isHeard);
    const isDue = !this.#isOpen || this.#said.length > 0;
    if (hasOthers && isDue) this.#timer = setTimeout(() => this.#hangs(), HANGS_MS);
  }

  #hangs() {
    this.#hasHung = true;
    const waits = [...this.#runners].find(({ isOpen, isHeard }) => isOpen && !isHeard);
    if (waits !== undefined) return this.#hear(waits);
    this.#next();
  }

  /** On to the next one that can be opened. */
  #next() {
    while (this.#tried < this.#opens.length) {
      try {
        return this.#run();
      } catch {
        // The page can't have it at all.
      }
    }
  }

  /** @param {Runner} runner */
  #opened(runner) {
    runner.isOpen = true;
    const others = [...this.#runners].filter(({ isHeard }) => isHeard);
    // What is said twice is heard twice where both get through: so the other one has its time.
    if (others.length === 0) this.#hear(runner);
    this.#wait();
  }

  /** @param {Runner} runner is told what was said, and will be */
  #hear(runner) {
    runner.isHeard = true;
    for (const bytes of this.#said) runner.way?.send(bytes);
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#handlers?.onOpen();
  }

  /**
   * @param {Runner} runner that the server said something on
   * @returns {boolean} whether it is the one
   */
  #win(runner) {
    if (this.#winner !== undefined) return this.#winner === runner.way;
    const { way } = runner;
    if (way?.transport === undefined) return false;
    this.#winner = way;
    this.#runners.delete(runner);
    // No goodbye: that would give up the seat that the other one has.
    this.#stop(CloseCode.Stalled, closeReason(CloseCode.Stalled));
    this.#said = [];
    this.#onWon(way.transport, this.#hasHung);
    return true;
  }

  /**
   * Nobody runs any more but who won.
   * @param {number} code
   * @param {string} reason
   */
  #stop(code, reason) {
    clearTimeout(this.#timer);
    this.#tried = this.#opens.length;
    const runners = [...this.#runners];
    this.#runners.clear();
    for (const { way } of runners) way?.close(code, reason);
  }

  /**
   * @param {Runner} runner
   * @param {number} code
   * @param {string} reason
   */
  #closed(runner, code, reason) {
    if (runner.way !== undefined && runner.way === this.#winner) return this.#end(code, reason);
    if (!this.#runners.delete(runner)) return;
    this.#ended ??= { code, reason };
    // Any other code is the server's word, which got through.
    if (code !== LOST) {
      this.#stop(CloseCode.Stalled, closeReason(CloseCode.Stalled));
      return this.#end(code, reason);
    }
    if (this.#runners.size === 0) this.#next();
    const waits = [...this.#runners].find(({ isOpen, isHeard }) => isOpen && !isHeard);
    if (runner.isHeard && waits !== undefined) this.#hear(waits);
    if (this.#runners.size === 0) this.#end(this.#ended.code, this.#ended.reason);
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #end(code, reason) {
    clearTimeout(this.#timer);
    const handlers = this.#handlers;
    this.#handlers = undefined;
    handlers?.onClose(code, reason);
  }
}
