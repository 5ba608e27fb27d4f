/**
 * The page's own errors: what its `input`, `step`, `draw` or a listener throws is told as if nobody
 * had caught it, and the connection goes on. Called wherever the SDK calls the page; what the page
 * asks for wrongly is `request_error.js`.
 *
 * Told by `reportError` where there is one (browsers: `window.onerror` and error trackers hear of
 * it), else by `console.error`: an uncaught error would end a program in Node. Who wants that, or a
 * tracker there, sets `globalThis.reportError`.
 */

import { REPORT_EVERY_MS, REPORT_KINDS_MAX } from './limits.js';

/** When an error of each kind was told last, the oldest first. @type {Map<string, number>} */
const told = new Map();

/**
 * Tells of an error, once a kind and `REPORT_EVERY_MS`: a frame's would come 60 times a second.
 * @param {string} where of the page it comes from: the kind
 * @param {unknown} error
 * @param {number} [nowMs]
 */
export function report(where, error, nowMs = performance.now()) {
  const lastMs = told.get(where) ?? -Infinity;
  if (nowMs >= lastMs && nowMs - lastMs < REPORT_EVERY_MS) return;
  told.delete(where);
  told.set(where, nowMs);
  if (told.size > REPORT_KINDS_MAX) for (const oldest of [...told.keys()].slice(0, -REPORT_KINDS_MAX)) told.delete(oldest);
  try {
    if (typeof globalThis.reportError === 'function') globalThis.reportError(error);
    else console.error(`tickwire: an error in the page's ${where}:`, error);
  } catch (thrown) {
    // A `reportError` of the page's own that wants the program to end: not from within ours.
    queueMicrotask(() => {
      throw thrown;
    });
  }
}
