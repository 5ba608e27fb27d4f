/**
 * Browser pages on virtual time, several in one process: each has a clock of its own that drifts,
 * timers, animation frames and a WebSocket whose other end is the yardstick. The SDK runs in them
 * as it is shipped: what it takes from a browser is put in place here, and means the page whose
 * code runs. Used by `play.mjs`; knows neither the game nor what is measured.
 */

/** Microseconds between animation frames: 60 a second. */
const FRAME_US = 16_667;

/** @type {Page} whose code runs */
let current;
let timers = 0;
/** Microseconds since the start, everybody's. */
let nowUs = 0;

/** See the module's description. */
export class Page {
  #msPerUs;
  #nextFrameUs;
  /** @type {((nowMs: number) => void) | undefined} the frame that was asked for */
  #frame;
  /** @type {Map<number, { dueUs: number, call: () => void }>} */
  #timers = new Map();
  /** @type {VirtualSocket | undefined} the newest */
  socket;

  /**
   * @param {number} driftPpm parts in a million that its clock gains
   * @param {number} firstFrameUs when its screen draws first
   * @param {(bytes: Uint8Array) => void} onSend hears of every message that it sends
   */
  constructor(driftPpm, firstFrameUs, onSend) {
    this.#msPerUs = (1 + driftPpm / 1e6) / 1000;
    this.#nextFrameUs = firstFrameUs;
    this.onSend = onSend;
  }

  /** @returns {number} `performance.now()` of the page */
  get nowMs() {
    return nowUs * this.#msPerUs;
  }

  /**
   * @returns {number} when it has something to do by itself, in microseconds; Infinity for never
   */
  get dueUs() {
    let dueUs = this.#frame === undefined ? Infinity : this.#nextFrameUs;
    for (const timer of this.#timers.values()) dueUs = Math.min(dueUs, timer.dueUs);
    return dueUs;
  }

  /**
   * Runs code of the page.
   * @param {number} atUs never before the last one's, of any page
   * @param {() => void} code
   */
  async run(atUs, code) {
    nowUs = atUs;
    current = this;
    code();
    // Promises go on before anybody else's time comes.
    await new Promise(setImmediate);
  }

  /** The oldest timer that is due, or else the frame. */
  next() {
    for (const [id, { dueUs, call }] of this.#timers) {
      if (dueUs > nowUs) continue;
      this.#timers.delete(id);
      return call();
    }
    const frame = this.#frame;
    this.#frame = undefined;
    this.#nextFrameUs += FRAME_US;
    frame?.(this.nowMs);
  }

  /** @param {() => void} call @param {number} ms @returns {number} */
  setTimer(call, ms) {
    this.#timers.set(++timers, { dueUs: Math.ceil((this.nowMs + ms) / this.#msPerUs), call });
    return timers;
  }

  /** @param {number} id */
  clearTimer(id) {
    this.#timers.delete(id);
  }

  /** @param {(nowMs: number) => void} frame */
  onFrame(frame) {
    // A screen goes on drawing while nobody asks it to.
    while (this.#nextFrameUs <= nowUs) this.#nextFrameUs += FRAME_US;
    this.#frame = frame;
  }
}

/** As much of a WebSocket as the SDK uses; it is never closed by the server. */
export class VirtualSocket {
  binaryType = 'arraybuffer';
  bufferedAmount = 0;
  readyState = 0;
  /** @type {any} */
  onopen;
  /** @type {any} */
  onmessage;
  /** @type {any} */
  onclose;
  /** @type {any} */
  onerror;
  #page = current;

  constructor() {
    this.#page.socket = this;
    this.#page.setTimer(() => {
      this.readyState = 1;
      this.onopen();
    }, 0);
  }

  /** @param {Uint8Array} bytes */
  send(bytes) {
    this.#page.onSend(bytes);
  }

  /** @param {number} code @param {string} reason */
  close(code, reason) {
    throw new Error(`the client closed: ${code} ${reason}`);
  }
}

/** Puts the pages' clocks, timers and frames in the place of Node's. Before the SDK is imported. */
export function becomeBrowser() {
  Object.assign(globalThis, {
    setTimeout: (/** @type {() => void} */ call, ms = 0) => current.setTimer(call, ms),
    clearTimeout: (/** @type {number} */ id) => current.clearTimer(id),
    requestAnimationFrame: (/** @type {(nowMs: number) => void} */ frame) => current.onFrame(frame),
    reportError(/** @type {unknown} */ error) {
      throw error;
    },
  });
  performance.now = () => current.nowMs;
}
